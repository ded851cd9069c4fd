"""How good compiled kernels are: modelled time of plain Triton kernels against hand programs and what bounds them.

    python benchmarks/codegen.py [--json FILE] [--only NAME ...] [--without PASS ...] [--small] [--seconds N] [--jobs N]

A row's `ratio` is its modelled time over that of what its goal is set `to`: a hand program (benchmarks/expert), the
bound or the kernel of another row; `goal` is the largest ratio that is good enough. `percent` is the bound's share of
the modelled time. `sbuf` and `psum` are bytes of each partition: used, and the least that is needed by what is alive at
a time. Hand programs run on the same model in the same run. Nothing is computed, the model's clock alone runs;
`--small` instead runs small sizes on random data and compares with NumPy. `--without` leaves passes out, all of which
but those that lower a level are optional: `ablation.py` shows what each is worth.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from codegen_bounds import bound
from codegen_case import TO_BOUND, TO_HAND, Case, Data, Goal, Hand, Sizes
from codegen_cases import CASES, added
from processes import Found, Key, Report, Task, run
from reporting import add_json, table, write_json
from xdsl.dialects.func import FuncOp

from nki_mlir.analysis.lifetimes import lifetimes, occupancy
from nki_mlir.compiled import CompiledKernel
from nki_mlir.dialects.access import Space
from nki_mlir.executor import time_program
from nki_mlir.passes import stages
from nki_mlir.targets import load

TIMES = "kernel size dtype target modelled_us hand_us bound percent to ratio goal met sbuf psum compile_s note".split()
RESULTS = "kernel size dtype target modelled_us compile_s error tolerance right note".split()
HANDS = {goal.hand.name: goal.hand for case in CASES for goals in case.goals.values() for goal in goals if goal.hand}
STAGES = ("compiling", "running")

Row = dict[str, Any]


def compiled_time(report: Report, number: int, target: str) -> None:
    case = CASES[number]
    launches = case.job(Data(wanted=False), *case.size).launches
    start = time.perf_counter()
    compiled = [launch.compile(target) for launch in launches]
    report(compile_s=time.perf_counter() - start)
    us = sum(time_program(one.module("neuron.isa")).modelled_us for one in compiled)
    report(us=us, **{space: occupied(compiled, space) for space in (Space.SBUF, Space.PSUM)})


def occupied(compiled: Sequence[CompiledKernel], space: Space) -> str:
    """Bytes of a partition of a memory that some kernels use, and the least that their buffers need: `used / least`, of
    the one that uses most."""
    funcs = [op for one in compiled for op in one.module("neuron.engine").ops if isinstance(op, FuncOp)]
    lives = [[life for life in lifetimes(func) if life.alloc.buffer.space is space] for func in funcs]
    found = max(map(occupancy, lives), key=lambda found: found.used)
    return f"{found.used} / {found.least}"


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


def kernel_key(case: Case, target: str) -> Key:
    return (case.name, case.dtype, target)


def hand_key(hand: Hand, target: str, size: Sizes) -> Key:
    return (f"by hand: {hand.name}", target, size)


def tasks_of(number: int, target: str, small: bool) -> Iterator[Task]:
    """The kernel of a case, and at its full size the hand programs of its goals."""
    case = CASES[number]
    work = compiled_result if small else compiled_time
    yield Task(kernel_key(case, target), work, (number, target), STAGES)
    for goal in case.goals[target]:
        if goal.hand is not None and not small:
            arguments = (goal.hand.name, target, case.size)
            yield Task(hand_key(goal.hand, target, case.size), hand_time, arguments, STAGES)


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


def _described(case: Case, target: str, size: Sizes, got: Found) -> Row:
    found: Row = {"kernel": case.name, "size": " x ".join(map(str, size)), "dtype": case.dtype, "target": target}
    us, compile_s = got.values.get("us"), got.values.get("compile_s")
    return {**found, "modelled_us": _rounded(us, 1), "compile_s": _rounded(compile_s, 2)}


def time_row(case: Case, target: str, goal: Goal, done: Mapping[Key, Found]) -> Row:
    """Of a goal at the full size; another row's kernel may not have been asked for."""
    got, hand, other = done[kernel_key(case, target)], Found({}), done.get((goal.to, case.dtype, target), Found({}))
    if goal.hand is not None:
        hand = done[hand_key(goal.hand, target, case.size)]
    us, hand_us = got.values.get("us"), hand.values.get("us")
    least = bound(case.job(Data(wanted=False), *case.size).work, load(target))
    against = {TO_HAND: hand_us, TO_BOUND: least.us}.get(goal.to, other.values.get("us"))
    ratio = us / against if us and against else None
    return _described(case, target, case.size, got) | {
        "hand_us": _rounded(hand_us, 1),
        "bound": least.by,
        "bound_us": round(least.us, 1),
        "percent": _rounded(100 * least.us / us if us else None, 1),
        "to": goal.hand.name if goal.to == TO_HAND and goal.hand else goal.to,
        "ratio": _rounded(ratio, 3),
        "goal": _rounded(goal.ratio, 3),
        "met": None if ratio is None or goal.ratio is None else "yes" if ratio <= goal.ratio else "no",
        "sbuf": got.values.get(Space.SBUF),
        "psum": got.values.get(Space.PSUM),
        "note": "; ".join(filter(None, (got.note, hand.note and f"hand program: {hand.note}"))),
    }


