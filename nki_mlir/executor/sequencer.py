"""A sequencer: issues the instructions of one stream in order.

The head instruction issues when its semaphore has the value it waits for and its engine can take it. It reads its
inputs then; its results are written, and its semaphore is raised, when it completes. Instructions of one engine
complete in order, but a later one may issue before an earlier one has completed: nothing but a semaphore makes it wait.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from nki_mlir.dialects.access import Engine
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.program import UPDATE, VALUE, WAIT, MicroOp, Walk
from nki_mlir.executor.recording import NONE
from nki_mlir.executor.reports import Blocked, where
from nki_mlir.executor.simulation import Core, Semaphore, Simulation
from nki_mlir.executor.state import EngineState
from nki_mlir.executor.tensor_array import TensorArray
from nki_mlir.executor.unrolled import Unrolled

_LOOK_AHEAD = 200_000
"""Instructions of a blocked stream that a deadlock report looks at."""


class Action(ABC):
    """What a micro-op does when it issues. `gated` actions are asked by `ready_at` when their engine can take them;
    `issue` gives the time from which the sequencer may issue again. `delay` is how much later it issues, and completes,
    than it could, in ns; a transfer issues in time and moves its data later."""

    delay: float
    gated = False

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return now

    def choices(self, numbers: Sequence[Any]) -> Sequence[Any]:
        """What of the numbers its time depends on, semaphores aside: a few small numbers, made of integers or arrays of
        them."""
        return ()

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        """Its effect on memory, if it has one, all of it at once: for what runs without events."""
        return None

    @abstractmethod
    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float: ...


class Sequencer:
    """Issues the micro-ops of a stream; `actions` says what each of them does. `completed` is when the last one issued
    so far completes; `since` when the engine came to the head, `ready` when the head's semaphore allowed it; `queued`
    the latest time at which a semaphore allowed the head or an instruction before it; `issue` is the place in the trace
    of what issued last."""

    def __init__(
        self,
        simulation: Simulation,
        core: Core,
        engine: Engine,
        walk: Walk | Unrolled,
        actions: Mapping[MicroOp, Action],
    ):
        self.simulation, self.core, self.engine, self.actions = simulation, core, engine, actions
        self.unit = simulation.unit(core.index, engine)
        self.walk = walk
        self.head: MicroOp | None = None
        self.numbers: tuple[int, ...] = ()
        self.waits_for: Semaphore | None = None
        self.since = self.ready = self.completed = self.queued = self.delay = 0.0
        self.delayed = False
        self.array = TensorArray(simulation.target)
        self.state = EngineState()
        self.function_set: str | None = None
        self.done = False
        self.issue = NONE

    def advance(self, now: float) -> None:
        """Issues what can issue now, then asks to be called again when the engine is free."""
        trace = self.simulation.trace
        while True:
            if self.head is None and not self._fetch(now):
                return
            micro_op = self.head
            assert micro_op is not None
            action = self.actions[micro_op]
            if action.gated and (start := action.ready_at(self, now)) > now:
                self.simulation.schedule(start, self.advance, waits=True)
                return
            if action.delay and micro_op.ring is None and not self.delayed:
                self.delayed = True
                self.simulation.schedule(now + action.delay, self.advance)
                return
            self.head, self.delayed, self.delay = None, False, action.delay
            try:
                self.issue = NONE if micro_op.op is None else trace.add(self.unit, micro_op, self.numbers)
            except OverflowError:
                raise self._too_large(micro_op) from None
            free = action.issue(self, now, self.numbers)
            if free > now:
                self.simulation.schedule(free, self.advance)
                return

    def _too_large(self, micro_op: MicroOp) -> ExecutionError:
        assert micro_op.op is not None
        largest = max(self.numbers, key=abs)
        return ExecutionError(f"{where(micro_op.op)}: an address, a semaphore or a count is {largest}, beyond 64 bits")

    def _fetch(self, now: float) -> bool:
        """Takes the next instruction; False if there is none or it has to wait for a semaphore."""
        micro_op = next(self.walk.micro_ops, None)
        if micro_op is None:
            self.done = True
            return False
        self.simulation.left -= 1
        if self.simulation.left < 0:
            raise self.simulation.too_long(micro_op.op)
        self.head = micro_op
        self.since = self.ready = now
        self.numbers = numbers = self.walk.numbers(micro_op)
        if micro_op.waits:
            semaphore = self.core.semaphore(numbers[WAIT], micro_op.op)
            if semaphore.value < numbers[VALUE]:
                self.waits_for = semaphore
                semaphore.waiters.append((numbers[VALUE], self.resume))
                self.walk.hold()
                return False
            if semaphore.raised > self.queued:
                self.queued = semaphore.raised
        return True

    def resume(self, now: float) -> None:
        """The semaphore that the head waits for has reached its value."""
        self.waits_for, self.ready, self.queued = None, now, now
        self.advance(now)

    def postpone(self, ns: float, issues: int) -> None:
        """Goes on later, from where its walk is by now, as if there had been so many issues meanwhile."""
        self.since, self.ready = self.since + ns, self.ready + ns
        self.completed, self.queued = self.completed + ns, self.queued + ns
        self.array.postpone(ns)
        self.issue += issues
        if self.head is None:
            return
        self.numbers = self.walk.numbers(self.head)
        if (semaphore := self.waits_for) is not None:
            wanted, own = self.numbers[VALUE], self.resume
            semaphore.waiters = [(wanted if resume == own else value, resume) for value, resume in semaphore.waiters]

    def complete_at(self, time: float) -> float:
        """Completion in order."""
        self.completed = max(self.completed, time + self.delay)
        return self.completed

    def forget(self) -> None:
        """Its stream, which is over."""
        self.walk = Walk([], 0)

    def blocked(self) -> Blocked:
        """What a deadlock report needs to know. Uses the stream up."""
        semaphore, micro_op = self.waits_for, self.head
        assert semaphore is not None and micro_op is not None and micro_op.op is not None
        wanted, updates = self.numbers[VALUE], set[tuple[int, int]]()
        if micro_op.update_core is not None:
            updates.add((micro_op.update_core, self.numbers[UPDATE]))
        self.walk.every_path = True
        for later in islice(self.walk.micro_ops, _LOOK_AHEAD):
            if later.update_core is not None:
                updates.add((later.update_core, self.walk.numbers(later)[UPDATE]))
        name, core = self.unit.name, self.core.index
        return Blocked(name, micro_op.op, core, semaphore.number, semaphore.value, wanted, frozenset(updates))
