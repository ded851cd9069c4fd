"""Instructions of the GpSimd engine alone, against formulae written element by element."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from executor.cases import ANY, INTEGERS, Layout, check, layouts, quick, seeds, types
from executor.machine_code import NUMPY, WIDTH, Array, narrow, program, single, widen
from hypothesis import assume, given
from hypothesis import strategies as st
from samples import tile

from nki_mlir.costs.instructions import work_cycles
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.instructions import BY_NAME, Instance
from nki_mlir.dialects.instructions import check as illegal
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.targets import load

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
GPSIMD = Engine.GPSIMD
groups_of_16 = layouts((16, 32, 64, 128))


# Partition reduction.


@quick
@given(st.data(), layouts(), types, types, st.sampled_from([Alu.ADD, Alu.MAXIMUM, Alu.AVERAGE]), seeds)
def test_tensor_partition_reduce(data: st.DataObject, at: Layout, to: str, source: str, alu: Alu, seed: int) -> None:
    operands = {"dst": at.place(to, (at.free,), 1, True), "data": at.place(source, at.counts, at.partitions, False)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        rows = widen(tiles["data"])
        result = rows[:1]
        for row in rows[1:]:
            result = np.where(np.isnan(row) | (row > result), row, result)
        if alu is not Alu.MAXIMUM:
            result = rows.astype(np.float64).sum(0, keepdims=True) / (1 if alu is Alu.ADD else at.partitions)
        return {"dst": narrow(result, operands["dst"].element_type)}

    # Sums differ in their last bits, so that a rounding to a shorter type may go to the next value.
    close = 0 if alu is Alu.MAXIMUM else 1e-3 if to in ("float32", "tfloat32") else 1
    fields, exact = {"op": alu}, alu is Alu.MAXIMUM
    check("tensor_partition_reduce", GPSIMD, operands, fields, seed, expected, specials=exact, close=close)


@quick
@given(layouts(), st.sampled_from(INTEGERS), st.sampled_from([Alu.BITWISE_AND, Alu.BITWISE_OR]), seeds)
def test_bitwise_partition_reduce(at: Layout, kind: str, alu: Alu, seed: int) -> None:
    operands = {"dst": at.place(kind, (at.free,), 1, True), "data": at.place(kind, at.counts, at.partitions, False)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = tiles["data"][0].astype(object)
        for row in tiles["data"][1:].astype(object):
            result = result & row if alu is Alu.BITWISE_AND else result | row
        return {"dst": result.astype(NUMPY[kind])[None]}

    check("tensor_partition_reduce", GPSIMD, operands, {"op": alu}, seed, expected)


def test_iota_counts_in_32_bits() -> None:
    sbuf, psum = np.zeros((128, WIDTH), np.uint8), np.zeros((128, WIDTH), np.uint8)
    fields = {"pattern": (1, 3), "offset": 2**31 - 2, "channel_multiplier": 0}
    single("iota", GPSIMD, {"dst": tile("int32", 1, 3)}, fields, sbuf, psum)
    assert sbuf[0, :12].view(np.int32).tolist() == [2**31 - 2, 2**31 - 1, -(2**31)]


# Gathers.


@quick
@given(st.data(), groups_of_16, st.sampled_from(ANY), st.sampled_from([1, 2, 4, 8]), seeds)
def test_local_gather(data: st.DataObject, at: Layout, kind: str, width: int, seed: int) -> None:
    """The example of the reference, written out: column after column of a group's indices, partitions first."""
    columns = data.draw(st.integers(1, 2))
    elements = data.draw(st.integers(width, 32))
    limit = min(16 * columns, 256 // (2 * width * dtype(by_name(kind).type).bytes))
    valid = data.draw(st.integers(1, max(1, limit)))
    explicit = valid < 16 * columns or data.draw(st.booleans())
    operands = {
        "src_buffer": at.place(kind, (elements,), at.partitions, False),
        "index": at.place("uint16", (columns,), at.partitions, False),
        "dst": at.place(kind, (valid, width), at.partitions, True),
    }
    shape = (at.partitions, columns)
    index = np.random.default_rng(seed).integers(0, elements - width + 1, shape).astype(np.uint16)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = np.zeros((at.partitions, valid * width), NUMPY[kind])
        for p in range(at.partitions):
            first = p - p % 16
            for k in range(valid):
                start = int(tiles["index"][first + k % 16, k // 16])
                result[p, k * width : (k + 1) * width] = tiles["src_buffer"][p, start : start + width]
        return {"dst": result}

    fields: dict[str, Any] = {"num_elem_per_idx": width, "num_valid_indices": valid if explicit else None}
    # An index that is broadcast has only one column's values.
    given_index = {"index": index if columns == 1 or operands["index"].dims[0][0] else index[:, :1].repeat(columns, 1)}
    check("local_gather", GPSIMD, operands, fields, seed, expected, given=given_index)


@quick
@given(st.data(), layouts(), st.sampled_from(ANY), seeds)
def test_nc_n_gather(data: st.DataObject, at: Layout, kind: str, seed: int) -> None:
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 8))
    operands = {
        "dst": at.full(kind, True),
        "data": at.place(kind, (rows, columns), at.partitions, False),
        "indices": at.full("uint32"),
    }
    indices = np.random.default_rng(seed).integers(0, rows * columns, (at.partitions, at.free)).astype(np.uint32)
    if any(step == 0 for step, _ in operands["indices"].dims):
        indices = np.full_like(indices, rows * columns - 1)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = np.zeros((at.partitions, at.free), NUMPY[kind])
        for p, j in np.ndindex(result.shape):
            result[p, j] = tiles["data"][p, tiles["indices"][p, j]]
        return {"dst": result}

    check("nc_n_gather", GPSIMD, operands, {}, seed, expected, given={"indices": indices})


GATHERS = {
    "local_gather": (
        {"dst": tile("float32", 16, 32), "src_buffer": tile("float32", 16, 40), "index": tile("uint16", 16, 1)},
        {"num_elem_per_idx": 2},
        39,
        40,
    ),
    "nc_n_gather": (
        {"dst": tile("float32", 16, 1), "data": tile("float32", 16, 5, 8), "indices": tile("uint32", 16, 1)},
        {},
        40,
        40,
    ),
}


@pytest.mark.parametrize("name", GATHERS)
def test_indices_lie_inside(name: str) -> None:
    """The last index that is one too many is reported by name, and the one before is not."""
    operands, fields, outside, elements = GATHERS[name]
    places = {
        key: tile(dtype(a.element_type).name, 16, *[count for _, count in a.dims], address=256 * k)
        for k, (key, a) in enumerate(operands.items())
    }
    sbuf, psum = np.zeros((128, WIDTH), np.uint8), np.zeros((128, WIDTH), np.uint8)
    index = places.get("index") or places["indices"]
    word = np.uint16 if index.itemsize == 2 else np.uint32
    column = sbuf[:16, 512 : 512 + index.itemsize].view(word)
    column[3] = outside - 1
    single(name, GPSIMD, places, fields, sbuf, psum)
    sbuf[:16, 512 : 512 + index.itemsize].view(word)[3] = outside
    with pytest.raises(ExecutionError) as error:
        single(name, GPSIMD, places, fields, sbuf, psum)
    wanted = f"{name} on gpsimd: index {outside + (name == 'local_gather')} lies outside the {elements} elements per"
    assert wanted in str(error.value)
    assert error.value.kind == "bounds"


# Searches.


@quick
@given(st.lists(st.integers(0, 3), min_size=1, max_size=24), *[st.sampled_from(["float32", "int32"])] * 2)
def test_sequence_bounds(ids: list[int], source: str, to: str) -> None:
    n = len(ids)
    operands = {"dst": tile(to, 1, 2, n, address=256), "segment_ids": tile(source, 1, n)}

    def expected(_: dict[str, Array]) -> dict[str, Array]:
        first, last = list(range(n)), list(range(1, n + 1))
        for i in range(n):
            while first[i] > 0 and ids[first[i] - 1] == ids[i]:
                first[i] -= 1
            while last[i] < n and ids[last[i]] == ids[i]:
                last[i] += 1
            if ids[i] == 0:
                first[i], last[i] = n, -1
        return {"dst": np.array([first + last], NUMPY[to])}

    values = {"segment_ids": np.array([ids], NUMPY[source])}
    check("sequence_bounds", GPSIMD, operands, {}, 0, expected, given=values)


@pytest.mark.parametrize("wrong", [-1.0, 0.5, np.nan])
def test_segment_ids_are_counts(wrong: float) -> None:
    sbuf, psum = np.zeros((128, WIDTH), np.uint8), np.zeros((128, WIDTH), np.uint8)
    sbuf[0, :12].view(np.float32)[:] = 1, wrong, 2
    operands = {"dst": tile("int32", 1, 2, 3, address=256), "segment_ids": tile("float32", 1, 3)}
    with pytest.raises(ExecutionError, match="sequence_bounds on gpsimd: segment ids are non-negative integers"):
        single("sequence_bounds", GPSIMD, operands, {}, sbuf, psum)


@quick
@given(
    st.data(),
    layouts((1, 16, 17, 32, 40, 100, 128)),
    st.sampled_from(["float32", "int32"]),
    st.integers(-100, 2**31 - 40),
    st.integers(-(2**31), 2**31 - 1),
    seeds,
)
def test_nonzero_with_count(data: st.DataObject, at: Layout, kind: str, offset: int, padding: int, seed: int) -> None:
    """Every 16th partition; the others keep what they have."""
    assume(at.free < 32)
    operands = {
        "dst": at.place("int32", (at.free + 1,), at.partitions, True),
        "src": at.place(kind, at.counts, at.partitions, False),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = tiles["dst"].copy()
        for p in range(0, at.partitions, 16):
            found = [k + offset for k, value in enumerate(tiles["src"][p]) if value != 0]
            result[p] = [*found, *[padding] * (at.free - len(found)), len(found)]
        return {"dst": result}

    fields = {"index_offset": offset, "padding_val": padding}
    check("nonzero_with_count", GPSIMD, operands, fields, seed, expected, "trn2")


def test_nonzero_with_count_reads_and_writes_every_16th_partition_only() -> None:
    """What lies between need not be written before, and does not count as written after."""
    streams = """
    neuron.isa.stream vector {{
      neuron.isa.memset value 1 dst <sbuf[0:1] at 0, [1 x 4], i32> update <sem 0 add 1>
      neuron.isa.memset value 1 dst <sbuf[64:65] at 0, [1 x 4], i32> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:1] at 256, [1 x 5], i32> src <sbuf[{row}:{end}] at 64, [1 x 5], i32>
        wait <sem 1 reaches 1>
    }}
    neuron.isa.stream gpsimd {{
      neuron.isa.memset value 0 dst <sbuf[32:33] at 0, [1 x 4], i32> update <sem 2 add 1>
      neuron.isa.memset value 0 dst <sbuf[96:97] at 0, [1 x 4], i32> wait <sem 0 reaches 2> update <sem 2 add 1>
      neuron.isa.nonzero_with_count index_offset 0 padding_val -1 dst <sbuf[{start}:{start}] at 64, [1 x 5], i32>
        src <sbuf[{start}:{start}] at 0, [1 x 4], i32> wait <sem 2 reaches 2> update <sem 1 add 1>
    }}"""
    covering = streams.replace("{start}:{start}", "64:80")
    execute(program(covering.format(row=64, end=65), target="trn2"), [])
    with pytest.raises(ExecutionError, match=r"src reads SBUF, partition 32, bytes 64\.\.83, which were never written"):
        execute(program(covering.format(row=32, end=33), target="trn2"), [])
    both = streams.replace("{start}:{start}", "0:64")
    with pytest.raises(ExecutionError, match=r"src reads SBUF, partition 16, bytes 0\.\.15, which were never written"):
        execute(program(both.format(row=0, end=1), target="trn2"), [])


@pytest.mark.parametrize("row", [0, 1, 31, 32, 48])
def test_nonzero_with_count_races_on_its_partitions_only(row: int) -> None:
    """A transfer to one partition of dst at the same time."""
    streams = f"""
    neuron.isa.stream vector {{
      neuron.isa.memset value 1 dst <sbuf[0:128] at 0, [1 x 4], i32> update <sem 0 add 1>
      neuron.isa.event_semaphore wait <sem 0 reaches 1> update <sem 1 add 1>
    }}
    neuron.isa.stream gpsimd {{
      neuron.isa.nonzero_with_count index_offset 0 padding_val -1 dst <sbuf[0:128] at 64, [1 x 5], i32>
        src <sbuf[0:128] at 0, [1 x 4], i32> wait <sem 1 reaches 1>
    }}
    neuron.isa.stream sync {{
      neuron.isa.dma_copy queue 0 dst <sbuf[{row}:{row + 1}] at 64, [1 x 4], i32>
        src <hbm "x" at 0, [1 x 4], i32>
    }}"""
    module = program(streams, "x: memref<4xi32>", "trn2")
    if row % 16:
        execute(module, [np.zeros(4, np.int32)])
        return
    with pytest.raises(ExecutionError) as error:
        execute(module, [np.zeros(4, np.int32)])
    assert error.value.kind == "race"


@quick
@given(st.data(), groups_of_16, st.booleans(), seeds)
def test_topk(data: st.DataObject, at: Layout, few: bool, seed: int) -> None:
    """Ascending; values as multisets where they are equal, each index naming an element of its value."""
    columns = data.draw(st.integers(1, 12))
    n = data.draw(st.integers(8, 16 * columns))
    k = data.draw(st.integers(1, min(n, 24)))
    operands = {
        "src": at.place("bfloat16", (columns,), at.partitions, False),
        "val_dst": at.place("bfloat16", (k,), at.partitions, True),
        "idx_dst": at.place("uint32", (k,), at.partitions, True),
    }
    values = np.random.default_rng(seed).standard_normal((at.partitions, columns)) * (2 if few else 1000)
    source = (np.rint(values) if few else values).astype(NUMPY["bfloat16"])
    if operands["src"].dims[0][0] == 0:
        source = source[:, :1].repeat(columns, 1)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        picked, indices = tiles["val_dst"].copy(), tiles["idx_dst"].copy()
        for first in range(0, at.partitions, 16):
            elements = [(float(tiles["src"][first + e % 16, e // 16]), -e) for e in range(n)]
            for j, (value, e) in enumerate(sorted(elements)[n - k :]):
                picked[first + j % 16, j // 16], indices[first + j % 16, j // 16] = value, -e
        return {"val_dst": picked, "idx_dst": indices}

    check("topk", GPSIMD, operands, {"n": n}, seed, expected, given={"src": source})


def test_topk_leaves_nan_out() -> None:
    """Infinities count as the numbers that they are; a NaN is selected only where all is."""
    sbuf, psum = np.zeros((128, WIDTH), np.uint8), np.zeros((128, WIDTH), np.uint8)
    given_values = [np.nan, 1, -np.inf, np.inf, 2, np.nan, -3, 0]
    sbuf[:8, :2].view(NUMPY["bfloat16"])[:, 0] = given_values
    for k in (5, 8):
        operands = {
            "src": tile("bfloat16", 16, 1),
            "val_dst": tile("bfloat16", 16, k, address=256),
            "idx_dst": tile("uint32", 16, k, address=512),
        }
        single("topk", GPSIMD, operands, {"n": 8}, sbuf, psum)
        got = sbuf[:k, 256:258].copy().view(NUMPY["bfloat16"]).astype(float)[:, 0]
        places = sbuf[:k, 512:516].copy().view(np.uint32)[:, 0]
        assert np.isnan(got).sum() == (0 if k == 5 else 2)
        np.testing.assert_array_equal(got[-5:], [-3, 0, 1, 2, np.inf])
        assert places[-5:].tolist() == [6, 7, 1, 4, 3]
    assert Counter(places.tolist()) == Counter(range(8))


# Cost, by the formulae of `nki_mlir/targets/costs.toml`; the start-up is the engine's.


def work(
    name: str, operands: Mapping[str, Access | float], fields: Mapping[str, object], target: str = "trn2"
) -> float:
    instance = Instance(BY_NAME[name], GPSIMD, operands, fields, load(target))
    assert illegal(instance) is None
    return work_cycles(instance)


def test_costs() -> None:
    row = {"dst": tile("float32", 1, 96), "data": tile("float32", 128, 96)}
    assert work("tensor_partition_reduce", row, {"op": Alu.ADD}) == 16 * 96
    bounds = {"dst": tile("int32", 1, 2, 100), "segment_ids": tile("int32", 1, 100)}
    assert work("sequence_bounds", bounds, {}) == 200
    count = {"dst": tile("int32", 128, 101), "src": tile("int32", 128, 100)}
    assert work("nonzero_with_count", count, {"index_offset": 0, "padding_val": 0}) == 200
    top = {"val_dst": tile("bfloat16", 32, 20), "idx_dst": tile("uint32", 32, 20), "src": tile("bfloat16", 32, 99)}
    assert work("topk", top, {"n": 1500}) == 4 * 1500 + 20


@pytest.mark.parametrize("columns", [1, 512, 513, 2000])
def test_cost_of_nc_n_gather(columns: int) -> None:
    operands = {
        "dst": tile("float32", 128, columns),
        "data": tile("float32", 128, 8),
        "indices": tile("uint32", 128, columns),
    }
    for target in ("trn1", "trn2", "trn3"):
        start = load(target).engine["gpsimd"].latency_cycles
        assert work("nc_n_gather", operands, {}, target) + start == math.ceil(columns / 512) * start + 8 * columns


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "uint8"])
@pytest.mark.parametrize("width", [1, 4, 32])
def test_cost_of_local_gather(kind: str, width: int) -> None:
    operands = {
        "dst": tile(kind, 16, 20 * width),
        "src_buffer": tile(kind, 16, 64),
        "index": tile("uint16", 16, 2),
    }
    factor = ((28 + 4 * width) / (4 * width)) / min(4 / by_name(kind).bytes, width)
    got = work("local_gather", operands, {"num_elem_per_idx": width, "num_valid_indices": 20})
    assert got == pytest.approx(20 * width * factor)
