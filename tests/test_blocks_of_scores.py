"""Online softmaxes whose blocks are done several at a time: random sizes, dtypes, masks, ways to write them. Each is
compared with NumPy, and after every pass with what the source means."""

from __future__ import annotations

import random

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, run
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.dialects import tile


@nki_mlir.jit
def attention(
    q_ptr, k_ptr, v_ptr, out_ptr, scale, bound,
    N: tl.constexpr, D: tl.constexpr, M: tl.constexpr, B: tl.constexpr, MASK: tl.constexpr, FORM: tl.constexpr,
):  # fmt: skip
    rows, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    m = tl.full((M,), -3.0e38, tl.float32)
    total = tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, N, B):
        columns = start + tl.arange(0, B)
        inside = columns[:, None] < N
        k = tl.load(k_ptr + columns[:, None] * D + d[None, :], mask=inside, other=0.0)
        v = tl.load(v_ptr + columns[:, None] * D + d[None, :], mask=inside, other=0.0)
        scores = tl.dot(q, tl.trans(k))
        if FORM != "behind":
            scores = scores * scale
        if MASK == "causal":
            scores = tl.where(rows[:, None] >= columns[None, :], scores, -1.0e30)
        elif MASK == "bound":
            scores = tl.where((columns < bound)[None, :], scores, -1.0e30)
        new = tl.maximum(m, tl.max(scores, axis=1))
        if FORM == "behind":
            p = tl.exp((scores - new[:, None]) * scale)
            alpha = tl.exp((m - new) * scale)
        elif FORM == "exp2":
            p = tl.exp2(scores - new[:, None])
            alpha = tl.exp2(m - new)
        else:
            p = tl.exp(scores - new[:, None])
            alpha = tl.exp(m - new)
        total = total * alpha + tl.sum(p, axis=1)
        acc = tl.dot(p.to(q.dtype), v, acc * alpha[:, None])
        m = new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / total[:, None])


@pytest.mark.parametrize("seed", range(6))
def test_random_attention(seed: int) -> None:
    r = random.Random(seed)
    rows, block, d = r.choice((16, 32)), r.choice((16, 32)), r.choice((16, 32))
    n, grid = block * r.randrange(2, 7), r.randrange(1, 3)
    mask, form = r.choice(("none", "causal", "bound")), r.choice(("exp", "exp2", "behind"))
    element = r.choice((np.float32, ml_dtypes.bfloat16))
    q, k, v = (floats(size, d, seed=seed + i).astype(element) for i, size in enumerate((grid * rows, n, n)))
    bound = n - r.randrange(1, block)
    meta = {"N": n, "D": d, "M": rows, "B": block, "MASK": mask, "FORM": form}
    tolerance = 1e-4 if element == np.float32 else 2e-2
    out = np.zeros((grid * rows, d), np.float32)
    *_, found = run(attention, q, k, v, out, 0.125, bound, grid=(grid,), rtol=tolerance, **meta)
    scores = q.astype(np.float64) @ k.T.astype(np.float64) * 0.125
    if mask == "causal":
        scores[np.arange(grid * rows)[:, None] < np.arange(n)[None, :]] = -np.inf
    elif mask == "bound":
        scores[:, bound:] = -np.inf
    p = (np.exp2 if form == "exp2" else np.exp)(scores - scores.max(axis=1, keepdims=True))
    want = p / p.sum(axis=1, keepdims=True) @ v.astype(np.float64)
    np.testing.assert_allclose(found, want, rtol=tolerance, atol=tolerance)


@nki_mlir.jit
def entropy(x_ptr, out_ptr, N, B: tl.constexpr):
    row, columns = tl.program_id(0), tl.arange(0, B)
    m = -3.0e38
    total = 0.0
    for start in range(0, N, B):
        x = tl.load(x_ptr + row * N + start + columns, mask=start + columns < N, other=float("-inf"))
        new = tl.maximum(m, tl.max(x, axis=0))
        total = total * tl.exp(m - new) + tl.sum(tl.exp(x - new), axis=0)
        m = new
    tl.store(out_ptr + row, m + tl.log(total))


@pytest.mark.parametrize(("rows", "n", "block"), [(3, 300, 64), (20, 200, 32), (8, 128, 16)])
def test_logarithms_of_sums(rows: int, n: int, block: int) -> None:
    x = floats(rows, n) * 4
    *_, found = run(entropy, x, np.zeros(rows, np.float32), n, grid=(rows,), rtol=1e-5, B=block)
    most = x.max(axis=1, keepdims=True)
    want = most[:, 0] + np.log(np.exp(x - most).sum(axis=1))
    np.testing.assert_allclose(found, want, rtol=1e-5)


def steps(n: int, block: int) -> list[int]:
    """How many keys are taken at a time, step by step, where the maximum is not found first."""
    element = ml_dtypes.bfloat16
    q, k, v = (np.zeros((size, 128), element) for size in (2048, n, n))
    meta = {"N": n, "D": 128, "M": 128, "B": block, "MASK": "none", "FORM": "exp"}
    out = np.zeros((2048, 128), np.float32)
    module: ModuleOp = attention.trace(q, k, v, out, 0.125, n, grid=(16,), **meta).module
    passes = [one for one in pipeline("tile", stop_after="merge-steps").passes if one.name != "maximum-first"]
    lowered = pipeline(passes, target="trn1")(module)
    return [
        tile.shape_of(op.source)[1]
        for op in lowered.walk()
        if isinstance(op, tile.ReduceOp) and op.kind.data is not tile.Reduction.SUM
    ]


def test_how_many_keys() -> None:
    """1,024 keys at a time take two of the eight banks of PSUM, whatever the blocks. A few steps are written out, so
    that all programs find the keys on chip; many are not."""
    assert steps(4096, 128) == steps(4096, 64) == steps(4096, 256) == [1024] * 4
    assert steps(16384, 128) == [1024]
    assert (steps(2304, 128), steps(1152, 128)) == ([768] * 3, [640, 512])
