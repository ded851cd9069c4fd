"""Convolutions, stencils and sliding sums: windows of one array at random sizes, on the machine, against NumPy; how much
of the array is loaded, and where windows are not shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import run
from ml_dtypes import bfloat16

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.compiled import CompiledKernel
from nki_mlir.dialects.neuron_mem import LoadOp, SliceOp, tile_type

Array = np.ndarray[Any, np.dtype[Any]]
TOLERANCES = {np.dtype(np.float32): 1e-5, np.dtype(bfloat16): 2**-6}
"""Of what the terms add up to if all are positive; products of bf16 are rounded to it, and so is the result."""


@nki_mlir.jit
def along_rows(
    x_ptr, w_ptr, out_ptr, rows, length, TAPS: tl.constexpr, FIRST: tl.constexpr, APART: tl.constexpr,
    OTHER: tl.constexpr, BLOCK_R: tl.constexpr, BLOCK_T: tl.constexpr,
):  # fmt: skip
    """Each row with numbers of its own, `APART` elements from one another, of which the first is `FIRST` further."""
    r = tl.program_id(0) * BLOCK_R + tl.arange(0, BLOCK_R)
    t = tl.program_id(1) * BLOCK_T + tl.arange(0, BLOCK_T)
    acc = tl.zeros((BLOCK_R, BLOCK_T), dtype=tl.float32)
    for j in tl.static_range(TAPS):
        at = t + FIRST + j * APART
        inside = (r[:, None] < rows) & (at[None, :] >= 0) & (at[None, :] < length)
        x = tl.load(x_ptr + r[:, None] * length + at[None, :], mask=inside, other=OTHER)
        w = tl.load(w_ptr + r * TAPS + j, mask=r < rows, other=0.0)
        acc += x * w[:, None]
    inside = (r[:, None] < rows) & (t[None, :] < length)
    tl.store(out_ptr + r[:, None] * length + t[None, :], acc.to(out_ptr.dtype.element_ty), mask=inside)


@nki_mlir.jit
def stencil(
    x_ptr, w_ptr, out_ptr, rows, length, UP: tl.constexpr, LEFT: tl.constexpr, HIGH: tl.constexpr, WIDE: tl.constexpr,
    BLOCK_R: tl.constexpr, BLOCK_T: tl.constexpr,
):  # fmt: skip
    """Of each element, the `HIGH` x `WIDE` elements from `UP` above and `LEFT` to the left on, each times a number."""
    r = tl.program_id(0) * BLOCK_R + tl.arange(0, BLOCK_R)
    t = tl.program_id(1) * BLOCK_T + tl.arange(0, BLOCK_T)
    acc = tl.zeros((BLOCK_R, BLOCK_T), dtype=tl.float32)
    for i in tl.static_range(HIGH):
        for j in tl.static_range(WIDE):
            y, at = r - UP + i, t - LEFT + j
            inside = (y[:, None] >= 0) & (y[:, None] < rows) & (at[None, :] >= 0) & (at[None, :] < length)
            x = tl.load(x_ptr + y[:, None] * length + at[None, :], mask=inside, other=0.0)
            acc += x.to(tl.float32) * tl.load(w_ptr + i * WIDE + j)
    inside = (r[:, None] < rows) & (t[None, :] < length)
    tl.store(out_ptr + r[:, None] * length + t[None, :], acc.to(out_ptr.dtype.element_ty), mask=inside)


def shifted(x: Array, down: int, right: int, other: float = 0.0) -> Array:
    """`x[i + down, j + right]`, in fp32; `other` where that is outside."""
    wide = x.astype(np.float32)
    rows, length = wide.shape
    far = max(abs(down), abs(right))
    padded = np.pad(wide, far, constant_values=other)
    return padded[far + down : far + down + rows, far + right : far + right + length]


def check(found: Array, terms: list[Array], note: object) -> None:
    most = np.sum(np.abs(terms), axis=0) + 1e-6
    off = np.abs(found.astype(np.float32) - np.sum(terms, axis=0)) / most
    assert off.max() <= TOLERANCES[found.dtype], (note, off.max())


def of(rng: np.random.Generator, dtype: Any, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(dtype)


def loads(compiled: CompiledKernel, name: str) -> list[LoadOp]:
    """Loads of an array."""
    found = [op for op in compiled.module("neuron.mem").walk() if isinstance(op, LoadOp)]
    return [op for op in found if op.memory.name_hint == name]


CASES = [
    (2, -1, 1),
    (3, -2, 1),
    (3, -1, 1),
    (5, -4, 1),
    (5, -2, 1),
    (4, -3, 1),
    (3, -4, 2),
    (3, -3, 3),
    (3, 0, 1),
    (2, 3, 2),
]
"""Taps, where the first is, how far they are apart: causal, centred, ahead, dilated."""
SIZES = [(40, 150, 16, 64), (130, 133, 32, 64), (7, 33, 8, 64), (16, 256, 16, 128)]


@pytest.mark.parametrize("dtype", (np.float32, bfloat16), ids=("fp32", "bf16"))
@pytest.mark.parametrize(("taps", "first", "apart"), CASES)
def test_rows(taps: int, first: int, apart: int, dtype: Any) -> None:
    seed = taps * 100 + apart * 10 + first
    rng, target = np.random.default_rng(seed), ("trn1", "trn2")[(seed + (dtype is bfloat16)) % 2]
    rows, length, block_r, block_t = SIZES[rng.integers(len(SIZES))]
    other = float(rng.integers(2))
    x, w = of(rng, dtype, rows, length), of(rng, dtype, rows, taps)
    grid = (-(-rows // block_r), -(-length // block_t))
    out = np.full_like(x, np.nan)
    *_, out = run(along_rows, x, w, out, rows, length, grid=grid, rtol=1e-2, target=target, TAPS=taps, FIRST=first, APART=apart,
        OTHER=other, BLOCK_R=block_r, BLOCK_T=block_t)  # fmt: skip
    terms = [shifted(x, 0, first + j * apart, other) * w.astype(np.float32)[:, j : j + 1] for j in range(taps)]
    check(out, terms, (seed, rows, length, target))


@pytest.mark.parametrize("dtype", (np.float32, bfloat16), ids=("fp32", "bf16"))
@pytest.mark.parametrize(("up", "left", "high", "wide"), [(1, 1, 3, 3), (1, 0, 3, 1), (2, 0, 3, 2), (0, 1, 2, 3)])
def test_stencils(up: int, left: int, high: int, wide: int, dtype: Any) -> None:
    seed = 1000 * up + 100 * left + 10 * high + wide
    rng = np.random.default_rng(seed)
    rows, length, block_r, block_t = SIZES[rng.integers(len(SIZES))]
    x, w = of(rng, dtype, rows, length), of(rng, dtype, high, wide)
    grid = (-(-rows // block_r), -(-length // block_t))
    out = np.full_like(x, np.nan)
    *_, out = run(stencil, x, w, out, rows, length, grid=grid, rtol=1e-2, UP=up, LEFT=left, HIGH=high, WIDE=wide,
        BLOCK_R=block_r, BLOCK_T=block_t)  # fmt: skip
    places = [(i, j) for i in range(high) for j in range(wide)]
    check(out, [shifted(x, i - up, j - left) * np.float32(w[i, j]) for i, j in places], (seed, rows, length))


def test_each_element_is_loaded_once() -> None:
    x, w = np.zeros((512, 4096), np.float32), np.zeros((512, 4), np.float32)
    meta = {"TAPS": 4, "FIRST": -3, "APART": 1, "OTHER": 0.0, "BLOCK_R": 16, "BLOCK_T": 256}
    compiled = along_rows.compile(x, w, x.copy(), 512, 4096, grid=(32, 16), target="trn1", **meta)
    assert len(loads(compiled, "x_ptr")) == len(loads(compiled, "w_ptr")) == 1
    views = [op for op in compiled.module("neuron.mem").walk() if isinstance(op, SliceOp)]
    assert len(views) == 8


@pytest.mark.parametrize("block", (128, 256, 512))
def test_rows_are_on_all_partitions(block: int) -> None:
    """A row whose windows have an end is not dealt out over several of them."""
    x, w = np.zeros((1024, 4096), bfloat16), np.zeros((1024, 2), bfloat16)
    meta = {"TAPS": 2, "FIRST": -1, "APART": 1, "OTHER": 0.0, "BLOCK_R": 16, "BLOCK_T": block}
    compiled = along_rows.compile(x, w, x.copy(), 1024, 4096, grid=(64, 4096 // block), target="trn1", **meta)
    (load,) = loads(compiled, "x_ptr")
    assert tile_type(load.result).layout.partitions == 128


@nki_mlir.jit
def written_between(x_ptr, out_ptr, R: tl.constexpr, T: tl.constexpr):
    at = tl.arange(0, R)[:, None] * (T + 1) + tl.arange(0, T)[None, :]
    a = tl.load(x_ptr + at)
    tl.store(x_ptr + 1 + at, a * 2)
    b = tl.load(x_ptr + 1 + at)
    tl.store(out_ptr + at, a + b)


def test_what_is_written_in_between_is_read() -> None:
    x = of(np.random.default_rng(4), np.float32, 16, 65)
    _, out = run(written_between, x, np.zeros_like(x), R=16, T=64)
    np.testing.assert_array_equal(out[:, :64], 3 * x[:, :64])


def test_what_is_masked_out_stays_out() -> None:
    """NaN around what is valid, in the memory of the array and of the result."""
    rng = np.random.default_rng(3)
    whole = np.full((50, 200), np.nan, np.float32)
    whole[5:45] = of(rng, np.float32, 40, 200)
    x, w = whole[5:45], of(rng, np.float32, 40, 3)
    out = np.full_like(x, np.nan)
    *_, out = run(
        along_rows, x, w, out, 40, 200, grid=(3, 4), TAPS=3, FIRST=-1, APART=1, OTHER=0.0, BLOCK_R=16, BLOCK_T=64
    )
    check(out, [shifted(x, 0, j - 1) * w[:, j : j + 1] for j in range(3)], "edges")
