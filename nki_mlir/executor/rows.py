"""Rows of a tensor in HBM that an index tile chooses: the indexed side of a gather or a scatter
(docs/hardware.md#gather-and-scatter)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nki_mlir.dialects.neuron_isa_structure import MOST_BYTES
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.machine import OTHER, Pattern
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.reports import where


class Rows:
    """Row `r` lies `r * step` elements from the operand's address on, `step` being that of its first dimension; `row`
    is the access pattern of one. `skip`: rows outside of the tensor are left out, else they are an error."""

    def __init__(self, pattern: Pattern, skip: bool):
        access = pattern.access
        dims = access.dims[1:] or ((1, 1),)
        one = replace(access, dims=dims)
        self.row = Pattern(pattern.op, pattern.name, one, pattern.memory, pattern.dtype, dims, pattern.writes)
        self.step = access.dims[0][0] * access.itemsize
        self.skip = skip
        if not 0 < self.step <= MOST_BYTES:
            raise ExecutionError(
                f"{where(pattern.op)}: {pattern.name}: rows are {self.step} bytes apart; it must be 1 to {MOST_BYTES}"
            )

    def select(self, address: int, indices: Array) -> tuple[Array, Array]:
        """The byte addresses of the rows that lie in the tensor, and which of the indices (int64 [n]) name those."""
        row = self.row
        first, last = self._range(address)
        inside = (indices >= first) & (indices <= last)
        addresses = address + np.where(inside, indices, 0) * self.step
        if not self.skip and not inside.all():
            place = int(np.argmin(inside))
            raise ExecutionError(
                f"{where(row.op)}: index {int(indices[place])}, number {place + 1} of {len(indices)}, is out of range:"
                f" {row.name} has {self.count(address)} rows in {row.memory.label}",
                "bounds",
            )
        if address % row.access.itemsize:
            row.bind(address)
        return addresses[inside], inside

    def _range(self, address: int) -> tuple[int, int]:
        """The first and the last row in the tensor, row 0 being at an address. In Python's integers: an index times a
        step may have more than 64 bits."""
        low, high = -self.row.low - address, self.row.memory.capacity - self.row.high - address
        return -(-low // self.step), high // self.step

    def count(self, address: int) -> int:
        """Rows in the tensor, from row 0 at an address on."""
        return max(0, self._range(address)[1] + 1)

    def require_distinct(self, addresses: Array) -> None:
        """A row that is written twice ends up with either of the two: transfers write rows in no order."""
        found, times = np.unique(addresses, return_counts=True)
        if len(found) < len(addresses):
            twice = int(found[np.argmax(times)])
            raise ExecutionError(
                f"{where(self.row.op)}: {self.row.name}: the row at byte {twice} of {self.row.memory.label} is written"
                f" {int(times.max())} times by one transfer, in no order; indices of a scatter must be distinct",
                "race",
            )

    def require(self, addresses: Array) -> None:
        """Checks that every byte of the rows has been written."""
        state = self.row.memory.state
        if state is None or not len(addresses):
            return
        table, numbers = self._states(state, addresses)
        written = table[numbers].reshape(len(addresses), -1).all(1)
        if not written.all():
            self.row.require(self.row.bind(int(addresses[np.argmin(written)])))

    def take(self, addresses: Array) -> Array:
        """The elements of some rows: [n, row dimensions], copied."""
        if not len(addresses):
            return np.empty((0, *self.row.shape), self.row.dtype)
        table, numbers = self._elements(addresses)
        return table[numbers]

    def put(self, addresses: Array, values: Array) -> None:
        """Writes rows, of the shape that `take` gives."""
        if not len(addresses):
            return
        table, numbers = self._elements(addresses)
        table[numbers] = values
        self.row.memory.high = max(self.row.memory.high, int(addresses.max()) + self.row.high)
        if (state := self.row.memory.state) is not None:
            marks, numbers = self._states(state, addresses)
            marks[numbers] = OTHER

    def _elements(self, addresses: Array) -> tuple[Array, Array]:
        row = self.row
        return self._table(row.memory.data, row.dtype, row.shape, row.strides, addresses)

    def _states(self, state: Array, addresses: Array) -> tuple[Array, Array]:
        strides, shape = zip(*self.row.byte_dims, strict=True)
        return self._table(state, np.dtype(np.uint8), shape, strides, addresses)

    def _table(
        self, data: Array, dtype: np.dtype[Any], shape: tuple[int, ...], strides: tuple[int, ...], addresses: Array
    ) -> tuple[Array, Array]:
        """A view of all rows that the tensor has in line with these, and their numbers in it."""
        row, step = self.row, self.step
        first = (int(addresses[0]) + row.low) % step - row.low
        count = (row.memory.capacity - row.high - first) // step + 1
        return np.ndarray((count, *shape), dtype, data, first, (step, *strides)), (addresses - first) // step
