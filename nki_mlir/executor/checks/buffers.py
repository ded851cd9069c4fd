"""The table of buffers that goes along with a program: buffers that are alive together lie apart, and every access
stays inside one slot of one buffer. A program without a table, written by hand, is not held to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nki_mlir.dialects.neuron_isa import BufferOp, ProgramOp
from nki_mlir.errors import Finding
from nki_mlir.executor.reports import source


class _Entry(NamedTuple):
    """A buffer on partitions 0 to `partitions` - 1: bytes `low` to below `high`, alive from `first` to `last`."""

    op: BufferOp
    space: str
    partitions: int
    low: int
    high: int
    first: int
    last: int

    @property
    def name(self) -> str:
        at = source(self.op)
        return f'"{self.op.label.data}"' + (f" ({at})" if at else "")


def _entries(program: ProgramOp) -> list[_Entry]:
    entries = []
    for op in program.items:
        if isinstance(op, BufferOp):
            partitions, address, size, slots, first, last = (
                a.value.data for a in (op.partitions, op.address, op.bytes, op.slots, op.first, op.last)
            )
            high = address + (slots - 1) * op.distance + size
            entries.append(_Entry(op, op.space.data, partitions, address, high, first, last))
    return entries


def overlaps(program: ProgramOp) -> list[Finding]:
    """Buffers that are alive at the same time and share bytes."""
    found: list[Finding] = []
    entries = sorted(_entries(program), key=lambda e: (e.space, e.low))
    for index, a in enumerate(entries):
        for b in entries[index + 1 :]:
            if b.space != a.space or b.low >= a.high:
                break
            if a.first <= b.last and b.first <= a.last:
                text = (
                    f"overlap: buffers {a.name} and {b.name} are both in use from {max(a.first, b.first)} to"
                    f" {min(a.last, b.last)} of the program's order, and both have {a.space} bytes"
                    f" {b.low}..{min(a.high, b.high) - 1} of partitions 0..{min(a.partitions, b.partitions) - 1}"
                )
                found.append(Finding("overlap", text, a.op, b.op))
    return found


class Slots:
    """The slots of all buffers in one memory: a row of `table` has a buffer's first byte, the distance and number of
    its slots, their size, and its partitions."""

    def __init__(self, entries: list[_Entry]):
        self.entries = entries
        rows = [
            (e.low, e.op.distance, e.op.slots.value.data, e.op.bytes.value.data, e.partitions) for e in self.entries
        ]
        self.table = np.array(rows, np.int64).reshape(-1, 5).T

    def why_not(self, rows: int, low: int, high: int) -> str | None:
        """What is wrong with an access that ends before partition `rows` and covers bytes `low` to below `high`."""
        first, distance, count, size, partitions = self.table
        slot = np.clip((low - first) // distance, 0, count - 1)
        start = first + slot * distance
        if ((start <= low) & (high <= start + size) & (rows <= partitions)).any():
            return None
        start = np.where((start + size <= low) & (slot + 1 < count), start + distance, start)
        meets = np.flatnonzero((start < high) & (low < start + size))
        if not len(meets):
            return "lies in no buffer"
        index = int(meets[0])
        entry, at = self.entries[index], int(start[index])
        return (
            f"reaches over the edge of buffer {entry.name}, a slot of which has bytes"
            f" {at}..{at + int(size[index]) - 1} of partitions 0..{entry.partitions - 1}"
        )


def slots(program: ProgramOp) -> dict[str, Slots]:
    """By space; empty where the program has no table."""
    entries = _entries(program)
    spaces = ("sbuf", "psum") if entries else ()
    return {space: Slots([e for e in entries if e.space == space]) for space in spaces}
