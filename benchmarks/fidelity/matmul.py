"""Matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine_builder import At, Index, Kernel, Tensor, View
from fidelity.measure import Figures, Profile, mfu, profile

FP32, BF16, FP8 = "float32", "bfloat16", "float8_e4m3"
CUBE = 2 * 2048**3
KO_FLOPS = 2 * 4096 * 8192 * 8192
DRAINS = ("vector", "scalar")
"""Engines that take results out of PSUM in turn."""


def drain(k: Kernel, dst: View, src: View, turn: int = 0) -> None:
    """A copy out of PSUM, on VectorE for turn 0 and on ScalarE for turn 1."""
    if DRAINS[turn % 2] == "scalar":
        k.op("activation", op="copy", dst=dst, data=src)
    else:
        k.op("tensor_copy", "vector", dst=dst, src=src)


def transpose(k: Kernel, dst: View, data: View, engine: str = "scalar", depth: int = 2) -> None:
    """A PE transpose through PSUM into `dst`, copied by an engine."""
    kind = FP32
    across = k.psum(data.access.partitions, kind, data.access.free_elements, depth)
    k.op("nc_transpose", "tensor", dst=across, data=data)
    drain(k, dst, across, DRAINS.index(engine))


def hand() -> Profile:
    """MM-AT-HAND: 2048^3 bf16, blocked; operands rotate, PSUM tiles are cleared and added to accumulators in SBUF.
    GpSimdE clears, as in MM-AT-DB; VectorE copies and adds."""
    k = Kernel("trn2")
    lhs, rhs, out = (k.tensor(n, (2048, 2048), BF16) for n in ("lhsT", "rhs", "out"))
    with k.loop(4) as n:
        sums = k.sbuf(16 * 512, BF16, depth=4)
        for tile in range(16):
            k.op("memset", "gpsimd", dst=sums.cols(tile * 512, 512), value=0.0)
        with k.loop(2) as kb:
            right = [k.sbuf(512, BF16, depth=2) for _ in range(8)]
            for i, tile in enumerate(right):
                k.dma(tile, rhs.box((kb * 8 + i) * 128, 128, n * 512, 512))
            with k.loop(4) as mb:
                left = [k.sbuf(512, BF16, depth=8) for _ in range(8)]
                for i, tile in enumerate(left):
                    k.dma(tile, lhs.box((kb * 8 + i) * 128, 128, mb * 512, 512))
                for m in range(4):
                    product, partial = k.psum(512, depth=2), k.sbuf(512, BF16, depth=4)
                    k.op("memset", "gpsimd", dst=product, value=0.0)
                    for i in range(8):
                        k.matmul(product, left[i].cols(m * 128, 128), right[i], accumulate=i)
                    drain(k, partial, product)
                    total = sums.cols((mb * 4 + m) * 512, 512)
                    k.op("tensor_tensor", "vector", op="add", dst=total, data1=total, data2=partial)
        for m in range(16):
            k.dma(out.box(m * 128, 128, n * 512, 512), sums.cols(m * 512, 512), by="scalar")
    return profile(k)


def loads_for_each() -> Profile:
    """MM-AT-16: the same product, both operands loaded for each matmul. The source has one buffer for each operand, but
    no addresses, and of such buffers the compiler's allocator makes several that take turns, as the authors note.
    Descriptors are made at run time, which is the compiler's default (MM-KO-V2)."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = (k.tensor(n, (2048, 2048), BF16) for n in ("lhsT", "rhs", "out"))
    with k.loop(16) as m, k.loop(4) as n:
        product, result = k.psum(512, depth=2), k.sbuf(512, BF16, depth=2)
        k.op("memset", "gpsimd", dst=product, value=0.0)
        with k.loop(16) as i:
            left, right = k.sbuf(128, BF16, depth=4), k.sbuf(512, BF16, depth=4)
            k.dma(left, lhs.box(i * 128, 128, m * 128, 128))
            k.dma(right, rhs.box(i * 128, 128, n * 512, 512))
            k.matmul(product, left, right, accumulate=i)
        drain(k, result, product)
        k.dma(out.box(m * 128, 128, n * 512, 512), result, by="scalar")
    return profile(k)


