"""What is the same along a dimension of which a bound leaves out a part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def spread(x_ptr, y_ptr, N, V, ROWS: tl.constexpr, W: tl.constexpr, B: tl.constexpr, AXIS: tl.constexpr):
    """y[p, j, w] = 2 * x[p, w], or x[p, j] or x[j, w] of a part of each block, for j < N and w < V."""
    p, w, j = tl.arange(0, ROWS), tl.arange(0, W), tl.program_id(0) * B + tl.arange(0, B)
    within = tl.arange(0, B)
    if AXIS == 0:
        x = tl.load(x_ptr + within[:, None] * W + w[None, :])[None, :, :]
    elif AXIS == 1:
        x = tl.load(x_ptr + p[:, None] * W + w[None, :])[:, None, :]
    else:
        x = tl.load(x_ptr + p[:, None] * B + within[None, :])[:, :, None]
    y = tl.broadcast_to(x * 2.0, (ROWS, B, W))
    at = (p[:, None, None] * N + j[None, :, None]) * V + w[None, None, :]
    tl.store(y_ptr + at, y, mask=(j[None, :, None] < N) & (w[None, None, :] < V))


@given(
    n=st.integers(1, 40),
    axis=st.sampled_from((0, 1, 2)),
    block=st.sampled_from((4, 16)),
    width=st.sampled_from((1, 8, 32)),
    left_out=st.integers(0, 31),
    rows=st.sampled_from((1, 4, 16)),
)
@settings(max_examples=15)
def test_ragged_ends(n: int, axis: int, block: int, width: int, left_out: int, rows: int) -> None:
    valid = max(1, width - left_out)
    shape = {0: (block, width), 1: (rows, width), 2: (rows, block)}[axis]
    x, y = floats(*shape), floats(rows, n, valid, seed=1)
    programs = -(-n // block)
    wide = np.broadcast_to(np.expand_dims(2 * x, axis), (rows, block, width))
    want = np.concatenate([wide] * programs, axis=1)[:, :n, :valid]
    *_, found = run(spread, x, y, n, valid, grid=(programs,), ROWS=rows, W=width, B=block, AXIS=axis)
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(("n", "width", "valid", "block"), [(6, 32, 8, 4), (37, 64, 16, 16)])
def test_ragged_rows_of_one(n: int, width: int, valid: int, block: int) -> None:
    x, y = floats(16, width), floats(16, n, valid, seed=1)
    *_, found = run(spread, x, y, n, valid, grid=(-(-n // block),), ROWS=16, W=width, B=block, AXIS=1)
    np.testing.assert_array_equal(found, np.broadcast_to(2 * x[:, None, :valid], y.shape))


@nki_mlir.jit
def row_sums(a_ptr, b_ptr, c_ptr, s_ptr, N, DOT: tl.constexpr):
    """A block that all programs read, in a product with ragged columns and by itself."""
    program, i = tl.program_id(0), tl.arange(0, 16)
    j = program * 16 + i
    x = tl.load(a_ptr + i[:, None] * 16 + i[None, :])
    if DOT:
        y = tl.load(b_ptr + i[:, None] * N + j[None, :], mask=j[None, :] < N, other=0.0)
        tl.store(c_ptr + i[:, None] * N + j[None, :], tl.dot(x, y), mask=j[None, :] < N)
    else:
        tl.store(c_ptr + i[:, None] * N + j[None, :], x * 2.0, mask=j[None, :] < N)
    tl.store(s_ptr + program * 16 + i, tl.sum(x, axis=1))


@pytest.mark.parametrize("n", [20, 32, 37])
@pytest.mark.parametrize("dot", [True, False])
def test_what_all_programs_read(n: int, dot: bool) -> None:
    a, b, c = floats(16, 16), floats(16, n, seed=1), np.zeros((16, n), np.float32)
    programs = -(-n // 16)
    s = np.zeros((programs, 16), np.float32)
    *_, product, sums = run(row_sums, a, b, c, s, n, grid=(programs,), rtol=1e-5, DOT=dot)
    want = a @ b if dot else np.concatenate([2 * a] * programs, axis=1)[:, :n]
    np.testing.assert_allclose(product, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sums, np.broadcast_to(a.sum(1), s.shape), rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def one_row_each(x_ptr, y_ptr, C: tl.constexpr, B: tl.constexpr, S: tl.constexpr, P: tl.constexpr):
    """Every program stores the same row S times, P rows apart."""
    c = tl.arange(0, B)
    x = tl.load(x_ptr + c, mask=c < C) * 2
    for i in range(S):
        row = i * P + tl.program_id(0)
        tl.store(y_ptr + row * C + c, x, mask=c < C)


@pytest.mark.parametrize(("stores", "programs"), [(129, 1), (130, 3), (300, 2)])
def test_a_row_on_more_rows_than_partitions(stores: int, programs: int) -> None:
    x, y = floats(5), floats(stores * programs, 5, seed=1)
    *_, found = run(one_row_each, x, y, grid=(programs,), C=5, B=8, S=stores, P=programs)
    np.testing.assert_array_equal(found, np.broadcast_to(2 * x, y.shape))
