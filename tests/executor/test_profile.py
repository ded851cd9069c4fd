"""Profiles add up, name what was waited for, and become traces that a viewer can read."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from executor import machine_code
from executor.machine_code import program
from executor.test_programs import add_arrays, gather_arrays, matmul_arrays, random
from hypothesis import given
from hypothesis import strategies as st
from sample_programs import arrays, isa_module
from samples import Sample
from test_instruction_table import ISA, every_sample
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.costs.transfers import full_rate
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.dialects.neuron_isa import CoreOp, ProgramOp, StreamOp
from nki_mlir.executor import RunResult, execute
from nki_mlir.executor.perfetto import trace_text
from nki_mlir.executor.profile import Profile
from nki_mlir.executor.timing import Intervals
from nki_mlir.targets import load

SEEDS = (None, 1, 2)
RUNS = ("add", "matmul", "gather", "two_cores", "empty")


def ran(name: str, seed: int | None = None) -> RunResult:
    match name:
        case "add":
            return execute(machine_code.sample(name), add_arrays(), seed=seed)
        case "matmul":
            return execute(machine_code.sample(name), matmul_arrays(), seed=seed)
        case "gather":
            return execute(machine_code.sample(name), gather_arrays(5), seed=seed)
        case "two_cores":
            return execute(machine_code.sample(name), [random(512, 64), np.zeros((512, 64), np.float32)], seed=seed)
        case _:
            return execute(ModuleOp([ProgramOp("a", [CoreOp(0, [StreamOp(Engine.SYNC, [])])])]), [], seed=seed)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), max_size=8), st.integers(0, 40), st.integers(0, 15))
def test_intervals(spans: list[tuple[int, int]], start: int, length: int) -> None:
    """Against sets of whole numbers."""
    covered = {t for s, n in spans for t in range(s, s + n)}
    starts, ends = np.array([s for s, _ in spans], float), np.array([s + n for s, n in spans], float)
    union, end = Intervals(starts, ends), start + length
    assert union.total == pytest.approx(len(covered))
    left = union.left_over(np.array([float(start)]), np.array([float(end)]))
    assert left.tolist() == [pytest.approx(len(set(range(start, end)) - covered))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RUNS)
def test_times_add_up(name: str, seed: int | None) -> None:
    result = ran(name, seed)
    for unit in result.profile.units:
        assert min(unit.busy_us, unit.waiting_us, unit.idle_us) >= 0
        assert unit.busy_us + unit.waiting_us + unit.idle_us == pytest.approx(result.modelled_us)
        assert sum(wait.us for wait in unit.waits) == pytest.approx(unit.waiting_us)


def test_waits_name_semaphore_and_setter() -> None:
    """Vector comes at 0 and goes on when Scalar's event, at 9 to 18 ns, has woken it: 48 ns."""
    streams = """
    neuron.isa.stream scalar {
      neuron.isa.event_semaphore update <sem 4 add 1>
      neuron.isa.event_semaphore update <sem 5 add 1>
    }
    neuron.isa.stream vector {
      neuron.isa.event_semaphore wait <sem 5 reaches 1>
      neuron.isa.event_semaphore wait <sem 4 reaches 1>
    }
    """
    profile = execute(program(streams), []).profile
    (wait,) = profile["vector"].waits
    assert (wait.semaphore, wait.setter, wait.by, wait.count) == (5, "scalar", "event_semaphore", 1)
    assert wait.us == pytest.approx(0.048)
    assert profile["vector"].busy_us == pytest.approx(0.018)
    assert profile["scalar"].waits == () and profile["scalar"].idle_us == pytest.approx(0.048)


