"""The arrays of a call: NumPy's, torch's on the CPU, JAX's, all seen as NumPy arrays without a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend.dtypes import DType, as_dtype, boolean

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ArrayArg:
    """An array as a kernel takes it: `data` is contiguous and shares the caller's memory; truth values are bytes."""

    data: np.ndarray
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    library: str

    @property
    def seen(self) -> np.ndarray:
        """`data` as the caller sees its elements."""
        return self.data.view(bool) if self.dtype is boolean else self.data

    def emptied(self) -> ArrayArg:
        """The same but for `data`, of which there is nothing."""
        return replace(self, data=self.data.reshape(-1)[:0].copy())

    @property
    def key(self) -> tuple[Any, ...]:
        """What the compiled code depends on."""
        return self.dtype, self.shape, self.strides

    @property
    def writable(self) -> bool:
        return self.library != "jax" and bool(self.data.flags.writeable)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class ArgumentBuffers:
    """The memory behind a call's arrays. Parameters that were given the very same array share a slot; slots that
    overlap share a group."""

    arrays: tuple[ArrayArg, ...]
    names: tuple[str, ...]
    slots: Mapping[str, int]
    groups: tuple[int, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(self.slots.items()), self.groups

    @property
    def apart(self) -> bool:
        """Whether no two arrays overlap."""
        return len(set(self.groups)) == len(self.groups)


def memory_of(arrays: Mapping[str, ArrayArg]) -> ArgumentBuffers:
    """Which of a call's arrays share memory."""
    slots: dict[str, int] = {}
    seen: dict[Any, int] = {}
    kept: list[ArrayArg] = []
    names: list[str] = []
    spans: list[tuple[int, int]] = []
    for name, array in arrays.items():
        start = array.data.__array_interface__["data"][0]
        span = start, start + array.data.nbytes
        slots[name] = seen.setdefault((array.key, span), len(kept))
        if slots[name] == len(kept):
            kept.append(array)
            names.append(name)
            spans.append(span)
    return ArgumentBuffers(tuple(kept), tuple(names), slots, _overlap_groups(spans))


def _overlap_groups(spans: list[tuple[int, int]]) -> tuple[int, ...]:
    """Equal numbers for arrays that overlap, directly or through others; numbered in order of first use. `spans` are
    the addresses of their first bytes, and of those after the last."""
    cluster: dict[int, int] = {}
    end = current = -1
    for (start, stop), i in sorted((span, i) for i, span in enumerate(spans)):
        if start >= end:
            current, end = i, stop
        cluster[i], end = current, max(end, stop)
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(cluster[i], len(numbers)) for i in range(len(spans)))


def is_array(value: Any) -> bool:
    return _library(value) is not None


def _library(value: Any) -> str | None:
    import numpy as np

    if isinstance(value, np.ndarray):
        return "numpy"
    module = type(value).__module__.partition(".")[0]
    if module == "torch" and hasattr(value, "data_ptr"):
        return "torch"
    return "jax" if module in ("jax", "jaxlib") and hasattr(value, "__array__") and hasattr(value, "shape") else None


