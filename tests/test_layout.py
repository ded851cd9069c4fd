"""Layouts as plain data: what they say of places, against places enumerated one by one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nki_mlir.dialects.layout import Factor, Layout, LayoutError, Spot, replica, unused
from nki_mlir.dialects.walks import Walk, walks

Index = tuple[int, ...]
Place = tuple[int, int]


quick = settings(max_examples=60)


def _sizes(largest: int, rank: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, largest), min_size=1, max_size=rank)


@st.composite
def layouts(draw: st.DrawFn, shape: tuple[int, ...] | None = None, extras: bool = True) -> Layout:
    """Any cut of the dimensions into digits, in any order, with replicas and unused places between."""
    if shape is None:
        shape = tuple(draw(_sizes(12, 2) | _sizes(6, 3)))
    factors: list[Factor] = []
    for dim, size in enumerate(shape):
        step = 1
        while step < size:
            radix = draw(st.integers(2, 6))
            factors.append(Factor(dim, radix, step))
            step *= radix
    if extras:
        factors += draw(
            st.lists(st.builds(replica, st.integers(2, 3)) | st.builds(unused, st.integers(2, 3)), max_size=2)
        )
    factors = draw(st.permutations(factors))
    cut = draw(st.integers(0, len(factors)))
    return Layout.of(shape, factors[:cut], factors[cut:])


def indices(shape: Sequence[int]) -> list[Index]:
    return list(itertools.product(*(range(n) for n in shape)))


def places(layout: Layout, index: Index) -> set[Place]:
    """All replicas of an element, from the definition: the factors read as mixed-radix numbers."""

    def offsets(factors: Sequence[Factor]) -> set[int]:
        found = {0}
        for dim, size, step in factors:
            values = [index[dim] // step % size] if dim >= 0 else range(size) if dim == -1 else [0]
            found = {old * size + value for old in found for value in values}
        return found

    return set(itertools.product(offsets(layout.partition), offsets(layout.free)))


@quick
@given(layouts())
def test_every_element_has_places_of_its_own(layout: Layout) -> None:
    taken: set[Place] = set()
    for index in indices(layout.shape):
        found = places(layout, index)
        assert layout.place(index) == min(found)
        assert not taken & found
        taken |= found
    assert max(p for p, _ in taken) < layout.partitions
    assert max(o for _, o in taken) < layout.elements


@quick
@given(layouts())
def test_a_layout_made_of_its_own_factors_is_the_same(layout: Layout) -> None:
    assert Layout.of(layout.shape, layout.partition, layout.free) == layout
    assert layout.provides(layout)


@quick
@given(st.data())
def test_provides_means_that_all_promised_places_hold_the_element(data: st.DataObject) -> None:
    have = data.draw(layouts())
    wanted = data.draw(st.just(have) | layouts(have.shape))
    if data.draw(st.booleans()):
        wanted = Layout.of(have.shape, (f for f in have.partition if f.dim != -1), have.free)
    if have.provides(wanted):
        assert all(places(wanted, index) <= places(have, index) for index in indices(have.shape))


def test_what_a_layout_provides() -> None:
    many = Layout.of((64,), [replica(2), Factor(0, 64)], [])
    once = Layout.of((64,), [Factor(0, 64)], [])
    spaced = Layout.of((64,), [Factor(0, 64), unused(2)], [])
    doubled = Layout.of((64,), [Factor(0, 64), replica(2)], [])
    assert many.provides(once) and not once.provides(many)
    assert doubled.provides(spaced) and not spaced.provides(doubled) and not once.provides(spaced)


def test_layouts_of_the_same_places_are_equal() -> None:
    cut = Layout.of(
        (1000, 8), [Factor(0, 125, 8), Factor(0, 2, 4)], [unused(3), Factor(0, 4), Factor(1, 4, 2), Factor(1, 2)]
    )
    assert cut == Layout.of((1000, 8), [Factor(0, 250, 4)], [Factor(0, 4), Factor(1, 8)])
    assert str(cut) == "[d0/4:250] x [d0:4, d1]"
    padded = Layout.of((3, 200), [], [Factor(0, 3), Factor(1, 2, 128), Factor(1, 128)])
    assert str(padded) == "[] x [d0, d1:256]" and padded.place((1, 7)) == (0, 263)


Visits = list[tuple[Place, ...]]


def visits(walk: Walk) -> Visits:
    """The place of each operand, for each element of a walk."""
    found: Visits = []
    for values in itertools.product(*(range(n) for n in walk.counts)):
        places: list[Place] = []
        for (partition, offset), legs in zip(walk.starts, walk.legs, strict=True):
            for value, leg in zip(values, legs, strict=True):
                distance = value * leg.stride
                partition, offset = (
                    (partition + distance, offset) if leg.on_partitions else (partition, offset + distance)
                )
            places.append((partition, offset))
        found.append(tuple(places))
    return found


@quick
@given(st.data())
def test_walks_visit_every_element_once_and_nothing_else(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    anywhere = data.draw(st.booleans())
    extents = tuple(data.draw(st.integers(0, n)) for n in layout.shape)
    strides = [math.prod(layout.shape[d + 1 :]) for d in range(len(layout.shape))]
    memory = [Spot(d, 1, n, False, strides[d]) for d, n in enumerate(layout.shape)]
    try:
        found = walks(extents, layout.spots, memory, anywhere=anywhere)
    except LayoutError:
        assert not anywhere
        assume(False)
        return
    assert anywhere or all(walk.starts[0].partition == 0 for walk in found)
    visited = [place for walk in found for place in visits(walk)]
    wanted = [
        (place, (0, sum(i * s for i, s in zip(index, strides, strict=True))))
        for index in indices(extents)
        for place in places(layout, index)
    ]
    assert sorted(visited) == sorted(wanted)


@quick
@given(st.data())
def test_walks_over_two_layouts(data: st.DataObject) -> None:
    """Every place of the first one with a place of the same element in the other, whatever their digits."""
    to = data.draw(layouts())
    source = data.draw(layouts(to.shape))
    elements = [spot for spot in source.spots if spot.dim >= 0]
    visited = [pair for walk in walks(to.shape, to.spots, elements, anywhere=True) for pair in visits(walk)]
    wanted = [(place, source.place(index)) for index in indices(to.shape) for place in places(to, index)]
    assert sorted(visited) == sorted(wanted)


@quick
@given(st.data())
def test_walks_are_cut_and_ordered(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    for walk in walks(layout.shape, layout.spots, anywhere=True):
        some = data.draw(st.lists(st.integers(0, max(0, len(walk.digits) - 1)), unique=True))
        some = [i for i in some if i < len(walk.digits)]
        whole = visits(walk)
        assert sorted(pair for one in walk.singly(some) for pair in visits(one)) == sorted(whole)
        assert sorted(visits(walk.ordered(some))) == sorted(whole)
        assert walk.ordered(some).digits[: len(some)] == tuple(walk.digits[i] for i in some)
        lanes = {partition for ((partition, _),) in whole}
        assert walk.is_range(0) == (len(lanes) == max(lanes) - min(lanes) + 1)
        assert walk.partitions(0) == len(lanes)


@pytest.mark.parametrize("size", [1, 5, 128, 131, 257, 1000, 1021])
@pytest.mark.parametrize("blocked", [False, True])
def test_lanes_spread_any_size(size: int, blocked: bool) -> None:
    layout = Layout.lanes((size, 3), 0, 128, blocked)
    assert layout.partitions > min(size, 128) // 2
    assert layout.elements == 3 * -(-size // 128)
    counts = [math.prod(walk.counts) for walk in walks((size, 3), layout.spots)]
    assert sum(counts) == 3 * size and len(counts) <= 2


def same(layout: Layout, other: Layout, index: Callable[[Index], Index]) -> None:
    """Each element of `layout` is where its new index says in `other`."""
    for old in indices(layout.shape):
        assert layout.place(old) == other.place(index(old))


@quick
@given(st.data())
def test_permuted_and_expanded(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    order = data.draw(st.permutations(range(len(layout.shape))))
    same(layout, layout.permuted(order), lambda old: tuple(old[d] for d in order))
    axis = data.draw(st.integers(0, len(layout.shape)))
    same(layout, layout.expanded(axis), lambda old: (*old[:axis], 0, *old[axis:]))


@quick
@given(st.data())
def test_merged_and_split_are_inverse(data: st.DataObject) -> None:
    layout = data.draw(layouts(extras=False))
    axis = data.draw(st.integers(0, len(layout.shape) - 1))
    inner = data.draw(st.sampled_from([n for n in range(1, layout.shape[axis] + 1) if layout.shape[axis] % n == 0]))
    try:
        cut = layout.split(axis, inner)
    except LayoutError:
        assume(False)
        return
    same(layout, cut, lambda old: (*old[:axis], *divmod(old[axis], inner), *old[axis + 1 :]))
    try:
        whole = cut.merged(axis)
    except LayoutError as error:
        assert "padded" in str(error)
        return
    same(layout, whole, lambda old: old)


@quick
@given(st.data())
def test_reshaped_and_its_names(data: st.DataObject) -> None:
    """Each element stays where it is, digit by digit."""
    layout = data.draw(layouts())
    count = math.prod(layout.shape)
    outer = data.draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
    shape = data.draw(st.sampled_from([(count,), (outer, count // outer), (1, outer, 1, count // outer)]))
    try:
        other = layout.reshaped(shape)
    except LayoutError:
        assume(False)
        return

    def index(old: Index) -> Index:
        flat = sum(i * math.prod(layout.shape[d + 1 :]) for d, i in enumerate(old))
        return tuple(flat // math.prod(shape[d + 1 :]) % n for d, n in enumerate(shape))

    same(layout, other, index)
    for old in indices(layout.shape):
        for one, two in layout.renamings(other):
            assert one.size == two.size
            assert old[one.dim] // one.step % one.size == index(old)[two.dim] // two.step % two.size


@pytest.mark.parametrize(
    ("shape", "spread"),
    [
        ((2, 65536), "[d0, d1/1024:64] x [d1:1024]"),
        ((1000, 7), "[d0/8:125] x [d0:8, d1]"),
        ((131, 4), "[] x [d0, d1]"),
        ((8, 4, 6, 5), "[d0, d1, d2/2:3] x [d2:2, d3]"),
        ((3,), "[d0] x []"),
    ],
)
def test_spread_in_equal_shares(shape: tuple[int, ...], spread: str) -> None:
    assert str(Layout.spread(shape, 128)) == spread


def test_layouts_of_other_places_have_no_names() -> None:
    one = Layout.of((12,), [Factor(0, 4, 3)], [Factor(0, 3)])
    with pytest.raises(LayoutError, match="are different places"):
        one.renamings(Layout.of((12,), [Factor(0, 6, 2)], [Factor(0, 2)]))
    with pytest.raises(LayoutError, match="are different places"):
        one.renamings(Layout.of((12,), [Factor(0, 4, 3), replica(2)], [Factor(0, 3)]))
    with pytest.raises(LayoutError, match="more places"):
        one.renamings(Layout.of((12,), [replica(2), Factor(0, 4, 3)], [Factor(0, 3)]))
    with pytest.raises(LayoutError, match="differ in their number"):
        one.reshaped((13,))
    padded = Layout.of((1, 3), [], [replica(2), Factor(0, 2), Factor(1, 3)])
    with pytest.raises(LayoutError, match="d0 is padded"):
        padded.reshaped((3,))


@quick
@given(st.data())
def test_reduced_and_unspread(data: st.DataObject) -> None:
    layout = data.draw(layouts(extras=False))
    axis = data.draw(st.integers(0, len(layout.shape) - 1))
    column = layout.unspread([axis])
    for index in indices(layout.shape):
        one = (*index[:axis], 0, *index[axis + 1 :])
        assert {p for p, _ in places(layout, index)} <= {p for p, _ in places(column, one)}
    if not layout.is_free(axis):
        with pytest.raises(LayoutError, match=f"d{axis} lies on the partitions"):
            layout.reduced(axis)
        return
    assert layout.reduced(axis) == column.reduced(axis)


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        ([Factor(0, 4, 2)], "one of step 1 is missing"),
        ([Factor(0, 4), Factor(0, 4, 8)], "one of step 4 is missing"),
        ([Factor(0, 4)], "reach 4 of its 8 indices"),
        ([Factor(0, 8), Factor(1, 2)], "d1:2 is no factor of a tensor of 1 dimensions"),
    ],
)
def test_what_is_no_layout(factors: list[Factor], reason: str) -> None:
    with pytest.raises(LayoutError, match=reason):
        Layout.of((8,), [], factors)


def test_an_empty_dimension_is_no_layout() -> None:
    with pytest.raises(LayoutError, match="no empty dimension"):
        Layout.of((0,), [], [])


def test_merging_over_padding_and_cutting_across_digits_are_refused() -> None:
    with pytest.raises(LayoutError, match="d1 is padded"):
        Layout.of((2, 3), [], [Factor(0, 2), Factor(1, 4)]).merged(0)
    with pytest.raises(LayoutError, match="does not keep runs of 4 together"):
        Layout.of((12,), [Factor(0, 2, 6)], [Factor(0, 6)]).split(0, 4)
    with pytest.raises(LayoutError, match="5 does not divide"):
        Layout.flat((12,)).split(0, 5)
