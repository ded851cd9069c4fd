"""Normalisations, alone and in front of a matrix product."""

from __future__ import annotations

from engine_builder import At, Kernel, Tensor, View
from fidelity.matmul import drain, transpose
from fidelity.measure import Figures, Profile, profile

from nki_mlir.dialects.dtypes import dtype

ROWS, WIDTH = 4096, 8192


def layer_norm(statistics: bool) -> Profile:
    """NM-LN, 4096 x 8192 fp32: v1 by reductions, v2 by bn_stats. x is normalised in place: beside gamma, beta, a square
    and the output SBUF has no room for a second tile of 32 KiB per partition."""
    k = Kernel("trn1")
    x, y, gamma, beta = (k.tensor(n, (ROWS, WIDTH)) for n in ("x", "y", "gamma", "beta"))
    scale, shift = k.sbuf(WIDTH), k.sbuf(WIDTH)
    for tile, source in ((scale, gamma), (shift, beta)):
        k.dma(tile, source.at(0, (0, 128), (1, WIDTH)))
    with k.loop(ROWS // 128) as i:
        tile, square, out = (k.sbuf(WIDTH) for _ in range(3))
        mean, deviation = k.sbuf(2, depth=2), k.sbuf(1, depth=2)
        k.dma(tile, x.box(i * 128, 128, 0, WIDTH))
        average, variance = mean.cols(0, 1), mean.cols(1, 1)
        if statistics:
            parts = k.sbuf(6 * WIDTH // 512, depth=2)
            for piece in range(WIDTH // 512):
                k.op("bn_stats", dst=parts.cols(6 * piece, 6), data=tile.cols(512 * piece, 512))
            k.op("bn_aggr", dst=mean, data=parts)
            k.op("activation", op="rsqrt", dst=deviation, data=variance)
            normalise(k, tile, average, deviation)
        else:
            k.op("tensor_reduce", op="add", axes=1, dst=average, data=tile)
            k.op("activation", op="square", dst=square, data=tile)
            k.op("tensor_reduce", op="add", axes=1, dst=variance, data=square)
            for value in (average, variance):
                k.op("tensor_scalar", "vector", op0="multiply", dst=value, data=value, operand0=1 / WIDTH)
            k.op("tensor_tensor", "vector", op="multiply", dst=deviation, data1=average, data2=average)
            k.op("tensor_tensor", "vector", op="subtract", dst=deviation, data1=variance, data2=deviation)
            k.op("activation", op="rsqrt", dst=deviation, data=deviation)
            k.op("tensor_scalar", "vector", op0="subtract", dst=tile, data=tile, operand0=average)
            k.op("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=deviation)
        k.op("tensor_tensor", "vector", op="multiply", dst=out, data1=tile, data2=scale)
        k.op("tensor_tensor", "vector", op="add", dst=out, data1=out, data2=shift)
        k.dma(y.box(i * 128, 128, 0, WIDTH), out, by="gpsimd")
    return profile(k)


def normalise(k: Kernel, tile: View, average: View, deviation: View) -> None:
    k.op(
        "tensor_scalar",
        "vector",
        op0="subtract",
        dst=tile,
        data=tile,
        operand0=average,
        op1="multiply",
        operand1=deviation,
    )


def layer_norms() -> Figures:
    first, second = layer_norm(False).total, layer_norm(True).total
    return {"us v1": first, "us v2": second, "v1/v2": first / second}


def inverse_rms(k: Kernel, tile: View, width: int) -> View:
    """1 / sqrt of the mean square of each row."""
    square, total = k.sbuf(width, depth=2), k.sbuf(1, depth=2)
    k.op("activation_reduce", op="square", dst=square, data=tile, reduce_res=total)
    k.op("activation", op="rsqrt", dst=total, data=total, scale=1 / width)
    return total


def transpose_all(k: Kernel, turned: View, tile: View, count: int) -> None:
    """PE transposes of [128, 128] tiles side by side, four to a PSUM bank, so that the PE need not wait for copies."""
    kind = dtype(tile.access.element_type).name
    with k.loop(count // 4) as group:
        across = k.psum(512, kind, depth=2)
        for i in range(4):
            source = tile.cols(group * 512 + i * 128, 128)
            k.op("nc_transpose", "tensor", dst=across.cols(i * 128, 128), data=source)
        for i in range(4):
            drain(k, turned.cols(group * 512 + i * 128, 128), across.cols(i * 128, 128))


def transpose_by_blocks(k: Kernel, turned: View, tile: View) -> None:
    """A [128, 128] transpose on VectorE, 32 x 32 elements at a time."""
    for row in range(0, 128, 32):
        for column in range(0, 128, 32):
            dst = turned.rows(column, 32).cols(row, 32)
            k.op("nc_transpose", "vector", dst=dst, data=tile.rows(row, 32).cols(column, 32))


def weights_of(k: Kernel, w: Tensor, tiles: int, width: int) -> View:
    found = k.sbuf(tiles * width)
    for i in range(tiles):
        k.dma(found.cols(i * width, width), w.box(i * 128, 128, 0, width))
    return found


def products(k: Kernel, turned: View, weights: View, out: Tensor, row: At, n_outer: bool = True) -> None:
    """[128, 1024] times [1024, 2048], 512 columns at a time, stored 512 columns at a time. Otherwise the four column
    chunks take turns over each stationary tile."""
    chunks = [k.psum(512, depth=1) for _ in range(4)]
    order = [(n, i) for n in range(4) for i in range(8)] if n_outer else [(n, i) for i in range(8) for n in range(4)]
    for n, i in order:
        k.matmul(chunks[n], turned.cols(i * 128, 128), weights.cols(i * 2048 + n * 512, 512), i)
    for n, chunk in enumerate(chunks):
        result = k.sbuf(512, depth=2)
        drain(k, result, chunk, 1)
        k.dma(out.box(row, 128, n * 512, 512), result, by="gpsimd")


def add_norm_matmul() -> Figures:
    """NM-NB-ARM."""
    k = Kernel("trn1")
    x, z, g = k.tensor("x", (4096, 1024)), k.tensor("z", (4096, 1024)), k.tensor("g", (1, 1024))
    w, out = k.tensor("w", (1024, 2048)), k.tensor("out", (4096, 2048))
    weights, gain = weights_of(k, w, 8, 2048), k.sbuf(1024)
    k.dma(gain, g.at(0, (0, 128), (1, 1024)))
    with k.loop(32) as m:
        a, b = k.sbuf(1024, depth=2), k.sbuf(1024, depth=2)
        k.dma(a, x.box(m * 128, 128, 0, 1024))
        k.dma(b, z.box(m * 128, 128, 0, 1024))
        k.op("tensor_tensor", "vector", op="add", dst=a, data1=a, data2=b)
        inverse = inverse_rms(k, a, 1024)
        k.op("activation", op="copy", dst=a, data=a, scale=inverse)
        k.op("tensor_tensor", "vector", op="multiply", dst=a, data1=a, data2=gain)
        turned = k.sbuf(1024, depth=2)
        with k.loop(8) as i:
            transpose(k, turned.cols(i * 128, 128), a.cols(i * 128, 128))
        products(k, turned, weights, out, m * 128)
    p = profile(k)
    return {"ms": p.ms, "ScalarE %": p.active("scalar")}


def norm_matmul(engine: str, n_outer: bool = True) -> Profile:
    """NM-KDA-RM, transposes on an engine. Rows are normalised one tile ahead, so that ScalarE does not come to them
    behind the copies of the product before."""
    k = Kernel("trn2")
    x, w, out = k.tensor("x", (4096, 1024)), k.tensor("w", (1024, 2048)), k.tensor("out", (4096, 2048))
    weights, tiles = weights_of(k, w, 8, 2048), k.sbuf(3 * 1024)

    def prepare(m: At) -> None:
        tile = tiles.cols(m % 3 * 1024, 1024)
        k.dma(tile, x.box(m * 128, 128, 0, 1024))
        inverse = inverse_rms(k, tile, 1024)
        k.op("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=inverse)

    def multiply(m: At, following: At | None) -> None:
        tile, turned = tiles.cols(m % 3 * 1024, 1024), k.sbuf(1024, depth=2)
        if engine == "tensor":
            transpose_all(k, turned, tile, 8)
        else:
            with k.loop(8) as i:
                transpose_by_blocks(k, turned.cols(i * 128, 128), tile.cols(i * 128, 128))
        if following is not None:
            prepare(following)
        products(k, turned, weights, out, m * 128, n_outer)

    prepare(0)
    with k.loop(31) as m:
        multiply(m, m + 1)
    multiply(31, None)
    return profile(k)


def kda() -> Figures:
    base = norm_matmul("tensor")
    return {
        "ms": base.ms,
        "TensorE %": base.active("tensor"),
        "VectorE transposes / PE": norm_matmul("vector").total / base.total,
        "reordered / base": norm_matmul("tensor", False).total / base.total,
    }


def qkv(rows: int, width: int, heads: int, kind: str) -> float:
    """NM-NS-QKV: RMSNorm and a product, 16-bit."""
    k = Kernel("trn2", dge=True)
    x, w = k.tensor("x", (rows, width), kind), k.tensor("w", (width, heads), kind)
    out, parts = k.tensor("out", (rows, heads), kind), width // 128
    tiles, weights = [k.sbuf(width, kind) for _ in range(rows // 128)], k.sbuf(parts * heads, kind)
    for m, tile in enumerate(tiles):
        k.dma(tile, x.box(m * 128, 128, 0, width))
    k.dma(
        weights.at(0, (heads, parts), (1, heads)), w.at(0, (heads, 128), (128 * heads, parts), (1, heads)), by="scalar"
    )
    for tile in tiles:
        inverse = inverse_rms(k, tile, width)
        k.op("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=inverse)
    for m, tile in enumerate(tiles):
        turned, product, result = k.sbuf(width, kind), k.psum(heads), k.sbuf(heads, kind)
        transpose_all(k, turned, tile, parts)
        for i in range(parts):
            k.matmul(product, turned.cols(i * 128, 128), weights.cols(i * heads, heads), i)
        drain(k, result, product)
        k.dma(out.box(m * 128, 128, 0, heads), result)
    return profile(k).total


def small() -> Figures:
    return {
        "us S=128 dim=512": qkv(128, 512, 512, "float16"),
        "us S=512 dim=1024": qkv(512, 1024, 384, "bfloat16"),
        "us S=128 dim=1024": qkv(128, 1024, 512, "bfloat16"),
    }


CASES = {"NM-LN": layer_norms, "NM-NB-ARM": add_norm_matmul, "NM-KDA-RM": kda, "NM-NS-QKV": small}
