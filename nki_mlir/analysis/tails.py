"""What the end of a dimension holds: where a load or a mask leaves everything out, and what is computed of it."""

from __future__ import annotations

import math as numbers
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerType, i1
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import intervals, is_interval, resolved
from nki_mlir.analysis.constants import constant_of, limits, value_of
from nki_mlir.analysis.indices import NotAffine
from nki_mlir.analysis.masks import guards
from nki_mlir.analysis.nan_flow import makes_no_difference
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate, Coordinates
from nki_mlir.dialects.tile import Reduction


class Tail(NamedTuple):
    """From place `start` of a dimension on, every element is `value`."""

    start: int
    value: float


def _exp(x: float) -> float:
    return 0.0 if x == -numbers.inf else 1.0 if x == 0 else numbers.nan


_COMPUTED: Mapping[type[Operation], Callable[..., Any]] = {
    arith.AddfOp: operator.add,
    arith.SubfOp: operator.sub,
    arith.MulfOp: operator.mul,
    arith.NegfOp: operator.neg,
    math.ExpOp: _exp,
}
"""What zeros and infinities stay in. NaN says that nothing is known."""


def neutral(op: tile.ReduceOp) -> float | None:
    """What makes no difference to a reduction; None where that depends on what there is besides."""
    element = tile.element_of(op.source)
    integers = isinstance(element, IntegerType)
    low, high = limits(element) if integers else (-numbers.inf, numbers.inf)
    match op.kind.data:
        case Reduction.SUM | Reduction.OR | Reduction.XOR:
            return 0
        case Reduction.PRODUCT:
            return 1
        case Reduction.MAX:
            return low
        case Reduction.MIN:
            return high
        case Reduction.MAXNUM if makes_no_difference(op):
            return low
        case Reduction.MINNUM if makes_no_difference(op):
            return high
        case _:
            return None


def tail_of(value: SSAValue, dim: int) -> Tail | None:
    """The end of a dimension, if it is known to hold one number. What a load that names no other number leaves out may
    be zero, but whoever uses it is told so."""
    number = constant_of(value)
    if number is not None:
        return Tail(0, value_of(number))
    op = value.owner
    match op:
        case tile.ReadOp() if op.other is not None:
            end = first_left_out(op.over_values, tile.shape_of(value), dim)
            return None if end is None else Tail(end, value_of(op.other))
        case tile.CastOp():
            tail = tail_of(op.source, dim)
            return tail if tail is not None and not tail.value else None
        case tile.CompareOp() | arith.AndIOp() if tile.element_of(value) == i1:
            return _mask(value, dim)
        case tile.SelectOp():
            return _select(op, dim)
        case tile.ExpandDimsOp():
            axis = op.axis.value.data
            return None if dim == axis else tail_of(op.source, dim - (dim > axis))
        case tile.PermuteOp():
            return tail_of(op.source, op.order.get_values()[dim])
        case tile.SliceOp():
            return _sliced(op, dim)
        case tile.BroadcastOp() if tile.shape_of(op.source)[dim] == tile.shape_of(value)[dim]:
            return tail_of(op.source, dim)
        case arith.SubfOp() if _is_maximum_of(op.rhs, op.lhs, dim):
            tail = tail_of(op.lhs, dim)
            return tail if tail is not None and tail.value == -numbers.inf else None
        case Operation() if type(op) in _COMPUTED:
            return _computed(op, dim)
        case _:
            return None


def _sliced(op: tile.SliceOp, dim: int) -> Tail | None:
    """What a slice has of its source's end, if it has any of it."""
    tail = tail_of(op.source, dim)
    before = op.at.value.data if dim == op.axis.value.data else 0
    if tail is None or tail.start - before >= tile.shape_of(op.result)[dim]:
        return None
    return Tail(max(tail.start - before, 0), tail.value)


def _computed(op: Operation, dim: int) -> Tail | None:
    tails = [tail_of(operand, dim) for operand in op.operands]
    known = [tail for tail in tails if tail is not None]
    if len(known) < len(tails):
        return None
    result = _COMPUTED[type(op)](*(tail.value for tail in known))
    return None if result not in (0, numbers.inf, -numbers.inf) else Tail(max(tail.start for tail in known), result)


def _is_maximum_of(value: SSAValue, source: SSAValue, dim: int) -> bool:
    """Whether a value is the maximum of another along a dimension, for all its elements: minus it, -inf stays what it
    is, unless it is the maximum itself or there is a NaN; then all, or the sum, of the rest is NaN as well."""
    while isinstance(value.owner, tile.SplatOp | tile.ExpandDimsOp | tile.BroadcastOp):
        value = value.owner.operands[0]
    op = value.owner
    kinds = (Reduction.MAX, Reduction.MAXNUM)
    return isinstance(op, tile.ReduceOp) and op.source is source and op.axis.value.data == dim and op.kind.data in kinds


def _select(op: tile.SelectOp, dim: int) -> Tail | None:
    condition = tail_of(op.condition, dim)
    if condition is None:
        return None
    chosen = tail_of(op.on_true if condition.value else op.on_false, dim)
    return None if chosen is None else Tail(max(condition.start, chosen.start), chosen.value)


def _mask(mask: SSAValue, dim: int) -> Tail | None:
    try:
        bounds = Coordinates(tuple(guards(mask)))
    except NotAffine:
        return None
    end = first_left_out(bounds, tile.shape_of(mask), dim)
    return None if end is None else Tail(end, 0)


def first_left_out(coordinates: Coordinates, shape: tuple[int, ...], dim: int) -> int | None:
    """The place of a dimension from which on bounds leave out everything; None where they don't before its end."""
    parts = resolved(coordinates).bounded
    found = [one.high.range[1] for part in parts if _is_of(part, dim) for one in intervals(Coordinates((part,)), shape)]
    end = min(found, default=shape[dim])
    return end if end < shape[dim] else None


def _is_of(part: Coordinate, dim: int) -> bool:
    return part.dims == [dim] and is_interval(part)
