"""Cross-entropy over many classes, from logits in HBM."""

from __future__ import annotations

from engine_builder import Kernel

TILE, WIDTH = 128, 4000


def cross_entropy(target: str, rows: int, columns: int) -> Kernel:
    """fp32. 128 rows at a time, pieces of 4,000 columns, each with a maximum and a sum of its own: they are brought
    together once for all pieces of a row, so that nothing is rescaled on the way. A gather fetches the logits of the
    labels. Bound by DMA."""
    k, pieces = Kernel(target), columns // WIDTH
    logits, losses = k.tensor("logits", (rows, columns)), k.tensor("out", (rows,))
    labels = k.tensor("labels", (rows,), "int32")
    start = k.sbuf(1, "int32")
    k.op("iota", dst=start, pattern=(1, 1), offset=0, channel_multiplier=columns)
    with k.loop(rows // TILE) as i:
        label, index, chosen = k.sbuf(1, "int32", depth=2), k.sbuf(1, "int32", depth=2), k.sbuf(1, depth=2)
        lowest, sums = k.sbuf(pieces, depth=2), k.sbuf(pieces, depth=2)
        least, factors, loss = k.sbuf(1, depth=2), k.sbuf(pieces, depth=2), k.sbuf(1, depth=2)
        k.dma(label, labels.at(i * TILE, (1, TILE), (1, 1)), by="scalar")
        k.op("tensor_tensor", "vector", op="add", dst=index, data1=start, data2=label)
        row = logits.at(i * (TILE * columns), (1, TILE), (1, 1))
        k.op("dma_copy", "gpsimd", dst=chosen, src=row, vector_offset=index, queue=1)
        with k.loop(pieces) as piece:
            tile = k.sbuf(WIDTH, depth=4)
            k.dma(tile, logits.box(i * TILE, TILE, piece * WIDTH, WIDTH))
            low, total = lowest.cols(piece, 1), sums.cols(piece, 1)
            k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=tile)
            k.op("activation_reduce", op="exp", dst=tile, data=tile, bias=low, reduce_res=total)
        k.op("tensor_reduce", op="minimum", axes=1, dst=least, data=lowest)
        k.op("activation", op="exp", dst=factors, data=lowest, scale=-1.0, bias=least)
        k.op("tensor_tensor", "vector", op="multiply", dst=factors, data1=factors, data2=sums)
        k.op("tensor_reduce", op="add", axes=1, dst=loss, data=factors)
        k.op("activation", op="log", dst=loss, data=loss)
        for number in (least, chosen):
            k.op("tensor_scalar", "vector", op0="subtract", dst=loss, data=loss, operand0=number)
        k.dma(losses.at(i * TILE, (1, TILE), (1, 1)), loss, by="gpsimd")
    return k
