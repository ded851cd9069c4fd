"""Modelled time of array tiles and modes, of descriptor generation, and of transfers that do more than move
(docs/hardware.md)."""

from __future__ import annotations

import numpy as np
import pytest
from executor.test_time import X, duration, fixed, interval, matmuls, moved, run, slices, stream, transfer

from nki_mlir.executor import RunResult
from nki_mlir.targets import load
from nki_mlir.targets.evidence import changed, using

pytestmark = pytest.mark.usefixtures("warm")

# Tensor.


def on_tiles(areas: list[tuple[int, int]], size: int, columns: int = 512) -> RunResult:
    """A load and a multiplication of bf16 on each of some tiles of the array."""
    lines: list[str] = []
    for k, (row, column) in enumerate(areas):
        tile = f"tile_position [{row}, {column}] tile_size [{size}, {size}]"
        inputs = f"<sbuf[{row}:{row + size}] at {{}}, [1 x {{}}], bf16>"
        dst = f"<psum[{column}:{column + size}] at {2048 * k}, [1 x {columns}], f32>"
        lines.append(f"load_stationary {tile} stationary {inputs.format(0, size)}")
        lines.append(f"multiply_moving {tile} dst {dst} moving {inputs.format(1024, columns)}")
    return run(stream("tensor", *lines), "trn2")


def test_tiles_work_at_the_same_time() -> None:
    """Four products on a diagonal of small tiles end little later than one; on one tile they follow each other."""
    one = on_tiles([(0, 0)], 32).modelled_us
    diagonal = on_tiles([(0, 0), (32, 32), (64, 64), (96, 96)], 32).modelled_us
    row = on_tiles([(0, 0)] * 4, 32).modelled_us
    assert diagonal == pytest.approx(one, abs=0.001)
    assert row - one == pytest.approx(3 * (512 + 6) / 2400, rel=0.001)


def test_the_whole_array_waits_for_its_tiles() -> None:
    """Weights may come in behind the tile's stream; the stream itself waits."""
    result = on_tiles([(0, 0), (64, 64), (0, 0)], 64)
    whole = on_tiles([(0, 0)], 128)
    lines = [
        "load_stationary tile_position [0, 0] tile_size [64, 64] stationary <sbuf[0:64] at 0, [1 x 64], bf16>",
        "multiply_moving tile_position [0, 0] tile_size [64, 64] dst <psum[0:64] at 0, [1 x 512], f32>"
        " moving <sbuf[0:64] at 1024, [1 x 512], bf16>",
        "load_stationary stationary <sbuf[0:128] at 0, [1 x 128], bf16>",
        "multiply_moving dst <psum[0:128] at 2048, [1 x 512], f32> moving <sbuf[0:128] at 1024, [1 x 512], bf16>",
    ]
    first, second = slices(run(stream("tensor", *lines), "trn2"), "tensor", "multiply_moving")
    assert second.start_ns - first.start_ns == pytest.approx((512 + 6) / 2.4)
    assert result.modelled_us < 2.2 * whole.modelled_us


@pytest.mark.parametrize("hint", ["is_stationary_onezero", "is_moving_onezero"])
def test_a_one_zero_hint_halves_fp32(hint: str) -> None:
    """One of the two load-multiply pairs is dropped."""
    plain = matmuls("f32", 512, 8)
    hinted = plain.replace("load_stationary", f"load_stationary {hint}").replace("moving dst", f"moving {hint} dst")
    times = [interval(slices(run(text, "trn2"), "tensor", "multiply_moving")) for text in (plain, hinted)]
    assert times[1] == pytest.approx(times[0] / 2)
    short = matmuls("bf16", 512, 8)
    hinted = short.replace("load_stationary", f"load_stationary {hint}").replace("moving dst", f"moving {hint} dst")
    assert run(hinted, "trn2").modelled_us == run(short, "trn2").modelled_us


IDENTITY = """
neuron.isa.stream gpsimd {
  neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 8192, [1 x 128], f32> update <sem 0 add 1>
  neuron.isa.affine_select on_false_value 1.0 : f32 pattern [-1, 128] offset 0 channel_multiplier 1 cmp_op not_equal
    dst <sbuf[0:128] at 8192, [1 x 128], f32> on_true_tile <sbuf[0:128] at 8192, [1 x 128], f32>
    wait <sem 0 reaches 1> update <sem 1 add 1>
}
"""


