"""Transfers and bandwidth."""

from __future__ import annotations

from engine_builder import Index, Kernel, Tensor, View
from fidelity.measure import Figures, Profile, profile

from nki_mlir.targets import load as load_target

TARGETS = ("trn1", "trn2", "trn3")


def rate(target: str, transfers: int = 64) -> float:
    """GB/s of loads of [128, 32 KiB] that follow each other."""
    k = Kernel(target)
    x = k.tensor("x", (transfers * 128, 8192))
    with k.loop(transfers) as i:
        k.dma(k.sbuf(8192, depth=4), x.box(i * 128, 128, 0, 8192))
    spans = [s for s in profile(k).result.timeline if "dma" in s.unit]
    middle = spans[len(spans) // 2]
    return 128 * 32768 * (len(spans) // 2 - 1) / (spans[-1].end_ns - middle.end_ns)


def latency(target: str) -> float:
    """ns from the end of an instruction, over a lone transfer of [128, 64 B], to the one that waits for its data."""
    k = Kernel(target)
    x, tile = k.tensor("x", (128, 16)), k.sbuf(16)
    k.op("memset", "vector", dst=tile, value=0.0)
    k.dma(tile, x.box(0, 128, 0, 16))
    k.op("tensor_scalar", "vector", op0="add", dst=tile, data=tile, operand0=1.0)
    spans = {s.name: s for s in profile(k).result.timeline if s.unit == "vector"}
    return spans["tensor_scalar"].start_ns - spans["memset"].end_ns


def constants() -> Figures:
    return {"GB/s": tuple(map(rate, TARGETS)), "ns": tuple(map(latency, TARGETS))}


def chunks(target: str, count: int, rows: int, columns: int, whole: bool) -> Profile:
    """DM-VADD1, DM-VADD2: c = a + b in `count` chunks, whose buffers take turns: one for each, as in the source, would
    need more semaphores than there are. A chunk is a piece of the vectors (`whole`: the kernels of one column, and all
    of the 2024 edition), or some columns of all rows. SyncE starts the transfers, with hardware descriptors where there
    are any, else GpSimdE the stores; stores stand two iterations behind, so that it does not wait for them."""
    k = Kernel(target, dge=load_target(target).features.hardware_descriptors)
    shape = (count * rows, columns) if whole else (rows, count * columns)
    a, b, c = (k.tensor(n, shape) for n in "abc")
    slots, behind = 8, 2
    left, right, sums = (k.sbuf(slots * columns, partitions=rows) for _ in range(3))

    def piece(of: Tensor, i: Index) -> View:
        return of.box(i * rows, rows, 0, columns) if whole else of.box(0, rows, i * columns, columns)

    def load(i: Index) -> None:
        for tile, source in ((left, a), (right, b)):
            k.dma(tile.cols(i % slots * columns, columns), piece(source, i))

    def finish(i: Index) -> None:
        x, y, out = (tile.cols(i % slots * columns, columns) for tile in (left, right, sums))
        if columns == 1:
            k.op("tensor_scalar", "vector", op0="add", dst=out, data=x, operand0=y)
        else:
            k.op("tensor_tensor", "vector", op="add", dst=out, data1=x, data2=y)
        k.dma(piece(c, i), out, by="sync" if k.dge else "gpsimd")

    ahead = min(behind, count)
    with k.loop(ahead) as i:
        load(i)
    if count > ahead:
        with k.loop(count - ahead) as i:
            load(i + ahead)
            finish(i)
    with k.loop(ahead) as i:
        finish(i + (count - ahead))
    return profile(k)


def vector_add(target: str, whole: bool) -> Figures:
    return {
        "us R=1": chunks(target, 25600, 1, 1, True).total,
        "us R=128": chunks(target, 200, 128, 1, True).total,
        "us F=2": chunks(target, 100, 128, 2, whole).total,
        "us F=200": chunks(target, 1, 128, 200, whole).total,
    }


def silu(width: int, rows: int = 1, serial: bool = False) -> Profile:
    """DM-KDA-SILU: load, silu in place, store, for `rows` x `width` columns at a time, with as many buffers as fit, up
    to four; `serial` waits for each iteration's end, as a sequential loop over two buffers by hand does."""
    k = Kernel("trn2")
    x, y = (k.tensor(n, (128, 32 * 7168)) for n in "xy")
    columns = rows * width
    depth = 1 if serial else min(4, load_target(k.target).memory.sbuf_usable_bytes // (columns * 4))
    with k.loop(32 * 7168 // columns) as i:
        tile = k.sbuf(columns, depth=depth)
        k.dma(tile, x.box(0, 128, i * columns, columns))
        k.op("activation", op="silu", dst=tile, data=tile)
        k.dma(y.box(0, 128, i * columns, columns), tile, by="gpsimd")
    return profile(k)


def streaming() -> Figures:
    best = silu(1024).total
    return {
        "7168/1024": silu(7168).total / best,
        "(2 x 7168)/1024": silu(7168, 2).total / best,
        "ping-pong/1024": silu(1024, serial=True).total / best,
        "ms": best / 1000,
    }


def adamw(width: int, count: int = 96) -> Profile:
    """DM-KDA-ADAMW: `count` chunks: four loads, a square and a rsqrt on ScalarE,
    four VectorE instructions of two inputs, one store; two chunks are interleaved, as the compiler does."""
    k = Kernel("trn2")
    tensors = [k.tensor(n, (128, count * width)) for n in ("p", "g", "m", "v", "out")]
    p, g, m, v, out = tensors
    with k.loop(count // 2) as i:
        pair = [[k.sbuf(width, depth=2 if width < 2048 else 1) for _ in range(6)] for _ in range(2)]
        for at, tiles in enumerate(pair):
            for tile, tensor in zip(tiles, (g, v, m, p), strict=False):
                k.dma(tile, tensor.box(0, 128, (i * 2 + at) * width, width))

        def fused(dst: View, a: View, b: View) -> None:
            k.op("scalar_tensor_tensor", op0="multiply", op1="add", dst=dst, data=a, operand0=0.9, operand1=b)

        for gs, _, _, _, square, _ in pair:
            k.op("activation", op="square", dst=square, data=gs)
        for gs, vs, ms, _, square, _ in pair:
            fused(vs, vs, square)
            fused(ms, ms, gs)
        for _, vs, _, _, _, root in pair:
            k.op("activation", op="rsqrt", dst=root, data=vs)
        for at, (_, _, ms, ps, _, root) in enumerate(pair):
            fused(ms, ms, root)
            fused(ps, ps, ms)
            k.dma(out.box(0, 128, (i * 2 + at) * width, width), ps, by="gpsimd")
    return profile(k)


def streaming_adamw() -> Figures:
    best = adamw(1824)
    rows = adamw(2048, 86)
    return {"ms": best.ms, "VectorE %": best.active("vector"), "row/best": rows.total / best.total}


CASES = {
    "DM-CONST": constants,
    "DM-VADD1": lambda: vector_add("trn1", True),
    "DM-VADD2": lambda: vector_add("trn2", False),
    "DM-KDA-SILU": streaming,
    "DM-KDA-ADAMW": streaming_adamw,
}
