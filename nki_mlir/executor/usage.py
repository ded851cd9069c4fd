"""How well a run uses what it has: partitions of each instruction, bytes of the runs that transfers move, and the share
of the time for which each resource is in use, from which follows what bounds the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from nki_mlir.costs.transfers import run_bytes, shares
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.executor.reports import described

if TYPE_CHECKING:
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


def shortest(ops: Iterable[IsaInstruction]) -> Run | None:
    runs = [Run(run_bytes(op.instance()), described(op)) for op in ops]
    return min(runs, key=lambda run: run.nbytes, default=None)


def engine_ns(transfers: Mapping[IsaInstruction, int], target: Target) -> list[float]:
    """How long each DMA engine works on so many of each transfer, at its full rate."""
    found = [0.0] * target.dma.engines
    for op, count in transfers.items():
        for share in shares(op.instance()):
            for engine in range(target.dma.engines):
                found[engine] += count * share.service * (share.mask >> engine & 1)
    return found


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
