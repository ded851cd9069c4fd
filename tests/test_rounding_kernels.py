"""floor, ceil and conversions from floats to integers, which drop the fraction in Triton."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl

BIG = [2.0**22 + 0.5, 2.0**23 - 0.5, 2.0**23 + 1, 2.0**24, 2.0**31, 3e9, 1e30, np.inf]
FEW = [0.0, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 7.999, 255.5, 1e-20, *BIG]
SPECIALS = np.array([*FEW, *(-x for x in FEW), np.nan], np.float32)


def data(dtype: Any = np.float32) -> np.ndarray:
    """Special values, and random ones up to the size of 1024."""
    x = np.random.default_rng(0).uniform(-1024, 1024, 256).astype(np.float32)
    x[: SPECIALS.size] = SPECIALS
    with np.errstate(over="ignore"):
        return x.astype(dtype)


@nki_mlir.jit
def rounding_kernel(x_ptr, out_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i)
    tl.store(out_ptr + i, tl.floor(x))
    tl.store(out_ptr + N + i, tl.ceil(x))


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, np.float16])
def test_floor_and_ceil(dtype: Any) -> None:
    x = data(dtype)
    out = np.zeros((2, x.size), dtype)
    rounding_kernel[(1,)](x, out, N=x.size)
    wide = x.astype(np.float64)
    np.testing.assert_array_equal(out.astype(np.float64), np.stack([np.floor(wide), np.ceil(wide)]))


@nki_mlir.jit
def integer_kernel(x_ptr, whole_ptr, byte_ptr, float_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i)
    tl.store(whole_ptr + i, x)
    tl.store(byte_ptr + i, x.to(tl.int8))
    tl.store(float_ptr + i, x.to(tl.int32).to(tl.float32) * 0.5)


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, np.float16])
def test_conversions_drop_the_fraction(dtype: Any) -> None:
    x = np.random.default_rng(1).uniform(-127, 127, 256).astype(dtype)
    x[:8] = [0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.999, -0.999]
    whole, byte, float_ = np.zeros(256, np.int32), np.zeros(256, np.int8), np.zeros(256, np.float32)
    integer_kernel[(1,)](x, whole, byte, float_, N=256)
    want = np.trunc(x.astype(np.float64))
    np.testing.assert_array_equal(whole, want)
    np.testing.assert_array_equal(byte, want)
    np.testing.assert_array_equal(float_, want * 0.5)


def test_large_numbers_convert_exactly() -> None:
    x = np.array([2.0**22 + 0.5, -(2.0**22) - 0.5, 2.0**24 + 2, -(2.0**31), 2.0**30 + 64, 16777217, 0, 1], np.float32)
    whole, byte, float_ = np.zeros(8, np.int32), np.zeros(8, np.int8), np.zeros(8, np.float32)
    integer_kernel[(1,)](x, whole, byte, float_, N=8)
    np.testing.assert_array_equal(whole, np.trunc(x.astype(np.float64)))


def test_scalars() -> None:
    @nki_mlir.jit
    def kernel(x_ptr, out_ptr):
        tl.store(out_ptr, tl.floor(tl.load(x_ptr)) + tl.ceil(tl.load(x_ptr + 1)))

    out = np.zeros(1, np.float32)
    kernel[(1,)](np.array([-2.5, 7.25], np.float32), out)
    assert out[0] == -3 + 8


@nki.jit
def nki_kernel(x):
    out = nl.ndarray((2, 16, 16), dtype=nl.float32, buffer=nl.shared_hbm)
    a = nl.load(x[0:16, 0:16])
    nl.store(out[0, 0:16, 0:16], nl.floor(a))
    nl.store(out[1, 0:16, 0:16], nl.ceil(a))
    return out


def test_nki() -> None:
    x = data().reshape(16, 16)
    np.testing.assert_array_equal(nki_kernel(x), np.stack([np.floor(x), np.ceil(x)]))
