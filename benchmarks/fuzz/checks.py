"""Runs a generated kernel and compares it with its reference."""

from __future__ import annotations

import numpy as np
from fuzz.generator import Kernel
from fuzz.outcomes import WrongValue
from fuzz.sources import define
from fuzz.values import PRECISION, Array, Undefined

RUNS = 5
"""Noisy runs of the reference; what they differ by is what rounding may do."""
SAFETY = 8


def check(kernel: Kernel, source: str | None = None) -> None:
    """Runs it, or another text of it. Raises WrongValue, or what the compiler and the machine raise."""
    arguments = {k: a.copy() if isinstance(a, np.ndarray) else a for k, a in kernel.arguments.items()}
    define(source or kernel.source)["kernel"][kernel.grid](**arguments)
    exact = kernel.reference()
    allowed = tolerance(kernel, exact)
    for name, want in exact.items():
        compare(name, arguments[name], want, allowed[name])


def tolerance(kernel: Kernel, exact: dict[str, Array]) -> dict[str, Array]:
    """For each output, how far each element may be from the reference; infinite where it hangs on a rounding."""
    spread = {name: np.zeros(a.shape) for name, a in exact.items()}
    for run in range(RUNS):
        try:
            noisy = kernel.reference(np.random.default_rng(run))
        except Undefined:
            return {name: np.full(a.shape, np.inf) for name, a in exact.items()}
        for name, a in exact.items():
            spread[name] = np.maximum(spread[name], distance(noisy[name], a))
    own = {name: PRECISION.get(a.dtype, 0.0) * np.nan_to_num(np.abs(a.astype(np.float64))) for name, a in exact.items()}
    return {name: SAFETY * spread[name] + own[name] + 1e-30 for name in exact}


def distance(a: Array, b: Array) -> Array:
    """0 between equal infinities and between NaNs, infinite between a number and either."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0.0, np.nan_to_num(np.abs(x - y), nan=np.inf, posinf=np.inf))


def compare(name: str, got: Array, want: Array, allowed: Array) -> None:
    off = distance(got, want) > allowed
    if np.any(off):
        at = int(np.argmax(off))
        raise WrongValue(
            f"{name}[{at}] is {got.flat[at]}, the reference has {want.flat[at]} +- {allowed.flat[at]:.2g} "
            f"({np.count_nonzero(off)} of {off.size} differ)"
        )
