"""Selective scan (Mamba). A step is one channel tile and one state, on tiles [128, length of a chunk]:
deltaA = exp(A delta); deltaBu = delta u B; scan; scan C; accumulate.

The compiler unrolls and reorders loops whose iterations are independent, and the profiles show a VectorE without gaps:
two steps are interleaved here, so that no instruction waits for the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine_builder import At, Index, Kernel, Tensor, View
from fidelity.measure import Figures, Profile, profile

STATES, CHUNK = 16, 512


@dataclass(frozen=True)
class Arguments:
    """Channels and states are rows: delta, u and y [channels, length], A [channels, states], B, C [states, length]."""

    delta: Tensor
    u: Tensor
    a: Tensor
    b: Tensor
    c: Tensor
    y: Tensor

    @staticmethod
    def of(k: Kernel, channels: int, length: int) -> Arguments:
        wide, rows = (channels, length), (STATES, length)
        delta, u, y = k.tensor("delta", wide), k.tensor("u", wide), k.tensor("y", wide)
        b, c = k.tensor("B", rows), k.tensor("C", rows)
        return Arguments(delta, u, k.tensor("A", (channels, STATES)), b, c, y)


@dataclass
class Step:
    """The tiles of a step; `product` is delta u where it is at hand, `carry` the scan's state between chunks."""

    delta: View
    u: View
    total: View
    rate: View
    b: View
    c: View
    product: View | None = None
    carry: View | None = None


def broadcast(k: Kernel, row: View, ones: View, copied: bool) -> View:
    """A row on all partitions, by a product with ones into PSUM; `copied` to SBUF by ScalarE, or left there."""
    wide = k.psum(CHUNK, depth=2)
    k.matmul(wide, ones, row)
    if not copied:
        return wide
    kept = k.sbuf(CHUNK, depth=2)
    k.op("activation", op="copy", dst=kept, data=wide)
    return kept


def steps(k: Kernel, several: Sequence[Step]) -> None:
    """The instructions of some independent steps, interleaved."""
    decays, values = ([k.sbuf(CHUNK, depth=2) for _ in several] for _ in range(2))
    for s, decay in zip(several, decays, strict=True):
        k.op("activation", op="exp", dst=decay, data=s.delta, scale=s.rate)
    for s, value in zip(several, values, strict=True):
        if s.product is None:
            k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=s.delta, data2=s.u)
    for s, value in zip(several, values, strict=True):
        first = value if s.product is None else s.product
        k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=first, data2=s.b)
    for s, decay, value in zip(several, decays, values, strict=True):
        initial = 0.0 if s.carry is None else s.carry
        k.op("tensor_tensor_scan", op0="multiply", op1="add", dst=decay, data0=decay, data1=value, initial=initial)
    for s, decay, value in zip(several, decays, values, strict=True):
        k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=decay, data2=s.c)
        if s.carry is not None:
            k.op("tensor_copy", "vector", dst=s.carry, src=decay.cols(CHUNK - 1, 1))
    for s, value in zip(several, values, strict=True):
        k.op("tensor_tensor", "vector", op="add", dst=s.total, data1=s.total, data2=value)


def ones_of(k: Kernel) -> View:
    ones = k.sbuf(128, partitions=1)
    k.op("memset", "vector", dst=ones, value=1.0)
    return ones


def rows_of(k: Kernel, x: Arguments, state: At, ones: View, copied: bool, at: At = 0) -> tuple[View, View]:
    """B and C of a state on all partitions, from a position on."""
    found = []
    for tensor in (x.b, x.c):
        row = k.sbuf(CHUNK, partitions=1, depth=4)
        k.dma(row, tensor.box(state, 1, at, CHUNK))
        found.append(broadcast(k, row, ones, copied))
    return found[0], found[1]


def rate_of(k: Kernel, x: Arguments, channel: At, state: At) -> View:
    rate = k.sbuf(1, depth=4)
    k.dma(rate, x.a.box(channel * 128, 128, state, 1))
    return rate


