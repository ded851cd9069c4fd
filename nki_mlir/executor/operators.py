"""The operators of the element-wise and reducing instructions and the functions of the Scalar engine, on fp32 arrays.

Not documented, and chosen here: `maximum` and `minimum` give NaN where an argument is NaN (as NumPy's); logical
operators take every value but zero, NaN included, as true. Comparisons and logical operators give bool arrays, which
are 1 and 0 in whatever type follows.

Functions are the exact ones; the hardware's piecewise polynomials differ in bits that are not published. The documented
input ranges matter in two cases: `sin` outside [-pi, pi] and `arctan` outside [-pi/2, pi/2] extrapolate a polynomial on
the hardware (one published sample: sin(9.0) = 27.65); here they give NaN, and with checks on an error. `log`, `sqrt`,
`rsqrt` and `reciprocal` follow NumPy outside theirs. The gated functions (silu, gelu and its forms, mish) have their
limit, 0, at minus infinity, and their derivatives theirs, 0 and 1, at both. `prelu` without a slope has the slope 0,
the default of activate2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.executor.numerics import Array

Binary = Callable[[Any, Any], Array]
Unary = Callable[[Array], Array]
Reduce = Callable[[Array, tuple[int, ...]], Array]


def _by_size(wins: Binary) -> Binary:
    """The argument, with its sign, whose magnitude wins; the second one at a tie."""
    return lambda a, b: np.where(wins(np.abs(a), np.abs(b)), a, b)


def _relu(a: Any) -> Array:
    """0 is added so that -0 gives 0 too: which of two zeros is the maximum is NumPy's choice."""
    return np.maximum(a, np.float32(0)) + np.float32(0)


def _rsqrt(a: Any, _: Any = None) -> Array:
    return np.reciprocal(np.sqrt(a))


ARITHMETIC: Mapping[Alu, Binary] = {
    Alu.ADD: np.add,
    Alu.SUBTRACT: np.subtract,
    Alu.MULTIPLY: np.multiply,
    Alu.DIVIDE: np.divide,
    Alu.MOD: np.mod,
    Alu.POWER: np.power,
    Alu.MAXIMUM: np.maximum,
    Alu.MINIMUM: np.minimum,
    Alu.ABS_MAX: _by_size(np.greater),
    Alu.ABS_MIN: _by_size(np.less),
    Alu.EQUAL: np.equal,
    Alu.NOT_EQUAL: np.not_equal,
    Alu.GREATER_EQUAL: np.greater_equal,
    Alu.GREATER: np.greater,
    Alu.LESS_EQUAL: np.less_equal,
    Alu.LESS: np.less,
    Alu.LOGICAL_AND: np.logical_and,
    Alu.LOGICAL_OR: np.logical_or,
    Alu.LOGICAL_XOR: np.logical_xor,
    Alu.LOGICAL_NOT: lambda a, _: np.logical_not(a),
    Alu.RSQRT: _rsqrt,
    Alu.ABS: lambda a, _: np.abs(a),
    Alu.SQUARE: lambda a, _: np.square(a),
    Alu.RELU: lambda a, _: _relu(a),
    Alu.BYPASS: lambda a, _: np.positive(a),
}
"""op(a, b). `mod` is the floored remainder, with the sign of b; the unary ones ignore b. Results are new arrays."""


BITWISE: Mapping[Alu, Binary] = {
    Alu.INVERT: lambda a, _: np.invert(a),
    Alu.BITWISE_AND: np.bitwise_and,
    Alu.BITWISE_OR: np.bitwise_or,
    Alu.BITWISE_XOR: np.bitwise_xor,
    Alu.LEFT_SHIFT: np.left_shift,
    Alu.RIGHT_SHIFT: np.right_shift,
}
"""op(a, b) on unsigned words of the destination's width. Shifts are logical, and by the width or more give 0."""


def _reduce_by_size(pick: Callable[..., Array]) -> Reduce:
    """The element, with its sign, whose magnitude `pick` (argmax or argmin) finds; the last one at a tie."""

    def reduce(a: Array, axes: tuple[int, ...]) -> Array:
        kept = a.ndim - len(axes)
        flat = a.reshape(*a.shape[:kept], -1)[..., ::-1]
        return np.take_along_axis(flat, pick(np.abs(flat), axis=-1, keepdims=True), -1)[..., 0]

    return reduce


REDUCTIONS: Mapping[Alu, Reduce] = {
    Alu.ADD: lambda a, axes: np.add.reduce(a, axis=axes),
    Alu.SUBTRACT: lambda a, axes: np.negative(np.add.reduce(a, axis=axes)),
    Alu.MULTIPLY: lambda a, axes: np.multiply.reduce(a, axis=axes),
    Alu.MAXIMUM: lambda a, axes: np.maximum.reduce(a, axis=axes),
    Alu.MINIMUM: lambda a, axes: np.minimum.reduce(a, axis=axes),
    Alu.LOGICAL_AND: lambda a, axes: np.logical_and.reduce(a, axis=axes),
    Alu.LOGICAL_OR: lambda a, axes: np.logical_or.reduce(a, axis=axes),
    Alu.LOGICAL_XOR: lambda a, axes: np.logical_xor.reduce(a, axis=axes),
    Alu.BITWISE_AND: lambda a, axes: np.bitwise_and.reduce(a, axis=axes),
    Alu.BITWISE_OR: lambda a, axes: np.bitwise_or.reduce(a, axis=axes),
    Alu.BITWISE_XOR: lambda a, axes: np.bitwise_xor.reduce(a, axis=axes),
    Alu.AVERAGE: lambda a, axes: np.asarray(np.mean(a, axis=axes, dtype=np.float32)),
    Alu.ABS_MAX: _reduce_by_size(np.argmax),
    Alu.ABS_MIN: _reduce_by_size(np.argmin),
}
"""op over the named axes, which are the last ones; `subtract` takes every element from 0. One NaN among the elements
makes the result of those that compare a NaN."""

