"""multi-buffer: buffers made in loops get several slots, so that iterations overlap."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp

from nki_mlir.analysis.indices import enclosing_loops, repeated_loops
from nki_mlir.analysis.lifetimes import capacity
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.dialects.neuron_engine_views import distance
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE


@dataclass(frozen=True)
class MultiBuffer(LevelPass):
    """Rotates `depth` slots for every buffer that is allocated inside a loop:

        for … { %b = alloc "x" : <sbuf, 128 x 2048> }   =>   for … { %b = alloc "x" {depth = 4} : … }

    While one slot is computed on, the next is loaded and the one before stored; a tile that is worked on in place is
    loaded, computed on and stored in one buffer, so that two are too few. Buffers outside loops keep one slot; so do
    those of a loop whose number of iterations is known at run time only. If the slots don't fit together, all get
    fewer, and then the largest buffers go back from two to one, until they do.
    """

    name = "multi-buffer"
    levels = (ENGINE,)
    buffers = True
    depth: int = 4

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.depth < 1:
            raise CompileError(f"multi-buffer: depth must be at least 1, got {self.depth}")
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            allocs = [inner for inner in func.walk() if isinstance(inner, AllocOp)]
            for space in (Space.SBUF, Space.PSUM):
                _deepen([a for a in allocs if a.buffer.space is space], self.depth, capacity(target_of(op), space))


def _deepen(allocs: list[AllocOp], most: int, available: int) -> None:
    """Lifetimes are not known yet: what is alive together is bounded by what the outermost loops hold."""
    groups: dict[object, list[AllocOp]] = {}
    for alloc in allocs:
        loops = enclosing_loops(alloc)
        groups.setdefault(loops[0] if loops else None, []).append(alloc)
    outside = sum(distance(a, target_of(a)) for a in groups.pop(None, []))
    for group in groups.values():
        sizes = {a: distance(a, target_of(a)) for a in group}
        deep, depth = sorted((a for a in group if repeated_loops(a)), key=lambda a: sizes[a]), most
        while deep and outside + sum(sizes.values()) + (depth - 1) * sum(sizes[a] for a in deep) > available:
            if depth > 2:
                depth -= 1
            else:
                deep.pop()
        for alloc in deep:
            alloc.properties["depth"] = IntegerAttr(depth, i64)
