"""expand-rounding: floor, ceil and truncation, of the machine's conversion to integers, which rounds to nearest."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, IntegerType, ModuleOp, f32, i32
from xdsl.ir import SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE

WHOLE = 2.0**23
"""From here on every fp32 number is whole."""

_Rounding = math.FloorOp | math.CeilOp | math.TruncOp


@dataclass(frozen=True)
class ExpandRounding(LevelPass):
    """Rounds to the nearest integer, by a conversion and back, and corrects by one what went the wrong way:

        %f = math.floor %x   =>   %k = %x as i32 as f32
                                  %w = tile.compare gt %k, %x
                                  %d = arith.subf %k, (%w as f32)
                                  %f = %d where |%x| < 2^23, else %x       also infinity and NaN

    `ceil` likewise; `trunc` is the floor of the size, with the sign of the argument. What is only converted to an
    integer afterwards needs no last step. Scalars go through a tensor of one element.
    """

    name = "expand-rounding"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for one in [inner for inner in operations(func) if isinstance(inner, _Rounding)]:
                _expand(one, Emitter.before(one))


def _expand(op: _Rounding, emit: Emitter) -> None:
    result, element, shape = op.results[0], tile.element_of(op.operand), tile.shape_of(op.operand)
    x = op.operand if element == f32 else emit.value(tile.CastOp(op.operand, f32))
    x = x if shape else emit.value(tile.SplatOp(x, (1,)))
    y = _truncated(x, emit) if isinstance(op, math.TruncOp) else _rounded(x, isinstance(op, math.FloorOp), emit)
    if not _becomes_integer(result):
        size = emit.value(math.AbsFOp(x))
        y = emit.value(tile.SelectOp(_compare(Predicate.LT, size, _constant(WHOLE, x, emit), emit), y, x))
    y = y if shape else emit.value(tile.ReduceOp("max", y, 0))
    y = y if element == f32 else emit.value(tile.CastOp(y, element))
    y.name_hint = result.name_hint
    result.replace_all_uses_with(y)
    op.detach()
    op.erase()


def _rounded(x: SSAValue, down: bool, emit: Emitter) -> SSAValue:
    """The floor or the ceiling of fp32 numbers below 2^31."""
    nearest = emit.value(tile.CastOp(emit.value(tile.CastOp(x, i32)), f32))
    wrong = _compare(Predicate.GT if down else Predicate.LT, nearest, x, emit)
    return emit.value((arith.SubfOp if down else arith.AddfOp)(nearest, emit.value(tile.CastOp(wrong, f32))))


def _truncated(x: SSAValue, emit: Emitter) -> SSAValue:
    size = _rounded(emit.value(math.AbsFOp(x)), True, emit)
    is_negative = _compare(Predicate.LT, x, _constant(0.0, x, emit), emit)
    return emit.value(tile.SelectOp(is_negative, emit.value(arith.NegfOp(size)), size))


def _becomes_integer(value: SSAValue) -> bool:
    """Whether conversions to integers, which saturate, are all that the value is for."""
    users = [use.operation for use in value.uses]
    return all(isinstance(op, tile.CastOp) and isinstance(tile.element_of(op.result), IntegerType) for op in users)


def _compare(predicate: Predicate, a: SSAValue, b: SSAValue, emit: Emitter) -> SSAValue:
    return emit.value(tile.CompareOp(predicate.value, a, b))


def _constant(number: float, like: SSAValue, emit: Emitter) -> SSAValue:
    return emit.value(tile.SplatOp(emit.value(arith.ConstantOp(FloatAttr(number, f32))), tile.shape_of(like)))
