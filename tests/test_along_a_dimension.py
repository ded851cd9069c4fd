"""Reductions, scans and a dimension backwards, of tensors of any rank, at every level and against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats
from reference.builder import Kernel, Value
from reference.levels import check_levels
from test_shapes import ELEMENTS, numbers, row_major

Shape = tuple[int, ...]
BF16 = ml_dtypes.bfloat16


def computed(inputs: list[np.ndarray], body: Any, shape: Shape, dtype: Any, tolerance: float = 0.0) -> np.ndarray:
    """What a kernel stores that makes a tensor of its inputs, loaded whole."""
    elements = [(ELEMENTS[x.dtype.name], x.shape) for x in inputs]
    k = Kernel((1,), [*elements, (ELEMENTS[np.dtype(dtype).name], shape)])
    *sources, out = k.args
    zero = k.index(0)
    loaded = [k.read(m, zero, row_major(x.shape), x.shape) for m, x in zip(sources, inputs, strict=True)]
    k.write(body(*loaded), out, zero, row_major(shape))
    return check_levels(k.module(), [*inputs, np.zeros(shape, dtype)], rtol=tolerance, atol=tolerance, seeds=(1,))[-1]


SCANNED: list[tuple[Shape, int]] = [
    ((7,), 0),
    ((1000,), 0),
    ((131, 6), 0),
    ((131, 6), 1),
    ((3, 130, 5), 1),
    ((2, 3, 4, 5), 2),
]
SCANS = {
    "sum": np.add.accumulate,
    "product": np.multiply.accumulate,
    "max": np.maximum.accumulate,
    "min": np.minimum.accumulate,
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize(("shape", "axis"), SCANNED, ids=str)
def test_scans_of_floats(shape: Shape, axis: int, kind: str, reverse: bool) -> None:
    x = floats(*shape)
    got = computed([x], lambda v: v.scan(kind, axis, reverse=reverse), shape, np.float32, 1e-5)
    at = np.flip(x, axis) if reverse else x
    expected = SCANS[kind](at, axis=axis)
    np.testing.assert_allclose(got, np.flip(expected, axis) if reverse else expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("kind", [*SCANS, "xor", "and", "or"])
@pytest.mark.parametrize(("shape", "axis", "reverse"), [((37, 5), 0, False), ((3, 130), 1, True), ((1, 4), 0, True)])
def test_scans_of_integers(shape: Shape, axis: int, reverse: bool, kind: str, dtype: Any) -> None:
    """Exact: results wrap around."""
    x = numbers(shape, dtype)
    ufunc = {"xor": np.bitwise_xor, "and": np.bitwise_and, "or": np.bitwise_or}.get(kind)
    scan = SCANS[kind] if ufunc is None else ufunc.accumulate
    got = computed([x], lambda v: v.scan(kind, axis, reverse=reverse), shape, dtype)
    at = np.flip(x, axis) if reverse else x
    expected = scan(at, axis=axis, dtype=dtype)
    np.testing.assert_array_equal(got, np.flip(expected, axis) if reverse else expected)


def test_a_scan_of_bfloat16_rounds_each_element_once() -> None:
    x = numbers((5, 300), BF16)
    got = computed([x], lambda v: v.scan("sum", 1), (5, 300), BF16)
    np.testing.assert_array_equal(got, np.add.accumulate(x.astype(np.float32), axis=1).astype(BF16))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((64, 33), 1), ((33, 7), 0), ((5, 1), 1)])
def test_a_scaled_sum(shape: Shape, axis: int, reverse: bool) -> None:
    """`h = a * h + x`; the first of `a` has no meaning, be it infinite."""
    rng = np.random.default_rng(1)
    x, a = floats(*shape), rng.uniform(0.5, 1, shape).astype(np.float32)
    ax, aa = (np.moveaxis(v, axis, 0)[:: -1 if reverse else 1] for v in (x, a))
    aa[0] = np.inf
    got = computed([x, a], lambda v, s: v.scan("sum", axis, s, reverse), shape, np.float32, 1e-6)
    h, rows = np.zeros_like(ax[0]), []
    for value, scale in zip(ax, [np.zeros_like(aa[0]), *aa[1:]], strict=True):
        h = scale * h + value
        rows.append(h)
    expected = np.moveaxis(np.stack(rows)[:: -1 if reverse else 1], 0, axis)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, BF16], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(
    ("shape", "axis"), [((64, 33), 1), ((33, 7), 0), ((9,), 0), ((3, 130, 5), 2), ((130, 5, 3), 1)], ids=str
)
@pytest.mark.parametrize("kind", ["sum", "scaled", "product", "constant"])
def test_a_scan_goes_on_from_an_initial_element(shape: Shape, axis: int, kind: str, dtype: Any, reverse: bool) -> None:
    rng = np.random.default_rng(2)
    x, a = numbers(shape, dtype), rng.uniform(0.5, 1, shape).astype(dtype)
    if kind == "product":
        x = (a * np.sign(x.astype(np.float32))).astype(dtype)
    first = numbers((*shape[:axis], *shape[axis + 1 :]), dtype) if len(shape) > 1 else np.array([3], dtype)

    def body(v: Value, scale: Value, initial: Value) -> Value:
        start = initial if len(shape) > 1 else initial.reduce("sum", 0)
        if kind == "constant":
            start = v.kernel.constant(0.5, v.element).broadcast(start.shape)
        return v.scan(
            "product" if kind == "product" else "sum", axis, scale if kind == "scaled" else None, reverse, start
        )

    tolerance = 1e-5 if dtype is np.float32 else 2**-7
    got = computed([x, a, first], body, shape, dtype, tolerance)
    h = np.full(first.shape, 0.5, np.float32) if kind == "constant" else first.astype(np.float32)
    h = h if len(shape) > 1 else h[0]
    rows = []
    xs, scales = (np.moveaxis(v.astype(np.float32), axis, 0)[:: -1 if reverse else 1] for v in (x, a))
    for value, scale in zip(xs, scales, strict=True):
        h = h * value if kind == "product" else (scale * h if kind == "scaled" else h) + value
        rows.append(h)
    expected = np.moveaxis(np.stack(rows)[:: -1 if reverse else 1], 0, axis)
    np.testing.assert_allclose(got.astype(np.float32), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, BF16, np.int32], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shape", "axis"), [((7, 5), 1), ((131, 6), 0), ((3, 130, 5), 1), ((2, 4, 1), 2)], ids=str)
def test_the_last_place(shape: Shape, axis: int, dtype: Any) -> None:
    x = numbers(shape, dtype)
    expected = np.take(x, -1, axis)
    got = computed([x], lambda v: v.last(axis), expected.shape, dtype)
    np.testing.assert_array_equal(got, expected)


def test_the_last_place_of_what_is_read_over_and_over_and_of_a_vector() -> None:
    x = floats(6, 1)
    got = computed([x], lambda v: v.broadcast((6, 9)).scan("sum", 1).last(1), (6,), np.float32, 1e-6)
    np.testing.assert_allclose(got, 9 * x[:, 0], rtol=1e-6)
    y = floats(9)
    got = computed([y], lambda v: v + v.last(0).broadcast((9,)), (9,), np.float32)
    np.testing.assert_array_equal(got, y + y[-1])
    got = computed([x], lambda v: v.broadcast((6, 9)).last(1), (6,), np.float32)
    np.testing.assert_array_equal(got, x[:, 0])


def test_scans_keep_infinities_signs_of_zero_and_nan() -> None:
    x = np.array([[-0.0, -0.0, np.inf, 1, -np.inf], [1, np.nan, 2, -0.0, 3]], np.float32)
    for kind, scan in SCANS.items():
        got = computed([x], lambda v, kind=kind: v.scan(kind, 1), x.shape, np.float32)
        with np.errstate(invalid="ignore"):
            expected = scan(x, axis=1)
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.signbit(got[0, :2]), np.signbit(expected[0, :2]))
    lows = np.array([[np.nan, 1, np.nan, 3], [2, np.nan, 1, np.nan]], np.float32)
    got = computed([lows], lambda v: v.scan("maxnum", 1), lows.shape, np.float32)
    np.testing.assert_array_equal(got, np.fmax.accumulate(lows, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, BF16, np.int32, np.uint8], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shape", "axis"), [*SCANNED, ((1, 5), 0)], ids=str)
def test_flip(shape: Shape, axis: int, dtype: Any) -> None:
    x = numbers(shape, dtype)
    got = computed([x], lambda v: v.flip(axis), shape, dtype)
    np.testing.assert_array_equal(got, np.flip(x, axis))


def test_what_is_read_over_and_over_is_scanned_and_turned() -> None:
    x = floats(6, 1)
    expected = np.add.accumulate(np.repeat(x, 9, axis=1), axis=1)
    got = computed([x], lambda v: v.broadcast((6, 9)).scan("sum", 1), (6, 9), np.float32, 1e-6)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    got = computed([x], lambda v: (v.broadcast((6, 9)) + 1.0).reshape(54).flip(0), (54,), np.float32)
    np.testing.assert_array_equal(got, np.repeat(x + np.float32(1), 9)[::-1])


# Reductions.
REDUCTIONS = {
    "product": np.multiply.reduce,
    "and": np.bitwise_and.reduce,
    "or": np.bitwise_or.reduce,
    "xor": np.bitwise_xor.reduce,
}


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("kind", REDUCTIONS)
def test_reductions(kind: str, dtype: Any) -> None:
    if dtype is np.float32 and kind != "product":
        return
    x = numbers((130, 37), dtype)
    got = computed([x], lambda v: v.reduce(kind, 1), (130,), dtype, 1e-6 if dtype is np.float32 else 0)
    expected = REDUCTIONS[kind](x, axis=1, dtype=dtype)
    np.testing.assert_allclose(got, expected, rtol=1e-5 if dtype is np.float32 else 0)


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
@pytest.mark.parametrize("shape", [(65536,), (1, 65536), (2, 60000), (16384,), (16411,)], ids=str)
def test_long_rows(shape: Shape, kind: str) -> None:
    """A row that no partition holds, or that is sooner reduced by many; one of a prime number of elements."""
    x = floats(*shape)

    def total(v: Value) -> Value:
        for axis in reversed(range(len(shape))):
            v = v.reduce(kind, axis)
        return v.broadcast((1,))

    got = computed([x], total, (1,), np.float32, 1e-4)
    np.testing.assert_allclose(got, getattr(np, kind)(x.astype(np.float64)), rtol=1e-4, atol=1e-3)


def test_a_softmax_of_a_row_that_no_partition_holds() -> None:
    x = floats(65536)

    def softmax(v: Value) -> Value:
        powers = v.kernel.unary("exp", v - v.reduce("max", 0))
        return powers / powers.reduce("sum", 0)

    got = computed([x], softmax, x.shape, np.float32, 1e-5)
    powers = np.exp(x.astype(np.float64) - x.max())
    np.testing.assert_allclose(got, powers / powers.sum(), rtol=1e-5)


def test_integers_read_over_and_over_under_another_shape_are_reduced_and_scanned() -> None:
    """What a dimension holds is no longer at one step."""
    x = numbers((6, 1), np.int32)
    wide = np.repeat(x, 8, axis=1).reshape(48)

    def flat(v: Value) -> Value:
        return v.broadcast((6, 8)).reshape(48)

    got = computed([x], lambda v: flat(v).reduce("sum", 0).broadcast((1,)), (1,), np.int32)
    assert got[0] == wide.sum(dtype=np.int32)
    got = computed([x], lambda v: flat(v).scan("sum", 0), (48,), np.int32)
    np.testing.assert_array_equal(got, np.add.accumulate(wide, dtype=np.int32))
    got = computed([x], lambda v: flat(v).scan("max", 0, reverse=True), (48,), np.int32)
    np.testing.assert_array_equal(got, np.maximum.accumulate(wide[::-1])[::-1])
