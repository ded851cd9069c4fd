"""Where the digits of a tile lie in what instructions have made so far, and views of rectangles of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.arith import AddiOp
from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, SSAValue

from nki_mlir.dialects.access import Access, Dim
from nki_mlir.dialects.dtypes import dtype, u8
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import REPLICA, Factor, Layout, LayoutError, Spot
from nki_mlir.dialects.neuron_engine import ViewOp
from nki_mlir.dialects.neuron_mem import TileType, tile_type
from nki_mlir.dialects.pieces import Piece
from nki_mlir.dialects.walks import Digit, Walk, walks
from nki_mlir.passes.emitter import Emitter

_NOTHING = Expr(0)
_TINY = 4
"""A part of a bank that is smaller is tiny: instructions for a few elements each take longer than waiting."""


def stored_type(element_type: Attribute) -> Attribute:
    """Truth values are bytes of 0 or 1 on chip; everything else is itself."""
    return u8 if element_type == i1 else element_type


def collapse(dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """The same elements in the same order with as few dimensions as can be."""
    merged: list[Dim] = []
    for step, count in dims:
        if count == 1:
            continue
        if merged and merged[-1][0] == step * count:
            merged[-1] = (step, merged[-1][1] * count)
        else:
            merged.append((step, count))
    return tuple(merged) or ((1, 1),)


@dataclass(eq=False)
class Contents:
    """What instructions have written to one place so far: the latest of its values."""

    value: SSAValue


def collapse_around(
    walk: Walk, operand: int, kept: Collection[Digit], ahead: int = 0
) -> tuple[tuple[Dim, ...], dict[Digit, int]]:
    """The free dimensions of an operand of a walk, as few as can be where some digits have dimensions of their own; and
    which dimensions of a view these are, that has `ahead` before the free ones. Raises LayoutError where one can't."""
    lanes, legs = walk.lanes(operand), walk.legs[operand]
    dims: list[Dim] = []
    run: list[Dim] = []
    places: dict[Digit, int] = {}
    for i, (digit, count) in enumerate(zip(walk.digits, walk.counts, strict=True)):
        if digit not in kept:
            run += [] if legs[i].on_partitions else [(legs[i].stride, count)]
        elif legs[i].on_partitions and count > 1:
            if lanes != [i]:
                raise LayoutError("one of several factors on the partitions has a limit")
            places[digit] = 0
        else:
            dims += [dim for dim in collapse(run) if dim[1] > 1]
            run, places[digit] = [], ahead + len(dims)
            dims.append((legs[i].stride if count > 1 else 1, count))
    dims += [dim for dim in collapse(run) if dim[1] > 1]
    if len(places) < len(kept):
        raise LayoutError("what has a limit has one value in each instruction")
    return tuple(dims) or ((1, 1),), places


