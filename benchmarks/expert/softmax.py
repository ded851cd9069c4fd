"""Row softmax, 128 rows at a time, one on each partition."""

from __future__ import annotations

from engine_builder import Kernel


def softmax(target: str, rows: int, columns: int, x: str = "x", out: str = "out") -> Kernel:
    """fp32. One transfer for 128 rows and three slots, so that a tile loads and one leaves while Vector and Scalar work
    on the third, in place; bound by DMA."""
    k = Kernel(target, "softmax")
    source, result = (k.tensor(name, (rows, columns)) for name in (x, out))
    with k.loop(rows // 128) as i:
        tile = k.sbuf(columns, depth=3)
        lowest, total, scale = (k.sbuf(1, depth=3) for _ in range(3))
        k.dma(tile, source.box(i * 128, 128, 0, columns))
        k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=lowest, data=tile)
        k.op("activation_reduce", op="exp", dst=tile, data=tile, bias=lowest, reduce_res=total)
        k.op("reciprocal", dst=scale, data=total)
        k.op("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=scale)
        k.dma(result.box(i * 128, 128, 0, columns), tile, by="gpsimd")
    return k
