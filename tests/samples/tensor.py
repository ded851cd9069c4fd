"""Matrix products and transposes."""

from __future__ import annotations

from nki_mlir.dialects.access import Access, Engine, Space
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
DOUBLE_ROW: dict[str, object] = {"perf_mode": "double_row"}
MATMUL = Sample("nc_matmul", TENSOR, {"dst": PRODUCT, "stationary": STATIONARY, "moving": MOVING})


def _tiled(row: int, column: int, size: int, name: str, target: str) -> tuple[Sample, ...]:
    """A matmul on one tile of the array, in both forms: `name` is nc_matmul or multiply_moving."""
    fields = {"tile_position": (row, column), "tile_size": (size, size)}
    stationary = tile("bfloat16", size, size, start=row)
    moving = tile("bfloat16", size, 512, start=row, address=256)
    dst = tile("float32", size, 512, start=column, space=Space.PSUM)
    load = Sample("load_stationary", TENSOR, {"stationary": stationary}, fields, target)
    if name == "nc_matmul":
        return (Sample(name, TENSOR, {"dst": dst, "stationary": stationary, "moving": moving}, fields, target),)
    return load, Sample(name, TENSOR, {"dst": dst, "moving": moving}, fields, target, (load,))


def _pair(
    operands: dict[str, Access], fields: dict[str, object], target: str = "trn1", before: tuple[Sample, ...] = ()
) -> tuple[Sample, ...]:
    """A matmul in both forms: as one, and as a load and a multiplication. The load alone may be legal from trn1 on."""
    loaded = {"stationary": operands["stationary"]}
    load = Sample("load_stationary", TENSOR, loaded, fields, target if fields == DOUBLE_ROW else "trn1", before)
    rest = {name: access for name, access in operands.items() if name != "stationary"}
    return (
        Sample("nc_matmul", TENSOR, operands, fields, target, before),
        load,
        Sample("multiply_moving", TENSOR, rest, fields, target, (*before, load)),
    )


def _transpose(kind: str, leaves: str, target: str) -> tuple[Sample, ...]:
    """One row becomes a column; the identity is a single one."""
    one = tile(kind, 1, 1, address=512)
    ones = Sample("memset", VECTOR, {"dst": one}, {"value": 1.0})
    operands = {"stationary": tile(kind, 1, 64), "moving": one, "dst": tile(leaves, 64, 1, space=Space.PSUM)}
    return _pair(operands, {"is_transpose": True}, target, (ones,))


DOUBLE = {
    "stationary": tile("float8_e4m3", 128, 2, 64),
    "moving": tile("float8_e5m2", 128, 2, 512, address=128),
    "dst": PRODUCT,
}
FP32 = {"dst": PRODUCT, **WIDE}
ALL_BANKS = {
    "stationary": STATIONARY,
    "moving": tile("bfloat16", 128, 8192, address=256),
    "dst": tile("bfloat16", 64, 8192, space=Space.PSUM),
}

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
    *(
        Sample(
            "nc_transpose",
            TENSOR,
            {"dst": tile(leaves, 64, 128, space=Space.PSUM), "data": tile(kind, 128, 64)},
            target=target,
        )
        for kind, leaves, target in (
            ("float32", "float32", "trn1"),
            ("float16", "float16", "trn1"),
            ("float8_e4m3", "uint16", "trn2"),
        )
    ),
    *(s for name in ("nc_matmul", "multiply_moving") for s in _tiled(64, 0, 64, name, "trn1")),
    *(s for name in ("nc_matmul", "multiply_moving") for s in _tiled(96, 32, 32, name, "trn2")),
    *_transpose("float32", "float32", "trn1"),
    *_transpose("bfloat16", "bfloat16", "trn2"),
    *_transpose("float8_e5m2", "uint16", "trn2"),
    *_pair(FP32, {"is_stationary_onezero": True}),
    *_pair(FP32, {"is_moving_onezero": True}),
    *_pair(DOUBLE, DOUBLE_ROW, "trn2"),
    *_pair(ALL_BANKS, {}, "trn3"),
    Sample(
        "nc_matmul", TENSOR, {**MATMUL.operands, "moving": tile("float8_e4m3fn", 128, 512, address=256)}, {}, "trn3"
    ),
)
