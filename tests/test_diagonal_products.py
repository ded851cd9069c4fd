"""Sums of rows times numbers of their own by the Tensor engine: random convolutions on the machine and at every level,
against NumPy, with NaN and infinity; what they take; without the passes that make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from expert.convolution import causal_convolution
from kernels import run
from ml_dtypes import bfloat16
from test_windows import Array, along_rows, of, shifted

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.compiled import CompiledKernel
from nki_mlir.dialects.neuron_mem import AccumulatorOp, MatmulOp, tile_type
from nki_mlir.executor import time_program
from nki_mlir.passes import diagonal_products, stages
from nki_mlir.targets import load

ERROR = {np.dtype(bfloat16): 2**-6, np.dtype(np.float16): 2**-9}
"""Of what the terms add up to if all are positive."""


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The array adds up small sums, too."""
    monkeypatch.setattr(diagonal_products, "CHECK", -1e9)


def on_array(compiled: CompiledKernel) -> bool:
    return any(isinstance(op, MatmulOp) for op in compiled.module("neuron.mem").walk())


def convolution(
    x: Array, w: Array, out: Array, first: int, apart: int, target: str, other: float = 0.0
) -> CompiledKernel:
    """Compiled for these arrays."""
    rows, length = x.shape
    meta = {"TAPS": w.shape[1], "FIRST": first, "APART": apart, "OTHER": other, "BLOCK_R": 16, "BLOCK_T": 256}
    grid = (-(-rows // 16), -(-length // 256))
    return along_rows.compile(x, w, out, rows, length, grid=grid, target=target, **meta)


def wanted(x: Array, w: Array, first: int, apart: int, other: float = 0.0) -> list[Array]:
    """The terms."""
    with np.errstate(invalid="ignore"):
        return [shifted(x, 0, first + j * apart, other) * w.astype(np.float32)[:, j : j + 1] for j in range(w.shape[1])]


def check(out: Array, terms: list[Array], note: object) -> None:
    """NaN and infinities where they are NumPy's, and nowhere else."""
    with np.errstate(invalid="ignore"):
        want, most = np.sum(terms, axis=0), np.sum(np.abs(terms), axis=0)
    found = out.astype(np.float32)
    finite = np.isfinite(want)
    np.testing.assert_array_equal(found[~finite], want[~finite], err_msg=str(note))
    off = np.abs(found[finite] - want[finite]) / (most[finite] + 1e-6)
    assert off.max() <= ERROR[out.dtype], (note, off.max())


@pytest.mark.parametrize(("dtype", "target"), [(bfloat16, "trn1"), (bfloat16, "trn2")])
@pytest.mark.parametrize(("taps", "first", "apart"), [(3, -1, 1), (4, -3, 1), (5, -8, 2), (2, -1, 1)])
def test_machine(always: None, taps: int, first: int, apart: int, dtype: Any, target: str) -> None:
    seed = 100 * taps + apart
    rng = np.random.default_rng(seed)
    rows, length = (int(n) for n in rng.integers((1, 200), (140, 400)))
    other = float(rng.integers(2))
    x, w = of(rng, dtype, rows, length), of(rng, dtype, rows, taps)
    out = np.full_like(x, np.nan)
    compiled = convolution(x, w, out, first, apart, target, other)
    assert on_array(compiled), (seed, rows, length)
    compiled.run(x, w, out, checks="strict")
    check(out, wanted(x, w, first, apart, other), (seed, rows, length))


@pytest.mark.parametrize("target", ("trn1", "trn2"))
def test_long_rows_are_cut(always: None, target: str) -> None:
    rng = np.random.default_rng(14)
    x, w = of(rng, bfloat16, 30, 4096), of(rng, bfloat16, 30, 4)
    x[7, 2050] = np.inf
    out = np.full_like(x, np.nan)
    compiled = convolution(x, w, out, -3, 1, target)
    sums = [op for op in compiled.module("neuron.mem").walk() if isinstance(op, AccumulatorOp)]
    assert sums
    assert all(2 * tile_type(op.result).bytes <= load(target).memory.psum_bytes for op in sums)
    compiled.run(x, w, out, checks="strict")
    check(out, wanted(x, w, -3, 1), target)


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
@pytest.mark.parametrize("where", ("x", "w"))
def test_what_is_not_finite_stays_in_its_row(always: None, bad: float, where: str) -> None:
    seed = 7
    rng = np.random.default_rng(seed)
    x, w = of(rng, bfloat16, 45, 300), of(rng, bfloat16, 45, 4)
    out = np.full_like(x, np.nan)
    compiled = convolution(x, w, out, -3, 1, "trn1")
    assert on_array(compiled)
    for _ in range(2):  # the second run of a kernel may go by what is known of the first
        compiled.run(x, w, out, checks="strict")
        check(out, wanted(x, w, -3, 1), (seed, "finite"))
        y, v = x.copy(), w.copy()
        row, place = (int(n) for n in rng.integers((0, 0), (45, 300)))
        if where == "w":
            v[row, place % 4] = bad
        else:
            y[row, place] = y[row, -1] = bad
        compiled.run(y, v, out, checks="strict")
        check(out, wanted(y, v, -3, 1), (seed, row, place))


@pytest.mark.parametrize("is_bad", (False, True))
def test_levels_agree(always: None, is_bad: bool) -> None:
    rng = np.random.default_rng(11)
    x, w = of(rng, bfloat16, 20, 300), of(rng, bfloat16, 20, 3)
    if is_bad:
        x[3, 100] = np.inf
    meta = {"TAPS": 3, "FIRST": -1, "APART": 1, "OTHER": 0.0, "BLOCK_R": 16, "BLOCK_T": 128}
    assert on_array(convolution(x, w, x.copy(), -1, 1, "trn1"))
    *_, out = run(along_rows, x, w, np.zeros_like(x), 20, 300, grid=(2, 3), rtol=2**-6, **meta)
    check(out, wanted(x, w, -1, 1), is_bad)


@nki_mlir.jit
def added_to(x_ptr, b_ptr, out_ptr, R: tl.constexpr, T: tl.constexpr):
    """Three windows by a quarter, a half and one, and a number for each row."""
    at = tl.arange(0, R)[:, None] * (T + 2) + tl.arange(0, T)[None, :]
    a = tl.load(x_ptr + at).to(tl.float32) * 0.25 + tl.load(x_ptr + 1 + at) * 0.5
    s = a + tl.load(x_ptr + 2 + at) + tl.load(b_ptr + tl.arange(0, R))[:, None]
    tl.store(out_ptr + tl.arange(0, R)[:, None] * T + tl.arange(0, T)[None, :], s)


@pytest.mark.parametrize("dtype", (bfloat16, np.float16))
def test_constant_factors_and_what_else_is_added(always: None, dtype: Any) -> None:
    rng = np.random.default_rng(12)
    x, b = of(rng, dtype, 64, 130), of(rng, np.float32, 64)
    b[5] = np.nan  # which is nothing that the array makes
    out = np.zeros((64, 128), np.float32)
    compiled = added_to.compile(x, b, out, grid=(1,), target="trn1", R=64, T=128)
    assert on_array(compiled)
    compiled.run(x, b, out)
    wide = x.astype(np.float32)
    want = wide[:, :128] * 0.25 + wide[:, 1:129] * 0.5 + wide[:, 2:] + b[:, None]
    np.testing.assert_allclose(out, want, rtol=1e-2, atol=1e-2)


def test_products_rounded_to_fp16_are_left_alone(always: None) -> None:
    """What is infinite in fp16 is not in fp32."""
    x, w = np.full((20, 300), 300, np.float16), np.full((20, 3), 300, np.float16)
    out = np.zeros_like(x)
    compiled = convolution(x, w, out, 0, 1, "trn1")
    assert not on_array(compiled)
    compiled.run(x, w, out)
    assert np.isposinf(out[:, :-2]).all()


@nki_mlir.jit
def two_sums(x_ptr, y_ptr, z_ptr, TAPS: tl.constexpr, R: tl.constexpr, T: tl.constexpr):
    """Sums of the same windows, by a half and by numbers of their own."""
    rows, columns = tl.program_id(0) * R + tl.arange(0, R), tl.arange(0, T)
    y, z = tl.zeros((R, T), tl.float32), tl.zeros((R, T), tl.float32)
    for j in tl.static_range(TAPS):
        x = tl.load(x_ptr + rows[:, None] * (T + TAPS) + (columns + j)[None, :]).to(tl.float32)
        y += x * 0.5
        z += x * (0.25 * (j + 1))
    tl.store(y_ptr + rows[:, None] * T + columns[None, :], y)
    tl.store(z_ptr + rows[:, None] * T + columns[None, :], z)


@pytest.mark.parametrize("target", ("trn1", "trn2"))
@pytest.mark.parametrize(("programs", "length"), [(1, 256), (1, 4096), (3, 256), (3, 4096)])
def test_two_sums(always: None, programs: int, length: int, target: str) -> None:
    """In the function itself, where there is one program, or in a loop; cut where both are longer than half of PSUM."""
    rng = np.random.default_rng([programs, length])
    x, taps = of(rng, bfloat16, 64 * programs, length + 3), 3
    y, z = (np.full((64 * programs, length), np.nan, np.float32) for _ in range(2))
    x[5, 17] = np.nan
    compiled = two_sums.compile(x, y, z, grid=(programs,), target=target, TAPS=taps, R=64, T=length)
    assert on_array(compiled)
    compiled.run(x, y, z)
    windows = [x.astype(np.float32)[:, j : j + length] for j in range(taps)]
    np.testing.assert_allclose(y, sum(0.5 * w for w in windows), rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(z, sum(0.25 * (j + 1) * w for j, w in enumerate(windows)), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("left_out", ("diagonal-products", "share-windows"))
def test_without_a_pass(always: None, left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage, passes in stages.STAGES.items():
        kept = [name for name in passes.split(",") if name not in left_out.split()]
        monkeypatch.setitem(stages.STAGES, stage, ",".join(kept))
    rng = np.random.default_rng(13)  # sizes of their own: a kernel is compiled once for each
    x, w = of(rng, bfloat16, 40 + len(left_out), 300), of(rng, bfloat16, 40 + len(left_out), 4)
    out = np.full_like(x, np.nan)
    compiled = convolution(x, w, out, -3, 1, "trn1")
    assert on_array(compiled) == ("diagonal-products" not in left_out)
    compiled.run(x, w, out)
    check(out, wanted(x, w, -3, 1), left_out)


def test_it_takes_about_as_long_as_by_hand() -> None:
    x, w = np.zeros((1024, 4096), bfloat16), np.zeros((1024, 4), bfloat16)
    compiled = convolution(x, w, x.copy(), -3, 1, "trn1")
    by_hand = time_program(causal_convolution("trn1", 1024, 4096, 4).lower()).modelled_us
    assert time_program(compiled.module("neuron.isa")).modelled_us <= 1.2 * by_hand
