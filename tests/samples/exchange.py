"""Transfers between the two cores of a pair, as its first core triggers them."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from samples import Sample, tile

TILES = {"dst": tile("bfloat16", 128, 4, 16), "src": tile("bfloat16", 128, 4, 16, address=128)}
PIPE = {"send_to_rank": 1, "recv_from_rank": 1, "pipe_id": 3}

SAMPLES: tuple[Sample, ...] = (
    *(Sample("sendrecv", engine, TILES, PIPE, "trn2") for engine in Engine),
    Sample("sendrecv", Engine.GPSIMD, TILES, {**PIPE, "dma_engine": "gpsimd_dma"}, "trn2"),
)
