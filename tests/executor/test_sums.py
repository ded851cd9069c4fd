"""Matmuls that are multiplied later: the same sums as one after the other, whatever is read in between."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from engine_builder import Kernel
from hypothesis import given, settings
from hypothesis import strategies as st

from nki_mlir.executor import execute
from nki_mlir.executor import sums as tested
from nki_mlir.executor.sums import Operand, Place, Room, Sums

M, PLACES = 4, ((0, 6), (6, 6), (3, 6), (12, 2))
"""Rows of every product, and first column and width of the places that it may go to: the third meets two others."""


def place(index: int) -> Place:
    first, width = PLACES[index]
    return Place(0, M, 4 * first, 4 * (first + width))


def operand(tag: int, rows: int, columns: int) -> Operand:
    """Whole numbers, so that sums are exact in any order; the same for the same tag and shape."""
    values = np.random.default_rng([tag, rows, columns]).integers(-8, 8, (rows, columns))
    return Operand((tag, rows, columns), rows, columns, lambda room: np.copyto(room, values))


def filled(o: Operand) -> np.ndarray[Any, Any]:
    room = np.empty((o.rows, o.columns), np.float32)
    o.fill(room)
    return room


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["issue", "issue", "complete", "look"]),
        st.integers(0, len(PLACES) - 1),
        st.sampled_from([1, 3, 4]),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=40,
)


@pytest.mark.parametrize("rows, stacks", [(2048, 16), (8, 2)])
@settings(max_examples=150)
@given(steps=STEPS)
def test_sums_against_one_product_after_the_other(
    rows: int, stacks: int, steps: list[tuple[str, int, int, int, bool]]
) -> None:
    """Matmuls issue, complete later in that order, and now and then somebody looks at a place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "_ROWS", rows)
        patch.setattr(tested, "_MOST_STACKS", stacks)
        psum, wanted = np.zeros((M, 16), np.float32), np.zeros((M, 16), np.float32)
        sums, issued = Sums(), list[tuple[int, Room, np.ndarray[Any, Any], bool]]()

        def columns(index: int) -> slice:
            first, width = PLACES[index]
            return slice(first, first + width)

        def complete() -> None:
            index, room, product, accumulate = issued.pop(0)
            sums.complete(place(index), psum[:, columns(index)], room, accumulate)
            wanted[:, columns(index)] = product + (wanted[:, columns(index)] if accumulate else 0)

        for what, index, k, tag, accumulate in steps:
            if what == "issue":
                stationary, moving = operand(tag, k, M), operand(tag + 7, k, PLACES[index][1])
                room = sums.take(place(index), stationary, moving, accumulate)
                issued.append((index, room, filled(stationary).T @ filled(moving), accumulate))
            elif what == "complete" and issued:
                complete()
            elif what == "look":
                sums.settle(place(index))
                np.testing.assert_array_equal(psum[:, columns(index)], wanted[:, columns(index)])
        while issued:
            complete()
        sums.settle(Place(0, M, 0, 64))
        np.testing.assert_array_equal(psum, wanted)
        assert not sums and all(stack.waiting == 0 for stack in sums.stacks)


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_operands_that_change_in_place(kind: str, seed: int | None) -> None:
    """Four products from the same addresses; between them Vector changes the moving tile, then the stationary one."""
    k = Kernel("trn1")
    a, b = k.tensor("a", (128, 64), kind), k.tensor("b", (128, 32), kind)
    out = k.tensor("out", (4 * 64, 32))
    left, right = k.sbuf(64, kind), k.sbuf(32, kind)
    k.dma(left, a.box(0, 128, 0, 64))
    k.dma(right, b.box(0, 128, 0, 32))
    with k.loop(4) as i:
        product, result = k.psum(32, partitions=64, depth=2), k.sbuf(32, partitions=64, depth=2)
        k.matmul(product, left, right)
        k.op("tensor_copy", "vector", dst=result, src=product)
        k.dma(out.box(i * 64, 64, 0, 32), result)
        k.op("tensor_scalar", "vector", op0="add", dst=right, data=right, operand0=1.0)
        k.op("tensor_scalar", "vector", op0="multiply", dst=left.rows(0, 32), data=left.rows(0, 32), operand0=-1.0)
    rng = np.random.default_rng(0)
    x, y = rng.integers(-4, 4, (128, 64)), rng.integers(-4, 4, (128, 32))
    module = k.lower()
    stored = np.float32 if kind == "float32" else ml_dtypes.bfloat16
    found = np.zeros((256, 32), np.float32)
    execute(module, [x.astype(stored), y.astype(stored), found], seed=seed)
    wanted = []
    for _ in range(4):
        wanted.append(x.T @ y)
        y = y + 1
        x[:32] *= -1
    np.testing.assert_array_equal(found, np.concatenate(wanted))


KINDS = [(height, width) for height in (4, 128) for width in (4, 128)]
"""Rows and columns of the places of the next test: of some, both operands are equally wide."""
SLOTS = 4
"""Places of each kind."""


def slot(kind: int, index: int) -> Place:
    """Places of one kind follow each other; kinds lie on other partitions, so that they never meet."""
    height, width = KINDS[kind]
    return Place(200 * kind, 200 * kind + height, 4 * width * index, 4 * width * (index + 1))


