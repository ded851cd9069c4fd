"""The state of the machine: byte-addressed memories, and per core its semaphores.

On-chip memories are arrays of 128 partitions x bytes; an HBM tensor is the bytes of the array it was given. An access
pattern at an address is a `Region`: a NumPy view of those bytes, made once per address and kept.

With checks on, a memory carries a state byte for each of its bytes: 0 never written, else who wrote it last. On chip,
what was written last is `marked` first, and comes to these bytes once somebody looks at them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from mmap import mmap
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from xdsl.ir import Operation

from nki_mlir.dialects.access import WHOLE, Access, Comb, Dim, contiguous
from nki_mlir.errors import ExecutionError, excerpt
from nki_mlir.executor.marks import Marks, Rectangle
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.reports import where
from nki_mlir.executor.sums import Place, Sums

if TYPE_CHECKING:
    from nki_mlir.dialects.neuron_isa import TensorOp
    from nki_mlir.executor.checks.buffers import Slots

OTHER, MATMUL = 1, 2
"""State of a written byte: by a matmul of the Tensor engine, or by anything else."""

GRAIN = 256
"""Bytes of a partition whose changes are told together."""

_CACHED_REGIONS = 4096
_MOST_RUNS = 8
"""Runs of bytes of a partition that are marked as such."""
_MOST_LISTED = 1 << 22
"""Elements of an operand that a message looks at one by one."""


_APART = 33 * 64
"""Bytes between one partition's on the host and the next: without, those at one address would fall into few sets of the
host's caches."""


def on_chip(label: str, partitions: int, capacity: int, checks: bool) -> Memory:
    """A memory of so many partitions of `capacity` bytes, all 0."""
    return Memory(label, zeroed(partitions, capacity + _APART), checks, capacity=capacity)


def zeroed(*shape: int) -> Array:
    """Zero bytes, from fresh pages: those that a run never touches cost neither time nor memory."""
    size = math.prod(shape)
    return np.frombuffer(mmap(-1, max(1, size)), np.uint8, count=size).reshape(shape)


