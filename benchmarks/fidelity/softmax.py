"""Softmax behind a product, and attention, as the KDA project tuned them on trn2."""

from __future__ import annotations

from collections.abc import Sequence

from engine_builder import Kernel, View
from fidelity.attention import turn
from fidelity.matmul import drain
from fidelity.measure import Figures, Profile, profile

SCALE = 0.088


def drained(by: str) -> Profile:
    """AT-KDA-BMMSM: rows of 4096 scores out of eight products; `by` empties PSUM: "scalar", "vector", "both" (four
    each), or "none": the maximum and the exponential read PSUM. Tiles of lhs are turned 16 at a time. The compiler
    interleaves: the softmax of a tile comes behind the products of the next one."""
    k = Kernel("trn2")
    lhs, rhs, out = k.tensor("lhs", (65536, 64)), k.tensor("rhs", (1024, 4096)), k.tensor("out", (65536, 4096))
    engines = {"scalar": (1,) * 8, "vector": (0,) * 8, "both": (0, 1) * 4, "none": ()}[by]
    with k.loop(16) as batch:
        right = k.sbuf(4096, partitions=64)
        k.dma(right, rhs.box(batch * 64, 64, 0, 4096))
        with k.loop(2) as half:
            turned = k.sbuf(16 * 128, partitions=64)
            tile = k.sbuf(16 * 64)
            rows = batch * 4096 + half * 2048
            k.dma(tile.at(0, (64, 16), (1, 64)), lhs.at(rows * 64, (64, 128), (8192, 16), (1, 64)))
            with k.loop(4) as group:
                across = k.psum(512, partitions=64)
                for i in range(4):
                    data = tile.cols((group * 4 + i) * 64, 64)
                    k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=data)
                drain(k, turned.cols(group * 512, 512), across, 1)
            with k.loop(8) as pair:
                tiles = [pair * 2, pair * 2 + 1]
                scores, columns = [k.sbuf(4096, depth=2) for _ in tiles], [k.sbuf(2, depth=2) for _ in tiles]
                for at, (m, score) in enumerate(zip(tiles, scores, strict=True)):
                    source = score if engines else k.psum(4096)
                    for n in range(8):
                        product = k.psum(512) if engines else source.cols(n * 512, 512)
                        k.matmul(product, turned.cols(m * 128, 128), right.cols(n * 512, 512))
                        if engines:
                            drain(k, score.cols(n * 512, 512), product, engines[n])
                    if not engines:
                        softmax(k, [score], [source], columns[at : at + 1])
                if engines:
                    softmax(k, scores, scores, columns)
                for m, score in zip(tiles, scores, strict=True):
                    k.dma(out.box(rows + m * 128, 128, 0, 4096), score)
    return profile(k)


def softmax(k: Kernel, dsts: Sequence[View], scores: Sequence[View], columns: Sequence[View]) -> None:
    """Of some tiles, step by step."""
    several = [(d, s, c.cols(0, 1), c.cols(1, 1)) for d, s, c in zip(dsts, scores, columns, strict=True)]
    for _, source, low, _ in several:
        k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=source)
    for dst, source, low, _ in several:
        k.op("activation", op="exp", dst=dst, data=source, bias=low)
    for dst, _, _, total in several:
        k.op("tensor_reduce", op="add", axes=1, dst=total, data=dst)
    for _, _, _, total in several:
        k.op("reciprocal", dst=total, data=total)
    for dst, _, _, total in several:
        k.op("tensor_scalar", "vector", op0="multiply", dst=dst, data=dst, operand0=total)


def placements() -> Figures:
    found = {by: drained(by).total for by in ("scalar", "vector", "both", "none")}
    return {
        "none / ScalarE": found["none"] / found["scalar"],
        "VectorE / ScalarE": found["vector"] / found["scalar"],
        "both / VectorE": found["both"] / found["vector"],
        "ms": found["scalar"] / 1000,
    }


