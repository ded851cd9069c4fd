"""Loops that go through rows and add something up, and programs that all add to one place, against NumPy."""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline

Array = np.ndarray[Any, Any]


@nki_mlir.jit
def rows_and_sums(
    x_ptr, w_ptr, y_ptr, sum_ptr, most_ptr, stats_ptr, rows, columns, SHARE: tl.constexpr, BLOCK: tl.constexpr
):
    """Each program scales its share of the rows by w, and finds their sum, their maximum and the sum of all squares."""
    pid, c = tl.program_id(0), tl.arange(0, BLOCK)
    inside = c < columns
    w = tl.load(w_ptr + c, mask=inside, other=0.0)
    total = tl.zeros((BLOCK,), tl.float32)
    most = tl.full((BLOCK,), float("-inf"), tl.float32)
    squares = 0.0
    for row in range(pid * SHARE, min((pid + 1) * SHARE, rows)):
        x = tl.load(x_ptr + row * columns + c, mask=inside, other=0.0).to(tl.float32)
        tl.store(y_ptr + row * columns + c, (x * w).to(y_ptr.dtype.element_ty), mask=inside)
        total += x * w
        total += x
        most = tl.maximum(most, x)
        squares += tl.sum(x * x, axis=0)
    tl.store(sum_ptr + pid * columns + c, total, mask=inside)
    tl.store(most_ptr + pid * columns + c, most, mask=inside)
    tl.store(stats_ptr + pid, squares)