def autotune_hand() -> Figures:
    return {"MFU %": mfu(CUBE, hand().total)}


def autotune_16() -> Figures:
    slow = loads_for_each().total
    return {"MFU %": mfu(CUBE, slow), "time over MM-AT-HAND": slow / hand().total}


def tile_by_tile() -> Figures:
    """MM-KO-V2: fp32, one tile of each operand loaded for every matmul."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = k.tensor("lhsT", (8192, 4096)), k.tensor("rhs", (8192, 8192)), k.tensor("out", (4096, 8192))
    with k.loop(32) as m, k.loop(16) as n:
        product = k.psum(512, depth=2)
        with k.loop(64) as i:
            left, right = k.sbuf(128, depth=4), k.sbuf(512, depth=4)
            k.dma(left, lhs.box(i * 128, 128, m * 128, 128))
            k.dma(right, rhs.box(i * 128, 128, n * 512, 512))
            k.matmul(product, left, right, accumulate=i)
        result = k.sbuf(512, depth=2)
        drain(k, result, product)
        k.dma(out.box(m * 128, 128, n * 512, 512), result, by="scalar")
    p = profile(k)
    return {
        "ms": p.ms,
        "TensorE %": p.active("tensor"),
        "DMA %": p.active("dma"),
        "MFU %": mfu(KO_FLOPS, p.total),
    }


def blocked() -> Figures:
    """MM-KO-V5: fp32, blocks in all three dimensions. The accumulators (128 KiB of a partition), a block of lhsT (64)
    and one of rhs (32) are SBUF to the last byte, so nothing can rotate; lhsT comes in four column groups, each of
    which is loaded again as soon as both column blocks have used it. Results are copied in place."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = k.tensor("lhsT", (8192, 4096)), k.tensor("rhs", (8192, 8192)), k.tensor("out", (4096, 8192))
    kib = 1024
    sums = k.sbuf(32 * 1024, address=0)
    left, right = k.sbuf(32 * 512, address=128 * kib), [k.sbuf(1024, address=(192 + 4 * i) * kib) for i in range(8)]
    with k.loop(8) as n:
        for tile in range(64):
            k.op("memset", "gpsimd", dst=sums.cols(tile * 512, 512), value=0.0)
        with k.loop(8) as kb:
            for i, tile in enumerate(right):
                k.dma(tile, rhs.box((kb * 8 + i) * 128, 128, n * 1024, 1024))
            with k.loop(2) as mb, k.loop(4) as g:
                for i in range(8):
                    columns = lhs.box((kb * 8 + i) * 128, 128, mb * 2048 + g * 512, 512)
                    k.dma(left.cols(g * 4096 + i * 512, 512), columns)
                with k.loop(2) as half, k.loop(4) as m:
                    product = k.psum(512, depth=4)
                    for i in range(8):
                        stationary = left.cols(g * 4096 + m * 128 + i * 512, 128)
                        k.matmul(product, stationary, right[i].cols(half * 512, 512), i)
                    total = sums.cols(mb * 16384 + g * 4096 + m * 1024 + half * 512, 512)
                    k.op("tensor_tensor", "vector", op="add", dst=total, data1=product, data2=total)
        for m in range(32):
            for half in range(2):
                tile = sums.cols(m * 1024 + half * 512, 512)
                drain(k, tile, tile)
            k.dma(out.box(m * 128, 128, n * 1024, 1024), sums.cols(m * 1024, 1024), by="scalar")
    p = profile(k)
    return {
        "ms": p.ms,
        "TensorE %": p.active("tensor"),
        "VectorE %": p.active("vector"),
        "DMA %": p.active("dma"),
    }


