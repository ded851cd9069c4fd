"""How a tile can come to lie otherwise: the ways of `neuron.mem.convert`, and what each of them can do."""

from __future__ import annotations

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout, LayoutError
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.walks import walks

BLOCK = 32
"""Rows and columns of the blocks that the Vector engine turns."""


class Way(StrEnum):
    """How a value comes to lie otherwise: nothing moves; one instruction an element, on its partition; 32 x 32 blocks
    turned by the Vector engine; transfers within SBUF."""

    NOTHING = "nothing"
    COPY = "copy"
    VECTOR = "vector"
    DMA = "dma"


@irdl_attr_definition
class WayAttr(EnumAttribute[Way], SpacedOpaqueSyntaxAttribute):
    name = "neuron.mem.way"


def why_not(way: Way, src: TileType, dst: TileType) -> str | None:
    """Why a convert can't be done that way; None if it can."""
    have, want = src.layout, dst.layout
    match way:
        case Way.NOTHING:
            same = src.space == dst.space and have.provides(want)
            return None if same else "the places differ"
        case Way.COPY:
            return _why_not_copied(have, want)
        case Way.VECTOR:
            return _why_not_turned(src, dst)
        case Way.DMA:
            return None if not src.is_psum and not dst.is_psum else "DMA does not reach psum"


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
    if src.is_psum or dst.is_psum:
        return "blocks are turned within sbuf"
    if len(src.sizes) != 2 or dtype(src.element_type).bytes not in (2, 4):
        return "blocks are turned of matrices, of elements of 2 or 4 bytes"
    if not any(is_dealt(src.layout, dim, BLOCK) and is_dealt(dst.layout, 1 - dim, BLOCK) for dim in (0, 1)):
        return "one dimension is dealt out over the partitions before, the other after"
    return None


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
