"""The table of buffers that goes along with a program: buffers that are alive together lie apart, and every access
stays inside one slot of one buffer. A program without a table, written by hand, is not held to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nki_mlir.dialects.neuron_isa import BufferOp, ProgramOp
from nki_mlir.errors import Finding
from nki_mlir.executor.reports import source


class _Entry(NamedTuple):
    """A buffer on some partitions: bytes `low` to below `high`, in slots of `size` bytes, alive from `first` to
    `last`."""

    op: BufferOp
    space: str
    partitions: range
    low: int
    high: int
    size: int
    first: int
    last: int

    @property
    def name(self) -> str:
        at = source(self.op)
        return f'"{self.op.label.data}"' + (f" ({at})" if at else "")

    def slot(self, number: int) -> tuple[int, int]:
        """Its first byte, and one past its last."""
        low = self.low + number * self.op.distance
        return low, low + self.size

    def slots_below(self, byte: int) -> int:
        """How many slots begin below a byte."""
        begun = -(-(byte - self.low) // self.op.distance)
        return min(max(0, begun), self.op.slots.value.data)

    def meets(self, low: int, high: int) -> tuple[int, int] | None:
        """The first bytes from `low` to below `high` that one slot has, from the first to one past the last."""
        for number in range(max(0, self.slots_below(low) - 1), self.slots_below(high)):
            first, end = self.slot(number)
            if first < high and low < end:
                return max(low, first), min(high, end)
        return None


def _entries(program: ProgramOp) -> list[_Entry]:
    entries = []
    for op in program.items:
        if isinstance(op, BufferOp):
            count, address, size, slots, first, last = (
                a.value.data for a in (op.partitions, op.address, op.bytes, op.slots, op.first, op.last)
            )
            partitions = range(op.first_partition, op.first_partition + count)
            high = address + (slots - 1) * op.distance + size
            entries.append(_Entry(op, op.space.data, partitions, address, high, size, first, last))
    return entries


def _shared(a: _Entry, b: _Entry) -> tuple[int, int] | None:
    """The first bytes that slots of both have, of which the one with fewer slots is walked."""
    few, many = sorted((a, b), key=lambda entry: entry.op.slots.value.data)
    meetings = (many.meets(*few.slot(number)) for number in range(few.op.slots.value.data))
    return next((meeting for meeting in meetings if meeting is not None), None)


def overlaps(program: ProgramOp) -> list[Finding]:
    """Buffers that are alive at the same time and share bytes."""
    found: list[Finding] = []
    entries = sorted(_entries(program), key=lambda e: (e.space, e.low))
    for index, a in enumerate(entries):
        for b in entries[index + 1 :]:
            if b.space != a.space or b.low >= a.high:
                break
            start = max(a.partitions.start, b.partitions.start)
            end = min(a.partitions.stop, b.partitions.stop)
            if start >= end or a.first > b.last or b.first > a.last or (bytes_ := _shared(a, b)) is None:
                continue
            text = (
                f"overlap: buffers {a.name} and {b.name} are both in use from {max(a.first, b.first)} to"
                f" {min(a.last, b.last)} of the program's order, and both have {a.space} bytes"
                f" {bytes_[0]}..{bytes_[1] - 1} of partitions {start}..{end - 1}"
            )
            found.append(Finding("overlap", text, a.op, b.op))
    return found


class Slots:
    """The slots of all buffers in one memory: a row of `table` has a buffer's first byte, the distance and number of
    its slots, their size, its first partition, and one past its last."""

    def __init__(self, entries: list[_Entry]):
        self.entries = entries
        rows = [
            (e.low, e.op.distance, e.op.slots.value.data, e.size, e.partitions.start, e.partitions.stop)
            for e in self.entries
        ]
        self.table = np.array(rows, np.int64).reshape(-1, 6).T

    def why_not(self, begin: int, end: int, low: int, high: int) -> str | None:
        """What is wrong with an access to partitions `begin` to `end` - 1 that covers bytes `low` to below `high`."""
        first, distance, count, size, above, below = self.table
        slot = np.minimum(np.maximum((low - first) // distance, 0), count - 1)
        start = first + slot * distance
        lanes = (above <= begin) & (end <= below)
        if ((start <= low) & (high <= start + size) & lanes).any():
            return None
        start = np.where((start + size <= low) & (slot + 1 < count), start + distance, start)
        meets = np.flatnonzero((start < high) & (low < start + size) & (above < end) & (begin < below))
        if not len(meets):
            return "lies in no buffer"
        index = int(meets[0])
        entry, at = self.entries[index], int(start[index])
        return (
            f"reaches over the edge of buffer {entry.name}, a slot of which has bytes"
            f" {at}..{at + int(size[index]) - 1} of partitions {entry.partitions.start}..{entry.partitions.stop - 1}"
        )


def slots(program: ProgramOp) -> dict[str, Slots]:
    """By space; empty where the program has no table."""
    entries = _entries(program)
    spaces = ("sbuf", "psum") if entries else ()
    return {space: Slots([e for e in entries if e.space == space]) for space in spaces}
