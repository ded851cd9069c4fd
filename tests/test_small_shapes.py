"""Dimensions of size one and a few, blocks of one element, and how shapes meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl

TOLERANCE = 1e-5
SHAPES = [(1, 1), (1, 8), (8, 1), (1, 256), (256, 1), (2, 4)]


@nki_mlir.jit
def reduced(x, out, KIND: tl.constexpr, AXIS: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    a = tl.load(x + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    if KIND == "sum":
        r = tl.sum(a, axis=AXIS)
    elif KIND == "max":
        r = tl.max(a, axis=AXIS)
    else:
        r = tl.min(a, axis=AXIS)
    if AXIS is None:
        tl.store(out, r)
    elif AXIS == 0:
        tl.store(out + tl.arange(0, N), r)
    else:
        tl.store(out + tl.arange(0, M), r)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("axis", [0, 1, None])
def test_reductions(axis: int | None, shape: tuple[int, int]) -> None:
    x = floats(*shape)
    for kind in ("sum", "max", "min"):
        expected = np.atleast_1d(getattr(x, kind)(axis=axis))
        out = np.zeros_like(expected)
        *_, out = run(reduced, x, out, rtol=TOLERANCE, KIND=kind, AXIS=axis, M=shape[0], N=shape[1])
        np.testing.assert_allclose(out, expected, rtol=TOLERANCE, atol=TOLERANCE)


@nki_mlir.jit
def one(x, out, CASE: tl.constexpr):
    at = tl.arange(0, 1)
    a = tl.load(x + at)
    if CASE == "sum":
        r = tl.sum(a, axis=0)
    elif CASE == "softmax":
        r = tl.sum(tl.softmax(a))
    elif CASE == "expanded":
        r = tl.sum(tl.sum(a[:, None] * a[None, :], axis=1), axis=0)
    elif CASE == "scalar expanded":
        r = tl.sum(tl.expand_dims(tl.load(x), 0), axis=0)
    elif CASE == "scalar broadcast":
        r = tl.sum(tl.broadcast_to(tl.load(x), (4, 2)))
    else:
        r = tl.max(tl.reshape(a, (1, 1)))
    tl.store(out, r)


ONE = {
    "sum": lambda a: a,
    "softmax": lambda a: 1.0,
    "expanded": lambda a: a * a,
    "scalar expanded": lambda a: a,
    "scalar broadcast": lambda a: 8 * a,
    "reshaped": lambda a: a,
}


@pytest.mark.parametrize("case", ONE)
def test_a_block_of_one(case: str) -> None:
    x = floats(1)
    *_, out = run(one, x, np.zeros(1, np.float32), rtol=TOLERANCE, CASE=case)
    np.testing.assert_allclose(out, [ONE[case](x[0])], rtol=TOLERANCE)


@nki_mlir.jit
def met(
    x, y, out, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr
):
    a = tl.load(x + tl.arange(0, A)[:, None] * B + tl.arange(0, B)[None, :])
    b = tl.load(y + tl.arange(0, C)[:, None] * D + tl.arange(0, D)[None, :])
    r = (a * 2.0 - b) * (b + 1.0)
    tl.store(out + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :], r)


@pytest.mark.parametrize("left", [(1, 1), (1, 16), (8, 1), (8, 16)], ids=str)
@pytest.mark.parametrize("right", [(1, 1), (1, 16), (8, 1), (8, 16)], ids=str)
def test_shapes_that_meet(left: tuple[int, int], right: tuple[int, int]) -> None:
    x, y = floats(*left), floats(*right, seed=1)
    expected = (x * np.float32(2) - y) * (y + np.float32(1))
    (m, n), (a, b), (c, d) = expected.shape, left, right
    *_, out = run(met, x, y, np.zeros_like(expected), A=a, B=b, C=c, D=d, M=m, N=n)
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def normalised(x, out, AXIS: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    """A reduction that goes back over what it came from."""
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    a = tl.load(x + at)
    total = tl.sum(a * a, axis=AXIS, keep_dims=True)
    tl.store(out + at, a * total + 1.0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("axis", [0, 1])
def test_reductions_spread_again(axis: int, shape: tuple[int, int]) -> None:
    x = floats(*shape)
    *_, out = run(normalised, x, np.zeros_like(x), rtol=TOLERANCE, AXIS=axis, M=shape[0], N=shape[1])
    np.testing.assert_allclose(out, x * (x * x).sum(axis, keepdims=True) + 1, rtol=TOLERANCE, atol=TOLERANCE)


@nki_mlir.jit
def product(x, y, out, M: tl.constexpr, K: tl.constexpr, N: tl.constexpr):
    a = tl.load(x + tl.arange(0, M)[:, None] * K + tl.arange(0, K)[None, :])
    b = tl.load(y + tl.arange(0, K)[:, None] * N + tl.arange(0, N)[None, :])
    tl.store(out + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :], tl.dot(a, b))


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 8, 1), (1, 16, 4), (4, 16, 1), (4, 1, 4), (2, 2, 2), (1, 128, 64), (64, 256, 1)], ids=str
)
def test_small_products(sizes: tuple[int, int, int]) -> None:
    m, k, n = sizes
    x, y = floats(m, k), floats(k, n, seed=1)
    *_, out = run(product, x, y, np.zeros((m, n), np.float32), rtol=1e-4, M=m, K=k, N=n)
    np.testing.assert_allclose(out, x.astype(np.float64) @ y, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def turned(x, out, M: tl.constexpr, N: tl.constexpr):
    a = tl.load(x + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    tl.store(out + tl.arange(0, N)[:, None] * M + tl.arange(0, M)[None, :], tl.trans(a) + 1.0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_transposes(shape: tuple[int, int]) -> None:
    x = floats(*shape)
    *_, out = run(turned, x, np.zeros(shape[::-1], np.float32), M=shape[0], N=shape[1])
    np.testing.assert_array_equal(out, x.T + np.float32(1))


@nki_mlir.jit
def rows_of_masks(x, y, out, m, n, M: tl.constexpr, N: tl.constexpr):
    """Masks and rows that have one dimension, computed before they meet the other."""
    rows, columns = tl.arange(0, M), tl.arange(0, N)
    at = rows[:, None] * N + columns[None, :]
    row = tl.exp(tl.load(y + columns) * 0.5) + columns
    inside = (rows < m)[:, None] & (columns < n)[None, :]
    tl.store(out + at, tl.where(inside, tl.load(x + at) * row[None, :], -1.0))


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (8, 16), (128, 4)], ids=str)
def test_rows_computed_before_they_are_spread(shape: tuple[int, int]) -> None:
    (m, n), x, y = shape, floats(*shape), floats(shape[1], seed=1)
    *_, out = run(rows_of_masks, x, y, np.zeros_like(x), m - 1, n - 1, rtol=TOLERANCE, M=m, N=n)
    rows, columns = np.mgrid[:m, :n]
    inside: Any = (rows < m - 1) & (columns < n - 1)
    np.testing.assert_allclose(out, np.where(inside, x * (np.exp(y / 2) + np.arange(n)), -1), rtol=TOLERANCE)
