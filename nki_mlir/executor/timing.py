"""Where the time of a run went: what each engine and DMA queue did, what it waited for, and how close the run came to
what the chip can do. Made of a run's `Recording`; all times add up to the modelled total."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np

from nki_mlir.costs.transfers import Traffic, full_rate, traffic
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import VALUE, WAIT
from nki_mlir.executor.recording import END, FREE, READY, SINCE, START, Recording, Unit
from nki_mlir.executor.reports import described, mnemonic, unit_name
from nki_mlir.executor.usage import DMA_ENGINES, HBM, Lanes, Run, bound, engine_ns, lanes, shortest

_GATES = {Engine.TENSOR: "the array: its weights or its stream"}
_PORT = "a memory port that another engine uses"
_OWN = "the latency of its own pipeline"
_FIXED = "the start and the completion of transfers"


@dataclass(frozen=True)
class Wait:
    """Time that a unit stood still for one reason, and how many instructions it held up. For a semaphore (of the unit's
    core), `setter` is the unit that raised it to the value that was needed, and `by` its instruction. Where that is the
    unit itself, nothing else is late: it is the `latency` of its own pipeline."""

    reason: str
    us: float
    count: int
    semaphore: int | None = None
    setter: str | None = None
    by: str | None = None
    latency: bool = False

    def __str__(self) -> str:
        cause = f", set by {self.setter} ({self.by})" if self.setter else ""
        return f"{self.us:.2f} us for {self.reason}{cause}, {self.count} times"


@dataclass(frozen=True)
class UnitProfile:
    """An engine or a DMA queue. `busy_us`, `waiting_us` and `idle_us` make the modelled time together: an engine is
    busy while it can't take another instruction, a queue while data moves. Waits come longest first. `instructions`
    counts by mnemonic; `nbytes` are what a queue wrote, by direction (`hbm to sbuf`). `lanes` are the partitions that
    its instructions, or the tiles that a queue moves, use; `run` is the shortest contiguous run of bytes of a queue."""

    name: str
    busy_us: float
    waiting_us: float
    idle_us: float
    waits: tuple[Wait, ...]
    instructions: Mapping[str, int]
    nbytes: Mapping[str, int]
    lanes: Lanes | None = None
    run: Run | None = None

    @property
    def latency_us(self) -> float:
        """What of `waiting_us` is the latency of its own pipeline."""
        return sum(wait.us for wait in self.waits if wait.latency)

    @property
    def count(self) -> int:
        return sum(self.instructions.values())


class Intervals:
    """A union of intervals."""

    def __init__(self, starts: Array, ends: Array):
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order]) if len(ends) else ends
        opens = np.ones(len(starts), bool)
        opens[1:] = starts[1:] > ends[:-1]
        self.starts, self.ends = starts[opens], ends[np.append(opens[1:], True)] if len(ends) else ends
        self._edges = np.stack([self.starts, self.ends], 1).reshape(-1)
        lengths = np.cumsum(self.ends - self.starts)
        self._covered = np.stack([lengths - (self.ends - self.starts), lengths], 1).reshape(-1)

    @property
    def total(self) -> float:
        return float(self._covered[-1]) if len(self._covered) else 0.0

    def before(self, times: Array) -> Array:
        """How much is covered before each of some times."""
        return np.interp(times, self._edges, self._covered) if len(self._edges) else np.zeros_like(times)

    def left_over(self, starts: Array, ends: Array) -> Array:
        """How much of each of some other intervals is not covered."""
        return np.maximum(0.0, (ends - starts) - (self.before(ends) - self.before(starts)))


class Timing:
    """`first_ns` and `last_ns`: the first issue, and the last completion or end of what keeps a unit busy. `units`:
    engines, then DMA queues. `text_instructions`: in the program, loops not unrolled."""

    def __init__(self, recording: Recording):
        self.recording = recording
        logged = [unit.columns() for unit in recording.units if unit.what]
        self.first_ns = float(min((times[START].min() for times in logged), default=0.0))
        self.last_ns = float(max((times[[END, FREE]].max() for times in logged), default=0.0))
        self.modelled_us = (self.last_ns - self.first_ns) / 1000
        self.text_instructions = recording.text

    def __getitem__(self, unit: str) -> UnitProfile:
        """The unit of a name, such as `vector` or `dma sync q0`."""
        return next(u for u in self.units if u.name == unit)

    # Units.

    @cached_property
    def units(self) -> tuple[UnitProfile, ...]:
        return tuple(self._unit(unit) for unit in sorted(self.recording.units, key=lambda unit: unit.place))

    @cached_property
    def instructions(self) -> int:
        """Executed, loops unrolled."""
        counts = Counter(type(what) for unit in self.recording.units if unit.queue is None for what in unit.what)
        return counts.total() - counts[str]

    def _unit(self, unit: Unit) -> UnitProfile:
        busy = self.busy(unit)
        waits = sorted(self._waits(unit, busy), key=lambda wait: -wait.us)
        waiting = sum(wait.us for wait in waits)
        counts = Counter(what if isinstance(what, str) else mnemonic(what) for what in unit.what)
        nbytes: Counter[str] = Counter()
        for moved, count in self._transfers(unit):
            nbytes[moved.direction] += moved.nbytes * count
        busy_us = busy.total / 1000
        idle = max(0.0, self.modelled_us - busy_us - waiting)
        transfers = [op for op in dict.fromkeys(unit.what) if isinstance(op, IsaInstruction) and unit.queue is not None]
        run = shortest(transfers)
        found = lanes(self._times_by_instruction(unit))
        return UnitProfile(unit.name, busy_us, waiting, idle, tuple(waits), counts, nbytes, found, run)

    def _times_by_instruction(self, unit: Unit) -> Mapping[IsaInstruction, float]:
        """How long the instructions keep an engine, or the transfers a queue, in ns. What an engine only triggers is
        not its own work."""
        times, found = unit.columns(), defaultdict[IsaInstruction, float](float)
        for what, ns in zip(unit.what, (times[FREE] - times[START]).tolist(), strict=True):
            if isinstance(what, IsaInstruction) and what.instruction.is_transfer == (unit.queue is not None):
                found[what] += ns
        return found

    def busy(self, unit: Unit) -> Intervals:
        times = self._times(unit)
        return Intervals(times[START], times[FREE])

    def _times(self, unit: Unit) -> Array:
        """Up to the last completion, which need not be when all engines are free again."""
        return np.minimum(unit.columns(), self.last_ns)

    def _waits(self, unit: Unit, busy: Intervals) -> Iterable[Wait]:
        times = self._times(unit)
        if unit.queue is not None:
            under_way = Intervals(times[SINCE], times[END]).total - busy.total
            return [Wait(_FIXED, under_way / 1000, len(unit.what))] if under_way > 0 else []
        stood = busy.left_over(times[SINCE], times[READY])
        gated = busy.left_over(times[READY], times[START])
        found = self._semaphore_waits(unit, stood)
        if gated.any():
            reason = _GATES.get(unit.engine, _PORT)
            found.append(Wait(reason, float(gated.sum()) / 1000, int(np.count_nonzero(gated))))
        return found

    def _semaphore_waits(self, unit: Unit, stood: Array) -> list[Wait]:
        """Summed by semaphore and by the instruction that set it."""
        entries: dict[tuple[int, str, str], list[float]] = defaultdict(list)
        setters, semaphores = self.setters(unit), unit.column(WAIT)
        for index in np.flatnonzero(stood).tolist():
            unit_index, entry = setters[index].tolist()
            setter = self.recording.units[unit_index]
            entries[int(semaphores[index]), setter.name, described(setter.what[entry])].append(stood[index])
        found: list[Wait] = []
        for (number, name, by), ns in entries.items():
            own = name == unit.name
            reason = f"{_OWN}: semaphore {number}" if own else f"semaphore {number}"
            found.append(Wait(reason, sum(ns) / 1000, len(ns), number, name, by, own))
        return found

    def setters(self, unit: Unit) -> Array:
        """For each entry of an engine that waits for a semaphore, the mark of the entry whose update made it go on,
        else -1: int64 [entries, 2]."""
        if unit.index not in self._setters:
            self._setters[unit.index] = self._found_setters(unit)
        return self._setters[unit.index]

    @cached_property
    def _setters(self) -> dict[int, Array]:
        return {}

    def _found_setters(self, unit: Unit) -> Array:
        found = np.full((len(unit.what), 2), -1, np.int64)
        values, semaphores = unit.column(VALUE), unit.column(WAIT)
        waits = (values > 0) & (unit.queue is None)
        for number in np.unique(semaphores[waits]).tolist():
            entries = np.flatnonzero(waits & (semaphores == number))
            raises = np.frombuffer(self.recording.raises[unit.core, number], np.int64).reshape(-1, 3)
            found[entries] = raises[np.searchsorted(raises[:, 0], values[entries]), 1:]
        return found

    # Transfers and matmuls.

    def _transfers(self, unit: Unit) -> Iterable[tuple[Traffic, int]]:
        if unit.queue is not None:
            for what, count in Counter(unit.what).items():
                assert isinstance(what, IsaInstruction)
                yield traffic(what.instance()), count

    @cached_property
    def hbm_bytes(self) -> tuple[int, int]:
        """Read and written by transfers."""
        moved = [(t, count) for unit in self.recording.units for t, count in self._transfers(unit)]
        return sum(t.hbm_read * count for t, count in moved), sum(t.hbm_written * count for t, count in moved)

    @cached_property
    def flops(self) -> int:
        """Of the matmuls: a multiplication and an addition for each element of the moving tile and column of the
        stationary one. Transposes and element-wise work don't count."""
        counts = Counter(
            what for unit in self.recording.units for what in unit.what if isinstance(what, IsaInstruction)
        )
        return sum(matmul_flops(what) * count for what, count in counts.items())

    @property
    def cores(self) -> int:
        """Cores that did something."""
        return len({unit.core for unit in self.recording.units if unit.what}) or 1

    @property
    def peak_tflops(self) -> float:
        """bf16 peak of the cores in use: 2 flops for each of 128 x 128 cells and cycle of the Tensor engine."""
        target = self.recording.target
        cells = target.limits.partitions * target.limits.stationary_free
        return 2 * cells * target.clock_ghz["tensor"] * self.cores / 1000

    @property
    def sustained_tflops(self) -> float:
        """What of the peak the arrays keep up under load."""
        return self.peak_tflops * self.recording.target.matmul.sustained_rate

    @property
    def tflops(self) -> float:
        """Reached, 10^12 a second."""
        return self._rate(self.flops) / 1000

    @property
    def mfu(self) -> float:
        """Model flops utilisation: `tflops / peak_tflops`, against the bf16 peak whatever the types are."""
        return self.tflops / self.peak_tflops

    @property
    def tensor_utilisation(self) -> float:
        """Share of the modelled time in which the Tensor engines of the cores in use are busy."""
        busy = sum(self.busy(u).total for u in self.recording.units if u.queue is None and u.engine is Engine.TENSOR)
        return self._rate(busy) / self.cores

    @property
    def hbm_bytes_per_ns(self) -> float:
        return self._rate(sum(self.hbm_bytes))

    @property
    def hbm_peak_bytes_per_ns(self) -> float:
        moved = (t for unit in self.recording.units for t, _ in self._transfers(unit))
        within = any(t.hbm_read and t.hbm_written for t in moved)
        return full_rate(self.recording.target, self.cores, within)

    @property
    def hbm_utilisation(self) -> float:
        return self.hbm_bytes_per_ns / self.hbm_peak_bytes_per_ns

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: matmul flops for each byte to or from HBM."""
        return self.flops / sum(self.hbm_bytes) if sum(self.hbm_bytes) else 0.0

    @property
    def ridge(self) -> float:
        """The intensity from which on the Tensor engine is the limit and no longer HBM."""
        return self.sustained_tflops * 1000 / self.hbm_peak_bytes_per_ns

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """For which share of the modelled time each resource is in use: engines and DMA queues by name, `hbm` by its
        bandwidth, and `dma engines`, the busiest of them, by its rate."""
        total = self.last_ns - self.first_ns
        if not total:
            return {}
        target = self.recording.target
        found = {unit.name: unit.busy_us * 1000 / total for unit in self.units}
        for core in {unit.core for unit in self.recording.units}:
            working = [0.0]
            for unit in (u for u in self.recording.units if u.core == core and u.queue is not None):
                transfers = Counter(what for what in unit.what if isinstance(what, IsaInstruction))
                working = [sum(pair) for pair in zip_longest(working, engine_ns(transfers, target), fillvalue=0.0)]
            found[unit_name(core, DMA_ENGINES)] = max(working) / total
        return {**found, HBM: self.hbm_utilisation}

    @property
    def bound(self) -> str:
        """What limits this run: the name of the engine or DMA queue that is in use for most of the time, `dma engines`
        or `hbm` where queues wait for those, `latency` where nothing is in use for half of it, or `none` of a run that
        does nothing."""
        return bound(self.shares)

    @property
    def roof(self) -> str:
        """The roof above this run's intensity: `tensor` or `hbm`."""
        return "tensor" if self.flops and (self.intensity >= self.ridge or not sum(self.hbm_bytes)) else "hbm"

    @property
    def roof_tflops(self) -> float:
        """What a run of this intensity can reach at most."""
        return self.sustained_tflops * (1 if self.roof == "tensor" else self.intensity / self.ridge)

    @property
    def run(self) -> Run | None:
        """The shortest contiguous run of bytes of all transfers."""
        return min((u.run for u in self.units if u.run), key=lambda run: run.nbytes, default=None)

    @property
    def busiest(self) -> UnitProfile | None:
        return max(self.units, key=lambda unit: unit.busy_us, default=None)

    def _rate(self, amount: float) -> float:
        total = self.last_ns - self.first_ns
        return amount / total if total else 0.0


def matmul_flops(op: IsaInstruction) -> int:
    if op.instruction.array != "multiply":
        return 0
    accesses = op.accesses()
    moving = accesses["moving"]
    return 2 * moving.elements * dtype(moving.element_type).lanes * accesses["dst"].partitions
