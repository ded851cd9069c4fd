"""Loops whose bounds program ids, outer counters or loaded numbers give, against NumPy."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import CompileError

B = 32


@nki_mlir.jit
def prefix_sums(x, y, B: tl.constexpr):
    pid = tl.program_id(0)
    lanes = tl.arange(0, B)
    acc = tl.zeros((B,), tl.float32)
    for j in range(0, (pid + 1) * B, B):
        acc += tl.load(x + j + lanes)
    tl.store(y + pid * B + lanes, acc)


@nki_mlir.jit
def grid_stride(x, y, n, B: tl.constexpr):
    for row in tl.range(tl.program_id(0), n, tl.num_programs(0), num_stages=2):
        at = row * B + tl.arange(0, B)
        tl.store(y + at, tl.load(x + at) * 2)


@nki_mlir.jit
def shares(x, y, n, R, B: tl.constexpr):
    pid = tl.program_id(0)
    acc = 0.0
    for i in range(pid * R, min((pid + 1) * R, n)):
        acc += tl.sum(tl.load(x + i * B + tl.arange(0, B)), axis=0)
    tl.store(y + pid, acc)


@nki_mlir.jit
def as_many_as_loaded(x, counts, y, B: tl.constexpr):
    pid = tl.program_id(0)
    lanes = tl.arange(0, B)
    acc = tl.zeros((B,), tl.float32)
    for i in range(tl.load(counts + pid)):
        acc += tl.load(x + i * B + lanes)
    tl.store(y + pid * B + lanes, acc)


@nki_mlir.jit
def triangle(x, y, N: tl.constexpr, B: tl.constexpr):
    lanes = tl.arange(0, B)
    for i in range(N):
        acc = tl.zeros((B,), tl.float32)
        for j in range(i, N):
            acc += tl.load(x + j * B + lanes)
        tl.store(y + i * B + lanes, acc)


@nki_mlir.jit
def every_fifth(x, y, B: tl.constexpr):
    pid = tl.program_id(0)
    lanes = tl.arange(0, B)
    acc = tl.zeros((B,), tl.float32)
    for i in range(0, pid % 5):
        acc += tl.load(x + (pid + i) * B + lanes)
    tl.store(y + pid * B + lanes, acc)


@nki_mlir.jit
def masked_by_a_length(x, lengths, y, N: tl.constexpr, B: tl.constexpr):
    pid = tl.program_id(0)
    n = tl.load(lengths + pid)
    acc = tl.zeros((B,), tl.float32)
    for j in range(0, n, B):
        at = j + tl.arange(0, B)
        acc += tl.load(x + pid * N + at, mask=at < n, other=0.0)
    tl.store(y + pid, tl.sum(acc, axis=0))


@nki_mlir.jit
def stored_up_to_a_length(x, lengths, y, N, B: tl.constexpr):
    pid = tl.program_id(0)
    n = tl.load(lengths + pid)
    for j in range(0, tl.cdiv(n, B)):
        at = j * B + tl.arange(0, B)
        v = tl.load(x + pid * N + at, mask=at < N, other=0.0)
        tl.store(y + pid * N + at, v * 2, mask=at < n)


def rows(n: int) -> np.ndarray:
    return np.random.default_rng(n).standard_normal((n, B)).astype(np.float32)


@pytest.mark.parametrize("programs", [1, 2, 7])
def test_a_bound_of_the_program(programs: int) -> None:
    x, y = rows(programs), np.zeros((programs, B), np.float32)
    prefix_sums[(programs,)](x, y, B)
    np.testing.assert_allclose(y, np.cumsum(x, axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("n", "programs"), [(21, 4), (20, 4), (3, 5), (1, 1)])
def test_a_grid_stride_loop(n: int, programs: int) -> None:
    x, y = rows(n), np.zeros((n, B), np.float32)
    grid_stride[(programs,)](x, y, n, B)
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize(("n", "share"), [(21, 4), (20, 5), (7, 9)])
def test_a_share_of_the_rows(n: int, share: int) -> None:
    programs = -(-n // share) + 1
    x, y = rows(n), np.zeros(programs, np.float32)
    shares[(programs,)](x, y, n, share, B)
    wanted = [x[p * share : (p + 1) * share].sum() for p in range(programs)]
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_a_loaded_bound(dtype: type) -> None:
    x, counts, y = rows(6), np.array([0, 1, 6, 2], dtype), np.zeros((4, B), np.float32)
    as_many_as_loaded[(4,)](x, counts, y, B)
    np.testing.assert_allclose(y, [x[:n].sum(axis=0) for n in counts], rtol=1e-5, atol=1e-5)
    assert as_many_as_loaded.last_run is not None


@pytest.mark.parametrize("target", ["trn1", "trn2"])
def test_masks_of_a_loaded_length(target: str) -> None:
    n = 100
    x = np.random.default_rng(3).standard_normal((4, n)).astype(np.float32)
    lengths, sums, y = np.array([0, 33, n, 64], np.int32), np.zeros(4, np.float32), np.zeros((4, n), np.float32)
    nki_mlir.jit(target=target)(masked_by_a_length.fn)[(4,)](x, lengths, sums, n, B)
    np.testing.assert_allclose(sums, [row[:k].sum() for row, k in zip(x, lengths, strict=True)], rtol=1e-4, atol=1e-5)
    nki_mlir.jit(target=target)(stored_up_to_a_length.fn)[(4,)](x, lengths, y, n, B)
    np.testing.assert_array_equal(y, np.where(np.arange(n) < lengths[:, None], 2 * x, 0))


def test_a_start_of_an_outer_counter() -> None:
    x, y = rows(5), np.zeros((5, B), np.float32)
    triangle[(1,)](x, y, 5, B)
    np.testing.assert_allclose(y, [x[i:].sum(axis=0) for i in range(5)], rtol=1e-5, atol=1e-5)


def test_more_programs_than_are_written_out() -> None:
    x, y = rows(310), np.zeros((300, B), np.float32)
    every_fifth[(300,)](x, y, B)
    wanted = np.stack([x[p : p + p % 5].sum(axis=0) for p in range(300)])
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def a_float_bound(x, y, B: tl.constexpr):
    for i in range(tl.load(x)):
        tl.store(y + i, 1.0)


@nki_mlir.jit
def a_loaded_step(x, counts, y, B: tl.constexpr):
    for i in range(0, 8, tl.load(counts)):
        tl.store(y + i, 1.0)


@nki_mlir.jit
def read_behind(x, counts, y, B: tl.constexpr):
    for i in range(tl.load(counts)):
        tl.store(y + i, 1.0)
    tl.store(y, i)  # pyright: ignore[reportPossiblyUnboundVariable]


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (a_float_bound, "the bounds of a loop are integers, got float32"),
        (a_loaded_step, "the step of a loop with run-time bounds is an integer known at compile time, not 0"),
        (read_behind, "'i' is the variable of a loop with run-time bounds, and can't be read after it"),
    ],
)
def test_what_is_refused(kernel: Any, message: str) -> None:
    x, counts, y = rows(4), np.array([1], np.int32), np.zeros(8, np.float32)
    arguments = (x, y, B) if kernel is a_float_bound else (x, counts, y, B)
    with pytest.raises(CompileError, match=re.escape(message)):
        kernel[(1,)](*arguments)
