"""What is NaN in attention stays so, row by row, where exponentials are turned as numbers from 0 to 1."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl

ROWS, DIM = 256, 64


@nki_mlir.jit
def attention(q, k, v, o, bias, scale, S, M: tl.constexpr, N: tl.constexpr, D: tl.constexpr, CAUSAL: tl.constexpr):
    pid = tl.program_id(0)
    rows, dims = pid * M + tl.arange(0, M), tl.arange(0, D)
    query = tl.load(q + rows[:, None] * D + dims[None, :])
    most = tl.full([M], -float("inf"), tl.float32)
    total = tl.zeros([M], tl.float32)
    acc = tl.zeros([M, D], tl.float32)
    end = (pid + 1) * M if CAUSAL else S
    for start in range(0, end, N):
        columns = start + tl.arange(0, N)
        scores = tl.dot(query, tl.load(k + columns[None, :] * D + dims[:, None])) * scale
        if CAUSAL:
            scores = tl.where(rows[:, None] >= columns[None, :], scores, -float("inf"))
        else:
            scores += tl.load(bias + rows[:, None] * S + columns[None, :])
        now = tl.maximum(most, tl.max(scores, 1))
        p = tl.exp(scores - now[:, None])
        alpha = tl.exp(most - now)
        total = total * alpha + tl.sum(p, 1)
        values = tl.load(v + columns[:, None] * D + dims[None, :])
        acc = acc * alpha[:, None] + tl.dot(p.to(values.dtype), values)
        most = now
    tl.store(o + rows[:, None] * D + dims[None, :], acc / total[:, None])


def attended(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, bias: np.ndarray, scale: float, m: int, n: int, causal: bool
) -> np.ndarray:
    """Rows at a time, each with the keys that its program reads."""
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    found = np.zeros_like(q)
    for first in range(0, ROWS, m):
        end = -(-(first + m) // n) * n if causal else ROWS
        scores = q[first : first + m] @ k[:end].T * np.float32(scale)
        if causal:
            scores[np.arange(first, first + m)[:, None] < np.arange(end)[None, :]] = -np.inf
        else:
            scores += bias[first : first + m]
        p = np.exp(scores - np.fmax.reduce(scores, 1)[:, None])
        found[first : first + m] = p @ v[:end] / p.sum(1)[:, None]
    return found


@settings(deadline=None, max_examples=8)
@given(
    st.sampled_from([64, 128]),
    st.sampled_from([64, 128]),
    st.booleans(),
    st.sampled_from([ml_dtypes.bfloat16, np.float16]),
    st.lists(
        st.tuples(
            st.sampled_from("qkvb"),
            st.integers(0, ROWS - 1),
            st.sampled_from([np.nan, -np.nan, np.inf, -np.inf]),
        ),
        max_size=3,
    ),
)
@example(128, 128, False, ml_dtypes.bfloat16, [("b", 7, -np.nan), ("q", 130, np.nan)])
@example(128, 128, True, ml_dtypes.bfloat16, [("k", 140, np.inf), ("v", 3, np.nan)])
def test_rows_with_nan_alone_are_nan(
    m: int, n: int, causal: bool, dtype: type, odd: list[tuple[str, int, float]]
) -> None:
    random = np.random.default_rng(0)
    arrays = {name: random.standard_normal((ROWS, DIM)).astype(dtype) for name in "qkv"}
    arrays["b"] = random.standard_normal((ROWS, ROWS)).astype(np.float32)
    for name, row, number in odd:
        arrays[name][row, row % DIM] = number
    scale, o = DIM**-0.5, np.zeros((ROWS, DIM), np.float32)
    attention[(ROWS // m,)](
        arrays["q"], arrays["k"], arrays["v"], o, arrays["b"], scale, ROWS, M=m, N=n, D=DIM, CAUSAL=causal
    )
    with np.errstate(all="ignore"):
        wanted = attended(arrays["q"], arrays["k"], arrays["v"], arrays["b"], scale, m, n, causal)
    assert np.array_equal(np.isnan(o), np.isnan(wanted))
    np.testing.assert_allclose(o, wanted, rtol=3e-2, atol=3e-2)


def test_exponentials_are_turned_once() -> None:
    random = np.random.default_rng(0)
    q, k, v = (random.standard_normal((ROWS, DIM)).astype(ml_dtypes.bfloat16) for _ in range(3))
    bias, o = random.standard_normal((ROWS, ROWS)).astype(np.float32), np.zeros((ROWS, DIM), np.float32)
    compiled = attention.compile(
        q, k, v, o, bias, 0.125, ROWS, grid=(2,), target="trn1", M=128, N=128, D=DIM, CAUSAL=False
    )
    text = str(compiled.module("neuron.mem"))
    assert "minimum" in text
    turned = [
        line for line in text.splitlines() if "neuron.mem.convert" in line and "bf16" in line and "256xbf16" in line
    ]
    assert turned and all("bytes" not in line for line in turned)
