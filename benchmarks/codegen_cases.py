"""The rows of `codegen.py`: each kernel with its arrays, what NumPy says, the work that it can't do without, and its
goals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import codegen_kernels as kernels
import numpy as np
from codegen_bounds import Work
from codegen_case import BF16, FP32, TO_BOUND, Array, Case, Data, Goal, Hand, Job, Launch, as_fp32
from expert.attention import HEAD, SCALE
from expert.attention_online import attention_online
from expert.attention_two_passes import attention_two_passes
from expert.attention_unfused import attention_unfused
from expert.batched_matmul import batched_matmul
from expert.convolution import causal_convolution
from expert.cross_entropy import cross_entropy
from expert.elementwise import vector_add
from expert.layernorm import EPSILON, layernorm_bf16, layernorm_fp32
from expert.matmul import matmul
from expert.matmul_row_major import matmul_row_major
from expert.rmsnorm_matmul import EPSILON as RMS_EPSILON
from expert.rmsnorm_matmul import rmsnorm_matmul
from expert.softmax import softmax
from expert.transpose import transpose
from fidelity.mamba import in_one_chunk

from nki_mlir import cdiv, next_power_of_2

GROUP_M = 8
"""Rows of blocks that the grouped ordering takes together, as in Triton's tutorial."""
PROGRAMS = 64
"""Of a grid that strides over the rows."""


def added(data: Data, n: int, block: int) -> Job:
    x, y, out = data.random(n), data.random(n), data.out(n)
    launch = Launch(kernels.add, (cdiv(n, block),), (x, y, out, n), {"BLOCK": block})
    return Job([launch], {"x": x, "y": y, "out": out}, lambda: x + y, 0.0, Work(loads=8 * n, stores=4 * n))


