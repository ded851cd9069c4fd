"""Coordinates of accesses as plain data, against places enumerated one by one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_layout import indices, layouts, places, visits
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue

from nki_mlir import parse
from nki_mlir.analysis.accesses import Interval, intervals, is_interval, positions
from nki_mlir.analysis.indices import NotAffine
from nki_mlir.analysis.masks import guards
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position, Scalar, guard, strided
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod
from nki_mlir.dialects.layout import LayoutError, Spot
from nki_mlir.dialects.walks import walks

quick = settings(max_examples=60)
NUMBERS = st.integers(-40, 40)
SHAPES = st.lists(st.integers(1, 6), min_size=0, max_size=3).map(tuple)


def value_of(expr: Expr, values: Callable[[object], int]) -> int:
    """An expression from its definition."""
    total = expr.const
    for term, coefficient in expr.terms:
        match term:
            case Counter(key):
                one = values(key)
            case Mod(inner, divisor):
                one = value_of(inner, values) % divisor
            case FloorDiv(inner, divisor):
                one = value_of(inner, values) // divisor
            case _:
                raise AssertionError(term)
        total += coefficient * one
    return total


def at(index: Sequence[int], others: Mapping[Any, int] | None = None) -> Callable[[object], int]:
    return lambda key: index[key.dim] if isinstance(key, Position) else (others or {})[key]


def is_within(part: Coordinate, values: Callable[[object], int]) -> bool:
    position = value_of(part.position, values)
    return (part.low is None or part.low <= position) and (part.high is None or position < part.high)


@st.composite
def affine(draw: st.DrawFn, keys: Sequence[object], constants: st.SearchStrategy[int] = NUMBERS) -> Expr:
    terms = [(Counter(key), draw(constants)) for key in keys]
    return Expr.of(draw(constants), [(term, c) for term, c in terms if c])


@st.composite
def expressions(draw: st.DrawFn, keys: Sequence[object]) -> Expr:
    """Sums that have remainders and quotients, and these again."""
    found = draw(affine(keys))
    for _ in range(draw(st.integers(0, 2))):
        inner, divisor = draw(affine(keys)), draw(st.integers(1, 9))
        part = inner.mod(divisor) if draw(st.booleans()) else inner.floordiv(divisor)
        found = (found + part * draw(NUMBERS)).mod(draw(st.integers(1, 50))) if draw(st.booleans()) else found + part
    return found


ENDS = st.none() | NUMBERS


@st.composite
def coordinates(draw: st.DrawFn, rank: int, scalars: int, tiles: Sequence[tuple[int | None, ...]]) -> Coordinates:
    """Coordinates that use all scalars and index tiles."""
    keys = [Position(dim) for dim in range(rank)]
    keys += [Scalar(number) for number in range(scalars)]
    keys += [Element(number, dims) for number, dims in enumerate(tiles)]
    parts: list[Coordinate] = []
    for _ in range(draw(st.integers(0, 3))):
        stride, low, high = draw(NUMBERS), draw(ENDS), draw(ENDS)
        if stride or low is not None or high is not None:
            parts.append(Coordinate(draw(expressions(keys)), stride, low, high))
    used = {key for part in parts for key in part.position.counters()}
    parts += [Coordinate(Expr.counter(key)) for key in keys if not isinstance(key, Position) and key not in used]
    return Coordinates(tuple(parts))


@quick
@given(st.data())
def test_strided_has_the_address_that_was_asked_for(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    strides = [data.draw(NUMBERS) for _ in shape]
    offset = data.draw(NUMBERS | affine([Scalar(0), Scalar(1)]) | expressions([Scalar(0)]))
    found = strided(strides, offset)
    wanted = offset if isinstance(offset, Expr) else Expr(offset)
    for scalars in itertools.product((-7, 0, 1, 3), repeat=2):
        values = dict(zip((Scalar(0), Scalar(1)), scalars, strict=True))
        start = value_of(wanted, at((), values))
        assert value_of(found.offset, at((), values)) == start
        for index in indices(shape):
            step = sum(i * s for i, s in zip(index, strides, strict=True))
            assert value_of(found.address, at(index, values)) == start + step
    assert found.strides(len(shape)) == tuple(strides)
    assert all(part.stride > 0 and not part.is_bounded for part in found)
    assert len(found.parts) <= sum(map(bool, strides)) + 1


@quick
@given(st.data())
def test_walks_of_a_box_visit_it_once_and_nothing_else(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    ends = tuple(data.draw(st.integers(0, n)) for n in layout.shape)
    begins = tuple(data.draw(st.integers(0, n)) for n in layout.shape)
    anywhere = data.draw(st.booleans())
    strides = [math.prod(layout.shape[d + 1 :]) for d in range(len(layout.shape))]
    memory = [Spot(d, 1, n, False, strides[d]) for d, n in enumerate(layout.shape)]
    try:
        found = walks(ends, layout.spots, memory, anywhere=anywhere, begins=begins)
    except LayoutError:
        assert not anywhere
        assume(False)
        return
    visited = [place for walk in found for place in visits(walk)]
    box = itertools.product(*(range(low, high) for low, high in zip(begins, ends, strict=True)))
    wanted = [
        (place, (0, sum(i * s for i, s in zip(index, strides, strict=True))))
        for index in box
        for place in places(layout, index)
    ]
    assert sorted(visited) == sorted(wanted)


@quick
@given(st.data())
def test_walks_of_a_box_of_two_layouts(data: st.DataObject) -> None:
    """Whatever digits the two have."""
    to = data.draw(layouts(extras=False))
    source = data.draw(layouts(to.shape, extras=False))
    ends = tuple(data.draw(st.integers(0, n)) for n in to.shape)
    begins = tuple(data.draw(st.integers(0, n)) for n in to.shape)
    found = walks(ends, to.spots, source.spots, anywhere=True, begins=begins)
    visited = [pair for walk in found for pair in visits(walk)]
    box = itertools.product(*(range(low, high) for low, high in zip(begins, ends, strict=True)))
    assert sorted(visited) == sorted((to.place(index), source.place(index)) for index in box)


@st.composite
def bounded(draw: st.DrawFn, shape: Sequence[int], keys: Sequence[object] = ()) -> Coordinate:
    """Bounds on what moves with one dimension at most."""
    dims = [Position(draw(st.integers(0, len(shape) - 1)))] if shape and draw(st.booleans()) else []
    low, high = draw(ENDS), draw(ENDS)
    return guard(draw(affine([*dims, *keys])), low, high if low is not None or high is not None else 0)


def is_inside(index: Sequence[int], found: Iterable[Interval], values: Callable[[object], int]) -> bool:
    def clamped(expr: Expr, size: int) -> int:
        return max(0, min(value_of(expr, values), size))

    return all(
        clamped(one.low.value, one.low.size)
        <= (0 if one.dim is None else index[one.dim])
        < clamped(one.high.value, one.high.size)
        for one in found
    )


@quick
@given(st.data())
def test_intervals_of_constants(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    parts = data.draw(st.lists(bounded(shape), max_size=3))
    found = intervals(Coordinates(tuple(parts)), shape)
    assert all(map(is_interval, parts)) and len(found) == len(parts)
    assert not any(edge.varies for one in found for edge in (one.low, one.high))
    for index in indices(shape):
        assert is_inside(index, found, at(index)) == all(is_within(part, at(index)) for part in parts), index


@pytest.mark.parametrize("step", [-3, -2, -1, 1, 2, 3])
def test_intervals_begin_and_end_anywhere(step: int) -> None:
    """Whether a coordinate rises or falls along the dimension."""
    size, ends = 5, (None, *range(-8, 9))
    for low, high in itertools.product(ends, ends[1:]):
        part = guard(Expr.counter(Position(0)) * step, low, high)
        found = intervals(Coordinates((part,)), (size,))
        for place in range(size):
            assert is_inside((place,), found, at((place,))) == is_within(part, at((place,))), (low, high, place)


def counter(trips: int) -> tuple[ModuleOp, SSAValue]:
    """A loop's counter, and the module, which holds it."""
    module = parse(f"""
      func.func @f() {{
        %low = arith.constant 0 : index
        %high = arith.constant {trips} : index
        %step = arith.constant 1 : index
        scf.for %i = %low to %high step %step {{ }}
        func.return
      }}
    """)
    loop = next(op for op in module.walk() if isinstance(op, ForOp))
    return module, loop.body.block.args[0]


