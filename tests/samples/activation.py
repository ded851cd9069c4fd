"""Functions of the Scalar engine."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from samples import Sample, tile

SCALAR = Engine.SCALAR

A, B = (tile("float32", 128, 4, 8, address=128 * k) for k in range(2))
HALF = tile("bfloat16", 128, 32, address=256)
COLUMN, OTHER, RESULT = (tile("float32", 128, 1, address=512 + 4 * k) for k in range(3))
SHORT, COUNT = tile("bfloat16", 128, 1, address=524), tile("int32", 128, 1, address=528)
ACCUMULATED = tile("float32", 128, 32, space=Space.PSUM)
EXP = {"op": Function.EXP}

SAMPLES: tuple[Sample, ...] = (
    Sample(
        "activation", SCALAR, {"dst": HALF, "data": ACCUMULATED, "bias": COLUMN, "scale": 0.5}, {"op": Function.GELU}
    ),
    Sample("activation", SCALAR, {"dst": A, "data": B, "bias": 1.0, "scale": COLUMN}, EXP, "trn2"),
    Sample("activation", SCALAR, {"dst": A, "data": B, "bias": COUNT}, {"op": Function.PRELU}),
    Sample("activation", SCALAR, {"dst": A, "data": B}, {**EXP, "reduce_cmd": ReduceCommand.RESET}),
    Sample(
        "activation",
        SCALAR,
        {"dst": A, "data": B, "reduce_res": SHORT},
        {**EXP, "reduce_cmd": ReduceCommand.REDUCE},
        before=(
            Sample("activation", SCALAR, {"dst": A, "data": B}, {**EXP, "reduce_cmd": ReduceCommand.RESET_REDUCE}),
        ),
    ),
    Sample("activation_reduce", SCALAR, {"dst": A, "data": B, "bias": COLUMN, "scale": 2.0, "reduce_res": RESULT}, EXP),
    Sample("activation_reduce", SCALAR, {"dst": A, "data": B, "bias": 0.5, "scale": COLUMN}, EXP, "trn2"),
    Sample(
        "activate2",
        SCALAR,
        {"dst": HALF, "data": A, "imm0": COLUMN, "imm1": OTHER, "relu_param": 0.25, "reduce_res": RESULT},
        {
            "op": Function.PRELU,
            "op0": Alu.MULTIPLY,
            "op1": Alu.SUBTRACT,
            "reverse0": True,
            "reverse1": True,
            "reduce_op": Alu.ABS_MAX,
            "reduce_cmd": ReduceCommand.RESET_REDUCE,
        },
        "trn3",
    ),
    Sample(
        "activate2",
        SCALAR,
        {"dst": A, "data": B, "imm0": 2.0, "imm1": 1.0, "relu_param": COLUMN},
        {"op": Function.PRELU, "op0": Alu.MULTIPLY, "op1": Alu.ADD},
        "trn3",
    ),
    Sample("activate2", SCALAR, {"dst": A, "data": ACCUMULATED}, {"op": Function.SILU}, "trn3"),
)
