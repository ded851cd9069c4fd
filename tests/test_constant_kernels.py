"""Constants: tensors of one number go wherever others do."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl

N = 200
M, K = 32, 64
TOLERANCE = 4e-6


@nki_mlir.jit
def filled(out, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    two, three = tl.full((N,), 2.0, tl.float32), tl.full((N,), 3.0, tl.float32)
    if CASE == "zeros times a number":
        r = tl.zeros((N,), tl.float32) * 2.0
    elif CASE == "sum":
        r = two + three
    elif CASE == "difference":
        r = two - three * three
    elif CASE == "quotient":
        r = two / three
    elif CASE == "negated":
        r = -two
    elif CASE == "exp":
        r = tl.exp(two)
    elif CASE == "sigmoid":
        r = tl.sigmoid(two)
    elif CASE == "abs":
        r = tl.abs(-two)
    elif CASE == "maximum":
        r = tl.maximum(two, three)
    elif CASE == "where":
        r = tl.where(two > three, two, three)
    elif CASE == "where of indices":
        r = tl.where(at < 5, two, three)
    elif CASE == "true":
        r = tl.where(tl.full((N,), 1, tl.int1), two, three)
    elif CASE == "cast":
        r = two.to(tl.int32).to(tl.float32) + three.to(tl.bfloat16).to(tl.float32)
    elif CASE == "rounded":
        r = tl.full((N,), 1.001, tl.bfloat16).to(tl.float32) + tl.full((N,), 3.001, tl.float16).to(tl.float32)
    elif CASE == "integers":
        r = ((tl.full((N,), 100, tl.int8) + tl.full((N,), 100, tl.int8)) // 1).to(tl.float32)
    elif CASE == "unsigned":
        r = (tl.full((N,), 200, tl.uint8) + tl.full((N,), 100, tl.uint8)).to(tl.float32)
    elif CASE == "shifted":
        r = ((tl.full((N,), -100, tl.int32) >> 3) | 1).to(tl.float32)
    elif CASE == "row sums":
        r = tl.sum(tl.full((N, 4), 2.0, tl.float32), axis=1)
    elif CASE == "column maxima":
        r = tl.max(tl.full((4, N), 2.0, tl.float32), axis=0)
    elif CASE == "sum of all":
        r = tl.sum(two) + tl.zeros((N,), tl.float32)
    elif CASE == "expanded":
        r = tl.sum(tl.broadcast_to(two[:, None], (N, 3)) * 2.0, axis=1)
    elif CASE == "transposed":
        r = tl.sum(tl.trans(tl.full((2, N), 2.0, tl.float32)) + 1.0, axis=1)
    else:
        r = tl.zeros((N,), tl.float32)
    tl.store(out + at, r)


FILLED = {
    "zeros times a number": 0.0,
    "sum": 5.0,
    "difference": -7.0,
    "quotient": 2 / 3,
    "negated": -2.0,
    "exp": np.exp(2.0),
    "sigmoid": 1 / (1 + np.exp(-2.0)),
    "abs": 2.0,
    "maximum": 3.0,
    "where": 3.0,
    "where of indices": np.where(np.arange(256) < 5, 2.0, 3.0),
    "true": 2.0,
    "cast": 5.0,
    "rounded": float(ml_dtypes.bfloat16(1.001)) + float(np.float16(3.001)),
    "integers": -56.0,
    "unsigned": 44.0,
    "shifted": (-100 >> 3) | 1,
    "row sums": 8.0,
    "column maxima": 2.0,
    "sum of all": 512.0,
    "expanded": 12.0,
    "transposed": 6.0,
    "stored": 0.0,
}


@pytest.mark.parametrize("case", FILLED)
def test_operations_on_constants_alone(case: str) -> None:
    (out,) = run(filled, np.full(256, 9.0, np.float32), rtol=TOLERANCE, CASE=case, N=256)
    np.testing.assert_allclose(out, np.broadcast_to(FILLED[case], 256), rtol=TOLERANCE)


@nki_mlir.jit
def mixed(x, out, n, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    a = tl.load(x + at, mask=at < n, other=0.0)
    if CASE == "constant first":
        r = 2.0 * (1.0 + a) * tl.sum(a, axis=0)
    elif CASE == "sigmoid":
        r = tl.sigmoid(a) * tl.sum(a, axis=0)
    elif CASE == "constant minus":
        r = 1.0 - (3.0 - a) / 2.0
    elif CASE == "where":
        r = tl.where(a > 0.0, 1.0, tl.zeros((N,), tl.float32))
    elif CASE == "where of a constant condition":
        r = tl.where(tl.zeros((N,), tl.float32) > 1.0, a, a * 2.0)
    else:
        r = a + tl.zeros((N,), tl.float32) * tl.full((N,), 2.0, tl.float32)
    tl.store(out + at, r, mask=at < n)


MIXED = {
    "constant first": lambda a: 2 * (1 + a) * a.sum(),
    "sigmoid": lambda a: a.sum() / (1 + np.exp(-a)),
    "constant minus": lambda a: 1 - (3 - a) / 2,
    "where": lambda a: np.where(a > 0, 1.0, 0.0),
    "where of a constant condition": lambda a: 2 * a,
    "computed zero": lambda a: a,
}


@pytest.mark.parametrize("case", MIXED)
def test_constants_beside_tensors(case: str) -> None:
    x = floats(N)
    *_, out = run(mixed, x, np.zeros(N, np.float32), N, rtol=1e-4, CASE=case, N=256)
    np.testing.assert_allclose(out, MIXED[case](x.astype(np.float64)), rtol=1e-4, atol=1e-5)


@nki_mlir.jit
def carried(x, out, CASE: tl.constexpr, STEPS: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    acc = tl.zeros((N,), tl.float32)
    scale = tl.full((N,), 1.0, tl.float32)
    for i in range(STEPS):
        a = tl.load(x + i * N + at)
        if CASE == "scaled":
            acc = acc * 0.5 + a
        elif CASE == "scaled alone":
            scale = scale * 0.5
            acc += a * scale
        elif CASE == "reset":
            acc = tl.zeros((N,), tl.float32)
        elif CASE == "swapped":
            acc, scale = scale, acc
        else:
            acc = tl.maximum(acc, a)
    tl.store(out + at, acc + scale)


@pytest.mark.parametrize("case", ["scaled", "scaled alone", "reset", "swapped", "extremum"])
def test_loops_that_start_from_constants(case: str) -> None:
    x = floats(5, 64)
    acc, scale = np.zeros(64, np.float32), np.ones(64, np.float32)
    for a in x:
        match case:
            case "scaled":
                acc = acc * np.float32(0.5) + a
            case "scaled alone":
                scale = scale * np.float32(0.5)
                acc = acc + a * scale
            case "reset":
                acc = np.zeros_like(acc)
            case "swapped":
                acc, scale = scale, acc
            case _:
                acc = np.maximum(acc, a)
    *_, out = run(carried, x, np.zeros(64, np.float32), CASE=case, STEPS=5, N=64)
    np.testing.assert_array_equal(out, acc + scale)


@nki_mlir.jit
def product(x, out, CASE: tl.constexpr, M: tl.constexpr, K: tl.constexpr):
    rows, columns = tl.arange(0, M), tl.arange(0, K)
    a = tl.load(x + rows[:, None] * K + columns[None, :])
    if CASE == "right":
        r = tl.dot(a, tl.full((K, M), 0.5, tl.float32))
    elif CASE == "left":
        r = tl.dot(tl.full((M, M), 0.5, tl.float32), a)
    elif CASE == "both":
        r = tl.dot(tl.full((M, K), 0.5, tl.float32), tl.full((K, M), 2.0, tl.float32))
    else:
        r = tl.dot(a, tl.trans(a), acc=tl.full((M, M), 3.0, tl.float32))
    width: tl.constexpr = r.shape[1]
    tl.store(out + rows[:, None] * width + tl.arange(0, width)[None, :], r)


PRODUCTS = {
    "right": lambda a: a @ np.full((K, M), 0.5),
    "left": lambda a: np.full((M, M), 0.5) @ a,
    "both": lambda a: np.full((M, M), float(K)),
    "acc": lambda a: a @ a.T + 3,
}


@pytest.mark.parametrize("case", PRODUCTS)
def test_products_of_constants(case: str) -> None:
    x = floats(M, K)
    expected = PRODUCTS[case](x.astype(np.float64))
    *_, out = run(product, x, np.zeros(expected.shape, np.float32), rtol=1e-4, CASE=case, M=M, K=K)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def constant_mask(x, out, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    if CASE == "always":
        mask = 1 == 1
    elif CASE == "never":
        mask = 0 == 1
    elif CASE == "full":
        mask = tl.full((N,), 0, tl.int1)
    elif CASE == "compared":
        mask = tl.zeros((N,), tl.float32) > 1.0
    else:
        mask = (at < 8) & (tl.zeros((N,), tl.int32) == 0)
    tl.store(out + at, tl.load(x + at, mask=mask, other=-1.0))
    tl.store(out + N + at, tl.load(x + at), mask=mask)
    tl.store(out + 2 * N, tl.load(x, mask=0 == 1, other=5.0))
    tl.store(out + 2 * N + 1, 7.0, mask=0 == 1)
    tl.store(out + 2 * N + 2, tl.load(x, mask=1 == 1), mask=True)


@pytest.mark.parametrize("case", ["always", "never", "full", "compared", "combined"])
def test_constant_masks(case: str) -> None:
    x = floats(64)
    mask = {"always": np.full(64, True), "combined": np.arange(64) < 8}.get(case, np.full(64, False))
    *_, out = run(constant_mask, x, np.full(131, 9.0, np.float32), CASE=case, N=64)
    np.testing.assert_array_equal(out[:64], np.where(mask, x, -1))
    np.testing.assert_array_equal(out[64:128], np.where(mask, x, 9))
    np.testing.assert_array_equal(out[128:], [5, 9, x[0]])


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.int8, np.uint16, np.uint32], ids=str)
def test_constants_of_every_type(dtype: Any) -> None:
    (out,) = run(of_type, np.zeros(64, dtype), N=64)
    np.testing.assert_array_equal(out, np.full(64, 6, dtype))


@nki_mlir.jit
def of_type(out, N: tl.constexpr):
    two = tl.full((N,), 2, out.dtype.element_ty)
    tl.store(out + tl.arange(0, N), two * two + two)
