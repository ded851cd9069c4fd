"""Bounds on the numbers of rows that an index tile names, at and away from the memory's ends: loads and stores, at `tile`
and at `neuron.mem`, against NumPy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernels import floats, run
from reference.levels import check_levels

import nki_mlir
import nki_mlir.language as tl

quick = settings(max_examples=15)
ELEMENTS = 240


@dataclass(frozen=True)
class Rows:
    """An access of `count` rows, `width` elements from `row * step + first` on, of rows within the bounds."""

    count: int
    width: int
    step: int
    first: int
    low: int | None
    high: int | None
    apart: bool
    stores: bool

    def holds(self, row: int) -> bool:
        return (self.low is None or row >= self.low) and (self.high is None or row < self.high)

    def is_inside(self, row: int) -> bool:
        start = row * self.step + self.first
        return start >= 0 and start + self.width <= ELEMENTS

    @property
    def access(self) -> str:
        ends = " to ".join("*" if end is None else str(end) for end in (self.low, self.high))
        bounds = f" in {ends}" if (self.low, self.high) != (None, None) else ""
        guard = f", t0(d0){bounds} by 0" if bounds and self.apart else ""
        return f"[t0(d0){'' if self.apart else bounds} by {self.step}, {self.first} + d1 by 1{guard}]"

    def expected(self, x: np.ndarray, index: np.ndarray, y: np.ndarray) -> np.ndarray:
        result = y.copy() if self.stores else np.zeros((self.count, self.width), np.float32)
        for place, row in enumerate(index.tolist()):
            if not self.holds(row):
                continue
            there = slice(row * self.step + self.first, row * self.step + self.first + self.width)
            if self.stores:
                result[there] = x[place]
            else:
                result[place] = y[there]
        return result


@st.composite
def rows(draw: st.DrawFn, stores: bool) -> tuple[Rows, np.ndarray]:
    """An access, and row numbers of which those within the bounds are in the memory; different ones, for a store."""
    width = draw(st.integers(1, 5))
    step = draw(st.integers(width if stores else 1, 12))
    ends = st.none() | st.integers(-3, ELEMENTS // step + 3) | st.sampled_from([0, ELEMENTS // step, ELEMENTS])
    low, high, first = draw(ends), draw(ends), draw(st.sampled_from([0, 0, 3, -7, -25]))
    found = Rows(draw(st.sampled_from([1, 6, 32, 130])), width, step, first, low, high, draw(st.booleans()), stores)
    numbers = np.random.default_rng(draw(st.integers(0, 999))).permutation(np.arange(-60, ELEMENTS + 60))
    fit = [row for row in numbers.tolist() if found.is_inside(row) or not found.holds(row)][: found.count]
    assume(fit)
    return replace(found, count=len(fit)), np.array(fit, np.int32)


def at_tile(rows: Rows) -> str:
    n, tile = rows.count, f"tensor<{rows.count}x{rows.width}xf32>"
    there, here = f"memref<{ELEMENTS}xf32>", f"memref<{n}x{rows.width}xf32>"
    index, whole = f"index(%i : tensor<{n}xi32>) {rows.access}", f"[d0 by {rows.width}, d1 by 1]"
    moved = (
        (f"tile.read %x {whole} : {here} -> {tile}", f"tile.write %v to %y {index} : {tile} -> {there}")
        if rows.stores
        else (f"tile.read %y {index} : {there} -> {tile}", f"tile.write %v to %x {whole} : {tile} -> {here}")
    )
    return f"""func.func @f(%x: {here}, %k: memref<{n}xi32>, %y: {there}) {{
  %i = tile.read %k [d0 by 1] : memref<{n}xi32> -> tensor<{n}xi32>
  %v = {moved[0]}
  {moved[1]}
  func.return
}}"""


def arrays_of(rows: Rows, index: np.ndarray) -> list[np.ndarray]:
    return [floats(rows.count, rows.width), index, floats(ELEMENTS, seed=1)]


@pytest.mark.parametrize("stores", [False, True], ids=["gather", "scatter"])
def test_bounds_at_tile(stores: bool) -> None:
    @quick
    @given(rows(stores))
    def check(drawn: tuple[Rows, np.ndarray]) -> None:
        one, index = drawn
        x, k, y = arrays_of(one, index)
        left = check_levels(at_tile(one), [x, k, y], seeds=(1,))
        np.testing.assert_array_equal(left[2 if stores else 0], one.expected(x, index, y))

    check()


LAYOUTS = ["[d0:{lanes}] x [d0/{lanes}:{runs}, d1]", "[d1] x [d0]", "[] x [d0, d1]"]


def at_mem(rows: Rows, layout: str, indices: str) -> str:
    n = rows.count
    lanes = min(n, 128)
    names = {"lanes": lanes, "runs": -(-n // lanes)}
    tile = f"!neuron.mem.tile<sbuf, {n}x{rows.width}xf32, {layout.format(**names)}>"
    numbers = f"!neuron.mem.tile<sbuf, {n}xi32, {indices.format(**names)}>"
    text = at_tile(rows).replace("tile.read", "neuron.mem.load").replace("tile.write", "neuron.mem.store")
    return text.replace(f"tensor<{n}x{rows.width}xf32>", tile).replace(f"tensor<{n}xi32>", numbers)


@pytest.mark.parametrize("stores", [False, True], ids=["gather", "scatter"])
def test_bounds_at_mem_are_right_or_refused(stores: bool) -> None:
    counted = {"compiled": 0, "refused": 0}

    @settings(quick, max_examples=60)
    @given(rows(stores), st.sampled_from(LAYOUTS), st.sampled_from(["[d0:{lanes}] x [d0/{lanes}:{runs}]", "[] x [d0]"]))
    def check(drawn: tuple[Rows, np.ndarray], layout: str, indices: str) -> None:
        one, index = replace(drawn[0], apart=False), drawn[1]
        x, k, y = arrays_of(one, index)
        try:
            module = nki_mlir.pipeline("mem-to-engine,engine-to-isa")(nki_mlir.parse(at_mem(one, layout, indices)))
        except nki_mlir.CompileError as error:
            assert "is left out, and is not" in error.message
            counted["refused"] += 1
            return
        nki_mlir.execute(module, arrays := [x.copy(), k, y.copy()])
        counted["compiled"] += 1
        np.testing.assert_array_equal(arrays[2 if stores else 0], one.expected(x, index, y))

    check()
    assert all(counted.values()), counted


@nki_mlir.jit
def masked(
    x,
    index,
    y,
    low,
    high,
    STEP: tl.constexpr,
    FIRST: tl.constexpr,
    R: tl.constexpr,
    C: tl.constexpr,
    BACK: tl.constexpr,
):
    """Rows with numbers within bounds, which begin `FIRST` elements behind the place that they name."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    named = tl.load(index + r)
    there = named[:, None] * STEP + (c + FIRST)[None, :]
    here = r[:, None] * C + c[None, :]
    mask = ((named >= low) & (named < high))[:, None]
    if BACK:
        tl.store(y + there, tl.load(x + here), mask=mask)
    else:
        tl.store(x + here, tl.load(y + there, mask=mask, other=0.0))


