"""Vector add: long rows, added in place, loads and stores on rings of their own."""

from __future__ import annotations

from engine_builder import Kernel

PARTITIONS, WIDTH = 128, 4096


def vector_add(target: str, n: int) -> Kernel:
    """out = x + y, fp32. Each partition has one contiguous run of the tensor, 16 KiB of which move at a time; bound by
    DMA."""
    k = Kernel(target)
    x, y, out = (k.tensor(name, (n,)) for name in ("x", "y", "out"))
    run = n // PARTITIONS
    width = min(WIDTH, run)
    with k.loop(run // width) as i:
        at, rows = i * width, ((run, PARTITIONS), (1, width))
        left, right = k.sbuf(width, depth=2), k.sbuf(width, depth=2)
        k.dma(left, x.at(at, *rows))
        k.dma(right, y.at(at, *rows), by="scalar")
        k.op("tensor_tensor", "vector", op="add", dst=left, data1=left, data2=right)
        k.dma(out.at(at, *rows), left, by="gpsimd")
    return k
