"""Kernels that go through a tensor block by block and take the place of each element apart by quotients and remainders,
as compilers of tensor programs write them: numbers, and what they cost beside rows."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.executor import time_program

Array = np.ndarray[Any, Any]
ELEMENTS = [np.float32, ml_dtypes.bfloat16]


def data(rng: np.random.Generator, shape: tuple[int, ...], element: Any) -> Array:
    x = rng.standard_normal(shape, np.float32).astype(element)
    flat = x.reshape(-1)
    for number in (np.nan, np.inf, -np.inf):
        flat[rng.integers(flat.size)] = number
    return x


def run(kernel: Any, grid: tuple[int, ...], target: str, *args: Any, **meta: Any) -> None:
    kernel.compile(*args, grid=grid, target=target, **meta).run(*args, **meta)


def same(have: Array, want: Array) -> None:
    np.testing.assert_array_equal(have.astype(np.float32), want.astype(np.float32))


@nki_mlir.jit
def normalised(x_ptr, mean_ptr, weight_ptr, out_ptr, count, C, HW, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    mask = at < count
    channel = (at // HW) % C
    x = tl.load(x_ptr + at, mask=mask).to(tl.float32)
    mean = tl.load(mean_ptr + channel, mask=mask).to(tl.float32)
    weight = tl.load(weight_ptr + channel, mask=mask).to(tl.float32)
    y = (x - mean) * tl.rsqrt(weight * weight + 1.0)
    tl.store(out_ptr + at, y.to(out_ptr.dtype.element_ty), mask=mask)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(
    ("n", "c", "hw", "block"), [(4, 8, 256, 128), (3, 5, 49, 64), (2, 7, 1000, 256), (5, 3, 64, 1024), (1, 6, 31, 64)]
)
def test_channels(target: str, element: Any, n: int, c: int, hw: int, block: int) -> None:
    rng = np.random.default_rng(n * c * hw)
    x, mean, weight = data(rng, (n, c, hw), element), data(rng, (c,), element), data(rng, (c,), element)
    out = np.full_like(x, 7.0)
    run(normalised, (-(-x.size // block),), target, x, mean, weight, out, x.size, c, hw, B=block)
    with np.errstate(invalid="ignore"):
        f, m, w = (a.astype(np.float32) for a in (x, mean[:, None], weight[:, None]))
        want = (f - m) / np.sqrt(w * w + 1.0)
    tolerance = 1e-5 if element is np.float32 else 1e-2
    np.testing.assert_allclose(out.astype(np.float32), want, rtol=tolerance, atol=tolerance)


@nki_mlir.jit
def turned(x_ptr, out_ptr, count, S, H, D, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    mask = at < count
    d, s, h, n = at % D, (at // D) % S, (at // (D * S)) % H, at // (D * S * H)
    tl.store(out_ptr + at, tl.load(x_ptr + d + D * h + D * H * s + D * H * S * n, mask=mask), mask=mask)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("n", "s", "h", "d", "block"), [(2, 16, 4, 32, 128), (3, 7, 5, 24, 64), (1, 9, 2, 3, 32)])
def test_dimensions_change_places(target: str, element: Any, n: int, s: int, h: int, d: int, block: int) -> None:
    x = data(np.random.default_rng(n + s), (n, s, h, d), element)
    out = np.full((n, h, s, d), 7.0, element)
    run(turned, (-(-x.size // block),), target, x, out, x.size, s, h, d, B=block)
    same(out, x.transpose(0, 2, 1, 3))


@nki_mlir.jit
def joined(x_ptr, y_ptr, out_ptr, L, R, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    row, column = at // (L + R), at % (L + R)
    left = column < L
    x = tl.load(x_ptr + row * L + column, mask=left, other=0.0)
    y = tl.load(y_ptr + row * R + (column - L), mask=column >= L, other=0.0)
    tl.store(out_ptr + at, tl.where(left, x, y))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("rows", "left", "right", "block"), [(32, 64, 64, 128), (64, 24, 40, 128), (128, 30, 66, 64)])
def test_one_beside_the_other(target: str, element: Any, rows: int, left: int, right: int, block: int) -> None:
    rng = np.random.default_rng(rows + left)
    x, y = data(rng, (rows, left), element), data(rng, (rows, right), element)
    out = np.full((rows, left + right), 7.0, element)
    run(joined, (out.size // block,), target, x, y, out, left, right, B=block)
    same(out, np.concatenate([x, y], 1))


@nki_mlir.jit
def looked_up(ids_ptr, table_ptr, out_ptr, count, V, D, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    mask = at < count
    row, column = at // D, at % D
    i = tl.load(ids_ptr + row, mask=mask)
    i = tl.where(i < 0, i + V, i)
    tl.store(out_ptr + at, tl.load(table_ptr + i * D + column, mask=mask), mask=mask)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("rows", "d", "block"), [(64, 128, 64), (37, 96, 256), (5, 40, 64)])
def test_rows_of_a_table(target: str, element: Any, rows: int, d: int, block: int) -> None:
    rng = np.random.default_rng(rows)
    table, ids = data(rng, (100, d), element), rng.integers(-100, 100, rows).astype(np.int32)
    out = np.full((rows, d), 7.0, element)
    run(looked_up, (-(-out.size // block),), target, ids, table, out, out.size, 100, d, B=block)
    same(out, table[ids])


@nki_mlir.jit
def added_up(x_ptr, out_ptr, W, R, X: tl.constexpr, B: tl.constexpr):
    at = tl.program_id(0) * X + tl.arange(0, X)[:, None]
    column, group = at % W, at // W
    acc = tl.zeros([X, B], tl.float32)
    for start in range(0, R, B):
        r = start + tl.arange(0, B)[None, :]
        acc += tl.load(x_ptr + column + W * r + W * R * group, mask=r < R, other=0.0).to(tl.float32)
    tl.store(out_ptr + at, tl.sum(acc, 1)[:, None])


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("groups", "rows", "width", "x"), [(4, 32, 128, 64), (8, 13, 96, 64), (16, 5, 20, 32)])
def test_sums_of_groups_of_rows(target: str, element: Any, groups: int, rows: int, width: int, x: int) -> None:
    source = np.random.default_rng(rows).standard_normal((groups, rows, width), np.float32).astype(element)
    out = np.full((groups, width), 7.0, np.float32)
    run(added_up, (out.size // x,), target, source, out, width, rows, X=x, B=8)
    np.testing.assert_allclose(out, source.astype(np.float32).sum(1), rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def numbered(x_ptr, out_ptr, C, B: tl.constexpr):
    """The place is computed with: it is more than an address."""
    at = tl.program_id(0) * B + tl.arange(0, B)
    column = at % C
    x = tl.load(x_ptr + column).to(tl.float32)
    y = tl.where(column > C // 2, x, -x) + column.to(tl.float32) + (at // C).to(tl.float32)
    tl.store(out_ptr + at, y)


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize(("rows", "columns", "block"), [(32, 24, 64), (16, 48, 32), (64, 5, 64)])
def test_places_are_numbers(target: str, rows: int, columns: int, block: int) -> None:
    x = np.random.default_rng(rows).standard_normal(columns, np.float32)
    out = np.zeros((rows, columns), np.float32)
    run(numbered, (out.size // block,), target, x, out, columns, B=block)
    column = np.arange(columns)
    want = np.where(column > columns // 2, x, -x) + column + np.arange(rows)[:, None]
    np.testing.assert_allclose(out, want, rtol=1e-6, atol=1e-6)


@nki_mlir.jit
def grouped(x_ptr, weight_ptr, bias_ptr, out_ptr, G, HW, B: tl.constexpr):
    """Each program has the channels of a group, one after the other."""
    group = tl.program_id(0)
    at = tl.arange(0, B)
    x = tl.load(x_ptr + group * B + at).to(tl.float32)
    mean = tl.sum(x, 0) / B
    weight = tl.load(weight_ptr + group % G * (B // HW) + at // HW).to(tl.float32)
    bias = tl.load(bias_ptr + at % HW).to(tl.float32)
    tl.store(out_ptr + group * B + at, ((x - mean) * weight + bias).to(out_ptr.dtype.element_ty))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(
    ("n", "groups", "channels", "hw"), [(4, 8, 4, 64), (3, 5, 2, 32), (2, 70, 8, 16), (1, 1, 16, 2)]
)
def test_channels_of_a_group(target: str, element: Any, n: int, groups: int, channels: int, hw: int) -> None:
    rng = np.random.default_rng(n * groups)
    x = rng.standard_normal((n * groups, channels * hw), np.float32).astype(element)
    weight, bias = data(rng, (groups, channels), element), data(rng, (hw,), element)
    out = np.full_like(x, 7.0)
    run(grouped, (n * groups,), target, x, weight, bias, out, groups, hw, B=channels * hw)
    f, w, b = (a.astype(np.float32) for a in (x, weight, bias))
    with np.errstate(invalid="ignore"):
        want = (f - f.mean(1, keepdims=True)) * np.tile(np.repeat(w, hw, 1), (n, 1)) + np.tile(b, channels)
    tolerance = 1e-5 if element is np.float32 else 1e-2
    np.testing.assert_allclose(out.astype(np.float32), want, rtol=tolerance, atol=tolerance)


@nki_mlir.jit
def every_other(x_ptr, out_ptr, C, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    out_ptr += tl.program_id(0) * (2 * B)
    tl.store(out_ptr + 2 * tl.arange(0, B), tl.load(x_ptr + at % C // 2))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("rows", "columns", "block"), [(32, 24, 64), (16, 12, 32)])
def test_pairs_at_a_stride(target: str, element: Any, rows: int, columns: int, block: int) -> None:
    x = data(np.random.default_rng(rows), (columns,), element)
    out = np.full((rows, columns, 2), 7.0, element)
    run(every_other, (rows * columns // block,), target, x, out, columns, B=block)
    want = np.full(out.shape, 7.0, element)
    want[:, :, 0] = x[np.arange(columns) // 2]
    same(out, want)


@nki_mlir.jit
def running(x_ptr, weight_ptr, out_ptr, C, B: tl.constexpr):
    """Sums that start anew in each block."""
    at = tl.program_id(0) * B + tl.arange(0, B)
    x = tl.load(x_ptr + at) * tl.load(weight_ptr + at % C)
    tl.store(out_ptr + at, tl.cumsum(x, 0))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize(("blocks", "columns", "block"), [(1, 2, 128), (24, 96, 64), (3, 128, 32)])
def test_running_sums_of_blocks(target: str, blocks: int, columns: int, block: int) -> None:
    rng = np.random.default_rng(columns)
    x, weight = (rng.integers(-8, 9, size).astype(np.float32) for size in (blocks * block, columns))
    out = np.full_like(x, 7.0)
    run(running, (blocks,), target, x, weight, out, columns, B=block)
    want = (x * weight[np.arange(x.size) % columns]).reshape(blocks, block).cumsum(1)
    np.testing.assert_array_equal(out, want.reshape(-1))


@pytest.mark.parametrize("block", [256, 512, 1024])
def test_a_bias_of_channels_takes_little_more_than_what_it_moves(block: int) -> None:
    x, out = np.zeros((16, 64, 512), np.float32), np.zeros((16, 64, 512), np.float32)
    weight = np.zeros(64, np.float32)
    arguments = (x, weight, weight, out, x.size, 64, 512)
    compiled = normalised.compile(*arguments, grid=(x.size // block,), B=block)
    assert time_program(compiled.module("neuron.isa")).modelled_us < 60
