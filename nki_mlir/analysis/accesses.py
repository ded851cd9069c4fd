"""What is known of a structured access: which part of the tile is valid, as intervals of its dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import bounds, counts_at_run_time, expr_of, quotient
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import MaskOp
from nki_mlir.errors import CompileError


@dataclass(frozen=True)
class Edge:
    """A number that is clamped to 0..size: where the valid places of a dimension begin or end."""

    value: Expr
    size: int

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest, clamped."""
        low, high = (max(0, min(bound, self.size)) for bound in bounds(self.value))
        return low, high

    @property
    def varies(self) -> bool:
        low, high = self.range
        return low != high


@dataclass(frozen=True)
class Interval:
    """The valid places of one dimension; None stands for a dimension of size 1 that says whether all are valid."""

    dim: int | None
    low: Edge
    high: Edge


Bounded = AccessOp | MaskOp
"""Operations whose coordinates may have bounds."""


def shape_of_access(op: Bounded) -> tuple[int, ...]:
    """The shape of what an operation reads, writes, or masks."""
    return sizes_of(op.result if isinstance(op, MaskOp) else op.moved)


def resolved(coordinates: Coordinates) -> Coordinates:
    """Coordinates over SSA values, over loop counters and whatever else these are made of."""
    values = [key for key in coordinates.counters() if isinstance(key, SSAValue)]
    return coordinates.substitute({value: expr_of(value) for value in values})


def intervals(coordinates: Coordinates, shape: Sequence[int]) -> list[Interval]:
    """The bounds of resolved coordinates that move with one dimension at most, each as an interval of it."""
    return [_interval(part, shape) for part in coordinates.bounded if is_interval(part)]


def is_interval(part: Coordinate) -> bool:
    """Whether what is valid by a coordinate's bounds are consecutive places of one dimension, or all or none, which are
    known when loops are cut."""
    return len(part.dims) <= 1 and not part.elements and part.is_affine and not _moves_at_run_time(part)


def _moves_at_run_time(part: Coordinate) -> bool:
    values = [key for key in part.position.counters() if isinstance(key, SSAValue)]
    return any(counts_at_run_time(key) for value in values for key in expr_of(value).counters())


def _interval(part: Coordinate, shape: Sequence[int]) -> Interval:
    rest = part.rest
    if not part.dims:
        low = Expr(0) if part.low is None else Expr(part.low) - rest
        high = Expr(1) if part.high is None else Expr(part.high) - rest
        return Interval(None, Edge(low, 1), Edge(high, 1))
    dim = part.dims[0]
    step, size = part.coefficient(dim), shape[dim]
    if step > 0:
        ends = [None if end is None else quotient(Expr(end + step - 1) - rest, step) for end in (part.low, part.high)]
    else:
        ends = [None if end is None else quotient(rest - end, -step) + 1 for end in (part.high, part.low)]
    low, high = ends
    return Interval(dim, Edge(Expr(0) if low is None else low, size), Edge(Expr(size) if high is None else high, size))


def positions(part: Coordinate, shape: Sequence[int]) -> tuple[int, int]:
    """The smallest and the largest value of a resolved coordinate, whatever its bounds."""
    places = {Position(dim): (0, size - 1) for dim, size in enumerate(shape)}
    low, high = bounds(part.rest)
    for dim in part.dims:
        ends = [part.coefficient(dim) * end for end in places[Position(dim)]]
        low, high = low + min(ends), high + max(ends)
    return low, high


def reach(coordinates: Coordinates, shape: Sequence[int]) -> tuple[int, int]:
    """The smallest and the largest address of coordinates, where the bounds of one dimension leave any."""
    low, high = 0, 0
    for part in resolved(coordinates):
        first, last = positions(part, shape)
        if is_interval(part):
            first = first if part.low is None else max(first, part.low)
            last = last if part.high is None else min(last, part.high - 1)
        ends = (first * part.stride, last * part.stride)
        low, high = low + min(ends), high + max(ends)
    return low, high


def check_affine(op: Bounded) -> None:
    """Raises CompileError for a coordinate that moves otherwise than by steps."""
    if not all(part.is_affine for part in op.over_values):
        what = "a remainder or a quotient of positions, or of elements of index tiles"
        raise CompileError.at(op, f"{what}, is no coordinate; compute an index tile, or a mask")


def elements_of(op: AccessOp) -> int:
    """How many elements the memory has."""
    return math.prod(cast(MemRefType, op.memory.type).get_shape())


def named_dims(row: Coordinate) -> list[int]:
    """The dimensions along which index tiles name rows."""
    return [dim for key in row.elements for dim in key.dims if dim is not None]


def why_no_rows(op: AccessOp) -> str | None:
    """Why an access is not by whole rows that an index tile names, of which a transfer leaves out those that are not
    wholly in the memory; None where it is, or has no index tile."""
    coordinates = op.over_values
    rows = [part for part in coordinates if part.elements]
    if not rows:
        return None
    row = rows[0]
    if len(rows) > 1 or row.position != Expr.counter(row.elements[0]):
        return "a row is named by one element of one index tile, with nothing added"
    if row.stride < 1:
        return f"rows that an index tile names are {row.stride} elements apart; it must be 1 or more"
    along = Coordinates(tuple(part for part in coordinates if part is not row))
    if any(part.stride and set(part.dims) & set(named_dims(row)) for part in along):
        return "a dimension along which an index tile names rows moves on by itself, too"
    low, high = reach(along, sizes_of(op.moved))
    if row.low is not None and (row.low - 1) * row.stride + high >= 0:
        return f"row {row.low - 1} is left out, and is not in front of the memory"
    if row.high is not None and row.high * row.stride + low < elements_of(op):
        return f"row {row.high} is left out, and is not behind the memory's {elements_of(op)} elements"
    return None
