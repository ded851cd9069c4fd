"""Kernels that Autocomp improved step by step on trn1, each step with its latency: the tutorial products of
ucb-bar/autocomp dd26a56 (examples/trn-tutorial, harnesses/trn-tutorial-nki1), `nki.benchmark`, 2 + 10 runs, P99."""

from __future__ import annotations

from itertools import cycle

from engine_builder import At, Kernel, Tensor, View
from fidelity.mamba import CHUNK, STATES, Arguments, Step, ones_of, rate_of, steps
from fidelity.matmul import BF16, drain
from fidelity.measure import Figures, Profile, profile

LENGTH = 4 * CHUNK


def product(m_tiles: int, n_tiles: int, left: int, right: int) -> float:
    """MM-AC, ms: bf16, [4096, 8192] x [8192, 8192]; `m_tiles` x `n_tiles` results [128, 512] in PSUM at a time, for
    which 128 rows of K are loaded, `left` and `right` tiles in one transfer."""
    k = Kernel("trn1")
    lhs, rhs = k.tensor("lhsT", (8192, 4096), BF16), k.tensor("rhs", (8192, 8192), BF16)
    out = k.tensor("out", (4096, 8192), BF16)
    number = m_tiles * n_tiles
    sums = [k.psum(512) for _ in range(min(8, number * 2))]
    with k.loop(32 // m_tiles) as m, k.loop(16 // n_tiles // (len(sums) // number)) as pair:
        for turn in range(len(sums) // number):
            n, results = pair * (len(sums) // number) + turn, sums[turn * number : (turn + 1) * number]
            with k.loop(64) as row:
                stationary: list[View] = []
                moving: list[View] = []
                for i in range(0, n_tiles, right):
                    tile = k.sbuf(right * 512, BF16, depth=8)
                    k.dma(tile, rhs.box(row * 128, 128, n * (n_tiles * 512) + i * 512, right * 512))
                    moving += [tile.cols(j * 512, 512) for j in range(right)]
                for i in range(0, m_tiles, left):
                    tile = k.sbuf(left * 128, BF16, depth=8)
                    k.dma(tile, lhs.box(row * 128, 128, m * (m_tiles * 128) + i * 128, left * 128))
                    stationary += [tile.cols(j * 128, 128) for j in range(left)]
                for i, result in enumerate(results):
                    k.matmul(result, stationary[i // n_tiles], moving[i % n_tiles], row)
            for i, result in enumerate(results):
                copied = k.sbuf(512, BF16, depth=2)
                drain(k, copied, result, i if left < 4 else 0)
                at = (m * m_tiles + i // n_tiles) * 128, n * (n_tiles * 512) + i % n_tiles * 512
                k.dma(out.box(at[0], 128, at[1], 512), copied, by="gpsimd")
    return profile(k).ms


def products() -> Figures:
    """From the tutorial's first product on: as many tiles in PSUM at a time, then wider transfers."""
    settings = ((1, 1, 1, 1), (1, 2, 1, 1), (2, 2, 1, 1), (4, 2, 1, 1), (4, 2, 2, 1), (4, 2, 4, 2))
    return {"ms": tuple(product(*one) for one in settings)}


def whole_rows(hoist: bool) -> Profile:
    """MB-AC: 256 channels, 2048 positions, 16 states, all positions in one instruction; delta and u are loaded for each
    state and channel tile, or, with their product, once for a channel tile. All tiles are in SBUF, as in MB-TOY."""
    k = Kernel("trn1")
    x, ones, banks = Arguments.of(k, 256, LENGTH), ones_of(k), cycle([k.psum(CHUNK) for _ in range(4)])
    totals = [k.sbuf(LENGTH) for _ in range(2)]
    for total in totals:
        k.op("memset", "gpsimd", dst=total, value=0.0)

    def loaded(channel: At, depth: int) -> tuple[View, View]:
        delta, u = k.sbuf(LENGTH, depth=depth), k.sbuf(LENGTH, depth=depth)
        for tile, tensor in ((delta, x.delta), (u, x.u)):
            k.dma(tile, tensor.box(channel * 128, 128, 0, LENGTH))
        return delta, u

    def step(channel: int, state: At, delta: View, u: View, product: View | None) -> None:
        decay, value, rate = k.sbuf(LENGTH, depth=2), k.sbuf(LENGTH), rate_of(k, x, channel, state)
        spread = []
        for tensor in (x.b, x.c):
            row, found = k.sbuf(LENGTH, partitions=1), k.sbuf(LENGTH)
            k.dma(row, tensor.box(state, 1, 0, LENGTH))
            for at in range(0, LENGTH, CHUNK):
                bank = next(banks)
                k.matmul(bank, ones, row.cols(at, CHUNK))
                k.op("activation", op="copy", dst=found.cols(at, CHUNK), data=bank)
            spread.append(found)
        k.op("activation", op="exp", dst=decay, data=delta, scale=rate)
        if product is None:
            k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=delta, data2=u)
        first = value if product is None else product
        k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=first, data2=spread[0])
        k.op("tensor_tensor_scan", op0="multiply", op1="add", dst=decay, data0=decay, data1=value, initial=0.0)
        k.op("tensor_tensor", "vector", op="multiply", dst=value, data1=decay, data2=spread[1])
        k.op("tensor_tensor", "vector", op="add", dst=totals[channel], data1=totals[channel], data2=value)

    if hoist:
        for channel in range(2):
            delta, u = loaded(channel, 1)
            k.op("tensor_tensor", "vector", op="multiply", dst=u, data1=delta, data2=u)
            with k.loop(STATES) as state:
                step(channel, state, delta, u, u)
    else:
        with k.loop(STATES) as state:
            for channel in range(2):
                step(channel, state, *loaded(channel, 1), None)
    for channel, total in enumerate(totals):
        k.dma(x.y.box(channel * 128, 128, 0, LENGTH), total, by="gpsimd")
    return profile(k)


def by_chunks() -> Profile:
    """MB-AC, the last step: 512 positions at a time, all states of a chunk after each other with a carry for each, sums
    in PSUM. B and C are spread by products with ones, whose results VectorE reads in PSUM."""
    k = Kernel("trn1")
    x, ones, banks = Arguments.of(k, 256, LENGTH), ones_of(k), cycle([k.psum(CHUNK) for _ in range(4)])

    def spread(tensor: Tensor, state: At, at: At) -> View:
        row, bank = k.sbuf(CHUNK, partitions=1, depth=4), next(banks)
        k.dma(row, tensor.box(state, 1, at, CHUNK))
        k.matmul(bank, ones, row)
        return bank

    with k.loop(2) as channel:
        rates, carries = k.sbuf(STATES, depth=2), k.sbuf(STATES, depth=2)
        k.dma(rates, x.a.box(channel * 128, 128, 0, STATES))
        k.op("memset", "vector", dst=carries, value=0.0)
        with k.loop(4) as chunk:
            delta, u, result = (k.sbuf(CHUNK, depth=2) for _ in range(3))
            for tile, tensor in ((delta, x.delta), (u, x.u)):
                k.dma(tile, tensor.box(channel * 128, 128, chunk * CHUNK, CHUNK))
            k.op("tensor_tensor", "vector", op="multiply", dst=u, data1=delta, data2=u)
            total = k.psum(CHUNK, depth=2)
            k.op("memset", "vector", dst=total, value=0.0)
            with k.loop(STATES // 2) as pair:
                both = []
                for state in (pair * 2, pair * 2 + 1):
                    b, c = (spread(tensor, state, chunk * CHUNK) for tensor in (x.b, x.c))
                    both.append(Step(delta, u, total, rates.cols(state, 1), b, c, u, carries.cols(state, 1)))
                steps(k, both)
            k.op("tensor_copy", "vector", dst=result, src=total)
            k.dma(x.y.box(channel * 128, 128, chunk * CHUNK, CHUNK), result, by="gpsimd")
    return profile(k)


def scans() -> Figures:
    return {"ms": (whole_rows(False).ms, whole_rows(True).ms, by_chunks().ms)}


CASES = {"MM-AC": products, "MB-AC": scans}
