"""Attention as three programs, with scores and probabilities in HBM as fp32."""

from __future__ import annotations

from engine_builder import Kernel, View
from expert.attention import BANK, BF16, HEAD, SCALE, TILE, TURNED, Turn, head, load_tiles
from expert.softmax import softmax

FP32 = "float32"
LAG = 2
"""Groups of tiles that the product with V is behind their transposes."""


def out_of_psum(k: Kernel, dst: View, src: View, turn: int, scale: float = 1.0) -> None:
    """By Vector and Scalar in turn."""
    if turn % 2:
        k.op("activation", op="copy", dst=dst, data=src, scale=scale)
    else:
        k.op("tensor_scalar", "vector", op0="multiply", dst=dst, data=src, operand0=scale)


def scores(target: str, tokens: int) -> Kernel:
    """A tile of queries against all keys; whole rows leave at a time. Bound by DMA."""
    k, tiles, width = Kernel(target, "scores"), tokens // TILE, 2 * BANK
    q, keys = head(k, tokens, "q", "k")
    out = k.tensor("scores", (tokens, tokens))
    q_turned, k_turned, raw_q, raw_k = (k.sbuf(tokens, BF16) for _ in range(4))
    turn = Turn(k, k.psum(2 * TURNED * TILE, BF16), 2)
    load_tiles(k, raw_q, q, 0, TURNED)
    for first in range(0, tiles, TURNED):
        load_tiles(k, raw_k, keys, first, TURNED)
    if tiles > TURNED:
        load_tiles(k, raw_q, q, TURNED, tiles - TURNED)
    turn(q_turned, raw_q, 0, TURNED)
    for first in range(0, tiles, TURNED):
        turn(k_turned, raw_k, first, TURNED)
    for first in range(TURNED, tiles, TURNED):
        turn(q_turned, raw_q, first, TURNED)
    with k.loop(tiles) as tile:
        row, banks = k.sbuf(tokens, depth=3), [k.psum(width) for _ in range(2)]
        for part in range(tokens // width):
            product, at = banks[part % 2], part * width
            for half in range(2):
                moving = k_turned.cols(at + half * BANK, BANK)
                k.matmul(product.cols(half * BANK, BANK), q_turned.cols(tile * TILE, TILE), moving)
            out_of_psum(k, row.cols(at, width), product, part, SCALE)
        k.dma(out.box(tile * TILE, TILE, 0, tokens), row, by="gpsimd")
    return k


def product(target: str, tokens: int) -> Kernel:
    """Rows of probabilities, transposed as fp32 a bank at a time; copies to SBUF round them to bf16. Bound by DMA."""
    k, tiles, group = Kernel(target, "product"), tokens // TILE, BANK // TILE
    p = k.tensor("probabilities", (tokens, tokens))
    v, out = head(k, tokens, "v", "out")
    values = k.sbuf(tokens, BF16)
    load_tiles(k, values, v, 0, tiles)
    groups = tiles // group
    with k.loop(tiles) as tile:
        row, turned = k.sbuf(tokens, depth=3), k.sbuf(tokens, BF16, depth=2)
        context, result = k.psum(HEAD, depth=2), k.sbuf(HEAD, BF16, depth=2)
        k.dma(row, p.box(tile * TILE, TILE, 0, tokens))
        banks = [k.psum(BANK, FP32) for _ in range(4)]

        def transpose(number: int, row: View = row, turned: View = turned, banks: list[View] = banks) -> None:
            bank = banks[number % len(banks)]
            for i in range(group):
                data = row.cols(number * BANK + i * TILE, TILE)
                k.op("nc_transpose", "tensor", dst=bank.cols(i * TILE, TILE), data=data)
            out_of_psum(k, turned.cols(number * BANK, BANK), bank, number)

        for number in range(groups + LAG):
            if number < groups:
                transpose(number)
            if number >= LAG:
                for i in range((number - LAG) * group, (number - LAG + 1) * group):
                    k.matmul(context, turned.cols(i * TILE, TILE), values.cols(i * HEAD, HEAD), i)
        k.op("tensor_copy", "vector", dst=result, src=context)
        k.dma(out.box(tile * TILE, TILE, 0, HEAD), result, by="gpsimd")
    return k


def attention_unfused(target: str, tokens: int) -> list[Kernel]:
    """To be run in turn: `scores` are those of the first and the second, `probabilities` those of the second and the
    third. A multiple of 1,024 tokens."""
    return [
        scores(target, tokens),
        softmax(target, tokens, tokens, x="scores", out="probabilities"),
        product(target, tokens),
    ]
