"""Triton's functions along a dimension, as kernels call them, against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, run

import nki_mlir
import nki_mlir.language as tl

BF16 = ml_dtypes.bfloat16


@nki_mlir.jit
def places_kernel(x_ptr, max_ptr, at_ptr, min_ptr, all_ptr, M: tl.constexpr, N: tl.constexpr):
    i, j = tl.arange(0, M), tl.arange(0, N)
    x = tl.load(x_ptr + i[:, None] * N + j[None, :])
    largest, at = tl.max(x, 1, return_indices=True)
    tl.store(max_ptr + i, largest)
    tl.store(at_ptr + i, at + tl.argmax(x, axis=-1))
    tl.store(min_ptr + j[None, :], tl.argmin(x, 0, keep_dims=True))
    _, place = tl.min(x, return_indices=True)
    tl.store(all_ptr, place)


@pytest.mark.parametrize("dtype", [np.float32, BF16, np.int32, np.uint8], ids=lambda t: np.dtype(t).name)
def test_where_the_largest_and_the_smallest_are(dtype: Any) -> None:
    """Of several, the first; small numbers so that there are several."""
    x = np.random.default_rng(0).integers(0, 9, (8, 64)).astype(dtype)
    zeros = [np.zeros(8, dtype), np.zeros(8, np.int32), np.zeros(64, np.int32), np.zeros(1, np.int32)]
    _, largest, at, lowest, first = run(places_kernel, x, *zeros, M=8, N=64)
    wide = x.astype(np.float64)
    np.testing.assert_array_equal(largest.astype(np.float64), wide.max(1))
    np.testing.assert_array_equal(at, 2 * wide.argmax(1))
    np.testing.assert_array_equal(lowest, wide.argmin(0))
    assert first[0] == wide.argmin()


def test_nan_is_no_largest_element() -> None:
    x = floats(8, 64)
    x[:, 3], x[5] = np.nan, np.nan
    zeros = [np.zeros(8, np.float32), np.zeros(8, np.int32), np.zeros(64, np.int32), np.zeros(1, np.int32)]
    _, largest, at, _, _ = run(places_kernel, x, *zeros, M=8, N=64)
    rows = np.arange(8) != 5
    np.testing.assert_array_equal(largest[rows], np.nanmax(x[rows], axis=1))
    np.testing.assert_array_equal(at[rows], 2 * np.nanargmax(x[rows], axis=1))
    assert np.isnan(largest[5]) and 0 <= at[5] < 128


@nki_mlir.jit
def places_of_rows(x_ptr, top_ptr, low_ptr, n, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    x = tl.load(x_ptr + row * n + j, mask=j < n, other=-float("inf"))
    tl.store(top_ptr + row, tl.argmax(x, 0))
    x = tl.load(x_ptr + row * n + j, mask=j < n, other=float("inf"))
    tl.store(low_ptr + row, tl.argmin(x, 0))


@pytest.mark.parametrize("dtype", [np.float32, BF16], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (130, 37), (64, 100)])
def test_places_in_rows_of_any_numbers(rows: int, columns: int, dtype: Any) -> None:
    """Of equal numbers, infinities and zeros of both signs among them, the first; NaN is none of them."""
    numbers = np.random.default_rng(3)
    x = np.round(numbers.standard_normal((rows, columns)) * 2).astype(np.float32)
    x[numbers.random(x.shape) < 0.1] = np.nan
    x[numbers.random(x.shape) < 0.05] = np.inf
    x[numbers.random(x.shape) < 0.05] = -np.inf
    x[x == 0] *= numbers.choice([-1.0, 1.0], int((x == 0).sum()))
    x[:, 3] = np.where(np.isnan(x[:, 3]), 1, x[:, 3])
    zeros = [np.zeros(rows, np.int32), np.zeros(rows, np.int32)]
    block = 1 << (columns - 1).bit_length()
    _, top, low = run(places_of_rows, x.astype(dtype), *zeros, columns, grid=(rows,), B=block)
    np.testing.assert_array_equal(top, np.nanargmax(x, axis=1))
    np.testing.assert_array_equal(low, np.nanargmin(x, axis=1))


@nki_mlir.jit
def add(a, b):
    return a + b


@nki_mlir.jit
def largest(a, b):
    return tl.where(a > b, a, b)


@nki_mlir.jit
def smallest(a, b):
    return tl.where(b <= a, b, a)


@nki_mlir.jit
def recurrence(a1, b1, a2, b2):
    return a1 * a2, a2 * b1 + b2


@nki_mlir.jit
def combine_kernel(x_ptr, a_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    x, a = tl.load(x_ptr + at), tl.load(a_ptr + at)
    scanned = tl.associative_scan(x, 1, add) + tl.associative_scan(x, 1, largest, reverse=True)
    products, h = tl.associative_scan((a, x), axis=1, combine_fn=recurrence)
    total = tl.reduce(x, 1, add, keep_dims=True) + tl.reduce(x, 0, smallest)[None, :] + tl.reduce(x, None, tl.maximum)
    tl.store(out_ptr + at, scanned + products + h + total)


def test_combine_functions() -> None:
    x, a = floats(8, 32), np.random.default_rng(1).uniform(0.5, 1, (8, 32)).astype(np.float32)
    _, _, out = run(combine_kernel, x, a, np.zeros_like(x), M=8, N=32, rtol=1e-5)
    wide = x.astype(np.float64)
    h = np.zeros_like(wide)
    for column in range(32):
        h[:, column] = a[:, column] * h[:, column - 1] * (column > 0) + wide[:, column]
    expected = np.cumsum(wide, 1) + np.maximum.accumulate(wide[:, ::-1], axis=1)[:, ::-1]
    expected += np.cumprod(a, 1) + h + wide.sum(1, keepdims=True) + wide.min(0) + wide.max()
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def scans_kernel(x_ptr, i_ptr, out_ptr, ints_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    x, i = tl.load(x_ptr + at), tl.load(i_ptr + at)
    tl.store(out_ptr + at, tl.cumsum(x, 0) + x.cumsum(reverse=True) + tl.cumprod(x) + tl.flip(x) + x.flip(0))
    bits = tl.xor_sum(i) + tl.xor_sum(i, axis=0) + tl.reduce_or(i, 0)
    tl.store(ints_ptr + at, tl.cumsum(i) + tl.cumsum(at) + tl.flip(at) + bits)


def test_scans_and_bits() -> None:
    x = np.random.default_rng(0).uniform(0.5, 1.5, 64).astype(BF16)
    i = integers(64, np.int32)
    _, _, out, ints = run(scans_kernel, x, i, np.zeros(64, np.float32), np.zeros(64, np.int32), N=64, rtol=1e-5)
    w = x.astype(np.float64)
    expected = np.cumsum(w) + np.cumsum(w[::-1])[::-1] + np.cumprod(w) + 2 * w[::-1]
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    at = np.arange(64, dtype=np.int32)
    bits = 2 * np.bitwise_xor.reduce(i) + np.bitwise_or.reduce(i)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(
            ints, np.cumsum(i, dtype=np.int32) + np.cumsum(at, dtype=np.int32) + at[::-1] + bits
        )


@nki_mlir.jit
def pairs_kernel(x_ptr, y_ptr, out_ptr, halves_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    x, y = tl.load(x_ptr + at), tl.load(y_ptr + at)
    both = tl.join(x, y)
    tl.store(out_ptr + tl.arange(0, 2 * N), tl.interleave(x, y))
    tl.store(out_ptr + 2 * N + tl.arange(0, 2 * N), tl.cat(x, y, can_reorder=True))
    left, right = tl.split(both)
    tl.store(halves_ptr + at, left)
    tl.store(halves_ptr + N + at, right)
    again, _ = tl.split(tl.reshape(tl.interleave(y, x), (N, 2)))
    tl.store(halves_ptr + 2 * N + at, tl.squeeze(tl.unsqueeze(again, 0), 0))


@pytest.mark.parametrize("dtype", [np.float32, BF16, np.int32], ids=lambda t: np.dtype(t).name)
def test_pairs(dtype: Any) -> None:
    x, y = (integers(32, np.int32, s) if dtype is np.int32 else floats(32, seed=s).astype(dtype) for s in (0, 1))
    if dtype is np.float32:
        x[:3], y[:3] = [np.nan, np.inf, -0.0], [-np.inf, np.nan, 0.0]
    _, _, out, halves = run(pairs_kernel, x, y, np.zeros(128, dtype), np.zeros(96, dtype), N=32)
    np.testing.assert_array_equal(out, np.concatenate([np.stack([x, y], 1).ravel(), x, y]))
    np.testing.assert_array_equal(halves, np.concatenate([x, y, y]))
    if dtype is np.float32:
        np.testing.assert_array_equal(np.signbit(halves[:3]), np.signbit(x[:3]))


@nki_mlir.jit
def stacked_kernel(x_ptr, y_ptr, out_ptr, KIND: tl.constexpr, N: tl.constexpr):
    x, y = tl.load(x_ptr + tl.arange(0, N)), tl.load(y_ptr + tl.arange(0, N))
    if KIND == "cat":
        stacked = tl.cat(x, y, can_reorder=True)
    elif KIND == "interleave":
        stacked = tl.interleave(x, y)
    else:
        stacked = tl.reshape(tl.trans(tl.join(y, x)), (2 * N,))
    tl.store(out_ptr + tl.arange(0, 2 * N), stacked)


@pytest.mark.parametrize("size", [2, 16, 64, 256, 1024])
@pytest.mark.parametrize("kind", ["cat", "interleave", "join"])
def test_one_pair(kind: str, size: int) -> None:
    """The places of a pair lie on the partitions, beside those of the elements."""
    x, y = floats(size), floats(size, seed=1)
    *_, out = run(stacked_kernel, x, y, np.zeros(2 * size, np.float32), KIND=kind, N=size, levels=size == 16)
    expected = {"cat": [x, y], "join": [y, x], "interleave": [np.stack([x, y], 1).ravel()]}
    np.testing.assert_array_equal(out, np.concatenate(expected[kind]))


@nki_mlir.jit
def bits_kernel(x_ptr, out_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    bits = tl.load(x_ptr + at).to(tl.int32, bitcast=True)
    positive = (bits & 0x7FFFFFFF).to(tl.float32, bitcast=True)
    low = positive.to(tl.bfloat16, fp_downcast_rounding="rtne").to(tl.int16, bitcast=True).to(tl.bfloat16, bitcast=True)
    tl.store(out_ptr + at, low)


def test_bitcasts() -> None:
    x = floats(64)
    _, out = run(bits_kernel, x, np.zeros(64, np.float32), N=64)
    np.testing.assert_array_equal(out, np.abs(x).astype(BF16).astype(np.float32))


@nki_mlir.jit
def swizzle_kernel(out_ptr, M: tl.constexpr, N: tl.constexpr, G: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    row, column = tl.swizzle2d(i, j, M, N, G)
    tl.store(out_ptr + i * N + j, row * 100 + column)


def test_swizzle2d() -> None:
    (out,) = run(swizzle_kernel, np.zeros((5, 4), np.int32), grid=(5, 4), M=5, N=4, G=2, levels=False)
    expected = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)]
    assert [tuple(divmod(int(v), 100)) for v in out.ravel()[:8]] == expected
    assert sorted(out.ravel()) == sorted(100 * r + c for r in range(5) for c in range(4))
    assert [tuple(divmod(int(v), 100)) for v in out.ravel()[16:]] == [(4, 0), (4, 1), (4, 2), (4, 3)]


@nki_mlir.jit
def both(a, b):
    return a & b


@nki_mlir.jit
def truths_kernel(x_ptr, out_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    positive = tl.load(x_ptr + at) > -1.5
    so_far = tl.associative_scan(positive, 0, both)
    everywhere = tl.reduce(positive, 0, both)
    tl.store(out_ptr + at, so_far.to(tl.int32) + 2 * everywhere.to(tl.int32) + 4 * tl.flip(so_far).to(tl.int32))


@pytest.mark.parametrize("low", [-2.0, -1.0])
def test_truth_values(low: float) -> None:
    x = np.maximum(floats(64), np.float32(low))
    x[40] = low
    _, out = run(truths_kernel, x, np.zeros(64, np.int32), N=64)
    so_far = np.logical_and.accumulate(x > -1.5)
    np.testing.assert_array_equal(out, so_far + 2 * np.all(x > -1.5) + 4 * so_far[::-1])


@nki_mlir.jit
def matvec(a_ptr, x_ptr, y_ptr, M, K, BM: tl.constexpr, BK: tl.constexpr):
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    acc = tl.zeros([BM], tl.float32)
    for k in range(0, K, BK):
        columns = k + tl.arange(0, BK)
        mask = (rows[:, None] < M) & (columns[None, :] < K)
        a = tl.load(a_ptr + rows[:, None] * K + columns[None, :], mask=mask, other=0.0)
        x = tl.load(x_ptr + columns, mask=columns < K, other=0.0)
        acc += tl.sum(a.to(tl.float32) * x.to(tl.float32)[None, :], 1)
    tl.store(y_ptr + rows, acc, mask=rows < M)


@pytest.mark.parametrize(
    ("rows", "columns", "dtype"), [(256, 1024, BF16), (203, 700, np.float32), (520, 1111, BF16), (40, 512, np.float32)]
)
def test_a_matrix_times_a_vector(rows: int, columns: int, dtype: Any) -> None:
    """Blocks of columns are read several at a time; a row with an infinity, and one with a NaN, keep these."""
    a, x = floats(rows, columns).astype(dtype), floats(columns, seed=1).astype(dtype)
    x[3] = 1.5
    a[5, 3], a[7, columns - 1] = np.inf, np.nan
    y = np.zeros(rows, np.float32)
    *_, found = run(matvec, a, x, y, rows, columns, grid=(-(-rows // 16),), rtol=1e-4, BM=16, BK=128)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, a.astype(float) @ x.astype(float), rtol=1e-4, atol=1e-3)
