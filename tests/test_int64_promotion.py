"""Numbers that a kernel makes int64 itself: they stay so beside narrower ones, exactly or refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from kernels import integers, refused, run

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def beside_narrower(x, out, n, CASE: tl.constexpr, B: tl.constexpr):
    """Numbers that are int64 for what the kernel says, beside loaded ones of 32 bits."""
    at = tl.arange(0, B)
    a = tl.load(x + at)
    if CASE == "constant":
        r = tl.full((B,), 2**40, tl.int64) + a
    elif CASE == "zeros":
        r = (tl.zeros((B,), tl.int64) + a) * 3
    elif CASE == "zeros like":
        r = tl.zeros_like(a.to(tl.int64)) - a
    elif CASE == "number":
        r = tl.cast(3, tl.int64) * a
    elif CASE == "argument":
        r = a - n
    elif CASE == "positions":
        r = at.to(tl.int64) * 2**31 + a
    elif CASE == "program":
        r = a + tl.program_id(0).to(tl.int64) + 2**31 - 1
    elif CASE == "shifted":
        r = (a.to(tl.int64) << 32) | (a.to(tl.int64) & 255)
    elif CASE == "sign":
        r = (tl.full((B,), -3, tl.int64) >> 63) + a
    elif CASE == "wraps":
        r = ((a & 255).to(tl.uint8) - 1).to(tl.int64) * 8421505 + a
    elif CASE == "magnitude":
        r = tl.abs(a.to(tl.int64) * 5)
    elif CASE == "sum":
        r = tl.sum((a > 0).to(tl.int64)) * 2**31 + a
    elif CASE == "flipped":
        r = tl.flip(a.to(tl.int64)) * 2
    elif CASE == "extremum":
        r = tl.max(a.to(tl.int64)) - tl.min(a.to(tl.int64)) + a * 0
    elif CASE == "counted":
        r = tl.zeros((B,), tl.int64)
        for i in range(20):
            r += (a > i * 2**26).to(tl.int64)
        r = r * 2**31
    else:
        r = at
        for i in range(4):
            r = tl.where(a > i * 2**26, (at + i).to(tl.int64), r)
    tl.store(out + at, r)


BESIDE = {
    "constant": lambda a, at: 2**40 + a,
    "zeros": lambda a, at: a * 3,
    "zeros like": lambda a, at: -a,
    "number": lambda a, at: a * 3,
    "argument": lambda a, at: a - 2**35,
    "positions": lambda a, at: at * 2**31 + a,
    "program": lambda a, at: a + 2**31 - 1,
    "shifted": lambda a, at: (a << 32) | (a & 255),
    "sign": lambda a, at: a - 1,
    "wraps": lambda a, at: (a - 1) % 256 * 8421505 + a,
    "magnitude": lambda a, at: np.abs(a * 5),
    "sum": lambda a, at: (a > 0).sum() * 2**31 + a,
    "flipped": lambda a, at: a[::-1] * 2,
    "extremum": lambda a, at: np.full(64, a.max() - a.min()),
    "counted": lambda a, at: (a[:, None] > np.arange(20) * 2**26).sum(1) * 2**31,
}


@pytest.mark.parametrize("case", BESIDE)
def test_int64_numbers_stay_wide_beside_narrower_ones(case: str) -> None:
    x = integers(64, np.int32)
    x[:2] = -(2**31), 2**31 - 1
    *_, out = run(beside_narrower, x, np.zeros(64, np.int64), 2**35, CASE=case, B=64, levels=case != "argument")
    np.testing.assert_array_equal(out, BESIDE[case](x.astype(np.int64), np.arange(64)))


@nki_mlir.jit
def asked(x, out, CASE: tl.constexpr, B: tl.constexpr):
    """What 32 bits give otherwise than 64, of numbers that are converted to int64."""
    at = tl.arange(0, B)
    a = tl.load(x + at).to(tl.int64)
    if CASE == "compared":
        tl.store(out + at, (a * 3 < 100).to(tl.int32))
    elif CASE == "float":
        tl.store(out + at, (a * 1000003).to(tl.float32).to(tl.int32, bitcast=True))
    elif CASE == "quotient":
        tl.store(out + at, (a * 3 // 7).to(tl.int32))
    elif CASE == "shift":
        tl.store(out + at, (a * 3 >> 2).to(tl.int32))
    elif CASE == "places":
        tl.store(out + at, a >> (at + a % 2 + 30))
    elif CASE == "total":
        tl.store(out, tl.sum(a & 2**30))
    elif CASE == "places that wrap":
        tl.store(out, tl.sum(at.to(tl.int64) * 2**28))
    elif CASE == "carried":
        total = tl.zeros((B,), tl.int64)
        for i in range(3):
            total += (tl.load(x + (at + i) % B) & 2**30).to(tl.int64)
        tl.store(out + at, total)
    else:
        total = tl.zeros((B,), tl.int64) + 1
        for _ in range(40):
            total = total * 2
        tl.store(out + at, total)


@pytest.mark.parametrize("case", ["compared", "float"])
def test_narrow_numbers_that_need_64_bits(case: str) -> None:
    x = integers(64, np.int32)
    *_, out = run(asked, x, np.zeros(64, np.int32), CASE=case, B=64)
    a = x.astype(np.int64)
    if case == "compared":
        np.testing.assert_array_equal(out, a * 3 < 100)
    else:
        np.testing.assert_allclose(out.view(np.float32), (a * 1000003).astype(np.float32), rtol=3e-7)


ASKED = ["quotient", "shift", "places", "total", "places that wrap", "carried", "doubled"]


@pytest.mark.parametrize("case", ASKED)
def test_what_needs_64_bits_is_refused(case: str) -> None:
    error = refused(asked, integers(64, np.int32), np.zeros(64, np.int64), CASE=case, B=64)
    assert "64" in error.message and error.file == __file__, error.message


@nki_mlir.jit
def unsigned(x, out, CASE: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    a = tl.load(x + at)
    if CASE == "carried":
        for i in range(3):
            a += i
    if CASE == "stored":
        tl.store(out + at, a)
        return
    tl.store(out + at, tl.where(a < tl.full((B,), 2**31, tl.int64), a, at))


@pytest.mark.parametrize("case", ["loaded", "carried", "stored"])
def test_numbers_without_a_sign_stay_above_zero(case: str) -> None:
    x = integers(64, np.uint32)
    *_, out = run(unsigned, x, np.zeros(64, np.int64), CASE=case, B=64)
    a = x + np.uint32(3 if case == "carried" else 0)
    expected = a if case == "stored" else np.where(a < 2**31, a, np.arange(64))
    np.testing.assert_array_equal(out, expected)
