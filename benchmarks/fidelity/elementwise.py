"""Elementwise work and activations."""

from __future__ import annotations

from engine_builder import Kernel, View
from fidelity.measure import Figures, Profile, profile


def silu(tuned: bool) -> Profile:
    """EW-NB-SILU: 1 / (1 + exp(-x)) and x times that, on halves of [128, 1024] tiles. Neither an engine nor the DMA is
    saturated in the profile, and ScalarE is twice as long active as one exp takes: the halves share one buffer for what
    is between, and the addition is on ScalarE. Of the tuned kernel, which is not published, the profile shows one
    ScalarE instruction per half, and one of VectorE with two sources."""
    k = Kernel("trn1")
    x, y = (k.tensor(n, (4096, 7168)) for n in "xy")
    e, one = k.sbuf(512), k.sbuf(1)
    k.op("memset", "vector", dst=one, value=1.0)
    with k.loop(32) as row, k.loop(7) as column:
        tile, out = k.sbuf(1024, depth=4), k.sbuf(1024, depth=4)
        k.dma(tile, x.at(row * 7168 + column * 1024, (32 * 7168, 128), (1, 1024)))
        for half in range(2):
            data, result = tile.cols(half * 512, 512), out.cols(half * 512, 512)
            if tuned:
                k.op("activation", op="sigmoid", dst=result, data=data)
                k.op("tensor_tensor", "vector", op="multiply", dst=result, data1=data, data2=result)
            else:
                k.op("activation", op="exp", dst=e, data=data, scale=-1.0)
                k.op("activation", op="copy", dst=e, data=e, bias=one)
                k.op("reciprocal", dst=e, data=e)
                k.op("tensor_tensor", "vector", op="multiply", dst=result, data1=data, data2=e)
        k.dma(y.at(row * 7168 + column * 1024, (32 * 7168, 128), (1, 1024)), out, by="gpsimd")
    return profile(k)


def nkibench_silu() -> Figures:
    p = silu(False)
    return {
        "ms": p.ms,
        "VectorE %": p.active("vector"),
        "ScalarE %": p.active("scalar"),
        "tuned ms": silu(True).ms,
    }


ROPE_COLUMNS = 262_144


