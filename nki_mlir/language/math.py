"""`tl.math`: elementary functions under the names of Triton's math module and of libdevice."""

from __future__ import annotations

from typing import Any

from nki_mlir.language.core import (
    abs,
    ceil,
    clamp,
    cos,
    erf,
    exp,
    exp2,
    fdiv,
    floor,
    fma,
    log,
    log2,
    maximum,
    minimum,
    rsqrt,
    sin,
    sqrt,
    tanh,
)

__all__ = [
    "abs",
    "ceil",
    "clamp",
    "cos",
    "erf",
    "exp",
    "exp2",
    "fabs",
    "fast_cosf",
    "fast_expf",
    "fast_log2f",
    "fast_logf",
    "fast_sinf",
    "fdiv",
    "floor",
    "fma",
    "log",
    "log2",
    "max",
    "maximum",
    "min",
    "minimum",
    "rsqrt",
    "sin",
    "sqrt",
    "tanh",
]

fabs, fast_expf, fast_logf, fast_log2f, fast_sinf, fast_cosf = abs, exp, log, log2, sin, cos
div_rn, sqrt_rn, min, max = fdiv, sqrt, minimum, maximum

_UNSUPPORTED = (
    "acos acosh asin asinh atan atan2 atanh cbrt copysign cosh erfc exp10 expm1 fmod hypot isinf isnan isfinited "
    "lgamma llrint log10 log1p nearbyint popc pow rint round sinh tan tgamma trunc umulhi "
    "fast_tanf fast_powf fast_dividef mulhi clz ffs finitef signbit"
)


def __getattr__(name: str) -> Any:
    from nki_mlir.frontend.builtin import Language

    found = Language("tl.math").unsupported(_UNSUPPORTED, {}).get(name)
    if found is None:
        raise AttributeError(f"tl.math has no {name!r}")
    return found
