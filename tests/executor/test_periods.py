"""Time of repeats in closed form: what a run writes down is, to the last bit, what its events write down."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from engine_programs import program as engine_program
from executor.machine_code import cores, program, sample
from xdsl.dialects.builtin import IntegerAttr, ModuleOp

from nki_mlir import pipeline
from nki_mlir.dialects.neuron_isa import RepeatOp, StreamOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import RunResult, period, time_program
from nki_mlir.executor.binding import empty
from nki_mlir.executor.load import load
from nki_mlir.executor.program import MicroOp
from nki_mlir.executor.run import program_of
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation

TARGETS = ("trn1", "trn2", "trn3")


def longer(module: ModuleOp, factor: int) -> ModuleOp:
    """The outermost repeats of a program go round so many times more."""
    found = module.clone()
    for op in found.walk():
        if isinstance(op, RepeatOp) and isinstance(op.parent_op(), StreamOp):
            op.properties["count"] = IntegerAttr(factor * op.count.value.data, op.count.type)
    return found


def run(module: ModuleOp, **options: int) -> RunResult | str:
    try:
        return time_program(module, **options)
    except ExecutionError as error:
        return str(error)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a program with and without periods, which must not differ; gives how many periods were left out."""
    left_out: list[int] = []
    write = period.Periods._write

    def counted(self: period.Periods, found: period._Period, count: int) -> None:
        left_out.append(count)
        write(self, found, count)

    monkeypatch.setattr(period.Periods, "_write", counted)
    monkeypatch.setattr(period, "_OFTEN", 0)

    def both(module: ModuleOp, **options: int) -> int:
        left_out.clear()
        monkeypatch.setattr(period, "_LONG", 0)
        found = run(module, **options)
        count = sum(left_out)
        monkeypatch.setattr(period, "_LONG", 1 << 62)
        wanted = run(module, **options)
        assert sum(left_out) == count
        assert_same(found, wanted)
        return count

    return both


def assert_same(found: RunResult | str, wanted: RunResult | str) -> None:
    if isinstance(found, str) or isinstance(wanted, str):
        assert found == wanted
        return
    for unit, other in zip(found.recording.units, wanted.recording.units, strict=True):
        assert (unit.name, unit.what, unit.issues, unit.times) == (other.name, other.what, other.issues, other.times)
        for place in range(6):
            np.testing.assert_array_equal(unit.column(place), other.column(place))
    assert found.recording.raises == wanted.recording.raises
    assert found.profile.units == wanted.profile.units


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed: int, depth: int, compared: Callable[..., int]) -> None:
    module = pipeline(f"multi-buffer{{depth={depth}}},allocate,engine-to-isa")(engine_program(seed).module)
    compared(module)
    compared(longer(module, 15))


def test_random_programs_have_periods(compared: Callable[..., int]) -> None:
    lowered = pipeline("multi-buffer{depth=2},allocate,engine-to-isa")
    assert sum(compared(longer(lowered(engine_program(seed).module), 15)) > 5 for seed in range(12)) >= 3


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["add", "matmul"])
def test_samples(name: str, target: str, compared: Callable[..., int]) -> None:
    """On trn2 and trn3 the array is cold at first."""
    module = longer(sample(name), 50)
    module.attributes["neuron.target"] = type(module.attributes["neuron.target"])(target)  # pyright: ignore
    assert compared(module) > 50


