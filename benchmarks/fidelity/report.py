"""Modelled time against published measurements of kernels on real devices: runs the cases and prints the rows.

A row of several values counts with their mean error, a row without a model with 100%. Whole-run times include the
target's launch constant (`control.launch_ns`), as published latencies do.
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
from pathlib import Path
from typing import Any

from fidelity.cases import CASES, Values, model
from fidelity.rows import ABSOLUTE, BOUND, ORDERING, RATIO, ROWS, Row


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
        if self.row.kind in (ABSOLUTE, RATIO):
            return f"{self.error:.1f}%"
        if self.modelled is None:
            return "no model"
        value, limit = self.modelled[0], self.row.published[0]
        margin = abs(value - limit) if self.row.within is not None else value / limit - 1
        return f"{'holds' if self.row.holds(self.modelled) else 'FAILS'}, by {100 * margin:+.1f}%"

    def as_json(self) -> dict[str, Any]:
        row = self.row
        found = {k: getattr(row, k) for k in ("id", "device", "kind", "figure", "key", "published", "named")}
        if row.kind in (ABSOLUTE, RATIO):
            return {**found, "modelled": self.modelled, "error_percent": self.error}
        return {**found, "modelled": self.modelled, "holds": row.holds(self.modelled)}


def results(ids: Sequence[str], processes: int = 2) -> list[Result]:
    figures: dict[str, dict[str, Values]] = {}
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for id_, modelled, seconds in pool.imap_unordered(model, ids):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--only", nargs="+", choices=list(CASES), metavar="ID", help="these cases instead of all")
    arguments = parser.parse_args()
    start = time.perf_counter()
    found = results(arguments.only or list(CASES))
    named = [r for r in found if r.row.named]
    print(f"  {'id':13} {'figure':52} {'published':>30}  {'modelled':>30}  error, or whether it holds")
    for kind in (ABSOLUTE, RATIO, ORDERING, BOUND):
        print("\n".join(table(f"{kind}, device named", (r for r in named if r.row.kind == kind))))
    print("\n".join(table("device not named", (r for r in found if not r.row.named))))
    judged = [r.error for r in named if r.row.kind == ABSOLUTE]
    totals = summary(judged) if judged else {}
    orderings = [r.row.holds(r.modelled) for r in named if r.row.kind in (ORDERING, BOUND)]
    if totals:
        print(
            f"\n{totals['rows']} absolute rows with a named device: mean error {totals['mean']:.1f}%,"
            f" median {totals['median']:.1f}%, maximum {totals['maximum']:.1f}%"
        )
    print(f"{sum(orderings)} of {len(orderings)} orderings and bounds hold; {time.perf_counter() - start:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": [r.as_json() for r in found], "absolute": totals}, indent=1))
