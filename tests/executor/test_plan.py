"""Runs without events: what they leave, say and take is what a run of events does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from engine_programs import Program, program
from executor.machine_code import program as machine_program
from executor.machine_code import sample
from executor.test_programs import add_arrays, matmul_arrays
from run_time_programs import run_time_program
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import RunResult, execute, period
from nki_mlir.executor.executable import Executable

Array = np.ndarray[Any, Any]


@cache
def lowered(made: Program) -> ModuleOp:
    return pipeline("multi-buffer{depth=2},allocate,engine-to-isa")(made.module)


def contents(arrays: list[Array]) -> bytes:
    return b"".join(a.tobytes() for a in arrays)


def other(arrays: list[Array], seed: int) -> list[Array]:
    """Puts other data into some arrays, which may overlap."""
    rng = np.random.default_rng(seed)
    for array in arrays:
        array[...] = rng.standard_normal(array.shape).astype(array.dtype)
    return arrays


# The first run: its time, its verdict and its data one after the other.


def assert_first_run(module: ModuleOp, arrays: Callable[[], list[Array]], **options: Any) -> str | None:
    """A first run leaves and says what one of events does; gives what both report."""
    wanted, got = arrays(), arrays()
    found: list[RunResult | None] = []
    said: list[str | None] = []
    for mode, given in (("events", wanted), ("plan", got)):
        try:
            found.append(Executable(module).run(given, mode=mode, **options))  # pyright: ignore[reportArgumentType]
            said.append(None)
        except ExecutionError as error:
            found.append(None)
            said.append(f"{error.kind}: {error}")
    assert said[0] == said[1]
    assert contents(got) == contents(wanted)
    events, first = found
    if events is not None and first is not None:
        assert first.recording.raises == events.recording.raises
        for one, other in zip(first.recording.units, events.recording.units, strict=True):
            assert (one.what, one.times, one.issues) == (other.what, other.times, other.issues)
        high = [(r.recording.sbuf_high_water, r.recording.psum_high_water) for r in (events, first)]
        assert high[0] == high[1]
    return said[0]


@pytest.mark.parametrize("seed", range(30))
def test_first_runs_of_random_programs(seed: int) -> None:
    """In normal and in perturbed time."""
    made = program(seed)
    for perturbed in (None, 1, 2):
        assert assert_first_run(lowered(made), made.arrays, seed=perturbed) is None


@pytest.mark.parametrize("checks", [True, False])
@pytest.mark.parametrize("seed", range(30, 36))
def test_first_runs_that_look_for_periods(seed: int, checks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(period, "_LONG", 0)
    monkeypatch.setattr(period, "_OFTEN", 0)
    assert assert_first_run(lowered(program(seed)), program(seed).arrays, checks=checks) is None


@pytest.mark.parametrize("checks", [True, False])
def test_a_long_run(checks: bool) -> None:
    """Too long for a plan: later runs find only their data anew."""
    text = """
