"""Operators and functions of real kernels, against NumPy: bools as numbers, and/or/not, choices, powers, rounding."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.language.extra.cuda import libdevice
from nki_mlir.language.extra.cuda.libdevice import pow as power


# Bools.
@nki_mlir.jit
def bools_kernel(x, y, out, N, B: tl.constexpr):
    i = tl.arange(0, B)
    a, b = tl.load(x + i, i < N, 0) > 0, tl.load(y + i, i < N, 0) > 0
    tl.store(out + i, a * 3, i < N)
    tl.store(out + N + i, a + b, i < N)
    tl.store(out + 2 * N + i, a - b, i < N)
    tl.store(out + 3 * N + i, (a * b) * 2 - 1, i < N)
    tl.store(out + 4 * N + i, ~a + 1, i < N)
    tl.store(out + 5 * N + i, a * 2.5 + b, i < N)
    tl.store(out + 6 * N + i, a + True, i < N)
    tl.store(out + 7 * N + i, not ((a and b) or i < 3), i < N)
    tl.store(out + 8 * N + i, tl.maximum(a, b), i < N)
    tl.store(out + 9 * N + i, tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL), i < N)


def test_arithmetic_on_bools() -> None:
    """Integers of one bit: the sum of two wraps around; with other numbers they are 0 and 1."""
    x, y, out = floats(37), floats(37, seed=1), np.zeros((10, 37), np.float32)
    result = run(bools_kernel, x, y, out, 37, B=64)[2]
    a, b = x > 0, y > 0
    numbers = [a * 3, a ^ b, a ^ b, (a & b) * 2 - 1, ~a + 1, a * 2.5 + b]
    bits = [~a, ~(a & b | (np.arange(37) < 3)), a | b, a & b]
    np.testing.assert_array_equal(result, np.array([*numbers, *bits], np.float32))


@nki_mlir.jit
def mask_kernel(x, out, M, N, B: tl.constexpr):
    i, j = tl.program_id(0) * B + tl.arange(0, B), tl.arange(0, B)
    mask = i[:, None] < M and j[None, :] < N
    product = (i < M)[:, None] * (j < N)[None, :]
    at = i[:, None] * N + j[None, :]
    tl.store(out + at, tl.load(x + at, mask=mask, other=0.0) + 1, mask=product)


def test_masks_by_and_and_by_products_are_bounds() -> None:
    x = floats(21, 13)
    assert np.array_equal(run(mask_kernel, x, np.zeros_like(x), 21, 13, grid=(2,), B=16)[1], x + 1)


# Choices.
@nki_mlir.jit
def choice_kernel(x, flags, out, N, CONSTANT: tl.constexpr, B: tl.constexpr):
    pid, i = tl.program_id(0), tl.arange(0, B)
    flag = tl.load(flags + pid)
    scale = 3.0 if pid > 1 and not (pid == 3 and flag < 0) else tl.load(x + pid)
    row = tl.load(x + pid * B + i) if flag > 0 or pid == 0 else tl.zeros((B,), tl.float32)
    sign = 1 if CONSTANT and True else -1
    tl.store(out + pid * B + i, row * scale + (2.5 if flag > 0 else flag.to(tl.float32)) * sign)


@pytest.mark.parametrize("constant", [True, False])
def test_choices_by_run_time_conditions(constant: bool) -> None:
    x, flags, out = floats(5, 16), np.array([-4, 7, 0, -2, 9], np.int32), np.zeros((5, 16), np.float32)
    result = run(choice_kernel, x, flags, out, 5, grid=(5,), rtol=1e-6, CONSTANT=constant, B=16)[2]
    pid = np.arange(5)
    scale = np.where((pid > 1) & ~((pid == 3) & (flags < 0)), np.float32(3), x.reshape(-1)[:5])
    rows = np.where(((flags > 0) | (pid == 0))[:, None], x, 0)
    expected = rows * scale[:, None] + (np.where(flags > 0, 2.5, flags) * (1 if constant else -1))[:, None]
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


# Products, loops.
@nki_mlir.jit
def transposed_kernel(x, y, out, B: tl.constexpr, TA: tl.constexpr, TB: tl.constexpr):
    i = tl.arange(0, B)[:, None] * B + tl.arange(0, B)[None, :]
    tl.store(out + i, tl.dot(tl.load(x + i), tl.load(y + i), trans_a=TA, trans_b=TB))


@pytest.mark.parametrize("ta, tb", [(False, True), (True, False)])
def test_products_of_transposed_matrices(ta: bool, tb: bool) -> None:
    x, y = floats(16, 16), floats(16, 16, seed=1)
    result = run(transposed_kernel, x, y, np.zeros_like(x), rtol=1e-5, B=16, TA=ta, TB=tb)[2]
    np.testing.assert_allclose(result, (x.T if ta else x) @ (y.T if tb else y), rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def ranges_kernel(x, out, N, STEP: tl.constexpr):
    total = 0.0
    for i in range(1, N, step=STEP):  # pyright: ignore[reportCallIssue]
        tl.device_print("x", i, hex=True)
        total += tl.load(x + i)
    for i in range(N, step=STEP):  # pyright: ignore[reportCallIssue]
        total += tl.load(x + i)
    for i in tl.range(0, N, step=None, num_stages=3, loop_unroll_factor=2, warp_specialize=True, disable_licm=False):
        tl.device_assert(i < N, "inside")
        total += tl.load(x + i, cache_modifier=".cg", eviction_policy="evict_last", volatile=True)
    tl.static_assert(N > 3, f"{N} is too few")
    tl.store(out, total, cache_modifier=".wb", eviction_policy="evict_first")


def test_options_and_steps_of_loops() -> None:
    x = floats(11)
    result = run(ranges_kernel, x, np.zeros(1, np.float32), 11, rtol=1e-5, STEP=3)[1]
    np.testing.assert_allclose(result, [x[1::3].sum() + x[::3].sum() + x.sum()], rtol=1e-5)


# Functions.
FUNCTIONS: dict[str, Any] = {
    "rint": np.rint,
    "nearbyint": np.rint,
    "round": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "trunc": np.trunc,
    "llrint": np.rint,
    "exp10": lambda x: np.power(10.0, x),
    "log10": lambda x: np.log10(np.abs(x)),
    "isnan": np.isnan,
    "isinf": np.isinf,
    "finitef": np.isfinite,
    "isfinited": np.isfinite,
    "fast_tanhf": np.tanh,
    "sqrt_rn": lambda x: np.sqrt(np.abs(x)),
}


@nki_mlir.jit
def function_kernel(x, out, N, NAME: tl.constexpr, B: tl.constexpr):
    i = tl.arange(0, B)
    v = tl.load(x + i, i < N, 1.0)
    if NAME == "log10" or NAME == "sqrt_rn":
        v = tl.abs(v)
    tl.store(out + i, getattr(libdevice, NAME)(v), i < N)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_libdevice(name: str) -> None:
    x = floats(37) * 3
    x[:8] = 0.5, -0.5, 1.5, 2.5, -2.5, -0.0, 1.0, -1.0
    if name in ("isnan", "isinf", "finitef", "isfinited"):
        x[8:11] = np.nan, np.inf, -np.inf
    result = run(function_kernel, x, np.zeros(37, np.float32), 37, levels=False, NAME=name, B=64)[1]
    with np.errstate(divide="ignore"):
        exact = FUNCTIONS[name](x.astype(np.float64))
    np.testing.assert_allclose(result, exact.astype(np.float32), rtol=1e-5, atol=1e-6)


@nki_mlir.jit
def large_kernel(x, out, N, B: tl.constexpr):
    i = tl.arange(0, B)
    v = tl.load(x + i, i < N, 0.0)
    tl.store(out + i, libdevice.rint(v), i < N)
    tl.store(out + N + i, libdevice.round(v), i < N)


def test_rounding_of_what_is_large_infinite_or_nan() -> None:
    x = np.array([2.0**23 - 0.5, 2.0**23 + 1, -(2.0**30), 1e30, np.inf, -np.inf, np.nan, 0.49999997], np.float32)
    result = run(large_kernel, x, np.zeros((2, 8), np.float32), 8, B=8)[1]
    np.testing.assert_array_equal(result[0], np.rint(x))
    np.testing.assert_array_equal(result[1], [2.0**23, *x[1:7], 0])


@nki_mlir.jit
def power_kernel(x, out, N, EXPONENT: tl.constexpr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(out + i, tl.extra.cuda.libdevice.pow(tl.load(x + i, i < N, 1.0), EXPONENT), i < N)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0, 7, -1, -3, 0.5, 1 / 3, -2.5])
def test_powers(exponent: float) -> None:
    """A negative base has no power of a fraction."""
    x = floats(37)
    result = run(power_kernel, x, np.zeros_like(x), 37, levels=False, EXPONENT=exponent, B=64)[1]
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(result, np.power(x.astype(np.float64), exponent), rtol=2e-5)


@nki_mlir.jit
def base_kernel(y, out, N, BASE: tl.constexpr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(out + i, power(BASE, tl.load(y + i, i < N, 1)), i < N)


@pytest.mark.parametrize(
    "base, dtype", [(2.0, np.float32), (2, np.int32), (10000.0, np.float32), (0.5, ml_dtypes.bfloat16)]
)
def test_powers_of_a_number(base: float, dtype: Any) -> None:
    y = integers(37, np.int32, low=-5, high=5) if dtype is np.int32 else floats(37).astype(dtype)
    result = run(base_kernel, y, np.zeros(37, np.float32), 37, levels=False, BASE=base, B=64)[1]
    tolerance = 1e-5 if dtype is not ml_dtypes.bfloat16 else 1e-2
    np.testing.assert_allclose(result, np.power(float(base), y.astype(np.float64)), rtol=tolerance)


@pytest.mark.parametrize(
    "exponent, message", [(65, "at most 64, got 65"), (math.inf, "finite numbers, got inf"), ("2", "got str")]
)
def test_powers_that_are_refused(exponent: Any, message: str) -> None:
    assert message in str(refused(power_kernel, floats(8), floats(8), 8, EXPONENT=exponent, B=8))


def test_a_base_must_be_positive() -> None:
    assert "the base -2.0, known at compile" in str(refused(base_kernel, floats(8), floats(8), 8, BASE=-2, B=8))


def test_types_convert_what_they_are_called_with() -> None:
    @nki_mlir.jit
    def kernel(x_ptr, out_ptr, whole_ptr, n, B: tl.constexpr):
        top, total = tl.float32(-float("inf")), tl.float32(0)
        for start in range(0, n, B):
            x = tl.load(x_ptr + start + tl.arange(0, B))
            top = tl.maximum(top, tl.max(x, 0))
            total += tl.sum(x, 0)
        tl.store(out_ptr, top)
        tl.store(out_ptr + 1, total)
        tl.store(whole_ptr + tl.arange(0, B), tl.int32(tl.load(x_ptr + tl.arange(0, B)) * 4.0))

    x = np.random.default_rng(5).standard_normal(192, np.float32) - 3.0
    out, whole = np.zeros(2, np.float32), np.zeros(64, np.int32)
    kernel[(1,)](x, out, whole, 192, B=64)
    np.testing.assert_allclose(out, [x.max(), x.sum()], rtol=1e-5)
    np.testing.assert_array_equal(whole, np.trunc(x[:64] * np.float32(4.0)).astype(np.int32))

    with pytest.raises(nki_mlir.CompileError, match=r"float32.1. converts only inside a kernel"):
        tl.float32(1)


@nki_mlir.jit
def element_counts(x, out, R: tl.constexpr, C: tl.constexpr):
    v = tl.load(x + tl.arange(0, R)[:, None] * C + tl.arange(0, C)[None, :])
    halves: tl.constexpr = v.numel // 2
    tl.store(out, tl.sum(v) / v.numel)
    tl.store(out + 1 + tl.arange(0, 2), tl.sum(tl.reshape(v, (2, halves)), axis=1))


def test_a_tensor_knows_how_many_elements_it_has() -> None:
    x, out = floats(8 * 32), np.zeros(3, np.float32)
    wanted = [x.mean(), x[:128].sum(), x[128:].sum()]
    np.testing.assert_allclose(run(element_counts, x, out, R=8, C=32)[1], wanted, rtol=1e-5, atol=1e-5)
