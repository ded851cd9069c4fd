"""Transfers into SBUF that a plan leaves out: whoever reads what they bring reads it in HBM instead.

That is the same where nothing writes to the tensor, where nothing has written to those bytes of SBUF since, and where a
row of the tile is a run of bytes in HBM as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nki_mlir.dialects.access import WHOLE, contiguous
from nki_mlir.executor.machine import Pattern, Region
from nki_mlir.executor.plan import View
from nki_mlir.executor.sums import Place

_MOST = 64
"""Transfers that are remembered at a time."""


class _Load(NamedTuple):
    """A transfer that may be left out: to `address` of SBUF, by write number `written` of that memory, from byte
    `source` of a tensor, rows `step` bytes apart. `emit` has it done after all."""

    pattern: Pattern
    address: int
    written: int
    tensor: int
    source: int
    step: int
    emit: Callable[[], None]


class Loads:
    """The transfers so far that are left out, by the place in SBUF that they would fill."""

    def __init__(self) -> None:
        self.known: dict[Place, _Load] = {}

    def leave_out(self, source: View, target: Pattern, address: int, region: Region, emit: Callable[[], None]) -> bool:
        """Whether a transfer that has just been noted as a write to `region` of SBUF can be left out for now."""
        rows = _row_step(source, target)
        if rows is None:
            return False
        self.known.pop(region.place, None)
        if len(self.known) >= _MOST:
            self._emit(next(iter(self.known)))
        written = target.memory.writes
        self.known[region.place] = _Load(target, address, written, source.tensor, source.offset, rows, emit)
        return True

    def read(self, pattern: Pattern, address: int, region: Region) -> View | None:
        """The bytes of a region as they are in HBM; None if they have to be read in SBUF."""
        met = [place for place in self.known if place.meets(region.place)]
        if len(met) == 1 and (found := self._view(self.known[met[0]], pattern, address, region)) is not None:
            return found
        for place in met:
            self._emit(place)
        return None

    def _emit(self, place: Place) -> None:
        self.known.pop(place).emit()

    def _view(self, load: _Load, pattern: Pattern, address: int, region: Region) -> View | None:
        memory, place, whole = pattern.memory, region.place, load.pattern.access
        low, high = load.address + load.pattern.low, load.address + load.pattern.high
        inside = whole.start <= place.first and place.last <= whole.start + whole.partitions
        if not (memory is load.pattern.memory and inside and low <= place.low and place.high <= high):
            return None
        if pattern.version(region)[1] != load.written:
            return None
        rows = tuple(load.step * (stride // memory.row) for stride in pattern.strides[: pattern.row_axes])
        offset = load.source + (pattern.access.start - whole.start) * load.step + address - load.address
        strides = (*rows, *pattern.strides[pattern.row_axes :])
        return View(load.tensor, pattern.shape, pattern.dtype, offset, strides)


def _row_step(source: View, target: Pattern) -> int | None:
    """How many bytes lie between the rows in HBM of what becomes the rows of a tile, each of them a run of bytes; None
    where it is otherwise."""
    access, item = target.access, target.access.itemsize
    dense = contiguous(access.dims)
    if target.comb != WHOLE or len(dense) != 1 or (dense[0][0] != 1 and dense[0][1] > 1):
        return None
    row = access.free_elements * item
    match [(stride, count) for stride, count in zip(source.strides, source.shape, strict=True) if count > 1]:
        case []:
            return row
        case [(stride, count)] if stride == item and count == access.elements:
            return row
        case [(stride, count)] if row == item and count == access.partitions:
            return stride
        case [(stride, count), (inner, length)] if (inner, count, length * item) == (item, access.partitions, row):
            return stride
        case _:
            return None
