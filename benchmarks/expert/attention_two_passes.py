"""Flash attention that finds each query's maximum first: scores are computed twice, nothing is ever rescaled.

The first pass has queries on the partitions and only keeps maxima. The second has keys there: minus the maximum is
added to the scores by a product with K = 1, exp of them is at once the operand of the product with V, and the sums are
products with ones. No probabilities are transposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine_builder import Kernel, View
from expert.attention import BANK, BF16, HEAD, SCALE, TILE, TURNED, Turn, as_bf16, head, load_tiles

QUERIES = 512
"""Of a block: four tiles, or a bank of scores with the keys on the partitions."""
TILES = QUERIES // TILE
MASKED = -30_000.0
SLOTS = 4
"""Steps whose probabilities are there at once; their product with V comes two steps behind."""


@dataclass(frozen=True)
class Keys:
    """A tile of keys for the queries of a block, from column `first` on; `diagonal`: masked there."""

    tile: int
    first: int = 0
    diagonal: bool = False


@dataclass(frozen=True)
class Step:
    """Two tiles of keys for a block of queries."""

    number: int
    block: int
    keys: tuple[Keys, Keys]
    last: bool


@dataclass(frozen=True)
class Unit:
    """Of the first pass: a bank of keys for one tile of queries."""

    block: int
    tile: int
    bank: int


class _TwoPasses:
    def __init__(self, target: str, tokens: int, causal: bool):
        self.k = k = Kernel(target)
        self.causal, self.tiles = causal, tokens // TILE
        # Blocks whose maxima the prologue finds, and steps by which the first pass is ahead of a block's last one.
        self.found, self.ahead = (2, 0) if causal else (1, 1)
        self.blocks = self.banks = tokens // BANK
        self.q, self.keys, self.v, self.out = head(k, tokens, "q", "k", "v", "out")
        self.q_turned, self.k_turned, self.values, self.raw_q, self.raw_k = (k.sbuf(tokens, BF16) for _ in range(5))
        self.ones = k.sbuf(TILE, BF16)
        k.op("memset", "gpsimd", dst=self.ones, value=1.0)
        self.identity, self.mask_by_key, self.mask_by_query = (k.sbuf(TILE, BF16) for _ in range(3))
        if causal:
            self.make_masks()
        self.p = k.sbuf(SLOTS * 2 * BANK, BF16)
        self.maxima, self.negated = k.sbuf(2 * TILES * self.banks), k.sbuf(2 * TILES, BF16)
        self.row = k.sbuf(2 * QUERIES, BF16, partitions=1)
        self.inverse, self.copied, self.result = k.sbuf(2 * TILES), k.sbuf(2 * BANK), k.sbuf(2 * BANK, BF16)
        self.first_pass, self.scores = k.psum(2 * BANK), k.psum(4 * BANK)
        self.product, self.sums = k.psum(BANK), k.psum(BANK)
        self.turn, self.late_turn = Turn(k, as_bf16(self.scores), 4), Turn(k, as_bf16(self.first_pass), 2, ["vector"])
        self.units = 0
        self.steps = list(self.all_steps())

    def make_masks(self) -> None:
        """Added to scores by a product with the identity, [keys, queries] and [queries, keys]."""
        zeros = self.k.sbuf(TILE, BF16)
        self.k.op("memset", "gpsimd", dst=zeros, value=0.0)
        for dst, src, step, multiplier, compare, otherwise in (
            (self.identity, self.ones, 1, -1, "equal", 0.0),
            (self.mask_by_key, zeros, 1, -1, "greater_equal", MASKED),
            (self.mask_by_query, zeros, -1, 1, "greater_equal", MASKED),
        ):
            self.k.op(
                "affine_select",
                dst=dst,
                on_true_tile=src,
                on_false_value=otherwise,
                pattern=(step, TILE),
                offset=0,
                channel_multiplier=multiplier,
                cmp_op=compare,
            )

    def all_steps(self) -> Iterator[Step]:
        number = 0
        for block in range(self.blocks):
            count = TILES * (block + 1) if self.causal else self.tiles
            for tile in range(0, count, 2):
                first, second = self.keys_of(block, tile), self.keys_of(block, tile + 1)
                yield Step(number, block, (first, second), tile + 2 == count)
                number += 1

    def keys_of(self, block: int, tile: int) -> Keys:
        within = tile - TILES * block
        return Keys(tile, within * TILE, True) if self.causal and within >= 0 else Keys(tile)

    # The first pass.

    def units_of(self, block: int) -> list[Unit]:
        banks = block + 1 if self.causal else self.banks
        return [Unit(block, tile, bank) for tile in range(TILES) for bank in range(banks)]

    def unit(self, unit: Unit, bank: View | None = None) -> None:
        if bank is None:
            bank = self.first_pass.cols(self.units % 2 * BANK, BANK)
        self.units += 1
        diagonal = self.causal and unit.bank == unit.block
        width = TILE * (unit.tile + 1) if diagonal else BANK
        scores, q = bank.cols(0, width) if diagonal else bank, unit.block * QUERIES + unit.tile * TILE
        self.k.matmul(scores, self.q_turned.cols(q, TILE), self.k_turned.cols(unit.bank * BANK, width))
        if diagonal:
            self.k.matmul(bank.cols(width - TILE, TILE), self.identity, self.mask_by_query, 1)
        at = (unit.block % 2 * TILES + unit.tile) * self.banks + unit.bank
        self.k.op("tensor_reduce", op="maximum", axes=1, dst=self.maxima.cols(at, 1), data=scores)

    def negate_maxima(self, block: int) -> None:
        count, slot = block + 1 if self.causal else self.banks, block % 2
        data = self.maxima.at(slot * TILES * self.banks, (self.banks, TILES), (1, count))
        dst = self.negated.cols(slot * TILES, TILES)
        self.k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=dst, data=data)

    def maxima_to_row(self, block: int) -> None:
        """From a column for each tile of queries to one row, in the bank of the sums behind these."""
        row, slot = as_bf16(self.sums, partitions=1), block % 2
        for tile in range(TILES):
            data = self.negated.cols(slot * TILES + tile, 1)
            self.k.op("nc_transpose", "tensor", dst=row.at(QUERIES + tile * TILE, (1, TILE)), data=data)
        self.k.op(
            "tensor_copy", "vector", dst=self.row.cols(slot * QUERIES, QUERIES), src=row.at(QUERIES, (1, QUERIES))
        )

    # The second pass.

    def subtracted(self, step: Step, half: int) -> None:
        """Scores minus the maximum."""
        keys, width = step.keys[half], QUERIES - step.keys[half].first
        at = step.number % 2 * 2 * BANK + half * BANK + keys.first
        bank, k_tile = self.scores.cols(at, width), self.k_turned.cols(keys.tile * TILE, TILE)
        self.k.matmul(bank, k_tile, self.q_turned.cols(step.block * QUERIES + keys.first, width))
        row = self.row.cols(step.block % 2 * QUERIES + keys.first, width)
        self.k.matmul(bank, self.ones.rows(0, 1), row, 1)
        if keys.diagonal:
            self.k.matmul(self.scores.cols(at, TILE), self.identity, self.mask_by_key, 1)

    def exponentials(self, step: Step) -> None:
        """Of both tiles at once where they lie side by side."""
        first, second = (keys.first for keys in step.keys)
        parts = [(first, BANK - first), (BANK + second, BANK - second)]
        if not first and not second:
            parts = [(0, 2 * BANK)]
        for at, width in parts:
            dst = self.p.cols(step.number % SLOTS * 2 * BANK + at, width)
            data = self.scores.cols(step.number % 2 * 2 * BANK + at, width)
            self.k.op("activation", op="exp", dst=dst, data=data, scale=SCALE)

    def multiply(self, step: Step, half: int) -> None:
        """The product with V, and the sums, a column for each tile of queries."""
        keys, accumulate = step.keys[half], min(step.keys[half].tile, 1)
        at = step.number % SLOTS * 2 * BANK + half * BANK
        values, p = self.values.cols(keys.tile * TILE, TILE), self.p.cols(at + keys.first, QUERIES - keys.first)
        self.k.matmul(self.product.cols(keys.first, QUERIES - keys.first), values, p, accumulate)
        for tile in range(keys.first // TILE, TILES):
            p = self.p.cols(at + tile * TILE, TILE)
            self.k.matmul(self.sums.cols(tile, 1), p, self.ones.cols(0, 1), accumulate)

    def take(self, block: int) -> None:
        """The product [head, queries] and the inverse of the sums, out of PSUM."""
        slot = block % 2
        self.k.op("tensor_copy", "vector", dst=self.copied.cols(slot * BANK, BANK), src=self.product)
        self.k.op("reciprocal", dst=self.inverse.cols(slot * TILES, TILES), data=self.sums.cols(0, TILES))

    def finish(self, block: int) -> None:
        """Transposed in the product's own bank, scaled on the way out, stored."""
        k, slot = self.k, block % 2
        parts = [self.product.cols(tile * TILE, TILE) for tile in range(TILES)]
        for tile, part in enumerate(parts):
            k.op("nc_transpose", "tensor", dst=part, data=self.copied.cols(slot * BANK + tile * TILE, TILE))
        for tile, part in enumerate(parts):
            dst, scale = self.result.cols(slot * BANK + tile * TILE, TILE), self.inverse.cols(slot * TILES + tile, 1)
            k.op("activation", op="copy", dst=dst, data=part, scale=scale)
        dst = self.out.at(block * QUERIES * HEAD, (HEAD, TILE), (TILE * HEAD, TILES), (1, HEAD))
        k.dma(dst, self.result.at(slot * BANK, (TILE, TILES), (1, TILE)), by="gpsimd", queue=1)

    # Both.

    def prologue(self) -> int:
        """Loads and turns what the first blocks need and finds their maxima, in six banks; how many tiles it turned."""
        six = [self.first_pass.cols(i * BANK, BANK) for i in range(2)] + [
            self.scores.cols(i * BANK, BANK) for i in range(4)
        ]
        if self.causal:
            return self.causal_prologue(six)
        load_tiles(self.k, self.raw_q, self.q, 0, TILES)
        for first in range(0, self.tiles, TURNED):
            load_tiles(self.k, self.raw_k, self.keys, first, TURNED)
        load_tiles(self.k, self.raw_q, self.q, TILES, self.tiles - TILES)
        load_tiles(self.k, self.values, self.v, 0, self.tiles)
        self.turn(self.q_turned, self.raw_q, 0, TILES)
        for first in range(0, self.tiles, TURNED):
            self.turn(self.k_turned, self.raw_k, first, TURNED)
        self.first_units(0, six)
        for first in range(TILES, self.tiles, TURNED):
            self.turn(self.q_turned, self.raw_q, first, min(TURNED, self.tiles - first))
        return self.tiles

    def causal_prologue(self, six: list[View]) -> int:
        k, tiles = self.k, self.tiles
        for first in (0, TILES):
            load_tiles(k, self.raw_q, self.q, first, TILES)
            load_tiles(k, self.raw_k, self.keys, first, TILES)
            if not first:
                load_tiles(k, self.values, self.v, 0, TILES)
        for first in range(TURNED, tiles, TURNED):
            load_tiles(k, self.raw_k, self.keys, first, TURNED)
            load_tiles(k, self.raw_q, self.q, first, TURNED)
            load_tiles(k, self.values, self.v, first - TILES, TURNED)
        load_tiles(k, self.values, self.v, tiles - TILES, TILES)
        for block, banks in enumerate((six, six[:2])):
            self.turn(self.q_turned, self.raw_q, block * TILES, TILES)
            self.turn(self.k_turned, self.raw_k, block * TILES, TILES)
            self.first_units(block, banks)
        return 2 * TILES

    def first_units(self, block: int, banks: list[View]) -> None:
        for i, unit in enumerate(self.units_of(block)):
            self.unit(unit, banks[i % len(banks)])
        self.negate_maxima(block)
        if block == 0:
            self.maxima_to_row(block)

    def units_by_step(self) -> list[list[Unit]]:
        """Which units of the first pass are done in which step: causal, those of the next block, evenly, but for its
        last step; else two in each step, and twice as many in the first two, which are two steps ahead from then on."""
        found: list[list[Unit]] = [[] for _ in self.steps]
        if not self.causal:
            waiting = [unit for block in range(1, self.blocks) for unit in self.units_of(block)]
            for step in self.steps:
                count = 4 if step.number < 2 else 2
                found[step.number], waiting = waiting[:count], waiting[count:]
            return found
        for block in range(1, self.blocks - 1):
            numbers = [step.number for step in self.steps if step.block == block]
            units, spread = self.units_of(block + 1), len(numbers) - 2
            ends = [min(len(units), (len(units) * (s + 1) + spread - 1) // spread) for s in range(len(numbers))]
            for number, start, end in zip(numbers, [0, *ends], ends, strict=False):
                found[number] = units[start:end]
        return found

    def step(self, step: Step, units: list[Unit], old: Step | None, finished: int | None) -> None:
        """The second pass for a step and for an `old` one its product, with some of the first pass in between."""
        waiting: list[Callable[[], None]] = [lambda unit=unit: self.unit(unit) for unit in units]

        def one() -> None:
            if waiting:
                waiting.pop(0)()

        self.subtracted(step, 0)
        one()
        self.subtracted(step, 1)
        if self.causal:
            one()
        if finished is not None:
            self.finish(finished)
        if old is not None:
            self.multiply(old, 0)
        if not self.causal:
            one()
        self.exponentials(step)
        one()
        if old is not None:
            self.multiply(old, 1)
        while waiting:
            one()

    def build(self) -> Kernel:
        turned, units = self.prologue(), self.units_by_step()
        behind: list[Step] = []
        finished: int | None = None
        for step in self.steps:
            old = behind.pop(0) if len(behind) == 2 else None
            following, left = step.block + 1, self.left_in_block(step)
            self.step(step, units[step.number], old, finished if old else None)
            if old is not None:
                finished = None
                if old.last:
                    self.take(old.block)
                    finished = old.block
            behind.append(step)
            if following < self.blocks:
                if left == self.ahead + 1 and following >= self.found:
                    self.negate_maxima(following)
                if left == self.ahead:
                    self.maxima_to_row(following)
            if step.last and turned < self.tiles:
                self.late_turns(turned)
                turned += TILES
        for old in behind:
            if finished is not None:
                self.finish(finished)
                finished = None
            self.multiply(old, 0)
            self.multiply(old, 1)
            if old.last:
                self.take(old.block)
                self.finish(old.block)
        return self.k

    def left_in_block(self, step: Step) -> int:
        return sum(other.block == step.block for other in self.steps[step.number + 1 :])

    def late_turns(self, first: int) -> None:
        """Of the block after the next, through the banks of the first pass."""
        self.late_turn(self.q_turned, self.raw_q, first, TILES)
        self.late_turn(self.k_turned, self.raw_k, first, TILES)


def attention_two_passes(target: str, tokens: int, causal: bool = False) -> Kernel:
    """A multiple of 1,024 tokens."""
    return _TwoPasses(target, tokens, causal).build()