neuron.isa.stream sync {
  neuron.isa.repeat 20001 {
    neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 256 * (i0 mod 2), [1 x 64], f32> src <hbm "x" at 4 * i0, [1 x 64], f32>
      wait <sem 2 reaches i0 - 1> update <sem i0 mod 2 add 16>
  }
}
neuron.isa.stream vector {
  neuron.isa.repeat 20001 {
    neuron.isa.event_semaphore wait <sem 3 reaches 16 * i0>
    neuron.isa.tensor_tensor op add dst <sbuf[0:1] at 512, [1 x 64], f32> data1 <sbuf[0:1] at 256 * (i0 mod 2), [1 x 64], f32>
      data2 <sbuf[0:1] at 256 * (i0 mod 2), [1 x 64], f32>
      wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16> update <sem 2 add 1>
  }
}
neuron.isa.stream scalar {
  neuron.isa.repeat 20001 {
    neuron.isa.event_semaphore wait <sem 2 reaches i0 + 1>
    neuron.isa.dma_copy queue 0 dst <hbm "y" at 256 * i0, [1 x 64], f32> src <sbuf[0:1] at 512, [1 x 64], f32>
      update <sem 3 add 16>
  }
}"""
    module = machine_program(text, "x: memref<20064xf32>; y: memref<20001x64xf32>")
    executable = Executable(module)
    for seed in (1, 2):
        x, y = other([np.zeros(20064, np.float32)], seed)[0], np.zeros((20001, 64), np.float32)
        result = executable.run([x, y], checks=checks)
        np.testing.assert_array_equal(y, 2 * np.lib.stride_tricks.sliding_window_view(x, 64))
        assert result.instructions == 5 * 20001
        assert result.recording.sbuf_high_water == 768
    assert not executable.plans


@pytest.mark.parametrize("seed", range(8))
def test_first_runs_that_depend_on_data(seed: int) -> None:
    made = run_time_program(seed)
    assert assert_first_run(lowered(made), made.arrays) is None


@pytest.mark.parametrize("name", ["wait", "update", "accumulate"])
@pytest.mark.parametrize("seed", range(10))
def test_first_runs_of_wrong_programs(seed: int, name: str) -> None:
    """Without one of its waits, updates or accumulate flags a program is reported in the same words."""
    made = program(seed)
    count = sum(name in op.properties for op in lowered(made).walk())
    for place in range(0, count, max(1, count // 4)):
        module = lowered(made).clone()
        wrong = [op for op in module.walk() if name in op.properties][place]
        del wrong.properties[name]
        assert_first_run(module, made.arrays)


def test_wrong_programs_are_reported() -> None:
    said = set[str]()
    for seed in range(6):
        module = lowered(program(seed)).clone()
        wrong = [op for op in module.walk() if "wait" in op.properties][::3]
        for op in wrong:
            del op.properties["wait"]
        said.add((assert_first_run(module, program(seed).arrays) or "nothing").split(":")[0])
    assert "race" in said


@pytest.mark.parametrize("name, arrays", [("add", add_arrays), ("matmul", matmul_arrays)])
def test_first_runs_of_samples(name: str, arrays: Callable[[], list[Array]]) -> None:
    assert assert_first_run(sample(name), arrays) is None
    assert assert_first_run(sample(name), arrays, uninitialised=(0,)) is not None


def test_arrays_that_a_wrong_program_has_changed() -> None:
    """What is read and written is as it was when the run of events begins that reports."""
    text = """
