"""What a run issued, instruction by instruction, in few bytes for each: a run may have millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from nki_mlir.executor.numerics import Array

if TYPE_CHECKING:
    from nki_mlir.executor.decode import Step
    from nki_mlir.executor.sequencer import Sequencer

Item = tuple["Sequencer", "Step", tuple[int, ...]]
"""One issue of an instruction, with its numbers."""
NONE = -1
"""The issue of what is none: branches, table switches."""
_PART = 256
"""Issues that are unpacked at once."""


class Numbers:
    """Tuples of integers, one after the other in `values`: number `n` has those before `ends[n]`."""

    __slots__ = ("ends", "values")

    def __init__(self) -> None:
        self.values, self.ends = array("q"), array("q")

    def __getitem__(self, issue: int) -> tuple[int, ...]:
        if issue < 0:
            return ()
        return tuple(self.values[self.ends[issue - 1] if issue else 0 : self.ends[issue]])

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """In parts, as lists are read faster than arrays."""
        start = 0
        for first in range(0, len(self.ends), _PART):
            base, ends = start, self.ends[first : first + _PART].tolist()
            values = self.values[base : ends[-1]].tolist()
            for end in ends:
                yield tuple(values[start - base : end - base])
                start = end

    def column(self, issues: Array, place: int) -> Array:
        """Number `place` of some issues, 0 where there is none: int64."""
        if not len(self.ends):
            return np.zeros(len(issues), np.int64)
        ends, values = np.frombuffer(self.ends, np.int64), np.frombuffer(self.values, np.int64)
        starts = np.where(issues > 0, ends[np.maximum(issues, 1) - 1], 0)
        return np.where(issues >= 0, values[np.minimum(starts + place, len(values) - 1)], 0)


class Trace(Sequence[Item]):
    """Every issue of an instruction of the text, in order: who issued it, its step, and its numbers as `decode` lays
    them out.

    `touched` has, for issues of which only the data tells what they touch, a step and numbers that say it.
    """

    __slots__ = ("numbers", "sequencers", "steps", "touched")

    def __init__(self) -> None:
        self.sequencers: list[Sequencer] = []
        self.steps: list[Step] = []
        self.numbers = Numbers()
        self.touched: dict[int, tuple[Step, tuple[int, ...]]] = {}

    def add(self, sequencer: Sequencer, step: Step, numbers: tuple[int, ...]) -> int:
        """Gives the number of the issue. OverflowError for numbers beyond 64 bits."""
        values = self.numbers.values
        values.extend(numbers)
        self.numbers.ends.append(len(values))
        self.sequencers.append(sequencer)
        self.steps.append(step)
        return len(self.steps) - 1

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        issue = range(len(self))[index]
        step, numbers = self.touched.get(issue) or (self.steps[issue], self.numbers[issue])
        return self.sequencers[issue], step, numbers

    def __iter__(self) -> Iterator[Item]:
        touched = self.touched
        for issue, (sequencer, step, numbers) in enumerate(zip(self.sequencers, self.steps, self.numbers, strict=True)):
            if issue in touched:
                yield sequencer, *touched[issue]
            else:
                yield sequencer, step, numbers