@quick
@given(st.data())
def test_intervals_that_a_loop_counter_moves(data: st.DataObject) -> None:
    """They hold in each iteration; what an edge can be is no less than what it is."""
    shape, trips = data.draw(SHAPES), data.draw(st.integers(1, 5))
    _module, i = counter(trips)
    part = data.draw(bounded(shape, [i]))
    found = intervals(Coordinates((part,)), shape)
    for iteration in range(trips):
        for index in indices(shape):
            values = at(index, {i: iteration})
            assert is_inside(index, found, values) == is_within(part, values), (iteration, index)
        for one in found:
            for edge in (one.low, one.high):
                value = max(0, min(value_of(edge.value, at((), {i: iteration})), edge.size))
                assert edge.range[0] <= value <= edge.range[1]


@quick
@given(st.data())
def test_positions(data: st.DataObject) -> None:
    """Exact for affine coordinates, however many dimensions they move with."""
    shape, trips = data.draw(SHAPES), data.draw(st.integers(1, 4))
    _module, i = counter(trips)
    part = Coordinate(data.draw(affine([i, *(Position(dim) for dim in range(len(shape)))])))
    values = [
        value_of(part.position, at(index, {i: iteration})) for index in indices(shape) for iteration in range(trips)
    ]
    assert positions(part, shape) == (min(values), max(values))


@pytest.mark.parametrize(
    "position",
    [
        Expr.counter(Position(0)) + Expr.counter(Position(1)),
        Expr.counter(Position(0)).mod(3),
        Expr.counter(Position(0)).floordiv(3),
        Expr.counter(Element(0, (0,))),
        Expr.counter(Element(0, (0,))).mod(3),
    ],
    ids=str,
)
def test_what_is_no_interval(position: Expr) -> None:
    assert not is_interval(guard(position, 0))


