"""Modelled time against published measurements of kernels on real devices: runs the cases and prints the rows."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from fidelity.cases import CASES
from fidelity.entries import SOURCES
from fidelity.report import absolute, breakdown, results, summary, table, without_source
from fidelity.rows import ABSOLUTE, BOUND, ORDERING, RATIO
from fidelity.tables import constants, others

from nki_mlir.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--only", nargs="+", choices=list(CASES), metavar="ID", help="these cases instead of all")
    parser.add_argument("--leave-out", choices=SOURCES, metavar="SOURCE", help="what rests on a source, and how much")
    parser.add_argument("--constants", choices=TARGETS, metavar="TARGET", help="what the constants of a target rest on")
    arguments = parser.parse_args()
    if arguments.leave_out:
        print("\n".join(without_source(arguments.leave_out)))
        return
    if arguments.constants:
        print(constants(arguments.constants), others(arguments.constants), sep="\n\n")
        return
    start = time.perf_counter()
    found = results(arguments.only or list(CASES))
    named = [r for r in found if r.row.named]
    print(f"  {'id':13} {'figure':52} {'published':>30}  {'modelled':>30}  error, or whether it holds")
    for kind in (ABSOLUTE, RATIO, ORDERING, BOUND):
        print("\n".join(table(f"{kind}, device named", (r for r in named if r.row.judged == kind))))
    print("\n".join(table("device not named", (r for r in found if not r.row.named))))
    errors = [r.error for r in absolute(found)]
    totals = summary(errors) if errors else {}
    orderings = [r.holds for r in named if r.row.judged in (ORDERING, BOUND)]
    print("\n".join(breakdown(found)))
    print(f"{sum(orderings)} of {len(orderings)} orderings and bounds hold; {time.perf_counter() - start:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": [r.as_json() for r in found], "absolute": totals}, indent=1))
