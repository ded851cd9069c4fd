"""How a tile can come to lie otherwise: the ways of `neuron.mem.convert`, and what each of them can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout, LayoutError, Spot
from nki_mlir.dialects.legality import FLOATS
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.turns import Passage, Turn, bits, numbers, spreads, turns, values
from nki_mlir.dialects.walks import Walk, walks
from nki_mlir.targets import Target

BLOCK = 32
"""Rows and columns of the blocks that the Vector engine turns."""


QUADRANT = 32
"""Partitions between which the Vector engine shuffles."""


class Way(StrEnum):
    """How a value comes to lie otherwise."""

    NOTHING = "nothing"
    """It lies so already."""
    COPY = "copy"
    """One instruction an element, on its partition."""
    VECTOR = "vector"
    """32 x 32 blocks turned by the Vector engine."""
    SHUFFLE = "shuffle"
    """Partitions taken by the Vector engine from any of the 32 of a quadrant."""
    TENSOR = "tensor"
    """Blocks turned by the Tensor engine, through PSUM: as bits where it has a mode for that, else as numbers."""
    WORDS = "words"
    """The same, with each word of two bytes as a number, which is exact whatever the bits stand for."""
    ONES = "ones"
    """One partition to all, word by word, by products with ones."""
    DMA = "dma"
    """Transfers within SBUF."""


@irdl_attr_definition
class WayAttr(EnumAttribute[Way], SpacedOpaqueSyntaxAttribute):
    name = "neuron.mem.way"


def why_not(way: Way, src: TileType, dst: TileType, target: Target) -> str | None:
    """Why a convert can't be done that way; None if it can. Whether values are such that `tensor` keeps them is not
    asked here."""
    have, want = src.layout, dst.layout
    if way is Way.NOTHING:
        return None if src.space == dst.space and have.provides(want) else "the places differ"
    if way is Way.COPY:
        return _why_not_copied(have, want)
    if src.is_psum or dst.is_psum:
        return f"{_MOVES_IN_SBUF[way]} within sbuf"
    match way:
        case Way.VECTOR:
            return _why_not_turned(src, dst)
        case Way.SHUFFLE:
            return _reason(lambda: shuffles(want.shape, one_replica(have), want.spots))
        case Way.TENSOR | Way.WORDS | Way.ONES:
            return _reason(lambda: through_array(way, src, dst, target))
        case Way.DMA:
            return None


THROUGH_PSUM = (Way.TENSOR, Way.WORDS, Way.ONES)
"""The ways that go through the array, and so through PSUM."""
_MOVES_IN_SBUF = {
    Way.VECTOR: "blocks are turned",
    Way.SHUFFLE: "partitions are shuffled",
    **dict.fromkeys(THROUGH_PSUM, "what goes through the array begins and ends"),
    Way.DMA: "DMA moves",
}


def exact_ways(target: Target, plain: bool = False) -> list[Way]:
    """Those that keep every bit of any value, or of `plain` floats: finite, and no -0. Where these are multiplied, or
    bits passed through, words are not needed."""
    worse = Way.WORDS if target.features.bit_transposes or plain else Way.TENSOR
    return [way for way in Way if way is not worse]


def _reason(attempt: Callable[[], object]) -> str | None:
    try:
        attempt()
    except LayoutError as error:
        return str(error)
    return None


def passage(way: Way, element: Attribute, target: Target) -> Passage:
    """As what elements go through the array. Raises LayoutError where they can't."""
    size = dtype(element).bytes
    if way is not Way.TENSOR:
        return numbers(size, target)
    if target.features.bit_transposes:
        return bits(size, target)
    if element not in FLOATS:
        raise LayoutError(f"the array of {target.name} multiplies; it takes floats, not {element}")
    return values(element, target)


@lru_cache(maxsize=16)
def through_array(way: Way, src: TileType, dst: TileType, target: Target) -> tuple[Passage, Sequence[Turn]]:
    """How a tile goes through the array. Raises LayoutError where it can't. Who asks whether it can soon asks how."""
    found, cut = passage(way, src.element_type, target), spreads if way is Way.ONES else turns
    return found, cut(dst.sizes, one_replica(src.layout), dst.layout.spots, found, target.limits)


