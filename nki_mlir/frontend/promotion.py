"""Triton's type promotion. A *weak* operand is a Python number: it takes the other's type unless its kind is higher."""

from __future__ import annotations

from typing import Any

from nki_mlir.analysis.words import has_words
from nki_mlir.frontend.dtypes import INDEX, DType, bfloat16, boolean, float16, float32, int32
from nki_mlir.frontend.values import ArgFloat, ArgInt, Unexpected, Value, WideInt


def operand_type(value: Any) -> tuple[DType, bool]:
    """The type that an operand brings to a promotion, and whether it is weak."""
    match value:
        case Value() if not value.is_pointer:
            return value.number, False
        case bool():
            return boolean, True
        case int():
            return INDEX, not isinstance(value, ArgInt)
        case float():
            return float32, not isinstance(value, ArgFloat)
        case _:
            raise Unexpected("a number or a tensor", value)


def common_type(a: Any, b: Any, division: bool = False) -> DType:
    """The type in which `a` and `b` are combined; `/`, `//` and `%` (`division`) don't work in 16-bit floats."""
    (a_type, a_weak), (b_type, b_weak) = operand_type(a), operand_type(b)
    if a_weak != b_weak:
        weak, strong = (a_type, b_type) if a_weak else (b_type, a_type)
        if weak.rank <= strong.rank:
            return float32 if division and strong in (float16, bfloat16) else strong
    if INDEX in (a_type, b_type) and a_type.kind != "float" and b_type.kind != "float" and (_is_wide(a) or _is_wide(b)):
        return INDEX
    return promote(a_type, b_type, division)


def _is_wide(value: Any) -> bool:
    """Whether it was loaded as int64 or converted to it, which stays so beside a narrower operand, or is an argument
    that int32 does not hold."""
    if isinstance(value, ArgInt):
        return isinstance(value, WideInt) or not -(2**31) <= value < 2**31
    return isinstance(value, Value) and value.number is INDEX and has_words(value.ssa)


def promote(a: DType, b: DType, division: bool = False) -> DType:
    """The common type of two typed operands."""
    if a.kind != "float" and b.kind != "float":
        return _promote_integers(a, b)
    if any(t.kind == "float" and t.bits == 32 for t in (a, b)):
        return a if a is b else float32
    if a is float16 or b is float16:
        return float32 if division else float16
    if a is b:
        return float32 if division and a is bfloat16 else a
    return float16 if a.is_fp8() and b.is_fp8() else float32


def _promote_integers(a: DType, b: DType) -> DType:
    """C's usual conversions; an index takes the type of data that it meets, but is at least 32 bits wide."""
    if a is b:
        return a
    if INDEX in (a, b):
        data = b if a is INDEX else a
        return data if data.bits >= 32 else int32
    if a.is_int_signed() == b.is_int_signed():
        return a if a.bits > b.bits else b
    unsigned, signed = (a, b) if b.is_int_signed() else (b, a)
    return unsigned if unsigned.bits >= signed.bits else signed
