"""What each optimisation is worth: modelled time of the rows of `codegen.py` with all passes, and over that the time
without some of them.

    python benchmarks/ablation.py [--only NAME ...] [--without CAPABILITY ...] [--seconds N] [--json FILE]

A row that does not compile without a pass within the time says `-`: the pass is what makes it small enough.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reporting import add_json, table, write_json

CAPABILITIES: Mapping[str, Sequence[str]] = {
    "programs together": ("widen",),
    "whole grids": ("regrid",),
    "long rows": ("coalesce",),
    "loads once": ("hoist-loads",),
    "windows": ("share-windows",),
    "diagonals": ("diagonal-products",),
    "masks": ("peel-masks",),
    "maximum first": ("maximum-first",),
    "sums as columns": ("join-products",),
    "long steps": ("merge-steps",),
    "rows at a time": ("split-sums",),
    "taking turns": ("interleave",),
    "scans": ("scan-loops",),
    "functions": ("recognize-functions",),
    "sums in PSUM": ("promote-accumulators",),
    "combining": ("combine-instructions",),
    "scheduling": ("schedule",),
    "skewed loops": ("skew",),
    "rotation": ("multi-buffer",),
}
"""Passes, by what they do."""
ROWS = (
    "vector add, blocks of 1,024",
    "softmax, a row",
    "layernorm",
    "matmul, A K-major",
    "matmul, A row-major, blocks of 128",
    "flash attention, blocks of 128 x 128",
    "selective scan",
    "causal convolution",
)
"""The rows that are shown if nothing else is asked."""

Times = Mapping[tuple[str, str, str], float | None]


def times(only: Sequence[str], without: Sequence[str], seconds: float) -> Times:
    """Modelled us by kernel, dtype and target."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, str(Path(__file__).with_name("codegen.py")), "--json", str(file)]
        command += ["--seconds", str(seconds), "--jobs", "1", "--only", *only]
        command += ["--without", *without] if without else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = json.loads(file.read_text(encoding="utf-8"))
    return {(row["kernel"], row["dtype"], row["target"]): row["modelled_us"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=ROWS, metavar="NAME", help="kernels whose name has one of these")
    parser.add_argument(
        "--without", nargs="+", default=list(CAPABILITIES), choices=list(CAPABILITIES), metavar="CAPABILITY"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="for compiling a kernel, and for running it")
    add_json(parser)
    options = parser.parse_args()
    whole = times(options.only, (), options.seconds)
    found = {name: times(options.only, CAPABILITIES[name], options.seconds) for name in options.without}
    rows: list[dict[str, Any]] = []
    for key, us in whole.items():
        row: dict[str, Any] = {"kernel": f"{key[0]}, {key[1]}, {key[2]}", "all, us": us}
        for name, without in found.items():
            other = without.get(key)
            row[f"no {name}"] = round(other / us, 2) if us and other else "-"
        rows.append(row)
    print(table(rows, ("kernel", "all, us", *(f"no {name}" for name in options.without))))
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
