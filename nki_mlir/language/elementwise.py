"""Triton's elementary functions, which `tl` and `tl.math` share; their bodies emit, as those in `core` do."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, Language, functions_of
from nki_mlir.frontend.dtypes import bfloat16, float32
from nki_mlir.frontend.values import Value, describe

TRITON = Language("triton", "tl")
builtin = TRITON.function


def _unary(name: str, body: Callable[[Builder, Any], Any], doc: str, member: bool = True) -> Builtin:
    """A function of one argument."""

    def one(b: Builder, x: Any) -> Any:
        return body(b, x)

    one.__doc__ = doc
    return builtin(name, member=member)(one)


def _promoted(b: Builder, x: Any) -> Any:
    """Triton finds extrema of bfloat16 in float32."""
    return b.cast(x, float32) if isinstance(x, Value) and x.dtype is bfloat16 else x


def _extremum(b: Builder, symbol: str, x: Any, y: Any) -> Any:
    return operators.binary(b, symbol, _promoted(b, x), _promoted(b, y))


class PropagateNan(Enum):
    """What tl.maximum, tl.minimum and tl.clamp do with NaN: NONE takes the other operand, ALL gives NaN."""

    NONE = 0
    ALL = 0xFFFF


def _propagates(choice: Any) -> bool:
    if choice not in (PropagateNan.NONE, PropagateNan.ALL):
        raise CompileError(f"propagate_nan is tl.PropagateNan.NONE or tl.PropagateNan.ALL, got {describe(choice)}")
    return choice is PropagateNan.ALL


@builtin()
def maximum(b: Builder, x: Any, y: Any, propagate_nan: Any = PropagateNan.NONE) -> Any:
    """The larger of two, element by element; of a number and NaN the number, unless NaN is to be propagated."""
    return _extremum(b, "maximum" if _propagates(propagate_nan) else "maxnum", x, y)


@builtin()
def minimum(b: Builder, x: Any, y: Any, propagate_nan: Any = PropagateNan.NONE) -> Any:
    """The smaller of two, element by element; of a number and NaN the number, unless NaN is to be propagated."""
    return _extremum(b, "minimum" if _propagates(propagate_nan) else "minnum", x, y)


@builtin(member=True)
def clamp(b: Builder, x: Any, min: Any, max: Any, propagate_nan: Any = PropagateNan.NONE) -> Any:
    """x, but at least min and at most max, which are no NaN; of NaN min, unless NaN is to be propagated."""
    return _extremum(b, "minimum", _extremum(b, "maximum" if _propagates(propagate_nan) else "maxnum", x, min), max)


@builtin()
def fdiv(b: Builder, x: Any, y: Any, ieee_rounding: bool = False) -> Any:
    """x / y in floats."""
    return operators.binary(b, "/", x, y)


@builtin()
def fma(b: Builder, x: Any, y: Any, z: Any) -> Any:
    """x * y + z."""
    return operators.binary(b, "+", operators.binary(b, "*", x, y), z)


def _elementary(name: str, doc: str, member: bool = True) -> Builtin:
    return _unary(name, lambda b, x: functions.elementary(b, name, x), doc, member)


exp = _elementary("exp", "e to the x.")
log = _elementary("log", "The natural logarithm.")
sqrt = _elementary("sqrt", "The square root.")
rsqrt = _elementary("rsqrt", "One over the square root.")
sin = _elementary("sin", "The sine.")
cos = _elementary("cos", "The cosine.")
tanh = _elementary("tanh", "The hyperbolic tangent.", member=False)
erf = _elementary("erf", "The error function.")
floor = _elementary("floor", "The largest integer that is not greater.")
ceil = _elementary("ceil", "The smallest integer that is not less.")
exp2 = _unary("exp2", functions.exp2, "2 to the x.")
log2 = _unary("log2", functions.log2, "The logarithm to base 2.")
abs = _unary("abs", functions.absolute, "The absolute value.")


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
