"""The rectangles of memory that a run touches, and which of them share bytes.

Every distinct access (a pattern at an address) is a `Box`, found again by its address; when a new one appears, the
boxes of its memory that it meets are looked up once. Partition ranges and byte extents are compared first, all boxes at
once; where both boxes are dense that decides, otherwise their runs of bytes are compared, which is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nki_mlir.dialects.access import WHOLE, Comb, Dim
from nki_mlir.executor.machine import Pattern

Extent = tuple[int, int]
_START = 256


class Box:
    """Bytes `extent` of partitions in the range `rows` (0..1 in HBM): those whose bits `mask` has. `dims` are (step,
    count) in bytes, from `origin` on.

    `reads` and `writes` are the latest accesses by chain of completions: (number, position in the trace). `meets` are
    the boxes that share bytes with this one, itself included. `seen` is when another engine last read what a matmul
    left here, `unseen` when a matmul last wrote what nothing has read yet.
    """

    __slots__ = ("dims", "extent", "mask", "meets", "origin", "reads", "rows", "runs", "seen", "unseen", "writes")

    def __init__(self, rows: Extent, origin: int, dims: Sequence[Dim], comb: Comb):
        self.rows, self.origin = rows, origin
        self.mask = comb.mask(rows[0], rows[1] - rows[0])
        self.dims = [d for d in dims if d[0] and d[1] > 1]
        low = sum(min(0, step * (count - 1)) for step, count in self.dims)
        high = sum(max(0, step * (count - 1)) for step, count in self.dims)
        self.extent = (origin + low, origin + high + 1)
        self.runs: tuple[np.ndarray, np.ndarray] | None = None
        self.reads: dict[int, tuple[int, int]] = {}
        self.writes: dict[int, tuple[int, int]] = {}
        self.meets: list[Box] = [self]
        self.seen: int | None = None
        self.unseen: int | None = None

    @property
    def dense(self) -> bool:
        """Whether the box is all bytes of its extent, as far as its dimensions show."""
        return not self.dims or (len(self.dims) == 1 and abs(self.dims[0][0]) == 1)

    def byte_runs(self) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends of its runs of bytes, in order and apart from each other."""
        if self.runs is None:
            self.runs = _runs(self.origin, self.dims)
        return self.runs


def _runs(origin: int, dims: Sequence[Dim]) -> tuple[np.ndarray, np.ndarray]:
    starts, length = np.array([origin], np.int64), 1
    for step, count in sorted(((abs(s), c) for s, c in dims), key=lambda d: d[0]):
        if len(starts) == 1 and step <= length:
            length += step * (count - 1)
            continue
        starts = np.add.outer(step * np.arange(count), starts).ravel()
    starts = np.unique(starts + sum(step * (count - 1) for step, count in dims if step < 0))
    ends = starts + length
    apart = np.flatnonzero(starts[1:] > ends[:-1]) + 1
    first = np.concatenate([[0], apart])
    return starts[first], ends[np.concatenate([apart - 1, [len(ends) - 1]])]


class Boxes:
    """The boxes of one memory."""

    def __init__(self) -> None:
        self.found: dict[tuple[Extent, int, tuple[Dim, ...], Comb], Box] = {}
        self.boxes: list[Box] = []
        self.limits = np.empty((4, _START), np.int64)

    def box(self, rows: Extent, origin: int, dims: Sequence[Dim], comb: Comb = WHOLE) -> Box:
        key = (rows, origin, tuple(dims), comb)
        box = self.found.get(key)
        if box is None:
            box = self.found[key] = self._add(Box(rows, origin, dims, comb))
        return box

    def _add(self, box: Box) -> Box:
        count = len(self.boxes)
        if count == self.limits.shape[1]:
            self.limits = np.concatenate([self.limits, np.empty_like(self.limits)], axis=1)
        first, last, low, high = self.limits[:, :count]
        near = (first < box.rows[1]) & (last > box.rows[0]) & (low < box.extent[1]) & (high > box.extent[0])
        for index in np.flatnonzero(near):
            other = self.boxes[index]
            if box.mask & other.mask and ((box.dense and other.dense) or common(box, other) is not None):
                box.meets.append(other)
                other.meets.append(box)
        self.limits[:, count] = *box.rows, *box.extent
        self.boxes.append(box)
        return box


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