def softmax_rows(data: Data, rows: int, columns: int, grid_stride: bool) -> Job:
    x, out = data.random(rows, columns), data.out(rows, columns)
    meta = {"BLOCK": next_power_of_2(columns)}
    launch = Launch(kernels.softmax, (rows,), (out, x, columns), meta)
    if grid_stride:
        launch = Launch(kernels.softmax_grid_stride, (min(rows, PROGRAMS),), (out, x, rows, columns), meta)
    work = Work(loads=x.nbytes, stores=out.nbytes, elements={"scalar": rows * columns // 128})
    return Job([launch], {"x": x, "out": out}, lambda: numpy_softmax(x), 1e-5, work)


def numpy_softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def normalised(data: Data, rows: int, columns: int, dtype: Any) -> Job:
    x, out = data.random(rows, columns, dtype=dtype), data.out(rows, columns, dtype=dtype)
    weight, bias = data.random(columns, dtype=dtype), data.random(columns, dtype=dtype)
    arguments = (x, out, weight, bias, columns, EPSILON)
    launch = Launch(kernels.layernorm, (rows,), arguments, {"BLOCK": next_power_of_2(columns)})
    arrays = {"x": x, "out": out, "weight": weight, "bias": bias}
    work = Work(loads=x.nbytes + weight.nbytes + bias.nbytes, stores=out.nbytes)
    tolerance = 1e-5 if dtype == FP32 else 2**-7
    return Job([launch], arrays, lambda: numpy_layernorm(*as_fp32(x, weight, bias)), tolerance, work)


def numpy_layernorm(x: Array, weight: Array, bias: Array) -> Array:
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / np.sqrt(x.var(axis=1, keepdims=True) + np.float32(EPSILON)) * weight + bias


def product(data: Data, m: int, n: int, k: int, block: int, k_major: bool = False, gelu: bool = False) -> Job:
    """bf16; `a` is [m, k], or [k, m] where it is `k_major`."""
    a = data.random(*((k, m) if k_major else (m, k)), dtype=BF16, scale=k**-0.25)
    b, out = data.random(k, n, dtype=BF16, scale=k**-0.25), data.out(m, n, dtype=BF16)
    strides = ((1, m) if k_major else (k, 1)) + (n, 1, n, 1)
    meta = {"BLOCK_M": block, "BLOCK_N": block, "BLOCK_K": block, "GROUP_M": GROUP_M, "GELU": gelu}
    grid = (cdiv(m, block) * cdiv(n, block),)
    launch = Launch(kernels.matmul, grid, (a, b, out, m, n, k, *strides), meta)

    def expected() -> Array:
        left, right = as_fp32(a.T if k_major else a, b)
        return numpy_gelu(left @ right) if gelu else left @ right

    work = Work(loads=a.nbytes + b.nbytes, stores=out.nbytes, products=m * n * k)
    return Job([launch], {"a": a, "b": b, "out": out}, expected, 2**-7, work)


def numpy_gelu(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def attention(data: Data, tokens: int, block: int, causal: bool) -> Job:
    """One head, blocks of 128 queries and `block` keys."""
    arrays = heads(data, tokens)
    meta = {"HEAD_DIM": HEAD, "BLOCK_M": 128, "BLOCK_N": block, "CAUSAL": causal}
    launch = Launch(kernels.flash_attention, (cdiv(tokens, 128),), (*arrays.values(), SCALE, tokens), meta)
    return Job([launch], arrays, lambda: numpy_attention(arrays, causal), 2**-6, attention_work(arrays, causal))


def heads(data: Data, tokens: int) -> dict[str, Array]:
    found = {name: data.random(tokens, HEAD, dtype=BF16) for name in "qkv"}
    return {**found, "out": data.out(tokens, HEAD, dtype=BF16)}


def attention_work(arrays: Mapping[str, Array], causal: bool) -> Work:
    """Two products; of the scores, which they leave in PSUM, a maximum and an exponential."""
    tokens = len(arrays["q"])
    scores = tokens * (tokens + 1) // 2 if causal else tokens**2
    elements = {"vector": scores // 128, "scalar": scores // 128}
    moved = arrays["q"].nbytes
    return Work(loads=3 * moved, stores=moved, products=2 * HEAD * scores, elements=elements, from_psum=True)


def numpy_attention(arrays: Mapping[str, Array], causal: bool) -> Array:
    q, k, v = as_fp32(*(arrays[name] for name in "qkv"))
    scores = q @ k.T * np.float32(SCALE)
    return numpy_softmax(np.where(np.tri(len(q), dtype=bool), scores, -np.inf) if causal else scores) @ v


def unfused_attention(data: Data, tokens: int) -> Job:
    """As three kernels in turn; scores and probabilities are fp32, in HBM."""
    given = heads(data, tokens)
    scores, probabilities = data.out(tokens, tokens), data.out(tokens, tokens)
    meta = {"HEAD_DIM": HEAD, "BLOCK_M": 128, "BLOCK_N": 128}
    blocks = cdiv(tokens, 128)
    launches = [
        Launch(kernels.attention_scores, (blocks, blocks), (given["q"], given["k"], scores, SCALE, tokens), meta),
        Launch(kernels.softmax, (tokens,), (probabilities, scores, tokens), {"BLOCK": tokens}),
        Launch(kernels.attention_output, (blocks,), (probabilities, given["v"], given["out"], tokens), meta),
    ]
    arrays = {**given, "scores": scores, "probabilities": probabilities}
    small, large = given["q"].nbytes, scores.nbytes
    work = Work(3 * small + 2 * large, small + 2 * large, 2 * HEAD * tokens**2)
    return Job(launches, arrays, lambda: numpy_attention(given, False), 2**-6, work)


def selective_scan(data: Data, channels: int, length: int, states: int) -> Job:
    """fp32: h = exp(delta A) h + (delta u) B, y = C h for each position in turn. h decays, as in a trained model."""
    delta, a = np.abs(data.random(channels, length)), -np.abs(data.random(channels, states))
    u, b, c = data.random(channels, length), data.random(states, length), data.random(states, length)
    out = data.out(channels, length)
    meta = {"STATES": states, "BLOCK_D": min(128, channels)}
    arguments = (delta, u, a, b, c, out, length)
    launch = Launch(kernels.selective_scan, (cdiv(channels, 128),), arguments, meta)
    arrays = {"delta": delta, "u": u, "A": a, "B": b, "C": c, "y": out, "out": out}

    def expected() -> Array:
        h, rows = np.zeros((channels, states), np.float32), []
        for t in range(length):
            h = np.exp(delta[:, t : t + 1] * a) * h + (delta[:, t] * u[:, t])[:, None] * b[:, t]
            rows.append((h * c[:, t]).sum(axis=1))
        return np.stack(rows, axis=1)

    loads = sum(x.nbytes for x in (delta, u, a, b, c))
    steps = channels * states * length // 128
    # A scan takes two cycles an element.
    work = Work(loads, out.nbytes, elements={"scalar": steps, "vector": 2 * steps})
    return Job([launch], arrays, expected, 1e-4, work)


def normalised_product(data: Data, m: int, n: int, k: int) -> Job:
    """bf16: RMSNorm of the rows of `a`, times `b`."""
    a, weight = data.random(m, k, dtype=BF16), data.random(k, dtype=BF16)
    b, out = data.random(k, n, dtype=BF16, scale=k**-0.5), data.out(m, n, dtype=BF16)
    meta = {"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 128}
    arguments = (a, weight, b, out, m, n, k, RMS_EPSILON)
    launch = Launch(kernels.rmsnorm_matmul, (cdiv(m, 128), cdiv(n, 128)), arguments, meta)

    def expected() -> Array:
        x, w, right = as_fp32(a, weight, b)
        return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + np.float32(RMS_EPSILON)) * w @ right

    work = Work(a.nbytes + weight.nbytes + b.nbytes, out.nbytes, m * n * k)
    return Job([launch], {"a": a, "weight": weight, "b": b, "out": out}, expected, 2**-6, work)


def batched_product(data: Data, batch: int, m: int, n: int, k: int) -> Job:
    """bf16."""
    a, b = data.random(batch, m, k, dtype=BF16), data.random(batch, k, n, dtype=BF16)
    out = data.out(batch, m, n, dtype=BF16)
    meta = {"K": k, "BLOCK_M": 128, "BLOCK_N": 128}
    launch = Launch(kernels.batched_matmul, (cdiv(m, 128), cdiv(n, 128), batch), (a, b, out, m, n), meta)
    work = Work(a.nbytes + b.nbytes, out.nbytes, batch * m * n * k)
    return Job([launch], {"a": a, "b": b, "out": out}, lambda: np.matmul(*as_fp32(a, b)), 2**-7, work)


def losses(data: Data, rows: int, columns: int) -> Job:
    """fp32."""
    logits, labels, out = data.random(rows, columns), data.integers(columns, rows), data.out(rows)
    launch = Launch(kernels.cross_entropy, (rows,), (logits, labels, out, columns), {"BLOCK": 4096})

    def expected() -> Array:
        highest = logits.max(axis=1)
        sums = np.exp(logits - highest[:, None]).sum(axis=1)
        return highest + np.log(sums) - np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]

    count = rows * columns // 128
    work = Work(logits.nbytes + labels.nbytes, out.nbytes, elements={"scalar": count, "vector": count})
    return Job([launch], {"logits": logits, "labels": labels, "out": out}, expected, 1e-5, work)


def convolved(data: Data, channels: int, length: int, taps: int) -> Job:
    """bf16: each channel's own taps on its last positions."""
    x, weight = data.random(channels, length, dtype=BF16), data.random(channels, taps, dtype=BF16)
    out = data.out(channels, length, dtype=BF16)
    meta = {"TAPS": taps, "BLOCK_C": 16, "BLOCK_T": 256}
    grid = (cdiv(channels, 16), cdiv(length, 256))
    launch = Launch(kernels.causal_convolution, grid, (x, weight, out, channels, length), meta)

    def expected() -> Array:
        wide, w = as_fp32(np.pad(x, ((0, 0), (taps - 1, 0))), weight)
        return np.sum([w[:, j : j + 1] * wide[:, j : j + length] for j in range(taps)], axis=0)

    work = Work(x.nbytes + weight.nbytes, out.nbytes)
    return Job([launch], {"x": x, "weight": weight, "out": out}, expected, 2**-7, work)


def transposed(data: Data, rows: int, columns: int) -> Job:
    """fp32."""
    x, out = data.random(rows, columns), data.out(columns, rows)
    launch = Launch(kernels.transpose, (cdiv(rows, 64), cdiv(columns, 64)), (x, out, rows, columns), {"BLOCK": 64})
    return Job([launch], {"x": x, "out": out}, lambda: x.T, 0.0, Work(x.nbytes, out.nbytes))


VECTOR_ADD, SOFTMAX = Hand.of("vector add", vector_add), Hand.of("softmax", softmax)
LAYERNORM_FP32, LAYERNORM_BF16 = Hand.of("layernorm fp32", layernorm_fp32), Hand.of("layernorm bf16", layernorm_bf16)
K_MAJOR = Hand.of("matmul, A K-major", matmul)
ROW_MAJOR = Hand.of("matmul, Tensor transposes", matmul_row_major)
BY_DMA = Hand.of("matmul, DMA transposes", matmul, row_major=True)
GELU = Hand.of("matmul with GELU", matmul_row_major, gelu=True)
ONLINE = Hand.of("attention, online", attention_online)
TWO_PASSES = Hand.of("attention, maximum first", attention_two_passes)
CAUSAL = Hand.of("attention, causal, maximum first", attention_two_passes, causal=True)
UNFUSED = Hand("attention, three programs", attention_unfused)
SCAN = Hand.of("selective scan", in_one_chunk)

ENOUGH = 1 / 0.85
"""Of the bound, for kernels that have no goal of their own."""
THREE_KERNELS = "attention, three kernels"


def flash(block: int) -> str:
    return f"flash attention, blocks of 128 x {block}"


CASES = (
    *(
        Case(
            f"vector add, blocks of {block:,}",
            "fp32",
            (1 << 24,),
            (150_001,),
            partial(added, block=block),
            {"trn1": [Goal(1.06, VECTOR_ADD)]},
        )
        for block in (1024, 65_536)
    ),
    *(
        Case(
            f"softmax, {how}",
            "fp32",
            (4096, 4096),
            (200, 300),
            partial(softmax_rows, grid_stride=grid_stride),
            {"trn1": [Goal(1.05, SOFTMAX)]},
        )
        for how, grid_stride in (("a row a program", False), ("grid-stride", True))
    ),
    Case(
        "layernorm",
        "fp32",
        (4096, 4096),
        (200, 300),
        partial(normalised, dtype=FP32),
        {"trn1": [Goal(1.065, LAYERNORM_FP32)]},
    ),
    Case(
        "layernorm",
        "bf16",
        (4096, 4096),
        (200, 300),
        partial(normalised, dtype=BF16),
        {"trn1": [Goal(1.13, LAYERNORM_BF16)]},
    ),
    Case(
        "matmul, A K-major, blocks of 128",
        "bf16",
        (2048, 2048, 2048),
        (256, 384, 256),
        partial(product, block=128, k_major=True),
        {"trn1": [Goal(1.028, K_MAJOR)], "trn2": [Goal(1.025, K_MAJOR)]},
    ),
    *(
        Case(
            f"matmul, A row-major, blocks of {block}",
            "bf16",
            (2048, 2048, 2048),
            (256, 384, 200),
            partial(product, block=block),
            {"trn1": [Goal(1.025, ROW_MAJOR)], "trn2": [Goal(1.004, ROW_MAJOR), Goal(1.07, BY_DMA)]},
        )
        for block in (64, 128)
    ),
    Case(
        "matmul with GELU, blocks of 128",
        "bf16",
        (4096, 4096, 1024),
        (256, 256, 200),
        partial(product, block=128, gelu=True),
        {"trn1": [Goal(1.025, GELU)]},
    ),
    Case(THREE_KERNELS, "bf16", (4096,), (256,), unfused_attention, {"trn1": [Goal(None, UNFUSED)]}),
    *(
        Case(
            flash(block),
            "bf16",
            (4096,),
            (256,),
            partial(attention, block=block, causal=False),
            {
                "trn1": [Goal(1.055, ONLINE), Goal(1.14, TWO_PASSES), Goal(0.4, to=THREE_KERNELS)],
                "trn2": [Goal(1.04, ONLINE), Goal(1.05, TWO_PASSES)],
            },
        )
        for block in (64, 128)
    ),
    *(
        Case(
            f"causal {flash(block)}",
            "bf16",
            (4096,),
            (256,),
            partial(attention, block=block, causal=True),
            {target: [Goal(1.07, CAUSAL), Goal(0.65, to=flash(block))] for target in ("trn1", "trn2")},
        )
        for block in (64, 128)
    ),
    Case("selective scan", "fp32", (256, 512, 16), (32, 24, 16), selective_scan, {"trn1": [Goal(1.2, SCAN)]}),
    *(
        Case(name, dtype, size, small, job, {"trn1": [Goal(ENOUGH, Hand.of(name, program), to=TO_BOUND)]})
        for name, dtype, size, small, job, program in (
            ("RMSNorm + matmul", "bf16", (2048, 2048, 2048), (200, 150, 256), normalised_product, rmsnorm_matmul),
            ("cross-entropy", "fp32", (1024, 32_000), (20, 9000), losses, cross_entropy),
            ("batched matmul, K = 64", "bf16", (64, 512, 512, 64), (2, 200, 150, 64), batched_product, batched_matmul),
            ("causal convolution", "bf16", (4096, 4096, 4), (40, 300, 4), convolved, causal_convolution),
            ("transpose", "fp32", (4096, 4096), (200, 136), transposed, transpose),
        )
    ),
)
