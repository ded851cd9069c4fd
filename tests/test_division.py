"""`//` and `%` of integers by constants, exactly: towards zero, remainders with the sign of the dividend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import integers, refused, run

import nki_mlir
import nki_mlir.language as tl

N = 64
LEAST, MOST = -(2**31), 2**31 - 1


@nki_mlir.jit
def divided(x, q, r, D: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    v = tl.load(x + at)
    tl.store(q + at, v // D)
    tl.store(r + at, v % D)


def quotient(x: np.ndarray, divisor: int) -> np.ndarray:
    """As C divides."""
    wide = x.astype(np.int64)
    return np.sign(wide) * np.sign(divisor) * (abs(wide) // abs(divisor))


def check(x: np.ndarray, divisor: int, levels: bool = False) -> None:
    results = run(divided, x, np.zeros_like(x), np.zeros_like(x), levels=levels, D=divisor, N=N)
    expected = quotient(x, divisor)
    np.testing.assert_array_equal(results[1], expected.astype(x.dtype))
    np.testing.assert_array_equal(results[2], (x.astype(np.int64) - expected * divisor).astype(x.dtype))


def near(divisor: int, dtype: Any, seed: int = 0) -> np.ndarray:
    """Random dividends, the corners of the type, and multiples of the divisor with their neighbours."""
    range_, rng = np.iinfo(dtype), np.random.default_rng(seed)
    x = integers(N, dtype, seed)
    corners = [range_.min, range_.min + 1, range_.max, range_.max - 1, 0, 1, range_.min // 2, range_.max // 2]
    x[: len(corners)] = corners
    most = max(range_.max // abs(divisor), 1)
    multiples = rng.integers(-most if range_.min < 0 else 0, most, 16, endpoint=True).astype(object) * abs(divisor)
    around = [int(m) + d for m in multiples for d in (-1, 0, 1)]
    x[16 : 16 + len(around)] = np.clip(np.array(around, dtype=object), range_.min, range_.max).astype(dtype)
    return x


DIVISORS = [1, 3, 24, 128, 1000, 2**30 + 1, MOST, -1, -65537, LEAST]


@pytest.mark.parametrize("divisor", DIVISORS)
def test_known_divisors(divisor: int) -> None:
    check(near(divisor, np.int32), divisor, levels=divisor in (1000, LEAST))


@given(st.integers(LEAST, MOST).filter(bool) | st.integers(-300, 300).filter(bool), st.integers(0, 2**20))
@settings(max_examples=5)
def test_random_divisors(divisor: int, seed: int) -> None:
    check(near(divisor, np.int32, seed), divisor)


@pytest.mark.parametrize("divisor", [1, 3, 10, 127])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16], ids=lambda d: np.dtype(d).name)
def test_narrow_types(dtype: Any, divisor: int) -> None:
    check(near(divisor, dtype), divisor, levels=divisor == 10)


@pytest.mark.parametrize("divisor", [-1, -7])
@pytest.mark.parametrize("dtype", [np.int8, np.int16], ids=lambda d: np.dtype(d).name)
def test_narrow_types_by_negative_numbers(dtype: Any, divisor: int) -> None:
    check(near(divisor, dtype), divisor)


@nki_mlir.jit
def positions(x, out, D: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    pid = tl.program_id(0)
    at = r[:, None] * C + c[None, :]
    n = pid * 1000 + at
    v = tl.load(x + at)
    tl.store(out + pid * R * C + at, (n // D) * 100 + (n % D) + (v % D) // 2 - pid // D)


@pytest.mark.parametrize("divisor", [1, 3, 4000])
def test_positions(divisor: int) -> None:
    x = integers((16, 8), np.int32, low=0, high=10**6)
    *_, out = run(positions, x, np.zeros((3, 16, 8), np.int32), grid=(3,), D=divisor, R=16, C=8)
    pid = np.arange(3)[:, None, None]
    n = pid * 1000 + np.arange(128).reshape(16, 8)
    np.testing.assert_array_equal(out, n // divisor * 100 + n % divisor + x % divisor // 2 - pid // divisor)


@nki_mlir.jit
def scalars(x, out, D: tl.constexpr):
    k = tl.load(x + tl.program_id(0))
    tl.store(out + tl.program_id(0) * 2, k // D)
    tl.store(out + tl.program_id(0) * 2 + 1, k % D)


def test_scalars() -> None:
    x = np.array([7, -7, 0, LEAST, MOST], np.int32)
    _, out = run(scalars, x, np.zeros((5, 2), np.int32), grid=(5,), D=5)
    q = quotient(x, 5)
    np.testing.assert_array_equal(out, np.stack([q, x - q * 5], 1))


@nki_mlir.jit
def negative_positions(out, D: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N) - 20
    tl.store(out + tl.arange(0, N), at // D)
    tl.store(out + N + tl.arange(0, N), at % D)


def test_positions_below_zero() -> None:
    (out,) = run(negative_positions, np.zeros((2, N), np.int32), D=6, N=N)
    at = np.arange(N) - 20
    q = quotient(at, 6)
    np.testing.assert_array_equal(out, [q, at - 6 * q])


@nki_mlir.jit
def not_by_constants(x, y, out, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    a, b = tl.load(x + at), tl.load(y + at)
    if CASE == "quotient":
        r = a // b
    elif CASE == "remainder":
        r = a % b
    elif CASE == "scalar":
        r = a // tl.load(y)
    elif CASE == "constant":
        r = 100 // b
    elif CASE == "position":
        r = a // (at + 1)
    else:
        r = a // 0
    tl.store(out + at, r)


@pytest.mark.parametrize("case", ["quotient", "remainder", "scalar", "constant", "position", "zero"])
def test_divisors_that_are_no_constants(case: str) -> None:
    error = refused(not_by_constants, *(integers(N, np.int32, s) for s in range(3)), CASE=case, N=N)
    assert "divi" in error.message or "remainder" in error.message or "rem" in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def unsigned(x, q, r, D: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    tl.store(q + at, tl.load(x + at) // D)


def test_unsigned_words_are_refused() -> None:
    error = refused(unsigned, *(integers(N, np.uint32, s) for s in range(3)), D=3, N=N)
    assert error.message.startswith(
        "integer division of tiles (expand-division makes comparisons of one by a constant)"
    )


@nki_mlir.jit
def by_program(x, rows, out, START: tl.constexpr, STEP: tl.constexpr, BY: tl.constexpr):
    """Of an index that changes its sign while a loop runs: in addresses, as numbers and in a condition."""
    p, c = tl.program_id(0), tl.arange(0, 8)
    for i in range(9):
        at = i * STEP + START + p
        quotient, rest = at // BY, at % BY
        row = (p * 9 + i) * 8 + c
        tl.store(rows + row, tl.load(x + tl.maximum(quotient + 32, 0) * 8 + c) + rest)
        if rest == 0:
            tl.store(out + row, c + quotient)
        else:
            tl.store(out + row, c - rest)


@pytest.mark.parametrize("programs", [1, 2])
@pytest.mark.parametrize(
    ("start", "step", "by"), [(-17, 1, 4), (-4, 1, 3), (-4, 1, 1), (9, -3, 2), (0, -1, 8), (-30, 3, 7)]
)
def test_indices_of_either_sign(start: int, step: int, by: int, programs: int) -> None:
    x, before = integers(64 * 8, np.int32), np.zeros((programs * 9, 8), np.int32)
    _, rows, out = run(
        by_program, x, before, before.copy(), grid=(programs,), levels=programs == 1, START=start, STEP=step, BY=by
    )
    at = (np.arange(9) * step + start + np.arange(programs)[:, None]).reshape(-1, 1)
    quotient, rest = np.trunc(at / by).astype(np.int32), np.fmod(at, by).astype(np.int32)
    c = np.arange(8, dtype=np.int32)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rows, x.reshape(64, 8)[quotient[:, 0] + 32] + rest)
    np.testing.assert_array_equal(out, np.where(rest == 0, c + quotient, c - rest))
