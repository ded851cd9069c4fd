"""The DMA engines of a core (docs/hardware.md#dma).

A transfer is split into one part for each engine that it concerns, each with its service time (`costs.transfers`). A
part is one event, not one per packet. Each DMA engine works off a ring's parts in order, and shares its rate evenly
between the rings that have work, as round robin by packet would; rings whose next transfer is of a lower class stand
still meanwhile. A part that waited behind another of its ring runs at the sustained rate. A part that is done with the
engine may have to wait for its ring: the engine is there for other rings then, but the next part of that ring is not
begun.

All engines start a transfer 15 ns apart, in order. An engine's times are therefore those of engine 0 shifted, as long
as both get the same parts: such engines are simulated together, as a `Lane`, and its times are engine 0's.

A transfer reads all of its source when its first part starts and writes all of its destination when its last one ends.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from nki_mlir.costs.transfers import Generation, Ring, Share
from nki_mlir.executor.ticks import ticks
from nki_mlir.targets import Target

Schedule = Callable[[float, Callable[[float], None]], None]

_EPSILON = 1e-4
"""What is this close to its end, in ns, has ended."""

LOWEST_PRIORITY = 3
"""The class of a transfer that names none: assumed, so that one that does goes first."""


class Transfer:
    """One transfer under way. `begin` is called when data starts moving, `end` with both times when it is all there;
    `start` and `last` are these."""

    def __init__(
        self,
        ring: Ring,
        shares: Sequence[Share],
        begin: Callable[[], None] | None,
        end: Callable[[float, float], None],
        generation: Generation,
        priority: int = LOWEST_PRIORITY,
    ):
        self.ring, self.shares, self.begin, self.end, self.generation = ring, shares, begin, end, generation
        self.priority = priority
        self.start: float | None = None
        self.last = 0.0
        self.parts = 0

    def postpone(self, ns: float) -> None:
        self.last += ns
        if self.start is not None:
            self.start += ns


class Arrival:
    """An event: a transfer comes to the engines."""

    __slots__ = ("engines", "transfer")

    def __init__(self, engines: DmaEngines, transfer: Transfer):
        self.engines, self.transfer = engines, transfer

    def __call__(self, now: float) -> None:
        self.engines.arrive(self.transfer, now)


class PartEnd:
    """An event: the next part of a lane has ended, unless the plan has changed since."""

    __slots__ = ("engines", "lane", "version")

    def __init__(self, engines: DmaEngines, lane: Lane):
        self.engines, self.lane, self.version = engines, lane, lane.version

    @property
    def stale(self) -> bool:
        return self.version != self.lane.version

    def __call__(self, now: float) -> None:
        if not self.stale:
            self.engines.part_end(self.lane, now)


class TransferEnd:
    """An event: all of a transfer is there."""

    __slots__ = ("transfer",)

    def __init__(self, transfer: Transfer):
        self.transfer = transfer

    def __call__(self, now: float) -> None:
        assert self.transfer.start is not None
        self.transfer.end(self.transfer.start, now)


class _Part:
    """A lane's part of a transfer: `left` ns of service at full rate, `ring` ns on its ring at least, and a longer
    time where it follows another part there, which are over at `until`, once it is the first there."""

    __slots__ = ("left", "ring", "transfer", "until")

    def __init__(self, transfer: Transfer, left: float, ring: float, until: float = math.inf):
        self.transfer, self.left, self.ring, self.until = transfer, left, ring, until
        transfer.parts += 1


class Lane:
    """Engines with equal work: per ring the parts in order, the first of each under way; `now` is when `left` of those
    was true."""

    __slots__ = ("mask", "now", "rings", "version")

    def __init__(self, mask: int, now: float):
        self.mask, self.now, self.version = mask, now, 0
        self.rings: dict[Ring, deque[_Part]] = {}

    def active(self) -> list[Ring]:
        """The rings that share the engines: those of the highest class, 0 before 3, of all that have service left."""
        heads = {ring: parts[0].transfer.priority for ring, parts in self.rings.items() if parts[0].left > 0}
        highest = min(heads.values(), default=0)
        return [ring for ring, priority in heads.items() if priority == highest]

    def advance(self, now: float) -> None:
        """The first parts have that much less of service left, none if what is left ends about now."""
        active = self.active()
        for ring in active:
            part = self.rings[ring][0]
            part.left -= ticks((now - self.now) / len(active))
            if part.left <= _EPSILON:
                part.left = 0.0
        self.now = now

    def next_end(self) -> float:
        """When the first part of a ring is next done with the engines, or with its ring."""
        active = self.active()
        ends = [part.until for parts in self.rings.values() if not (part := parts[0]).left]
        if active:
            ends.append(self.now + len(active) * min(self.rings[ring][0].left for ring in active))
        return max(self.now, min(ends))

    def split(self, mask: int) -> Lane:
        """Takes the engines of the mask out, as a lane of their own with the same work."""
        self.mask &= ~mask
        lane = Lane(mask, self.now)
        lane.rings = {
            ring: deque(_Part(p.transfer, p.left, p.ring, p.until) for p in parts) for ring, parts in self.rings.items()
        }
        return lane


class DmaEngines:
    """The engines of one core. `schedule(time, function)` has the simulation call `function(time)`."""

    def __init__(self, target: Target, schedule: Schedule):
        dma, self.schedule = target.dma, schedule
        self.start, self.latency = ticks(dma.start_ns), ticks(dma.packet_latency_ns)
        self.least = ticks(dma.part_ns)
        self.spread = ticks(max(dma.start_step_ns, dma.increment_gap_ns))
        self.lanes: list[Lane] = []
        self.arrivals: dict[Ring, float] = {}

    def postpone(self, ns: float) -> None:
        """All that they do happens later."""
        for lane in self.lanes:
            lane.now += ns
            for parts in lane.rings.values():
                parts[0].until += ns
        self.arrivals = {ring: time + ns for ring, time in self.arrivals.items()}

    def submit(self, transfer: Transfer, trigger: float, delay: float = 1.0) -> None:
        """Starts a transfer whose trigger instruction started at `trigger`; `delay` stretches the start-up."""
        previous = self.arrivals.get(transfer.ring, -math.inf)
        arrival = max(trigger + self.start * delay, previous)
        self.arrivals[transfer.ring] = arrival
        self.schedule(arrival, Arrival(self, transfer))

    def arrive(self, transfer: Transfer, now: float) -> None:
        for share in transfer.shares:
            for lane in self._lanes_of(share.mask, now):
                self._add(lane, transfer, share, now)

    def _lanes_of(self, mask: int, now: float) -> list[Lane]:
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
            self.lanes.append(Lane(mask, now))
            found.append(self.lanes[-1])
        return found

    def _add(self, lane: Lane, transfer: Transfer, share: Share, now: float) -> None:
        lane.advance(now)
        waiting = lane.rings.get(transfer.ring)
        if waiting:
            waiting.append(_Part(transfer, ticks(share.service / transfer.generation.sustained), share.ring))
        else:
            lane.rings[transfer.ring] = deque([_Part(transfer, share.service, share.ring, now + share.ring)])
        self._plan(lane, now)

    def _plan(self, lane: Lane, now: float) -> None:
        for ring in lane.active():
            self._start(lane.rings[ring][0].transfer, now)
        lane.version += 1
        self.schedule(lane.next_end(), PartEnd(self, lane))

    def part_end(self, lane: Lane, now: float) -> None:
        lane.advance(now)
        for ring, parts in list(lane.rings.items()):
            if parts[0].left or parts[0].until > now + _EPSILON:
                continue
            self._finish(lane, parts.popleft().transfer, now)
            if parts:
                parts[0].until = now + max(parts[0].ring, self.least)
            else:
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

    def _finish(self, lane: Lane, transfer: Transfer, now: float) -> None:
        arrival = now + self.latency + self.spread * (lane.mask.bit_length() - 1)
        transfer.last = max(transfer.last, arrival)
        transfer.parts -= 1
        if not transfer.parts:
            self.schedule(transfer.last, TransferEnd(transfer))
