"""Random numbers and dropout."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from samples import Sample, tile

VECTOR, GPSIMD = Engine.VECTOR, Engine.GPSIMD

A, B = (tile("float32", 128, 4, 8, address=128 * k) for k in range(2))
COLUMN, OTHER_COLUMN = (tile("float32", 128, 1, address=512 + 4 * k) for k in range(2))
HALF_COLUMN = tile("bfloat16", 128, 1, address=520)
HALF = tile("bfloat16", 128, 32, space=Space.PSUM)
WORDS = tile("int16", 64, 32, start=64)
SEEDS, MANY_SEEDS = tile("uint32", 128, 6), tile("uint32", 128, 4, 6)

SAMPLES: tuple[Sample, ...] = (
    Sample("dropout", VECTOR, {"dst": A, "data": B, "prob": 0.25}),
    Sample("dropout", VECTOR, {"dst": HALF, "data": B, "prob": HALF_COLUMN}),
    Sample("dropout", VECTOR, {"dst": WORDS, "data": WORDS, "prob": tile("float32", 64, 1, address=256)}),
    Sample("rng", VECTOR, {"dst": tile("uint32", 128, 32, space=Space.PSUM)}),
    Sample("rng", GPSIMD, {"dst": WORDS}, target="trn2"),
    Sample("rand2", VECTOR, {"dst": HALF, "min": -1.0, "max": 1.0}, target="trn3"),
    Sample("rand2", VECTOR, {"dst": A, "min": COLUMN, "max": OTHER_COLUMN}, target="trn3"),
    Sample("rand_set_state", GPSIMD, {"src_seeds": SEEDS}, target="trn2"),
    Sample("rand_set_state", VECTOR, {"src_seeds": MANY_SEEDS}, target="trn3"),
    Sample("rand_get_state", GPSIMD, {"dst": SEEDS}, target="trn2"),
    Sample("rand_get_state", VECTOR, {"dst": tile("uint32", 64, 24, space=Space.PSUM)}, target="trn3"),
    Sample("set_rng_seed", VECTOR, {"src_seeds": tile("float32", 1, 1, address=64, start=32)}),
)
