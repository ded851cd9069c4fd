"""insert-semaphores: every dependence between instructions that may overlap gets a wait."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from nki_mlir.analysis.dependences import Dependences, Edge, slots
from nki_mlir.analysis.overlap import strides_of_nest
from nki_mlir.analysis.program_order import Loop, Step, common_loops, common_prefix, steps_of
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ISA


@dataclass(frozen=True)
class InsertSemaphores(LevelPass):
    """Makes streams keep the order that the program had:

        stream sync   { repeat 8 { dma_copy dst A … } }          … update <sem i0 mod 2 add 16>
        stream vector { repeat 8 { tensor_scalar data A … } }    … wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16>

    Each engine has one semaphore, raised by those of its instructions that something waits for: engines complete in
    order, so a count names an instance. A DMA instruction has one for each slot of its buffer, raised by 16 a transfer,
    with at most one transfer under way. Counts and thresholds are affine in the repeat counters; a slot is used again
    after the instance `depth` iterations before. Further waits of an instruction stand before it as event_semaphores.
    Removes `order` and `loop`. Every wait is for something earlier in program order, so the streams can't deadlock.
    """

    name = "insert-semaphores"
    levels = (ISA,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.body.block.ops if isinstance(inner, isa.ProgramOp)]:
            aliases = {t.sym.data: t.alias.value.data for t in program.tensors() if t.alias is not None}
            for core in program.cores():
                _order(core, aliases)


def _order(core: isa.CoreOp, aliases: dict[str, int]) -> None:
    steps = steps_of(core)
    edges = Dependences(steps, aliases).edges
    numbers = Numbering(steps, edges, target_of(core).limits.semaphores)
    waits: dict[Operation, list[isa.Wait]] = {}
    for edge in (*edges, *numbers.reuse):
        waits.setdefault(edge.later.op, []).extend(numbers.waits(edge))
    for step in steps:
        if (update := numbers.update(step)) is not None:
            step.op.properties["update"] = isa.UpdateAttr(update)
    ranges: dict[Operation, tuple[Loop, ...]] = {step.op: step.loops for step in steps}
    for stream in core.items:
        if isinstance(stream, isa.StreamOp):
            _place_waits(stream.items, waits, ranges, {})


@dataclass
class _Group:
    """The semaphores `first` to `first + depth - 1` of a DMA instruction, each at `count` transfers when it starts."""

    first: int
    depth: int
    count: int = 0
    last: Step | None = None


class Numbering:
    """Which semaphore each event raises, and to what."""

    def __init__(self, steps: list[Step], edges: Sequence[Edge], available: int):
        sources = {edge.earlier for edge in edges}
        self.signalled = {s for s in sources if not s.is_dma}
        engines = [e for e in Engine if any(s.engine is e for s in self.signalled)]
        self.engine_semaphore = {engine: number for number, engine in enumerate(engines)}
        self.groups: dict[Step, _Group] = {}
        self.reuse: list[Edge] = []
        pool: list[_Group] = []
        used = len(engines)
        for step in (s for s in steps if s.is_dma and s in sources):
            if used + slots(step) <= available:
                pool.append(_Group(used, slots(step)))
                used += slots(step)
                self.groups[step] = pool[-1]
            else:
                self._share(step, pool, available)
            self.groups[step].last = step
        self.counts = {
            engine: _Counts([s for s in steps if s in self.signalled and s.engine is engine]) for engine in engines
        }

    def _share(self, step: Step, pool: list[_Group], available: int) -> None:
        """Gives a transfer the semaphores of an earlier one that is complete before it starts; the count goes on."""
        for group in pool:
            last = group.last
            if group.depth == slots(step) and last is not None and not common_loops(last, step):
                if last.instances % group.depth:
                    continue
                pool.remove(group)
                pool.append(_Group(group.first, group.depth, group.count + last.instances // group.depth))
                self.groups[step] = pool[-1]
                self.reuse.append(Edge(last, step, 0, tuple(range(group.depth))))
                return
        raise CompileError.at(
            step.op, f"the kernel needs more than the {available} semaphores of a core: too many separate transfers"
        )

    def update(self, step: Step) -> isa.Update | None:
        if step in self.signalled:
            return isa.Update(Expr(self.engine_semaphore[step.engine]), 1)
        if step not in self.groups:
            return None
        instance = _iteration(step.loops)
        return isa.Update(self._slot(step, instance), target_of(step.op).dma.increment)

    def waits(self, edge: Edge) -> Iterator[isa.Wait]:
        step = edge.earlier
        shared = common_loops(step, edge.later)
        if not step.is_dma:
            threshold = self.counts[step.engine].after(step, shared, edge.distance)
            yield isa.Wait(Expr(self.engine_semaphore[step.engine]), threshold)
            return
        inner = step.instances
        for loop in shared:
            inner //= loop.trips
        last = (_iteration(shared) - edge.distance) * inner + (inner - 1)
        increment, depth = target_of(step.op).dma.increment, slots(step)
        for back in edge.slots:
            instance = last - back
            count = instance.floordiv(depth) + 1 + self.groups[step].count
            yield isa.Wait(self._slot(step, instance), count * increment)

    def _slot(self, step: Step, instance: Expr) -> Expr:
        return instance.mod(slots(step)) + self.groups[step].first


def _iteration(loops: Sequence[Loop]) -> Expr:
    """The iteration number of a nest, counted through."""
    number = Expr(0)
    for depth, weight in enumerate(strides_of_nest(loops)):
        number = number + Expr.counter(depth) * weight
    return number


class _Counts:
    """How often an engine has signalled, at each of its signalling instructions: `signals` in one iteration of a nest,
    `before` in front of an outermost loop or an instruction outside loops, `orders` the places of those in a loop."""

    def __init__(self, steps: Sequence[Step]):
        self.signals: dict[tuple[Loop, ...], int] = {}
        self.before: dict[Loop | Step, int] = {}
        self.orders: dict[Loop, dict[tuple[Loop, ...], list[int]]] = {}
        total = 0
        for step in steps:
            self.before.setdefault(step.loops[0] if step.loops else step, total)
            total += step.instances
            if step.loops:
                self.orders.setdefault(step.loops[0], {}).setdefault(step.loops, []).append(step.order)
            trips = 1
            for depth in range(len(step.loops), 0, -1):
                nest = step.loops[:depth]
                self.signals[nest] = self.signals.get(nest, 0) + trips
                trips *= step.loops[depth - 1].trips

    def after(self, step: Step, shared: tuple[Loop, ...], distance: int) -> Expr:
        """The count once `step` has completed for the last time in the iteration of the shared loops that is `distance`
        before the current one."""
        rises = [self.signals[step.loops[: depth + 1]] for depth in range(len(step.loops))]
        total = Expr(1 + self._earlier(step))
        for depth in range(len(shared), len(step.loops)):
            total = total + rises[depth] * (step.loops[depth].trips - 1)
        return total + self._shared_part(shared, rises, distance)

    def _earlier(self, step: Step) -> int:
        """Signals of the instructions before `step`, once it runs in the first iterations of all its loops."""
        if not step.loops:
            return self.before[step]
        total = self.before[step.loops[0]]
        for nest, orders in self.orders[step.loops[0]].items():
            if count := bisect_left(orders, step.order):
                total += count * math.prod(loop.trips for loop in nest[len(common_prefix(nest, step.loops)) :])
        return total

    @staticmethod
    def _shared_part(shared: tuple[Loop, ...], rises: list[int], distance: int) -> Expr:
        """What the shared counters add, `distance` iterations before their present values."""
        weights = strides_of_nest(shared)
        if distance == 0 or len(shared) == 1:
            number = sum((Expr.counter(k) * rises[k] for k in range(len(shared))), Expr(0))
            return number - (distance * rises[0] if shared else 0)
        if all(rises[k] == rises[-1 + len(shared)] * weights[k] for k in range(len(shared))):
            return (_iteration(shared) - distance) * rises[len(shared) - 1]
        number, total = _iteration(shared) - distance, Expr(0)
        for k, loop in enumerate(shared):
            counter = number.floordiv(weights[k])
            total = total + (counter.mod(loop.trips) if k else counter) * rises[k]
        return total


Known = dict[tuple[Expr, Expr], int]
"""Waits of a stream so far: by semaphore and threshold without its constant, the largest constant."""


def _place_waits(
    ops: list[Operation],
    waits: dict[Operation, list[isa.Wait]],
    ranges: dict[Operation, tuple[Loop, ...]],
    known: Known,
) -> None:
    """Writes the waits into a stream, leaving out those that an earlier wait of the stream covers."""
    known = dict(known)
    for op in ops:
        if isinstance(op, isa.RepeatOp):
            op.properties.pop("loop", None)
            _place_waits(op.items, waits, ranges, known)
            continue
        assert isinstance(op, isa.IsaInstruction)
        op.properties.pop("order", None)
        needed: list[isa.Wait] = []
        for wait in sorted(waits.get(op, []), key=lambda w: -w.value.const):
            if _can_block(wait, ranges[op]) and _is_news(wait, known):
                needed.append(wait)
        emit = Emitter.before(op)
        for wait in needed[:-1]:
            emit.add(isa.EventSemaphoreOp.create(properties={"wait": isa.WaitAttr(wait)}))
        if needed:
            op.properties["wait"] = isa.WaitAttr(needed[-1])


def _is_news(wait: isa.Wait, known: Known) -> bool:
    """Whether no wait before is for the same semaphore to reach at least as much; notes this one."""
    event = wait.semaphore, wait.value - wait.value.const
    if known.get(event, wait.value.const - 1) >= wait.value.const:
        return False
    known[event] = wait.value.const
    return True


def _can_block(wait: isa.Wait, loops: tuple[Loop, ...]) -> bool:
    """Whether the threshold is ever above zero."""
    return wait.value.bounds(lambda key: (0, loops[key].trips - 1 if isinstance(key, int) else 0))[1] > 0
