"""What the semaphores of a run prove: which completions every instruction may rely on, whatever the timing.

Completions are numbered along *chains*, each of which completes in order: the instructions of an engine, and the
transfers of one ring that use the same DMA engines. A `Clock` says how far along each chain everything is complete. An
instruction relies on what the waits before it in its stream prove.

A wait for a semaphore to reach `v` proves a completion `e` if without `e` the count cannot get to `v`: the raises that
do not themselves rely on `e` add up to less. Counts only rise and a wait is never withdrawn, so that what can happen
without `e` does not depend on timing, and the answer is exact. Where each raise of a semaphore relies on the one
before (one engine, or one transfer at a time), a count names a raise, and one walk along the trace is enough. Otherwise
a later raise might have come first: walks are repeated with what the walk before found out about later raises, starting
from the assumption that they rely on everything, until nothing changes.

A transfer raises its semaphore one by one, as its DMA engines end: all but the last of those raises rely only on what
its trigger relied on.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nki_mlir.executor.program import UPDATE, VALUE, WAIT, MicroOp
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.trace import Issue, Trace

Clock = list[int]
"""By chain, how many of its completions are known. Never changed once made."""
Ring = tuple[int, str, int]
"""Core, triggering engine and queue."""


class LeftOut(Exception):
    """A history has been asked for a raise that it does not have."""


class Raise(NamedTuple):
    """An update of a semaphore by the completion `number` of `chain`, at `position` in the trace. What is complete once
    all of it has happened, and, for a transfer, once some of it has."""

    chain: int
    number: int
    amount: int
    whole: Clock
    some: Clock | None
    position: int


_NUMBERS = 5
"""Of a raise: chain, number, amount, position, and the first of its clocks."""
_RECENT = 32


class History:
    """The raises of one semaphore in the order of the trace, and the count after each. They are many, and lie packed:
    in `numbers`, and in `clocks`, of `chains` numbers each: what all of a raise relies on, after what some of it relies
    on where that is less, of a transfer. The `recent` ones, which are asked for most, are at hand as well. `looked` is
    the first one of which a wait has made something known, since it was set."""

    def __init__(self, chains: int):
        self.chains = chains
        self.totals, self.numbers, self.clocks = array("q"), array("i"), array("i")
        self.rows = 0
        self.recent = deque[Raise](maxlen=_RECENT)
        self.simple = True
        self.looked, self.gaps, self._skipped = 0, set[int](), 0

    def __len__(self) -> int:
        return len(self.totals)

    def __getitem__(self, index: int) -> Raise:
        place = index - len(self.totals) + len(self.recent)
        if place >= 0:
            return self.recent[place]
        chain, number, amount, position, row = self.numbers[index * _NUMBERS : (index + 1) * _NUMBERS]
        after = (index + 1) * _NUMBERS
        end = self.numbers[after + 4] if after < len(self.numbers) else self.rows
        some = self._clock(row) if end - row == 2 else None
        return Raise(chain, number, amount, self._clock(end - 1), some, position)

    def source(self, index: int) -> tuple[int, int]:
        """Chain and number of a raise."""
        return self.numbers[index * _NUMBERS], self.numbers[index * _NUMBERS + 1]

    def _clock(self, row: int) -> Clock:
        return self.clocks[row * self.chains : (row + 1) * self.chains].tolist()

    def add(self, made: Raise) -> None:
        first = made.whole if made.some is None else made.some
        if self.totals and first[self.numbers[-_NUMBERS]] < self.numbers[1 - _NUMBERS]:
            self.simple = False
        self.recent.append(made)
        self.totals.append(made.amount + self._skipped + (self.totals[-1] if self.totals else 0))
        self._skipped = 0
        self.numbers.extend((made.chain, made.number, made.amount, made.position, self.rows))
        if made.some is not None:
            self.clocks.fromlist(made.some)
            self.rows += 1
        self.clocks.fromlist(made.whole)
        self.rows += 1

    def leave_out(self, amount: int) -> None:
        """Raises that make this much together; what asks for one of them gets a `LeftOut`."""
        self._skipped = amount
        self.gaps.add(len(self))

    def same(self, other: History) -> bool:
        return self.numbers == other.numbers and self.clocks == other.clocks

    def parts(self, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Amounts, and what each relies on, of the raises from one on: two rows each, a transfer's last increment
        apart."""
        numbers = np.array(self.numbers[first * _NUMBERS :], np.int64).reshape(-1, _NUMBERS)
        rows = numbers[:, 4]
        ends = np.append(rows, self.rows)[1:]
        early = np.where(ends - rows == 2, numbers[:, 2] - 1, 0)
        amounts = np.stack([early, numbers[:, 2] - early], 1).reshape(-1)
        clocks = np.array(self.clocks, np.int64).reshape(-1, self.chains)
        return amounts, clocks[np.stack([rows, ends - 1], 1).reshape(-1)]


