"""Runs a program for its time, and reads a profile off it the way the published ones were."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from engine_builder import Kernel
from fidelity.entries import LAUNCH_US, PROFILER

from nki_mlir.dialects.neuron_isa import EventSemaphoreOp
from nki_mlir.executor import RunResult, time_program
from nki_mlir.executor.recording import END, FREE, START
from nki_mlir.executor.timing import Intervals
from nki_mlir.targets import load

TOOL: ContextVar[str] = ContextVar("TOOL", default=PROFILER)
"""What reports the times of the case that is being modelled."""

Figures = dict[str, float | tuple[float, ...]]
"""What a case models, by the names that the rows use."""


@dataclass(frozen=True)
class Profile:
    """A run's time in us. `us` is the program alone; `total` is what the tool behind a case's figures reports, with the
    launch that it contains."""

    result: RunResult
    target: str

    @property
    def us(self) -> float:
        return self.result.modelled_us

    @property
    def total(self) -> float:
        return self.us + LAUNCH_US.get((TOOL.get(), load(self.target).core), 0.0)

    @property
    def ms(self) -> float:
        return self.total / 1000

    @cached_property
    def active_us(self) -> dict[str, float]:
        """Per engine, and for all DMA queues together as "dma": how long at least one instruction was under way, from
        its issue to its completion. Instructions that only wait do not count."""
        spans: dict[str, list[np.ndarray]] = {}
        for unit in self.result.recording.units:
            times = unit.columns()[[START, END if unit.queue is None else FREE]]
            works = [isinstance(what, str) or not isinstance(what, EventSemaphoreOp) for what in unit.what]
            name = "dma" if unit.queue is not None else unit.name
            spans.setdefault(name, []).append(times[:, np.array(works, bool)])
        return {name: Intervals(*np.concatenate(found, axis=1)).total / 1000 for name, found in spans.items()}

    def active(self, unit: str) -> float:
        """Percent of the whole run."""
        return 100 * self.active_us.get(unit, 0.0) / self.total

    def window(self, unit: str) -> float:
        """Percent of the time between the launch and the tail."""
        return 100 * self.active_us.get(unit, 0.0) / self.us


def profile(kernel: Kernel) -> Profile:
    """Lowers a kernel and runs it. The kernel is used up."""
    target = kernel.target
    return Profile(time_program(kernel.lower()), target)


def mfu(flops: float, us: float, target: str = "trn2") -> float:
    """Percent of the peak of 128 x 128 multiply-adds per cycle."""
    return 100 * flops / (us * 1e3 * 2 * 128 * 128 * load(target).clock_ghz["tensor"])
