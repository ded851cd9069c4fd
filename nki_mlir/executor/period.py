"""Time of repeats in closed form.

Where nothing depends on data, what a machine will do follows from its state: what each sequencer is at, semaphores,
engines, DMA engines, and the events to come. When all of that is as it was some time ago, but for the time, for counts
that have risen, and for how far the streams have come, then what has happened since happens again, as long as the
streams go on as they did. So it is not run but written down, as often as that holds. Times are multiples of a tick
(`ticks`), so that a state does not depend on how late it is.

A sequencer that waits all the while for a count that is not reached is not part of the period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nki_mlir.executor.control_actions import RegisterAction, RegisterLoadAction, RegisterStoreAction
from nki_mlir.executor.data_actions import LoadStationaryAction, MultiplyMovingAction
from nki_mlir.executor.dma import Arrival, DmaEngines, PartEnd, Transfer, TransferEnd
from nki_mlir.executor.dma_actions import UnderWay
from nki_mlir.executor.exchange import ExchangeAction
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import VALUE, Walk
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Core, Event, Rise, Semaphore, Simulation
from nki_mlir.executor.tensor_array import TensorArray, overlap
from nki_mlir.executor.ticks import EXACT_NS
from nki_mlir.executor.unrolled import Unrolled, length_of

_KEPT, _ALIKE = 128, 3
"""States that are remembered at a time, and how many that are alike."""
_PATIENCE = 64
"""States that lead nowhere, in a row, after which only half as many are looked at."""


_LONG, _OFTEN = 1000, 8
"""Instructions of a run of which it is worth asking what repeats, and how many they are for each of the text."""


_HANGS_ON_REGISTERS = RegisterAction | RegisterLoadAction | RegisterStoreAction | ExchangeAction
"""What hangs on data, or looks whether there is such an element of memory."""


def look_out(simulation: Simulation, sequencers: Sequence[Sequencer]) -> Event | None:
    """What looks for periods, if it is called after each event of a run that is about to begin. None for runs that move
    data as well or in which anything depends on it, for perturbed runs, and where it is not worth its cost."""
    if simulation.numerics or simulation.jitter is not None or simulation.delays or not is_long(simulation, sequencers):
        return None
    actions = [action for s in sequencers for action in s.actions.values()]
    if any(isinstance(action, _HANGS_ON_REGISTERS) for action in actions):
        return None
    try:
        streams = [(s, _unrolled(s)) for s in sequencers]
    except OverflowError:
        return None
    for sequencer, stream in streams:
        sequencer.walk = stream
    return Periods(simulation, streams).look


def is_long(simulation: Simulation, sequencers: Sequence[Sequencer]) -> bool:
    """Whether it is worth asking what repeats in a run: it is known beforehand, and much longer than the text."""
    lengths = [length_of(s.walk.items) for s in sequencers if isinstance(s.walk, Walk)]
    text, whole = sum(len(s.actions) for s in sequencers), sum(length or 0 for length in lengths)
    return None not in lengths and max(_LONG, _OFTEN * text) <= whole <= simulation.limit


def _unrolled(sequencer: Sequencer) -> Unrolled:
    limits, walk, actions = sequencer.simulation.target.limits, sequencer.walk, sequencer.actions
    assert isinstance(walk, Walk)
    return Unrolled(walk.items, limits.registers, limits.semaphores, lambda op, numbers: actions[op].choices(numbers))


def _loads_in_a_row(sequencer: Sequencer, stream: Unrolled) -> int:
    """How many loads of weights into a part of the array, or what overlaps it, come without a product on it."""
    actions = [sequencer.actions[micro_op] for micro_op in stream.micro_ops_of_text]
    loads = {n: action.area for n, action in enumerate(actions) if isinstance(action, LoadStationaryAction)}
    products = {n: action.area for n, action in enumerate(actions) if isinstance(action, MultiplyMovingAction)}
    most = 0
    for area in set(loads.values()):
        loaded = np.isin(stream.ops, [n for n, other in loads.items() if overlap(area, other)])
        used = np.isin(stream.ops, [n for n, other in products.items() if other == area])
        before = np.concatenate([[0], np.cumsum(loaded)[used], [np.count_nonzero(loaded)]])
        most = max(most, int(np.diff(before).max()))
    return most


class _Head(NamedTuple):
    """How far a sequencer is: `first` is the place of what issues next, `since` and `ready` are the head's."""

    first: int
    since: float
    ready: float


class _State(NamedTuple):
    """Where a period begins: the time, and how much there is of everything that has grown since."""

    now: float
    heads: Sequence[_Head]
    issues: int
    entries: Mapping[Unit, int]
    raises: Mapping[Semaphore, tuple[int, int]]


class _Period(NamedTuple):
    """What repeats since a state: `steps` are the micro-ops of each sequencer."""

    since: _State
    ns: float
    steps: Sequence[int]
    issues: int
    entries: Mapping[Unit, int]


