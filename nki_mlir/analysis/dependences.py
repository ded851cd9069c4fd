"""Which instruction must have completed before which: the edges that semaphores will carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from nki_mlir.analysis.access_index import AccessIndex, Indexed
from nki_mlir.analysis.footprints import Footprint
from nki_mlir.analysis.overlap import Question, Touch, moves, period
from nki_mlir.analysis.program_order import Event, Loop, Step, common_loops
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Expr

UNDER_WAY = 2
"""How many transfers of an instruction that has other bytes of a buffer in each iteration may be under way: one starts
while the other moves its data."""


_SHORTER = 2
"""So many times as often has to happen what is waited for in part only, as what waits for it."""

_MOST_TRIED = 16
"""In how many iterations of a loop the last conflict is looked for, from its last one back, and the first one."""


class Edge(NamedTuple):
    """`later` must wait for the event of `earlier`, as it was `distance` iterations of their common loops before (its
    last instance until then). `slots` counts the outstanding transfers of a DMA that must be waited for: 0 is the last,
    1 the one before. `until` is the iteration of the loops that `earlier` is in without `later` up to which it must
    have completed, where that is not their last; `begin` the iteration of the outermost loop of `later` before which
    it need not wait."""

    earlier: Step
    later: Step
    distance: int
    slots: tuple[int, ...] = (0,)
    until: tuple[int, ...] | None = None
    begin: int = 0

    @property
    def is_full(self) -> bool:
        """Whether each instance of `later` waits for all of `earlier` until then."""
        return self.until is None and not self.begin


class _Operand(NamedTuple):
    """An access, what it may touch, the number of its memory, where it begins, and a number that is equal for accesses
    that are alike but for that."""

    access: Access
    footprint: Footprint
    memory: int
    begin: int
    number: int

    def is_in_other_tensor(self, other: _Operand) -> bool:
        """Whether nothing is known of how the addresses of two tensors relate."""
        return self.access.space is Space.HBM and self.access.tensor != other.access.tensor


class _Side:
    """What matters of a step; `loops` and `spans` are numbers, equal for equal ones."""

    def __init__(self, step: Step, reads: list[_Operand], writes: list[_Operand], loops: int, spans: int):
        self.step, self.reads, self.writes, self.loops, self.spans = step, reads, writes, loops, spans
        self.is_matmul = step.is_matmul


class Dependences:
    """The edges of a body. `aliases` gives tensors that may share memory the same number, `more` further edges. What
    many instructions access is asked about once, and so are accesses that are as far apart as others like them."""

    def __init__(self, steps: list[Step], aliases: dict[str, int], more: Iterable[Edge] = ()):
        self.steps, self.aliases = steps, aliases
        self.edges: list[Edge] = []
        self._after: dict[Step, int] = {}
        self._issued: dict[Engine, int] = {}
        self._numbers: dict[object, int] = {}
        self._shared: dict[tuple[int, int], tuple[int, int]] = {}
        self._answers: dict[tuple[int, ...], int | None] = {}
        self._ends: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
        self._bits = {step: 1 << number for number, step in enumerate(steps)}
        self._index = AccessIndex(steps, aliases)
        self._sides = {
            step: self._side(step, touches) for step, touches in zip(steps, self._index.touches, strict=True)
        }
        self._depths = {event: slots(event) for event in dict.fromkeys(step.event for step in steps)}
        for number, later in enumerate(steps):
            self._find(later, number)
        self.edges += more
        reuse = list(self._reuse())
        self.edges += [edge for edge in reuse if edge.distance]
        counted = [edge for edge in reuse if not edge.distance]
        known = _Graph(self.edges if counted else ())
        self._reduce()
        self.edges += [edge for edge in counted if not _is_complete(edge, known)]

    def _find(self, later: Step, number: int) -> None:
        """The edges into one instruction, from the nearest before it on. `_after` has, as bits, what is complete before
        each instruction for the last time: a farther one that a nearer one waited for needs no edge of its own, nor
        does one that an instruction before it in its stream waited for. Of one that does not run in all iterations,
        what else is in its loop goes on behind its last."""
        complete = self._issued.get(later.engine, 0)
        together = self._index.nest(later)
        left = self._index.before(later, number)
        while left := left & (together | ~complete):
            nearest = left.bit_length() - 1
            left ^= 1 << nearest
            earlier = self.steps[nearest]
            distance = self._distance(earlier, later)
            if distance is None:
                continue
            edge = Edge(earlier, later, distance, self._slots(earlier, later, distance))
            if not distance and not earlier.is_dma and earlier.event.is_whole:
                edge = self._within_loops(edge)
            self.edges.append(edge)
            if distance == 0 and edge.is_full and earlier.runs_with(later):
                complete |= self._after[earlier]
                if not earlier.is_dma or len(edge.slots) == self._depths[earlier.event] or _keeps_up(edge):
                    complete |= self._bits[earlier]
        if later.is_whole:
            self._after[later] = self._issued[later.engine] = complete
        else:
            self._after[later] = complete & ~together

    def _side(self, step: Step, touches: Iterable[Indexed]) -> _Side:
        reads, writes = list[_Operand](), list[_Operand]()
        for touch in touches:
            access, address = touch.access, touch.access.address
            assert address is not None
            memory = self._number(self._index.memory(access))
            number = self._number(replace(access, address=Expr(0, address.terms)))
            operand = _Operand(access, touch.footprint, memory, address.const, number)
            (writes if touch.writes else reads).append(operand)
        return _Side(step, reads, writes, self._number(step.loops), self._number(step.spans))

    def _number(self, part: object) -> int:
        """Equal for what is alike."""
        return self._numbers.setdefault(part, len(self._numbers))

    def _pairs(self, before: _Side, after: _Side) -> list[tuple[_Operand, _Operand]]:
        """The accesses whose order matters. On one engine, which completes in order, only a read after a write does;
        matmuls into PSUM keep their order too. A stream that has left run-time control flow has seen all of it end."""
        earlier, later = before.step, after.step
        if later.engine in earlier.entered:
            return []
        same_engine = earlier.engine is later.engine and not earlier.transfers and not later.transfers
        if same_engine and before.is_matmul and after.is_matmul:
            return []
        pairs = [(w, r) for w in before.writes for r in after.reads if w.memory == r.memory]
        if not same_engine:
            touched = (*before.reads, *before.writes)
            pairs += [(a, w) for a in touched for w in after.writes if a.memory == w.memory]
        return pairs

    def _common(self, before: _Side, after: _Side) -> tuple[int, int]:
        """How many loops two steps have in common, and the most iterations of those that can lie between them."""
        key = before.loops, after.loops
        found = self._shared.get(key)
        if found is None:
            shared = common_loops(before.step, after.step)
            found = self._shared[key] = len(shared), _iterations(shared) - 1
        return found

    def _distance(self, earlier: Step, later: Step) -> int | None:
        """The smallest number of iterations between the two at which they conflict; None where they never do."""
        best: int | None = None
        first = 0 if earlier.order < later.order else 1
        before, after = self._sides[earlier], self._sides[later]
        for a, b in self._pairs(before, after):
            found = self._conflict(a, before, b, after, first)
            if found is not None and (best is None or found < best):
                best = found
            if best == first:
                break
        return best

    def _conflict(self, a: _Operand, before: _Side, b: _Operand, after: _Side, first: int) -> int | None:
        """The same for two accesses, of which `first` is the least that there can be."""
        shared, most = self._common(before, after)
        if a.is_in_other_tensor(b):
            return first if first <= most else None
        key = *_likeness(a, before, b, after), first
        if key not in self._answers:
            question, may = _question(a, before, b, after, shared), a.footprint.meets(b.footprint)
            self._answers[key] = _first_meeting(question, first, most) if may else None
        return self._answers[key]

    def _slots(self, earlier: Step, later: Step, distance: int) -> tuple[int, ...]:
        depth = self._depths[earlier.event]
        if not earlier.is_dma or depth == 1 or _keeps_up(Edge(earlier, later, distance)):
            return (0,)
        is_dense = earlier.event.is_whole or later.is_whole
        if len(common_loops(earlier, later)) < len(earlier.loops) or not is_dense:
            return tuple(range(depth))
        most = _iterations(earlier.loops) - 1
        needed = [0]
        before, after = self._sides[earlier], self._sides[later]
        shared, _ = self._common(before, after)
        for more in range(1, depth):
            if distance + more <= most and any(
                a.is_in_other_tensor(b) or _question(a, before, b, after, shared).meets_at(distance + more)
                for a, b in self._pairs(before, after)
            ):
                needed.append(more)
        return tuple(needed)

    def _within_loops(self, edge: Edge) -> Edge:
        """Of instructions that an engine counts: with the iterations in which two that have loops of their own
        conflict. Where those of `later` are not much shorter, it waits for all: once for all costs less than in each
        iteration for what it needs."""
        earlier, later = edge.earlier, edge.later
        before, after = self._sides[earlier], self._sides[later]
        shared, _ = self._common(before, after)
        last = tuple(loop.trips - 1 for loop in earlier.loops[shared:])
        if not last or _SHORTER * _iterations(later.loops[shared:]) > _iterations(earlier.loops[shared:]):
            return edge
        until, begin = (), 0 if shared or not later.loops else later.spans[0].stop - 1
        for a, b in self._pairs(before, after):
            if a.is_in_other_tensor(b):
                return edge
            if a.footprint.meets(b.footprint):
                key = _likeness(a, before, b, after)
                if key not in self._ends:
                    question = _question(a, before, b, after, shared)
                    first = question.first_of_later(_MOST_TRIED) if begin else 0
                    self._ends[key] = question.last_of_earlier(_MOST_TRIED), first
                until, begin = max(until, self._ends[key][0]), min(begin, self._ends[key][1])
        begin = 0 if begin and begin == later.spans[0].start else begin
        return edge._replace(until=None if until == last else until, begin=begin)

    def _reuse(self) -> Iterator[Edge]:
        """A transfer that is waited for may be started again only when the one before on its semaphore is complete."""
        for event in dict.fromkeys(edge.earlier.event for edge in self.edges if edge.earlier.is_dma):
            depth = self._depths[event]
            if event.instances <= depth:
                continue
            if event.is_run:
                yield from (Edge(a, b, depth) for a in event.steps for b in event.steps)
            else:
                yield from (Edge(step, step, 0, (depth,)) for step in event.steps)

    def _reduce(self) -> None:
        """Drops edges that two others imply, the middle one's completion lying in between."""
        graph = _Graph(self.edges)
        for later in self.steps:
            for edge in sorted(graph.into(later), key=lambda e: (e.distance == 0, e.earlier.order)):
                if any(_implied(edge, first, second) for first, second in graph.detours(edge)):
                    graph.drop(edge)
        self.edges = sorted((e for e in self.edges if e not in graph.dropped), key=lambda e: e.later.order)


