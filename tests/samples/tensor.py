"""Matrix products and transposes."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import ExprAttr
from samples import Sample, tile

TENSOR, VECTOR = Engine.TENSOR, Engine.VECTOR
ACCUMULATE = {"accumulate": ExprAttr(Expr(1))}

STATIONARY, MOVING = tile("bfloat16", 128, 64), tile("bfloat16", 128, 512, address=256)
PRODUCT = tile("float32", 64, 512, space=Space.PSUM)
WIDE = {"stationary": tile("float32", 128, 64), "moving": tile("float32", 128, 512, address=2048)}

LOAD = Sample("load_stationary", TENSOR, {"stationary": STATIONARY})
MULTIPLY = Sample("multiply_moving", TENSOR, {"dst": PRODUCT, "moving": MOVING}, before=(LOAD,))
MATMUL = Sample("nc_matmul", TENSOR, {"dst": PRODUCT, "stationary": STATIONARY, "moving": MOVING})

SAMPLES: tuple[Sample, ...] = (
    LOAD,
    MULTIPLY,
    Sample("multiply_moving", TENSOR, MULTIPLY.operands, ACCUMULATE, before=(LOAD, MULTIPLY)),
    MATMUL,
    Sample("nc_matmul", TENSOR, {"dst": PRODUCT, **WIDE}),
    Sample("nc_matmul", TENSOR, MATMUL.operands, ACCUMULATE, before=(MATMUL,)),
    Sample(
        "nc_transpose",
        VECTOR,
        {"dst": tile("bfloat16", 32, 16, address=64), "data": tile("bfloat16", 16, 32)},
    ),
    Sample(
        "nc_transpose",
        TENSOR,
        {"dst": tile("float32", 64, 128, space=Space.PSUM), "data": tile("float32", 128, 64)},
    ),
)
