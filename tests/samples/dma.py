"""Transfers."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.instructions.dma import SOURCES
from samples import Sample, hbm, tile

SYNC, GPSIMD, SCALAR = Engine.SYNC, Engine.GPSIMD, Engine.SCALAR
QUEUE = {"queue": 1}
INDEX = tile("int32", 64, 1, address=4096)
ROWS, PART = hbm("x", "float32", 64, 16), tile("float32", 64, 16)

RISING = Sample("iota", GPSIMD, {"dst": INDEX}, {"pattern": (1, 1), "offset": 0, "channel_multiplier": 1})
"""A different row for each partition."""

GATHER = {"dst": PART, "src": ROWS, "vector_offset": INDEX}
SCATTER = {"dst": ROWS, "src": PART, "vector_offset": INDEX}
BLOCKS = {"dst": tile("bfloat16", 64, 16), "src": hbm("x", "bfloat16", 16, 64)}
TERMS = {name: tile("bfloat16", 64, 16, address=64 + 64 * k) for k, name in enumerate(SOURCES)}
SUM = {"queue": 1, "reduce_op": Alu.ADD}
ADD_ROWS = {**SUM, "unique_indices": True}

SAMPLES: tuple[Sample, ...] = (
    *(
        Sample("dma_copy", engine, {"dst": tile("float32", 128, 16), "src": hbm("x", "float32", 128, 16)}, {"queue": 1})
        for engine in Engine
    ),
    Sample("dma_copy", Engine.SYNC, {"dst": hbm("y", "float32", 2048), "src": tile("bfloat16", 128, 16)}, {"queue": 2}),
    Sample("dma_copy", Engine.SYNC, {"dst": hbm("y", "int32", 64), "src": hbm("x", "int32", 64)}, {"queue": 2}),
    Sample("dma_copy", SYNC, {"dst": PART, "src": ROWS}, {**QUEUE, "dge_mode": "none", "oob_mode": "error"}),
    Sample("dma_copy", GPSIMD, {"dst": PART, "src": ROWS}, {**QUEUE, "dge_mode": "swdge"}),
    Sample("dma_copy", SCALAR, {"dst": PART, "src": ROWS}, {**QUEUE, "dge_mode": "hwdge"}, "trn2"),
    Sample("dma_copy", SYNC, {"dst": PART, "src": ROWS}, {**QUEUE, "priority": 1}, "trn3"),
    Sample("dma_transpose", SYNC, BLOCKS, {**QUEUE, "priority": 3}, "trn3"),
    Sample("dma_copy", SYNC, {"dst": PART, "src": ROWS}, {**QUEUE, "dst_rmw_op": Alu.ADD}),
    Sample("dma_copy", GPSIMD, GATHER, QUEUE, before=(RISING,)),
    Sample("dma_copy", GPSIMD, SCATTER, {**QUEUE, "oob_mode": "skip"}, before=(RISING,)),
    Sample("dma_copy", GPSIMD, SCATTER, {**QUEUE, "dst_rmw_op": Alu.ADD}, before=(RISING,)),
    *(Sample("dma_transpose", engine, BLOCKS, QUEUE) for engine in Engine),
    Sample(
        "dma_transpose", SYNC, {"dst": tile("float32", 8, 4, 32), "src": tile("float32", 32, 4, 8, address=512)}, QUEUE
    ),
    Sample("dma_transpose", SYNC, BLOCKS, {**QUEUE, "dge_mode": "hwdge"}, "trn2"),
    Sample(
        "dma_transpose",
        GPSIMD,
        {"dst": tile("bfloat16", 64, 16), "src": BLOCKS["src"], "indices": tile("uint32", 16, 1, address=4096)},
        {**QUEUE, "dge_mode": "swdge", "oob_mode": "skip"},
        "trn2",
    ),
    *(Sample("dma_compute", engine, {"dst": PART, "src0": ROWS, "src1": PART}, SUM) for engine in Engine),
    Sample("dma_compute", SYNC, {"dst": tile("bfloat16", 64, 16), **TERMS}, {**SUM, "scales": (0.5,) * len(TERMS)}),
    Sample(
        "dma_compute",
        GPSIMD,
        {"dst": PART, "src0": PART, "src1": ROWS, "vector_offset": INDEX},
        {**ADD_ROWS, "oob_mode": "skip"},
        before=(RISING,),
    ),
    Sample(
        "dma_compute",
        GPSIMD,
        {"dst": ROWS, "src0": ROWS, "src1": PART, "vector_offset": INDEX},
        ADD_ROWS,
        before=(RISING,),
    ),
)
