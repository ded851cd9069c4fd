"""skew: the first part of each iteration is done during the second part of the one before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.arith import AddiOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import constant, trip_count
from nki_mlir.analysis.lifetimes import capacity, lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.engine_nodes import Node, Reach, nodes_of, reaches_of, runs
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.list_schedule import Machine
from nki_mlir.passes.loop_times import ROUNDS, Instance, least, period
from nki_mlir.passes.multi_buffer import MultiBuffer
from nki_mlir.passes.region_costs import Costs
from nki_mlir.targets import Target

_GAIN = 0.9
"""What part of an iteration's time may be left where it is worth to write the loop's ends out."""

_LEAST, _MOST = 4, 1024
"""So many instructions a body has; longer ones take too long to look at, and are too long to be there twice more."""

_CUTS = 8
"""Places in an iteration's time at which it is tried to cut it, before others near the best one are."""

_SHORT = 64
"""Of so many instructions, the first part may also come as a whole: of more, some always wait."""

HANDED = 2
"""What goes from the first part of an iteration to the second is there of this one and of the next."""


@dataclass(frozen=True)
class Skew(LevelPass):
    """Cuts the iterations of a loop in two, and does the first part of each together with the second one of the
    iteration before:

        for %i = 0 to 8 {                              maxima of block 0
          maxima of block %i: tensor, vector           for %i = 0 to 7 {
          sums of block %i: tensor, scalar }      =>     maxima of block %i + 1
                                                         sums of block %i }
                                                       sums of block 7

    An engine does what it is given in order: what it has to do for the next iteration waits behind what it can't do yet
    for this one, unless it stands in front of it. Buffers that go from the first part to the second have two slots, or
    more. What engines would do is tried, without and with a cut at several places. What the second part of an iteration
    goes on with that is there in all of them, or sums in PSUM, is of that part, with what waits for it. Left alone:
    loops of few iterations, with control flow inside, or longer than they had best be there twice more; what reaches
    less in some iterations; what would no longer fit.
    """

    name = "skew"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            for number, loop in enumerate(_loops(func)):
                body = _Body.of(loop, memories_of(func), target)
                found = None if body is None else body.best(target)
                if body is not None and found is not None:
                    _try(func, number, body, found[1], target)


def skewed(loop: ForOp, memories: Mapping[SSAValue, int], target: Target) -> float:
    """The time, in ns, that an iteration of a loop takes once it is skewed; endless where it is not."""
    body = _Body.of(loop, memories, target)
    found = None if body is None else body.best(target)
    return math.inf if found is None else found[0]


def _loops(func: FuncOp) -> Iterator[ForOp]:
    """All of them, in order, as they are by then."""
    number = 0
    while number < len(loops := [op for op in operations(func) if isinstance(op, ForOp)]):
        yield loops[number]
        number += 1


def _try(func: FuncOp, number: int, body: _Body, cut: _Cut, target: Target) -> None:
    """Skews a loop of a function; leaves it where that doesn't fit."""
    trial = func.clone()
    loop = [op for op in trial.walk() if isinstance(op, ForOp)][number]
    block = func.parent
    assert block is not None
    block.insert_ops_before([trial], func)
    copies = dict(zip(body.ops, loop.body.block.ops, strict=False))
    instructions = [op for op in copies.values() if isinstance(op, EngineInstruction)]
    order = [(instructions[node.number], ahead > 0) for node, ahead in cut.order]
    handed = [op for buffer in body.handed(cut.first) if isinstance(op := copies[buffer], AllocOp)]
    _Skewing(loop, order, handed, target).run()
    if fits(lifetimes(trial), target):
        func.detach_region(func.body)
        func.add_region(trial.detach_region(trial.body))
    trial.detach()
    trial.erase()


class _Cut(NamedTuple):
    """The instructions of the first part of an iteration, and those of both parts put together."""

    first: frozenset[Node]
    order: Sequence[Instance]


