"""Products of bf16 matrices whose left operand is row-major: the Tensor engine transposes it between its products."""

from __future__ import annotations

from engine_builder import Kernel, View
from expert.matmul import BANK, BANKS, BF16, TILE, Results, Rings, copy

TRANSPOSE_BANKS = 2
TALLEST = BANKS - TRANSPOSE_BANKS
"""Tiles of a group: the first one has all of its products under way at once, one in each bank that is left."""
EARLY = 2
"""The column block of the first group during which the second group is loaded and transposed."""


class RowMajor:
    """Rows of `a` come in groups of up to six tiles. Of a group, one slice of 128 along k is transposed into one PSUM
    bank and copied to SBUF at once. The first group's first column block goes k outermost, a bank for each tile, so
    that products begin with the first loads; the transposes of a group are strewn among the products of the one
    before."""

    def __init__(self, target: str, m: int, n: int, k_size: int, gelu: bool):
        self.k = k = Kernel(target)
        self.m, self.n, self.k_size, self.steps, self.columns = m, n, k_size, k_size // TILE, n // BANK
        self.a, self.b = k.tensor("a", (m, k_size), BF16), k.tensor("b", (k_size, n), BF16)
        self.out = k.tensor("out", (m, n), BF16)
        tiles, count = m // TILE, -(-m // TILE // TALLEST)
        self.groups = [tiles // count + (g < tiles % count) for g in range(count)]
        self.base = [sum(self.groups[:g]) for g in range(count)]
        self.tallest = max(self.groups)
        self.raw = [k.sbuf(self.tallest * k_size, BF16) for _ in range(2)]
        self.turned = [k.sbuf(self.tallest * k_size, BF16) for _ in range(2)]
        self.right = k.sbuf(self.steps * n, BF16)
        self.turning = [k.psum(1024, BF16) for _ in range(TRANSPOSE_BANKS)]
        self.banks = [k.psum(BANK) for _ in range(TALLEST)]
        self.rings, self.results = Rings(k), Results.of(k, 12, "gelu_apprx_tanh" if gelu else None)
        self.turns, self.products, self.only_vector = 0, 0, gelu

    # Loads, in the order in which they are needed.

    def load_left(self, group: int, first: int, count: int) -> None:
        """Some k slices of all rows of a group, in one transfer."""
        height, width, k_size = self.groups[group], count * TILE, self.k_size
        dst = self.raw[group % 2].at(first * TILE, (k_size, height), (1, width))
        at = self.base[group] * TILE * k_size + first * TILE
        src = self.a.at(at, (k_size, TILE), (TILE * k_size, height), (1, width))
        self.rings.load(height * width, lambda queue: self.k.dma(dst, src, queue=queue))

    def load_left_in(self, group: int, parts: int) -> None:
        for part in range(parts):
            self.load_left(group, part * self.steps // parts, self.steps // parts)

    def load_right(self, step: int, column: int) -> None:
        dst = self.right.cols(step * self.n + column * BANK, BANK)
        src = self.b.box(step * TILE, TILE, column * BANK, BANK)
        self.rings.load(BANK, lambda queue: self.k.dma(dst, src, queue=queue))

    def load(self) -> None:
        for first, count in self.slices():
            self.load_left(0, first, count)
            for step in range(first, first + count):
                self.load_right(step, 0)
        for column in range(1, self.columns):
            for step in range(self.steps):
                self.load_right(step, column)
            if column == self.early and len(self.groups) > 1:
                self.load_left_in(1, 4)

    def slices(self) -> list[tuple[int, int]]:
        """First slice and count of the first group's loads: one, one, and then two at a time."""
        return [(0, 1), (1, 1), *((first, 2) for first in range(2, self.steps, 2))]

    @property
    def early(self) -> int:
        return min(EARLY, self.columns - 1)

    # Work of the Tensor engine.

    def transpose(self, group: int, step: int) -> None:
        bank, height = self.turning[self.turns % TRANSPOSE_BANKS], self.groups[group]
        for tile in range(height):
            data = self.raw[group % 2].cols(tile * self.k_size + step * TILE, TILE)
            self.k.op("nc_transpose", "tensor", dst=bank.cols(tile * TILE, TILE), data=data)
        dst = self.turned[group % 2].cols(step * self.tallest * TILE, TILE * height)
        turn, scale = 0 if self.only_vector else self.turns, self.slice_scale(step)
        copy(self.k, dst, bank.cols(0, TILE * height), turn, scale=scale)
        self.turns += 1

    def multiply(self, group: int, bank: View, tile: int, column: int, step: int) -> None:
        stationary = self.turned[group % 2].cols((step * self.tallest + tile) * TILE, TILE)
        self.k.matmul(bank, stationary, self.right.cols(step * self.n + column * BANK, BANK), min(step, 1))

    def evict(self, bank: View, row: int, column: int, last: bool = False) -> None:
        def store(at: int, columns: int, part: View, queue: int) -> None:
            dst = self.out.box(row * TILE, TILE, column * BANK + at, columns)
            self.k.dma(dst, part, by="gpsimd", queue=queue)

        self.results.evict(bank, store, last, self.row_scale(row))

    def slice_scale(self, step: int) -> View | None:
        """By what a transposed slice is multiplied, a column."""

    def row_scale(self, row: int) -> View | None:
        """By what results of a tile of rows are multiplied, a column."""

    def first_block(self) -> None:
        """Transposes stay one load ahead of the products."""
        slices = self.slices()
        self.transpose(0, 0)
        for (first, count), ahead in zip(slices, [*slices[1:], None], strict=True):
            for done in range(count):
                if ahead is not None:
                    for extra in range(done * ahead[1] // count, (done + 1) * ahead[1] // count):
                        self.transpose(0, ahead[0] + extra)
                for tile in range(self.groups[0]):
                    self.multiply(0, self.banks[tile], tile, 0, first + done)
        for tile in range(self.groups[0]):
            self.evict(self.banks[tile], tile, 0)
        self.products = self.groups[0]

    def transposes_at(self, group: int, column: int, step: int) -> bool:
        """Whether a slice of the next group is transposed behind this step of a tile's products."""
        if group:
            return step == self.steps // 2
        return column >= self.early and step in (self.steps // 4, 3 * self.steps // 4)

    def group(self, group: int) -> None:
        following = group + 1 < len(self.groups)
        waiting = list(range(self.steps)) if following else []
        if following and group:
            self.load_left_in(group + 1, 2)
        for column in range(1 if group == 0 else 0, self.columns):
            for tile in range(self.groups[group]):
                bank = self.banks[self.products % len(self.banks)]
                self.products += 1
                for step in range(self.steps):
                    self.multiply(group, bank, tile, column, step)
                    if waiting and self.transposes_at(group, column, step):
                        self.transpose(group + 1, waiting.pop(0))
                last = not following and column == self.columns - 1 and tile == self.groups[group] - 1
                self.evict(bank, self.base[group] + tile, column, last)
        for step in waiting:
            self.transpose(group + 1, step)

    def build(self) -> Kernel:
        self.load()
        self.first_block()
        for group in range(len(self.groups)):
            self.group(group)
        return self.k


def matmul_row_major(target: str, m: int, n: int, k_size: int, gelu: bool = False) -> Kernel:
    """out = a b with `a` [m, k], or the tanh-GELU of that, which Scalar computes on the way out of PSUM. Bound by
    Tensor."""
    return RowMajor(target, m, n, k_size, gelu).build()