def test_counts_bytes_and_flops() -> None:
    """matmul.mlir: 2 x 2 blocks of 128 x 512 and 4 steps of 128 along K, bf16 in and fp32 out."""
    profile = Profile((result := ran("matmul")).recording)
    assert profile is not result.profile
    assert profile["tensor"].instructions == {"load_stationary": 16, "multiply_moving": 16, "event_semaphore": 4}
    assert (profile.instructions, profile.text_instructions) == (80, 8)
    a, b, c = 16 * 128 * 128 * 2, 16 * 128 * 512 * 2, 4 * 128 * 512 * 4
    assert profile["dma sync q0"].nbytes == {"hbm to sbuf": a}
    assert profile["dma gpsimd q0"].nbytes == {"sbuf to hbm": c}
    assert profile.hbm_bytes == (a + b, c)
    assert profile.flops == 2 * 256 * 512 * 1024
    us = result.modelled_us
    assert profile.peak_tflops == pytest.approx(2 * 128 * 128 * 2.8e9 / 1e12)
    assert profile.mfu == pytest.approx(profile.flops / (us * 1e-6) / (2 * 128 * 128 * 2.8e9))
    assert profile.tensor_utilisation == pytest.approx(result.busy_us["tensor"] / us)
    assert profile.hbm_bytes_per_ns == pytest.approx((a + b + c) / us / 1000)
    assert profile.hbm_utilisation == pytest.approx(profile.hbm_bytes_per_ns / full_rate(load("trn1")))
    assert profile.intensity == pytest.approx(profile.flops / (a + b + c))
    assert profile.roof == "hbm" and profile.intensity < profile.ridge
    assert profile.roof_tflops == pytest.approx(profile.intensity * full_rate(load("trn1")) / 1000)


def test_nothing_exceeds_its_peak() -> None:
    """A transfer within HBM reads and writes it at once, as fast as the memory allows."""
    copy = 'dma_copy queue 0 dst <hbm "x" at 2097152, [1 x 2097152], ui8> src <hbm "x" at 0, [1 x 2097152], ui8>'
    for target, rate in (("trn1", 410), ("trn2", 716)):
        module = program(f"neuron.isa.stream sync {{ neuron.isa.{copy} }}", "x: memref<4194304xui8>", target)
        profile = execute(module, [np.zeros(4194304, np.uint8)], checks=False).profile
        assert profile.hbm_peak_bytes_per_ns == rate and 0.5 < profile.hbm_utilisation <= 1


def test_two_cores_have_two_peaks() -> None:
    profile = ran("two_cores").profile
    assert (profile.cores, profile.hbm_peak_bytes_per_ns) == (2, full_rate(load("trn1"), 2))


def test_summary() -> None:
    text = ran("matmul").profile.summary()
    for expected in (
        "80 instructions, 8 in the text",
        "SBUF 8,192 B of 180,224 (5%), PSUM 4,096 B of 16,384 (25%)",
        "HBM: 2.621 MB read, 1.049 MB written;",
        "0.2684 GFLOP",
        "of the bf16 peak of 91.8",
        "HBM is the roof",
        "for semaphore 4, set by tensor (multiply_moving at matmul.py:22)",
        "16 load_stationary, 16 multiply_moving",
    ):
        assert expected in text
    assert "matmuls: none" in ran("add").profile.summary()
    assert ran("empty").profile.summary()


@every_sample
def test_every_instruction_has_its_place(sample: Sample) -> None:
    """Transfers with bytes and a direction, slices with the operands' addresses."""
    if ISA not in BY_NAME[sample.name].levels:
        return
    result = execute(isa_module(sample, sample.target), arrays(sample))
    for unit in result.profile.units:
        assert unit.busy_us + unit.waiting_us + unit.idle_us == pytest.approx(result.modelled_us)
        assert ("dma " in unit.name) == bool(unit.nbytes)
    events = json.loads(trace_text(result.profile))["traceEvents"]
    operands = {name for name, value in sample.operands.items() if isinstance(value, Access)}
    assert any(e["name"] == sample.name and operands <= set(e["args"]) for e in events if e["ph"] == "X")


# Traces.


def trace(result: RunResult, path: Path) -> dict[str, Any]:
    result.profile.to_perfetto(path)
    return json.loads(path.read_text(encoding="utf-8"))


