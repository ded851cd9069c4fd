"""What runs report about the programs of a grid: accesses beyond a tensor, outputs that stay unwritten, and elements
that two programs write with different values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir import ExecutionError


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def reported(run: Callable[[], Any], kind: str) -> list[str]:
    with pytest.raises(ExecutionError) as found:
        run()
    assert found.value.kind == kind, found.value
    return str(found.value).splitlines()


# Beyond a tensor.


@nki_mlir.jit
def loads_without_mask(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(x_ptr + offsets)
    tl.store(out_ptr + offsets, values, mask=offsets < n)


@nki_mlir.jit
def stores_without_mask(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n))


@nki_mlir.jit
def starts_before(x_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets - 3))


def test_a_load_beyond_a_tensor_names_line_element_and_program() -> None:
    x = random(50, 60)
    head, line, caret, program = reported(lambda: loads_without_mask[(1, 6)](x, np.empty_like(x), 3000, 512), "bounds")
    assert 'src reads element (50, 0) of tensor "x_ptr", which has shape (50, 60): 72 of its 1536 elements' in head
    assert "a mask is missing" in head and "test_programs_of_a_grid.py:" in head
    assert line.strip() == "values = tl.load(x_ptr + offsets)"
    assert caret.index("^") == line.index("tl.load")
    assert program.strip() == "in programs (0, 3) to (0, 5) of the grid (1, 6)"


def test_a_store_beyond_a_tensor_too() -> None:
    x, out = random(3000), np.empty(2900, np.float32)
    head, line, _, program = reported(lambda: stores_without_mask[(1, 6)](x, out, 3000, 512), "bounds")
    assert 'dst writes element (2900,) of tensor "out_ptr", which has shape (2900,): 172 of its 1536 elements' in head
    assert line.strip().startswith("tl.store(out_ptr")
    assert program.strip() == "in programs (0, 3) to (0, 5) of the grid (1, 6)"


def test_elements_before_the_first_are_outside_too() -> None:
    x = random(64)
    head, *shown = reported(lambda: starts_before[(1,)](x, np.empty_like(x), 64), "bounds")
    assert "src reads element (-3,)" in head and "3 of its 64 elements lie outside" in head
    assert len(shown) == 2, "a grid of one program has no program to name"


def test_programs_that_are_written_out_one_by_one_have_names_too() -> None:
    @nki_mlir.jit
    def squares(x_ptr, out_ptr, BLOCK: tl.constexpr):
        pid = tl.program_id(0)
        values = tl.load(x_ptr + pid * pid + tl.arange(0, BLOCK))
        tl.store(out_ptr + pid * BLOCK + tl.arange(0, BLOCK), values)

    x = random(12)
    *_, program = reported(lambda: squares[(4,)](x, np.empty(16, np.float32), 4), "bounds")
    assert program.strip() == "in program (3,) of the grid (4,)"


# Outputs.


@nki_mlir.jit
def copies(x_ptr, out_ptr, n, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    for row in range(ROWS):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        values = tl.load(x_ptr + row * BLOCK + offsets, mask=offsets < n)
        tl.store(out_ptr + row * BLOCK + offsets, values, mask=offsets < n)


def test_an_output_that_nothing_is_written_to() -> None:
    x, out = random(128), np.empty(128, np.float32)
    (head,) = reported(lambda: copies[(1,)](x, out, 0, 2, 64), "unwritten")
    assert 'no program has written to tensor "out_ptr", of shape (128,)' in head
    assert "test_programs_of_a_grid.py:" in head
    copies.compile(x, out, 0, 2, 64, grid=(1,)).run(x, out, checks=False)


def test_an_output_that_something_is_written_to() -> None:
    x, out = random(128), np.zeros(128, np.float32)
    copies[(1,)](x, out, 5, 2, 64)
    wanted = np.where(np.arange(128) % 64 < 5, x, 0)
    np.testing.assert_array_equal(out, wanted)


@nki.jit
def returns_in_part(x, columns, filled):
    make = nl.zeros if filled else nl.ndarray
    out = make((128, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    scratch = nl.ndarray((128, 64), dtype=x.dtype, buffer=nl.private_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy])
    nl.store(scratch[ix, iy], tile, mask=iy < 3)
    nl.store(out[ix, iy], tile, mask=iy < columns)
    return out


@nki.jit
def reads_what_it_made(x, filled):
    make = nl.zeros if filled else nl.ndarray
    made = make((128, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    out = nl.ndarray((128, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    nl.store(made[ix, iy], nl.load(x[ix, iy]), mask=ix < 100)
    nl.store(out[ix, iy], nl.load(made[ix, iy]))
    return out


def test_an_array_that_is_returned_is_written_completely() -> None:
    x = random(128, 64)
    np.testing.assert_array_equal(returns_in_part(x, 64, False), x)
    (head,) = reported(lambda: returns_in_part(x, 50, False), "uninitialised")
    assert 'element (0, 50) of tensor "out", of shape (128, 64), which the kernel returns, was never written' in head
    assert "nor were 1791 others" in head
    (head,) = reported(lambda: returns_in_part(x, 0, False), "unwritten")
    assert 'no program has written to tensor "out"' in head


def test_zeros_are_content() -> None:
    x = random(128, 64)
    np.testing.assert_array_equal(returns_in_part(x, 50, True), np.where(np.arange(64) < 50, x, 0))
    np.testing.assert_array_equal(reads_what_it_made(x, True), np.where(np.arange(128)[:, None] < 100, x, 0))
    head, *_ = reported(lambda: reads_what_it_made(x, False), "uninitialised")
    assert 'src reads tensor "made", element (100, 0) (bytes 25600..' in head


# Conflicts.


@nki_mlir.jit
def overlapping(x_ptr, out_ptr, STEP: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0) * 2 + tl.program_id(1)
    values = tl.load(x_ptr + pid * BLOCK + tl.arange(0, BLOCK))
    tl.store(out_ptr + pid * STEP + tl.arange(0, BLOCK), values)


def test_two_programs_that_write_one_element_differently() -> None:
    x, out = random(256), np.empty(256, np.float32)
    head, line, _ = reported(lambda: overlapping[(2, 2)](x, out, 60, 64), "conflict")
    assert f"program (0, 0) and program (0, 1) write different values, {x[60]} and {x[64]}, to element (60,)" in head
    assert 'tensor "out_ptr" (and so for 11 more elements)' in head and "run in any order" in head
    assert line.strip() == "tl.store(out_ptr + pid * STEP + tl.arange(0, BLOCK), values)"
    overlapping[(2, 2)](x, out, 64, 64)
    np.testing.assert_array_equal(out, x)
    overlapping.compile(x, out, 60, 64, grid=(2, 2)).run(x, out, checks=False)


def test_equal_values_are_no_conflict() -> None:
    x, out = np.full(256, np.nan, np.float32), np.empty(256, np.float32)
    overlapping[(2, 2)](x, out, 60, 64)
    zeros = np.where(np.arange(256) % 2, 0.0, -0.0).astype(np.float32)
    overlapping[(2, 2)](zeros, out, 61, 64)


@nki_mlir.jit
def sums_in_place(x_ptr, out_ptr, EACH: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0) if EACH else 0
    at = out_ptr + row * BLOCK + tl.arange(0, BLOCK)
    tl.store(at, tl.zeros((BLOCK,), tl.float32))
    for k in range(ROWS):
        tl.store(at, tl.load(at) + tl.load(x_ptr + k * BLOCK + tl.arange(0, BLOCK)))


def test_a_program_may_write_an_element_again() -> None:
    x, out = random(3, 64), np.empty((2, 64), np.float32)
    sums_in_place[(2,)](x, out, True, 3, 64)
    np.testing.assert_allclose(out, np.broadcast_to(x.sum(0), (2, 64)), rtol=1e-5, atol=1e-6)


def test_what_programs_leave_is_compared_not_what_they_pass_through() -> None:
    x, out = random(3, 64), np.empty(64, np.float32)
    sums_in_place[(4,)](x, out, False, 3, 64)
    np.testing.assert_allclose(out, x.sum(0), rtol=1e-5, atol=1e-6)


@nki_mlir.jit
def accumulates_across_programs(x_ptr, out_ptr, BLOCK: tl.constexpr):
    at = out_ptr + tl.arange(0, BLOCK)
    tl.store(at, tl.load(at) + tl.load(x_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)))


def test_sums_across_programs_need_an_order_that_there_is_not() -> None:
    x = random(3, 64)
    head, *_ = reported(lambda: accumulates_across_programs[(3,)](x, np.zeros(64, np.float32), 64), "conflict")
    assert "program (0,) and program (1,)" in head


def test_in_place_kernels_and_grids_of_one_are_no_conflict() -> None:
    x = random(256)
    wanted = x.copy()
    overlapping[(2, 2)](x, x, 64, 64)
    np.testing.assert_array_equal(x, wanted)
    out = np.zeros(64, np.float32)
    accumulates_across_programs[(1,)](random(1, 64), out, 64)
