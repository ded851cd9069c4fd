"""hoist-loads: what a loop makes anew in each iteration, and always the same, is made in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp, f32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import is_run_time, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_mem import (
    BinaryOp,
    BroadcastOp,
    CastOp,
    LoadOp,
    ReduceOp,
    RelabelOp,
    SliceOp,
    StoreOp,
    TileType,
    UnaryOp,
    tile_type,
)
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import MEM

VIEWS = BroadcastOp | RelabelOp | SliceOp
"""Operations whose results take no room of their own."""

SHARE = 2
"""What is hoisted takes at most one part in so many of what SBUF holds of each partition."""


@dataclass(frozen=True)
class HoistLoads(LevelPass):
    """Moves loads, and what is computed of them alone, in front of loops that they don't depend on:

        for %i … {                                    %w = neuron.mem.load %weights [d0 by 1]
          %w = neuron.mem.load %weights [d0 by 1]  =>  for %i … {
          … %w … }                                       … %w … }

    Left alone: loads of memory that the loop writes to, sums in PSUM, loops that may not run at all, and what would
    fill more than half of SBUF; what is only on the way to something else that is hoisted makes room for the rest, and
    what is only widened for operations that read it narrow takes none.
    """

    name = "hoist-loads"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            room = target_of(op).memory.sbuf_usable_bytes // SHARE
            hoisting = _Hoisting(func, room)
            for loop in reversed([inner for inner in operations(func) if isinstance(inner, ForOp)]):
                if not is_run_time(loop) and trip_count(loop) != 0:
                    hoisting.loop(loop)


class _Hoisting:
    """`room` is what is left of SBUF around a loop, in bytes of each partition, and `taken` what tiles take that were
    hoisted and are still read behind. They are made right before the loop that reads them, so that those of loops that
    follow one another don't add up; loops are asked from the last to the first, inner ones first."""

    def __init__(self, func: FuncOp, room: int):
        self.memories, self.all_room, self.taken = memories_of(func), room, dict[SSAValue, int]()
        self.room = room

    def loop(self, loop: ForOp) -> None:
        inside = sum(size for value, size in self.taken.items() if is_within(value, loop))
        self.room = self.all_room - inside
        written = {self.memories[op.memory] for op in operations(loop) if isinstance(op, StoreOp)}
        for op in list(loop.body.block.ops):
            if self._is_fixed(op, loop) and self._may_move(op, written):
                op.detach()
                block = loop.parent
                assert block is not None
                block.insert_ops_before([op], loop)
                self._leave(op, loop)

    def _leave(self, op: Operation, loop: ForOp) -> None:
        """Gives back what the operands of a hoisted operation take that nothing in the loop reads any more."""
        if _takes_no_room(op):
            return
        for value in dict.fromkeys(map(_stored, op.operands)):
            if value in self.taken and not _is_read(value, loop):
                self.room += self.taken.pop(value)

    def _is_fixed(self, op: Operation, loop: ForOp) -> bool:
        """Whether it has the same operands in each iteration."""
        return not op.regions and all(not is_within(value, loop) for value in op.operands)

    def _may_move(self, op: Operation, written: set[int]) -> bool:
        if isinstance(op, AccessOp):
            if not isinstance(op, LoadOp) or self.memories[op.memory] in written:
                return False
        elif not is_side_effect_free(op):
            return False
        tiles = [tile_type(value) for value in op.results if isinstance(value.type, TileType)]
        size = 0 if _takes_no_room(op) else sum(tile.bytes for tile in tiles)
        more = size - sum(self.taken.get(value, 0) for value in op.results)
        if not op.results or any(tile.is_psum for tile in tiles) or more > self.room:
            return False
        self.room -= more
        self.taken |= dict.fromkeys(op.results, size)
        return True


def _takes_no_room(op: Operation) -> bool:
    """Views, and what only widens numbers for operations that read them narrow."""
    if not isinstance(op, CastOp):
        return isinstance(op, VIEWS)
    before, after = (tile_type(value).element_type for value in (op.source, op.result))
    widens = isinstance(before, AnyFloat) and after == f32 and dtype(before).bytes < dtype(after).bytes
    return widens and all(isinstance(user, BinaryOp | UnaryOp | ReduceOp) for user in _readers(op.result))


def _readers(value: SSAValue) -> Iterator[Operation]:
    """What reads a tile, through views too."""
    for use in value.uses:
        if isinstance(use.operation, VIEWS):
            yield from _readers(use.operation.results[0])
        else:
            yield use.operation


def _stored(value: SSAValue) -> SSAValue:
    """The tile with room of its own that a value is a view of."""
    while isinstance(value.owner, Operation) and _takes_no_room(value.owner):
        value = value.owner.operands[0]
    return value


def _is_read(value: SSAValue, loop: ForOp) -> bool:
    """Whether something in a loop reads a tile, through what takes no room too."""
    for use in value.uses:
        inside = _is_read(use.operation.results[0], loop) if _takes_no_room(use.operation) else False
        if inside or loop.is_ancestor(use.operation):
            return True
    return False


def is_within(value: SSAValue, loop: ForOp) -> bool:
    """Whether a value is made in a loop."""
    block = value.owner.parent if isinstance(value.owner, Operation) else value.owner
    while block is not None and block is not loop.body.block:
        parent = block.parent_op()
        block = None if parent is None else parent.parent
    return block is not None
