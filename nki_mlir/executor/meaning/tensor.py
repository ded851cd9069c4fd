"""Matrix products and transposes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.tensor import columns, depth, is_bit_transpose
from nki_mlir.dialects.legality import PACKED
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Into, Meaning, Of, operand_type, store_as
from nki_mlir.executor.meaning.mx import dequantizer
from nki_mlir.executor.numerics import Array


def nc_transpose(i: Instance) -> Meaning:
    """A bit copy, but on the Tensor engine of NeuronCore-v2, where it is a matmul with the identity: a NaN or infinity
    spoils its column, and -0 becomes 0. Later Tensor engines widen 8-bit elements by a zero byte."""
    type_ = operand_type(i, "data")
    if i.engine is not Engine.TENSOR or i.target.features.bit_transposes:
        word = numerics.bits(operand_type(i, "dst"))
        return Meaning(lambda data: (data.reshape(len(data), -1).T.astype(word),), bits=True)
    load, store = numerics.loader(type_), store_as(i)
    identity = np.eye(cast(Access, i.operands["data"]).partitions, dtype=np.float32)

    def compute(data: Array) -> tuple[Array]:
        turned = load(data).reshape(len(data), -1).T
        plain = np.isfinite(turned).all()
        return (store(turned + np.float32(0) if plain else np.matmul(turned, identity)),)

    return Meaning(compute)


def matmul_input(i: Instance, name: str) -> Callable[..., None]:
    """Puts an input into an fp32 [depth K, columns]: tfloat32 is rounded to 10 mantissa bits, the other types are exact
    in fp32."""
    if operand_type(i, name) in PACKED:
        return dequantizer(operand_type(i, name))
    if dtype(operand_type(i, name)).name == "tfloat32":
        return lambda tile, out: np.copyto(out, numerics.round_tf32(tile).reshape(out.shape))
    return lambda tile, out: np.copyto(out, tile.reshape(out.shape))


def load_stationary(i: Instance) -> Meaning:
    """Its output is the state of the array: fp32 [M, K], or the elements' bits where they are passed through."""
    if is_bit_transpose(i):
        return Meaning(lambda tile: (tile.reshape(len(tile), -1).T.copy(),), bits=True)
    access, widen = cast(Access, i.operands["stationary"]), matmul_input(i, "stationary")
    shape = access.partitions * depth(i, access), columns(i, access)

    def compute(*tiles: Array) -> tuple[Array]:
        weights = np.empty(shape, np.float32)
        widen(*tiles, weights)
        return (weights.T,)

    return Meaning(compute, into=_last_first(widen))


def multiply_moving(i: Instance) -> Meaning:
    """Puts its input where `sums` wants it, the last argument: fp32 [depth K, N]. Bits that are passed through come out
    as they are, [M, N], N being the columns of the identity; it takes the loaded tile instead."""
    if is_bit_transpose(i):
        word = numerics.bits(operand_type(i, "dst"))
        return Meaning(lambda tile, bits: (bits[:, : tile[0].size].astype(word),), bits=True)
    widen = matmul_input(i, "moving")
    return Meaning(lambda *tiles: (widen(*tiles),), into=_last_first(widen))


def _last_first(widen: Callable[..., None]) -> Into:
    return lambda out, *tiles: partial(widen, *tiles, out)


TENSOR_ENGINE: Mapping[str, Of] = {
    "nc_transpose": nc_transpose,
    "load_stationary": load_stationary,
    "multiply_moving": multiply_moving,
}
