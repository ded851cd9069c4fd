"""Sines and cosines of any argument; what the Scalar engine itself takes is checked."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir import ExecutionError, execute, parse, pipeline

ERROR = 3e-7
"""Of fp32 results, up to 2^16 turns."""
N = 4096


@nki_mlir.jit
def both_kernel(x_ptr, sin_ptr, cos_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    x = tl.load(x_ptr + i)
    tl.store(sin_ptr + i, tl.sin(x))
    tl.store(cos_ptr + i, x.cos())


def run(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sine, cosine = np.zeros_like(x), np.zeros_like(x)
    both_kernel[(1,)](x, sine, cosine, N=x.size)
    return sine, cosine


@pytest.mark.parametrize("limit", [1.0, math.pi, 10.0, 1000.0, 65536.0, 411_774.0])
def test_sine_and_cosine(limit: float) -> None:
    x = np.random.default_rng(0).uniform(-limit, limit, N).astype(np.float32)
    sine, cosine = run(x)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(sine, np.sin(wide), rtol=0, atol=ERROR)
    np.testing.assert_allclose(cosine, np.cos(wide), rtol=0, atol=ERROR)


def test_beside_multiples_of_a_quarter_turn() -> None:
    """Where the number of turns is rounded up or down, and where results change sign."""
    quarters = np.arange(-32, 32, dtype=np.float32) * np.float32(math.pi / 2)
    steps = np.array([-3, -2, -1, 0, 1, 2, 3, 1000]) * np.spacing(quarters)[:, None]
    x = (quarters[:, None] + steps.astype(np.float32)).ravel()
    sine, cosine = run(x)
    np.testing.assert_allclose(sine, np.sin(x.astype(np.float64)), rtol=0, atol=ERROR)
    np.testing.assert_allclose(cosine, np.cos(x.astype(np.float64)), rtol=0, atol=ERROR)


def test_small_arguments_keep_their_relative_precision() -> None:
    x = np.geomspace(1e-30, 0.1, 64).astype(np.float32)
    np.testing.assert_allclose(run(x)[0], np.sin(x.astype(np.float64)), rtol=2e-7)


def test_infinity_has_no_sine() -> None:
    sine, cosine = run(np.array([np.inf, -np.inf, np.nan, 0.0], np.float32))
    np.testing.assert_array_equal(sine, np.array([np.nan, np.nan, np.nan, 0.0], np.float32))
    np.testing.assert_array_equal(cosine, np.array([np.nan, np.nan, np.nan, 1.0], np.float32))


@pytest.mark.parametrize(("dtype", "rtol"), [(ml_dtypes.bfloat16, 0.004), (np.float16, 0.0005)])
def test_short_floats(dtype: Any, rtol: float) -> None:
    x = np.random.default_rng(1).uniform(-200, 200, N).astype(dtype)
    sine, cosine = run(x)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(sine.astype(np.float64), np.sin(wide), rtol=rtol, atol=ERROR)
    np.testing.assert_allclose(cosine.astype(np.float64), np.cos(wide), rtol=rtol, atol=ERROR)


@nki_mlir.jit
def rotary_kernel(x_ptr, position_ptr, out_ptr, D: tl.constexpr):
    i = tl.arange(0, D)
    position = tl.load(position_ptr)
    angle = position * tl.exp(i.to(tl.float32) * -0.2)
    first, second = tl.load(x_ptr + i), tl.load(x_ptr + D + i)
    tl.store(out_ptr + i, first * tl.math.cos(angle) - second * tl.math.sin(angle))
    tl.store(out_ptr + D + i, first * tl.extra.libdevice.fast_sinf(angle) + second * tl.cos(angle))


def test_a_rotary_embedding() -> None:
    x = np.random.default_rng(2).standard_normal(64).astype(np.float32)
    out = np.zeros_like(x)
    rotary_kernel[(1,)](x, np.array([1234.0], np.float32), out, D=32)
    angle = (np.float32(1234) * np.exp(np.arange(32, dtype=np.float32) * np.float32(-0.2))).astype(np.float64)
    first, second = x[:32], x[32:]
    want = np.concatenate(
        [first * np.cos(angle) - second * np.sin(angle), first * np.sin(angle) + second * np.cos(angle)]
    )
    np.testing.assert_allclose(out, want, atol=5e-4)  # an angle of 1234 has an error of 6e-5 itself


def test_scalars() -> None:
    @nki_mlir.jit
    def kernel(x_ptr, out_ptr, y):
        tl.store(out_ptr, tl.cos(tl.load(x_ptr)) + tl.cos(y) + tl.sin(y))

    out = np.zeros(1, np.float32)
    kernel[(1,)](np.array([20.0], np.float32), out, 30.0)
    np.testing.assert_allclose(out[0], np.cos(20) + np.cos(30) + np.sin(30), atol=1e-6)


@nki.jit
def nki_kernel(x):
    out = nl.ndarray((2, 128, 8), dtype=nl.float32, buffer=nl.shared_hbm)
    a = nl.load(x[0:128, 0:8])
    nl.store(out[0, 0:128, 0:8], nl.sin(a))
    nl.store(out[1, 0:128, 0:8], nl.cos(a))
    return out


def test_nki() -> None:
    x = np.random.default_rng(3).uniform(-50, 50, (128, 8)).astype(np.float32)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(nki_kernel(x), np.stack([np.sin(wide), np.cos(wide)]), rtol=0, atol=ERROR)


PROGRAM = """
func.func @activation(%x: memref<8x4xf32>, %out: memref<8x4xf32>) {{
  %a = neuron.mem.load %x [d0 by 4, d1 by 1] : memref<8x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  %b = neuron.mem.unary {0} %a : !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  neuron.mem.store %b to %out [d0 by 4, d1 by 1] : !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]> -> memref<8x4xf32>
  func.return
}}
"""


def activation(function: str, x: np.ndarray, checks: bool) -> np.ndarray:
    """The Scalar engine's function, by itself."""
    module = pipeline("mem-to-engine,engine-to-isa")(parse(PROGRAM.format(function), "activation.mlir"))
    out = np.zeros_like(x)
    execute(module, [x, out], checks=checks)
    return out


@pytest.mark.parametrize(("function", "largest"), [("sin", "3.14159"), ("arctan", "1.5708")])
def test_the_engines_range_is_checked(function: str, largest: str) -> None:
    x = np.zeros((8, 4), np.float32)
    x[5, 2], x[6, 1] = -4.0, np.inf
    with pytest.raises(ExecutionError) as caught:
        activation(function, x, checks=True)
    assert caught.value.kind == "range"
    expected = f"{function} of -4, for partition 5, element 2; the Scalar engine takes -{largest}..{largest}"
    assert expected in str(caught.value)
    assert "activation on scalar" in str(caught.value)
    assert np.isnan(activation(function, x, checks=False)[5, 2])


@pytest.mark.parametrize(("function", "largest"), [("sin", math.pi), ("arctan", math.pi / 2)])
def test_the_ends_of_the_range_and_nan_are_in(function: str, largest: float) -> None:
    x = np.resize(np.array([largest, -largest, np.nan, 0.5], np.float32), (8, 4))
    got = activation(function, x, checks=True)
    np.testing.assert_allclose(got, {"sin": np.sin, "arctan": np.arctan}[function](x), rtol=1e-6)
