"""Loops over time whose state is multiplied and added to, done as scans: random recurrences, what they are made of, where
it lies in memory, and what is done with the states. Each is compared with NumPy, and after every pass with what the
source means."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, run
from test_widening import UPPER
from xdsl.dialects.scf import ForOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import execute, pipeline
from nki_mlir.analysis.indices import trip_count
from nki_mlir.dialects.tile import ScanOp, shape_of
from nki_mlir.passes.pipelines import build
from nki_mlir.passes.scan_loops import ScanLoops
from nki_mlir.passes.stages import STAGES

FORMS = ("scaled", "sum", "product", "average", "masked", "negative", "quotient", "constant", "cascade", "two")


@nki_mlir.jit
def recurrence(
    f_ptr, g_ptr, c_ptr, start_ptr, y_ptr, last_ptr, channels, length,
    FORM: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, TIME_FIRST: tl.constexpr, LAST: tl.constexpr,
):  # fmt: skip
    d = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    n = tl.arange(0, STATES)
    mask = d < channels
    h = tl.load(start_ptr + d[:, None] * STATES + n[None, :], mask=mask[:, None], other=0.0).to(tl.float32)
    k = h * 0.5
    for t in range(length):
        if TIME_FIRST:
            at = t * channels + d
        else:
            at = d * length + t
        f = tl.load(f_ptr + at, mask=mask, other=0.0).to(tl.float32)[:, None]
        g = tl.load(g_ptr + at, mask=mask, other=0.0).to(tl.float32)[:, None]
        c = tl.load(c_ptr + n * length + t).to(tl.float32)[None, :]
        if FORM == "scaled":
            h = f * c * h + g
        elif FORM == "sum":
            h = h + g * c
        elif FORM == "product":
            h = h * (0.5 + f * c)
        elif FORM == "average":
            h += f * f * (g * c - h)
        elif FORM == "masked":
            h = tl.where(g > 0, f * h + c, h)
        elif FORM == "negative":
            h = g - (f * h - c)
        elif FORM == "quotient":
            h = (h + g) / (1 + c * c)
        elif FORM == "constant":
            h = 0.5 * h + 1.0
        elif FORM == "cascade":
            h = f * h + g
            k = c * k + h
        else:
            h = f * h + c
            k = k + f * g
        tl.store(y_ptr + at, tl.sum(h * c + k, axis=1), mask=mask)
    if LAST:
        tl.store(last_ptr + d[:, None] * STATES + n[None, :], h - k, mask=mask[:, None])


def in_turn(form: str, f: Any, g: Any, c: Any, h: Any, k: Any) -> tuple[Any, Any]:
    """One iteration."""
    match form:
        case "scaled":
            return f * c * h + g, k
        case "sum":
            return h + g * c, k
        case "product":
            return h * (0.5 + f * c), k
        case "average":
            return h + f * f * (g * c - h), k
        case "masked":
            return np.where(g > 0, f * h + c, h), k
        case "negative":
            return g - (f * h - c), k
        case "quotient":
            return (h + g) / (1 + c * c), k
        case "constant":
            return 0.5 * h + 1.0, k
        case "cascade":
            return f * h + g, c * k + f * h + g
        case _:
            return f * h + c, k + f * g


def check(
    form: str, channels: int, length: int, states: int, block: int, time_first: bool, last: bool, dtype: Any
) -> None:
    rng = np.random.default_rng(length)
    f, c = (rng.uniform(-1, 1, shape).astype(dtype) for shape in ((channels, length), (states, length)))
    g, start = floats(channels, length).astype(dtype), floats(channels, states)
    y, end = np.zeros((channels, length), np.float32), np.zeros((channels, states), np.float32)
    h, k, rows = start, start * 0.5, []
    for t in range(length):
        one, other = (x[:, t : t + 1].astype(np.float32) for x in (f, g))
        h, k = in_turn(form, one, other, c[:, t].astype(np.float32), h, k)
        rows.append((h * c[:, t].astype(np.float32) + k).sum(axis=1))
    if time_first:
        f, g, y = (np.ascontiguousarray(x.T) for x in (f, g, y))
    *_, y, end = run(
        recurrence,
        *(f, g, c, start, y, end, channels, length),
        grid=(-(-channels // block),),
        rtol=2e-4,
        FORM=form,
        BLOCK=block,
        STATES=states,
        TIME_FIRST=time_first,
        LAST=last,
    )
    np.testing.assert_allclose(y.T if time_first else y, np.stack(rows, axis=1), rtol=1e-3, atol=1e-3)
    if last:
        np.testing.assert_allclose(end, h - k, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    check(form, 5, 37, 4, 8, False, True, np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_random_recurrences(seed: int) -> None:
    r = random.Random(seed)
    block, states = r.choice((1, 4, 16, 64)), r.choice((1, 2, 8))
    channels, length = max(1, block * r.randrange(1, 4) - r.choice((0, 0, 3))), r.choice((2, 16, 33, 61))
    dtype = r.choice((np.float32, ml_dtypes.bfloat16))
    check(r.choice(FORMS), channels, length, states, block, bool(r.randrange(2)), bool(r.randrange(2)), dtype)


def loops_and_scans(
    kernel: Any, *arguments: Any, grid: tuple[int, ...] = (1,), width: int | None = None, **meta: Any
) -> tuple[list[int | None], list[tuple[int, ...]]]:
    """The trip counts of a kernel's loops and the shapes of its scans, once scan-loops has run."""
    upper = UPPER.partition("scan-loops")[0]
    module = pipeline([upper, ScanLoops(width), "dce"])(kernel.trace(*arguments, grid=grid, **meta).module)
    loops = [trip_count(op) for op in module.walk() if isinstance(op, ForOp)]
    return loops, [shape_of(op.result) for op in module.walk() if isinstance(op, ScanOp)]


