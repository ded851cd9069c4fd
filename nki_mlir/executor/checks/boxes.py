"""The rectangles of memory that a run touches, and which of them share bytes.

Every distinct access (a pattern at an address) is a `Box`, found again by its address; when a new one appears, the
boxes of its memory that it meets are looked up once. Partition ranges and byte extents are compared first, among boxes
that begin near enough; where both boxes are dense that decides, otherwise their runs of bytes are compared, which is
exact. A program may have a box for each of its transfers, so that boxes are small.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nki_mlir.dialects.access import WHOLE, Comb, Dim
from nki_mlir.executor.machine import Pattern

Extent = tuple[int, int]
Touch = tuple[int, int, int]
"""An access: the chain of its completion, its number along that, and its position in the trace."""


class Shape(NamedTuple):
    """Boxes but for their origin: partitions in the range `rows` (0..1 in HBM), those whose bits `mask` has; `dims` are
    (step, count) in bytes, which reach from `low` to below `high`."""

    rows: Extent
    mask: int
    dims: tuple[Dim, ...]
    low: int
    high: int

    @classmethod
    def of(cls, rows: Extent, dims: Sequence[Dim], comb: Comb) -> Shape:
        kept = tuple(d for d in dims if d[0] and d[1] > 1)
        low = sum(min(0, step * (count - 1)) for step, count in kept)
        high = sum(max(0, step * (count - 1)) for step, count in kept)
        return cls(rows, comb.mask(rows[0], rows[1] - rows[0]), kept, low, high + 1)

    @property
    def dense(self) -> bool:
        """Whether these are all bytes from `low` to `high`, as far as the dimensions show."""
        return not self.dims or (len(self.dims) == 1 and abs(self.dims[0][0]) == 1)


class Box:
    """A shape at a byte. `reads` are the latest reads, by chain, and `write` is the last write. `others` are the boxes
    that share bytes with this one, itself included, if there are any beside itself. `seen` is when another engine last
    read what a matmul left here, `unseen` when a matmul last wrote what nothing has read yet.
    """

    __slots__ = ("origin", "others", "reads", "runs", "seen", "shape", "unseen", "write")

    def __init__(self, shape: Shape, origin: int):
        self.shape, self.origin = shape, origin
        self.runs: tuple[np.ndarray, np.ndarray] | None = None
        self.reads: dict[int, Touch] | None = None
        self.write: Touch | None = None
        self.others: list[Box] | None = None
        self.seen: int | None = None
        self.unseen: int | None = None

    @property
    def extent(self) -> Extent:
        return self.origin + self.shape.low, self.origin + self.shape.high

    @property
    def meets(self) -> Sequence[Box]:
        """The boxes that share bytes with this one, itself included."""
        return self.others or (self,)

    def meet(self, other: Box) -> None:
        for a, b in ((self, other), (other, self)):
            if a.others is None:
                a.others = [a]
            a.others.append(b)

    def byte_runs(self) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends of its runs of bytes, in order and apart from each other."""
        if self.runs is not None:
            return self.runs
        runs = runs_of(self.origin, self.shape.dims)
        if not self.shape.dense:
            self.runs = runs
        return runs


def runs_of(origin: int, dims: Sequence[Dim]) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the runs of bytes that begin at an origin, in order and apart from each other."""
    starts, length = np.array([origin], np.int64), 1
    for step, count in sorted(((abs(s), c) for s, c in dims), key=lambda d: d[0]):
        if len(starts) == 1 and step <= length:
            length += step * (count - 1)
            continue
        starts = np.add.outer(step * np.arange(count), starts).ravel()
    starts = np.sort(starts + sum(step * (count - 1) for step, count in dims if step < 0))
    starts = starts[np.append(True, starts[1:] != starts[:-1])]  # np.unique imports numpy.ma, which takes long
    ends = starts + length
    apart = np.flatnonzero(starts[1:] > ends[:-1]) + 1
    first = np.concatenate([[0], apart])
    return starts[first], ends[np.concatenate([apart - 1, [len(ends) - 1]])]


class _Line:
    """Boxes of about one length, by where they begin."""

    def __init__(self) -> None:
        self.lows, self.boxes = array("q"), list[Box]()

    def add(self, box: Box) -> None:
        place = bisect_right(self.lows, box.extent[0])
        self.lows.insert(place, box.extent[0])
        self.boxes.insert(place, box)

    def begin(self, low: int, high: int) -> list[Box]:
        """Those that begin from `low` to below `high`."""
        return self.boxes[bisect_left(self.lows, low) : bisect_left(self.lows, high)]


class Boxes:
    """The boxes of one memory: `found` by shape and origin, and in `lines` by the bits of their length."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[Extent, tuple[Dim, ...], Comb], Shape] = {}
        self.found: dict[Shape, dict[int, Box]] = {}
        self.lines: dict[int, _Line] = {}

    def box(self, rows: Extent, origin: int, dims: Sequence[Dim], comb: Comb = WHOLE) -> Box:
        key = (rows, tuple(dims), comb)
        shape = self.shapes.get(key)
        if shape is None:
            shape = self.shapes[key] = Shape.of(rows, dims, comb)
            self.found.setdefault(shape, {})
        boxes = self.found[shape]
        box = boxes.get(origin)
        if box is None:
            box = boxes[origin] = self._add(Box(shape, origin))
        return box

    def _add(self, box: Box) -> Box:
        low, high = box.extent
        for bits, line in self.lines.items():
            for other in line.begin(low + 1 - (1 << bits), high):
                if _meet(box, other):
                    box.meet(other)
        bits = (high - low).bit_length()
        if bits not in self.lines:
            self.lines[bits] = _Line()
        self.lines[bits].add(box)
        return box


def _meet(a: Box, b: Box) -> bool:
    (low, high), (other_low, other_high) = a.extent, b.extent
    if low >= other_high or other_low >= high or not a.shape.mask & b.shape.mask:
        return False
    return (a.shape.dense and b.shape.dense) or common(a, b) is not None


def common(a: Box, b: Box) -> Extent | None:
    """The first bytes that both have, or None. Their partitions must meet."""
    starts, ends = a.byte_runs()
    other_starts, other_ends = b.byte_runs()
    index = np.searchsorted(other_ends, starts, side="right")
    inside = index < len(other_ends)
    inside[inside] = other_starts[index[inside]] < ends[inside]
    if not inside.any():
        return None
    first = int(np.argmax(inside))
    return max(int(starts[first]), int(other_starts[index[first]])), min(
        int(ends[first]), int(other_ends[index[first]])
    )


class Shadow:
    """The boxes of all memories of a run; HBM tensors lie in one, at the addresses of their arrays."""

    def __init__(self) -> None:
        self.memories: dict[object, Boxes] = {}

    def box(self, pattern: Pattern, address: int) -> Box:
        memory, dims = pattern.memory, pattern.byte_dims
        if memory.on_chip:
            first, rows = pattern.access.start, pattern.access.partitions
            return self._of(memory).box((first, first + rows), address, dims[pattern.row_axes :], pattern.comb)
        return self._of(None).box((0, 1), memory.origin + address, dims)

    def _of(self, key: object) -> Boxes:
        if key not in self.memories:
            self.memories[key] = Boxes()
        return self.memories[key]
