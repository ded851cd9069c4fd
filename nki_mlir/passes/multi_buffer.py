"""multi-buffer: buffers made in loops get several slots, so that iterations overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp

from nki_mlir.analysis.indices import enclosing_loops, repeated_loops, trip_count
from nki_mlir.analysis.lifetimes import Lifetime, capacity, lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.dialects.neuron_engine_views import distance
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE


@dataclass(frozen=True)
class MultiBuffer(LevelPass):
    """Rotates `depth` slots for every buffer that is allocated inside a loop:

        for … { %b = alloc "x" : <sbuf, 128 x 2048> }   =>   for … { %b = alloc "x" {depth = 4} : … }

    While one slot is computed on, the next is loaded and the one before stored; a tile that is worked on in place is
    loaded, computed on and stored in one buffer, so that two are too few. Buffers outside loops, or in one of one
    iteration, keep one slot; so do those of a loop whose number of iterations is known at run time only. If the slots
    don't fit together, beside what is outside of loops (in PSUM, of that what is alive in the loop), all get fewer, and
    then the largest buffers go back from two to one, until they do.
    """

    name = "multi-buffer"
    levels = (ENGINE,)
    buffers = True
    depth: int = 4

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.depth < 1:
            raise CompileError(f"multi-buffer: depth must be at least 1, got {self.depth}")
        for func in functions(op):
            for space in (Space.SBUF, Space.PSUM):
                _Slots(func, space, self.depth).choose()


class _Slots:
    """Of the buffers of a function in one memory. `order` is the place of each operation in the program."""

    def __init__(self, func: FuncOp, space: Space, most: int):
        self.func, self.most, self.target = func, most, target_of(func)
        self.space, self.available = space, capacity(self.target, space)
        self.order = {op: number for number, op in enumerate(operations(func))}
        self.lives = [life for life in lifetimes(func) if life.alloc.buffer.space is space]
        self.sizes = {life.alloc: distance(life.alloc, self.target) for life in self.lives}

    def choose(self) -> None:
        """In PSUM, what is outside of all loops and not alive in one makes room for it, if all then have an address: a
        bank less may be a slot less. In SBUF it does not: bytes that are free longer are waited for less."""
        groups: dict[ForOp, list[AllocOp]] = {}
        outside = list[Lifetime]()
        for life in self.lives:
            if loops := enclosing_loops(life.alloc):
                groups.setdefault(loops[0], []).append(life.alloc)
            else:
                outside.append(life)
        least, most = dict[AllocOp, int](), dict[AllocOp, int]()
        whole = sum(self.sizes[life.alloc] for life in outside)
        for loop, group in groups.items():
            first, last = self.order[loop], max(self.order[op] for op in operations(loop))
            alive = sum(self.sizes[life.alloc] for life in outside if life.first <= last and first <= life.last)
            least |= self._deep(group, whole)
            most |= self._deep(group, alive if self.space is Space.PSUM else whole)
        _set(most)
        if least != most and not fits(lifetimes(self.func), self.target):
            _set(dict.fromkeys(most, 1) | least)

    def _deep(self, group: Sequence[AllocOp], beside: int) -> dict[AllocOp, int]:
        """The slots of those of an outermost loop that get several. What is alive together is bounded by all that the
        loop holds."""
        total = beside + sum(self.sizes[alloc] for alloc in group)
        rotating = (a for a in group if any(trip_count(loop) != 1 for loop in repeated_loops(a)))
        deep, depth = sorted(rotating, key=lambda a: self.sizes[a]), self.most
        while deep and total + (depth - 1) * sum(self.sizes[a] for a in deep) > self.available:
            if depth > 2:
                depth -= 1
            else:
                deep.pop()
        return dict.fromkeys(deep, depth)


def _set(depths: Mapping[AllocOp, int]) -> None:
    for alloc, depth in depths.items():
        alloc.properties["depth"] = IntegerAttr(depth, i64)