def joined(a: Clock, b: Clock) -> Clock:
    return [x if x > y else y for x, y in zip(a, b, strict=True)]


@dataclass(slots=True)
class _Stream:
    chain: int
    clock: Clock
    count: int = 0


class Taken(NamedTuple):
    """What an issue relies on, and where its own completion stands: `number` counts from 1 along `chain`. `learned` is
    the raise that its wait made known, if that was news."""

    clock: Clock
    chain: int
    number: int
    learned: Raise | None


class Order:
    """One walk along a trace, for which `walk` gives what every issue relies on. `before` has the histories of the
    walk before."""

    def __init__(self, trace: Sequence[Issue], before: Mapping[tuple[int, int], History] | None = None):
        self.trace, self.before = trace, before or {}
        self.histories: dict[tuple[int, int], History] = {}
        self.chains: dict[object, int] = {}
        issuers = dict(zip(trace.micro_ops, trace.units, strict=True) if isinstance(trace, Trace) else _issuers(trace))
        for unit in dict.fromkeys(issuers.values()):
            self.chains[unit] = len(self.chains)
        for micro_op, unit in issuers.items():
            if micro_op.ring is not None:
                self.chains.setdefault(ring_chain(unit, micro_op), len(self.chains))
        nothing = [0] * len(self.chains)
        self.streams = {unit: _Stream(self.chains[unit], nothing) for unit in issuers.values()}
        self.counts = [0] * len(self.chains)
        self.rings: dict[Ring, dict[int, Clock]] = {}

    def walk(self) -> Iterator[tuple[Issue, Taken]]:
        for position, item in enumerate(self.trace):
            yield item, self.take(position, item)

    @property
    def simple(self) -> bool:
        """Whether every count of every semaphore names a raise, so that this walk is final."""
        return all(history.simple for history in self.histories.values())

    def take(self, position: int, item: Issue) -> Taken:
        """What the next item of the trace relies on."""
        unit, micro_op, numbers = item
        stream = self.streams[unit]
        learned = None
        if micro_op.waits and numbers[VALUE] > 0:
            key = (unit.core, numbers[WAIT])
            history = self.histories.get(key)
            if history is not None:
                clock, learned = self._learn(stream.clock, key, history, numbers[VALUE])
                stream.clock = clock
        stream.count += 1
        if micro_op.ring is not None:
            return self._transfer(position, item, stream, learned)
        clock = stream.clock
        if micro_op.update_core is not None:
            whole = clock.copy()
            whole[stream.chain] = stream.count
            made = Raise(stream.chain, stream.count, micro_op.amount, whole, None, position)
            self._raise(micro_op.update_core, numbers[UPDATE], made)
        return Taken(clock, stream.chain, stream.count, learned)

    def _transfer(self, position: int, item: Issue, stream: _Stream, learned: Raise | None) -> Taken:
        """Transfers of one ring end in order on each DMA engine: one is complete once a later one is complete that uses
        at least the same engines."""
        unit, micro_op, numbers = item
        clock, mask = stream.clock, micro_op.mask
        chain = self.chains[ring_chain(unit, micro_op)]
        ring = self.rings.setdefault(ring_of(unit, micro_op), {})
        whole = clock
        for other, last in ring.items():
            if other & mask == other:
                whole = joined(whole, last)
        self.counts[chain] += 1
        number = self.counts[chain]
        whole = whole.copy()
        whole[chain] = number
        ring[mask] = whole
        if micro_op.update_core is not None:
            made = Raise(chain, number, micro_op.amount, whole, clock, position)
            self._raise(micro_op.update_core, numbers[UPDATE], made)
        return Taken(clock, chain, number, learned)

    def _raise(self, core: int, semaphore: int, made: Raise) -> None:
        history = self.histories.get((core, semaphore))
        if history is None:
            history = self.histories[core, semaphore] = History(len(self.chains))
        history.add(made)

    def _learn(self, clock: Clock, key: tuple[int, int], history: History, value: int) -> tuple[Clock, Raise | None]:
        earlier = self.before.get(key)
        if not history.simple or (earlier is not None and not earlier.simple):
            proven = joined(clock, self._count_proves(clock, history, earlier, value))
            return (proven, history[len(history) - 1]) if proven != clock else (clock, None)
        index = bisect_left(history.totals, value)
        if index == len(history):
            return clock, None
        if index in history.gaps and value <= history.totals[index] - history[index].amount:
            raise LeftOut
        chain, number = history.source(index)
        if clock[chain] >= number:
            return clock, None
        history.looked = min(history.looked, index)
        made = history[index]
        if made.some is not None and history.totals[index] != value:
            return joined(clock, made.some), history[max(0, index - 1)]
        return joined(clock, made.whole), made

    def _count_proves(self, clock: Clock, history: History, earlier: History | None, value: int) -> Clock:
        """For each chain the first completions without which the raises add up to less than `value`."""
        amounts, clocks = history.parts()
        if earlier is not None:
            later_amounts, later_clocks = earlier.parts(len(history))
            amounts = np.concatenate([amounts, later_amounts])
            clocks = np.concatenate([clocks, later_clocks])
        known = (clocks <= np.array(clock)).all(axis=1)
        value -= int(amounts[known].sum())
        if value <= 0:
            return clock
        amounts, clocks = amounts[~known], clocks[~known]
        order = np.argsort(clocks, axis=0, kind="stable")
        reached = np.cumsum(amounts[order], axis=0) >= value
        if not len(reached) or not reached[-1].all():
            return clock
        return np.take_along_axis(np.take_along_axis(clocks, order, 0), reached.argmax(axis=0)[None], 0)[0].tolist()


def _issuers(trace: Sequence[Issue]) -> Iterator[tuple[MicroOp, Unit]]:
    return ((micro_op, unit) for unit, micro_op, _ in trace)


def ring_of(unit: Unit, micro_op: MicroOp) -> Ring:
    assert micro_op.ring is not None
    return (unit.core, *micro_op.ring)


def ring_chain(unit: Unit, micro_op: MicroOp) -> tuple[Ring, int]:
    """What names the chain of a transfer: its ring, and the DMA engines that it uses."""
    return ring_of(unit, micro_op), micro_op.mask


def final(order: Order) -> Order:
    """What to walk by where the first walk, which is done, is not the last one: walks are repeated until nothing
    changes."""
    while True:
        before = order.histories
        order = Order(order.trace, before)
        deque(order.walk(), maxlen=0)
        if all(history.same(before[key]) for key, history in order.histories.items()):
            return Order(order.trace, before)


def relied(trace: Sequence[Issue]) -> list[Taken]:
    """What every issue of a trace relies on."""
    order = Order(trace)
    found = list(order.walk())
    return [taken for _, taken in (found if order.simple else final(order).walk())]
