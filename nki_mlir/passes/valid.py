"""What is valid of a tile that an access with bounds moves, or that a mask says, in all iterations of the loops around:
a range of each dimension, the same in all iterations or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xdsl.dialects.arith import MaxSIOp, MinSIOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import (
    Bounded,
    Edge,
    elements_of,
    intervals,
    is_interval,
    resolved,
    shape_of_access,
)
from nki_mlir.analysis.indices import enclosing_loops, expr_of, trip_count
from nki_mlir.analysis.limits import values_of
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinates
from nki_mlir.dialects.expr import Expr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter

Box = tuple[tuple[int, int], ...]
"""Of each dimension, the first valid place and the one after the last."""


@dataclass(frozen=True)
class Range:
    """The valid places of a dimension, `begin` to below `end`, neither clamped to its `size`."""

    size: int
    begin: Expr
    end: Expr

    def is_at(self, places: tuple[int, int]) -> list[Expr]:
        """All above 0 where the valid places, of which there are some, are these."""
        low, high = places
        above = [self.end - (high - 1), Expr(low + 1) - self.begin]
        above += [Expr(high + 1) - self.end] if high < self.size else []
        above += [self.begin - (low - 1)] if low else []
        return [value for value in above if not value.is_const]


@dataclass(frozen=True)
class Valid:
    """The ranges of all dimensions, at last those that say whether anything is valid, of size 1; and the boxes that
    they are, clamped, in some iteration in which anything is valid; `has_none` says whether nothing is in some."""

    ranges: tuple[Range, ...]
    rank: int
    boxes: tuple[Box, ...]
    has_none: bool

    def are_in(self, box: Box) -> list[Expr]:
        """All above 0 where the valid ranges are those of a box."""
        return [value for one, range_ in zip(self.ranges, box, strict=True) for value in one.is_at(range_)]

    def are_none(self) -> list[Expr]:
        """One of them above 0 where nothing is valid."""
        return [value for one in self.ranges for value in (Expr(1) - one.end, one.begin - (one.size - 1))]

    @property
    def fixed(self) -> Box | None:
        """The box, where it is the same in all iterations; one of nothing if that is so."""
        if not self.boxes:
            return ((0, 0),) * max(1, self.rank)
        if len(self.boxes) > 1 or self.has_none:
            return None
        return next(iter(self.boxes))[: self.rank]

    @property
    def is_all(self) -> bool:
        """Whether all is valid in all iterations."""
        return not self.has_none and all(box == self.full for box in self.boxes)

    @property
    def full(self) -> Box:
        return tuple((0, one.size) for one in self.ranges)

    def whole_along(self, dim: int | None) -> Valid:
        """As if all of a dimension were valid wherever anything is; itself for None."""
        if dim is None:
            return self
        size = self.ranges[dim].size
        ranges = (*self.ranges[:dim], Range(size, Expr(0), Expr(size)), *self.ranges[dim + 1 :])
        boxes = ((*box[:dim], (0, size), *box[dim + 1 :]) for box in self.boxes)
        return Valid(ranges, self.rank, tuple(dict.fromkeys(boxes)), self.has_none)

    def is_fixed(self, dim: int) -> bool:
        """Whether a dimension has one range in all iterations."""
        one = self.ranges[dim]
        known = (one.begin.is_const and one.end.is_const) or not self.has_none
        return known and len(self.values(dim)) == 1

    def is_full(self, dim: int) -> bool:
        """Whether all of a dimension is valid in all iterations."""
        return self.is_fixed(dim) and self.values(dim) == [(0, self.ranges[dim].size)]

    def are_short(self, dims: Sequence[int]) -> bool:
        """Whether some iteration may have all of these dimensions in part."""
        return self.has_none or any(all(box[d] != self.full[d] for d in dims) for box in self.boxes)

    def is_short_alone(self, dim: int) -> bool:
        """Whether some iteration may have this dimension alone in part."""
        return self.has_none or any(
            [d for d in range(len(box)) if box[d] != self.full[d]] == [dim] for box in self.boxes
        )

    def values(self, dim: int) -> list[tuple[int, int]]:
        """The valid ranges that a dimension has in some iteration."""
        return list(dict.fromkeys(box[dim] for box in self.boxes))


def valid_of(op: Bounded, emit: Emitter) -> Valid | None:
    """What is valid; None where no bound says anything. Raises CompileError where it is no box of places."""
    coordinates = resolved(op.over_values)
    coordinates = Coordinates(tuple(part for part in coordinates if not part.elements))
    if not coordinates.bounded:
        return None
    if not all(map(is_interval, coordinates.bounded)):
        assert isinstance(op, mem.LoadOp | mem.StoreOp)
        reason = "a bound on several dimensions, or on a counter of run time, has no transfer"
        raise CompileError.at(op, f"{reason}; {instead_of_mask(op)}")
    shape = shape_of_access(op)
    lows: dict[int, list[Expr]] = {d: [] for d in range(len(shape))}
    highs: dict[int, list[Expr]] = {d: [] for d in range(len(shape))}
    for number, interval in enumerate(intervals(coordinates, shape)):
        dim = len(shape) + number if interval.dim is None else interval.dim
        lows.setdefault(dim, []).append(_value(interval.low))
        highs.setdefault(dim, []).append(_value(interval.high))
    sizes = {dim: shape[dim] if dim < len(shape) else 1 for dim in lows}
    ranges = tuple(
        Range(
            sizes[dim],
            _extremum(lows[dim], Expr(0), MaxSIOp, emit),
            _extremum(highs[dim], Expr(sizes[dim]), MinSIOp, emit),
        )
        for dim in sorted(lows)
    )
    return _valid(op, ranges, len(shape))


def instead_of_mask(op: AccessOp) -> str:
    """What leaves out single elements."""
    if isinstance(op, mem.LoadOp):
        return "load all of it, and choose with neuron.mem.select by a neuron.mem.mask"
    return f"name each element by an index tile, and {elements_of(op)}, which is none, where nothing is stored"


def _value(edge: Edge) -> Expr:
    return edge.value if edge.varies else Expr(edge.range[0])


def _extremum(found: Sequence[Expr], absent: Expr, of: type[MinSIOp | MaxSIOp], emit: Emitter) -> Expr:
    """The largest or smallest of some expressions."""
    total = found[0] if found else absent
    for one in found[1:]:
        total = expr_of(emit.value(of(emit.expr(total), emit.expr(one))))
    return total


def _valid(op: Operation, ranges: tuple[Range, ...], rank: int) -> Valid:
    loops = [loop for loop in enclosing_loops(op) if trip_count(loop) is not None]
    sizes = [size for one in ranges for size in (one.size, one.size)]
    left = [expr for one in ranges for expr in (one.end, Expr(one.size) - one.begin)]
    boxes: list[Box] = []
    has_none = False
    for values in values_of(op, list(zip(left, sizes, strict=True)), loops):
        if values is None:
            has_none = True
            continue
        box = tuple((one.size - values[2 * n + 1], values[2 * n]) for n, one in enumerate(ranges))
        if all(low < high for low, high in box):
            boxes.append(box)
        else:
            has_none = True
    return Valid(ranges, rank, tuple(dict.fromkeys(boxes)), has_none)


def least(values: Iterable[Expr], emit: Emitter) -> SSAValue:
    """The smallest of some expressions, as an index."""
    found = [emit.expr(value) for value in dict.fromkeys(values)]
    total = found[0]
    for one in found[1:]:
        total = emit.value(MinSIOp(total, one))
    return total


def greatest(values: Iterable[Expr], emit: Emitter) -> SSAValue:
    """The largest of some expressions, as an index."""
    found = [emit.expr(value) for value in dict.fromkeys(values)]
    total = found[0]
    for one in found[1:]:
        total = emit.value(MaxSIOp(total, one))
    return total
