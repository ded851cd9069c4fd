"""Transfers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.dma import SOURCES
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Meaning, Of, operand_type, store_as
from nki_mlir.executor.numerics import Array


def dma_copy(i: Instance) -> Meaning:
    """The elements in row-major order of the source, in the shape that the source has. One that accumulates takes the
    destination's old elements after the source."""
    if i.fields.get("dst_rmw_op") is not None:
        load, load_old = (numerics.loader(operand_type(i, name)) for name in ("src", "dst"))
        store = store_as(i)
        return Meaning(lambda src, dst: (store(load_old(dst) + load(src).reshape(dst.shape)),))
    convert = numerics.converter(operand_type(i, "src"), operand_type(i, "dst"))
    if convert is None:
        return Meaning(lambda src: (src.copy(),), bits=True)
    return Meaning(lambda src: (convert(src),))


def dma_transpose(i: Instance) -> Meaning:
    return Meaning(lambda src: (np.swapaxes(src, 0, -1).copy(),), bits=True)


def dma_compute(i: Instance) -> Meaning:
    """fp32 sum of the sources, from the first to the last."""
    loads = [numerics.loader(operand_type(i, name)) for name in SOURCES if i.access(name) is not None]
    given = i.fields.get("scales")
    scales = [np.float32(s) for s in given] if isinstance(given, tuple) else [np.float32(1)] * len(loads)
    store = store_as(i)

    def total(*tiles: Array) -> tuple[Array]:
        terms = (load(tile).reshape(-1) * scale for load, tile, scale in zip(loads, tiles, scales, strict=True))
        result = next(terms)
        for term in terms:
            result = result + term
        return (store(result),)

    return Meaning(total)


DMA: Mapping[str, Of] = {
    "dma_copy": dma_copy,
    "dma_transpose": dma_transpose,
    "dma_compute": dma_compute,
    "sendrecv": dma_copy,
}
