"""What the two cores of a pair say to each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from executor.machine_code import cores
from samples import tile

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.targets import load

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
    assert woken.start_ns >= 600


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


# sendrecv.

SENDRECV = """
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <core {own} sbuf[0:128] at 0, [1 x 64], f32>
    src <hbm "x" at {place}, [64 x 128, 1 x 64], f32> update <sem 0 add 16>
  neuron.isa.dma_copy queue 1 dst <hbm "y" at {place}, [64 x 128, 1 x 64], f32>
    src <core {own} sbuf[0:128] at {dst}, [1 x 64], f32> wait <sem 1 reaches 16>
}}
neuron.isa.stream {engine} {{
  neuron.isa.sendrecv send_to_rank {other} recv_from_rank {other} pipe_id 2
    dst <core {own} sbuf[0:128] at {dst}, [1 x 64], f32>
    src <core {own} sbuf[0:128] at 0, [1 x 64], f32> wait <sem 0 reaches 16> update <sem 1 add 16>
}}"""


def sides() -> list[str]:
    """One on each core, on different engines and into different places."""
    engines, places = ("gpsimd", "vector"), (256, 512)
    return [
        SENDRECV.format(own=own, other=1 - own, place=32768 * own, engine=engines[own], dst=places[own])
        for own in range(2)
    ]


@pytest.mark.parametrize("target", ["trn2", "trn3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_sendrecv(seed: int | None, target: str) -> None:
    """Neither core says where the other's tile goes, nor waits for the other itself."""
    x, y = np.arange(256 * 64, dtype=np.float32).reshape(256, 64), np.zeros((256, 64), np.float32)
    execute(cores(sides(), "x: memref<256x64xf32>; y: memref<256x64xf32>", target), [x, y], seed=seed)
    np.testing.assert_array_equal(y, np.roll(x, 128, axis=0))


PIPES = """
neuron.isa.stream gpsimd {{
  neuron.isa.iota pattern [1, 4] offset {value} channel_multiplier 0 dst <core {own} sbuf[0:1] at 0, [1 x 4], i32>
    update <sem 1 add 1>
  neuron.isa.event_semaphore wait <sem 1 reaches 1>
  {exchanges}
}}
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <hbm "y" at {place}, [1 x 4], i32> src <core {own} sbuf[0:1] at 64, [1 x 4], i32>
    wait <sem 2 reaches 64>
}}"""


def exchange(own: int, pipe: int, place: int) -> str:
    """Sends element `place`; the four arrive in the order of their places."""
    return f"""neuron.isa.sendrecv send_to_rank {1 - own} recv_from_rank {1 - own} pipe_id {pipe}
      dst <core {own} sbuf[0:1] at {64 + 4 * place}, [1 x 1], i32>
      src <core {own} sbuf[0:1] at {4 * place}, [1 x 1], i32> update <sem 2 add 16>"""


@pytest.mark.parametrize("seed", SEEDS)
def test_pipes_pair_in_order(seed: int | None) -> None:
    """The first of a pipe goes with the first of the same pipe, however the pipes are mixed on the two cores."""
    order = ([(0, 0), (0, 1), (5, 2), (5, 3)], [(5, 2), (0, 0), (5, 3), (0, 1)])
    streams = [
        PIPES.format(
            own=own,
            value=10 + 10 * own,
            place=16 * own,
            exchanges="\n".join(exchange(own, pipe, place) for pipe, place in order[own]),
        )
        for own in range(2)
    ]
    y = np.zeros(8, np.int32)
    execute(cores(streams, "y: memref<8xi32>", "trn2"), [y], seed=seed)
    assert y.tolist() == [20, 21, 22, 23, 10, 11, 12, 13]


def test_a_sendrecv_is_no_quicker_than_a_copy() -> None:
    """Both sides end together, a trigger, the start-up, the tile and the completion after the later one began."""
    x, y = np.ones((256, 64), np.float32), np.zeros((256, 64), np.float32)
    result = execute(cores(sides(), "x: memref<256x64xf32>; y: memref<256x64xf32>", "trn2"), [x, y])
    ends = [s.end_ns for s in result.timeline if s.name == "sendrecv" and "dma" in s.unit]
    triggers = [s.start_ns for s in result.timeline if s.name == "sendrecv" and "dma" not in s.unit]
    assert len(ends) == len(triggers) == 2
    assert ends[0] == ends[1] and 1000 < ends[0] - max(triggers) < 2000


