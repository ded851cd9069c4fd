"""What a run issued, instruction by instruction, in few bytes for each: a run may have millions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import MicroOp
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.tuples import Tuples

Issue = tuple[Unit, MicroOp, tuple[int, ...]]
"""One issue of an instruction, by an engine, with its numbers."""


class Trace(Sequence[Issue]):
    """Every issue of an instruction of the text, in order: who issued it, the micro-op, and its numbers as
    `program` lays them out.

    `repeats` are the places where issues begin that are followed by the same ones but for their numbers: how many of
    them, and how often they follow. `touched` has, for issues of which only the data tells what they touch, a micro-op
    and numbers that say it.
    """

    __slots__ = ("micro_ops", "numbers", "repeats", "touched", "units")

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.micro_ops: list[MicroOp] = []
        self.numbers = Tuples()
        self.repeats: list[tuple[int, int, int]] = []
        self.touched: dict[int, tuple[MicroOp, tuple[int, ...]]] = {}

    def add(self, unit: Unit, micro_op: MicroOp, numbers: tuple[int, ...]) -> int:
        """Gives the number of the issue. OverflowError for numbers beyond 64 bits."""
        self.numbers.append(numbers)
        self.units.append(unit)
        self.micro_ops.append(micro_op)
        return len(self.micro_ops) - 1

    def repeat(self, first: int, count: int, numbers: Array, lengths: Array) -> None:
        """The issues from `first` on once more, `count` times, with these numbers: each has as many as before, of which
        `lengths` are all."""
        self.repeats.append((first, len(self) - first, count))
        self.numbers.extend(numbers, np.tile(lengths, count))
        self.units += self.units[first:] * count
        self.micro_ops += self.micro_ops[first:] * count

    def __len__(self) -> int:
        return len(self.micro_ops)

    @overload
    def __getitem__(self, index: int) -> Issue: ...

    @overload
    def __getitem__(self, index: slice) -> list[Issue]: ...

    def __getitem__(self, index: int | slice) -> Issue | list[Issue]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        issue = range(len(self))[index]
        micro_op, numbers = self.touched.get(issue) or (self.micro_ops[issue], self.numbers[issue])
        return self.units[issue], micro_op, numbers

    def __iter__(self) -> Iterator[Issue]:
        touched = self.touched
        for issue, (unit, micro_op, numbers) in enumerate(zip(self.units, self.micro_ops, self.numbers, strict=True)):
            if issue in touched:
                yield unit, *touched[issue]
            else:
                yield unit, micro_op, numbers
