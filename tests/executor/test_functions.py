"""The Scalar engine: its instructions, and its functions one by one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from executor.cases import FLOATS, Layout, check, layouts, quick, scalar, seeds, space_of, types
from executor.machine_code import Array, narrow, widen
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.instructions import Function
from nki_mlir.executor.operators import FUNCTIONS, erf

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


EXACT: dict[Function, Callable[[Array], Array]] = {
    Function.COPY: lambda x: x,
    Function.SQUARE: lambda x: x * x,
    Function.SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
    Function.RELU: lambda x: np.maximum(x, 0),
    Function.GELU: lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    Function.GELU_APPRX_TANH: lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    Function.GELU_APPRX_SIGMOID: lambda x: x / (1 + np.exp(-1.702 * x)),
    Function.SILU: lambda x: x / (1 + np.exp(-x)),
    Function.TANH: np.tanh,
    Function.SOFTPLUS: lambda x: np.logaddexp(0, x),
    Function.MISH: lambda x: x * np.tanh(np.logaddexp(0, x)),
    Function.ERF: lambda x: _erf(x),
    Function.EXP: np.exp,
    Function.LOG: np.log,
    Function.SIN: lambda x: np.where(abs(x) <= math.pi, np.sin(x), np.nan),
    Function.ARCTAN: lambda x: np.where(abs(x) <= math.pi / 2, np.arctan(x), np.nan),
    Function.SQRT: np.sqrt,
    Function.RSQRT: lambda x: 1 / np.sqrt(x),
    Function.RECIPROCAL: lambda x: 1 / x,
    Function.SIGN: np.sign,
    Function.ABS: np.abs,
}
"""In fp64."""


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[float])(x)


@quick
@given(st.data(), layouts(), st.sampled_from(list(EXACT)), st.booleans(), seeds)
def test_activation(data: st.DataObject, at: Layout, function: Function, reduces: bool, seed: int) -> None:
    scale = scalar(data, at) if data.draw(st.booleans()) else None
    biased = function is not Function.RECIPROCAL and data.draw(st.booleans())
    operands = {
        "dst": at.full(data.draw(st.sampled_from(["float32", "bfloat16", "float16"])), True),
        "data": at.full(data.draw(types), space=space_of(at.draw, Engine.SCALAR)),
        "scale": scale,
        "bias": at.column(data.draw(st.sampled_from(FLOATS[:-1]))) if biased else None,
    }
    dst = operands["dst"]
    assert isinstance(dst, Access)
    if reduces:
        operands["reduce_res"] = at.column("float32", True)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = widen(tiles["data"])
        if scale is not None:
            x = x * np.asarray(tiles.get("scale", scale), np.float32)
        if biased:
            x = x + widen(tiles["bias"])
        y = EXACT[function](x.astype(np.float64))
        result = {"dst": narrow(y, dst.element_type)}
        return result | ({"reduce_res": y.sum(-1, keepdims=True).astype(np.float32)} if reduces else {})

    name = "activation_reduce" if reduces else "activation"
    check(name, Engine.SCALAR, operands, {"op": function}, seed, expected, specials=False, close=0.02)


@pytest.mark.parametrize("function", EXACT)
def test_functions(function: Function) -> None:
    """In fp32 to a few roundings, and at the ends of the range."""
    x = np.linspace(-12, 12, 4001).astype(np.float32)
    with np.errstate(all="ignore"):
        wanted, got = EXACT[function](x.astype(np.float64)), FUNCTIONS[function](x)
        assert got.dtype == np.float32 and not np.shares_memory(got, x)
        np.testing.assert_allclose(got, wanted, rtol=3e-6, atol=3e-7)
        ends = FUNCTIONS[function](np.array([-np.inf, np.inf, np.nan, 0.0], np.float32))
    gated = {Function.GELU, Function.GELU_APPRX_TANH, Function.GELU_APPRX_SIGMOID, Function.SILU, Function.MISH}
    with np.errstate(all="ignore"):
        limits = EXACT[function](np.array([-np.inf, np.inf, np.nan, 0.0]))
    if function in gated:
        limits[0] = 0
    np.testing.assert_array_equal(ends, limits.astype(np.float32))


def test_erf() -> None:
    x = np.linspace(-6, 6, 100_001).astype(np.float32)
    exact = _erf(x.astype(np.float64))
    assert np.abs(erf(x) - exact).max() < 1e-7
    small = np.abs(x) > 0
    assert (np.abs(erf(x) - exact)[small] / np.abs(exact[small])).max() < 4e-7


def test_sin_outside_its_range_is_nan() -> None:
    """The documented sample, sin(9.0) = 27.65, is an extrapolated polynomial; no value here pretends to know it."""
    assert np.isnan(FUNCTIONS[Function.SIN](np.array([9.0, -3.2], np.float32))).all()
    assert np.isfinite(FUNCTIONS[Function.SIN](np.array([math.pi, -math.pi], np.float32))).all()
