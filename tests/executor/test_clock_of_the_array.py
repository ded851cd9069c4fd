"""The rate of the Tensor engine's array (docs/hardware.md#rate-of-the-array), and who gets a port that two wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from executor.test_time import duration, interval, matmuls, run, slices, stream

from nki_mlir.costs.instructions import odd_rows_ns
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.executor.tensor_array import Clock
from nki_mlir.targets import load


def test_work_warms_the_array_up() -> None:
    """4.4 us of it, whatever pauses are shorter than the work between them."""
    clock = Clock(load("trn2"))
    now = 0.0
    while clock.factor(now) == 2:
        clock.worked(now + 400, 400)
        now += 500
    assert now == pytest.approx(500 * 4400 / 300, abs=600)
    assert Clock(load("trn1")).factor(0.0) == 1


@pytest.mark.parametrize("pause, factor", [(3000, 1), (3500, 2)])
def test_idling_cools_it_down(pause: float, factor: float) -> None:
    """Within a window of 3413 ns."""
    clock = Clock(load("trn2"))
    clock.factor(0.0)
    clock.worked(10_000, 10_000)
    assert clock.factor(10_000 + pause) == factor


@pytest.mark.parametrize("kind, passes", [("bf16", 1), ("f32", 2)])
def test_a_cold_array_streams_at_half_rate(kind: str, passes: int) -> None:
    """Without gaps: 427 and 853 ns a half-pass were measured; warm, 218 and 432, or 429."""
    found = slices(run(matmuls(kind, 512, 40), "trn2"), "tensor", "multiply_moving")
    cold = (found[2].start_ns - found[1].start_ns) / passes
    warm = (found[-1].start_ns - found[-2].start_ns) / passes
    halves = passes * 2 if passes > 1 else 1
    assert cold == pytest.approx(2 * 512 * halves / passes / 2.4)
    assert warm == pytest.approx((512 * halves / passes + 6) / 2.4)


def test_transposes_and_loads_of_a_cold_array() -> None:
    transpose = "nc_transpose dst <psum[0:128] at {}, [1 x 128], bf16> data <sbuf[0:128] at 0, [1 x 128], bf16>"
    lines = [transpose.format(2048 * (i % 8)) for i in range(80)]
    found = slices(run(stream("tensor", *lines), "trn2"), "tensor")
    assert found[2].start_ns - found[1].start_ns == pytest.approx(2 * 128 / 2.4)
    assert found[-1].start_ns - found[-2].start_ns == pytest.approx((128 + 3) / 2.4)
    cold, *_ = slices(run(matmuls("f32", 512, 2), "trn2"), "tensor", "load_stationary")
    assert duration(cold) == pytest.approx(2 * 2 * 2 * 128 / 2.4 + 85)


@pytest.mark.parametrize("columns, factor", [(64, 1), (14, 2)])
def test_few_columns_leave_the_array_cold(columns: int, factor: float) -> None:
    """Products of 14 columns were seen at half rate as long as they went on, one every 62 ns."""
    found = slices(run(matmuls("bf16", columns, 200), "trn2"), "tensor", "multiply_moving")
    gap = 6 if factor == 1 else 0
    assert found[-1].start_ns - found[-2].start_ns == pytest.approx((74 * factor + gap) / 2.4)


def moving(kind: str, dims: tuple[tuple[int, int], ...]) -> Instance:
    """A multiply_moving of rows."""
    columns = dims[0][1] * dims[-1][1]
    source = Access(Space.SBUF, by_name(kind).type, dims, 0, 128, Expr(0))
    dst = Access(Space.PSUM, by_name("float32").type, ((1, columns),), 0, 128, Expr(0))
    fields = {f.name: None for f in BY_NAME["multiply_moving"].fields}
    return Instance(BY_NAME["multiply_moving"], Engine.TENSOR, {"dst": dst, "moving": source}, fields, load("trn2"))


def test_rows_at_odd_elements() -> None:
    """30 rows of 14: 202.5 ns were measured against 177.5."""
    rows = moving("float16", ((16, 30), (1, 14)))
    assert odd_rows_ns(rows) == pytest.approx(60 / 2.4)
    assert odd_rows_ns(moving("float32", ((16, 30), (1, 14)))) == 0
    assert odd_rows_ns(replace(rows, target=load("trn1"))) == 0


@pytest.mark.parametrize("address, slower", [(0, 0.0), (2, 25.0), (4, 0.0)])
@pytest.mark.usefixtures("warm")
def test_where_rows_begin_is_known_when_they_are_read(address: int, slower: float) -> None:
    pair = [
        "load_stationary stationary <sbuf[0:128] at 8192, [1 x 128], f16>",
        f"multiply_moving dst <psum[0:128] at 0, [1 x 420], f32> moving <sbuf[0:128] at {address}, [16 x 30, 1 x 14], f16>",
    ]
    found = slices(run(stream("tensor", *pair * 6), "trn2"), "tensor", "multiply_moving")
    assert interval(found) == pytest.approx((420 + 6) / 2.4 + slower)


def test_who_waits_for_a_port_goes_first() -> None:
    """Scalar, which always has another instruction, does not keep Vector from a memory that both want."""
    copy = "tensor_copy dst <sbuf[0:128] at 0, [1 x 512], f32> src <psum[0:128] at 0, [1 x 512], f32>"
    act = "activation op copy dst <sbuf[0:128] at 4096, [1 x 512], f32> data <psum[0:128] at 0, [1 x 512], f32>"
    result = run(stream("scalar", *[act] * 10) + stream("vector", *[copy] * 10), "trn1")
    vector = slices(result, "vector")
    scalar = slices(result, "scalar")
    assert vector[-1].start_ns < scalar[-1].start_ns + 1000
    assert [s.start_ns for s in vector[:3]] < [s.start_ns for s in scalar[1:4]]


def test_gpsimd_clears_psum() -> None:
    """From v3 on, by memset alone."""
    dst = Access(Space.PSUM, by_name("float32").type, ((1, 512),), 0, 128, Expr(0))
    memset = Instance(BY_NAME["memset"], Engine.GPSIMD, {"dst": dst}, {"value": 0.0}, load("trn2"))
    assert check(memset) is None
    assert "gpsimd cannot access PSUM" in str(check(replace(memset, target=load("trn1"))))
