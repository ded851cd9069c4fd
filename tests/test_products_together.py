"""Programs that multiply, and steps of a sum of products, done together: random sizes, blocks, masks, operands as they lie
in memory, and what is done with the result. Each is compared with NumPy, and after every pass with what the source means."""

from __future__ import annotations

import random
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, run
from test_widening import groups
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import execute, pipeline
from nki_mlir.passes.stages import STAGES


@nki_mlir.jit
def product(
    a, b, bias, c, M, N, K,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, A_TURNED: tl.constexpr, B_TURNED: tl.constexpr,
    ACC: tl.constexpr, LAST: tl.constexpr,
):  # fmt: skip
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rn = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        rk = k * BK + tl.arange(0, BK)
        if A_TURNED:
            x = tl.trans(
                tl.load(a + rk[:, None] * M + rm[None, :], mask=(rk < K)[:, None] & (rm < M)[None, :], other=0.0)
            )
        else:
            x = tl.load(a + rm[:, None] * K + rk[None, :], mask=(rm < M)[:, None] & (rk < K)[None, :], other=0.0)
        if B_TURNED:
            y = tl.trans(
                tl.load(b + rn[:, None] * K + rk[None, :], mask=(rn < N)[:, None] & (rk < K)[None, :], other=0.0)
            )
        else:
            y = tl.load(b + rk[:, None] * N + rn[None, :], mask=(rk < K)[:, None] & (rn < N)[None, :], other=0.0)
        if ACC == "acc":
            acc = tl.dot(x, y, acc)
        elif ACC == "add":
            acc += tl.dot(x, y)
        else:
            acc = tl.dot(x * 0.5, y) + acc
    if LAST == "bias":
        acc += tl.load(bias + rn, mask=rn < N, other=0.0)[None, :]
    elif LAST == "rows":
        acc = tl.exp(acc - tl.max(acc, axis=1)[:, None])
    elif LAST == "columns":
        acc = acc - tl.sum(acc, axis=0)[None, :]
    at = rm[:, None] * N + rn[None, :]
    tl.store(c + at, acc.to(c.dtype.element_ty), mask=(rm < M)[:, None] & (rn < N)[None, :])


def in_blocks(result: np.ndarray, rows: int, columns: int, last: str) -> np.ndarray:
    """What each program does with its block, of which what is outside the matrix is zero."""
    found = np.zeros_like(result)
    for i in range(0, result.shape[0], rows):
        for j in range(0, result.shape[1], columns):
            part = result[i : i + rows, j : j + columns]
            if last == "rows":
                most = part.max(1, keepdims=True)
                part = np.exp(part - (np.maximum(most, 0) if part.shape[1] < columns else most))
            else:
                part = part - part.sum(0, keepdims=True)
            found[i : i + rows, j : j + columns] = part
    return found