def turns(count: int, tail: str = "") -> str:
    """Vector and Scalar take turns; Sync loads what Vector reads; GpSimd waits for all of it, which comes later."""
    tile = "<sbuf[0:128] at {}, [1 x 64], f32>"
    return f"""
neuron.isa.stream sync {{
  neuron.isa.repeat {count} {{
    neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 256 * (i0 mod 3), [1 x 64], f32> src <hbm "x" at 0, [64 x 128, 1 x 64], f32>
      wait <sem 3 reaches i0 - 2> update <sem i0 mod 3 add 16>
  }}
}}
neuron.isa.stream vector {{
  neuron.isa.repeat {count} {{
    neuron.isa.event_semaphore wait <sem 4 reaches i0>
    neuron.isa.tensor_copy dst {tile.format(4096)} src <sbuf[0:128] at 256 * (i0 mod 3), [1 x 64], f32>
      wait <sem i0 mod 3 reaches 16 * (i0 floordiv 3) + 16> update <sem 3 add 1>
  }}
}}
neuron.isa.stream scalar {{
  neuron.isa.repeat {count} {{
    neuron.isa.activation op copy dst {tile.format(8192)} data {tile.format(4096)} wait <sem 3 reaches i0 + 1> update <sem 4 add 1>
  }}
}}
neuron.isa.stream gpsimd {{
  neuron.isa.memset value 0.0 : f32 dst {tile.format(12288)} wait <sem 4 reaches {count}>
}}
{tail}"""


def other(streams: str) -> str:
    """The same on core 1."""
    return streams.replace("<sbuf", "<core 1 sbuf")


X = "x: memref<128x64xf32>"


def test_who_waits_for_the_end_is_no_part_of_a_period(compared: Callable[..., int]) -> None:
    count = 500
    assert compared(program(turns(count), X)) > (count - 100) / 3
    result = time_program(program(turns(count), X))
    (last,) = [s for s in result.timeline if s.unit == "gpsimd"]
    assert last.wait_ns > 0.95 * result.modelled_us * 1000


def test_two_cores(compared: Callable[..., int]) -> None:
    assert compared(cores((turns(300), other(turns(300))), X)) > 50
    assert compared(cores((turns(300), other(turns(200))), X)) > 50
    assert compared(longer(sample("two_cores"), 50)) > 50


def test_the_limit_and_deadlocks_are_reported_as_ever(compared: Callable[..., int]) -> None:
    assert compared(program(turns(300), X), max_instructions=800) == 0
    stuck = "neuron.isa.stream tensor { neuron.isa.event_semaphore wait <sem 4 reaches 400> }"
    assert compared(program(turns(300, stuck), X)) > 50
    assert "deadlock" in str(run(program(turns(300, stuck), X)))


def test_a_loop_that_changes_goes_on_by_events(compared: Callable[..., int]) -> None:
    """The addresses choose other banks; what is waited for falls behind what there is, and catches up."""
    vector = "neuron.isa.tensor_copy dst <sbuf[0:128] at 0, [1 x 64], f32> src <psum[0:128] at {}, [1 x 64], f32>"
    banks = f"""neuron.isa.stream vector {{ neuron.isa.repeat 400 {{
      {vector.format("2048 * (i0 floordiv 100)")} }} }}
    neuron.isa.stream tensor {{ neuron.isa.repeat 400 {{
      neuron.isa.nc_transpose dst <psum[0:64] at 4096, [1 x 128], bf16> data <sbuf[0:128] at 0, [1 x 64], bf16> }} }}"""
    for target in TARGETS:
        compared(program(banks, X, target))
    steps = """neuron.isa.stream vector {{ neuron.isa.repeat 400 {{
      neuron.isa.event_semaphore update <sem 0 add 2> }} }}
    neuron.isa.stream scalar {{ neuron.isa.repeat 400 {{
      neuron.isa.event_semaphore wait <sem 0 reaches i0 + {}> }} }}"""
    assert compared(program(steps.format("200 * (i0 floordiv 200)"), X)) > 50


def test_a_run_with_a_seed_is_one_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(period, "Periods", partial(pytest.fail, "no period holds"))
    time_program(program(turns(500), X), seed=1)


def test_registers_and_exchanges_are_left_to_events(compared: Callable[..., int]) -> None:
    moves = "neuron.isa.stream vector { neuron.isa.repeat 500 { neuron.isa.register_move dst 0 src <i0> } }"
    assert compared(program(moves)) == 0
    for place in ("4 * i0", "4 * (i0 mod 400)"):  # beyond the end, and back again
        store = f'neuron.isa.register_store dst <hbm "x" at {place}, [1 x 1], i32> src <i0>'
        module = program(f"neuron.isa.stream sync {{ neuron.isa.repeat 600 {{ {store} }} }}", "x: memref<300xi32>")
        assert compared(module) == 0
        assert "1200..1203" in str(run(module))


