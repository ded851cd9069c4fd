"""Instructions of the GpSimd engine alone."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.alu import Alu
from samples import Sample, tile

GPSIMD = Engine.GPSIMD

PATTERN = {"pattern": (8, 4, 1, 8), "offset": -3, "channel_multiplier": 32}
WORDS_WIDE = tile("int32", 100, 32)
DATA = tile("float32", 128, 4, 8)
ROW = tile("bfloat16", 1, 32, address=256, start=32)
WORDS, WORD_ROW = tile("int16", 64, 16), tile("uint16", 1, 16, address=256)
GATHERED = tile("float32", 32, 96, address=512)
SOURCE, INDEX = tile("float32", 32, 64, start=32), tile("uint16", 32, 2, address=256)
SOME = tile("float32", 32, 5, 4, address=512)

SAMPLES: tuple[Sample, ...] = (
    Sample("iota", GPSIMD, {"dst": tile("int32", 128, 32)}, PATTERN),
    Sample(
        "affine_select",
        GPSIMD,
        {"dst": tile("bfloat16", 128, 32, address=256), "on_true_tile": DATA},
        {**PATTERN, "on_false_value": -1.5, "cmp_op": Alu.GREATER_EQUAL},
    ),
    Sample(
        "tensor_partition_reduce",
        GPSIMD,
        {"dst": tile("float32", 1, 32, address=256), "data": WORDS_WIDE},
        {"op": Alu.AVERAGE},
    ),
    Sample("tensor_partition_reduce", GPSIMD, {"dst": ROW, "data": DATA}, {"op": Alu.ADD}),
    Sample("tensor_partition_reduce", GPSIMD, {"dst": WORD_ROW, "data": WORDS}, {"op": Alu.BITWISE_OR}),
    Sample(
        "local_gather",
        GPSIMD,
        {"dst": SOME, "src_buffer": SOURCE, "index": INDEX},
        {"num_elem_per_idx": 4, "num_valid_indices": 5},
    ),
    Sample(
        "local_gather",
        GPSIMD,
        {"dst": tile("float32", 32, 32, address=512), "src_buffer": SOURCE, "index": INDEX},
        {"num_elem_per_idx": 1},
    ),
    Sample(
        "nc_n_gather",
        GPSIMD,
        {"dst": GATHERED, "data": SOURCE, "indices": tile("uint32", 32, 6, 16, address=1024)},
    ),
    Sample(
        "sequence_bounds",
        GPSIMD,
        {"dst": tile("float32", 1, 2, 24, address=256), "segment_ids": tile("int32", 1, 24)},
    ),
    Sample(
        "nonzero_with_count",
        GPSIMD,
        {"dst": tile("int32", 128, 33, address=256), "src": tile("float32", 128, 32)},
        {"index_offset": 100, "padding_val": -1},
        "trn2",
    ),
    Sample(
        "topk",
        GPSIMD,
        {
            "val_dst": tile("bfloat16", 32, 10, address=256),
            "idx_dst": tile("uint32", 32, 10, address=512),
            "src": tile("bfloat16", 32, 12),
        },
        {"n": 180},
    ),
)
