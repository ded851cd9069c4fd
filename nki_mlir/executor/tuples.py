"""Tuples of integers, in few bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from nki_mlir.executor.numerics import Array

_PART = 256
"""Tuples that are unpacked at once."""


def extend(words: array[Any], values: Array) -> None:
    """Puts the elements of an array, of the same size, behind those that there are."""
    if values.size:
        words.frombytes(values.data.cast("B"))


class Tuples:
    """Tuples of integers, one after the other in `values`: number `n` has those before `ends[n]`."""

    __slots__ = ("ends", "values")

    def __init__(self) -> None:
        self.values, self.ends = array("q"), array("q")

    @classmethod
    def of_lengths(cls, lengths: Array) -> Tuples:
        """Tuples of zeros, of these lengths."""
        found = cls()
        extend(found.ends, np.cumsum(lengths, dtype=np.int64))
        found.values.frombytes(bytes(8 * int(lengths.sum())))
        return found

    def extend(self, values: Array, lengths: Array) -> None:
        """Tuples of these lengths, int64, one after the other in `values`."""
        extend(self.ends, len(self.values) + np.cumsum(lengths))
        extend(self.values, values)

    def lengths(self, first: int) -> Array:
        """Of the tuples from `first` on: int64."""
        return np.diff(np.frombuffer(self.ends, np.int64)[first:], prepend=self.ends[first - 1] if first else 0)

    def append(self, values: Iterable[int]) -> None:
        """OverflowError for numbers beyond 64 bits."""
        self.values.extend(values)
        self.ends.append(len(self.values))

    def __getitem__(self, index: int) -> tuple[int, ...]:
        """Nothing for a negative index."""
        if index < 0:
            return ()
        return tuple(self.values[self.ends[index - 1] if index else 0 : self.ends[index]])

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """In parts, as lists are read faster than arrays."""
        start = 0
        for first in range(0, len(self.ends), _PART):
            base, ends = start, self.ends[first : first + _PART].tolist()
            values = self.values[base : ends[-1]].tolist()
            for end in ends:
                yield tuple(values[start - base : end - base])
                start = end

    def column(self, indices: Array, place: int) -> Array:
        """Number `place` of some tuples, 0 where there is none: int64."""
        if not len(self.ends):
            return np.zeros(len(indices), np.int64)
        ends, values = np.frombuffer(self.ends, np.int64), np.frombuffer(self.values, np.int64)
        starts = np.where(indices > 0, ends[np.maximum(indices, 1) - 1], 0)
        return np.where(indices >= 0, values[np.minimum(starts + place, len(values) - 1)], 0)
