"""`if` on what is known only at run time: program ids and loaded data, returns, loops, and variables behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

G, N = 5, 64


@nki_mlir.jit
def by_program(x, y, n, CASE: tl.constexpr, N: tl.constexpr):
    pid = tl.program_id(0)
    at = pid * N + tl.arange(0, N)
    v = tl.load(x + at)
    if CASE == "return":
        if pid >= n:
            return
        tl.store(y + at, v)
    elif CASE == "either":
        if pid < n:
            tl.store(y + at, v)
        else:
            tl.store(y + at, -v)
    elif CASE == "three":
        if pid == 0:
            v = v * 2
        elif pid < n:
            v += 1
        else:
            v = -v
        tl.store(y + at, v)
    elif CASE == "nested":
        if pid > 0:
            w = v + 1
            if pid != n:
                tl.store(y + at, w)
            tl.store(y + at, w * 3, mask=at % N < 5)
    elif CASE == "deep return":
        if pid > 0:
            if pid > n:
                return
            v = v + 1
        tl.store(y + at, v)
    elif CASE == "both return":
        if pid % 2 == 0:
            tl.store(y + at, v)
            return
        else:
            tl.store(y + at, v * 5)
            return
    elif CASE == "number":
        if pid > n:
            pass
        else:
            tl.store(y + at, v, mask=at % N < 37)
    else:
        if n > 3:  # noqa: SIM102
            if pid == 1:
                return
        tl.store(y + at, v * 2)


def _each(function: Any) -> Any:
    return lambda x, before, n: np.stack([function(x[p], before[p], p, n) for p in range(G)])


BY_PROGRAM: dict[str, Any] = {
    "return": lambda x, b, p, n: x if p < n else b,
    "either": lambda x, b, p, n: x if p < n else -x,
    "three": lambda x, b, p, n: x * 2 if p == 0 else x + 1 if p < n else -x,
    "nested": lambda x, b, p, n: np.where(np.arange(N) < 5, (x + 1) * 3, x + 1 if p != n else b) if p > 0 else b,
    "deep return": lambda x, b, p, n: b if p > n else x + 1 if p > 0 else x,
    "both return": lambda x, b, p, n: x if p % 2 == 0 else x * 5,
    "number": lambda x, b, p, n: b if p > n else np.where(np.arange(N) < 37, x, b),
    "return in a known if": lambda x, b, p, n: b if n > 3 and p == 1 else x * 2,
}


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("case", BY_PROGRAM)
def test_program_ids_decide(case: str, n: int) -> None:
    x, before = floats(G, N), floats(G, N, seed=1)
    *_, y = run(by_program, x, before, n, grid=(G,), levels=n == 3, CASE=case, N=N)
    np.testing.assert_array_equal(y, _each(BY_PROGRAM[case])(x, before, n))


@nki_mlir.jit
def by_data(x, flags, y, CASE: tl.constexpr, N: tl.constexpr):
    pid = tl.program_id(0)
    at = pid * N + tl.arange(0, N)
    k = tl.load(flags + pid)
    v = tl.load(x + at)
    if CASE == "return":
        if k < 0:
            return
        tl.store(y + at, v)
    elif CASE == "three":
        s = 0.5
        if k > 0:
            s = tl.max(v, axis=0)
        elif k == 0:
            tl.store(y + at, v * 3)
            return
        else:
            v = v - 1
        tl.store(y + at, v * s)
    elif CASE == "truth":
        if k:
            tl.store(y + at, v, mask=v > 0.0)
    elif CASE == "nested":
        if k > 0:
            if pid < 2:
                v = v + k
            else:
                v = v - k
        tl.store(y + at, v)
    elif CASE == "float":
        if tl.sum(v) > 0.0:
            tl.store(y + at, v)
        else:
            tl.store(y + at, -v)
    elif CASE == "in a loop":
        acc = tl.zeros((N,), tl.float32)
        for i in range(4):
            if k > i:
                acc += v
            else:
                acc = acc * 2 - v
        tl.store(y + at, acc)
    elif CASE == "round a loop":
        acc = v
        if k > 0:
            for i in range(3):
                acc = acc + tl.load(x + i * N + tl.arange(0, N))
        tl.store(y + at, acc)
    elif CASE == "stores in a loop":
        for i in range(3):
            if k > i:
                tl.store(y + at, v + i)
    elif CASE == "integers":
        m = k
        if k > 0:
            m = 7
        tl.store(y + at, v * m)
    else:
        if k > 0:
            row = k
        else:
            row = pid.to(tl.int32)
        tl.store(y + at, tl.load(x + (row % 5) * N + tl.arange(0, N)))


def _looped(x: np.ndarray, k: int) -> np.ndarray:
    acc = np.zeros_like(x)
    for i in range(4):
        acc = acc + x if k > i else acc * 2 - x
    return acc


BY_DATA: dict[str, Any] = {
    "return": lambda x, b, p, k, all_: b if k < 0 else x,
    "three": lambda x, b, p, k, all_: x * x.max() if k > 0 else x * 3 if k == 0 else (x - 1) * np.float32(0.5),
    "truth": lambda x, b, p, k, all_: np.where((x > 0) & (k != 0), x, b),
    "nested": lambda x, b, p, k, all_: x if k <= 0 else x + k if p < 2 else x - k,
    "float": lambda x, b, p, k, all_: x if x.sum() > 0 else -x,
    "in a loop": lambda x, b, p, k, all_: _looped(x, k),
    "round a loop": lambda x, b, p, k, all_: x + all_[0] + all_[1] + all_[2] if k > 0 else x,
    "stores in a loop": lambda x, b, p, k, all_: x + min(k, 3) - 1 if k > 0 else b,
    "integers": lambda x, b, p, k, all_: x * (7 if k > 0 else k),
    "rows": lambda x, b, p, k, all_: all_[(k if k > 0 else p) % 5],
}


@pytest.mark.parametrize("case", BY_DATA)
def test_data_decide(case: str) -> None:
    x = integers((G, N), np.int8).astype(np.float32)
    before, flags = floats(G, N, seed=1), np.array([2, 0, -1, 4, 1], np.int32)
    *_, y = run(by_data, x, flags, before, grid=(G,), CASE=case, N=N)
    expected = [BY_DATA[case](x[p], before[p], p, int(flags[p]), x) for p in range(G)]
    np.testing.assert_array_equal(y, np.stack(expected))


@nki_mlir.jit
def greater(a, b):
    if a > b:
        return a
    return b


@nki_mlir.jit
def sign(a):
    if a > 0.0:
        return 1.0
    else:
        if a < 0.0:
            return -1.0
    return 0.0


@nki_mlir.jit
def half(a, POSITIVE: tl.constexpr):
    if POSITIVE:  # noqa: SIM102
        if a < 0.0:
            return -a
    b = a * 0.5
    return b


@nki_mlir.jit
def stored(y, a):
    if a > 0.0:
        tl.store(y, a)
        return
    tl.store(y, a - 1.0)


@nki_mlir.jit
def calls(x, y):
    pid = tl.program_id(0)
    a, b = tl.load(x + pid), tl.load(x + pid + 1)
    tl.store(y + pid * 5, greater(a, b))
    tl.store(y + pid * 5 + 1, sign(a))
    tl.store(y + pid * 5 + 2, half(a, True))
    tl.store(y + pid * 5 + 3, half(a, False))
    stored(y + pid * 5 + 4, a)


def test_helpers_return_from_both_sides() -> None:
    x = floats(8)
    x[3] = 0
    _, y = run(calls, x, np.zeros((7, 5), np.float32), grid=(7,))
    a, b = x[:-1], x[1:]
    columns = [np.maximum(a, b), np.sign(a), np.where(a < 0, -a, a / 2), a / 2, np.where(a > 0, a, a - 1)]
    np.testing.assert_array_equal(y, np.stack(columns, 1))


@nki_mlir.jit
def mistakes(x, y, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    k = tl.load(x)
    v = tl.load(x + at)
    if CASE == "one side":
        if k > 0.0:
            w = v
        tl.store(y + at, w)  # pyright: ignore[reportPossiblyUnboundVariable]
    elif CASE == "shapes":
        if k > 0.0:
            v = 1.0 + k
        tl.store(y + at, v)
    elif CASE == "types":
        if k > 0.0:
            v = v.to(tl.int32)
        tl.store(y + at, v)
    elif CASE == "pointers":
        p = x
        if k > 0.0:
            p = y
        tl.store(y + at, tl.load(p + at))
    elif CASE == "tuples":
        t = (1, 2)
        if k > 0.0:
            t = (3, 4)
        tl.store(y + at, v * t[0])
    elif CASE == "tensor":
        if v > 0.0:
            tl.store(y + at, v)
    elif CASE == "one returns a value":
        tl.store(y + at, lost(k))
    else:
        tl.store(y + at, mixed(v))


@nki_mlir.jit
def lost(k):
    if k > 0.0:
        return k


@nki_mlir.jit
def mixed(v):
    if tl.max(v) > 0.0:
        return v
    return tl.max(v)


MISTAKES = {
    "one side": "'w' is set on one side only of the 'if' in line",
    "shapes": "its type and shape must be the same",
    "types": "its type and shape must be the same",
    "pointers": "a pointer that is chosen by a condition",
    "tuples": "a variable that depends on a run-time condition must be a number or a tensor",
    "tensor": "the condition of an 'if' is one number, got",
    "one returns a value": "one side of this 'if' returns",
    "mixed": "what is returned is",
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    error = refused(mistakes, floats(N), floats(N), CASE=case, N=N)
    assert MISTAKES[case] in error.message, error.message
    assert error.file == __file__ and error.line is not None


@nki_mlir.jit
def below_the_diagonal(x, y, n, N: tl.constexpr):
    i, j = tl.program_id(0) // n, tl.program_id(0) % n
    if i <= j:
        return
    tl.store(y + tl.arange(0, N), tl.load(x + tl.arange(0, N)))


def test_a_kernel_of_which_nothing_is_left() -> None:
    """All its programs return at once."""
    x, y = floats(N), floats(N)
    after = y.copy()
    below_the_diagonal.compile(x, after, 3, N=N, grid=(3,)).run(x, after, 3, N=N, checks=False)
    np.testing.assert_array_equal(after, y)
