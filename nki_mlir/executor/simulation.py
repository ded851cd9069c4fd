"""Time: a queue of events, the semaphores, and the two memories of each core."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.dma import DmaEngines
from nki_mlir.executor.machine import Memory, on_chip
from nki_mlir.executor.recording import Mark, Unit
from nki_mlir.executor.reports import Grid, where
from nki_mlir.executor.ticks import ticks
from nki_mlir.executor.trace import Trace
from nki_mlir.executor.tuples import extend
from nki_mlir.targets import Target

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from nki_mlir.executor.checks.buffers import Slots
    from nki_mlir.executor.checks.programs import Programs
    from nki_mlir.executor.checks.undefined import Undefined

Event = Callable[[float], None]

MOST_INSTRUCTIONS = 10_000_000
"""Instructions and branches that a run executes, if it is not told otherwise: some minutes, and 3 GB."""
MOST_COUNTED = 2**31 - 1
"""What a run may be told to execute: the checks keep places in a run as words of 32 bits."""

_FIRST = 1 << 62

_LONG, _LONG_FACTOR = 0.01, 100.0
"""Chance and size of the very long delays that a perturbed run has."""


class Jitter:
    """Factors on durations: log-uniform in 0.2..5, and now and then very long."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def __call__(self) -> float:
        factor = math.exp(self.random.uniform(math.log(0.2), math.log(5.0)))
        return factor * _LONG_FACTOR if self.random.random() < _LONG else factor


class Semaphore:
    """A counter. `waiters` are called once it has reached a value; `raised` is when it rose last, `raises` as in a
    `Recording`."""

    __slots__ = ("number", "raised", "raises", "value", "waiters")

    def __init__(self, number: int):
        self.number = number
        self.value = 0
        self.raised = 0.0
        self.raises = array("q")
        self.waiters: list[tuple[int, Event]] = []

    def add(self, amount: int, setter: Mark, now: float) -> None:
        self.value += amount
        self.raised = now
        self.raises.extend((self.value, *setter))
        if self.waiters:
            ready = [resume for value, resume in self.waiters if value <= self.value]
            self.waiters = [w for w in self.waiters if w[0] > self.value]
            for resume in ready:
                resume(now)

    def repeat(self, value: int, first: int, count: int, entries: Sequence[int]) -> None:
        """Rises as since it had `value` and `first` numbers in `raises`, `count` times more; meanwhile each unit's log
        grows by as many `entries` each time."""
        rise, raises = self.value - value, np.frombuffer(self.raises, np.int64)[first:].reshape(-1, 3).copy()
        steps = np.arange(1, count + 1)[:, None]
        found = np.broadcast_to(raises, (count, *raises.shape)).copy()
        found[:, :, 0] += steps * rise
        found[:, :, 2] += steps * np.array(entries)[raises[:, 1]]
        extend(self.raises, found)
        self.value += count * rise


class Rise:
    """An event: a semaphore rises."""

    __slots__ = ("amount", "semaphore", "setter")

    def __init__(self, semaphore: Semaphore, amount: int, setter: Mark):
        self.semaphore, self.amount, self.setter = semaphore, amount, setter

    def __call__(self, now: float) -> None:
        self.semaphore.add(self.amount, self.setter, now)


class Core:
    """SBUF, PSUM, semaphores, DMA engines, and until when each engine keeps a memory's port to itself."""

    def __init__(self, index: int, simulation: Simulation):
        target, checks = simulation.target, simulation.checks
        memory = target.memory
        self.index = index
        of = f" of core {index}" if index else ""
        self.sbuf = on_chip(f"SBUF{of}", memory.partitions, memory.sbuf_bytes, checks)
        self.psum = on_chip(f"PSUM{of}", memory.partitions, memory.psum_bytes, checks)
        self.sbuf.problems = self.psum.problems = simulation.problems
        self.sbuf.slots, self.psum.slots = simulation.slots.get("sbuf"), simulation.slots.get("psum")
        self.dma = DmaEngines(target, simulation.schedule)
        self.ports: dict[tuple[str, int, str], float] = {}
        self.semaphores: dict[int, Semaphore] = {}
        self._limit = target.limits.semaphores

    def postpone(self, ns: float) -> None:
        """All that is under way ends later."""
        self.ports = {port: until + ns for port, until in self.ports.items()}
        self.dma.postpone(ns)
        for semaphore in self.semaphores.values():
            semaphore.raised += ns

    def semaphore(self, number: int, op: Operation | None) -> Semaphore:
        found = self.semaphores.get(number)
        if found is None:
            if not 0 <= number < self._limit:
                name = f"{where(op)}: " if op is not None else ""
                raise ExecutionError(f"{name}semaphore {number} does not exist; a core has {self._limit}")
            found = self.semaphores[number] = Semaphore(number)
        return found


