"""Instructions that move a tile's elements to other partitions."""

from __future__ import annotations

from itertools import product

from xdsl.ir import SSAValue

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.layout import Walk, walks
from nki_mlir.dialects.neuron_mem import BLOCK, is_dealt
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage, collapse

MOVES = Engine.SYNC
"""The sequencer that triggers transfers within SBUF."""


def turn_blocks(s: Selector, source: Storage, result: Storage, emit: Emitter) -> None:
    """32 x 32 blocks on the Vector engine, which moves bits: a transpose by matmul would spread NaN and infinity."""
    rows = next(
        d for d in (0, 1) if is_dealt(source.type.layout, d, BLOCK) and is_dealt(result.type.layout, 1 - d, BLOCK)
    )
    columns = 1 - rows
    sizes = source.type.sizes
    for row, column in product(range(0, sizes[rows], BLOCK), range(0, sizes[columns], BLOCK)):
        height, width = min(BLOCK, sizes[rows] - row), min(BLOCK, sizes[columns] - column)
        operands = {
            "dst": _block(result, columns, (column, width), (row, height), emit),
            "data": _block(source, rows, (row, height), (column, width), emit),
        }
        s.emit(emit, "nc_transpose", operands)


def _block(tile: Storage, dim: int, lanes: tuple[int, int], others: tuple[int, int], emit: Emitter) -> SSAValue:
    """(first, count) of the dimension that is dealt over the partitions, by those of the other one."""
    first, offset = 0, 0
    for spot in tile.spots:
        if spot.dim == dim:
            distance = lanes[0] // spot.step % spot.size * spot.stride
            first, offset = (distance, offset) if spot.on_partitions else (first, offset + distance)
    step = next((spot.stride for spot in tile.spots if spot.dim == 1 - dim), 0)
    return tile.view_from(emit, first, lanes[1], [(step, others[1])], offset + others[0] * step)


def move_lanes(s: Selector, source: Storage, result: Storage, emit: Emitter) -> None:
    """Transfers within SBUF. In each, one digit at most is a range of partitions of a side; further digits that are on
    partitions of either side take a transfer for each of their values."""
    for walk in walks(result.type.sizes, result.spots, source.spots):
        lane = _lane(walk)
        loops = [
            i
            for i, legs in enumerate(zip(*walk.legs, strict=True))
            if i != lane and any(leg.on_partitions for leg in legs)
        ]
        for values in product(*(range(walk.counts[i]) for i in loops)):
            fixed = dict(zip(loops, values, strict=True))
            dst, src = (_part(tile, walk, number, lane, fixed, emit) for number, tile in enumerate((result, source)))
            s.transfer(emit, dst, src, MOVES)


def _lane(walk: Walk) -> int | None:
    """The longest digit whose values lie on neighbouring partitions wherever they lie on partitions."""
    fit = [
        (count, -i)
        for i, (count, *legs) in enumerate(zip(walk.counts, *walk.legs, strict=True))
        if any(leg.on_partitions for leg in legs) and all(leg.stride == 1 for leg in legs if leg.on_partitions)
    ]
    return -max(fit)[1] if fit else None


def _part(tile: Storage, walk: Walk, operand: int, lane: int | None, fixed: dict[int, int], emit: Emitter) -> SSAValue:
    """One side of a transfer: the digits of `fixed` have one value each; the lane comes before the others."""
    first, offset, count, dims = 0, walk.offsets[operand], 1, []
    for i, leg in enumerate(walk.legs[operand]):
        if i in fixed:
            distance = fixed[i] * leg.stride
            first, offset = (first + distance, offset) if leg.on_partitions else (first, offset + distance)
        elif leg.on_partitions:
            count = walk.counts[i]
        else:
            dims.insert(0 if i == lane else len(dims), (leg.stride, walk.counts[i]))
    return tile.view_from(emit, first, count, collapse(dims), offset)
