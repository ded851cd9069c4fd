"""What a profile says of partitions, contiguous runs, latency, and the resource that bounds a run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from executor.machine_code import program

from nki_mlir.executor import execute
from nki_mlir.executor.perfetto import trace_text
from nki_mlir.executor.profile import Profile
from nki_mlir.executor.recording import FREE, START
from nki_mlir.executor.usage import bound

TENSOR = "x: memref<128x512xf32> alias 1"


def profile(streams: dict[str, str], tensors: str = "") -> Profile:
    text = "\n".join(f"neuron.isa.stream {engine} {{ {body} }}" for engine, body in streams.items())
    arrays = [np.zeros((128, 512), np.float32)] if tensors else []
    return execute(program(text, tensors), arrays, checks=False).profile


def memset(partitions: int, columns: int, address: int = 0, rest: str = "") -> str:
    return f"neuron.isa.memset value 0.0 : f32 dst <sbuf[0:{partitions}] at {address}, [1 x {columns}], f32> {rest}\n"


def load(partitions: int, columns: int, queue: int = 0) -> str:
    """Rows of 512 elements."""
    src = f'<hbm "x" at 0, [512 x {partitions}, 1 x {columns}], f32>'
    return f"neuron.isa.dma_copy queue {queue} dst <sbuf[0:{partitions}] at 0, [1 x {columns}], f32> src {src}\n"


def test_partitions_are_weighed_by_time() -> None:
    found = profile({"vector": memset(64, 2048) + memset(16, 8) + memset(16, 8)})
    times = found.recording.units[0].columns()
    long, *short = (times[FREE] - times[START]).tolist()
    lanes = found["vector"].lanes
    assert lanes is not None and (lanes.least, lanes.most) == (16, 64)
    assert lanes.by == "memset"
    assert lanes.mean == pytest.approx((64 * long + 16 * sum(short)) / (long + sum(short))) and lanes.mean > 40
    text = found.summary()
    assert f"3 instructions on {lanes.mean:.0f} of 128 partitions" in text
    assert f"partitions in use: {lanes.mean:.1f} in the mean, 16 (memset) to 64" in text


def test_what_an_engine_only_triggers_is_no_work_of_its_partitions() -> None:
    found = profile({"sync": load(32, 512)}, TENSOR)
    lanes = found["dma sync q0"].lanes
    assert found["sync"].lanes is None and lanes is not None and (lanes.mean, lanes.least, lanes.most) == (32, 32, 32)


def test_the_shortest_contiguous_run() -> None:
    found = profile({"sync": load(64, 512) + load(64, 24) + load(128, 512, queue=1)}, TENSOR)
    runs = {name: found[name].run for name in ("dma sync q0", "dma sync q1")}
    assert {name: run.nbytes for name, run in runs.items() if run} == {"dma sync q0": 96, "dma sync q1": 2048}
    assert found.run is not None and found.run.nbytes == 96
    assert "shortest contiguous run 96 B, of dma_copy on dma sync q0" in found.summary()
    assert "runs of 96 B or more" in found.overview() and "runs of 2,048 B or more" in found.overview()
    assert profile({"vector": memset(1, 1)}).run is None


def test_a_step_of_two_makes_runs_of_one_element() -> None:
    dst, src = "<sbuf[0:8] at 0, [1 x 16], f32>", '<hbm "x" at 0, [512 x 8, 2 x 16], f32>'
    found = profile({"sync": f"neuron.isa.dma_copy queue 0 dst {dst} src {src}"}, TENSOR)
    assert found.run is not None and found.run.nbytes == 4


def test_a_wait_for_the_own_engine_is_latency() -> None:
    chain = memset(128, 8, rest="update <sem 0 add 1>") + memset(128, 8, rest="wait <sem 0 reaches 1>")
    found = profile({"vector": chain})
    (wait,) = found["vector"].waits
    assert (wait.latency, wait.setter, wait.semaphore) == (True, "vector", 0)
    assert wait.us == found["vector"].latency_us == found["vector"].waiting_us > 0
    assert f"{wait.us / found.modelled_us:.1%} latency, 0.0% waiting" in found.overview()
    assert "for the latency of its own pipeline: semaphore 0, set by vector (memset), 1 times" in found.summary()
    names = [e["name"] for e in json.loads(trace_text(found))["traceEvents"] if e.get("cat") == "latency"]
    assert names == ["latency sem 0"]


def test_a_wait_for_another_engine_is_none() -> None:
    other = profile(
        {
            "vector": memset(128, 8, rest="update <sem 0 add 1>"),
            "gpsimd": memset(128, 8, 64, rest="wait <sem 0 reaches 1>"),
        }
    )
    waits = other["gpsimd"].waits
    assert [wait.latency for wait in waits if wait.semaphore == 0] == [False] and other["gpsimd"].latency_us == 0
    assert "latency, " not in other.overview()


def test_slices_say_partitions_and_bytes() -> None:
    streams = f"neuron.isa.stream sync {{ {load(32, 512)} }} neuron.isa.stream vector {{ {memset(16, 8, 4096)} }}"
    result = execute(program(streams, TENSOR), [np.zeros((128, 512), np.float32)], checks=False)
    assert {(s.unit, s.partitions) for s in result.timeline} == {("sync", 32), ("dma sync q0", 32), ("vector", 16)}
    slices = [e for e in json.loads(trace_text(result.profile))["traceEvents"] if e["ph"] == "X"]
    found = {e["name"]: (e["args"].get("partitions"), e["args"].get("contiguous bytes")) for e in slices}
    assert found == {"dma_copy": ("32 of 128", "2048"), "memset": ("16 of 128", None)}


BOUNDS = [
    ({}, "none"),
    ({"vector": 0.4, "hbm": 0.3}, "latency"),
    ({"vector": 0.8, "dma sync q0": 0.7, "dma engines": 0.7, "hbm": 0.3}, "vector"),
    ({"vector": 0.1, "dma sync q0": 0.9, "dma engines": 0.2, "hbm": 0.1}, "dma sync q0"),
    ({"vector": 0.1, "dma sync q0": 0.9, "dma engines": 0.85, "hbm": 0.5}, "dma engines"),
    ({"dma sync q0": 0.9, "dma engines": 0.95, "hbm": 0.5}, "dma engines"),
    ({"dma sync q0": 0.9, "dma engines": 0.9, "hbm": 0.88}, "hbm"),
    ({"core 1 dma sync q0": 0.9, "core 1 dma engines": 0.85, "dma engines": 0.1, "hbm": 0.4}, "core 1 dma engines"),
    ({"core 1 dma sync q0": 0.9, "core 1 dma engines": 0.2, "dma engines": 0.9, "hbm": 0.4}, "core 1 dma sync q0"),
]


@pytest.mark.parametrize("shares, wanted", BOUNDS)
def test_what_bounds_a_run(shares: dict[str, float], wanted: str) -> None:
    assert bound(shares) == wanted


def test_bounds_of_programs() -> None:
    ready, done = "wait <sem {} reaches {} * i0 + {}>", "update <sem {} add 1>"
    turns = {
        "vector": memset(16, 1, rest=f"{ready.format(1, 1, 0)} {done.format(0)}"),
        "scalar": "neuron.isa.activation op copy dst <sbuf[0:16] at 64, [1 x 1], f32>"
        f" data <sbuf[0:16] at 0, [1 x 1], f32> {ready.format(0, 1, 1)} {done.format(1)}",
    }
    alternating = {engine: f"neuron.isa.repeat 20 {{ {body} }}" for engine, body in turns.items()}
    assert profile({"vector": memset(128, 8192) * 20, "scalar": ""}).bound == "vector"
    assert profile(alternating).bound == "latency"
    assert profile({"sync": load(128, 1) * 12}, TENSOR).bound == "dma sync q0"
    assert profile({"sync": load(128, 1) * 60}, TENSOR).bound == "dma sync q0"
    assert profile({"sync": load(128, 512) * 60}, TENSOR).bound == "dma engines"
    software = load(128, 1).replace("queue 0", 'queue 0 dge_mode "swdge"')
    assert profile({"gpsimd": software * 60}, TENSOR).bound == "gpsimd"
    whole = {"sync": (load(128, 512) + load(128, 512, 1)) * 20, "scalar": load(128, 512) * 20}
    assert profile(whole, TENSOR).bound == "dma engines"
    assert profile({"sync": ""}).bound == "none" and "bound by nothing" in profile({"sync": ""}).summary()