class Simulation:
    """The events still to come, and what a run records: `trace` has every issue. Without `numerics` the
    memories keep nothing. `left` instructions and branches may still issue, of `limit`."""

    def __init__(self, target: Target, tensors: dict[str, Memory], seed: int | None, checks: bool, numerics: bool):
        self.target, self.tensors, self.checks, self.numerics = target, tensors, checks, numerics
        self.jitter = Jitter(seed) if seed is not None else None
        self.constant_tensors: set[str] = set()
        self.problems: list[ExecutionError] = []
        for memory in tensors.values():
            memory.problems = self.problems
        self.slots: dict[str, Slots] = {}
        self.undefined: Undefined | None = None
        self.grid: Grid | None = None
        self.programs: Programs | None = None
        self.delays: Mapping[Operation, float] = {}
        self.wake = ticks(target.control.wake_ns)
        self.limit = self.left = MOST_INSTRUCTIONS
        self.cores: dict[int, Core] = {}
        self.units: dict[tuple[int, Engine, int | None], Unit] = {}
        self.trace = Trace()
        self.events: list[tuple[float, int, Event]] = []
        self._sequence = 0

    def limit_to(self, instructions: int) -> None:
        if not 0 <= instructions <= MOST_COUNTED:
            raise ExecutionError(f"max_instructions is 0 to {MOST_COUNTED:,}, got {instructions:,}")
        self.limit = self.left = instructions

    def too_long(self, op: Operation | None) -> ExecutionError:
        """For an instruction or a branch, which has no operation, that is one too many."""
        name = f"{where(op)}: " if op is not None else ""
        return ExecutionError(
            f"{name}the program executes more than {self.limit:,} instructions, the limit of this run; raise"
            " `max_instructions` of `execute` if it is meant to"
        )

    def schedule(self, time: float, event: Event, waits: bool = False) -> None:
        """Of events at one time, those of whoever `waits` for a port come first: who is there already goes before who
        comes back to it."""
        self._sequence += 1
        heappush(self.events, (time, self._sequence - (_FIRST if waits else 0), event))

    def run(self, watch: Event | None = None) -> None:
        """All events there are and will be; `watch` is called after each, and may put them off."""
        events = self.events
        while events:
            time, _, event = heappop(events)
            event(time)
            if watch is not None:
                watch(time)

    def core(self, index: int) -> Core:
        if index not in self.cores:
            if not 0 <= index < self.target.cores_per_chip:
                raise ExecutionError(
                    f"core {index} does not exist; {self.target.name} has {self.target.cores_per_chip}"
                )
            self.cores[index] = Core(index, self)
        return self.cores[index]

    def unit(self, core: int, engine: Engine, queue: int | None = None) -> Unit:
        key = (core, engine, queue)
        if key not in self.units:
            self.units[key] = Unit(self.trace.numbers, len(self.units), *key)
        return self.units[key]

    def memory(self, access: Access) -> Memory:
        if access.space is Space.HBM:
            return self.tensors[access.tensor or ""]
        core = self.core(access.core)
        return core.sbuf if access.space is Space.SBUF else core.psum

    def memories(self) -> list[Memory]:
        """Those in HBM, and those of the cores."""
        return [*self.tensors.values(), *(m for core in self.cores.values() for m in (core.sbuf, core.psum))]

    def factor(self) -> float:
        return self.jitter() if self.jitter is not None else 1.0

    def update(self, core: Core, number: int, amount: int, setter: Mark, op: Operation, done: float) -> None:
        """Raises a semaphore for something that completed at `done`; whoever waits sees it a wake-up later."""
        self.schedule(done + self.wake, Rise(core.semaphore(number, op), amount, setter))
