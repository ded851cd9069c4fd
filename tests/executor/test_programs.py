"""Whole programs: results against NumPy whatever the timing, and what is reported when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from executor.machine_code import Array, changed, parse, program, sample
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.neuron_isa import CoreOp, ProgramOp, StreamOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute

SEEDS = (None, *range(20))


def random(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# Correct programs.


def add_arrays() -> list[Array]:
    return [random(1024, 512), random(1024, 512, seed=1), np.full((1024, 512), np.nan, np.float32)]


def matmul_arrays() -> list[Array]:
    operands = [random(512, 512, dtype=ml_dtypes.bfloat16, seed=seed) for seed in (2, 3)]
    return [*operands, np.full((512, 512), np.nan, np.float32)]


def gather_arrays(n: int = 5) -> list[Array]:
    order = np.array([3, 1, 7, 0, 2, 4, 5, 6], np.int32)
    return [np.array([n], np.int32), order, random(1024, 64), np.zeros((1024, 64), np.float32)]


def relu_sum(x: Array, y: Array, out: Array) -> Array:
    return np.maximum(x + y, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_add(seed: int | None) -> None:
    """Loads, sum, relu and stores on four engines, every buffer two deep."""
    arrays = add_arrays()
    result = execute(sample("add"), arrays, seed=seed, uninitialised=[2])
    np.testing.assert_array_equal(arrays[2], relu_sum(*arrays))
    assert result.instructions == 8 * 8
    assert (result.sbuf_high_water, result.psum_high_water) == (16384, 0)


@cache
def _matmul_results() -> tuple[Array, Array]:
    """In fp64, and by the program in its own time."""
    arrays = matmul_arrays()
    execute(sample("matmul"), arrays)
    at, b = (a.astype(np.float64) for a in arrays[:2])
    return np.maximum(0.5 * at.T @ b, 0), arrays[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_matmul(seed: int | None) -> None:
    """Four accumulated steps along K, evicted by Scalar; the same bits whatever the timing."""
    arrays = matmul_arrays()
    result = execute(sample("matmul"), arrays, seed=seed, uninitialised=[2])
    exact, unperturbed = _matmul_results()
    np.testing.assert_allclose(arrays[2], exact, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(arrays[2], unperturbed)
    assert result.psum_high_water == 4096


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [0, 5, 8])
def test_loop_and_addresses_from_registers(n: int, seed: int | None) -> None:
    arrays = gather_arrays(n)
    _, order, x, y = arrays
    result = execute(sample("gather"), arrays, seed=seed)
    tiles, wanted = x.reshape(8, 128, 64), np.zeros((8, 128, 64), np.float32)
    wanted[:n] = 2 * tiles[order[:n]]
    np.testing.assert_array_equal(y.reshape(8, 128, 64), wanted)
    assert result.instructions == 4 + 7 * n


@pytest.mark.parametrize("seed", SEEDS)
def test_two_cores(seed: int | None) -> None:
    x, y = random(512, 64), np.zeros((512, 64), np.float32)
    result = execute(sample("two_cores"), [x, y], seed=seed)
    np.testing.assert_array_equal(y, 2 * x + 1)
    assert {"vector", "core 1 vector", "dma gpsimd q0", "core 1 dma sync q0"} <= set(result.busy_us)


def test_checks_do_not_change_results() -> None:
    with_checks, without = add_arrays(), add_arrays()
    a = execute(sample("add"), with_checks)
    b = execute(sample("add"), without, checks=False)
    np.testing.assert_array_equal(with_checks[2], without[2])
    assert a.timeline == b.timeline


# Order matters: what a missing wait does.


def outcome(module: ModuleOp, arrays: list[Array], wanted: Callable[..., Array], seed: int | None) -> str:
    """`right`, `wrong`, or the report."""
    given = [a.copy() for a in arrays]
    try:
        execute(module, given, seed=seed)
    except ExecutionError as error:
        return str(error)
    with np.errstate(invalid="ignore"):
        return "right" if np.array_equal(given[-1], wanted(*arrays)) else "wrong"


WAITS = {
    "sum before x is loaded": "neuron.isa.event_semaphore wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16>",
    "sum before y is loaded": "wait <sem i0 mod 2 + 2 reaches 16 * (i0 floordiv 2) + 16>",
    "relu before the sum": "wait <sem 4 reaches i0 + 1>",
    "store before relu": "wait <sem 5 reaches i0 + 1>",
    "load over a tile in use": "wait <sem 4 reaches i0 - 1>",
    "sum over a tile in use": "wait <sem 5 reaches i0 - 1>",
    "relu over a tile in use": "wait <sem i0 mod 2 + 6 reaches 16 * (i0 floordiv 2)>",
}


@pytest.mark.parametrize("what", WAITS)
def test_a_missing_wait_is_wrong_or_reported(what: str) -> None:
    """In some timing at least; no error is found in the program with its wait (test_add)."""
    text = WAITS[what]
    # An instruction that only waits must go on waiting for something: what always holds.
    module = changed("add", text, text.split("wait <")[0] + "wait <sem 200 reaches 0>")
    arrays = add_arrays()
    outcomes = (outcome(module, arrays, relu_sum, seed) for seed in range(80))
    assert any(found != "right" for found in outcomes), f"{what}: every timing gave the right result"


def test_a_result_is_not_there_before_its_instruction_completes() -> None:
    """Two dependent instructions of one engine: without a wait, the second reads what was there before."""
    text = """
    neuron.isa.stream vector {
      neuron.isa.memset value 1.0 : f32 dst <sbuf[0:1] at 0, [1 x 4], f32> update <sem 0 add 1>
      neuron.isa.memset value 2.0 : f32 dst <sbuf[0:1] at 0, [1 x 4], f32> wait <sem 0 reaches 1> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:1] at 64, [1 x 4], f32> src <sbuf[0:1] at 0, [1 x 4], f32> WAIT
        update <sem 0 add 1>
    }
    neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [1 x 4], f32> src <sbuf[0:1] at 64, [1 x 4], f32>
        wait <sem 0 reaches 3>
    }"""
    for wait, value in (("", 1.0), ("wait <sem 0 reaches 2>", 2.0)):
        y = np.zeros(4, np.float32)
        execute(program(text.replace("WAIT", wait), "y: memref<4xf32>"), [y], checks=False)
        assert (y == value).all()


def test_dma_reads_when_data_moves_and_writes_when_it_ends() -> None:
    """The source may change until the transfer starts; the destination is old until it ends."""
    text = """
    neuron.isa.stream vector {
      neuron.isa.memset value 1.0 : f32 dst <sbuf[0:1] at 0, [1 x 4], f32> update <sem 0 add 1>
      neuron.isa.memset value 5.0 : f32 dst <sbuf[0:1] at 64, [1 x 4], f32> update <sem 0 add 1>
      neuron.isa.memset value 2.0 : f32 dst <sbuf[0:1] at 0, [1 x 4], f32> wait <sem 0 reaches 2>
      neuron.isa.tensor_copy dst <sbuf[0:1] at 128, [1 x 4], f32> src <sbuf[0:1] at 64, [1 x 4], f32>
        update <sem 1 add 1>
    }
    neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 64, [1 x 4], f32> src <sbuf[0:1] at 0, [1 x 4], f32>
        wait <sem 0 reaches 2> update <sem 2 add 16>
      neuron.isa.event_semaphore wait <sem 2 reaches 16>
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [64 x 2, 1 x 4], f32>
        src <sbuf[0:1] at 64, [16 x 2, 1 x 4], f32> wait <sem 1 reaches 1>
    }"""
    y = np.zeros((2, 64), np.float32)
    execute(program(text, "y: memref<2x64xf32>"), [y], checks=False)
    assert (y[:, :4] == [[2.0] * 4, [5.0] * 4]).all()


# Reports.

LOAD = 'neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 4], f32> src <hbm "x" at 0, [4 x 128, 1 x 4], f32>'


def report(streams: str, tensors: str = "", *arrays: Array, **options: Any) -> str:
    with pytest.raises(ExecutionError) as found:
        execute(program(streams, tensors), list(arrays), **options)
    return str(found.value)


def test_deadlock() -> None:
    text = report("""
    neuron.isa.stream vector {
      neuron.isa.memset value 1.0 : f32 dst <sbuf[0:1] at 0, [1 x 4], f32> wait <sem 7 reaches 2>
        update <sem 3 add 1> loc("k.py":4:1)
    }
    neuron.isa.stream scalar {
      neuron.isa.activation op exp dst <sbuf[0:1] at 16, [1 x 4], f32> data <sbuf[0:1] at 0, [1 x 4], f32>
        wait <sem 3 reaches 1> update <sem 7 add 1> loc("k.py":6:1)
      neuron.isa.event_semaphore wait <sem 9 reaches 5> update <sem 7 add 1> loc("k.py":7:1)
    }
    neuron.isa.stream gpsimd {
      neuron.isa.event_semaphore update <sem 7 add 1> loc("k.py":8:1)
      neuron.isa.event_semaphore wait <sem 12 reaches 1> loc("k.py":9:1)
    }
    neuron.isa.stream sync {
      neuron.isa.event_semaphore update <sem 20 add 1> loc("k.py":10:1)
    }""")
    assert text.splitlines() == [
        "deadlock: 3 of 4 streams can't go on",
        "  k.py:4: memset on vector waits for semaphore 7 to reach 2; it is 1",
        "    would still be raised by scalar, stuck at activation (k.py:6)",
        "  k.py:6: activation on scalar waits for semaphore 3 to reach 1; it is 0",
        "    would still be raised by vector, stuck at memset (k.py:4)",
        "  k.py:9: event_semaphore on gpsimd waits for semaphore 12 to reach 1; it is 0",
        "    nothing that is left to run would raise it",
        "  cycle: vector -> scalar -> vector (each waits for the next)",
    ]


def test_deadlock_with_itself_and_in_a_repeat() -> None:
    text = report("""
    neuron.isa.stream vector {
      neuron.isa.repeat 10 {
        neuron.isa.event_semaphore wait <sem 1 reaches i0 + 1> update <sem 2 add 1>
        neuron.isa.event_semaphore update <sem 1 add 1>
      }
    }""")
    assert "waits for semaphore 1 to reach 1; it is 0" in text
    assert "would still be raised by itself" in text and "cycle: vector -> vector" in text


BOUNDS = {
    "data covers bytes 196600..196615 of each partition of SBUF, which has 196608 bytes": (
        "neuron.isa.tensor_scalar op0 add dst <sbuf[0:1] at 0, [1 x 4], f32>"
        ' data <sbuf[0:1] at 196600, [1 x 4], f32> operand0 1.0 : f32 loc("k.py":3:1)'
    ),
    "dst covers bytes -8..7 of each partition of PSUM, which has 16384 bytes": (
        'neuron.isa.memset value 0.0 : f32 dst <psum[0:1] at 4, [-1 x 4], f32> loc("k.py":3:1)'
    ),
    'src reads element (128, 0) of tensor "x", which has shape (128, 4): 4 of its 512 elements lie outside; a mask is'
    " missing that leaves them out": (
        'neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 4], f32> src <hbm "x" at 16, [1 x 512], f32>'
        ' loc("k.py":3:1)'
    ),
    "dst starts at byte 2, which is not a multiple of its 4-byte element": (
        "neuron.isa.repeat 2 {"
        ' neuron.isa.memset value 0.0 : f32 dst <sbuf[0:1] at 2 * i0, [1 x 4], f32> loc("k.py":3:1) }'
    ),
}


@pytest.mark.parametrize("wanted", BOUNDS)
@pytest.mark.parametrize("checks", [True, False])
def test_bounds(wanted: str, checks: bool) -> None:
    x = np.zeros((128, 4), np.float32)
    text = report(f"neuron.isa.stream vector {{ {BOUNDS[wanted]} }}", "x: memref<128x4xf32>", x, checks=checks)
    assert text.startswith("k.py:3: ") and " on vector: " in text and text.endswith(wanted)


def test_a_matmul_stays_within_a_bank() -> None:
    text = report(
        """
    neuron.isa.stream tensor {
      neuron.isa.repeat 2 {
        neuron.isa.load_stationary stationary <sbuf[0:16] at 0, [1 x 8], bf16>
        neuron.isa.multiply_moving dst <psum[0:8] at 1024 * i0, [1 x 512], f32>
          moving <sbuf[0:16] at 0, [1 x 512], bf16>
      }
    }""",
        checks=False,
    )
    assert "dst covers bytes 1024..3071 of each partition; a matmul writes within one bank of 2048 bytes" in text


def test_read_before_write() -> None:
    text = report("""
    neuron.isa.stream vector {
      neuron.isa.memset value 1.0 : f32 dst <sbuf[32:34] at 0, [1 x 4], f32> update <sem 0 add 1>
      neuron.isa.memset value 1.0 : f32 dst <sbuf[32:33] at 16, [1 x 8], f32> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:2] at 64, [1 x 8], f32> src <sbuf[32:34] at 0, [1 x 8], f32>
        wait <sem 0 reaches 2> loc("k.py":3:1)
    }""")
    wanted = "k.py:3: tensor_copy on vector: src reads SBUF, partition 33, bytes 16..31, which were never written"
    assert text == wanted


def test_reading_an_output_before_it_is_written() -> None:
    stream = f"neuron.isa.stream sync {{ {LOAD} }}"
    x = np.zeros((128, 4), np.float32)
    execute(program(stream, "x: memref<128x4xf32>"), [x])
    text = report(stream, "x: memref<128x4xf32>", x, uninitialised=[0])
    assert text == 'dma_copy on sync: src reads tensor "x", element (0, 0) (bytes 0..2047), which were never written'


def test_predicated_copy_writes_what_it_selects() -> None:
    streams = """
    neuron.isa.stream gpsimd {
      neuron.isa.iota pattern [1, 4] offset 0 channel_multiplier 0 dst <sbuf[0:1] at 0, [1 x 4], ui32>
        update <sem 0 add 1>
    }
    neuron.isa.stream vector {
      neuron.isa.tensor_copy_predicated dst <sbuf[0:1] at 16, [1 x 4], ui32> src <sbuf[0:1] at 0, [1 x 4], ui32>
        predicate <sbuf[0:1] at 0, [1 x 4], ui32> wait <sem 0 reaches 1> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:1] at 32, [1 x 3], ui32> src <sbuf[0:1] at FROM, [1 x 3], ui32>
        wait <sem 0 reaches 2>
    }"""
    execute(program(streams.replace("FROM", "20")), [])
    assert "partition 0, bytes 16..19, which were never written" in report(streams.replace("FROM", "16"))


def test_accumulating_onto_nothing() -> None:
    text = report("""
    neuron.isa.stream tensor {
      neuron.isa.load_stationary stationary <sbuf[0:16] at 0, [1 x 8], bf16> wait <sem 0 reaches 1>
      neuron.isa.multiply_moving accumulate <1> dst <psum[0:8] at 0, [1 x 16], f32>
        moving <sbuf[0:16] at 0, [1 x 16], bf16> loc("k.py":5:1)
    }
    neuron.isa.stream vector {
      neuron.isa.memset value 1.0 : f32 dst <sbuf[0:16] at 0, [1 x 16], bf16> update <sem 0 add 1>
    }""")
    assert text == (
        "k.py:5: multiply_moving on tensor: dst accumulates onto PSUM, partition 0, byte 0, which was never written;"
        " the first matmul of a group must overwrite"
    )


def test_semaphore_out_of_range() -> None:
    stream = "neuron.isa.stream vector {{ neuron.isa.repeat 2 {{ neuron.isa.event_semaphore {} }} }}"
    for text in ("wait <sem 256 * i0 reaches 0>", "update <sem 256 * i0 add 1>"):
        assert "semaphore 256 does not exist; a core has 256" in report(stream.format(text))


def test_an_engine_reaches_its_own_core_only() -> None:
    text = report(
        "neuron.isa.stream vector { neuron.isa.memset value 1.0 : f32 dst <core 1 sbuf[0:1] at 0, [1 x 4], f32> }"
    )
    assert "an engine reaches its own core's memory; this is core 1's" in text


def test_register_errors() -> None:
    stream = "neuron.isa.stream sync { neuron.isa.register_alu_op op divide dst 0 src <1> imm <0> }"
    assert "division by zero" in report(stream)


# What `execute` takes.


def arrays_error(*arrays: Any, tensors: str = "x: memref<128x4xf32>") -> str:
    return report(f"neuron.isa.stream sync {{ {LOAD} }}", tensors, *arrays)


def test_arrays_must_fit() -> None:
    x = np.zeros((128, 4), np.float32)
    assert arrays_error() == "the program has 1 tensors (x), got 0 arrays"
    assert arrays_error(x.astype(np.float64)) == 'tensor "x": expected float32, got float64'
    assert arrays_error(x[:64]) == 'tensor "x": expected 512 elements (128x4), got 256'
    assert "expected a C-contiguous array, got strides (32, 8)" in arrays_error(np.zeros((128, 8), np.float32)[:, ::2])
    assert arrays_error([1.0]) == 'tensor "x": expected a NumPy array, got list'
    assert execute(program(f"neuron.isa.stream sync {{ {LOAD} }}", "x: memref<128x4xf32>"), [x.reshape(-1)])


def test_outputs_must_be_writeable() -> None:
    y = np.zeros(4, np.float32)
    y.flags.writeable = False
    stream = """neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [1 x 4], f32> src <sbuf[0:1] at 0, [1 x 4], f32>
    }"""
    assert "the program writes it, but the array is read-only" in report(stream, "y: memref<4xf32>", y)


def test_bool_tensors() -> None:
    """i1 in HBM is one byte an element; instructions see it as ui8."""
    stream = """neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [1 x 4], ui8> src <hbm "x" at 0, [1 x 4], ui8>
    }"""
    x, y = np.array([True, False, True, True]), np.zeros(4, np.uint8)
    execute(program(stream, "x: memref<4xi1>; y: memref<4xi1>"), [x, y])
    assert y.tolist() == [1, 0, 1, 1]


def test_only_a_machine_program_runs() -> None:
    tile = parse("func.func @f() { func.return }")
    for module, wanted in (
        (tile, "the module is at level tile; it must be lowered to neuron.isa before it can run"),
        (ModuleOp([]), "the module holds no neuron.isa.program; it must be lowered"),
    ):
        with pytest.raises(ExecutionError, match=wanted):
            execute(module, [])
    with pytest.raises(ExecutionError, match="the module holds 2 programs; a run takes one"):
        execute(ModuleOp([ProgramOp("a", []), ProgramOp("b", [])]), [])


def test_an_empty_program_takes_no_time() -> None:
    result = execute(ModuleOp([ProgramOp("a", [CoreOp(0, [StreamOp(Engine.SYNC, [])])])]), [])
    assert (result.modelled_us, result.instructions, result.timeline) == (0.0, 0, ())
    assert result.summary().startswith("modelled 0.00 us (0.00 to 0.00), 0 instructions")


def test_aliased_tensors_share_bytes() -> None:
    """One array as input and output: a load after the store sees what was stored."""
    stream = """neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 2], f32> src <hbm "x" at 0, [1 x 2], f32>
        update <sem 0 add 16>
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 8, [1 x 2], f32> src <sbuf[0:1] at 0, [1 x 2], f32>
        wait <sem 0 reaches 16> update <sem 0 add 16>
      neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 8, [1 x 2], f32> src <hbm "x" at 8, [1 x 2], f32>
        wait <sem 0 reaches 32> update <sem 0 add 16>
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 16, [1 x 2], f32> src <sbuf[0:1] at 8, [1 x 2], f32>
        wait <sem 0 reaches 48>
    }"""
    x = np.array([1, 2, 0, 0, 0, 0], np.float32)
    execute(program(stream, "x: memref<6xf32>; y: memref<6xf32>"), [x, x])
    assert x.tolist() == [1, 2, 1, 2, 1, 2]


def test_importing_the_package_does_not_import_numpy() -> None:
    code = "import sys, nki_mlir.executor; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
