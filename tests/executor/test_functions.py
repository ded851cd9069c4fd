"""The Scalar engine: its instructions, and its functions one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from executor.cases import ANY, Layout, apply, check, layouts, quick, scalar, seeds, space_of, types
from executor.machine_code import Array, narrow, widen
from executor.test_reductions import Accumulator
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.operators import FUNCTIONS, LARGEST, REDUCTIONS, erf

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


EXACT: dict[Function, Callable[[Array], Array]] = {
    Function.COPY: lambda x: x,
    Function.SQUARE: lambda x: x * x,
    Function.SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
    Function.RELU: lambda x: np.maximum(x, 0),
    Function.PRELU: lambda x: np.maximum(x, 0),
    Function.GELU: lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    Function.GELU_DX: lambda x: 0.5 * (1 + _erf(x / math.sqrt(2))) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    Function.GELU_APPRX_TANH: lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    Function.GELU_APPRX_SIGMOID: lambda x: x / (1 + np.exp(-1.702 * x)),
    Function.GELU_APPRX_SIGMOID_DX: lambda x: _gate_dx(1.702, x),
    Function.SILU: lambda x: x / (1 + np.exp(-x)),
    Function.SILU_DX: lambda x: _gate_dx(1.0, x),
    Function.TANH: np.tanh,
    Function.SOFTPLUS: lambda x: np.logaddexp(0, x),
    Function.MISH: lambda x: x * np.tanh(np.logaddexp(0, x)),
    Function.ERF: lambda x: _erf(x),
    Function.ERF_DX: lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x),
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


def _gate_dx(k: float, x: Array) -> Array:
    """The derivative of x * sigmoid(k * x)."""
    s = 1 / (1 + np.exp(-k * x))
    return s + k * x * s * (1 - s)


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
        "bias": at.column(data.draw(st.sampled_from([t for t in ANY if t != "tfloat32"]))) if biased else None,
    }
    dst = operands["dst"]
    assert isinstance(dst, Access)
    if reduces:
        operands["reduce_res"] = at.column("float32", True)

    outside: list[bool] = []

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = widen(tiles["data"])
        if scale is not None:
            x = x * np.asarray(tiles.get("scale", scale), np.float32)
        if biased:
            x = x + widen(tiles["bias"])
        outside.append(bool(np.any(np.abs(x) > LARGEST.get(function, np.inf))))
        y = EXACT[function](x.astype(np.float64))
        result = {"dst": narrow(y, dst.element_type)}
        return result | ({"reduce_res": y.sum(-1, keepdims=True).astype(np.float32)} if reduces else {})

    name = "activation_reduce" if reduces else "activation"
    try:
        check(name, Engine.SCALAR, operands, {"op": function}, seed, expected, specials=False, close=0.02)
    except ExecutionError as error:
        assert error.kind == "range" and outside == [True]
    else:
        assert outside == [False]


COMMANDS = (None, ReduceCommand.IDLE, ReduceCommand.RESET, ReduceCommand.REDUCE, ReduceCommand.RESET_REDUCE)


@pytest.mark.parametrize("command", COMMANDS)
@quick
@given(st.data(), layouts(), seeds)
def test_activation_accumulates(command: ReduceCommand | None, data: st.DataObject, at: Layout, seed: int) -> None:
    """activation_reduce before it leaves its sum in the accumulator."""
    before: dict[str, Any] = {"dst": at.full("float32", True), "data": at.full("int8")}
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(st.sampled_from(["float32", "bfloat16"])), True),
        "data": at.full("int8"),
        "reduce_res": at.column(data.draw(st.sampled_from(["float32", "int32"])), True),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        accumulator, first, second = Accumulator(), np.square(widen(tiles["0.data"])), np.abs(widen(tiles["data"]))
        accumulator.take(ReduceCommand.RESET_REDUCE, Alu.ADD, before["data"], first)
        total = accumulator.take(command or ReduceCommand.IDLE, Alu.ADD, operands["data"], second)
        return {
            "0.dst": first,
            "dst": narrow(second, operands["dst"].element_type),
            "reduce_res": narrow(total, operands["reduce_res"].element_type),
        }

    prelude = ("activation_reduce", before, {"op": Function.SQUARE})
    fields = {"op": Function.ABS, "reduce_cmd": command}
    check("activation", Engine.SCALAR, operands, fields, seed, expected, prelude=[prelude])


@pytest.mark.parametrize("alu", [Alu.ABS_MAX, Alu.ABS_MIN])
def test_reductions_by_magnitude_break_ties_as_the_operator_does(alu: Alu) -> None:
    x = np.random.default_rng(2).integers(-2, 3, (200, 5)).astype(np.float32)
    wanted = x[:, 0]
    for column in range(1, 5):
        wanted = apply(alu, wanted, x[:, column])
    np.testing.assert_array_equal(REDUCTIONS[alu](x, (1,)), wanted)


PAIRS = (
    (Alu.MULTIPLY, Alu.ADD),
    (Alu.MULTIPLY, Alu.SUBTRACT),
    (Alu.MULTIPLY, Alu.BYPASS),
    (Alu.ADD, None),
    (Alu.SUBTRACT, Alu.BYPASS),
    (Alu.BYPASS, Alu.BYPASS),
    (None, None),
)
REDUCED: dict[Alu, Callable[[Array], Array]] = {
    Alu.ADD: lambda y: y.sum(-1),
    Alu.MAXIMUM: lambda y: y.max(-1),
    Alu.MINIMUM: lambda y: y.min(-1),
    Alu.ABS_MAX: lambda y: np.array([max(reversed(row), key=abs) for row in y.tolist()]),
    Alu.ABS_MIN: lambda y: np.array([min(reversed(row), key=abs) for row in y.tolist()]),
}


@quick
@given(st.data(), layouts(), st.sampled_from(PAIRS), st.sampled_from([None, *REDUCED]), seeds)
def test_activate2(
    data: st.DataObject, at: Layout, pair: tuple[Alu | None, Alu | None], by: Alu | None, seed: int
) -> None:
    kind = data.draw(st.sampled_from(["float32", "int8", "bfloat16"]))
    function = data.draw(st.sampled_from([Function.COPY, Function.PRELU, Function.SQUARE]))
    computes = [op not in (None, Alu.BYPASS) for op in pair]
    reverse = [used and data.draw(st.booleans()) for used in computes]

    def immediate() -> Access | float:
        return data.draw(st.sampled_from([0.5, -2.0])) if data.draw(st.booleans()) else at.column(kind)

    operands: dict[str, Any] = {
        "dst": at.full(data.draw(types), True),
        "data": at.full(data.draw(types)),
        **{f"imm{k}": immediate() for k in (0, 1) if computes[k]},
    }
    if function is Function.PRELU:
        operands["relu_param"] = immediate()
    if by is not None:
        operands["reduce_res"] = at.column("float32", True)

    def given_value(tiles: dict[str, Array], name: str) -> Array:
        return widen(tiles[name]) if name in tiles else np.array(operands[name], np.float32)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = widen(tiles["data"])
        for k, (op, used) in enumerate(zip(pair, computes, strict=True)):
            if used and op is not None:
                x = apply(op, x, given_value(tiles, f"imm{k}"), reverse[k])
        slope = given_value(tiles, "relu_param") if function is Function.PRELU else None
        y = x * x if function is Function.SQUARE else x if slope is None else np.where(x < 0, slope * x, x)
        reduced = {} if by is None else {"reduce_res": REDUCED[by](y)[:, None].astype(np.float32)}
        return {"dst": narrow(y, operands["dst"].element_type), **reduced}

    fields = {
        "op": function,
        **{f"op{k}": op for k, op in enumerate(pair)},
        **{f"reverse{k}": flag for k, flag in enumerate(reverse)},
        "reduce_op": by,
        "reduce_cmd": None if by is None else ReduceCommand.RESET_REDUCE,
    }
    close = 1e-4 if by is Alu.ADD else 0
    check("activate2", Engine.SCALAR, operands, fields, seed, expected, "trn3", specials=False, close=close)


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
    if function in {Function.GELU_DX, Function.GELU_APPRX_SIGMOID_DX, Function.SILU_DX}:
        limits[:2] = 0, 1
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
