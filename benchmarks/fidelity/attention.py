"""Attention and softmax of products."""

from __future__ import annotations

from engine_builder import At, Kernel, View
from fidelity.matmul import drain
from fidelity.measure import Figures, Profile, mfu, profile

SPILLED = 2875
"""Columns of 4096 that make the spilled bytes of AT-NB-BMMSM."""


def softmax_of_product() -> Figures:
    """AT-NB-BMMSM, in source order; 70% of each tile of scores goes to HBM and back, as the profile's traffic says."""
    k = Kernel("trn1")
    lhs, rhs, out = k.tensor("lhs", (65536, 64)), k.tensor("rhs", (1024, 4096)), k.tensor("out", (65536, 4096))
    spill = k.tensor("spill", (65536, SPILLED))
    with k.loop(16) as batch:
        right = k.sbuf(4096, partitions=64, depth=2)
        k.dma(right, rhs.box(batch * 64, 64, 0, 4096))
        with k.loop(32) as m:
            row = batch * 4096 + m * 128
            tile, turned, across = k.sbuf(64, depth=2), k.sbuf(128, partitions=64, depth=2), k.psum(128, partitions=64)
            scores, column = k.sbuf(4096, depth=2), k.sbuf(2, depth=2)
            k.dma(tile, lhs.box(row, 128, 0, 64))
            k.op("nc_transpose", "tensor", dst=across, data=tile)
            drain(k, turned, across, 1)
            for n in range(8):
                product, part = k.psum(512), scores.cols(n * 512, 512)
                k.matmul(product, turned, right.cols(n * 512, 512))
                drain(k, part, product, 1)
                width = min(512, SPILLED - n * 512)
                if width > 0:
                    there = spill.box(row, 128, n * 512, width)
                    k.dma(there, part.cols(0, width), by="gpsimd")
                    k.dma(part.cols(0, width), there, by="sync")
            low, total = column.cols(0, 1), column.cols(1, 1)
            k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=low, data=scores)
            k.op("activation", op="copy", dst=scores, data=scores, bias=low)
            k.op("activation", op="exp", dst=scores, data=scores)
            k.op("tensor_reduce", op="add", axes=1, dst=total, data=scores)
            k.op("reciprocal", dst=total, data=total)
            k.op("tensor_scalar", "vector", op0="multiply", dst=scores, data=scores, operand0=total)
            k.dma(out.box(row, 128, 0, 4096), scores, by="vector")
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


def utilisation() -> Figures:
    return {"MFU % at 2048, 16384": tuple(mfu(4 * n * n * 128, flash(n)) for n in (2048, 16384))}


CASES = {
    "AT-NB-BMMSM": softmax_of_product,
    "AT-KDA-GQA1": folds,
    "AT-NS-SD": stable_diffusion,
    "AT-BLOG": blog,
    "AT-AT-MFU": utilisation,
}
