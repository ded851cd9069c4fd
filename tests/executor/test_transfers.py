"""Transfers that do more than move: sums, transposes, gathers and scatters, against NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from executor.cases import FLOATS, Layout, check, layouts, quick, seeds
from executor.machine_code import NUMPY, Array, bits, gather, narrow, parse, program, scatter, single, widen
from executor.test_tiles import tile
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.passes.pipelines import pipeline

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
kinds = st.sampled_from(("float32", "bfloat16", "float16", "int32", "uint8"))
KIND = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int32": "i32", "uint32": "ui32", "uint8": "ui8"}


# Within SBUF.


@quick
@given(layouts(), kinds, kinds, seeds)
def test_accumulating_copy(at: Layout, to: str, source: str, seed: int) -> None:
    """dst += src through fp32."""
    operands: dict[str, Access | float | None] = {"src": at.full(source), "dst": at.full(to, True)}
    type_ = by_name(to).type

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        return {"dst": narrow(widen(tiles["dst"]) + widen(tiles["src"]), type_)}

    check("dma_copy", Engine.TENSOR, operands, {"queue": 0, "dst_rmw_op": Alu.ADD}, seed, expected)


@quick
@given(st.data(), layouts(), kinds, st.integers(1, 5), seeds)
def test_sum(data: st.DataObject, at: Layout, to: str, sources: int, seed: int) -> None:
    """The sources from the first to the last in fp32, each times its scale; dst may be one of them."""
    names = [f"src{k}" for k in range(sources)]
    operands: dict[str, Access | float | None] = {n: at.full(data.draw(st.sampled_from(FLOATS))) for n in names}
    operands["dst"] = at.full(to, True)
    if data.draw(st.booleans()):
        operands["src0"] = operands["dst"]
    scales = data.draw(st.none() | st.tuples(*[st.sampled_from([1.0, -0.5, 3.25])] * sources))
    type_ = by_name(to).type

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        total = widen(tiles["src0"]) * np.float32((scales or [1])[0])
        for k in range(1, sources):
            total = total + widen(tiles[f"src{k}"]) * np.float32(scales[k] if scales else 1)
        return {"dst": narrow(total, type_)}

    check("dma_compute", Engine.SCALAR, operands, {"queue": 2, "reduce_op": Alu.ADD, "scales": scales}, seed, expected)


@quick
@given(
    st.sampled_from(["trn1", "trn2"]),
    st.sampled_from(["float32", "bfloat16", "int16", "uint32"]),
    st.lists(st.integers(1, 6), min_size=0, max_size=2),
    st.integers(1, 40),
    st.integers(1, 12),
    seeds,
)
def test_transpose(target: str, kind: str, middle: list[int], first: int, last: int, seed: int) -> None:
    """Two to four dimensions, the first and the last exchanged, bit by bit."""
    src, dst = tile(kind, first, *middle, last), tile(kind, last, *middle, first, address=1024)
    if dst.free_elements * dst.itemsize > 1024 or src.free_elements * src.itemsize > 1024:
        return
    sbuf, image = (np.random.default_rng(seed).integers(0, 256, (128, 2048), np.uint8) for _ in range(2))
    values = bits(gather(src, sbuf, image)).reshape(first, *middle, last)
    wanted = sbuf.copy()
    scatter(dst, np.swapaxes(values, 0, -1).reshape(last, -1), wanted, image)
    single("dma_transpose", Engine.VECTOR, {"dst": dst, "src": src}, {"queue": 0}, sbuf, image, target)
    np.testing.assert_array_equal(sbuf, wanted)


# Rows of a tensor in HBM.


@dataclass
class Case:
    """`table` is the tensor that indices go along, [rows, width]; `part` what SBUF has, [P, columns]. Row `i` is
    `table[i, at : at + columns]`."""

    table: Array
    part: Array
    indices: Array
    at: int

    def run(self, line: str, kind: str, part_kind: str, checks: bool = True) -> tuple[Array, Array]:
        """What tensor and SBUF have after an instruction in which {rows}, {part} and {index} stand for operands."""
        p, columns = self.part.shape
        width, words = self.table.shape[1], KIND[str(self.indices.dtype)]
        rows = (
            f'<hbm "table" at {self.at * self.table.itemsize}, [{width} x {p}, 1 x {columns}], {KIND[kind]}>'
            if columns > 1
            else f'<hbm "table" at {self.at * self.table.itemsize}, [{width} x {p}], {KIND[kind]}>'
        )
        part, index = (
            f"<sbuf[3:{3 + p}] at 64, [1 x {columns}], {KIND[part_kind]}>",
            f"<sbuf[0:{p}] at 0, [1 x 1], {words}>",
        )
        whole = f'<hbm "part" at 0, [1 x {p * columns}], {KIND[part_kind]}>'
        text = f"""
          neuron.isa.stream sync {{
            neuron.isa.dma_copy queue 0 dst {index} src <hbm "index" at 0, [1 x {p}], {words}> update <sem 0 add 16>
            neuron.isa.dma_copy queue 1 dst {part} src {whole} update <sem 1 add 16>
            neuron.isa.dma_copy queue 0 dst {whole} src {part} wait <sem 2 reaches 16>
          }}
          neuron.isa.stream gpsimd {{
            neuron.isa.event_semaphore wait <sem 0 reaches 16>
            neuron.isa.{line.format(rows=rows, part=part, index=index)} wait <sem 1 reaches 16> update <sem 2 add 16>
          }}"""
        shapes = {"table": self.table, "part": self.part, "index": self.indices}
        types = {"table": kind, "part": part_kind, "index": str(self.indices.dtype)}
        tensors = "; ".join(f"{n}: memref<{a.size}x{KIND[types[n]]}>" for n, a in shapes.items())
        table, part_ = self.table.copy(), self.part.copy()
        execute(program(text, tensors, "trn2"), [table, part_, self.indices], checks=checks)
        return table, part_


@st.composite
def cases(draw: st.DrawFn, kind: str, part_kind: str, distinct: bool, outside: bool) -> Case:
    rng = np.random.default_rng(draw(seeds))
    p, columns = draw(st.sampled_from([1, 5, 32, 100])), draw(st.integers(1, 9))
    at, rows = draw(st.integers(0, 5)), draw(st.integers(p, 140)) if distinct else draw(st.integers(1, 140))
    width = at + columns + draw(st.integers(0, 4))
    indices = rng.permutation(rows)[:p] if distinct else rng.integers(0, rows, p)
    words = draw(st.sampled_from([np.int32, np.uint32]))
    indices = indices.astype(np.int64)
    if outside:
        away = rng.random(p) < 0.4
        indices = np.where(away, rng.choice([rows, rows + 3, 2**31 - 1], p), indices)
        if words is np.int32:
            indices = np.where(away & (rng.random(p) < 0.5), -1 - rng.integers(0, 9, p), indices)
    table, part = (
        rng.integers(-50, 50, shape).astype(NUMPY[k]) for shape, k in (((rows, width), kind), ((p, columns), part_kind))
    )
    return Case(table, part, indices.astype(words), at)


def expected(case: Case, scatters: bool, adds: bool) -> tuple[Array, Array]:
    """Row by row."""
    table, part = case.table.copy(), case.part.copy()
    columns = slice(case.at, case.at + part.shape[1])
    for p, index in enumerate(case.indices.tolist()):
        if not 0 <= index < len(table):
            continue
        row, values = table[index, columns].astype(np.float32), part[p].astype(np.float32)
        if scatters:
            table[index, columns] = narrow_to(row * adds + values, table)
        else:
            part[p] = narrow_to(values * adds + row, part)
    return table, part


def narrow_to(values: Array, like: Array) -> Array:
    name = next(n for n, kind in NUMPY.items() if np.dtype(kind) == like.dtype and n != "tfloat32")
    return narrow(values, by_name(name).type)


MOVES: dict[str, tuple[str, bool, bool]] = {
    "gather": ("dma_copy queue 0 {mode}dst {part} src {rows} vector_offset {index}", False, False),
    "scatter": ("dma_copy queue 0 {mode}dst {rows} src {part} vector_offset {index}", True, False),
    "scatter, accumulating": (
        "dma_copy queue 0 dst_rmw_op add dst {rows} src {part} vector_offset {index}",
        True,
        True,
    ),
    "gather, accumulating": (
        "dma_copy queue 0 dst_rmw_op add dst {part} src {rows} vector_offset {index}",
        False,
        True,
    ),
    "gather-add": (
        "dma_compute queue 0 reduce_op add unique_indices {mode}dst {part} src0 {part} src1 {rows} vector_offset {index}",
        False,
        True,
    ),
    "scatter-add": (
        "dma_compute queue 0 reduce_op add unique_indices {mode}dst {rows} src0 {rows} src1 {part} vector_offset {index}",
        True,
        True,
    ),
}


@pytest.mark.parametrize("move", MOVES)
@quick
@given(st.data(), kinds, kinds)
def test_rows(move: str, data: st.DataObject, kind: str, part_kind: str) -> None:
    """Any rows in any order, from any column on, types converted; rows outside are left out if they may be."""
    line, scatters, adds = MOVES[move]
    skips = "{mode}" in line and data.draw(st.booleans())
    case = data.draw(cases(kind, part_kind, scatters, skips))
    table, part = case.run(line.replace("{mode}", 'oob_mode "skip" ' if skips else ""), kind, part_kind)
    wanted_table, wanted_part = expected(case, scatters, adds)
    np.testing.assert_array_equal(widen(table), widen(wanted_table))
    np.testing.assert_array_equal(widen(part), widen(wanted_part))


def small(indices: list[int], rows: int = 6) -> Case:
    p = len(indices)
    return Case(
        np.arange(rows * 8, dtype=np.float32).reshape(rows, 8),
        np.ones((p, 4), np.float32),
        np.array(indices, np.int32),
        2,
    )


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("bad, text", [(6, "index 6, number 3 of 4"), (-1, "index -1, number 3 of 4")])
def test_rows_outside_are_an_error(move: str, bad: int, text: str) -> None:
    line, _, _ = MOVES[move]
    with pytest.raises(ExecutionError, match=rf'{text}, is out of range: \w+ has 6 rows in tensor "table"'):
        small([0, 1, bad, 2]).run(line.replace("{mode}", ""), "float32", "float32")


@pytest.mark.parametrize("move", [move for move, (_, scatters, _) in MOVES.items() if scatters])
def test_rows_written_twice_are_an_error(move: str) -> None:
    line, _, _ = MOVES[move]
    with pytest.raises(ExecutionError, match='the row at byte 104 of tensor "table" is written 2 times'):
        small([0, 3, 1, 3]).run(line.replace("{mode}", ""), "float32", "float32")


def test_no_row_inside() -> None:
    case = small([7, 9])
    for move in ("gather", "scatter"):
        table, part = case.run(MOVES[move][0].replace("{mode}", 'oob_mode "skip" '), "float32", "float32")
        np.testing.assert_array_equal(table, case.table)
        np.testing.assert_array_equal(part, case.part)


@quick
@given(st.booleans(), st.integers(-9, 20), st.sampled_from(["swdge", "hwdge"]), seeds)
def test_rows_from_a_register_on(scatters: bool, first: int, mode: str, seed: int) -> None:
    """An address in a register: the rows that lie outside of the tensor are left out."""
    rng = np.random.default_rng(seed)
    table, part = rng.standard_normal((12, 6)).astype(np.float32), rng.standard_normal((5, 3)).astype(np.float32)
    engine = "gpsimd" if mode == "swdge" else "scalar"
    rows, tile_ = '<hbm "table" at 24 * r1 + 4, [6 x 5, 1 x 3], f32>', "<sbuf[0:5] at 64, [1 x 3], f32>"
    dst, src = (rows, tile_) if scatters else (tile_, rows)
    whole = '<hbm "part" at 0, [1 x 15], f32>'
    text = f"""
      neuron.isa.stream {engine} {{
        neuron.isa.register_move dst 1 src <{first}>
        neuron.isa.dma_copy queue 0 dst {tile_} src {whole} update <sem 0 add 16>
        neuron.isa.dma_copy queue 0 dge_mode "{mode}" oob_mode "skip" dst {dst} src {src}
          wait <sem 0 reaches 16> update <sem 1 add 16>
        neuron.isa.dma_copy queue 0 dst {whole} src {tile_} wait <sem 1 reaches 16>
      }}"""
    wanted_table, wanted_part = table.copy(), part.copy()
    for p in range(5):
        if 0 <= first + p < 12:
            if scatters:
                wanted_table[first + p, 1:4] = part[p]
            else:
                wanted_part[p] = table[first + p, 1:4]
    execute(program(text, "table: memref<72xf32>; part: memref<15xf32>", "trn2"), [table, part])
    np.testing.assert_array_equal(table, wanted_table)
    np.testing.assert_array_equal(part, wanted_part)


@quick
@given(st.data(), st.sampled_from([(16, 1), (48, 1), (128, 2)]), st.booleans(), seeds)
def test_indirect_transpose(data: st.DataObject, shape: tuple[int, int], skips: bool, seed: int) -> None:
    """dst = transpose(src[ids]), ids being the indices column by column; columns of rows outside stay as they are."""
    rng = np.random.default_rng(seed)
    partitions, columns = shape
    n = data.draw(st.sampled_from([k for k in range(16, partitions * columns + 1, 16)]))
    last, rows = data.draw(st.integers(1, 128)), data.draw(st.integers(1, 300))
    table = rng.integers(-100, 100, (rows, last)).astype(ml_dtypes.bfloat16)
    indices = rng.integers(0, rows + 5 * skips, shape).astype(np.uint32)
    out = np.zeros((last, n), ml_dtypes.bfloat16)
    skip = ' oob_mode "skip"' if skips else ""
    index, got = f"<sbuf[0:{partitions}] at 0, [1 x {columns}], ui32>", f"<sbuf[0:{last}] at 64, [1 x {n}], bf16>"
    text = f"""
      neuron.isa.stream gpsimd {{
        neuron.isa.memset value -1.0 : f32 dst {got} update <sem 2 add 1>
        neuron.isa.dma_copy queue 0 dst {index} src <hbm "index" at 0, [1 x {indices.size}], ui32> update <sem 0 add 16>
        neuron.isa.event_semaphore wait <sem 2 reaches 1>
        neuron.isa.dma_transpose queue 0{skip} dst {got} src <hbm "table" at 0, [{last} x {n}, 1 x {last}], bf16>
          indices {index} wait <sem 0 reaches 16> update <sem 1 add 16>
        neuron.isa.dma_copy queue 0 dst <hbm "out" at 0, [1 x {out.size}], bf16> src {got} wait <sem 1 reaches 16>
      }}"""
    tensors = f"table: memref<{table.size}xbf16>; index: memref<{indices.size}xui32>; out: memref<{out.size}xbf16>"
    execute(program(text, tensors, "trn2"), [table, indices, out])
    ids = indices.T.reshape(-1)[:n]
    wanted = np.where(ids < rows, widen(table)[np.minimum(ids, rows - 1)].T, -1)
    np.testing.assert_array_equal(widen(out), wanted)


# What the checks see of them.


def _gather(first: str, second: str, indices: list[int], uninitialised: tuple[int, ...] = ()) -> None:
    """Two lines on gpsimd after the indices are there, the second waiting for the first one if it says so."""
    index, part = "<sbuf[0:2] at 0, [1 x 1], i32>", "<sbuf[0:2] at {at}, [1 x 4], f32>"
    rows = '<hbm "x" at 0, [4 x 2, 1 x 4], f32>'
    lines = [
        f'dma_copy queue 0 dst {index} src <hbm "index" at 0, [1 x 2], i32> update <sem 0 add 16>',
        "memset value 1.0 : f32 dst <sbuf[0:2] at 64, [1 x 8], f32> update <sem 1 add 1>",
        "event_semaphore wait <sem 1 reaches 1>",
        "event_semaphore wait <sem 0 reaches 16>",
        first.format(index=index, rows=rows, a=part.format(at=64), b=part.format(at=80)),
        second.format(index=index, rows=rows, a=part.format(at=64), b=part.format(at=80)),
    ]
    text = "neuron.isa.stream gpsimd {\n" + "\n".join(f"neuron.isa.{line}" for line in lines) + "\n}"
    arrays: list[Any] = [np.zeros((8, 4), np.float32), np.array(indices, np.int32)]
    execute(program(text, "x: memref<32xf32>; index: memref<2xi32>"), arrays, uninitialised=uninitialised)


SCATTER = "dma_copy queue 1 dst {rows} src {a} vector_offset {index} update <sem 2 add 16>"
READ = 'dma_copy queue 2 dst {{b}} src <hbm "x" at {at}, [4 x 2, 1 x 4], f32> {tail}'


def test_races_are_judged_by_the_rows() -> None:
    """Rows 5 and 6 are written; rows 2 and 3 may be read at the same time, rows 4 and 5 may not."""
    _gather(SCATTER, READ.format(at=32, tail=""), [5, 6])
    with pytest.raises(ExecutionError, match=r'race.*reads tensor "x", 16 bytes, which .*dma_copy.*writes'):
        _gather(SCATTER, READ.format(at=64, tail=""), [5, 6])
    _gather(SCATTER, READ.format(at=64, tail="wait <sem 2 reaches 16>"), [5, 6])


def test_only_the_rows_read_have_to_be_initialised() -> None:
    gather_rows = "dma_copy queue 2 dst {b} src {rows} vector_offset {index} wait <sem 2 reaches 16>"
    _gather(SCATTER, gather_rows, [5, 6], (0,))
    other = gather_rows.replace("{rows}", '<hbm "x" at 16, [4 x 2, 1 x 4], f32>')
    with pytest.raises(ExecutionError, match=r"element \(28,\) \(bytes 112..127\), which were never written"):
        _gather(SCATTER, other, [5, 6], (0,))


def test_indices_have_to_be_there() -> None:
    early = "dma_copy queue 1 dst {b} src {rows} vector_offset <sbuf[0:2] at 512, [1 x 1], i32>"
    with pytest.raises(
        ExecutionError, match=r"vector_offset reads SBUF, partition 0, bytes 512..515, which were never"
    ):
        _gather(early, "event_semaphore wait <sem 0 reaches 16>", [0, 1])


def test_an_accumulating_copy_races_with_what_it_adds_to() -> None:
    add = "dma_copy queue 1 dst_rmw_op add dst {a} src {b} update <sem 2 add 16>"
    with pytest.raises(ExecutionError, match="race"):
        _gather(add, add.replace("queue 1", "queue 2").replace("sem 2", "sem 3"), [0, 1])
    _gather(add, add.replace("update <sem 2", "wait <sem 2 reaches 16> update <sem 3"), [0, 1])


def test_rows_left_out_need_not_be_initialised() -> None:
    """The second row of what is scattered was never written, and its index is outside."""
    scatters = SCATTER.replace("{a}", "<sbuf[0:2] at 96, [1 x 4], f32>").replace("queue 1", 'queue 1 oob_mode "skip"')
    fill = "memset value 1.0 : f32 dst <sbuf[0:1] at 96, [1 x 4], f32> update <sem 1 add 1>"
    wait = "event_semaphore wait <sem 1 reaches 2>"
    text = f"{fill}\nneuron.isa.{wait}"
    _gather(text, scatters, [5, 8])
    with pytest.raises(ExecutionError, match=r"src reads SBUF, partition 1, bytes 96..111, which were never written"):
        _gather(text, scatters, [5, 6])


PIPELINE = """
func.func @twice(%x: memref<400xf32>, %index: memref<32xi32>, %out: memref<128xf32>)
    attributes {tile.arg_names = ["x", "index", "out"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %two = arith.constant 2.0 : f32
  %rows = neuron.engine.view %x : memref<400xf32> -> !neuron.engine.view<hbm, [4 x 8, 1 x 4], f32>
  scf.for %i = %c0 to %c4 step %c1 {
    %first = arith.muli %i, %c8 : index
    %start = arith.muli %i, %c32 : index
    %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 8 x 4>
    %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 8 x 16>
    %n = neuron.engine.view %index at %first : memref<32xi32> -> !neuron.engine.view<hbm, [1 x 8], i32>
    %o = neuron.engine.view %out at %start : memref<128xf32> -> !neuron.engine.view<hbm, [1 x 32], f32>
    %av = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 8 x 4> -> !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
    %bv = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 16> -> !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
    neuron.engine.dma_copy sync queue 0 dst %av : !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
      src %n : !neuron.engine.view<hbm, [1 x 8], i32>
    neuron.engine.dma_copy gpsimd queue 0 dst %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
      src %rows : !neuron.engine.view<hbm, [4 x 8, 1 x 4], f32>
      vector_offset %av : !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
    neuron.engine.tensor_scalar vector op0 multiply dst %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
      data %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32> operand0 %two : f32
    neuron.engine.dma_copy gpsimd queue 1 dst %rows : !neuron.engine.view<hbm, [4 x 8, 1 x 4], f32>
      src %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
      vector_offset %av : !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
    neuron.engine.dma_copy sync queue 1 dst %o : !neuron.engine.view<hbm, [1 x 32], f32>
      src %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
  }
  func.return
}
"""


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_gather_and_scatter_from_neuron_engine(seed: int | None) -> None:
    """Rows are read, doubled and written back, some of them more than once: iterations keep their order."""
    rng = np.random.default_rng(5)
    x, out = rng.standard_normal((100, 4)).astype(np.float32), np.zeros((32, 4), np.float32)
    index = np.concatenate([rng.permutation(12)[:8] for _ in range(4)]).astype(np.int32)
    wanted, taken = x.copy(), []
    for part in index.reshape(4, 8):
        wanted[part] *= 2
        taken.append(wanted[part].copy())
    execute(pipeline("multi-buffer,allocate,engine-to-isa")(parse(PIPELINE)), [x, index, out], seed=seed)
    np.testing.assert_array_equal(x, wanted)
    np.testing.assert_array_equal(out, np.concatenate(taken))
