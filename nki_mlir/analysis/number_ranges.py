"""Between which numbers integers lie, loaded ones included: whether what is made of them needs more than 32 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IndexType, IntegerType, i1, i32
from xdsl.dialects.scf import ForOp, IfOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, limits, value_of
from nki_mlir.analysis.indices import NotAffine, index_tensor, range_of, trip_count
from nki_mlir.analysis.induction import addends, carried_of
from nki_mlir.analysis.words import yielded
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile_types import Reduction

Range: TypeAlias = tuple[int, int]
"""The smallest and the largest number, both included."""

UNKNOWN: Range = limits(IndexType())


def number_range(value: SSAValue, known: dict[SSAValue, Range] | None = None) -> Range:
    """Of the elements of an integer or index value, computed without wrapping around where its type is `index`.
    `known` holds what is known, and takes up what is found."""
    known = {} if known is None else known
    if value not in known:
        known[value] = _range(value, known)
    return known[value]


def fits_32_bits(value: SSAValue, known: dict[SSAValue, Range] | None = None) -> bool:
    """Whether all elements are numbers of int32."""
    return within(number_range(value, known), limits(i32))


def within(inner: Range, outer: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def hull(a: Range, b: Range) -> Range:
    return min(a[0], b[0]), max(a[1], b[1])


def total_range(one: Range, size: int) -> Range:
    """Of the sum of up to so many numbers, but of one at least."""
    return min(one[0], one[0] * size), max(one[1], one[1] * size)


MOST_TRIPS = 2**31 - 1
"""Of loops whose iterations are counted at run time: a counter has 32 bits."""


class Cycle(NamedTuple):
    """What a loop carries: what it starts as, its name in an iteration, what that makes of it, how often; None where
    that is known at run time only."""

    start: SSAValue
    argument: SSAValue
    end: SSAValue
    trips: int | None


def carried_range(cycle: Cycle) -> Range | None:
    """Of what a loop carries, before each iteration and after the last one; None where that is not known."""
    begin = number_range(cycle.start)
    once = hull(begin, number_range(cycle.end, {cycle.argument: begin}))
    if within(number_range(cycle.end, {cycle.argument: once}), once):
        return once
    moves = addends(cycle.end, cycle.argument)
    if moves is None:
        return None
    low, high = 0, 0
    for move in moves:
        least, most = number_range(move.value)
        low, high = (low - most, high - least) if move.negative else (low + least, high + most)
    trips = MOST_TRIPS if cycle.trips is None else cycle.trips
    return begin[0] + min(0, low * trips), begin[1] + max(0, high * trips)


def _range(value: SSAValue, known: dict[SSAValue, Range]) -> Range:
    element, number = tile.element_of(value), constant_of(value)
    assert isinstance(element, IndexType | IntegerType)
    if element == i1:
        return 0, 1
    if number is not None:
        return int(value_of(number)), int(value_of(number))
    found = _computed(value, known)
    return found if found is not None and within(found, limits(element)) else limits(element)


def _computed(value: SSAValue, known: dict[SSAValue, Range]) -> Range | None:
    """By what the value is made of; None where that says nothing."""
    op = value.owner
    if not isinstance(op, Operation):
        return range_of(value)

    def of(part: SSAValue) -> Range:
        return number_range(part, known)

    match op:
        case tile.SplatOp():
            return of(op.value)
        case tile.ArangeOp():
            return op.start.value.data, op.end.value.data - 1
        case tile.ShapeOp():
            return of(op.source)
        case tile.CastOp() | arith.IndexCastOp():
            return of(op.operands[0]) if _is_integer(op.operands[0]) else None
        case tile.SelectOp():
            return hull(of(op.on_true), of(op.on_false))
        case math.AbsIOp():
            low, high = of(op.operand)
            return (0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        case tile.ReduceOp() | tile.ScanOp():
            return _combined(op, of(op.source))
        case IfOp():
            sides = [of(side) for side in yielded(op, value)]
            return hull(*sides) if len(sides) == 2 else None
        case ForOp():
            return carried_range(_cycle(op, value))
        case _ if type(op) in _ARITHMETIC:
            found = _ARITHMETIC[type(op)](of(op.operands[0]), of(op.operands[1]))
            return _affine(value, found)
        case _:
            return None


def _cycle(loop: ForOp, result: SSAValue) -> Cycle:
    carried = carried_of(result)
    assert carried is not None
    return Cycle(carried.start, carried.argument, carried.yielded, trip_count(loop))


def _is_integer(value: SSAValue) -> bool:
    return isinstance(tile.element_of(value), IndexType | IntegerType)


def _affine(value: SSAValue, found: Range) -> Range:
    """What is affine in positions and counters may lie between closer numbers: terms that cancel are none."""
    if not isinstance(tile.element_of(value), IndexType) or within(found, limits(i32)):
        return found
    try:
        low, high = index_tensor(value).range(tile.shape_of(value))
    except NotAffine:
        return found
    return max(low, found[0]), min(high, found[1])


def _combined(op: tile.ReduceOp | tile.ScanOp, one: Range) -> Range | None:
    kind = op.kind.data
    if kind in (Reduction.MAX, Reduction.MIN):
        return one
    if kind is Reduction.SUM and getattr(op, "scale", None) is None:
        return total_range(one, tile.shape_of(op.source)[op.axis.value.data])
    return _bits(one, one) if kind in (Reduction.AND, Reduction.OR, Reduction.XOR) else None


def _product(a: Range, b: Range) -> Range:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def _bits(a: Range, b: Range) -> Range:
    """What single bits are combined to has no more bits than the numbers."""
    low, high = min(a[0], b[0]), max(a[1], b[1])
    bits = max((low + 1 if low < 0 else 0).bit_length(), max(high, 0).bit_length())
    return (-(2**bits) if low < 0 else 0), 2**bits - 1


def _common_bits(a: Range, b: Range) -> Range:
    ends = [high for low, high in (a, b) if low >= 0]
    return (0, min(ends)) if ends else _bits(a, b)


def _quotient(a: Range, b: Range) -> Range:
    """Towards zero, or downwards."""
    most = max(abs(a[0]), abs(a[1]))
    if b[0] == b[1] and b[0] > 0:
        return a[0] // b[0], a[1] // b[0] + (a[1] < 0)
    return -most, most


def _remainder(a: Range, b: Range) -> Range:
    most = min(max(abs(a[0]), abs(a[1])), max(abs(b[0]), abs(b[1]), 1) - 1)
    return (-most if a[0] < 0 else 0), (most if a[1] > 0 else 0)


def _shifted(a: Range, b: Range) -> Range:
    if not 0 <= b[0] <= b[1] < 64:
        return UNKNOWN
    return _product(a, (2 ** b[0], 2 ** b[1]))


def _shifted_down(a: Range, b: Range) -> Range:
    if not 0 <= b[0] <= b[1] < 64:
        return hull(a, (0, 0))
    ends = [x >> by for x in a for by in b]
    return min(ends), max(ends)


_ARITHMETIC: Mapping[type[Operation], Callable[[Range, Range], Range]] = {
    arith.AddiOp: lambda a, b: (a[0] + b[0], a[1] + b[1]),
    arith.SubiOp: lambda a, b: (a[0] - b[1], a[1] - b[0]),
    arith.MuliOp: _product,
    arith.DivSIOp: _quotient,
    arith.FloorDivSIOp: _quotient,
    arith.RemSIOp: _remainder,
    arith.AndIOp: _common_bits,
    arith.OrIOp: _bits,
    arith.XOrIOp: _bits,
    arith.ShLIOp: _shifted,
    arith.ShRSIOp: _shifted_down,
    arith.MaxSIOp: lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    arith.MinSIOp: lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
}
"""Of two ranges that of the results."""