@dataclass(frozen=True)
class Storage:
    """A tile of type `type` as part of what a place holds. `spots` says where its digits are: those of the layout, or
    fewer where one element is read as many, or those of the digits that another shape gives them. The first element is
    `base` elements into the place, which may change with the loops, on its partition `start`."""

    contents: Contents
    type: TileType
    spots: tuple[Spot, ...]
    base: Expr = _NOTHING
    start: int = 0

    @classmethod
    def of(cls, value: SSAValue) -> Storage:
        """All of a value, which nothing has been written to yet."""
        type_ = tile_type(value)
        return cls(Contents(value), type_, type_.layout.spots)

    @property
    def is_column(self) -> bool:
        """One element on each partition, however often it is read."""
        return all(spot.on_partitions for spot in self.spots)

    def relabelled(self, type_: TileType) -> Storage:
        """Under another shape, without a step moved: the layouts have the same places, by other names. Raises
        LayoutError where an element that is read as many would have to be stored as many."""
        pairs = self.type.layout.renamings(type_.layout)
        whole = _joined(self.elements)
        named = (_renamed(spot, old, new) for old, new in pairs for spot in whole if spot.dim == old.dim)
        replicas = (s for s in self.spots if s.dim < 0)
        return replace(self, type=type_, spots=(*replicas, *_joined([spot for spot in named if spot is not None])))

    def is_along(self, axis: int) -> bool:
        """Whether the elements of a dimension are at one step in the free dimension, or one element."""
        spots = [spot for spot in self.spots if spot.dim == axis]
        whole = all(spot.step == 1 and spot.size >= self.type.sizes[axis] for spot in spots)
        return self.type.layout.is_along(axis) and len(spots) <= 1 and whole

    def broadcast(self, type_: TileType) -> Storage:
        """Over more indices: replicas on the partitions become their digits, free ones repeat an element."""
        axes = {d for d, (a, b) in enumerate(zip(self.type.sizes, type_.sizes, strict=True)) if a != b}
        spread = (s for s in type_.layout.spots if s.on_partitions and (s.dim == REPLICA or s.dim in axes))
        return replace(self, type=type_, spots=(*spread, *(s for s in self.spots if s.dim != REPLICA)))

    @property
    def is_whole(self) -> bool:
        """Whether it is all that its place holds, as its layout says."""
        moved = self.base != _NOTHING or self.start
        return not moved and self.spots == self.type.layout.spots and self.contents.value.type == self.type

    def part(self, element_type: Attribute, number: int) -> Storage:
        """The bytes as elements of a narrower type (or one as wide), of which `number` counts those in an element."""
        ratio = dtype(stored_type(self.type.element_type)).bytes // dtype(element_type).bytes
        spots = tuple(s if s.on_partitions else s._replace(stride=s.stride * ratio) for s in self.spots)
        return Storage(self.contents, self.type.with_element(element_type), spots, self.base * ratio + number)

    def slice(self, axis: int, start: int, count: int) -> Storage:
        """Consecutive indices of a dimension that is one free digit."""
        layout = self.type.layout
        shape = tuple(count if d == axis else n for d, n in enumerate(layout.shape))
        free = (f._replace(size=count) if f.dim == axis else f for f in layout.free)
        stride = next((s.stride for s in self.spots if s.dim == axis), 0)
        spots = tuple(s._replace(size=count) if s.dim == axis else s for s in self.spots)
        type_ = self.type.with_layout(Layout.of(shape, layout.partition, free))
        return Storage(self.contents, type_, spots, self.base + start * stride)

    def piece(self, piece: Piece) -> Storage:
        """A piece of a tile whose digits lie as its layout says."""
        type_ = self.type.with_layout(piece.layout)
        return replace(self, type=type_, spots=piece.spots, base=self.base + piece.offset, start=piece.start)

    def reversed(self, axis: int) -> Storage:
        """With a dimension backwards that is one free digit, or has one element."""
        last = self.type.sizes[axis] - 1
        stride = sum(s.stride for s in self.spots if s.dim == axis)
        spots = tuple(s._replace(size=last + 1, stride=-s.stride) if s.dim == axis else s for s in self.spots)
        return replace(self, spots=spots, base=self.base + last * stride)

    def converted(self, type_: TileType) -> Storage:
        """As a layout of which this one holds all places."""
        replicas = (s for s in type_.layout.spots if s.dim == REPLICA)
        return replace(self, type=type_, spots=(*replicas, *(s for s in self.spots if s.dim >= 0)))

    @property
    def elements(self) -> tuple[Spot, ...]:
        """The spots of one replica of each element."""
        return tuple(s for s in self.spots if s.dim >= 0)

    def view(
        self,
        emit: Emitter,
        walk: Walk,
        operand: int,
        dims: Sequence[Dim] | None = None,
        limits: Mapping[Digit, SSAValue] | None = None,
        at: SSAValue | None = None,
    ) -> SSAValue:
        """The rectangle of this operand of a walk, or `at` elements behind it; its free dimensions may be given in
        another order. Some digits may have limits."""
        partition, offset = walk.starts[operand]
        limits = limits or {}
        kept, places = collapse_around(walk, operand, limits, 1)
        found = sorted(((place, limits[digit]) for digit, place in places.items()), key=lambda limit: limit[0])
        return self.view_from(emit, partition, walk.partitions(operand), dims or kept, offset, found, at)

    def column(self, emit: Emitter, partitions: int) -> SSAValue:
        """The one element on each of the first partitions."""
        return self.view_from(emit, 0, partitions, collapse(()))

    def view_from(
        self,
        emit: Emitter,
        start: int,
        partitions: int,
        dims: Sequence[Dim],
        offset: int = 0,
        limits: Sequence[tuple[int, SSAValue]] = (),
        at: SSAValue | None = None,
    ) -> SSAValue:
        """`dims` from element `offset` on, or `at` elements behind it, on some partitions, with limits of a view."""
        element = stored_type(self.type.element_type)
        place = self.base + offset
        access = Access(self.type.space.data, element, tuple(dims), self.start + start, partitions)
        first = emit.expr(place) if place != _NOTHING else None
        if at is not None:
            first = at if first is None else emit.value(AddiOp(at, first))
        return emit.value(ViewOp(self.contents.value, access, first, limits))


