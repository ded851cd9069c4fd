"""Compile time, modelled time and busiest units of the four example kernels, and nki-opt's start-up beside xdsl-opt's.

python benchmarks/kernels.py [--json FILE]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from kernel_set import Make, compiled_kernels
from reporting import add_json, table, write_json


def measure(name: str, compile_: Make) -> dict[str, Any]:
    start = time.perf_counter()
    compiled, arguments, meta = compile_()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    result = compiled.run(*arguments, **meta)
    busiest = sorted(result.busy_us.items(), key=lambda item: -item[1])[:2]
    return {
        "kernel": name,
        "compile_s": round(seconds, 3),
        "execute_s": round(time.perf_counter() - start, 3),
        "modelled_us": round(result.modelled_us, 1),
        "instructions": result.instructions,
        "busiest": ", ".join(f"{unit} {100 * us / result.modelled_us:.0f}%" for unit, us in busiest),
    }


def start_up(tools: Sequence[str], runs: int = 11) -> dict[str, float]:
    """The median time of each tool on an empty module, in ms; the runs take turns, so that all see the same machine."""
    times: dict[str, list[float]] = {tool: [] for tool in tools}
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write("builtin.module {}\n")
        file.flush()
        for tool in [*tools, *list(tools) * runs]:  # the first run of each fills the caches
            start = time.perf_counter()
            subprocess.run([Path(sys.executable).with_name(tool), file.name], check=True, stdout=subprocess.DEVNULL)
            times[tool].append(time.perf_counter() - start)
    return {tool: round(1000 * median(found[1:]), 1) for tool, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_json(parser)
    arguments = parser.parse_args()
    kernels = compiled_kernels()
    measure("imports", compiled_kernels(small=True)["vector add, 5,000"])
    rows = [measure(name, compile_) for name, compile_ in kernels.items()]
    print(table(rows, tuple(rows[0])))
    tools = start_up(("nki-opt", "xdsl-opt"))
    for tool, ms in tools.items():
        print(f"{tool} on an empty module: {ms} ms")
    write_json(arguments.json, [*rows, *({"tool": tool, "start_up_ms": ms} for tool, ms in tools.items())])


if __name__ == "__main__":
    main()
