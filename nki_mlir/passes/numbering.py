"""Which semaphore an event raises, and which count names it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nki_mlir.analysis.dependences import Edge, slots
from nki_mlir.analysis.overlap import strides_of_nest
from nki_mlir.analysis.program_order import Body, Loop, Step, common_loops, common_prefix
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError


@dataclass
class _Group:
    """The semaphores `first` to `first + depth - 1` of a DMA instruction, each at `count` transfers when it starts."""

    first: int
    depth: int
    count: int = 0
    last: Step | None = None


class Numbering:
    """Which semaphore each event of a body raises, and to what: the first `used` of `semaphores`. `runs` has, for each
    stream, the register that counts how often the body has run before; none where it runs once. A semaphore is raised
    in this body only and, in each run, equally often."""

    def __init__(self, body: Body, edges: Sequence[Edge], semaphores: range, runs: Mapping[Engine, Expr]):
        self.body, self.runs, self.semaphores = body, runs, semaphores
        sources = {edge.earlier for edge in edges}
        self.signalled = {s for s in sources if not s.is_dma}
        engines = [e for e in Engine if any(s.engine is e for s in self.signalled)]
        self.engine_semaphore = {engine: semaphores.start + number for number, engine in enumerate(engines)}
        self.used = len(engines)
        self.groups: dict[Step, _Group] = {}
        self.reuse: list[Edge] = []
        self.transfers: dict[int, int] = {}
        pool: list[_Group] = []
        for step in (s for s in body.steps if s.is_dma and s in sources):
            self._give(step, pool)
        self.counts = {
            engine: _Counts([s for s in body.steps if s in self.signalled and s.engine is engine]) for engine in engines
        }

    def _give(self, step: Step, pool: list[_Group]) -> None:
        """Gives a transfer semaphores of its own, while there are any; `transfers` of a run raise each."""
        if self.used + slots(step) <= len(self.semaphores):
            pool.append(_Group(self.semaphores.start + self.used, slots(step)))
            self.used += slots(step)
            self.groups[step] = pool[-1]
        else:
            self._share(step, pool)
        group = self.groups[step]
        group.last = step
        self.transfers[group.first] = group.count + step.instances // group.depth

    def _share(self, step: Step, pool: list[_Group]) -> None:
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
            step.op,
            f"the kernel needs more than the {self.semaphores.stop} semaphores of a core: too many separate transfers",
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
        runs = self.runs.get(edge.later.engine, Expr(0))
        if not step.is_dma:
            counts = self.counts[step.engine]
            threshold = self._inside(counts.after(step, shared, edge.distance))
            yield isa.Wait(Expr(self.engine_semaphore[step.engine]), threshold + runs * counts.total)
            return
        inner = step.instances
        for loop in shared:
            inner //= loop.trips
        last = (_iteration(shared) - edge.distance) * inner + (inner - 1)
        increment, depth, group = target_of(step.op).dma.increment, slots(step), self.groups[step]
        before = runs * self.transfers[group.first]
        for back in edge.slots:
            instance = last - back
            count = self._inside(instance.floordiv(depth) + 1 + group.count)
            yield isa.Wait(self._slot(step, instance), (count + before) * increment)

    def _slot(self, step: Step, instance: Expr) -> Expr:
        return self._inside(instance.mod(slots(step)) + self.groups[step].first)

    def _inside(self, expr: Expr) -> Expr:
        """With the counters of the body's repeats as its streams have them."""
        depth = len(self.body.outer)
        return expr.substitute({k: Expr.counter(k + depth) for k in expr.counters() if isinstance(k, int)})


def _iteration(loops: Sequence[Loop]) -> Expr:
    """The iteration number of a nest, counted through."""
    number = Expr(0)
    for depth, weight in enumerate(strides_of_nest(loops)):
        number = number + Expr.counter(depth) * weight
    return number


class _Counts:
    """How often an engine has signalled, at each of its signalling instructions: `signals` in one iteration of a nest,
    `before` in front of an outermost loop or an instruction outside loops, `orders` the places of those in a loop,
    `total` in all."""

    def __init__(self, steps: Sequence[Step]):
        self.signals: dict[tuple[Loop, ...], int] = {}
        self.before: dict[Loop | Step, int] = {}
        self.orders: dict[Loop, dict[tuple[Loop, ...], list[int]]] = {}
        self.total = 0
        for step in steps:
            self.before.setdefault(step.loops[0] if step.loops else step, self.total)
            self.total += step.instances
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