def one_replica(layout: Layout) -> tuple[Spot, ...]:
    """One replica of each element."""
    return tuple(spot for spot in layout.spots if spot.dim >= 0)


class Shuffle(NamedTuple):
    """A quadrant of the result, from partition `first` on, takes the partitions of `mask` from one of the source, which
    is from partition `start` on and has `height` of them. `walk` is what lies on each."""

    walk: Walk
    first: int
    start: int
    height: int
    mask: tuple[int, ...]


def shuffles(sizes: Sequence[int], source: Sequence[Spot], result: Sequence[Spot]) -> list[Shuffle]:
    """The quadrants of the result of a shuffle, rectangle by rectangle. Raises LayoutError where there is none."""
    return [one for walk in walks(sizes, result, source) for one in _quadrants(walk)]


def _quadrants(walk: Walk) -> Iterator[Shuffle]:
    after, before = walk.lanes(0), walk.lanes(1)
    sources = walk.legs[1]
    if not set(before) <= set(after) or any(sources[i].stride and i not in before for i in after):
        raise LayoutError("elements change between partitions and the free dimension")
    if not (walk.is_range(0) and walk.is_range(1)):
        raise LayoutError("the partitions do not follow one another")
    taken = [0]
    for i in after:
        taken = [at + value * sources[i].stride for at in taken for value in range(walk.counts[i])]
    on_each = next(walk.singly(after))
    for first in range(0, len(taken), QUADRANT):
        mask = taken[first : first + QUADRANT]
        start = min(mask) // QUADRANT * QUADRANT
        if max(mask) >= start + QUADRANT:
            raise LayoutError("a quadrant takes partitions from more than one other")
        height = min(QUADRANT, walk.partitions(1) - start)
        yield Shuffle(on_each, first, start, height, tuple(at - start for at in mask))


def _why_not_copied(have: Layout, want: Layout) -> str | None:
    lanes = Layout(have.shape, have.partition, ()), Layout(want.shape, want.partition, ())
    if not lanes[0].provides(lanes[1]):
        return "elements change their partition"
    try:
        found = walks(want.shape, want.spots, have.spots)
    except LayoutError as error:
        return str(error)
    if not all(walk.is_range(0) and walk.is_range(1) for walk in found):
        return "the partitions do not follow one another"
    return None


def _why_not_turned(src: TileType, dst: TileType) -> str | None:
    if len(src.sizes) != 2 or dtype(src.element_type).bytes not in (2, 4):
        return "blocks are turned of matrices, of elements of 2 or 4 bytes"
    if not any(is_dealt(src.layout, dim, BLOCK) and is_dealt(dst.layout, 1 - dim, BLOCK) for dim in (0, 1)):
        return "one dimension is dealt out over the partitions before, the other after"
    return None


def is_in_runs(layout: Layout, dim: int) -> bool:
    """Whether a matrix has neighbours along `dim` on one partition, the next ones on the next, and neighbours along its
    other dimension next to each other."""
    digits, others = layout.digits(dim), layout.digits(1 - dim)
    return (
        [s.on_partitions for s in digits] == [False, True]
        and len(layout.partition) == 1
        and len(others) <= 1
        and all(s.stride == 1 for s in others)
    )


def is_dealt(layout: Layout, dim: int, group: int) -> bool:
    """Whether a matrix has neighbours along `dim` on neighbouring partitions, from the first on and in groups of a
    multiple of `group`, and neighbours along its other dimension next to each other."""
    digits, others = layout.digits(dim), layout.digits(1 - dim)
    lanes = digits[:1]
    dense = len(others) <= 1 and all(s.stride == 1 for s in others)
    whole = len(digits) <= 1 or digits[0].size % group == 0
    return (
        [s for s in layout.spots if s.on_partitions] == lanes
        and len(layout.partition) == len(lanes)
        and dense
        and whole
    )
