"""Element types as a kernel names them: one object per type, shared by both kernel languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nki_mlir.errors import CompileError

if TYPE_CHECKING:
    import numpy as np
    from xdsl.ir import Attribute

_KIND_RANK = {"bool": 0, "uint": 1, "int": 1, "float": 2}


def _asks(name: str) -> Callable[[DType], bool]:
    """The question whether a type is the one of that name."""
    return lambda self: self.name == name


@dataclass(frozen=True, eq=False)
class DType:
    """An element type. Compares equal to the NumPy, torch or JAX type of the same name, and to the name itself.

    `kind` is float, int, uint or bool. `missing` says why the machine can't hold such an element, where it can't.
    """

    name: str
    kind: str
    bits: int
    missing: str | None = None

    @property
    def rank(self) -> int:
        """The order of kinds in type promotion: bool, integer, float."""
        return _KIND_RANK[self.kind]

    @property
    def type(self) -> Attribute:
        """The MLIR element type. Raises CompileError for a type that the machine lacks."""
        from xdsl.dialects.builtin import IndexType

        from nki_mlir.dialects.dtypes import by_name

        if self.missing is not None:
            raise CompileError(f"{self.name} is not supported: {self.missing}")
        return IndexType() if self is int64 else by_name(self.name).type

    @property
    def stored(self) -> Attribute:
        """The MLIR element type in memory, where truth values are bytes. Raises CompileError for a type that the
        machine lacks."""
        from xdsl.dialects.builtin import i64

        return i64 if self is int64 else uint8.type if self is boolean else self.type

    @property
    def pointee(self) -> Attribute:
        """What a pointer to such elements points to."""
        return self.type if self is boolean else self.stored

    def __eq__(self, other: object) -> bool:
        return self is as_dtype(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __call__(self, x: Any) -> Any:
        """What `x` is in this type, in a kernel: the compiler sees to it. Elsewhere it is a CompileError."""
        raise CompileError(f"{self.name}({x!r}) converts only inside a kernel (a function decorated with jit)")

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name

    # The questions that Triton kernels ask of a type.
    @property
    def primitive_bitwidth(self) -> int:
        return self.bits

    @property
    def scalar(self) -> DType:
        return self

    def is_floating(self) -> bool:
        return self.kind == "float"

    def is_int(self) -> bool:
        return self.kind != "float"

    def is_int_signed(self) -> bool:
        return self.kind == "int"

    def is_int_unsigned(self) -> bool:
        return self.kind in ("uint", "bool")

    def is_bool(self) -> bool:
        return self.kind == "bool"

    def is_standard_floating(self) -> bool:
        return self.name in ("float16", "bfloat16", "float32", "float64")

    def is_fp8(self) -> bool:
        return self.kind == "float" and self.bits == 8

    is_fp16 = _asks("float16")
    is_bf16 = _asks("bfloat16")
    is_fp32 = _asks("float32")
    is_fp64 = _asks("float64")
    is_fp8e5 = _asks("float8_e5m2")
    is_fp8e4nv = _asks("float8_e4m3fn")
    is_int1 = _asks("bool")
    is_int8 = _asks("int8")
    is_int16 = _asks("int16")
    is_int32 = _asks("int32")
    is_int64 = _asks("int64")
    is_uint8 = _asks("uint8")
    is_uint16 = _asks("uint16")
    is_uint32 = _asks("uint32")
    is_uint64 = _asks("uint64")

    @property
    def int_bitwidth(self) -> int:
        return self.bits

    @property
    def itemsize(self) -> int:
        return -(-self.bits // 8)

    def is_block(self) -> bool:
        return False

    def is_void(self) -> bool:
        return False

    def is_ptr(self) -> bool:
        return False


@dataclass(frozen=True)
class PointerType:
    """The type of a pointer to `element_ty` in HBM."""

    element_ty: DType

    def is_ptr(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"pointer to {self.element_ty}"


_WIDE = "the machine has no 64-bit elements; use {} instead"
_FN = "the 8-bit float of this machine is the IEEE-like e4m3 (largest value 240), not e4m3fn; use float8e5 instead"

float32 = DType("float32", "float", 32)
tfloat32 = DType("tfloat32", "float", 32)
float16 = DType("float16", "float", 16)
bfloat16 = DType("bfloat16", "float", 16)
float8_e4m3 = DType("float8_e4m3", "float", 8)
float8_e5m2 = DType("float8_e5m2", "float", 8)
float8_e4m3fn = DType("float8_e4m3fn", "float", 8, _FN)
float64 = DType("float64", "float", 64, _WIDE.format("float32"))
int8 = DType("int8", "int", 8)
int16 = DType("int16", "int", 16)
int32 = DType("int32", "int", 32)
int64 = DType("int64", "int", 64)
uint8 = DType("uint8", "uint", 8)
uint16 = DType("uint16", "uint", 16)
uint32 = DType("uint32", "uint", 32)
uint64 = DType("uint64", "uint", 64, _WIDE.format("uint32"))
boolean = DType("bool", "bool", 1)

INDEX = int64
"""What integers that address memory are: MLIR's `index`, which never wraps; a kernel's `int64` is the same."""

ALL = (
    float32,
    tfloat32,
    float16,
    bfloat16,
    float8_e4m3,
    float8_e5m2,
    float8_e4m3fn,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    boolean,
)
_ALIASES = {"bool_": boolean, "int1": boolean, "half": float16, "float": float32}
_BY_NAME = {d.name: d for d in ALL} | _ALIASES


def of_type(type_: Attribute) -> DType:
    """The dtype of an MLIR element type."""
    from xdsl.dialects.builtin import IndexType, i64

    from nki_mlir.dialects.dtypes import dtype

    return INDEX if isinstance(type_, IndexType) or type_ == i64 else _BY_NAME[dtype(type_).name]


def as_dtype(value: Any) -> DType | None:
    """The dtype that an object stands for: ours, a name, or a type of NumPy, ml_dtypes, torch or JAX; else None."""
    if isinstance(value, DType):
        return value
    if isinstance(value, str):
        return _BY_NAME.get(value)
    module = type(value).__module__.partition(".")[0]
    if module == "torch":
        return _BY_NAME.get(str(value).removeprefix("torch."))
    if module == "numpy" and not isinstance(value, type) and hasattr(value, "itemsize"):
        return _of_numpy(value)
    if isinstance(value, type) and value.__module__.partition(".")[0] in ("numpy", "ml_dtypes"):
        return _BY_NAME.get(value.__name__)
    inner = getattr(value, "dtype", None) if module == "jax" else None
    return None if inner is None else _BY_NAME.get(str(inner))


@lru_cache(maxsize=256)
def _of_numpy(value: np.dtype[Any]) -> DType | None:
    return _BY_NAME.get(value.name)


def numpy_dtype(dtype: DType) -> np.dtype[Any]:
    """The NumPy type that holds such elements."""
    import ml_dtypes
    import numpy as np

    return np.dtype(getattr(ml_dtypes, dtype.name, None) or {"tfloat32": "float32"}.get(dtype.name, dtype.name))