def test_times_are_multiples_of_a_tick() -> None:
    for name in ("add", "matmul"):
        for unit in time_program(sample(name)).recording.units:
            assert (unit.columns() * 2**20 % 1 == 0).all()


# Streams as arrays.


def test_a_stream_as_arrays_is_what_is_walked() -> None:
    for count in (1, 7):
        for sequencer in sequencers(program(turns(count), X)):
            walk, unrolled = sequencer.walk, period._unrolled(sequencer)
            taken: list[tuple[MicroOp, tuple[int, ...]]] = [(m, walk.numbers(m)) for m in walk.micro_ops]
            assert [(m, unrolled.numbers(m)) for m in unrolled.micro_ops] == taken


def sequencers(module: ModuleOp) -> list[Sequencer]:
    found = program_of(module)
    return load(found, Simulation(target_of(found), empty(found), None, checks=False, numerics=False), {})


def test_numbers_beyond_words_are_left_to_events(compared: Callable[..., int]) -> None:
    large = "neuron.isa.stream vector { neuron.isa.repeat 500 { neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at i0 * 4611686018427387904, [1 x 64], f32> } }"
    assert compared(program(large)) == 0


def test_periods_of_a_stream() -> None:
    (stream,) = [period._unrolled(s) for s in sequencers(program(turns(60), X)) if s.engine.value == "sync"]
    rises = np.zeros(256, np.int64)
    rises[3] = 3
    stream.position, stream.held[:] = 3, True
    assert stream.periods(0, 3, rises) == 19
    stream.position = 33
    assert stream.periods(30, 3, rises) == 9
    assert stream.periods(29, 3, rises) == 9
    assert stream.periods(31, 2, rises) == 0
    assert stream.periods(30, 3, rises - 1) == 0
    assert stream.periods(30, 3, rises + 1) == 0
    stream.held[32] = False
    assert stream.periods(30, 3, rises + 1) == 0
    stream.held[:] = False
    assert stream.periods(30, 3, rises + 1) == 9
    assert stream.periods(30, 3, rises - 1) == 0


@pytest.mark.parametrize("target", TARGETS)
def test_loads_of_weights_that_fall_behind_catch_up_later(compared: Callable[..., int], target: str) -> None:
    """How far a load path is behind matters as long as so many loads may follow, in the loop or after it."""
    load = """neuron.isa.load_stationary tile_position [{0}, {0}] tile_size [64, 64]
      stationary <sbuf[{0}:{1}] at 0, [1 x 64], f32>"""
    product = """neuron.isa.multiply_moving tile_position [{0}, {0}] tile_size [64, 64]
      dst <psum[{0}:{1}] at {2}, [1 x 64], f32> moving <sbuf[{0}:{1}] at 1024, [1 x 64], f32>"""
    one, other = load.format(0, 64), load.format(64, 128)
    two = product.format(64, 128, 0)
    behind = f"""neuron.isa.stream tensor {{
      neuron.isa.repeat 400 {{ {one} {other} {two} {two} }}
      neuron.isa.repeat 300 {{ {one} }} {product.format(0, 64, 2048)} }}"""
    compared(program(behind, "", target))
    count = "neuron.isa.repeat 200 { neuron.isa.event_semaphore update <sem 9 add 1> }"
    bursts = f"neuron.isa.stream tensor {{ neuron.isa.repeat 300 {{ neuron.isa.repeat 20 {{ {one} }} {count} }} }}"
    compared(program(bursts, "", target))
    usual = f"neuron.isa.stream tensor {{ neuron.isa.repeat 400 {{ {other} {two} {two} }} }}"
    assert compared(program(usual, "", target)) > 50
