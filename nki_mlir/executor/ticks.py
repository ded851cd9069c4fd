"""Modelled time is a multiple of 2^-20 ns. Sums of such times are exact up to 2^33 ns, 8.6 s, wherever they begin: what
a machine does again later takes the same time, to the last bit."""

from __future__ import annotations

_PER_NS = 1 << 20

EXACT_NS = float(1 << 33)
"""From here on sums of times are rounded."""


def ticks(ns: float) -> float:
    """A duration in ns, as a multiple of 2^-20 ns."""
    return round(ns * _PER_NS) / _PER_NS