def test_fp32_transposes_take_half_of_a_matmul() -> None:
    """From NeuronCore-v3 on."""
    plain = matmuls("f32", 128, 8)
    passing = plain.replace("load_stationary", "load_stationary is_transpose")
    passing = passing.replace("moving dst", "moving is_transpose dst")
    passing = passing.replace("tensor {", "tensor { neuron.isa.event_semaphore wait <sem 1 reaches 1>")
    found, whole = (slices(run(text, "trn2"), "tensor", "multiply_moving") for text in (IDENTITY + passing, plain))
    assert interval(found) == pytest.approx(interval(whole) / 2)


def test_double_rows_take_the_time_of_single_ones() -> None:
    """Twice the contraction of bf16 in the same cycles."""
    lines = [
        'load_stationary perf_mode "double_row" stationary <sbuf[0:128] at 0, [128 x 2, 1 x 128], f8E4M3>',
        'multiply_moving perf_mode "double_row" dst <psum[0:128] at 0, [1 x 512], f32>'
        " moving <sbuf[0:128] at 256, [512 x 2, 1 x 512], f8E4M3>",
    ] * 8
    found = slices(run(stream("tensor", *lines), "trn2"), "tensor", "multiply_moving")
    assert interval(found) == pytest.approx((512 + 6) / 2.4)


# Descriptors.


def test_software_descriptors_take_gpsimds_time() -> None:
    """128 rows: 0.58 us of GpSimd with the trigger of 8 ns; then the transfer starts as a static one does."""
    prepare = 128 * load("trn2").dma.swdge_row_ns
    assert prepare + 8 == pytest.approx(581, rel=0.01)
    line = transfer(2048).replace("queue 0", 'queue 0 dge_mode "swdge"')
    software = moved("trn2", line, engine="gpsimd")
    static = moved("trn2", transfer(2048), engine="gpsimd")
    assert duration(slices(software, "gpsimd")[0]) == pytest.approx(prepare + load("trn2").dma.swdge_trigger_ns)
    delay = slices(software, "dma gpsimd q0")[0].start_ns - slices(static, "dma gpsimd q0")[0].start_ns
    assert delay == pytest.approx(prepare)


def hwdge(nbytes: int, queue: int = 0) -> str:
    return transfer(nbytes, queue=queue).replace(f"queue {queue}", f'queue {queue} dge_mode "hwdge"', 1)


def test_addresses_at_run_time_double_the_time_of_software() -> None:
    line = transfer(2048).replace("queue 0", 'queue 0 dge_mode "swdge"')
    offset = line.replace('hbm "x" at 0', 'hbm "x" at r0')
    known, late = (slices(moved("trn2", text, engine="gpsimd"), "gpsimd")[0] for text in (line, offset))
    assert duration(late) - 8 == pytest.approx(2 * (duration(known) - 8))


def test_hardware_descriptors_that_rings_have_no_room_for() -> None:
    """3130 packets of some 750 bytes keep the engine 5738 ns, 535 of them 540."""
    few, many = (
        f'dma_copy queue 0 dge_mode "hwdge" dst <sbuf[0:{rows}] at 0, [1 x {750 * pieces}], ui8>'
        f' src <hbm "x" at 0, [30000 x {rows}, 800 x {pieces}, 1 x 750], ui8>'
        for rows, pieces in ((107, 5), (125, 25))
    )
    for line, ns in ((few, 540), (many, 5738)):
        assert duration(slices(moved("trn3", line), "sync")[0]) == pytest.approx(ns, rel=0.02)


def test_hardware_descriptors_keep_their_engine() -> None:
    """470 ns and 0.55 for each of 128 packets, and 50 until the next one, whatever the queue; data move afterwards."""
    result = moved("trn2", hwdge(64), hwdge(64, 1), hwdge(64, 2))
    starts = [slices(result, f"dma sync q{q}")[0].start_ns for q in range(3)]
    assert np.diff(starts) == pytest.approx([590.4, 590.4])
    assert [s.start_ns for s in slices(result, "sync")] == pytest.approx([0, 590.4, 1180.8])
    assert starts[0] == pytest.approx(540.4 + 750)
    both = moved("trn2", hwdge(64), more=stream("scalar", hwdge(64).replace("at 0, [1 x 64]", "at 64, [1 x 64]")))
    assert slices(both, "dma scalar q0")[0].start_ns == slices(both, "dma sync q0")[0].start_ns


