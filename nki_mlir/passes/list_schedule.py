"""Puts instructions in the order in which engines can do them, as far as there is room for what is then alive."""

from __future__ import annotations

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
        """Instructions in the order in which they can start, of those at the same time the one that has to first; what
        is not among them is there. At most `ahead` are passed by. With `banks`, it matters when PSUM is free again, and
        sums that wait for others leave so many free: what these need can be made there, one after the other."""
        mine, left = set(steps), dict.fromkeys(steps)
        missing = {step: len(mine.intersection(step.before)) for step in steps}
        buffers, order = _Buffers(steps, room, left, self.target, banks), list[Node]()
        ready = {step: self.ready(step) for step in steps if not missing[step]}

        def start(step: Node) -> float:
            return self.start(step, max(ready[step], buffers.since(step)))

        while left:
            first = next(iter(left))
            near = [(start(s), s.latest, s.number, s) for s in ready if s.number < first.number + ahead]
            step = next((step for *_, step in sorted(near) if buffers.has_room(step)), None)
            step = step or min(ready, key=lambda s: s.number)
            self.issue(step, start(step))
            order.append(step)
            del left[step]
            del ready[step]
            buffers.use(step, len(order), self.given[step])
            for later in [later for later in step.after if later in mine]:
                missing[later] -= 1
                if not missing[later]:
                    ready[later] = self.ready(later)
        return order


class _Banks:
    """Banks of PSUM as `allocate` deals them out in turn: those that are free for the longest time first."""

    def __init__(self, number: int, bank_bytes: int):
        self.bank_bytes = bank_bytes
        self.free: list[tuple[int, float] | None] = [(-1, 0.0)] * number
        self.taken: dict[AllocOp, range] = {}
        self.found: dict[int, range | None] = {}

    def place(self, size: int) -> range | None:
        """Where so many bytes go that begin to live now."""
        if size not in self.found:
            many = -(-size // self.bank_bytes)
            windows = (range(n, n + many) for n in range(len(self.free) - many + 1))
            free = [(max(last for last, _ in ends), at.start, at) for at in windows if (ends := self._ends(at))]
            self.found[size] = min(free)[-1] if free else None
        return self.found[size]

    def _ends(self, banks: range) -> list[tuple[int, float]]:
        """When banks that are free were last used; nothing if one of them is not."""
        ends = [self.free[n] for n in banks]
        return [end for end in ends if end is not None] if None not in ends else []

    def since(self, size: int) -> float:
        """From when on so many bytes are free."""
        place = self.place(size)
        return 0.0 if place is None else max(since for _, since in self._ends(place))

    def take(self, buffer: AllocOp, size: int) -> None:
        place = self.place(size)
        if place is not None:
            self.taken[buffer] = place
            self._set(place, None)

    def give(self, buffer: AllocOp, number: int, since: float) -> None:
        self._set(self.taken.pop(buffer, range(0)), (number, since))

    def _set(self, banks: range, end: tuple[int, float] | None) -> None:
        for n in banks:
            self.free[n] = end
        self.found = {}


class _Buffers:
    """The buffers that a run makes, and where there is room for them. `left` are the instructions that are still to
    come; sums that wait for others leave so many `banks` of PSUM."""

    def __init__(
        self,
        steps: Sequence[Node],
        room: Mapping[Space, int],
        left: Mapping[Node, None],
        target: Target,
        banks: int,
    ):
        bank_bytes = target.memory.psum_bank_bytes
        self.left, self.room, self.most = left, dict(room), room[Space.PSUM] - banks * bank_bytes
        self.sums = set[AllocOp]()
        self.banks = _Banks(room[Space.PSUM] // bank_bytes, bank_bytes) if banks else None
        self.made = {step: [b for b in step.buffers if b.parent is step.op.parent] for step in steps}
        self.users: dict[AllocOp, list[Node]] = {}
        for step, buffers in self.made.items():
            for buffer in buffers:
                self.users.setdefault(buffer, []).append(step)
        self.sizes = {buffer: slot_bytes(buffer, target) for buffer in self.users}
        self.uses = {buffer: len(users) for buffer, users in self.users.items()}
        self.alive = set[AllocOp]()
        self.needs: dict[Space, dict[Node, int]] = {Space.PSUM: {}, Space.SBUF: {}}
        for buffer in self.users:
            self._begin(buffer, self.sizes[buffer])

    def _begin(self, buffer: AllocOp, size: int) -> None:
        """So many bytes more begin to live with each of the users of a buffer."""
        needs = self.needs[buffer.buffer.space]
        for user in self.users[buffer]:
            needs[user] = needs.get(user, 0) + size

    def has_room(self, step: Node) -> bool:
        """Whether there is room for what an instruction makes. Sums that wait for others are never in all banks, so
        that what they wait for can be made."""
        psum, sbuf = self.needs[Space.PSUM].get(step, 0), self.needs[Space.SBUF].get(step, 0)
        if sbuf and sbuf > self.room[Space.SBUF]:
            return False
        if psum and psum > self.room[Space.PSUM]:
            return False
        if not psum or self.banks is None:
            return True
        if self.banks.place(psum) is None:
            return False
        return sum(map(self.sizes.__getitem__, self.sums)) + psum <= self.most or not self._waiting(step)

    def _waiting(self, step: Node) -> list[AllocOp]:
        """The buffers of PSUM that begin to live with an instruction, while some of what uses them waits for what is
        still to come and does not."""
        begun = [b for b in self.made[step] if b.buffer.space is Space.PSUM and b not in self.alive]
        return [buffer for buffer in begun if self._waits(buffer)]

    def _waits(self, buffer: AllocOp) -> bool:
        earlier = (earlier for user in self.users[buffer] for earlier in user.before)
        return any(one in self.left and buffer not in one.buffers for one in earlier)

    def since(self, step: Node) -> float:
        """From when on there is room in PSUM for what an instruction makes."""
        size = self.needs[Space.PSUM].get(step, 0)
        return self.banks.since(size) if size and self.banks is not None else 0.0

    def use(self, step: Node, number: int, given: float) -> None:
        """What begins to live with the instruction of a number does, and what it is the last to use is free when it
        has given what it gives."""
        if self.banks is not None:
            self.sums.update(self._waiting(step))
        for buffer in self.made[step]:
            space, size = buffer.buffer.space, self.sizes[buffer]
            banks = self.banks if space is Space.PSUM else None
            if buffer not in self.alive:
                self.alive.add(buffer)
                self.room[space] -= size
                self._begin(buffer, -size)
                if banks is not None:
                    banks.take(buffer, size)
            self.uses[buffer] -= 1
            if not self.uses[buffer]:
                self.room[space] += size
                if banks is not None:
                    banks.give(buffer, number, given)
                    self.sums.discard(buffer)
