"""What is known of numbers: the one number that every element of a value is, and arithmetic on such numbers as the
machine would do it."""

from __future__ import annotations

import math
import struct
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute, SSAValue

from nki_mlir.dialects import tile

Number = FloatAttr | IntegerAttr
"""A number with its element type. `value_of` reads it: `true` is -1 inside xDSL."""

INDEX_BITS = 64


def constant_of(value: SSAValue) -> Number | None:
    """The number that every element of a value is, if it is one of a constant's, whatever its shape and type."""
    match value.owner:
        case arith.ConstantOp(value=FloatAttr() | IntegerAttr() as number):
            return number
        case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
            return typed(cast("int | float", dense.get_values()[0]), dense.get_element_type())
        case tile.SplatOp() as op:
            return constant_of(op.value)
        case tile.ShapeOp() | tile.SliceOp() as op:
            return constant_of(op.source)
        case tile.CastOp() as op:
            source = constant_of(op.source)
            return None if source is None else typed(value_of(source), tile.element_of(op.result))
        case _:
            return None


def value_of(number: Number) -> float:
    """The integer or float; of a truth value 0 or 1."""
    data = number.value.data
    return abs(data) if number.type == IntegerType(1) else data


def number_of(value: SSAValue) -> float | None:
    """The integer or float that a value is in every element; None where that is not known."""
    number = constant_of(value)
    return None if number is None else value_of(number)


def scaled(op: arith.MulfOp) -> tuple[SSAValue, float] | None:
    """What a product has a number of, and the number; None where neither factor is one."""
    for factor, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        if (number := number_of(factor)) is not None:
            return other, number
    return None


def typed(number: float, type_: Attribute) -> Number | None:
    """A number converted to an element type as `tile.cast` does it: floats round to nearest even, integers wrap, a
    float that becomes an integer is rounded and saturates. None for types whose rounding is the machine's (8 bits)."""
    if isinstance(type_, IndexType | IntegerType):
        return _integer(number, type_)
    rounded = _rounded(float(number), type_)
    return None if rounded is None else FloatAttr(rounded, cast(AnyFloat, type_))


def _integer(number: float, type_: IndexType | IntegerType) -> IntegerAttr:
    low, high = limits(type_)
    if isinstance(number, float):
        nearest = low if number == -math.inf else high if number == math.inf else 0 if math.isnan(number) else None
        number = max(low, min(round(number), high)) if nearest is None else nearest
    if type_ == IntegerType(1):
        return IntegerAttr(int(number != 0), type_)
    return IntegerAttr(wrapped(number, type_), type_)


def limits(type_: IndexType | IntegerType) -> tuple[int, int]:
    """The smallest and the largest value; of truth values 0 and 1."""
    bits = type_.width.data if isinstance(type_, IntegerType) else INDEX_BITS
    if bits == 1 or (isinstance(type_, IntegerType) and type_.signedness.data is Signedness.UNSIGNED):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def wrapped(number: int, type_: IndexType | IntegerType) -> int:
    """The value of the type with the same low bits."""
    low, high = limits(type_)
    return (number - low) % (high - low + 1) + low


def _rounded(number: float, type_: Attribute) -> float | None:
    """To fp32 and from there to the type."""
    try:
        single: float = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        single = math.copysign(math.inf, number)
    match type_:
        case Float32Type():
            return single
        case BFloat16Type() if math.isfinite(single):
            (word,) = struct.unpack("I", struct.pack("f", single))
            word = (word + 0x7FFF + ((word >> 16) & 1)) & 0xFFFF0000
            return struct.unpack("f", struct.pack("I", word))[0]
        case BFloat16Type():
            return single
        case Float16Type():
            try:
                return struct.unpack("e", struct.pack("e", single))[0]
            except OverflowError:
                return math.copysign(math.inf, single)
        case _:
            return None


def signless(number: Number) -> Number:
    """The same bits as `arith.constant` can hold them: it has no unsigned integers."""
    if isinstance(number, FloatAttr) or not isinstance(number.type, IntegerType) or number.type == IntegerType(1):
        return number
    type_ = IntegerType(number.type.width.data)
    return IntegerAttr(wrapped(number.value.data, type_), type_)
