"""`.npy` files as the tensors of a program, and back."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nki_mlir.dialects.neuron_isa import ProgramOp, TensorOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.numerics import host_types
from nki_mlir.tools.outputs import Writer

Array = np.ndarray[Any, Any]


def bind(program: ProgramOp, inputs: Sequence[Path], outputs: int, seed: int | None = None) -> list[Array]:
    """One array for each tensor of the program: read from `inputs`, in order; zeros for the last `outputs`. What is
    left between them is random if there is a seed, else an error."""
    tensors = program.tensors()
    left = len(tensors) - len(inputs) - outputs
    if left < 0 or (left and seed is None):
        listed = ", ".join(f"{t.sym.data}: {_described(t)}" for t in tensors)
        raise ExecutionError(
            f"the program has {len(tensors)} tensors ({listed}); {_counted(len(inputs), '.npy file')} and"
            f" {_counted(outputs, '--out')} make {len(inputs) + outputs}"
        )
    _check_memory(tensors)
    given = [_fitted(tensor, path) for tensor, path in zip(tensors, inputs, strict=False)]
    rng = np.random.default_rng(seed)
    made = [_random(t, rng) for t in tensors[len(inputs) :][:left]]
    return given + made + [np.zeros(t.type.get_shape(), _host_type(t)) for t in tensors[len(inputs) + left :]]


def _check_memory(tensors: Sequence[TensorOp]) -> None:
    """Says so, rather than being killed, where the tensors can't fit."""
    needed = sum(math.prod(t.type.get_shape()) * _host_type(t).itemsize for t in tensors)
    there = _memory_bytes()
    if needed > there:
        raise ExecutionError(
            f"the program's tensors take {needed / 2**30:.1f} GiB, but this machine's memory is {there / 2**30:.1f} GiB"
        )


def _memory_bytes() -> int:
    """The machine's memory; where the system doesn't tell, more than any has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**50


def _random(tensor: TensorOp, rng: np.random.Generator) -> Array:
    """Normally distributed; truth values and integers are small, and not negative where they can't be."""
    wanted, shape = _host_type(tensor), tensor.type.get_shape()
    if wanted.kind in "bui":
        return rng.integers(0 if wanted.kind != "i" else -8, 2 if wanted.kind == "b" else 8, shape).astype(wanted)
    return rng.standard_normal(shape, np.float32).astype(wanted)


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def _host_type(tensor: TensorOp) -> np.dtype[Any]:
    return host_types(tensor.type.element_type)[0]


def _described(tensor: TensorOp) -> str:
    return _text(tensor.type.get_shape(), _host_type(tensor).name)


def _text(shape: Sequence[int], type_name: str) -> str:
    return f"{'x'.join(map(str, shape)) or 'one'} {type_name}"


def _fitted(tensor: TensorOp, path: Path) -> Array:
    """The file's array as the tensor has it: element type, shape, rows one after the other."""
    wanted = _host_type(tensor)
    array = _readable(_read(path), wanted)
    same_type = array.dtype in host_types(tensor.type.element_type)
    if same_type and array.shape == tensor.type.get_shape():
        return np.ascontiguousarray(array)
    got = f"{path} holds {_text(array.shape, array.dtype.name)}"
    if not same_type and array.dtype.kind == "u" and _is_extension(wanted):
        got += f"; if they are the bits of {wanted.name}, save array.view('V{wanted.itemsize}')"
    raise ExecutionError(f"tensor '{tensor.sym.data}': expected {_described(tensor)}, but {got}")


def _read(path: Path) -> Array:
    try:
        with open(path, "rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # the header is Python text, and fails in as many ways
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExecutionError(f"{path}: not a .npy file that can be read: {reason}") from None


def _readable(array: Array, wanted: np.dtype[Any]) -> Array:
    """NumPy saves the types that it has by extension, such as bfloat16, as mere bytes."""
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.itemsize == wanted.itemsize:
        return array.view(wanted) if _is_extension(wanted) else array
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _is_extension(type_: np.dtype[Any]) -> bool:
    """A type of ml_dtypes."""
    return type_.isbuiltin == 2


def array_writer(array: Array) -> Writer:
    """Writes the array as a .npy file."""
    plain = array.view(f"V{array.dtype.itemsize}") if _is_extension(array.dtype) else array
    return lambda file: np.lib.format.write_array(file, plain, allow_pickle=False)
