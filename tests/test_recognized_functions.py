"""Functions that programs write out, in any order, against the same steps in NumPy: which function of the machine they
become, how near that is, and infinities and NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.builder import Kernel, Value
from reference.elements import erf, storage
from xdsl.dialects.builtin import ModuleOp, bf16, f32
from xdsl.ir import Attribute

from nki_mlir import execute
from nki_mlir.analysis.sampled import ROUNDED
from nki_mlir.dialects import tile
from nki_mlir.passes import pipelines

Array = np.ndarray[Any, np.dtype[Any]]
Steps = Callable[["Numbers"], Any]

SHAPE = (128, 16)
SPECIAL = (np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-30, 88.0, -88.0, 89.0, 104.0, -104.0, 1e4, -1e4, 1e30, -1e30, 1.6e38)
FINITE = 2.0**127
"""Twice as much is too large for fp32."""


class Numbers:
    """The steps of a kernel, and what NumPy makes of them."""

    def __init__(self, kernel: Kernel, value: Value, array: Array):
        self.kernel, self.value, self.array = kernel, value, array

    def _binary(self, symbol: str, x: Any, y: Any) -> Numbers:
        pair = [v if isinstance(v, Numbers) else self.number(v) for v in (x, y)]
        functions = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
        value = self.kernel.binary(symbol, pair[0].value, pair[1].value)
        return Numbers(self.kernel, value, functions[symbol](pair[0].array, pair[1].array))

    def number(self, x: float) -> Numbers:
        return Numbers(self.kernel, self.kernel.full(SHAPE, x, f32), np.full(SHAPE, x, np.float32))

    def __add__(self, other: Any) -> Numbers:
        return self._binary("+", self, other)

    def __radd__(self, other: Any) -> Numbers:
        return self._binary("+", other, self)

    def __sub__(self, other: Any) -> Numbers:
        return self._binary("-", self, other)

    def __rsub__(self, other: Any) -> Numbers:
        return self._binary("-", other, self)

    def __mul__(self, other: Any) -> Numbers:
        return self._binary("*", self, other)

    def __rmul__(self, other: Any) -> Numbers:
        return self._binary("*", other, self)

    def __truediv__(self, other: Any) -> Numbers:
        return self._binary("/", self, other)

    def __rtruediv__(self, other: Any) -> Numbers:
        return self._binary("/", other, self)

    def __neg__(self) -> Numbers:
        return self.unary("neg", np.negative)

    def unary(self, name: str, function: Callable[[Array], Array]) -> Numbers:
        return Numbers(self.kernel, self.kernel.unary(name, self.value), function(self.array).astype(np.float32))

    def limited(self, symbol: str, limit: float) -> Numbers:
        functions = {"maximum": np.maximum, "minimum": np.minimum}
        value = self.kernel.binary(symbol, self.value, limit)
        return Numbers(self.kernel, value, functions[symbol](self.array, np.float32(limit)))

    def where(self, predicate: str, threshold: float, x: Numbers, y: Numbers) -> Numbers:
        compare = {"gt": np.greater, "le": np.less_equal}[predicate]
        condition = self.kernel.compare(predicate, self.value, threshold)
        chosen = np.where(compare(self.array, np.float32(threshold)), x.array, y.array)
        return Numbers(self.kernel, self.kernel.where(condition, x.value, y.value), chosen)


def exp(x: Numbers) -> Numbers:
    return x.unary("exp", np.exp)


def log(x: Numbers) -> Numbers:
    return x.unary("log", np.log)


def tanh(x: Numbers) -> Numbers:
    return x.unary("tanh", np.tanh)


def sigmoid(x: Numbers) -> Numbers:
    return 1.0 / (1.0 + exp(-x))


def compiled(steps: Steps, array: Array, element: Attribute = f32) -> tuple[ModuleOp, Array]:
    """A kernel that does steps on numbers of a type in fp32, and what NumPy gives."""
    kernel = Kernel((1,), [(element, SHAPE), (element, SHAPE)])
    zero, strides = kernel.index(0), (SHAPE[1], 1)
    loaded = kernel.read(kernel.args[0], zero, strides, SHAPE)
    wide = loaded if element == f32 else kernel.emit(tile.CastOp(loaded.ssa, f32))
    with np.errstate(all="ignore"):
        result = steps(Numbers(kernel, wide, array.astype(np.float32)))
    narrow = result.value if element == f32 else kernel.emit(tile.CastOp(result.value.ssa, element))
    kernel.write(narrow, kernel.args[1], zero, strides)
    module = kernel.module()
    pipelines.set_target(module, None)
    return module, result.array.astype(storage(element))


def recognized(module: ModuleOp) -> list[str]:
    """The functions that are left, in their order."""
    found = module.clone()
    pipelines.run(pipelines.build("recognize-functions"), found)
    names = [op.function.data if isinstance(op, tile.FunctionOp) else op.name for op in found.walk()]
    return [name for name in names if "." not in name or name.startswith("math.")]


def check(steps: Steps, functions: Sequence[str], element: Attribute = f32, seed: int = 0) -> None:
    """Results are as near as documented to what is written out, and infinite and NaN where that is."""
    x = 4 * np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    x.flat[: len(SPECIAL)] = SPECIAL
    x = x.astype(storage(element))
    module, wanted = compiled(steps, x, element)
    assert recognized(module) == list(functions)
    pipelines.run(pipelines.build("lower-to-isa"), module)
    found = np.zeros_like(wanted)
    execute(module, [x, found])
    wide = [a.astype(np.float64) for a in (x, found, wanted)]
    inside = np.abs(wide[0]) < FINITE
    size = np.maximum(1, np.maximum(np.abs(wide[0]), np.abs(wide[2])))
    np.testing.assert_array_equal(np.isnan(wide[1]), np.isnan(wide[2]))
    np.testing.assert_array_equal(np.isinf(wide[1])[inside], np.isinf(wide[2])[inside])
    finite = np.isfinite(wide[2]) & inside
    error = ROUNDED if element == f32 else 2**-7
    assert (np.abs(wide[1][finite] - wide[2][finite]) <= error * size[finite]).all()


def product(draw: Callable[[Any], Any], factors: Sequence[Any]) -> Any:
    """Of factors in any order, brackets anywhere."""
    left = list(draw(st.permutations(factors)))
    while len(left) > 1:
        at = draw(st.integers(0, len(left) - 2))
        if all(isinstance(factor, float) for factor in left[at : at + 2]):
            at = next(n for n in range(len(left) - 1) if not all(isinstance(f, float) for f in left[n : n + 2]))
        left[at : at + 2] = [left[at] * left[at + 1]]
    return left[0]


TANH: dict[str, Callable[[Numbers], Numbers]] = {
    "tanh": tanh,
    "sigmoid": lambda y: 2.0 * sigmoid(2.0 * y) - 1.0,
    "exp": lambda y: 1.0 - 2.0 / (exp(y * 2.0) + 1.0),
    "exp of the negative": lambda y: 2.0 / (1.0 + exp(-2.0 * y)) - 1.0,
}


@settings(max_examples=30)
@given(st.data(), st.sampled_from(list(TANH)), st.sampled_from([0.7978845608028654, 0.79788456, 0.7978845608]))
def test_gelu_by_tanh(data: st.DataObject, by: str, root: float) -> None:
    draw = data.draw
    inner = draw(st.sampled_from(["x + c * x * x * x", "x * (1 + c * x * x)", "one constant"]))
    one_first, sum_first = draw(st.booleans()), draw(st.booleans())

    def steps(x: Numbers) -> Numbers:
        if inner == "one constant":
            y = product(draw, [x, root + product(draw, [x, x, root * 0.044715])])
        elif inner.startswith("x +"):
            cube = product(draw, [x, x, x, 0.044715])
            y = product(draw, [root, x + cube if sum_first else cube + x])
        else:
            y = product(draw, [root, x, 1.0 + product(draw, [x, x, 0.044715])])
        t = TANH[by](y)
        return product(draw, [0.5, x, 1.0 + t if one_first else t + 1.0])

    check(steps, ["gelu_apprx_tanh"])


@settings(max_examples=10)
@given(st.data(), st.sampled_from([0.70710678, 0.7071067811865476, 0.707106781]), st.booleans())
def test_gelu_by_erf(data: st.DataObject, root: float, divides: bool) -> None:
    def steps(x: Numbers) -> Numbers:
        inner = x / 1.4142135623 if divides else root * x
        return product(data.draw, [x, 0.5, 1.0 + inner.unary("erf", erf)])

    check(steps, ["gelu"])


WRITTEN: dict[str, tuple[Steps, list[str]]] = {
    "sigmoid": (sigmoid, ["sigmoid"]),
    "sigmoid by tanh": (lambda x: 0.5 + 0.5 * tanh(0.5 * x), ["sigmoid"]),
    "SiLU": (lambda x: x * sigmoid(x), ["sigmoid"]),
    "SiLU as a quotient": (lambda x: x / (1.0 + exp(-x)), ["sigmoid"]),
    "SiLU of a magnitude": (lambda x: (y := x.unary("abs", np.abs)) / (1.0 + exp(-y)), ["math.absf", "silu"]),
    "softplus": (lambda x: x.where("gt", 20.0, x, log(1.0 + exp(x))), ["softplus"]),
    "softplus, else": (lambda x: x.where("le", 15.0, log(exp(x) + 1.0), x), ["softplus"]),
    "softplus of the magnitude": (
        lambda x: x.limited("maximum", 0.0) + log(1.0 + exp(-x.unary("abs", np.abs))),
        ["softplus"],
    ),
    "mish": (lambda x: x * tanh(log(1.0 + exp(x))), ["mish"]),
    "GELU by sigmoid": (lambda x: x * sigmoid(1.702 * x), ["sigmoid"]),
    "GELU of a sum": (lambda x: (y := x + 1.5) * (0.5 * (1.0 + (y * math.sqrt(0.5)).unary("erf", erf))), ["gelu"]),
    "GELU spread out": (
        lambda x: 0.5 * x + 0.5 * x * tanh(0.7978845608 * x * (1.0 + 0.044715 * x * x)),
        ["gelu_apprx_tanh"],
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_written_out(name: str) -> None:
    check(*WRITTEN[name])


@pytest.mark.parametrize("name", ["SiLU", "softplus", "mish", "GELU of a sum"])
def test_bf16_around(name: str) -> None:
    check(*WRITTEN[name], element=bf16)


STAYS: dict[str, tuple[Steps, list[str]]] = {
    "softplus overflows": (lambda x: log(1.0 + exp(x)), ["math.exp", "math.log"]),
    "softplus overflows below its threshold": (
        lambda x: x.where("gt", 100.0, x, log(1.0 + exp(x))),
        ["math.exp", "math.log"],
    ),
    "tanh of exponentials that overflow": (lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)), ["math.exp"] * 4),
    "another cubic": (
        lambda x: 0.5 * x * (1.0 + tanh(0.79788456 * (x + 0.0447 * x * x * x))),
        ["math.tanh"],
    ),
    "other digits": (lambda x: 0.5 * x * (1.0 + (0.7071 * x).unary("erf", erf)), ["math.erf"]),
    "another sixth digit": (lambda x: 0.5 * x * (1.0 + (0.707108 * x).unary("erf", erf)), ["math.erf"]),
    "a little more than tanh": (lambda x: tanh(x) + 1e-20, ["math.tanh"]),
    "no more than 10,000": (
        lambda x: x.limited("maximum", 0.0).limited("minimum", 1e4) + log(1.0 + exp(-x.unary("abs", np.abs))),
        ["math.absf", "math.exp", "math.log"],
    ),
    "nothing of large ones": (lambda x: x.where("gt", 1e4, x - x, sigmoid(x)), ["sigmoid"]),
}


@pytest.mark.parametrize("name", STAYS)
def test_what_differs_stays(name: str) -> None:
    check(*STAYS[name])


def test_a_doubled_argument_may_overflow() -> None:
    """Beyond half of the largest number, what is written out is infinite in the middle; the function is not."""
    x = np.full(SHAPE, 3e38, np.float32)
    module, wanted = compiled(lambda x: x * (1.0 + (x * math.sqrt(0.5)).unary("erf", erf)) * 0.5, x)
    assert np.isinf(wanted).all()
    pipelines.run(pipelines.build("lower-to-isa"), module)
    found = np.zeros_like(wanted)
    execute(module, [x, found])
    np.testing.assert_array_equal(found, x)


def test_elements_of_16_bits_stay() -> None:
    kernel = Kernel((1,), [(bf16, SHAPE), (bf16, SHAPE)])
    zero, strides = kernel.index(0), (SHAPE[1], 1)
    x = kernel.read(kernel.args[0], zero, strides, SHAPE)
    one = kernel.full(SHAPE, 1.0, bf16)
    kernel.write(one / (kernel.unary("exp", kernel.unary("neg", x)) + one), kernel.args[1], zero, strides)
    assert recognized(kernel.module()) == ["math.exp"]


def test_the_error_against_what_is_written_out() -> None:
    """In units of 2^-24 times the larger of 1 and the argument, the largest is 4."""
    x = np.linspace(-12, 12, math.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    for steps, _ in WRITTEN.values():
        module, wanted = compiled(steps, x)
        pipelines.run(pipelines.build("lower-to-isa"), module)
        found = np.zeros_like(wanted)
        execute(module, [x, found])
        error = np.abs(found.astype(np.float64) - wanted) / np.maximum(1, np.abs(x))
        assert error.max() <= 4 * 2**-24
