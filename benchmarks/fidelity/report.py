"""Modelled time against published measurements of kernels on real devices: runs the cases and judges the rows.

A row of several values counts with their mean error, a row without a model with 100%. Whole-run times include what the
tool that reported them does (`entries.LAUNCH_US`). `python docs/write_fidelity.py` records the figures and writes
docs/fidelity.md.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fidelity.cases import Values, left_out, model
from fidelity.entries import ENTRIES
from fidelity.rows import ABSOLUTE, RATIO, ROWS, Row

from nki_mlir.targets import load
from nki_mlir.targets.evidence import evidence, value


@dataclass(frozen=True)
class Result:
    row: Row
    modelled: Values

    @property
    def error(self) -> float:
        return self.row.error(self.modelled)

    @property
    def holds(self) -> bool:
        """Of an ordering or a bound."""
        return self.row.holds(self.modelled)

    @property
    def verdict(self) -> str:
        """What the last column says."""
        if self.row.judged in (ABSOLUTE, RATIO):
            return f"{self.error:.1f}%"
        if self.modelled is None:
            return "no model"
        value, limit = self.modelled[0], self.row.published[0]
        margin = abs(value - limit) if self.row.within is not None else value / limit - 1
        return f"{'holds' if self.holds else 'FAILS'}, by {100 * margin:+.1f}%"

    def as_json(self) -> dict[str, Any]:
        row = self.row
        found = {k: getattr(row, k) for k in ("id", "device", "judged", "figure", "key", "published", "named")}
        found |= row.entry._asdict()
        if row.judged in (ABSOLUTE, RATIO):
            return {**found, "modelled": self.modelled, "error_percent": self.error}
        return {**found, "modelled": self.modelled, "holds": self.holds}


def results(ids: Sequence[str], processes: int = 2, leave_out: str | None = None) -> list[Result]:
    return judged(modelled(ids, processes, leave_out))


def modelled(ids: Sequence[str], processes: int = 2, leave_out: str | None = None) -> dict[str, dict[str, Values]]:
    """The figures of some cases, without what a source says of the targets."""
    figures: dict[str, dict[str, Values]] = {}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for id_, found, seconds in pool.imap_unordered(partial(model, leave_out=leave_out), ids):
            figures[id_] = found
            print(f"{id_}: {seconds:.1f} s", file=sys.stderr)
    return figures


def judged(figures: Mapping[str, Mapping[str, Values]]) -> list[Result]:
    """The rows of the cases that have figures."""
    return [Result(row, figures[row.id].get(row.key)) for row in ROWS if row.id in figures]


def absolute(found: Iterable[Result]) -> list[Result]:
    """The absolute rows whose device is named: those that the mean error is of."""
    return [r for r in found if r.row.named and r.row.judged == ABSOLUTE]


def table(title: str, found: Iterable[Result]) -> list[str]:
    lines = ["", title]
    for r in found:
        modelled = "-" if r.modelled is None else numbers(r.modelled)
        figure = r.row.figure if len(r.row.figure) <= 52 else r.row.figure[:49] + "..."
        lines.append(f"  {r.row.id:13} {figure:52} {numbers(r.row.published):>30}  {modelled:>30}  {r.verdict}")
    return lines if len(lines) > 2 else []


def numbers(values: tuple[float, ...], between: str = " ", most: int = 30) -> str:
    shown = between.join(f"{v:.4g}" for v in values)
    return shown if len(shown) <= most else f"{shown[:13]} ... {shown[-12:]}"


def summary(errors: Sequence[float]) -> dict[str, float]:
    return {
        "rows": len(errors),
        "mean": statistics.fmean(errors),
        "median": statistics.median(errors),
        "maximum": max(errors),
    }


def breakdown(found: Sequence[Result]) -> list[str]:
    """Of absolute rows whose device is named: how many there are and how far they are off, by kind and by source."""
    rows = absolute(found)
    lines = ["", f"absolute rows with a named device{'':11}rows    mean  median  maximum"]
    groups: dict[str, list[float]] = {}
    for r in rows:
        groups.setdefault(f"kind {r.row.entry.kind}", []).append(r.error)
    for r in sorted(rows, key=lambda r: r.row.entry.source):
        groups.setdefault(f"source {r.row.entry.source}", []).append(r.error)
    for name, errors in {**groups, "all": [r.error for r in rows]}.items():
        if errors:
            s = summary(errors)
            lines.append(f"  {name:40} {s['rows']:6} {s['mean']:6.1f}% {s['median']:6.1f}% {s['maximum']:7.1f}%")
    return lines


Changes = dict[str, tuple[float, float]]
"""Constants, as `trn1 dma.trigger_ns`, with their value and another one."""


@dataclass(frozen=True)
class LeftOut:
    """What the estimates of a source are worth: the constants that change without them, and the mean error of the
    source's own absolute rows then, in percent; None where it has no such row, or nothing changes."""

    changes: Changes
    mean_error: float | None


def changes_without(source: str) -> Changes:
    """The constants that differ where the estimates of a source are dropped."""
    found: Changes = {}
    for other in left_out(source):
        target = load(other.name)
        for constant in evidence(target.name):
            was, now = value(target, constant), value(other, constant)
            if was != now:
                found[f"{target.name} {constant}"] = was, now
    return found


def leave_out(source: str, processes: int = 2) -> LeftOut:
    ids = [id_ for id_, entry in ENTRIES.items() if entry.source == source]
    own = [r.error for r in absolute(results(ids, processes, leave_out=source))]
    return LeftOut(changes_without(source), statistics.fmean(own) if own else None)


def without_source(source: str) -> list[str]:
    """What changes where the estimates of a source are dropped, and the errors of its own rows."""
    without = leave_out(source)
    lines = [f"without {source}:"]
    lines += (f"  {constant}: {was:g} -> {now:g}" for constant, (was, now) in without.changes.items())
    own = [r.error for r in absolute(results([id_ for id_, entry in ENTRIES.items() if entry.source == source]))]
    if without.mean_error is not None:
        lines.append(
            f"  {len(own)} absolute rows of {source}: mean error {statistics.fmean(own):.1f}% with it,"
            f" {without.mean_error:.1f}% without"
        )
    return lines
