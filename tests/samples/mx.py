"""Packed small floats with the scales of their blocks: made, multiplied, and moved as they are."""

from __future__ import annotations

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import ExprAttr
from samples import Sample, hbm, tile

TENSOR, VECTOR, GPSIMD, SYNC = Engine.TENSOR, Engine.VECTOR, Engine.GPSIMD, Engine.SYNC
ACCUMULATE = {"accumulate": ExprAttr(Expr(1))}
PRODUCT = tile("float32", 64, 512, space=Space.PSUM)


def scales(data: Access, address: int, offset: int = 0, type_name: str = "uint8") -> Access:
    """Those of a tile: four partitions of each of its quadrants, the first of which is `offset` into the quadrant."""
    return tile(type_name, data.partitions - 28, data.free_elements, address=address, start=data.start + offset)


def operands(
    stationary: str, moving: str, k: int = 128, m: int = 64, n: int = 512, start: int = 0, codes: str = "uint8"
) -> dict[str, Access]:
    """Inputs of a matmul, with the scales of one behind those of the other."""
    left, right = tile(stationary, k, m, start=start), tile(moving, k, n, start=start, address=512)
    return {
        "stationary": left,
        "moving": right,
        "stationary_scale": scales(left, 4096, 0, codes),
        "moving_scale": scales(right, 4096, 4, codes),
    }


def pair(
    inputs: dict[str, Access], dst: Access, fields: dict[str, object] | None = None, before: tuple[Sample, ...] = ()
) -> tuple[Sample, Sample]:
    """The load and the multiplication of a matmul."""
    loaded = {name: access for name, access in inputs.items() if name.startswith("stationary")}
    moved = {name: access for name, access in inputs.items() if name.startswith("moving")}
    area = {name: value for name, value in (fields or {}).items() if name != "accumulate"}
    load = Sample("load_stationary", TENSOR, loaded, area, "trn3", before)
    multiply = Sample("multiply_moving", TENSOR, {"dst": dst, **moved}, fields or {}, "trn3", (*before, load))
    return load, multiply


INPUTS = operands("float8_e4m3fn_x4", "float8_e5m2_x4")
MIXED = operands("float4_e2m1fn_x4", "float8_e4m3fn_x4", k=32, m=128, n=256, start=64, codes="float8_e8m0fnu")
MIXED_PRODUCT = tile("bfloat16", 128, 256, space=Space.PSUM)
MIXED_TILE: dict[str, object] = {"tile_position": (64, 0), "tile_size": (32, 128)}
MATMUL = Sample("nc_matmul_mx", TENSOR, {"dst": PRODUCT, **INPUTS}, {}, "trn3")

SOURCE, QUANTIZED = tile("bfloat16", 128, 2, 256), tile("float8_e4m3fn_x4", 128, 128, address=1024)
QUANTIZE = Sample(
    "quantize_mx", VECTOR, {"dst": QUANTIZED, "src": SOURCE, "dst_scale": scales(QUANTIZED, 2048)}, {}, "trn3"
)
ONE_QUADRANT = tile("float8_e5m2_x4", 32, 8, address=64, start=32)

PACKED, FOURS = tile("float8_e5m2_x4", 64, 32), tile("float4_e2m1fn_x4", 32, 32)
CODES = tile("float8_e8m0fnu", 32, 16)

SAMPLES: tuple[Sample, ...] = (
    QUANTIZE,
    Sample(
        "quantize_mx",
        VECTOR,
        {
            "dst": ONE_QUADRANT,
            "src": tile("float16", 32, 32),
            "dst_scale": scales(ONE_QUADRANT, 128, 12, "float8_e8m0fnu"),
        },
        {},
        "trn3",
    ),
    MATMUL,
    *pair(INPUTS, PRODUCT),
    Sample("nc_matmul_mx", TENSOR, MATMUL.operands, ACCUMULATE, "trn3", (MATMUL,)),
    Sample("nc_matmul_mx", TENSOR, {"dst": MIXED_PRODUCT, **MIXED}, MIXED_TILE, "trn3"),
    *pair(MIXED, MIXED_PRODUCT, MIXED_TILE),
    Sample("tensor_copy", VECTOR, {"dst": tile("float8_e5m2_x4", 64, 32, address=256), "src": PACKED}, {}, "trn3"),
    Sample("memset", VECTOR, {"dst": FOURS}, {"value": 0}, "trn3"),
    Sample("memset", GPSIMD, {"dst": CODES}, {"value": 0}, "trn3"),
    Sample(
        "nc_stream_shuffle",
        VECTOR,
        {"dst": tile("float4_e2m1fn_x4", 32, 32, address=64), "src": FOURS},
        {"shuffle_mask": tuple(reversed(range(32)))},
        "trn3",
    ),
    Sample("nc_transpose", VECTOR, {"dst": tile("float8_e8m0fnu", 16, 32, address=64), "data": CODES}, {}, "trn3"),
    Sample("dma_copy", SYNC, {"dst": hbm("x", "float8_e5m2_x4", 64, 32), "src": PACKED}, {"queue": 0}, "trn3"),
    Sample("dma_copy", SYNC, {"dst": CODES, "src": hbm("x", "float8_e8m0fnu", 32, 16)}, {"queue": 0}, "trn3"),
)
