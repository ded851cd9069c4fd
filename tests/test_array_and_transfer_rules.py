"""What the rules of the Tensor engine's instructions and of transfers reject, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from samples import Sample, hbm, tile
from samples.dma import ADD_ROWS, BLOCKS, GATHER, GPSIMD, INDEX, PART, QUEUE, ROWS, SCALAR, SCATTER, SUM, SYNC
from samples.tensor import ALL_BANKS, DOUBLE, DOUBLE_ROW, MATMUL, TENSOR, VECTOR

from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr, Register
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.targets import load


def psum(kind: str, partitions: int, columns: int, start: int = 0) -> Access:
    return tile(kind, partitions, columns, start=start, space=Space.PSUM)


def tiled(position: tuple[int, ...], size: tuple[int, ...], target: str = "trn2", **operands: Access) -> Sample:
    """A small matmul on a tile."""
    row, column = (*position, 0)[:2]
    legal = {
        "stationary": tile("bfloat16", 32, 16, start=row),
        "moving": tile("bfloat16", 32, 16, start=row),
        "dst": psum("float32", 16, 16, column),
    }
    return Sample("nc_matmul", TENSOR, {**legal, **operands}, {"tile_position": position, "tile_size": size}, target)


def matmul(fields: dict[str, object], target: str = "trn2", **operands: Access) -> Sample:
    return Sample("nc_matmul", TENSOR, {**MATMUL.operands, **operands}, fields, target)


def double(fields: dict[str, object], target: str = "trn2", **operands: Access) -> Sample:
    return Sample("nc_matmul", TENSOR, {**DOUBLE, **operands}, {**DOUBLE_ROW, **fields}, target)


def transpose(kind: str, leaves: str, target: str, engine: Any = TENSOR, space: Space = Space.PSUM) -> Sample:
    operands = {"dst": tile(leaves, 16, 32, space=space), "data": tile(kind, 32, 16)}
    return Sample("nc_transpose", engine, operands, {}, target)


ARRAY: dict[str, Sample] = {
    "tile_position and tile_size go together": matmul({"tile_size": (64, 64)}),
    "each two numbers: rows and columns": tiled((0,), (64, 64)),
    "a tile has 32, 64 or 128 rows, not 16": tiled((0, 0), (16, 64)),
    "a tile of 32 columns needs NeuronCore-v3; trn1 is v2": tiled((0, 0), (64, 32), "trn1"),
    "a tile of 64 rows starts at a multiple of 64 below 128, not at 32": tiled((32, 0), (64, 64)),
    "starts at a multiple of 64 below 128, not at 128": tiled((0, 128), (64, 64), dst=psum("float32", 16, 16)),
    "stationary has 64 partitions; the tile has 32 rows": tiled((0, 0), (32, 32), stationary=tile("bfloat16", 64, 16)),
    "moving starts at partition 0; the tile's rows start at 32": tiled(
        (32, 0), (32, 32), moving=tile("bfloat16", 32, 16)
    ),
    "stationary has 48 columns; the tile has 32": tiled((0, 0), (32, 32), stationary=tile("bfloat16", 32, 48)),
    "dst has 48 partitions; the tile has 32 columns": tiled((0, 0), (32, 32), dst=psum("float32", 48, 16)),
    "dst starts at partition 0; the tile's columns start at 64": tiled((0, 64), (32, 32), dst=psum("float32", 16, 16)),
    "perf_mode is one of double_row, not quadruple": matmul({"perf_mode": "quadruple"}),
    "perf_mode double_row needs NeuronCore-v3; trn1 is v2": double({}, "trn1"),
    "perf_mode double_row excludes is_transpose": double({"is_transpose": True}),
    "perf_mode double_row excludes column tiles": double({"tile_position": (0, 0), "tile_size": (128, 64)}),
    "double_row takes 8-bit floats; moving is bfloat16": double({}, moving=tile("bfloat16", 128, 2, 512)),
    "the first free dimension of stationary has 2 elements": double({}, stationary=tile("float8_e4m3", 128, 128)),
    "stationary has 129 columns; the array takes 128": matmul({}, stationary=tile("bfloat16", 128, 129)),
    "stationary has 130 columns; the array takes 128": double({}, stationary=tile("float8_e4m3", 128, 2, 130)),
    "stationary has K = 128 partitions and moving 64": matmul({}, moving=tile("bfloat16", 64, 512)),
    "moving: float8_e4m3fn needs NeuronCore-v4; trn2 is v3": matmul({}, moving=tile("float8_e4m3fn", 128, 512)),
    "float8_e4m3 and float8_e4m3fn may not appear together": matmul(
        {}, "trn3", stationary=tile("float8_e4m3", 128, 64), moving=tile("float8_e4m3fn", 128, 512)
    ),
    "if one input is float32 or tfloat32": matmul({}, moving=tile("float32", 128, 512)),
    "dst has 32 partitions; stationary has 64 columns": matmul({}, dst=psum("float32", 32, 512)),
    "moving has 513 columns; one matmul takes 512; NeuronCore-v4 writes several": matmul(
        {}, moving=tile("bfloat16", 128, 513), dst=psum("float32", 64, 513)
    ),
    "moving has 8192 columns; one matmul takes 4096": Sample(
        "nc_matmul", TENSOR, {**ALL_BANKS, "dst": psum("float32", 64, 4096)}, {}, "trn3"
    ),
    "dst has 256 columns and moving 512": matmul({}, dst=psum("float32", 64, 256)),
    "dst covers bytes 4..2052 of each partition; a matmul writes within one bank of 2048": matmul(
        {}, dst=replace(psum("float32", 64, 512), address=Expr(4))
    ),
    "a matmul leaves bfloat16 in PSUM from NeuronCore-v4 on": matmul({}, dst=psum("bfloat16", 64, 512)),
    "dst is float32, or bfloat16 from NeuronCore-v4 on, not float16": matmul({}, dst=psum("float16", 64, 512)),
    "a transpose leaves bfloat16 in PSUM from NeuronCore-v3 on": matmul(
        {"is_transpose": True}, "trn1", dst=psum("bfloat16", 64, 512)
    ),
    "the transpose of bfloat16 is bfloat16 in PSUM, not float32": matmul({"is_transpose": True}),
    "the transpose of float8_e4m3 is uint16 (the upper byte is zero) in PSUM, not float8_e4m3": transpose(
        "float8_e4m3", "float8_e4m3", "trn2"
    ),
    "the transpose of float8_e4m3 is float8_e4m3 or float32, not uint16; NeuronCore-v3": transpose(
        "float8_e4m3", "uint16", "trn1"
    ),
    "the transpose of bfloat16 is bfloat16 or float32, not float16": transpose("bfloat16", "float16", "trn1"),
    "they must be the same": transpose("bfloat16", "float32", "trn2", VECTOR),
    "the Tensor engine transposes from SBUF to PSUM": transpose("bfloat16", "bfloat16", "trn2", TENSOR, Space.SBUF),
    "vector transposes at most 32 x 32, not 64 x 16": Sample(
        "nc_transpose", VECTOR, {"dst": tile("float32", 16, 64), "data": tile("float32", 64, 16)}
    ),
    "dst must be 16 x 64, the transpose of data, not 16 x 32": Sample(
        "nc_transpose", VECTOR, {"dst": tile("float32", 16, 32), "data": tile("float32", 64, 16)}
    ),
}


def copy(operands: dict[str, Access], engine: Any = GPSIMD, target: str = "trn2", **fields: object) -> Sample:
    return Sample("dma_copy", engine, operands, {**QUEUE, **fields}, target)


def dma_transpose(
    dst: Access, src: Access, engine: Any = SYNC, target: str = "trn2", indices: Access | None = None, **fields: object
) -> Sample:
    operands = {"dst": dst, "src": src, **({} if indices is None else {"indices": indices})}
    return Sample("dma_transpose", engine, operands, {**QUEUE, **fields}, target)


def hwdge(*shape: int, kind: str = "bfloat16") -> Sample:
    dst = tile(kind, shape[-1], *shape[1:-1], shape[0])
    return dma_transpose(dst, hbm("x", kind, *shape), dge_mode="hwdge")


def chosen(rows: int, last: int, partitions: int, columns: int = 1, **more: Any) -> Sample:
    src = hbm("x", "bfloat16", rows, last)
    return dma_transpose(
        **{"dst": tile("bfloat16", last, rows), "src": src, "indices": tile("uint32", partitions, columns), **more},
        engine=GPSIMD,
    )


def total(operands: dict[str, Access], engine: Any = GPSIMD, **fields: object) -> Sample:
    return Sample("dma_compute", engine, operands, {**SUM, **fields}, "trn2")


MOVE = {"dst": PART, "src": ROWS}
MOVED = replace(ROWS, address=Expr(0, ((Register(3), 64),)))
TO_ROWS = {"dst": ROWS, "src0": ROWS, "src1": PART, "vector_offset": INDEX}

TRANSFERS: dict[str, Sample] = {
    "queue 16 does not exist; an engine has 16": copy(MOVE, queue=16),
    "priority needs NeuronCore-v4; trn2 is v3": copy(MOVE, priority=0),
    "priority is 0, the highest, to 3, not 4": copy(MOVE, target="trn3", priority=4),
    "dst has 1024 elements and src 512": copy({"dst": PART, "src": hbm("x", "float32", 512)}),
    "dge_mode is one of none, swdge, hwdge, not fast": copy(MOVE, dge_mode="fast"),
    "oob_mode is one of error, skip, not clamp": copy(GATHER, oob_mode="clamp"),
    "dge_mode hwdge needs NeuronCore-v3; trn1 is v2": copy(MOVE, SYNC, "trn1", dge_mode="hwdge"),
    "dge_mode hwdge has no indirect transfers; use swdge": copy(GATHER, SYNC, dge_mode="hwdge"),
    "dge_mode hwdge is triggered by sync or scalar, not by vector": copy(MOVE, VECTOR, dge_mode="hwdge"),
    "hwdge moves raw bytes and cannot accumulate": copy(MOVE, SCALAR, dge_mode="hwdge", dst_rmw_op=Alu.ADD),
    "hwdge moves raw bytes and cannot convert bfloat16 and float32": copy(
        {"dst": tile("bfloat16", 64, 16), "src": ROWS}, SYNC, dge_mode="hwdge"
    ),
    "an indirect transfer is triggered by gpsimd, which makes its descriptors, not by sync": copy(GATHER, SYNC),
    "dge_mode swdge is triggered by gpsimd": copy(MOVE, SCALAR, dge_mode="swdge"),
    "an indirect transfer has dge_mode swdge": copy(GATHER, dge_mode="none"),
    "dge_mode none has constant addresses": copy({"dst": PART, "src": MOVED}, dge_mode="none"),
    "oob_mode skip needs descriptors that are made at run time": copy(MOVE, oob_mode="skip"),
    "oob_mode skip is about rows of a tensor in HBM; no operand is": copy(
        {"dst": PART, "src": PART}, dge_mode="swdge", oob_mode="skip"
    ),
    "dst has 1024 rows in its first dimension, not 64": copy(
        {"dst": hbm("y", "float32", 1024), "src": PART}, SYNC, dge_mode="hwdge", oob_mode="skip"
    ),
    "vector_offset must be one of int32, uint32, not int16": copy({**GATHER, "vector_offset": tile("int16", 64, 1)}),
    "vector_offset has one index per partition, not 2": copy({**GATHER, "vector_offset": tile("int32", 64, 2)}),
    "vector_offset is about rows of a tensor in HBM; no operand is": copy({**GATHER, "src": PART}),
    "vector_offset is about rows moved between HBM and SBUF; no operand is in SBUF": copy({**GATHER, "dst": ROWS}),
    "src has 64 rows in its first dimension, not 32": copy({**GATHER, "vector_offset": tile("int32", 32, 1)}),
    "src: the step of rows that are chosen or left out is positive, got -16": copy(
        {**GATHER, "src": replace(ROWS, dims=((-16, 64), (1, 16)))}
    ),
    "src has 32 partitions and vector_offset 64; a row goes to each": copy({**SCATTER, "src": tile("float32", 32, 32)}),
    "dst_rmw_op is add, not multiply": copy(MOVE, dst_rmw_op=Alu.MULTIPLY),
    "dst_rmw_op requires oob_mode error": copy(SCATTER, dst_rmw_op=Alu.ADD, oob_mode="skip"),
    "src has 2 to 4 dimensions, not 1": dma_transpose(tile("float32", 64, 1), hbm("x", "float32", 64)),
    "dst is 64 x 16, src with its first and last dimension exchanged, not 32 x 32": dma_transpose(
        tile("bfloat16", 32, 32), BLOCKS["src"]
    ),
    "dst is bfloat16 and src float16; they must be the same": dma_transpose(BLOCKS["dst"], hbm("x", "float16", 16, 64)),
    "a transpose moves elements of 2 or 4 bytes, not uint8": dma_transpose(
        tile("uint8", 64, 16), hbm("x", "uint8", 16, 64)
    ),
    "dge_mode swdge is for indirect transposes": dma_transpose(BLOCKS["dst"], BLOCKS["src"], GPSIMD, dge_mode="swdge"),
    "hwdge transposes elements of 2 bytes, not float32": hwdge(16, 32, kind="float32"),
    "hwdge transposes 16 rows of two dimensions, not 32": hwdge(32, 64),
    "hwdge transposes 1, 2, 4, 8, 16 rows": hwdge(4, 2, 64),
    "an indirect transpose needs NeuronCore-v3; trn1 is v2": chosen(16, 64, 16, target="trn1"),
    "indices choose rows of a src in HBM": chosen(16, 64, 16, src=tile("bfloat16", 16, 64)),
    "an indirect transpose moves elements of 2 bytes, not float32": chosen(
        16, 64, 16, dst=tile("float32", 64, 16), src=hbm("x", "float32", 16, 64)
    ),
    "has a multiple of 16 rows of at most 128 elements, not 24 x 64": chosen(24, 64, 32),
    "has 1 as the second or third size, not 16 x 2 x 3 x 8": chosen(
        16, 8, 16, dst=tile("bfloat16", 8, 2, 3, 16), src=hbm("x", "bfloat16", 16, 2, 3, 8)
    ),
    "indices have 16 to 128 partitions, a multiple of 16, not 24": chosen(16, 64, 24),
    "indices of 2 columns have 128 partitions, not 64": chosen(16, 64, 64, 2),
    "indices choose 32 rows, of which they have 16": chosen(32, 64, 16),
    "sources are numbered without a gap, got src0, src2": total({"dst": PART, "src0": ROWS, "src2": PART}),
    "dst has 1024 elements and src1 512": total({"dst": PART, "src0": ROWS, "src1": tile("float32", 64, 8)}),
    "reduce_op is add, not maximum": total({"dst": PART, "src0": ROWS}, reduce_op=Alu.MAXIMUM),
    "there are 1 sources and 2 scales": total({"dst": PART, "src0": ROWS}, scales=(1.0, 2.0)),
    "the addresses are constants unless it is indirect": total({"dst": PART, "src0": MOVED}),
    "an indirect dma_compute has two sources, one of them its dst": total(
        {"dst": PART, "src0": ROWS, "vector_offset": INDEX}, **ADD_ROWS
    ),
    "needs unique_indices": total(TO_ROWS),
    "an indirect dma_compute has scales of 1.0": total(TO_ROWS, **ADD_ROWS, scales=(1.0, 2.0)),
}


@pytest.mark.parametrize("message", [*ARRAY, *TRANSFERS])
def test_rejected(message: str) -> None:
    sample = {**ARRAY, **TRANSFERS}[message]
    instruction = BY_NAME[sample.name]
    found = check(Instance(instruction, sample.engine, sample.operands, sample.fields, load(sample.target)))
    assert found is not None and message in found


def test_the_cases_are_legal_but_for_one_thing() -> None:
    """What they are made from is legal."""
    legal = [tiled((32, 64), (32, 32)), matmul({}), double({}), transpose("bfloat16", "bfloat16", "trn2")]
    legal += [copy(MOVE), copy(GATHER), copy(SCATTER), chosen(32, 64, 32), chosen(48, 64, 128, 2), hwdge(16, 64)]
    legal += [
        hwdge(4, 4, 64),
        dma_transpose(BLOCKS["dst"], BLOCKS["src"]),
        total({"dst": PART, "src0": ROWS}),
        total(TO_ROWS, **ADD_ROWS),
    ]
    legal += [transpose("bfloat16", "float32", "trn1"), copy({"dst": PART, "src": MOVED}, dge_mode="swdge")]
    for s in legal:
        assert check(Instance(BY_NAME[s.name], s.engine, s.operands, s.fields, load(s.target))) is None
