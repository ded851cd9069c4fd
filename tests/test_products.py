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
def twice(x, w, y, N: tl.constexpr):
    """A product that is added to another one of the same operands."""
    at = tl.arange(0, N)[:, None] * N + tl.arange(0, N)[None, :]
    a, b = tl.load(x + at), tl.load(w + at)
    tl.store(y + at, tl.dot(a, b, acc=tl.dot(a, b)))


def test_a_sum_of_two_products_alike() -> None:
    x, w = floats(32, 32), floats(32, 32, seed=1)
    *_, y = run(twice, x, w, x * 0, N=32, rtol=1e-4)
    np.testing.assert_allclose(y, 2 * (x @ w), rtol=1e-4, atol=1e-4)


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


@nki_mlir.jit
def ragged(
    x, w, y, M, K, N, ENDS: tl.constexpr, TURNED: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr, BN: tl.constexpr
):
    """x @ w block by block. x lies with its terms last, or first; `ENDS` says which factors are zeros beyond them."""
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        row, column = first + tl.arange(0, BK)[None, :], first + tl.arange(0, BK)[:, None]
        at = row * M + m if TURNED else m * tl.cdiv(K, BK) * BK + row
        a = tl.load(x + at, mask=(m < M) & (row < K) if "x" in ENDS else m < M, other=0.0)
        b = tl.load(w + column * N + n, mask=(n < N) & (column < K) if "w" in ENDS else n < N, other=0.0)
        total += tl.dot(a, b)
    tl.store(y + m * N + n, total, mask=(m < M) & (n < N))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [((40, 72, 24), (16, 32, 16)), ((32, 300, 40), (32, 256, 16)), ((24, 130, 17), (16, 128, 32))],
    ids=str,
)
def test_terms_end_in_a_block(sizes: tuple[int, int, int], blocks: tuple[int, int, int], turned: bool) -> None:
    """The last block has fewer terms than its pieces, of which some have none."""
    (m, k, n), (block_m, block_k, block_n) = sizes, blocks
    padded = -(-k // block_k) * block_k
    x, w = floats(m, padded), floats(padded, n, seed=1)
    stored = np.ascontiguousarray(x.T) if turned else x
    grid = (-(-m // block_m), -(-n // block_n))
    meta = {"TURNED": turned, "BM": block_m, "BK": block_k, "BN": block_n}
    *_, y = run(ragged, stored, w, np.zeros((m, n), np.float32), m, k, n, grid=grid, rtol=1e-4, ENDS="xw", **meta)
    np.testing.assert_allclose(y, x[:, :k] @ w[:k], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ends", ["x", "w"])
def test_zeros_of_one_factor_are_multiplied(ends: str) -> None:
    """0 times what is infinite is no number: terms that are zeros on one side only are not left out."""
    x, w = floats(16, 1152), floats(1152, 16, seed=1)
    x[:, 1100:], w[1100:] = np.inf, np.inf
    meta = {"TURNED": False, "BM": 16, "BK": 128, "BN": 16}
    for both in (ends, "xw"):
        *_, y = run(ragged, x, w, np.zeros((16, 16), np.float32), 16, 1100, 16, levels=False, ENDS=both, **meta)
        assert np.isnan(y).all() == (both == ends)
