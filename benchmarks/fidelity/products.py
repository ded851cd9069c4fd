"""More matrix products: operands that stay, and blocks of all sizes. Buffers that rotate in code without a loop are
lists that are gone through in turn."""

from __future__ import annotations

from itertools import cycle, islice, pairwise
from itertools import product as product_of

from engine_builder import At, Kernel, View
from fidelity.matmul import BF16, drain
from fidelity.measure import Figures, Profile, profile


def resident(accumulators: int, reorder: bool = False) -> Profile:
    """MM-AT-DB: 2048^3 bf16, both operands loaded once; GpSimdE clears four banks, VectorE empties them at once. A row
    of the result leaves when it is there, and products of the same weights stand beside each other, as the compiler's
    scheduler has both: by its authors' profiles it does so whichever way the source has the loops (`reorder`)."""
    k = Kernel("trn2")
    lhs, rhs, out = (k.tensor(n, (2048, 2048), BF16) for n in ("lhsT", "rhs", "out"))
    left, right = ([k.sbuf(2048, BF16) for _ in range(16)] for _ in range(2))
    for tiles, tensor in ((left, lhs), (right, rhs)):
        for i, tile in enumerate(tiles):
            k.dma(tile, tensor.box(i * 128, 128, 0, 2048))
    results = k.sbuf(16 * 2048, BF16)
    source = [(n, i) for i in range(16) for n in range(4)] if reorder else [(n, i) for n in range(4) for i in range(16)]
    with k.loop(16) as m:
        product = k.psum(2048, depth=accumulators)
        k.op("memset", "gpsimd", dst=product, value=0.0)
        for n, i in sorted(source, key=lambda step: step[1]):
            stationary, moving = left[i].cols(m * 128, 128), right[i].cols(n * 512, 512)
            k.matmul(product.cols(n * 512, 512), stationary, moving, i)
        result = results.cols(m * 2048, 2048)
        k.op("tensor_copy", "vector", dst=result, src=product)
        k.dma(out.box(m * 128, 128, 0, 2048), result)
    return profile(k)


def double_buffers() -> Figures:
    one, two = resident(1), resident(2)
    return {
        "us A": one.total,
        "us B": two.total,
        "A engines %": (one.active("tensor"), one.active("vector"), one.active("gpsimd")),
        "B TensorE %": two.active("tensor"),
        "A/B": one.total / two.total,
        "reordered / B": resident(2, True).total / two.total,
    }


def transposed() -> Figures:
    """MM-NB-TMM: lhs^T given; loads, products and stores of [128, 1024] pieces, of 704 columns in the last block."""
    k = Kernel("trn1")
    lhs, rhs, out = k.tensor("lhsT", (2048, 4096)), k.tensor("rhs", (2048, 10944)), k.tensor("out", (4096, 10944))
    pieces = [(512, 512)] * 10 + [(512, 192)]
    with k.loop(4) as m:
        left, rights = [k.sbuf(1024) for _ in range(16)], cycle([k.sbuf(1024) for _ in range(24)])
        for i, tile in enumerate(left):
            k.dma(tile, lhs.box(i * 128, 128, m * 1024, 1024), by="gpsimd", queue=1)
        for n, widths in enumerate(pieces):
            right = list(islice(rights, 16))
            for i, tile in enumerate(right):
                k.dma(tile.cols(0, sum(widths)), rhs.box(i * 128, 128, n * 1024, sum(widths)))
            with k.loop(8) as row:
                result = k.sbuf(sum(widths), depth=2)
                for half, width in enumerate(widths):
                    product = k.psum(width, depth=2)
                    for i in range(16):
                        k.matmul(product, left[i].cols(row * 128, 128), right[i].cols(half * 512, width), i)
                    drain(k, result.cols(half * 512, width), product, 1)
                there = out.box(m * 1024 + row * 128, 128, n * 1024, sum(widths))
                k.dma(there, result, by="gpsimd")
    p = profile(k)
    return {"ms": p.ms, "ScalarE %": p.active("scalar")}


def short_contraction() -> Figures:
    """MM-NB-BMM: K = 64, bound by its stores."""
    k = Kernel("trn1")
    lhs, rhs, out = k.tensor("lhs", (16 * 4096, 64)), k.tensor("rhs", (16 * 64, 4096)), k.tensor("out", (65536, 4096))
    acrosses, products = cycle([k.psum(128, partitions=64) for _ in range(2)]), cycle([k.psum(512) for _ in range(6)])
    results = cycle([k.sbuf(1024) for _ in range(8)])
    with k.loop(16) as batch, k.loop(4) as n:
        right = k.sbuf(1024, partitions=64, depth=2)
        k.dma(right, rhs.box(batch * 64, 64, n * 1024, 1024))
        with k.loop(4) as m:
            turned = [k.sbuf(128, partitions=64, depth=2) for _ in range(8)]
            for i, dst in enumerate(turned):
                tile, across = k.sbuf(64, depth=2), next(acrosses)
                k.dma(tile, lhs.box(batch * 4096 + m * 1024 + i * 128, 128, 0, 64))
                k.op("nc_transpose", "tensor", dst=across, data=tile)
                drain(k, dst, across, 1)
            for i, stationary in enumerate(turned):
                result = next(results)
                for half in range(2):
                    product = next(products)
                    k.matmul(product, stationary, right.cols(half * 512, 512))
                    drain(k, result.cols(half * 512, 512), product, 1)
                k.dma(out.box(batch * 4096 + m * 1024 + i * 128, 128, n * 1024, 1024), result, by="gpsimd")
    p = profile(k)
    return {"ms": p.ms, "ScalarE %": p.active("scalar")}


