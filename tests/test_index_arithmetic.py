"""Division and remainder in addresses: as MLIR defines them, or refused; never another rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nki_mlir import CompileError, execute, parse, pipeline


def truncated(a: int, b: int) -> int:
    return -(-a // b) if a < 0 else a // b


DIVISIONS: dict[str, Callable[[int, int], int]] = {
    "divsi": truncated,
    "remsi": lambda a, b: a - b * truncated(a, b),
    "floordivsi": lambda a, b: a // b,
}
LENGTH = 64


def kernel(op: str, start: int, trips: int, scale: int, divisor: int) -> str:
    """For i of the loop: element `op(scale * i + start, divisor) + 32` of y is that of x."""
    return f"""
      func.func @f(%x: memref<{LENGTH}xf32>, %y: memref<{LENGTH}xf32>) {{
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %trips = arith.constant {trips} : index
        %scale = arith.constant {scale} : index
        %start = arith.constant {start} : index
        %divisor = arith.constant {divisor} : index
        %middle = arith.constant {LENGTH // 2} : index
        scf.for %i = %zero to %trips step %one {{
          %scaled = arith.muli %i, %scale : index
          %n = arith.addi %scaled, %start : index
          %d = arith.{op} %n, %divisor : index
          %at = arith.addi %d, %middle : index
          %v = tile.read %x[%at] strides [1] : memref<{LENGTH}xf32> -> tensor<1xf32>
          tile.write %v to %y[%at] strides [1] : tensor<1xf32> -> memref<{LENGTH}xf32>
        }}
        func.return
      }}
    """


def run(op: str, start: int, trips: int, scale: int, divisor: int) -> bool:
    """Compares with Python; False if the kernel is refused."""
    x, y = np.arange(LENGTH, dtype=np.float32) + 1, np.zeros(LENGTH, np.float32)
    try:
        module = pipeline("lower-to-isa")(parse(kernel(op, start, trips, scale, divisor)))
    except CompileError:
        return False
    execute(module, [x, y])
    expected = np.zeros(LENGTH, np.float32)
    for i in range(trips):
        at = DIVISIONS[op](scale * i + start, divisor) + LENGTH // 2
        expected[at] = x[at]
    np.testing.assert_array_equal(y, expected)
    return True


@pytest.mark.parametrize("op", DIVISIONS)
@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("start", "scale"), [(0, 1), (5, 1), (3, 2), (6, 4), (20, -2)])
def test_of_what_is_not_negative(op: str, divisor: int, start: int, scale: int) -> None:
    assert run(op, start, 6, scale, divisor)


@pytest.mark.parametrize("op", DIVISIONS)
@pytest.mark.parametrize("divisor", [2, 3, 5])
@pytest.mark.parametrize(("start", "scale"), [(-5, 1), (-7, 2), (2, -3), (-1, 1)])
def test_of_what_may_be_negative(op: str, divisor: int, start: int, scale: int) -> None:
    """Machine addresses round down: truncation is refused, not replaced."""
    assert run(op, start, 6, scale, divisor) is (op == "floordivsi")


@pytest.mark.parametrize("op", DIVISIONS)
def test_of_constants_that_are_negative(op: str) -> None:
    run(op, -7, 1, 1, 2)
    run(op, -6, 2, 0, 4)


@pytest.mark.parametrize("op", DIVISIONS)
@pytest.mark.parametrize("divisor", [0, -2])
def test_by_what_is_not_positive(op: str, divisor: int) -> None:
    assert not run(op, 8, 4, 1, divisor)
