"""Element types: MLIR type, hardware.json's name and size, in one table. No NumPy here: `nki-opt` start-up counts."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    FloatTF32Type,
    IndexType,
    IntegerType,
    Signedness,
)
from xdsl.dialects.builtin import Float8E4M3FNType as F8E4M3FN
from xdsl.dialects.builtin import Float8E4M3Type as F8E4M3
from xdsl.dialects.builtin import Float8E5M2Type as F8E5M2
from xdsl.ir import Attribute


@dataclass(frozen=True)
class DType:
    """`name` is hardware.json's; `bytes` the storage size of one element; `kind` is float, int, uint or bool; `cores`
    have it."""

    type: Attribute
    name: str
    bytes: int
    kind: str
    cores: tuple[str, ...] = ("v2", "v3", "v4")


DTYPES: tuple[DType, ...] = (
    DType(Float32Type(), "float32", 4, "float"),
    DType(FloatTF32Type(), "tfloat32", 4, "float"),
    DType(BFloat16Type(), "bfloat16", 2, "float"),
    DType(Float16Type(), "float16", 2, "float"),
    DType(F8E4M3(), "float8_e4m3", 1, "float"),
    DType(F8E4M3FN(), "float8_e4m3fn", 1, "float", ("v4",)),
    DType(F8E5M2(), "float8_e5m2", 1, "float"),
    DType(IntegerType(32), "int32", 4, "int"),
    DType(IntegerType(16), "int16", 2, "int"),
    DType(IntegerType(8), "int8", 1, "int"),
    DType(IntegerType(32, Signedness.UNSIGNED), "uint32", 4, "uint"),
    DType(IntegerType(16, Signedness.UNSIGNED), "uint16", 2, "uint"),
    DType(IntegerType(8, Signedness.UNSIGNED), "uint8", 1, "uint"),
    DType(IntegerType(1), "bool", 1, "bool"),
)
_BY_TYPE = {d.type: d for d in DTYPES}
_BY_NAME = {d.name: d for d in DTYPES}

f32, bf16, f16, i32, u8 = (_BY_NAME[n].type for n in ("float32", "bfloat16", "float16", "int32", "uint8"))


def dtype(type_: Attribute) -> DType:
    """The table's entry for an element type. Raises KeyError with a readable text for a type the machine lacks."""
    found = _BY_TYPE.get(type_)
    if found is None:
        raise KeyError(f"{type_} is not an element type of the machine; it has {', '.join(d.name for d in DTYPES)}")
    return found


def is_dtype(type_: Attribute) -> bool:
    return type_ in _BY_TYPE


def by_name(name: str) -> DType:
    return _BY_NAME[name]


def is_index(type_: Attribute) -> bool:
    return isinstance(type_, IndexType)
