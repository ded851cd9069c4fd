"""Time: a queue of events, the units that are busy, the semaphores, and the two memories of each core."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from nki_mlir.dialects.access import Access, Space
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.dma import DmaEngines
from nki_mlir.executor.machine import Memory, zeroed
from nki_mlir.executor.reports import unit_name, where
from nki_mlir.targets import Target

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from nki_mlir.executor.checks.buffers import Slots
    from nki_mlir.executor.checks.clocks import Item
    from nki_mlir.executor.result import Record
    from nki_mlir.executor.sequencer import Sequencer

Event = Callable[[float], None]

_LONG, _LONG_FACTOR = 0.01, 100.0
"""Chance and size of the very long delays that a perturbed run has."""


class Jitter:
    """Factors on durations: log-uniform in 0.2..5, and now and then very long."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def __call__(self) -> float:
        factor = math.exp(self.random.uniform(math.log(0.2), math.log(5.0)))
        return factor * _LONG_FACTOR if self.random.random() < _LONG else factor


class Unit:
    """An engine or a DMA queue: its busy time (a union, as intervals come in order of their starts), how many
    instructions it has begun, and what it stood still for, in ns by reason."""

    __slots__ = ("busy", "count", "name", "stalls", "until")

    def __init__(self, name: str):
        self.name = name
        self.busy = self.until = 0.0
        self.count = 0
        self.stalls: dict[str, float] = {}

    def occupy(self, start: float, end: float) -> None:
        if end > self.until:
            self.busy += end - max(start, self.until)
            self.until = end

    def stall(self, reason: str, ns: float) -> None:
        self.stalls[reason] = self.stalls.get(reason, 0.0) + ns


class Semaphore:
    """A counter. `waiters` are the sequencers whose head instruction waits for it to reach a value; `setter` is the
    unit that raised it last, `raised` when."""

    __slots__ = ("number", "raised", "setter", "value", "waiters")

    def __init__(self, number: int):
        self.number = number
        self.value = 0
        self.raised = 0.0
        self.setter = ""
        self.waiters: list[tuple[int, Sequencer]] = []

    def add(self, amount: int, setter: str, now: float) -> None:
        self.value += amount
        self.raised = now
        self.setter = setter
        if self.waiters:
            ready = [s for value, s in self.waiters if value <= self.value]
            self.waiters = [w for w in self.waiters if w[0] > self.value]
            for sequencer in ready:
                sequencer.resume(now)


class Core:
    """SBUF, PSUM, semaphores, DMA engines, and until when each engine keeps a memory's port to itself."""

    def __init__(self, index: int, simulation: Simulation):
        target, checks = simulation.target, simulation.checks
        memory = target.memory
        self.index = index
        of = f" of core {index}" if index else ""
        self.sbuf = Memory(f"SBUF{of}", zeroed(memory.partitions, memory.sbuf_bytes), checks)
        self.psum = Memory(f"PSUM{of}", zeroed(memory.partitions, memory.psum_bytes), checks)
        self.sbuf.slots, self.psum.slots = simulation.slots.get("sbuf"), simulation.slots.get("psum")
        self.dma = DmaEngines(target, simulation.schedule)
        self.ports: dict[tuple[str, int, str], float] = {}
        self._semaphores: dict[int, Semaphore] = {}
        self._limit = target.limits.semaphores

    def semaphore(self, number: int, op: Operation | None) -> Semaphore:
        found = self._semaphores.get(number)
        if found is None:
            if not 0 <= number < self._limit:
                name = f"{where(op)}: " if op is not None else ""
                raise ExecutionError(f"{name}semaphore {number} does not exist; a core has {self._limit}")
            found = self._semaphores[number] = Semaphore(number)
        return found


class Simulation:
    """The events still to come, and what a run records: `trace` has every issue, for the checks. Without `numerics` the
    memories keep nothing."""

    def __init__(self, target: Target, tensors: dict[str, Memory], seed: int | None, checks: bool, numerics: bool):
        self.target, self.tensors, self.checks, self.numerics = target, tensors, checks, numerics
        self.jitter = Jitter(seed) if seed is not None else None
        self.constant_tensors: set[str] = set()
        self.slots: dict[str, Slots] = {}
        self.delays: Mapping[Operation, float] = {}
        self.cores: dict[int, Core] = {}
        self.units: dict[str, Unit] = {}
        self.records: list[Record] = []
        self.trace: list[Item] | None = [] if checks else None
        self.instructions = 0
        self.first, self.last = math.inf, 0.0
        self._events: list[tuple[float, int, Event]] = []
        self._sequence = 0

    def schedule(self, time: float, event: Event) -> None:
        self._sequence += 1
        heappush(self._events, (time, self._sequence, event))

    def run(self) -> None:
        events = self._events
        while events:
            time, _, event = heappop(events)
            event(time)

    def core(self, index: int) -> Core:
        if index not in self.cores:
            if not 0 <= index < self.target.cores_per_chip:
                raise ExecutionError(
                    f"core {index} does not exist; {self.target.name} has {self.target.cores_per_chip}"
                )
            self.cores[index] = Core(index, self)
        return self.cores[index]

    def unit(self, core: int, name: str) -> Unit:
        full = unit_name(core, name)
        if full not in self.units:
            self.units[full] = Unit(full)
        return self.units[full]

    def memory(self, access: Access) -> Memory:
        if access.space is Space.HBM:
            return self.tensors[access.tensor or ""]
        core = self.core(access.core)
        return core.sbuf if access.space is Space.SBUF else core.psum

    def factor(self) -> float:
        return self.jitter() if self.jitter is not None else 1.0

    def record(self, unit: Unit, op: Operation | None, name: str, start: float, end: float, wait: float) -> None:
        self.records.append((unit.name, op, name, start, end, wait))
        if start < self.first:
            self.first = start
        if end > self.last:
            self.last = end

    def update(self, core: Core, number: int, amount: int, setter: str, op: Operation, done: float) -> None:
        """Raises a semaphore for something that completed at `done`; whoever waits sees it a wake-up later."""
        semaphore = core.semaphore(number, op)
        self.schedule(done + self.target.control.wake_ns, lambda now: semaphore.add(amount, setter, now))
