"""The DMA engines of a core (docs/hardware.md#dma).

A transfer is split into one part for each engine that it concerns: by SBUF partition where a side is in SBUF, evenly
between HBM and HBM. A part is one event, not one per packet; its service time is that of its packets and contiguous
runs. A ring is (issuing engine, queue): each DMA engine works off a ring's parts in order, and shares its rate evenly
between the rings that have work, as round robin by packet would; rings whose next transfer is of a lower class stand
still meanwhile. A part that waited behind another of its ring runs at the sustained rate. Transfers between HBM and HBM
move at most 1 / 16 of the core's HBM bandwidth per engine, reads and writes both counted.

All engines start a transfer 15 ns apart, in order. An engine's times are therefore those of engine 0 shifted, as long
as both get the same parts: such engines are simulated together, as a `Lane`, and its times are engine 0's.

A transfer reads all of its source when its first part starts and writes all of its destination when its last one ends.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.dma import by_rows, data_operands, is_software
from nki_mlir.executor.machine import contiguous
from nki_mlir.targets import Target

Ring = tuple[str, int]
"""Issuing engine and queue number."""
Share = tuple[int, float]
"""A set of engines, as a bit mask, and the ns that each of them works on the transfer."""
Schedule = Callable[[float, Callable[[float], None]], None]

_EPSILON = 1e-6
"""Parts whose ends are this close, in ns, end together."""

LOWEST_PRIORITY = 3
"""The class of a transfer that names none: assumed, so that one that does goes first."""


class Generation(NamedTuple):
    """How a transfer's descriptors are made: `prepare` ns of the issuing engine before its trigger, which takes
    `trigger` ns; `interval` between two on a queue; `hardware` ns of the engine's hardware generator, 0 without; which
    part of the full rate is `sustained` where transfers queue."""

    prepare: float
    trigger: float
    interval: float
    hardware: float
    sustained: float


class Transfer:
    """One transfer under way. `begin` is called when its data starts moving, `end` with the time when it is all there;
    `start` and `last` are those times."""

    def __init__(
        self,
        ring: Ring,
        shares: Sequence[Share],
        begin: Callable[[], None] | None,
        end: Callable[[float], None],
        generation: Generation,
        priority: int = LOWEST_PRIORITY,
    ):
        self.ring, self.shares, self.begin, self.end, self.generation = ring, shares, begin, end, generation
        self.priority = priority
        self.start: float | None = None
        self.last = 0.0
        self.parts = 0


class _Part:
    """A lane's part of a transfer: `left` ns of service at full rate."""

    __slots__ = ("left", "transfer")

    def __init__(self, transfer: Transfer, left: float):
        self.transfer, self.left = transfer, left
        transfer.parts += 1


class _Lane:
    """Engines with equal work: per ring the parts in order, the first of each under way; `now` is when `left` of those
    was true."""

    __slots__ = ("mask", "now", "rings", "version")

    def __init__(self, mask: int, now: float):
        self.mask, self.now, self.version = mask, now, 0
        self.rings: dict[Ring, deque[_Part]] = {}

    def active(self) -> list[Ring]:
        """The rings that share the engines: those of the highest class, 0 before 3."""
        heads = {ring: parts[0].transfer.priority for ring, parts in self.rings.items()}
        highest = min(heads.values(), default=0)
        return [ring for ring, priority in heads.items() if priority == highest]

    def advance(self, now: float) -> None:
        active = self.active()
        for ring in active:
            self.rings[ring][0].left -= (now - self.now) / len(active)
        self.now = now

    def next_end(self) -> float:
        active = self.active()
        return self.now + len(active) * max(0.0, min(self.rings[ring][0].left for ring in active))

    def split(self, mask: int) -> _Lane:
        """Takes the engines of the mask out, as a lane of their own with the same work."""
        self.mask &= ~mask
        lane = _Lane(mask, self.now)
        lane.rings = {r: deque(_Part(p.transfer, p.left) for p in parts) for r, parts in self.rings.items()}
        return lane


