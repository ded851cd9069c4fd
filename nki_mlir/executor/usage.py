"""How well a run uses what it has: partitions of each instruction, bytes of the runs that transfers move, and the share
of the time for which each resource is in use, from which follows what bounds the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions.dma import by_rows, data_operands
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.executor import decode, dma
from nki_mlir.executor.machine import contiguous
from nki_mlir.executor.reports import described

if TYPE_CHECKING:
    from nki_mlir.dialects.access import Access
    from nki_mlir.targets import Target

_BOUND = 0.5
"""A run in which nothing is in use for at least this share of the time is bound by latency."""
_AS_MUCH = 0.9
"""What all queues share is named before one queue, if it is in use for this part of the queue's time."""
HBM, DMA_ENGINES, LATENCY, NONE = "hbm", "dma engines", "latency", "none"


class Lanes(NamedTuple):
    """Partitions that the instructions of a unit touch: the mean weighed by the time that they take, the least, which
    the instruction `by` touches, and the most."""

    mean: float
    least: int
    most: int
    by: str


class Run(NamedTuple):
    """The shortest contiguous run of bytes that a queue's transfers move, and one with such a run."""

    nbytes: int
    by: str


def partitions(op: IsaInstruction) -> int:
    """Those that the largest of its tiles on chip touches; 0 without any."""
    tiles = [(op.instruction.operand(name).comb, access) for name, access in op.accesses().items() if access.on_chip]
    return max((comb.mask(0, access.partitions).bit_count() for comb, access in tiles), default=0)


def lanes(times: Mapping[IsaInstruction, float]) -> Lanes | None:
    """Of instructions with the time that each takes in all."""
    used = {op: count for op in times if (count := partitions(op))}
    if not used:
        return None
    total = sum(times[op] for op in used)
    mean = sum(times[op] * count for op, count in used.items()) / total if total else sum(used.values()) / len(used)
    least = min(used, key=lambda op: used[op])
    return Lanes(mean, used[least], max(used.values()), described(least))


def run_bytes(op: IsaInstruction, target: Target) -> int:
    """The shortest contiguous run of bytes on either side of a transfer. On chip, each partition is apart."""
    i = decode.instance_of(op, op.engine, target)
    rows = by_rows(i)
    if i.instruction.transfer == "transpose" and not target.dma.transposes:
        return min(access.itemsize for _, access in data_operands(i))
    return min(_run(access, name in rows) for name, access in data_operands(i))


def _run(access: Access, rows: bool) -> int:
    step, count = contiguous(access.dims[1:] if rows else access.dims)[-1]
    return dtype(access.element_type).bytes * (count if step == 1 else 1)


def shortest(ops: Iterable[IsaInstruction], target: Target) -> Run | None:
    runs = [Run(run_bytes(op, target), described(op)) for op in ops]
    return min(runs, key=lambda run: run.nbytes, default=None)


def engine_ns(transfers: Mapping[IsaInstruction, int], target: Target) -> list[float]:
    """How long each DMA engine works on so many of each transfer, at its full rate."""
    found = [0.0] * target.dma.engines
    for op, count in transfers.items():
        for mask, service in dma.shares(decode.instance_of(op, op.engine, target)):
            for engine in range(target.dma.engines):
                found[engine] += count * service * (mask >> engine & 1)
    return found


def ring_ns(transfers: Mapping[IsaInstruction, int], target: Target) -> float:
    """The least time in which a queue takes so many of each transfer."""
    return sum(
        count * dma.generation(decode.instance_of(op, op.engine, target)).interval for op, count in transfers.items()
    )


def bound(shares: Mapping[str, float]) -> str:
    """What of `shares`, of the run's time by name, is the limit. DMA comes as what moves data: if the engines that all
    queues share are in use nearly all the time of the busiest queue, another queue would not help, and so with HBM."""
    if not shares:
        return NONE
    highest = max(shares, key=lambda name: shares[name])
    if shares[highest] < _BOUND:
        return LATENCY
    core, dma, _ = highest.rpartition("dma ")
    shared = (HBM, f"{core}{DMA_ENGINES}") if dma else ()
    return next((name for name in shared if shares.get(name, 0.0) >= _AS_MUCH * shares[highest]), highest)
