"""Products of matrices, of many matrices at once, and of integers, against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def many(x, w, y, z, P: tl.constexpr, M: tl.constexpr, K: tl.constexpr, N: tl.constexpr):
    """x @ w for each place along the first dimension, and the same added to z."""
    p, m = tl.arange(0, P)[:, None, None], tl.arange(0, M)[None, :, None]
    k, n = tl.arange(0, K), tl.arange(0, N)[None, None, :]
    a = tl.load(x + (p * M + m) * K + k[None, None, :])
    b = tl.load(w + (p * K + k[None, :, None]) * N + n)
    at = (p * M + m) * N + n
    tl.store(y + at, tl.dot(a, b))
    tl.store(z + at, tl.dot(a, b, tl.load(z + at)))


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(2, 16, 16, 32), (4, 8, 32, 16), (1, 16, 16, 16), (2, 64, 128, 64)], ids=str)
def test_a_product_for_each_place(shape: tuple[int, int, int, int], dtype: Any) -> None:
    p, m, k, n = shape
    x, w = floats(p, m, k).astype(dtype), floats(p, k, n, seed=1).astype(dtype)
    z, levels = floats(p, m, n, seed=2), m == 16
    *_, y, total = run(many, x, w, z * 0, z, P=p, M=m, K=k, N=n, levels=levels, rtol=1e-4)
    wanted = x.astype(np.float32) @ w.astype(np.float32)
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(total, wanted + z, rtol=1e-4, atol=1e-4)


def test_places_keep_to_themselves() -> None:
    """What one place has that is infinite or no number reaches no other."""
    x, w = floats(2, 16, 16), floats(2, 16, 16, seed=1)
    x[1], w[1] = np.inf, np.nan
    *_, y, _ = run(many, x, w, floats(2, 16, 16) * 0, floats(2, 16, 16), P=2, M=16, K=16, N=16, levels=False)
    np.testing.assert_allclose(y[0], x[0] @ w[0], rtol=1e-4, atol=1e-4)
    assert np.isnan(y[1]).all()


@nki_mlir.jit
def of_bytes(x, w, y, M: tl.constexpr, K: tl.constexpr, CASE: tl.constexpr):
    m, k = tl.arange(0, M), tl.arange(0, K)
    a, b = tl.load(x + m[:, None] * K + k[None, :]), tl.load(w + k[:, None] * M + m[None, :])
    total = tl.zeros((M, M), tl.int32)
    if CASE == "sums":
        total += tl.dot(a, b)
        total = tl.dot(a, b, total, out_dtype=tl.int32)
    else:
        total = tl.dot(a, b, acc=1)
    tl.store(y + m[:, None] * M + m[None, :], total)


@pytest.mark.parametrize("kinds", [(np.int8, np.int8), (np.uint8, np.int8), (np.uint8, np.uint8)], ids=str)
@pytest.mark.parametrize("case", ["sums", "a number"])
def test_bytes_are_multiplied_exactly(kinds: tuple[Any, Any], case: str) -> None:
    x, w = integers((16, 128), kinds[0]), integers((128, 16), kinds[1], seed=1)
    *_, y = run(of_bytes, x, w, np.zeros((16, 16), np.int32), M=16, K=128, CASE=case, levels=False)
    product = x.astype(np.int32) @ w.astype(np.int32)
    np.testing.assert_array_equal(y, 2 * product if case == "sums" else product + 1)


def test_the_largest_sums_of_bytes() -> None:
    x, y = np.full((16, 1024), -128, np.int8), np.zeros((16, 16), np.int32)
    *_, y = run(of_bytes, x, x.reshape(1024, 16), y, M=16, K=1024, CASE="sums", levels=False)
    np.testing.assert_array_equal(y, np.full((16, 16), 2 * 1024 * 128 * 128))


@nki_mlir.jit
def mistakes(x, i, CASE: tl.constexpr):
    a, n = tl.arange(0, 16), tl.arange(0, 2048)
    one, two = tl.load(x + a), tl.load(x + a[:, None] + a[None, :])
    three = tl.load(x + a[:, None, None] + a[None, :, None] + a[None, None, :])
    if CASE == "one dimension":
        two = tl.dot(one, two)
    elif CASE == "unequal ranks":
        two = tl.dot(two, three)
    elif CASE == "unequal places":
        two = tl.dot(three, tl.load(x + tl.arange(0, 2)[:, None, None] + a[None, :, None] + a[None, None, :]))
    elif CASE == "acc":
        two = tl.dot(three, three, acc=two)
    elif CASE == "too many terms":
        long = tl.load(i + n[None, :] + a[:, None])
        two = tl.dot(long, tl.trans(long))
    else:
        two = tl.dot(two.to(tl.int32), two.to(tl.int32))
    tl.store(x + a, tl.sum(two.to(tl.float32), axis=0))


MISTAKES = {
    "one dimension": "a matrix product takes two- or three-dimensional tensors, got float32[16]",
    "unequal ranks": "do not multiply",
    "unequal places": "shapes (16, 16, 16) and (2, 16, 16) do not multiply",
    "acc": "acc must be a float32 tensor of shape (16, 16, 16)",
    "too many terms": "products of int8 and int8 are summed exactly up to 1024 terms, and these have 2048",
    "wide integers": "the machine multiplies matrices of floats, not of int32[16, 16]",
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    error = refused(mistakes, floats(64), integers(4096, np.int8), CASE=case)
    assert MISTAKES[case] in error.message, error.message