neuron.isa.stream sync {
  neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 64], f32> src <hbm "x" at 0, [1 x 64], f32>
    update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "x" at 0, [1 x 64], f32> src <sbuf[0:1] at 256, [1 x 64], f32>
    wait <sem 1 reaches 1> update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 64], f32> src <hbm "x" at 0, [1 x 64], f32>
    wait <sem 0 reaches 32> update <sem 0 add 16>
}
neuron.isa.stream scalar {
  neuron.isa.activation op square dst <sbuf[0:1] at 256, [1 x 64], f32> data <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 0 reaches 16> update <sem 1 add 1>
  neuron.isa.activation op sin dst <sbuf[0:1] at 512, [1 x 64], f32> data <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 0 reaches 48> update <sem 1 add 1>
}"""
    module = machine_program(text, "x: memref<64xf32>")
    for largest in (1.0, 1.7, 3.0):
        said = assert_first_run(module, lambda end=largest: [np.linspace(-end, end, 64, dtype=np.float32)])
        assert (said is not None and said.startswith("range")) == (largest > 1.75)


@pytest.mark.parametrize("wrong", ["an argument", "a place"])
def test_arrays_that_a_wrong_program_has_written(wrong: str) -> None:
    """What is written alone is as a run of events leaves it: what is on its way when it ends has not arrived."""
    store = """neuron.isa.dma_copy queue 0 dst <hbm "y" at {}, [1 x 64], f32> src <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 0 reaches 16> update <sem 1 add 16>"""
    sine = """neuron.isa.stream scalar {
  neuron.isa.activation op sin dst <sbuf[0:1] at 512, [1 x 64], f32> data <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 0 reaches 16>
}"""
    text = f"""
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 64], f32> src <hbm "x" at 0, [1 x 64], f32>
    update <sem 0 add 16>
  {store.format(0)}
  {store.format(256) if wrong == "a place" else ""}
}}
{sine if wrong == "an argument" else ""}"""
    module = machine_program(text, "x: memref<64xf32>; y: memref<64xf32>")
    arrays = [np.full(64, 9.0, np.float32), np.zeros(64, np.float32)]
    assert assert_first_run(module, lambda: [array.copy() for array in arrays]) is not None


# Later runs.


@pytest.mark.parametrize("checks", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_random_programs(seed: int, checks: bool) -> None:
    """With other data than the run that the plan was made from."""
    made = program(seed)
    module = lowered(made)
    executable = Executable(module)
    executable.run(made.arrays(), checks=checks)
    for data in (1, 2):
        wanted, got = other(made.arrays(), data), other(made.arrays(), data)
        result = execute(module, wanted, checks=checks)
        found = executable.run(got, checks=checks)
        assert contents(got) == contents(wanted)
        assert found.timeline == result.timeline
    assert executable.plans or not checks


def test_most_random_programs_have_a_plan_without_checks_too() -> None:
    planned = 0
    for seed in range(20):
        executable = Executable(lowered(program(seed)))
        for _ in range(2):
            executable.run(program(seed).arrays(), checks=False)
        planned += bool(executable.plans)
    assert planned >= 15


@pytest.mark.parametrize("seed", range(8))
def test_what_depends_on_data_runs_its_events(seed: int) -> None:
    made = run_time_program(seed)
    module = lowered(made)
    executable = Executable(module)
    for _ in range(3):
        wanted, got = made.arrays(), made.arrays()
        execute(module, wanted)
        executable.run(got)
        assert contents(got) == contents(wanted)
    loads = any(op.name == "neuron.isa.register_load" for op in module.walk())
    assert loads != bool(executable.plans)


# Kernels.


@nki_mlir.jit
def chosen_rows(x: Any, index: Any, out: Any, N: tl.constexpr) -> None:
    row = tl.load(index + tl.program_id(0))
    columns = tl.arange(0, N)
    tl.store(out + tl.program_id(0) * N + columns, tl.load(x + row * N + columns))


def test_rows_that_data_chooses() -> None:
    x, out = np.random.default_rng(0).standard_normal((8, 64), dtype=np.float32), np.zeros((4, 64), np.float32)
    for seed in range(4):
        index = np.random.default_rng(seed).integers(0, 8, 4, np.int32)
        chosen_rows[(4,)](x, index, out, N=64)
        np.testing.assert_array_equal(out, x[index])


@nki_mlir.jit
def doubled(x: Any, out: Any, N: tl.constexpr) -> None:
    at = tl.program_id(0) * N + tl.arange(0, N)
    tl.store(out + at, 2 * tl.load(x + at))


def run_doubled(x: Array, out: Array) -> RunResult:
    doubled[(4,)](x, out, N=64)
    assert doubled.last_run is not None
    return doubled.last_run


def test_later_runs_have_the_time_of_the_first() -> None:
    x, out = np.arange(256, dtype=np.float32), np.zeros(256, np.float32)
    first = run_doubled(x, out)
    assert all(run_doubled(x, out) == first for _ in range(3))
    compiled = doubled.compile(x, out, grid=(4,), N=64)
    events = compiled.run(x, out, mode="events")
    assert events.timeline == first.timeline
    assert events.recording is not first.recording
    assert compiled.run(x, out, seed=1).modelled_us != first.modelled_us


def test_no_array_is_kept() -> None:
    x, out = np.arange(256, dtype=np.float32), np.zeros(256, np.float32)
    for _ in range(3):
        given, result = x + 1, out.copy()
        run_doubled(given, result)
        np.testing.assert_array_equal(result, 2 * given)
        dead = [weakref.ref(given), weakref.ref(result)]
        del given, result
        gc.collect()
        assert [ref() for ref in dead] == [None, None]


def test_aliases_are_another_kind_of_run() -> None:
    """Shifted onto itself by a line, what is read first differs."""
    text = """
