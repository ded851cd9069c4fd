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
@settings(max_examples=150, deadline=None)
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
