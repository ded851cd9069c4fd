"""Attention and softmax of products."""

from __future__ import annotations

from itertools import cycle, product

from engine_builder import At, Kernel, View
from fidelity.matmul import drain
from fidelity.measure import Figures, Profile, profile

KEPT = 10
"""Rows of tiles of AT-NB-BMMSM, of 32, that SBUF has room for: with the others, spills are 2% below the profile's."""


def softmax_of_product() -> Figures:
    """AT-NB-BMMSM: all products of a batch and their maxima first, column block by column block, then the softmax of
    its rows. The scores of a batch are 64 MiB: what SBUF can't keep goes to HBM and comes back, as in the profile.
    ScalarE copies and exponentiates, VectorE has the rest."""
    k = Kernel("trn1")
    lhs, rhs, out = k.tensor("lhs", (65536, 64)), k.tensor("rhs", (1024, 4096)), k.tensor("out", (65536, 4096))
    spill = k.tensor("spill", (65536, 4096))
    slots, staged = [k.sbuf(4096) for _ in range(KEPT)], cycle([k.sbuf(512) for _ in range(3)])
    right, turned = (k.sbuf(1024, partitions=64) for _ in range(2))
    tiles = [k.sbuf(64) for _ in range(2)]
    acrosses, products = [k.psum(128, partitions=64) for _ in range(2)], cycle([k.psum(512) for _ in range(6)])
    lows, maxima, totals = k.sbuf(32), k.sbuf(256), [k.sbuf(9) for _ in range(2)]

    def scores(row: At, stationary: View, n: At, half: int, kept: View) -> None:
        result = next(products)
        k.matmul(result, stationary, right.cols(half * 512, 512))
        drain(k, kept, result, 1)
        k.op("tensor_reduce", op="maximum", axes=1, dst=maxima.cols(row * 8 + n, 1), data=kept)

    with k.loop(16) as batch:
        with k.loop(4) as block:
            k.dma(right, rhs.box(batch * 64, 64, block * 1024, 1024))
            for group in range(4):
                with k.loop(4) as pair:
                    for i, (tile, across) in enumerate(zip(tiles, acrosses, strict=True)):
                        at = (pair * 2 + i) * 128
                        k.dma(tile, lhs.box(batch * 4096 + group * 1024 + at, 128, 0, 64))
                        k.op("nc_transpose", "tensor", dst=across, data=tile)
                        drain(k, turned.cols(at, 128), across, 1)
                kept = max(0, min(8, KEPT - group * 8))
                for i, half in product(range(kept), range(2)):
                    at, row = block * 1024 + half * 512, group * 8 + i
                    scores(row, turned.cols(i * 128, 128), block * 2 + half, half, slots[row].cols(at, 512))
                with k.loop((8 - kept) // 2) as pair:
                    for i, half in product(range(2), range(2)):
                        at, part = pair * 2 + (kept + i), next(staged)
                        row = at + group * 8
                        scores(row, turned.cols(at * 128, 128), block * 2 + half, half, part)
                        there = spill.box(batch * 4096 + row * 128, 128, block * 1024 + half * 512, 512)
                        k.dma(there, part, by="gpsimd")
        for row in range(32):
            there, slot, low, total = batch * 4096 + row * 128, slots[row % KEPT], lows.cols(row, 1), totals[row % 2]
            if row >= KEPT:
                k.dma(slot, spill.box(there, 128, 0, 4096))
            k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=maxima.cols(row * 8, 8))
            parts = [slot.cols(n * 512, 512) for n in range(8)]
            for n, part in enumerate(parts):
                k.op("activation", op="exp", dst=part, data=part, bias=low)
                k.op("tensor_reduce", op="add", axes=1, dst=total.cols(n, 1), data=part)
            inverse = total.cols(8, 1)
            k.op("tensor_reduce", op="add", axes=1, dst=inverse, data=total.cols(0, 8))
            k.op("reciprocal", dst=inverse, data=inverse)
            for part in parts:
                k.op("tensor_scalar", "vector", op0="multiply", dst=part, data=part, operand0=inverse)
            k.dma(out.box(there, 128, 0, 4096), slot, by="gpsimd")
    p = profile(k)
    return {"ms": p.ms, "VectorE %": p.active("vector"), "ScalarE %": p.active("scalar")}


