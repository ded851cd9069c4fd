"""What the programs of a grid write. They run in no order that a kernel may rely on: where two of them write one
element of HBM, it must not matter which comes last."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nki_mlir.errors import ExecutionError, excerpt
from nki_mlir.executor import numerics
from nki_mlir.executor.machine import Memory, Pattern, unravelled
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.reports import Grid, where

if TYPE_CHECKING:
    from xdsl.ir import Operation


class _Write(NamedTuple):
    """A transfer of one program."""

    program: int
    op: Operation


class _Tensor:
    """By element: `last` is the number of the write that came last, 0 for none; where another program had written
    before, `before` is the number of its last write and `values` what it left. Values are compared when the later
    program is through with an element: it may write it several times."""

    def __init__(self, memory: Memory):
        assert memory.tensor is not None
        self.memory, self.shape = memory, memory.tensor.type.get_shape()
        self.data = memory.data.view(numerics.storage(memory.tensor.type.element_type))
        self.last = np.zeros(self.data.size, np.int32)
        self.before: Array | None = None
        self.values = np.empty(0, self.data.dtype)


class Programs:
    """The writes of a run, of `grid` programs. A tensor that overlaps another is looked at by itself."""

    def __init__(self, grid: Grid, problems: list[ExecutionError]):
        self.grid, self.problems = grid, problems
        self.writes: list[_Write] = [_Write(-1, None)]  # pyright: ignore[reportArgumentType]
        self.numbers: dict[tuple[int, int], int] = {}
        self.programs = np.full(64, -1, np.int64)
        self.tensors: dict[int, _Tensor] = {}
        self.reported: set[int] = set()

    def write(self, pattern: Pattern, address: int, program: int) -> None:
        """To be called before a transfer of a program writes to HBM."""
        memory, access = pattern.memory, pattern.access
        if memory.tensor is None or memory.tensor.type.element_type != access.element_type:
            return
        tensor = self.tensors.get(id(memory))
        if tensor is None:
            tensor = self.tensors[id(memory)] = _Tensor(memory)
        strides = tuple(stride // access.itemsize * tensor.last.itemsize for stride in pattern.strides)
        start = address // access.itemsize * tensor.last.itemsize
        last = np.ndarray(pattern.shape, np.int32, tensor.last, start, strides)
        number = self._number(program, pattern.op)
        if last.any():
            others = (last != 0) & (self.programs[last] != program)
            if others.any():
                self._take(tensor, pattern.elements(address).reshape(pattern.shape)[others])
        last[...] = number

    @property
    def by_data(self) -> bool:
        """Whether values of elements have been compared."""
        return any(tensor.before is not None for tensor in self.tensors.values())

    def finish(self) -> None:
        """Compares what is left to compare at the end of a run."""
        for tensor in self.tensors.values():
            if tensor.before is not None:
                self._compare(tensor, np.flatnonzero(tensor.before))

    def _number(self, program: int, op: Operation) -> int:
        key = (program, id(op))
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.writes)
            self.writes.append(_Write(program, op))
            if number == len(self.programs):
                self.programs = np.concatenate([self.programs, np.full_like(self.programs, -1)])
            self.programs[number] = program
        return number

    def _take(self, tensor: _Tensor, elements: Array) -> None:
        """Another program than before is about to write these elements."""
        if tensor.before is None:
            tensor.before, tensor.values = np.zeros_like(tensor.last), np.empty_like(tensor.data)
        self._compare(tensor, elements[tensor.before[elements] != 0])
        tensor.before[elements] = tensor.last[elements]
        tensor.values[elements] = tensor.data[elements]

    def _compare(self, tensor: _Tensor, elements: Array) -> None:
        """Whether the programs before and last have left the same in these elements."""
        old, new = tensor.values[elements], tensor.data[elements]
        differ = (old != new) & ((old == old) | (new == new))
        if not differ.any() or id(tensor) in self.reported:
            return
        self.reported.add(id(tensor))
        place = int(np.argmax(differ))
        element = int(elements[place])
        assert tensor.before is not None
        first, second = (self.writes[int(of[element])] for of in (tensor.before, tensor.last))
        count = int(np.count_nonzero(differ))
        text = (
            f"{where(second.op)}: {self.grid.name(first.program)} and"
            f" {self.grid.name(second.program)} write different values, {old[place]} and {new[place]}, to"
            f" element {unravelled(element, tensor.shape)} of {tensor.memory.label}"
            + (f" (and so for {count - 1} more elements)" if count > 1 else "")
            + "; programs run in any order, so each element must be one program's"
        )
        shown = dict.fromkeys(excerpt(op) for op in (first.op, second.op))
        self.problems.append(ExecutionError("\n".join([text, *filter(None, shown)]), "conflict"))


def unwritten(memory: Memory, at: str) -> ExecutionError | None:
    """What is missing of a tensor that the program is to write: all of it where its content did not count as written
    before, else anything."""
    tensor, prefix = memory.tensor, f"{at}: " if at else ""
    assert tensor is not None
    shape = tensor.type.get_shape()
    if memory.high == 0:
        text = (
            f"{prefix}no program has written to {memory.label}, of shape {shape}, which the kernel stores to or returns"
        )
        return ExecutionError(f"{text}; its masks or loops leave out everything", "unwritten")
    if memory.state is None or memory.state.all():
        return None
    missing = (memory.state == 0).reshape(math.prod(shape), -1).any(1)
    text = (
        f"{prefix}element {unravelled(int(np.argmax(missing)), shape)} of {memory.label}, of shape {shape}, which the"
        f" kernel returns, was never written, nor were {np.count_nonzero(missing) - 1} others"
    )
    return ExecutionError(text, "uninitialised")
