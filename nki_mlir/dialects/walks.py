"""Walks over the elements of tiles: rectangles that are regular for several operands at once, and how they are cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

from nki_mlir.dialects.access import contiguous
from nki_mlir.dialects.layout import COPY, REPLICA, LayoutError, Spot


class Leg(NamedTuple):
    """One operand's part in one digit of a walk: whether its values are on partitions, and how far they are apart."""

    on_partitions: bool
    stride: int


class Start(NamedTuple):
    """Where an operand's first element is."""

    partition: int
    offset: int


Digit = tuple[int, int]
"""A digit's dimension and step."""


@dataclass(frozen=True)
class Walk:
    """A rectangle of elements, the same for several operands: `counts` values of each digit, and of each operand its
    legs, digit by digit, and its first element. A digit that an operand lacks has stride 0."""

    digits: tuple[Digit, ...]
    counts: tuple[int, ...]
    legs: tuple[tuple[Leg, ...], ...]
    starts: tuple[Start, ...]

    def partitions(self, operand: int) -> int:
        """How many partitions an operand spans."""
        return math.prod(self.counts[i] for i in self.lanes(operand))

    def lanes(self, operand: int) -> list[int]:
        """The digits whose values an operand has on its partitions, the slowest first."""
        legs = self.legs[operand]
        found = [i for i, leg in enumerate(legs) if leg.on_partitions and self.counts[i] > 1]
        return sorted(found, key=lambda i: -legs[i].stride)

    def is_range(self, operand: int) -> bool:
        """Whether the partitions of an operand follow one another."""
        reach = 1
        for i in reversed(self.lanes(operand)):
            if self.legs[operand][i].stride != reach:
                return False
            reach *= self.counts[i]
        return True

    def dims(self, operand: int, wanted: Callable[[int], bool] = lambda dim: True) -> list[tuple[int, int]]:
        """(stride, count) of an operand's digits, of the wanted dimensions, that are not on partitions, in the order of
        the walk."""
        found = zip(self.digits, self.counts, self.legs[operand], strict=True)
        return [(leg.stride, count) for (dim, _), count, leg in found if wanted(dim) and not leg.on_partitions]

    def ordered(self, first: Sequence[int]) -> Walk:
        """With some of the digits before all others."""
        order = [*first, *(i for i in range(len(self.digits)) if i not in first)]
        legs = (tuple(legs[i] for i in order) for legs in self.legs)
        return Walk(
            tuple(self.digits[i] for i in order), tuple(self.counts[i] for i in order), tuple(legs), self.starts
        )

    def cut(self, digit: int, size: int) -> Walk:
        """With a digit as two, the slower one in its place and a faster one of `size` values, which divides its count,
        behind it."""
        dim, step = self.digits[digit]
        digits = (*self.digits[:digit], (dim, step * size), *self.digits[digit:])
        counts = (*self.counts[:digit], self.counts[digit] // size, size, *self.counts[digit + 1 :])
        slower = (of[digit]._replace(stride=of[digit].stride * size) for of in self.legs)
        legs = tuple((*of[:digit], leg, *of[digit:]) for of, leg in zip(self.legs, slower, strict=True))
        return Walk(digits, counts, legs, self.starts)

    def singly(self, fixed: Sequence[int]) -> Iterator[Walk]:
        """A walk for each value of some of the digits, which are no digits any more."""
        kept = [i for i in range(len(self.digits)) if i not in fixed]
        digits, counts = tuple(self.digits[i] for i in kept), tuple(self.counts[i] for i in kept)
        legs = tuple(tuple(legs[i] for i in kept) for legs in self.legs)
        for values in product(*(range(self.counts[i]) for i in fixed)):
            starts = (
                _moved(start, [(of[i], value) for i, value in zip(fixed, values, strict=True)])
                for start, of in zip(self.starts, self.legs, strict=True)
            )
            yield Walk(digits, counts, legs, tuple(starts))


def _moved(start: Start, by: Sequence[tuple[Leg, int]]) -> Start:
    partition, offset = start
    for leg, value in by:
        if leg.on_partitions:
            partition += value * leg.stride
        else:
            offset += value * leg.stride
    return Start(partition, offset)


def transfers(walk: Walk, most: int) -> Iterator[Walk]:
    """Walks that a transfer whose patterns have `most` dimensions can make. What lies on partitions is walked first,
    and is one range of them; where that is not so, all digits on partitions but the longest that can be have one value
    in each transfer."""
    walk, apart = _for_transfers(walk, most)
    if not apart:
        yield walk
    for one in walk.singly(apart) if apart else ():
        yield from transfers(one, most)


def alike_transfers(walk: Walk, most: int) -> tuple[int, Walk]:
    """How many transfers a walk takes, and the first of them, which all others are like."""
    number, apart = 1, [0]
    while apart:
        walk, apart = _for_transfers(walk, most)
        number *= math.prod(walk.counts[i] for i in apart)
        walk = next(walk.singly(apart))
    return number, walk


def _for_transfers(walk: Walk, most: int) -> tuple[Walk, Sequence[int]]:
    """The walk in a transfer's order, and digits of it that take a transfer for each value."""
    lanes = [walk.lanes(number) for number in range(len(walk.starts))]
    used = [found for found in lanes if found]
    if used and not (all(found == used[0] for found in used) and all(map(walk.is_range, range(len(lanes))))):
        lane = _lane(walk)
        return walk, sorted({i for found in used for i in found if i != lane})
    walk = walk.ordered(used[0] if used else ())
    if all(len(contiguous(walk.dims(n))) <= most for n in range(len(lanes))):
        return walk, ()
    several = [i for i, count in enumerate(walk.counts) if count > 1]
    free = [i for i in several if not any(legs[i].on_partitions for legs in walk.legs)]
    return walk, [min(free or several, key=lambda i: walk.counts[i])]


def _lane(walk: Walk) -> int | None:
    """The longest digit whose values lie on neighbouring partitions wherever they lie on partitions."""
    fit = [
        (count, -i)
        for i, (count, *legs) in enumerate(zip(walk.counts, *walk.legs, strict=True))
        if any(leg.on_partitions for leg in legs) and all(leg.stride == 1 for leg in legs if leg.on_partitions)
    ]
    return -max(fit)[1] if fit else None


Range = tuple[int, int]
"""The first of some consecutive values of a digit, and how many."""


class _Piece(NamedTuple):
    """Consecutive indices of one dimension: values of digits; of each operand its legs and how far the first index is
    from index 0."""

    digits: tuple[Digit, ...]
    counts: tuple[int, ...]
    legs: tuple[tuple[Leg, ...], ...]
    starts: tuple[Start, ...]


def walks(
    extents: Sequence[int],
    *operands: Sequence[Spot],
    anywhere: bool = False,
    begins: Sequence[int] | None = None,
) -> Sequence[Walk]:
    """Rectangles that hold each element with indices below `extents` (and from `begins` on, where given) once, in all
    replicas that the first operand has, and no padding. Of the others, only replicas on the partitions count.

    The digits are walked in the order of the first operand, those on its partitions first. An operand is given by its
    spots: those of a layout, or of anything else that has strides, such as a tensor in HBM. Beyond the last spot of a
    dimension its elements are the same ones again. What can't begin at any partition (`anywhere`) begins at 0. Raises
    LayoutError where padding can't be cut off so.
    """
    starts = None if begins is None else tuple(begins)
    return _walks(tuple(extents), tuple(map(tuple, operands)), anywhere, starts)


@lru_cache(maxsize=64)
def _walks(
    extents: tuple[int, ...], given: tuple[tuple[Spot, ...], ...], anywhere: bool, begins: tuple[int, ...] | None
) -> Sequence[Walk]:
    """As `walks`. Each way in which a tile may come to lie otherwise asks for the same ones."""
    first, *others = ([s for s in spots if s.size > 1] for spots in given)
    operands: Sequence[Sequence[Spot]] = (first, *([s for s in spots if s.dim != COPY] for spots in others))
    reach = dict(enumerate(extents))
    first_index = {} if begins is None else dict(enumerate(begins))
    for kind in (REPLICA, COPY):
        reach[kind] = math.prod(s.size for s in first if s.dim == kind)
    pieces = [
        _pieces(dim, (first_index.get(dim, 0), extent), [[s for s in o if s.dim == dim] for o in operands], anywhere)
        for dim, extent in reach.items()
    ]
    return tuple(_walk(operands, chosen) for chosen in product(*pieces))


def _walk(operands: Sequence[Sequence[Spot]], pieces: Sequence[_Piece]) -> Walk:
    """Pieces of all dimensions together, their digits in the order of the operands' spots."""
    found = [
        (digit, piece.counts[i], tuple(legs[i] for legs in piece.legs))
        for piece in pieces
        for i, digit in enumerate(piece.digits)
    ]
    places: dict[Digit, tuple[int, int, int]] = {}
    for number, spots in enumerate(operands):
        for at, spot in enumerate(spots):
            for digit, _, _ in found:
                if digit[0] == spot.dim and spot.step <= digit[1] < spot.step * spot.size:
                    places.setdefault(digit, (number, at, -digit[1]))
    found.sort(key=lambda entry: places[entry[0]])
    legs = tuple(tuple(legs[n] for _, _, legs in found) for n in range(len(operands)))
    starts = (
        Start(sum(p.starts[n].partition for p in pieces), sum(p.starts[n].offset for p in pieces))
        for n in range(len(operands))
    )
    return Walk(tuple(digit for digit, _, _ in found), tuple(count for _, count, _ in found), legs, tuple(starts))


def _pieces(dim: int, reach: tuple[int, int], operands: Sequence[Sequence[Spot]], anywhere: bool) -> list[_Piece]:
    begin, extent = reach
    operands = [[s for s in spots if s.step < extent] for spots in operands]
    ends = {s.step * s.size for spots in operands for s in spots}
    steps = sorted({s.step for spots in operands for s in spots} | {end for end in ends if end < extent})
    if any(slow % fast for fast, slow in pairwise(steps)):
        return _intervals(dim, reach, operands, anywhere)
    fine = [{s.step: s for s in _refined(spots, steps)} for spots in operands]
    lanes = {step for spots in fine for step, s in spots.items() if s.on_partitions and not anywhere}
    slowest_first = list(reversed(steps))
    boxes = _between(slowest_first, begin, extent, lanes) if begin else _cover(slowest_first, extent, lanes)
    return [_piece(dim, slowest_first, box, fine) for box in boxes]


def _piece(dim: int, steps: Sequence[int], box: dict[int, Range], operands: Sequence[dict[int, Spot]]) -> _Piece:
    digits, counts = tuple((dim, step) for step in steps), tuple(box[step][1] for step in steps)
    legs = tuple(tuple(_leg(spots.get(step)) for step in steps) for spots in operands)
    starts = (_moved(Start(0, 0), [(leg, box[step][0]) for leg, step in zip(of, steps, strict=True)]) for of in legs)
    return _Piece(digits, counts, legs, tuple(starts))


def _leg(spot: Spot | None) -> Leg:
    return Leg(False, 0) if spot is None else Leg(spot.on_partitions, spot.stride)


def _intervals(dim: int, reach: tuple[int, int], operands: Sequence[Sequence[Spot]], anywhere: bool) -> list[_Piece]:
    """For digits that don't divide each other: the indices between those at which some operand's fastest digit ends."""
    if not anywhere and any(s.on_partitions for spots in operands for s in spots):
        raise LayoutError(
            "digits that don't divide each other begin at any partition, and an instruction can't; convert to a layout"
            " of one factor on the partitions"
        )
    start, extent = reach
    if start >= extent:
        return []
    ends = {start, extent}
    fastest = [min(spots, key=lambda s: s.step, default=None) for spots in operands]
    for spot in fastest:
        ends.update(end for end in range(0, extent, spot.size if spot is not None else extent) if end > start)
    found = []
    for begin, end in pairwise(sorted(ends)):
        legs = tuple((_leg(spot),) for spot in fastest)
        starts = (_moved(Start(0, 0), [(_leg(s), begin // s.step % s.size) for s in spots]) for spots in operands)
        found.append(_Piece(((dim, 1),), (end - begin,), legs, tuple(starts)))
    return found


def _refined(spots: Sequence[Spot], cuts: Sequence[int]) -> Iterator[Spot]:
    """The spots cut where another operand's digits begin."""
    for spot in spots:
        dim, first, size, on_partitions, stride = spot
        end = first * size
        steps = [step for step in cuts if first <= step < end]
        for step, following in zip(steps, [*steps[1:], end], strict=True):
            yield Spot(dim, step, -(-following // step), on_partitions, stride * (step // first))


def _cover(steps: Sequence[int], size: int, lanes: set[int]) -> list[dict[int, Range]]:
    """Rectangles of digits, given from the slowest, that hold the numbers below `size`."""
    if size < 1:
        return []
    if not steps:
        return [{}]
    step, rest = steps[0], steps[1:]
    whole, left = divmod(size, step)
    if not left:
        return [{step: (0, whole), **full} for full in _cover(rest, step, lanes)]
    if step not in lanes:
        full = [{step: (0, whole), **low} for low in _cover(rest, step, lanes)] if whole else []
        return full + [{step: (whole, 1), **low} for low in _cover(rest, left, lanes)]
    low = [{step: (0, whole + 1), **part} for part in _cover(rest, left, lanes)]
    return low + ([{step: (0, whole), **part} for part in _above(rest, left, step, lanes)] if whole else [])


def _between(steps: Sequence[int], low: int, high: int, lanes: set[int]) -> list[dict[int, Range]]:
    """Rectangles of digits that hold the numbers from `low` to below `high`."""
    if lanes:
        raise LayoutError(
            "what does not begin at the first partition can't be cut out: an instruction would; convert to a layout"
            " with the dimension in the free ones"
        )
    if not low or low >= high:
        return _cover(steps, high, lanes) if low < high else []
    step, rest = steps[0], steps[1:]
    (first, start), (last, end) = divmod(low, step), divmod(high, step)
    if first == last:
        return [{step: (first, 1), **part} for part in _between(rest, start, end, lanes)]
    parts = [{step: (first, 1), **part} for part in _between(rest, start, step, lanes)] if start else []
    first += bool(start)
    if last > first:
        parts += [{step: (first, last - first), **full} for full in _cover(rest, step, lanes)]
    return parts + [{step: (last, 1), **part} for part in _cover(rest, end, lanes) if end]


def _above(steps: Sequence[int], low: int, size: int, lanes: set[int]) -> list[dict[int, Range]]:
    """Rectangles of free digits that hold the numbers from `low` to below `size`."""
    if low >= size:
        return []
    step, rest = steps[0], steps[1:]
    if step in lanes:
        raise LayoutError(
            "padding between partitions can't be cut off: an instruction would begin at any partition; convert to a"
            " layout without padding on the partitions"
        )
    whole, left = divmod(low, step)
    parts = [{step: (whole, 1), **part} for part in _above(rest, left, step, lanes)] if left else []
    first = whole + bool(left)
    if first * step < size:
        parts += [{step: (first, size // step - first), **full} for full in _cover(rest, step, lanes)]
    return parts