def later(maximum: bool, copied: bool) -> Profile:
    """AT-KDA-GQA2: products of fp32 as three of bf16; with and without the maximum, and with the exponential reading
    PSUM. Two tiles are interleaved step by step, as the compiler does. By the instructions that the published profiles
    count on each engine, VectorE copies three scores of four, and ScalarE one, and the transposed probabilities."""
    k = Kernel("trn2")
    q, out = k.tensor("q", (65536, 128)), k.tensor("out", (65536, 128))
    keys, values = k.tensor("k", (32768, 128)), k.tensor("v", (32768, 128))
    with k.loop(8) as head:
        parts = [k.sbuf(4096, "bfloat16") for _ in range(2)]
        v = k.sbuf(4096)
        k.dma(v.at(0, (128, 32), (1, 128)), values.at(head * 524288, (128, 128), (16384, 32), (1, 128)))
        with k.loop(32) as i:
            tile, kt = k.sbuf(128, depth=4), k.sbuf(128, depth=2)
            k.dma(tile, keys.box(head * 4096 + i * 128, 128, 0, 128))
            turn(k, kt, tile)
            for part in parts:
                k.op("tensor_copy", "gpsimd", dst=part.cols(i * 128, 128), src=kt)
        with k.loop(32) as pair:
            scores, totals = [k.sbuf(4096) for _ in range(2)], [k.sbuf(2, depth=2) for _ in range(2)]
            turned = [[k.sbuf(128, "bfloat16", depth=2) for _ in range(2)] for _ in range(2)]
            for m, qt in enumerate(turned):
                tile, across = k.sbuf(128, depth=2), k.psum(128)
                k.dma(tile, q.box(head * 8192 + (pair * 2 + m) * 128, 128, 0, 128))
                k.op("nc_transpose", "tensor", dst=across, data=tile)
                for part in qt:
                    drain(k, part, across)
            for m, qt in enumerate(turned):
                with k.loop(2) as n:
                    for i, by in enumerate((0, 0, 0, 1)):
                        product, at = k.psum(512), (n * 4 + i) * 512
                        for j, (a, b) in enumerate(((0, 0), (0, 1), (1, 0))):
                            k.matmul(product, qt[a], parts[b].cols(at, 512), j)
                        if copied:
                            drain(k, scores[m].cols(at, 512), product, by)
                        else:
                            k.op("activation", op="exp", dst=scores[m].cols(at, 512), data=product, scale=SCALE)
            turns = [k.sbuf(4096) for _ in range(2)]
            if maximum:
                for m in range(2):
                    low = totals[m].cols(0, 1)
                    k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=scores[m])
            if copied:
                for m in range(2):
                    bias = totals[m].cols(0, 1) if maximum else None
                    k.op("activation", op="exp", dst=scores[m], data=scores[m], bias=bias, scale=SCALE)
            for m in range(2):
                with k.loop(8) as group:
                    across = k.psum(512, depth=2)
                    for i in range(4):
                        data = scores[m].cols(group * 512 + i * 128, 128)
                        k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=data)
                    drain(k, turns[m].cols(group * 512, 512), across, 1)
            for m in range(2):
                total = totals[m].cols(1, 1)
                k.op("tensor_reduce", op="add", axes=1, dst=total, data=scores[m])
                k.op("reciprocal", dst=total, data=total)
            for m in range(2):
                row = head * 8192 + (pair * 2 + m) * 128
                context, result = k.psum(128), k.sbuf(128, depth=2)
                with k.loop(32) as i:
                    k.matmul(context, turns[m].cols(i * 128, 128), v.cols(i * 128, 128), i)
                total = totals[m].cols(1, 1)
                k.op("tensor_scalar", "vector", op0="multiply", dst=result, data=context, operand0=total)
                k.dma(out.box(row, 128, 0, 128), result, by="gpsimd")
    return profile(k)


def without_maximum() -> Figures:
    a, b, c = later(True, True), later(False, True), later(False, False)
    return {"a/b": a.total / b.total, "b/c": b.total / c.total, "TensorE %": c.active("tensor"), "ms": c.ms}


CASES = {"AT-KDA-BMMSM": placements, "AT-KDA-GQA2": without_maximum}
