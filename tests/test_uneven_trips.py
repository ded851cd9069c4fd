"""Programs that run a loop more or less often than others: each gives what it gives alone, whatever lies where only
others read."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.executor import time_program
from nki_mlir.passes.stages import STAGES

Array = np.ndarray[Any, Any]


@nki_mlir.jit
def attention(
    q_ptr, k_ptr, v_ptr, out_ptr, scale, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr, APART: tl.constexpr
):
    pid = tl.program_id(0)
    rows = pid * M + tl.arange(0, M)
    dims = tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + dims[None, :])
    top = tl.full([M], -float("inf"), tl.float32)
    total = tl.zeros([M], tl.float32)
    acc = tl.zeros([M, D], tl.float32)
    if APART:
        for start in range(0, pid * M, N):
            keys = start + tl.arange(0, N)
            k = tl.load(k_ptr + keys[None, :] * D + dims[:, None])
            x = tl.dot(q, k)
            high = tl.maximum(top, tl.max(x, 1) * scale)
            p = tl.exp(x * scale - high[:, None])
            fade = tl.exp(top - high)
            total = total * fade + tl.sum(p, 1)
            v = tl.load(v_ptr + keys[:, None] * D + dims[None, :])
            acc = tl.dot(p.to(v.dtype), v, acc * fade[:, None])
            top = high
    for start in range(pid * M if APART else 0, (pid + 1) * M, N):
        keys = start + tl.arange(0, N)
        k = tl.load(k_ptr + keys[None, :] * D + dims[:, None])
        x = tl.dot(q, k) * scale
        x = tl.where(rows[:, None] >= keys[None, :], x, -1.0e30)
        high = tl.maximum(top, tl.max(x, 1))
        p = tl.exp(x - high[:, None])
        fade = tl.exp(top - high)
        total = total * fade + tl.sum(p, 1)
        v = tl.load(v_ptr + keys[:, None] * D + dims[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc * fade[:, None])
        top = high
    out = acc / total[:, None]
    tl.store(out_ptr + rows[:, None] * D + dims[None, :], out.to(out_ptr.dtype.element_ty))


def attended(q: Array, k: Array, v: Array, scale: float) -> Array:
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    out = np.empty_like(q)
    for row in range(len(q)):
        x = k[: row + 1] @ q[row] * np.float32(scale)
        p = np.exp(x - x.max())
        out[row] = p @ v[: row + 1] / p.sum()
    return out


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(("tokens", "block", "element"), [(160, 32, np.float32), (320, 16, ml_dtypes.bfloat16)])
def test_causal_attention(target: str, apart: bool, tokens: int, block: int, element: Any) -> None:
    rng = np.random.default_rng(tokens)
    q, k, v = (rng.standard_normal((tokens, 32), np.float32).astype(element) for _ in range(3))
    # Keys of the last programs alone: what they hold is nothing to the others.
    k[-32:], v[-32:] = np.nan, np.inf
    out = np.zeros_like(q)
    meta = {"D": 32, "M": 32, "N": block, "APART": apart}
    attention.compile(q, k, v, out, 0.2, grid=(tokens // 32,), target=target, **meta).run(q, k, v, out, 0.2, **meta)
    want = attended(q, k, v, 0.2)[:-32]
    tolerance = 1e-5 if element is np.float32 else 2e-2
    np.testing.assert_allclose(out[:-32].astype(np.float32), want, rtol=tolerance, atol=tolerance)
    assert np.isnan(out[-32:].astype(np.float32)).all()


@pytest.mark.parametrize("block", [64, 128])
def test_attention_of_a_part_of_the_keys_takes_a_part_of_the_time(block: int) -> None:
    q, k, v, out = (np.zeros((1024, 128), ml_dtypes.bfloat16) for _ in range(4))
    meta = {"D": 128, "M": 128, "N": block, "APART": True}
    kernel = attention.compile(q, k, v, out, 0.1, grid=(8,), **meta)
    assert time_program(kernel.module("neuron.isa")).modelled_us < 80
    names = STAGES["tile"].split(",")
    assert names.index("equalize-trips") < names.index("merge-steps") < names.index("widen")


@nki_mlir.jit
def sums(x_ptr, y_ptr, out_ptr, log_ptr, n, KIND: tl.constexpr, K: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    pid = tl.program_id(0)
    rows = tl.arange(0, R)
    columns = tl.arange(0, C)
    low = 0
    if KIND == "more":
        high = pid
    elif KIND == "one more":
        high = pid + 1
    elif KIND == "fewer":
        high = tl.num_programs(0) - pid
    elif KIND == "at most":
        high = min(pid + 1, 3)
    elif KIND == "twice":
        high = 2 * pid + 1
    elif KIND == "half":
        high = (pid + 1) // 2
    else:
        low = pid
        high = 2 * pid + 2
    acc = tl.zeros([R, C], tl.float32)
    top = tl.full([R], -float("inf"), tl.float32)
    total = tl.zeros([R], tl.float32)
    for j in range(low, high):
        terms = j * K + tl.arange(0, K)
        x = tl.load(x_ptr + rows[:, None] * n + terms[None, :])
        y = tl.load(y_ptr + terms[:, None] * C + columns[None, :])
        acc += tl.dot(x, y)
        above = tl.maximum(top, tl.max(x, 1))
        total = total * tl.exp(top - above) + tl.sum(tl.exp(x - above[:, None]), 1)
        top = above
    tl.store(out_ptr + (pid * R + rows)[:, None] * C + columns[None, :], acc)
    tl.store(log_ptr + pid * R + rows, tl.where(total > 0, top + tl.log(total), top))


_ENDS = {
    "more": lambda i, n: (0, i),
    "one more": lambda i, n: (0, i + 1),
    "fewer": lambda i, n: (0, n - i),
    "at most": lambda i, n: (0, min(i + 1, 3)),
    "twice": lambda i, n: (0, 2 * i + 1),
    "half": lambda i, n: (0, (i + 1) // 2),
    "between": lambda i, n: (i, 2 * i + 2),
}


@settings(max_examples=15)
@given(
    st.sampled_from(sorted(_ENDS)),
    st.integers(1, 9),
    st.sampled_from((4, 16, 32)),
    st.sampled_from((1, 8, 64)),
    st.sampled_from((1, 16)),
    st.integers(0, 2**32 - 1),
)
def test_sums_and_maxima(kind: str, programs: int, k: int, rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = [_ENDS[kind](i, programs) for i in range(programs)]
    n = max(1, *(high for _, high in ends)) * k
    x, y = (rng.standard_normal(shape, np.float32) for shape in ((rows, n), (n, columns)))
    # What the longest program alone reads may be anything.
    used = sorted({high for _, high in ends})
    if len(used) > 1:
        y[used[-2] * k :] = np.nan
    out, logs = np.zeros((programs, rows, columns), np.float32), np.zeros((programs, rows), np.float32)
    sums[(programs,)](x, y, out, logs, n, KIND=kind, K=k, R=rows, C=columns)
    for i, (low, high) in enumerate(ends):
        part = slice(low * k, high * k)
        np.testing.assert_allclose(out[i], x[:, part] @ y[part], rtol=1e-4, atol=1e-4, err_msg=f"{kind} {i}")
        if high > low:
            want = np.log(np.exp(x[:, part].astype(np.float64)).sum(1))
            np.testing.assert_allclose(logs[i], want, rtol=1e-4, atol=1e-4, err_msg=f"{kind} {i}")
        else:
            assert np.isneginf(logs[i]).all()


@nki_mlir.jit
def others(x_ptr, s_ptr, out_ptr, n, KIND: tl.constexpr, K: tl.constexpr, R: tl.constexpr):
    pid = tl.program_id(0)
    rows = tl.arange(0, R)
    acc = tl.zeros([R], tl.float32)
    for j in range(0, pid + 1):
        x = tl.load(x_ptr + rows[:, None] * n + (j * K + tl.arange(0, K))[None, :])
        if KIND == "by the step":
            acc += 1.0 / (pid + 1 - j) * tl.sum(x, 1)
        elif KIND == "by what is loaded":
            acc += tl.load(s_ptr + j) * tl.sum(x, 1)
        elif KIND == "by what is computed":
            acc += 1.0 / tl.sqrt(tl.sum(x * x, 1)) * tl.sum(x, 1)
        elif KIND == "by a number":
            acc += 0.5 * tl.sum(x, 1)
        elif KIND == "counted":
            acc += tl.sum((x > 0).to(tl.int32), 1).to(tl.float32)
        else:
            acc = tl.maximum(acc, tl.max((x * 8).to(tl.int32), 1).to(tl.float32))
    tl.store(out_ptr + pid * R + rows, acc)


_TERMS = {
    "by the step": lambda x, s, left: x.sum(1) / left,
    "by what is loaded": lambda x, s, left: s * x.sum(1),
    "by what is computed": lambda x, s, left: x.sum(1) / np.sqrt((x * x).sum(1)),
    "by a number": lambda x, s, left: 0.5 * x.sum(1),
    "counted": lambda x, s, left: (x > 0).sum(1),
    "highest": lambda x, s, left: np.trunc(x * 8).max(1),
}


@pytest.mark.parametrize("kind", _TERMS)
def test_factors_and_integers(kind: str) -> None:
    rng, programs, k, rows = np.random.default_rng(3), 6, 16, 8
    x = rng.standard_normal((rows, programs * k), np.float32)
    scales = rng.standard_normal(programs).astype(np.float32)
    scales[-1] = np.inf
    out = np.zeros((programs, rows), np.float32)
    others[(programs,)](x, scales, out, programs * k, KIND=kind, K=k, R=rows)
    for i in range(programs - 1):
        parts = [_TERMS[kind](x[:, j * k : (j + 1) * k], scales[j], i + 1 - j) for j in range(i + 1)]
        want = np.maximum(0, np.max(parts, axis=0)) if kind == "highest" else np.sum(parts, axis=0)
        np.testing.assert_allclose(out[i], want, rtol=1e-4, atol=1e-4, err_msg=f"{kind} {i}")


@nki_mlir.jit
def shared_out(grad_ptr, x_ptr, weight_ptr, out_ptr, sums_ptr, rows, share, n, B: tl.constexpr):
    pid = tl.program_id(0)
    columns = tl.arange(0, B)
    mask = columns < n
    weight = tl.load(weight_ptr + columns, mask=mask, other=0.0).to(tl.float32)
    sums = tl.zeros([B], tl.float32)
    for row in range(pid * share, min((pid + 1) * share, rows)):
        grad = tl.load(grad_ptr + row * n + columns, mask=mask, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + row * n + columns, mask=mask, other=0.0).to(tl.float32)
        product = tl.sum(grad * weight * x, 0)
        tl.store(out_ptr + row * n + columns, (grad * weight - product * x).to(out_ptr.dtype.element_ty), mask=mask)
        sums += grad * x
    tl.store(sums_ptr + pid * n + columns, sums, mask=mask)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize(("rows", "programs", "n"), [(128, 32, 100), (117, 32, 257), (120, 40, 64), (7, 3, 33)])
def test_rows_shared_out(target: str, element: Any, rows: int, programs: int, n: int) -> None:
    rng = np.random.default_rng(rows + n)
    grad, x = (rng.standard_normal((rows, n), np.float32).astype(element) for _ in range(2))
    weight = rng.standard_normal(n, np.float32).astype(element)
    grad[3, 5], x[5, 7] = np.nan, np.inf
    share = -(-rows // programs)
    out, sums = np.zeros_like(x), np.full((programs, n), 7.0, np.float32)
    arguments = (grad, x, weight, out, sums, rows, share, n)
    meta: dict[str, Any] = {"B": nki_mlir.next_power_of_2(n)}
    with np.errstate(invalid="ignore", over="ignore"):
        g, v, w = (a.astype(np.float32) for a in (grad, x, weight))
        want = g * w - (g * w * v).sum(1, keepdims=True) * v
        wanted = np.stack([(g * v)[p * share : (p + 1) * share].sum(0) for p in range(programs)])
    shared_out.compile(*arguments, grid=(programs,), target=target, **meta).run(*arguments, **meta)
    tolerance = 2e-5 if element is np.float32 else 3e-2
    np.testing.assert_allclose(out.astype(np.float32), want, rtol=tolerance, atol=50 * tolerance)
    np.testing.assert_allclose(sums, wanted, rtol=2e-5, atol=2e-5)


def test_programs_with_fewer_rows_take_no_more_time_than_with_as_many() -> None:
    """One program of 64 has a few rows less: the others run together still."""

    def time(rows: int) -> float:
        grad, x, out = (np.zeros((rows, 512), np.float32) for _ in range(3))
        arguments = (grad, x, np.zeros(512, np.float32), out, np.zeros((64, 512), np.float32), rows, 16, 512)
        compiled = shared_out.compile(*arguments, grid=(64,), B=512)
        return time_program(compiled.module("neuron.isa")).modelled_us

    assert time(1021) < 2.0 * time(1024)
