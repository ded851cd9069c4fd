"""What the GpSimd engine's own instructions reject."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from samples import tile

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.targets import load

GPSIMD = Engine.GPSIMD

F, W = tile("float32", 32, 40), tile("uint32", 32, 40)
GATHER = {"dst": tile("float32", 32, 32), "src_buffer": F, "index": tile("uint16", 32, 1)}
TOP = {"val_dst": tile("bfloat16", 32, 8), "idx_dst": tile("uint32", 32, 8), "src": tile("bfloat16", 32, 10)}
PATTERN = {"pattern": (1, 40), "offset": 0, "channel_multiplier": 1}
SELECT = {**PATTERN, "on_false_value": 0.0, "cmp_op": Alu.EQUAL}
ILLEGAL: list[tuple[str, Mapping[str, Access | float], Mapping[str, object], str, str]] = [
    ("iota", {"dst": F}, PATTERN | {"pattern": (1, 39)}, "trn1",
     "pattern counts (39,) do not make the 40 elements per partition of dst"),
    ("iota", {"dst": F}, PATTERN | {"pattern": (1, 40, 1, 1, 1, 1, 1, 1, 1, 1)}, "trn1",
     "pattern holds up to four pairs of step and count"),
    ("iota", {"dst": F}, PATTERN | {"offset": 2**31}, "trn1", "offset is a 32-bit integer, not 2147483648"),
    ("affine_select", {"dst": F, "on_true_tile": F}, SELECT | {"cmp_op": Alu.ADD}, "trn1",
     "cmp_op must be a comparison, not add"),
    ("affine_select", {"dst": F, "on_true_tile": F}, SELECT | {"channel_multiplier": -(2**31) - 1}, "trn1",
     "channel_multiplier is a 32-bit integer, not -2147483649"),
    ("nonzero_with_count", {"dst": tile("int32", 32, 41), "src": F}, {"index_offset": 2**31, "padding_val": 0}, "trn2",
     "index_offset is a 32-bit integer, not 2147483648"),
    ("tensor_partition_reduce", {"dst": tile("float32", 1, 40), "data": F}, {"op": Alu.MINIMUM}, "trn1",
     "partitions are reduced by add, maximum, average, bitwise_or, bitwise_and, not by minimum"),
    ("tensor_partition_reduce", {"dst": tile("float32", 2, 40), "data": F}, {"op": Alu.ADD}, "trn1",
     "dst has one partition, not 2"),
    ("tensor_partition_reduce", {"dst": tile("float32", 1, 39), "data": F}, {"op": Alu.ADD}, "trn1",
     "dst must have 40 elements per partition, not 39"),
    ("tensor_partition_reduce", {"dst": tile("float32", 1, 40), "data": F}, {"op": Alu.BITWISE_OR}, "trn1",
     "bitwise_or needs integers of one width"),
    ("tensor_partition_reduce", {"dst": tile("int16", 1, 40), "data": tile("int32", 32, 40)}, {"op": Alu.BITWISE_OR},
     "trn1", "bitwise_or needs integers of one width"),
    ("local_gather", GATHER | {"index": tile("int16", 32, 1)}, {"num_elem_per_idx": 2}, "trn1",
     "index must be one of uint16, not int16"),
    ("local_gather", GATHER | {"dst": tile("bfloat16", 32, 32)}, {"num_elem_per_idx": 2}, "trn1",
     "dst is bfloat16 and src_buffer float32; they must be the same"),
    ("local_gather", GATHER | {"index": tile("uint16", 16, 1)}, {"num_elem_per_idx": 2}, "trn1",
     "src_buffer has 32 partitions and index 16"),
    ("local_gather", {"dst": tile("float32", 8, 32), "src_buffer": tile("float32", 8, 4), "index":
     tile("uint16", 8, 1)}, {"num_elem_per_idx": 2}, "trn1", "src_buffer spans whole groups of 16 partitions, not 8"),
    ("local_gather", GATHER, {"num_elem_per_idx": 3}, "trn1", "num_elem_per_idx is one of 1, 2, 4, 8, 16, 32, not 3"),
    ("local_gather", GATHER, {"num_elem_per_idx": 1, "num_valid_indices": 17}, "trn1",
     "num_valid_indices is 1..16, what index gives each group of 16 partitions, not 17"),
    ("local_gather", GATHER | {"index": tile("uint16", 32, 257)}, {"num_elem_per_idx": 1}, "trn1",
     "a processor gathers by at most 4096 indices, not by 4112"),
    ("local_gather", GATHER, {"num_elem_per_idx": 1}, "trn1", "dst must have 16 elements per partition, not 32"),
    ("nc_n_gather", {"dst": F, "data": F, "indices": tile("int32", 32, 40)}, {}, "trn1",
     "indices must be one of uint32, not int32"),
    ("nc_n_gather", {"dst": F, "data": F, "indices": tile("uint32", 32, 39)}, {}, "trn1",
     "dst has 40 elements per partition and indices 39"),
    ("nc_n_gather", {"dst": F, "data": tile("float32", 16, 4), "indices": W}, {}, "trn1",
     "dst has 32 partitions and data 16"),
    ("nc_n_gather", {"dst": W, "data": F, "indices": W}, {}, "trn1",
     "dst is uint32 and data float32; they must be the same"),
    ("sequence_bounds", {"dst": tile("int32", 1, 8), "segment_ids": tile("int32", 2, 4)}, {}, "trn1",
     "segment_ids has one partition, not 2"),
    ("sequence_bounds", {"dst": tile("int32", 2, 4), "segment_ids": tile("int32", 1, 4)}, {}, "trn1",
     "dst has one partition, not 2"),
    ("sequence_bounds", {"dst": tile("int32", 1, 4), "segment_ids": tile("int32", 1, 4)}, {}, "trn1",
     "dst must have 8 elements per partition, not 4"),
    ("sequence_bounds", {"dst": tile("int32", 1, 8), "segment_ids": tile("uint32", 1, 4)}, {}, "trn1",
     "segment_ids must be one of float32, int32, not uint32"),
    ("nonzero_with_count", {"dst": tile("int32", 32, 41), "src": F}, {"index_offset": 0, "padding_val": 0}, "trn1",
     "nonzero_with_count needs NeuronCore-v3; trn1 is v2"),
    ("nonzero_with_count", {"dst": tile("int32", 32, 40), "src": F}, {"index_offset": 0, "padding_val": 0}, "trn2",
     "dst must have 41 elements per partition, not 40"),
    ("nonzero_with_count", {"dst": tile("int32", 16, 41), "src": F}, {"index_offset": 0, "padding_val": 0}, "trn2",
     "dst has 16 partitions and src 32"),
    ("topk", TOP, {"n": 7}, "trn1", "n is 8..65535, not 7"),
    ("topk", TOP, {"n": 161}, "trn1", "src must have at least 11 elements per partition for n = 161, not 10"),
    ("topk", TOP | {"val_dst": tile("bfloat16", 32, 9)}, {"n": 8}, "trn1",
     "9 elements to select are too many; at most n = 8, and 32767"),
    ("topk", TOP | {"idx_dst": tile("uint32", 32, 9)}, {"n": 80}, "trn1",
     "idx_dst must have 8 elements per partition, not 9"),
    ("topk", TOP | {"idx_dst": tile("uint32", 16, 8)}, {"n": 80}, "trn1", "src has 32 partitions and idx_dst 16"),
    ("topk", TOP | {"src": tile("float32", 32, 10)}, {"n": 80}, "trn1", "src must be one of bfloat16, not float32"),
    ("topk", {"val_dst": tile("bfloat16", 8, 8), "idx_dst": tile("uint32", 8, 8), "src": tile("bfloat16", 8, 10)},
     {"n": 80}, "trn1", "src spans whole groups of 16 partitions, not 8"),
]  # fmt: skip


@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: f"{case[0]}: {case[-1]}")
def test_what_is_illegal(case: tuple[str, Mapping[str, Access | float], Mapping[str, object], str, str]) -> None:
    name, operands, fields, target, reason = case
    assert check(Instance(BY_NAME[name], GPSIMD, operands, fields, load(target))) == reason
