"""Tiles of the Tensor engine's array, and its modes: bit transposes, double rows, bf16 sums, wide outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from executor.cases import images, quick, seeds
from executor.machine_code import Array, bits, gather, scatter, single, widen
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import ExprAttr
from nki_mlir.errors import ExecutionError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

Line = tuple[str, Mapping[str, Access | float | None], Mapping[str, Any]]
ADD = {"accumulate": ExprAttr(Expr(1))}
SHORT = ("bfloat16", "float16", "float8_e4m3", "float8_e5m2")
FP8 = ("float8_e4m3", "float8_e5m2", "float8_e4m3fn")


def tile(
    kind: str, partitions: int, *counts: int, address: int = 0, start: int = 0, space: Space = Space.SBUF
) -> Access:
    dims = tuple((int(np.prod(counts[k + 1 :])), count) for k, count in enumerate(counts))
    return Access(space, by_name(kind).type, dims, start, partitions, Expr(address))


def psum(kind: str, partitions: int, columns: int, address: int = 0, start: int = 0) -> Access:
    return tile(kind, partitions, columns, address=address, start=start, space=Space.PSUM)


def pair(
    stationary: Access, moving: Access, dst: Access, fields: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> tuple[Line, Line]:
    load = ("load_stationary", {"stationary": stationary}, fields)
    return load, ("multiply_moving", {"dst": dst, "moving": moving}, {**fields, **(more or {})})


def run(lines: list[Line], sbuf: Array, image: Array, target: str) -> None:
    *before, (name, operands, fields) = lines
    single(name, Engine.TENSOR, operands, fields, sbuf, image, target, tuple(before))


def product(stationary: Access, moving: Access, sbuf: Array, image: Array) -> Array:
    return widen(gather(stationary, sbuf, image)).T @ widen(gather(moving, sbuf, image))


@st.composite
def areas(draw: st.DrawFn, target: str) -> tuple[int, int, int, int]:
    """Position and size of a tile."""
    sizes = [64, 128] if target == "trn1" else [32, 64, 128]
    rows, columns = draw(st.sampled_from(sizes)), draw(st.sampled_from(sizes))
    row, column = (draw(st.sampled_from(range(0, 128, size))) for size in (rows, columns))
    return row, column, rows, columns


@quick
@given(st.data(), st.sampled_from(["trn1", "trn2", "trn3"]), st.sampled_from(SHORT), seeds)
def test_matmul_on_a_tile(data: st.DataObject, target: str, kind: str, seed: int) -> None:
    """Inputs on the partitions of its rows, the result on those of its columns; nothing else changes."""
    row, column, rows, columns = data.draw(areas(target))
    k, m, n = data.draw(st.integers(1, rows)), data.draw(st.integers(1, columns)), data.draw(st.sampled_from([1, 30]))
    stationary = tile(kind, k, m, start=row)
    moving = tile("bfloat16", k, n, start=row, address=512)
    dst = psum("float32", m, n, start=column)
    sbuf, image = images(seed, (stationary, moving), specials=False)
    wanted = image.copy()
    scatter(dst, product(stationary, moving, sbuf, image), sbuf, wanted)
    run([*pair(stationary, moving, dst, area(row, column, rows, columns))], sbuf, image, target)
    got = gather(dst, sbuf, image)
    scale = np.abs(gather(dst, sbuf, wanted)).max()
    np.testing.assert_allclose(got, gather(dst, sbuf, wanted), rtol=1e-5, atol=1e-5 * scale)
    scatter(dst, got, sbuf, wanted)
    np.testing.assert_array_equal(image, wanted)


def area(row: int, column: int, rows: int, columns: int) -> dict[str, Any]:
    return {"tile_position": (row, column), "tile_size": (rows, columns)}


def _quarters() -> tuple[list[Line], list[tuple[Access, Access, Access]]]:
    """Four matmuls of 64 rows and columns: all loads come before all multiplications."""
    lines: list[Line] = []
    operands = []
    for k, (row, column) in enumerate([(0, 0), (0, 64), (64, 0), (64, 64)]):
        stationary = tile("bfloat16", 64, 64, start=row, address=256 * k)
        moving = tile("bfloat16", 64, 16, start=row, address=1024 + 64 * k)
        dst = psum("float32", 64, 16, start=column, address=64 * k)
        load, multiply = pair(stationary, moving, dst, area(row, column, 64, 64))
        lines.insert(len(lines) // 2, load)
        lines.append(multiply)
        operands.append((stationary, moving, dst))
    return lines, operands


@pytest.mark.parametrize("target", ["trn1", "trn2"])
def test_tiles_keep_their_own_weights(target: str) -> None:
    lines, operands = _quarters()
    assert [name for name, _, _ in lines] == ["load_stationary"] * 4 + ["multiply_moving"] * 4
    sbuf, image = images(3, tuple(a for ops in operands for a in ops[:2]), specials=False)
    wanted = [product(stationary, moving, sbuf, image) for stationary, moving, _ in operands]
    run(lines, sbuf, image, target)
    for (_, _, dst), values in zip(operands, wanted, strict=True):
        np.testing.assert_allclose(gather(dst, sbuf, image), values, rtol=1e-4, atol=1e-3)


def test_a_load_ends_the_tiles_that_it_overlaps() -> None:
    quarter, (other, _) = area(0, 0, 64, 64), (area(64, 64, 64, 64), None)
    inputs = tile("bfloat16", 64, 8), tile("bfloat16", 64, 8, address=512)
    load, multiply = pair(*inputs, psum("float32", 8, 8), quarter)
    whole = ("load_stationary", {"stationary": tile("bfloat16", 128, 8)}, {})
    sbuf, image = images(1, inputs, specials=False)
    with pytest.raises(ExecutionError, match=r"no stationary tile is loaded in rows 0..63 and columns 0..63"):
        run([load, whole, multiply], sbuf, image, "trn2")
    apart = ("load_stationary", {"stationary": tile("bfloat16", 64, 8, start=64)}, other)
    run([load, apart, multiply], *images(1, inputs, specials=False), "trn2")


def test_psum_state_goes_by_the_partitions_of_a_tile() -> None:
    """A group is started for the columns of its own tile only."""
    inputs = tile("bfloat16", 32, 8), tile("bfloat16", 32, 8, address=512)
    first, started = pair(*inputs, psum("float32", 8, 8), area(0, 0, 32, 32))
    again, other = (pair(*inputs, psum("float32", 8, 8, start=s), area(0, s, 32, 32), ADD) for s in (0, 32))
    sbuf, image = images(1, inputs, specials=False)
    once = product(*inputs, sbuf, image)
    run([first, started, *again], sbuf, image, "trn2")
    np.testing.assert_allclose(gather(psum("float32", 8, 8), sbuf, image), 2 * once, rtol=1e-5)
    with pytest.raises(ExecutionError, match="partition 32, byte 0, which was written last by another engine"):
        run([first, started, *other], sbuf, image, "trn2")


def _identity(sbuf: Array, moving: Access) -> None:
    kind = gather(moving, sbuf, sbuf).dtype
    scatter(moving, np.eye(moving.partitions, moving.free_elements).astype(kind), sbuf, sbuf)


@quick
@given(st.data(), st.sampled_from(["float32", "tfloat32", *SHORT]), st.integers(1, 64), st.integers(1, 100), seeds)
def test_bit_transpose(data: st.DataObject, kind: str, k: int, m: int, seed: int) -> None:
    """From NeuronCore-v3 on the bits pass through, those of a NaN too; 8-bit elements get a zero byte."""
    n = data.draw(st.integers(1, k))
    eye_kind = kind if by_name(kind).bytes == 4 else data.draw(st.sampled_from(SHORT))
    stationary, moving = tile(kind, k, m), tile(eye_kind, k, n, address=1024)
    dst = psum("uint16" if by_name(kind).bytes == 1 else kind, m, n)
    sbuf, image = images(seed, (stationary,))
    _identity(sbuf, moving)
    wanted = bits(gather(stationary, sbuf, image)).T[:, :n]
    run([*pair(stationary, moving, dst, {"is_transpose": True})], sbuf, image, "trn2")
    np.testing.assert_array_equal(bits(gather(dst, sbuf, image)), wanted)


def test_a_transpose_of_neuroncore_v2_multiplies() -> None:
    """is_transpose says nothing there: a NaN spoils its column of the result."""
    stationary, moving, dst = tile("bfloat16", 2, 3), tile("bfloat16", 2, 2, address=64), psum("float32", 3, 2)
    sbuf, image = images(1, (stationary,), specials=False)
    scatter(stationary, np.array([[1, 2, 3], [4, np.nan, 6]]).astype("bfloat16"), sbuf, image)
    _identity(sbuf, moving)
    run([*pair(stationary, moving, dst, {"is_transpose": True})], sbuf, image, "trn1")
    np.testing.assert_array_equal(gather(dst, sbuf, image), [[1, 4], [np.nan, np.nan], [3, 6]])


BAD_TRANSPOSES: dict[str, tuple[Any, ...]] = {
    "moving must be an identity": ("bfloat16", "bfloat16", {}, {}, False),
    "it cannot accumulate": ("bfloat16", "bfloat16", {}, ADD, True),
    "the stationary tile is bfloat16, the transpose of which is not float16": ("bfloat16", "float16", {}, {}, True),
    "is_transpose and perf_mode must be those of the load_stationary": (
        "bfloat16",
        "float32",
        {},
        {"is_transpose": False},
        True,
    ),
}


@pytest.mark.parametrize("message", BAD_TRANSPOSES)
def test_transposes_are_checked(message: str) -> None:
    kind, leaves, fields, more, identity = BAD_TRANSPOSES[message]
    stationary, moving = tile(kind, 4, 4), tile(kind, 4, 4, address=64)
    sbuf, image = images(1, (stationary, moving), specials=False)
    if identity:
        _identity(sbuf, moving)
    lines = pair(stationary, moving, psum(leaves, 4, 4), {"is_transpose": True, **fields}, more)
    with pytest.raises(ExecutionError, match=message):
        run([*lines], sbuf, image, "trn2")


@quick
@given(st.data(), st.sampled_from(FP8), st.sampled_from(FP8), st.integers(1, 128), seeds)
def test_double_rows(data: st.DataObject, left: str, right: str, k: int, seed: int) -> None:
    """A contraction over partitions and the two elements of the first free dimension."""
    if {left, right} == {"float8_e4m3", "float8_e4m3fn"}:
        right = left
    m, n = data.draw(st.sampled_from([1, 5, 64])), data.draw(st.sampled_from([1, 7, 64]))
    stationary, moving = tile(left, k, 2, m), tile(right, k, 2, n, address=512)
    dst = psum("float32", m, n)
    sbuf, image = images(seed, (stationary, moving), specials=False)
    a, b = (widen(gather(x, sbuf, image)).reshape(k, 2, -1).astype(np.float64) for x in (stationary, moving))
    wanted = np.einsum("kjm,kjn->mn", a, b)
    target = "trn3" if "float8_e4m3fn" in (left, right) else "trn2"
    run([*pair(stationary, moving, dst, {"perf_mode": "double_row"})], sbuf, image, target)
    np.testing.assert_allclose(gather(dst, sbuf, image), wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_the_two_forms_of_e4m3_do_not_mix() -> None:
    inputs = tile("float8_e4m3", 4, 4), tile("float8_e4m3fn", 4, 4, address=64)
    with pytest.raises(ExecutionError, match="float8_e4m3 and float8_e4m3fn may not appear together"):
        run([*pair(*inputs, psum("float32", 4, 4), {})], *images(1, inputs, specials=False), "trn3")


def test_e4m3fn_has_no_infinity() -> None:
    """448 is its largest number; what is larger becomes NaN, as OCP's format has it."""
    src, dst = tile("float32", 1, 4), tile("float8_e4m3fn", 1, 4, address=64)
    sbuf, image = images(1, (), specials=False)
    scatter(src, np.array([[448, 449, 1000, -np.inf]], np.float32), sbuf, image)
    single("tensor_copy", Engine.VECTOR, {"dst": dst, "src": src}, {}, sbuf, image, "trn3")
    np.testing.assert_array_equal(widen(gather(dst, sbuf, image)), [[448, 448, np.nan, np.nan]])


@quick
@given(st.integers(1, 128), st.integers(1, 3), seeds)
def test_bf16_sums_are_rounded_at_each_write(k: int, more: int, seed: int) -> None:
    """On NeuronCore-v4: fp32 inside a matmul, widened, added and rounded between matmuls."""
    stationary, moving, dst = tile("bfloat16", k, 9), tile("bfloat16", k, 7, address=64), psum("bfloat16", 9, 7)
    sbuf, image = images(seed, (stationary, moving), specials=False)
    for access in (stationary, moving):
        whole = np.random.default_rng(seed).integers(-8, 9, (k, access.free_elements))
        scatter(access, whole.astype("bfloat16"), sbuf, image)
    once = product(stationary, moving, sbuf, image)
    wanted = once.astype("bfloat16")
    for _ in range(more):
        wanted = (wanted.astype(np.float32) + once).astype("bfloat16")
    load, multiply = pair(stationary, moving, dst, {})
    again = pair(stationary, moving, dst, {}, ADD)[1]
    run([load, multiply, *[again] * more], sbuf, image, "trn3")
    np.testing.assert_array_equal(widen(gather(dst, sbuf, image)), widen(wanted))
