"""Searches of the Vector engine."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from samples import Sample, tile

VECTOR = Engine.VECTOR

DATA, RESULT = (tile("float32", 128, 4, 8, address=128 * k) for k in range(2))
VALUES, SHORT = tile("float32", 128, 8, address=256), tile("bfloat16", 128, 2, 4, address=288)
INDICES = tile("uint32", 128, 8, address=320)
ACCUMULATED = tile("float32", 128, 32, space=Space.PSUM)

SAMPLES: tuple[Sample, ...] = (
    Sample("max8", VECTOR, {"dst": VALUES, "src": DATA}),
    Sample("max8", VECTOR, {"dst": SHORT, "src": ACCUMULATED}),
    Sample("match_value_load", VECTOR, {"src": VALUES}),
    Sample("match_value_load", VECTOR, {"src": SHORT}),
    Sample("nc_find_index8", VECTOR, {"dst": INDICES, "data": DATA, "vals": VALUES}),
    Sample("nc_find_index8", VECTOR, {"dst": tile("uint16", 128, 8, address=352), "data": ACCUMULATED, "vals": SHORT}),
    Sample("nc_match_replace8", VECTOR, {"dst": RESULT, "data": DATA, "vals": VALUES}, {"imm": -1e9}),
    Sample(
        "nc_match_replace8",
        VECTOR,
        {"dst": tile("bfloat16", 128, 32, address=128), "data": DATA, "vals": SHORT, "dst_idx": INDICES},
        {"imm": -1.0},
    ),
)