def unravelled(element: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The indices of an element, counted in row-major order; those of the first dimension go on beyond the end."""
    indices: list[int] = []
    for size in reversed(shape[1:]):
        element, index = divmod(element, size)
        indices.append(index)
    return tuple([element, *reversed(indices)]) if shape else ()


class Memory:
    """One memory. `data` is [partitions, `row`] bytes on chip and [bytes] for an HBM tensor; `capacity` the bytes that
    an address may reach (on chip: in each partition). `high` is one past the highest byte written; `origin` is the
    address of its first byte on the host; `slots` are the places that accesses must keep to, where they are known.
    `state` has the shape of `data`, or is None where every byte counts as initialised; `marks` are what is not in it
    yet; `problems` are what checks of it have found. `sums` are the matmuls that are still to be multiplied, in PSUM:
    whoever looks at `data` or changes it settles them first. `by_data` once the values of elements have decided which
    bytes count as written. `stamps` are the number of the last write to each `GRAIN` bytes, whatever the partition.
    `tensor` declares a tensor in HBM."""

    def __init__(
        self, label: str, data: Array, checks: bool, tensor: TensorOp | None = None, capacity: int | None = None
    ):
        self.label, self.tensor = label, tensor
        self.data = data
        self.row = data.shape[1] if data.ndim == 2 else 0
        self.capacity = data.shape[-1] if capacity is None else capacity
        self._state: Array | None = zeroed(*data.shape) if checks else None
        self.marks = Marks()
        self.high = 0
        self.slots: Slots | None = None
        self.problems: list[ExecutionError] = []
        self.sums = Sums()
        self.by_data = False
        self.writes = 0
        self.stamps = np.zeros(-(-self.capacity // GRAIN) if self.on_chip else 0, np.int64)
        self.origin: int = data.__array_interface__["data"][0]

    @property
    def on_chip(self) -> bool:
        return self.data.ndim == 2

    @property
    def state(self) -> Array | None:
        if self._state is not None:
            for (first, last, low, high), writer in self.marks.take():
                self._state[first:last, low:high] = writer
        return self._state

    def forget_state(self) -> None:
        """From now on every byte counts as initialised, for regions that are made."""
        self._state = None

    @property
    def has_state(self) -> bool:
        return self._state is not None


class Region:
    """An access pattern at an address. `checked` where bytes have a state; `ready` means that all of its are known to
    be written. `stamp` is the number
    of the last write to its bytes among the first `seen` writes to the memory."""

    __slots__ = ("address", "checked", "grains", "place", "ready", "seen", "stamp", "view")

    def __init__(self, address: int, place: Place, view: Array, checked: bool):
        self.address, self.place = address, place
        self.view = view
        self.checked, self.ready = checked, not checked
        self.grains = slice(place.low // GRAIN, (place.high - 1) // GRAIN + 1)
        self.seen, self.stamp = -1, 0


class Pattern:
    """One memory operand of one instruction: everything about it but the address.

    `dims` are the free dimensions of its views, in (step, count) elements; on chip, views have the partitions before
    them: one axis, or two where `comb` takes several of every so many. `bank` is the size of a PSUM bank where the
    access may not cross one, else 0. `runs` are the bytes of each partition, where they are few runs.
    """

    def __init__(
        self,
        op: Operation,
        name: str,
        access: Access,
        memory: Memory,
        dtype: np.dtype[Any],
        dims: Sequence[Dim],
        writes: bool = False,
        bank: int = 0,
        comb: Comb = WHOLE,
    ):
        self.op, self.name, self.access, self.memory = op, name, access, memory
        self.dtype, self.writes, self.bank, self.comb = dtype, writes, bank, comb
        self.item = item = access.itemsize
        rows = [(memory.row * step, n) for step, n in comb.dims(access.partitions)] if memory.on_chip else []
        self.shape = tuple(count for _, count in [*rows, *dims])
        self.strides = tuple(stride for stride, _ in [*rows, *((step * item, count) for step, count in dims)])
        self.base, self.row_axes = access.start * memory.row, len(rows)
        self.low, self.high = access.extent
        free = contiguous([*((step * item, count) for step, count in access.dims), (1, item)])
        self.byte_dims = [*rows, *free]
        self.runs = _runs(free) if memory.on_chip and comb == WHOLE else ()
        self.cache: dict[int, Region] = {}
        self.noted = False

    def at(self, address: int) -> Region:
        """The region at a byte address, made at its first use; ExecutionError if it isn't inside the memory."""
        return self.cache.get(address) or self.bind(address)

    def bind(self, address: int) -> Region:
        """The region at a byte address; ExecutionError if it isn't inside the memory."""
        self._check_bounds(address)
        memory, offset = self.memory, self.base + address
        view = np.ndarray(self.shape, self.dtype, memory.data, offset, self.strides)
        first, last = self.access.start, self.access.start + self.access.partitions
        place = Place(first, last, address + self.low, address + self.high, self.access.dims, self.item)
        region = Region(address, place, view, memory.has_state)
        if self.writes:
            memory.high = max(memory.high, address + self.high)
        if len(self.cache) >= _CACHED_REGIONS:
            self.cache.clear()
        self.cache[address] = region
        return region

    def state_of(self, region: Region) -> Array | None:
        """The state of a region's bytes, in the order of its elements."""
        state = self.memory.state if region.checked else None
        return None if state is None else self.bytes_at(state, region.address)

    def bytes_at(self, state: Array, address: int) -> Array:
        """The bytes at an address of an array of the memory's shape."""
        strides, shape = zip(*self.byte_dims, strict=True)
        return np.ndarray(shape, np.uint8, state, self.base + address, strides)

    def _check_bounds(self, address: int) -> None:
        low, high, memory = address + self.low, address + self.high, self.memory
        each = " of each partition" if memory.on_chip else ""
        if (low < 0 or high > memory.capacity) and memory.tensor is not None:
            self._fail_beyond(address)
        if low < 0 or high > memory.capacity:
            self._fail(
                "bounds", f"covers bytes {low}..{high - 1}{each} of {memory.label}, which has {memory.capacity} bytes"
            )
        last, rows = self.access.start + self.access.partitions, memory.data.shape[0]
        if memory.on_chip and last > rows:
            self._fail("bounds", f"reaches partition {last - 1} of {memory.label}, which has {rows}")
        if address % self.item:
            self._fail("bounds", f"starts at byte {address}, which is not a multiple of its {self.item}-byte element")
        if self.bank and low // self.bank != (high - 1) // self.bank:
            self._fail(
                "bounds", f"covers bytes {low}..{high - 1}{each}; a matmul writes within one bank of {self.bank} bytes"
            )
        first = self.access.start
        if memory.slots is not None and (reason := memory.slots.why_not(first, last, low, high)) is not None:
            self._fail("bounds", f"covers bytes {low}..{high - 1}{each} of {memory.label} and {reason}")

    def elements(self, address: int) -> Array:
        """The numbers of the elements of an operand in HBM, in the tensor, row by row."""
        found = np.array([address // self.access.itemsize], np.int64)
        for step, count in self.access.dims:
            found = np.add.outer(found, step * np.arange(count, dtype=np.int64))
        return found.reshape(-1)

    def _fail_beyond(self, address: int) -> NoReturn:
        """For an operand that leaves its tensor: where, and by how much."""
        memory, access = self.memory, self.access
        assert memory.tensor is not None
        size, shape = memory.capacity // access.itemsize, memory.tensor.type.get_shape()
        numbers = self.elements(address) if access.elements <= _MOST_LISTED else np.array([self.high + address - 1])
        outside = (numbers < 0) | (numbers >= size)
        first = int(numbers[np.argmax(outside)])
        whole = access.element_type == memory.tensor.type.element_type
        element = unravelled(first, shape) if whole else first
        does, count = "writes" if self.writes else "reads", int(np.count_nonzero(outside))
        text = (
            f"{does} element {element} of {memory.label}, which has shape {shape}: {count} of its"
            f" {access.elements} elements lie outside; a mask is missing that leaves them out"
        )
        shown = excerpt(self.op)
        self._fail("bounds", f"{text}\n{shown}" if shown else text)

    def change(self, region: Region) -> None:
        """To be called by whoever writes into a region's view."""
        memory = self.memory
        if memory.on_chip:
            memory.writes += 1
            memory.stamps[region.grains] = memory.writes

    def version(self, region: Region) -> tuple[Region, int]:
        """Equal for equal regions as long as nothing writes into them."""
        memory = self.memory
        if region.seen != memory.writes:
            region.seen, region.stamp = memory.writes, int(memory.stamps[region.grains].max())
        return region, region.stamp

    def require(self, region: Region) -> None:
        """Checks that every byte of a source has been written."""
        if self.memory.on_chip and self.memory.marks.cover(_rectangle(region)):
            region.ready = True
            return
        state = self.state_of(region)
        if state is None or state.all():
            region.ready = True
            return
        index = np.unravel_index(int(np.argmin(state != 0)), state.shape)
        row = state[index[:-1]][index[-1] :]
        run = int(np.argmax(row != 0)) or len(row)
        row, first = self._place(region, index)
        if (tensor := self.memory.tensor) is not None and tensor.type.element_type == self.access.element_type:
            element = unravelled(first // self.access.itemsize, tensor.type.get_shape())
            where_in = f" element {element} (bytes {first}..{first + run - 1})"
        else:
            where_in = f"{f' partition {row},' if self.memory.on_chip else ''} bytes {first}..{first + run - 1}"
        self._note("uninitialised", f"reads {self.memory.label},{where_in}, which were never written")

    def require_accumulator(self, region: Region) -> None:
        """Checks that a matmul adds only to what a matmul wrote (anything else is undefined:
        docs/hardware.md#psum-accumulation)."""
        if self.memory.marks.cover(_rectangle(region), MATMUL):
            return
        state = self.state_of(region)
        if state is None or (state == MATMUL).all():
            return
        index = np.unravel_index(int(np.argmax(state != MATMUL)), state.shape)
        kind = "never written" if state[index] == 0 else "written last by another engine, not by a matmul"
        row, byte = self._place(region, index)
        self._note(
            "psum",
            f"accumulates onto {self.memory.label}, partition {row}, byte {byte}, which was {kind}; the first matmul of"
            " a group must overwrite",
        )

    def _place(self, region: Region, index: Sequence[Any]) -> tuple[int, int]:
        """Partition (0 in HBM) and byte at an index into the region's bytes."""
        offsets = [int(i) * stride for i, (stride, _) in zip(index, self.byte_dims, strict=True)]
        rows, free = offsets[: self.row_axes], offsets[self.row_axes :]
        return self.access.start + sum(rows) // max(1, self.memory.row), region.address + sum(free)

    def written(self, region: Region, writer: int) -> None:
        """Marks a whole region as written."""
        if region.checked and not self._mark(region, writer):
            state = self.state_of(region)
            if state is not None:
                state[...] = writer
        region.ready = True

    def _mark(self, region: Region, writer: int) -> bool:
        first, last, marks = region.place.first, region.place.last, self.memory.marks
        ends = [(region.address + low, region.address + high) for low, high in self.runs]
        return bool(ends) and all(marks.add(Rectangle(first, last, low, high), writer) for low, high in ends)

    def written_where(self, region: Region, mask: Array) -> None:
        """Marks the elements of a region that `mask`, of the shape of its view, selects."""
        state = self.memory.state
        if state is None:
            return
        if not region.ready and (marked := self.state_of(region)) is not None and not marked.all():
            self.memory.by_data = True
        shape = (*self.shape, self.access.itemsize)
        elements = np.ndarray(shape, np.uint8, state, self.base + region.address, (*self.strides, 1))
        elements[mask] = OTHER

    def _fail(self, kind: str, text: str) -> NoReturn:
        raise ExecutionError(f"{where(self.op)}: {self.name} {text}", kind)

    def _note(self, kind: str, text: str) -> None:
        """Once for each operand: the run goes on, as what comes later may explain it."""
        if not self.noted:
            self.noted = True
            self.memory.problems.append(ExecutionError(f"{where(self.op)}: {self.name} {text}", kind))


def _runs(dims: Sequence[Dim]) -> Sequence[tuple[int, int]]:
    """The runs of bytes of a pattern, given by its dimensions in bytes, in whatever order it has them; none where they
    are many."""
    *others, (step, size) = contiguous(sorted(dims, reverse=True))
    if step != 1 or math.prod(count for _, count in others) > _MOST_RUNS:
        return ()
    starts = [0]
    for step, count in others:
        starts = [start + n * step for start in starts for n in range(count)]
    return [(start, start + size) for start in starts]


def _rectangle(region: Region) -> Rectangle:
    """The smallest one that has all of it."""
    place = region.place
    return Rectangle(place.first, place.last, place.low, place.high)
