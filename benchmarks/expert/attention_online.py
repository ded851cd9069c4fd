"""Flash attention in its online form: what a good compiler makes of the tutorial's kernel without changing its sums."""

from __future__ import annotations

from dataclasses import dataclass

from engine_builder import At, Kernel, View
from expert.attention import BANK, BF16, HEAD, SCALE, TILE, TURNED, Turn, head, load_tiles

from nki_mlir.targets import load

KEYS = 1024
"""Of a block: wide, so that rescaling is rare."""


@dataclass(frozen=True)
class Step:
    """A block of keys for a tile of queries. Of blocks, two slots are under way; of tiles, too."""

    tile: At
    block: int

    @property
    def slot(self) -> int:
        return self.block % 2


class _Online:
    """Queries on the partitions. Skewed by one step: Scalar has the exponentials of the next block while Tensor
    transposes the probabilities of this one and multiplies them with V. What a product leaves in PSUM is rescaled and
    added by one scalar_tensor_tensor.

    Where Vector and Scalar share a port to PSUM, Scalar copies all transposed probabilities, and the exponentials come
    behind that copy; where each has its own, Vector copies half, and the exponentials come first."""

    def __init__(self, target: str, tokens: int):
        self.k = k = Kernel(target)
        self.tiles, self.blocks = tokens // TILE, tokens // KEYS
        self.shared_port = bool(load(target).ports.psum_exclusive)
        self.vector_copies = 0 if self.shared_port else KEYS // 2
        self.q, self.keys, self.v, self.out = head(k, tokens, "q", "k", "v", "out")
        self.q_turned, self.k_turned, self.values, self.raw_q, self.raw_k = (k.sbuf(tokens, BF16) for _ in range(5))
        self.in_psum, self.turned = k.psum(2 * KEYS), k.psum(2 * KEYS, BF16)
        self.context = k.psum(2 * BANK)
        self.turn = Turn(k, self.turned, 2)
        self.p, self.p_turned = k.sbuf(2 * KEYS, BF16), k.sbuf(2 * KEYS, BF16)
        self.lowest, self.bias = k.sbuf(2), k.sbuf(2)
        self.alpha, self.sums = k.sbuf(self.blocks), k.sbuf(self.blocks)
        self.total, self.acc, self.inverse = k.sbuf(2), k.sbuf(2 * HEAD), k.sbuf(2)
        self.result = k.sbuf(2 * HEAD, BF16)

    def scores(self, s: Step) -> None:
        q = self.q_turned.cols(s.tile * TILE, TILE)
        for half in range(KEYS // BANK):
            dst = self.in_psum.cols(s.slot * KEYS + half * BANK, BANK)
            self.k.matmul(dst, q, self.k_turned.cols(s.block * KEYS + half * BANK, BANK))

    def block_maximum(self, s: Step) -> None:
        """Negated, as all maxima here: the bias of the exponential."""
        dst, data = (self.bias if s.block else self.lowest).cols(s.slot, 1), self.in_psum.cols(s.slot * KEYS, KEYS)
        self.k.op("tensor_reduce", op="maximum", axes=1, negate=True, dst=dst, data=data)

    def maxima(self, s: Step) -> tuple[View, View, View]:
        """That of all blocks so far, that of the blocks before, and the block's own, whose place the bias takes."""
        return self.lowest.cols(s.slot, 1), self.lowest.cols(1 - s.slot, 1), self.bias.cols(s.slot, 1)

    def running_maximum(self, s: Step) -> None:
        if s.block:
            new, old, own = self.maxima(s)
            self.k.op("tensor_scalar", "vector", op0="minimum", dst=new, data=own, operand0=old)

    def exponentials(self, s: Step) -> None:
        """And their sums, and the factor by which what was before is rescaled."""
        k, (new, old, bias) = self.k, self.maxima(s)
        k.op("tensor_scalar", "vector", op0="multiply", dst=bias, data=new, operand0=SCALE)
        if s.block:
            k.op("activation", op="exp", dst=self.alpha.cols(s.block, 1), data=old, scale=-SCALE, bias=bias)
        dst, data = (x.cols(s.slot * KEYS, KEYS) for x in (self.p, self.in_psum))
        total = self.sums.cols(s.block, 1)
        k.op("activation_reduce", op="exp", dst=dst, data=data, bias=bias, scale=SCALE, reduce_res=total)

    def transposes(self, s: Step) -> None:
        for i in range(KEYS // TILE):
            at = s.slot * KEYS + i * TILE
            self.k.op("nc_transpose", "tensor", dst=self.turned.cols(at, TILE), data=self.p.cols(at, TILE))

    def vector_copy(self, s: Step) -> None:
        if self.vector_copies:
            dst, src = (x.cols(s.slot * KEYS, self.vector_copies) for x in (self.p_turned, self.turned))
            self.k.op("tensor_copy", "vector", dst=dst, src=src)

    def scalar_copy(self, s: Step) -> None:
        first, count = s.slot * KEYS + self.vector_copies, KEYS - self.vector_copies
        dst, data = (x.cols(first, count) for x in (self.p_turned, self.turned))
        self.k.op("activation", op="copy", dst=dst, data=data)

    def multiply(self, s: Step) -> None:
        count = KEYS // TILE
        for i in range(count):
            p = self.p_turned.cols(s.slot * KEYS + i * TILE, TILE)
            self.k.matmul(
                self.context.cols(s.slot * BANK, HEAD), p, self.values.cols((s.block * count + i) * HEAD, HEAD), i
            )

    def update(self, s: Step) -> None:
        """The accumulator and the sum; behind the last block, the result."""
        k, slot = self.k, s.tile % 2
        acc, total = self.acc.cols(slot * HEAD, HEAD), self.total.cols(slot, 1)
        for dst, new in ((total, self.sums.cols(s.block, 1)), (acc, self.context.cols(s.slot * BANK, HEAD))):
            if s.block:
                factor = self.alpha.cols(s.block, 1)
                ops = {"op0": "multiply", "operand0": factor, "op1": "add", "operand1": new}
                k.op("scalar_tensor_tensor", dst=dst, data=dst, **ops)
            else:
                k.op("tensor_copy", "vector", dst=dst, src=new)
        if s.block == self.blocks - 1:
            result, inverse = self.result.cols(slot * HEAD, HEAD), self.inverse.cols(slot, 1)
            k.op("reciprocal", dst=inverse, data=total)
            k.op("tensor_scalar", "vector", op0="multiply", dst=result, data=acc, operand0=inverse)
            k.dma(self.out.box(s.tile * TILE, TILE, 0, HEAD), result, by="gpsimd")

    def step(self, this: Step, before: Step | None, following: Step | None, after: Step | None) -> None:
        """The end of a step, with the beginning of the next one and the scores of the one after."""
        if following is not None:
            self.block_maximum(following)
            if not self.shared_port:
                self.running_maximum(following)
                self.exponentials(following)
        self.transposes(this)
        self.vector_copy(this)
        if following is not None and self.shared_port:
            self.running_maximum(following)
        self.scalar_copy(this)
        if before is not None:
            self.update(before)
        if following is not None and self.shared_port:
            self.exponentials(following)
        if after is not None:
            self.scores(after)
        self.multiply(this)

    def tile(self, tile: At, first: bool = False, last: bool = False) -> None:
        def at(block: int) -> Step | None:
            """A step of this tile, or of those beside it, counted from its first block."""
            if block < 0:
                return None if first else Step(tile + -1, block + self.blocks)
            if block < self.blocks:
                return Step(tile, block)
            return None if last else Step(tile + 1, block - self.blocks)

        for block in range(self.blocks):
            self.step(Step(tile, block), at(block - 1), at(block + 1), at(block + 2))

    def prologue(self) -> None:
        """The first scores need one tile of queries and the first keys; the other queries are turned behind them."""
        k = self.k
        load_tiles(k, self.raw_q, self.q, 0, 1)
        for dst, tensor in ((self.raw_k, self.keys), (self.values, self.v)):
            for first in range(0, self.tiles, TURNED):
                load_tiles(k, dst, tensor, first, TURNED)
        load_tiles(k, self.raw_q, self.q, 1, self.tiles - 1)
        self.turn(self.q_turned, self.raw_q, 0, 1)
        for first in range(0, self.tiles, TURNED):
            self.turn(self.k_turned, self.raw_k, first, TURNED)
        self.scores(Step(0, 0))
        self.block_maximum(Step(0, 0))
        self.exponentials(Step(0, 0))
        self.scores(Step(0, 1))
        self.turn(self.q_turned, self.raw_q, 1, TURNED - 1)
        for first in range(TURNED, self.tiles, TURNED):
            self.turn(self.q_turned, self.raw_q, first, TURNED)

    def build(self) -> Kernel:
        self.prologue()
        self.tile(0, first=True)
        with self.k.loop(self.tiles - 2) as i:
            self.tile(i + 1)
        self.tile(self.tiles - 1, last=True)
        self.update(Step(self.tiles - 1, self.blocks - 1))
        return self.k


def attention_online(target: str, tokens: int) -> Kernel:
    """Not causal; a multiple of 2,048 tokens."""
    return _Online(target, tokens).build()
