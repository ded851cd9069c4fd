"""Grids: empty ones run nothing, those beyond the limit are refused, and programs run in the order of their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import CompileError, execute, parse, pipeline


@nki_mlir.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    program = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    offsets = program * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2.0, mask=offsets < n)


@pytest.mark.parametrize("grid", [(0, 1), (0, 3), (3, 0), (0, 0, 0), lambda meta: (0, meta["n"])])
def test_an_empty_grid_runs_nothing(grid: Any) -> None:
    x, out = np.ones(64, np.float32), np.full(64, -1, np.float32)
    double_kernel[grid](x, out, 64, BLOCK=16)
    assert (out == -1).all()
    assert double_kernel.last_run is not None and double_kernel.last_run.instructions == 0


@pytest.mark.parametrize("grid", [(2, 3), (3, 2), (1, 4), (4, 1), (2, 1, 2)])
def test_programs_of_several_axes(grid: tuple[int, ...]) -> None:
    """Program (i, j) of the grid is number i * size + j."""
    x, out = np.arange(100, dtype=np.float32) + 1, np.full(100, -1, np.float32)
    double_kernel[grid](x, out, 90, BLOCK=16)
    end = min(90, 16 * grid[0] * grid[1])
    np.testing.assert_array_equal(out, [*(2 * x[:end]), *[-1] * (100 - end)])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ((2**31,), "a grid has 0 to 2^31 - 1 = 2147483647 programs along an axis, got 2147483648 along axis 0"),
        ((1, 2**63), "got 9223372036854775808 along axis 1"),
        (10**30, "along an axis, got 1000000000000000000000000000000 along axis 0"),
        ((-1,), "along an axis, got -1 along axis 0"),
        ((2**11, 2**10, 2**10), "a grid has at most 2^31 - 1 = 2147483647 programs, got 2147483648"),
        ((), "a grid has 1 to 3 axes, got 0"),
    ],
)
def test_a_grid_beyond_the_limit(grid: Any, message: str) -> None:
    x = np.ones(64, np.float32)
    for call in (double_kernel[grid], lambda *a, **k: double_kernel.compile(*a, grid=grid, **k)):
        with pytest.raises(CompileError) as caught:
            call(x, x, 64, BLOCK=16)
        assert message in caught.value.message


KERNEL = """
  func.func @f(%x: memref<64xf32>) attributes {{{attributes}}} {{
    {programs} {{
      %v = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
      %w = arith.addf %v, %v : tensor<64xf32>
      tile.write %w to %x [d0 by 1] : tensor<64xf32> -> memref<64xf32>
    }}
    func.return
  }}
