"""Kernels whose programs run together: rows on the partitions, long runs of blocks, and what must stay a loop. Each is
compared with NumPy, and after every pass with what the source means."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, run
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import execute, pipeline
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.stages import STAGES

UPPER = STAGES["tile"].partition(",programs-to-loops")[0]
"""The passes before programs become loops."""


def groups(kernel: Any, *arguments: Any, grid: tuple[int, ...], **meta: Any) -> list[tuple[int, ...]]:
    """The grids that a kernel has when its programs become loops."""
    module = pipeline(UPPER)(kernel.trace(*arguments, grid=grid, **meta).module)
    return [op.grid for op in module.walk() if isinstance(op, ProgramsOp)]


@nki_mlir.jit
def softmax(x_ptr, y_ptr, columns, BLOCK: tl.constexpr):
    row, c = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * columns + c, mask=c < columns, other=-float("inf"))
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row * columns + c, e / tl.sum(e, axis=0), mask=c < columns)


def softmax_of(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("rows", "columns", "grid"), [(128, 37, 1), (131, 20, 2), (7, 64, 1), (257, 3, 3), (257, 16, 3)]
)
def test_rows(rows: int, columns: int, grid: int) -> None:
    x, y = floats(rows, columns), floats(rows, columns, seed=1)
    block = nki_mlir.next_power_of_2(columns)
    *_, y = run(softmax, x, y, columns, grid=(rows,), rtol=2e-6, BLOCK=block)
    np.testing.assert_allclose(y, softmax_of(x), rtol=2e-6)
    assert groups(softmax, x, y, columns, grid=(rows,), BLOCK=block) != [(rows,)]


def test_rows_with_nan_and_infinity() -> None:
    x, y = floats(130, 20), floats(130, 20)
    x[3, 4], x[5], x[7, 2], x[9] = np.nan, -np.inf, np.inf, np.nan
    *_, y = run(softmax, x, y, 20, grid=(130,), rtol=2e-6, BLOCK=32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(y, softmax_of(x), rtol=2e-6)


def test_in_place() -> None:
    x = floats(131, 20)
    y = x.copy()
    assert groups(softmax, y, y, 20, grid=(131,), BLOCK=32) == [(2,)]
    softmax[(131,)](y, y, 20, BLOCK=32)
    np.testing.assert_allclose(y, softmax_of(x), rtol=2e-6)


@nki_mlir.jit
def normalize(x_ptr, w_ptr, b_ptr, y_ptr, mean_ptr, columns, BLOCK: tl.constexpr):
    """A layer norm whose statistics come from a loop over blocks of the row."""
    row = tl.program_id(0)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for first in range(0, columns, BLOCK):
        c = first + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + row * columns + c, mask=c < columns, other=0.0)
    mean = tl.sum(total, axis=0) / columns
    squares = tl.zeros([BLOCK], dtype=tl.float32)
    for first in range(0, columns, BLOCK):
        c = first + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * columns + c, mask=c < columns, other=0.0)
        d = tl.where(c < columns, x - mean, 0.0)
        squares += d * d
    scale = 1 / tl.sqrt(tl.sum(squares, axis=0) / columns + 1e-5)
    tl.store(mean_ptr + row, mean)
    for first in range(0, columns, BLOCK):
        c = first + tl.arange(0, BLOCK)
        mask = c < columns
        x = tl.load(x_ptr + row * columns + c, mask=mask)
        w, b = tl.load(w_ptr + c, mask=mask), tl.load(b_ptr + c, mask=mask)
        tl.store(y_ptr + row * columns + c, (x - mean) * scale * w + b, mask=mask)


def test_statistics_of_rows_and_what_all_rows_share() -> None:
    rows, columns = 67, 45
    x, w, b, y, mean = (
        floats(rows, columns),
        floats(columns, seed=1),
        floats(columns, seed=2),
        floats(rows, columns),
        floats(rows),
    )
    arguments = (x, w, b, y, mean, columns)
    *_, y, mean = run(normalize, *arguments, grid=(rows,), rtol=2e-5, BLOCK=16)
    mu, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    np.testing.assert_allclose(mean, mu[:, 0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y, (x - mu) / np.sqrt(var + 1e-5) * w + b, rtol=1e-4, atol=1e-5)
    assert groups(normalize, *arguments, grid=(rows,), BLOCK=16) == [(1,)]


@nki_mlir.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    tl.store(out_ptr + at, tl.load(x_ptr + at, mask=mask) + tl.load(y_ptr + at, mask=mask), mask=mask)


@pytest.mark.parametrize(("n", "block"), [(5000, 64), (4096, 128), (70001, 1024), (1, 64), (300000, 65536)])
def test_blocks(n: int, block: int) -> None:
    """Elements behind the last one of an array with more of them stay as they are."""
    x, y, out = floats(n), floats(n, seed=1), floats(n + 5, seed=2)
    grid = (-(-n // block),)
    *_, found = run(add, x, y, out, n, grid=grid, levels=n <= 70001, BLOCK=block)
    np.testing.assert_array_equal(found, [*(x + y), *out[n:]])


@nki_mlir.jit
def where_it_is(out_ptr, n, BLOCK: tl.constexpr):
    """Numbers of elements and of programs as data."""
    pid = tl.program_id(0)
    at = pid * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + at, at.to(tl.float32) + pid.to(tl.float32) * 0.5, mask=(at < n) & (at % 3 != 1))


def test_indices_as_data() -> None:
    (out,) = run(where_it_is, np.zeros(3000, np.float32), 2900, grid=(23,), BLOCK=128)
    at = np.arange(3000, dtype=np.float32)
    wanted = np.where((at < 2900) & (at % 3 != 1), at + np.float32(0.5) * (at // 128), 0)
    np.testing.assert_array_equal(out, wanted)


@nki_mlir.jit
def blocks_of_a_matrix(x_ptr, y_ptr, rows, columns, R: tl.constexpr, C: tl.constexpr):
    r = tl.program_id(0) * R + tl.arange(0, R)
    c = tl.program_id(1) * C + tl.arange(0, C)
    mask = (r < rows)[:, None] & (c < columns)[None, :]
    at = r[:, None] * columns + c[None, :]
    tl.store(y_ptr + at, -tl.load(x_ptr + at, mask=mask), mask=mask)


@pytest.mark.parametrize(("rows", "columns"), [(64, 96), (61, 87)])
def test_blocks_of_a_matrix(rows: int, columns: int) -> None:
    x, y = floats(rows, columns), floats(rows, columns)
    grid = (-(-rows // 8), -(-columns // 16))
    *_, y = run(blocks_of_a_matrix, x, y, rows, columns, grid=grid, R=8, C=16)
    np.testing.assert_array_equal(y, -x)


@nki_mlir.jit
def windows(x_ptr, y_ptr, rows, columns, FILL: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """Sums of an element and those two before and one behind it, with a number beyond the ends of a row."""
    r = tl.program_id(0) * R + tl.arange(0, R)
    c = tl.program_id(1) * C + tl.arange(0, C)
    total = tl.zeros((R, C), dtype=tl.float32)
    for shift in tl.static_range(4):
        at = c[None, :] - 2 + shift
        mask = (r[:, None] < rows) & (at >= 0) & (at < columns)
        total += tl.load(x_ptr + r[:, None] * columns + at, mask=mask, other=FILL).to(tl.float32)
    tl.store(y_ptr + r[:, None] * columns + c[None, :], total, mask=(r[:, None] < rows) & (c[None, :] < columns))


@pytest.mark.parametrize(
    ("rows", "columns", "block", "dtype"),
    [
        (16, 128, (8, 32), np.float32),
        (13, 120, (8, 32), np.float32),
        (40, 75, (4, 16), np.float32),
        (130, 40, (2, 64), np.float32),
        (9, 300, (16, 32), ml_dtypes.bfloat16),
    ],
)
def test_windows_of_columns(rows: int, columns: int, block: tuple[int, int], dtype: Any) -> None:
    x, y, fill = floats(rows, columns).astype(dtype), floats(rows, columns), 0.5
    grid = (-(-rows // block[0]), -(-columns // block[1]))
    _, y = run(windows, x, y, rows, columns, grid=grid, rtol=1e-6, FILL=fill, R=block[0], C=block[1])
    wide = np.pad(x.astype(np.float32), ((0, 0), (2, 1)), constant_values=fill)
    wanted = sum(wide[:, shift : shift + columns] for shift in range(4))
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)


def test_windows_of_columns_are_long() -> None:
    """Columns go on, whatever is masked."""
    x, y = floats(64, 500), floats(64, 500)
    assert groups(windows, x, y, 64, 500, grid=(8, 16), FILL=0.0, R=8, C=32) == [(1, 1)]


@nki_mlir.jit
def triangles(x_ptr, y_ptr, rows, columns, R: tl.constexpr, C: tl.constexpr):
    """The lower triangles of matrices, by blocks of columns from the last one on."""
    matrix, r = tl.program_id(0), tl.arange(0, R)
    c = columns - 1 - (tl.program_id(1) * C + tl.arange(0, C))
    inside = (r < rows)[:, None] & (c >= 0)[None, :]
    at = (matrix * rows + r)[:, None] * columns + c[None, :]
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=inside), mask=inside & (r[:, None] >= c[None, :]))


@pytest.mark.parametrize(("rows", "columns", "block"), [(20, 40, (32, 32)), (8, 40, (8, 32)), (5, 7, (8, 2))])
def test_triangles_of_several_matrices(rows: int, columns: int, block: tuple[int, int]) -> None:
    x, y = floats(2, rows, columns), np.zeros((2, rows, columns), np.float32)
    grid = (2, -(-columns // block[1]))
    *_, y = run(triangles, x, y, rows, columns, grid=grid, R=block[0], C=block[1])
    np.testing.assert_array_equal(y, np.tril(x))


@nki_mlir.jit
def first_and_others(x_ptr, y_ptr, C: tl.constexpr):
    pid, c = tl.program_id(0), tl.arange(0, C)
    x = tl.load(x_ptr + pid * C + c)
    if pid == 0:
        tl.store(y_ptr + pid * C + c, x)
    else:
        tl.store(y_ptr + pid * C + c, x * 2.0)


def test_a_branch_by_the_id() -> None:
    x = floats(40, 16)
    *_, y = run(first_and_others, x, floats(40, 16), grid=(40,), C=16)
    np.testing.assert_array_equal(y, np.concatenate([x[:1], 2 * x[1:]]))


@nki_mlir.jit
def shifted(x_ptr, y_ptr, STEP: tl.constexpr, C: tl.constexpr):
    """Programs write what the next one writes too, or read what the one before has written."""
    at = tl.program_id(0) * STEP + tl.arange(0, C)
    tl.store(y_ptr + at, tl.load(x_ptr + at) + 1.0)


@pytest.mark.parametrize("in_place", [False, True])
def test_overlaps_stay_loops(in_place: bool) -> None:
    x = floats(40 * 16 + 48)
    y = x if in_place else x.copy()
    assert groups(shifted, x, y, grid=(40,), STEP=16, C=64) == [(40,)]
    assert groups(shifted, x, y, grid=(40,), STEP=16, C=16) != [(40,)]


@nki_mlir.jit
def triangle(x_ptr, y_ptr, C: tl.constexpr):
    pid, c = tl.program_id(0), tl.arange(0, C)
    total = tl.zeros([C], dtype=tl.float32)
    for row in range(pid + 1):
        total += tl.load(x_ptr + row * C + c)
    tl.store(y_ptr + pid * C + c, total)


def test_loops_by_the_id_stay() -> None:
    x = floats(9, 16)
    *_, y = run(triangle, x, floats(9, 16), grid=(9,), rtol=1e-5, C=16)
    np.testing.assert_allclose(y, np.cumsum(x, axis=0), rtol=1e-5, atol=1e-5)


@nki_mlir.jit
def picked(x_ptr, index_ptr, y_ptr, C: tl.constexpr):
    pid, c = tl.program_id(0), tl.arange(0, C)
    tl.store(y_ptr + pid * C + c, tl.load(x_ptr + tl.load(index_ptr + pid) * C + c))


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_a_row_that_each_program_names(kind: Any) -> None:
    x, index = floats(50, 16), integers(45, kind, low=0, high=49)
    *_, y = run(picked, x, index, floats(45, 16), grid=(45,), C=16)
    np.testing.assert_array_equal(y, x[index])


@nki_mlir.jit
def softmax_at_a_stride(x_ptr, y_ptr, rows, columns, BLOCK: tl.constexpr):
    for row in range(tl.program_id(0), rows, tl.num_programs(0)):
        c = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * columns + c, mask=c < columns, other=-float("inf"))
        e = tl.exp(x - tl.max(x, axis=0))
        tl.store(y_ptr + row * columns + c, e / tl.sum(e, axis=0), mask=c < columns)


@pytest.mark.parametrize(("rows", "programs"), [(131, 8), (64, 64), (5, 8)])
def test_rows_at_a_stride(rows: int, programs: int) -> None:
    x, y = floats(rows, 20), floats(rows, 20, seed=1)
    *_, y = run(softmax_at_a_stride, x, y, rows, 20, grid=(programs,), rtol=2e-6, BLOCK=32)
    np.testing.assert_allclose(y, softmax_of(x), rtol=2e-6)
    assert groups(softmax_at_a_stride, x, y, rows, 20, grid=(programs,), BLOCK=32) == [(-(-rows // 128),)]


@nki_mlir.jit
def doubled_in_blocks(x_ptr, y_ptr, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    factor = tl.load(x_ptr + row * columns)
    for block in range(tl.cdiv(columns, BLOCK)):
        at = block * BLOCK + tl.arange(0, BLOCK)
        mask = at < columns
        tl.store(y_ptr + row * columns + at, tl.load(x_ptr + row * columns + at, mask=mask) * factor, mask=mask)


def test_loops_of_blocks() -> None:
    x = floats(37, 200)
    *_, y = run(doubled_in_blocks, x, floats(37, 200), 200, grid=(37,), BLOCK=64)
    np.testing.assert_array_equal(y, x * x[:, :1])


@pytest.mark.parametrize("left_out", ["trim", "regrid", "widen", "coalesce"])
def test_each_pass_may_be_left_out(left_out: str) -> None:
    x, y = floats(40, 20), floats(40, 20)
    module = softmax.trace(x, y, 20, grid=(40,), BLOCK=32).module
    names = [name for name in ",".join(STAGES.values()).split(",") if name != left_out]
    lowered: ModuleOp = pipeline(",".join(names), target="trn1")(module)
    execute(lowered, [x, y])
    np.testing.assert_allclose(y, softmax_of(x), rtol=2e-6)
