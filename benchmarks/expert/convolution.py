"""A causal convolution of each channel with its own few taps."""

from __future__ import annotations

from engine_builder import At, Kernel, View

BF16, TILE, BANK, BANKS = "bfloat16", 128, 512, 8


class _Convolution:
    """Channels on the partitions. Tensor multiplies with the taps on the diagonal of a tile, one product for each tap
    on the same row, shifted, summed in PSUM: on Vector, each tap but the first would cost two cycles an element. The
    diagonals of the next tile are made ahead."""

    def __init__(self, target: str, channels: int, length: int, taps: int):
        self.k = k = Kernel(target)
        self.tiles, self.length, self.taps = channels // TILE, length, taps
        self.x, self.out = (k.tensor(name, (channels, length), BF16) for name in ("x", "out"))
        self.weight = k.tensor("weight", (channels, taps), BF16)
        self.wide, self.identity = k.sbuf(self.tiles * taps), k.sbuf(TILE, BF16)
        self.diagonals = k.sbuf(2 * taps * TILE, BF16)
        self.banks = [k.psum(BANK) for _ in range(BANKS)]

    def prologue(self) -> None:
        k, taps = self.k, self.taps
        ones, rounded = k.sbuf(TILE, BF16), k.sbuf(self.tiles * taps, BF16)
        k.dma(rounded, self.weight.at(0, (taps, TILE), (TILE * taps, self.tiles), (1, taps)), by="scalar")
        k.op("tensor_copy", "vector", dst=self.wide, src=rounded)
        k.op("memset", "gpsimd", dst=ones, value=1.0)
        k.op(
            "affine_select",
            dst=self.identity,
            on_true_tile=ones,
            on_false_value=0.0,
            pattern=(1, TILE),
            offset=0,
            channel_multiplier=-1,
            cmp_op="equal",
        )
        self.make_diagonals(0)

    def diagonal(self, tile: At, tap: int) -> View:
        return self.diagonals.cols((tile % 2 * self.taps + tap) * TILE, TILE)

    def make_diagonals(self, tile: At) -> None:
        for tap in range(self.taps):
            dst, factor = self.diagonal(tile, tap), self.wide.cols(tile * self.taps + tap, 1)
            self.k.op("tensor_scalar", "vector", op0="multiply", dst=dst, data=self.identity, operand0=factor)

    def body(self, tile: At, more: bool = True) -> None:
        k, before = self.k, self.taps - 1
        row, result = k.sbuf(before + self.length, BF16, depth=3), k.sbuf(self.length, BF16, depth=3)
        k.op("memset", "gpsimd", dst=row.cols(0, before), value=0.0)
        k.dma(row.cols(before, self.length), self.x.box(tile * TILE, TILE, 0, self.length))
        if more:
            self.make_diagonals(tile + 1)
        for part in range(self.length // BANK):
            bank, at = self.banks[part % BANKS], part * BANK
            for tap in range(self.taps):
                k.matmul(bank, self.diagonal(tile, tap), row.cols(at + tap, BANK), tap)
            if part % 2:
                k.op("activation", op="copy", dst=result.cols(at, BANK), data=bank)
            else:
                k.op("tensor_copy", "vector", dst=result.cols(at, BANK), src=bank)
        k.dma(self.out.box(tile * TILE, TILE, 0, self.length), result, by="gpsimd")

    def build(self) -> Kernel:
        self.prologue()
        with self.k.loop(self.tiles - 1) as i:
            self.body(i)
        self.body(self.tiles - 1, more=False)
        return self.k


def causal_convolution(target: str, channels: int, length: int, taps: int) -> Kernel:
    """bf16. Bound by DMA."""
    return _Convolution(target, channels, length, taps).build()
