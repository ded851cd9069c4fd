"""The benchmark of compiled kernels: its kernels and its hand programs are right, its bounds are bounds, and its table
has all rows."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ablation import CAPABILITIES
from codegen_bounds import DMA, PSUM_PORT, TENSOR, Work, bound, bounds
from codegen_case import Data
from codegen_cases import CASES

from nki_mlir.executor import execute
from nki_mlir.passes.stages import STAGES
from nki_mlir.targets import load

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, str(ROOT / "benchmarks" / "codegen.py")]
HANDS = {
    "vector add": (128 * 8192,),
    "softmax": (640, 320),
    "layernorm fp32": (512, 4096),
    "layernorm bf16": (640, 4096),
    "matmul, A K-major": (1024, 1024, 512),
    "matmul, DMA transposes": (1024, 1024, 512),
    "matmul, Tensor transposes": (1536, 1024, 512),
    "matmul with GELU": (1024, 1024, 512),
    "attention, three programs": (1024,),
    "attention, online": (2048,),
    "attention, maximum first": (1024,),
    "attention, causal, maximum first": (1024,),
    "selective scan": (256, 512, 16),
    "RMSNorm + matmul": (1024, 1024, 512),
    "cross-entropy": (256, 8000),
    "batched matmul, K = 64": (8, 512, 512, 64),
    "causal convolution": (512, 4096, 4),
    "transpose": (512, 1024),
}
"""The sizes at which each hand program is compared with NumPy."""


def run(tmp_path: Path, *options: str) -> tuple[list[dict[str, Any]], str]:
    """The rows and what is printed."""
    out = tmp_path / "rows.json"
    done = subprocess.run([*COMMAND, "--json", str(out), *options], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text()), done.stdout


def test_every_kernel_is_right_at_a_small_size(tmp_path: Path) -> None:
    rows, printed = run(tmp_path, "--small")
    assert [row for row in rows if row["right"] != "yes"] == []
    assert [(row["kernel"], row["dtype"], row["target"]) for row in rows] == [
        (case.name, case.dtype, target) for case in CASES for target in case.goals
    ]
    assert all(row["kernel"] in printed for row in rows)
    assert all(row["modelled_us"] > 0 and row["compile_s"] > 0 for row in rows)


def test_a_row_of_the_full_size(tmp_path: Path) -> None:
    """All columns, the hand program in the same run, one row for each goal."""
    rows, printed = run(tmp_path, "--only", "softmax, a row")
    (row,) = rows
    assert (row["kernel"], row["size"], row["target"]) == ("softmax, a row a program", "4096 x 4096", "trn1")
    assert row["bound"] == DMA and row["to"] == "softmax" and row["note"] == ""
    assert row["percent"] == pytest.approx(100 * row["bound_us"] / row["modelled_us"], abs=0.1)
    assert row["ratio"] == pytest.approx(row["modelled_us"] / row["hand_us"], abs=0.002)
    assert row["met"] == ("yes" if row["ratio"] <= row["goal"] else "no")
    assert row["bound_us"] <= row["hand_us"]
    used, least = (int(part) for part in row["sbuf"].split(" / "))
    assert 3 * 4096 * 4 <= least <= used < 180_224 and row["psum"] == "0 / 0"
    assert "modelled_us" in printed


def test_ablation(tmp_path: Path) -> None:
    """Without two slots for a tile, loads wait for stores."""
    out = tmp_path / "rows.json"
    script = str(ROOT / "benchmarks" / "ablation.py")
    options = ["--only", "vector add, blocks of 65,536", "--without", "rotation", "scans", "--json", str(out)]
    subprocess.run([sys.executable, script, *options], check=True, capture_output=True, timeout=600)
    (row,) = json.loads(out.read_text())
    assert row["no rotation"] > 1.3
    assert row["no scans"] == 1


def test_passes_to_leave_out_exist() -> None:
    done = subprocess.run([*COMMAND, "--without", "no-such-pass"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert "the lowering has no pass no-such-pass" in done.stderr


def test_every_capability_can_be_left_out() -> None:
    known = {name for stage in STAGES.values() for name in stage.split(",")}
    assert {name for passes in CAPABILITIES.values() for name in passes} <= known


def test_what_takes_too_long_is_a_row(tmp_path: Path) -> None:
    rows, _ = run(tmp_path, "--only", "GELU", "--seconds", "0.01")
    (row,) = rows
    assert row["modelled_us"] is row["hand_us"] is row["met"] is None
    takes = "TimeoutError: compiling takes more than 0.01 s"
    assert row["note"] == f"{takes}; hand program: {takes}"


PIECES = """
import os, time
from processes import Task, run

