"""NaN, infinities and signed zeros: Triton's extrema leave NaN out unless asked, NKI's are NumPy's; comparisons, choices
and sums as in IEEE 754."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir import CompileError

DTYPES = [np.dtype(d) for d in (np.float32, ml_dtypes.bfloat16, np.float16)]
SPECIALS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-3, -np.nan, 448.0]
N = 128


def pairs(dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Every special value beside every other, then random numbers."""
    x, y = (a.ravel() for a in np.meshgrid(SPECIALS, SPECIALS))
    more = np.random.default_rng(0).standard_normal((2, N - x.size))
    return np.concatenate([x, more[0]]).astype(dtype), np.concatenate([y, more[1]]).astype(dtype)


def rows(dtype: np.dtype[Any]) -> np.ndarray:
    """Rows with a NaN first, last or in the middle, all NaN, NaN beside infinities, signed zeros, numbers alone."""
    a = np.random.default_rng(1).standard_normal((16, 64)).astype(np.float32)
    a[0, 0] = a[1, -1] = a[2, 7] = np.nan
    a[3] = np.nan
    a[4], a[4, 5] = np.nan, -np.inf
    a[5], a[5, 9] = np.nan, np.inf
    a[6], a[7], a[7, 3] = -np.inf, -0.0, np.nan
    a[8, :32], a[9] = np.nan, np.inf
    return a.astype(dtype)


def same(got: np.ndarray, want: np.ndarray) -> None:
    """Equal, NaN to NaN; which of two zeros is the larger is open."""
    np.testing.assert_array_equal(got.astype(np.float32), np.asarray(want).astype(np.float32))


@nki_mlir.jit
def extrema_kernel(x_ptr, y_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x, y = tl.load(x_ptr + i), tl.load(y_ptr + i)
    tl.store(out_ptr + i, tl.maximum(x, y))
    tl.store(out_ptr + N + i, tl.minimum(x, y))
    tl.store(out_ptr + 2 * N + i, tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL))
    tl.store(out_ptr + 3 * N + i, tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL))
    tl.store(out_ptr + 4 * N + i, tl.maximum(0.5, x))
    tl.store(out_ptr + 5 * N + i, tl.minimum(x, 0.5, propagate_nan=tl.PropagateNan.NONE))
    tl.store(out_ptr + 6 * N + i, max(x, y))
    tl.store(out_ptr + 7 * N + i, tl.maximum(x, float("nan")))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_extrema(dtype: np.dtype[Any]) -> None:
    (x, y), out = pairs(dtype), np.zeros((8, N), dtype)
    extrema_kernel[(1,)](x, y, out, N=N)
    half = np.asarray(0.5, np.float32)
    a, b = x.astype(np.float32), y.astype(np.float32)
    wanted = (
        *(np.fmax(a, b), np.fmin(a, b), np.maximum(a, b), np.minimum(a, b)),
        *(np.fmax(half, a), np.fmin(a, half), np.fmax(a, b), a),
    )
    for got, want in zip(out, wanted, strict=True):
        same(got, want)


@nki_mlir.jit
def clamp_kernel(x_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i)
    tl.store(out_ptr + i, tl.clamp(x, -0.5, 0.75))
    tl.store(out_ptr + N + i, tl.clamp(x, -0.5, 0.75, propagate_nan=tl.PropagateNan.ALL))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_clamp(dtype: np.dtype[Any]) -> None:
    x, out = pairs(dtype)[0], np.zeros((2, N), dtype)
    clamp_kernel[(1,)](x, out, N=N)
    a = x.astype(np.float32)
    same(out[0], np.where(np.isnan(a), -0.5, np.clip(a, -0.5, 0.75)))
    same(out[1], np.clip(a, -0.5, 0.75))