IDENTITY: Mapping[Alu, float] = {
    Alu.ADD: 0.0,
    Alu.SUBTRACT: 0.0,
    Alu.MULTIPLY: 1.0,
    Alu.MAXIMUM: -math.inf,
    Alu.MINIMUM: math.inf,
    Alu.ABS_MAX: 0.0,
    Alu.ABS_MIN: math.inf,
}
"""What an accumulator of each operator starts from."""


_ERF_P = (
    -1.60960333262415e-02,
    -2.95459980854025e-03,
    -7.34990630326855e-04,
    -5.69250639462346e-05,
    -2.10102402082508e-06,
    2.77068142495902e-08,
    -2.72614225801306e-10,
)
_ERF_Q = (
    -1.42647390514189e-02,
    -7.37332916720468e-03,
    -1.68282697438203e-03,
    -2.13374055278905e-04,
    -1.45660718464996e-05,
)


def erf(x: Array) -> Array:
    """The error function, by the rational approximation x p(x^2) / q(x^2) on [-4, 4] that Eigen uses for fp32.
    Evaluated in fp64, its error is below 1e-7."""
    a = np.clip(x, np.float32(-4), np.float32(4)).astype(np.float64)
    z = a * a
    return (a * _horner(_ERF_P, z) / _horner(_ERF_Q, z)).astype(np.float32)


def _horner(coefficients: tuple[float, ...], z: Array) -> Array:
    result = np.full_like(z, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result *= z
        result += coefficient
    return result


def sigmoid(x: Array) -> Array:
    return np.reciprocal(1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.logaddexp(np.float32(0), x)


def _gated(gate: Unary) -> Unary:
    """x * gate(x), 0 at minus infinity."""

    def function(x: Array) -> Array:
        return np.where(np.isneginf(x), np.float32(0), x * gate(x))

    return function


LARGEST: Mapping[Function, np.float32] = {
    Function.SIN: np.float32(math.pi),
    Function.ARCTAN: np.float32(math.pi / 2),
}
"""The largest argument, either way, of functions that extrapolate a polynomial beyond."""


def _within(name: Function, function: Unary) -> Unary:
    """NaN where |x| is too large."""
    most = LARGEST[name]
    return lambda x: np.where(np.abs(x) <= most, function(x), np.float32(np.nan))


def prelu(x: Array, slope: Any) -> Array:
    return np.where(x >= 0, x, slope * x)


def _gelu_dx(x: Array) -> Array:
    return _HALF * (_ONE + erf(x * _SQRT_HALF)) + x * np.exp(-_HALF * x * x) * _INVERSE_SQRT_2_PI


def _sigmoid_gate_dx(k: float) -> Unary:
    """The derivative of x * sigmoid(k * x)."""
    factor = np.float32(k)

    def function(x: Array) -> Array:
        s = sigmoid(factor * x)
        return s + factor * x * s * (_ONE - s)

    return function


def _limits(function: Unary, low: float, high: float) -> Unary:
    """The function with its limits at minus and plus infinity."""
    ends = np.float32(low), np.float32(high)
    return lambda x: np.where(np.isinf(x), np.where(x < 0, *ends), function(x))


_HALF, _ONE = np.float32(0.5), np.float32(1)
_SQRT_HALF, _SQRT_2_PI = np.float32(math.sqrt(0.5)), np.float32(math.sqrt(2 / math.pi))
_INVERSE_SQRT_2_PI, _TWO_BY_SQRT_PI = np.float32(1 / math.sqrt(2 * math.pi)), np.float32(2 / math.sqrt(math.pi))

FUNCTIONS: Mapping[Function, Unary] = {
    Function.COPY: np.positive,
    Function.SQUARE: np.square,
    Function.SIGMOID: sigmoid,
    Function.RELU: _relu,
    Function.PRELU: _relu,
    Function.GELU: _gated(lambda x: _HALF * (_ONE + erf(x * _SQRT_HALF))),
    Function.GELU_DX: _limits(_gelu_dx, 0, 1),
    Function.GELU_APPRX_TANH: _gated(
        lambda x: _HALF * (_ONE + np.tanh(_SQRT_2_PI * (x + np.float32(0.044715) * x * x * x)))
    ),
    Function.GELU_APPRX_SIGMOID: _gated(lambda x: sigmoid(np.float32(1.702) * x)),
    Function.GELU_APPRX_SIGMOID_DX: _limits(_sigmoid_gate_dx(1.702), 0, 1),
    Function.SILU: _gated(sigmoid),
    Function.SILU_DX: _limits(_sigmoid_gate_dx(1.0), 0, 1),
    Function.TANH: np.tanh,
    Function.SOFTPLUS: _softplus,
    Function.MISH: _gated(lambda x: np.tanh(_softplus(x))),
    Function.ERF: erf,
    Function.ERF_DX: lambda x: _TWO_BY_SQRT_PI * np.exp(-x * x),
    Function.EXP: np.exp,
    Function.LOG: np.log,
    Function.SIN: _within(Function.SIN, np.sin),
    Function.ARCTAN: _within(Function.ARCTAN, np.arctan),
    Function.SQRT: np.sqrt,
    Function.RSQRT: _rsqrt,
    Function.RECIPROCAL: np.reciprocal,
    Function.SIGN: np.sign,
    Function.ABS: np.abs,
}
"""Functions of new fp32 arrays."""