SMALL: dict[str, Any] = {"BLOCK": 8, "STATES": 4, "TIME_FIRST": False, "LAST": True}


def small() -> list[np.ndarray]:
    return [floats(*shape, seed=n) for n, shape in enumerate([(5, 37), (5, 37), (4, 37), (5, 4), (5, 37), (5, 4)])]


@pytest.mark.parametrize("form", FORMS)
def test_no_loop_is_left(form: str) -> None:
    count = 2 if form in ("cascade", "two") else 1
    found = loops_and_scans(recurrence, *small(), 5, 37, FORM=form, **SMALL)
    assert found == ([], [(5, 4, 37)] * count)
    found = loops_and_scans(recurrence, *small(), 5, 37, width=10, FORM=form, **SMALL)
    assert found == ([3], [(5, 4, 10)] * count + [(5, 4, 7)] * count)


@cache
def step_by_step(form: str) -> list[np.ndarray]:
    """What the loop as it is leaves of `small`."""
    left = small()
    module = recurrence.trace(*small(), 5, 37, grid=(1,), FORM=form, **SMALL).module
    passes = [p for p in build(",".join(STAGES.values())) if p.name != "scan-loops"]
    execute(pipeline(passes, target="trn1")(module), left)
    return left


@pytest.mark.parametrize("width", [1, 2, 10, 36, 37])
@pytest.mark.parametrize("form", ["scaled", "cascade", "product"])
def test_any_width_does_the_same(form: str, width: int) -> None:
    """Some steps, each of which goes on from the one before, and a rest."""
    module = recurrence.trace(*small(), 5, 37, grid=(1,), FORM=form, **SMALL).module
    passes = build(",".join(STAGES.values()))
    left = small()
    chosen = [ScanLoops(width) if p.name == "scan-loops" else p for p in passes]
    execute(pipeline(chosen, target="trn1")(module), left)
    for got, expected in zip(left, step_by_step(form), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def smoothed(x_ptr, y_ptr, last_ptr, length, WEIGHT: tl.constexpr):
    """A number a program."""
    row, h = tl.program_id(0), 0.0
    for t in range(length):
        h += WEIGHT * (tl.load(x_ptr + row * length + t) - h)
        tl.store(y_ptr + row * length + t, h)
    tl.store(last_ptr + row, h)


@pytest.mark.parametrize(("rows", "length"), [(1, 100), (130, 20), (3, 1000)])
def test_a_number_a_program(rows: int, length: int) -> None:
    x, h, expected = floats(rows, length), np.zeros(rows, np.float32), []
    for t in range(length):
        h = h + np.float32(0.25) * (x[:, t] - h)
        expected.append(h)
    arguments = x, np.zeros_like(x), np.zeros(rows, np.float32), length
    *_, y, last = run(smoothed, *arguments, grid=(rows,), rtol=1e-5, levels=length < 100, WEIGHT=0.25)
    np.testing.assert_allclose(y, np.stack(expected, axis=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(last, h, rtol=1e-4, atol=1e-6)


def test_a_sequence_that_no_partition_holds() -> None:
    x = floats(2, 100_000)
    smoothed[(2,)](x, y := np.zeros_like(x), last := np.zeros(2, np.float32), x.shape[1], WEIGHT=0.5)
    h = np.zeros(2, np.float32)
    for t in range(x.shape[1]):
        h = h + np.float32(0.5) * (x[:, t] - h)
        if t % 7777 == 0:
            np.testing.assert_allclose(y[:, t], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, h, rtol=1e-4, atol=1e-5)


@nki_mlir.jit
def in_place(x_ptr, f_ptr, channels, length, AHEAD: tl.constexpr, OLD: tl.constexpr, BLOCK: tl.constexpr):
    d = tl.arange(0, BLOCK)
    h = tl.zeros((BLOCK,), dtype=tl.float32)
    for t in range(length - AHEAD):
        before = h
        x = tl.load(x_ptr + d * length + t + AHEAD, mask=d < channels, other=0.0)
        h = tl.load(f_ptr + d * length + t, mask=d < channels, other=0.0) * h + x
        tl.store(x_ptr + d * length + t, h + before if OLD else h, mask=d < channels)


@pytest.mark.parametrize(("ahead", "old", "scans"), [(0, False, True), (1, False, False), (0, True, False)])
def test_iterations_that_meet_in_memory_and_states_from_before_stay_loops(ahead: int, old: bool, scans: bool) -> None:
    """What an iteration reads is not what another one writes, but in place it may be its own."""
    channels, length = 5, 20
    x, f = floats(channels, length), floats(channels, length, seed=1) / 2
    meta = {"AHEAD": ahead, "OLD": old, "BLOCK": 8}
    loops, found = loops_and_scans(in_place, x, f, channels, length, **meta)
    assert (loops, found) == (([], [(5, length)]) if scans else ([length - ahead], []))
    expected, h = x.copy(), np.zeros(channels, np.float32)
    for t in range(length - ahead):
        before, h = h, f[:, t] * h + expected[:, t + ahead]
        expected[:, t] = h + before if old else h
    got, _ = run(in_place, x, f, channels, length, rtol=1e-5, **meta)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
