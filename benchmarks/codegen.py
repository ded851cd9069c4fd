"""How good compiled kernels are: modelled time of plain Triton kernels against hand programs and what bounds them.

    python benchmarks/codegen.py [--json FILE] [--only NAME ...] [--small] [--seconds N]

A row's `ratio` is its modelled time over that of what its goal is set `to`: a hand program (benchmarks/expert), the
bound or the kernel of another row; `goal` is the largest ratio that is good enough. `percent` is the bound's share of
the modelled time. Hand programs run on the same model in the same run. Nothing is computed, the model's clock alone
runs; `--small` instead runs small sizes on random data and compares with NumPy.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from codegen_bounds import bound
from codegen_case import TO_BOUND, TO_HAND, Case, Data, Goal, Hand, Sizes
from codegen_cases import CASES, added
from reporting import add_json, table, write_json

from nki_mlir.executor import time_program
from nki_mlir.targets import load

TIMES = "kernel size dtype target modelled_us hand_us bound percent to ratio goal met compile_s note".split()
RESULTS = "kernel size dtype target modelled_us compile_s error tolerance right note".split()
HANDS = {goal.hand.name: goal.hand for case in CASES for goals in case.goals.values() for goal in goals if goal.hand}
COMPILING, RUNNING = "compiling", "running"
PROCESSES = multiprocessing.get_context("fork")

Row = dict[str, Any]
Report = Callable[..., None]


@dataclass(frozen=True)
class Measured:
    """Of one kernel on one target. What it did not come to is None, and `note` says why."""

    compile_s: float | None = None
    us: float | None = None
    error: float | None = None
    note: str = ""


def compiled_time(report: Report, number: int, target: str) -> None:
    case = CASES[number]
    launches = case.job(Data(wanted=False), *case.size).launches
    start = time.perf_counter()
    modules = [launch.compile(target).module("neuron.isa") for launch in launches]
    report(compile_s=time.perf_counter() - start)
    report(us=sum(time_program(module).modelled_us for module in modules))


def compiled_result(report: Report, number: int, target: str) -> None:
    case = CASES[number]
    job = case.job(Data(), *case.small)
    start = time.perf_counter()
    for launch in job.launches:
        launch.compile(target)
    report(compile_s=time.perf_counter() - start)
    us = sum(launch.run(target).modelled_us for launch in job.launches)
    report(us=us, error=job.error())


def hand_time(report: Report, name: str, target: str, size: Sizes) -> None:
    modules = [kernel.lower() for kernel in HANDS[name].make(target, *size)]
    report()
    report(us=sum(time_program(module).modelled_us for module in modules))


def warm_up() -> None:
    """Imports what compiling and running need; the processes of the rows start as copies of this one."""
    (launch,) = added(Data(), 128, 128).launches
    launch.run("trn1")


def _work(pipe: Connection, work: Callable[..., None], arguments: Sequence[Any]) -> None:
    """The other process: sends a dictionary at the end of each of two stages, or the error as text."""
    try:
        work(lambda **found: pipe.send(found), *arguments)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")


def measured(seconds: float, work: Callable[..., None], *arguments: Any) -> Measured:
    """Runs `work` in a process of its own, each stage for at most so many seconds."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_work, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    found: dict[str, Any] = {}
    try:
        for stage in (COMPILING, RUNNING):
            if not ours.poll(seconds):
                return Measured(**found, note=f"TimeoutError: {stage} takes more than {seconds:g} s")
            answer = ours.recv()
            if isinstance(answer, str):
                return Measured(**found, note=answer)
            found |= answer
        return Measured(**found)
    except EOFError:
        process.join()
        return Measured(**found, note=f"the process ended with exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()


def _rounded(number: float | None, digits: int) -> float | str:
    return "" if number is None else round(number, digits)


def _described(case: Case, target: str, size: Sizes, got: Measured) -> Row:
    found: Row = {"kernel": case.name, "size": " x ".join(map(str, size)), "dtype": case.dtype, "target": target}
    found |= {"modelled_us": _rounded(got.us, 1), "compile_s": _rounded(got.compile_s, 2)}
    return found


class Times:
    """The rows of full sizes; hand programs, which several rows share, run once."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.hands: dict[tuple[str, str, Sizes], Measured] = {}
        self.kernels: dict[tuple[str, str], Measured] = {}

    def hand(self, hand: Hand, target: str, size: Sizes) -> Measured:
        key = (hand.name, target, size)
        if key not in self.hands:
            self.hands[key] = measured(self.seconds, hand_time, *key)
        return self.hands[key]

    def measure(self, number: int, target: str) -> None:
        case = CASES[number]
        self.kernels[case.name + case.dtype, target] = measured(self.seconds, compiled_time, number, target)
        for goal in case.goals[target]:
            if goal.hand is not None:
                self.hand(goal.hand, target, case.size)

    def rows(self, number: int, target: str) -> Iterator[Row]:
        """One for each goal, of what was measured."""
        for goal in CASES[number].goals[target]:
            yield self.row(CASES[number], target, goal)

    def row(self, case: Case, target: str, goal: Goal) -> Row:
        got = self.kernels[case.name + case.dtype, target]
        hand = Measured() if goal.hand is None else self.hand(goal.hand, target, case.size)
        least = bound(case.job(Data(wanted=False), *case.size).work, load(target))
        other = self.kernels.get((goal.to + case.dtype, target), Measured())
        against = {TO_HAND: hand.us, TO_BOUND: least.us}.get(goal.to, other.us)
        ratio = got.us / against if got.us and against else None
        return _described(case, target, case.size, got) | {
            "hand_us": _rounded(hand.us, 1),
            "bound": least.by,
            "bound_us": round(least.us, 1),
            "percent": _rounded(100 * least.us / got.us if got.us else None, 1),
            "to": goal.hand.name if goal.to == TO_HAND and goal.hand else goal.to,
            "ratio": _rounded(ratio, 3),
            "goal": _rounded(goal.ratio, 3),
            "met": "" if ratio is None or goal.ratio is None else "yes" if ratio <= goal.ratio else "no",
            "note": "; ".join(filter(None, (got.note, hand.note and f"hand program: {hand.note}"))),
        }


def result_row(seconds: float, number: int, target: str) -> Row:
    """Of a small size, compared with NumPy."""
    case = CASES[number]
    got, tolerance = measured(seconds, compiled_result, number, target), case.job(Data(False), *case.small).tolerance
    right = got.error is not None and got.error <= tolerance
    found = {"error": "" if got.error is None else f"{got.error:.1e}", "tolerance": f"{tolerance:.1e}"}
    return _described(case, target, case.small, got) | found | {"right": "yes" if right else "no", "note": got.note}


def chosen(names: Sequence[str] | None) -> list[tuple[int, str]]:
    """Cases and targets; names are parts of kernels' names."""
    return [
        (number, target)
        for number, case in enumerate(CASES)
        for target in case.goals
        if names is None or any(name in case.name for name in names)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json(parser)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="kernels whose name has one of these in it")
    parser.add_argument("--small", action="store_true", help="small sizes on random data, compared with NumPy")
    parser.add_argument("--seconds", type=float, default=60.0, help="for compiling a kernel, and for running it")
    arguments = parser.parse_args()
    if not (which := chosen(arguments.only)):
        parser.error(f"no kernel's name has {' or '.join(arguments.only)} in it")
    warm_up()
    times, rows = Times(arguments.seconds), []
    for number, target in which:
        print(f"{CASES[number].name}, {CASES[number].dtype}, {target}", file=sys.stderr, flush=True)
        if arguments.small:
            rows.append(result_row(arguments.seconds, number, target))
        else:
            times.measure(number, target)
    if not arguments.small:
        rows = [row for number, target in which for row in times.rows(number, target)]
    print(table(rows, RESULTS if arguments.small else TIMES))
    write_json(arguments.json, rows)
    return int(arguments.small and any(row["right"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
