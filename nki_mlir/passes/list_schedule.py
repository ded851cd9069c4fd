"""Puts instructions in the order in which engines can do them, as far as there is room for what is then alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from nki_mlir.analysis.lifetimes import Lifetime, capacity
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.passes.engine_nodes import Node
from nki_mlir.targets import Target

_AHEAD = 256
"""How many instructions may be passed by."""


def room_for(lives: Sequence[Lifetime], steps: Sequence[Node], space: Space, target: Target) -> int:
    """Bytes beside what is alive that is not of this run."""
    mine = {buffer for step in steps for buffer in step.buffers if buffer.parent is step.op.parent}
    lives = [life for life in lives if life.alloc.buffer.space is space]
    first = min((life.first for life in lives if life.alloc in mine), default=0)
    last = max((life.last for life in lives if life.alloc in mine), default=0)
    others = [life for life in lives if life.alloc not in mine and life.first <= last and first <= life.last]
    return capacity(target, space) - sum(life.size for life in others)


class Machine:
    """When engines and ports are free, what was given when, and what started when."""

    def __init__(self, target: Target):
        self.target = target
        self.free: dict[str, float] = {}
        self.given: dict[Node, float] = {}
        self.started: dict[Node, float] = {}

    def ready(self, step: Node) -> float:
        """When all is there that a step waits for."""
        return max((self.given.get(earlier, 0.0) for earlier, waits in step.before.items() if waits), default=0.0)

    def start(self, step: Node, ready: float) -> float:
        """When it can start that has what it waits for by then."""
        for name, _ in step.kept:
            if (free := self.free.get(name, 0.0)) > ready:
                ready = free
        return ready

    def issue(self, step: Node) -> None:
        at = self.start(step, self.ready(step))
        for name, kept in step.kept:
            self.free[name] = max(self.free.get(name, 0.0), at + kept)
        self.given[step], self.started[step] = at + step.latency, at

    def time(self, steps: Iterable[Node]) -> float:
        """The time, in ns, of instructions in an order."""
        for step in steps:
            self.issue(step)
        return max(self.given.values(), default=0.0)

    def listed(self, steps: Sequence[Node], room: dict[Space, int]) -> list[Node]:
        """Instructions in the order in which they can start; what is not among them is there."""
        mine = set(steps)
        missing = {step: len(mine.intersection(step.before)) for step in steps}
        uses = Counter(buffer for step in steps for buffer in step.buffers)
        sizes = {buffer: (buffer.buffer.space, slot_bytes(buffer, self.target)) for buffer in uses}
        made = {step: [buffer for buffer in step.buffers if buffer.parent is step.op.parent] for step in steps}
        alive = set[AllocOp]()

        def has_room(step: Node) -> bool:
            needed = dict.fromkeys(room, 0)
            for space, size in (sizes[buffer] for buffer in made[step] if buffer not in alive):
                needed[space] += size
            return all(needed[space] <= max(0, room[space]) for space in room)

        left, order = dict.fromkeys(steps), list[Node]()
        ready = {step: self.ready(step) for step in steps if not missing[step]}
        while left:
            first = next(iter(left))
            near = [
                (self.start(step, at), -step.urgent, step.number, step)
                for step, at in ready.items()
                if step.number < first.number + _AHEAD
            ]
            step = next((step for *_, step in sorted(near) if has_room(step)), None)
            step = step or min(ready, key=lambda s: s.number)
            self.issue(step)
            order.append(step)
            del left[step]
            del ready[step]
            for buffer in made[step]:
                space, size = sizes[buffer]
                if buffer not in alive:
                    alive.add(buffer)
                    room[space] -= size
                uses[buffer] -= 1
                if not uses[buffer]:
                    room[space] += size
            for later in [later for later in step.after if later in mine]:
                missing[later] -= 1
                if not missing[later]:
                    ready[later] = self.ready(later)
        return order
