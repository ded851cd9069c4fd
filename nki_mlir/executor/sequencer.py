"""A sequencer: issues the instructions of one stream in order.

The head instruction issues when its semaphore has the value it waits for and its engine can take it. It reads its
inputs then; its results are written, and its semaphore is raised, when it completes. Instructions of one engine
complete in order, but a later one may issue before an earlier one has completed: nothing but a semaphore makes it wait.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nki_mlir.dialects.access import Engine
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.decode import UPDATE, VALUE, WAIT, Item, Step, Walk
from nki_mlir.executor.reports import Blocked, where
from nki_mlir.executor.state import EngineState
from nki_mlir.executor.tensor_array import TensorArray
from nki_mlir.executor.trace import NONE

if TYPE_CHECKING:
    from nki_mlir.executor.simulation import Core, Semaphore, Simulation

_LOOK_AHEAD = 200_000
"""Instructions of a blocked stream that a deadlock report looks at."""


class Sequencer:
    """`completed` is when the last instruction issued so far completes; `since` when the engine came to the head,
    `ready` when the head's semaphore allowed it; `queued` the latest time at which a semaphore allowed the head or an
    instruction before it; `issue` is the place in the trace of what issued last."""

    def __init__(self, simulation: Simulation, core: Core, engine: Engine, items: list[Item], registers: int):
        self.simulation, self.core, self.engine = simulation, core, engine
        self.unit = simulation.unit(core.index, engine)
        self.walk = Walk(items, registers)
        self.head: Step | None = None
        self.numbers: tuple[int, ...] = ()
        self.waits_for: Semaphore | None = None
        self.since = self.ready = self.completed = self.queued = self.delay = 0.0
        self.delayed = False
        self.array = TensorArray()
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
            step = self.head
            assert step is not None
            if step.gated and (start := step.ready_at(self, now)) > now:
                self.simulation.schedule(start, self.advance)
                return
            if step.delay and step.ring is None and not self.delayed:
                self.delayed = True
                self.simulation.schedule(now + step.delay, self.advance)
                return
            self.head, self.delayed, self.delay = None, False, step.delay
            try:
                self.issue = NONE if step.op is None else trace.add(self, step, self.numbers)
            except OverflowError:
                raise self._too_large(step) from None
            free = step.issue(self, now, self.numbers)
            if free > now:
                self.simulation.schedule(free, self.advance)
                return

    def _too_large(self, step: Step) -> ExecutionError:
        assert step.op is not None
        largest = max(self.numbers, key=abs)
        return ExecutionError(f"{where(step.op)}: an address, a semaphore or a count is {largest}, beyond 64 bits")

    def _fetch(self, now: float) -> bool:
        """Takes the next instruction; False if there is none or it has to wait for a semaphore."""
        step = next(self.walk.steps, None)
        if step is None:
            self.done = True
            return False
        self.simulation.left -= 1
        if self.simulation.left < 0:
            raise self.simulation.too_long(step)
        self.head = step
        self.since = self.ready = now
        self.numbers = numbers = self.walk.numbers(step)
        if step.waits:
            semaphore = self.core.semaphore(numbers[WAIT], step.op)
            if semaphore.value < numbers[VALUE]:
                self.waits_for = semaphore
                semaphore.waiters.append((numbers[VALUE], self))
                return False
            if semaphore.raised > self.queued:
                self.queued = semaphore.raised
        return True

    def resume(self, now: float) -> None:
        """The semaphore that the head waits for has reached its value."""
        self.waits_for, self.ready, self.queued = None, now, now
        self.advance(now)

    def complete_at(self, time: float) -> float:
        """Completion in order."""
        self.completed = max(self.completed, time + self.delay)
        return self.completed

    def blocked(self) -> Blocked:
        """What a deadlock report needs to know. Uses the stream up."""
        semaphore, step = self.waits_for, self.head
        assert semaphore is not None and step is not None and step.op is not None
        wanted, updates = self.numbers[VALUE], set[tuple[int, int]]()
        if step.update_core is not None:
            updates.add((step.update_core.index, self.numbers[UPDATE]))
        self.walk.every_path = True
        for later in islice(self.walk.steps, _LOOK_AHEAD):
            if later.update_core is not None:
                updates.add((later.update_core.index, self.walk.numbers(later)[UPDATE]))
        name, core = self.unit.name, self.core.index
        return Blocked(name, step.op, core, semaphore.number, semaphore.value, wanted, frozenset(updates))