neuron.isa.stream sync {
  neuron.isa.dma_copy queue 0 dst <hbm "out" at 0, [1 x 64], f32> src <hbm "x" at 0, [1 x 64], f32>
    update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "out" at 256, [1 x 64], f32> src <hbm "x" at 256, [1 x 64], f32>
    wait <sem 0 reaches 16> update <sem 0 add 16>
}"""
    module = machine_program(text, "x: memref<128xf32>; out: memref<128xf32>")
    executable = Executable(module)
    for distance in (128, 64, 128, 64, 200, 64):
        whole = [np.arange(512, dtype=np.float32) for _ in range(2)]
        for memory, run in zip(whole, (executable.run, lambda arrays: execute(module, arrays)), strict=True):
            run([memory[:128], memory[distance : distance + 128]])
        np.testing.assert_array_equal(whole[0], whole[1])


def test_arguments_out_of_range_are_found() -> None:
    module = machine_program(
        """
neuron.isa.stream sync {
  neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 64], f32> src <hbm "x" at 0, [1 x 64], f32>
    update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "x" at 0, [1 x 64], f32> src <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 1 reaches 1> update <sem 0 add 16>
}
neuron.isa.stream scalar {
  neuron.isa.activation op sin dst <sbuf[0:1] at 0, [1 x 64], f32> data <sbuf[0:1] at 0, [1 x 64], f32>
    wait <sem 0 reaches 16> update <sem 1 add 1>
}""",
        "x: memref<64xf32>",
    )
    executable, small = Executable(module), np.linspace(-3, 3, 64, dtype=np.float32)
    for _ in range(2):
        executable.run([small.copy()])
    wrong = small.copy()
    wrong[5] = 9
    with pytest.raises(ExecutionError) as events:
        execute(module, [wrong.copy()])
    with pytest.raises(ExecutionError) as planned:
        executable.run([wrong.copy()])
    assert str(planned.value) == str(events.value)
    assert planned.value.kind == events.value.kind == "range"
    for _ in range(3):
        executable.run([got := wrong.copy()], checks=False)
        assert np.isnan(got[5])


def test_launches_that_look_alike() -> None:
    """A launch is known by all that its code depends on: types, shapes, values, defaults, globals, overlaps."""

    def run(n: Any, factor: Any, x: Array, out: Array, **meta: Any) -> Array:
        out[...] = -1
        scaled[lambda given: (given["n"],)](x, out, n, factor, **meta)
        return out.copy()

    x, out = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(run(2, 3, x, out), np.where(np.arange(64) < 32, 3 * x, -1))
        np.testing.assert_array_equal(run(4, 0.5, x, out), 0.5 * x)
        np.testing.assert_array_equal(run(4, True, x, out), x)
        np.testing.assert_array_equal(run(4, 1, x.astype(np.float16), out), x)
        np.testing.assert_array_equal(run(2, 1, x, out, B=32), x)
        scaled[(1,)](x[:32], x[8:40], 1, 1)
        np.testing.assert_array_equal(x[8:24], np.arange(16))
        x[...] = np.arange(64)
    frozen = out.copy()
    frozen.flags.writeable = False
    for _ in range(2):
        with pytest.raises(ExecutionError, match="'out' is an output, but it is read-only"):
            scaled[(4,)](x, frozen, 4, 3)


@nki_mlir.jit
def scaled(x: Any, out: Any, n: Any, factor: Any, B: tl.constexpr = 16) -> None:  # pyright: ignore[reportArgumentType]
    at = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(out + at, (tl.load(x + at) * factor).to(tl.float32))
