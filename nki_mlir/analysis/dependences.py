"""Which instruction must have completed before which: the edges that semaphores will carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nki_mlir.analysis.access_index import AccessIndex
from nki_mlir.analysis.overlap import Question
from nki_mlir.analysis.program_order import Loop, Step, common_loops
from nki_mlir.dialects.access import Access, Engine, Space


@dataclass(frozen=True)
class Edge:
    """`later` must wait for `earlier`, as it was `distance` iterations of their common loops before (its last instance
    in that iteration). `slots` counts the outstanding transfers of a DMA that must be waited for: 0 is the last, 1 the
    one before.
    """

    earlier: Step
    later: Step
    distance: int
    slots: tuple[int, ...] = (0,)


class Dependences:
    """The edges of a body. `aliases` gives tensors that may share memory the same number, `more` further edges."""

    def __init__(self, steps: list[Step], aliases: dict[str, int], more: Iterable[Edge] = ()):
        self.steps, self.aliases = steps, aliases
        self.edges: list[Edge] = []
        self._after: dict[Step, int] = {}
        self._issued: dict[Engine, int] = {}
        self._bits = {step: 1 << number for number, step in enumerate(steps)}
        self._index = AccessIndex(steps, aliases)
        for number, later in enumerate(steps):
            self._find(later, number)
        self.edges += more
        self._add_reuse()
        self._reduce()

    def _find(self, later: Step, number: int) -> None:
        """The edges into one instruction, from the nearest before it on. `_after` has, as bits, what is complete before
        each instruction for the last time: a farther one that a nearer one waited for needs no edge of its own, nor
        does one that an instruction before it in its stream waited for."""
        complete = self._issued.get(later.engine, 0)
        for earlier in self._index.before(later, number):
            alone = not (earlier.loops and later.loops and earlier.loops[0] == later.loops[0])
            if alone and (earlier.order >= later.order or complete & self._bits[earlier]):
                continue
            distance = self._distance(earlier, later)
            if distance is None:
                continue
            edge = Edge(earlier, later, distance, self._slots(earlier, later, distance))
            self.edges.append(edge)
            if distance == 0:
                complete |= self._after[earlier]
                if len(edge.slots) == slots(earlier) or not earlier.is_dma:
                    complete |= self._bits[earlier]
        self._after[later] = self._issued[later.engine] = complete

    def _pairs(self, earlier: Step, later: Step) -> list[tuple[Access, Access]]:
        """The accesses whose order matters. On one engine, which completes in order, only a read after a write does;
        matmuls into PSUM keep their order too. A stream that has left run-time control flow has seen all of it end."""
        if later.engine in earlier.entered:
            return []
        same_engine = earlier.engine is later.engine and not earlier.transfers and not later.transfers
        if same_engine and earlier.is_matmul and later.is_matmul:
            return []
        pairs = [(w, r) for w in earlier.writes for r in later.reads]
        if not same_engine:
            pairs += [(a, w) for a in (*earlier.reads, *earlier.writes) for w in later.writes]
        return [(a, b) for a, b in pairs if self._one_memory(a, b)]

    def _one_memory(self, a: Access, b: Access) -> bool:
        return self._index.memory(a) == self._index.memory(b)

    def _question(self, a: Access, earlier: Step, b: Access, later: Step) -> Question:
        return Question(a, earlier.loops, b, later.loops, len(common_loops(earlier, later)))

    def _distance(self, earlier: Step, later: Step) -> int | None:
        """The smallest number of iterations between the two at which they conflict; None where they never do."""
        best: int | None = None
        for a, b in self._pairs(earlier, later):
            found = self._conflict(a, earlier, b, later)
            if found is not None and (best is None or found < best):
                best = found
        return best

    def _conflict(self, a: Access, earlier: Step, b: Access, later: Step) -> int | None:
        first = 0 if earlier.order < later.order else 1
        shared = common_loops(earlier, later)
        most = _iterations(shared) - 1
        if a.space is Space.HBM and a.tensor != b.tensor:
            return first if first <= most else None
        question = self._question(a, earlier, b, later)
        if not question.may_meet():
            return None
        last = min(most, max(1, question.period))
        for distance in range(first, last + 1):
            if question.meets_at(distance):
                return distance
        return last + 1 if last < most and question.meets_later() else None

    def _slots(self, earlier: Step, later: Step, distance: int) -> tuple[int, ...]:
        depth = slots(earlier)
        if not earlier.is_dma or depth == 1:
            return (0,)
        if len(common_loops(earlier, later)) < len(earlier.loops):
            return tuple(range(depth))
        most = earlier.instances - 1
        needed = [0]
        for more in range(1, depth):
            if distance + more <= most and any(
                (a.space is Space.HBM and a.tensor != b.tensor)
                or self._question(a, earlier, b, later).meets_at(distance + more)
                for a, b in self._pairs(earlier, later)
            ):
                needed.append(more)
        return tuple(needed)

    def _add_reuse(self) -> None:
        """A transfer that is waited for may be started again only when the one before on its semaphore is complete."""
        sources = {edge.earlier: None for edge in self.edges if edge.earlier.is_dma}
        for step in sources:
            if step.instances > slots(step):
                self.edges.append(Edge(step, step, slots(step)))

    def _reduce(self) -> None:
        """Drops edges that two others imply, the middle one's completion lying in between."""
        into: dict[Step, list[Edge]] = {}
        for edge in self.edges:
            into.setdefault(edge.later, []).append(edge)
        for later in self.steps:
            kept = into.get(later, [])
            for edge in sorted(kept, key=lambda e: (e.distance == 0, e.earlier.order)):
                others = [e for e in kept if e is not edge]
                if any(_implied(edge, second, into) for second in others):
                    kept.remove(edge)
        self.edges = [edge for later in self.steps for edge in into.get(later, [])]


def _implied(edge: Edge, second: Edge, into: dict[Step, list[Edge]]) -> bool:
    """Whether `second`, after some edge into its source, makes `edge` superfluous."""
    if second.distance > edge.distance or second.earlier is edge.later or second.earlier is edge.earlier:
        return False
    shared = common_loops(edge.earlier, edge.later)
    if edge.distance and common_loops(second.earlier, second.later) != shared:
        return False
    if not edge.distance and len(common_loops(second.earlier, second.later)) < len(shared):
        return False
    for first in into.get(second.earlier, []):
        if first.earlier is not edge.earlier or first.distance + second.distance != edge.distance:
            continue
        if not set(edge.slots) <= set(first.slots):
            continue
        nest = common_loops(first.earlier, first.later)
        if nest == shared or (edge.distance == 0 and len(nest) >= len(shared)):
            return True
    return False


def _iterations(loops: tuple[Loop, ...]) -> int:
    total = 1
    for loop in loops:
        total *= loop.trips
    return total


def slots(step: Step) -> int:
    """How many transfers of a DMA instruction may be under way: as many as its buffer has slots. Where its body may run
    again, each slot is used equally often in a run, so that the semaphores of all of them have risen alike."""
    if not step.loops:
        return 1
    periods = [_period(access) for access in (*step.reads, *step.writes) if access.on_chip]
    depth = min(step.instances, max(periods, default=1))
    return 1 if step.again and step.instances % depth else depth


def _period(access: Access) -> int:
    return Question(access, (), access, (), 0).period