def _joined(spots: Sequence[Spot]) -> list[Spot]:
    """The same places with as few digits as can be, in order."""
    found: list[Spot] = []
    for spot in spots:
        slow = found[-1] if found else None
        if (
            slow is not None
            and (slow.dim, slow.on_partitions) == (spot.dim, spot.on_partitions)
            and (slow.step, slow.stride) == (spot.step * spot.size, spot.stride * spot.size)
        ):
            found[-1] = spot._replace(size=spot.size * slow.size)
        else:
            found.append(spot)
    return found


def _renamed(spot: Spot, old: Factor, new: Factor) -> Spot | None:
    """The part of a spot that is within a digit, as part of the same digit of another dimension; None if none is."""
    first, end = max(spot.step, old.step), min(spot.step * spot.size, old.step * old.size)
    if first >= end:
        return None
    if first % spot.step or end % first or first % old.step:
        raise LayoutError("a digit that is not stored is cut")
    stride = spot.stride * (first // spot.step)
    return Spot(new.dim, new.step * (first // old.step), -(-end // first), spot.on_partitions, stride)


def rectangles(most: int, *operands: Storage, extents: Sequence[int] | None = None) -> Iterator[Walk]:
    """Walks over the elements of the first operand, or over those with indices below `extents`, of which an instruction
    whose access patterns have at most `most` dimensions can do each. Raises LayoutError."""
    sizes = operands[0].type.sizes if extents is None else extents
    for walk in walks(sizes, *(o.spots for o in operands)):
        check_lanes(walk)
        yield from narrowed(walk, lambda one: any(len(collapse(one.dims(n))) > most for n in range(len(operands))))


def by_banks(walk: Walk, operand: int, bank: int) -> Iterator[Walk]:
    """Walks in which an operand has no more elements on a partition than a bank of PSUM, where they can be cut so and
    are not tiny then."""
    legs = enumerate(walk.legs[operand])
    free = [i for i, leg in legs if not leg.on_partitions and leg.stride and walk.counts[i] > 1]
    elements = math.prod(walk.counts[i] for i in free)
    if elements <= bank:
        yield walk
        return
    slowest = max(free, key=lambda i: walk.legs[operand][i].stride)
    inner = elements // walk.counts[slowest]
    fit = [n for n in range(1, bank // inner + 1) if walk.counts[slowest] % n == 0]
    size = max(fit, default=1)
    if size * inner * _TINY < bank:
        yield walk
        return
    for one in walk.cut(slowest, size).singly([slowest]):
        yield from by_banks(one, operand, bank)


def check_lanes(walk: Walk) -> None:
    """Raises LayoutError where an instruction can't have the operands on their partitions."""
    if not all(walk.is_range(number) for number in range(len(walk.starts))):
        raise LayoutError(
            "the partitions do not follow one another: an instruction would work on what lies between; convert to a"
            " layout without padding on the partitions"
        )


def narrowed(walk: Walk, has_too_many: Callable[[Walk], bool]) -> Iterator[Walk]:
    """Walks of fewer digits, until an access pattern has dimensions enough for each."""
    if not has_too_many(walk):
        yield walk
        return
    several = [i for i, count in enumerate(walk.counts) if count > 1]
    free = [i for i in several if not any(legs[i].on_partitions for legs in walk.legs)]
    for one in walk.singly([min(free or several, key=lambda i: walk.counts[i])]):
        yield from narrowed(one, has_too_many)
