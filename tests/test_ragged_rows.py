"""Programs whose blocks are rows of one array that ends within a row."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def sums(x_ptr, sums_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=0.0).to(tl.float32)
    tl.store(sums_ptr + tl.program_id(0), tl.sum(x))


@nki_mlir.jit
def less_its_mean(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, x - tl.sum(x) / BLOCK, mask=at < n)


@nki_mlir.jit
def running_sums(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=0.0).to(tl.float32)
    tl.store(y_ptr + at, tl.cumsum(x), mask=at < n)


def rows(x: np.ndarray, block: int) -> np.ndarray:
    padded = np.zeros(-(-x.size // block) * block)
    padded[: x.size] = x
    return padded.reshape(-1, block)


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize(("n", "block"), [(1000, 64), (9001, 128), (129 * 64 - 63, 64), (50, 64), (40_003, 256)])
def test_rows_that_end_within_one(n: int, block: int, dtype: type) -> None:
    rng = np.random.default_rng(n + block)
    x = (3 * rng.standard_normal(n)).astype(dtype)
    whole = rows(x, block)
    grid, scale = (len(whole),), np.abs(whole).sum(1).max()

    found = np.full(len(whole), np.nan, np.float32)
    sums[grid](x, found, n, BLOCK=block)
    assert np.abs(found - whole.sum(1)).max() < 1e-5 * scale

    for kernel, wanted in ((less_its_mean, whole - whole.mean(1, keepdims=True)), (running_sums, whole.cumsum(1))):
        y = np.full(n, np.nan, np.float32)
        kernel[grid](x, y, n, BLOCK=block)
        assert np.abs(y - wanted.ravel()[:n]).max() < 1e-5 * scale


def test_ragged_rows_are_few_transfers() -> None:
    """The last row apart, all are moved together, not element by element."""
    x, found = np.ones(40_003, np.float32), np.empty(157, np.float32)
    compiled = sums.compile(x, found, 40_003, BLOCK=256, grid=(157,))
    assert compiled.run(x, found, 40_003, BLOCK=256).instructions < 20


@nki_mlir.jit
def chosen_column(x_ptr, number_ptr, y_ptr, n, BLOCK: tl.constexpr):
    rows, one = tl.arange(0, BLOCK)[:, None], tl.arange(0, 1)
    is_chosen = (tl.load(number_ptr + one) != -100)[None, :]
    at = rows + one[None, :]
    x = tl.load(x_ptr + at, mask=rows < n, other=0.0)
    tl.store(y_ptr + at, x + 1.0, mask=(rows < n) & is_chosen)
    tl.store(y_ptr + n, 7.0)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("number", [3, -100])
def test_one_loaded_number_says_whether_all_rows_are_stored(number: int, dtype: type) -> None:
    x, y = np.random.default_rng(5).standard_normal(100).astype(np.float32), np.zeros(101, np.float32)
    chosen_column[(1,)](x, np.array([number], dtype), y, 100, BLOCK=128)
    np.testing.assert_allclose(y, [*(0 * x if number == -100 else x + 1), 7], rtol=1e-6)
