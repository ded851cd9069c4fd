"""The work of the Vector and Scalar engines' instructions, in cycles per 512 elements of a partition."""

from __future__ import annotations

from typing import Any

import pytest
from samples import tile

from nki_mlir.costs.instructions import work_cycles
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.targets import load

VECTOR, SCALAR, GPSIMD = Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD
N = 512
F32, BF16, FP8, U8 = (tile(kind, 128, N) for kind in ("float32", "bfloat16", "float8_e4m3", "uint8"))
PSUM, PSUM16, FLAGS = (tile(kind, 128, N, space=Space.PSUM) for kind in ("float32", "bfloat16", "uint8"))
STRIDED = Access(Space.SBUF, BF16.element_type, ((2, N),), 0, 128, BF16.address)
CODES = tile("uint8", 100, N // 4)
COLUMN, EIGHT = tile("float32", 128, 1), tile("float32", 128, 8)
RESET = {"reduce_cmd": ReduceCommand.RESET_REDUCE}
ADD, EXP = {"op": Alu.ADD}, {"op": Function.EXP}
SCALED = {"op0": Alu.MULTIPLY, "op1": Alu.ADD}
SUMMED = {"op0": Alu.MULTIPLY, "reduce_op": Alu.ADD, **RESET}
RANGE = {"comp_op0": Alu.LESS, "comp_op1": Alu.LESS, "range_start": 0}
BOUNDS = {"bound0": COLUMN, "bound1": COLUMN}
ALL = "trn1 trn2 trn3"

CASES: tuple[tuple[str, str, Engine, dict[str, Any], dict[str, Any], float], ...] = (
    ("trn1", "tensor_tensor", VECTOR, {"dst": F32, "data1": F32, "data2": F32}, ADD, 2.02 * N),
    ("trn2 trn3", "tensor_tensor", VECTOR, {"dst": F32, "data1": F32, "data2": F32}, ADD, N),
    (ALL, "tensor_tensor", VECTOR, {"dst": F32, "data1": PSUM, "data2": F32}, ADD, N),
    ("trn1", "tensor_tensor", VECTOR, {"dst": BF16, "data1": BF16, "data2": BF16}, ADD, N),
    ("trn2 trn3", "tensor_tensor", VECTOR, {"dst": BF16, "data1": BF16, "data2": BF16}, ADD, N / 2),
    ("trn2 trn3", "tensor_tensor", VECTOR, {"dst": BF16, "data1": BF16, "data2": STRIDED}, ADD, N),
    ("trn1", "tensor_tensor", VECTOR, {"dst": BF16, "data1": BF16, "data2": BF16}, {"op": Alu.MAXIMUM}, 2.02 * N),
    ("trn2 trn3", "tensor_tensor", VECTOR, {"dst": BF16, "data1": BF16, "data2": BF16}, {"op": Alu.MAXIMUM}, N / 2),
    (ALL, "tensor_tensor", GPSIMD, {"dst": F32, "data1": F32, "data2": F32}, ADD, 2 * N),
    (ALL, "tensor_tensor", GPSIMD, {"dst": F32, "data1": F32, "data2": F32}, {"op": Alu.POWER}, 4 * N),
    ("trn1", "tensor_scalar", VECTOR, {"dst": F32, "data": F32, "operand0": 1.0, "operand1": COLUMN}, SCALED, N),
    ("trn2 trn3", "tensor_scalar", VECTOR, {"dst": F32, "data": F32, "operand0": 1.0}, {"op0": Alu.ADD}, N / 2),
    ("trn2 trn3", "tensor_scalar", VECTOR, {"dst": F32, "data": PSUM, "operand0": 1.0}, {"op0": Alu.ADD}, N),
    ("trn2 trn3", "tensor_copy", VECTOR, {"dst": BF16, "src": PSUM}, {}, N),
    ("trn2 trn3", "tensor_copy", SCALAR, {"dst": BF16, "src": PSUM16}, {}, N),
    ("trn2 trn3", "tensor_scalar", VECTOR, {"dst": BF16, "data": BF16, "operand0": 1.0}, {"op0": Alu.ADD}, N / 4),
    ("trn3", "tensor_scalar", VECTOR, {"dst": FP8, "data": FP8, "operand0": 1.0}, {"op0": Alu.ADD}, N / 4),
    ("trn1 trn2", "tensor_scalar", VECTOR, {"dst": FP8, "data": FP8, "operand0": 1.0}, {"op0": Alu.ADD}, N),
    ("trn2", "tensor_scalar", SCALAR, {"dst": BF16, "data": BF16, "operand0": 1.0}, {"op0": Alu.ADD}, N),
    ("trn3", "tensor_scalar", SCALAR, {"dst": BF16, "data": BF16, "operand0": 1.0}, {"op0": Alu.ADD}, N / 2),
    (ALL, "tensor_scalar", GPSIMD, {"dst": F32, "data": F32, "operand0": 0.0}, {"op0": Alu.RSQRT}, 4 * N),
    (
        "trn1",
        "scalar_tensor_tensor",
        VECTOR,
        {"dst": F32, "data": F32, "operand0": 1.0, "operand1": F32},
        SCALED,
        2 * N,
    ),
    (
        "trn2 trn3",
        "scalar_tensor_tensor",
        VECTOR,
        {"dst": F32, "data": F32, "operand0": 1.0, "operand1": F32},
        SCALED,
        N,
    ),
    (
        ALL,
        "scalar_tensor_tensor",
        VECTOR,
        {"dst": F32, "data": BF16, "operand0": 1.0, "operand1": BF16},
        {"op0": Alu.SUBTRACT, "op1": Alu.MULTIPLY},
        N,
    ),
    (
        "trn3",
        "quantize_mx",
        VECTOR,
        {"dst": tile("float8_e5m2_x4", 128, N // 4), "src": BF16, "dst_scale": CODES},
        {},
        N / 4,
    ),
    ("trn1", "tensor_copy", VECTOR, {"dst": BF16, "src": BF16}, {}, N),
    ("trn2 trn3", "tensor_copy", VECTOR, {"dst": BF16, "src": BF16}, {}, N / 4),
    ("trn2 trn3", "tensor_copy", VECTOR, {"dst": BF16, "src": STRIDED}, {}, N / 2),
    ("trn2 trn3", "tensor_copy", VECTOR, {"dst": BF16, "src": PSUM16}, {}, N / 2),
    ("trn3", "tensor_copy", VECTOR, {"dst": FP8, "src": FP8}, {}, N / 4),
    (ALL, "tensor_copy_predicated", VECTOR, {"dst": F32, "src": F32, "predicate": U8}, {}, 2 * N),
    (ALL, "tensor_copy_predicated", VECTOR, {"dst": F32, "src": PSUM, "predicate": U8}, {}, N),
    (ALL, "nc_stream_shuffle", VECTOR, {"dst": F32, "src": F32}, {"shuffle_mask": tuple(range(32))}, N),
    (ALL, "reciprocal", VECTOR, {"dst": F32, "data": F32}, {}, N),
    (ALL, "activation", SCALAR, {"dst": F32, "data": F32}, {**EXP, **RESET}, N),
    (ALL, "activation", SCALAR, {"dst": F32, "data": F32, "reduce_res": COLUMN}, EXP, N + 64),
    (ALL, "activation_reduce", SCALAR, {"dst": F32, "data": F32, "reduce_res": COLUMN}, EXP, N + 64),
    (ALL, "activation_reduce", SCALAR, {"dst": F32, "data": F32}, EXP, N),
    ("trn3", "activate2", SCALAR, {"dst": F32, "data": F32, "reduce_res": COLUMN}, EXP, N + 64),
    (ALL, "tensor_reduce", VECTOR, {"dst": COLUMN, "data": F32}, {**ADD, "axes": 1}, N),
    (ALL, "tensor_reduce", VECTOR, {"dst": tile("bfloat16", 128, 1), "data": BF16}, {**ADD, "axes": 1}, N / 2),
    (ALL, "tensor_scalar_reduce", VECTOR, {"dst": F32, "data": F32, "operand0": 1.0}, SUMMED, N),
    (
        ALL,
        "tensor_scalar_reduce",
        VECTOR,
        {"dst": F32, "data": F32, "operand0": 1.0, "reduce_res": COLUMN},
        SUMMED,
        N + 64,
    ),
    (ALL, "tensor_scalar_cumulative", VECTOR, {"dst": F32, "src": F32, "imm0": 1.0}, {**SCALED, **RESET}, N),
    (ALL, "tensor_tensor_scan", VECTOR, {"dst": F32, "data0": F32, "data1": F32, "initial": 0.0}, SCALED, 2 * N),
    (ALL, "select_reduce", VECTOR, {"dst": F32, "predicate": U8, "on_true": F32, "on_false": 0.0}, {}, 2 * N),
    (ALL, "select_reduce", VECTOR, {"dst": F32, "predicate": FLAGS, "on_true": F32, "on_false": 0.0}, {}, N),
    (
        ALL,
        "select_reduce",
        VECTOR,
        {"dst": F32, "predicate": FLAGS, "on_true": F32, "on_false": COLUMN, "reduce_res": COLUMN},
        RESET,
        N + 64,
    ),
    ("trn2 trn3", "range_select", VECTOR, {"dst": F32, "on_true_tile": F32, **BOUNDS}, RANGE, N),
    (
        "trn2 trn3",
        "range_select",
        VECTOR,
        {"dst": F32, "on_true_tile": F32, **BOUNDS, "reduce_res": COLUMN},
        {**RANGE, **RESET},
        N + 64,
    ),
    ("trn3", "exponential", VECTOR, {"dst": F32, "src": F32}, {}, N / 4),
    (ALL, "bn_stats", VECTOR, {"dst": tile("float32", 128, 6), "data": F32}, {}, N),
    (ALL, "bn_aggr", VECTOR, {"dst": tile("float32", 128, 2), "data": tile("float32", 128, 96)}, {}, 13 * 32),
    (ALL, "max8", VECTOR, {"dst": EIGHT, "src": F32}, {}, N),
    (ALL, "nc_find_index8", VECTOR, {"dst": tile("uint32", 128, 8), "data": F32, "vals": EIGHT}, {}, N),
    (ALL, "nc_match_replace8", VECTOR, {"dst": F32, "data": F32, "vals": EIGHT}, {"imm": 0.0}, N),
)


@pytest.mark.parametrize("targets, name, engine, operands, fields, cycles", CASES)
def test_work(
    targets: str, name: str, engine: Engine, operands: dict[str, Any], fields: dict[str, Any], cycles: float
) -> None:
    flags = {f.name: fields.get(f.name) for f in BY_NAME[name].fields}
    for target in map(load, targets.split()):
        instance = Instance(BY_NAME[name], engine, operands, flags, target)
        assert check(instance) is None
        assert work_cycles(instance) == pytest.approx(cycles), target.name
