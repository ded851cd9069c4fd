"""From the arrays that a caller gives to the bytes of a program's tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from nki_mlir.dialects.dtypes import dtype, is_dtype
from nki_mlir.dialects.neuron_isa import IsaInstruction, ProgramOp, RegisterStoreOp, TensorOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import numerics
from nki_mlir.executor.machine import Memory, zeroed
from nki_mlir.executor.numerics import Array


class Tensor(NamedTuple):
    """What a program asks of the array that it is given for one of its tensors: one of `types`, `size` elements.
    `written` if the program writes it."""

    op: TensorOp
    name: str
    shape: tuple[int, ...]
    size: int
    types: tuple[np.dtype[Any], ...]
    written: bool

    def bytes_of(self, array: np.ndarray[Any, Any]) -> Array:
        """The bytes of an array, of which it must be as it is asked; no copy. ExecutionError if it isn't."""
        if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ExecutionError(f'tensor "{self.name}": expected a NumPy array, got {type(array).__name__}')
        array = _in_words(array, self.shape)
        if array.dtype not in self.types:
            wanted = " or ".join(t.name for t in self.types)
            raise ExecutionError(f'tensor "{self.name}": expected {wanted}, got {array.dtype.name}')
        if array.size != self.size:
            sizes = "x".join(map(str, self.shape))
            raise ExecutionError(f'tensor "{self.name}": expected {self.size} elements ({sizes}), got {array.size}')
        if not array.flags.c_contiguous:
            raise ExecutionError(f'tensor "{self.name}": expected a C-contiguous array, got strides {array.strides}')
        if self.written and not array.flags.writeable:
            raise ExecutionError(f'tensor "{self.name}": the program writes it, but the array is read-only')
        return array.reshape(-1).view(np.uint8)


def tensors(program: ProgramOp) -> list[Tensor]:
    """Those of a program, in order."""
    written = _written(program)
    return [_tensor(op, op.sym.data in written) for op in program.tensors()]


def _tensor(op: TensorOp, written: bool) -> Tensor:
    name, kind, shape = op.sym.data, op.type.element_type, op.type.get_shape()
    if not is_dtype(kind) or any(size < 0 for size in shape):
        raise ExecutionError(f'tensor "{name}": {op.type} is not a tensor of known shape and machine type')
    return Tensor(op, name, shape, math.prod(shape), numerics.host_types(kind), written)


def bytes_of(declared: Sequence[Tensor], arrays: Sequence[np.ndarray[Any, Any]]) -> list[Array]:
    """The bytes of the arrays that are given for a program's tensors. Raises ExecutionError."""
    if len(arrays) != len(declared):
        names = ", ".join(t.name for t in declared)
        raise ExecutionError(f"the program has {len(declared)} tensors ({names}), got {len(arrays)} arrays")
    return [tensor.bytes_of(array) for tensor, array in zip(declared, arrays, strict=True)]


def memories(declared: Sequence[Tensor], data: Sequence[Array], checked: frozenset[int]) -> dict[str, Memory]:
    """HBM, by tensor; those in `checked` have content that does not count as written."""
    pairs = enumerate(zip(declared, data, strict=True))
    return {t.name: Memory(f'tensor "{t.name}"', found, index in checked, t.op) for index, (t, found) in pairs}


def empty(program: ProgramOp) -> dict[str, Memory]:
    """HBM of zeros, of which no page exists yet."""
    found: dict[str, Memory] = {}
    for op in program.tensors():
        name, size = op.sym.data, math.prod(op.type.get_shape()) * dtype(op.type.element_type).bytes
        try:
            found[name] = Memory(f'tensor "{name}"', zeroed(size), False)
        except (OSError, OverflowError, ValueError):
            raise ExecutionError(f'tensor "{name}": this computer has no room for its {size:,} bytes') from None
    return found


def constant(declared: Sequence[Tensor], data: Sequence[Array]) -> set[str]:
    """Tensors that share no memory with one that the program writes."""
    written = [found for tensor, found in zip(declared, data, strict=True) if tensor.written]
    pairs = zip(declared, data, strict=True)
    return {t.name for t, found in pairs if not any(np.may_share_memory(found, other) for other in written)}


def overlaps(data: Sequence[Array]) -> tuple[tuple[int, int, int], ...]:
    """Which of some arrays share memory, and how they lie to each other: the numbers of two, and the distance of their
    first bytes."""
    spans = sorted((array.__array_interface__["data"][0], index) for index, array in enumerate(data) if array.size)
    if all(start + data[index].size <= after for (start, index), (after, _) in pairwise(spans)):
        return ()
    found: list[tuple[int, int, int]] = []
    for place, (address, index) in enumerate(spans):
        for start, other in spans[:place]:
            if start + data[other].size > address:
                found.append((other, index, address - start))
    return tuple(found)


def _in_words(array: np.ndarray[Any, Any], shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """An array of 64-bit integers as the pairs of words that it is where the program has pairs."""
    pairs = array.dtype == np.int64 and array.flags.c_contiguous and shape[-1:] == (2,)
    return array.reshape(-1).view(np.int32) if pairs and 2 * array.size == math.prod(shape) else array


def _written(program: ProgramOp) -> set[str]:
    found = set[str]()
    for op in program.body.walk():
        if isinstance(op, IsaInstruction):
            found |= {
                a.tensor for n, a in op.accesses().items() if a.tensor and op.instruction.operand(n).role == "dst"
            }
        if isinstance(op, RegisterStoreOp) and op.dst.data.tensor:
            found.add(op.dst.data.tensor)
    return found