class _Graph:
    """Edges by both ends."""

    def __init__(self, edges: Iterable[Edge]):
        self.dropped: set[Edge] = set()
        self._into: dict[Step, dict[Step, list[Edge]]] = {}
        self._out_of: dict[Step, dict[Step, list[Edge]]] = {}
        for edge in edges:
            self._into.setdefault(edge.later, {}).setdefault(edge.earlier, []).append(edge)
            self._out_of.setdefault(edge.earlier, {}).setdefault(edge.later, []).append(edge)

    def into(self, later: Step) -> list[Edge]:
        return [edge for edges in self._into.get(later, {}).values() for edge in edges]

    def between(self, earlier: Step, later: Step) -> list[Edge]:
        return self._into.get(later, {}).get(earlier, [])

    def drop(self, edge: Edge) -> None:
        self.dropped.add(edge)
        for ends, one, other in ((self._into, edge.later, edge.earlier), (self._out_of, edge.earlier, edge.later)):
            ends[one][other].remove(edge)
            if not ends[one][other]:
                del ends[one][other]

    def detours(self, edge: Edge) -> Iterator[tuple[Edge, Edge]]:
        """Two edges that lead from one end of an edge to the other, over a third step."""
        onwards, arriving = self._out_of.get(edge.earlier, {}), self._into.get(edge.later, {})
        fewer, more = (onwards, arriving) if len(onwards) < len(arriving) else (arriving, onwards)
        for middle in fewer:
            if middle in more and middle is not edge.earlier and middle is not edge.later:
                yield from product(onwards[middle], arriving[middle])


