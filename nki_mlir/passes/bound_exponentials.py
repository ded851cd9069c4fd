"""bound-exponentials: exponentials that go through the array are numbers where they would be NaN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerType, ModuleOp, Signedness, f32
from xdsl.ir import SSAValue

from nki_mlir.analysis.constants import scaled
from nki_mlir.analysis.nan_flow import makes_no_difference_in
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.recurrences import ALIKE
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import BITS_OF_ONE
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Reduction
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE

_LEAST = 64
"""Rows, and columns, from which on a tile is turned by the array."""

_BITS = IntegerType(16, Signedness.UNSIGNED)

_Sum = Mapping[SSAValue, float]


@dataclass(frozen=True)
class BoundExponentials(LevelPass):
    """Makes 1 of a NaN among exponentials, on a target whose array turns what it is given by multiplying it:

        %p = math.exp (%s - maximum of %s)                   %p = math.exp (%s - maximum of %s)
        %l = tile.reduce sum %p axis 1                       %l = tile.reduce sum %p axis 1
        %a = %p as bf16                                 =>   %a = %p as bf16
        %o = tile.dot %a, %v                                 %b = %a as i16 at least 0 and at most that of 1, as bf16
        write %o / %l                                        %o = tile.dot %b, %v
                                                             write %o / %l

    A NaN or an infinity would reach other rows, so that what may be one is turned word by word, in twice the
    instructions. Exponentials are at most 1 where the exponents are at most 0, and of their bits, as integers, one
    instruction makes numbers. Left alone: where a row with a NaN is not NaN in the end whatever the product is;
    exponents that are not known to be at most 0; numbers of more than 16 bits; what is turned already; small tiles,
    which the Vector engine turns.
    """

    name = "bound-exponentials"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if target_of(op).features.bit_transposes:
            return
        for dot in [inner for inner in operations(op) if isinstance(inner, tile.DotOp)]:
            made = _exponential(dot.a)
            if made is None or not _is_turned(dot) or not _is_at_most_one(made):
                continue
            if makes_no_difference_in(dot, made.result):
                dot.operands[0] = _bounded(dot.a, Emitter.before(dot))


def _exponential(value: SSAValue) -> math.ExpOp | None:
    """What a value of few bits was before it was rounded."""
    op = value.owner
    if isinstance(op, tile.CastOp) and isinstance(op.source.owner, math.ExpOp):
        short = tile.element_of(value) in BITS_OF_ONE
        return op.source.owner if short and tile.element_of(op.source) == f32 else None
    return None


def _is_turned(dot: tile.DotOp) -> bool:
    """Whether rows of the first operand are what the result has, and there are enough for the array to turn them."""
    shape = tile.shape_of(dot.a)
    return len(shape) == 2 and dot.over[0] == (1,) and not dot.batch[0] and min(shape) >= _LEAST


def _bounded(value: SSAValue, emit: Emitter) -> SSAValue:
    """Numbers from 0 to 1 as they are, anything else as 1: its bits are those of a larger integer."""
    element, shape = tile.element_of(value), tile.shape_of(value)
    one = emit.value(tile.CastOp(emit.index(BITS_OF_ONE[element]), _BITS))
    bits = arith.MinUIOp(emit.value(tile.BitcastOp(value, _BITS)), emit.value(tile.SplatOp(one, shape)))
    made = emit.value(tile.BitcastOp(emit.value(bits), element))
    made.name_hint = value.name_hint
    return made


def _is_at_most_one(op: math.ExpOp) -> bool:
    """Whether an exponent is a sum less its own maximum over each row, both times a number, but for rounding."""
    exponent = _sum_of(op.operand)
    return any(factor < 0 and _bounds(value, exponent, factor) for value, factor in exponent.items())


def _bounds(maximum: SSAValue, exponent: _Sum, factor: float) -> bool:
    """Whether the rest of an exponent is at most what the maximum has a negative factor of."""
    rest = {value: times for value, times in exponent.items() if value is not maximum}
    return any(_is_alike(rest, {v: -factor * times for v, times in of.items()}) for of in _maxima_of(maximum, 1.0))


def _maxima_of(value: SSAValue, factor: float) -> list[_Sum]:
    """Sums that a column, one element for each row, is at least the maximum of over each row."""
    op = value.owner
    match op:
        case arith.MaximumfOp() | arith.MaxnumfOp():
            return [*_maxima_of(op.lhs, factor), *_maxima_of(op.rhs, factor)]
        case arith.MulfOp():
            found = scaled(op)
            return _maxima_of(found[0], factor * found[1]) if found is not None and found[1] > 0 else []
        case tile.ReduceOp(kind=kind) if kind.data in (Reduction.MAX, Reduction.MAXNUM):
            if len(tile.shape_of(op.source)) != 2 or op.axis.value.data != 1:
                return []
            return [{v: factor * times for v, times in _sum_of(op.source).items()}]
        case _:
            return []


def _sum_of(value: SSAValue) -> dict[SSAValue, float]:
    """A value as a sum of multiples of others; of one that repeats an element of each row, the column that has it."""
    op = value.owner
    match op:
        case arith.AddfOp() | arith.SubfOp():
            found, sign = _sum_of(op.lhs), 1.0 if isinstance(op, arith.AddfOp) else -1.0
            for part, times in _sum_of(op.rhs).items():
                found[part] = found.get(part, 0.0) + sign * times
            return found
        case arith.NegfOp():
            return {part: -times for part, times in _sum_of(op.operand).items()}
        case arith.MulfOp() if product := scaled(op):
            return {part: product[1] * times for part, times in _sum_of(product[0]).items()}
        case tile.BroadcastOp() if tile.shape_of(op.source)[-1] == 1:
            return _sum_of(op.source)
        case tile.ExpandDimsOp() if op.axis.value.data == 1 and len(tile.shape_of(op.source)) == 1:
            return {op.source: 1.0}
        case _:
            return {value: 1.0}


def _is_alike(one: _Sum, other: _Sum) -> bool:
    return one.keys() == other.keys() and all(isclose(times, other[v], rel_tol=ALIKE) for v, times in one.items())
