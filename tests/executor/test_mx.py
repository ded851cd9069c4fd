"""Microscaling: blocks of small floats made, multiplied and checked, against formulas block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from engine_builder import Kernel
from executor.cases import quick, seeds
from executor.machine_code import NUMPY, WIDTH, Array, gather, program, scatter, single
from hypothesis import given
from hypothesis import strategies as st
from samples import tile
from samples.mx import scales

from nki_mlir.costs import instructions as costs
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME, Instance
from nki_mlir.dialects.neuron_isa import ExprAttr
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.targets import load as load_target

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LANE: dict[str, Any] = {
    "float8_e5m2_x4": ml_dtypes.float8_e5m2,
    "float8_e4m3fn_x4": ml_dtypes.float8_e4m3fn,
    "float4_e2m1fn_x4": ml_dtypes.float4_e2m1fn,
}
LARGEST = {"float8_e5m2_x4": 15, "float8_e4m3fn_x4": 8}
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 6e-8, -65504.0, 1.0, -1.9921875)
packed, short = st.sampled_from([*LANE]), st.sampled_from(["bfloat16", "float16"])
codes, offsets, partitions = st.sampled_from(["uint8", "float8_e8m0fnu"]), st.sampled_from([0, 4, 8, 12]), (32, 64, 96)


def lanes(access: Access, image: Array) -> Array:
    """The numbers of packed elements, bit by bit: float64 [P, N, 4]."""
    kind, elements = LANE[dtype(access.element_type).name], gather(access, image, image).astype(np.uint64)
    width = 2 * access.itemsize
    patterns = [(elements >> np.uint64(width * j)) & np.uint64(2**width - 1) for j in range(4)]
    return np.stack(patterns, -1).astype(np.uint8).view(kind).astype(np.float64)


def rows_of(scale: Access) -> list[int]:
    """The partitions of the scales, one for each 8 of the data."""
    return [p for p in range(scale.start, scale.start + scale.partitions) if (p - scale.start) % 32 < 4]


def codes_of(scale: Access, image: Array) -> Array:
    """uint8 [P / 8, N] of a dense tile."""
    assert scale.address is not None
    first = scale.address.const
    return image[rows_of(scale), first : first + scale.free_elements]


def values(access: Access, scale: Access, image: Array) -> Array:
    """What packed elements stand for: float64 [4 P, N], the lanes of a partition one after the other."""
    numbers, found = lanes(access, image), codes_of(scale, image).astype(np.float64)
    factors = np.where(found == 255, np.nan, 2.0 ** (found - 127)).repeat(8, 0)
    return (numbers * factors[..., None]).transpose(0, 2, 1).reshape(4 * len(numbers), -1)


def random_image(seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (128, WIDTH), np.uint8)


# quantize_mx.


def quantized(source: Array, kind: str) -> Iterator[tuple[int, int, int, Array]]:
    """Row and column of each block of a [P, N], its code and its elements [8, 4]."""
    for row in range(0, len(source), 8):
        for column in range(0, source.shape[1], 4):
            block = source[row : row + 8, column : column + 4].astype(np.float64)
            largest = np.abs(block).max()
            if not np.isfinite(largest):
                yield row, column, 255, np.full((8, 4), np.nan)
                continue
            exponent = -127 if largest == 0 else max(-127, math.floor(math.log2(largest)) - (LARGEST[kind] - 1))
            yield row, column, exponent + 127, block / 2.0**exponent


@quick
@given(st.data(), short, st.sampled_from([*LARGEST]), codes, offsets, st.sampled_from([32, 64, 96, 128]), seeds)
def test_quantize(data: st.DataObject, source: str, kind: str, code: str, offset: int, p: int, seed: int) -> None:
    """Blocks of all magnitudes, of zeros, and with special values; no other byte changes."""
    n, start = data.draw(st.integers(1, 24)), data.draw(st.sampled_from([0, 32, 96] if p == 32 else [0]))
    dst = tile(kind, p, n, start=start)
    dims = data.draw(st.sampled_from([((1, 4 * n),), ((4, n), (1, 4)), ((8, n), (2, 4)), ((-1, 4 * n),)]))
    src = Access(Space.SBUF, tile(source, 1, 1).element_type, dims, 0, p, Expr(512 if dims[0][0] > 0 else 1022))
    dst_scale = scales(dst, 1536, offset, code)
    rng = np.random.default_rng(seed)
    magnitudes = 2.0 ** rng.integers(-24, 16, (p // 8, n)) * rng.choice([0, 1, 1, 1], (p // 8, n))
    given_values = rng.standard_normal((p, 4 * n)) * magnitudes.repeat(8, 0).repeat(4, 1)
    given_values = np.where(rng.random((p, 4 * n)) < 0.004, rng.choice(SPECIAL, (p, 4 * n)), given_values)
    sbuf, psum = random_image(seed), random_image(seed + 1)
    scatter(src, given_values.astype(NUMPY[source]), sbuf, psum)
    wanted, elements = sbuf.copy(), np.zeros((p, 4 * n), LANE[kind])
    for row, column, number, block in quantized(gather(src, sbuf, psum), kind):
        elements[row : row + 8, column : column + 4] = block.astype(np.float32).astype(LANE[kind])
        wanted[rows_of(dst_scale)[row // 8], 1536 + column // 4] = number
    scatter(dst, elements.view(np.uint32), wanted, psum)
    single("quantize_mx", Engine.VECTOR, {"dst": dst, "src": src, "dst_scale": dst_scale}, {}, sbuf, psum, "trn3")
    np.testing.assert_array_equal(sbuf, wanted)


@pytest.mark.parametrize("kind", LARGEST)
def test_quantized_values_are_near(kind: str) -> None:
    """Half a unit of the last place of e4m3 or e5m2, or of the smallest normal numbers of the block."""
    rng = np.random.default_rng(5)
    dst, src = tile(kind, 128, 64), tile("bfloat16", 128, 256, address=512)
    dst_scale = scales(dst, 1536)
    sbuf, psum = (np.zeros((128, WIDTH), np.uint8) for _ in range(2))
    scatter(src, rng.standard_normal((128, 256)).astype(NUMPY["bfloat16"]), sbuf, psum)
    source = gather(src, sbuf, psum).astype(np.float64).reshape(128, 64, 4).transpose(0, 2, 1).reshape(512, 64)
    single("quantize_mx", Engine.VECTOR, {"dst": dst, "src": src, "dst_scale": dst_scale}, {}, sbuf, psum, "trn3")
    found = values(dst, dst_scale, sbuf)
    bound = 2.0 ** -(4 if "e4m3" in kind else 3)
    assert (np.abs(found - source) <= bound * np.maximum(np.abs(source), 2.0**-11)).all()


# Matmuls.


def matmul(
    stationary: Access,
    moving: Access,
    left: Access,
    right: Access,
    dst: Access,
    sbuf: Array,
    psum: Array,
    times: int = 1,
) -> None:
    """Loads and multiplies, `times` times on top of each other."""
    load = ("load_stationary", {"stationary": stationary, "stationary_scale": left}, {})
    operands = {"dst": dst, "moving": moving, "moving_scale": right}
    again = {"accumulate": ExprAttr(Expr(1))}
    first = [("multiply_moving", operands, {} if k == 0 else again) for k in range(times - 1)]
    fields = again if times > 1 else {}
    single("multiply_moving", Engine.TENSOR, operands, fields, sbuf, psum, "trn3", (load, *first))


def inputs(
    seed: int, left: str, right: str, k: int, m: int, n: int, code: str = "uint8", offset: int = 0, start: int = 0
) -> tuple[Access, Access, Access, Access, Array, Array]:
    """Finite numbers and moderate scales of all signs, in a random image."""
    stationary, moving = tile(left, k, m, start=start), tile(right, k, n, start=start, address=512)
    left_scale, right_scale = scales(stationary, 1024, offset, code), scales(moving, 1280, (offset + 4) % 16, code)
    sbuf, psum = random_image(seed), random_image(seed + 1)
    rng = np.random.default_rng(seed)
    for access, scale in ((stationary, left_scale), (moving, right_scale)):
        name = dtype(access.element_type).name
        numbers = np.clip(rng.standard_normal((k, access.free_elements, 4)) * 2, -6, 6).astype(LANE[name])
        width, bits = 2 * access.itemsize, numbers.view(np.uint8).astype(np.uint64)
        words = sum(bits[..., j] << np.uint64(width * j) for j in range(4))
        scatter(access, np.asarray(words).astype(NUMPY[name]), sbuf, psum)
        assert scale.address is not None
        found = rng.integers(118, 136, (k // 8, access.free_elements))
        sbuf[rows_of(scale), scale.address.const : scale.address.const + access.free_elements] = found
    return stationary, moving, left_scale, right_scale, sbuf, psum


@quick
@given(st.data(), packed, packed, codes, offsets, st.sampled_from(["float32", "bfloat16"]), seeds)
def test_matmul(data: st.DataObject, left: str, right: str, code: str, offset: int, to: str, seed: int) -> None:
    """All pairs of types, sizes and places; accumulated onto once more."""
    k = data.draw(st.sampled_from([*partitions, 128]))
    m, n = 2 * data.draw(st.integers(1, 64)), data.draw(st.integers(1, 128))
    start = data.draw(st.sampled_from([0, 32, 64, 96])) if k == 32 else 0
    stationary, moving, x, y, sbuf, psum = inputs(seed, left, right, k, m, n, code, offset, start)
    dst = tile(to, m, n, space=Space.PSUM, address=512)
    terms = values(stationary, x, sbuf)[:, :, None] * values(moving, y, sbuf)[:, None]
    before, rest = sbuf.copy(), psum.copy()
    matmul(stationary, moving, x, y, dst, sbuf, psum, 2)
    found = gather(dst, sbuf, psum).astype(np.float64)
    bound = (8 * k * 2.0**-24 if to == "float32" else 2.0**-7) * 2 * np.abs(terms).sum(0)
    assert (np.abs(found - 2 * terms.sum(0)) <= bound).all()
    scatter(dst, gather(dst, sbuf, psum), sbuf, rest)
    np.testing.assert_array_equal(sbuf, before)
    np.testing.assert_array_equal(psum, rest)


@pytest.mark.parametrize("kind", LANE)
@pytest.mark.parametrize("lane", range(4))
def test_every_lane_meets_its_partner(kind: str, lane: int) -> None:
    """A stationary one in one lane of partition 41 picks out what moving has there, whatever its bits and its scale."""
    stationary, moving, x, y, sbuf, psum = inputs(3, kind, "float8_e5m2_x4", 64, 2, 100)
    one = {"float8_e5m2_x4": 0x3C, "float8_e4m3fn_x4": 0x38, "float4_e2m1fn_x4": 0x2}[kind]
    words = np.zeros((64, 2), NUMPY[kind])
    words[41, 1] = one << 2 * stationary.itemsize * lane
    scatter(stationary, words, sbuf, psum)
    sbuf[rows_of(x)[5], 1025] = 130
    scatter(moving, np.random.default_rng(4).integers(0, 2**32, (64, 100), np.uint32) & 0x7B7B7B7B, sbuf, psum)
    sbuf[rows_of(y), 1280:1380] = np.arange(8)[:, None] + np.arange(100, 200)
    dst = tile("float32", 2, 100, space=Space.PSUM)
    matmul(stationary, moving, x, y, dst, sbuf, psum)
    wanted = np.stack([np.zeros(100), 8 * values(moving, y, sbuf)[4 * 41 + lane]])
    np.testing.assert_array_equal(gather(dst, sbuf, psum), wanted.astype(np.float32))


def test_special_values_spread_as_in_any_matmul() -> None:
    """A scale of NaN spoils the column of its block, an infinity of float8_e5m2 the sums that it is in."""
    stationary, moving, x, y, sbuf, psum = inputs(1, "float8_e4m3fn_x4", "float8_e5m2_x4", 32, 4, 8)
    sbuf[rows_of(y)[2], 1280 + 3] = 255
    words = gather(moving, sbuf, psum)
    words[7, 5] = 0x3C3C7C3C
    scatter(moving, words, sbuf, psum)
    words = gather(stationary, sbuf, psum)
    words[7, 2] = 0x38003838
    words[7, [0, 1, 3]] = 0x38B83838
    scatter(stationary, words, sbuf, psum)
    dst = tile("float32", 4, 8, space=Space.PSUM)
    matmul(stationary, moving, x, y, dst, sbuf, psum)
    found = gather(dst, sbuf, psum)
    assert np.isnan(found[:, 3]).all() and np.isfinite(np.delete(found, [3, 5], 1)).all()
    assert np.isposinf(found[2, 5]) and np.isposinf(found[[0, 1, 3], 5]).all()


def test_tiles_of_rows_work_side_by_side() -> None:
    """Each on the partitions of its rows, with the scales there."""
    upper = inputs(8, "float8_e4m3fn_x4", "float8_e5m2_x4", 64, 8, 16)
    lower = inputs(9, "float8_e4m3fn_x4", "float8_e5m2_x4", 64, 8, 16, offset=8, start=64)
    sbuf, psum = np.where(np.arange(128)[:, None] < 64, upper[4], lower[4]), upper[5]
    wanted, dst = [], [tile("float32", 8, 16, space=Space.PSUM, address=at) for at in (0, 512)]
    steps: list[tuple[str, dict[str, Access | float | None], dict[str, object]]] = []
    for row, (stationary, moving, x, y, _, _), to in zip((0, 64), (upper, lower), dst, strict=True):
        area: dict[str, object] = {"tile_position": (row, 0), "tile_size": (64, 128)}
        wanted.append(values(stationary, x, sbuf).T @ values(moving, y, sbuf))
        steps.insert(row // 64, ("load_stationary", {"stationary": stationary, "stationary_scale": x}, area))
        steps.append(("multiply_moving", {"dst": to, "moving": moving, "moving_scale": y}, area))
    *before, (name, operands, fields) = steps
    single(name, Engine.TENSOR, operands, fields, sbuf, psum, "trn3", tuple(before))
    for product, to in zip(wanted, dst, strict=True):
        np.testing.assert_allclose(gather(to, sbuf, psum), product, rtol=1e-4, atol=1e-4 * np.abs(product).max())


def test_load_and_multiplication_go_together() -> None:
    left, right, x, y, sbuf, psum = inputs(2, "float8_e4m3fn_x4", "float4_e2m1fn_x4", 64, 8, 16)
    dst, plain = tile("float32", 8, 16, space=Space.PSUM), tile("bfloat16", 64, 8)
    packed_load = ("load_stationary", {"stationary": left, "stationary_scale": x}, {})
    plain_load = ("load_stationary", {"stationary": plain}, {})
    packed_one = {"dst": dst, "moving": right, "moving_scale": y}
    plain_one = {"dst": dst, "moving": tile("bfloat16", 64, 16, address=512)}
    for load, operands in ((packed_load, plain_one), (plain_load, packed_one)):
        with pytest.raises(ExecutionError, match=r"if one input has packed elements \(.*\) the other must too"):
            single("multiply_moving", Engine.TENSOR, operands, {}, sbuf, psum, "trn3", (load,))
    short = packed_one | {"moving": tile("float4_e2m1fn_x4", 32, 16), "moving_scale": tile("uint8", 4, 16)}
    with pytest.raises(ExecutionError, match=r"loaded last is 64 x 8 \(K x M\); moving has 32 partitions and dst 8"):
        single("multiply_moving", Engine.TENSOR, short, {}, sbuf, psum, "trn3", (packed_load,))


@pytest.mark.parametrize("kind", LANE)
@pytest.mark.parametrize(("m", "n"), [(128, 512), (32, 16), (2, 40)])
def test_time_is_that_of_as_many_columns_of_bf16(kind: str, m: int, n: int) -> None:
    left, right = tile(kind, 128, m), tile(kind, 128, n)
    dst, target = tile("float32", m, n, space=Space.PSUM), load_target("trn3")
    operands = (
        ({"stationary": left, "stationary_scale": scales(left, 4096)}, {"stationary": tile("bfloat16", 128, m)}),
        (
            {"dst": dst, "moving": right, "moving_scale": scales(right, 4096)},
            {"dst": dst, "moving": tile("bfloat16", 128, n)},
        ),
    )
    for name, given_operands in zip(("load_stationary", "multiply_moving"), operands, strict=True):
        mx, bf16 = (Instance(BY_NAME[name], Engine.TENSOR, o, {}, target) for o in given_operands)
        price = costs.load if name == "load_stationary" else costs.stream
        assert price(mx) == price(bf16)


# The bytes that are touched.

QUANTIZE_64 = """
  neuron.isa.quantize_mx dst <sbuf[0:64] at 0, [1 x 4], vector<4xf8E5M2>> src <sbuf[0:64] at 64, [1 x 16], bf16>
    dst_scale <sbuf[4:40] at 128, [1 x 4], ui8>"""


@pytest.mark.parametrize("row", [0, 3, 4, 7, 8, 35, 36, 39, 40])
def test_scales_race_on_their_partitions_only(row: int) -> None:
    """A transfer to one partition of where the scales are, at the same time; those of 64 partitions are on 4..7 and
    36..39 here."""
    streams = f"""
    neuron.isa.stream vector {{
      neuron.isa.memset value 1.0 dst <sbuf[0:64] at 64, [1 x 16], bf16> update <sem 0 add 1>
      {QUANTIZE_64} wait <sem 0 reaches 1>
    }}
    neuron.isa.stream sync {{
      neuron.isa.dma_copy queue 0 dst <sbuf[{row}:{row + 1}] at 128, [1 x 2], ui8> src <hbm "x" at 0, [1 x 2], ui8>
    }}"""
    module, x = program(streams, "x: memref<2xui8>", "trn3"), np.zeros(2, np.uint8)
    if row not in (4, 7, 36, 39):
        execute(module, [x])
        return
    with pytest.raises(ExecutionError, match=f"SBUF, partitions {row}..{row}, bytes 128..129") as error:
        execute(module, [x])
    assert error.value.kind == "race"


@pytest.mark.parametrize("row", [4, 7, 8, 35, 36, 39])
def test_only_the_partitions_of_scales_count_as_written(row: int) -> None:
    streams = f"""
    neuron.isa.stream vector {{
      neuron.isa.memset value 1.0 dst <sbuf[0:64] at 64, [1 x 16], bf16> update <sem 0 add 1>
      {QUANTIZE_64} wait <sem 0 reaches 1> update <sem 0 add 1>
    }}
    neuron.isa.stream sync {{
      neuron.isa.dma_copy queue 0 dst <hbm "x" at 0, [1 x 4], ui8> src <sbuf[{row}:{row + 1}] at 128, [1 x 4], ui8>
        wait <sem 0 reaches 2>
    }}"""
    module, x = program(streams, "x: memref<4xui8>", "trn3"), np.zeros(4, np.uint8)
    if row in (4, 7, 36, 39):
        execute(module, [x])
        np.testing.assert_array_equal(x, np.full(4, 127 - 14))
        return
    with pytest.raises(ExecutionError, match=f"reads SBUF, partition {row}, bytes 128..131, which were never written"):
        execute(module, [x])


@pytest.mark.parametrize("missing", [None, 4, 38])
def test_scales_are_read_from_their_partitions_only(missing: int | None) -> None:
    """All that is written of them are partitions 4..7 and 36..39, or all of these but one."""
    rows = [row for row in (*range(4, 8), *range(36, 40)) if row != missing]
    copies = "\n".join(
        f'neuron.isa.dma_copy queue 0 dst <sbuf[{row}:{row + 1}] at 128, [1 x 8], ui8> src <hbm "x" at 0, [1 x 8], ui8>'
        " update <sem 0 add 16>"
        for row in rows
    )
    streams = f"""
    neuron.isa.stream sync {{
      {copies}
    }}
    neuron.isa.stream vector {{
      neuron.isa.memset value 0 dst <sbuf[0:64] at 0, [1 x 8], vector<4xf8E4M3FN>> update <sem 1 add 1>
      neuron.isa.event_semaphore wait <sem 0 reaches {16 * len(rows)}> update <sem 1 add 1>
    }}
    neuron.isa.stream tensor {{
      neuron.isa.load_stationary stationary <sbuf[0:64] at 0, [1 x 8], vector<4xf8E4M3FN>>
        stationary_scale <sbuf[4:40] at 128, [1 x 8], ui8> wait <sem 1 reaches 2>
    }}"""
    module, x = program(streams, "x: memref<8xui8>", "trn3"), np.zeros(8, np.uint8)
    if missing is None:
        execute(module, [x])
        return
    what = rf"stationary_scale reads SBUF, partition {missing}, bytes 128\.\.135, which were never written"
    with pytest.raises(ExecutionError, match=what):
        execute(module, [x])


@pytest.mark.parametrize("side", ["stationary", "moving"])
def test_other_scales_make_another_product(side: str) -> None:
    """The same elements once more, after the scales of one side have changed: 128 products of ones."""
    rewritten = {"stationary": 512, "moving": 1024}[side]
    load = """neuron.isa.load_stationary stationary <sbuf[0:32] at 0, [1 x 2], vector<4xf8E5M2>>
        stationary_scale <sbuf[0:4] at 512, [1 x 2], ui8>"""
    multiply = """neuron.isa.multiply_moving dst <psum[0:2] at 0, [1 x 4], f32>
        moving <sbuf[0:32] at 32, [1 x 4], vector<4xf8E5M2>> moving_scale <sbuf[0:4] at 1024, [1 x 4], ui8>"""
    streams = f"""
    neuron.isa.stream vector {{
      neuron.isa.memset value 60 dst <sbuf[0:32] at 0, [1 x 48], ui8>
      neuron.isa.memset value 127 dst <sbuf[0:4] at 512, [1 x 516], ui8> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:2] at 2048, [1 x 4], f32> src <psum[0:2] at 0, [1 x 4], f32>
        wait <sem 1 reaches 1> update <sem 0 add 1>
      neuron.isa.memset value 130 dst <sbuf[0:4] at {rewritten}, [1 x 16], ui8> update <sem 0 add 1>
      neuron.isa.tensor_copy dst <sbuf[0:2] at 2064, [1 x 4], f32> src <psum[0:2] at 0, [1 x 4], f32>
        wait <sem 1 reaches 2> update <sem 2 add 1>
    }}
    neuron.isa.stream tensor {{
      neuron.isa.repeat 2 {{
        {load} wait <sem 0 reaches 2 * i0 + 1>
        {multiply} update <sem 1 add 1>
      }}
    }}
    neuron.isa.stream sync {{
      neuron.isa.dma_copy queue 0 dst <hbm "x" at 0, [8 x 2, 1 x 8], f32> src <sbuf[0:2] at 2048, [1 x 8], f32>
        wait <sem 2 reaches 1>
    }}"""
    x = np.zeros((2, 8), np.float32)
    execute(program(streams, "x: memref<2x8xf32>", "trn3"), [x])
    np.testing.assert_array_equal(x, [[128.0] * 4 + [1024.0] * 4] * 2)


# A whole product, from bf16 in HBM.


@pytest.mark.parametrize("depth", [1, 2])
def test_a_product_of_quantized_tiles(depth: int) -> None:
    """K = 1024 in a loop, the scales of both inputs in one buffer; the passes order what shares bytes, and the result
    is near the unquantized one."""
    k = Kernel("trn3")
    a, b, c = k.tensor("a", (256, 256), "bfloat16"), k.tensor("b", (256, 512), "bfloat16"), k.tensor("c", (64, 128))
    sums = k.psum(128, partitions=64)
    with k.loop(2) as i:
        left, right = k.sbuf(256, "bfloat16", depth=depth), k.sbuf(512, "bfloat16", depth=depth)
        k.dma(left, a.box(i * 128, 128, 0, 256))
        k.dma(right, b.box(i * 128, 128, 0, 512), queue=1)
        small_left = k.sbuf(64, "float8_e4m3fn_x4", depth=depth)
        small_right = k.sbuf(128, "float8_e5m2_x4", depth=depth)
        codes = k.sbuf(128, "uint8", depth=depth)
        left_codes, right_codes = codes.cols(0, 64).rows(0, 100), codes.rows(4, 100)
        k.op("quantize_mx", dst=small_left, src=left, dst_scale=left_codes)
        k.op("quantize_mx", dst=small_right, src=right, dst_scale=right_codes)
        k.op(
            "nc_matmul_mx",
            dst=sums,
            stationary=small_left,
            moving=small_right,
            stationary_scale=left_codes,
            moving_scale=right_codes,
            accumulate=i,
        )
    out = k.sbuf(128, partitions=64)
    k.op("tensor_copy", dst=out, src=sums)
    k.dma(c.box(0, 64, 0, 128), out, by="gpsimd")
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((256, n)).astype(NUMPY["bfloat16"]) for n in (256, 512))
    found = np.zeros((64, 128), np.float32)
    result = execute(k.lower(), [x, y, found])
    wide = [m.astype(np.float64).reshape(256, -1, 4).transpose(0, 2, 1).reshape(1024, -1) for m in (x, y)]
    error = np.sqrt(np.mean((found - wide[0].T @ wide[1]) ** 2))
    assert 0.01 * np.sqrt(1024) < error < 0.06 * np.sqrt(1024)
    assert result.profile.flops == 2 * 1024 * 64 * 128