MATMULS = st.lists(
    st.tuples(
        st.sampled_from(["open", "add", "add", "complete", "complete", "look"]),
        st.integers(0, len(KINDS) - 1),
        st.integers(0, SLOTS - 1),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=60,
)


@pytest.mark.parametrize("stacks", [1, 2, 16])
@settings(max_examples=100)
@given(before=st.integers(0, len(KINDS) * SLOTS), steps=MATMULS)
def test_many_open_groups_against_plain_products(
    stacks: int, before: int, steps: list[tuple[str, int, int, int, int]]
) -> None:
    """Up to 16 groups are under way at first; operands come back by their tags, also as the other operand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "_ROWS", 8)
        patch.setattr(tested, "_MOST_STACKS", stacks)
        sums, k = Sums(), 3
        memory = {(kind, at): np.zeros(shape, np.float32) for kind, shape in enumerate(KINDS) for at in range(SLOTS)}
        wanted = {key: np.zeros_like(view) for key, view in memory.items()}
        issued = list[tuple[tuple[int, int], Room, np.ndarray[Any, Any], bool]]()

        def issue(key: tuple[int, int], left: int, right: int, accumulate: bool) -> None:
            height, width = KINDS[key[0]]
            stationary, moving = operand(left, k, height), operand(right, k, width)
            room = sums.take(slot(*key), stationary, moving, accumulate)
            issued.append((key, room, filled(stationary).T @ filled(moving), accumulate))

        def complete() -> None:
            key, room, product, accumulate = issued.pop(0)
            sums.complete(slot(*key), memory[key], room, accumulate)
            wanted[key] = product + (wanted[key] if accumulate else 0)

        def look(key: tuple[int, int]) -> None:
            sums.settle(slot(*key))
            np.testing.assert_array_equal(memory[key], wanted[key])

        for number, key in enumerate(list(memory)[:before]):
            issue(key, number % 4, (number + 1) % 4, False)
        for what, kind, at, left, right in steps:
            if what in ("open", "add"):
                issue((kind, at), left, right, what == "add")
            elif what == "look":
                look((kind, at))
            elif issued:
                complete()
        while issued:
            complete()
        for key in memory:
            look(key)
        assert not sums and all(stack.waiting == 0 for stack in sums.stacks)


def test_stacks_do_not_grow_with_the_places_that_were_used() -> None:
    sums, view = Sums(), np.zeros((M, M), np.float32)
    for number in range(200):
        at = Place(0, M, 4 * M * number, 4 * M * (number + 1))
        sums.complete(at, view, sums.take(at, operand(number, 1, M), operand(number + 1, 1, M), False), False)
        sums.settle(at)
    assert len(sums.stacks) <= tested._MOST_STACKS + 2 and len(sums.filling) <= tested._MOST_STACKS


@pytest.mark.parametrize("groups", [8, 16, 24])
def test_groups_under_way_on_all_banks(groups: int) -> None:
    """The first products of `groups` groups, 128 or 64 columns wide; after them one of other operands; then the groups
    go on in turn and are read."""
    k, width = Kernel("trn1"), 128 if groups <= 16 else 64
    a, b = k.tensor("a", (2 * 128, groups * 128)), k.tensor("b", (2 * 128, groups * width))
    out, last = k.tensor("out", (groups * 128, width)), k.tensor("last", (128, 128))
    banks = [k.psum(512) for _ in range(8)]
    left, right = k.sbuf(2 * groups * 128), k.sbuf(2 * groups * width)
    for part in range(2):
        k.dma(left.cols(part * groups * 128, groups * 128), a.box(part * 128, 128, 0, groups * 128))
        k.dma(right.cols(part * groups * width, groups * width), b.box(part * 128, 128, 0, groups * width))

    def operands(part: int, group: int) -> tuple[Any, Any]:
        place = part * groups + group
        return left.cols(place * 128, 128), right.cols(place * width, width)

    sums = [banks[g % 8].cols(g // 8 * width, width) for g in range(groups)]
    for g in range(groups):
        k.matmul(sums[g], *operands(0, g), accumulate=0)
    extra, result = banks[7].cols(384, 128), k.sbuf(width)
    k.matmul(extra, left.cols(0, 128), left.cols(128, 128), accumulate=0)
    for g in range(groups):
        k.matmul(sums[g], *operands(1, g), accumulate=1)
        k.op("tensor_copy", "vector", dst=result, src=sums[g])
        k.dma(out.box(g * 128, 128, 0, width), result)
    other = k.sbuf(128)
    k.op("tensor_copy", "vector", dst=other, src=extra)
    k.dma(last.box(0, 128, 0, 128), other)
    rng = np.random.default_rng(groups)
    x, y = (rng.integers(-4, 4, shape).astype(np.float32) for shape in ((256, groups * 128), (256, groups * width)))
    found, more = np.zeros((groups * 128, width), np.float32), np.zeros((128, 128), np.float32)
    execute(k.lower(), [x, y, found, more])
    for g in range(groups):
        product = x[:, g * 128 : g * 128 + 128].T @ y[:, g * width : g * width + width]
        np.testing.assert_array_equal(found[g * 128 : g * 128 + 128], product)
    np.testing.assert_array_equal(more, x[:128, :128].T @ x[:128, 128:256])
