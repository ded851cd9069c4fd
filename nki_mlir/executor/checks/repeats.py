"""That a run has no race, shown by a few periods of what it repeats.

What an issue relies on is, chain by chain, the largest number that some waits have brought: of a completion of the
period, which is by so many later in each period, or of one long ago. So if from one period to the next all that the
streams and the semaphores know has grown by as much as the chain itself, or has not mattered, it will do so in all
periods to come, or by more. And if nothing is wrong in a period, then nothing is in those that follow, as long as they
touch the same bytes: accesses of one period, and of neighbouring ones, are as far apart in the clocks as before, and
what happened long ago is known ever after.

Bytes of SBUF and PSUM are the same in all periods, if it takes several of the run's to make one of these. Accesses to
HBM usually go on and on: they are compared all at once, and must have no byte in common.

This finds no race, it only shows that there is none; where it can't, `races` looks at every issue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nki_mlir.executor.checks.boxes import Box, Touch
from nki_mlir.executor.checks.clocks import Clock, LeftOut, Order, Raise, Ring
from nki_mlir.executor.checks.hbm import meets
from nki_mlir.executor.checks.races import Races, is_matmul
from nki_mlir.executor.program import EXTRA, UPDATE, VALUE, WAIT
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.trace import Trace

_ROTATIONS = 64
"""Periods of a run that make one of the checks, at most."""
_SETTLE = 8
"""Periods after which nothing is expected to settle any more."""

Key = tuple[int, int]
"""Core and semaphore."""


def has_no_race(trace: Trace, constant: set[str]) -> bool:
    """Whether a trace is known to have no findings as `Races` makes them; `constant` are the tensors that nothing
    writes."""
    if 2 * sum(length * count for _, length, count in _outermost(trace)) < len(trace):
        return False
    return not meets(trace, constant) and _Proof(trace, constant).holds()


def _outermost(trace: Trace) -> Iterator[tuple[int, int, int]]:
    """Repeats that are not parts of others."""
    end = 0
    for first, length, count in sorted(trace.repeats, key=lambda found: (found[0], -found[1] * (found[2] + 1))):
        if first >= end:
            end = first + length * (count + 1)
            yield first, length, count


def _period(trace: Trace, first: int, length: int, total: int) -> int | None:
    """How many of `total` repeats of the `length` issues from a place on make a period of the checks: the same bytes,
    and waits that rise as fast as what they wait for. None if that can't be said."""
    widths = trace.numbers.lengths(first)[:length]
    begin = trace.numbers.ends[first - 1] if first else 0
    values = np.frombuffer(trace.numbers.values, np.int64)[begin : begin + int(widths.sum()) * total]
    table = values.reshape(total, -1)
    same: list[int] = []
    flags: list[int] = []
    waits: list[tuple[int, int]] = []
    raises: list[tuple[int, int, int]] = []
    for start, unit, micro_op in zip(
        (np.cumsum(widths) - widths).tolist(),
        trace.units[first:],
        trace.micro_ops[first : first + length],
        strict=False,
    ):
        same += [start + k for p, k in (*micro_op.sources, *micro_op.targets) if p.memory.on_chip]
        if is_matmul(micro_op):
            flags.append(start + EXTRA)
        if micro_op.waits:
            waits.append((unit.core, start))
        if micro_op.update_core is not None:
            raises.append((micro_op.update_core, start + UPDATE, micro_op.amount))
    same += [start + WAIT for _, start in waits] + [at for _, at, _ in raises]
    places = np.concatenate([table[:, same], table[:, flags] != 0], 1)
    thresholds = table[:, [start + VALUE for _, start in waits]]
    for found in range(1, min(_ROTATIONS, total // 4) + 1):
        if not (places[found] == places[0]).all() or not (places[found:] == places[:-found]).all():
            continue
        rises = Counter[Key]()
        for row in table[:found]:
            for core, at, amount in raises:
                rises[core, int(row[at])] += amount
        wanted = np.array([[rises[core, int(row[start + WAIT])] for core, start in waits] for row in table[:found]])
        steps = thresholds[found:] - thresholds[:-found]
        return found if (steps == wanted[np.arange(len(steps)) % found]).all() else None
    return None


@dataclass(frozen=True)
class _State:
    """Between two issues: how many completions each chain has had, and raises each semaphore; what the streams know,
    and what the last transfers of the rings; and what is known of groups in PSUM."""

    position: int
    counts: Clock
    streams: Mapping[Unit, Clock]
    rings: Mapping[tuple[Ring, int], Clock]
    raises: Mapping[Key, int]
    groups: Sequence[tuple[bool, bool]]


class _Proof:
    def __init__(self, trace: Trace, constant: set[str]):
        self.trace, self.order, self.races = trace, Order(trace), Races(trace, constant, on_chip=True)
        self.position = 0

    def holds(self) -> bool:
        try:
            for first, length, count in _outermost(self.trace):
                self._walk(first)
                if (found := _period(self.trace, first, length, count + 1)) is not None:
                    self._repeat(length * found, first + length * (count + 1))
            self._walk(len(self.trace))
        except LeftOut:
            return False
        return self._clean

    @property
    def _clean(self) -> bool:
        return not self.races.found and self.order.simple

    def _walk(self, end: int) -> None:
        """Looks at the issues before `end`."""
        for position in range(self.position, end if self._clean else self.position):
            item = self.trace[position]
            _, micro_op, numbers = item
            self.races.look(position, micro_op, numbers, self.order.take(position, item))
        self.position = max(self.position, end)

    def _repeat(self, length: int, end: int) -> None:
        """Issues up to `end`, in periods of `length`: looks at some, and leaves out what these show."""
        states = [self._state()]
        while len(states) < _SETTLE and self.position + 2 * length <= end and self._clean:
            for history in self.order.histories.values():
                history.looked = len(history)
            self._walk(self.position + length)
            states.append(self._state())
            if len(states) > 3 and self._goes_on(*states[-3:]):
                self._leave_out(states[-2], states[-1], (end - self.position) // length)
                return

    def _state(self) -> _State:
        order = self.order
        counts = order.counts.copy()
        for stream in order.streams.values():
            counts[stream.chain] = stream.count
        streams = {unit: stream.clock for unit, stream in order.streams.items()}
        rings = {(ring, mask): clock for ring, lasts in order.rings.items() for mask, clock in lasts.items()}
        raises = {key: len(history) for key, history in order.histories.items()}
        groups = [(box.seen is None, box.unseen is None) for box in self._boxes()]
        return _State(self.position, counts, streams, rings, raises, groups)

    def _boxes(self) -> Iterator[Box]:
        for boxes in self.races.shadow.memories.values():
            for found in boxes.found.values():
                yield from found.values()

    def _goes_on(self, before: _State, first: _State, second: _State) -> bool:
        """Whether the period from `first` to `second` shows that nothing is wrong in all that follow."""
        step = _differences(first.counts, second.counts)
        if not self._clean or first.groups != second.groups or _differences(before.counts, first.counts) != step:
            return False
        for key, history in self.order.histories.items():
            new = second.raises[key] - first.raises.get(key, 0)
            if history.looked < (first.raises[key] - new if new else second.raises[key]):
                return False
        known = [self._known(state, first, second) for state in (before, first, second)]
        for chain, amount in enumerate(step):
            if amount and not _keeps_up(
                amount, before.counts[chain], *([c[chain] for c in clocks] for clocks in known)
            ):
                return False
        return True

    def _known(self, state: _State, first: _State, second: _State) -> list[Clock]:
        """What takes part in the period between two states knows at a state."""
        busy = {ring for (ring, mask), clock in second.rings.items() if clock is not first.rings.get((ring, mask))}
        clocks = [state.streams[unit] for unit in self._busy(first, second)]
        clocks += [clock for (ring, _), clock in state.rings.items() if ring in busy]
        for key, history in self.order.histories.items():
            new = second.raises[key] - first.raises[key]
            for index in range(state.raises[key] - new, state.raises[key]):
                made = history[index]
                clocks += [made.whole] if made.some is None else [made.whole, made.some]
        return clocks

    def _busy(self, first: _State, second: _State) -> list[Unit]:
        """The engines that issue anything in the period between two states."""
        chains = {unit: stream.chain for unit, stream in self.order.streams.items()}
        return [unit for unit, chain in chains.items() if first.counts[chain] != second.counts[chain]]

    def _leave_out(self, first: _State, second: _State, count: int) -> None:
        """`count` periods like the one between two states, the second of which is now."""
        order, length = self.order, second.position - first.position
        step = _differences(first.counts, second.counts)

        def later(before: Clock, now: Clock) -> Clock:
            return [n + count * s if n >= b + s else n for b, n, s in zip(before, now, step, strict=True)]

        for unit in self._busy(first, second):
            stream = order.streams[unit]
            stream.clock = later(first.streams[unit], second.streams[unit])
            stream.count += count * step[stream.chain]
        for (ring, mask), clock in second.rings.items():
            order.rings[ring][mask] = later(first.rings[ring, mask], clock)
        order.counts = [now + count * s if now else 0 for now, s in zip(order.counts, step, strict=True)]
        for key, history in order.histories.items():
            new = second.raises[key] - first.raises[key]
            made = [(history[index - new], history[index]) for index in range(len(history) - new, len(history))]
            history.leave_out((count - 1) * sum(now.amount for _, now in made))
            for then, now in made:
                some = None if now.some is None or then.some is None else later(then.some, now.some)
                number, position = now.number + count * step[now.chain], now.position + count * length
                history.add(Raise(now.chain, number, now.amount, later(then.whole, now.whole), some, position))

        def moved(touch: Touch) -> Touch:
            chain, number, position = touch
            if position < first.position:
                return touch
            return chain, number + count * step[chain], position + count * length

        for box in self._boxes():
            box.write = None if box.write is None else moved(box.write)
            box.reads = None if box.reads is None else {chain: moved(read) for chain, read in box.reads.items()}
        self.position += count * length


def _differences(first: Clock, second: Clock) -> Clock:
    return [b - a for a, b in zip(first, second, strict=True)]


def _keeps_up(amount: int, touched: int, before: Clock, first: Clock, second: Clock) -> bool:
    """Whether what is known of a chain, of which so many completions come in each period, keeps up with it, or is of no
    account: less than what the others know, and than what there was, `touched`, when the accesses began that a period
    is compared with."""
    keeps = [b >= a + amount for a, b in zip(before, first, strict=True)]
    least = min([touched, *(b for b, kept in zip(first, keeps, strict=True) if kept)])
    return all(c >= b + amount if kept else b <= least for b, c, kept in zip(first, second, keeps, strict=True))
