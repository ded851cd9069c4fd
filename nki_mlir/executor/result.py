"""What a run leaves behind: modelled time, the profile, and the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.executor.profile import Profile
from nki_mlir.executor.recording import END, FREE, SINCE, START, Recording
from nki_mlir.executor.reports import mnemonic, source
from nki_mlir.executor.usage import partitions
from nki_mlir.targets.evidence import ends, using


@dataclass(frozen=True, slots=True)
class Slice:
    """An instruction on an engine, from issue to completion, or a transfer on a DMA queue, from its first to its last
    byte. `source` is `file:line`; `wait_ns` is how long the unit stood still for it before it started; `partitions` is
    how many of them the largest of its tiles on chip touches."""

    unit: str
    name: str
    start_ns: float
    end_ns: float
    source: str | None
    wait_ns: float
    partitions: int


@dataclass(frozen=True)
class RunResult:
    """Times are those of the model, from the first issue to the last completion, without launch constants.

    Units are engines (`vector`) and DMA queues (`dma sync q0`); those of further cores begin with `core 1`. A unit is
    busy while it can't take another instruction, a queue while its data moves; `profile` says what it did and what it
    waited for; `again` runs the program for its time. High-water marks are bytes per partition: one past the highest
    byte written, the largest of all cores."""

    recording: Recording
    again: Callable[[], RunResult] | None = None

    @cached_property
    def modelled_range_us(self) -> tuple[float, float]:
        """The modelled time with all constants whose sources disagree at their fastest and at their slowest
        (`targets.evidence`): two more runs of the clock. Where control depends on data, which the clock alone does not
        know, both are the modelled time."""
        if self.again is None:
            return self.modelled_us, self.modelled_us
        times = [self.modelled_us]
        for target in ends(self.recording.target):
            with using(target):
                times.append(self.again().modelled_us)
        return min(times), max(times)

    @cached_property
    def profile(self) -> Profile:
        return Profile(self.recording)

    @property
    def modelled_us(self) -> float:
        return self.profile.modelled_us

    @property
    def busy_us(self) -> Mapping[str, float]:
        return {unit.name: unit.busy_us for unit in self.profile.units}

    @property
    def instructions(self) -> int:
        """Executed, loops unrolled."""
        return self.profile.instructions

    @property
    def sbuf_high_water(self) -> int:
        return self.recording.sbuf_high_water

    @property
    def psum_high_water(self) -> int:
        return self.recording.psum_high_water

    @cached_property
    def timeline(self) -> tuple[Slice, ...]:
        """Every instruction and transfer, unit by unit, in the order in which they were issued or done."""
        sources: dict[int, str | None] = {}
        lanes: dict[int, int] = {}
        slices = []
        for unit in self.recording.units:
            end = END if unit.queue is None else FREE
            for what, times in zip(unit.what, unit.columns().T.tolist(), strict=True):
                if not isinstance(what, str) and id(what) not in sources:
                    sources[id(what)] = source(what)
                    lanes[id(what)] = partitions(what) if isinstance(what, IsaInstruction) else 0
                name = what if isinstance(what, str) else mnemonic(what)
                waited = times[START] - times[SINCE] if unit.queue is None else 0.0
                at, used = sources.get(id(what)), lanes.get(id(what), 0)
                slices.append(Slice(unit.name, name, times[START], times[end], at, waited, used))
        return tuple(slices)

    def summary(self) -> str:
        """A line for the run, one for what bounds it, and one for each unit; `profile.summary()` says more."""
        return self.profile.overview(self.modelled_range_us)