def test_transfers_of_a_higher_class_go_first() -> None:
    """On NeuronCore-v4: a long transfer stands still while a short one of class 0 moves, and names no class itself."""
    long, short = transfer(16384), transfer(2048, queue=1)
    first = short.replace("queue 1", "queue 1 priority 0")
    shared, ahead = moved("trn3", long, short), moved("trn3", long, first)
    alone = duration(slices(moved("trn3", transfer(2048)), "dma sync q0")[0])
    assert duration(slices(ahead, "dma sync q1")[0]) == pytest.approx(alone)
    assert duration(slices(shared, "dma sync q1")[0]) > 1.5 * alone
    assert slices(ahead, "dma sync q0")[0].end_ns == pytest.approx(slices(shared, "dma sync q0")[0].end_ns)


# Rates.


def data_time(target: str, line: str, engine: str = "sync") -> float:
    return duration(slices(moved(target, line, engine=engine), f"dma {engine} q0")[0]) - fixed(target)


@pytest.mark.parametrize("target, factor", [("trn1", 2), ("trn2", 2), ("trn3", 1)])
def test_sums_take_twice_the_time_of_copies(target: str, factor: float) -> None:
    """Before NeuronCore-v4, which adds to SBUF at the full rate."""
    add = transfer(4096).replace("queue 0", "queue 0 dst_rmw_op add")
    assert data_time(target, add) == pytest.approx(factor * data_time(target, transfer(4096)))


def test_a_sum_reads_its_sources_one_after_the_other() -> None:
    tile = "<sbuf[0:128] at {}, [1 x 1024], f32>"
    sources = " ".join(f"src{k} {tile.format(4096 * (k + 1))}" for k in range(3))
    line = f"dma_compute queue 0 reduce_op add dst {tile.format(0)} {sources}"
    assert data_time("trn2", line) == pytest.approx(3 * 2 * data_time("trn2", transfer(4096)))


def transposed(src: str) -> str:
    return f"dma_transpose queue 0 dst <sbuf[0:128] at 0, [1 x 128], bf16> src {src}"


@pytest.mark.parametrize(
    "src, factor",
    [('<hbm "x" at 0, [128 x 128, 1 x 128], bf16>', 0.9), ("<sbuf[0:128] at 1024, [1 x 128], bf16>", 0.5)],
)
def test_transposes(src: str, factor: float) -> None:
    """0.9 of a copy's rate from HBM, half of it from SBUF, on all 16 engines; single elements on NeuronCore-v2."""
    copied = 'dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 128], bf16> src <hbm "x" at 0, [1 x 16384], bf16>'
    tensor = X.replace("4194304xui8", "16384xbf16")
    zeros = np.zeros(16384, np.dtype("bfloat16"))

    def time(target: str, line: str) -> float:
        return duration(slices(run(stream("sync", line), target, tensor, zeros), "dma sync q0")[0]) - fixed(target)

    with using(changed(load("trn2"), {"dma.part_ns": 0.0})):
        assert time("trn2", transposed(src)) == pytest.approx(time("trn2", copied) / factor)
    assert time("trn1", transposed(src)) == pytest.approx(8 * 128 * load("trn1").dma.run_ns)


def test_every_row_of_a_gather_is_a_piece() -> None:
    """Rows that lie side by side are not one run: indices could have chosen others."""
    lines = [
        "memset value 0 dst <sbuf[0:128] at 1024, [1 x 1], i32> update <sem 0 add 1>",
        'dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 4], ui8> src <hbm "x" at 0, [4 x 128, 1 x 4], ui8>'
        " vector_offset <sbuf[0:128] at 1024, [1 x 1], i32> wait <sem 0 reaches 1>",
    ]
    with using(changed(load("trn2"), {"dma.part_ns": 0.0})):
        (data,) = slices(moved("trn2", *lines, engine="gpsimd"), "dma gpsimd q0")
    assert duration(data) - fixed("trn2") == pytest.approx(8 * load("trn2").dma.run_ns)
