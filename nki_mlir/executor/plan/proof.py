"""Whether what a run did is what every run of the program does, in whatever order its semaphores allow."""

from __future__ import annotations

from collections.abc import Iterable

from nki_mlir.dialects.instructions.dma import by_rows
from nki_mlir.dialects.neuron_isa import RegisterLoadOp
from nki_mlir.executor.checks.races import Races
from nki_mlir.executor.machine import Memory, zeroed
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import DataOp, MicroOp
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.trace import Trace


def depends_on_data(micro_ops: Iterable[MicroOp]) -> bool:
    """Whether registers, and with them addresses and branches, or rows of transfers come from memory; exchanges between
    cores count as if."""
    for micro_op in micro_ops:
        if isinstance(micro_op.op, RegisterLoadOp):
            return True
        if isinstance(micro_op, DataOp):
            instance = micro_op.instance
            if instance.instruction.transfer == "exchange" or by_rows(instance):
                return True
    return False


def verdict_depends_on_data(simulation: Simulation) -> bool:
    """Whether what the checks have found in a run could be otherwise with other data."""
    looked = [*simulation.memories(), *filter(None, (simulation.undefined, simulation.programs))]
    return any(found.by_data for found in looked)


def is_orderly(trace: Trace, constant: set[str]) -> bool:
    """Whether a run without checks, of which this is the trace, would have passed those that a plan relies on:
    everything that touches common bytes is ordered, and nothing on chip is read before it is written."""
    return not Races(trace, constant).findings() and _initialised(trace)


def _initialised(trace: Trace) -> bool:
    written: dict[int, Array] = {}

    def bytes_of(memory: Memory) -> Array:
        if id(memory) not in written:
            written[id(memory)] = zeroed(*memory.data.shape)
        return written[id(memory)]

    for _, micro_op, numbers in trace:
        for pattern, k in micro_op.sources:
            if pattern.memory.on_chip and not pattern.bytes_at(bytes_of(pattern.memory), numbers[k]).all():
                return False
        partly = isinstance(micro_op, DataOp) and micro_op.masked
        for pattern, k in () if partly else micro_op.targets:
            if pattern.memory.on_chip:
                pattern.bytes_at(bytes_of(pattern.memory), numbers[k])[...] = 1
    return True
