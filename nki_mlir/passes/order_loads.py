"""order-loads: where a loop loads what all later runs of it find there, loads come in the order of need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import expr_of, is_run_time, only_counts
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import EngineInstruction, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.engine_nodes import Reach, reaches_of, runs
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.skew import known_memory
from nki_mlir.targets import Target

_MOST = 1024
"""Loops of more instructions take too long to look at."""


@dataclass(frozen=True)
class OrderLoads(LevelPass):
    """Where an inner loop loads some of what it needs in the first iteration of the outer one only, puts its loads in
    the order in which they are needed, those of the outer loop in front of it among them:

        for %i = 0 to 4 {                                  for %i = 0 to 4 {
          dma_copy sync … dst %a[0] src %x at %i             for %j = 0 to 8 {
          dma_copy sync … dst %a[1] src %x at %i               dma_copy sync … dst %a[0] … limit 1 - %j
          for %j = 0 to 8 {                            =>      dma_copy sync … dst %b[0] … limit 1 - %i
            dma_copy sync … dst %b[0] … limit 1 - %i           products of %a[0] and %b[0]
            dma_copy sync … dst %b[1] … limit 1 - %i           dma_copy sync … dst %a[1] … limit 1 - %j
            products of %a[0] and %b[0]                        dma_copy sync … dst %b[1] … limit 1 - %i
            products of %a[1] and %b[1] } }                    products of %a[1] and %b[1] } }

    A ring moves first what was asked for first, and in the first iterations engines wait for it. What this iteration
    stores nothing of, since the next one does, comes behind the rest. Left alone: loops that load alike in all
    iterations, whose loads are under way before they are needed; loads that what comes before could still touch, or
    whose patterns have no dimension left for a limit.
    """

    name = "order-loads"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            for inner in [one for one in operations(func) if isinstance(one, ForOp)]:
                nest = _Nest.of(inner, memories_of(func), target)
                if nest is not None:
                    nest.order()


class _Touches:
    """What instructions reach: in all iterations of a loop, or in its first one."""

    def __init__(self, loop: ForOp, memories: Mapping[SSAValue, int]):
        self.counter, self.memories = loop.body.block.args[0], memories
        self.known: dict[EngineInstruction, tuple[list[Reach], list[Reach]]] = {}

    def of(self, op: EngineInstruction, in_first: bool) -> list[Reach]:
        if op not in self.known:
            found = [known_memory(touch, self.memories) for touch in reaches_of(op)]
            self.known[op] = found, [self._first(touch) for touch in found]
        return self.known[op][in_first]

    def _first(self, touch: Reach) -> Reach:
        place = touch.place
        return touch if place is None else replace(touch, place=place.substitute({self.counter: Expr(0)}))

    def meet(self, one: EngineInstruction, other: EngineInstruction, in_first: bool) -> bool:
        return _meet(self.of(one, in_first), self.of(other, in_first))


def _meet(some: Iterable[Reach], others: Sequence[Reach]) -> bool:
    return any(a.owner == b.owner and a.meets(b) for a in some for b in others)


@dataclass
class _Nest:
    """A loop of instructions alone, `ops`, which loads what is `mine`, and in front of it, in another loop, what is in
    `front`."""

    inner: ForOp
    ops: Sequence[Operation]
    mine: Sequence[EngineInstruction]
    front: Sequence[EngineInstruction]
    touches: _Touches

    @staticmethod
    def of(inner: ForOp, memories: Mapping[SSAValue, int], target: Target) -> _Nest | None:
        """None for any other loop."""
        outer, ops = inner.parent_op(), list(inner.body.block.ops)[:-1]
        if not isinstance(outer, ForOp) or is_run_time(outer) or not only_counts(inner):
            return None
        asked = [op for op in ops if isinstance(op, EngineInstruction) and op.engine.data is Engine.SYNC]
        if not any(op.is_limited for op in asked) or not all(map(_is_load, asked)) or len(ops) > 8 * _MOST:
            return None
        if [len(run) for run in runs(inner.body.block) if run] != [len(ops)]:
            return None
        touches = _Touches(inner, memories)
        return _Nest(inner, ops, asked, list(_in_front(inner, touches, target)), touches)

    @cached_property
    def place(self) -> dict[Operation, int]:
        return {op: number for number, op in enumerate(self.ops)}

    @cached_property
    def others(self) -> list[EngineInstruction]:
        loads = set(self.mine)
        return [op for op in self.ops if isinstance(op, EngineInstruction) and op not in loads]

    def _needed(self, load: EngineInstruction) -> int:
        """The place of the first instruction that touches what a load does, behind it; of one in front of the loop, in
        the first iteration."""
        after, in_first = self.place.get(load, -1), load not in self.place
        found = (
            self.place[op] for op in self.others if self.place[op] > after and self.touches.meet(load, op, in_first)
        )
        return next(found, len(self.ops))

    def _earliest(self, load: EngineInstruction) -> int:
        """The first place that a load can have: behind all that touches what it does, and whose program it is of."""
        before = self.ops[: self.place.get(load, 0)]
        found = (
            self.place[op] + 1
            for op in reversed(before)
            if isinstance(op, BeginProgramOp) or (isinstance(op, EngineInstruction) and self._meets(load, op))
        )
        return next(found, 0)

    def _meets(self, load: EngineInstruction, other: EngineInstruction) -> bool:
        return self.touches.meet(load, other, in_first=False)

    def _is_stored(self, load: EngineInstruction) -> bool:
        """Whether anything that the first iteration stores depends on what is loaded."""
        made = [touch for touch in self.touches.of(load, True) if touch.writes]
        for op in self.others:
            touches = self.touches.of(op, True)
            if _meet(made, [touch for touch in touches if touch.reads]):
                if any(touch.writes and not isinstance(touch.owner, Operation) for touch in touches):
                    return True
                made += [touch for touch in touches if touch.writes]
        return False

    def order(self) -> None:
        """Puts the loads in their places, if they can all be there."""
        loads = [*self.front, *self.mine]
        late = {load for load in loads if not self._is_stored(load)}
        if len(late) == len(loads) or not (late or self.front):
            return
        needed = {load: self._needed(load) for load in loads}
        order = sorted(loads, key=lambda load: (load in late, needed[load]))
        places, place = dict[EngineInstruction, int](), len(self.ops)
        for load in reversed(order):
            places[load] = place = min(place, needed[load])
        if any(places[load] < self._earliest(load) for load in loads) or self._mixed(order):
            return
        behind = {place: self._start_of(place) for place in places.values()}
        for load in order:
            self._put(load, behind[places[load]])

    def _mixed(self, order: Sequence[EngineInstruction]) -> bool:
        """Whether loads of the same bytes would change places."""
        number = {load: n for n, load in enumerate((*self.front, *self.mine))}
        return any(
            number[first] > number[second] and self._meets(first, second)
            for n, first in enumerate(order)
            for second in order[n + 1 :]
        )

    def _start_of(self, place: int) -> Operation:
        """The operation at a place, or the next one that is no load."""
        end = self.inner.body.block.last_op
        assert end is not None
        loads = set(self.mine)
        return next((op for op in self.ops[place:] if op not in loads), end)

    def _put(self, load: EngineInstruction, behind: Operation) -> None:
        """In front of an operation; what was in front of the loop in its first iteration only."""
        emit = Emitter(Emitter.before(behind).point, load.location)
        value = cache(emit.expr)
        first = Expr(1) - Expr.counter(self.inner.body.block.args[0]) if load in self.front else None
        views = [value.owner for value in load.operands]
        load.detach()
        load.operands = [emit.value(_view(view, first, value)) for view in views if isinstance(view, ViewOp)]
        emit.add(load)
        for view in views:
            if isinstance(view, ViewOp) and view.result.first_use is None:
                view.detach()
                view.erase()


def _in_front(inner: ForOp, touches: _Touches, target: Target) -> Iterator[EngineInstruction]:
    """The loads in front of a loop that can be in its first iteration instead, in order."""
    block = inner.parent
    assert block is not None
    ops = list(block.ops)
    found, between = list[EngineInstruction](), list[EngineInstruction]()
    for op in reversed(ops[: ops.index(inner)]):
        if op.regions:
            break
        if isinstance(op, EngineInstruction):
            can_move = _may_be_limited(op, target) and not any(touches.meet(op, other, False) for other in between)
            (found if can_move else between).append(op)
    return reversed(found)


def _may_be_limited(op: EngineInstruction, target: Target) -> bool:
    """Whether it is a load that has room for a limit."""
    if op.engine.data is not Engine.SYNC or not _is_load(op) or op.is_limited:
        return False
    most = target.limits.transfer_dims
    return all(len(view.access.dims) + view.access.on_chip < most for view in op.views().values())


def _view(view: ViewOp, limit: Expr | None, value: Callable[[Expr], SSAValue]) -> ViewOp:
    """A view elsewhere, of which there is nothing where a limit is not above 0; expressions have one `value` each."""
    offset = None if view.offset is None else value(expr_of(view.offset))
    limits = [(dim, value(expr_of(old))) for dim, old in view.limited]
    access = view.access
    if limit is not None:
        limits.append((len(access.dims) + access.on_chip, value(limit)))
        access = replace(access, dims=(*access.dims, (1, 1)))
    return ViewOp(view.source, access, offset, limits)


def _is_load(op: EngineInstruction) -> bool:
    """Whether it moves a rectangle from HBM to SBUF, and does nothing else."""
    views = op.views()
    return (
        op.is_a("dma_copy")
        and views.keys() == {"dst", "src"}
        and views["src"].access.space is Space.HBM
        and views["dst"].access.space is Space.SBUF
        and "dst_rmw_op" not in op.properties
    )
