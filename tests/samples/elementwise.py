"""Instructions of the Vector, Scalar and GpSimd engines that work element by element, and reductions."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.alu import Alu, Function
from samples import Sample, tile

VECTOR, SCALAR, GPSIMD = Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD

A, B, C = (tile("float32", 128, 4, 8, address=128 * k) for k in range(3))
COLUMN, OTHER_COLUMN, RESULT = (tile("float32", 128, 1, address=512 + 4 * k) for k in range(3))
HALF = tile("bfloat16", 128, 32, address=1024)
WORDS = tile("int32", 128, 32, address=1152)
FLAGS = tile("uint8", 128, 32, address=1280)
ACCUMULATED = tile("float32", 128, 32, space=Space.PSUM)
PATTERN = {"pattern": (8, 4, 1, 8), "offset": -3, "channel_multiplier": 32}

SAMPLES: tuple[Sample, ...] = (
    Sample("tensor_tensor", VECTOR, {"dst": A, "data1": B, "data2": ACCUMULATED}, {"op": Alu.ADD}),
    Sample("tensor_tensor", VECTOR, {"dst": HALF, "data1": B, "data2": WORDS}, {"op": Alu.MAXIMUM}),
    Sample("tensor_tensor", VECTOR, {"dst": A, "data1": B, "data2": C}, {"op": Alu.ABS_MAX}, "trn3"),
    Sample("tensor_tensor", GPSIMD, {"dst": A, "data1": B, "data2": C}, {"op": Alu.POWER}),
    Sample(
        "tensor_scalar",
        VECTOR,
        {"dst": HALF, "data": A, "operand0": COLUMN, "operand1": 2.0},
        {"op0": Alu.SUBTRACT, "reverse0": True, "op1": Alu.MULTIPLY, "reverse1": True},
    ),
    Sample("tensor_scalar", VECTOR, {"dst": WORDS, "data": WORDS, "operand0": 3.0}, {"op0": Alu.LEFT_SHIFT}),
    Sample(
        "tensor_scalar",
        SCALAR,
        {"dst": A, "data": B, "operand0": 2.0, "operand1": COLUMN},
        {"op0": Alu.MULTIPLY, "op1": Alu.ADD},
        "trn2",
    ),
    Sample("tensor_scalar", GPSIMD, {"dst": A, "data": B, "operand0": 0.0}, {"op0": Alu.RSQRT}),
    Sample(
        "scalar_tensor_tensor",
        VECTOR,
        {"dst": A, "data": B, "operand0": 3.0, "operand1": C},
        {"op0": Alu.MULTIPLY, "op1": Alu.ADD},
    ),
    Sample(
        "scalar_tensor_tensor",
        VECTOR,
        {"dst": A, "data": ACCUMULATED, "operand0": COLUMN, "operand1": HALF},
        {"op0": Alu.SUBTRACT, "reverse0": True, "op1": Alu.DIVIDE, "reverse1": True},
    ),
    Sample(
        "tensor_reduce",
        VECTOR,
        {"dst": tile("float32", 128, 4, address=600), "data": A},
        {"op": Alu.ADD, "axes": 1, "negate": True},
    ),
    Sample("tensor_reduce", VECTOR, {"dst": RESULT, "data": A}, {"op": Alu.MAXIMUM, "axes": 2}),
    Sample("tensor_copy", VECTOR, {"dst": A, "src": ACCUMULATED}),
    Sample("tensor_copy", SCALAR, {"dst": HALF, "src": ACCUMULATED}, target="trn2"),
    Sample("tensor_copy", GPSIMD, {"dst": A, "src": WORDS}),
    Sample("tensor_copy_predicated", VECTOR, {"dst": A, "src": B, "predicate": FLAGS}),
    Sample("tensor_copy_predicated", VECTOR, {"dst": A, "src": B, "predicate": FLAGS}, {"reverse_pred": True}),
    Sample("memset", VECTOR, {"dst": ACCUMULATED}, {"value": 1.5}),
    Sample("memset", GPSIMD, {"dst": WORDS}, {"value": -7}),
    Sample("reciprocal", VECTOR, {"dst": A, "data": B}),
    Sample(
        "activation", SCALAR, {"dst": HALF, "data": ACCUMULATED, "bias": COLUMN, "scale": 0.5}, {"op": Function.GELU}
    ),
    Sample("activation", SCALAR, {"dst": A, "data": B, "bias": 1.0, "scale": COLUMN}, {"op": Function.EXP}, "trn2"),
    Sample(
        "activation_reduce",
        SCALAR,
        {"dst": A, "data": B, "bias": COLUMN, "scale": 2.0, "reduce_res": RESULT},
        {"op": Function.EXP},
    ),
    Sample(
        "activation_reduce",
        SCALAR,
        {"dst": A, "data": B, "bias": 0.5, "reduce_res": RESULT},
        {"op": Function.EXP},
        "trn2",
    ),
    Sample("iota", GPSIMD, {"dst": WORDS}, PATTERN),
    Sample(
        "affine_select",
        GPSIMD,
        {"dst": HALF, "on_true_tile": A},
        {**PATTERN, "on_false_value": -1.5, "cmp_op": Alu.GREATER_EQUAL},
    ),
)