@pytest.mark.parametrize("seed", range(14))
def test_random_products(seed: int) -> None:
    r = random.Random(seed)
    bm, bn, bk = (r.choice((16, 32, 64)) for _ in range(3))
    m, n, k = (block * r.randrange(1, 5) - r.choice((0, 0, 3)) for block in (bm, bn, bk))
    turned = r.random() < 0.5, r.random() < 0.5
    acc, last = r.choice(("acc", "add", "scaled")), r.choice(("none", "bias", "rows", "columns"))
    element = r.choice((np.float32, ml_dtypes.bfloat16))
    x, y, bias = floats(m, k, seed=seed), floats(k, n, seed=seed + 1), floats(n, seed=seed + 2)
    x, y = x.astype(element), y.astype(element)
    a, b = (np.ascontiguousarray(v.T) if t else v for v, t in zip((x, y), turned, strict=True))
    grid = -(-m // bm), -(-n // bn)
    meta: dict[str, Any] = {"BM": bm, "BN": bn, "BK": bk, "A_TURNED": turned[0], "B_TURNED": turned[1]}
    *_, found = run(
        product, a, b, bias, np.zeros((m, n), np.float32), m, n, k, grid=grid, rtol=2e-4, **meta, ACC=acc, LAST=last
    )
    want = (0.5 if acc == "scaled" else 1.0) * (x.astype(np.float64) @ y.astype(np.float64))
    if last == "bias":
        want = want + bias
    elif last != "none":
        want = in_blocks(want, bm, bn, last)
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def normalized(
    x, weight, b, shift, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, TOTAL: tl.constexpr
):
    """A row that scales the columns of an operand, a sum beside the product, a column that scales its rows, and a row
    and a column that are added."""
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rn = tl.program_id(1) * BN + tl.arange(0, BN)
    squares, acc = tl.zeros((BM,), tl.float32), tl.zeros((BM, BN), tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        rk = k * BK + tl.arange(0, BK)
        rows = tl.load(x + rm[:, None] * K + rk[None, :], mask=(rm < M)[:, None] & (rk < K)[None, :], other=0.0)
        columns = tl.load(b + rk[:, None] * N + rn[None, :], mask=(rk < K)[:, None] & (rn < N)[None, :], other=0.0)
        scale = tl.load(weight + rk, mask=rk < K, other=0.0)
        wide = rows.to(tl.float32)
        squares += tl.sum(wide * wide + (1.0 if TOTAL == "shifted" else 0.0), axis=1)
        acc = tl.dot((wide * scale[None, :]).to(columns.dtype), columns, acc)
    acc = acc / tl.sqrt(squares / K + 1e-5)[:, None] + tl.load(shift + rn, mask=rn < N, other=0.0)[None, :]
    acc += tl.load(shift + rm % N)[:, None]
    at = rm[:, None] * N + rn[None, :]
    tl.store(c + at, acc.to(c.dtype.element_ty), mask=(rm < M)[:, None] & (rn < N)[None, :])


@pytest.mark.parametrize("seed", range(8))
def test_rows_and_columns_beside_products(seed: int) -> None:
    r = random.Random(seed)
    bm, bn, bk = (r.choice((16, 32, 64)) for _ in range(3))
    m, n, k = (block * r.randrange(1, 5) - r.choice((0, 0, 3)) for block in (bm, bn, bk))
    total, element = r.choice(("plain", "shifted")), r.choice((np.float32, ml_dtypes.bfloat16))
    x, b = floats(m, k, seed=seed).astype(element), floats(k, n, seed=seed + 1).astype(element)
    weight, shift = floats(k, seed=seed + 2), floats(n, seed=seed + 3)
    grid = -(-m // bm), -(-n // bn)
    out = np.zeros((m, n), np.float32)
    meta = {"BM": bm, "BN": bn, "BK": bk, "TOTAL": total}
    *_, found = run(normalized, x, weight, b, shift, out, m, n, k, grid=grid, rtol=2e-4, **meta)
    wide = x.astype(np.float32)
    squares = (wide.astype(np.float64) ** 2).sum(1) + (-(-k // bk) * bk if total == "shifted" else 0)
    product = (wide * weight).astype(element).astype(np.float64) @ b.astype(np.float64)
    want = product / np.sqrt(squares / k + 1e-5)[:, None] + shift + shift[np.arange(m) % n][:, None]
    np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-3)


def test_rows_beside_products_fill_the_array() -> None:
    """Programs and steps run together as if there were neither."""
    size = 512
    x, b, out = (v.astype(ml_dtypes.bfloat16) for v in (floats(size, size), floats(size, size), floats(size, size)))
    arguments = x, floats(size), b, floats(size), out, size, size, size
    compiled = normalized.compile(*arguments, grid=(8, 8), BM=64, BN=64, BK=64, TOTAL="plain")
    result = compiled.run(*arguments, BM=64, BN=64, BK=64, TOTAL="plain")
    units = {unit.name: unit for unit in result.profile.units}
    assert units["tensor"].instructions["multiply_moving"] <= 4 * 4 + 2 * 4 * 4


PLAIN: dict[str, Any] = {"A_TURNED": True, "B_TURNED": False, "ACC": "acc", "LAST": "none"}


def matrices(m: int, n: int, k: int) -> list[np.ndarray]:
    element = ml_dtypes.bfloat16
    return [floats(k, m).astype(element), floats(k, n).astype(element), floats(n), np.zeros((m, n), element)]


def test_blocks_fill_the_array() -> None:
    """Of 256 programs, each with a block of a matrix, 8 x 8 are four rows of the array and a bank of PSUM wide."""
    sizes = 1024, 1024, 1024
    assert groups(product, *matrices(*sizes), *sizes, grid=(16, 16), BM=64, BN=64, BK=64, **PLAIN) == [(2, 2)]


def test_the_array_is_full() -> None:
    """1,024^3 takes 8 x 2 x 8 products of 128 rows, 512 columns and 128 terms, whatever the blocks; what is loaded of
    the operands for one block of the result is there for the others."""
    sizes = 1024, 1024, 1024
    arguments = matrices(*sizes)
    compiled = product.compile(*arguments, *sizes, grid=(16, 16), BM=64, BN=64, BK=64, **PLAIN)
    result = compiled.run(*arguments, *sizes, BM=64, BN=64, BK=64, **PLAIN)
    units = {unit.name: unit for unit in result.profile.units}
    assert units["tensor"].instructions["multiply_moving"] == 8 * 2 * 8
    loaded = sum(unit.nbytes.get("hbm to sbuf", 0) for unit in units.values())
    assert loaded == 2 * 1024 * 1024 * (1 + 1)


@pytest.mark.parametrize("left_out", ["merge-steps", "widen", "coalesce"])
def test_each_pass_may_be_left_out(left_out: str) -> None:
    sizes = 128, 96, 160
    arguments = matrices(*sizes)
    meta = {"BM": 32, "BN": 32, "BK": 32, **PLAIN}
    module = product.trace(*arguments, *sizes, grid=(4, 3), **meta).module
    names = [name for name in ",".join(STAGES.values()).split(",") if name != left_out]
    lowered: ModuleOp = pipeline(",".join(names), target="trn1")(module)
    execute(lowered, arguments)
    a, b, _, c = (v.astype(np.float32) for v in arguments)
    np.testing.assert_allclose(c, a.T @ b, rtol=1e-2, atol=1e-2)
