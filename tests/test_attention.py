"""Flash attention forward in Triton's online form: two products with a computed, turned operand between them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from xdsl.dialects.scf import ForOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.analysis.constants import constant_of
from nki_mlir.dialects.tile import DotOp, shape_of
from nki_mlir.kernel import Kernel

Array = np.ndarray[Any, Any]


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


SPLIT = r"""
import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def {name}(q_ptr, k_ptr, v_ptr, out_ptr, sums_ptr, N: tl.constexpr, D: tl.constexpr, M: tl.constexpr, B: tl.constexpr):
    rows, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    m = tl.full((M,), {lowest}, tl.float32)
    l = tl.full((M,), {begin}, tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, N, B):
        columns = start + tl.arange(0, B)
        k = tl.load(k_ptr + columns[:, None] * D + d[None, :])
        v = tl.load(v_ptr + columns[:, None] * D + d[None, :])
        {scores}
        alpha = tl.{exp}(m - new)
        l = l * alpha + tl.sum(p, axis={axis})
        acc = {product}
        m = new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / l[:, None])
    tl.store(sums_ptr + rows, {stored})
"""
"""A flash attention: exponents to a base, scores by rows or by columns, what is stored beside the output."""

ROWS = """s = tl.dot(q, tl.trans(k)) * 0.125
        new = tl.maximum(m, tl.max(s, axis=1))
        p = tl.{exp}(s - new[:, None])"""
COLUMNS = """s = tl.dot(k, tl.trans(q)) * 0.125
        new = tl.maximum(m, tl.max(s, axis=0))
        p = tl.{exp}(s - new[None, :])"""
MASKED = """s = tl.dot(q, tl.trans(k)) * 0.3 + tl.where(rows[:, None] < 100, 0.0, {low})
        new = tl.maximum(m, tl.max(s, axis=1))
        p = tl.exp(s - new[:, None])"""
PLAIN = {
    "name": "plain",
    "lowest": "float('-inf')",
    "begin": "0.0",
    "scores": ROWS,
    "exp": "exp",
    "axis": 1,
    "product": "tl.dot(p.to(v.dtype), v, acc * alpha[:, None])",
    "stored": "l",
}
FORMS = {
    "plain": PLAIN,
    "from_one": PLAIN | {"begin": "1.0", "exp": "exp2"},
    "added": PLAIN | {"product": "acc * alpha[:, None] + tl.dot(p.to(v.dtype), v)"},
    "beside": PLAIN | {"stored": "m + tl.log(l)"},
}
LEFT_ALONE = {
    "columns": PLAIN
    | {"scores": COLUMNS, "axis": 0, "product": "tl.dot(tl.trans(p.to(v.dtype)), v, acc * alpha[:, None])"},
    "maximum": PLAIN | {"stored": "m"},
    "lowest_number": PLAIN | {"lowest": "-1.0e30", "begin": "1.0"},
    "masked": PLAIN | {"scores": MASKED.replace("{low}", "-3.0e38")},
}


def split(form: dict[str, object], directory: Path) -> Kernel:
    """The kernel of a form, which Python reads from a file."""
    form = form | {"scores": str(form["scores"]).replace("{exp}", str(form["exp"]))}
    path = directory / "kernel.py"
    path.write_text(SPLIT.format(**form), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("kernel", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, str(form["name"]))


def loops(kernel: Kernel, *arguments: Array, tokens: int) -> int:
    """How many there are once maximum-first has run."""
    compiled = kernel.compile(*arguments, grid=(tokens // 128,), N=tokens, D=64, M=128, B=64)
    module = pipeline("tile", stop_after="maximum-first")(compiled.module("tile"))
    return sum(isinstance(op, ForOp) for op in module.walk())


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", [*FORMS, *LEFT_ALONE])
def test_maximum_first(name: str, dtype: type, tmp_path: Path) -> None:
    """Whether the maximum is found first or not, rows are what NumPy makes of them, one with a NaN all NaN."""
    tokens, d = 512, 64
    form = FORMS.get(name) or LEFT_ALONE[name]
    rng = np.random.default_rng(len(name))
    q, k, v = (rng.standard_normal((tokens, d)).astype(dtype) for _ in range(3))
    q[7, 3] = np.nan
    out, sums = np.zeros((tokens, d), np.float32), np.zeros(tokens, np.float32)
    kernel = split(form, tmp_path)
    assert loops(kernel, q, k, v, out, sums, tokens=tokens) == (2 if name in FORMS and dtype != np.float32 else 1)
    kernel[(tokens // 128,)](q, k, v, out, sums, N=tokens, D=d, M=128, B=64)
    scores = q.astype(np.float32) @ k.astype(np.float32).T * np.float32(0.3 if name == "masked" else 0.125)
    if name == "masked":
        scores[100:] = -3.0e38
    base = np.exp2 if form["exp"] == "exp2" else np.exp
    with np.errstate(invalid="ignore"):
        highest = np.fmax.reduce(scores, axis=1)
        p = base(scores - highest[:, None])
        total = p.sum(axis=1)
        want = (p / total[:, None]) @ v.astype(np.float32)
        beside = {"l": total, "m": highest, "m + tl.log(l)": highest + np.log(total)}[str(form["stored"])]
    near = 1e-4 if dtype == np.float32 else 2e-2
    np.testing.assert_array_equal(np.isnan(out), np.isnan(want))
    np.testing.assert_allclose(out, want, rtol=near, atol=near / 4)
    if name != "maximum":
        np.testing.assert_allclose(sums, beside, rtol=near)


@pytest.mark.parametrize(("name", "loops"), [*((name, False) for name in FORMS), ("plain", True), ("added", True)])
def test_row_sums_are_a_column_of_the_product(name: str, loops: bool, tmp_path: Path) -> None:
    """In a loop, and where its iterations are all written out."""
    tokens, d = (8192 if loops else 512), 64
    rng = np.random.default_rng(tokens)
    q, k, v = (rng.standard_normal((tokens, d)).astype(ml_dtypes.bfloat16) for _ in range(3))
    out, sums = np.zeros((tokens, d), np.float32), np.zeros(tokens, np.float32)
    meta: dict[str, Any] = {"N": tokens, "D": d, "M": 128, "B": 64}
    compiled = split(FORMS[name], tmp_path).compile(q, k, v, out, sums, grid=(tokens // 128,), **meta)
    module = pipeline("tile")(compiled.module("tile"))
    products = [op for op in module.walk() if isinstance(op, DotOp)]
    assert {shape_of(op.b)[1] for op in products if constant_of(op.a) is None} >= {d + 1}
    assert not any(constant_of(op.b) is not None for op in products)
    carried = [shape_of(arg) for op in module.walk() if isinstance(op, ForOp) for arg in op.iter_args]
    assert {shape[1] for shape in carried if len(shape) > 1} == ({d + 1} if loops else set())
    compiled.run(q, k, v, out, sums, **meta)
    scores = q.astype(np.float32) @ k.astype(np.float32).T * np.float32(0.125)
    p = (np.exp2 if FORMS[name]["exp"] == "exp2" else np.exp)(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(out, (p / p.sum(axis=1, keepdims=True)) @ v.astype(np.float32), rtol=2e-2, atol=5e-3)


@nki_mlir.jit
def ragged(
    q_ptr,
    k_ptr,
    v_ptr,
    out_ptr,
    KEYS: tl.constexpr,
    D: tl.constexpr,
    M: tl.constexpr,
    B: tl.constexpr,
    LOW: tl.constexpr,
    ADDED: tl.constexpr,
    CAUSAL: tl.constexpr,
):
    rows, d = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :])
    highest = tl.full((M,), -float("inf"), tl.float32)
    total = tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, KEYS, B):
        columns = start + tl.arange(0, B)
        k = tl.load(k_ptr + columns[:, None] * D + d[None, :], mask=(columns < KEYS)[:, None] | (not ADDED), other=0.0)
        v = tl.load(v_ptr + columns[:, None] * D + d[None, :], mask=(columns < KEYS)[:, None], other=0.0)
        scores = tl.dot(q, tl.trans(k)) * 0.125
        there = (columns < KEYS)[None, :]
        if CAUSAL:
            there = there & (rows[:, None] >= columns[None, :])
        if ADDED:
            scores = scores + tl.where(there, 0.0, LOW)
        else:
            scores = tl.where(there, scores, LOW)
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p = tl.exp(scores - new[:, None])
        alpha = tl.exp(highest - new)
        total = total * alpha + tl.sum(p, axis=1)
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None])
        highest = new
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / total[:, None])


@pytest.mark.parametrize(
    ("low", "added", "causal", "keys", "dtype"),
    [
        (float("-inf"), False, False, 500, ml_dtypes.bfloat16),
        (float("-inf"), False, False, 500, np.float32),
        (-1.0e30, False, False, 450, ml_dtypes.bfloat16),
        (-1.0e6, True, False, 500, ml_dtypes.bfloat16),
        (float("-inf"), True, False, 321, ml_dtypes.bfloat16),
        (-1.0e4, False, False, 500, ml_dtypes.bfloat16),
        (-1.0e9, False, True, 500, ml_dtypes.bfloat16),
        (-1.0e6, True, True, 512, np.float32),
        (float("-inf"), False, False, 512, ml_dtypes.bfloat16),
    ],
)
def test_keys_that_are_not_there(low: float, added: bool, causal: bool, keys: int, dtype: type) -> None:
    """Masked in the last block alone, or everywhere: what lies behind in memory is nothing, were it NaN. Blocks without
    masks have their maximum found first, and so has what follows, unless a score might be as low as what is masked."""
    tokens, d = 512, 64
    rng = np.random.default_rng(keys)
    q, k, v = (rng.standard_normal((tokens, d)).astype(dtype) for _ in range(3))
    k[keys:], v[keys:] = np.nan, np.nan
    out = np.zeros((tokens, d), np.float32)
    meta = {"KEYS": keys, "D": d, "M": 128, "B": 64, "LOW": low, "ADDED": added, "CAUSAL": causal}
    compiled = ragged.compile(q, k, v, out, grid=(4,), **meta)
    module = pipeline("tile", stop_after="maximum-first")(compiled.module("tile"))
    is_split = dtype is not np.float32 and low != -1.0e4 and not causal
    assert sum(isinstance(op, ForOp) for op in module.walk()) == 1 + is_split
    compiled.run(q, k, v, out, **meta)
    scores = q.astype(np.float32) @ k[:keys].astype(np.float32).T * np.float32(0.125)
    if causal:
        scores = np.where(np.arange(tokens)[:, None] >= np.arange(keys), scores, -np.inf)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    want = (p / p.sum(axis=1, keepdims=True)) @ v[:keys].astype(np.float32)
    near = 1e-4 if dtype == np.float32 else 2e-2
    np.testing.assert_allclose(out, want, rtol=near, atol=near / 4)


@nki_mlir.jit
def heads(q_ptr, k_ptr, v_ptr, out_ptr, scale, N: tl.constexpr, D: tl.constexpr, M: tl.constexpr, B: tl.constexpr):
    rows, head, d = tl.program_id(0) * M + tl.arange(0, M), tl.program_id(1) * N, tl.arange(0, D)
    q = tl.load(q_ptr + (head + rows)[:, None] * D + d[None, :])
    highest, total = tl.full((M,), float("-inf"), tl.float32), tl.zeros((M,), tl.float32)
    acc = tl.zeros((M, D), tl.float32)
    for start in range(0, N, B):
        columns = head + start + tl.arange(0, B)
        scores = tl.dot(q, tl.load(k_ptr + columns[None, :] * D + d[:, None])) * scale
        new = tl.maximum(highest, tl.max(scores, axis=1))
        p, alpha = tl.exp(scores - new[:, None]), tl.exp(highest - new)
        v = tl.load(v_ptr + columns[:, None] * D + d[None, :])
        total = total * alpha + tl.sum(p, axis=1)
        acc = acc * alpha[:, None] + tl.dot(p.to(v.dtype), v)
        highest = new
    tl.store(out_ptr + (head + rows)[:, None] * D + d[None, :], (acc / total[:, None]).to(out_ptr.dtype.element_ty))


@pytest.mark.parametrize("count", [1, 3])
def test_heads_read_their_keys_once(count: int) -> None:
    """The blocks of a head follow one another, whatever the order of the grid: keys and values stay on chip."""
    n, d = 1024, 64
    rng = np.random.default_rng(count)
    q, k, v = (rng.standard_normal((count, n, d)).astype(ml_dtypes.bfloat16) for _ in range(3))
    out = np.zeros_like(q)
    meta: dict[str, Any] = {"N": n, "D": d, "M": 128, "B": 64}
    compiled = heads.compile(q, k, v, out, d**-0.5, grid=(n // 128, count), **meta)
    result = compiled.run(q, k, v, out, d**-0.5, **meta)
    scores = np.einsum("hqd,hkd->hqk", q.astype(np.float32), k.astype(np.float32)) * d**-0.5
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    wanted = (p / p.sum(axis=-1, keepdims=True)) @ v.astype(np.float32)
    np.testing.assert_allclose(out.astype(np.float32), wanted, rtol=2**-6, atol=2**-8)
    assert sum(result.profile.hbm_bytes) == 4 * q.nbytes
