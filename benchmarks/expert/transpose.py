"""A transpose in HBM, through the Tensor engine."""

from __future__ import annotations

from engine_builder import Kernel

TILE, BANK, BANKS = 128, 512, 8


def transpose(target: str, rows: int, columns: int) -> Kernel:
    """fp32. 128 rows at a time: four tiles fill a bank, which Vector and Scalar evict in turn; the strip leaves in one
    transfer, in runs of 128 elements. Bound by DMA."""
    k = Kernel(target)
    x, out = k.tensor("x", (rows, columns)), k.tensor("out", (columns, rows))
    with k.loop(rows // TILE) as i:
        strip, turned = k.sbuf(columns, depth=3), k.sbuf(columns, depth=3)
        banks = [k.psum(BANK) for _ in range(BANKS)]
        k.dma(strip, x.box(i * TILE, TILE, 0, columns))
        for part in range(columns // BANK):
            bank, at = banks[part % BANKS], part * BANK
            for first in range(0, BANK, TILE):
                k.op("nc_transpose", "tensor", dst=bank.cols(first, TILE), data=strip.cols(at + first, TILE))
            if part % 2:
                k.op("activation", op="copy", dst=turned.cols(at, BANK), data=bank)
            else:
                k.op("tensor_copy", "vector", dst=turned.cols(at, BANK), src=bank)
        dst = out.at(i * TILE, (rows, TILE), (TILE * rows, columns // TILE), (1, TILE))
        k.dma(dst, turned.at(0, (TILE, columns // TILE), (1, TILE)), by="gpsimd")
    return k
