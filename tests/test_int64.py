"""Arrays of int64: loaded, compared, chosen and stored as they are; arithmetic where 32 bits of it are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

INTEREST = [
    0,
    1,
    -1,
    100,
    -100,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**32,
    2**32 + 5,
    -(2**32),
    2**62,
    2**63 - 1,
    -(2**63),
]


def words(size: int, seed: int = 0) -> np.ndarray:
    """Random numbers of 64 bits, those near the borders of 32 bits among them."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-(2**63), 2**63 - 1, size)
    few = rng.integers(0, 3, size)
    values = np.where(few == 0, rng.choice(np.array(INTEREST), size), values)
    return np.where(few == 1, values >> 31, values)


@nki_mlir.jit
def compared(x, y, out, OP: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    if OP == "<":
        r = a < b
    elif OP == "<=":
        r = a <= b
    elif OP == ">":
        r = a > b
    elif OP == ">=":
        r = a >= b
    elif OP == "==":
        r = a == b
    else:
        r = a != b
    tl.store(out + at, r.to(tl.int32))


COMPARISONS = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


@pytest.mark.parametrize("symbol", COMPARISONS)
def test_comparisons(symbol: str) -> None:
    x, y = words(256), words(256, 1)
    y[:60] = x[:60]
    y[60:90] = x[60:90] ^ 1
    y[90:120] = x[90:120] ^ np.int64(1 << 31)
    y[120:150] = x[120:150] ^ np.int64(1 << 32)
    *_, out = run(compared, x, y, np.zeros(256, np.int32), OP=symbol, B=256)
    np.testing.assert_array_equal(out, COMPARISONS[symbol](x, y))


@nki_mlir.jit
def with_constant(x, out, C: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    a = tl.load(x + at)
    r = (a < C).to(tl.int32) + 2 * (a <= C).to(tl.int32) + 4 * (a == C).to(tl.int32)
    tl.store(out + at, r + 8 * (a != C).to(tl.int32) + 16 * (C < a).to(tl.int32))


@pytest.mark.parametrize("constant", [0, -100, 2**31 - 1, -(2**31), 2**32 + 5, -(2**63), 2**63 - 1])
def test_constants(constant: int) -> None:
    x = words(128)
    x[::5] = constant
    *_, out = run(with_constant, x, np.zeros(128, np.int32), C=constant, B=128, levels=constant in (-100, 2**32 + 5))
    c = np.int64(constant)
    np.testing.assert_array_equal(out, (x < c) + 2 * (x <= c) + 4 * (x == c) + 8 * (x != c) + 16 * (x > c))


@nki_mlir.jit
def moved(x, y, out, n, KIND: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    at = r[:, None] * C + c[None, :]
    mask = (r < n)[:, None] & (c < C - 3)[None, :]
    v = tl.load(x + at, mask=mask, other=-(2**40))
    if KIND == "copied":
        tl.store(out + at, v)
    elif KIND == "part":
        tl.store(out + at, v, mask=mask)
    elif KIND == "transposed":
        tl.store(out + c[:, None] * R + r[None, :], tl.trans(v))
    elif KIND == "chosen":
        tl.store(out + at, tl.where(v > tl.load(y + at), v, tl.load(y + at)))
    elif KIND == "a column":
        column = tl.load(y + r)
        tl.store(out + at, tl.where(v == 0, v, column[:, None]))
    elif KIND == "by data":
        tl.store(out + at, tl.load(y + at), mask=v < 0)
    else:
        tl.store(out + at, tl.where(at % 3 == 0, 2**33 + 1, v))


@pytest.mark.parametrize("kind", ["copied", "part", "transposed", "chosen", "a column", "by data", "constant"])
def test_moves(kind: str) -> None:
    x, y, before = (words(128 * 32, seed).reshape(128, 32) for seed in range(3))
    *_, out = run(moved, x, y, before, 111, KIND=kind, R=128, C=32, levels=kind in ("part", "chosen", "by data"))
    mask = (np.arange(128) < 111)[:, None] & (np.arange(32) < 29)
    v = np.where(mask, x, -(2**40))
    expected: dict[str, Any] = {
        "copied": v,
        "part": np.where(mask, x, before),
        "transposed": v.T.reshape(128, 32),
        "chosen": np.maximum(v, y),
        "a column": np.where(v == 0, v, y.reshape(-1)[:128, None]),
        "by data": np.where(v < 0, y, before),
        "constant": np.where(np.arange(128 * 32).reshape(128, 32) % 3 == 0, 2**33 + 1, v),
    }
    np.testing.assert_array_equal(out, expected[kind])


@nki_mlir.jit
def converted(x, out, B: tl.constexpr):
    """Between any two types."""
    at = tl.arange(0, B)
    tl.store(out + at, tl.load(x + at))


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int16, np.int8, np.uint8], ids=lambda d: np.dtype(d).name)
def test_casts_to_integers(dtype: Any) -> None:
    x = words(128)
    *_, out = run(converted, x, np.zeros(128, dtype), B=128, levels=dtype == np.int32)
    np.testing.assert_array_equal(out, x.astype(dtype))


@pytest.mark.parametrize("dtype", [np.int32, np.int16, np.int8, np.uint8, np.uint16], ids=lambda d: np.dtype(d).name)
def test_casts_from_integers(dtype: Any) -> None:
    range_ = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(range_.min, range_.max, 128, dtype, endpoint=True)
    x[:2] = range_.min, range_.max
    *_, out = run(converted, x, np.zeros(128, np.int64), B=128, levels=dtype == np.int8)
    np.testing.assert_array_equal(out, x)


def test_casts_to_floats() -> None:
    x = words(128)
    *_, out = run(converted, x, np.zeros(128, np.float32), B=128, levels=False)
    np.testing.assert_allclose(out, x.astype(np.float32), rtol=3e-7)
    small = np.abs(x) < 2**24
    np.testing.assert_array_equal(out[small], x[small])


@nki_mlir.jit
def cross_entropy(logits, labels, loss, seen, C: tl.constexpr, B: tl.constexpr):
    pid = tl.program_id(0)
    label = tl.load(labels + pid)
    c = tl.arange(0, B)
    x = tl.load(logits + pid * C + c, mask=c < C, other=-float("inf"))
    most = tl.max(x, axis=0)
    total = tl.log(tl.sum(tl.exp(x - most), axis=0)) + most
    own = tl.load(logits + pid * C + label, mask=label != -100, other=0.0)
    tl.store(loss + pid, tl.where(label != -100, total - own, 0.0))
    tl.store(seen + pid, label)


def test_labels() -> None:
    x = floats(23, 50)
    labels = np.random.default_rng(1).integers(0, 50, 23)
    labels[::4] = -100
    *_, loss, seen = run(
        cross_entropy, x, labels, np.zeros(23, np.float32), np.zeros(23, np.int64), grid=(23,), rtol=1e-5, C=50, B=64
    )
    total = np.log(np.exp(x.astype(np.float64)).sum(1))
    expected = np.where(labels != -100, total - x[np.arange(23), np.maximum(labels, 0)], 0)
    np.testing.assert_allclose(loss, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(seen, labels)


@nki_mlir.jit
def one_hot(labels, out, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    label = tl.load(labels + r)
    tl.store(out + r[:, None] * C + c[None, :], (label[:, None] == c[None, :]).to(tl.float32))


def test_one_hot() -> None:
    labels = np.random.default_rng(1).integers(0, 32, 64)
    labels[3], labels[4], labels[5] = 2**32 + 7, -1, -(2**63)
    _, out = run(one_hot, labels, np.zeros((64, 32), np.float32), R=64, C=32)
    np.testing.assert_array_equal(out, labels[:, None] == np.arange(32))


@nki_mlir.jit
def low_bits(x, y, out, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    tl.store(out + at, ((a + b * 3 - 5) & (a ^ b)).to(tl.int32))


def test_arithmetic_of_which_the_low_bits_are_asked() -> None:
    x, y = words(128), words(128, 1)
    *_, out = run(low_bits, x, y, np.zeros(128, np.int32), B=128)
    with np.errstate(over="ignore"):
        expected = ((x + y * 3 - 5) & (x ^ y)).astype(np.int32)
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def sums(x, y, out, floats, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    tl.store(out + at, a + b)
    tl.store(out + B + at, a - b)
    tl.store(out + 2 * B + at, a * 37 + 5)
    tl.store(out + 3 * B + at, b * -3 - at)
    tl.store(out + 4 * B + at, (a & b) | (a ^ 12345678901))
    tl.store(out + 5 * B + at, tl.maximum(a, b) - tl.minimum(a + 1, b))
    tl.store(out + 6 * B + at, (a + b > a - b).to(tl.int64))
    tl.store(floats + at, (a + b).to(tl.float32))


def test_sums_of_64_bits() -> None:
    x, y = words(128), words(128, 1)
    before = np.zeros((7, 128), np.int64), np.zeros(128, np.float32)
    *_, out, floats = run(sums, x, y, *before, B=128, levels=False)
    at = np.arange(128)
    with np.errstate(over="ignore"):
        extrema = np.maximum(x, y) - np.minimum(x + 1, y)
        expected = [x + y, x - y, x * 37 + 5, y * -3 - at, (x & y) | (x ^ 12345678901), extrema, x + y > x - y]
        np.testing.assert_allclose(floats, (x + y).astype(np.float32), rtol=3e-7, atol=600)
    np.testing.assert_array_equal(out, np.stack(expected))


@nki_mlir.jit
def varying_lengths(starts, x, y, BLOCK: tl.constexpr):
    p, b = tl.program_id(0), tl.program_id(1)
    start = tl.load(starts + b)
    length = tl.load(starts + b + 1) - start
    if p * BLOCK >= length:
        return
    r = p * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + start + r, tl.load(x + start + r, mask=r < length) * 2, mask=r < length)


def test_lengths_that_are_differences() -> None:
    starts, x = np.array([0, 5, 12, 30]), floats(30)
    *_, y = run(varying_lengths, starts, x, np.zeros(30, np.float32), grid=(5, 3), BLOCK=4, levels=False)
    np.testing.assert_array_equal(y, x * 2)


@nki_mlir.jit
def wide(x, y, out, CASE: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    if CASE == "quotient":
        tl.store(out + at, (a // 3).to(tl.int32))
    elif CASE == "shift":
        tl.store(out + at, (a >> 3).to(tl.int32))
    elif CASE == "total":
        tl.store(out, tl.sum(a))
    elif CASE == "most":
        tl.store(out, tl.max(a))
    elif CASE == "product":
        tl.store(out + at, a * b)
    else:
        tl.store(out + at, (a * b).to(tl.float32))


REFUSED = ["quotient", "shift", "total", "most", "product", "float"]


@pytest.mark.parametrize("case", REFUSED)
def test_arithmetic_in_64_bits_is_refused(case: str) -> None:
    error = refused(wide, words(64), words(64, 1), words(64, 2), CASE=case, B=64)
    assert "64" in error.message or "int32" in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def narrow_against_wide(x, out, CASE: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    k = tl.load(x + at)
    if CASE == "constant":
        r = (k.to(tl.int64) < 2**40).to(tl.int32) + 2 * (k.to(tl.int64) > -(2**35)).to(tl.int32)
    elif CASE == "places":
        r = (at * 2**28 > k.to(tl.int64)).to(tl.int32)
    else:
        for _ in tl.static_range(24):
            at = at * 3 + (at & 5)
        r = at.to(tl.int32)
    tl.store(out + at % 1 + tl.arange(0, B), r)


def test_numbers_of_32_bits_beside_greater_ones() -> None:
    x = words(64).astype(np.int32)
    *_, out = run(narrow_against_wide, x, np.zeros(64, np.int32), CASE="constant", B=64, levels=False)
    np.testing.assert_array_equal(out, 3)
    *_, out = run(narrow_against_wide, x, np.zeros(64, np.int32), CASE="places", B=64, levels=False)
    np.testing.assert_array_equal(out, np.arange(64) * 2**28 > x.astype(np.int64))


def test_long_chains_of_arithmetic_take_no_longer_than_they_are() -> None:
    *_, out = run(
        narrow_against_wide, words(64).astype(np.int32), np.zeros(64, np.int32), CASE="chain", B=64, levels=False
    )
    at = np.arange(64, dtype=np.int32)
    with np.errstate(over="ignore"):
        for _ in range(24):
            at = at * np.int32(3) + (at & np.int32(5))
    np.testing.assert_array_equal(out, at)


@nki_mlir.jit
def combined(x, y, out, OP: tl.constexpr, B: tl.constexpr):
    """Of a number of 64 bits and one of another type."""
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    if OP == "add":
        tl.store(out + at, a + b)
    elif OP == "subtract":
        tl.store(out + at, a - b)
    elif OP == "bitwise_and":
        tl.store(out + at, a & b)
    elif OP == "bitwise_or":
        tl.store(out + at, a | b)
    elif OP == "bitwise_xor":
        tl.store(out + at, a ^ b)
    elif OP == "maximum":
        tl.store(out + at, tl.maximum(a, b))
    elif OP == "less":
        tl.store(out + at, a < b)
    elif OP == "equal":
        tl.store(out + at, a == b)
    else:
        tl.store(out + at, tl.where(at % 3 == 0, a, b))


MIXED = ["add", "subtract", "bitwise_and", "bitwise_or", "bitwise_xor", "maximum", "less", "equal", "where"]
NARROWER = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32]


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("dtype", NARROWER, ids=lambda d: np.dtype(d).name)
def test_numbers_of_64_bits_beside_narrower_ones(name: str, dtype: Any) -> None:
    x, y = words(64), integers(64, dtype)
    x[::4] = y[::4]
    for left, right in ((x, y), (y, x)):
        *_, out = run(combined, left, right, np.zeros(64, np.int64), OP=name, B=64, levels=False)
        a, b = left.astype(np.int64), right.astype(np.int64)
        with np.errstate(over="ignore"):
            expected = np.where(np.arange(64) % 3 == 0, a, b) if name == "where" else getattr(np, name)(a, b)
        np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def converted_and_combined(x, y, out, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    tl.store(out + at, a.to(tl.int64) * 1000003)
    tl.store(out + B + at, a.to(tl.int64) + b)
    tl.store(out + 2 * B + at, b.to(tl.int64) - a.to(tl.int64) * 5)
    tl.store(out + 3 * B + at, tl.where(at % 2 == 0, a.to(tl.int64) + at, b.to(tl.int64)))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32], ids=lambda d: np.dtype(d).name)
def test_numbers_that_become_wide(dtype: Any) -> None:
    x, y = integers(64, dtype), integers(64, np.int32, 1)
    *_, out = run(converted_and_combined, x, y, np.zeros((4, 64), np.int64), B=64, levels=False)
    at, a, b = np.arange(64), x.astype(np.int64), y.astype(np.int64)
    expected = [a * 1000003, a + b, b - a * 5, np.where(at % 2 == 0, a + at, b)]
    np.testing.assert_array_equal(out, np.stack(expected))


@nki_mlir.jit
def along(x, y, out, CASE: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    a, b = tl.load(x + at), tl.load(y + at)
    if CASE == "flip":
        tl.store(out + at, tl.flip(a))
    elif CASE == "join":
        tl.store(out + at[:, None] * 2 + tl.arange(0, 2)[None, :], tl.join(a, b))
    elif CASE == "cat":
        tl.store(out + tl.arange(0, 2 * B), tl.cat(a, b))
    elif CASE == "split":
        first, _ = tl.split(tl.reshape(a, (B // 2, 2)))
        tl.store(out + tl.arange(0, B // 2), first)
    elif CASE == "cumsum":
        tl.store(out + at, tl.cumsum(a))
    elif CASE == "xor_sum":
        tl.store(out, tl.xor_sum(a))
    elif CASE == "argmax":
        tl.store(out, tl.argmax(a, 0))
    elif CASE == "of an if":
        if tl.load(y) > 0:
            a = b
        tl.store(out, tl.sum(a))
    elif CASE == "sum of narrower ones":
        tl.store(out, tl.sum(a.to(tl.int32).to(tl.int64)))
    elif CASE == "typed sum":
        tl.store(out, tl.sum(a.to(tl.int32), dtype=tl.int64))
    else:
        tl.store(out + at, tl.cumsum(a.to(tl.int32).to(tl.int64)))


ALONG = ["flip", "join", "cat", "split", "cumsum", "xor_sum", "argmax", "of an if", "sum of narrower ones", "typed sum"]


@pytest.mark.parametrize("case", [*ALONG, "cumsum of narrower ones"])
def test_what_has_no_64_bits_along_a_dimension_is_refused(case: str) -> None:
    error = refused(along, words(64), words(64, 1), np.zeros(128, np.int64), CASE=case, B=64)
    assert "int64" in error.message and "int32" in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def counted(x, out, B: tl.constexpr):
    at = tl.arange(0, B)
    small = tl.load(x + at)
    tl.store(out, tl.sum((small > 0).to(tl.int64)))
    tl.store(out + 1, tl.sum(small.to(tl.int64)))
    tl.store(out + 2, tl.max(tl.cumsum(small.to(tl.int64))))


def test_sums_that_fit_32_bits() -> None:
    x = integers(64, np.int16)
    _, out = run(counted, x, np.zeros(3, np.int64), B=64, levels=False)
    np.testing.assert_array_equal(out, [(x > 0).sum(), x.sum(dtype=np.int64), x.cumsum(dtype=np.int64).max()])


@nki_mlir.jit
def multiples(x, out, STEP: tl.constexpr, B: tl.constexpr):
    at = tl.arange(0, B)
    tl.store(out + at, at * STEP + tl.load(x + at))


@pytest.mark.parametrize("step", [2**31, 3 * 2**30, -(2**32) - 7])
def test_multiples_of_positions_wrap_beside_narrower_numbers(step: int) -> None:
    x = integers(64, np.int32)
    _, out = run(multiples, x, np.zeros(64, np.int32), STEP=step, B=64)
    np.testing.assert_array_equal(out, (np.arange(64) * step + x).astype(np.int32))


@nki_mlir.jit
def narrowed(x, rows, out, CASE: tl.constexpr, B: tl.constexpr):
    """A loaded int64 number as one of 32 bits, which it need not fit."""
    at = tl.arange(0, B)
    wide = tl.load(x + at)
    a = wide.to(tl.int32)
    if CASE == "sum":
        tl.store(out, tl.sum(a))
    elif CASE == "most":
        tl.store(out, tl.max(a))
    elif CASE == "cumsum":
        tl.store(out + at, tl.cumsum(a))
    elif CASE == "quotient":
        tl.store(out + at, a // 3)
    elif CASE == "fits":
        tl.store(out + at, a == wide)
    elif CASE == "carried":
        total = tl.zeros((B,), tl.int32)
        for _ in range(3):
            total += tl.load(x + at).to(tl.int32)
        tl.store(out + at, total)
    else:
        tl.store(out + at, tl.load(rows + (a & 15)))


NARROWED = ["sum", "most", "cumsum", "quotient", "fits", "carried", "row"]


@pytest.mark.parametrize("case", NARROWED)
def test_a_conversion_to_32_bits_drops_the_others(case: str) -> None:
    x, rows = words(64), integers(16, np.int32)
    *_, out = run(narrowed, x, rows, np.zeros(64, np.int32), CASE=case, B=64)
    a = x.astype(np.int32)
    with np.errstate(over="ignore"):
        expected = {
            "sum": np.append(a.sum(dtype=np.int32), np.zeros(63, np.int32)),
            "most": np.append(a.max(), np.zeros(63, np.int32)),
            "cumsum": a.cumsum(dtype=np.int32),
            "quotient": np.trunc(a / 3).astype(np.int32),
            "fits": a == x,
            "carried": a * np.int32(3),
            "row": rows[a & 15],
        }
    np.testing.assert_array_equal(out, expected[case])