def _likeness(a: _Operand, before: _Side, b: _Operand, after: _Side) -> tuple[int, ...]:
    """Equal for pairs of accesses of which the same questions have the same answers: alike, and as far apart."""
    distance = b.begin - a.begin
    return a.number, before.loops, before.spans, b.number, after.loops, after.spans, distance


def _question(a: _Operand, before: _Side, b: _Operand, after: _Side, shared: int) -> Question:
    earlier, later = before.step, after.step
    return Question(Touch(a.access, earlier.loops, earlier.spans), Touch(b.access, later.loops, later.spans), shared)


def _first_meeting(question: Question, first: int, most: int) -> int | None:
    """The smallest number of iterations between two accesses, from `first` to `most`, at which they meet."""
    if not question.may_meet():
        return None
    last = min(most, max(1, question.period))
    for distance in range(first, last + 1):
        if question.meets_at(distance):
            return distance
    return last + 1 if last < most and question.meets_later() else None


def _implied(edge: Edge, first: Edge, second: Edge) -> bool:
    """Whether `first` and then `second` make `edge` superfluous."""
    if first.distance + second.distance != edge.distance or not (first.is_full and second.is_full):
        return False
    if not set(edge.slots) <= set(first.slots) and not _keeps_up(first):
        return False
    shared = common_loops(edge.earlier, edge.later)
    nests = [common_loops(one.earlier, one.later) for one in (first, second)]
    if edge.distance:
        within = all(nest == shared for nest in nests)
    else:
        within = all(len(nest) >= len(shared) for nest in nests)
    return within and _always_between(first, second)


