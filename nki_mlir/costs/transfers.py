"""How long the DMA engines of a core work on a transfer, and how its descriptors are made (docs/hardware.md#dma).

A transfer is split into one part for each engine that it concerns: by SBUF partition where a side is in SBUF, evenly
between HBM and HBM. The service time of a part is that of its packets and contiguous runs; a ring needs longer where
these are few, or single words. Transfers between HBM and HBM move at most 1 / 16 of the memory's bandwidth per engine,
reads and writes both counted. When a part starts, and what else its engine does then, is the executor's.
"""

from __future__ import annotations

from typing import NamedTuple

from nki_mlir.dialects.access import Access, Space, contiguous
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.dma import by_rows, data_operands, is_software
from nki_mlir.targets import Target

Ring = tuple[str, int]
"""Issuing engine and queue number; the pipes of exchanges come after an engine's queues."""


class Share(NamedTuple):
    """A set of engines, as a bit mask; the ns that each of them works on the transfer, during which other rings wait;
    and the ns that it is on its ring at least, from when it is the next one there: never less, and where it follows
    another one there `part_ns` at least."""

    mask: int
    service: float
    ring: float

    def stretched(self, factor: float) -> Share:
        return Share(self.mask, self.service * factor, self.ring * factor)


class Generation(NamedTuple):
    """How a transfer's descriptors are made: `prepare` ns of the issuing engine before its trigger, which takes
    `trigger` ns; which part of the full rate is `sustained` where transfers queue."""

    prepare: float
    trigger: float
    sustained: float


def ring(i: Instance) -> Ring:
    """The queue that a transfer goes to, or the pipe of an exchange."""
    queue, pipe = i.fields.get("queue"), i.fields.get("pipe_id")
    number = queue if isinstance(queue, int) else i.target.dma.queues + int(str(pipe))
    return i.engine.value, number


def generation(i: Instance) -> Generation:
    """Static descriptors are there; software makes them row by row, twice as slowly where it has to compute their
    addresses; hardware makes them while the engine waits (docs/hardware.md#descriptor-generation)."""
    dma, side = i.target.dma, _side(i)
    if is_software(i):
        rows = side.partitions if side.on_chip else _runs(side, False)
        dynamic = any(a.address is not None and a.address.registers() for _, a in i.accesses()) or bool(by_rows(i))
        each = dma.swdge_row_ns * (dma.swdge_dynamic_factor if dynamic else 1)
        return Generation(rows * each, dma.swdge_trigger_ns, dma.dge_sustained_factor)
    if i.fields.get("dge_mode") == "hwdge":
        packets = sum(_packets(i))
        full = max(0, packets - dma.hwdge_packets) * dma.hwdge_full_ns
        return Generation(
            dma.hwdge_ns + packets * dma.hwdge_packet_ns + full, dma.hwdge_gap_ns, dma.dge_sustained_factor
        )
    return Generation(0.0, dma.trigger_ns, dma.sustained_factor)


def least_ns(target: Target) -> float:
    """What each transfer of static descriptors takes, however little it moves, once its ring has started: its trigger,
    its part of an engine, the way of its last packet, and its completion."""
    dma = target.dma
    return dma.trigger_ns + dma.part_ns + dma.packet_latency_ns + dma.completion_ns


def transfer_ns(i: Instance) -> float:
    """From the issue of a transfer to its completion where nothing else is under way on the DMA engines, and nothing
    was on its ring before."""
    dma, made = i.target.dma, generation(i)
    spread = max(dma.start_step_ns, dma.increment_gap_ns)
    last = max(share.ring + spread * (share.mask.bit_length() - 1) for share in shares(i))
    return made.prepare + dma.start_ns + last + dma.packet_latency_ns + dma.completion_ns


def shares(i: Instance) -> tuple[Share, ...]:
    """How a transfer is split over the engines, engines with equal parts together."""
    dma, side, passes = i.target.dma, _side(i), _passes(i)
    nbytes, full, short = _bytes(i), *_packets(i)
    rest = (nbytes - full * dma.packet_bytes) / max(short, 1) / dma.wire_bytes_per_ns
    each = max(dma.run_ns, rest + min(dma.packet_overhead_ns, rest))
    whole = dma.packet_bytes / dma.wire_bytes_per_ns + dma.packet_overhead_ns
    words = short * dma.word_ns if _writes_words(i) else 0.0
    found: dict[tuple[float, float], int] = {}
    for engine, part in _split(side, i):
        service = passes * (full * whole + short * each) * part
        if not side.on_chip:
            service = max(service, 2 * nbytes * part * dma.engines / i.target.hbm.bytes_per_ns)
        times = service + dma.semaphore_ns, max(service, words * part) + dma.semaphore_ns
        found[times] = found.get(times, 0) | 1 << engine
    return tuple(Share(mask, service, ring) for (service, ring), mask in found.items())


