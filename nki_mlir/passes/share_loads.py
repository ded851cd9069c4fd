"""share-loads: what loops that follow one another each make of the same memory is made once."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation
from xdsl.traits import is_side_effect_free
from xdsl.transforms.common_subexpression_elimination import KnownOps

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.dialects.neuron_mem import LoadOp, StoreOp, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.hoist_loads import VIEWS
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import MEM

_SHARE = 4
"""What is kept for a later loop takes at most one part in so many of what SBUF holds of each partition."""


@dataclass(frozen=True)
class ShareLoads(LevelPass):
    """Takes the tile that there is for one that is loaded, or computed, in the same way again:

        %a = neuron.mem.load %k [d0 by 1]            %a = neuron.mem.load %k [d0 by 1]
        scf.for %i … { … %a … }                      scf.for %i … { … %a … }
        %b = neuron.mem.load %k [d0 by 1]      =>
        scf.for %j … { … %b … }                      scf.for %j … { … %a … }

    as programs do that are several loops, because some have more to do than others. Left alone: memory that is written
    to in between; sums in PSUM; what is made in different blocks, or where it is used; and what would keep more than a
    quarter of SBUF for later.
    """

    name = "share-loads"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        room = target_of(op).memory.sbuf_usable_bytes // _SHARE
        for func in functions(op):
            _Sharing(func, room).run()


class _Sharing:
    """`room` is what is left of SBUF for tiles that are kept, in bytes of each partition; `kept` are those."""

    def __init__(self, func: FuncOp, room: int):
        self.func, self.room, self.memories = func, room, memories_of(func)
        self.kept = set[Operation]()

    def run(self) -> None:
        for block in [block for op in [*self.func.walk()] for region in op.regions for block in region.blocks]:
            self._block(block)

    def _block(self, block: Block) -> None:
        """Shares what stands in a block, in order."""
        known = KnownOps()
        for op in list(block.ops):
            if not self._is_shareable(op):
                continue
            first = known.get(op)
            if first is not None and self._is_unchanged(first, op) and self._has_room(first):
                for old, new in zip(op.results, first.results, strict=True):
                    old.replace_all_uses_with(new)
                op.detach()
                op.erase()
            else:
                known[op] = op

    def _is_shareable(self, op: Operation) -> bool:
        """Whether an operation makes tiles in SBUF, of memory or of other tiles, and does nothing else."""
        if op.regions or not (isinstance(op, LoadOp) or is_side_effect_free(op)):
            return False
        tiles = [tile_type(value) for value in op.results if isinstance(value.type, TileType)]
        return bool(tiles) and not any(tile.is_psum for tile in tiles)

    def _is_unchanged(self, first: Operation, again: Operation) -> bool:
        """Whether nothing in between writes to the memory that both load."""
        if not isinstance(first, LoadOp):
            return True
        memory, op = self.memories[first.memory], first.next_op
        while op is not None and op is not again:
            if any(isinstance(x, StoreOp) and self.memories[x.memory] == memory for x in op.walk()):
                return False
            op = op.next_op
        return True

    def _has_room(self, op: Operation) -> bool:
        """Takes the room for what an operation makes, if it does not have it, or would not need it any longer."""
        if op in self.kept or isinstance(op, VIEWS):
            return True
        size = sum(tile_type(value).bytes for value in op.results if isinstance(value.type, TileType))
        if size > self.room:
            return False
        self.room -= size
        self.kept.add(op)
        return True
