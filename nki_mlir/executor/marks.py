"""What has been written of a memory on chip, as rectangles: most programs write and read few, over and over."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple


class Rectangle(NamedTuple):
    """Bytes `low` to below `high` of partitions `first` to below `last`."""

    first: int
    last: int
    low: int
    high: int


class Marks:
    """Rectangles, each with who wrote all of it: nothing is in those of two writers."""

    def __init__(self) -> None:
        self._spans: dict[int, dict[tuple[int, int], _Spans]] = {}

    def add(self, rectangle: Rectangle, writer: int) -> bool:
        """Whether it could be added: not where somebody else wrote a part of it."""
        first, last, low, high = rectangle
        for other, found in self._spans.items():
            if other != writer and any(a < last and first < b and s.meets(low, high) for (a, b), s in found.items()):
                return False
        self._spans.setdefault(writer, {}).setdefault((first, last), _Spans()).add(low, high)
        return True

    def cover(self, rectangle: Rectangle, writer: int | None = None) -> bool:
        """Whether one writer, or the one that is given, wrote all of it; it may be so where this says no."""
        first, last, low, high = rectangle
        return any(
            a <= first and last <= b and spans.cover(low, high)
            for other, found in self._spans.items()
            if writer is None or other == writer
            for (a, b), spans in found.items()
        )

    def take(self) -> Iterator[tuple[Rectangle, int]]:
        """All of them, with their writers; none is left."""
        spans, self._spans = self._spans, {}
        for writer, found in spans.items():
            for (first, last), one in found.items():
                for low, high in zip(one.lows, one.highs, strict=True):
                    yield Rectangle(first, last, low, high), writer


class _Spans:
    """Bytes, as the fewest ranges there can be, in order."""

    def __init__(self) -> None:
        self.lows: list[int] = []
        self.highs: list[int] = []

    def add(self, low: int, high: int) -> None:
        begin, end = bisect_left(self.highs, low), bisect_right(self.lows, high)
        if begin < end:
            low, high = min(low, self.lows[begin]), max(high, self.highs[end - 1])
        self.lows[begin:end], self.highs[begin:end] = [low], [high]

    def meets(self, low: int, high: int) -> bool:
        at = bisect_right(self.highs, low)
        return at < len(self.lows) and self.lows[at] < high

    def cover(self, low: int, high: int) -> bool:
        at = bisect_right(self.lows, low) - 1
        return at >= 0 and high <= self.highs[at]
