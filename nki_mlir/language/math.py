"""`tl.math`: elementary functions under the names of Triton's math module and of libdevice."""

from __future__ import annotations

from typing import Any

from nki_mlir.frontend.builtin import functions_of as _functions_of
from nki_mlir.frontend.builtin import unsupported as _unsupported
from nki_mlir.language.elementwise import *  # noqa: F403
from nki_mlir.language.elementwise import abs, cos, exp, fdiv, log, log2, maximum, minimum, sin, sqrt

fabs, fast_expf, fast_logf, fast_log2f, fast_sinf, fast_cosf = abs, exp, log, log2, sin, cos
div_rn, sqrt_rn, min, max = fdiv, sqrt, minimum, maximum

_UNSUPPORTED = _unsupported(
    "tl.math",
    "acos acosh asin asinh atan atan2 atanh cbrt copysign cosh erfc exp10 expm1 fmod hypot isinf isnan isfinited "
    "lgamma llrint log10 log1p nearbyint popc pow rint round sinh tan tgamma trunc umulhi "
    "fast_tanf fast_powf fast_dividef mulhi clz ffs finitef signbit",
)


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"tl.math has no {name!r}")
    return found


__all__ = _functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
