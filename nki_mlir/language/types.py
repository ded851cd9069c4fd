"""The types of Triton's kernels, and what marks constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import dtypes as _dtypes
from nki_mlir.frontend.dtypes import PointerType as PointerType
from nki_mlir.frontend.dtypes import bfloat16 as bfloat16
from nki_mlir.frontend.dtypes import float16 as float16
from nki_mlir.frontend.dtypes import float32 as float32
from nki_mlir.frontend.dtypes import float64 as float64
from nki_mlir.frontend.dtypes import int8 as int8
from nki_mlir.frontend.dtypes import int16 as int16
from nki_mlir.frontend.dtypes import int32 as int32
from nki_mlir.frontend.dtypes import int64 as int64
from nki_mlir.frontend.dtypes import uint8 as uint8
from nki_mlir.frontend.dtypes import uint16 as uint16
from nki_mlir.frontend.dtypes import uint32 as uint32
from nki_mlir.frontend.dtypes import uint64 as uint64
from nki_mlir.frontend.values import Value as _Value

dtype, tensor, pointer_type = _dtypes.DType, _Value, PointerType
int1, float8e4nv, float8e5 = _dtypes.boolean, _dtypes.float8_e4m3fn, _dtypes.float8_e5m2

if TYPE_CHECKING:

    class constexpr(Any):
        """Marks a parameter as known at compile time; as a call, a global that kernels may read."""

        def __init__(self, value: Any) -> None: ...

else:

    class constexpr:
        """Marks a parameter as known at compile time; as a call, a global that kernels may read."""

        def __init__(self, value: Any):
            self.value = value.value if isinstance(value, constexpr) else value

        def __repr__(self) -> str:
            return f"constexpr({self.value!r})"

        def __index__(self) -> int:
            return self.value.__index__()

        def __bool__(self) -> bool:
            return bool(self.value)

        def __eq__(self, other: object) -> bool:
            return self.value == (other.value if isinstance(other, constexpr) else other)

        def __hash__(self) -> int:
            return hash(self.value)


def get_int_dtype(bitwidth: Any, signed: Any) -> _dtypes.DType:
    """The integer type of so many bits."""
    found = _dtypes.as_dtype(f"{'' if signed else 'u'}int{bitwidth}")
    if found is None:
        raise CompileError(f"there is no integer type of {bitwidth} bits")
    return found


__all__ = [
    "PointerType",
    "bfloat16",
    "constexpr",
    "dtype",
    "float8e4nv",
    "float8e5",
    "float16",
    "float32",
    "float64",
    "get_int_dtype",
    "int1",
    "int8",
    "int16",
    "int32",
    "int64",
    "pointer_type",
    "tensor",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
