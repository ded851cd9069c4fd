"""Integers: every operator wraps around, compares and reduces exactly, for every type of 8 to 32 bits."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

N = 256
TYPES = [np.dtype(t) for t in ("int8", "uint8", "int16", "uint16", "int32", "uint32")]


def seen(dtype: np.dtype[Any]) -> bool:
    """Types whose kernels are checked level by level; the others end where these do."""
    return dtype in (np.int8, np.uint32)


@nki_mlir.jit
def two(x, y, out, OP: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    a, b = tl.load(x + at), tl.load(y + at)
    if OP == "+":
        r = a + b
    elif OP == "-":
        r = a - b
    elif OP == "*":
        r = a * b
    elif OP == "&":
        r = a & b
    elif OP == "|":
        r = a | b
    elif OP == "^":
        r = a ^ b
    elif OP == "max":
        r = tl.maximum(a, b)
    elif OP == "min":
        r = tl.minimum(a, b)
    elif OP == "<<":
        r = a << b
    else:
        r = a >> b
    tl.store(out + at, r)


TWO: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "max": np.maximum,
    "min": np.minimum,
    "<<": operator.lshift,
    ">>": operator.rshift,
}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("symbol", TWO)
def test_two_tensors(symbol: str, dtype: np.dtype[Any]) -> None:
    x, y = integers(N, dtype), integers(N, dtype, 1)
    if symbol in ("<<", ">>"):
        y = integers(N, dtype, 1, 0, 8 * dtype.itemsize - 1)
    *_, out = run(two, x, y, np.zeros_like(x), OP=symbol, N=N, levels=seen(dtype))
    np.testing.assert_array_equal(out, TWO[symbol](x, y))


@nki_mlir.jit
def with_constant(x, out, OP: tl.constexpr, C: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    a = tl.load(x + at)
    if OP == "+":
        r = a + C
    elif OP == "-":
        r = C - a
    elif OP == "*":
        r = a * C
    elif OP == "&":
        r = a & C
    elif OP == "|":
        r = C | a
    elif OP == "^":
        r = a ^ C
    elif OP == "max":
        r = tl.maximum(a, C)
    elif OP == "min":
        r = tl.minimum(C, a)
    elif OP == "<<":
        r = a << C
    else:
        r = a >> C
    tl.store(out + at, r)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("symbol", TWO)
def test_tensor_and_constant(symbol: str, dtype: np.dtype[Any]) -> None:
    x, most = integers(N, dtype), np.iinfo(dtype).max
    for constant in (4,) if symbol in ("<<", ">>") else (15, int(most), int(most) // 3):
        c = np.asarray(constant, dtype)
        expected = TWO[symbol](c, x) if symbol == "-" else TWO[symbol](x, c)
        *_, out = run(with_constant, x, np.zeros_like(x), OP=symbol, C=constant, N=N, levels=seen(dtype))
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("symbol", ["+", "-", "*", "&", "^"])
def test_negative_constants(symbol: str, dtype: np.dtype[Any]) -> None:
    x = integers(N, dtype)
    c = np.asarray(-3).astype(dtype)
    *_, out = run(with_constant, x, np.zeros_like(x), OP=symbol, C=-3, N=N, levels=seen(dtype))
    np.testing.assert_array_equal(out, TWO[symbol](c, x) if symbol == "-" else TWO[symbol](x, c))


@nki_mlir.jit
def unary(x, out, OP: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    a = tl.load(x + at)
    if OP == "~":
        r = ~a
    elif OP == "-":
        r = -a
    else:
        r = tl.abs(a)
    tl.store(out + at, r)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("symbol", ["~", "-", "abs"])
def test_one_tensor(symbol: str, dtype: np.dtype[Any]) -> None:
    x = integers(N, dtype)
    *_, out = run(unary, x, np.zeros_like(x), OP=symbol, N=N, levels=seen(dtype))
    np.testing.assert_array_equal(out, {"~": np.invert, "-": np.negative, "abs": np.abs}[symbol](x))


@nki_mlir.jit
def compared(x, y, out, OP: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
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
    tl.store(out + at, tl.where(r, 1.0, -1.0))


COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("symbol", COMPARED)
def test_comparisons_tell_neighbours_apart(symbol: str, dtype: np.dtype[Any]) -> None:
    x = integers(N, dtype)
    y = np.where(np.arange(N) % 2, integers(N, dtype, 1), x + integers(N, dtype, 2, 0, 1)).astype(dtype)
    *_, out = run(compared, x, y, np.zeros(N, np.float32), OP=symbol, N=N, levels=seen(dtype))
    np.testing.assert_array_equal(out, np.where(COMPARED[symbol](x, y), 1.0, -1.0))


@nki_mlir.jit
def reduced(x, out, OP: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    rows, columns = tl.arange(0, M), tl.arange(0, N)
    a = tl.load(x + rows[:, None] * N + columns[None, :])
    if OP == "sum":
        r = tl.sum(a, axis=1)
    elif OP == "max":
        r = tl.max(a, axis=1)
    else:
        r = tl.min(a, axis=1)
    tl.store(out + rows, r)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("kind", ["sum", "max", "min"])
@pytest.mark.parametrize("shape", [(4, 64), (256, 8), (2, 1)], ids=str)
def test_reductions_along_rows(shape: tuple[int, int], kind: str, dtype: np.dtype[Any]) -> None:
    x = integers(shape, dtype)
    wide = dtype if dtype.itemsize == 4 else np.dtype(np.int32)
    expected = getattr(x.astype(wide), kind)(axis=1, **({"dtype": wide} if kind == "sum" else {}))
    *_, out = run(reduced, x, np.zeros(shape[0], wide), OP=kind, M=shape[0], N=shape[1], levels=seen(dtype))
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def scalar_reduced(x, out, n, N: tl.constexpr):
    at = tl.arange(0, N)
    a = tl.load(x + at, mask=at < n, other=0)
    tl.store(out, tl.sum(a))
    tl.store(out + 1, tl.max(a))
    tl.store(out + 2, tl.min(a, axis=0))
    tl.store(out + 3, tl.sum(a) + tl.max(a))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("n", [1, 100, 128])
def test_reductions_to_scalars(n: int, dtype: np.dtype[Any]) -> None:
    x = integers(n, dtype)
    wide = dtype if dtype.itemsize == 4 else np.dtype(np.int32)
    padded = np.pad(x, (0, 128 - n)).astype(wide)
    total, most = padded.sum(dtype=wide, keepdims=True), padded.max(keepdims=True)
    *_, out = run(scalar_reduced, x, np.zeros(4, wide), n, N=128, levels=seen(dtype))
    np.testing.assert_array_equal(out, np.concatenate([total, most, padded.min(keepdims=True), total + most]))


@nki_mlir.jit
def cast(x, out, N: tl.constexpr):
    at = tl.arange(0, N)
    tl.store(out + at, tl.load(x + at).to(out.dtype.element_ty))


@pytest.mark.parametrize("to", TYPES, ids=str)
@pytest.mark.parametrize("source", TYPES, ids=str)
def test_conversions_wrap(source: np.dtype[Any], to: np.dtype[Any]) -> None:
    x = integers(N, source)
    *_, out = run(cast, x, np.zeros(N, to), N=N, levels=seen(source) and seen(to))
    np.testing.assert_array_equal(out, x.astype(to))


@nki_mlir.jit
def indices(out, START: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    tl.store(out + at, at + START)


@pytest.mark.parametrize("start", [0, 100, -3])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_indices_stored_as_integers(dtype: np.dtype[Any], start: int) -> None:
    (out,) = run(indices, np.zeros(64, dtype), START=start, N=64, levels=seen(dtype))
    np.testing.assert_array_equal(out, (np.arange(64) + start).astype(dtype))


@nki_mlir.jit
def masked(x, out, n, OTHER: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    tl.store(out + at, tl.load(x + at, mask=at < n, other=OTHER))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("other", [0, 7, 3.0])
def test_other_of_integers(dtype: np.dtype[Any], other: float) -> None:
    x = integers(50, dtype)
    *_, out = run(masked, x, np.zeros(64, dtype), 50, OTHER=other, N=64, levels=seen(dtype))
    np.testing.assert_array_equal(out, np.pad(x, (0, 14), constant_values=int(other)))


@pytest.mark.parametrize("other", [-float("inf"), float("inf"), float("nan")])
def test_other_that_no_integer_is(other: float) -> None:
    error = refused(masked, integers(50, np.int32), np.zeros(64, np.int32), 50, OTHER=other, N=64)
    assert "other=" in error.message and "int32" in error.message and error.line is not None


@pytest.mark.parametrize(("constant", "dtype"), [(300, np.int8), (300, np.uint8), (-200, np.uint8), (2**31, np.int32)])
def test_constants_out_of_range(constant: int, dtype: Any) -> None:
    x = integers(N, dtype)
    assert "out of range" in refused(with_constant, x, np.zeros_like(x), OP="&", C=constant, N=N).message


def test_shift_by_more_than_the_type_has_bits() -> None:
    x = integers(N, np.int8)
    assert "must be 0..7" in refused(with_constant, x, np.zeros_like(x), OP="<<", C=8, N=N).message


@nki_mlir.jit
def unpack(packed, scale, out, N: tl.constexpr):
    """Two 4-bit numbers of each byte."""
    at = tl.arange(0, N)
    byte = tl.load(packed + at)
    low, high = (byte & 15).to(tl.float32), (byte >> 4).to(tl.float32)
    s = tl.load(scale)
    tl.store(out + at, (low - 8.0) * s)
    tl.store(out + N + at, (high - 8.0) * s)


def test_unpacking_of_nibbles() -> None:
    packed, scale = integers(N, np.uint8), floats(1)
    *_, out = run(unpack, packed, scale, np.zeros(2 * N, np.float32), N=N)
    both = np.concatenate([packed & 15, packed >> 4]).astype(np.float32)
    np.testing.assert_array_equal(out, (both - 8) * scale[0])


@nki_mlir.jit
def counted(x, out, STEPS: tl.constexpr, N: tl.constexpr):
    """A sum of integers that a loop carries."""
    at = tl.arange(0, N)
    count = 0
    total = tl.zeros((N,), tl.int32)
    for i in range(STEPS):
        a = tl.load(x + i * N + at)
        total += a
        count += tl.sum((a > 0).to(tl.int32))
    tl.store(out + at, total)
    tl.store(out + N, count)


def test_integers_carried_by_a_loop() -> None:
    x = integers(5 * 64, np.int32)
    *_, out = run(counted, x, np.zeros(65, np.int32), STEPS=5, N=64)
    np.testing.assert_array_equal(out[:64], x.reshape(5, 64).sum(0, dtype=np.int32))
    assert out[64] == (x > 0).sum()
