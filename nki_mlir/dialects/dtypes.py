"""Element types: MLIR type, name in NKI and size, in one table (docs/hardware.md#element-types).
No NumPy here: `nki-opt` start-up counts.

Four small floats that the machine takes as one element (`…_x4`) are a vector of four: `vector<4xf8E4M3FN>`."""

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
    VectorType,
)
from xdsl.dialects.builtin import Float4E2M1FNType as F4E2M1FN
from xdsl.dialects.builtin import Float8E4M3FNType as F8E4M3FN
from xdsl.dialects.builtin import Float8E4M3Type as F8E4M3
from xdsl.dialects.builtin import Float8E5M2Type as F8E5M2
from xdsl.dialects.builtin import Float8E8M0FNUType as F8E8M0FNU
from xdsl.ir import Attribute

LANES = 4
"""Numbers in a packed element."""


@dataclass(frozen=True)
class DType:
    """`name` is NKI's; `bytes` the storage size of one element; `kind` is float, int, uint, bool, packed or
    scale, of which the last two are no numbers to an engine's arithmetic; `cores` have it."""

    type: Attribute
    name: str
    bytes: int
    kind: str
    cores: tuple[str, ...] = ("v2", "v3", "v4")

    @property
    def lanes(self) -> int:
        return LANES if self.kind == "packed" else 1


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
    DType(VectorType(F8E5M2(), [LANES]), "float8_e5m2_x4", 4, "packed", ("v4",)),
    DType(VectorType(F8E4M3FN(), [LANES]), "float8_e4m3fn_x4", 4, "packed", ("v4",)),
    DType(VectorType(F4E2M1FN(), [LANES]), "float4_e2m1fn_x4", 2, "packed", ("v4",)),
    DType(F8E8M0FNU(), "float8_e8m0fnu", 1, "scale", ("v4",)),
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


def is_number(type_: Attribute) -> bool:
    """Whether it is an element type that the upper levels, which compute, know."""
    return type_ in _BY_TYPE and _BY_TYPE[type_].kind not in ("packed", "scale")


def by_name(name: str) -> DType:
    return _BY_NAME[name]


def is_index(type_: Attribute) -> bool:
    return isinstance(type_, IndexType)


BITS_OF_ONE: dict[Attribute, int] = {bf16: 0x3F80, f16: 0x3C00}
BITS_OF_INFINITY: dict[Attribute, int] = {bf16: 0x7F80, f16: 0x7C00}
"""Of the floats of 16 bits: those from 0 on are in order as integers."""
