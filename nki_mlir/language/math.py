"""`tl.math`: elementary functions under the names of Triton's math module and of libdevice."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, Language, functions_of
from nki_mlir.frontend.dtypes import float32, int32
from nki_mlir.frontend.values import Unexpected, Value, is_runtime
from nki_mlir.language.elementwise import *  # noqa: F403
from nki_mlir.language.elementwise import abs, cos, exp, fdiv, log, log2, maximum, minimum, sin, sqrt, tanh
from nki_mlir.language.random import umulhi as _umulhi

fabs, fast_expf, fast_logf, fast_log2f, fast_sinf, fast_cosf, fast_tanhf = abs, exp, log, log2, sin, cos, tanh
div_rn, fast_dividef, sqrt_rn, min, max = fdiv, fdiv, sqrt, minimum, maximum
umulhi = _umulhi

_MATH = Language("triton", "tl.math")


def _of_floats(name: str, body: Callable[[Builder, Any], Any], known: Callable[[float], Any], doc: str) -> Builtin:
    """A function of one float; of a compile-time number it is `known`."""

    def one(b: Builder, x: Any) -> Any:
        return body(b, functions.as_float(b, x)) if is_runtime(x) else functions.known(name, known, x)

    one.__doc__ = doc
    return _MATH.function(name)(one)


def _scaled(
    name: str, function: str, before: float, after: float, known: Callable[[float], float], doc: str
) -> Builtin:
    """An elementary function with a factor inside and one outside."""

    def steps(b: Builder, v: Any) -> Any:
        v = v if before == 1.0 else operators.binary(b, "*", v, before)
        v = functions.elementary(b, function, v)
        return v if after == 1.0 else operators.binary(b, "*", v, after)

    return _of_floats(name, lambda b, x: functions.in_float32(b, x, lambda v: steps(b, v)), known, doc)


exp10 = _scaled("exp10", "exp", math.log(10.0), 1.0, lambda x: 10.0**x, "10 to the x.")
log10 = _scaled("log10", "log", 1.0, 1.0 / math.log(10.0), math.log10, "The logarithm to base 10.")

_WHOLE = 2.0**23
"""From here on every float32 is a whole number."""


def _nearest(b: Builder, x: Value) -> Value:
    def steps(v: Value) -> Value:
        small = operators.binary(b, "<", functions.absolute(b, v), _WHOLE)
        return operators.where(b, small, b.cast(b.cast(v, int32), v.number), v)

    return functions.in_float32(b, x, steps)


def _away_from_zero(b: Builder, x: Value) -> Value:
    def steps(v: Value) -> Value:
        size = functions.absolute(b, v)
        low = functions.elementary(b, "floor", size)
        up = operators.binary(b, ">=", operators.binary(b, "-", size, low), 0.5)
        size = operators.binary(b, "+", low, b.cast(up, v.number))
        return operators.where(b, operators.binary(b, "<", v, 0.0), functions.negate(b, size), size)

    return functions.in_float32(b, x, steps)


def _c_round(x: float) -> float:
    size = math.floor(math.fabs(x) + 0.5)
    return math.copysign(size, x)


rint = _of_floats(
    "rint", _nearest, lambda x: float(builtins.round(x)), "The nearest integer, as a float; halves to even."
)
round = _of_floats("round", _away_from_zero, _c_round, "The nearest integer, as a float; halves away from zero.")
trunc = _of_floats("trunc", functions.truncated, lambda x: float(math.trunc(x)), "Without the fraction.")
llrint = _of_floats(
    "llrint", lambda b, x: b.cast(b.cast(x, float32), int32), builtins.round, "The nearest integer; halves to even."
)
nearbyint = rint


def _test(name: str, symbol: str, known: Callable[[float], bool], doc: str) -> Builtin:
    """A question whose answer is how the size of a number compares with infinity."""

    def body(b: Builder, x: Value) -> Value:
        return operators.binary(b, symbol, functions.absolute(b, x), math.inf)

    return _of_floats(name, body, known, doc)


isinf = _test("isinf", "==", math.isinf, "Whether it is infinite.")
finitef = _test("finitef", "<", math.isfinite, "Whether it is finite.")
isnan = _of_floats("isnan", lambda b, x: operators.binary(b, "!=", x, x), math.isnan, "Whether it is no number.")
isfinited = finitef

MAX_POWER = 64
"""The largest exponent that is done by multiplications."""


@_MATH.function()
def pow(b: Builder, base: Any, exponent: Any) -> Any:
    """base to the exponent, one of which is known at compile time: by multiplications where the exponent is an integer,
    else exp(exponent * log(base)), which of a negative base is NaN."""
    if not isinstance(exponent, Value):
        return _power(b, base, _number(exponent))
    if isinstance(base, Value):
        raise CompileError(
            "tl.math.pow of two values that the program computes is not supported; where the base is positive, write "
            "tl.exp(exponent * tl.log(base))"
        )
    number = _number(base)
    if number <= 0:
        raise CompileError(f"tl.math.pow: the base {number}, known at compile time, must be positive")
    return _of_exp(b, exponent, lambda v: operators.binary(b, "*", v, math.log(number)))


def _number(x: Any) -> float:
    """A compile-time number; of neither sign without end."""
    if not isinstance(x, int | float):
        raise Unexpected("a number or a tensor", x)
    try:
        number = float(x)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CompileError(f"tl.math.pow takes finite numbers, got {number}")
    return number


def _power(b: Builder, base: Any, exponent: float) -> Any:
    if not is_runtime(base):
        return functions.known("tl.math.pow", lambda x: math.pow(x, exponent), base)
    if not exponent.is_integer():
        return _of_exp(b, base, lambda v: operators.binary(b, "*", functions.elementary(b, "log", v), exponent))
    if builtins.abs(exponent) > MAX_POWER:
        raise CompileError(f"tl.math.pow: an integer exponent is at most {MAX_POWER}, got {exponent:.0f}")
    return functions.in_float32(b, functions.as_float(b, base), lambda v: _whole_power(b, v, int(exponent)))


def _of_exp(b: Builder, x: Any, inner: Callable[[Any], Any]) -> Any:
    return functions.in_float32(b, functions.as_float(b, x), lambda v: functions.elementary(b, "exp", inner(v)))


def _whole_power(b: Builder, x: Any, exponent: int) -> Any:
    """By squaring."""
    if exponent < 0:
        return operators.binary(b, "/", 1.0, _whole_power(b, x, -exponent))
    result: Any = None
    while exponent:
        if exponent & 1:
            result = x if result is None else operators.binary(b, "*", result, x)
        exponent >>= 1
        x = operators.binary(b, "*", x, x) if exponent else x
    return b.broadcast(b.constant(1.0, x.number), x.shape) if result is None else result


_UNSUPPORTED = _MATH.unsupported(
    "acos acosh asin asinh atan atan2 atanh cbrt copysign cosh erfc expm1 fmod hypot lgamma log1p popc sinh tan "
    "tgamma fast_tanf fast_powf mulhi clz ffs signbit"
)


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"tl.math has no {name!r}")
    return found


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