def _keeps_up(edge: Edge) -> bool:
    """Whether `later` runs whenever `earlier` does, behind it: it has waited for all instances until then."""
    earlier, later = edge.earlier, edge.later
    if edge.distance or 0 not in edge.slots or not edge.is_full:
        return False
    return common_loops(earlier, later) == earlier.loops and later.runs_with(earlier)


def _is_complete(reuse: Edge, known: _Graph) -> bool:
    """Whether a transfer that would be waited for, some before on its semaphore, has been by one for which this one
    waits anyway."""
    event, step, (depth,) = reuse.earlier.event, reuse.later, reuse.slots
    for one in known.into(step):
        keeper = one.earlier
        if keeper.is_dma or not one.is_full or one.distance > depth or common_loops(keeper, step) != step.loops:
            continue
        if all(any(map(_keeps_up, known.between(earlier, keeper))) for earlier in event.steps):
            return True
    return False


def _always_between(first: Edge, second: Edge) -> bool:
    """Whether the middle of two edges runs whenever it matters: it might not in all iterations of its loops."""
    earlier, middle, later = first.earlier, second.earlier, second.later
    if middle.is_whole:
        return True
    before, after = len(common_loops(earlier, middle)), len(common_loops(middle, later))
    with_earlier, with_later = not first.distance and middle.runs_with(earlier), middle.runs_with(later)
    if not second.distance and with_later and (before <= after or with_earlier):
        return True
    return with_earlier and after <= before and (later.is_whole or (not second.distance and later.runs_with(earlier)))


def _iterations(loops: tuple[Loop, ...]) -> int:
    total = 1
    for loop in loops:
        total *= loop.trips
    return total


def slots(event: Event) -> int:
    """How many transfers of a DMA instruction may be under way: as many as its buffer has slots, or two where each
    iteration has other bytes, but one where what else is in its loops can't tell by its own iteration which of them was
    the last. Where its body may run again, each slot is used equally often in a run, so that the semaphores of all of
    them have risen alike."""
    if not event.loops or not event.is_run:
        return 1
    accesses = (access for step in event.steps for access in (*step.reads, *step.writes))
    periods = [max(period(access), UNDER_WAY if moves(access) else 1) for access in accesses if access.on_chip]
    depth = min(event.instances, event.most, max(periods, default=1))
    return 1 if event.steps[0].again and event.instances % depth else depth
