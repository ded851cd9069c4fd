"""Each rule of microscaling and of its element types, broken once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from samples import Sample, hbm, tile
from samples.mx import (
    CODES,
    INPUTS,
    MATMUL,
    MIXED,
    MIXED_PRODUCT,
    MIXED_TILE,
    PACKED,
    PRODUCT,
    QUANTIZE,
    QUANTIZED,
    SOURCE,
    operands,
    scales,
)
from samples.tensor import MATMUL as PLAIN

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.instructions import BY_NAME, Instance, check
from nki_mlir.targets import load

TENSOR, VECTOR, GPSIMD, SYNC = Engine.TENSOR, Engine.VECTOR, Engine.GPSIMD, Engine.SYNC
LEFT, LEFT_SCALE = INPUTS["stationary"], INPUTS["stationary_scale"]
PSUM_CODES = tile("uint8", 100, 64, space=Space.PSUM)


def matmul(target: str = "trn3", inputs: Mapping[str, Access] = INPUTS, **changed: Access) -> Sample:
    return Sample(MATMUL.name, TENSOR, {"dst": PRODUCT, **inputs, **changed}, {}, target)


def on_tile(fields: Mapping[str, object]) -> Sample:
    return Sample(MATMUL.name, TENSOR, {"dst": MIXED_PRODUCT, **MIXED}, {**MIXED_TILE, **fields}, "trn3")


def loaded(fields: Mapping[str, object] | None = None, **changed: Access | None) -> Sample:
    found = {"stationary": LEFT, "stationary_scale": LEFT_SCALE, **changed}
    return Sample("load_stationary", TENSOR, {n: a for n, a in found.items() if a}, fields or {}, "trn3")


def quantize(target: str = "trn3", engine: Engine = VECTOR, **changed: Access) -> Sample:
    return Sample("quantize_mx", engine, {**QUANTIZE.operands, **changed}, {}, target)


def moved(name: str, dst: Access, src: Access, fields: Mapping[str, object] | None = None) -> Sample:
    transfer = name == "dma_copy"
    return Sample(name, SYNC if transfer else VECTOR, {"dst": dst, "src": src}, fields or {}, "trn3")


OF_96 = operands("float8_e4m3fn_x4", "float8_e4m3fn_x4", 96)
ILLEGAL: dict[str, Sample] = {
    "nc_matmul_mx needs NeuronCore-v4; trn1 is v2": matmul("trn1"),
    "nc_matmul_mx needs NeuronCore-v4; trn2 is v3": matmul("trn2"),
    "quantize_mx needs NeuronCore-v4; trn2 is v3": quantize("trn2"),
    "quantize_mx runs on vector, not on gpsimd": quantize(engine=GPSIMD),
    "stationary must be one of float4_e2m1fn_x4, float8_e4m3fn_x4, float8_e5m2_x4, not float8_e4m3fn": matmul(
        stationary=tile("float8_e4m3fn", 128, 64)
    ),
    "stationary must be one of bfloat16, float16, float32, float8_e4m3, float8_e4m3fn, float8_e5m2, tfloat32, not "
    "float8_e4m3fn_x4": Sample("nc_matmul", TENSOR, {**PLAIN.operands, "stationary": LEFT}, {}, "trn3"),
    "moving_scale must be one of float8_e8m0fnu, uint8, not int8": matmul(
        moving_scale=scales(INPUTS["moving"], 4096, 4, "int8")
    ),
    "stationary_scale must be in sbuf, not in psum": matmul(stationary_scale=PSUM_CODES),
    "dst must be in psum, not in sbuf": matmul(dst=tile("float32", 64, 512)),
    "dst is float32, or bfloat16 from NeuronCore-v4 on, not float16": matmul(
        dst=tile("float16", 64, 512, space=Space.PSUM)
    ),
    "stationary has 48 partitions; MX blocks fill quadrants of 32": matmul(stationary=tile("float8_e5m2_x4", 48, 64)),
    "stationary has K = 128 partitions and moving 96": matmul(
        moving=OF_96["moving"], moving_scale=OF_96["moving_scale"]
    ),
    "stationary_scale spans 100 partitions, from the first to the last of those that the 128 of stationary have, not "
    "128": matmul(stationary_scale=tile("uint8", 128, 64)),
    "moving_scale spans 100 partitions, from the first to the last of those that the 128 of moving have, not 4": matmul(
        moving_scale=tile("uint8", 4, 512)
    ),
    "stationary_scale starts at partition 0, 4, 8, 12, as stationary starts at 0, not at 2": matmul(
        stationary_scale=scales(LEFT, 4096, 2)
    ),
    "stationary_scale starts at partition 0, 4, 8, 12, as stationary starts at 0, not at 16": matmul(
        stationary_scale=scales(LEFT, 4096, 16)
    ),
    "moving_scale starts at partition 64, 68, 72, 76, as moving starts at 64, not at 32": Sample(
        MATMUL.name,
        TENSOR,
        {"dst": MIXED_PRODUCT, **MIXED, "moving_scale": tile("uint8", 4, 256, start=32)},
        MIXED_TILE,
        "trn3",
    ),
    "stationary_scale has 32 elements per partition and stationary 64; there is one scale for each": matmul(
        stationary_scale=tile("uint8", 100, 32)
    ),
    "stationary has 63 columns; packed elements need an even number": matmul(
        inputs=operands("float8_e5m2_x4", "float8_e5m2_x4", m=63)
    ),
    "stationary has 130 columns; the array takes 128": matmul(
        inputs=operands("float8_e5m2_x4", "float8_e5m2_x4", m=130)
    ),
    "dst has 32 partitions; stationary has 64 columns": matmul(dst=tile("float32", 32, 512, space=Space.PSUM)),
    "moving has 4100 columns; one matmul takes 4096": matmul(
        inputs=operands("float8_e5m2_x4", "float8_e5m2_x4", n=4100), dst=tile("float32", 64, 4096, space=Space.PSUM)
    ),
    "a matmul of packed elements has row tiles only, of all 128 columns, not of 64 from 0 on": on_tile(
        {"tile_size": (32, 64)}
    ),
    "a matmul of packed elements has row tiles only, of all 128 columns, not of 32 from 32 on": loaded(
        {"tile_position": (0, 32), "tile_size": (128, 32)}
    ),
    "a tile of 32 rows starts at a multiple of 32 below 128, not at 16": on_tile({"tile_position": (16, 0)}),
    "stationary starts at partition 64; the tile's rows start at 32": on_tile({"tile_position": (32, 0)}),
    "stationary_scale and packed elements (…_x4) go together; stationary is float8_e4m3fn_x4": loaded(
        stationary_scale=None
    ),
    "stationary_scale and packed elements (…_x4) go together; stationary is bfloat16": loaded(
        stationary=tile("bfloat16", 128, 64)
    ),
    "a matmul of packed elements has no is_transpose": loaded({"is_transpose": True}),
    "a matmul of packed elements has no is_stationary_onezero": loaded({"is_stationary_onezero": True}),
    "a matmul of packed elements has no is_moving_onezero": loaded({"is_moving_onezero": True}),
    "a matmul of packed elements has no perf_mode": loaded({"perf_mode": "double_row"}),
    "src must be one of bfloat16, float16, not float32": quantize(src=tile("float32", 128, 512)),
    "dst must be one of float8_e4m3fn_x4, float8_e5m2_x4, not float4_e2m1fn_x4": quantize(
        dst=tile("float4_e2m1fn_x4", 128, 128, address=1024)
    ),
    "dst_scale must be in sbuf, not in psum": quantize(dst_scale=tile("uint8", 100, 128, space=Space.PSUM)),
    "src has 510 elements per partition; 4 of them make one of dst": quantize(src=tile("bfloat16", 128, 510)),
    "dst must be 128 x 128 elements, 4 of src in each, not 128 x 512": quantize(dst=tile("float8_e5m2_x4", 128, 512)),
    "dst must be 128 x 128 elements, 4 of src in each, not 64 x 128": quantize(dst=tile("float8_e5m2_x4", 64, 128)),
    "src has 40 partitions; MX blocks fill quadrants of 32": quantize(
        src=tile("bfloat16", 40, 512), dst=tile("float8_e5m2_x4", 40, 128)
    ),
    "dst_scale spans 100 partitions, from the first to the last of those that the 128 of dst have, not 16": quantize(
        dst_scale=tile("uint8", 16, 128)
    ),
    "dst_scale starts at partition 0, 4, 8, 12, as dst starts at 0, not at 20": quantize(
        dst_scale=scales(QUANTIZED, 2048, 20)
    ),
    "dst_scale has 512 elements per partition and dst 128; there is one scale for each": quantize(
        dst_scale=tile("uint8", 100, 512)
    ),
    "float8_e5m2_x4 is no number that converts; dst and src must have the same type": moved(
        "tensor_copy", tile("uint32", 64, 32), PACKED
    ),
    "float8_e8m0fnu is no number that converts; dst and src must have the same type": moved(
        "dma_copy", hbm("x", "float8_e8m0fnu", 32, 16), tile("uint8", 32, 16), {"queue": 0}
    ),
    "float8_e8m0fnu is no number that dst_rmw_op can add": moved(
        "dma_copy", hbm("x", "float8_e8m0fnu", 32, 16), CODES, {"queue": 0, "dst_rmw_op": Alu.ADD}
    ),
    "float8_e5m2_x4 is filled with 0 only, not with 1": Sample("memset", VECTOR, {"dst": PACKED}, {"value": 1}, "trn3"),
    "float8_e8m0fnu is filled with 0 only, not with 2.0": Sample(
        "memset", VECTOR, {"dst": CODES}, {"value": 2.0}, "trn3"
    ),
    "dst: float8_e5m2_x4 needs NeuronCore-v4; trn2 is v3": Sample(
        "memset", VECTOR, {"dst": PACKED}, {"value": 0}, "trn2"
    ),
    "data must be one of bfloat16, float16, float32, float8_e4m3, float8_e4m3fn, float8_e5m2, int16, int32, int8, "
    "tfloat32, uint16, uint32, uint8, not float8_e5m2_x4": Sample(
        "tensor_scalar", VECTOR, {"dst": tile("float32", 64, 32), "data": PACKED, "operand0": 1.0}, {"op0": Alu.ADD}
    ),
}


def reason(sample: Sample) -> str | None:
    instruction = BY_NAME[sample.name]
    return check(Instance(instruction, sample.engine, sample.operands, sample.fields, load(sample.target)))


@pytest.mark.parametrize("message", ILLEGAL)
def test_rejected(message: str) -> None:
    assert reason(ILLEGAL[message]) == message


def test_the_cases_are_legal_but_for_one_thing() -> None:
    legal = [matmul(), matmul(inputs=OF_96), on_tile({}), loaded(), quantize()]
    legal += [
        matmul(stationary_scale=scales(LEFT, 4096, offset, kind))
        for offset in (0, 4, 8, 12)
        for kind in ("uint8", "float8_e8m0fnu")
    ]
    legal.append(quantize(src=tile("float16", 128, 4, 128), dst=QUANTIZED))
    assert [reason(s) for s in legal] == [None] * len(legal)
    assert SOURCE.free_elements == 4 * QUANTIZED.free_elements and PRODUCT.partitions == LEFT.free_elements
