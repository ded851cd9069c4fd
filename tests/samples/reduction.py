"""Reductions and scans of the Vector engine."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.alu import Alu, ReduceCommand
from samples import Sample, tile

VECTOR = Engine.VECTOR
RESET, REDUCE, LOAD = ReduceCommand.RESET_REDUCE, ReduceCommand.REDUCE, ReduceCommand.LOAD_REDUCE

A, B, C = (tile("float32", 128, 4, 8, address=128 * k) for k in range(3))
COLUMN, OTHER, RESULT = (tile("float32", 128, 1, address=512 + 4 * k) for k in range(3))
SHORT = tile("bfloat16", 128, 1, address=524)
HALF, SMALL = tile("bfloat16", 128, 32, address=640), tile("int16", 128, 32, address=704)
FLAGS = tile("uint8", 128, 32, address=768)
ACCUMULATED = tile("float32", 128, 32, space=Space.PSUM)
BOX_SIZES = (2, 3, 4, 5)
BOX = tile("bfloat16", 64, *BOX_SIZES, address=1024, start=64)

SCALED = Sample(
    "tensor_scalar_reduce",
    VECTOR,
    {"dst": A, "data": B, "operand0": COLUMN, "reduce_res": RESULT},
    {"op0": Alu.MULTIPLY, "reduce_op": Alu.ADD, "reduce_cmd": RESET, "reduce_res_negate": True},
)
RUNNING = Sample(
    "tensor_scalar_cumulative",
    VECTOR,
    {"dst": A, "src": HALF, "imm0": 2.0},
    {"op0": Alu.MULTIPLY, "op1": Alu.ADD, "reduce_cmd": RESET},
)

SAMPLES: tuple[Sample, ...] = (
    Sample(
        "tensor_reduce",
        VECTOR,
        {"dst": tile("float32", 128, 4, address=600), "data": A},
        {"op": Alu.ADD, "axes": 1, "negate": True},
    ),
    *(
        Sample(
            "tensor_reduce",
            VECTOR,
            {"dst": tile("float32", 64, *(BOX_SIZES[: 4 - axes] or (1,)), address=600), "data": BOX},
            {"op": Alu.MAXIMUM, "axes": axes},
        )
        for axes in range(1, 5)
    ),
    SCALED,
    Sample(
        "tensor_scalar_reduce",
        VECTOR,
        {"dst": A, "data": B, "operand0": 0.0, "reduce_res": SHORT},
        {"op0": Alu.ABS, "reduce_op": Alu.MAXIMUM, "reduce_cmd": REDUCE},
        before=(SCALED,),
    ),
    *(
        Sample(
            "tensor_scalar_reduce",
            VECTOR,
            {"dst": A, "data": ACCUMULATED, "operand0": 1.0, "reduce_init": init},
            {"op0": Alu.ADD, "reduce_op": Alu.MULTIPLY, "reduce_cmd": LOAD},
        )
        for init in (COLUMN, 3.0)
    ),
    RUNNING,
    Sample(
        "tensor_scalar_cumulative",
        VECTOR,
        {"dst": SMALL, "src": A, "imm0": COLUMN},
        {"op0": Alu.SUBTRACT, "op1": Alu.SUBTRACT, "reduce_cmd": REDUCE},
        before=(RUNNING,),
    ),
    *(
        Sample(
            "tensor_scalar_cumulative",
            VECTOR,
            {"dst": A, "src": B, "imm0": 1.0, "imm1": initial},
            {"op0": Alu.MULTIPLY, "op1": Alu.MAXIMUM, "reduce_cmd": LOAD},
        )
        for initial in (COLUMN, 0.5)
    ),
    Sample(
        "tensor_tensor_scan",
        VECTOR,
        {"dst": A, "data0": B, "data1": ACCUMULATED, "initial": 0.0},
        {"op0": Alu.MULTIPLY, "op1": Alu.ADD},
    ),
    Sample(
        "tensor_tensor_scan",
        VECTOR,
        {"dst": HALF, "data0": B, "data1": C, "initial": COLUMN},
        {"op0": Alu.SUBTRACT, "reverse0": True, "op1": Alu.SUBTRACT, "reverse1": True},
    ),
    Sample(
        "select_reduce",
        VECTOR,
        {"dst": A, "predicate": FLAGS, "on_true": ACCUMULATED, "on_false": SHORT, "reduce_res": RESULT},
        {"reverse_pred": True, "reduce_cmd": RESET},
    ),
    Sample("select_reduce", VECTOR, {"dst": HALF, "predicate": SMALL, "on_true": B, "on_false": -1.0}),
    Sample(
        "range_select",
        VECTOR,
        {"dst": A, "on_true_tile": B, "bound0": COLUMN, "bound1": OTHER, "reduce_res": RESULT},
        {"comp_op0": Alu.GREATER_EQUAL, "comp_op1": Alu.LESS, "range_start": 64, "reduce_cmd": RESET},
        "trn2",
    ),
    Sample(
        "range_select",
        VECTOR,
        {"dst": HALF, "on_true_tile": ACCUMULATED, "bound0": COLUMN, "bound1": OTHER},
        {"comp_op0": Alu.EQUAL, "comp_op1": Alu.GREATER, "range_start": 0},
        "trn2",
    ),
    *(
        Sample(
            "exponential",
            VECTOR,
            {"dst": A, "src": B, "max_value": column, "reduce_init": column, "reduce_res": RESULT},
            {"reduce_cmd": LOAD},
            "trn3",
        )
        for column in (COLUMN, 1.0)
    ),
    Sample("exponential", VECTOR, {"dst": HALF, "src": ACCUMULATED}, target="trn3"),
    Sample("bn_stats", VECTOR, {"dst": tile("float32", 128, 2, 3, address=600), "data": A}),
    Sample("bn_aggr", VECTOR, {"dst": tile("float32", 128, 2, address=600), "data": tile("float32", 128, 4, 3)}),
)
