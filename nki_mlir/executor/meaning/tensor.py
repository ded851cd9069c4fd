"""Matrix products and transposes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.tensor import is_bit_transpose, is_double_row
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Meaning, Of, operand_type, store_as
from nki_mlir.executor.numerics import Array


def nc_transpose(i: Instance) -> Meaning:
    """A bit copy, but on the Tensor engine of NeuronCore-v2, where it is a matmul with the identity: a NaN or infinity
    spoils its column, and -0 becomes 0. Later Tensor engines widen 8-bit elements by a zero byte."""
    type_ = operand_type(i, "data")
    if i.engine is not Engine.TENSOR or i.target.core != "v2":
        word = numerics.bits(operand_type(i, "dst"))
        return Meaning(lambda data: (data.reshape(len(data), -1).T.astype(word),), bits=True)
    load, store = numerics.loader(type_), store_as(i)
    identity = np.eye(cast(Access, i.operands["data"]).partitions, dtype=np.float32)
    return Meaning(lambda data: (store(np.matmul(load(data).reshape(len(data), -1).T, identity)),))


def matmul_input(i: Instance, name: str) -> Callable[[Array], Array]:
    """fp32 [K, columns] of an input, [2 K, columns] in double-row mode: tfloat32 rounds to 10 mantissa bits, the
    other types are exact in fp32."""
    type_, rows = operand_type(i, name), 2 if is_double_row(i) else 1
    load, tf32 = numerics.loader(type_), dtype(type_).name == "tfloat32"

    def read(tile: Array) -> Array:
        value = load(tile).reshape(len(tile) * rows, -1)
        return numerics.round_tf32(value) if tf32 else value

    return read


def load_stationary(i: Instance) -> Meaning:
    """Its output is the state of the array: fp32 [M, K], or the elements' bits where they are passed through."""
    if is_bit_transpose(i):
        return Meaning(lambda tile: (tile.reshape(len(tile), -1).T.copy(),), bits=True)
    read = matmul_input(i, "stationary")
    return Meaning(lambda tile: (np.array(read(tile).T, order="C"),))


def multiply_moving(i: Instance) -> Meaning:
    """Takes the loaded tile after its own input; its output is the product, fp32 [M, N]. Whether it overwrites or
    accumulates is decided where it is written. Bits that are passed through come out as they are, [M, N], N being the
    columns of the identity."""
    if is_bit_transpose(i):
        word = numerics.bits(operand_type(i, "dst"))
        return Meaning(lambda tile, bits: (bits[:, : tile[0].size].astype(word),), bits=True)
    read = matmul_input(i, "moving")
    return Meaning(lambda tile, stationary: (np.matmul(stationary, read(tile)),))


TENSOR_ENGINE: Mapping[str, Of] = {
    "nc_transpose": nc_transpose,
    "load_stationary": load_stationary,
    "multiply_moving": multiply_moving,
}
