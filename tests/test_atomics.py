"""Atomic operations, against what programs leave that run one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

G, N = 5, 64


@nki_mlir.jit
def blocks(x, y, old, n, KIND: tl.constexpr, N: tl.constexpr):
    """Every program updates the same block."""
    pid = tl.program_id(0)
    at = tl.arange(0, N)
    v = tl.load(x + pid * N + at)
    mask = at < n
    if KIND == "add":
        o = tl.atomic_add(y + at, v, mask=mask)
    elif KIND == "max":
        o = tl.atomic_max(y + at, v, mask=mask)
    elif KIND == "min":
        o = tl.atomic_min(y + at, v, mask=mask)
    elif KIND == "and":
        o = tl.atomic_and(y + at, v, mask=mask)
    elif KIND == "or":
        o = tl.atomic_or(y + at, v, mask=mask)
    elif KIND == "xor":
        o = tl.atomic_xor(y + at, v, mask=mask)
    elif KIND == "xchg":
        o = tl.atomic_xchg(y + at, v, mask=mask)
    else:
        o = tl.atomic_cas(y + at, v, v + 1)
    tl.store(old + pid * N + at, o, mask=mask)


UPDATES: dict[str, Any] = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "xchg": lambda old, v: v,
    "cas": lambda old, v: np.where(old == v, v + 1, old),
}


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (k, t)
        for t in (np.float32, np.int32, np.uint32)
        for k in UPDATES
        if t != np.float32 or k not in ("and", "or", "xor")
    ],
)
def test_blocks(kind: str, dtype: Any) -> None:
    low, high = (-4, 4) if dtype != np.uint32 else (0, 2**32 - 1)
    low, high = (0, 3) if kind == "cas" else (low, high)
    made = [np.random.default_rng(s).integers(low, high, shape).astype(dtype) for s, shape in enumerate([(G, N), (N,)])]
    n = 41 if kind != "cas" else N
    x, before = made
    _, y, old = run(blocks, x, before, np.zeros((G, N), dtype), n, grid=(G,), levels=dtype != np.uint32, KIND=kind, N=N)
    memory = before.copy()
    for p in range(G):
        np.testing.assert_array_equal(old[p, :n], memory[:n])
        memory[:n] = UPDATES[kind](memory, x[p])[:n]
    np.testing.assert_array_equal(y, memory)


@nki_mlir.jit
def scalars(x, y, old, flags, CASE: tl.constexpr, N: tl.constexpr):
    pid = tl.program_id(0)
    at = pid * N + tl.arange(0, N)
    if CASE == "total":
        tl.atomic_add(y, tl.sum(tl.load(x + at)))
    elif CASE == "ticket":
        tl.store(old + pid, tl.atomic_add(y, 2.0))
    elif CASE == "masked":
        tl.atomic_add(y, 1.0, mask=tl.load(flags + pid) > 0)
    elif CASE == "most":
        tl.atomic_max(y + 1, tl.max(tl.load(x + at)))
        tl.atomic_min(y + 2, tl.min(tl.load(x + at)))
    elif CASE == "in a branch":
        if tl.load(flags + pid) > 0:
            tl.atomic_add(y, 3.0)
    elif CASE == "lock":
        tl.store(old + pid, tl.atomic_cas(y, 0.0, 1.0 + pid))
    elif CASE == "element":
        k = tl.load(flags + pid)
        tl.store(old + pid, tl.atomic_add(y + k, 1.0, mask=k >= 0))
    else:
        for i in range(3):
            tl.atomic_add(y + i, tl.sum(tl.load(x + at)) + i)


@pytest.mark.parametrize("case", ["total", "ticket", "masked", "most", "in a branch", "lock", "element", "loop"])
def test_scalars(case: str) -> None:
    x = integers((G, N), np.int8).astype(np.float32)
    flags = np.array([2, 0, -1, 2, 1], np.int32)
    before = np.zeros(4, np.float32)
    _, y, old, _ = run(scalars, x, before, np.zeros(G, np.float32), flags, grid=(G,), CASE=case, N=N)
    expected = before.copy()
    if case == "total":
        expected[0] = x.sum()
    elif case == "ticket":
        expected[0] = 2 * G
        np.testing.assert_array_equal(old, 2 * np.arange(G))
    elif case == "masked":
        expected[0] = (flags > 0).sum()
    elif case == "most":
        expected[1:3] = max(0, x.max()), min(0, x.min())
    elif case == "in a branch":
        expected[0] = 3 * (flags > 0).sum()
    elif case == "lock":
        expected[0] = 1
        np.testing.assert_array_equal(old, [0, 1, 1, 1, 1])
    elif case == "element":
        expected[:3] = 1, 1, 2
        np.testing.assert_array_equal(old, [0, 0, 0, 1, 0])
    else:
        expected[:3] = x.sum() + np.arange(3) * G
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def named(index, x, y, n, KIND: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """Rows that an index tile names, some of them twice."""
    r = tl.program_id(0) * R + tl.arange(0, R)
    k = tl.load(index + r, mask=r < n, other=0)
    if C > 1:
        c = tl.arange(0, C)
        p = y + k[:, None] * C + c[None, :]
        mask = (r < n)[:, None] & (c < C - 3)[None, :]
        v = tl.load(x + r[:, None] * C + c[None, :], mask=mask, other=0)
    else:
        p, mask = y + k, r < n
        v = tl.load(x + r, mask=mask, other=0)
    if KIND == "add":
        tl.atomic_add(p, v, mask=mask)
    elif KIND == "max":
        tl.atomic_max(p, v, mask=mask)
    else:
        tl.atomic_min(p, v, mask=mask)


NAMED: dict[str, Any] = {"add": np.add, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize(("dtype", "columns"), [(np.float32, 16), (np.int32, 1)], ids=["f32-16", "i32-1"])
@pytest.mark.parametrize("kind", NAMED)
def test_rows_that_are_named_twice(kind: str, dtype: Any, columns: int) -> None:
    index = integers(75, np.int64 if kind == "add" else np.int32, low=0, high=9)
    x = integers((75, columns), np.int8, 1).astype(dtype)
    before = integers((10, columns), np.int8, 2).astype(dtype)
    *_, y = run(named, index, x, before, 75, grid=(3,), levels=dtype == np.float32, KIND=kind, R=32, C=columns)
    expected = before.copy()
    width = columns - 3 if columns > 1 else 1
    NAMED[kind].at(expected[:, :width], index, x[:, :width])
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def one_place(x, y, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    v = tl.load(x + at)
    p = y + tl.zeros((N,), tl.int32)
    if CASE == "sum":
        tl.atomic_add(p, v)
    else:
        tl.atomic_max(p, v, mask=v < 50.0)


@pytest.mark.parametrize("case", ["sum", "most"])
def test_a_block_at_one_element(case: str) -> None:
    x = integers(N, np.int8).astype(np.float32)
    _, y = run(one_place, x, np.zeros(2, np.float32), CASE=case, N=N)
    np.testing.assert_array_equal(y, [x.sum() if case == "sum" else max(0, x[x < 50].max()), 0])


@nki_mlir.jit
def unclear(index, x, y, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    k = tl.load(index + at)
    v = tl.load(x + at)
    if CASE == "result":
        tl.store(x + at, tl.atomic_add(y + k, v))
    elif CASE == "exchange":
        tl.atomic_xchg(y + k, v)
    elif CASE == "cas":
        tl.atomic_cas(y + k, v, v)
    elif CASE == "two index tiles":
        tl.atomic_add(y + k[:, None] + k[None, :] * 100, v[:, None] + v[None, :])
    elif CASE == "overlapping":
        tl.atomic_add(y + at[:, None] * 2 + at[None, :], v[:, None] + v[None, :])
    elif CASE == "overlapping rows":
        tl.atomic_add(y + k[:, None] * 2 + at[None, :], v[:, None] + v[None, :])
    elif CASE == "masked by both":
        w = v[:, None] + v[None, :]
        tl.atomic_add(y + k[:, None] * N + at[None, :], w, mask=w > 0.0)
    else:
        p = tl.where(tl.load(x) > 0.0, x, y)
        tl.atomic_add(p, 1.0)


UNCLEAR = {
    "result": "an atomic add whose pointers may name one element twice is not supported where its result is used",
    "exchange": "an atomic exchange whose pointers may name one element twice is not supported",
    "cas": "an atomic compare_exchange whose pointers may name one element twice is not supported",
    "two index tiles": "may name one element twice, in a way that is not supported",
    "overlapping": "may name one element twice, in a way that is not supported",
    "overlapping rows": "may name one element twice, in a way that is not supported",
    "masked by both": "a mask of rows and columns at once is not supported here; combine two with '&'",
    "pointer": "a pointer that is chosen by a condition",
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_refused(case: str) -> None:
    error = refused(unclear, np.zeros(16, np.int32), floats(16), floats(5000), CASE=case, N=16)
    assert UNCLEAR[case] in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def together(x, y, ATOMIC: tl.constexpr, N: tl.constexpr):
    pid = tl.program_id(0)
    at = tl.arange(0, N)
    v = tl.load(x + pid * N + at)
    if ATOMIC:
        tl.atomic_add(y + at, v)
    else:
        tl.store(y + at, tl.load(y + at) + v)


def test_programs_that_write_the_same_elements_without_atomics() -> None:
    x = integers((2, N), np.int8).astype(np.float32)
    with pytest.raises(nki_mlir.ExecutionError) as error:
        together[(2,)](x, np.zeros(N, np.float32), ATOMIC=False, N=N)
    assert "program" in str(error.value) and "test_atomics.py" in str(error.value), str(error.value)
    _, y = run(together, x, np.zeros(N, np.float32), grid=(2,), ATOMIC=True, N=N)
    np.testing.assert_array_equal(y, x.sum(0))
