"""Streams without run-time control, instruction by instruction as arrays: what a `Walk` would give, known beforehand.

A repeat may stand for millions of instructions; what they are, and their numbers, is found for all iterations at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import UPDATE, VALUE, WAIT, Item, MicroOp, Repeat, depth_of
from nki_mlir.executor.tuples import Tuples

Choices = Callable[[MicroOp, Sequence[Any]], Sequence[Any]]
"""Small numbers that say what the time of a micro-op depends on, beside its semaphores, from its numbers."""

_MOST_CHOICE, _MOST_CHOICES = 1 << 10, 6
_NONE = -1
"""The semaphore of what has none."""


def length_of(items: Iterable[Item]) -> int | None:
    """How many micro-ops a stream issues; None if that is known only at run time."""
    total = 0
    for item in items:
        if isinstance(item, Repeat):
            inside = length_of(item.body)
            if inside is None:
                return None
            total += item.count * inside
        elif isinstance(item, MicroOp):
            total += 1
        else:
            return None
    return total


class _Magnitude:
    """A bound of a number and of all that it is computed from, in place of the number."""

    def __init__(self, size: int):
        self.size = size

    def __add__(self, other: _Magnitude | int) -> _Magnitude:
        return _Magnitude(self.size + (other.size if isinstance(other, _Magnitude) else abs(other)))

    def __mul__(self, factor: int) -> _Magnitude:
        return _Magnitude(self.size * max(1, abs(factor)))

    def __mod__(self, divisor: int) -> _Magnitude:
        return self

    __radd__, __rmul__, __floordiv__ = __add__, __mul__, __mod__


@dataclass(frozen=True)
class _Laid:
    """A micro-op of the text, where it stands in the stream, and its numbers there: arrays, or integers where all are
    equal."""

    micro_op: MicroOp
    places: Array
    numbers: Sequence[Any]


class Unrolled:
    """A stream as a `Walk` gives it, `position` micro-ops of which have been taken. By place: `ops`, the number of the
    micro-op among those of the text; `waits` and `updates`, the semaphores; `values`, what is waited for; `choices`,
    packed; and all `numbers`. `starts` are the places where an iteration of a repeat begins."""

    def __init__(self, items: list[Item], registers: int, semaphores: int, choices: Choices):
        """OverflowError if it has larger numbers than those of a correct program."""
        self.registers, self.semaphores = [0] * registers, semaphores
        self.every_path, self.position = False, 0
        self._begin: list[Array] = []
        laid = list(self._lay(items, np.zeros(1, np.int64), [0] * depth_of(items)))
        self.micro_ops_of_text = [found.micro_op for found in laid]
        self.length = sum(len(found.places) for found in laid)
        self.starts = np.unique(np.concatenate([*self._begin, np.zeros(0, np.int64)])).tolist()
        self.ops, self.held = np.zeros(self.length, np.int32), np.zeros(self.length, np.bool_)
        self.waits, self.updates = (np.full(self.length, _NONE, np.int16) for _ in range(2))
        self.values, self.choices = (np.zeros(self.length, np.int64) for _ in range(2))
        widths = np.zeros(self.length, np.int64)
        for index, found in enumerate(laid):
            self.ops[found.places], widths[found.places] = index, len(found.numbers)
        self.tuples = Tuples.of_lengths(widths)
        self.packed, self.ends = (np.frombuffer(a, np.int64) for a in (self.tuples.values, self.tuples.ends))
        for found in laid:
            self._fill(found, choices(found.micro_op, found.numbers))
        self._next = self.ops.data

    def _lay(self, items: list[Item], offsets: Array, counters: list[Any]) -> Iterator[_Laid]:
        """The micro-ops of a body that stands at `offsets`, with the counters there."""
        place = 0
        for item in items:
            if isinstance(item, Repeat):
                inside = length_of(item.body)
                assert inside is not None
                begin = np.add.outer(offsets + place, inside * np.arange(item.count)).reshape(-1)
                self._begin.append(begin)
                inner = [np.repeat(c, item.count) if isinstance(c, np.ndarray) else c for c in counters]
                inner[item.depth] = np.tile(np.arange(item.count), len(offsets))
                yield from self._lay(item.body, begin, inner)
                place += item.count * inside
            else:
                assert isinstance(item, MicroOp)
                self._require_words(item, counters)
                yield _Laid(item, offsets + place, item.numbers(counters, self.registers))
                place += 1

    def _require_words(self, micro_op: MicroOp, counters: Sequence[Any]) -> None:
        """OverflowError if numbers might not fit arrays."""
        sizes: list[Any] = [_Magnitude(int(np.max(c, initial=1))) for c in counters]
        for found in micro_op.numbers(sizes, self.registers):
            if (found.size if isinstance(found, _Magnitude) else abs(found)) >= 1 << 62:
                raise OverflowError

    def _fill(self, laid: _Laid, choices: Sequence[Any]) -> None:
        micro_op, places, numbers = laid.micro_op, laid.places, laid.numbers
        first = self.ends[places] - len(numbers)
        for index, values in enumerate(numbers):
            self.packed[first + index] = values
        signals = [(self.waits, WAIT)] if micro_op.waits else []
        signals += [(self.updates, UPDATE)] if micro_op.update_core is not None else []
        for column, index in signals:
            column[places] = _small(numbers[index], self.semaphores)
        if micro_op.waits:
            self.values[places] = numbers[VALUE]
        if len(choices) > _MOST_CHOICES:
            raise OverflowError
        for values in choices:
            self.choices[places] = self.choices[places] * _MOST_CHOICE + _small(values, _MOST_CHOICE)

    # As a `Walk`.

    @property
    def micro_ops(self) -> Iterator[MicroOp]:
        return self

    def __iter__(self) -> Iterator[MicroOp]:
        return self

    def __next__(self) -> MicroOp:
        if self.position >= self.length:
            raise StopIteration
        self.position += 1
        return self.micro_ops_of_text[self._next[self.position - 1]]

    def numbers(self, micro_op: MicroOp) -> tuple[int, ...]:
        """Those of the micro-op that was taken last."""
        return self.tuples[self.position - 1]

    def hold(self) -> None:
        """The micro-op that was taken last has to wait for its semaphore."""
        self.held[self.position - 1] = True

    # Looking ahead.

    def next_start(self, count: int) -> int | None:
        """The place where the iteration after so many begins."""
        index = bisect_right(self.starts, self.position) + count - 1
        return self.starts[index] if index < len(self.starts) else None

    def periods(self, first: int, period: int, rises: Array) -> int:
        """How often the `period` micro-ops from a place on, just taken, are followed by as many that are like them: the
        same but for addresses that do not matter to time, and for what they wait for. That rises as
        `rises` says by semaphore, or less where a micro-op was not held back."""
        alike, part = 0, 4 * period
        held = np.roll(self.held[self.position - period : self.position], self.position - first)
        while True:
            here = slice(first + alike, min(first + alike + part, self.length - period))
            there = slice(here.start + period, here.stop + period)
            if here.start >= here.stop:
                return alike // period
            waits = self.waits[here]
            more = rises[waits] - (self.values[there] - self.values[here])
            same = (more == 0) | (waits == _NONE) | ((more > 0) & ~np.resize(held, len(more)))
            for column in (self.ops, self.waits, self.updates, self.choices):
                same &= column[there] == column[here]
            if not same.all():
                return (alike + int(np.argmin(same))) // period
            alike, part = alike + len(same), 2 * part

    def block(self, first: int, period: int, count: int) -> Array:
        """All numbers of the micro-ops from a place on, int64 [count, of a period]."""
        start = int(self.ends[first - 1]) if first else 0
        return self.packed[start : int(self.ends[first + period * count - 1])].reshape(count, -1)


def _small(values: Any, limit: int) -> Any:
    """Numbers that are from 0 to below a limit; OverflowError if they are not."""
    if np.min(values) < 0 or np.max(values) >= limit:
        raise OverflowError
    return values
