"""Kernels of odd shapes, whose tiles lie in every kind of layout, from `tile` to results, against NumPy; and converts
between any two layouts, byte for byte."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference.builder import Kernel, Value
from reference.elements import storage
from xdsl.dialects.builtin import IntegerType, Signedness, bf16, f16, f32, i8, i32
from xdsl.ir import Attribute

from nki_mlir import CompileError, parse, pipeline
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import strided
from nki_mlir.dialects.layout import Factor, Layout, replica, unused
from nki_mlir.executor import execute

u8 = IntegerType(8, Signedness.UNSIGNED)
u32 = IntegerType(32, Signedness.UNSIGNED)
SIZES = (1, 2, 3, 127, 128, 129, 131, 257, 1021)
Array = NDArray[Any]
Shape = tuple[int, ...]


def data(shape: Sequence[int], element: Attribute = f32, seed: int = 0) -> Array:
    """Random numbers of an element type; integers that have no more than its bits."""
    rng = np.random.default_rng([seed, *shape])
    type_ = storage(element)
    if type_.kind in "iu":
        info = np.iinfo(type_)
        return rng.integers(info.min, info.max, shape, type_, endpoint=True)
    return rng.standard_normal(shape).astype(np.float32).astype(type_)


def strides(shape: Sequence[int]) -> Shape:
    return tuple(math.prod(shape[d + 1 :]) for d in range(len(shape)))


def run(
    build: Callable[..., Value | Sequence[Value]],
    inputs: Sequence[Array],
    outputs: Sequence[tuple[Shape, Attribute]],
    elements: Sequence[Attribute] | None = None,
    store_strides: Sequence[Shape] = (),
) -> list[Array]:
    """`build(kernel, *tiles)` gives the tiles to store, from the inputs as whole tiles. Runs with all checks, under two
    timings, which must give the same."""
    types = list(elements or [f32] * len(inputs))
    k = Kernel((1,), [*((t, a.shape) for t, a in zip(types, inputs, strict=True)), *((t, s) for s, t in outputs)])
    zero = k.index(0)
    memory = k.args
    loaded = [k.read(m, zero, strides(a.shape), a.shape) for m, a in zip(memory, inputs, strict=False)]
    made = build(k, *loaded)
    results = [made] if isinstance(made, Value) else list(made)
    for number, (value, to, (shape, _)) in enumerate(zip(results, memory[len(inputs) :], outputs, strict=True)):
        k.write(value, to, zero, store_strides[number] if store_strides else strides(shape))
    lowered = pipeline("lower-to-isa", target="trn1")(k.module())
    runs = []
    for seed in (None, 1):
        got = [np.zeros(shape, storage(t)) for shape, t in outputs]
        execute(lowered, [*(a.copy() for a in inputs), *got], seed=seed)
        runs.append(got)
    for first, second in zip(*runs, strict=True):
        assert first.tobytes() == second.tobytes()
    return runs[0]


def close(got: Array, expected: Array, relative: float = 2e-6) -> None:
    """Equal but for the order of sums in fp32, measured by the largest number."""
    wide = expected.astype(np.float64)
    limit = relative * max(1.0, float(np.abs(wide).max(initial=0.0)))
    assert np.abs(got.astype(np.float64) - wide).max(initial=0.0) <= limit


# Sizes.
@pytest.mark.parametrize("size", SIZES)
def test_a_vector(size: int) -> None:
    x = data((size,))
    (out,) = run(lambda k, x: x * x + 1.0, [x], [((size,), f32)])
    np.testing.assert_array_equal(out, x * x + np.float32(1))


SHAPES = [(n, 5) for n in SIZES] + [(3, n) for n in SIZES] + [(131, 257), (257, 131), (129, 127), (1021, 33)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_and_columns(shape: Shape) -> None:
    """Both sums of one tile, a computed row and a computed column on all of it, and the tile turned."""
    x, row, column = data(shape), data((shape[1],), seed=1), data((shape[0],), seed=2)

    def build(k: Kernel, x: Value, row: Value, column: Value) -> list[Value]:
        spread = (x + (row * row).row()) * (column - 2.0).column()
        return [spread, x.reduce("sum", 0), x.reduce("max", 1), x.T]

    turned = (shape[1], shape[0])
    outputs = [(shape, f32), (shape[1:], f32), (shape[:1], f32), (turned, f32)]
    spread, below, beside, other = run(build, [x, row, column], outputs)
    close(spread, (x + (row * row)[None, :]) * (column - 2)[:, None])
    close(below, x.sum(axis=0))
    np.testing.assert_array_equal(beside, x.max(axis=1))
    np.testing.assert_array_equal(other, x.T)


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (131, 70), (70, 131), (257, 200)], ids=str)
def test_what_is_reduced_is_taken_from_all(shape: Shape, axis: int, kind: str) -> None:
    """`x - reduce(x)`: the reduced row or column goes back over the partitions."""
    x = data(shape)
    (out,) = run(lambda k, x: x - x.reduce(kind, axis, keep=True), [x], [(shape, f32)])
    close(out, x - getattr(np, {"sum": "sum", "max": "max", "min": "min"}[kind])(x, axis=axis, keepdims=True))


@pytest.mark.parametrize("size", [1, 3, 131, 257, 1021])
def test_everything_reduced(size: int) -> None:
    x = data((size, 9))
    (out,) = run(lambda k, x: x.reduce("sum", 1).reduce("sum", 0), [x], [((), f32)])
    close(out, x.sum(dtype=np.float64), 1e-5)


@pytest.mark.parametrize("element", [bf16, f16], ids=str)
@pytest.mark.parametrize("shape", [(131, 70), (70, 131)], ids=str)
def test_half_precision(shape: Shape, element: Attribute) -> None:
    x = data(shape, element)
    (out,) = run(lambda k, x: (x + x.reduce("max", 0, keep=True)).T, [x], [((shape[1], shape[0]), element)], [element])
    wide = x.astype(np.float32)
    expected = (wide + wide.max(axis=0, keepdims=True)).astype(storage(element)).T
    np.testing.assert_array_equal(out.astype(np.float32), expected.astype(np.float32))


@pytest.mark.parametrize("element", [i8, u8, i32, u32, f32, bf16], ids=str)
@pytest.mark.parametrize("shape", [(1, 131), (131, 1), (33, 40), (129, 257)], ids=str)
def test_bits_are_turned(shape: Shape, element: Attribute) -> None:
    """What is computed in rows and in columns goes from one layout to the other, every bit of it."""
    x = data(shape, element)
    turned = (shape[1], shape[0])

    def build(k: Kernel, x: Value) -> list[Value]:
        both = x.T
        return [both, x]

    out, same = run(build, [x], [(turned, element), (shape, element)], [element])
    np.testing.assert_array_equal(out.view(np.uint8), np.ascontiguousarray(x.T).view(np.uint8))
    np.testing.assert_array_equal(same.view(np.uint8), x.view(np.uint8))


@pytest.mark.parametrize("shape", [(129, 257), (257, 129), (64, 1)], ids=str)
def test_a_transposed_store(shape: Shape) -> None:
    x = data(shape)
    (out,) = run(lambda k, x: k.unary("abs", x), [x], [((shape[1], shape[0]), f32)], store_strides=[(1, shape[0])])
    np.testing.assert_array_equal(out, np.abs(x).T)


# Truth values.
@pytest.mark.parametrize("shape", [(1, 5), (3, 257), (131, 33), (257, 130)], ids=str)
def test_masks_of_rows_columns_and_turned_data(shape: Shape) -> None:
    x, y = data(shape), data((shape[1], shape[0]), seed=1)

    def build(k: Kernel, x: Value, y: Value) -> Value:
        rows, columns = k.arange(shape[0]), k.arange(shape[1])
        inside = (rows.column() < shape[0] - 1).broadcast(shape) & (columns.row() < shape[1] // 2 + 1).broadcast(shape)
        positive = (y > 0.0).T
        return k.where(inside & positive, x, -3.0)

    (out,) = run(build, [x, y], [(shape, f32)])
    inside = (np.arange(shape[0]) < shape[0] - 1)[:, None] & (np.arange(shape[1]) < shape[1] // 2 + 1)[None, :]
    np.testing.assert_array_equal(out, np.where(inside & (y > 0).T, x, np.float32(-3)))


# Three dimensions.
def expanded(x: Value, axis: int) -> Value:
    return x.kernel.emit(tile.ExpandDimsOp(x.ssa, axis))


@pytest.mark.parametrize("shape", [(2, 3, 5), (4, 131, 6), (131, 3, 4), (3, 4, 131), (1, 257, 2)], ids=str)
def test_three_dimensions(shape: Shape) -> None:
    x, plane = data(shape), data(shape[:2], seed=1)
    names = [tuple(n for d, n in enumerate(shape) if d != axis) for axis in range(3)]

    def build(k: Kernel, x: Value, plane: Value) -> list[Value]:
        spread = k.unary("abs", x) * expanded(plane, 2).broadcast(shape)
        return [spread, *(x.reduce("sum", axis) for axis in range(3))]

    spread, *sums = run(build, [x, plane], [(shape, f32), *((name, f32) for name in names)])
    np.testing.assert_array_equal(spread, np.abs(x) * plane[:, :, None])
    for axis, found in enumerate(sums):
        close(found, x.sum(axis=axis))


# Products.
def product(k: Kernel, a: Value, b: Value) -> Value:
    return k.dot(a, b)


DOTS = [
    (1, 1, 1),
    (1, 17, 131),
    (17, 1, 200),
    (131, 17, 1),
    (131, 131, 131),
    (17, 600, 17),
    (600, 17, 257),
    (200, 257, 600),
    (257, 200, 17),
    (1, 600, 257),
]


@pytest.mark.parametrize(("m", "n", "terms"), DOTS)
def test_products(m: int, n: int, terms: int) -> None:
    a, b = data((m, terms)), data((terms, n), seed=1)
    (out,) = run(product, [a, b], [((m, n), f32)])
    close(out, a.astype(np.float64) @ b.astype(np.float64), 2e-6 * terms)


@pytest.mark.parametrize(("m", "n", "terms"), [(17, 131, 200), (131, 17, 257), (257, 600, 131)])
def test_products_of_what_was_computed(m: int, n: int, terms: int) -> None:
    """Both operands turned and computed, the result scaled by a column and reduced along both dimensions."""
    a, b, scale = data((terms, m)), data((n, terms), seed=1), data((m,), seed=2)

    def build(k: Kernel, a: Value, b: Value, scale: Value) -> list[Value]:
        made = k.dot((a * 2.0).T, (b + 1.0).T) * scale.column()
        return [made, made.reduce("sum", 0), made.reduce("max", 1)]

    out, below, beside = run(build, [a, b, scale], [((m, n), f32), ((n,), f32), ((m,), f32)])
    expected = (2 * a.astype(np.float64)).T @ (b.astype(np.float64) + 1).T * scale[:, None]
    close(out, expected, 2e-6 * terms)
    close(below, expected.sum(axis=0), 2e-6 * terms)
    close(beside, expected.max(axis=1), 2e-6 * terms)


@pytest.mark.parametrize("element", [bf16, f16], ids=str)
def test_a_product_in_half_precision(element: Attribute) -> None:
    a, b = data((131, 200), element), data((200, 17), element, 1)
    (out,) = run(product, [a, b], [((131, 17), f32)], [element, element])
    close(out, a.astype(np.float64) @ b.astype(np.float64), 1e-5)


@pytest.mark.parametrize(("m", "n", "terms"), [(131, 600, 17), (200, 17, 257), (257, 131, 131), (1, 17, 200)])
def test_products_accumulate_over_a_loop(m: int, n: int, terms: int) -> None:
    trips = 3
    a, b = data((trips, m, terms)), data((trips, terms, n), seed=1)
    k = Kernel((1,), [(f32, a.shape), (f32, b.shape), (f32, (m, n)), (f32, (m,))])
    x, y, out, sums = k.args

    def body(i: Value, acc: Value, total: Value) -> list[Value]:
        left = k.read(x, i * (m * terms), (terms, 1), (m, terms))
        right = k.read(y, i * (terms * n), (n, 1), (terms, n))
        return [acc + k.dot(left, right), total + left.reduce("sum", 1)]

    first = [k.full((m, n), 0.0, f32), k.full((m,), 0.0, f32)]
    acc, total = k.loop(0, trips, 1, first, body)
    zero = k.index(0)
    k.write(acc, out, zero, (n, 1))
    k.write(total, sums, zero, (1,))
    lowered = pipeline("lower-to-isa", target="trn1")(k.module())
    for seed in (None, 1):
        got, column = np.zeros((m, n), np.float32), np.zeros(m, np.float32)
        execute(lowered, [a, b, got, column], seed=seed)
        close(got, np.einsum("imk,ikn->mn", a.astype(np.float64), b.astype(np.float64)), 2e-6 * terms * trips)
        close(column, a.astype(np.float64).sum(axis=(0, 2)), 1e-5)


# Layouts that `place` would not choose: at `neuron.mem`.
fixed = settings(max_examples=20)


@st.composite
def layouts(draw: st.DrawFn, shape: Shape) -> Layout:
    """Any that fits on chip: digits of any size in any order, replicas and unused places between."""
    rng = random.Random(draw(st.integers(0, 2**32 - 1)))
    while True:
        factors = [f for dim, size in enumerate(shape) for f in digits(rng, dim, size)]
        factors += [rng.choice([replica, unused])(rng.choice([2, 3])) for _ in range(rng.choice([0, 0, 1, 2]))]
        rng.shuffle(factors)
        cut = rng.randint(0, len(factors))
        made = Layout.of(shape, factors[:cut], factors[cut:])
        if made.partitions <= 128 and made.elements <= 4096:
            return made


def digits(rng: random.Random, dim: int, size: int) -> list[Factor]:
    found, step = [], 1
    while step < size:
        radix = rng.choice([2, 3, 4, 5, 8, size])
        found.append(Factor(dim, radix, step))
        step *= radix
    return found


shapes = st.lists(st.integers(1, 14), min_size=1, max_size=3) | st.lists(
    st.sampled_from([17, 33, 64, 131]), min_size=1, max_size=2
)
MOVED = {
    name: np.dtype(type_)
    for name, type_ in {
        "i8": np.int8,
        "ui8": np.uint8,
        "i32": np.int32,
        "bf16": ml_dtypes.bfloat16,
        "f32": np.float32,
    }.items()
}


def tile_text(layout: Layout, element: str) -> str:
    return f"!neuron.mem.tile<sbuf, {''.join(f'{n}x' for n in layout.shape)}{element}, {layout}>"


def run_text(
    body: str, memory: Sequence[tuple[int, str]], arrays: Sequence[Array], passes: str = "", target: str = "trn1"
) -> None:
    """Runs a `neuron.mem` kernel of this body on %a0, %a1, …, of these sizes and types."""
    arguments = ", ".join(f"%a{i}: memref<{n}x{element}>" for i, (n, element) in enumerate(memory))
    module = parse(f"""
      builtin.module attributes {{neuron.target = "{target}"}} {{
        func.func @f({arguments}) {{
          %c0 = arith.constant 0 : index
          {body}
          func.return
        }}
      }}
    """)
    spec = ",".join(filter(None, [passes, "mem-to-engine", "engine-to-isa"]))
    execute(pipeline(spec)(module), list(arrays))


@fixed
@given(st.data(), st.sampled_from(["", " by dma"]), st.sampled_from(sorted(MOVED)))
def test_a_convert_between_any_two_layouts(draw: st.DataObject, way: str, element: str) -> None:
    """Every byte arrives, whichever way is chosen; what lies between holds nothing that was not written."""
    shape = tuple(draw.draw(shapes))
    have, want = draw.draw(layouts(shape)), draw.draw(layouts(shape))
    size, steps = math.prod(shape), list(strides(shape))
    x = np.random.default_rng(size).integers(0, 256, size * MOVED[element].itemsize, np.uint8).view(MOVED[element])
    out = np.zeros(size, MOVED[element])
    memory, src, dst = f"memref<{size}x{element}>", tile_text(have, element), tile_text(want, element)
    body = f"""
        %v = neuron.mem.load %a0 {strided(steps)} : {memory} -> {src}
        %u = neuron.mem.convert %v by dma : {src} -> {dst}
        %w = neuron.mem.convert %u{way} : {dst} -> {src}
        neuron.mem.store %w to %a1 {strided(steps)} : {src} -> {memory}
    """
    run_text(body, [(size, element)] * 2, [x, out], "lower-converts")
    assert out.tobytes() == x.tobytes()


REFUSED = ("the partitions do not follow one another", "padding between partitions can't be cut off")


@fixed
@given(st.data())
def test_arithmetic_in_any_layout_is_right_or_refused(draw: st.DataObject) -> None:
    shape = tuple(draw.draw(shapes))
    layout = draw.draw(layouts(shape))
    axis = draw.draw(st.integers(0, len(shape) - 1))
    size, steps = math.prod(shape), list(strides(shape))
    x = data(shape)
    out, total = np.zeros(size, np.float32), np.zeros(size // shape[axis], np.float32)
    full, memory = tile_text(layout, "f32"), f"memref<{size}xf32>"
    body = f"""
        %half = arith.constant 0.5 : f32
        %v = neuron.mem.load %a0 {strided(steps)} : {memory} -> {full}
        %w = neuron.mem.binary multiply %v, %half : {full}, f32 -> {full}
        neuron.mem.store %w to %a1 {strided(steps)} : {full} -> {memory}
    """
    arrays, sizes = [x.reshape(-1), out], [(size, "f32")] * 2
    if layout.is_free(axis):
        less = tile_text(layout.reduced(axis), "f32")
        rest = [n for d, n in enumerate(shape) if d != axis]
        body += f"""
        %s = neuron.mem.reduce sum %w axis {axis} : {full} -> {less}
        neuron.mem.store %s to %a2 {strided(strides(rest))} : {less} -> memref<{total.size}xf32>
        """
        arrays.append(total)
        sizes.append((total.size, "f32"))
    try:
        run_text(body, sizes, arrays)
    except CompileError as error:
        assert any(reason in error.message for reason in REFUSED), error.message
        return
    np.testing.assert_array_equal(out, x.reshape(-1) * np.float32(0.5))
    if layout.is_free(axis):
        close(total, (x * np.float32(0.5)).sum(axis=axis).reshape(-1))


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
@pytest.mark.parametrize(
    "free", ["[d1/4:3, d0, d1:4]", "[d1/6:2, d0:2, d1/2:3, d0/2:2, d1:2]", "[*:2, d1/4:3, d0, d1:4]"]
)
def test_a_reduction_of_several_rectangles(free: str, kind: str) -> None:
    """The ten columns are no one rectangle of their padded digits."""
    x, out = data((3, 10)), np.zeros(3, np.float32)
    layout = f"!neuron.mem.tile<sbuf, 3x10xf32, [] x {free}>"
    less = "!neuron.mem.tile<sbuf, 3xf32, [] x [d0]>"
    if free.count("d0:2"):
        less = "!neuron.mem.tile<sbuf, 3xf32, [] x [d0:2, d0/2:2]>"
    elif "*" in free:
        less = "!neuron.mem.tile<sbuf, 3xf32, [] x [*:2, d0]>"
    body = f"""
        %v = neuron.mem.load %a0 [d0 by 10, d1 by 1] : memref<30xf32> -> {layout}
        %s = neuron.mem.reduce {kind} %v axis 1 : {layout} -> {less}
        neuron.mem.store %s to %a1 [d0 by 1] : {less} -> memref<3xf32>
    """
    run_text(body, [(30, "f32"), (3, "f32")], [x.reshape(-1), out])
    close(out, getattr(x, kind)(axis=1))


def test_more_digits_than_an_access_pattern_has_dimensions() -> None:
    """Five dimensions, walked against their order: several instructions and transfers."""
    shape = (2, 3, 2, 3, 2)
    x, out = data(shape), np.zeros(shape, np.float32)
    forwards, backwards = Layout.flat(shape), Layout.of(shape, (), [Factor(d, shape[d]) for d in (4, 3, 2, 1, 0)])
    src, dst, steps = tile_text(forwards, "f32"), tile_text(backwards, "f32"), list(strides(shape))
    body = f"""
        %v = neuron.mem.load %a0 {strided(steps)} : memref<72xf32> -> {src}
        %u = neuron.mem.convert %v by copy : {src} -> {dst}
        %w = neuron.mem.binary add %u, %u : {dst}, {dst} -> {dst}
        neuron.mem.store %w to %a1 {strided(steps)} : {dst} -> memref<72xf32>
    """
    run_text(body, [(72, "f32")] * 2, [x.reshape(-1), out.reshape(-1)])
    np.testing.assert_array_equal(out, x + x)