def in_one_chunk(target: str, channels: int, length: int = CHUNK, states: int = STATES) -> Kernel:
    """One chunk of positions. Delta and u are loaded again in every step, the rows are broadcast to SBUF."""
    assert (length, states) == (CHUNK, STATES)
    k = Kernel(target)
    x, ones = Arguments.of(k, channels, CHUNK), ones_of(k)
    totals = [k.sbuf(CHUNK) for _ in range(channels // 128)]
    for total in totals:
        k.op("memset", "vector", dst=total, value=0.0)
    with k.loop(STATES) as state:
        several = []
        for channel, total in enumerate(totals):
            delta, u = k.sbuf(CHUNK, depth=2), k.sbuf(CHUNK, depth=2)
            for tile, tensor in ((delta, x.delta), (u, x.u)):
                k.dma(tile, tensor.box(channel * 128, 128, 0, CHUNK))
            rate = rate_of(k, x, channel, state)
            several.append(Step(delta, u, total, rate, *rows_of(k, x, state, ones, True)))
        steps(k, several)
    for channel, total in enumerate(totals):
        k.dma(x.y.box(channel * 128, 128, 0, CHUNK), total, by="gpsimd")
    return k


def toy() -> Figures:
    """MB-TOY. The profile's 0.93 us an instruction is 2 cycles an element for all five: all tiles are in SBUF."""
    p = profile(in_one_chunk("trn1", 256))
    return {"us": p.total, "VectorE % of window": p.window("vector")}


def hoisted(length: int) -> Profile:
    """MB-V2-4K and MB-V3-TAB: delta, u and their product once per channel tile; 512 columns at a time, a carry
    between them if there are more."""
    k = Kernel("trn1")
    x, ones = Arguments.of(k, 4096, length), ones_of(k)
    chunks = length // CHUNK
    depth = 2 if length <= 4096 else 1
    with k.loop(32) as channel:
        delta, u, total = (k.sbuf(length, depth=depth) for _ in range(3))
        k.dma(delta, x.delta.box(channel * 128, 128, 0, length))
        k.dma(u, x.u.box(channel * 128, 128, 0, length))
        k.op("memset", "gpsimd", dst=total, value=0.0)
        k.op("tensor_tensor", "vector", op="multiply", dst=u, data1=delta, data2=u)
        with k.loop(STATES // 2) as pair:
            states = [pair * 2, pair * 2 + 1]
            rates = [rate_of(k, x, channel, state) for state in states]
            carries: list[View | None] = [None, None]
            if chunks > 1:
                carries = [k.sbuf(1, depth=2) for _ in states]
                for carry in carries:
                    k.op("memset", "vector", dst=carry, value=0.0)
            with k.loop(chunks) as chunk:
                at = chunk * CHUNK
                here, product, sums = (tile.cols(at, CHUNK) for tile in (delta, u, total))
                both: list[Step] = []
                for state, rate, carry in zip(states, rates, carries, strict=True):
                    b, c = rows_of(k, x, state, ones, False, at)
                    both.append(Step(here, product, sums, rate, b, c, product, carry))
                steps(k, both)
        k.dma(x.y.box(channel * 128, 128, 0, length), total, by="gpsimd")
    return profile(k)


def v2() -> Figures:
    p = hoisted(512)
    return {"ms": p.ms, "VectorE % of window": p.window("vector")}


def v3() -> Figures:
    runs = [hoisted(n) for n in (512, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192)]
    return {"ms by length": tuple(p.ms for p in runs), "VectorE % of window": runs[-1].window("vector")}


def variant(shared: bool, hoist: bool, unrolled: bool) -> Profile:
    """MB-KDA: C = 256, M = 7168 in tiles of 512. v2: each step broadcasts its rows; v3: two channel tiles share them,
    in SBUF; v4: delta u once per tile; v5: unrolled, so that the compiler may interleave. In v2, whose inner loop is
    over states, the compiler hoists delta u by itself, as in MB-V2-4K."""
    k = Kernel("trn2")
    x, ones = Arguments.of(k, 256, 14 * CHUNK), ones_of(k)
    carries = [k.sbuf(STATES) for _ in range(2)]
    for carry in carries:
        k.op("memset", "vector", dst=carry, value=0.0)
    with k.loop(14) as tile:
        at = tile * CHUNK
        loaded = [_channel(k, x, channel, at, hoist) for channel in range(2)]

        def step(channel: int, state: Index, rows: tuple[View, View]) -> Step:
            delta, u, total, product = loaded[channel]
            rate = rate_of(k, x, channel, state)
            return Step(delta, u, total, rate, *rows, product, carries[channel].cols(state, 1))

        if shared:
            with k.loop(STATES) as state:
                rows = rows_of(k, x, state, ones, True, at)
                both = [step(channel, state, rows) for channel in range(2)]
                for group in (both,) if unrolled else ([one] for one in both):
                    steps(k, group)
        else:
            for channel in range(2):
                with k.loop(STATES) as state:
                    steps(k, [step(channel, state, rows_of(k, x, state, ones, False, at))])
        for channel, (_, _, total, _) in enumerate(loaded):
            k.dma(x.y.box(channel * 128, 128, at, CHUNK), total, by="gpsimd")
    return profile(k)


def _channel(k: Kernel, x: Arguments, channel: int, at: At, hoist: bool) -> tuple[View, View, View, View | None]:
    delta, u, total = (k.sbuf(CHUNK, depth=2) for _ in range(3))
    k.dma(delta, x.delta.box(channel * 128, 128, at, CHUNK))
    k.dma(u, x.u.box(channel * 128, 128, at, CHUNK))
    k.op("memset", "gpsimd", dst=total, value=0.0)
    if not hoist:
        return delta, u, total, None
    k.op("tensor_tensor", "vector", op="multiply", dst=u, data1=delta, data2=u)
    return delta, u, total, u


def kda() -> Figures:
    two, three, four, five = (
        variant(*v) for v in ((False, True, False), (True, False, False), (True, True, False), (True, True, True))
    )
    return {
        "v2/v4": two.total / four.total,
        "least of v3/v2, v2/v4, v4/v5": min(three.total / two.total, two.total / four.total, four.total / five.total),
        "VectorE % of v2, v3, v4": tuple(p.active("vector") for p in (two, three, four)),
        "ms": four.ms,
    }


CASES = {"MB-TOY": toy, "MB-V2-4K": v2, "MB-V3-TAB": v3, "MB-KDA": kda}
