"""How fast the executor is: programs written at neuron.engine against NumPy on the same arrays, checks on against off,
instructions per second on tiny tiles, and peak memory against the arrays' own size.

python benchmarks/executor.py [--only PROGRAM] [--repeat N] [--json FILE]
python benchmarks/executor.py --long [--instructions N] [--json FILE]: what long runs take for each instruction

Each figure is the best of some runs; a program and its NumPy version take turns, on the same threads. Results are
compared before anything is timed. Some machines preset OPENBLAS_CORETYPE, which can slow NumPy's BLAS down: run it as
`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/executor.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hand_written import Program, layernorm, matmul, stream, tiny
from reporting import add_json, table, write_json

PROGRAMS: dict[str, Callable[[], Program]] = {
    "matmul 2048 x 2048 x 2048, bf16": matmul,
    "layernorm 4096 x 4096, fp32": layernorm,
    "tiny tiles, 16 x 8": tiny,
}
LONG: dict[str, tuple[Callable[[int], Program], int]] = {
    "tiny tiles, 16 x 8": (tiny, 3),
    "one store in each iteration": (stream, 5),
}
"""Programs with the number of instructions in an iteration."""


def measure(name: str, repeat: int) -> dict[str, Any]:
    program = PROGRAMS[name]()
    result = program.run()
    wanted = program.numpy(*program.inputs)
    error = float(np.max(np.abs(program.output.astype(np.float32) - wanted)) / np.max(np.abs(wanted)))
    if not error <= program.tolerance:
        raise SystemExit(f"{name}: largest error {error:.2e}, tolerance {program.tolerance:.0e}")
    for checks in (True, True, False, False):
        program.run(checks)
    runs = (
        program.run,
        lambda: program.numpy(*program.inputs),
        lambda: program.run(checks=True),
        program.run_events,
        lambda: program.run_events(checks=True),
    )
    plain, reference, checked, events, events_checked = best(runs, repeat)
    return {
        "program": name,
        "instructions": result.instructions,
        "error": float(f"{error:.1e}"),
        "executor ms": round(1000 * plain, 1),
        "NumPy ms": round(1000 * reference, 1),
        "executor / NumPy": round(plain / reference, 2),
        "checks on / off": round(checked / plain, 2),
        "events ms": round(1000 * events, 1),
        "events, checks on / off": round(events_checked / events, 2),
        "events/s": round(result.instructions / events),
        "peak MB": round((peak := memory(name)) / 1e6),
        "peak / arrays": round(peak / sum(array.nbytes for array in program.arrays), 2),
    }


def best(runs: Sequence[Callable[[], object]], repeat: int) -> list[float]:
    """The shortest time of each, in turns."""
    times = [[] for _ in runs]
    for _ in range(repeat):
        for run, found in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return [min(found) for found in times]


def memory(name: str) -> int:
    """`peak`, in a process of its own. Linux."""
    found = subprocess.run([sys.executable, __file__, "--memory", name], check=True, capture_output=True, text=True)
    return int(found.stdout)


def peak(program: Program) -> int:
    """Bytes of the arrays, and what a run adds at its peak to what is there before."""
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    program.run()
    return _status("VmHWM") - before + sum(array.nbytes for array in program.arrays)


def _status(key: str) -> int:
    """Bytes, of a line of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def long_run(name: str, checks: bool, instructions: int) -> dict[str, Any]:
    """One run of about so many instructions, in a process of its own: time and peak memory, for each instruction."""
    command = [sys.executable, __file__, "--long-run", name, "--iterations", str(instructions // LONG[name][1])]
    found = subprocess.run([*command, *(["--checks"] if checks else [])], check=True, capture_output=True, text=True)
    executed, seconds, peak = found.stdout.split()
    return {
        "program": name,
        "checks": "on" if checks else "off",
        "instructions": int(executed),
        "s": round(float(seconds), 1),
        "instructions/s": round(int(executed) / float(seconds)),
        "peak MB": round(int(peak) / 1e6),
        "B/instruction": round(int(peak) / int(executed)),
    }


def run_long(name: str, iterations: int, checks: bool) -> None:
    """Prints instructions, seconds, and the bytes that the run adds at its peak."""
    program = LONG[name][0](iterations)
    before, start = _status("VmRSS"), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")
    result = program.run(checks)
    seconds = time.perf_counter() - start
    print(result.instructions, seconds, _status("VmHWM") - before)


def blas() -> str:
    try:
        import threadpoolctl
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    found = [
        f"{i['internal_api']} {i.get('architecture')}, {i['num_threads']} threads"
        for i in threadpoolctl.threadpool_info()
    ]
    return "; ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PROGRAM", default="", help="those whose name begins with this")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of which the best counts")
    parser.add_argument("--long", action="store_true", help="time and memory of long runs, checks on and off")
    parser.add_argument("--instructions", type=int, default=1_000_000, metavar="N", help="of a long run")
    parser.add_argument("--long-run", help=argparse.SUPPRESS)
    parser.add_argument("--iterations", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--checks", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    add_json(parser)
    arguments = parser.parse_args()
    if arguments.memory:
        print(peak(PROGRAMS[arguments.memory]()))
        return
    if arguments.long_run:
        run_long(arguments.long_run, arguments.iterations, arguments.checks)
        return
    if arguments.long:
        rows = [long_run(name, checks, arguments.instructions) for name in LONG for checks in (False, True)]
        print(table(rows, tuple(rows[0])))
        write_json(arguments.json, rows)
        return
    rows = [measure(name, arguments.repeat) for name in PROGRAMS if name.startswith(arguments.only)]
    print(table(rows, tuple(rows[0])))
    print(f"NumPy {np.__version__}, BLAS: {blas()}")
    write_json(arguments.json, rows)


if __name__ == "__main__":
    main()
