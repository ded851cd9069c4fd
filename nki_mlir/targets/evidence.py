"""What the constants of a target rest on, how far their sources disagree, and targets with other values of them.

`evidence.toml` has the estimates of each constant, by its path in the target's file (`dma.packet_overhead_ns`). Its
range is from the lowest estimate to the highest; a target as fast as its sources allow, and one as slow, take the ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean
from types import MappingProxyType
from typing import Any

from nki_mlir.targets import OVERRIDE, Target, read_table

_FASTER = ("wire_bytes_per_ns", "sustained_factor", "sustained_rate", "cool_down_ns", "hwdge_packets")
"""Constants of which more makes a program faster: rates, and room."""


@dataclass(frozen=True)
class Estimate:
    """A figure from a source, as tagged in `SOURCES`, and the rows of benchmarks/fidelity that show it. `kernel_only`:
    they are whole kernels."""

    value: float
    source: str
    rows: tuple[str, ...] = ()
    kernel_only: bool = False


Evidence = Mapping[str, tuple[Estimate, ...]]
"""Estimates by constant."""


@cache
def evidence(target: str) -> Evidence:
    """Of a target's constants, those that it takes over from another one included."""
    found = read_table("evidence")[target]
    base = evidence(found.pop("base")) if "base" in found else {}
    return {**base, **{constant: tuple(map(_estimate, estimates)) for constant, estimates in found.items()}}


def _estimate(table: Mapping[str, Any]) -> Estimate:
    return Estimate(**{**table, "rows": tuple(table.get("rows", ()))})


def value(target: Target, constant: str) -> float:
    """What a target has for a constant."""
    found: Any = target
    for name in constant.split("."):
        found = found[name] if isinstance(found, Mapping) else getattr(found, name)
    return float(found)


def changed(target: Target, values: Mapping[str, float]) -> Target:
    """A target with other values of some constants."""
    for constant, number in values.items():
        target = _with(target, constant.split("."), number)
    return target


def _with(part: Any, path: list[str], number: float) -> Any:
    if not path:
        return number
    name, *rest = path
    if isinstance(part, Mapping):
        return MappingProxyType({**part, name: _with(part[name], rest, number)})
    return replace(part, **{name: _with(getattr(part, name), rest, number)})


def disagreed(target: Target) -> dict[str, tuple[float, float]]:
    """The constants whose sources disagree, or that a target does not take exactly as its source has it, with the value
    that makes programs fastest and the one that makes them slowest."""
    found: dict[str, tuple[float, float]] = {}
    for constant, estimates in evidence(target.name).items():
        values = [*(one.value for one in estimates), value(target, constant)]
        low, high = min(values), max(values)
        if low < high:
            found[constant] = (high, low) if constant.endswith(_FASTER) else (low, high)
    return found


@cache
def ends(target: Target) -> tuple[Target, Target]:
    """A target as fast as its sources allow, and one as slow."""
    ranges = disagreed(target)
    fast, slow = ({constant: pair[at] for constant, pair in ranges.items()} for at in (0, 1))
    return changed(target, fast), changed(target, slow)


def without(target: str, sources: frozenset[str]) -> dict[str, float]:
    """What constants become where the estimates of some sources are dropped: the mean of the others. Those that rest on
    these sources alone stay."""
    found: dict[str, float] = {}
    for constant, estimates in evidence(target).items():
        rest = [one.value for one in estimates if one.source not in sources]
        if rest and len(rest) < len(estimates):
            found[constant] = fmean(rest)
    return found


@contextmanager
def using(*targets: Target) -> Iterator[None]:
    """Takes these for the targets of their names."""
    token = OVERRIDE.set(MappingProxyType({target.name: target for target in targets}))
    try:
        yield
    finally:
        OVERRIDE.reset(token)
