"""Sums over rows, which lie across memory, against NumPy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def columns(x_ptr, y_ptr, M, N, ROWS: tl.constexpr, COLUMNS: tl.constexpr, SQUARES: tl.constexpr):
    c = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros((COLUMNS,), tl.float32)
    for first in range(0, M, ROWS):
        r = first + tl.arange(0, ROWS)
        x = tl.load(x_ptr + r[:, None] * N + c[None, :], mask=(r[:, None] < M) & (c[None, :] < N), other=0.0)
        x = x.to(tl.float32)
        if SQUARES:
            x = x * x
        total += tl.sum(x, axis=0)
    tl.store(y_ptr + c, total, mask=c < N)


def check_columns(m: int, n: int, rows: int, dtype: type, squares: bool, target: str, seed: int = 0) -> Any:
    x = np.random.default_rng([m, n, seed]).standard_normal((m, n)).astype(dtype)
    y = np.zeros(n, np.float32)
    meta: dict[str, Any] = {"ROWS": rows, "COLUMNS": 64, "SQUARES": squares}
    compiled = columns.compile(x, y, m, n, grid=(-(-n // 64),), target=target, **meta)
    result = compiled.run(x, y, m, n, **meta)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(y, (wide * wide if squares else wide).sum(0), rtol=1e-5, atol=1e-4)
    return result


@settings(max_examples=12)
@given(
    st.sampled_from([1, 31, 64, 200, 1025]),
    st.sampled_from([1, 64, 100, 640]),
    st.sampled_from([16, 32, 128]),
    st.sampled_from([np.float32, ml_dtypes.bfloat16]),
    st.booleans(),
    st.integers(0, 99),
)
def test_columns(m: int, n: int, rows: int, dtype: type, squares: bool, seed: int) -> None:
    check_columns(m, n, rows, dtype, squares, "trn1", seed)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("squares", [False, True])
def test_the_array_adds_up(target: str, squares: bool) -> None:
    """What no other engine adds up, over partitions, the Tensor engine does. None of the 32 blocks of what is read is
    turned; sums may be, which are stored as a row then."""
    result = check_columns(1024, 512, 32, np.float32, squares, target)
    names = Counter(span.name for span in result.timeline)
    assert names["multiply_moving"] and not names["tensor_reduce"] and names["nc_transpose"] <= 512 // 128


@pytest.mark.parametrize("where", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(where: float) -> None:
    x, y = np.ones((64, 128), np.float32), np.zeros(128, np.float32)
    x[40, 70] = where
    columns[(2,)](x, y, 64, 128, ROWS=32, COLUMNS=64, SQUARES=False)
    np.testing.assert_equal(y, x.sum(0))


@nki_mlir.jit
def weighted(x_ptr, w_ptr, y_ptr, M, N, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """A sum of rows, each times a number."""
    r, c = tl.arange(0, ROWS), tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    x = tl.load(x_ptr + r[:, None] * N + c[None, :], mask=(r[:, None] < M) & (c[None, :] < N), other=0.0)
    w = tl.load(w_ptr + r, mask=r < M, other=0.0)
    tl.store(y_ptr + c, tl.sum(w[:, None] * x.to(tl.float32), axis=0), mask=c < N)


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize(("m", "n"), [(128, 256), (97, 130)])
def test_weighted_rows(m: int, n: int, dtype: type) -> None:
    rng = np.random.default_rng([m, n])
    x, w = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal(m).astype(np.float32)
    y = np.zeros(n, np.float32)
    meta: dict[str, Any] = {"ROWS": 128, "COLUMNS": 128}
    compiled = weighted.compile(x, w, y, m, n, grid=(-(-n // 128),), **meta)
    result = compiled.run(x, w, y, m, n, **meta)
    np.testing.assert_allclose(y, (w[:, None] * x.astype(np.float64)).sum(0), rtol=1e-5, atol=1e-4)
    assert "nc_transpose" not in {span.name for span in result.timeline}
