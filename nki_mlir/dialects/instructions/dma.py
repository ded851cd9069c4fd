"""Transfers."""

from __future__ import annotations

from nki_mlir.dialects.instructions.operands import ALL
from nki_mlir.dialects.legality import DMA_SPACES, Field, Instruction, Operand, dma_shapes, queue_exists

DMA: tuple[Instruction, ...] = (
    Instruction(
        "dma_copy",
        "Starts a transfer between HBM and SBUF, elements in row-major order of both patterns; a type change converts.",
        ALL,
        (
            Operand("dst", "dst", DMA_SPACES, shape="own"),
            Operand("src", "src", DMA_SPACES, shape="own"),
        ),
        (Field("queue", "integer"),),
        (queue_exists, dma_shapes),
    ),
)