def grouped(fold_scale: bool, defer: bool) -> Profile:
    """AT-KDA-GQA1: passes over [128, 4096] scores; the scale may be part of the exponential, and the division may come
    behind the product with v."""
    k = Kernel("trn2")
    q, out = k.tensor("q", (65536, 128)), k.tensor("out", (65536, 128))
    keys, values = k.tensor("k", (32768, 128)), k.tensor("v", (32768, 128))
    with k.loop(8) as head:
        kt, v = k.sbuf(4096), k.sbuf(4096)
        k.dma(v.at(0, (128, 32), (1, 128)), values.at(head * 524288, (128, 128), (16384, 32), (1, 128)))
        with k.loop(32) as i:
            tile = k.sbuf(128, depth=4)
            k.dma(tile, keys.box(head * 4096 + i * 128, 128, 0, 128))
            turn(k, kt.cols(i * 128, 128), tile)
        with k.loop(64) as m:
            row = head * 8192 + m * 128
            tile, qt, scores = k.sbuf(128, depth=2), k.sbuf(128, depth=2), k.sbuf(4096)
            low, total = k.sbuf(1, depth=2), k.sbuf(1, depth=2)
            k.dma(tile, q.box(row, 128, 0, 128))
            turn(k, qt, tile)
            with k.loop(4) as n:
                for turn_ in range(2):
                    product, at = k.psum(512), (n * 2 + turn_) * 512
                    k.matmul(product, qt, kt.cols(at, 512))
                    drain(k, scores.cols(at, 512), product, turn_)
            if not fold_scale:
                k.op("tensor_scalar", "vector", op0="multiply", dst=scores, data=scores, operand0=0.088)
            k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=scores)
            k.op("activation", op="exp", dst=scores, data=scores, bias=low, scale=0.088 if fold_scale else 1.0)
            k.op("tensor_reduce", op="add", axes=1, dst=total, data=scores)
            k.op("reciprocal", dst=total, data=total)
            if not defer:
                k.op("tensor_scalar", "vector", op0="multiply", dst=scores, data=scores, operand0=total)
            pt, context, result = k.sbuf(4096), k.psum(128), k.sbuf(128, depth=2)
            with k.loop(8) as group:
                across = k.psum(512)
                for i in range(4):
                    at = group * 512 + i * 128
                    k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=scores.cols(at, 128))
                drain(k, pt.cols(group * 512, 512), across, 0)
            with k.loop(32) as i:
                k.matmul(context, pt.cols(i * 128, 128), v.cols(i * 128, 128), i)
            if defer:
                k.op("tensor_scalar", "vector", op0="multiply", dst=result, data=context, operand0=total)
            else:
                drain(k, result, context)
            k.dma(out.box(row, 128, 0, 128), result, by="gpsimd")
    return profile(k)


def turn(k: Kernel, dst: View, tile: View) -> None:
    across = k.psum(128)
    k.op("nc_transpose", "tensor", dst=across, data=tile)
    drain(k, dst, across)


def folds() -> Figures:
    neither = grouped(False, False).total
    return {
        "neither / both folds": neither / grouped(True, True).total,
        "neither / deferred normalise": neither / grouped(False, True).total,
        "neither / scale fold": neither / grouped(True, False).total,
    }


