"""expand-trigonometry: sine and cosine of any argument, of the machine's sine, which takes -pi to pi."""

from __future__ import annotations

import math as numbers
from collections.abc import Callable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE

Binary = Callable[[SSAValue, SSAValue], Operation]

TURN = (201 / 32, 127 / 65536, -2.559031372584286e-06)
"""2 pi as a sum (to 2e-14). The first two have 8 and 7 significant bits, so that their products with whole numbers
below 2^16 are exact in fp32."""
ROUNDING = 1.5 * 2**23
"""Added and subtracted again, rounds an fp32 number below 2^22 to a whole one."""


@dataclass(frozen=True)
class ExpandTrigonometry(LevelPass):
    """Takes whole turns off the argument, in fp32, until the Scalar engine's sine takes it:

        %y = math.sin %x   =>   %k = round(%x / 2 pi)       by adding and subtracting 1.5 * 2^23
                                %r = %x - %k * 2 pi         in three parts
                                %r = max(min(%r, pi - %r), -pi - %r)
                                %y = math.sin %r

    and the cosine is the sine of pi / 2 - |%r|. Up to 2^16 turns (411,774) the error is below 3e-7; further on it
    grows, and from 2^22 turns on the argument may be left outside the range. Of infinity the result is NaN.
    """

    name = "expand-trigonometry"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for one in [inner for inner in operations(func) if isinstance(inner, math.SinOp | math.CosOp)]:
                _expand(one)


@dataclass(frozen=True)
class _Arithmetic:
    """Operations on fp32 values of one shape; numbers are constants of that shape."""

    emit: Emitter
    shape: tuple[int, ...]

    def value(self, x: SSAValue | float) -> SSAValue:
        if isinstance(x, SSAValue):
            return x
        scalar = self.emit.float(x)
        return self.emit.value(tile.SplatOp(scalar, self.shape)) if self.shape else scalar

    def __call__(self, op: Binary, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self.emit.value(op(self.value(a), self.value(b)))


def _expand(op: math.SinOp | math.CosOp) -> None:
    emit, element, result = Emitter.before(op), tile.element_of(op.operand), op.results[0]
    x = op.operand if element == f32 else emit.value(tile.CastOp(op.operand, f32))
    do = _Arithmetic(emit, tile.shape_of(x))
    y = emit.value(math.SinOp((_of_cosine if isinstance(op, math.CosOp) else _of_sine)(do, _remainder(do, x))))
    if element != f32:
        y = emit.value(tile.CastOp(y, element))
    y.name_hint = result.name_hint
    result.replace_all_uses_with(y)
    op.detach()
    op.erase()


def _remainder(do: _Arithmetic, x: SSAValue) -> SSAValue:
    """x less whole turns: in -pi..pi, or beyond by what the rounding of x / 2 pi makes."""
    turns = do(arith.MulfOp, x, 1 / (2 * numbers.pi))
    whole = do(arith.SubfOp, do(arith.AddfOp, turns, ROUNDING), ROUNDING)
    for part in TURN:
        x = do(arith.SubfOp, x, do(arith.MulfOp, whole, part))
    return x


def _of_sine(do: _Arithmetic, r: SSAValue) -> SSAValue:
    """An argument in -pi/2..pi/2 with the same sine."""
    r = do(arith.MinimumfOp, r, do(arith.SubfOp, numbers.pi, r))
    return do(arith.MaximumfOp, r, do(arith.SubfOp, -numbers.pi, r))


def _of_cosine(do: _Arithmetic, r: SSAValue) -> SSAValue:
    """An argument whose sine is the cosine of r."""
    return do(arith.SubfOp, numbers.pi / 2, do.emit.value(math.AbsFOp(r)))
