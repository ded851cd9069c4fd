"""Which instructions of a program may touch the bytes of an access: found by address, not by asking every pair."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

from nki_mlir.analysis.overlap import reach
from nki_mlir.analysis.program_order import Step
from nki_mlir.dialects.access import Access, Space

_BUCKETS = 64
"""Address ranges that a memory is cut into."""

_number = attrgetter("number")


@dataclass(frozen=True)
class _Touch:
    """An access of step `number` of the program: bytes `low` to below `high`, over all its iterations."""

    number: int
    step: Step
    access: Access
    writes: bool
    low: int
    high: int

    def meets(self, other: _Touch) -> bool:
        return self.low < other.high and other.low < self.high

    def covers(self, other: _Touch) -> bool:
        """Whether it writes, once and for certain, every byte that the other one may touch."""
        a, b = self.access, other.access
        lanes = not a.on_chip or (a.start <= b.start and b.start + b.partitions <= a.start + a.partitions)
        certain = not self.step.loops and self.step.region is None
        whole = self.writes and certain and self.low <= other.low and other.high <= self.high
        return whole and lanes and _is_dense(a)


def _is_dense(access: Access) -> bool:
    """Whether an access touches every byte between its first and its last."""
    run = 1
    for step, count in sorted((abs(step), count) for step, count in access.dims if count > 1):
        if step > run:
            return False
        run = max(run, step * (count - 1) + run)
    return True


class AccessIndex:
    """The accesses of a program by memory and address. `aliases` gives tensors that may share bytes the same number:
    nothing is known of how their addresses relate."""

    def __init__(self, steps: Sequence[Step], aliases: Mapping[str, int]):
        self.steps, self.aliases = steps, aliases
        self._touches = [list(self._touched(number, step)) for number, step in enumerate(steps)]
        self._ends = self._loop_ends()
        self._sizes: dict[Hashable, int] = {}
        for touch in self._all():
            key = self.memory(touch.access)
            self._sizes[key] = max(self._sizes.get(key, 1), touch.high)
        self._buckets: dict[tuple[Hashable, int], tuple[list[int], list[_Touch]]] = {}
        for touch in self._all():
            for bucket in self._spanned(touch):
                numbers, found = self._buckets.setdefault(bucket, ([], []))
                numbers.append(touch.number)
                found.append(touch)

    def memory(self, access: Access) -> Hashable:
        """Equal for accesses that may share bytes."""
        if access.on_chip:
            return access.space, access.core
        return self.aliases.get(access.tensor or "", access.tensor)

    def before(self, later: Step, number: int) -> list[Step]:
        """The steps whose accesses may conflict with those of step `number`, `later`, the nearest before it first.

        Steps behind it count where they are in its outermost loop. Left out is what the program can't tell from its
        order behind a write, outside all loops, of all the bytes: whatever touched them before is complete by then.
        """
        found: set[int] = set()
        for touch in self._touches[number]:
            found.update(self._conflicting(touch, self._end(later, number)))
        return [self.steps[n] for n in sorted(found, reverse=True)]

    def _conflicting(self, touch: _Touch, end: int) -> Iterator[int]:
        for other in self._backwards(touch, end):
            if not (touch.writes or other.writes) or not self._may_share(touch, other):
                continue
            yield other.number
            if other.number < touch.number and other.covers(touch) and self._one_tensor(touch, other):
                return

    def _may_share(self, touch: _Touch, other: _Touch) -> bool:
        return touch.meets(other) or not self._one_tensor(touch, other)

    @staticmethod
    def _one_tensor(touch: _Touch, other: _Touch) -> bool:
        return touch.access.tensor == other.access.tensor

    def _backwards(self, touch: _Touch, end: int) -> Iterator[_Touch]:
        """The accesses that share a bucket with one, of the steps before number `end`, the last first."""
        filled = [self._buckets[bucket] for bucket in self._spanned(touch)]
        slices = [islice(reversed(found), len(found) - bisect_left(numbers, end), None) for numbers, found in filled]
        return slices[0] if len(slices) == 1 else heapq.merge(*slices, key=_number, reverse=True)

    def _spanned(self, touch: _Touch) -> list[tuple[Hashable, int]]:
        key = self.memory(touch.access)
        if touch.access.space is Space.HBM and key != touch.access.tensor:
            return [(key, 0)]
        width = -(-self._sizes[key] // _BUCKETS)
        return [(key, b) for b in range(max(0, touch.low // width), max(0, (touch.high - 1) // width) + 1)]

    def _all(self) -> Iterator[_Touch]:
        return (touch for touches in self._touches for touch in touches)

    def _touched(self, number: int, step: Step) -> Iterator[_Touch]:
        for accesses, writes in ((step.reads, False), (step.writes, True)):
            for access in accesses:
                yield _Touch(number, step, access, writes, *reach(access, step.loops))

    def _loop_ends(self) -> dict[int, int]:
        """For each outermost loop, one past its last step."""
        return {step.loops[0].number: number + 1 for number, step in enumerate(self.steps) if step.loops}

    def _end(self, later: Step, number: int) -> int:
        return self._ends[later.loops[0].number] if later.loops else number