def flash(length: int, d: int = 128, kind: str = "bfloat16") -> float:
    """us of one head of flash attention: 1024 keys at a time, whose products and maximum come one step ahead of the
    product with v; k and v stay in SBUF. Products are 16-bit, of fp32 arguments too (in mixed precision)."""
    k, inner = Kernel("trn2", dge=True), "bfloat16" if kind == "float32" else kind
    q, keys = k.tensor("qT", (d, length), kind), k.tensor("kT", (d, length), kind)
    values, out = k.tensor("v", (length, d), kind), k.tensor("out", (length, d), kind)
    rows, steps = length // 128, length // 1024

    def load(inside: View, source: View, by: str = "sync") -> None:
        """Loads a tile, and turns it into the type of the products."""
        if kind == inner:
            k.dma(inside, source, by=by)
            return
        tile = k.sbuf(inside.access.free_elements, kind, inside.access.partitions)
        k.dma(tile.at(0, *inside.access.dims), source, by=by)
        k.op("tensor_copy", "gpsimd", dst=inside, src=tile)

    kt, v, qts = k.sbuf(length, inner, d), k.sbuf(rows * d, inner), k.sbuf(2 * 128, inner, d)
    load(kt, keys.box(0, d, 0, length))
    load(v.at(0, (d, rows), (1, d)), values.at(0, (d, 128), (128 * d, rows), (1, d)), "scalar")
    p, alpha, low, sums = k.sbuf(2 * 1024, inner), k.sbuf(2), k.sbuf(2), k.sbuf(2)
    scores, contexts, acrosses = k.psum(2 * 1024), k.psum(2 * 512), k.psum(2 * 1024, inner)

    def score(m: At, t: At, slot: int) -> None:
        for half in range(2):
            here, keys_ = scores.cols(slot * 1024 + half * 512, 512), kt.cols(t * 1024 + half * 512, 512)
            k.matmul(here, qts.cols(m % 2 * 128, 128), keys_)

    def exponentials(slot: int) -> None:
        """Of the scores, and the factor for what was there before."""
        found, lowest = scores.cols(slot * 1024, 1024), low.cols(slot, 1)
        k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=lowest, data=found)
        k.op("activation", op="exp", dst=alpha.cols(slot, 1), data=lowest)
        here, summed = p.cols(slot * 1024, 1024), sums.cols(slot, 1)
        k.op("activation_reduce", op="exp", dst=here, data=found, bias=lowest, reduce_res=summed)

    def begin(m: At) -> None:
        load(qts.cols(m % 2 * 128, 128), q.box(0, d, m * 128, 128))
        for slot in range(2):
            score(m, slot, slot)
        exponentials(0)

    def tile(m: At, following: At | None) -> None:
        """128 queries; the next ones begin before the last step of these."""
        total, result = k.sbuf(d, depth=2), k.sbuf(d, kind, depth=2)
        running, inverse = k.sbuf(1, depth=2), k.sbuf(1, depth=2)
        k.op("memset", "gpsimd", dst=total, value=0.0)
        k.op("memset", "gpsimd", dst=running, value=0.0)

        def step(t: At, slot: int, left: int) -> None:
            """The product with v; `left` further steps follow."""
            if left:
                exponentials(1 - slot)
            turned, across = k.sbuf(1024, inner, depth=2), acrosses.cols(slot * 1024, 1024)
            for i in range(8):
                source = p.cols(slot * 1024 + i * 128, 128)
                k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=source)
            drain(k, turned, across)
            if left > 1:
                score(m, t + 2, slot)
            context, factor = contexts.cols(slot * 512, d), alpha.cols(slot, 1)
            for i in range(8):
                k.matmul(context, turned.cols(i * 128, 128), v.cols((t * 8 + i) * d, d), i)
            for dst, more in ((running, sums.cols(slot, 1)), (total, context)):
                k.op(
                    "scalar_tensor_tensor",
                    op0="multiply",
                    op1="add",
                    dst=dst,
                    data=dst,
                    operand0=factor,
                    operand1=more,
                )

        if steps > 2:
            with k.loop(steps // 2 - 1) as pair:
                for slot in range(2):
                    step(pair * 2 + slot, slot, 2)
        step(steps - 2, 0, 1)
        if following is not None:
            begin(following)
        step(steps - 1, 1, 0)
        k.op("reciprocal", dst=inverse, data=running)
        k.op("tensor_scalar", "vector", op0="multiply", dst=result, data=total, operand0=inverse)
        k.dma(out.box(m * 128, 128, 0, d), result, by="gpsimd")

    begin(0)
    with k.loop(rows - 1) as m:
        tile(m, m + 1)
    tile(rows - 1, None)
    return profile(k).total


def stable_diffusion() -> Figures:
    return {
        "us fp32": flash(4096, kind="float32"),
        "us bf16": flash(4096),
        "us fp16 d=64": flash(4096, 64, "float16"),
    }


def blog() -> Figures:
    short, long = flash(4096), flash(16384)
    return {"us at 4096": short, "us at 16384": long, "16384 / 4096": long / short}


CASES = {
    "AT-NB-BMMSM": softmax_of_product,
    "AT-KDA-GQA1": folds,
    "AT-NS-SD": stable_diffusion,
    "AT-BLOG": blog,
}
