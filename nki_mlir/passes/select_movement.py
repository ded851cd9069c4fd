"""Instructions that move a tile's elements to other partitions."""

from __future__ import annotations

from itertools import product

from xdsl.ir import SSAValue

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.walks import transfers, walks
from nki_mlir.dialects.ways import BLOCK, is_dealt
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage

MOVES = Engine.SYNC
"""The sequencer that triggers transfers within SBUF."""


def turn_blocks(s: Selector, source: Storage, result: Storage, emit: Emitter) -> None:
    """32 x 32 blocks on the Vector engine, which moves bits."""
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
    """Transfers within SBUF."""
    for whole in walks(result.type.sizes, result.spots, source.elements, anywhere=True):
        for walk in transfers(whole, s.limits.transfer_dims):
            dst, src = result.view(emit, walk, 0), source.view(emit, walk, 1)
            s.transfer(emit, dst, src, MOVES)
