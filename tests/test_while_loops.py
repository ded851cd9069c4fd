"""`while` in kernels, and what loops carry that is no `start + i * step`: against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

N = 16


def arrays(*numbers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return floats(N, N), np.array(numbers, np.int32), np.zeros((N, N), np.float32)


@nki_mlir.jit
def known(x, y, n, N: tl.constexpr):
    c, i, total = tl.arange(0, N), 0, tl.zeros((N,), tl.float32)
    while i < n:
        total += tl.load(x + i % 16 * N + c)
        i += 3
    tl.store(y + c, total + i)


@pytest.mark.parametrize("n", [0, 1, 7, 96, 97, 200])
def test_a_known_condition(n: int) -> None:
    """Written out if it is soon false, else a loop of the program."""
    x, _, y = arrays()
    *_, y = run(known, x, y, n, N=N, levels=n == 7, rtol=1e-5)
    rows = [i % 16 for i in range(0, n, 3)]
    np.testing.assert_allclose(y[0], x[rows].sum(0) + 3 * len(rows), rtol=1e-5)
    whiles = sum(op.name == "scf.while" for op in known.trace(x, y, n, N=N, grid=(1,)).module.walk())
    assert whiles == (n > 96)


@nki_mlir.jit
def goes_round(x, t, y, N: tl.constexpr):
    """A scalar, pointers one and many, indices, and a number that is known at first."""
    c, n, i, total = tl.arange(0, N), tl.load(t), 0, tl.zeros((N,), tl.float32)
    p, q, at, k = x + c, x, c, 0.0
    while i < n:
        total += tl.load(p) + tl.load(q) - tl.load(x + at)
        p += 2 * N
        q += i
        at += N
        k += 2
        i += 1
    tl.store(y + c, total)
    tl.store(y + 8 * N + c, tl.zeros((N,), tl.float32) + k)


@pytest.mark.parametrize("n", [-1, 0, 1, 5])
def test_pointers_go_round(n: int) -> None:
    x, t, y = arrays(n)
    flat, total, q = x.ravel(), np.zeros(N, np.float32), 0
    for i in range(n):
        total, q = total + x[2 * i] + flat[q] - x[i], q + i
    *_, y = run(goes_round, x, t, y, N=N, levels=False)
    np.testing.assert_allclose(y[0], total, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[8], 2.0 * max(n, 0), rtol=1e-5)


@nki_mlir.jit
def halved(x, t, y, N: tl.constexpr):
    c, left, k = tl.arange(0, N), tl.load(t), 0
    total = tl.zeros((N,), tl.float32)
    while left > 0 and k < 3:
        total += tl.load(x + left * N + c)
        left = left // 2
        k += 1
    tl.store(y + c, total + k)


@pytest.mark.parametrize("start", [0, 1, 13, 15])
def test_what_is_loaded_goes_round(start: int) -> None:
    x, t, y = arrays(start)
    rows = [r for r in (start, start // 2, start // 4) if r > 0]
    *_, y = run(halved, x, t, y, N=N, levels=False)
    np.testing.assert_allclose(y[0], x[rows].sum(0) + len(rows), rtol=1e-5)


@nki_mlir.jit
def nested(x, t, y, N: tl.constexpr):
    c, n, total = tl.arange(0, N), tl.load(t), tl.zeros((N,), tl.float32)
    for k in range(3):
        i, p = k, x + k * N
        while i * i < n:
            for j in range(2):
                total += tl.load(p + c) * (j + 1)
            p += 2 * N
            i += 2
    tl.store(y + c, total)


def test_loops_around_and_inside() -> None:
    x, t, y = arrays(40)
    rows = [i for k in range(3) for i in range(k, 7, 2) if i * i < 40]
    *_, y = run(nested, x, t, y, N=N, levels=False)
    np.testing.assert_allclose(y[0], 3 * x[rows].sum(0), rtol=1e-5)


@nki_mlir.jit
def until_few(x, t, y, N: tl.constexpr):
    c, n, k, q = tl.arange(0, N), tl.load(t), 0, y
    left = c < N
    while tl.sum(left.to(tl.int32)) > n:
        tl.store(q + c, tl.load(x + c, mask=left, other=-1.0))
        left = left & (c > k)
        k = k + 3
        q = q + N
    tl.store(y + 15 * N, k.to(tl.float32))  # pyright: ignore[reportAttributeAccessIssue]


def test_masks_go_round() -> None:
    x, t, before = arrays(4)
    *_, y = run(until_few, x, t, before, N=N, levels=False)
    left, k, wanted = np.ones(N, bool), 0, before.copy()
    while left.sum() > 4:
        wanted[k // 3] = np.where(left, x[0], -1)
        left, k = left & (np.arange(N) > k), k + 3
    wanted[15, 0] = k
    np.testing.assert_array_equal(y, wanted)


@nki_mlir.jit
def carried(x, t, y, CASE: tl.constexpr, N: tl.constexpr):
    c, r, p = tl.arange(0, N), 5, x + tl.arange(0, N)
    first, rows = tl.load(t + 0), tl.arange(0, N)
    for i in range(4):
        if CASE == "an index":
            tl.store(y + i * N + c, tl.load(x + r * N + c))
            r = (r * 3) % 16
        elif CASE == "a pointer by data":
            tl.store(y + i * N + c, tl.load(p))
            p += tl.load(t + i) * N
        elif CASE == "a pointer by the counter":
            tl.store(y + i * N + c, tl.load(p))
            p += i * N
        elif CASE == "pointers apart":
            tl.store(y + i * N + c, tl.load(p))
            p += tl.load(t + c)
        elif CASE == "indices":
            tl.store(y + i * N + c, tl.load(x + rows))
            rows = (rows * 3 + first) % 256
        else:
            tl.store(y + i * N + c, rows.to(tl.float32))
            rows = tl.load(t + c) + rows


STEPS = [1, 3, 2, 1]


def _carried(x: np.ndarray, case: str) -> np.ndarray:
    flat, c = x.ravel(), np.arange(N)
    if case == "an index":
        return x[[5, 15, 13, 7]]
    if case == "a pointer by data":
        return x[[0, 1, 4, 6]]
    if case == "a pointer by the counter":
        return x[[0, 0, 1, 3]]
    steps = np.array(STEPS * 4)
    if case == "pointers apart":
        return np.stack([flat[c + i * steps] for i in range(4)])
    if case == "indices":
        rows = [c]
        for _ in range(3):
            rows.append((rows[-1] * 3 + STEPS[0]) % 256)
        return flat[np.stack(rows)]
    return np.stack([c + i * steps for i in range(4)]).astype(np.float32)


CARRIED = ["an index", "a pointer by data", "a pointer by the counter", "pointers apart", "indices", "numbers"]


@pytest.mark.parametrize("case", CARRIED)
def test_what_has_no_fixed_step_is_carried(case: str) -> None:
    x, t, y = arrays(*STEPS * 4)
    *_, y = run(carried, x, t, y, CASE=case, N=N, levels=case != "numbers")
    np.testing.assert_array_equal(y[:4], _carried(x, case))


@nki_mlir.jit
def mistakes(x, t, y, CASE: tl.constexpr, N: tl.constexpr):
    c, i, s = tl.arange(0, N), 0, (1, 2)
    n = tl.load(t)
    if CASE == "endless":
        while i < 3:
            tl.store(y + c, tl.load(x + c))
    elif CASE == "true":
        while True:
            i += 1
    elif CASE == "a tensor":
        while c < n:
            c += 1
    elif CASE == "else":
        while i < n:
            i += 1
        else:
            i = 0
    elif CASE == "a tuple":
        while i < n:
            s = (i, i)
            i += 1
        tl.store(y, s[0])
    elif CASE == "a type":
        while i < n:
            i = i + c
    elif CASE == "only inside":
        while i < n:
            k = i
            i += 1
        tl.store(y, k)  # pyright: ignore[reportPossiblyUnboundVariable]
    elif CASE == "returns":
        while i < n:
            return
    else:
        while i < n:
            x = y + i
            i += 1
        tl.store(x, 1.0)


MISTAKES = {
    "endless": "this loop never ends: nothing that its condition depends on changes in it",
    "true": "this loop never ends",
    "a tensor": "the condition of a 'while' is one number, got",
    "else": "'else' of a loop is not supported",
    "a tuple": "'s' is a tuple before the loop and changes in it",
    "a type": "'i' is ",
    "only inside": "'k' is set only inside the loop",
    "returns": "'return' inside a loop is not supported",
    "set anew": "a pointer that a loop changes otherwise than by one fixed step",
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    error = refused(mistakes, *arrays(3), CASE=case, N=N)
    assert MISTAKES[case] in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def by_wide_numbers(x, t, y, N: tl.constexpr):
    r, c = tl.load(t).to(tl.int64), tl.arange(0, N)
    for i in range(3):
        tl.store(y + i * N + c, tl.load(x + r * N + c))
        r = tl.load(t + r)


def test_loaded_int64_that_go_round_are_refused() -> None:
    x, _, y = arrays()
    error = refused(by_wide_numbers, x, integers(4, np.int64, low=0, high=3), y, N=N)
    assert "a loop that carries an index or a sum of loaded int64 numbers is not supported" in error.message


@nki_mlir.jit
def bounds(x, t, y, CASE: tl.constexpr, N: tl.constexpr):
    c, a, b = tl.arange(0, N), tl.load(t), tl.load(t + 1)
    total = tl.zeros((N,), tl.float32)
    if CASE == "both loaded":
        for i in range(a, b):
            total = total * 0.5 + tl.load(x + i * N + c)
    elif CASE == "with a step":
        for i in range(a, b, 2):
            total = total * 0.5 + tl.load(x + (i - a) * N + c)
    elif CASE == "backwards":
        for i in range(b - 1, -1, -2):
            total = total * 0.5 + tl.load(x + i * N + c)
    else:
        for i in range(0, tl.where(b > a, b - a, 1)):
            total = total * 0.5 + tl.load(x + i * N + c)
    tl.store(y + c, total)


BOUNDS: dict[str, Any] = {
    "both loaded": lambda a, b: range(a, b),
    "with a step": lambda a, b: range(0, b - a, 2),
    "backwards": lambda a, b: range(b - 1, -1, -2),
    "chosen": lambda a, b: range(b - a if b > a else 1),
}


@pytest.mark.parametrize(("a", "b"), [(2, 7), (4, 5), (3, 3), (5, 2)])
@pytest.mark.parametrize("case", BOUNDS)
def test_bounds_that_are_computed(case: str, a: int, b: int) -> None:
    x, t, y = arrays(a, b)
    wanted = np.zeros(N, np.float32)
    for i in BOUNDS[case](a, b):
        wanted = wanted * np.float32(0.5) + x[i]
    *_, y = run(bounds, x, t, y, CASE=case, N=N, levels=False)
    np.testing.assert_allclose(y[0], wanted, rtol=1e-5)
