"""Block pointers: what they load and store, at every level, against NumPy; how loops carry them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, run

import nki_mlir
import nki_mlir.language as tl


def block(x: np.ndarray, start: tuple[int, ...], size: tuple[int, ...], fill: float = 0.0) -> np.ndarray:
    """The block of an array that begins at `start`, with `fill` where it is outside."""
    found = np.full(size, fill, x.dtype)
    places = [range(max(0, -s), min(n, m - s)) for s, n, m in zip(start, size, x.shape, strict=True)]
    if all(places):
        inner = tuple(slice(p.start, p.stop) for p in places)
        found[inner] = x[tuple(slice(s + p.start, s + p.stop) for s, p in zip(start, places, strict=True))]
    return found


@nki_mlir.jit
def copy_kernel(x, out, M, N, di, dj, PAD: tl.constexpr, CHECK: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    source = tl.make_block_ptr(x, (M, N), (N, 1), (i * BM + di, j * BN + dj), (BM, BN), (1, 0))
    value = tl.load(source, boundary_check=CHECK, padding_option=PAD)
    width = tl.num_programs(1) * BN
    target = tl.make_block_ptr(out, (0, 0), (width, 1), (i * BM, j * BN), (BM, BN), (1, 0))
    tl.store(target, value + 1)


@pytest.mark.parametrize("pad, di, dj", [("zero", 0, 0), ("nan", -5, 3), (None, -17, -40), ("nan", 40, 0)])
def test_blocks_that_leave_the_array(pad: Any, di: int, dj: int) -> None:
    x, out = floats(37, 53), np.zeros((48, 64), np.float32)
    (_, result) = run(copy_kernel, x, out, 37, 53, di, dj, grid=(3, 2), PAD=pad, CHECK=(0, 1), BM=16, BN=32)
    expected = block(x, (di, dj), (48, 64), np.nan if pad == "nan" else 0) + 1
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("check", [[0], (1,), (1, 0), 0])
def test_only_the_dimensions_named_are_checked(check: Any) -> None:
    """The dimensions that are not checked lie inside of the array here."""
    x, out = floats(37, 64), np.zeros((48, 64), np.float32)
    rows = 0 in (check if isinstance(check, tuple | list) else (check,))
    di, grid = (3, (3, 2)) if rows else (0, (2, 2))
    (_, result) = run(copy_kernel, x, out, 37, 64, di, 0, grid=grid, PAD="zero", CHECK=check, BM=16, BN=32)
    expected = block(x, (di, 0), (16 * grid[0], 64)) + 1
    np.testing.assert_array_equal(result[: 16 * grid[0]], expected)


@nki_mlir.jit
def shift_kernel(x, out, M, N, BM: tl.constexpr, BN: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    source = tl.make_block_ptr(x, (M, N), (N, 1), (i * BM, j * BN), (BM, BN), (1, 0))
    target = tl.make_block_ptr(out, (M, N), (N, 1), (i * BM - 2, j * BN + 3), (BM, BN), (1, 0))
    target.store(source.load(boundary_check=(0, 1)), boundary_check=(0, 1))


def test_stores_write_only_what_is_inside() -> None:
    x, out = floats(21, 29), floats(21, 29, seed=1)
    expected = out.copy()
    # Rows that the source lacks are zeros, and reach rows of the target that lie two above them.
    padded = np.zeros((32, 32), np.float32)
    padded[:21, :29] = x
    expected[:, 3:] = padded[2:23, :26]
    (_, result) = run(shift_kernel, x, out, 21, 29, grid=(2, 2), BM=16, BN=16)
    np.testing.assert_array_equal(result, expected)


@nki_mlir.jit
def transposed_kernel(x, out, M, N, B: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    source = tl.make_block_ptr(x, (N, M), (1, N), (j * B, i * B), (B, B), (0, 1))
    target = tl.make_block_ptr(
        out, shape=(N, M), strides=(M, 1), offsets=(j * B, i * B), block_shape=(B, B), order=(1, 0)
    )
    tl.store(target, tl.load(source, boundary_check=(0, 1)), boundary_check=(0, 1))


def test_strides_of_a_transposed_array() -> None:
    x, out = floats(21, 29), np.zeros((29, 21), np.float32)
    (_, result) = run(transposed_kernel, x, out, 21, 29, grid=(2, 2), B=16)
    np.testing.assert_array_equal(result, x.T)


@nki_mlir.jit
def line_kernel(x, out, N, B: tl.constexpr):
    source = tl.make_block_ptr(x, (N,), (1,), (tl.program_id(0) * B,), (B,), (0,))
    target = tl.make_block_ptr(out, N, 1, tl.program_id(0) * B, B, 0)
    tl.store(target, tl.load(source, boundary_check=(0,)) * 2, boundary_check=(0,))


@nki_mlir.jit
def cube_kernel(x, out, A, M, N, B: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    source = tl.make_block_ptr(x, (A, M, N), (M * N, N, 1), (0, i * B, j * B), (4, B, B), (2, 1, 0))
    target = tl.make_block_ptr(out, (A, M, N), (M * N, N, 1), (0, i * B, j * B), (4, B, B), (2, 1, 0))
    tl.store(target, tl.load(source, boundary_check=(0, 1, 2)) * 2, boundary_check=(0, 1, 2))


@nki_mlir.jit
def five_kernel(x, out, A, B, C, D, E):
    source = tl.make_block_ptr(
        x, (A, B, C, D, E), (B * C * D * E, C * D * E, D * E, E, 1), (-1, 0, 0, 1, 0), (4, 2, 4, 2, 8), (4, 3, 2, 1, 0)
    )
    target = tl.make_block_ptr(
        out, (4, 2, 4, 2, 8), (128, 64, 16, 8, 1), (0, 0, 0, 0, 0), (4, 2, 4, 2, 8), (4, 3, 2, 1, 0)
    )
    tl.store(target, tl.load(source, boundary_check=(0, 1, 2, 3, 4)))


def test_blocks_of_any_rank() -> None:
    x = floats(37)
    np.testing.assert_array_equal(run(line_kernel, x, np.zeros_like(x), 37, grid=(3,), B=16)[1], 2 * x)
    x = floats(3, 11, 13)
    np.testing.assert_array_equal(run(cube_kernel, x, np.zeros_like(x), 3, 11, 13, grid=(2, 2), B=8)[1], 2 * x)
    x, out = floats(2, 2, 3, 2, 5), np.zeros((4, 2, 4, 2, 8), np.float32)
    result = run(five_kernel, x, out, 2, 2, 3, 2, 5)[1]
    np.testing.assert_array_equal(result, block(x, (-1, 0, 0, 1, 0), (4, 2, 4, 2, 8)))


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, ml_dtypes.bfloat16])
def test_element_types(dtype: Any) -> None:
    kind = np.dtype(dtype).kind
    x = integers(37, dtype, low=-60 if kind == "i" else 0, high=60) if kind in "iu" else floats(37).astype(dtype)
    result = run(line_kernel, x, np.zeros_like(x), 37, grid=(3,), B=16)[1]
    np.testing.assert_array_equal(result, (x * 2).astype(dtype))


# Loops.
@nki_mlir.jit
def matmul_kernel(x, y, out, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    p = tl.make_block_ptr(x, (M, K), (K, 1), (i * BM, 0), (BM, BK), (1, 0))
    q = tl.make_block_ptr(y, (K, N), (N, 1), (0, j * BN), (BK, BN), (1, 0))
    r = tl.make_block_ptr(out, (M, N), (N, 1), (i * BM, j * BN), (BM, BN), (1, 0))
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K, BK):
        acc += tl.dot(tl.load(p, boundary_check=(0, 1)), tl.load(q, boundary_check=(0, 1)))
        p = tl.advance(p, (0, BK))
        q = tl.advance(q, (BK, 0))
    tl.store(r, acc.to(r.dtype.element_ty), boundary_check=(0, 1))


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
def test_product_of_blocks(dtype: Any) -> None:
    x, y = floats(21, 40).astype(dtype), floats(40, 29, seed=1).astype(dtype)
    out = np.zeros((21, 29), dtype)
    result = run(matmul_kernel, x, y, out, 21, 29, 40, grid=(2, 1), rtol=2e-2, BM=16, BN=32, BK=16)[2]
    expected = x.astype(np.float32) @ y.astype(np.float32)
    tolerance = 1e-4 if dtype is np.float32 else 2e-2
    np.testing.assert_allclose(result.astype(np.float32), expected, rtol=tolerance, atol=5 * tolerance)


def _steps(module: Any) -> list[int]:
    """How many values each loop carries."""
    return [len(op.iter_args) for op in module.walk() if op.name == "scf.for"]


@nki_mlir.jit
def walk_kernel(x, out, N, B: tl.constexpr, TWICE: tl.constexpr):
    p = tl.make_block_ptr(x, (N,), (1,), (-B,), (B,), (0,))
    same = tl.make_block_ptr(x, (N,), (1,), (3,), (B,), (0,))
    acc = tl.zeros((B,), tl.float32)
    for k in range(3):
        p = tl.advance(p, (B // 2,))
        acc += tl.load(p, boundary_check=(0,)) * (k + 1)
        if TWICE:
            p = tl.advance(p, (B // 2,))
        else:
            same = same.advance((0,))
        acc += tl.load(same, boundary_check=(0,))
    acc += 10 * tl.load(p, boundary_check=(0,))
    tl.store(out + tl.arange(0, B), acc)


@pytest.mark.parametrize("twice", [True, False])
def test_several_advances_in_a_body_and_reads_after_the_loop(twice: bool) -> None:
    x, out = floats(37), np.zeros(16, np.float32)
    result = run(walk_kernel, x, out, 37, rtol=1e-6, B=16, TWICE=twice)[1]
    expected, at = np.zeros(16, np.float32), -16
    for k in range(3):
        at += 8
        expected += block(x, (at,), (16,)) * (k + 1)
        at += 8 if twice else 0
        expected += block(x, (3,), (16,))
    np.testing.assert_allclose(result, expected + 10 * block(x, (at,), (16,)), rtol=1e-5, atol=1e-5)
    module = walk_kernel.trace(x, out, 37, B=16, TWICE=twice, grid=(1,)).module
    assert _steps(module) == [2], "the accumulator, and the one offset that changes"


@nki_mlir.jit
def nested_kernel(x, out, M, N, B: tl.constexpr):
    p = tl.make_block_ptr(x, (M, N), (N, 1), (0, 0), (B, B), (1, 0))
    acc = tl.zeros((B, B), tl.float32)
    for i in range(0, M, B):
        for j in range(0, N, B):
            acc += tl.load(p, boundary_check=(0, 1)) * (i - j)
            p = tl.advance(p, (0, B))
        p = tl.advance(p, (B, -tl.cdiv(N, B) * B))
    tl.store(out + tl.arange(0, B)[:, None] * B + tl.arange(0, B)[None, :], acc)


def test_nested_loops_advance_one_pointer() -> None:
    x, out = floats(21, 37), np.zeros((8, 8), np.float32)
    result = run(nested_kernel, x, out, 21, 37, rtol=1e-5, B=8)[1]
    expected = sum(block(x, (i, j), (8, 8)) * (i - j) for i in range(0, 21, 8) for j in range(0, 37, 8))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)
    assert _steps(nested_kernel.trace(x, out, 21, 37, B=8, grid=(1,)).module) == [3, 3]


@nki_mlir.jit
def anew_kernel(x, out, N, B: tl.constexpr):
    p = tl.make_block_ptr(out, (N,), (1,), (0,), (B,), (0,))
    acc = tl.load(p, boundary_check=(0,))
    for k in range(0, N, B):
        p = tl.make_block_ptr(x, (N,), (1,), (k,), (B,), (0,))
        acc += tl.load(p, boundary_check=(0,))
    p = tl.make_block_ptr(out, (N,), (1,), (0,), (B,), (0,))
    tl.store(p, acc, boundary_check=(0,))


def test_a_pointer_made_in_each_iteration() -> None:
    x, out = floats(37), floats(37, seed=1)
    result = run(anew_kernel, x, out, 37, rtol=1e-5, B=16)[1]
    expected = out.copy()
    expected[:16] += sum(block(x, (k,), (16,)) for k in range(0, 37, 16))
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def unrolled_kernel(x, out, N, B: tl.constexpr):
    p = tl.make_block_ptr(x, (N,), (1,), (0,), (B,), (0,))
    r = tl.make_block_ptr(out, (N,), (1,), (0,), (B,), (0,))
    for _ in tl.static_range(3):
        tl.store(r, tl.load(p, boundary_check=(0,)) + 1, boundary_check=(0,))
        p, r = tl.advance(p, (B,)), tl.advance(r, (B,))


def test_unrolled_loops() -> None:
    x = floats(37)
    np.testing.assert_array_equal(run(unrolled_kernel, x, np.zeros_like(x), 37, B=16)[1], x + 1)


@nki_mlir.jit
def helper(p, STEP: tl.constexpr):
    return tl.load(p, boundary_check=(0,)), tl.advance(p, (STEP,))


@nki_mlir.jit
def through_helper_kernel(x, out, N, B: tl.constexpr):
    p = tl.make_block_ptr(x, (N,), (1,), (0,), (B,), (0,))
    acc = tl.zeros((B,), tl.float32)
    for _ in range(3):
        value, p = helper(p, B)
        acc += value
    tl.store(out + tl.arange(0, B), acc)


def test_helpers_take_and_give_block_pointers() -> None:
    x, out = floats(37), np.zeros(16, np.float32)
    result = run(through_helper_kernel, x, out, 37, rtol=1e-5, B=16)[1]
    np.testing.assert_allclose(result, sum(block(x, (k,), (16,)) for k in (0, 16, 32)), rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def branch_kernel(x, out, N, B: tl.constexpr):
    p = tl.make_block_ptr(x, (N,), (1,), (0,), (B,), (0,))
    if tl.program_id(0) > 1:
        p = tl.advance(p, (5,))
    tl.store(out + tl.program_id(0) * B + tl.arange(0, B), tl.load(p, boundary_check=(0,)))


def test_a_run_time_branch_gives_offsets() -> None:
    module = branch_kernel.trace(floats(37), floats(4, 16), 37, B=16, grid=(4,)).module
    (branch,) = [op for op in module.walk() if op.name == "scf.if"]
    assert [str(result.type) for result in branch.results] == ["index"]


@nki_mlir.jit
def loaded_kernel(x, where, out, N, B: tl.constexpr):
    start = tl.load(where + tl.program_id(0))
    p = tl.make_block_ptr(x, (N,), (1,), (start,), (B,), (0,))
    tl.store(out + tl.program_id(0) * B + tl.arange(0, B), tl.load(p, boundary_check=(0,)))


def test_offsets_that_are_loaded() -> None:
    x, where, out = floats(37), np.array([5, -3, 30, 99], np.int32), np.zeros((4, 16), np.float32)
    result = run(loaded_kernel, x, where, out, 37, grid=(4,), B=16)[2]
    np.testing.assert_array_equal(result, np.stack([block(x, (int(s),), (16,)) for s in where]))