@nki_mlir.jit
def reductions_kernel(x_ptr, out_ptr, columns_ptr, whole_ptr, R: tl.constexpr, C: tl.constexpr):
    i, j = tl.arange(0, R), tl.arange(0, C)
    x = tl.load(x_ptr + i[:, None] * C + j[None, :])
    tl.store(out_ptr + i, tl.max(x, axis=1))
    tl.store(out_ptr + R + i, tl.min(x, axis=1))
    tl.store(columns_ptr + j, tl.max(x, axis=0))
    tl.store(columns_ptr + C + j, tl.min(x, axis=0))
    flat = tl.load(x_ptr + tl.arange(0, R * C))
    tl.store(whole_ptr, tl.max(flat, axis=0))
    tl.store(whole_ptr + 1, tl.maximum(tl.max(flat, axis=0), tl.min(tl.load(x_ptr + 3 * C + j), axis=0)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_reductions(dtype: np.dtype[Any]) -> None:
    x = rows(dtype)
    out, columns, whole = (np.zeros(shape, np.float32) for shape in ((2, 16), (2, 64), (2,)))
    for data in (x, np.full_like(x, np.nan)):
        reductions_kernel[(1,)](data, out, columns, whole, R=16, C=64)
        a = data.astype(np.float32)
        same(out, np.stack([np.fmax.reduce(a, 1), np.fmin.reduce(a, 1)]))
        same(columns, np.stack([np.fmax.reduce(a, 0), np.fmin.reduce(a, 0)]))
        same(whole, np.full(2, np.fmax.reduce(a, None)))


@nki_mlir.jit
def softmax_kernel(x_ptr, out_ptr, C: tl.constexpr):
    j = tl.program_id(0) * C + tl.arange(0, C)
    x = tl.load(x_ptr + j)
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + j, e / tl.sum(e, axis=0))


def test_softmax_pays_nothing() -> None:
    """A row with a NaN is NaN throughout, whatever its maximum is said to be: the machine's own will do."""
    x = rows(np.dtype(np.float32))
    out = np.zeros_like(x)
    softmax_kernel[(16,)](x, out, C=64)
    with np.errstate(all="ignore"):
        e = np.exp(x - np.fmax.reduce(x, 1, keepdims=True))
        np.testing.assert_allclose(out, e / e.sum(1, keepdims=True), rtol=1e-6)
    compiled = softmax_kernel.compile(x, out, C=64, grid=(16,))
    assert "select" not in compiled.ir("neuron.mem") and "predicated" not in compiled.ir("neuron.isa")


@nki_mlir.jit
def running_kernel(x_ptr, out_ptr, log_ptr, columns, scale, R: tl.constexpr, C: tl.constexpr):
    """A softmax of each row and the logarithm of its sum, block by block."""
    r = tl.program_id(0) * R + tl.arange(0, R)
    top = tl.full([R], -float("inf"), tl.float32)
    total = tl.zeros([R], tl.float32)
    for start in range(0, columns, C):
        x = tl.load(x_ptr + r[:, None] * columns + start + tl.arange(0, C)[None, :])
        above = tl.maximum(top, tl.max(x, 1) * scale)
        total = total * tl.exp(top - above) + tl.sum(tl.exp(x * scale - above[:, None]), 1)
        top = above
    tl.store(log_ptr + r, tl.log(total) + top)
    for start in range(0, columns, C):
        at = r[:, None] * columns + start + tl.arange(0, C)[None, :]
        tl.store(out_ptr + at, tl.exp(tl.load(x_ptr + at) * scale - top[:, None]) / total[:, None])


@pytest.mark.parametrize(("columns", "block"), [(64, 16), (96, 8), (64, 64)])
def test_a_running_softmax_pays_nothing(columns: int, block: int) -> None:
    """Rows with NaN early, late and in every block, with infinities, and of nothing else."""
    x = np.random.default_rng(columns).standard_normal((32, columns)).astype(np.float32)
    for row, (start, stop, value) in enumerate(
        (start, stop, value)
        for value in (np.nan, -np.nan, np.inf, -np.inf)
        for start, stop in ((0, 1), (columns - 1, columns), (5, 60), (0, columns))
    ):
        x[row, start:stop] = value
    x[20, 3], x[20, 40], x[21, 40], x[21, 3] = np.nan, np.inf, np.nan, -np.inf
    meta: dict[str, Any] = {"R": 16, "C": block}
    _, out, log = run(running_kernel, x, np.zeros_like(x), floats(32), columns, 0.5, grid=(2,), rtol=2e-6, **meta)
    with np.errstate(all="ignore"):
        top = np.fmax.reduce(x, 1, keepdims=True) * np.float32(0.5)
        e = np.exp(x * np.float32(0.5) - top)
        np.testing.assert_allclose(out, e / e.sum(1, keepdims=True), rtol=1e-5)
        np.testing.assert_allclose(log, np.log(e.sum(1)) + top[:, 0], rtol=1e-5)
    compiled = running_kernel.compile(x, out, log, columns, 0.5, grid=(2,), **meta)
    assert "predicated" not in compiled.ir("neuron.isa")


@nki_mlir.jit
def shifted_kernel(x_ptr, out_ptr, C: tl.constexpr):
    j = tl.program_id(0) * C + tl.arange(0, C)
    x = tl.load(x_ptr + j)
    tl.store(out_ptr + j, x - tl.max(x, axis=0))


def test_numbers_beside_a_nan_stay() -> None:
    x = rows(np.dtype(np.float32))
    out = np.zeros_like(x)
    shifted_kernel[(16,)](x, out, C=64)
    with np.errstate(all="ignore"):
        same(out, x - np.fmax.reduce(x, 1, keepdims=True))


@nki_mlir.jit
def integers_kernel(x_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i).to(tl.float32)
    tl.store(out_ptr + i, tl.maximum(tl.minimum(x, 3.0), -tl.max(x, axis=0)))


def test_integers_pay_nothing() -> None:
    x, out = np.arange(-8, 8, dtype=np.int32), np.zeros(16, np.float32)
    integers_kernel[(1,)](x, out, N=16)
    same(out, np.maximum(np.minimum(x, 3.0), -x.max()))
    assert "select" not in integers_kernel.compile(x, out, N=16, grid=(1,)).ir("neuron.mem")


@nki.jit
def nki_extrema(x, y):
    out = nl.ndarray((5, 16, 64), dtype=nl.float32, buffer=nl.shared_hbm)
    row = nl.ndarray((2, 16, 1), dtype=nl.float32, buffer=nl.shared_hbm)
    a, b = nl.load(x[0:16, 0:64]), nl.load(y[0:16, 0:64])
    nl.store(out[0, 0:16, 0:64], nl.maximum(a, b))
    nl.store(out[1, 0:16, 0:64], nl.minimum(a, b))
    nl.store(out[2, 0:16, 0:64], nl.maximum(a, 0.5))
    nl.store(out[3, 0:16, 0:64], nl.relu(a))
    nl.store(out[4, 0:16, 0:64], max(a, b))
    nl.store(row[0, 0:16, 0:1], nl.max(a, axis=1, keepdims=True))
    nl.store(row[1, 0:16, 0:1], nl.min(a, axis=1, keepdims=True))
    return out, row


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nki_follows_numpy(dtype: np.dtype[Any]) -> None:
    x = rows(dtype)
    y = np.roll(x[::-1], 3, 1)
    out, row = nki_extrema(x, y)
    a, b = x.astype(np.float32), y.astype(np.float32)
    zero, half = np.float32(0), np.float32(0.5)
    wanted = (np.maximum(a, b), np.minimum(a, b), np.maximum(a, half), np.maximum(a, zero), np.maximum(a, b))
    same(out, np.stack(wanted))
    same(row[..., 0], np.stack([a.max(1), a.min(1)]))


@nki_mlir.jit
def comparisons_kernel(x_ptr, y_ptr, out_ptr, sum_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x, y = tl.load(x_ptr + i), tl.load(y_ptr + i)
    tl.store(out_ptr + i, tl.where(x < y, 1.0, 0.0))
    tl.store(out_ptr + N + i, tl.where(x >= y, 1.0, 0.0))
    tl.store(out_ptr + 2 * N + i, tl.where(x == y, 1.0, 0.0))
    tl.store(out_ptr + 3 * N + i, tl.where(x != y, 1.0, 0.0))
    tl.store(out_ptr + 4 * N + i, tl.where(x == x, x, -2.0))
    tl.store(out_ptr + 5 * N + i, tl.where(y > 0.0, x, y))
    tl.store(sum_ptr, tl.sum(x, axis=0))
    tl.store(sum_ptr + 1, tl.sum(tl.where(x == x, 0.0, 1.0), axis=0))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_comparisons_choices_and_sums(dtype: np.dtype[Any]) -> None:
    (x, y), out, total = pairs(dtype), np.zeros((6, N), np.float32), np.zeros(2, np.float32)
    comparisons_kernel[(1,)](x, y, out, total, N=N)
    a, b = x.astype(np.float32), y.astype(np.float32)
    same(out[:4], np.stack([a < b, a >= b, a == b, a != b]))
    same(out[4], np.where(np.isnan(a), np.float32(-2), a))
    same(out[5], np.where(b > 0, a, b))
    same(total, np.array([np.nan, np.isnan(a).sum()]))


@nki_mlir.jit
def scalars_kernel(x_ptr, y_ptr, out_ptr):
    p = tl.program_id(0)
    x, y = tl.load(x_ptr + p), tl.load(y_ptr + p)
    tl.store(out_ptr + p, tl.maximum(x, y))


def test_scalars() -> None:
    (x, y), out = pairs(np.dtype(np.float32)), np.zeros(N, np.float32)
    scalars_kernel[(N,)](x, y, out)
    same(out, np.fmax(x, y))


def test_propagate_nan_is_one_of_two() -> None:
    @nki_mlir.jit
    def kernel(x_ptr, N: tl.constexpr):
        i = tl.arange(0, N)
        tl.store(x_ptr + i, tl.maximum(tl.load(x_ptr + i), 0.0, propagate_nan=True))

    with pytest.raises(CompileError, match=r"propagate_nan is tl.PropagateNan.NONE or tl.PropagateNan.ALL, got bool"):
        kernel[(1,)](np.zeros(8, np.float32), N=8)


def test_numbers_known_while_compiling() -> None:
    @nki_mlir.jit
    def kernel(x_ptr, y):
        tl.static_assert(tl.maximum(y, float("nan")) == 1.5)
        tl.static_assert(tl.minimum(float("nan"), y) == 1.5)
        bad = tl.maximum(y, float("nan"), propagate_nan=tl.PropagateNan.ALL)
        tl.static_assert(bad != bad)
        tl.store(x_ptr, tl.load(x_ptr))

    kernel[(1,)](np.zeros(1, np.float32), 1.5)


@nki_mlir.jit
def divided_by_negative_zero(x_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(out_ptr + i, tl.load(x_ptr + i) / -0.0)


def test_the_sign_of_a_zero_that_divides() -> None:
    x, out = np.arange(8, dtype=np.float32) - 3.5, np.zeros(8, np.float32)
    divided_by_negative_zero[(1,)](x, out, N=8)
    np.testing.assert_array_equal(out, np.where(x < 0, np.inf, -np.inf))
