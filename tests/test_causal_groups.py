"""Causal attention: programs whose rows fill the array run together, and do by themselves what they have beside."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.dialects.tile_pieces import ConcatOp
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.pipelines import pipeline


@nki_mlir.jit
def two_loops(q_ptr, k_ptr, v_ptr, out_ptr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    rows, columns, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, N), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    highest, total = tl.full((M,), float("-inf"), tl.float32), tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, tl.program_id(0) * M, N):
        k = tl.load(k_ptr + (start + columns)[None, :] * D + d[:, None])
        scores = tl.dot(q, k) * 0.125
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p, alpha = tl.exp(scores - new[:, None]), tl.exp(highest - new)
        v = tl.load(v_ptr + (start + columns)[:, None] * D + d[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None])
        total, highest = total * alpha + tl.sum(p, axis=1), new
    for start in range(tl.program_id(0) * M, (tl.program_id(0) + 1) * M, N):
        k = tl.load(k_ptr + (start + columns)[None, :] * D + d[:, None])
        scores = tl.dot(q, k) * 0.125 + tl.where(rows[:, None] >= (start + columns)[None, :], 0, -1.0e6)
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p, alpha = tl.exp(scores - new[:, None]), tl.exp(highest - new)
        v = tl.load(v_ptr + (start + columns)[:, None] * D + d[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None])
        total, highest = total * alpha + tl.sum(p, axis=1), new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / total[:, None])


@nki_mlir.jit
def one_loop(q_ptr, k_ptr, v_ptr, out_ptr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    rows, columns, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, N), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    highest, total = tl.full((M,), float("-inf"), tl.float32), tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, (tl.program_id(0) + 1) * M, N):
        k = tl.load(k_ptr + (start + columns)[None, :] * D + d[:, None])
        scores = tl.where(rows[:, None] >= (start + columns)[None, :], tl.dot(q, k) * 0.125, float("-inf"))
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p, alpha = tl.exp(scores - new[:, None]), tl.exp(highest - new)
        v = tl.load(v_ptr + (start + columns)[:, None] * D + d[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None])
        total, highest = total * alpha + tl.sum(p, axis=1), new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / total[:, None])


def _expected(q: Any, k: Any, v: Any, rows: int) -> np.ndarray[Any, Any]:
    """As the kernels say: a block of rows sees all keys of its last block, those behind it times 0."""
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    out = np.zeros_like(q)
    for start in range(0, len(q), rows):
        end = start + rows
        scores = np.where(
            np.arange(start, end)[:, None] >= np.arange(end), q[start:end] @ k[:end].T * np.float32(0.125), -np.inf
        )
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[start:end] = p / p.sum(axis=1, keepdims=True) @ v[:end]
    return out


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize(
    ("kernel", "tokens", "keys"),
    [(two_loops, 1024, 128), (two_loops, 896, 64), (one_loop, 1024, 128), (one_loop, 1152, 64)],
)
def test_programs_that_see_unlike_many_keys(kernel: Any, tokens: int, keys: int, target: str) -> None:
    """A NaN among values is seen by the blocks of rows that read it, and by no others of their group."""
    d, rows = 64, 128
    rng = np.random.default_rng(tokens + keys)
    q, k, v = (rng.standard_normal((tokens, d)).astype(ml_dtypes.bfloat16) for _ in range(3))
    v[rows + 5, 7], v[4 * rows - 1, 1] = np.nan, np.inf
    out = np.zeros((tokens, d), np.float32)
    meta: dict[str, Any] = {"D": d, "M": rows, "N": keys}
    compiled = kernel.compile(q, k, v, out, grid=(tokens // rows,), target=target, **meta)
    wide = pipeline("tile", stop_after="widen")(compiled.module("tile"))
    compiled.run(q, k, v, out, **meta)
    with np.errstate(invalid="ignore"):
        want = _expected(q, k, v, rows)
    assert not np.isfinite(want).all() and np.isfinite(want[:rows]).all()
    np.testing.assert_array_equal(np.isfinite(out), np.isfinite(want))
    np.testing.assert_allclose(out, want, rtol=2e-2, atol=5e-3)
    assert any(isinstance(op, ConcatOp) for op in wide.walk())


def test_what_is_not_found_first_has_idle_iterations() -> None:
    """Numbers of fp32, which the array multiplies in several passes."""
    tokens, d = 512, 64
    rng = np.random.default_rng(1)
    q, k, v = (rng.standard_normal((tokens, d)).astype(np.float32) for _ in range(3))
    out = np.zeros((tokens, d), np.float32)
    meta: dict[str, Any] = {"D": d, "M": 128, "N": 128}
    compiled = two_loops.compile(q, k, v, out, grid=(4,), **meta)
    wide = pipeline("tile", stop_after="equalize-trips")(compiled.module("tile"))
    assert not any(op.together for op in wide.walk() if isinstance(op, ProgramsOp))
    compiled.run(q, k, v, out, **meta)
    np.testing.assert_allclose(out, _expected(q, k, v, 128), rtol=1e-4, atol=1e-4)
