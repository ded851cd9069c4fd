"""Arguments that kernels may be given: truth values, arrays without dimensions, None; and what kernels ask of them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, refused, run

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl

N = 32


def truths(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(N) < 0.5


@nki_mlir.jit
def bits(x, m, y, z, n, N: tl.constexpr):
    """Truth values as masks, as numbers, and as results."""
    c = tl.arange(0, N)
    tl.static_assert(m.dtype.element_ty == tl.int1)
    flags = tl.load(m + c, mask=c < n, other=True)
    v = tl.load(x + c, mask=flags, other=-1.0)
    tl.store(y + c, (v > 0) & flags)
    tl.store(z + c, tl.load(m + c, mask=c < 3).to(tl.float32) + tl.sum(flags.to(tl.int32)))


def test_arrays_of_truth_values() -> None:
    x, m = floats(N), truths()
    *_, y, z = run(bits, x, m, truths(1), np.zeros(N, np.float32), 20, N=N)
    flags = m | (np.arange(N) >= 20)
    np.testing.assert_array_equal(y, (np.where(flags, x, -1) > 0) & flags)
    np.testing.assert_array_equal(z, (m & (np.arange(N) < 3)) + np.float32(flags.sum()))
    assert y.dtype == bool


@nki_mlir.jit
def named(m, index, y, N: tl.constexpr):
    """Truth values that an index names, one alone, and those of which some stay as they were."""
    c = tl.arange(0, N)
    tl.store(y + c, tl.load(m + tl.load(index + c)) ^ tl.load(m), mask=c != 5)


def test_gathered_truth_values() -> None:
    m, index, before = truths(), np.random.default_rng(3).permutation(N).astype(np.int32), truths(1)
    *_, y = run(named, m, index, before, N=N)
    wanted = m[index] ^ m[0]
    wanted[5] = before[5]
    np.testing.assert_array_equal(y, wanted)


@nki.jit
def positive(x):
    y = nl.ndarray(x.shape, dtype=nl.bool_, buffer=nl.shared_hbm)
    nl.store(y, nl.load(x) > 0)
    return y


def test_nki_returns_truth_values() -> None:
    x = floats(16, N)
    y = positive(x)
    assert y.dtype == bool
    np.testing.assert_array_equal(y, x > 0)


@nki_mlir.jit
def scaled(x, factor, y, N: tl.constexpr):
    c = tl.arange(0, N)
    tl.store(y + c, tl.load(x + c) * tl.load(factor))
    tl.store(factor, 2.0)


def test_an_array_without_dimensions_is_one_element() -> None:
    x, factor, y = floats(N), np.array(3.0, np.float32), np.zeros(N, np.float32)
    scaled[(1,)](x, factor, y, N=N)
    np.testing.assert_array_equal(y, x * np.float32(3))
    assert factor == 2.0


@nki.jit
def doubled(x):
    return x


def test_nki_has_none_without_dimensions() -> None:
    assert "argument 'x' has no dimensions" in refused(doubled, np.array(3.0, np.float32), grid=()).message


@nki_mlir.jit
def optional(x, w, y, N: tl.constexpr):
    c = tl.arange(0, N)
    v = tl.load(x + c)
    if w:
        v += tl.load(w + c)
    if not w or w is None or w == None:  # noqa: E711
        v = -v
    v = v * 2 if w and N > 8 else v
    assert w != None or N == 32  # noqa: E711
    tl.store(y + c, v)


@pytest.mark.parametrize("given", [True, False])
def test_a_pointer_is_given_or_not(given: bool) -> None:
    x, w, y = floats(N), floats(N, seed=1), np.zeros(N, np.float32)
    optional[(1,)](x, w if given else None, y, N=N)
    np.testing.assert_array_equal(y, (x + w) * 2 if given else -x)


@nki_mlir.jit
def asks(x, y, KIND: tl.constexpr, SIZE: tl.constexpr, N: tl.constexpr):
    c = tl.arange(0, N)
    kind = KIND.value
    tl.static_assert(x.dtype.element_ty == kind and SIZE.value == kind.primitive_bitwidth)
    tl.static_assert(kind.itemsize * 8 == SIZE and kind.int_bitwidth == SIZE and not kind.is_block())
    tl.static_assert(not kind.is_void() and not kind.is_ptr())
    tl.static_assert(kind.is_floating() == kind.is_standard_floating())
    tl.static_assert(tl.core.constexpr(SIZE).value == SIZE and tl.core.float32 == tl.float32)
    integers = tl.core.get_int_dtype(SIZE, True)
    tl.static_assert(integers.is_int_signed() and integers.primitive_bitwidth == SIZE)
    v = tl.load(x + c)
    tl.static_assert(v.dtype == kind and v.type.scalar == kind)
    if v.dtype.is_int64():
        v = v.to(tl.int32)
    tl.store(y + c, v.to(tl.float32))


KINDS: list[tuple[Any, Any]] = [
    (tl.float32, np.float32),
    (tl.bfloat16, ml_dtypes.bfloat16),
    (tl.int8, np.int8),
    (tl.int64, np.int64),
]


@pytest.mark.parametrize(("kind", "dtype"), KINDS, ids=lambda one: str(one))
def test_what_kernels_ask_of_types(kind: Any, dtype: Any) -> None:
    x = (floats(N) * 100).astype(dtype)
    *_, y = run(asks, x, np.zeros(N, np.float32), KIND=kind, SIZE=kind.primitive_bitwidth, N=N, levels=False)
    np.testing.assert_array_equal(y, x.astype(np.float32))


def test_every_question_of_a_type() -> None:
    asked = [name for name in dir(tl.float32) if name.startswith("is_")]
    true = {str(kind): {name for name in asked if getattr(kind, name)()} for kind, _ in KINDS}
    floating = {"is_floating", "is_standard_floating"}
    signed = {"is_int", "is_int_signed"}
    assert true == {
        "float32": floating | {"is_fp32"},
        "bfloat16": floating | {"is_bf16"},
        "int8": signed | {"is_int8"},
        "int64": signed | {"is_int64"},
    }
    assert tl.float8e5.is_fp8e5() and tl.float8e5.is_fp8() and tl.int1.is_int1() and tl.uint32.is_uint32()
    assert tl.core.get_int_dtype(16, False) is tl.uint16
    with pytest.raises(nki_mlir.CompileError, match="there is no integer type of 12 bits"):
        tl.core.get_int_dtype(12, True)
