"""Which bytes an access may touch over some iterations, as a box of partitions by runs of bytes; and the blocks
under which boxes are filed, so that those which meet are found without asking each pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nki_mlir.analysis.program_order import Spans, range_of
from nki_mlir.dialects.access import Access
from nki_mlir.dialects.expr import Counter, Expr

MOST_RUNS = 128
"""Runs of a footprint; in HBM those of a tile with one row for each partition."""

Interval = tuple[int, int]
"""From the first to below the second."""


@dataclass(frozen=True)
class Footprint:
    """Partitions (in HBM one, 0) by runs of bytes, which rise and don't touch each other."""

    partitions: Interval
    runs: tuple[Interval, ...]

    @property
    def low(self) -> int:
        return self.runs[0][0]

    @property
    def high(self) -> int:
        return self.runs[-1][1]

    def meets(self, other: Footprint) -> bool:
        lanes, more, runs, others = self.partitions, other.partitions, self.runs, other.runs
        if lanes[0] >= more[1] or more[0] >= lanes[1] or runs[0][0] >= others[-1][1] or others[0][0] >= runs[-1][1]:
            return False
        first = second = 0
        while first < len(runs) and second < len(others):
            (low, high), (begin, end) = runs[first], others[second]
            if low < end and begin < high:
                return True
            if high < end:
                first += 1
            else:
                second += 1
        return False


def footprint(access: Access, spans: Spans) -> Footprint:
    """No byte that an access may touch in these iterations is left out; where it has more than `MOST_RUNS` runs, or
    remainders and quotients in its address, there are bytes in it that the access does not touch."""
    lanes = (access.start, access.start + access.partitions) if access.on_chip else (0, 1)
    low, width, steps = _steps(access, spans)
    return Footprint(lanes, tuple(_runs(low, *_widened(width, steps))))


def _steps(access: Access, spans: Spans) -> tuple[int, int, list[tuple[int, int]]]:
    """The first byte, the bytes there, and how they repeat: (step, count), from the smallest step."""
    assert access.address is not None
    size, rest = access.itemsize, Expr(access.address.const)
    steps = [(step * size, count) for step, count in access.dims]
    for term, coefficient in access.address.terms:
        match term:
            case Counter(key):
                begin, end = range_of(key, spans)
                steps.append((coefficient, end - begin + 1))
                rest = rest + coefficient * begin
            case _:
                rest = rest + Expr(0, ((term, coefficient),))
    first, last = rest.bounds(lambda key: range_of(key, spans))
    low = first + sum(min(0, step * (count - 1)) for step, count in steps)
    return low, last - first + size, sorted((abs(step), count) for step, count in steps if step and count > 1)


def _widened(width: int, steps: list[tuple[int, int]]) -> tuple[int, list[tuple[int, int]]]:
    """With the steps that leave no gap, and as many of the smallest ones as there are too many runs, made part of the
    width."""
    kept: list[tuple[int, int]] = []
    runs = 1
    for _, count in steps:
        runs *= count
    for step, count in steps:
        if step <= width or runs > MOST_RUNS:
            width += step * (count - 1)
            runs //= count
        else:
            kept.append((step, count))
    return width, kept


def _runs(low: int, width: int, steps: list[tuple[int, int]]) -> Iterator[Interval]:
    """Neighbours become one."""
    starts = [low]
    for step, count in steps:
        starts = [start + step * k for start in starts for k in range(count)]
    starts.sort()
    begin, end = low, low + width
    for start in starts:
        if start > end:
            yield begin, end
            begin = start
        end = start + width
    yield begin, end


Block = tuple[int, int, bool]
"""`(level, number, inside)`: the `number`-th 2 ** `level` bytes or partitions; and whether what is filed there is
smaller, or has this level."""


def level_of(interval: Interval) -> int:
    """That of the blocks of which an interval fills one or lies in two."""
    return (interval[1] - interval[0] - 1).bit_length()


def filed(interval: Interval, levels: Sequence[int]) -> list[Block]:
    """The blocks under which an interval is found, where intervals have these levels, from the smallest: it shares one
    with `searched(other, levels)` for each other interval that meets it, and for few more."""
    own = level_of(interval)
    return [(level, number, level > own) for level in levels if level >= own for number in _spanned(interval, level)]


def searched(interval: Interval, levels: Sequence[int]) -> list[Block]:
    """The blocks under which the intervals are filed that may meet this one."""
    own = level_of(interval)
    found = [(level, number, False) for level in levels if level >= own for number in _spanned(interval, level)]
    return found if own == levels[0] else found + [(own, number, True) for number in _spanned(interval, own)]


def _spanned(interval: Interval, level: int) -> tuple[int, ...]:
    first, last = interval[0] >> level, interval[1] - 1 >> level
    return (first,) if first == last else (first, last)
