"""Kernels that take their program id apart: whatever the order of blocks, they compute the same, on a grid of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.dialects.tile_programs import ProgramsOp

BLOCK_M, BLOCK_N = 8, 16


@nki_mlir.jit
def grouped_kernel(x_ptr, y_ptr, out_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr, GROUP: tl.constexpr):
    pid = tl.program_id(0)
    num_m = tl.cdiv(M, BM)
    num_n = tl.cdiv(N, BN)
    per_group = GROUP * num_n
    first = pid // per_group * GROUP
    size = min(num_m - first, GROUP)
    pid_m = first + (pid % per_group) % size
    pid_n = (pid % per_group) // size
    rows = pid_m * BM + tl.arange(0, BM)
    columns = pid_n * BN + tl.arange(0, BN)
    offsets = rows[:, None] * N + columns[None, :]
    mask = (rows[:, None] < M) & (columns[None, :] < N)
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + columns, mask=columns < N)
    tl.store(out_ptr + offsets, x * 2.0 + y[None, :], mask=mask)


@nki_mlir.jit
def ordered_kernel(x_ptr, y_ptr, out_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr, GROUP: tl.constexpr):
    pid = tl.program_id(0)
    num_m = tl.cdiv(M, BM)
    num_n = tl.cdiv(N, BN)
    if GROUP == 0:
        pid_m = pid // num_n
        pid_n = pid % num_n
    elif GROUP == 1:
        pid_n = pid // num_m
        pid_m = pid - pid_n * num_m
    elif GROUP == 2:
        pid_m = num_m - 1 - pid % num_m
        pid_n = pid // num_m
    else:
        pid_m, pid_n = tl.swizzle2d(pid // num_n, pid % num_n, num_m, num_n, GROUP)
    rows = pid_m * BM + tl.arange(0, BM)
    columns = pid_n * BN + tl.arange(0, BN)
    offsets = rows[:, None] * N + columns[None, :]
    mask = (rows[:, None] < M) & (columns[None, :] < N)
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + columns, mask=columns < N)
    tl.store(out_ptr + offsets, x * 2.0 + y[None, :], mask=mask)


def axes_of(module: Any) -> tuple[int, ...]:
    """The grid behind the pass."""
    (programs,) = [op for op in pipeline("lower-to-isa", "ungroup")(module).walk() if isinstance(op, ProgramsOp)]
    return programs.grid


def check(kernel: Any, blocks: tuple[int, int], ragged: tuple[int, int], group: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    M, N = blocks[0] * BLOCK_M - ragged[0], blocks[1] * BLOCK_N - ragged[1]
    x, y = rng.standard_normal((M, N)).astype(np.float32), rng.standard_normal(N).astype(np.float32)
    out = np.zeros_like(x)
    meta = {"BM": BLOCK_M, "BN": BLOCK_N, "GROUP": group}
    kernel[(blocks[0] * blocks[1],)](x, y, out, M, N, **meta)
    np.testing.assert_array_equal(out, x * np.float32(2) + y)
    module = kernel.trace(x, y, out, M, N, grid=(blocks[0] * blocks[1],), **meta).module
    assert sorted(axes_of(module)) == sorted(blocks)


SIZES = st.tuples(st.integers(2, 5), st.integers(2, 4))
CUT = st.tuples(st.integers(0, BLOCK_M - 1), st.integers(0, BLOCK_N - 1))
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=4)
@given(blocks=SIZES, cut=CUT, group=st.integers(2, 5), seed=SEEDS)
def test_groups_of_rows(blocks: tuple[int, int], cut: tuple[int, int], group: int, seed: int) -> None:
    check(grouped_kernel, blocks, cut, group, seed)


@pytest.mark.parametrize("order", range(5))
def test_orders_of_blocks(order: int) -> None:
    """By rows, by columns, by columns from below, swizzled in groups of 3 and of 4."""
    check(ordered_kernel, (4, 3), (0, 0), order, order)


@nki_mlir.jit
def batched_matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, GROUP: tl.constexpr
):
    pid = tl.program_id(0)
    num_m = M // BM
    num_n = N // BN
    batch = pid // (num_m * num_n)
    block = pid % (num_m * num_n)
    per_group = GROUP * num_n
    first = block // per_group * GROUP
    size = min(num_m - first, GROUP)
    pid_m = first + (block % per_group) % size
    pid_n = (block % per_group) // size
    rows = pid_m * BM + tl.arange(0, BM)
    columns = pid_n * BN + tl.arange(0, BN)
    inner = tl.arange(0, K)
    a = tl.load(a_ptr + batch * M * K + rows[:, None] * K + inner[None, :])
    b = tl.load(b_ptr + batch * K * N + inner[:, None] * N + columns[None, :])
    tl.store(c_ptr + batch * M * N + rows[:, None] * N + columns[None, :], tl.dot(a, b))


def test_products_of_a_batch() -> None:
    rng = np.random.default_rng(3)
    a = rng.standard_normal((2, 96, 64)).astype(np.float32)
    b = rng.standard_normal((2, 64, 128)).astype(np.float32)
    c = np.zeros((2, 96, 128), np.float32)
    meta: dict[str, Any] = {"K": 64, "BM": 32, "BN": 32, "GROUP": 2}
    batched_matmul_kernel[(24,)](a, b, c, 96, 128, **meta)
    np.testing.assert_allclose(c, a @ b, rtol=1e-5, atol=1e-4)
    module = batched_matmul_kernel.trace(a, b, c, 96, 128, grid=(24,), **meta).module
    assert sorted(axes_of(module)) == [2, 3, 4]


@nki_mlir.jit
def summing_kernel(x_ptr, out_ptr, N, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    total = tl.load(out_ptr + (pid % 2) * BLOCK + column)
    x = tl.load(x_ptr + (pid // 2) * N + (pid % 2) * BLOCK + column)
    tl.store(out_ptr + (pid % 2) * BLOCK + column, total * 0.5 + x)


def test_programs_that_go_on_with_what_others_wrote_keep_their_order() -> None:
    x = np.random.default_rng(4).standard_normal((4, 64)).astype(np.float32)
    out, wanted = np.zeros(64, np.float32), np.zeros(64, np.float32)
    summing_kernel.compile(x, out, 64, BLOCK=32, grid=(8,)).run(x, out, checks=False)
    for row in x:
        wanted = wanted * np.float32(0.5) + row
    np.testing.assert_array_equal(out, wanted)
    assert axes_of(summing_kernel.trace(x, out, 64, BLOCK=32, grid=(8,)).module) == (8,)
