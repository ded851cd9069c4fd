"""Which tiles surely hold floats that are finite and no -0: products with 1 and sums with 0 leave them alone."""

from __future__ import annotations

import math

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.dtypes import bf16, dtype, f32

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
        case _:
            return False
