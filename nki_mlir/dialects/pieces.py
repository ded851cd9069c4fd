"""Pieces of what lies in a layout: which of them lie as tiles do, and where they begin.

Of a dimension, a piece takes neighbouring indices. The digits of a tile's dimension that are fast enough are the
piece's, whole; one is cut; of the slow ones there is one value, which says where the piece begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Factor, Layout, LayoutError, Spot
from nki_mlir.dialects.legality import start_partition_error


class Piece(NamedTuple):
    """The layout that a piece has by itself, where the digits of it are in the tile, the partition that it begins at,
    and how many elements of a partition are before it."""

    layout: Layout
    spots: tuple[Spot, ...]
    start: int
    offset: Expr

    @property
    def is_view(self) -> bool:
        """Whether all that takes a tile can take the piece where it is: it begins at partition 0, and what is one digit
        of it is one in the tile."""
        return not self.start and len(self.spots) == len(self.layout.spots)


@dataclass(frozen=True)
class _Cut:
    """What a piece has of the digits of one dimension: `count` indices from `begin` on. `dim` is the dimension of the
    piece, None where it has none."""

    digits: Sequence[Spot]
    size: int
    begin: Expr
    count: int
    dim: int | None

    def taken(self, digit: Spot) -> int:
        """How many values of a digit are the piece's; of one that has one, `value` says which. Raises LayoutError."""
        step, end = digit.step, digit.step * digit.size
        if self.count <= step:
            return 1
        inside = self.count < end and end % self.count == 0 and _divides(self.count, self.begin)
        if not (inside or digit is self.digits[-1] or _divides(end, self.begin)):
            reach = f"{digit.size} x {step} of d{digit.dim}"
            raise LayoutError(f"{self.count} places from {self.begin} on may go over the end of {reach}")
        return min(digit.size, -(-self.count // step))

    def value(self, digit: Spot) -> Expr:
        """The first value of a digit that is the piece's."""
        value = self.begin.floordiv(digit.step)
        return value if digit is self.digits[-1] else value.mod(digit.size)


def piece_of(layout: Layout, places: Sequence[Expr], shape: Sequence[int]) -> Piece:
    """The piece of shape `shape` at `places` of what lies like `layout`. Raises LayoutError where it is no tile, or
    begins where no instruction may."""
    cuts = [_cut(layout, dim, place, shape) for dim, place in enumerate(places)]
    if [cut.dim for cut in cuts if cut.dim is not None] != list(range(len(shape))):
        raise LayoutError(f"the places have the {len(shape)} positions of the piece in their order, each once")
    taken = {(spot.dim, spot.step): cut.taken(spot) for cut in cuts for spot in cut.digits}
    names = {dim: cut.dim for dim, cut in enumerate(cuts)}
    found = Layout.of(shape, *([_kept(f, names, taken) for f in of] for of in (layout.partition, layout.free)))
    spots = [_spot(spot, names, taken) for spot in layout.spots]
    start = offset = Expr(0)
    for cut in cuts:
        for spot in cut.digits:
            at = cut.value(spot) * spot.stride
            start, offset = (start + at, offset) if spot.on_partitions else (start, offset + at)
    piece = Piece(found, tuple(spot for spot in spots if spot.size > 1), start.const, offset)
    _check_lanes(piece, start)
    return piece


def _cut(layout: Layout, dim: int, place: Expr, shape: Sequence[int]) -> _Cut:
    position = next((key for key in place.counters() if isinstance(key, Position)), None)
    begin = place if position is None else place - Expr.counter(position)
    count, size = 1 if position is None else shape[position.dim], layout.shape[dim]
    low = begin.const if begin.is_const else 0
    if not 0 <= low <= size - count:
        raise LayoutError(f"places {low} to {low + count - 1} are not all among the {size} of d{dim}")
    return _Cut(layout.digits(dim), size, begin, count, None if position is None else position.dim)


def _kept(factor: Factor, names: dict[int, int | None], taken: dict[tuple[int, int], int]) -> Factor:
    """A factor as the piece has it: of size 1 where it has one value."""
    if not factor.is_digit:
        return factor
    name, size = names[factor.dim], taken[factor.dim, factor.step]
    return Factor(0 if name is None else name, size, factor.step if size > 1 else 1)


def _spot(spot: Spot, names: dict[int, int | None], taken: dict[tuple[int, int], int]) -> Spot:
    name = names.get(spot.dim)
    if spot.dim < 0:
        return spot
    return spot._replace(dim=spot.dim if name is None else name, size=taken[spot.dim, spot.step])


def _check_lanes(piece: Piece, start: Expr) -> None:
    """The partitions of a piece follow one another, from one on at which so many may start, and which is known."""
    if _last_lane(piece.spots) != _last_lane(piece.layout.spots):
        raise LayoutError("its partitions do not follow one another")
    if not start.is_const:
        raise LayoutError("the partition that it begins at is known at run time only")
    if (reason := start_partition_error(start.const, piece.layout.partitions)) is not None:
        raise LayoutError(reason)


def _last_lane(spots: Sequence[Spot]) -> int:
    return sum((spot.size - 1) * spot.stride for spot in spots if spot.on_partitions)


def _divides(number: int, expr: Expr) -> bool:
    return expr.const % number == 0 and all(factor % number == 0 for _, factor in expr.terms)