def _writes_words(i: Instance) -> bool:
    """Whether a transfer writes pieces to HBM that are too short for a word of the memory."""
    dst = i.access("dst")
    return dst is not None and not dst.on_chip and run_bytes(i) < i.target.dma.word_bytes


def _bytes(i: Instance) -> int:
    """What a transfer moves, as its larger side counts."""
    operands = dict(data_operands(i))
    return operands["dst"].elements * max(a.itemsize for a in operands.values())


def _packets(i: Instance) -> tuple[int, int]:
    """How many full packets the contiguous runs of a transfer make, and how many shorter ones."""
    operands, rows, dma = dict(data_operands(i)), by_rows(i), i.target.dma
    runs = max(_runs(a, name in rows) for name, a in operands.items())
    if i.instruction.transfer == "transpose" and not dma.transposes:
        runs = operands["dst"].elements
    full, rest = divmod(_bytes(i) // runs, dma.packet_bytes)
    return runs * full, runs if rest else 0


def _side(i: Instance) -> Access:
    """The operand by which a transfer is split: the first one on chip, or dst."""
    operands = [access for _, access in data_operands(i)]
    return next((access for access in operands if access.on_chip), operands[0])


def _passes(i: Instance) -> float:
    """Time relative to a copy's (docs/hardware.md#transposes-by-dma and docs/hardware.md#arithmetic-by-dma). Arithmetic
    reads each source but dst itself at its own rate."""
    dma, dst = i.target.dma, i.access("dst")
    assert dst is not None
    sources = [access for name, access in data_operands(i) if name != "dst"]
    if i.instruction.transfer == "transpose":
        return 1 / (dma.sbuf_transpose_factor if sources[0].on_chip else dma.hbm_transpose_factor)
    if i.instruction.transfer == "sum" or i.fields.get("dst_rmw_op") is not None:
        rate = dma.sbuf_arithmetic_factor if dst.on_chip else dma.arithmetic_factor
        return max(1, sum(access != dst for access in sources)) / rate
    return 1.0


def _split(side: Access, i: Instance) -> list[tuple[int, float]]:
    """Engines that take part and the fraction of the transfer that each moves. Transposing, all work together."""
    dma = i.target.dma
    if not side.on_chip or (i.instruction.transfer == "transpose" and dma.transposes):
        return [(engine, 1 / dma.engines) for engine in range(dma.engines)]
    each, end = dma.partitions_per_engine, side.start + side.partitions
    engines = range(side.start // each, -(-end // each))
    rows = ((n, min(end, (n + 1) * each) - max(side.start, n * each)) for n in engines)
    return [(engine, count / side.partitions) for engine, count in rows]


def _runs(access: Access, rows: bool) -> int:
    """Contiguous pieces of a pattern."""
    return access.elements // _run(access, rows)


def _run(access: Access, rows: bool) -> int:
    """Elements of a contiguous piece of a pattern; `rows` that indices choose are pieces of their own."""
    step, count = contiguous(access.dims[1:] if rows else access.dims)[-1]
    return count if step == 1 else 1


def run_bytes(i: Instance) -> int:
    """The shortest contiguous run of bytes on either side of a transfer. On chip, each partition is apart."""
    rows = by_rows(i)
    if i.instruction.transfer == "transpose" and not i.target.dma.transposes:
        return min(access.itemsize for _, access in data_operands(i))
    return min(access.itemsize * _run(access, name in rows) for name, access in data_operands(i))


def full_rate(target: Target, cores: int = 1, within: bool = False) -> float:
    """Bytes per ns of HBM that the DMA engines of some cores read and write at most: in full packets, and not more than
    the memory has. `within` it, each byte counts twice."""
    dma, hbm = target.dma, target.hbm
    engine = dma.packet_bytes / (dma.packet_bytes / dma.wire_bytes_per_ns + dma.packet_overhead_ns)
    return min((1 + within) * cores * dma.engines * engine, -(-cores // hbm.cores) * hbm.bytes_per_ns)


class Traffic(NamedTuple):
    """What a transfer moves: bytes read from HBM, bytes written to it, bytes written anywhere, from where to where."""

    hbm_read: int
    hbm_written: int
    nbytes: int
    direction: str


def traffic(i: Instance) -> Traffic:
    """Of a transfer, without what it reads to know its rows. One that accumulates reads its destination."""
    accesses = dict(data_operands(i))
    dst = accesses.pop("dst")
    reads = [*accesses.values(), *([dst] if i.fields.get("dst_rmw_op") is not None else [])]
    read = sum(a.elements * a.itemsize for a in reads if a.space is Space.HBM)
    written = dst.elements * dst.itemsize
    direction = f"{next(iter(accesses.values())).space} to {dst.space}"
    return Traffic(read, written if dst.space is Space.HBM else 0, written, direction)
