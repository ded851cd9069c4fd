"""Products of many small matrices."""

from __future__ import annotations

from engine_builder import At, Kernel

BF16, TILE, BANK = "bfloat16", 128, 512
HALF = 64
"""K of each product: two fill the partitions."""


class _Batched:
    """Two matrices at a time, one on the lower and one on the upper partitions, so that one transpose turns a tile of
    both. A partition has rows that follow one another, one of each tile, which are moved as one. Results leave PSUM by
    Scalar, two banks in one instruction, and SBUF in one transfer. Skewed: the transposes of a pair come before the
    products of the one before."""

    def __init__(self, target: str, batch: int, m: int, n: int):
        self.k = k = Kernel(target)
        self.m, self.n, self.pairs, self.tiles = m, n, batch // 2, m // TILE
        self.a, self.b = k.tensor("a", (batch, m, HALF), BF16), k.tensor("b", (batch, HALF, n), BF16)
        self.out = k.tensor("out", (batch, m, n), BF16)
        self.turned, self.in_psum = k.sbuf(2 * m, BF16), k.psum(2 * m, BF16)
        self.banks = [k.psum(2 * BANK) for _ in range(3)]

    def transposes(self, pair: At) -> None:
        k, slot = self.k, pair % 2 * self.m
        raw = k.sbuf(self.m, BF16, depth=3)
        run = self.tiles * HALF
        k.dma(raw, self.a.at(pair * (2 * self.m * HALF), (run, TILE), (self.m * HALF, 2), (1, run)))
        for tile in range(self.tiles):
            dst = self.in_psum.cols(slot + tile * TILE, TILE)
            k.op("nc_transpose", "tensor", dst=dst, data=raw.at(tile * HALF, (run, 2), (1, HALF)))
        k.op("tensor_copy", "vector", dst=self.turned.cols(slot, self.m), src=self.in_psum.cols(slot, self.m))

    def products(self, pair: At) -> None:
        k, n, slot = self.k, self.n, pair % 2 * self.m
        right, result = k.sbuf(n, BF16, depth=3), k.sbuf(2 * self.tiles * n, BF16, depth=3)
        k.dma(right, self.b.box(pair * TILE, TILE, 0, n), queue=1)
        for number in range(self.tiles):
            bank = self.banks[number % len(self.banks)]
            for half in range(2):
                which, tile = divmod(2 * number + half, self.tiles)
                left = self.turned.cols(slot + tile * TILE, TILE).rows(which * HALF, HALF)
                k.matmul(bank.cols(half * BANK, BANK), left, right.rows(which * HALF, HALF))
            k.op("activation", op="copy", dst=result.cols(number * 2 * BANK, 2 * BANK), data=bank)
        run = self.tiles * n
        dst = self.out.at(pair * (2 * self.m * n), (run, TILE), (self.m * n, 2), (1, run))
        k.dma(dst, result.at(0, (run, 2), (1, run)), by="gpsimd")

    def build(self) -> Kernel:
        self.transposes(0)
        with self.k.loop(self.pairs - 1) as i:
            self.transposes(i + 1)
            self.products(i)
        self.products(self.pairs - 1)
        return self.k


def batched_matmul(target: str, batch: int, m: int, n: int, k_size: int) -> Kernel:
    """bf16, K = 64 and rows of one bank. Bound by DMA, and nearly by the way out of PSUM."""
    assert (n, k_size) == (BANK, HALF)
    return _Batched(target, batch, m, n).build()
