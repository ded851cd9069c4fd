"""Which semaphore an event raises, and which count names it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from nki_mlir.analysis.dependences import Edge, slots
from nki_mlir.analysis.overlap import strides_of_nest
from nki_mlir.analysis.program_order import Body, Event, Loop, Step, Text, common_loops, common_prefix, volume, within
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of


@dataclass
class _Group:
    """The semaphores `first` to `first + depth - 1` of an event, each at `count` completions when it starts."""

    first: int
    depth: int
    count: int = 0
    last: Event | None = None


class Numbering:
    """Which semaphore each event of a body raises, and to what: the first `used` of `semaphores`. An engine has one for
    its instructions that run in all iterations; one that does not, and each transfer, has its own. `runs` has, for each
    stream, the register that counts how often the body has run before; none where it runs once. A semaphore is raised
    in this body only and, in each run, equally often. `lacking` is an event for which there was none left."""

    def __init__(self, body: Body, edges: Sequence[Edge], semaphores: range, runs: Mapping[Engine, Expr]):
        self.body, self.runs, self.semaphores = body, runs, semaphores
        sources = {edge.earlier.event for edge in edges}
        events = [e for e in dict.fromkeys(step.event for step in body.steps) if e in sources]
        self.counted = [e for e in events if not e.steps[0].is_dma and e.is_whole]
        engines = [engine for engine in Engine if any(e.engine is engine for e in self.counted)]
        self.engine_semaphore = {engine: semaphores.start + number for number, engine in enumerate(engines)}
        self.used = len(engines)
        self.lacking: Event | None = None
        self.groups: dict[Event, _Group] = {}
        self.reuse: list[Edge] = []
        self.completions: dict[int, int] = {}
        pool: list[_Group] = []
        for event in (e for e in events if e not in self.counted):
            self._give(event, pool)
        self.counts = {engine: _Counts([e for e in self.counted if e.engine is engine]) for engine in engines}

    def _give(self, event: Event, pool: list[_Group]) -> None:
        """Gives an event semaphores of its own, while there are any; the `completions` of a run raise each."""
        depth = _depth(event)
        if self.used + depth <= len(self.semaphores):
            pool.append(_Group(self.semaphores.start + self.used, depth))
            self.used += depth
            self.groups[event] = pool[-1]
        elif not self._share(event, pool):
            self.lacking = event
            return
        group = self.groups[event]
        group.last = event
        self.completions[group.first] = group.count + event.instances // depth

    def _share(self, event: Event, pool: list[_Group]) -> bool:
        """Gives an event the semaphores of an earlier one that is complete before it starts, and raises as much; the
        count goes on."""
        for group in pool:
            last = group.last
            if last is None or group.depth != _depth(event) or _is_dma(last) is not _is_dma(event):
                continue
            if common_prefix(last.loops, event.loops) or last.instances % group.depth:
                continue
            pool.remove(group)
            pool.append(_Group(group.first, group.depth, group.count + last.instances // group.depth))
            self.groups[event] = pool[-1]
            slots = tuple(range(group.depth))
            self.reuse += [Edge(last.steps[0], step, 0, slots) for step in event.steps]
            return True
        return False

    def update(self, step: Step, text: Text) -> isa.Update | None:
        """What a text of a step raises when it is done."""
        event = step.event
        if event in self.groups:
            return isa.Update(self._slot(event, _completed(event, event.loops, 0) - 1, text), _increment(event))
        if event in self.counted:
            return isa.Update(Expr(self.engine_semaphore[event.engine]), 1)
        return None

    def needed(self, edges: Iterable[Edge]) -> Iterable[Edge]:
        """One of the edges that ask for the same. The instructions of an engine are complete in order, so that one that
        waits for several of a nest waits for the last."""
        found: dict[object, Edge] = {}

        def place(edge: Edge, shared: int) -> tuple[tuple[int, ...], int]:
            """Of what is waited for, among the instances of a nest in an iteration of the shared loops."""
            own = edge.earlier.loops[shared:]
            return edge.until or tuple(loop.trips - 1 for loop in own), edge.earlier.order

        for edge in edges:
            event, shared = edge.earlier.event, len(common_loops(edge.earlier, edge.later))
            counted = event not in self.groups
            what = (event.engine, event.loops) if counted else (event, edge.slots)
            key = what, shared, edge.later, edge.distance, edge.begin
            if counted and key in found and place(found[key], shared) < place(edge, shared):
                del found[key]
            found.setdefault(key, edge)
        return found.values()

    def waits(self, edge: Edge, text: Text) -> Iterator[isa.Wait]:
        """What a text of the later step of an edge waits for: nothing yet before the edge begins, where it is the same
        in all iterations."""
        for wait in self._waits(edge, text):
            yield isa.Wait(wait.semaphore, self._from(edge, wait.value, text))

    def _from(self, edge: Edge, value: Expr, text: Text) -> Expr:
        """A threshold, 0 before an edge begins."""
        if not (edge.begin and value.is_const) or self.runs:
            return value
        trips = edge.later.loops[0].trips
        return self._inside((Expr.counter(0) + (trips - edge.begin)).floordiv(trips), text) * value.const

    def _waits(self, edge: Edge, text: Text) -> Iterator[isa.Wait]:
        event, distance = edge.earlier.event, edge.distance
        shared = common_loops(edge.earlier, edge.later)
        runs = self.runs.get(edge.later.engine, Expr(0))
        if event not in self.groups:
            counts = self.counts[event.engine]
            threshold = self._inside(counts.after(event, shared, distance) - counts.since(edge, len(shared)), text)
            yield isa.Wait(Expr(self.engine_semaphore[event.engine]), threshold + runs * counts.total)
            return
        group = self.groups[event]
        before = runs * self.completions[group.first]
        completed = [_completed(event, shared, distance) - _not_reached(event, shared, distance, text)]
        if not (event.is_whole or edge.later.is_whole or (not distance and _contains(event, edge.later, shared))):
            completed += _elsewhere(event, shared, distance, text)
        for last, back in product(completed, edge.slots):
            instance = last - (1 + back)
            count = self._inside(instance.floordiv(group.depth) + 1 + group.count, text)
            yield isa.Wait(self._slot(event, instance, text), (count + before) * _increment(event))

    def _slot(self, event: Event, instance: Expr, text: Text) -> Expr:
        group = self.groups[event]
        return self._inside(instance.mod(group.depth) + group.first, text)

    def _inside(self, expr: Expr, text: Text) -> Expr:
        """With the counters of a text's repeats as its stream has them: those of the body count from its first
        iterations."""
        depth = len(self.body.outer)
        if not (depth or any(span.start for span in text.spans)):
            return expr
        firsts = {k: Expr.counter(k + depth) + span.start for k, span in enumerate(text.spans)}
        return expr.substitute({k: firsts[k] for k in expr.counters() if isinstance(k, int)})


def _is_dma(event: Event) -> bool:
    return event.steps[0].is_dma


def _depth(event: Event) -> int:
    """How many semaphores an event has of its own."""
    return slots(event) if _is_dma(event) else 1


def _increment(event: Event) -> int:
    return target_of(event.steps[0].op).dma.increment if _is_dma(event) else 1


def _iteration(loops: Sequence[Loop]) -> Expr:
    """The iteration number of a nest, counted through."""
    number = Expr(0)
    for depth, weight in enumerate(strides_of_nest(loops)):
        number = number + Expr.counter(depth) * weight
    return number


def _digits(shared: Sequence[Loop], distance: int) -> list[Expr]:
    """The counters of a nest `distance` iterations before their present values; the first may be below 0."""
    if not distance:
        return [Expr.counter(depth) for depth in range(len(shared))]
    number = _iteration(shared) - distance
    digits = [number.floordiv(weight) for weight in strides_of_nest(shared)]
    return [digit.mod(loop.trips) if k else digit for k, (digit, loop) in enumerate(zip(digits, shared, strict=True))]


def _completed(event: Event, shared: Sequence[Loop], distance: int) -> Expr:
    """How often an event has happened when it has for the last time in the iteration of the shared loops that is
    `distance` before the current one. Where its iterations lie before or around that, this is no more than that; where
    they are all over, `_not_reached` is to be taken off."""
    inner = volume(event.spans[len(shared) :])
    if shared and event.is_run:
        weight = volume(event.spans[1:])
        return (_iteration(shared) - distance) * inner + inner - event.spans[0].start * weight
    total = Expr(inner)
    for depth, digit in enumerate(_digits(shared, distance)):
        total = total + (digit - event.spans[depth].start) * volume(event.spans[depth + 1 :])
    return total


def _not_reached(event: Event, shared: Sequence[Loop], distance: int, text: Text) -> Expr:
    """Nothing where an event happens; behind its last iteration of a loop, enough to leave less than has happened."""
    total = Expr(0)
    for depth, (loop, digit) in enumerate(zip(shared, _digits(shared, distance), strict=True)):
        behind = _behind(event, loop, depth, digit, None if distance else text)
        if behind != Expr(0) and distance and not depth:
            behind = behind - digit.floordiv(loop.trips)
        total = total + behind * (loop.trips * volume(event.spans[depth + 1 :]))
    return total


def _behind(event: Event, loop: Loop, depth: int, digit: Expr, text: Text | None) -> Expr:
    """1 where a counter, not below 0, is behind an event's last iteration of a loop, else 0; below 0, no more than 0.
    Nothing where none of a text's iterations are."""
    end = event.spans[depth].stop
    if end == loop.trips or (text is not None and text.spans[depth].stop <= end):
        return Expr(0)
    return (digit + (loop.trips - end)).floordiv(loop.trips)


