"""Which instructions of a program may touch the bytes of an access: found by address, not by asking every pair."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from nki_mlir.analysis.footprints import Block, Footprint, Interval, filed, footprint, level_of, searched
from nki_mlir.analysis.program_order import Loop, Step
from nki_mlir.dialects.access import Access, Space


@dataclass(eq=False)
class Indexed:
    """An access of step `number` of the program, with what it may touch over all its iterations."""

    number: int
    step: Step
    access: Access
    writes: bool
    footprint: Footprint

    def covers(self, other: Indexed) -> bool:
        """Whether it writes, once and for certain, every byte that the other one may touch."""
        mine, others = self.footprint, other.footprint
        lanes = mine.partitions[0] <= others.partitions[0] and others.partitions[1] <= mine.partitions[1]
        certain = not self.step.loops and self.step.region is None
        whole = self.writes and certain and mine.low <= others.low and others.high <= mine.high
        return whole and lanes and _is_dense(self.access)


def _is_dense(access: Access) -> bool:
    """Whether an access touches every byte between its first and its last."""
    run = 1
    for step, count in sorted((abs(step), count) for step, count in access.dims if count > 1):
        if step > run:
            return False
        run = max(run, step * (count - 1) + run)
    return True


Place = tuple[Block, Block]
"""A block of partitions, and one of bytes."""


class _Memory:
    """The accesses of one memory or tensor by what they touch, in program order, reads and writes apart."""

    def __init__(self, touches: Sequence[Indexed]):
        self._lanes = sorted({level_of(touch.footprint.partitions) for touch in touches})
        self._bytes = sorted({level_of(run) for touch in touches for run in touch.footprint.runs})
        self._reads: dict[Place, tuple[list[int], list[Indexed]]] = {}
        self._writes: dict[Place, tuple[list[int], list[Indexed]]] = {}
        for touch in touches:
            places = self._writes if touch.writes else self._reads
            for place in dict.fromkeys(self._places(touch.footprint, filed)):
                numbers, found = places.setdefault(place, ([], []))
                numbers.append(touch.number)
                found.append(touch)

    def backwards(self, touch: Indexed, end: int) -> Iterator[Iterator[Indexed]]:
        """The accesses of steps before number `end` that may meet one and that must keep their order to it, place by
        place, the last first, those that write before others; some more than once."""
        kinds = [self._writes, self._reads] if touch.writes else [self._writes]
        asked = dict.fromkeys(self._places(touch.footprint, searched))
        for numbers, found in (places[place] for places in kinds for place in asked if place in places):
            yield islice(reversed(found), len(found) - bisect_left(numbers, end), None)

    def _places(self, box: Footprint, blocks: Callable[[Interval, Sequence[int]], list[Block]]) -> Iterator[Place]:
        return product(
            blocks(box.partitions, self._lanes), (block for run in box.runs for block in blocks(run, self._bytes))
        )


class AccessIndex:
    """The accesses of a program by memory and address. `aliases` gives tensors that may share bytes the same number:
    nothing is known of how their addresses relate. `touches` are those of each step, its reads first.

    Steps are known by their numbers; sets of them are integers, whose bits the numbers are.
    """

    def __init__(self, steps: Sequence[Step], aliases: Mapping[str, int]):
        self.aliases = aliases
        self.touches = [list(_touched(number, step)) for number, step in enumerate(steps)]
        self._nests: dict[Loop, int] = {}
        for number, step in enumerate(steps):
            if step.loops:
                self._nests[step.loops[0]] = self._nests.get(step.loops[0], 0) | 1 << number
        memories: dict[Hashable, list[Indexed]] = {}
        self._tensors: dict[Hashable, dict[tuple[str | None, bool], int]] = {}
        for touch in (touch for touches in self.touches for touch in touches):
            memories.setdefault(_memory(touch), []).append(touch)
            if touch.access.space is Space.HBM:
                tensors = self._tensors.setdefault(self.memory(touch.access), {})
                key = touch.access.tensor, touch.writes
                tensors[key] = tensors.get(key, 0) | 1 << touch.number
        self._memories = {key: _Memory(touches) for key, touches in memories.items()}

    def memory(self, access: Access) -> Hashable:
        """Equal for accesses that may share bytes."""
        if access.on_chip:
            return access.space, access.core
        return self.aliases.get(access.tensor or "", access.tensor)

    def nest(self, step: Step) -> int:
        """The steps in the outermost loop of one, itself among them; none where it is in no loop."""
        return self._nests[step.loops[0]] if step.loops else 0

    def before(self, later: Step, number: int) -> int:
        """The steps whose accesses may conflict with those of step `number`, `later`.

        Steps behind it count where they are in its outermost loop. Left out is what the program can't tell from its
        order behind a write, outside all loops, of all the bytes: whatever touched them before is complete by then.
        """
        end = max(number, self.nest(later).bit_length())
        found = 0
        for touch in self.touches[number]:
            found |= self._conflicting(touch, end)
        return found

    def _conflicting(self, touch: Indexed, end: int) -> int:
        found, first, asked = self._in_other_tensors(touch), 0, set[Indexed]()
        for others in self._memories[_memory(touch)].backwards(touch, end):
            for other in others:
                if other.number < first:
                    break
                if other in asked:
                    continue
                asked.add(other)
                if touch.footprint.meets(other.footprint):
                    found |= 1 << other.number
                    if other.number < touch.number and other.covers(touch):
                        first = other.number
        return found & (1 << end) - (1 << first)

    def _in_other_tensors(self, touch: Indexed) -> int:
        """The steps that touch what the tensor of an access may share bytes with."""
        if touch.access.space is not Space.HBM:
            return 0
        found = 0
        for (tensor, writes), steps in self._tensors[self.memory(touch.access)].items():
            if tensor != touch.access.tensor and (writes or touch.writes):
                found |= steps
        return found


def _memory(touch: Indexed) -> Hashable:
    """What its address counts in: a memory on chip, or a tensor."""
    access = touch.access
    return (access.space, access.core) if access.on_chip else access.tensor


def _touched(number: int, step: Step) -> Iterator[Indexed]:
    for accesses, writes in ((step.reads, False), (step.writes, True)):
        for access in accesses:
            yield Indexed(number, step, access, writes, footprint(access, step.spans))
