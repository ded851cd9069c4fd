"""Instructions of the Vector, Scalar and GpSimd engines that work element by element."""

from __future__ import annotations

from dataclasses import replace

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr, Register
from samples import Sample, tile

VECTOR, SCALAR, GPSIMD = Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD

A, B, C = (tile("float32", 128, 4, 8, address=128 * k) for k in range(3))
COLUMN = tile("float32", 128, 1, address=512)
HALF = tile("bfloat16", 128, 32, address=1024)
WORDS = tile("int32", 128, 32, address=1152)
FLAGS = tile("uint8", 128, 32, address=1280)
ACCUMULATED = tile("float32", 128, 32, space=Space.PSUM)
COPY = {"dst": B, "src": C}
A_SOMEWHERE = replace(A, address=Expr.of(0, [(Register(3), 4)]))

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
    Sample("tensor_copy", VECTOR, {"dst": A, "src": ACCUMULATED}),
    Sample("tensor_copy", SCALAR, {"dst": HALF, "src": ACCUMULATED}, target="trn2"),
    Sample("tensor_copy", GPSIMD, {"dst": A, "src": WORDS}),
    Sample("tensor_copy_predicated", VECTOR, {"dst": A, "src": B, "predicate": FLAGS}),
    Sample("tensor_copy_predicated", VECTOR, {"dst": A, "src": B, "predicate": FLAGS}, {"reverse_pred": True}),
    Sample("tensor_copy_predicated", VECTOR, {"dst": A, "predicate": FLAGS}, {"value": -0.5}),
    *(
        Sample(f"tensor_copy_dynamic_{way}", engine, {**COPY, way: A_SOMEWHERE}, target=target)
        for way in ("src", "dst")
        for engine, target in ((VECTOR, "trn1"), (SCALAR, "trn2"), (GPSIMD, "trn1"))
    ),
    Sample("nc_stream_shuffle", VECTOR, {"dst": A, "src": B}, {"shuffle_mask": tuple(reversed(range(32)))}),
    Sample(
        "nc_stream_shuffle",
        VECTOR,
        {"dst": tile("int16", 32, 9, start=96), "src": tile("int16", 1, 9, address=64, start=64)},
        {"shuffle_mask": (0, *[255] * 15, *[0] * 16)},
    ),
    Sample("memset", VECTOR, {"dst": ACCUMULATED}, {"value": 1.5}),
    Sample("memset", VECTOR, {"dst": A}, {"value": 0.0, "stands_for": "undefined"}),
    Sample("memset", GPSIMD, {"dst": WORDS}, {"value": -7}),
    Sample("reciprocal", VECTOR, {"dst": A, "data": B}),
)
