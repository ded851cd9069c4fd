"""Attributes of what a kernel's variables hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, Unsupported
from nki_mlir.frontend.dtypes import INDEX, DType, PointerType, float32, int32
from nki_mlir.frontend.functions import transpose
from nki_mlir.frontend.hbm import RESHAPE
from nki_mlir.frontend.int64 import is_int64
from nki_mlir.frontend.list_operations import ListMethod
from nki_mlir.frontend.lists import changing_method
from nki_mlir.frontend.observed import is_opaque, key
from nki_mlir.frontend.values import BlockPointer, Descriptor, HbmArray, Value, describe


@dataclass(frozen=True, eq=False)
class Method:
    """A function of the kernel language, called on its first argument."""

    function: Builtin
    receiver: Any


def attribute(b: Builder, base: Any, name: str) -> Any:
    """`base.name`. Raises CompileError where there is none."""
    if isinstance(base, Value):
        return _of_value(b, base, name)
    if isinstance(base, HbmArray):
        return _of_array(b, base, name)
    if isinstance(base, BlockPointer | Descriptor):
        return _of_block(b, base, name)
    if isinstance(base, bool | int | float):
        found = _of_number(b, base, name)
        if found is not None:
            return found
    if name == "value" and isinstance(base, _CONSTEXPR):
        return base
    if type(base) is list and hasattr(list, name):
        return ListMethod(base, name)
    if changing_method(base, name):
        raise CompileError(f"'{name}' changes {describe(base)} that comes from outside the kernel")
    return outside(b, base, name, f"{describe(base)} has no attribute '{name}'")


_CONSTEXPR = (bool, int, float, str, tuple, DType, PointerType, NoneType)
"""What a `tl.constexpr` holds, which kernels may ask for its `value`; here it is that itself."""


def outside(b: Builder, base: Any, name: str, missing: str) -> Any:
    """An attribute of an object that is not the kernel's; `missing` is the error where there is none."""
    try:
        return b.observe((key(base), name), lambda: getattr(base, name)) if is_opaque(base) else getattr(base, name)
    except AttributeError:
        raise CompileError(missing) from None
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(f"reading '{name}' of {describe(base)} raised {type(error).__name__}: {error}") from None


def value_dtype(value: Value) -> DType | PointerType:
    """The type that a kernel sees: an index is one of Triton's int32, which it stands for, unless it was loaded as one
    of int64."""
    dtype = value.dtype
    return int32 if dtype is INDEX and not is_int64(value) else dtype


_PROPERTIES: dict[str, Callable[[Builder, Value], Any]] = {
    "dtype": lambda b, v: value_dtype(v),
    "type": lambda b, v: value_dtype(v),
    "shape": lambda b, v: v.shape,
    "ndim": lambda b, v: len(v.shape),
    "numel": lambda b, v: math.prod(v.shape),
    "T": transpose,
}


def _of_value(b: Builder, value: Value, name: str) -> Any:
    if name in _PROPERTIES:
        return _PROPERTIES[name](b, value)
    function = b.language.members.get(name)
    if function is None:
        raise CompileError(f"a tensor has no attribute '{name}'")
    if isinstance(function, Unsupported):
        raise function.error()
    return Method(function, value)


def _of_array(b: Builder, array: HbmArray, name: str) -> Any:
    if name in ("shape", "dtype", "ndim"):
        return getattr(array, name)
    if name == "reshape":
        return Method(RESHAPE, array)
    raise CompileError(f"an array in HBM has no attribute '{name}' here; it has shape, dtype, ndim and reshape")


def _of_block(b: Builder, base: BlockPointer | Descriptor, name: str) -> Any:
    """A block pointer's type is that of its base; a descriptor's is that of its elements, as in Triton."""
    is_pointer = isinstance(base, BlockPointer)
    if name in ("shape", "strides", "block_shape"):
        return getattr(base.array, name)
    if name in ("dtype", "type"):
        return base.array.base.dtype if is_pointer else base.array.element
    function = (b.language.pointer_members if is_pointer else b.language.descriptor_members).get(name)
    if function is None:
        raise CompileError(f"{describe(base)} has no attribute '{name}'")
    return Method(function, base)


def _of_number(b: Builder, number: float, name: str) -> Any:
    """Triton's attributes of scalars, for arguments that are known here."""
    match name:
        case "to" if isinstance(function := b.language.members.get("to"), Builtin):
            return Method(function, number)
        case "dtype" | "type" if b.language.name == "triton":
            return float32 if isinstance(number, float) else int32
        case _:
            return None