def nkibench() -> Figures:
    """MM-NB-MATMUL: rhs is loaded again for every row tile, lhs is transposed on the PE."""
    k = Kernel("trn1")
    lhs, rhs, out = k.tensor("lhs", (4096, 5120)), k.tensor("rhs", (5120, 12288)), k.tensor("out", (4096, 12288))
    with k.loop(12) as n, k.loop(32) as m:
        turned = k.sbuf(40 * 128, depth=2)
        with k.loop(5) as j:
            tile = k.sbuf(1024, depth=2)
            k.dma(tile, lhs.box(m * 128, 128, j * 1024, 1024))
            for i in range(8):
                transpose(k, turned.cols((j * 8 + i) * 128, 128), tile.cols(i * 128, 128), depth=1 if i > 1 else 2)
        products = [k.psum(512), k.psum(512)]
        with k.loop(40) as i:
            right = k.sbuf(1024, depth=16)
            k.dma(right, rhs.box(i * 128, 128, n * 1024, 1024))
            for half, product in enumerate(products):
                k.matmul(product, turned.cols(i * 128, 128), right.cols(half * 512, 512), i)
        result = k.sbuf(1024, depth=2)
        for half, product in enumerate(products):
            drain(k, result.cols(half * 512, 512), product, 1)
        k.dma(out.box(m * 128, 128, n * 1024, 1024), result, by="gpsimd")
    p = profile(k)
    moved = 9_059_762_176 + 201_326_592
    return {"ms": p.ms, "GB/s": moved / (p.total * 1000)}


def row_blocks(b: int) -> Profile:
    """MM-KDA-BLK: blocks of `b` row tiles share every tile of rhs. GpSimdE fetches lhs, so that the next block's does
    not queue behind rhs."""
    k = Kernel("trn2")
    lhs, rhs, out = k.tensor("lhs", (4096, 5120)), k.tensor("rhs", (5120, 12288)), k.tensor("out", (4096, 12288))
    with k.loop(32 // b) as block:
        turned = k.sbuf(b * 40 * 128)
        with k.loop(b) as row, k.loop(10) as group:
            across = k.psum(512, depth=2 if b < 8 else 1)
            for i in range(4):
                tile, at = k.sbuf(128, depth=10 * b if b < 8 else 16), group * 4 + i
                k.dma(tile, lhs.box((block * b + row) * 128, 128, at * 128, 128), by="gpsimd", queue=i)
                k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=tile)
                drain(k, turned.cols((row * 40 + at) * 128, 128), across.cols(i * 128, 128), i)
        with k.loop(24) as n:
            products = [k.psum(512, depth=2 if b < 4 else 1) for _ in range(b)]
            with k.loop(40) as i:
                right = k.sbuf(512, depth=3)
                k.dma(right, rhs.box(i * 128, 128, n * 512, 512))
                for row, product in enumerate(products):
                    k.matmul(product, turned.cols((i + row * 40) * 128, 128), right, i)
            for row, product in enumerate(products):
                result = k.sbuf(512, depth=2)
                drain(k, result, product, row)
                k.dma(out.box((block * b + row) * 128, 128, n * 512, 512), result, by=DRAINS[row % 2])
    return profile(k)


def kda_blocks() -> Figures:
    runs = {b: row_blocks(b) for b in (1, 2, 4, 8)}
    return {
        "B1/B4": runs[1].total / runs[4].total,
        "TensorE % of B1, B2, B4": tuple(runs[b].active("tensor") for b in (1, 2, 4)),
        "next / B4": min(p.total for b, p in runs.items() if b != 4) / runs[4].total,
        "ms": runs[4].ms,
    }