def array_arg(value: Any, name: str, pointer: bool) -> ArrayArg:
    """An array as an argument. `pointer`: the kernel sees only its first element's address, so its strides are its own
    affair. Raises CompileError."""
    import numpy as np

    if type(value) is np.ndarray and (found := _PLAIN.get((value.dtype, value.shape))) and value.flags.c_contiguous:
        return ArrayArg(value, *found, "numpy")
    library = _library(value)
    assert library is not None
    data = _as_numpy(value, library, name)
    dtype = as_dtype(data.dtype)
    _check(data, dtype, library, name, pointer)
    assert dtype is not None
    data = as_stored(data.reshape(1) if data.ndim == 0 else data)
    strides = tuple(s // data.itemsize for s in data.strides)
    shape = tuple(int(n) for n in data.shape)
    if not data.flags.c_contiguous:
        data = _flat(data, strides, name, pointer)
        return ArrayArg(data, dtype, shape, strides, library)
    strides = _row_major(shape)
    if data is value and len(_PLAIN) < _MOST_PLAIN:
        _PLAIN[data.dtype, data.shape] = dtype, shape, strides
    return ArrayArg(data, dtype, shape, strides, library)


_PLAIN: dict[tuple[np.dtype[Any], tuple[int, ...]], tuple[DType, tuple[int, ...], tuple[int, ...]]] = {}
"""Dtype, shape and strides of contiguous arrays that have been looked at, by what NumPy says of them."""
_MOST_PLAIN = 1024


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def as_stored(data: np.ndarray) -> np.ndarray:
    """Truth values as the bytes that they are."""
    return data.view("uint8") if data.dtype == bool else data


def _check(data: np.ndarray, dtype: DType | None, library: str, name: str, pointer: bool) -> None:
    what = f"argument '{name}'"
    if dtype is None or not data.dtype.isnative:
        raise CompileError(f"{what}: elements of type {data.dtype} are not supported")
    if dtype.missing:
        to = {"float64": "float32", "uint64": "int64"}.get(dtype.name)
        cure = f"; pass {name}.{'to' if library == 'torch' else 'astype'}({library}.{to}) instead" if to else ""
        reason = "the machine has no such elements" if to else dtype.missing
        raise CompileError(f"{what} has elements of type {dtype}, and {reason}{cure}")
    if data.ndim == 0 and not pointer:
        raise CompileError(f"{what} has no dimensions; pass a number, or an array of shape (1,)")
    if data.size == 0:
        raise CompileError(f"{what} has no elements: its shape is {data.shape}")


def _flat(data: np.ndarray, strides: tuple[int, ...], name: str, pointer: bool) -> np.ndarray:
    """The storage from the first element to the last, as one dimension."""
    import numpy as np

    whole = all(s % data.itemsize == 0 for s in data.strides)
    if not pointer or not whole or any(s < 0 for s in strides):
        raise CompileError(
            f"argument '{name}' is not contiguous: shape {data.shape}, strides {strides}; pass a contiguous copy"
        )
    length = 1 + sum((n - 1) * s for n, s in zip(data.shape, strides, strict=True))
    return np.lib.stride_tricks.as_strided(
        data, (length,), (data.itemsize,), subok=False, writeable=data.flags.writeable
    )


def _as_numpy(value: Any, library: str, name: str) -> np.ndarray:
    import numpy as np

    if library == "numpy":
        return np.asarray(value)
    if library == "jax":
        return np.asarray(value)
    if value.device.type != "cpu":
        raise CompileError(f"argument '{name}' is on {value.device}; pass {name}.cpu()")
    if value.requires_grad:
        raise CompileError(f"argument '{name}' requires grad; pass {name}.detach()")
    if str(value.layout) != "torch.strided":
        raise CompileError(f"argument '{name}' has the layout {value.layout}; pass {name}.to_dense()")
    return _torch_to_numpy(value)


_TORCH_BITS = {"torch.bfloat16": "int16", "torch.float8_e5m2": "uint8", "torch.float8_e4m3fn": "uint8"}
"""Types that NumPy lacks, and the torch integer of the same size to pass the bytes through."""


def _torch_to_numpy(value: Any) -> np.ndarray:
    import ml_dtypes
    import numpy as np
    import torch  # pyright: ignore[reportMissingImports]

    bits = _TORCH_BITS.get(str(value.dtype))
    if bits is None:
        return value.numpy()
    name = str(value.dtype).removeprefix("torch.")
    return value.view(getattr(torch, bits)).numpy().view(np.dtype(getattr(ml_dtypes, name)))


def to_torch(array: np.ndarray) -> Any:
    """A NumPy array as a torch tensor over the same memory."""
    import torch  # pyright: ignore[reportMissingImports]

    name = array.dtype.name
    bits = _TORCH_BITS.get(f"torch.{name}")
    return torch.from_numpy(array) if bits is None else torch.from_numpy(array.view(bits)).view(getattr(torch, name))