def _contains(event: Event, step: Step, shared: Sequence[Loop]) -> bool:
    """Whether an event happens in all iterations of the shared loops in which a step runs."""
    return all(within(step.spans[k], event.spans[k]) for k in range(len(shared)))


def _elsewhere(event: Event, shared: Sequence[Loop], distance: int, text: Text) -> Iterator[Expr]:
    """How often an event has happened, for each loop of which it does not have all iterations: exactly that where this
    is the outermost loop that is before or behind these, elsewhere no more."""
    total = Expr(0)
    for depth, (loop, span, digit) in enumerate(zip(shared, event.spans, _digits(shared, distance), strict=False)):
        each = volume(event.spans[depth + 1 :])
        behind = _behind(event, loop, depth, digit, None if distance else text)
        if len(span) < loop.trips:
            yield total + behind * (len(span) * each)
        if behind != Expr(0) and distance and not depth:
            behind = behind - digit.floordiv(loop.trips)
        total = total + (digit - span.start) * each - behind * (loop.trips * each)


class _Counts:
    """How often an engine has signalled, at each of its signalling instructions: `signals` in one iteration of a nest,
    `before` in front of an outermost loop or an instruction outside loops, `orders` the places of those in a loop,
    `total` in all."""

    def __init__(self, events: Sequence[Event]):
        self.signals: dict[tuple[Loop, ...], int] = {}
        self.before: dict[Loop | Event, int] = {}
        self.orders: dict[Loop, dict[tuple[Loop, ...], list[int]]] = {}
        self.total = 0
        self._after: dict[tuple[Event, int, int], Expr] = {}
        for step in events:
            self.before.setdefault(step.loops[0] if step.loops else step, self.total)
            self.total += step.instances
            if step.loops:
                self.orders.setdefault(step.loops[0], {}).setdefault(step.loops, []).append(step.order)
            trips = 1
            for depth in range(len(step.loops), 0, -1):
                nest = step.loops[:depth]
                self.signals[nest] = self.signals.get(nest, 0) + trips
                trips *= step.loops[depth - 1].trips

    def after(self, step: Event, shared: tuple[Loop, ...], distance: int) -> Expr:
        """The count once `step` has completed for the last time in the iteration of the shared loops that is `distance`
        before the current one."""
        key = step, len(shared), distance
        if key not in self._after:
            rises = [self.signals[step.loops[: depth + 1]] for depth in range(len(step.loops))]
            total = Expr(1 + self._earlier(step))
            for depth in range(len(shared), len(step.loops)):
                total = total + rises[depth] * (step.loops[depth].trips - 1)
            self._after[key] = total + self._shared_part(shared, rises, distance)
        return self._after[key]

    def since(self, edge: Edge, shared: int) -> int:
        """What the count rises by from the instance that an edge waits for to the last one in an iteration of the
        shared loops."""
        loops, until = edge.earlier.loops, edge.until or ()
        pairs = enumerate(until, shared)
        return sum(self.signals[loops[: depth + 1]] * (loops[depth].trips - 1 - at) for depth, at in pairs)

    def _earlier(self, step: Event) -> int:
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
        return sum((digit * rises[k] for k, digit in enumerate(_digits(shared, distance))), Expr(0))
