"""What the checks find, what they say, and what they leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from executor.machine_code import Array, program
from hypothesis import given, settings
from hypothesis import strategies as st

from nki_mlir.dialects.access import WHOLE, Comb
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.executor.checks.boxes import Box, Boxes, common
from nki_mlir.executor.trace import Trace


def errors(streams: str, tensors: str = "", *arrays: Array) -> tuple[str, str]:
    """The kind and the text of what the checks find."""
    with pytest.raises(ExecutionError) as found:
        execute(program(streams, tensors), list(arrays))
    return found.value.kind, str(found.value)


def clean(streams: str, tensors: str = "", *arrays: Array) -> None:
    execute(program(streams, tensors), list(arrays))


def memset(at: int, count: int = 4, rest: str = "", partitions: str = "0:1") -> str:
    return f"neuron.isa.memset value 1.0 : f32 dst <sbuf[{partitions}] at {at}, [1 x {count}], f32> {rest}\n"


def copy(to: int, source: int, count: int = 4, rest: str = "") -> str:
    return (
        f"neuron.isa.tensor_copy dst <sbuf[0:1] at {to}, [1 x {count}], f32>"
        f" src <sbuf[0:1] at {source}, [1 x {count}], f32> {rest}\n"
    )


def relu(to: int, source: int, rest: str = "") -> str:
    return (
        f"neuron.isa.activation op relu dst <sbuf[0:1] at {to}, [1 x 4], f32>"
        f" data <sbuf[0:1] at {source}, [1 x 4], f32> {rest}\n"
    )


def dma(to: str, source: str, rest: str = "", queue: int = 0) -> str:
    return f"neuron.isa.dma_copy queue {queue} dst <{to}> src <{source}> {rest}\n"


def stream(engine: str, *body: str) -> str:
    return f"neuron.isa.stream {engine} {{\n{''.join(body)}}}\n"


ROW = "sbuf[0:1] at {}, [1 x 4], f32"
Y = "y: memref<16xf32>"


def hbm(at: int = 0) -> str:
    return f'hbm "y" at {at}, [1 x 4], f32'


def y() -> Array:
    return np.zeros(16, np.float32)


# Races.


@pytest.mark.parametrize("wait, ordered", [("wait <sem 0 reaches 1>", True), ("", False)])
def test_one_engine_reads_what_another_wrote(wait: str, ordered: bool) -> None:
    streams = stream("vector", memset(0, rest='update <sem 0 add 1> loc("k.py":3:1)')) + stream(
        "scalar", "neuron.isa.register_move dst 0 src <0>\n" * 500, relu(64, 0, f'{wait} loc("k.py":4:1)')
    )
    if ordered:
        clean(streams)
        return
    assert errors(streams) == (
        "race",
        "race: k.py:4: activation on scalar reads SBUF, partitions 0..0, bytes 0..15, which k.py:3: memset on vector"
        " writes; nothing orders them\n  scalar, second in this run, must wait for vector: semaphore 0 to reach 1",
    )


def test_read_after_write_on_one_engine_needs_a_wait() -> None:
    """Also where this run happened to be in time: 70 instructions lie between."""
    between = memset(256) * 70
    kind, text = errors(stream("vector", memset(0, rest="update <sem 0 add 1>"), between, copy(64, 0)))
    assert kind == "race" and "vector, second in this run, must wait for vector: semaphore 0 to reach 1" in text
    clean(stream("vector", memset(0, rest="update <sem 0 add 1>"), copy(64, 0, rest="wait <sem 0 reaches 1>")))


def test_one_engine_overwrites_in_order() -> None:
    """Writes after reads and writes need no wait on one engine."""
    ready = "wait <sem 0 reaches 1>"
    clean(stream("vector", memset(0, rest="update <sem 0 add 1>"), copy(64, 0, rest=ready), memset(0), memset(64)))


def test_a_trace_without_checks_has_every_issue_and_reports_nothing() -> None:
    streams = stream("vector", memset(0)) + stream("gpsimd", memset(0))
    assert errors(streams)[0] == "race"
    trace = Trace()
    execute(program(streams), [], checks=False, trace=trace)
    assert [unit.name for unit, _, _ in trace] == ["vector", "gpsimd"]


def test_reuse_of_an_address_is_a_race() -> None:
    """Scalar reads, Vector writes the bytes again without waiting for it: the value may be the wrong one."""
    first = memset(0, rest="update <sem 0 add 1>")
    reader = stream("scalar", relu(64, 0, "wait <sem 0 reaches 1> update <sem 1 add 1>"))
    late = "neuron.isa.register_move dst 0 src <0>\n" * 50
    kind, text = errors(stream("vector", first, late, memset(8, 1)) + reader)
    assert kind == "race" and "bytes 8..11, which activation on scalar reads" in text
    assert "vector, second in this run, must wait for scalar: semaphore 1 to reach 1" in text
    clean(stream("vector", first, memset(8, 1, "wait <sem 1 reaches 1>")) + reader)
    clean(stream("vector", first, memset(16, 1)) + reader)


def test_updates_that_nothing_counts() -> None:
    kind, text = errors(stream("vector", memset(0)) + stream("sync", dma(hbm(), ROW.format(0))), Y, y())
    assert (
        kind == "race" and "sync, second in this run, must wait for vector, whose memset updates no semaphore" in text
    )


def test_a_transfer_needs_its_semaphore_even_on_one_queue() -> None:
    first, second = dma(hbm(), ROW.format(0), "wait <sem 0 reaches 1> update <sem 1 add 16>"), dma(hbm(), ROW.format(0))
    ready = stream("vector", memset(0, rest="update <sem 0 add 1>"))
    kind, text = errors(ready + stream("sync", first, second), Y, y())
    assert kind == "race" and 'tensor "y", 16 bytes' in text
    assert "sync, second in this run, must wait for dma sync q0: semaphore 1 to reach 16" in text
    second = dma(hbm(), ROW.format(0), "wait <sem 1 reaches 16>")
    clean(ready + stream("sync", first, second), Y, y())


def test_a_later_transfer_of_the_ring_proves_an_earlier_one() -> None:
    """Two loads on one queue, of which only the second is waited for."""

    def load(at: int, semaphore: int, queue: int) -> str:
        return dma(ROW.format(at), hbm(), f"update <sem {semaphore} add 16>", queue)

    reads = copy(128, 0, rest="wait <sem 1 reaches 16>")
    clean(stream("sync", load(0, 0, 0), load(64, 1, 0)) + stream("vector", reads), Y, y())
    kind, text = errors(stream("sync", load(0, 0, 0), load(64, 1, 1)) + stream("vector", reads), Y, y())
    assert kind == "race" and "vector, second in this run, must wait for dma sync q0: semaphore 0 to reach 16" in text


def test_two_transfers_on_one_semaphore() -> None:
    """The count of both proves both; that of one proves neither."""

    def loads(count: int) -> str:
        both = dma(ROW.format(0), hbm(), "update <sem 0 add 16>") + dma(
            ROW.format(64), hbm(16), "update <sem 0 add 16>", 1
        )
        return stream("sync", both) + stream("vector", copy(128, 0, rest=f"wait <sem 0 reaches {count}>"))

    clean(loads(32), Y, y())
    for count in (1, 16, 31):
        assert errors(loads(count), Y, y())[0] == "race"


def test_counts_are_judged_by_what_they_prove() -> None:
    """Two engines raise one semaphore: a count of 1 proves neither, although Vector is always first in this run."""
    late = "neuron.isa.register_move dst 0 src <0>\n" * 50
    streams = stream("vector", memset(0, rest="update <sem 0 add 1>")) + stream(
        "gpsimd", late, memset(64, rest="update <sem 0 add 1>")
    )
    kind, text = errors(streams + stream("scalar", relu(128, 0, "wait <sem 0 reaches 1>")))
    assert kind == "race" and "scalar, second in this run, must wait for vector" in text
    clean(streams + stream("scalar", relu(128, 0, "wait <sem 0 reaches 2>")))


def test_barriers() -> None:
    """All engines raise one semaphore and wait for all, time and again."""
    barrier = (
        "neuron.isa.event_semaphore update <sem 9 add 1>\nneuron.isa.event_semaphore wait <sem 9 reaches 3 * i0 + 3>\n"
    )

    def engine(name: str, work: str) -> str:
        return stream(name, f"neuron.isa.repeat 4 {{\n{work}{barrier}}}\n")

    vector = engine("vector", memset(0, rest="update <sem 0 add 1>"))
    scalar = engine("scalar", relu(128, 64))
    assert errors(vector + engine("gpsimd", memset(64)) + scalar)[0] in ("race", "uninitialised")
    turns = (
        engine("vector", "neuron.isa.event_semaphore wait <sem 0 reaches 0>\n" + memset(0))
        + engine("gpsimd", memset(32))
        + stream(
            "scalar",
            f"neuron.isa.repeat 4 {{\n{barrier}}}\n",
            relu(64, 0) + relu(96, 32),
        )
    )
    clean(turns)


def test_repeats_with_rotating_buffers() -> None:
    """Two slots; a threshold one too low lets the third load overtake."""

    def loop(threshold: str) -> str:
        load = dma(
            "sbuf[0:1] at 64 * (i0 mod 2), [1 x 4], f32",
            'hbm "y" at 0, [1 x 4], f32',
            f"wait <sem 2 reaches {threshold}> update <sem i0 mod 2 add 16>",
        )
        use = copy(256, 0).replace("at 0", "at 64 * (i0 mod 2)").rstrip()
        use += " wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16> update <sem 2 add 1>\n"
        return stream("sync", f"neuron.isa.repeat 6 {{\n{load}}}\n") + stream(
            "vector", f"neuron.isa.repeat 6 {{\n{use}}}\n"
        )

    clean(loop("i0 - 1"), Y, y())
    kind, text = errors(loop("i0 - 2"), Y, y())
    assert kind == "race" and "vector, second in this run, must wait for dma sync q0: semaphore 0 to reach" in text


def test_tensors_that_share_memory() -> None:
    """Two names for one array: the race is between the bytes."""
    whole = np.zeros(16, np.float32)
    streams = (
        stream("vector", memset(0, rest="update <sem 0 add 1>"))
        + stream(
            "sync", dma('hbm "a" at 0, [1 x 4], f32', ROW.format(0), "wait <sem 0 reaches 1> update <sem 1 add 16>")
        )
        + stream("gpsimd", dma(ROW.format(64), 'hbm "b" at 8, [1 x 4], f32', "WAIT"))
    )
    tensors = "a: memref<16xf32>; b: memref<16xf32>"
    unordered = streams.replace("WAIT", "")
    assert errors(unordered, tensors, whole, whole)[0] == "race"
    clean(streams.replace("WAIT", "wait <sem 1 reaches 16>"), tensors, whole, whole)
    clean(unordered, tensors, whole, np.zeros(16, np.float32))


def test_races_are_told_before_what_they_lead_to() -> None:
    kind, text = errors(stream("vector", memset(0)) + stream("scalar", relu(64, 0)))
    first, *_, last = text.splitlines()
    assert kind == "race" and first.startswith("race:") and last.endswith("bytes 0..15, which were never written")


# PSUM.


def matmuls(flags: str, evict_after: str) -> str:
    """Three matmuls into one place, each with its accumulate flag; Vector reads where `evict_after` has the number."""
    operands = "".join(memset(at, 4, "update <sem 0 add 1>", "0:4") for at in (0, 64))
    body = (
        "neuron.isa.load_stationary stationary <sbuf[0:4] at 0, [1 x 4], f32> wait <sem 0 reaches 2>"
        " update <sem 1 add 1>\n"
    )
    reads = ""
    for index, flag in enumerate(flags):
        evicted = sum(str(k) in evict_after for k in range(index))
        body += (
            f"neuron.isa.multiply_moving accumulate <{flag}> dst <psum[0:4] at 0, [1 x 4], f32>"
            f" moving <sbuf[0:4] at 64, [1 x 4], f32> wait <sem 2 reaches {evicted}> update <sem 1 add 1>\n"
        )
        if str(index) in evict_after:
            reads += (
                f"neuron.isa.tensor_copy dst <sbuf[0:4] at {128 + 16 * index}, [1 x 4], f32>"
                f" src <psum[0:4] at 0, [1 x 4], f32> wait <sem 1 reaches {index + 2}> update <sem 2 add 1>\n"
            )
    return stream("tensor", body) + stream("gpsimd", operands) + stream("vector", reads)


def test_groups() -> None:
    for flags, evict_after in (("011", "2"), ("010", "12"), ("000", "012"), ("011", "")):
        clean(matmuls(flags, evict_after))
    for flags, evict_after in (("001", "2"), ("010", "2"), ("000", "02")):
        kind, text = errors(matmuls(flags, evict_after))
        assert kind == "psum", (flags, evict_after)
        assert "which multiply_moving on tensor wrote and nothing has read" in text
    for flags, evict_after in (("011", "1"), ("011", "02"), ("001", "12")):
        kind, text = errors(matmuls(flags, evict_after))
        assert kind == "psum", (flags, evict_after)
        assert "multiply_moving on tensor accumulates onto PSUM, partitions 0..3, bytes 0..15" in text
        assert "which tensor_copy on vector has read since the group began" in text
    assert errors(matmuls("111", "2"))[0] == "psum"


# Buffers.

TABLE = """
neuron.isa.buffer "a" "sbuf" partitions 1 at 0 bytes 16 slots 2 used 0 to 4 loc("k.py":1:1)
neuron.isa.buffer "b" "sbuf" partitions 1 at {} bytes 16 slots 1 used {} to 9 loc("k.py":2:1)
"""


def with_table(place: tuple[int, int], body: str) -> str:
    text = f"builtin.module {{\nneuron.isa.program @test {{\n{TABLE.format(*place)}"
    return f"{text}neuron.isa.core 0 {{\n{stream('vector', body)}}}\n}}\n}}"


def run_text(text: str) -> None:
    from executor.machine_code import parse

    execute(parse(text), [])


def test_buffers_alive_together_lie_apart() -> None:
    run_text(with_table((32, 0), memset(0)))
    run_text(with_table((16, 5), memset(0)))
    with pytest.raises(ExecutionError) as found:
        run_text(with_table((16, 4), memset(0)))
    assert found.value.kind == "overlap"
    assert str(found.value) == (
        'overlap: buffers "a" (k.py:1) and "b" (k.py:2) are both in use from 4 to 4 of the program\'s order, and both'
        " have sbuf bytes 16..31 of partitions 0..0"
    )


def test_accesses_stay_inside_a_slot() -> None:
    run_text(with_table((32, 0), memset(16, 4)))
    with pytest.raises(ExecutionError, match=r'bytes 4..19 .* reaches over the edge of buffer "a" \(k.py:1\)') as found:
        run_text(with_table((32, 0), memset(4, 4)))
    assert found.value.kind == "bounds"
    with pytest.raises(ExecutionError, match="lies in no buffer"):
        run_text(with_table((32, 0), memset(64, 4)))


LANES = """
neuron.isa.buffer "a" "sbuf" partitions 32 from 32 at 0 bytes 16 slots 2 stride 32 used 0 to 4 loc("k.py":1:1)
neuron.isa.buffer "b" "sbuf" partitions {} at {} bytes 16 slots 2 stride 32 used 0 to 4 loc("k.py":2:1)
"""


def with_lanes(partitions: str, address: int) -> str:
    return f"builtin.module {{\nneuron.isa.program @test {{\n{LANES.format(partitions, address)}}}\n}}"


def test_buffers_side_by_side_and_between_slots() -> None:
    for partitions, address in (("32", 0), ("64 from 64", 0), ("128", 16), ("32 from 32", 64)):
        run_text(with_lanes(partitions, address))
    for partitions, address, where in (
        ("32 from 32", 0, "0..15 of partitions 32..63"),
        ("64", 0, "0..15 of partitions 32..63"),
        ("128", 8, "8..15 of partitions 32..63"),
        ("128", 40, "40..47 of partitions 32..63"),
    ):
        with pytest.raises(ExecutionError, match=f"sbuf bytes {where}") as found:
            run_text(with_lanes(partitions, address))
        assert found.value.kind == "overlap"


def test_accesses_stay_inside_the_partitions_of_a_buffer() -> None:
    table = LANES.format("32 from 96", 0)
    head = f"builtin.module {{\nneuron.isa.program @test {{\n{table}neuron.isa.core 0 {{\n"
    item = "neuron.isa.memset value 1.0 : f32 dst <sbuf[{}] at 32, [1 x 4], f32>"
    run_text(f"{head}{stream('vector', item.format('32:64'))}}}\n}}\n}}")
    for lanes, what in (
        ("0:32", "lies in no buffer"),
        ("64:96", "lies in no buffer"),
        ("0:64", 'the edge of buffer "a" .* partitions 32..63'),
        ("0:128", 'the edge of buffer "a" .* partitions 32..63'),
    ):
        with pytest.raises(ExecutionError, match=what):
            run_text(f"{head}{stream('vector', item.format(lanes))}}}\n}}\n}}")


# Boxes.


@dataclass
class Piece:
    rows: tuple[int, int]
    origin: int
    dims: list[tuple[int, int]]
    comb: Comb

    def bytes(self) -> Iterator[tuple[int, int]]:
        offsets = {self.origin}
        for step, count in self.dims:
            offsets = {o + step * k for o in offsets for k in range(count)}
        first, last = self.rows
        kept = [row for row in range(first, last) if (row - first) % self.comb.every < self.comb.width]
        yield from ((row, o) for row in kept for o in offsets)


pieces = st.builds(
    lambda first, rows, origin, dims, item, comb: Piece((first, first + rows), origin, [*dims, (1, item)], comb),
    st.integers(0, 9),
    st.integers(1, 12),
    st.integers(0, 40),
    st.lists(st.tuples(st.integers(-12, 12), st.integers(1, 4)), max_size=3),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([WHOLE, Comb(2), Comb(4, 2), Comb(5, 1)]),
)


@settings(max_examples=300)
@given(st.lists(pieces, min_size=2, max_size=6))
def test_boxes_meet_where_they_share_a_byte(found: list[Piece]) -> None:
    boxes = Boxes()
    made: list[Box] = [boxes.box(p.rows, p.origin, p.dims, p.comb) for p in found]
    for a, box in zip(found, made, strict=True):
        for b, other in zip(found, made, strict=True):
            shared = set(a.bytes()) & set(b.bytes())
            assert (other in box.meets) == bool(shared)
            if shared and box is not other:
                low, high = common(box, other) or (0, 0)
                assert high > low and {byte for _, byte in shared} >= set(range(low, high))
