"""Which tiles surely hold floats that are finite and no -0: products with 1 and sums with 0 leave them alone."""

from __future__ import annotations

import math

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.dtypes import BITS_OF_INFINITY, bf16, dtype, f32
from nki_mlir.dialects.instructions import Alu

_HOLD_ALL = (f32, bf16)
"""Floats with room for any integer of the machine, if rounded."""


def is_plain(value: SSAValue) -> bool:
    """Followed back to integers and constants; what was computed in floats may be anything."""
    match value.owner:
        case ConstantOp(value=FloatAttr() as number):
            data = number.value.data
            return math.isfinite(data) and (data != 0 or math.copysign(1, data) > 0)
        case mem.CastOp() as op:
            made = mem.tile_type(op.result).element_type
            of_integers = dtype(mem.tile_type(op.source).element_type).kind != "float"
            return made in _HOLD_ALL and (of_integers or is_plain(op.source))
        case mem.IotaOp():
            return mem.tile_type(value).element_type in _HOLD_ALL
        case mem.FillOp() as op:
            return is_plain(op.value)
        case mem.RelabelOp() | mem.BroadcastOp() | mem.ConvertOp() as op:
            return is_plain(op.source)
        case mem.SliceOp() as op:
            return is_plain(op.tile)
        case mem.SelectOp() as op:
            return is_plain(op.on_true) and is_plain(op.on_false)
        case mem.BitcastOp() as op:
            return _are_bits_of_numbers(op)
        case _:
            return False


def _are_bits_of_numbers(op: mem.BitcastOp) -> bool:
    """Whether unsigned bits are below those of infinity, and so of floats from 0 on."""
    infinity, least = BITS_OF_INFINITY.get(mem.tile_type(op.result).element_type), op.source.owner
    if infinity is None or dtype(mem.tile_type(op.source).element_type).kind != "uint":
        return False
    if not isinstance(least, mem.BinaryOp) or least.op.data is not Alu.MINIMUM:
        return False
    return any(
        isinstance(bound.owner, ConstantOp)
        and isinstance(number := bound.owner.value, IntegerAttr)
        and 0 <= number.value.data < infinity
        for bound in least.operands
    )
