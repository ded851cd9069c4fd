"""Causal attention for long contexts, as attention_cte of the vendor's library has it (NKI Library, `nkilib`)."""

from __future__ import annotations

from typing import NamedTuple

from engine_builder import At, Kernel, View
from fidelity.measure import Profile, mfu, profile

BF16 = "bfloat16"
Q, K, LARGE = 128, 512, 2048
"""Queries of a group; keys of a tile, and of a large tile, whose products with v make one sum in PSUM."""
SECTION, LONG = 8192, 10240
"""Keys that are in SBUF at once, where there are more than `LONG` of them."""


TURNS = 6
"""Groups after which all buffers that take turns are the first ones again."""


class Group(NamedTuple):
    """The queries from `at * Q` on; `number` is that of the first group that a loop does at its place."""

    number: int
    at: At


class Attention:
    """One head of `width` columns, its queries in groups. While group i is multiplied with v, group i + 1 is
    exponentiated and turned (by DMA, in pieces of 512 keys), and group i + 2 multiplied with the keys, masked, and
    reduced to its maximum. Tiles of keys that lie behind a group's queries are left out; one that some of them lie
    before is masked by GpSimdE. Of more than one section, the sum so far goes to HBM and comes back. The order is that
    of the source: the authors had the compiler's scheduler off."""

    def __init__(self, length: int, width: int = 128):
        self.k, self.length, self.width = Kernel("trn2"), length, width
        self.section = SECTION if length > LONG else length
        k, groups = self.k, length // Q
        self.q, self.keys = (k.tensor(name, (width, length), BF16) for name in ("qT", "kT"))
        self.values, self.out = (k.tensor(name, (length, width), BF16) for name in ("v", "out"))
        self.kt, self.v = k.sbuf(self.section, BF16, width), k.sbuf(self.section // Q * width, BF16)
        self.queries = [k.sbuf(Q, BF16, width) for _ in range(3)]
        self.masked = [k.sbuf(self.section) for _ in range(2)]
        self.p, self.turned = k.sbuf(self.section, BF16), [k.sbuf(self.section, BF16) for _ in range(2)]
        self.whole, self.selected = ([k.sbuf(K) for _ in range(2)] for _ in range(2))
        tiles = self.section // K
        self.maxima, self.sums = [k.sbuf(tiles) for _ in range(3)], [k.sbuf(tiles) for _ in range(2)]
        self.lows, self.totals, self.inverses = (k.sbuf(groups) for _ in range(3))
        self.factors, self.found = [k.sbuf(1) for _ in range(3)], [k.sbuf(1) for _ in range(3)]
        self.contexts = [k.sbuf(width) for _ in range(2)]
        self.earlier, self.results = ([k.sbuf(width, BF16) for _ in range(2)] for _ in range(2))
        self.scores, self.products = [k.psum(K) for _ in range(4)], [k.psum(K) for _ in range(4)]

    def run(self) -> Profile:
        for start in range(0, self.length, self.section):
            self.run_section(start)
        return profile(self.k)

    def run_section(self, start: int) -> None:
        k, width, rows = self.k, self.width, self.section // Q
        k.dma(self.kt, self.keys.box(0, width, start, self.section))
        v = self.values.at(start * width, (width, Q), (Q * width, rows), (1, width))
        k.dma(self.v.at(0, (width, rows), (1, width)), v, by="scalar")
        first, last = start // Q, self.length // Q
        for number in range(first, first + 2):
            self.begin(Group(number, number), start)
            if number == first:
                self.exponentiate(Group(number, number), start)
        # From here on no group leaves a tile of this section out.
        whole = first + rows
        turns = max(0, last - 2 - whole) // TURNS
        for number in range(first, whole):
            self.step(Group(number, number), start, last)
        if turns:
            with k.loop(turns) as turn:
                for number in range(whole, whole + TURNS):
                    self.step(Group(number, turn * TURNS + number), start, last)
        for number in range(whole + turns * TURNS, last):
            self.step(Group(number, number), start, last)

    def begin(self, g: Group, start: int) -> None:
        self.load(g)
        for large in range(start, start + self.section, LARGE):
            self.score(g, large, start)
        self.find_maximum(g, start)

    def step(self, g: Group, start: int, last: int) -> None:
        """What happens to a group, and to the two behind it."""
        following, second = (Group(g.number + n, g.at + n) for n in (1, 2))
        if second.number < last:
            self.load(second)
        if following.number < last:
            self.exponentiate(following, start)
        for large in range(start, start + self.section, LARGE):
            self.weigh(g, large, start)
            if second.number < last:
                self.score(second, large, start)
        self.write(g, start)
        if second.number < last:
            self.find_maximum(second, start)

    def tiles(self, g: Group, start: int, stop: int, step: int) -> range:
        """The keys from `start` on that some query of a group is not before."""
        return range(start, min(stop, (g.number + 1) * Q), step)

    def load(self, g: Group) -> None:
        self.k.dma(self.queries[g.number % 3], self.q.box(0, self.width, g.at * Q, Q))

    def score(self, g: Group, large: int, start: int) -> None:
        k = self.k
        for at in self.tiles(g, large, large + LARGE, K):
            scores, slot = self.scores[at // K % 4], at // K % 2
            k.matmul(scores, self.queries[g.number % 3], self.kt.cols(at - start, K))
            data: View = scores
            if g.number * Q < at + K:
                k.op("tensor_copy", "vector", dst=self.whole[slot], src=scores)
                data = self.selected[slot]
                k.op(
                    "affine_select",
                    dst=data,
                    on_true_tile=self.whole[slot],
                    pattern=[-1, K],
                    offset=g.number * Q - at,
                    channel_multiplier=1,
                    cmp_op="greater_equal",
                    on_false_value=-3e38,
                )
            here, most = (
                self.masked[g.number % 2].cols(at - start, K),
                self.maxima[g.number % 3].cols((at - start) // K, 1),
            )
            k.op(
                "tensor_scalar_reduce",
                dst=here,
                data=data,
                op0="multiply",
                operand0=1.0,
                reduce_op="maximum",
                reduce_cmd="reset_reduce",
                reduce_res=most,
            )

    def find_maximum(self, g: Group, start: int) -> None:
        k, low, found = self.k, self.lows.cols(g.at, 1), self.found[g.number % 3]
        count = len(self.tiles(g, start, start + self.section, K))
        k.op(
            "tensor_reduce", op="maximum", axes=1, negate=True, dst=found, data=self.maxima[g.number % 3].cols(0, count)
        )
        if start == 0:
            k.op("tensor_copy", "vector", dst=low, src=found)
            return
        factor = self.factors[g.number % 3]
        k.op("activation", op="copy", dst=factor, data=low, scale=-1.0)
        k.op("tensor_tensor", "vector", op="minimum", dst=low, data1=low, data2=found)
        k.op("activation", op="exp", dst=factor, data=factor, bias=low)

    def exponentiate(self, g: Group, start: int) -> None:
        k, p, turned = self.k, self.p, self.turned[g.number % 2]
        for at in self.tiles(g, start, start + self.section, K):
            here = p.cols(at - start, K)
            total = self.sums[g.number % 2].cols((at - start) // K, 1)
            data, low = self.masked[g.number % 2].cols(at - start, K), self.lows.cols(g.at, 1)
            k.op("activation_reduce", op="exp", dst=here, data=data, bias=low, reduce_res=total)
            blocks = ((Q, K // Q), (1, Q))
            k.op("dma_transpose", "sync", dst=turned.at(at - start, *blocks), src=p.at(at - start, *blocks), queue=1)

    def weigh(self, g: Group, large: int, start: int) -> None:
        k, product, context = self.k, self.products[large // LARGE % 4].cols(0, self.width), self.contexts[g.number % 2]
        tiles = self.tiles(g, large, large + LARGE, Q)
        for i, at in enumerate(tiles):
            k.matmul(
                product,
                self.turned[g.number % 2].cols(at - start, Q),
                self.v.cols((at - start) // Q * self.width, self.width),
                i,
            )
        if tiles and large == start:
            k.op("tensor_copy", "vector", dst=context, src=product)
        elif tiles:
            k.op("tensor_tensor", "vector", op="add", dst=context, data1=context, data2=product)

    def write(self, g: Group, start: int) -> None:
        k, context, total = self.k, self.contexts[g.number % 2], self.totals.cols(g.at, 1)
        count = len(self.tiles(g, start, start + self.section, K))
        parts, there, result = (
            self.sums[g.number % 2].cols(0, count),
            self.out.box(g.at * Q, Q, 0, self.width),
            self.results[g.number % 2],
        )
        if start == 0:
            k.op("tensor_reduce", op="add", axes=1, dst=total, data=parts)
        else:
            factor, earlier, found = self.factors[g.number % 3], self.earlier[g.number % 2], self.found[g.number % 3]
            k.op("tensor_reduce", op="add", axes=1, dst=found, data=parts)
            k.op(
                "tensor_scalar",
                "vector",
                op0="multiply",
                op1="add",
                dst=total,
                data=total,
                operand0=factor,
                operand1=found,
            )
            k.dma(earlier, there)
            k.op(
                "scalar_tensor_tensor",
                op0="multiply",
                op1="add",
                dst=context,
                data=earlier,
                operand0=factor,
                operand1=context,
            )
        if (g.number + 1) * Q > start + self.section:
            k.op("tensor_copy", "scalar", dst=result, src=context)
        else:
            inverse = self.inverses.cols(g.at, 1)
            k.op("reciprocal", dst=inverse, data=total)
            k.op("activation", op="copy", dst=result, data=context, scale=inverse)
        k.dma(there, result, by="gpsimd")


def attention(length: int, width: int = 128) -> float:
    """MFU, whose operations are those of the whole square."""
    return mfu(4 * length * length * width, Attention(length, width).run().total)


CASES = {
    "AT-AT-MFU": lambda: {
        "MFU % at 2048, 16384": (attention(2048), attention(16384)),
        "MFU % at 16384 x 64": attention(16384, 64),
    }
}
