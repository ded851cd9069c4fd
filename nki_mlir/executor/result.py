"""What a run leaves behind: modelled time, who was busy and why not, and the timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nki_mlir.executor.reports import mnemonic, source

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from nki_mlir.executor.checks.clocks import Item

Record = tuple[str, "Operation | None", str, float, float, float]
"""unit, operation, name where there is no operation, start ns, end ns, waited ns."""


@dataclass(frozen=True, slots=True)
class Slice:
    """An instruction on an engine, from issue to completion, or a transfer on a DMA queue, from its first to its last
    byte. `source` is `file:line`; `wait_ns` is how long the unit stood still for it before it started."""

    unit: str
    name: str
    start_ns: float
    end_ns: float
    source: str | None
    wait_ns: float


@dataclass(frozen=True)
class RunResult:
    """Times are those of the model, from the first issue to the last completion, without launch constants.

    Units are engines (`vector`) and DMA queues (`dma sync q0`); those of further cores begin with `core 1`. A unit is
    busy while it can't take another instruction, a queue while its data moves. `stalls_us` says per unit what it waited
    for. High-water marks are bytes per partition: one past the highest byte written, the largest of all cores.
    `trace` has every issue of a run with checks, in order.
    """

    modelled_us: float
    busy_us: Mapping[str, float]
    instructions: int
    sbuf_high_water: int
    psum_high_water: int
    unit_instructions: Mapping[str, int]
    stalls_us: Mapping[str, Mapping[str, float]]
    records: Sequence[Record] = field(repr=False)
    trace: Sequence[Item] = field(default=(), repr=False)

    @cached_property
    def timeline(self) -> tuple[Slice, ...]:
        """Every instruction and transfer, in the order in which they were issued or done."""
        sources: dict[int, str | None] = {}
        slices = []
        for unit, op, name, start, end, wait in self.records:
            if op is not None and id(op) not in sources:
                sources[id(op)] = source(op)
            slices.append(Slice(unit, mnemonic(op) if op else name, start, end, sources.get(id(op)), wait))
        return tuple(slices)

    def summary(self) -> str:
        """One line for the run and one for each unit."""
        lines = [
            f"modelled {self.modelled_us:.2f} us, {self.instructions} instructions; written per partition:"
            f" SBUF {self.sbuf_high_water:,} B, PSUM {self.psum_high_water:,} B"
        ]
        width = max((len(unit) for unit in self.busy_us), default=0)
        for unit, busy in self.busy_us.items():
            share = 100 * busy / self.modelled_us if self.modelled_us else 0.0
            count, kind = self.unit_instructions[unit], "transfers" if "dma " in unit else "instructions"
            line = f"  {unit:{width}}  busy {busy:10.2f} us  {share:5.1f} %  {count:7} {kind}"
            stalls = self.stalls_us.get(unit)
            if stalls:
                reason, waited = max(stalls.items(), key=lambda item: item[1])
                line += f"; waited {waited:.2f} us for {reason}"
            lines.append(line)
        return "\n".join(lines)
