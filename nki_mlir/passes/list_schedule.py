"""Puts instructions in the order in which engines can do them, as far as there is room for what is then alive."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence

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

    def issue(self, step: Node, at: float) -> None:
        for name, kept in step.kept:
            self.free[name] = max(self.free.get(name, 0.0), at + kept)
        self.given[step], self.started[step] = at + step.latency, at

    def time(self, steps: Iterable[Node]) -> float:
        """The time, in ns, of instructions in an order."""
        for step in steps:
            self.issue(step, self.start(step, self.ready(step)))
        return max(self.given.values(), default=0.0)

    def listed(
        self, steps: Sequence[Node], room: Mapping[Space, int], ahead: int = _AHEAD, banks: int = 0
    ) -> list[Node]:
        """Instructions in the order in which they can start; what is not among them is there. At most `ahead` are
        passed by. With `banks`, it matters when PSUM is free again, and sums that wait for others leave so many free:
        what these need can be made there, one after the other."""
        mine, left = set(steps), dict.fromkeys(steps)
        missing = {step: len(mine.intersection(step.before)) for step in steps}
        buffers, order = _Buffers(steps, room, left, self.target, banks), list[Node]()
        ready = {step: self.ready(step) for step in steps if not missing[step]}

        def start(step: Node) -> float:
            return self.start(step, max(ready[step], buffers.since(step)))

        while left:
            first = next(iter(left))
            near = [(start(s), -s.urgent, s.number, s) for s in ready if s.number < first.number + ahead]
            step = next((step for *_, step in sorted(near) if buffers.has_room(step, step is first)), None)
            step = step or min(ready, key=lambda s: s.number)
            self.issue(step, start(step))
            order.append(step)
            del left[step]
            del ready[step]
            buffers.use(step, self.given[step])
            for later in [later for later in step.after if later in mine]:
                missing[later] -= 1
                if not missing[later]:
                    ready[later] = self.ready(later)
        return order


class _Buffers:
    """The buffers that a run makes, and where there is room for them: bytes of PSUM are written again from when on they
    are free, the first ones first. `left` are the instructions that are still to come."""

    def __init__(
        self,
        steps: Sequence[Node],
        room: Mapping[Space, int],
        left: Mapping[Node, None],
        target: Target,
        banks: int,
    ):
        self.left, self.room, self.free = left, dict(room), [(0.0, room[Space.PSUM])]
        self.made = {step: [b for b in step.buffers if b.parent is step.op.parent] for step in steps}
        self.users: dict[AllocOp, list[Node]] = {}
        for step, buffers in self.made.items():
            for buffer in buffers:
                self.users.setdefault(buffer, []).append(step)
        self.sizes = {buffer: slot_bytes(buffer, target) for buffer in self.users}
        self.uses = {buffer: len(users) for buffer, users in self.users.items()}
        self.kept = banks * target.memory.psum_bank_bytes
        self.alive = set[AllocOp]()

    def _needed(self, step: Node, space: Space) -> list[AllocOp]:
        """The buffers of a memory that begin to live with an instruction."""
        return [b for b in self.made[step] if b not in self.alive and b.buffer.space is space]

    def _bytes(self, step: Node, space: Space) -> int:
        return sum(self.sizes[buffer] for buffer in self._needed(step, space))

    def has_room(self, step: Node, is_first: bool) -> bool:
        """Whether there is room for what an instruction makes; beside sums that wait for others, if it is not the first
        of those to come, also for others."""
        psum, sbuf = self._bytes(step, Space.PSUM), self._bytes(step, Space.SBUF)
        if psum and self.kept and not is_first and any(map(self._waits, self._needed(step, Space.PSUM))):
            psum += self.kept
        return (not sbuf or sbuf <= self.room[Space.SBUF]) and (not psum or psum <= self.room[Space.PSUM])

    def _waits(self, buffer: AllocOp) -> bool:
        """Whether some of what uses a buffer waits for what is still to come and does not."""
        earlier = (earlier for user in self.users[buffer] for earlier in user.before)
        return any(one in self.left and buffer not in one.buffers for one in earlier)

    def since(self, step: Node) -> float:
        """From when on there is room in PSUM for what an instruction makes."""
        size, at = self._bytes(step, Space.PSUM) if self.kept else 0, 0.0
        for time, free in self.free:
            if size <= 0:
                break
            at, size = time, size - free
        return at

    def use(self, step: Node, given: float) -> None:
        """What begins to live with an instruction does, and what it is the last to use is free when it has given what
        it gives."""
        taken = self._bytes(step, Space.PSUM)
        while taken and self.free:
            time, free = self.free.pop(0)
            if free > taken:
                self.free.insert(0, (time, free - taken))
            taken -= min(free, taken)
        for buffer in self.made[step]:
            space, size = buffer.buffer.space, self.sizes[buffer]
            if buffer not in self.alive:
                self.alive.add(buffer)
                self.room[space] -= size
            self.uses[buffer] -= 1
            if not self.uses[buffer]:
                self.room[space] += size
                if space is Space.PSUM:
                    insort(self.free, (given, size))
