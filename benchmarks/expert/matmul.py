"""Products of bf16 matrices: everything stays in SBUF, and the Tensor engine never waits but for the first loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine_builder import Kernel, View

BF16, TILE, BANK, BANKS = "bfloat16", 128, 512, 8


@dataclass
class Rings:
    """Loads dealt to queues of the Sync engine by bytes, in the order in which they are needed."""

    k: Kernel
    loads: list[int] = field(default_factory=lambda: [0, 0])

    def load(self, size: int, start: Callable[[int], None]) -> None:
        queue = self.loads.index(min(self.loads))
        self.loads[queue] += size
        start(queue)


@dataclass
class Results:
    """Buffers in rotation on the way from PSUM to HBM: Vector and Scalar evict in turn, three rings store in turn."""

    k: Kernel
    buffers: list[View]
    function: str | None = None
    count: int = 0

    @staticmethod
    def of(k: Kernel, count: int, function: str | None = None) -> Results:
        return Results(k, [k.sbuf(BANK, BF16) for _ in range(count)], function)

    def evict(
        self, bank: View, store: Callable[[int, int, View, int], None], last: bool, scale: View | None = None
    ) -> None:
        """One bank, times a column if asked. The last of all goes in two halves, both engines at once; `store` takes
        first column, columns, the buffer's part, and a queue."""
        pieces = 2 if last else 1
        buffer, width = self.buffers[self.count % len(self.buffers)], BANK // pieces
        for piece in range(pieces):
            at, turn = piece * width, self.count + piece
            part = buffer.cols(at, width)
            copy(self.k, part, bank.cols(at, width), turn, self.function, scale)
            store(at, width, part, turn % 3)
        self.count += 1


def copy(k: Kernel, dst: View, src: View, turn: int, function: str | None = None, scale: View | None = None) -> None:
    """From PSUM, by Vector and Scalar in turn, times a column if asked; a function is Scalar's."""
    if function is not None or turn % 2:
        k.op("activation", op=function or "copy", dst=dst, data=src, scale=scale)
    elif scale is not None:
        k.op("tensor_scalar", "vector", op0="multiply", dst=dst, data=src, operand0=scale)
    else:
        k.op("tensor_copy", "vector", dst=dst, src=src)


def blocks(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Column by column, every other one upwards, so that two neighbours always share an operand."""
    for n in range(columns):
        for m in range(rows) if n % 2 == 0 else reversed(range(rows)):
            yield m, n


def matmul(target: str, m: int, n: int, k_size: int, row_major: bool = False) -> Kernel:
    """out = a b, where `a` is [k, m] or, `row_major`, [m, k] and transposed by DMA on its way in.

    Blocks of 4 x 2 tiles cover the 8 banks of PSUM, k outermost: in the first block each pair of loads brings 8
    products, so that the array runs at the rate of the loads. Later blocks run their last 4 steps of k tile by tile,
    which spreads the evictions out. Bound by Tensor."""
    k, steps = Kernel(target), k_size // TILE
    a = k.tensor("a", (m, k_size) if row_major else (k_size, m), BF16)
    b, out = k.tensor("b", (k_size, n), BF16), k.tensor("out", (m, n), BF16)
    left, right = k.sbuf(steps * m, BF16), k.sbuf(steps * n, BF16)
    banks, results = [k.psum(BANK) for _ in range(BANKS)], Results.of(k, 16)
    height, width = 4 * TILE, 2 * BANK
    order = list(blocks(m // height, n // width))

    rings = Rings(k)

    def load_left(step: int, block: int) -> None:
        dst, row, column = left.cols(step * m + block * height, height), step * TILE, block * height
        if row_major:
            src = a.box(column, height, row, TILE)
            rings.load(height, lambda queue: k.op("dma_transpose", "sync", dst=dst, src=src, queue=queue))
        else:
            rings.load(height, lambda queue: k.dma(dst, a.box(row, TILE, column, height), queue=queue))

    def load_right(step: int, block: int, pieces: int) -> None:
        def start(queue: int) -> None:
            for piece in range(pieces):
                part, at = width // pieces, block * width + piece * width // pieces
                k.dma(right.cols(step * n + at, part), b.box(step * TILE, TILE, at, part), queue=queue)

        rings.load(width, start)

    seen: set[tuple[str, int]] = set()
    for row, column in order:
        fresh = {key for key in (("a", row), ("b", column)) if key not in seen}
        seen |= fresh
        for step in range(steps):
            if ("a", row) in fresh:
                load_left(step, row)
            if ("b", column) in fresh:
                load_right(step, column, 2 if not step and (row, column) == order[0] else 1)

    tiles = [(i, j) for j in range(2) for i in range(4)]
    for number, (row, column) in enumerate(order):

        def multiply(step: int, tile: int, row: int = row, column: int = column) -> None:
            i, j = tiles[tile]
            stationary = left.cols(step * m + row * height + i * TILE, TILE)
            k.matmul(banks[tile], stationary, right.cols(step * n + column * width + j * BANK, BANK), min(step, 1))

        alone = steps - (1 if number == 0 else min(4, steps))
        for step in range(alone):
            for tile in range(BANKS):
                multiply(step, tile)
        for tile, (i, j) in enumerate(tiles):
            for step in range(alone, steps):
                multiply(step, tile)
            to_row, to_column = row * height + i * TILE, column * width + j * BANK

            def store(at: int, columns: int, part: View, queue: int, r: int = to_row, c: int = to_column) -> None:
                k.dma(out.box(r, TILE, c + at, columns), part, by="gpsimd", queue=queue)

            results.evict(banks[tile], store, last=number == len(order) - 1 and tile == BANKS - 1)
    return k
