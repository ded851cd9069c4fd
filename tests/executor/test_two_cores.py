"""What the two cores of a pair say to each other."""

from __future__ import annotations

import numpy as np
import pytest
from executor.machine_code import cores

from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute

SEEDS = (None, *range(10))


@pytest.mark.parametrize("target", ["trn1", "trn2", "trn3"])
def test_rank_id(target: str) -> None:
    body = """neuron.isa.stream scalar {
      neuron.isa.rank_id dst 4
      neuron.isa.register_alu_op op multiply dst 5 src <r4> imm <4>
      neuron.isa.register_store dst <hbm "y" at r5, [1 x 1], i32> src <r4>
    }"""
    y = np.full(2, -1, np.int32)
    execute(cores((body, body), "y: memref<2xi32>", target), [y])
    assert y.tolist() == [0, 1]


def test_updates_and_waits_without_a_core_mean_the_own_one() -> None:
    body = """neuron.isa.stream vector {{
      neuron.isa.event_semaphore update <sem 3 add 1>
      neuron.isa.event_semaphore wait <sem 3 reaches 1> update <core {other} sem 4 add 1>
      neuron.isa.event_semaphore wait <sem 4 reaches 1>
    }}"""
    result = execute(cores((body.format(other=1), body.format(other=0)), target="trn1"), [])
    assert result.instructions == 6


def test_a_core_can_be_empty() -> None:
    result = execute(cores(("neuron.isa.stream vector { neuron.isa.rank_id dst 0 }", ""), target="trn1"), [])
    assert result.instructions == 1


BARRIER = """neuron.isa.stream gpsimd {{
  neuron.isa.repeat 4 {{
    neuron.isa.register_move dst 0 src <i0 + {base}>
    neuron.isa.register_store dst <hbm "x" at {own}, [1 x 1], i32> src <r0>
    neuron.isa.core_barrier sem <7> reaches <2 * i0 + 1>
    neuron.isa.register_load dst 1 src <hbm "x" at {other}, [1 x 1], i32>
    neuron.isa.register_store dst <hbm "y" at 4 * i0 + {out}, [1 x 1], i32> src <r1>
    neuron.isa.core_barrier sem <7> reaches <2 * i0 + 2>
  }}
}}"""


@pytest.mark.parametrize("target", ["trn2", "trn3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_core_barrier(seed: int | None, target: str) -> None:
    """What a core wrote before a barrier, the other reads after it, round after round."""
    streams = (
        BARRIER.format(base=100, own=0, other=4, out=0),
        BARRIER.format(base=200, own=4, other=0, out=16),
    )
    x, y = np.zeros(2, np.int32), np.zeros(8, np.int32)
    execute(cores(streams, "x: memref<2xi32>; y: memref<8xi32>", target), [x, y], seed=seed)
    assert y.tolist() == [200, 201, 202, 203, 100, 101, 102, 103]


def test_a_barrier_waits_and_updates() -> None:
    body = """
    neuron.isa.stream vector { neuron.isa.event_semaphore update <sem 1 add 1> }
    neuron.isa.stream scalar { neuron.isa.event_semaphore wait <sem 2 reaches 1> }
    neuron.isa.stream gpsimd { neuron.isa.core_barrier sem <7> reaches <1> wait <sem 1 reaches 1> update <sem 2 add 1> }
    """
    result = execute(cores((body, body), target="trn2"), [])
    (woken,) = [s for s in result.timeline if s.unit == "scalar"]
    assert woken.start_ns >= 1500


def test_a_core_that_misses_a_barrier() -> None:
    there = "neuron.isa.stream gpsimd { neuron.isa.core_barrier sem <7> reaches <1> }"
    with pytest.raises(ExecutionError) as error:
        execute(cores((there, ""), target="trn2"), [])
    assert "core_barrier on gpsimd waits for semaphore 7 to reach 1; it is 0" in str(error.value)
    assert "nothing that is left to run would raise it" in str(error.value)


EXCHANGE = """
neuron.isa.stream vector {{
  neuron.isa.event_semaphore wait <sem 0 reaches 16> update <sem 1 add 1>
}}
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <core {own} sbuf[0:128] at 0, [1 x 64], f32>
    src <hbm "x" at {place}, [64 x 128, 1 x 64], f32> update <sem 0 add 16>
  neuron.isa.dma_copy queue 1 dst <hbm "y" at {place}, [64 x 128, 1 x 64], f32>
    src <core {own} sbuf[0:128] at 256, [1 x 64], f32> wait <sem 2 reaches 16>
}}
neuron.isa.stream gpsimd {{
  neuron.isa.core_barrier sem <7> reaches <1> wait <sem 1 reaches 1>
  neuron.isa.dma_copy queue 0 dst <core {other} sbuf[0:128] at 256, [1 x 64], f32>
    src <core {own} sbuf[0:128] at 0, [1 x 64], f32> update <core {other} sem 2 add 16>
}}"""


@pytest.mark.parametrize("target", ["trn2", "trn3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_cores_exchange_tiles(seed: int | None, target: str) -> None:
    """What the vendor's sendrecv does: each core's tile arrives in the other's SBUF, which raises a semaphore there."""
    streams = [EXCHANGE.format(own=own, other=1 - own, place=32768 * own) for own in range(2)]
    x, y = np.arange(256 * 64, dtype=np.float32).reshape(256, 64), np.zeros((256, 64), np.float32)
    execute(cores(streams, "x: memref<256x64xf32>; y: memref<256x64xf32>", target), [x, y], seed=seed)
    np.testing.assert_array_equal(y, np.roll(x, 128, axis=0))
