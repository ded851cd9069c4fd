"""Modelled time against published measurements of kernels on real devices: runs the cases and prints the rows.

A row of several values counts with their mean error, a row without a model with 100%. Whole-run times include what the
tool that reported them does (`entries.LAUNCH_US`).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fidelity.cases import CASES, Values, left_out, model
from fidelity.entries import ENTRIES, SOURCES
from fidelity.rows import ABSOLUTE, BOUND, ORDERING, RATIO, ROWS, Row

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
    def verdict(self) -> str:
        """What the last column says."""
        if self.row.judged in (ABSOLUTE, RATIO):
            return f"{self.error:.1f}%"
        if self.modelled is None:
            return "no model"
        value, limit = self.modelled[0], self.row.published[0]
        margin = abs(value - limit) if self.row.within is not None else value / limit - 1
        return f"{'holds' if self.row.holds(self.modelled) else 'FAILS'}, by {100 * margin:+.1f}%"

    def as_json(self) -> dict[str, Any]:
        row = self.row
        found = {k: getattr(row, k) for k in ("id", "device", "judged", "figure", "key", "published", "named")}
        found |= row.entry._asdict()
        if row.judged in (ABSOLUTE, RATIO):
            return {**found, "modelled": self.modelled, "error_percent": self.error}
        return {**found, "modelled": self.modelled, "holds": row.holds(self.modelled)}


def results(ids: Sequence[str], processes: int = 2, leave_out: str | None = None) -> list[Result]:
    figures: dict[str, dict[str, Values]] = {}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for id_, modelled, seconds in pool.imap_unordered(partial(model, leave_out=leave_out), ids):
            figures[id_] = modelled
            print(f"{id_}: {seconds:.1f} s", file=sys.stderr)
    return [Result(row, figures.get(row.id, {}).get(row.key)) for row in ROWS if row.id in ids]


def table(title: str, found: Iterable[Result]) -> list[str]:
    lines = ["", title]
    for r in found:
        modelled = "-" if r.modelled is None else numbers(r.modelled)
        figure = r.row.figure if len(r.row.figure) <= 52 else r.row.figure[:49] + "..."
        lines.append(f"  {r.row.id:13} {figure:52} {numbers(r.row.published):>30}  {modelled:>30}  {r.verdict}")
    return lines if len(lines) > 2 else []


def numbers(values: tuple[float, ...]) -> str:
    shown = " ".join(f"{v:.4g}" for v in values)
    return shown if len(shown) <= 30 else f"{shown[:13]} ... {shown[-12:]}"


def summary(errors: Sequence[float]) -> dict[str, float]:
    return {
        "rows": len(errors),
        "mean": statistics.fmean(errors),
        "median": statistics.median(errors),
        "maximum": max(errors),
    }


def breakdown(found: Sequence[Result]) -> list[str]:
    """Of absolute rows whose device is named: how many there are and how far they are off, by kind and by source."""
    judged = [r for r in found if r.row.named and r.row.judged == ABSOLUTE]
    lines = ["", f"absolute rows with a named device{'':11}rows    mean  median  maximum"]
    groups: dict[str, list[float]] = {}
    for r in judged:
        groups.setdefault(f"kind {r.row.entry.kind}", []).append(r.error)
    for r in sorted(judged, key=lambda r: r.row.entry.source):
        groups.setdefault(f"source {r.row.entry.source}", []).append(r.error)
    for name, errors in {**groups, "all": [r.error for r in judged]}.items():
        if errors:
            s = summary(errors)
            lines.append(f"  {name:40} {s['rows']:6} {s['mean']:6.1f}% {s['median']:6.1f}% {s['maximum']:7.1f}%")
    return lines


def without_source(source: str) -> list[str]:
    """What changes where the estimates of a source are dropped: constants, and the errors of its own rows."""
    ids = [id_ for id_, entry in ENTRIES.items() if entry.source == source]
    lines = [f"without {source}:"]
    for other in left_out(source):
        target = load(other.name)
        for constant in evidence(target.name):
            was, now = value(target, constant), value(other, constant)
            if was != now:
                lines.append(f"  {target.name} {constant}: {was:g} -> {now:g}")
    errors = [
        [r.error for r in found if r.row.named and r.row.judged == ABSOLUTE]
        for found in (results(ids), results(ids, leave_out=source))
    ]
    if errors[0]:
        with_it, without_it = (summary(found) for found in errors)
        lines.append(
            f"  {with_it['rows']} absolute rows of {source}: mean error {with_it['mean']:.1f}% with it,"
            f" {without_it['mean']:.1f}% without"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--only", nargs="+", choices=list(CASES), metavar="ID", help="these cases instead of all")
    parser.add_argument("--leave-out", choices=SOURCES, metavar="SOURCE", help="what rests on a source, and how much")
    arguments = parser.parse_args()
    if arguments.leave_out:
        print("\n".join(without_source(arguments.leave_out)))
        return
    start = time.perf_counter()
    found = results(arguments.only or list(CASES))
    named = [r for r in found if r.row.named]
    print(f"  {'id':13} {'figure':52} {'published':>30}  {'modelled':>30}  error, or whether it holds")
    for kind in (ABSOLUTE, RATIO, ORDERING, BOUND):
        print("\n".join(table(f"{kind}, device named", (r for r in named if r.row.judged == kind))))
    print("\n".join(table("device not named", (r for r in found if not r.row.named))))
    judged = [r.error for r in named if r.row.judged == ABSOLUTE]
    totals = summary(judged) if judged else {}
    orderings = [r.row.holds(r.modelled) for r in named if r.row.judged in (ORDERING, BOUND)]
    print("\n".join(breakdown(found)))
    print(f"{sum(orderings)} of {len(orderings)} orderings and bounds hold; {time.perf_counter() - start:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": [r.as_json() for r in found], "absolute": totals}, indent=1))