REQUIRED = {
    "M": {"name", "pid", "args"},
    "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
    "C": {"name", "pid", "ts", "args"},
    "s": {"name", "cat", "id", "pid", "tid", "ts"},
    "f": {"name", "cat", "id", "bp", "pid", "tid", "ts"},
}
"""Members of each kind of event, by the trace-event format."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RUNS)
def test_structure_of_traces(name: str, seed: int | None, tmp_path: Path) -> None:
    found = trace(ran(name, seed), tmp_path / "trace.json")
    events = found["traceEvents"]
    assert found["displayTimeUnit"] == "ns"
    for event in events:
        assert set(event) - {"ph"} >= REQUIRED[event["ph"]]
    timed = [e for e in events if e["ph"] != "M"]
    assert events[: len(events) - len(timed)] == [e for e in events if e["ph"] == "M"]
    assert all(a["ts"] <= b["ts"] for a, b in pairwise(timed))
    assert all(e["ts"] >= 0 for e in timed)
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for e in events:
        if e["ph"] == "X":
            assert e["dur"] > 0
            rows.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
    assert set(rows) <= named
    for slices in rows.values():
        assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(slices)), "slices of a row overlap"
    check_flows(events, rows)


def check_flows(events: list[dict[str, Any]], rows: dict[tuple[int, int], list[tuple[float, float]]]) -> None:
    """Each arrow has a start and an end, in this order, both within a slice."""
    ends = {ph: {e["id"]: e for e in events if e["ph"] == ph} for ph in "sf"}
    assert set(ends["s"]) == set(ends["f"])
    assert len(ends["s"]) + len(ends["f"]) == sum(e["ph"] in "sf" for e in events)
    for id_, start in ends["s"].items():
        end = ends["f"][id_]
        assert start["ts"] <= end["ts"] and start["name"] == end["name"] and end["bp"] == "e"
        for e in (start, end):
            assert any(a <= e["ts"] < b for a, b in rows[e["pid"], e["tid"]])


def test_what_a_trace_shows(tmp_path: Path) -> None:
    events = trace(ran("matmul"), tmp_path / "trace.json")["traceEvents"]
    threads = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert {"tensor", "tensor weights", "scalar", "sync", "dma sync q0", "dma sync q1"} <= set(threads.values())
    multiply = [e for e in events if e["name"] == "multiply_moving"]
    assert len(multiply) == 16 and {threads[e["tid"]] for e in multiply} == {"tensor"}
    first, second = multiply[0]["args"], multiply[1]["args"]
    assert first["source"] == "matmul.py:22"
    assert first["moving"] == "sbuf[0:128] at 1024, [1 x 512], bf16"
    assert second["moving"] == "sbuf[0:128] at 2048, [1 x 512], bf16"
    waits = [e for e in events if e["name"] == "wait sem 4" and threads[e["tid"]] == "scalar"]
    assert [e["args"]["set by"].split(" #")[0] for e in waits] == ["tensor: multiply_moving"] * 4
    arrows = {e["id"]: threads[e["tid"]] for e in events if e["ph"] == "s"}
    into_scalar = {arrows[e["id"]] for e in events if e["ph"] == "f" and threads[e["tid"]] == "scalar"}
    assert into_scalar == {"tensor", "dma gpsimd q0"}
    counters = {e["name"] for e in events if e["ph"] == "C"}
    assert counters == {"HBM B/ns", "Tensor busy %"}


def test_counters_integrate_to_the_totals(tmp_path: Path) -> None:
    result = ran("matmul")
    events = trace(result, tmp_path / "trace.json")["traceEvents"]
    values = [e["args"]["value"] for e in events if e["ph"] == "C" and e["name"] == "HBM B/ns"]
    moved = np.mean(values) * result.modelled_us * 1000
    assert moved == pytest.approx(sum(result.profile.hbm_bytes), rel=1e-4)


def test_cores_are_processes(tmp_path: Path) -> None:
    events = trace(ran("two_cores"), tmp_path / "trace.json")["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert names == {1: "core 0", 2: "core 1"}
    assert {e["pid"] for e in events if e["ph"] == "X"} == {1, 2}