def batched(group: int, width: int = 512) -> Profile:
    """MM-KDA-BMM: K = 64; `group` row tiles are transposed before their products, up to four in a PSUM bank; results
    are stored in pieces of `width` columns."""
    k = Kernel("trn2")
    lhs, rhs, out = k.tensor("lhs", (16 * 4096, 64)), k.tensor("rhs", (16 * 64, 4096)), k.tensor("out", (65536, 4096))
    with k.loop(16) as batch:
        right = k.sbuf(4096, partitions=64, depth=2)
        k.dma(right, rhs.box(batch * 64, 64, 0, 4096))
        with k.loop(32 // group) as part:
            turned = k.sbuf(128 * group, partitions=64, depth=2)
            shared = min(4, group)
            with k.loop(group // shared) as m:
                across = k.psum(128 * shared, partitions=64, depth=2)
                for i in range(shared):
                    tile, at = k.sbuf(64, depth=min(8, group)), m * shared + i
                    k.dma(tile, lhs.box(batch * 4096 + (part * group + at) * 128, 128, 0, 64), queue=i)
                    k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=tile)
                    drain(k, turned.cols(at * 128, 128), across.cols(i * 128, 128), 1)
            with k.loop(group) as m, k.loop(2048 // width) as n:
                row = batch * 4096 + (part * group + m) * 128
                for side, engine in enumerate(DRAINS):
                    result = k.sbuf(width, depth=8 if width == 512 else 4)
                    at = n * (2 * width) + side * width
                    for piece in range(width // 512):
                        product = k.psum(512, depth=2 if width == 512 else 1)
                        k.matmul(product, turned.cols(m * 128, 128), right.cols(at + piece * 512, 512))
                        drain(k, result.cols(piece * 512, 512), product, DRAINS.index(engine))
                    k.dma(out.box(row, 128, at, width), result, by="gpsimd")
    return profile(k)


def kda_batched() -> Figures:
    groups = {g: batched(g).total for g in (1, 8, 16, 32)}
    return {
        "ms": groups[32] / 1000,
        "512 / 256 KiB": batched(1, 1024).total / groups[1],
        "v1 / M_SUB=32": min(groups[1] / max(groups[8], groups[16]), min(groups[8], groups[16]) / groups[32]),
    }


def swiglu() -> Figures:
    """MM-NB-SWIGLU: gate and up products of a block of rows side by side, so that the gate need not be kept. ScalarE
    adds 1 to the exponential, as in EW-NB-SILU."""
    k = Kernel("trn1")
    one = k.sbuf(1)
    k.op("memset", "vector", dst=one, value=1.0)
    x, gate, up = k.tensor("x", (4096, 1024)), k.tensor("Wg", (1024, 3072)), k.tensor("Wu", (1024, 3072))
    down, hidden, out = k.tensor("Wd", (3072, 1024)), k.tensor("h", (3072, 4096)), k.tensor("out", (4096, 1024))
    buffers = [(k.sbuf(4 * 1024), k.sbuf(8 * 512)) for _ in range(2)]
    with k.loop(3) as n:
        weights = [_resident(k, tensor, 8, 1024, n * 1024) for tensor in (gate, up)]
        with k.loop(8) as m:
            gates = k.sbuf(8 * 512)
            with _products(k, x, m, weights[0], buffers[0]) as (j, product):
                drain(k, gates.cols(j * 512, 512), product, 1)
            with _products(k, x, m, weights[1], buffers[1]) as (j, product):
                g, u, e = gates.cols(j * 512, 512), k.sbuf(512, depth=2), k.sbuf(512, depth=2)
                drain(k, u, product, 1)
                k.op("activation", op="exp", dst=e, data=g, scale=-1.0)
                k.op("activation", op="copy", dst=e, data=e, bias=one)
                k.op("reciprocal", dst=e, data=e)
                k.op("tensor_tensor", "vector", op="multiply", dst=e, data1=e, data2=g)
                k.op("tensor_tensor", "vector", op="multiply", dst=e, data1=e, data2=u)
                k.dma(hidden.box(n * 1024 + j * 128, 128, m * 512, 512), e, by="gpsimd")
    with k.loop(2) as half:
        columns = _resident(k, down, 24, 512, half * 512)
        with k.loop(8) as m:
            rows = _resident(k, hidden, 24, 512, m * 512, depth=2)
            with k.loop(4) as j:
                product, result = k.psum(512, depth=2), k.sbuf(512, depth=2)
                with k.loop(24) as i:
                    k.matmul(product, rows.cols(i * 512 + j * 128, 128), columns.cols(i * 512, 512), i)
                drain(k, result, product, 1)
                k.dma(out.box(m * 512 + j * 128, 128, half * 512, 512), result, by="gpsimd")
    p = profile(k)
    return {"ms": p.ms, "VectorE %": p.active("vector")}


def _resident(k: Kernel, tensor: Tensor, tiles: int, width: int, column: At, depth: int = 1) -> View:
    """Some columns of a tensor, `tiles` x 128 rows of them side by side in one buffer."""
    found = k.sbuf(tiles * width, depth=depth)
    for i in range(tiles):
        k.dma(found.cols(i * width, width), tensor.box(i * 128, 128, column, width))
    return found


@contextmanager
def _products(
    k: Kernel, x: Tensor, m: Index, weights: View, buffers: tuple[View, View]
) -> Iterator[tuple[Index, View]]:
    """x^T of 512 rows, which takes two buffers, against 1024 columns of weights: gives the number of a result of [128,
    512], and the result."""
    rows, turned = buffers
    for row in range(4):
        k.dma(rows.cols(row * 1024, 1024), x.box(m * 512 + row * 128, 128, 0, 1024))
    with k.loop(4) as row, k.loop(8) as i:
        transpose(k, turned.cols(i * 512 + row * 128, 128), rows.cols(row * 1024 + i * 128, 128))
    with k.loop(8) as j:
        product = k.psum(512, depth=2)
        with k.loop(8) as i:
            k.matmul(product, weights.cols(i * 1024 + j * 128, 128), turned.cols(i * 512, 512), i)
        yield j, product


def double_row() -> Figures:
    """MM-NS-FP8: rows of lhs are scaled by their largest magnitude, transposed on the PE and rounded on the way out of
    PSUM; products contract 256 values at a time."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = (
        k.tensor("lhs", (512, 16384), BF16),
        k.tensor("rhs", (16384, 1024), FP8),
        k.tensor("out", (512, 1024)),
    )
    right = k.sbuf(128 * 1024, FP8)
    for piece in range(4):
        source = rhs.at(piece * 32 * 128 * 1024, (1024, 128), (128 * 1024, 32), (1, 1024))
        k.dma(right.at(piece * 32768, (1024, 32), (1, 1024)), source, by="gpsimd", queue=1)
    with k.loop(4) as m:
        turned, most, scale = k.sbuf(128 * 128, FP8, depth=2), k.sbuf(1, depth=2), k.sbuf(1, depth=2)
        rows, partial = k.sbuf(16384, BF16), k.sbuf(4, depth=2)
        parts = [rows.cols(piece * 4096, 4096) for piece in range(4)]
        for piece, part in enumerate(parts):
            k.dma(part, lhs.box(m * 128, 128, piece * 4096, 4096))
            k.op("tensor_reduce", op="maximum", axes=1, dst=partial.cols(piece, 1), data=part)
        k.op("tensor_reduce", op="maximum", axes=1, dst=most, data=partial)
        k.op("reciprocal", dst=scale, data=most)
        for part in parts:
            k.op("activation", op="copy", dst=part, data=part, scale=scale)
        for piece in range(4):
            with k.loop(4) as group:
                across = k.psum(1024, BF16)
                for i in range(8):
                    data = parts[piece].cols(group * 1024 + i * 128, 128)
                    k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=data)
                drain(k, turned.cols(piece * 4096 + group * 1024, 1024), across)
        for n in range(2):
            product, result = k.psum(512, depth=2), k.sbuf(512, depth=2)
            with k.loop(64) as i:
                stationary, moving = (
                    turned.at(i * 256, (128, 2), (1, 128)),
                    right.at(i * 2048 + n * 512, (1024, 2), (1, 512)),
                )
                k.matmul(product, stationary, moving, i, perf_mode="double_row")
            k.op("activation", op="copy", dst=result, data=product, scale=most)
            k.dma(out.box(m * 128, 128, n * 512, 512), result, by="gpsimd")
    return {"us": profile(k).total}


CASES = {
    "MM-AT-HAND": autotune_hand,
    "MM-AT-16": autotune_16,
    "MM-KO-V2": tile_by_tile,
    "MM-KO-V5": blocked,
    "MM-NB-MATMUL": nkibench,
    "MM-KDA-BLK": kda_blocks,
    "MM-KDA-BMM": kda_batched,
    "MM-NB-SWIGLU": swiglu,
    "MM-NS-FP8": double_row,
}
