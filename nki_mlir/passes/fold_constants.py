"""fold-constants: operations on constants become constants."""

from __future__ import annotations

import math as numbers
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import Commutative

from nki_mlir.analysis.constants import Number, constant_of, signless, typed, value_of
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE


def _quotient(a: float, b: float) -> float:
    if b:
        return a / b
    return numbers.nan if a == 0 or numbers.isnan(a) else numbers.copysign(numbers.inf, a) * numbers.copysign(1, b)


def _quietly(function: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding to an integer, on floats that may be infinite or NaN."""
    return lambda x: float(function(x)) if numbers.isfinite(x) else x


FOLDED: Mapping[type[Operation], Callable[..., Any]] = {
    arith.AddfOp: operator.add,
    arith.SubfOp: operator.sub,
    arith.MulfOp: operator.mul,
    arith.DivfOp: _quotient,
    arith.NegfOp: operator.neg,
    arith.AddiOp: operator.add,
    arith.SubiOp: operator.sub,
    arith.MuliOp: operator.mul,
    arith.AndIOp: operator.and_,
    arith.OrIOp: operator.or_,
    arith.XOrIOp: operator.xor,
    arith.MaxSIOp: max,
    arith.MinSIOp: min,
    arith.ShLIOp: operator.lshift,
    arith.ShRSIOp: operator.rshift,
    math.AbsFOp: abs,
    math.AbsIOp: abs,
    math.TruncOp: _quietly(numbers.trunc),
    math.FloorOp: _quietly(numbers.floor),
    math.CeilOp: _quietly(numbers.ceil),
}
"""What Python computes and rounds once: float64 holds what two fp32 numbers give well enough that rounding it again is
rounding once. Functions and sums of many are the machine's."""

COMPARED: Mapping[tile.Predicate, Callable[[Any, Any], bool]] = {
    tile.Predicate.EQ: operator.eq,
    tile.Predicate.NE: operator.ne,
    tile.Predicate.LT: operator.lt,
    tile.Predicate.LE: operator.le,
    tile.Predicate.GT: operator.gt,
    tile.Predicate.GE: operator.ge,
}


@dataclass(frozen=True)
class FoldConstants(LevelPass):
    """Computes what has one known number in every element, in the type of the result:

        %a = tile.splat %two                      %five = arith.constant 5.0 : f32
        %b = arith.addf %a, (splat of %three)  =>  %b = tile.splat %five

    A choice by a constant condition is one of its values. A constant on the left of an operation that commutes goes to
    the right. Left alone: index arithmetic, which later passes read as it is, and what only the machine rounds
    (functions, sums, 8-bit floats). Rejected: shifts by a constant that
    is no bit position of the type.
    """

    name = "fold-constants"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in operations(op):
            _constant_right(inner)
            found = _folded(inner)
            if found is not None:
                found.name_hint = found.name_hint or inner.results[0].name_hint
                inner.results[0].replace_all_uses_with(found)
                inner.detach()
                inner.erase()


def _constant_right(op: Operation) -> None:
    """In place: canonicalize would make a new operation that has no source location."""
    if op.has_trait(Commutative) and len(op.operands) == 2 and isinstance(op.operands[0].owner, arith.ConstantOp):
        op.operands = op.operands[::-1]


def _folded(op: Operation) -> SSAValue | None:
    """The value that an operation always has."""
    if isinstance(op, tile.SelectOp):
        chosen = constant_of(op.condition)
        return None if chosen is None else op.on_true if value_of(chosen) else op.on_false
    _check_shift(op)
    if not isinstance(op, tile.CompareOp) and type(op) not in FOLDED:
        return None
    if isinstance(tile.element_of(op.results[0]), IndexType):
        return None
    operands = [constant_of(operand) for operand in op.operands]
    known = [value_of(operand) for operand in operands if operand is not None]
    if len(known) < len(operands):
        return None
    function = COMPARED[op.predicate.data] if isinstance(op, tile.CompareOp) else FOLDED[type(op)]
    number = typed(function(*known), tile.element_of(op.results[0]))
    return None if number is None else _constant(number, op)


def _check_shift(op: Operation) -> None:
    if not isinstance(op, arith.ShLIOp | arith.ShRSIOp | arith.ShRUIOp):
        return
    count, type_ = constant_of(op.rhs), tile.element_of(op.result)
    if count is None or not isinstance(type_, IntegerType):
        return
    if not 0 <= (by := value_of(count)) < type_.width.data:
        raise CompileError.at(op, f"a shift of {type_} by {by}; the count must be 0..{type_.width.data - 1}")


def _constant(number: Number, op: Operation) -> SSAValue:
    """The number with the type and shape of the operation's result. `arith.constant` has no unsigned integers: one is
    the cast of an index."""
    emit = Emitter.before(op)
    plain = signless(number)
    if isinstance(number, FloatAttr) or plain.type == number.type:
        scalar = emit.value(arith.ConstantOp(plain))
    else:
        scalar = emit.value(tile.CastOp(emit.index(int(number.value.data)), number.type))
    shape = tile.shape_of(op.results[0])
    return emit.value(tile.SplatOp(scalar, shape)) if shape else scalar