@pytest.mark.parametrize("back", [False, True], ids=["gather", "scatter"])
@pytest.mark.parametrize(("step", "first"), [(4, 0), (4, 40), (4, -800), (1, -30), (7, -30)], ids=str)
def test_masks_of_rows_that_begin_elsewhere(step: int, first: int, back: bool) -> None:
    step = max(step, 4) if back else step
    zero = -(first // step)
    one = Rows(32, 4, step, first, zero + 5, zero + 25, False, back)
    index = np.random.default_rng(7).permutation(np.arange(zero - 2, zero + 30)).astype(np.int32)
    x, k, y = arrays_of(one, index)
    left = run(masked, x, k, y, one.low, one.high, STEP=step, FIRST=first, R=32, C=4, BACK=back)
    np.testing.assert_array_equal(left[2 if back else 0], one.expected(x, index, y))


@nki_mlir.jit
def windows(x, index, y, low, steps, R: tl.constexpr, C: tl.constexpr):
    """Rows that begin further in front in each iteration, of which only run time tells how many there are."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    named = tl.load(index + r)
    there = y + named[:, None] + c[None, :]
    acc = tl.zeros((R, C), tl.float32)
    for _ in range(tl.load(steps)):
        acc += tl.load(there, mask=(named >= low)[:, None], other=0.0)
        there -= 50
    tl.store(x + r[:, None] * C + c[None, :], acc)


def test_rows_that_begin_somewhere() -> None:
    x, y = floats(16, 4), np.arange(ELEMENTS, dtype=np.float32)
    index = np.random.default_rng(8).permutation(np.arange(190, 206)).astype(np.int32)
    left, *_ = run(windows, x, index, y, 200, np.array([4], np.int32), levels=False, R=16, C=4)
    places = index[:, None, None] - 50 * np.arange(4)[:, None] + np.arange(4)
    np.testing.assert_array_equal(left, np.where(index[:, None] >= 200, y[places].sum(1), 0))
