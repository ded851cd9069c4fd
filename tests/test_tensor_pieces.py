"""Slices of tensors and tensors one behind the other, at every level and against NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import test_shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.builder import Kernel, Value
from reference.levels import check_levels
from test_shapes import numbers, row_major
from xdsl.dialects.builtin import TensorType, f32, i32, i64
from xdsl.utils.test_value import create_ssa_value

from nki_mlir.dialects import tile
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.passes.pipelines import set_target
from nki_mlir.passes.place_pieces import slicings

Shape = tuple[int, ...]
Array = np.ndarray[Any, np.dtype[Any]]
BF16 = ml_dtypes.bfloat16
ELEMENTS = {**test_shapes.ELEMENTS, "int64": i64}

targets = pytest.mark.parametrize("target", ["trn1", "trn2"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, BF16], ids=lambda t: np.dtype(t).name)


def computed(inputs: Sequence[Array], body: Callable[..., Value], like: Array, target: str = "trn2") -> Array:
    """What a kernel stores that makes a tensor of its inputs, loaded whole."""
    k = Kernel((1,), [(ELEMENTS[x.dtype.name], x.shape) for x in (*inputs, like)])
    *sources, out = k.args
    zero = k.index(0)
    loaded = [k.read(m, zero, row_major(x.shape), x.shape) for m, x in zip(sources, inputs, strict=True)]
    k.write(body(*loaded), out, zero, row_major(like.shape))
    module = k.module()
    set_target(module, target)
    return check_levels(module, [*inputs, np.zeros_like(like)], rtol=1e-5, atol=1e-5, seeds=(1,))[-1]


def sliced(x: Array, axis: int, at: int, size: int) -> Array:
    return x.take(range(at, at + size), axis)


SLICES: list[tuple[Shape, int, int, int]] = [
    ((512, 3), 0, 128, 128),
    ((512, 3), 0, 128, 256),
    ((300, 4), 0, 128, 172),
    ((300, 4), 0, 37, 61),
    ((300, 4), 1, 1, 2),
    ((64, 512), 1, 100, 130),
    ((256,), 0, 64, 32),
    ((300,), 0, 100, 100),
    ((7,), 0, 2, 3),
    ((4, 128, 5), 0, 2, 1),
    ((4, 128, 5), 1, 3, 100),
    ((4, 6, 5), 2, 4, 1),
]


@targets
@dtypes
@pytest.mark.parametrize(("shape", "axis", "at", "size"), SLICES, ids=str)
def test_a_slice(shape: Shape, axis: int, at: int, size: int, dtype: Any, target: str) -> None:
    x = numbers(shape, dtype)
    expected = sliced(x + dtype(1), axis, at, size) + dtype(2)
    got = computed([x], lambda v: (v + 1.0).slice(axis, at, size) + 2.0, expected, target)
    np.testing.assert_array_equal(got, expected)


def test_what_is_cut_is_longer_where_it_lies() -> None:
    """A slice may lie as anything that takes it wants it, if what it is of has the dimension free."""
    wanted = Layout.of((4, 64, 5), [Factor(1, 64)], [Factor(2, 5), Factor(0, 4)])
    longer = Layout.of((10, 64, 5), [Factor(1, 64)], [Factor(2, 5), Factor(0, 10)])
    op = tile.SliceOp(create_ssa_value(TensorType(f32, (10, 64, 5))), 0, 3, 4)
    assert {source: piece.layout for source, piece in slicings(op, [wanted], [], 128)}[longer] == wanted


PARTS: list[tuple[list[Shape], int]] = [
    ([(128,), (128,), (128,)], 0),
    ([(128, 3), (256, 3)], 0),
    ([(100, 3), (33, 3), (1, 3)], 0),
    ([(64, 7), (64, 1), (64, 30)], 1),
    ([(7,)], 0),
    ([(5,), (6,)], 0),
    ([(4, 128, 2), (1, 128, 2)], 0),
    ([(2, 100, 3), (2, 29, 3)], 1),
]


@targets
@dtypes
@pytest.mark.parametrize(("shapes", "axis"), PARTS, ids=str)
def test_a_concatenation(shapes: list[Shape], axis: int, dtype: Any, target: str) -> None:
    xs = [numbers(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    expected = np.concatenate([x + dtype(1) for x in xs], axis) + dtype(2)
    got = computed(xs, lambda v, *w: (v + 1.0).concat(axis, *(x + 1.0 for x in w)) + 2.0, expected, target)
    np.testing.assert_array_equal(got, expected)


@dtypes
def test_parts_that_are_read_elsewhere(dtype: Any) -> None:
    """One part is there twice, one is a number, one is what was loaded."""
    x = numbers((128, 5), dtype)
    two = np.full_like(x, 2)
    expected = np.concatenate([x + x, x, two, x + x], 0) + np.tile(x + x, (4, 1))

    def body(v: Value) -> Value:
        double = v + v
        parts = double.concat(0, v, v.kernel.full((128, 5), 2.0, v.element), double)
        return parts + double.concat(0, double, double, double)

    np.testing.assert_array_equal(computed([x], body, expected), expected)


@targets
def test_parts_that_loops_make(target: str) -> None:
    x = numbers((256, 6), np.float32)
    expected = np.concatenate([x[:128] * 4, x[128:] * 8], 0)

    def body(v: Value) -> Value:
        def doubled(piece: Value, times: int) -> Value:
            return v.kernel.loop(0, times, 1, [piece], lambda _, p: [p + p])[0]

        return doubled(v.slice(0, 0, 128), 2).concat(0, doubled(v.slice(0, 128, 128), 3))

    np.testing.assert_array_equal(computed([x], body, expected, target), expected)


@targets
@dtypes
@pytest.mark.parametrize("rows", [128, 96, 40])
def test_slices_that_are_multiplied(rows: int, dtype: Any, target: str) -> None:
    """Rows of both operands, block by block, and the products one behind the other."""
    a, b = numbers((3 * rows, 32), dtype), numbers((32, 3 * rows), dtype, 1)
    wide = [x.astype(np.float32) for x in (a, b)]
    expected = np.concatenate([wide[0][n * rows :][:rows] @ wide[1][:, n * rows :][:, :rows] for n in (2, 0, 1)], 0)

    def body(v: Value, w: Value) -> Value:
        blocks = [v.kernel.dot(v.slice(0, n * rows, rows), w.slice(1, n * rows, rows)) for n in (2, 0, 1)]
        return blocks[0].concat(0, *blocks[1:])

    np.testing.assert_allclose(computed([a, b], body, expected, target), expected, rtol=1e-4, atol=1e-4)


def test_pieces_of_words() -> None:
    x = np.random.default_rng(5).integers(-(2**62), 2**62, 40)
    expected = np.concatenate([x[30:], x, x[3:10]])
    got = computed([x], lambda v: v.slice(0, 30, 10).concat(0, v, v.slice(0, 3, 7)), expected)
    np.testing.assert_array_equal(got, expected)


def test_pieces_of_indices_and_masks() -> None:
    """Those that are counted, and remainders; masks of both."""
    x = numbers((32,), np.float32)
    n = np.arange(64)
    some = np.where(np.concatenate([n[40:56] < 50, (n % 5 < 2)[3:19]]), x, 0)
    expected = some + np.concatenate([n[7:23], (n % 5)[:16]]).astype(np.float32)

    def body(v: Value) -> Value:
        k = v.kernel
        count = k.arange(64)
        rest = count % k.full((64,), 5, count.element)
        low, small = (k.compare("lt", one, k.full((64,), most, one.element)) for one, most in ((count, 50), (rest, 2)))
        kept = k.where(low.slice(0, 40, 16).concat(0, small.slice(0, 3, 16)), v, 0.0)
        return kept + count.slice(0, 7, 16).concat(0, rest.slice(0, 0, 16)).to(i32).to(f32)

    np.testing.assert_array_equal(computed([x], body, expected), expected)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("programs", [6, 130])
def test_pieces_of_what_programs_load(programs: int, axis: int) -> None:
    """Programs run together; one part is the same in all of them."""
    shape, cut = (8, 12), 5 + axis
    x, w = numbers((programs, *shape), np.float32), numbers(shape, np.float32, 1)
    many = np.broadcast_to(w, x.shape)
    expected = np.concatenate([sliced(x, axis + 1, 1, cut), sliced(many, axis + 1, 2, 3)], axis + 1)
    k = Kernel((programs,), [(f32, v.shape) for v in (x, w, expected)])
    source, common, out = k.args
    pid, zero, size = k.program_id(), k.index(0), expected[0].size
    v = k.read(source, pid * k.index(96), row_major(shape), shape)
    u = k.read(common, zero, row_major(shape), shape)
    k.write(
        v.slice(axis, 1, cut).concat(axis, u.slice(axis, 2, 3)), out, pid * k.index(size), row_major(expected[0].shape)
    )
    (*_, got) = check_levels(k.module(), [x, w, np.zeros_like(expected)], seeds=(1,))
    np.testing.assert_array_equal(got, expected)


SIZES = st.sampled_from([1, 2, 3, 5, 32, 64, 128, 130])


@settings(max_examples=25)
@given(st.data())
def test_pieces_of_any_shape(data: st.DataObject) -> None:
    """A dimension is cut at some places, and what is between them put together again in another order."""
    rank = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(SIZES if dim < 2 else st.integers(1, 4)) for dim in range(rank))
    shape = shape if len(shape) < 2 or shape[0] * shape[1] < 5000 else (3, *shape[1:])
    axis = data.draw(st.integers(0, rank - 1))
    cuts = data.draw(st.lists(st.integers(0, shape[axis]), max_size=2))
    ends = sorted({0, *cuts, shape[axis]})
    pieces = data.draw(st.permutations(list(pairwise(ends))))
    x = numbers(shape, np.float32)
    expected = np.concatenate(
        [sliced(x, axis, low, high - low) + np.float32(n) for n, (low, high) in enumerate(pieces)], axis
    )

    def body(v: Value) -> Value:
        parts = [v.slice(axis, low, high - low) + float(n) for n, (low, high) in enumerate(pieces)]
        return parts[0].concat(axis, *parts[1:])

    np.testing.assert_array_equal(computed([x], body, expected), expected)