"""


def doubled(programs: str, attributes: str = "") -> float:
    """How many times the kernel doubled what it was given."""
    text, x = KERNEL.format(programs=programs, attributes=attributes), np.ones(64, np.float32)
    execute(pipeline("lower-to-isa")(parse(text)), [x], checks=False)
    return float(np.log2(x[0]))


@pytest.mark.parametrize(
    ("grid", "programs"),
    [("() in []", 1), ("(%i) in [1]", 1), ("(%i) in [3]", 3), ("(%a, %b, %c, %d) in [2, 1, 3, 1]", 6)],
)
def test_the_programs_of_text(grid: str, programs: int) -> None:
    assert doubled(f"tile.programs {grid}") == programs


def test_programs_that_follow_programs_come_after_them() -> None:
    """The second programs copy what the first ones wrote, element by element in turn; that several write one element is
    no conflict where the order is certain."""
    text = """
      func.func @f(%x: memref<8xf32>, %y: memref<8xf32>) {
        %last = arith.constant 7 : index
        tile.programs (%i) in [8] {
          %v = tile.read %x(%i) [s0 + d0 by 1] : memref<8xf32> -> tensor<1xf32>
          %back = arith.subi %last, %i : index
          tile.write %v to %y(%back) [s0 + d0 by 1] : tensor<1xf32> -> memref<8xf32>
        }
        tile.programs (%j) in [4] {
          %v = tile.read %y(%j) [s0 + d0 by 1] : memref<8xf32> -> tensor<1xf32>
          %w = arith.addf %v, %v : tensor<1xf32>
          tile.write %w to %y(%j) [s0 + d0 by 1] : tensor<1xf32> -> memref<8xf32>
        }
        func.return
      }
    """
    x, y = np.random.default_rng(0).standard_normal(8).astype(np.float32), np.zeros(8, np.float32)
    wanted = x[::-1].copy()
    wanted[:4] *= 2
    execute(pipeline("lower-to-isa")(parse(text)), [x, y])
    np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('tile.arg_names = ["a", "b"]', "tile.arg_names of @f: it must be 1 strings, one an argument"),
        ("tile.arg_names = [1]", "tile.arg_names of @f: it must be 1 strings"),
        ("tile.aliases = array<i64: 0, 0>", "tile.aliases of @f: it must be 1 integers, one an argument"),
        ("tile.aliases = [0]", "tile.aliases of @f: it must be 1 integers"),
    ],
)
def test_attributes_of_text_that_say_nothing_valid(attributes: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        doubled("tile.programs (%i) in [2]", attributes)
    assert message in caught.value.message and caught.value.line == 2


def squares(grid: tuple[int, int]) -> str:
    """A kernel whose addresses are no affine function of its program ids, so that its programs are written out: program
    (i, j) of the grid stores its number at 0, and at 8 + (2 i + j)^2."""
    numbers = "\n".join(f"%n{k} = arith.constant {k} : index" for k in (2, 8, grid[1]))
    return f"""
      func.func @f(%x: memref<64xf32>, %y: memref<256xf32>) {{
        {numbers}
        tile.programs (%i, %j) in [{grid[0]}, {grid[1]}] {{
        %row = arith.muli %i, %n{grid[1]} : index
        %number = arith.addi %row, %j : index
        %v = tile.read %x(%number) [s0 + d0 by 1] : memref<64xf32> -> tensor<1xf32>
        tile.write %v to %y [d0 by 1] : tensor<1xf32> -> memref<256xf32>
        %i2 = arith.muli %i, %n2 : index
        %s = arith.addi %i2, %j : index
        %square = arith.muli %s, %s : index
        %at = arith.addi %square, %n8 : index
        tile.write %v to %y(%at) [s0 + d0 by 1] : tensor<1xf32> -> memref<256xf32>
        }}
        func.return
      }}
    """


def test_programs_that_are_written_out_keep_their_order() -> None:
    """Row-major: the last axis moves fastest, and the last program writes last where several write."""
    grid = (2, 4)
    x, y = np.arange(64, dtype=np.float32) + 1, np.zeros(256, np.float32)
    execute(pipeline("lower-to-isa")(parse(squares(grid))), [x, y], checks=False)
    expected = np.zeros(256, np.float32)
    for i in range(grid[0]):
        for j in range(grid[1]):
            expected[0] = expected[8 + (2 * i + j) ** 2] = x[i * grid[1] + j]
    assert expected[8 + 2**2] == x[4], "programs (0, 2) and (1, 0) write it, in this order"
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def divided_kernel(x_ptr, out_ptr, D: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = ((pid % D) * 16 + pid // D) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets) * 2.0)


@pytest.mark.parametrize("divisor", [1, 3, 4, 5, 7, 12, 13])
def test_divided_program_ids(divisor: int) -> None:
    """Divisors of the number of programs nest loops, others don't."""
    x, out = np.arange(1024, dtype=np.float32) + 1, np.zeros(1024, np.float32)
    divided_kernel[(12,)](x, out, D=divisor, BLOCK=4)
    expected = np.zeros((256, 4), np.float32)
    for pid in range(12):
        at = pid % divisor * 16 + pid // divisor
        expected[at] = 2 * x.reshape(256, 4)[at]
    np.testing.assert_array_equal(out.reshape(256, 4), expected)