def test_what_scalars_are_divided_by_is_an_interval() -> None:
    assert is_interval(guard(Expr.counter(Scalar(0)).mod(3) + Expr.counter(Position(0)), 0))


PREDICATES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


class MaskText:
    """The text of a mask over an 8 x 5 tile, and its value."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> str:
        self.lines.append(f"%v{len(self.lines)} = {line}")
        return f"%v{len(self.lines) - 1}"

    def constant(self, number: int) -> str:
        return self.add(f"arith.constant {number} : index")

    def spread(self, dim: int, coefficient: int) -> str:
        """`coefficient` times the place along a dimension, over the tile."""
        size, axis, unit = ((8, 1, "8x1"), (5, 0, "1x5"))[dim]
        count = self.add(f"tile.arange 0 to {size} : tensor<{size}xindex>")
        factor = self.add(f"tile.splat {self.constant(coefficient)} : index -> tensor<{size}xindex>")
        times = self.add(f"arith.muli {count}, {factor} : tensor<{size}xindex>")
        more = self.add(f"tile.expand_dims {times} axis {axis} : tensor<{size}xindex> -> tensor<{unit}xindex>")
        return self.add(f"tile.broadcast {more} : tensor<{unit}xindex> -> tensor<8x5xindex>")

    def compared(self, rows: int, columns: int, limit: int, predicate: str) -> str:
        left = self.add(f"arith.addi {self.spread(0, rows)}, {self.spread(1, columns)} : tensor<8x5xindex>")
        right = self.add(f"tile.splat {self.constant(limit)} : index -> tensor<8x5xindex>")
        types = "tensor<8x5xindex>, tensor<8x5xindex> -> tensor<8x5xi1>"
        return self.add(f"tile.compare {predicate} {left}, {right} : {types}")

    def both(self, a: str, b: str) -> str:
        return self.add(f"arith.andi {a}, {b} : tensor<8x5xi1>")


COMPARISONS = st.tuples(
    st.integers(-3, 3), st.integers(-3, 3), st.integers(-12, 30), st.sampled_from(sorted(PREDICATES))
)


@quick
@given(st.lists(COMPARISONS, min_size=1, max_size=3))
def test_guards_hold_where_the_mask_does(comparisons: list[tuple[int, int, int, str]]) -> None:
    text, wanted = MaskText(), np.ones((8, 5), bool)
    rows, columns = np.indices((8, 5))
    mask: str | None = None
    for a, b, limit, predicate in comparisons:
        one = text.compared(a, b, limit, predicate)
        mask = one if mask is None else text.both(mask, one)
        wanted &= PREDICATES[predicate](a * rows + b * columns, np.full((8, 5), limit))
    body = "\n".join(text.lines)
    module = parse(f'func.func @f() {{\n{body}\n"test.op"({mask}) : (tensor<8x5xi1>) -> ()\nfunc.return\n}}')
    use = next(op for op in module.walk() if op.name == "test.op")
    try:
        found = guards(use.operands[0])
    except NotAffine as error:
        assert "'!='" in str(error) and any(predicate == "ne" for *_, predicate in comparisons)
        return
    assert all(part.stride == 0 and part.is_bounded for part in found)
    got = np.array([[all(is_within(part, at((r, c))) for part in found) for c in range(5)] for r in range(8)])
    np.testing.assert_array_equal(got, wanted)
    assert len({part.position for part in found}) == len(found), "one coordinate for all bounds on one position"
    if wanted.all():
        assert not found


@quick
@given(st.data())
def test_text_says_it_all(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    tiles: list[tuple[int | None, ...]] = [
        tuple(data.draw(st.lists(st.none() | st.integers(0, len(shape) - 1), max_size=2, unique=True)) if shape else ())
        for _ in range(data.draw(st.integers(0, 2)))
    ]
    scalars = data.draw(st.integers(0, 2))
    access = data.draw(coordinates(len(shape), scalars, tiles))
    types = [typed((1 if d is None else shape[d] for d in dims), "i32") for dims in tiles]
    names = [f"%i{number}" for number in range(scalars)]
    given_tiles = [f"%t{number}" for number in range(len(tiles))]
    arguments = [
        "%x: memref<64xf32>",
        *(f"{name}: index" for name in names),
        *(f"{name}: {type_}" for name, type_ in zip(given_tiles, types, strict=True)),
    ]
    named = f"({', '.join(names)})" if names else ""
    index = f" index({', '.join(given_tiles)} : {', '.join(types)})" if tiles else ""
    result = typed(shape, "f32")
    text = f"""
      func.func @f({", ".join(arguments)}) {{
        %v = tile.read %x{named}{index} {access} : memref<64xf32> -> {result}
        func.return
      }}
    """
    first = parse(text)
    for module in (first, parse(str(first))):
        read = next(op for op in module.walk() if isinstance(op, AccessOp))
        assert isinstance(read, tile.ReadOp) and read.coordinates == access


def typed(shape: Iterable[int], element: str) -> str:
    sizes = "".join(f"{size}x" for size in shape)
    return f"tensor<{sizes}{element}>" if sizes else element