class Periods:
    """Looks for periods of a run without data, whenever the longest of its streams begins an iteration."""

    def __init__(self, simulation: Simulation, streams: Sequence[tuple[Sequencer, Unrolled]]):
        self.simulation, self.streams = simulation, streams
        self.leader = max((stream for _, stream in streams), key=lambda stream: stream.length)
        self.states: dict[object, list[_State]] = {}
        self.in_vain, self.stride = 0, 1
        self.next = self.leader.next_start(1)
        # A time of the array matters as long as loads that began then, one after the other, might still be under way.
        actions = [action for sequencer, _ in streams for action in sequencer.actions.values()]
        loads = [action.load for action in actions if isinstance(action, LoadStationaryAction)]
        slow = max(1.0, simulation.target.matmul.cold_factor)
        longest = max((load.pairs * load.each * slow + load.latency for load in loads), default=0.0)
        self.horizon = (4 + max(_loads_in_a_row(*one) for one in streams)) * longest

    def look(self, now: float) -> None:
        """To be called after each event."""
        if self.next is None or self.leader.position < self.next:
            return
        reader, state = _Reader(self, now), self._state(now)
        known = self.states.setdefault(reader.key(), [])
        if any(self._go_on(before, state, reader.transfers) for before in reversed(known)):
            self.in_vain, self.stride = 0, 1
        else:
            self._remember(known, state)
        self.next = self.leader.next_start(self.stride)

    def _remember(self, known: list[_State], state: _State) -> None:
        known.append(state)
        if len(known) > _ALIKE:
            del known[1]
        if len(self.states) > _KEPT:
            del self.states[next(iter(self.states))]
        self.in_vain += 1
        if self.in_vain == _PATIENCE:
            self.in_vain, self.stride = 0, 2 * self.stride

    def _state(self, now: float) -> _State:
        simulation = self.simulation
        heads = [_Head(stream.position - (s.head is not None), s.since, s.ready) for s, stream in self.streams]
        entries = {unit: len(unit.what) for unit in simulation.units.values()}
        raises = {s: (s.value, len(s.raises)) for core in simulation.cores.values() for s in core.semaphores.values()}
        return _State(now, heads, len(simulation.trace), entries, raises)

    # From a state to the same one later.

    def _go_on(self, before: _State, state: _State, transfers: Iterable[Transfer]) -> bool:
        """Writes down what repeats; False if nothing does."""
        ns, simulation = state.now - before.now, self.simulation
        steps = [now.first - then.first for now, then in zip(state.heads, before.heads, strict=True)]
        if ns <= 0 or not any(steps):
            return False
        most = min(simulation.left // sum(steps), int((EXACT_NS - state.now) / ns) - 1)
        rises = self._rises(before, state)
        for (sequencer, stream), then, now, count in zip(self.streams, before.heads, state.heads, steps, strict=True):
            if count:
                if sequencer.head is not None and (now.since - then.since, now.ready - then.ready) != (ns, ns):
                    return False
                most = min(most, stream.periods(then.first, count, rises[sequencer.core.index]) - 1)
            elif (semaphore := sequencer.waits_for) is not None:
                rise = rises[sequencer.core.index][semaphore.number]
                left = sequencer.numbers[VALUE] - 1 - semaphore.value
                most = min(most, left // int(rise) if rise else most)
            if most < 1:
                return False
        entries = {unit: count - before.entries.get(unit, 0) for unit, count in state.entries.items()}
        period = _Period(before, ns, steps, state.issues - before.issues, entries)
        self._write(period, most)
        self._move(period, most, transfers)
        return True

    def _rises(self, before: _State, state: _State) -> Mapping[int, Array]:
        """By core and semaphore, what a period adds to its count."""
        found: dict[int, Array] = {}
        for index, core in self.simulation.cores.items():
            found[index] = np.zeros(self.simulation.target.limits.semaphores, np.int64)
            for number, semaphore in core.semaphores.items():
                found[index][number] = state.raises[semaphore][0] - before.raises.get(semaphore, (0, 0))[0]
        return found

    def _write(self, period: _Period, count: int) -> None:
        """What a run writes down of `count` periods."""
        self._write_issues(period, count)
        since = period.since
        for unit, entries in period.entries.items():
            if entries:
                unit.repeat(since.entries.get(unit, 0), count, period.ns, period.issues)
        units = [period.entries[unit] for unit in self.simulation.units.values()]
        for core in self.simulation.cores.values():
            for semaphore in core.semaphores.values():
                semaphore.repeat(*since.raises.get(semaphore, (0, 0)), count, units)

    def _write_issues(self, period: _Period, count: int) -> None:
        since, trace = period.since, self.simulation.trace
        lengths = trace.numbers.lengths(since.issues)
        owners = np.repeat(np.array([unit.index for unit in trace.units[since.issues :]]), lengths)
        numbers = np.zeros((count, len(owners)), np.int64)
        for (sequencer, stream), head, steps in zip(self.streams, since.heads, period.steps, strict=True):
            if steps:
                numbers[:, owners == sequencer.unit.index] = stream.block(head.first + steps, steps, count)
        trace.repeat(since.issues, count, numbers, lengths)

    def _move(self, period: _Period, count: int, transfers: Iterable[Transfer]) -> None:
        """The machine `count` periods later."""
        simulation, ns, units = self.simulation, count * period.ns, list(self.simulation.units.values())
        for transfer in transfers:
            assert isinstance(transfer.end, UnderWay)
            transfer.postpone(ns)
            transfer.end.postpone(ns, count * period.issues)
        for (sequencer, stream), steps in zip(self.streams, period.steps, strict=True):
            if steps:
                stream.position += count * steps
                sequencer.postpone(ns, count * period.issues)
        for core in simulation.cores.values():
            core.postpone(ns)
        for _, _, event in simulation.events:
            if isinstance(event, Rise):
                unit, entry = event.setter
                event.setter = unit, entry + count * period.entries[units[unit]]
        simulation.events[:] = [(time + ns, place, event) for time, place, event in simulation.events]
        simulation.left -= count * sum(period.steps)


class _Reader:
    """The state of the machine at a time as a key, equal for those that differ only in time and in what has grown.
    `transfers` are those under way, numbered as they were found."""

    def __init__(self, periods: Periods, now: float):
        self.simulation, self.streams, self.horizon, self.now = (
            periods.simulation,
            periods.streams,
            periods.horizon,
            now,
        )
        self._units = list(self.simulation.units.values())
        self.transfers: dict[Transfer, int] = {}

    def key(self) -> object:
        cores = self.simulation.cores.values()
        events = sorted(self.simulation.events, key=lambda event: event[:2])
        return (
            tuple(self._sequencer(sequencer) for sequencer, _ in self.streams),
            tuple(found for core in cores for found in self._semaphores(core)),
            tuple((port, until - self.now) for core in cores for port, until in core.ports.items() if until > self.now),
            tuple(self._dma(core.dma) for core in cores),
            tuple(found for event in events for found in self._event(*event)),
            tuple(self._transfer(transfer) for transfer in self.transfers),
        )

    def _recent(self, time: float) -> float:
        """How late a time of the array is, where that matters."""
        return max(-self.horizon, time - self.now)

    def _sequencer(self, s: Sequencer) -> object:
        completed = max(0.0, s.completed - self.now)
        return s.head is None, s.waits_for, completed, self._recent(s.queued), s.function_set, self._array(s.array)

    def _array(self, array: TensorArray) -> object:
        tiles = [
            (
                area,
                tile.load,
                tile.fresh,
                *map(self._recent, (tile.load_free, tile.staging_free, tile.ready, tile.stream_free)),
            )
            for area, tile in array.tiles.items()
        ]
        return array.clock.state(self.now), *tiles

    def _semaphores(self, core: Core) -> Iterator[object]:
        for semaphore in core.semaphores.values():
            waiters = tuple(resume for _, resume in semaphore.waiters)
            raised = self._recent(semaphore.raised)
            if waiters or raised > -self.horizon:
                yield semaphore, waiters, raised

    def _dma(self, engines: DmaEngines) -> object:
        lanes = [
            (
                lane.mask,
                lane.now - self.now,
                *(
                    (ring, max(0.0, parts[0].until - self.now), *((self._number(p.transfer), p.left) for p in parts))
                    for ring, parts in lane.rings.items()
                ),
            )
            for lane in engines.lanes
        ]
        arrivals = [(ring, time - self.now) for ring, time in engines.arrivals.items()]
        return *lanes, *(found for found in arrivals if found[1] > 0)

    def _event(self, time: float, place: int, event: Event) -> Iterator[object]:
        match event:
            case Rise():
                unit, entry = event.setter
                what = event.semaphore, event.amount, unit, len(self._units[unit].what) - entry
            case Arrival() | TransferEnd():
                what = type(event), self._number(event.transfer)
            case PartEnd():
                if event.stale:
                    return
                what = event.engines, event.engines.lanes.index(event.lane)
            case _:
                what = event
        yield time - self.now, place < 0, what

    def _number(self, transfer: Transfer) -> int:
        return self.transfers.setdefault(transfer, len(self.transfers))

    def _transfer(self, transfer: Transfer) -> object:
        """All that is not known from its micro-op."""
        start = None if transfer.start is None else transfer.start - self.now
        last, end = max(0.0, transfer.last - self.now), transfer.end
        assert isinstance(end, UnderWay)
        issue = len(self.simulation.trace) - end.issue
        return end.action, end.update, end.trigger - self.now, issue, start, last, transfer.parts