class DmaEngines:
    """The engines of one core. `schedule(time, function)` has the simulation call `function(time)`."""

    def __init__(self, target: Target, schedule: Schedule):
        self.dma, self.schedule = target.dma, schedule
        self.lanes: list[_Lane] = []
        self.arrivals: dict[Ring, float] = {}
        self.generators: dict[str, float] = {}

    def submit(self, transfer: Transfer, trigger: float, delay: float = 1.0) -> None:
        """Starts a transfer whose trigger instruction started at `trigger`; `delay` stretches the start-up."""
        generation, engine = transfer.generation, transfer.ring[0]
        if generation.hardware:
            trigger = max(trigger, self.generators.get(engine, 0.0))
            self.generators[engine] = trigger + generation.hardware
        previous = self.arrivals.get(transfer.ring, -math.inf)
        hot = trigger < previous + self.dma.hot_window_ns
        start = self.dma.hot_start_ns if hot else self.dma.start_ns
        arrival = max(trigger + start * delay, previous + generation.interval)
        self.arrivals[transfer.ring] = arrival
        self.schedule(arrival, lambda now: self._arrive(transfer, now))

    def _arrive(self, transfer: Transfer, now: float) -> None:
        for mask, service in transfer.shares:
            for lane in self._lanes_of(mask, now):
                self._add(lane, transfer, service, now)

    def _lanes_of(self, mask: int, now: float) -> list[_Lane]:
        """Lanes that together are exactly the engines of the mask."""
        found = []
        for lane in list(self.lanes):
            common = lane.mask & mask
            if not common:
                continue
            if common != lane.mask:
                lane.advance(now)
                lane = lane.split(common)
                self.lanes.append(lane)
            found.append(lane)
            mask &= ~common
        if mask:
            self.lanes.append(_Lane(mask, now))
            found.append(self.lanes[-1])
        return found

    def _add(self, lane: _Lane, transfer: Transfer, service: float, now: float) -> None:
        lane.advance(now)
        waiting = lane.rings.get(transfer.ring)
        if waiting:
            waiting.append(_Part(transfer, service / transfer.generation.sustained))
        else:
            lane.rings[transfer.ring] = deque([_Part(transfer, service)])
        self._plan(lane, now)

    def _plan(self, lane: _Lane, now: float) -> None:
        for ring in lane.active():
            self._start(lane.rings[ring][0].transfer, now)
        lane.version += 1
        version = lane.version
        self.schedule(lane.next_end(), lambda now: self._tick(lane, version, now))

    def _tick(self, lane: _Lane, version: int, now: float) -> None:
        """The next part of a lane has ended, unless the plan has changed since."""
        if version != lane.version:
            return
        lane.advance(now)
        active = {ring: lane.rings[ring] for ring in lane.active()}
        least = min(parts[0].left for parts in active.values())
        for ring in [r for r, parts in active.items() if parts[0].left <= least + _EPSILON]:
            self._finish(lane, active[ring].popleft().transfer, now)
            if not active[ring]:
                del lane.rings[ring]
        if lane.rings:
            self._plan(lane, now)
        else:
            self.lanes.remove(lane)

    def _start(self, transfer: Transfer, now: float) -> None:
        if transfer.start is None:
            transfer.start = now
            if transfer.begin is not None:
                transfer.begin()

    def _finish(self, lane: _Lane, transfer: Transfer, now: float) -> None:
        spread = max(self.dma.start_step_ns, self.dma.increment_gap_ns)
        transfer.last = max(transfer.last, now + spread * (lane.mask.bit_length() - 1))
        transfer.parts -= 1
        if not transfer.parts:
            self.schedule(transfer.last, transfer.end)


def generation(i: Instance) -> Generation:
    """Static descriptors are there, software makes them row by row, hardware in one of two units
    (docs/hardware.md#descriptor-generation)."""
    dma, side = i.target.dma, _side(i)
    rows = side.partitions if side.on_chip else _runs(side, False)
    if is_software(i):
        return Generation(rows * dma.swdge_row_ns, dma.swdge_trigger_ns, 0.0, 0.0, dma.dge_sustained_factor)
    if i.fields.get("dge_mode") == "hwdge":
        hardware = dma.hwdge_ns + rows * dma.hwdge_row_ns
        return Generation(0.0, dma.trigger_ns, 0.0, hardware, dma.dge_sustained_factor)
    return Generation(0.0, dma.trigger_ns, dma.queue_interval_ns, 0.0, dma.sustained_factor)


def shares(i: Instance) -> tuple[Share, ...]:
    """How a transfer is split over the engines, engines with equal parts together."""
    operands, rows = dict(data_operands(i)), by_rows(i)
    dst = operands["dst"]
    dma, size = i.target.dma, max(a.itemsize for a in operands.values())
    runs, passes = max(_runs(a, name in rows) for name, a in operands.items()), _passes(i)
    side = _side(i)
    overhead = dma.packet_overhead_ns if dst.on_chip else dma.store_packet_overhead_ns
    if i.instruction.transfer == "transpose" and not dma.transposes:
        runs = dst.elements
    found: dict[float, int] = {}
    for engine, part in _split(side, i):
        nbytes = dst.elements * size * part
        service = passes * max(
            nbytes / dma.wire_bytes_per_ns + math.ceil(nbytes / dma.packet_bytes) * overhead,
            math.ceil(runs * part) * dma.run_ns,
        )
        if not side.on_chip:
            service = max(service, 2 * nbytes * dma.engines / i.target.hbm.bytes_per_ns)
        found[service] = found.get(service, 0) | 1 << engine
    return tuple((mask, service) for service, mask in found.items())


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
    rows: dict[int, int] = {}
    for partition in range(side.start, side.start + side.partitions):
        engine = partition // dma.partitions_per_engine
        rows[engine] = rows.get(engine, 0) + 1
    return [(engine, count / side.partitions) for engine, count in rows.items()]


def _runs(access: Access, rows: bool) -> int:
    """Contiguous pieces of a pattern; `rows` that indices choose are pieces of their own."""
    step, count = contiguous(access.dims[1:] if rows else access.dims)[-1]
    return access.elements // (count if step == 1 else 1)