def rope_halves(width: int) -> Profile:
    """EW-KDA-ROPE A: 64 partitions; x in two halves."""
    k = Kernel("trn2")
    x, y = (k.tensor(n, (128, ROPE_COLUMNS)) for n in "xy")
    cosine, sine = (k.tensor(n, (64, ROPE_COLUMNS)) for n in ("cos", "sin"))
    with k.loop(ROPE_COLUMNS // width) as i:
        at = i * width
        upper, lower, c, s = (k.sbuf(width, partitions=64, depth=2) for _ in range(4))
        for tile, source in ((upper, x.box(0, 64, at, width)), (lower, x.box(64, 64, at, width))):
            k.dma(tile, source)
        for tile, source in ((c, cosine), (s, sine)):
            k.dma(tile, source.box(0, 64, at, width))
        first, second, other = (k.sbuf(width, partitions=64, depth=2) for _ in range(3))

        def op(name: str, dst: View, a: View, b: View) -> None:
            k.op("tensor_tensor", "vector", op=name, dst=dst, data1=a, data2=b)

        op("multiply", first, upper, c)
        op("multiply", other, lower, s)
        op("multiply", second, lower, c)
        op("multiply", upper, upper, s)
        op("subtract", first, first, other)
        op("add", second, second, upper)
        k.dma(y.box(0, 64, at, width), first, by="gpsimd")
        k.dma(y.box(64, 64, at, width), second, by="gpsimd")
    return profile(k)


def rope_whole(width: int) -> Profile:
    """EW-KDA-ROPE B: 128 partitions; ScalarE duplicates cos and sin, and swaps the halves of x."""
    k = Kernel("trn2")
    x, y = (k.tensor(n, (128, ROPE_COLUMNS)) for n in "xy")
    cosine, sine = (k.tensor(n, (64, ROPE_COLUMNS)) for n in ("cos", "sin"))
    with k.loop(ROPE_COLUMNS // width) as i:
        at = i * width
        tile, c, s, swapped, out = (k.sbuf(width, depth=2) for _ in range(5))
        k.dma(tile, x.box(0, 128, at, width))
        for half, source in ((c, cosine), (s, sine)):
            k.dma(half.rows(0, 64), source.box(0, 64, at, width))
            k.op("activation", op="copy", dst=half.rows(64, 64), data=half.rows(0, 64))
        k.op("activation", op="copy", dst=swapped.rows(0, 64), data=tile.rows(64, 64), scale=-1.0)
        k.op("activation", op="copy", dst=swapped.rows(64, 64), data=tile.rows(0, 64))
        k.op("tensor_tensor", "vector", op="multiply", dst=out, data1=tile, data2=c)
        k.op("tensor_tensor", "vector", op="multiply", dst=swapped, data1=swapped, data2=s)
        k.op("tensor_tensor", "vector", op="add", dst=out, data1=out, data2=swapped)
        k.dma(y.box(0, 128, at, width), out, by="gpsimd")
    return profile(k)


def rope() -> Figures:
    a, b = rope_halves(2048), rope_whole(2048)
    return {
        "A/B": a.total / b.total,
        "VectorE A/B": a.active_us["vector"] / b.active_us["vector"],
        "VectorE % of A, B": (a.active("vector"), b.active("vector")),
    }


def adamw() -> Figures:
    """EW-NB-ADAMW: four inputs, 14 small instructions on halves of [128, 1024] tiles; the profile's 5.23 us of VectorE
    a half are four instructions of two inputs and three of one, the others ScalarE's. The halves are interleaved. The
    row tile of 64 rows is left out."""
    k = Kernel("trn1")
    tensors = [k.tensor(n, (10944, 2048)) for n in ("p", "g", "m", "v", "out")]
    with k.loop(85) as row, k.loop(2) as column:
        tiles, out = [k.sbuf(1024, depth=2) for _ in range(4)], k.sbuf(1024, depth=2)
        squares, roots = k.sbuf(1024, depth=2), k.sbuf(1024, depth=2)
        for tile, tensor in zip(tiles, tensors, strict=False):
            k.dma(tile, tensor.box(row * 128, 128, column * 1024, 1024))
        p, g, m, v = tiles

        def halves(name: str, engine: str | None, **arguments: View | str | float) -> None:
            for at in (0, 512):
                here = {n: a.cols(at, 512) if isinstance(a, View) else a for n, a in arguments.items()}
                k.op(name, engine, **here)

        for tile in (m, v):
            halves("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=0.9)
        halves("activation", None, op="square", dst=squares, data=g)
        halves("activation", None, op="copy", dst=g, data=g, scale=0.1)
        halves("activation", None, op="copy", dst=squares, data=squares, scale=0.1)
        halves("tensor_tensor", "vector", op="add", dst=v, data1=v, data2=squares)
        halves("tensor_tensor", "vector", op="add", dst=m, data1=m, data2=g)
        halves("activation", None, op="sqrt", dst=roots, data=v)
        halves("activation", None, op="copy", dst=roots, data=roots, scale=1.0)
        halves("reciprocal", None, dst=roots, data=roots)
        halves("tensor_tensor", "vector", op="multiply", dst=m, data1=m, data2=roots)
        halves("activation", None, op="copy", dst=m, data=m, scale=0.1)
        halves("activation", None, op="copy", dst=p, data=p, scale=0.1)
        halves("tensor_tensor", "vector", op="subtract", dst=out, data1=p, data2=m)
        k.dma(tensors[4].box(row * 128, 128, column * 1024, 1024), out, by="gpsimd")
    q = profile(k)
    return {"ms": q.ms, "VectorE %": q.active("vector"), "ScalarE %": q.active("scalar")}


CASES = {"EW-NB-SILU": nkibench_silu, "EW-KDA-ROPE": rope, "EW-NB-ADAMW": adamw}