def result_row(case: Case, target: str, done: Mapping[Key, Found]) -> Row:
    """Of a small size, compared with NumPy."""
    got, tolerance = done[kernel_key(case, target)], case.job(Data(wanted=False), *case.small).tolerance
    error = got.values.get("error")
    return _described(case, target, case.small, got) | {
        "error": None if error is None else f"{error:.1e}",
        "tolerance": f"{tolerance:.1e}",
        "right": "yes" if error is not None and error <= tolerance else "no",
        "note": got.note,
    }


def chosen(names: Sequence[str] | None) -> list[tuple[int, str]]:
    """Cases and targets; names are parts of kernels' names."""
    return [
        (number, target)
        for number, case in enumerate(CASES)
        for target in case.goals
        if names is None or any(name.lower() in case.name.lower() for name in names)
    ]


def leave_out(names: Collection[str]) -> list[str]:
    """Leaves passes out of the lowering; gives the names that it doesn't have."""
    known = {name for stage in stages.STAGES.values() for name in stage.split(",")}
    for stage, passes in stages.STAGES.items():
        stages.STAGES[stage] = ",".join(name for name in passes.split(",") if name not in names)
    return [name for name in names if name not in known]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json(parser)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="kernels whose name has one of these in it")
    parser.add_argument("--without", nargs="+", default=[], metavar="PASS", help="passes to leave out")
    parser.add_argument("--small", action="store_true", help="small sizes on random data, compared with NumPy")
    parser.add_argument("--seconds", type=float, default=60.0, help="for compiling a kernel, and for running it")
    parser.add_argument("--jobs", type=int, default=2, help="kernels at a time")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error("--jobs is at least 1")
    if not (which := chosen(arguments.only)):
        parser.error(f"no kernel's name has {' or '.join(arguments.only)} in it")
    if unknown := leave_out(arguments.without):
        parser.error(f"the lowering has no pass {unknown[0]}")
    warm_up()
    tasks = [task for number, target in which for task in tasks_of(number, target, arguments.small)]
    done = run(tasks, arguments.seconds, arguments.jobs)
    rows: list[Row] = []
    for number, target in which:
        case = CASES[number]
        if arguments.small:
            rows.append(result_row(case, target, done))
        else:
            rows += [time_row(case, target, goal, done) for goal in case.goals[target]]
    print(table(rows, RESULTS if arguments.small else TIMES))
    write_json(arguments.json, rows)
    return int(arguments.small and any(row["right"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