def check_rows(rows: int, columns: int, share: int, dtype: type, seed: int, target: str = "trn1") -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, columns)).astype(dtype)
    w = rng.standard_normal(columns).astype(np.float32)
    programs = -(-rows // share)
    y, sums, most = (
        np.zeros_like(x),
        np.zeros((programs, columns), np.float32),
        np.zeros((programs, columns), np.float32),
    )
    stats = np.zeros(programs, np.float32)
    arguments = (x, w, y, sums, most, stats, rows, columns)
    meta: dict[str, Any] = {"SHARE": share, "BLOCK": 1 << (columns - 1).bit_length()}
    compiled = rows_and_sums.compile(*arguments, grid=(programs,), target=target, **meta)
    result = compiled.run(*arguments, **meta)
    wide = x.astype(np.float32)
    tolerance = 2**-7 if dtype is ml_dtypes.bfloat16 else 1e-5
    np.testing.assert_allclose(y.astype(np.float32), wide * w, rtol=tolerance, atol=1e-6)
    for n in range(programs):
        mine = wide[n * share : (n + 1) * share].astype(np.float64)
        np.testing.assert_allclose(sums[n], (mine * w + mine).sum(0), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(most[n], mine.max(0))
        np.testing.assert_allclose(stats[n], (mine**2).sum(), rtol=1e-5)
    return result


@settings(max_examples=12)
@given(
    st.sampled_from([1, 2, 3, 37, 128, 131, 260]),
    st.sampled_from([1, 7, 100, 515]),
    st.sampled_from([1, 2, 50, 512]),
    st.sampled_from([np.float32, ml_dtypes.bfloat16]),
    st.integers(0, 99),
)
def test_rows_and_sums(rows: int, columns: int, share: int, dtype: type, seed: int) -> None:
    check_rows(rows, columns, share, dtype, seed)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
def test_a_program_has_its_rows_on_all_partitions(target: str) -> None:
    """256 rows of two programs in a few instructions each, not in one or more a row."""
    result = check_rows(512, 512, 256, np.float32, 0, target)
    assert result.instructions < 512


@nki_mlir.jit
def all_add(x_ptr, sum_ptr, row_ptr, most_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=0)
    tl.atomic_add(sum_ptr, tl.sum(x, axis=0))
    tl.atomic_add(row_ptr + tl.arange(0, BLOCK), x)
    tl.atomic_max(most_ptr, tl.max(x, axis=0))


@functools.cache
def numbers(n: int, name: str, seed: int) -> Array:
    rng = np.random.default_rng([n, seed])
    if name == "int32":
        return rng.integers(-(2**31), 2**31, n).astype(np.int32)
    return rng.standard_normal(n).astype(name)


@example(9000, "int32", 0)
@example(9000, "float32", 0)
@settings(max_examples=12)
@given(st.sampled_from([1, 5, 63, 64, 1000, 9000]), st.sampled_from(["float32", "int32"]), st.integers(0, 99))
def test_all_programs_add_to_one_place(n: int, name: str, seed: int) -> None:
    """What was there counts, whoever adds first; integers wrap."""
    x, block = numbers(n, name, seed), 64
    total, most = np.full(1, 3, x.dtype), np.full(1, -1, x.dtype)
    row = np.arange(block).astype(x.dtype)
    padded = np.zeros(-(-n // block) * block, x.dtype)
    padded[:n] = x
    blocks = padded.reshape(-1, block)
    all_add[(len(blocks),)](x, total, row, most, n, BLOCK=block)
    start = np.arange(block).astype(x.dtype)
    if name == "int32":
        np.testing.assert_array_equal(total, (3 + x.astype(np.int64).sum()).astype(np.int32))
        np.testing.assert_array_equal(row, (start + blocks.astype(np.int64).sum(0)).astype(np.int32))
    else:
        np.testing.assert_allclose(total, 3 + x.astype(np.float64).sum(), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(row, start + blocks.astype(np.float64).sum(0), rtol=1e-5, atol=1e-4)
    assert most[0] == max(padded.max(), -1)


def test_memory_is_updated_once() -> None:
    """Of 64 programs that add to one number, one transfer brings it and one takes it back."""
    x, total = numbers(64 * 256, "float32", 0), np.zeros(1, np.float32)

    @nki_mlir.jit
    def add(x_ptr, sum_ptr, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.atomic_add(sum_ptr, tl.sum(tl.load(x_ptr + at), axis=0))

    compiled = add.compile(x, total, grid=(64,), BLOCK=256)
    text = str(pipeline("lower-to-isa", stop_after="widen-loops")(compiled.module("tile")))
    assert text.count("tile.read %sum_ptr") == 1 and "scf.for" not in text
    assert sum(compiled.run(x, total, BLOCK=256).profile.hbm_bytes) == x.nbytes + 2 * total.nbytes
    np.testing.assert_allclose(total, x.sum(dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize("where", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(where: float) -> None:
    """What is no number spoils its own column alone."""
    x = numbers(64 * 64, "float32", 1).reshape(64, 64).copy()
    x[17, 5] = where
    total, row, most = np.zeros(1, np.float32), np.zeros(64, np.float32), np.full(1, -np.inf, np.float32)
    all_add[(64,)](x, total, row, most, x.size, BLOCK=64)
    np.testing.assert_allclose(row, x.sum(0), rtol=1e-5, atol=1e-4)
    np.testing.assert_equal(total[0], x.sum())


@nki_mlir.jit
def greatest(x_ptr, y_ptr, rows, C: tl.constexpr):
    c = tl.arange(0, C)
    most = tl.load(x_ptr + c)
    for row in range(1, rows):
        most = tl.maximum(most, tl.load(x_ptr + row * C + c))
    tl.store(y_ptr + c, most)


@pytest.mark.parametrize("rows", [2, 5, 130])
def test_columns_of_nan_alone(rows: int) -> None:
    """A maximum ignores NaN, unless there is nothing else."""
    x = np.random.default_rng(rows).standard_normal((rows, 64)).astype(np.float32)
    x[:, 3], x[: rows - 1, 7], x[1:, 9] = np.nan, np.nan, np.nan
    y = np.zeros(64, np.float32)
    greatest[(1,)](x, y, rows, C=64)
    np.testing.assert_array_equal(y, np.fmax.reduce(x, 0))


def test_long_integers() -> None:
    x, total = np.arange(64, dtype=np.int64), np.full(1, 5, np.int64)

    @nki_mlir.jit
    def add(x_ptr, sum_ptr):
        tl.atomic_add(sum_ptr, tl.load(x_ptr + tl.program_id(0)))

    add[(64,)](x, total)
    assert total[0] == 5 + x.sum()
