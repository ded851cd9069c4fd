"""Microscaling: blocks of small floats to and from numbers.

What the documents leave open and is chosen here: a block that holds a NaN or an infinity gets the scale NaN, and so
has NaN for all its elements; where a block is too small for its scale, it gets the smallest one, 2^-127.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Attribute

from nki_mlir.dialects.dtypes import LANES, by_name, dtype
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.mx import BLOCK
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Meaning, Of, fp32, operand_type
from nki_mlir.executor.numerics import Array

_CODE = by_name("float8_e8m0fnu").type
_BIAS, _NAN = 127, 255
_LARGEST_EXPONENT: Mapping[str, int] = {"float8_e4m3fn_x4": 8, "float8_e5m2_x4": 15}


def dequantizer(type_: Attribute) -> Callable[[Array, Array, Array], None]:
    """Puts packed elements [K, N] times the scales of their blocks [.., 4, N] into an fp32 [4 K, N], the lanes of a
    partition one after the other. Both are exact in fp32, and so is their product where it is in range."""
    unpack, factors = numerics.unpacker(type_), numerics.loader(_CODE)

    def dequantize(tile: Array, codes: Array, out: Array) -> None:
        elements = tile.reshape(len(tile), -1)
        scales = np.repeat(factors(codes.reshape(len(tile) // BLOCK, -1)), BLOCK, axis=0)
        lanes = unpack(elements).transpose(0, 2, 1)
        np.multiply(lanes, scales[:, None], out=out.reshape(len(tile), LANES, -1))

    return dequantize


def quantize_mx(i: Instance) -> Meaning:
    data, pack = fp32(i, "src"), numerics.packer(operand_type(i, "dst"))
    largest = _LARGEST_EXPONENT[dtype(operand_type(i, "dst")).name]
    codes = numerics.storage(operand_type(i, "dst_scale"))

    def compute(*tiles: Array) -> tuple[Array, Array]:
        values = data(tiles)
        blocks = values.reshape(len(values) // BLOCK, BLOCK, -1, LANES)
        amax = np.abs(blocks).max((1, 3))
        exponents = np.frexp(amax)[1] - largest
        scales = np.where(amax > 0, np.clip(exponents + _BIAS, 0, _NAN - 1), 0)
        scaled = np.ldexp(blocks, (_BIAS - scales)[:, None, :, None])
        lost = ~np.isfinite(amax)
        elements = pack(np.where(lost[:, None, :, None], np.float32(np.nan), scaled))
        return elements.reshape(len(values), -1), np.where(lost, _NAN, scales).astype(np.uint8).view(codes)

    return Meaning(compute)


MX: Mapping[str, Of] = {"quantize_mx": quantize_mx}
