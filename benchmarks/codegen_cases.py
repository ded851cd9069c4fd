"""The rows of `codegen.py`: kernels of one operation or one product."""

from __future__ import annotations

from functools import partial
from typing import Any

import codegen_kernels as kernels
import numpy as np
from codegen_bounds import Work
from codegen_case import BF16, FP32, Array, Case, Data, Goal, Hand, Job, Launch, as_fp32, cdiv
from expert.elementwise import vector_add
from expert.layernorm import EPSILON, layernorm_bf16, layernorm_fp32
from expert.matmul import matmul
from expert.matmul_row_major import matmul_row_major
from expert.softmax import softmax

import nki_mlir

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
    meta = {"BLOCK": nki_mlir.next_power_of_2(columns)}
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
    launch = Launch(kernels.layernorm, (rows,), arguments, {"BLOCK": nki_mlir.next_power_of_2(columns)})
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


VECTOR_ADD, SOFTMAX = Hand.of("vector add", vector_add), Hand.of("softmax", softmax)
LAYERNORM_FP32, LAYERNORM_BF16 = Hand.of("layernorm fp32", layernorm_fp32), Hand.of("layernorm bf16", layernorm_bf16)
K_MAJOR = Hand.of("matmul, A K-major", matmul)
ROW_MAJOR = Hand.of("matmul, Tensor transposes", matmul_row_major)
BY_DMA = Hand.of("matmul, DMA transposes", matmul, row_major=True)
GELU = Hand.of("matmul with GELU", matmul_row_major, gelu=True)


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
)