def fine(report, x):
    report(a=x)
    report(b=x + 1)

def wrong(report):
    report(a=1)
    raise ValueError("no\\nmore")

def dead(report):
    os._exit(3)

def slow(report):
    report(a=1)
    time.sleep(600)

pieces = ((fine, (2,)), (wrong, ()), (dead, ()), (slow, ()))
tasks = [Task((work.__name__,), work, arguments, ("first", "second")) for work, arguments in pieces]
print({key[0]: (found.values, found.note) for key, found in run(tasks, 2, 3).items()})
"""


def test_whatever_happens_to_a_piece_of_work_is_noted() -> None:
    """In a process that has no threads yet, from which others can be made."""
    benchmarks = str(ROOT / "benchmarks")
    done = subprocess.run([sys.executable, "-c", PIECES], capture_output=True, text=True, timeout=60, cwd=benchmarks)
    assert ast.literal_eval(done.stdout) == {
        "fine": ({"a": 2, "b": 3}, ""),
        "wrong": ({"a": 1}, "ValueError: no"),
        "dead": ({}, "the process ended with exit code 3"),
        "slow": ({"a": 1}, "TimeoutError: second takes more than 2 s"),
    }


def test_unknown_names_are_an_error() -> None:
    done = subprocess.run([*COMMAND, "--only", "no such kernel"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no kernel's name has no such kernel in it" in done.stderr


@pytest.mark.parametrize("name", HANDS)
def test_hand_programs_are_right(name: str) -> None:
    """On the data of a row that has this program, with all checks."""
    case, target, goal = next(
        (case, target, goal)
        for case in CASES
        for target, goals in case.goals.items()
        for goal in goals
        if goal.hand is not None and goal.hand.name == name
    )
    assert goal.hand is not None
    job = case.job(Data(), *HANDS[name])
    for kernel in goal.hand.make(target, *HANDS[name]):
        execute(kernel.lower(), [job.arrays[tensor] for tensor in kernel.names])
    assert job.error() <= max(job.tolerance, 1e-5)


def test_every_hand_program_is_tested() -> None:
    found = {goal.hand.name for case in CASES for goals in case.goals.values() for goal in goals if goal.hand}
    assert found == set(HANDS)


def test_bounds() -> None:
    """By hand from the target's figures."""
    trn1, trn2 = load("trn1"), load("trn2")
    (dma, tensor) = bounds(Work(loads=1 << 20, stores=1 << 20, products=2048**3), trn1)
    ns = (2 << 20) / (16 * 4096) * (4096 / 20.2 + 18)
    assert (dma.by, tensor.by) == (DMA, TENSOR)
    assert dma.us == pytest.approx(ns / 1000)
    assert tensor.us == pytest.approx(2048**3 / 128**2 / (0.875 * 2.8) / 1000)
    work = Work(elements={"scalar": 1400, "vector": 1120}, from_psum=True)
    assert bound(work, trn1).by == PSUM_PORT and bound(work, trn1).us == pytest.approx(2)
    assert PSUM_PORT not in {one.by for one in bounds(work, trn2)}
    assert bound(Work(elements={"scalar": 10, "vector": 1000}), trn2).by == "vector"