def test_a_sendrecv_without_partner() -> None:
    one, _ = sides()
    x = np.zeros((256, 64), np.float32)
    with pytest.raises(ExecutionError) as error:
        execute(cores((one, ""), "x: memref<256x64xf32>; y: memref<256x64xf32>", "trn2"), [x, x.copy()])
    assert error.value.kind == "deadlock"
    assert "sendrecv on gpsimd: the other core has no sendrecv of pipe 2 to go with it" in str(error.value)


def test_a_core_does_not_send_to_itself() -> None:
    _, other = sides()
    wrong = other.replace("core 1", "core 0")
    x = np.zeros((256, 64), np.float32)
    with pytest.raises(ExecutionError, match="sendrecv on vector: core 0 is of rank 0 itself; the other is meant"):
        execute(cores((wrong, ""), "x: memref<256x64xf32>; y: memref<256x64xf32>", "trn2"), [x, x.copy()])


def without(wait: str) -> str:
    """What is reported when core 1 does not wait."""
    streams = sides()
    assert wait in streams[1]
    streams[1] = streams[1].replace(wait, "")
    x = np.zeros((256, 64), np.float32)
    with pytest.raises(ExecutionError) as error:
        execute(cores(streams, "x: memref<256x64xf32>; y: memref<256x64xf32>", "trn2"), [x, x.copy()])
    return str(error.value)


def test_sending_what_is_not_there_yet() -> None:
    text = without("wait <sem 0 reaches 16>")
    assert text.startswith("race: sendrecv on core 1 vector reads SBUF of core 1, partitions 0..127, bytes 0..255")


def test_reading_what_has_not_arrived() -> None:
    assert "src reads SBUF of core 1, partition 0, bytes 512..767, which were never written" in without(
        "wait <sem 1 reaches 16>"
    )


TILE = tile("bfloat16", 128, 4, 16)
GIVEN = {"send_to_rank": 1, "recv_from_rank": 1, "pipe_id": 0}
ILLEGAL: list[tuple[Mapping[str, Access], Mapping[str, object], str, str]] = [
    ({"dst": TILE, "src": TILE}, GIVEN, "trn1", "sendrecv needs NeuronCore-v3; trn1 is v2"),
    ({"dst": TILE, "src": tile("float16", 128, 4, 16)}, GIVEN, "trn2",
     "dst is bfloat16 and src float16; they must be the same"),
    ({"dst": TILE, "src": tile("bfloat16", 128, 64)}, GIVEN, "trn2",
     "dst and src must have the same partitions and sizes"),
    ({"dst": TILE, "src": tile("bfloat16", 128, 4, 16, space=Space.PSUM)}, GIVEN, "trn2",
     "src must be in sbuf, not in psum"),
    ({"dst": TILE, "src": TILE}, {**GIVEN, "recv_from_rank": 0}, "trn2",
     "send_to_rank and recv_from_rank are both the other core's, 0 or 1, not 1 and 0"),
    ({"dst": TILE, "src": TILE}, {**GIVEN, "pipe_id": -1}, "trn2", "pipe_id is not negative, got -1"),
    ({"dst": TILE, "src": TILE}, {**GIVEN, "dma_engine": "hwdge"}, "trn2",
     "dma_engine is one of dma, gpsimd_dma, not hwdge"),
    ({"dst": TILE, "src": TILE}, {**GIVEN, "dma_engine": "gpsimd_dma"}, "trn2",
     "dma_engine gpsimd_dma is triggered by gpsimd, not by sync"),
]  # fmt: skip


@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: case[-1])
def test_what_sendrecv_rejects(case: tuple[Mapping[str, Access], Mapping[str, object], str, str]) -> None:
    operands, fields, target, reason = case
    assert check(Instance(BY_NAME["sendrecv"], Engine.SYNC, operands, fields, load(target))) == reason


@pytest.mark.parametrize(("kind", "most"), [("float32", 1024), ("bfloat16", 512), ("uint8", 256)])
def test_gpsimd_moves_little_at_once(kind: str, most: int) -> None:
    fields = {**GIVEN, "dma_engine": "gpsimd_dma"}
    for elements in (256, 257):
        operands = {name: tile(kind, 128, elements) for name in ("dst", "src")}
        found = check(Instance(BY_NAME["sendrecv"], Engine.GPSIMD, operands, fields, load("trn3")))
        wanted = f"dma_engine gpsimd_dma moves at most {most} bytes per partition of this type, not {most // 256 * 257}"
        assert found == (None if elements == 256 else wanted)
