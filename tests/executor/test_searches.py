"""max8, find_index8, match_replace8 and the shuffle, against loops over single elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from executor.cases import ANY, Layout, check, layouts, quick, seeds, types
from executor.machine_code import NUMPY, Array, narrow, program, widen
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

VECTOR = Engine.VECTOR
FEW = st.sampled_from(["int8", "uint8", "float8_e4m3", "bfloat16"])
"""Types whose random elements repeat themselves, or don't."""


@st.composite
def searched(draw: st.DrawFn) -> Layout:
    counts = draw(st.sampled_from([(8,), (13,), (32,), (2, 4), (3, 3, 3)]))
    return Layout(draw, draw(st.sampled_from([1, 32, 40, 128])), counts)


def eight(at: Layout, kind: str, writes: bool = False) -> Access:
    counts = (8,) if at.draw(st.booleans()) else (2, 4)
    return at.place(kind, counts, at.partitions, writes)


@quick
@given(st.data(), searched(), types, types, seeds)
def test_max8(data: st.DataObject, at: Layout, to: str, source: str, seed: int) -> None:
    space = data.draw(st.sampled_from([Space.SBUF, Space.PSUM]))
    operands = {"dst": eight(at, to, True), "src": at.full(source, space=space)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        rows = [sorted(row, key=lambda v: (v != v, v), reverse=True)[:8] for row in widen(tiles["src"]).tolist()]
        return {"dst": narrow(np.array(rows), operands["dst"].element_type)}

    check("max8", VECTOR, operands, {}, seed, expected)


def _find(data: list[float], vals: list[float], order: range) -> list[int | None]:
    """The place of the first match that is still free, for each value in turn."""
    taken: set[int] = set()
    places: list[int | None] = [None] * len(vals)
    for j in order:
        found = next((k for k, x in enumerate(data) if x == vals[j] and k not in taken), None)
        places[j] = found
        if found is not None:
            taken.add(found)
    return places


def _places(tiles: dict[str, Array], order: range) -> list[list[int | None]]:
    rows = zip(widen(tiles["data"]).tolist(), widen(tiles["vals"]).tolist(), strict=True)
    return [_find(data, vals, order) for data, vals in rows]


@quick
@given(searched(), FEW, FEW, st.sampled_from(["uint16", "uint32"]), seeds)
def test_nc_find_index8(at: Layout, kind: str, of: str, to: str, seed: int) -> None:
    operands = {"dst": eight(at, to, True), "data": at.full(kind), "vals": eight(at, of)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        absent = np.iinfo(NUMPY[to]).max
        places = [[absent if k is None else k for k in row] for row in _places(tiles, range(8))]
        return {"dst": np.array(places, NUMPY[to])}

    check("nc_find_index8", VECTOR, operands, {}, seed, expected)


@quick
@given(st.data(), searched(), FEW, FEW, st.booleans(), st.sampled_from([-1e9, 2.0, 0.3]), seeds)
def test_nc_match_replace8(
    data: st.DataObject, at: Layout, kind: str, of: str, indexed: bool, imm: float, seed: int
) -> None:
    to = data.draw(st.sampled_from([kind, "float32", "int16"]))
    operands: dict[str, Any] = {
        "dst": at.full(to, True),
        "data": at.full(kind),
        "vals": eight(at, of),
        "dst_idx": eight(at, "uint32", True) if indexed else None,
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        type_ = operands["dst"].element_type
        places = _places(tiles, range(7, -1, -1))
        result = tiles["data"].copy() if to == kind else narrow(widen(tiles["data"]), type_)
        for row, found in zip(result, places, strict=True):
            row[[k for k in found if k is not None]] = narrow(np.array([imm], np.float32), type_)[0]
        numbers = [[2**32 - 1 if k is None else k for k in row] for row in places]
        return {"dst": result} | ({"dst_idx": np.array(numbers, np.uint32)} if indexed else {})

    check("nc_match_replace8", VECTOR, operands, {"imm": imm}, seed, expected)


@quick
@given(st.data(), layouts(), st.sampled_from(ANY), seeds)
def test_nc_stream_shuffle(data: st.DataObject, at: Layout, kind: str, seed: int) -> None:
    """Bits of any type; source and destination of different sizes, as far as the mask stays inside the source."""
    sizes = [p for p in (1, 3, 32, 40, 64, 100, 128) if math.ceil(p / 32) == math.ceil(at.partitions / 32)]
    partitions = data.draw(st.sampled_from(sizes))
    rest = partitions - 32 * math.floor((min(partitions, at.partitions) - 1) / 32)
    entries = st.one_of(st.just(255), st.integers(0, min(rest, 32) - 1))
    mask = data.draw(st.lists(entries, min_size=32, max_size=32))
    dst = at.place(kind, at.counts, at.partitions, True)
    operands = {"dst": dst, "src": at.place(kind, (at.free,), partitions, False)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = tiles["dst"].copy()
        for row in range(at.partitions):
            entry = mask[row % 32]
            if entry != 255:
                result[row] = tiles["src"][row - row % 32 + entry]
        return {"dst": result}

    assert dtype(dst.element_type).name == kind
    check("nc_stream_shuffle", VECTOR, operands, {"shuffle_mask": tuple(mask)}, seed, expected)


LOADED = """
neuron.isa.stream vector {
  neuron.isa.match_value_load src <sbuf[0:64] at 256, [1 x 8], bf16> wait <sem 1 reaches 16>
  neuron.isa.nc_find_index8 dst <sbuf[0:64] at 512, [1 x 8], ui32> data <sbuf[0:64] at 0, [1 x 32], f32>
    wait <sem 0 reaches 16> update <sem 2 add 1>
  neuron.isa.nc_match_replace8 imm -1.0 : f32 dst <sbuf[0:64] at 1024, [1 x 32], f32>
    data <sbuf[0:64] at 0, [1 x 32], f32> update <sem 2 add 1>
}
neuron.isa.stream sync {
  neuron.isa.dma_copy queue 0 dst <sbuf[0:64] at 0, [1 x 32], f32> src <hbm "x" at 0, [32 x 64, 1 x 32], f32>
    update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <sbuf[0:64] at 256, [1 x 8], bf16> src <hbm "v" at 0, [8 x 64, 1 x 8], bf16>
    update <sem 1 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "at" at 0, [8 x 64, 1 x 8], ui32> src <sbuf[0:64] at 512, [1 x 8], ui32>
    wait <sem 2 reaches 1>
  neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [32 x 64, 1 x 32], f32> src <sbuf[0:64] at 1024, [1 x 32], f32>
    wait <sem 2 reaches 2>
}"""
TENSORS = "x: memref<64x32xf32>; v: memref<64x8xbf16>; at: memref<64x8xui32>; y: memref<64x32xf32>"


@pytest.mark.parametrize("seed", range(5))
def test_values_that_an_instruction_loads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, v = rng.integers(-6, 6, (64, 32)).astype(np.float32), rng.integers(-8, 8, (64, 8)).astype(NUMPY["bfloat16"])
    at, y = np.zeros((64, 8), np.uint32), np.zeros((64, 32), np.float32)
    execute(program(LOADED, TENSORS), [x, v, at, y], seed=seed)
    for row in range(64):
        given, wanted = x[row].tolist(), v[row].astype(np.float32).tolist()
        assert at[row].tolist() == [2**32 - 1 if k is None else k for k in _find(given, wanted, range(8))]
        replaced = {k for k in _find(given, wanted, range(7, -1, -1)) if k is not None}
        assert y[row].tolist() == [-1.0 if k in replaced else value for k, value in enumerate(given)]


def test_a_search_without_values() -> None:
    shapes = ((64, 32), np.float32), ((64, 8), NUMPY["bfloat16"]), ((64, 8), np.uint32), ((64, 32), np.float32)
    arrays = [np.zeros(shape, kind) for shape, kind in shapes]
    loads = "neuron.isa.match_value_load src <sbuf[0:64] at 256, [1 x 8], bf16>"
    text = LOADED.replace(loads, "neuron.isa.event_semaphore")
    with pytest.raises(ExecutionError, match="nc_find_index8 on vector: no values to look for are loaded"):
        execute(program(text, TENSORS), arrays)
