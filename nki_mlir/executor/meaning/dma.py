"""Transfers."""

from __future__ import annotations

from collections.abc import Mapping

from nki_mlir.dialects.instructions import Instance
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Meaning, Of, operand_type


def dma_copy(i: Instance) -> Meaning:
    """The elements in row-major order of the source, in the shape that the source has."""
    convert = numerics.converter(operand_type(i, "src"), operand_type(i, "dst"))
    if convert is None:
        return Meaning(lambda src: (src.copy(),), bits=True)
    return Meaning(lambda src: (convert(src),))


DMA: Mapping[str, Of] = {
    "dma_copy": dma_copy,
}