@dataclass
class _Body:
    """The body of a loop of `trips` iterations, of instructions alone: its `nodes`, and what each touches that is there
    in all iterations."""

    trips: int
    ops: Sequence[Operation]
    allocs: Sequence[AllocOp]
    nodes: Sequence[Node]
    outside: dict[Node, list[Reach]]

    @staticmethod
    def of(loop: ForOp, memories: Mapping[SSAValue, int], target: Target) -> _Body | None:
        """None for any other loop."""
        trips, block = trip_count(loop), loop.body.block
        if not trips or trips < ROUNDS or (constant(loop.lb), constant(loop.step)) != (0, 1):
            return None
        ops = list(block.ops)[:-1]
        count = sum(isinstance(op, EngineInstruction) for op in ops)
        found = [run for run in runs(block) if run]
        if not _LEAST <= count <= _MOST or len(found) != 1 or len(found[0]) != len(ops):
            return None
        if any(isinstance(op, ViewOp) and op.is_limited for op in ops):
            return None
        allocs = [op for op in ops if isinstance(op, AllocOp)]
        own, nodes = frozenset(allocs), nodes_of(ops, Costs(target))
        outside = {
            node: [known_memory(touch, memories) for touch in reaches_of(node.op) if touch.owner not in own]
            for node in nodes
        }
        return _Body(trips, ops, allocs, nodes, outside)

    def best(self, target: Target) -> tuple[float, _Cut] | None:
        """How long an iteration takes with the best cut, and that; None where none gains enough. Times of an iteration
        are tried that are evenly apart, then those beside the best one."""
        machine = Machine(target)
        order = machine.listed(self.nodes, {space: capacity(target, space) for space in (Space.SBUF, Space.PSUM)})
        alone, starts = period([(node, 0) for node in order], slots_of(self.allocs, [], target)), machine.started
        if least(self.nodes) >= _GAIN * alone:
            return None
        times, found = sorted(set(starts.values())), dict[int, tuple[float, _Cut]]()

        def look(places: Iterable[int]) -> int:
            """Gives the best place so far, the first one of those that are alike."""
            for place in places:
                if 0 < place < len(times) and place not in found:
                    first = self._apart(frozenset(node for node in self.nodes if starts[node] < times[place]))
                    found[place] = self._cut(first, target)
            return min(found, key=lambda place: (found[place][0], place), default=0)

        step = max(1, len(times) // _CUTS)
        best = look(range(step, len(times), step))
        while step > 1:
            step //= 2
            best = look((best - step, best + step))
        others, once = self.trips - 1, max(machine.given.values())
        gains = best in found and once + others * found[best][0] < _GAIN * (once + others * alone)
        return found[best] if gains else None

    def _cut(self, first: frozenset[Node], target: Target) -> tuple[float, _Cut]:
        """How long an iteration takes with a first part, put together as is better; endless where it can't be one."""
        if not self._may_be_first(first):
            return math.inf, _Cut(first, ())
        (early, late), starts = self._parts(first, target)
        slots = slots_of(self.allocs, self.handed(first), target)
        ways = (evenly, _in_front) if len(self.nodes) <= _SHORT else (evenly,)
        tried = [together(early, late, starts) for together in ways]
        time, number = min((period(order, slots), number) for number, order in enumerate(tried))
        return time, _Cut(first, tried[number])

    def _parts(self, first: frozenset[Node], target: Target) -> tuple[list[list[Node]], dict[Node, float]]:
        """The instructions of both parts, each in an order of its own, and when they start in that: the first part has
        room for two of the largest of its sums, the second for the rest."""
        largest = max((slot_bytes(b, target) for node in first for b in node.buffers if is_sum(b)), default=0)
        sums = min(2 * largest, capacity(target, Space.PSUM) // 2)
        parts, starts = list[list[Node]](), dict[Node, float]()
        for is_first, room in ((True, sums), (False, capacity(target, Space.PSUM) - sums)):
            machine = Machine(target)
            part = [node for node in self.nodes if (node in first) is is_first]
            parts.append(machine.listed(part, {Space.PSUM: room, Space.SBUF: capacity(target, Space.SBUF)}))
            starts |= machine.started
        return parts, starts

    def _apart(self, first: frozenset[Node]) -> frozenset[Node]:
        """Without what reaches sums in PSUM that the others reach too, or touches what is there in all iterations and
        the others write, or the other way round, and without what waits for that."""
        while True:
            sums = {buffer for buffer in self.handed(first) if is_sum(buffer)}
            there = touched(touch for node in self.nodes if node not in first for touch in self.outside[node])
            kept = set[Node]()
            for node in self.nodes:
                if node not in first or node.has_state or not kept.issuperset(node.before):
                    continue
                if sums.isdisjoint(node.buffers) and not any(meets(touch, there) for touch in self.outside[node]):
                    kept.add(node)
            if len(kept) == len(first):
                return first
            first = frozenset(kept)

    def _may_be_first(self, first: frozenset[Node]) -> bool:
        """Whether there are two parts, and buffers that both reach may have more slots than one."""
        return 0 < len(first) < len(self.nodes) and not any(map(is_placed, self.handed(first)))

    def handed(self, first: frozenset[Node]) -> list[AllocOp]:
        """The buffers of an iteration that both parts reach."""
        early = {buffer for node in first for buffer in node.buffers}
        late = {buffer for node in self.nodes if node not in first for buffer in node.buffers}
        both = early & late
        return [alloc for alloc in self.allocs if alloc in both]


def slots_of(allocs: Sequence[AllocOp], handed: Sequence[AllocOp], target: Target) -> dict[AllocOp, int]:
    """How many there are of each buffer of an iteration: as many as there is room for, and two of what is handed on."""
    slots, passed = dict[AllocOp, int](), frozenset(handed)
    for space in (Space.SBUF, Space.PSUM):
        found = [alloc for alloc in allocs if alloc.buffer.space is space]
        needed = sum(slot_bytes(alloc, target) for alloc in found)
        depth = max(1, min(MultiBuffer.depth, capacity(target, space) // max(needed, 1)))
        slots |= {alloc: max(depth, HANDED) if alloc in passed else depth for alloc in found}
    return slots


def is_placed(buffer: AllocOp) -> bool:
    """Whether it is said already where its slots are, or how many there are."""
    return buffer.address is not None or buffer.start is not None or buffer.depth.value.data > 1


def is_sum(buffer: AllocOp) -> bool:
    return buffer.buffer.space is Space.PSUM


def known_memory(touch: Reach, memories: Mapping[SSAValue, int]) -> Reach:
    """With a number for memory, the same for arguments that may be one."""
    owner = memories.get(touch.owner) if isinstance(touch.owner, SSAValue) else None
    return touch if owner is None else Reach(owner, None, 0, 0, range(1), touch.reads, touch.writes, False)


def touched(touches: Iterable[Reach]) -> dict[object, bool]:
    """Whose bytes instructions touch, with whether they write to some."""
    found: dict[object, bool] = {}
    for touch in touches:
        found[touch.owner] = found.get(touch.owner, False) or touch.writes
    return found


def meets(touch: Reach, there: Mapping[object, bool]) -> bool:
    """Whether one reaches what others do, and one of them writes to it."""
    return touch.owner in there and (touch.writes or there[touch.owner])


def evenly(
    first: Sequence[Node], second: Sequence[Node], starts: Mapping[Node, float], begin: float = 0.0
) -> list[Instance]:
    """Two parts of iterations as one, the first of them of the next iteration: as far as one has come, so has the
    other, of which so much is done before the first one begins."""
    found = list[tuple[float, Instance]]()
    for ahead, part, before in ((1, first, begin), (0, second, 0.0)):
        low = min(starts[node] for node in part)
        length = max(starts[node] - low + node.latency for node in part)
        reached = accumulate(((starts[node] - low) / length for node in part), max)
        found += [(before + (1 - before) * at, (node, ahead)) for at, node in zip(reached, part, strict=True)]
    return [instance for _, instance in sorted(found, key=lambda one: one[0])]


def _in_front(first: Sequence[Node], second: Sequence[Node], starts: Mapping[Node, float]) -> list[Instance]:
    """The first part of the next iteration, then the second of this one."""
    return [*((node, 1) for node in first), *((node, 0) for node in second)]


class _Skewing:
    """Writes a loop anew, in front of itself, with the first part of an iteration during the one before."""

    def __init__(
        self, loop: ForOp, order: Sequence[tuple[EngineInstruction, bool]], handed: Sequence[AllocOp], target: Target
    ):
        self.loop, self.order, self.target = loop, order, target
        self.ops = list(loop.body.block.ops)[:-1]
        self.slots = slots_of([op for op in self.ops if isinstance(op, AllocOp)], handed, target)
        self.buffers = {buffer: self._buffer(buffer) for buffer in handed}

    def _buffer(self, alloc: AllocOp) -> AllocOp:
        """One for all slots."""
        size = (self.slots[alloc] - 1) * slot_bytes(alloc, self.target) + alloc.buffer.bytes
        label = None if alloc.label is None else alloc.label.data
        made = AllocOp(alloc.buffer.space, alloc.buffer.partitions, size, label)
        made.location = alloc.location
        return made

    def run(self) -> None:
        loop, trips = self.loop, trip_count(self.loop)
        assert trips is not None and loop.parent is not None
        ahead, inside, behind = Block(), Block(arg_types=[loop.body.block.args[0].type]), Block()
        inside.args[0].name_hint = loop.body.block.args[0].name_hint
        counter = Expr.counter(inside.args[0])
        ahead.add_ops(self.buffers.values())
        self._write(ahead, {True: Expr(0)})
        self._write(inside, {True: counter + 1, False: counter})
        inside.add_op(YieldOp())
        emit = Emitter.at_end(behind, loop.location)
        emit.add(ForOp(loop.lb, emit.index(trips - 1), loop.step, [], Region(inside)))
        self._write(behind, {False: Expr(trips - 1)})
        made = [*ahead.ops, *behind.ops]
        for op in made:
            op.detach()
        loop.parent.insert_ops_before(made, loop)
        loop.detach()
        loop.erase()

    def _write(self, block: Block, iterations: Mapping[bool, Expr]) -> None:
        """The instructions of one part, or of both, with what they need, of an iteration each."""
        copies = {is_first: _Copy(self, iteration, block) for is_first, iteration in iterations.items()}
        begun = [op for op in self.ops if isinstance(op, BeginProgramOp)]
        program: bool | None = None
        for op, is_first in self.order:
            if is_first in copies:
                if op.instruction.is_transfer and program is not is_first:
                    program = is_first
                    for begin in begun:
                        copies[is_first].add(begin)
                copies[is_first].add(op)


class _Copy:
    """Copies operations of a loop's body to the end of a block, as they are in one iteration."""

    def __init__(self, skewing: _Skewing, iteration: Expr, block: Block):
        self.skewing, self.iteration, self.block = skewing, iteration, block
        self.old = skewing.loop.body.block
        self.values: dict[SSAValue, SSAValue] = {}

    def add(self, op: Operation) -> None:
        """One, behind what it needs."""
        for operand in op.operands:
            self._value(operand, op)
        emit = Emitter.at_end(self.block, op.location)
        source = op.source.owner if isinstance(op, ViewOp) else None
        if isinstance(op, ViewOp) and isinstance(source, AllocOp) and source in self.skewing.buffers:
            copy = self._slot_of(op, source, emit)
        else:
            copy = op.clone(self.values)
        emit.add(copy)
        self.values |= dict(zip(op.results, copy.results, strict=True))

    def _value(self, value: SSAValue, user: Operation) -> None:
        op = value.owner
        if value in self.values:
            return
        if value is self.old.args[0]:
            self.values[value] = Emitter.at_end(self.block, user.location).expr(self.iteration)
        elif isinstance(op, AllocOp) and op in self.skewing.buffers:
            self.values[value] = self.skewing.buffers[op].result
        elif isinstance(op, Operation) and op.parent is self.old:
            self.add(op)

    def _slot_of(self, view: ViewOp, alloc: AllocOp, emit: Emitter) -> ViewOp:
        """The same elements of the slot that the iteration has."""
        slot = slot_bytes(alloc, self.skewing.target) // view.access.itemsize
        offset = emit.expr(self.iteration.mod(self.skewing.slots[alloc]) * slot)
        if view.offset is not None:
            offset = emit.value(AddiOp(self.values.get(view.offset, view.offset), offset))
        limits = [(dim, self.values.get(value, value)) for dim, value in view.limited]
        return ViewOp(self.skewing.buffers[alloc].result, view.access, offset, limits)
