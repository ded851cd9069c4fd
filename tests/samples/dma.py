"""Transfers."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from samples import Sample, hbm, tile

SAMPLES: tuple[Sample, ...] = (
    *(
        Sample("dma_copy", engine, {"dst": tile("float32", 128, 16), "src": hbm("x", "float32", 128, 16)}, {"queue": 1})
        for engine in Engine
    ),
    Sample("dma_copy", Engine.SYNC, {"dst": hbm("y", "float32", 2048), "src": tile("bfloat16", 128, 16)}, {"queue": 2}),
    Sample("dma_copy", Engine.SYNC, {"dst": hbm("y", "int32", 64), "src": hbm("x", "int32", 64)}, {"queue": 2}),
)
