"""Flash attention forward in Triton's online form: two products with a computed, turned operand between them."""

from __future__ import annotations

import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def attention(
    q_ptr,
    k_ptr,
    v_ptr,
    out_ptr,
    scale,
    N: tl.constexpr,
    D: tl.constexpr,
    M: tl.constexpr,
    B: tl.constexpr,
    CAUSAL: tl.constexpr,
):
    rows, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    highest = tl.full((M,), -3.0e38, tl.float32)
    total = tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, N, B):
        columns = start + tl.arange(0, B)
        k = tl.load(k_ptr + columns[:, None] * D + d[None, :])
        v = tl.load(v_ptr + columns[:, None] * D + d[None, :])
        scores = tl.dot(q, tl.trans(k)) * scale
        if CAUSAL:
            scores = tl.where(rows[:, None] >= columns[None, :], scores, -3.0e38)
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p = tl.exp(scores - new[:, None])
        alpha = tl.exp(highest - new)
        total = total * alpha + tl.sum(p, axis=1)
        acc = acc * alpha[:, None] + tl.dot(p.to(q.dtype), v)
        highest = new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / total[:, None])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("block", [32, 64])
def test_attention(causal: bool, block: int) -> None:
    n, d = 128, 64
    rng = np.random.default_rng([causal, block])
    q, k, v = (rng.standard_normal((n, d)).astype(np.float32) for _ in range(3))
    out = np.zeros_like(q)
    attention[(n // 64,)](q, k, v, out, 0.125, N=n, D=d, M=64, B=block, CAUSAL=causal)
    scores = q @ k.T * np.float32(0.125)
    if causal:
        scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(out, (p / p.sum(axis=1, keepdims=True)) @ v, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("where", ["q", "k", "v"])
def test_rows_with_nan_and_infinity(where: str) -> None:
    """A NaN among the scores of a row, of a first or of a later block, is in the whole row."""
    n, d = 128, 64
    rng = np.random.default_rng(7)
    given = {name: rng.standard_normal((n, d)).astype(np.float32) for name in "qkv"}
    given[where][5, 3], given[where][100, 7] = np.nan, np.inf
    out = np.zeros((n, d), np.float32)
    attention[(n // 64,)](*given.values(), out, 0.125, N=n, D=d, M=64, B=32, CAUSAL=False)
    with np.errstate(invalid="ignore"):
        scores = given["q"] @ given["k"].T * np.float32(0.125)
        p = np.exp(scores - np.fmax.reduce(scores, axis=1, keepdims=True))
        want = (p / p.sum(axis=1, keepdims=True)) @ given["v"]
    if where == "q":
        assert np.isnan(out[5]).all() and np.isfinite(out[:5]).all()
    np.testing.assert_array_equal(np.isnan(out), np.isnan(want))
    np.testing.assert_allclose(out[np.isfinite(want)], want[np.isfinite(want)], rtol=1e-4, atol=1e-5)
