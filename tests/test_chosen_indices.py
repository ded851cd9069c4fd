"""Indices that conditions choose, that loops carry, and that data give, as addresses: against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl

N = 16


@nki_mlir.jit
def chosen(i, j, CASE: tl.constexpr):
    if CASE == "where":
        return tl.where(i > j, i - j, 0)
    elif CASE == "where of numbers":
        return tl.where(i > 2, 5, 3) + j
    elif CASE == "where of where":
        return tl.where(i == j, 7, tl.where(i > j, j, 2 * i))
    elif CASE == "comparison":
        return (i > j).to(tl.int32) * 3 + 1
    elif CASE == "if":
        r = 1
        if i > j:
            r = i
        return r + j
    elif CASE == "a if b else c":
        return i if i > 2 else j
    else:
        return tl.abs(i - j)


CASES: dict[str, Callable[[int, int], int]] = {
    "where": lambda i, j: i - j if i > j else 0,
    "where of numbers": lambda i, j: (5 if i > 2 else 3) + j,
    "where of where": lambda i, j: 7 if i == j else j if i > j else 2 * i,
    "comparison": lambda i, j: (i > j) * 3 + 1,
    "if": lambda i, j: (i if i > j else 1) + j,
    "a if b else c": lambda i, j: i if i > 2 else j,
    "magnitude": lambda i, j: abs(i - j),
}


@nki_mlir.jit
def by_programs(x, y, CASE: tl.constexpr, N: tl.constexpr):
    i, j, c = tl.program_id(0), tl.program_id(1), tl.arange(0, N)
    tl.store(y + (3 * i + j) * N + c, tl.load(x + chosen(i, j, CASE) * N + c))


@nki_mlir.jit
def by_loops(x, y, CASE: tl.constexpr, N: tl.constexpr):
    c = tl.arange(0, N)
    for i in range(5):
        for j in range(3):
            tl.store(y + (3 * i + j) * N + c, tl.load(x + chosen(i, j, CASE) * N + c))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("kernel", "grid"), [(by_programs, (5, 3)), (by_loops, (1,))], ids=["programs", "loops"])
def test_a_scalar_index(kernel: Any, grid: tuple[int, ...], case: str) -> None:
    x = floats(12, N)
    *_, y = run(kernel, x, np.zeros((15, N), np.float32), grid=grid, levels=case == "where", CASE=case, N=N)
    rows = [CASES[case](i, j) for i in range(5) for j in range(3)]
    np.testing.assert_array_equal(y, x[rows])