def blocked(bm: int, bn: int, bk: int) -> Profile:
    """MM-SK-2K: 2048^3 fp32 in blocks of BM x 128 rows, BN x 512 columns and BK x 128 terms; VectorE adds the products
    of a block of terms to sums in SBUF. Two blocks of each operand are there at once. Descriptors are made at run time,
    as in the vendor's profile of the same kernel (MM-KO-V2)."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = (k.tensor(n, (2048, 2048)) for n in ("lhsT", "rhs", "out"))
    ahead = 2 if 4 * bk * bn <= 64 else 1
    room = 2 * (200 - 32 * bn - 2 * ahead * bk * bn) // bm
    products = cycle([k.psum(512) for _ in range(8)])
    with k.loop(4 // bn) as n:
        sums = [k.sbuf(bn * 512) for _ in range(16)]
        for tile in sums:
            k.op("memset", "gpsimd", dst=tile, value=0.0)
        with k.loop(16 // bk) as kb:
            right = [k.sbuf(bn * 512, depth=ahead) for _ in range(bk)]
            lefts = cycle([k.sbuf(bm * 128) for _ in range(min(2 * bk, room))])
            for i, tile in enumerate(right):
                k.dma(tile, rhs.box((kb * bk + i) * 128, 128, n * (bn * 512), bn * 512))
            for mb in range(16 // bm):
                left = list(islice(lefts, bk))
                for i, tile in enumerate(left):
                    k.dma(tile, lhs.box((kb * bk + i) * 128, 128, mb * (bm * 128), bm * 128))
                for column, row in product_of(range(bn), range(bm)):
                    product = next(products)
                    for i in range(bk):
                        stationary, moving = left[i].cols(row * 128, 128), right[i].cols(column * 512, 512)
                        k.matmul(product, stationary, moving, i)
                    total = sums[mb * bm + row].cols(column * 512, 512)
                    k.op("tensor_tensor", "vector", op="add", dst=total, data1=product, data2=total)
        for m, tile in enumerate(sums):
            k.dma(out.box(m * 128, 128, n * (bn * 512), bn * 512), tile, by="scalar")
    return profile(k)


BLOCKS = ((1, 1, 1), (1, 2, 1), (1, 2, 2), (1, 2, 4), (1, 2, 8), (1, 4, 1), (2, 2, 8), (4, 2, 4), (8, 1, 1), (16, 4, 1))


def block_sizes() -> Figures:
    found = {sizes: blocked(*sizes) for sizes in BLOCKS}
    along = [found[1, 2, n].total for n in (1, 2, 4, 8)]
    return {
        "us": tuple(p.total for p in found.values()),
        "least gain along BK": min(a / b for a, b in pairwise(along)),
        "TensorE %": tuple(found[sizes].active("tensor") for sizes in ((1, 1, 1), (4, 2, 4))),
    }


def ladder(step: str) -> Profile:
    """MM-SK-LAD: 2048^3 fp32, three buffers for tiles of rhs. `tiled`: both tiles for every product, but lhsT only
    every other time, as the profile's 1600 transfers say; `hoist`: lhsT once a row of tiles; `block_free`: 2 x 2 blocks
    of tiles. Descriptors as in `blocked`."""
    k = Kernel("trn2", dge=True)
    lhs, rhs, out = (k.tensor(n, (2048, 2048)) for n in ("lhsT", "rhs", "out"))

    rights, results = cycle([k.sbuf(1024) for _ in range(3)]), cycle([k.sbuf(512) for _ in range(4)])
    products = cycle([k.psum(512) for _ in range(8)])

    def finish(m: At, n: At, product: View) -> None:
        result = next(results)
        drain(k, result, product)
        k.dma(out.box(m * 128, 128, n * 512, 512), result, by="scalar")

    if step == "block_free":
        with k.loop(8) as m:
            left = [k.sbuf(256, depth=2) for _ in range(16)]
            for i, tile in enumerate(left):
                k.dma(tile, lhs.box(i * 128, 128, m * 256, 256))
            for n in range(2):
                four = list(islice(products, 4))
                for i in range(16):
                    right = next(rights)
                    k.dma(right, rhs.box(i * 128, 128, n * 1024, 1024))
                    for j, product in enumerate(four):
                        k.matmul(product, left[i].cols(j % 2 * 128, 128), right.cols(j // 2 * 512, 512), i)
                for j, product in enumerate(four):
                    finish(m * 2 + j % 2, n * 2 + j // 2, product)
        return profile(k)
    with k.loop(16) as m:
        left = [k.sbuf(128, depth=2) for _ in range(32)]
        for n in range(4):
            product = next(products)
            for i in range(16):
                right, stationary = next(rights).cols(0, 512), left[i + (n // 2 * 16 if step == "tiled" else 0)]
                if n == 0 or (step == "tiled" and n == 2):
                    k.dma(stationary, lhs.box(i * 128, 128, m * 128, 128))
                k.dma(right, rhs.box(i * 128, 128, n * 512, 512))
                k.matmul(product, stationary, right, i)
            finish(m, n, product)
    return profile(k)


def steps() -> Figures:
    runs = [*(ladder(step).total for step in ("tiled", "hoist", "block_free")), blocked(16, 2, 8).total]
    return {"us": tuple(runs)}


CASES = {
    "MM-AT-DB": double_buffers,
    "MM-NB-TMM": transposed,
    "MM-NB-BMM": short_contraction,
    "MM-SK-2K": block_sizes,
    "MM-SK-LAD": steps,
}
