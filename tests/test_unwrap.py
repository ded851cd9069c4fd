"""Indices that wrap around, `% M`, so that no block reads beyond its array: what they wrap to is stored nowhere, or is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import floats, run
from ml_dtypes import bfloat16
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.dialects import neuron_mem as mem


@nki_mlir.jit
def product(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """The way of Triton's tutorial."""
    rows, columns = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    offs_am, offs_bn, terms = rows % M, columns % N, tl.arange(0, BK)
    a_ptrs = a_ptr + offs_am[:, None] * K + terms[None, :]
    b_ptrs = b_ptr + terms[:, None] * N + offs_bn[None, :]
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        a = tl.load(a_ptrs, mask=terms[None, :] < K - k * BK, other=0.0)
        b = tl.load(b_ptrs, mask=terms[:, None] < K - k * BK, other=0.0)
        acc = tl.dot(a, b, acc)
        a_ptrs += BK
        b_ptrs += BK * N
    mask = (rows[:, None] < M) & (columns[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], acc.to(c_ptr.dtype.element_ty), mask=mask)


@nki_mlir.jit
def round_and_round(x_ptr, y_ptr, n, divisor, end, BLOCK: tl.constexpr, SUMS: tl.constexpr):
    places = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + places % divisor)
    if SUMS:
        x += tl.sum(x, axis=0)
    tl.store(y_ptr + places, 2 * x, mask=places < end)


def gathers(module: ModuleOp) -> int:
    """How many loads of the lowered module have an index tile."""
    placed = pipeline("lower-to-isa", stop_after="place")(module)
    return sum(isinstance(op, mem.LoadOp) and bool(op.indices) for op in placed.walk())


@pytest.mark.parametrize("dtype", [np.float32, bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(("m", "n", "k"), [(40, 50, 30), (17, 64, 16), (5, 3, 40)])
def test_products(m: int, n: int, k: int, dtype: Any) -> None:
    a, b, c = (x.astype(dtype) for x in (floats(m, k), floats(k, n, seed=1), floats(m, n, seed=2)))
    sizes, grid = (m, n, k), (-(-m // 16), -(-n // 32))
    *_, found = run(product, a, b, c, *sizes, grid=grid, rtol=1e-2 if dtype == bfloat16 else 1e-4, BM=16, BN=32, BK=16)
    want = a.astype(np.float32) @ b.astype(np.float32)
    tolerance = 2e-2 if dtype == bfloat16 else 1e-4
    np.testing.assert_allclose(found.astype(np.float32), want, rtol=tolerance, atol=tolerance)
    assert gathers(product.trace(a, b, c, *sizes, grid=grid, BM=16, BN=32, BK=16).module) == 0


def test_what_is_wrapped_to_stays_out() -> None:
    """NaN and infinities of the first rows and columns, to which the last block wraps."""
    a, b, c = floats(19, 8), floats(8, 21, seed=1), floats(19, 21)
    a[0, 3], a[1, 2], b[4, 0], b[2, 5] = np.nan, np.inf, -np.inf, np.nan
    *_, found = run(product, a, b, c, 19, 21, 8, grid=(2, 2), rtol=1e-5, BM=16, BN=16, BK=8)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, a @ b, rtol=1e-5, atol=1e-5)


@given(
    n=st.integers(1, 100),
    divisor=st.integers(1, 100),
    end=st.integers(1, 200),
    block=st.sampled_from((8, 32, 64)),
    sums=st.booleans(),
)
@settings(max_examples=12)
def test_any_divisor_and_bound(n: int, divisor: int, end: int, block: int, sums: bool) -> None:
    """Whether what wraps around is stored or not."""
    programs = -(-n // block)
    size = max(end, programs * block)
    x, y = floats(max(n, divisor)), floats(size, seed=1)
    places = np.arange(programs * block)
    want, wrapped = y.copy(), x[places % divisor]
    if sums:
        wrapped = wrapped + wrapped.reshape(-1, block).sum(1).repeat(block)
    stored = places < end
    want[: len(places)][stored] = 2 * wrapped[stored]
    *_, found = run(round_and_round, x, y, n, divisor, end, grid=(programs,), rtol=1e-4, BLOCK=block, SUMS=sums)
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-4)
