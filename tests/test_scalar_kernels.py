"""Single elements: program ids and counters as numbers, scalars loaded, stored under masks and carried by loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import floats, integers, run

import nki_mlir
import nki_mlir.language as tl

G = 6


@nki_mlir.jit
def program_numbers(x, out, CASE: tl.constexpr, N: tl.constexpr):
    pid = tl.program_id(0)
    at = tl.arange(0, N)
    a = tl.load(x + at)
    if CASE == "stored":
        r = pid + tl.zeros((N,), tl.int32)
    elif CASE == "halved":
        r = a * (pid // 2)
    elif CASE == "remainder":
        r = a + pid % 4
    elif CASE == "shifted":
        r = a * (pid >> 1) + (pid & 1)
    elif CASE == "squared":
        r = a - pid * pid
    elif CASE == "offsets":
        r = a + (pid * N + at)
    elif CASE == "product":
        r = a * (pid * 1000 + 3)
    elif CASE == "float":
        r = a * (pid.to(tl.float32) * 0.5 + 1.0)
    elif CASE == "where":
        r = tl.where(pid == 2, a, -a)
    elif CASE == "where not":
        r = tl.where(pid != 2, a, 0.0)
    elif CASE == "where less":
        r = tl.where(pid * N + at < 100, a, 7.0)
    elif CASE == "exp":
        r = a * tl.exp(-(pid.to(tl.float32)))
    else:
        r = a
    tl.store(out + pid * N + at, r)


PROGRAM_NUMBERS: dict[str, Any] = {
    "stored": lambda a, p, at: 0 * a + p,
    "halved": lambda a, p, at: a * (p // 2),
    "remainder": lambda a, p, at: a + p % 4,
    "shifted": lambda a, p, at: a * (p >> 1) + (p & 1),
    "squared": lambda a, p, at: a - p * p,
    "offsets": lambda a, p, at: a + (p * 32 + at),
    "product": lambda a, p, at: a * (p * 1000 + 3),
    "float": lambda a, p, at: a * (p * 0.5 + 1),
    "where": lambda a, p, at: np.where(p == 2, a, -a),
    "where not": lambda a, p, at: np.where(p != 2, a, 0),
    "where less": lambda a, p, at: np.where(p * 32 + at < 100, a, 7),
    "exp": lambda a, p, at: a * np.exp(-p.astype(np.float32)),
}


@pytest.mark.parametrize("case", PROGRAM_NUMBERS)
def test_program_ids_as_numbers(case: str) -> None:
    x = floats(32)
    p, at = np.arange(G)[:, None], np.arange(32)
    expected = PROGRAM_NUMBERS[case](x, p, at)
    *_, out = run(program_numbers, x, np.zeros((G, 32), np.float32), grid=(G,), rtol=1e-6, CASE=case, N=32)
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)


@nki_mlir.jit
def program_stored(out, D: tl.constexpr):
    pid = tl.program_id(0)
    tl.store(out + pid, pid // D)


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.int8, np.uint8, np.uint32], ids=str)
@pytest.mark.parametrize("divisor", [1, 2, 5])
def test_program_ids_stored(divisor: int, dtype: Any) -> None:
    (out,) = run(program_stored, np.zeros(G, dtype), grid=(G,), D=divisor)
    np.testing.assert_array_equal(out, np.arange(G) // divisor)


@nki_mlir.jit
def two_axes(out, COLUMNS: tl.constexpr):
    i, j = tl.program_id(0), tl.program_id(1)
    tl.store(out + i * COLUMNS + j, i * 100000 + j * 7 - 5)


def test_numbers_of_two_program_ids_by_digits() -> None:
    """More values than one table of indices holds."""
    (out,) = run(two_axes, np.zeros((3, 4), np.int32), grid=(3, 4), COLUMNS=4)
    np.testing.assert_array_equal(out, np.arange(3)[:, None] * 100000 + np.arange(4) * 7 - 5)


@nki_mlir.jit
def counters(x, out, STEPS: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    acc = tl.zeros((N,), tl.float32)
    for i in range(STEPS):
        acc += tl.load(x + i * N + at) * (i + 1)
        for j in range(3):
            acc += i - j
    tl.store(out + at, acc)


def test_loop_counters_as_numbers() -> None:
    x = integers((4, 64), np.int8).astype(np.float32)
    *_, out = run(counters, x, np.zeros(64, np.float32), STEPS=4, N=64)
    np.testing.assert_array_equal(out, (x * np.arange(1, 5)[:, None]).sum(0) + sum(3 * i - 3 for i in range(4)))


@nki_mlir.jit
def triangle(x, out, N: tl.constexpr):
    """Comparisons of two dimensions, and from below, as values."""
    rows, columns = tl.arange(0, N), tl.arange(0, N)
    at = rows[:, None] * N + columns[None, :]
    a = tl.load(x + at)
    causal = tl.where(rows[:, None] >= columns[None, :], a, -1000.0)
    tl.store(out + at, tl.where(columns[None, :] > 2, causal, 5.0))


def test_masks_that_bound_nothing_from_above_as_values() -> None:
    x = floats(32, 32)
    *_, out = run(triangle, x, np.zeros_like(x), N=32)
    rows, columns = np.mgrid[:32, :32]
    np.testing.assert_array_equal(out, np.where(columns > 2, np.where(rows >= columns, x, -1000), 5))


@nki_mlir.jit
def one_each(x, out, n, CASE: tl.constexpr):
    pid = tl.program_id(0)
    if CASE == "less":
        mask = pid < n
    elif CASE == "at least":
        mask = pid >= n
    elif CASE == "equal":
        mask = pid == n
    elif CASE == "not the first":
        mask = pid != 0
    elif CASE == "both":
        mask = (pid < n) & (pid > 0)
    else:
        mask = pid // 2 == 1
    v = tl.load(x + pid, mask=mask, other=-1.0)
    tl.store(out + pid, v)
    tl.store(out + tl.num_programs(0) + pid, 2.0 * v, mask=mask)


ONE_EACH: dict[str, Any] = {
    "less": lambda p: p < 3,
    "at least": lambda p: p >= 3,
    "equal": lambda p: p == 3,
    "not the first": lambda p: p != 0,
    "both": lambda p: (p < 3) & (p > 0),
    "halved": lambda p: p // 2 == 1,
}


@pytest.mark.parametrize("case", ONE_EACH)
def test_single_elements_under_masks(case: str) -> None:
    x, mask = floats(G), ONE_EACH[case](np.arange(G))
    *_, out = run(one_each, x, np.full((2, G), 9.0, np.float32), 3, grid=(G,), CASE=case)
    np.testing.assert_array_equal(out, [np.where(mask, x, -1), np.where(mask, 2 * x, 9)])


@nki_mlir.jit
def masked_scalar_spread(x, y, out, n, N: tl.constexpr):
    pid = tl.program_id(0)
    at = tl.arange(0, N)
    scale = tl.load(x + pid, mask=pid < n, other=0.5)
    tl.store(out + pid * N + at, tl.load(y + at) * scale)


def test_a_masked_scalar_beside_a_tensor() -> None:
    x, y = floats(G), floats(64)
    *_, out = run(masked_scalar_spread, x, y, np.zeros((G, 64), np.float32), 4, grid=(G,), N=64)
    np.testing.assert_array_equal(out, y * np.where(np.arange(G) < 4, x, np.float32(0.5))[:, None])


@nki_mlir.jit
def integer_scalars(k, x, out, N: tl.constexpr):
    at = tl.arange(0, N)
    i = tl.load(k)
    j = tl.load(k + 1)
    tl.store(out + at, tl.load(x + at) * i + (i + j) * 2)
    tl.store(out + N, i * j)
    tl.store(out + N + 1, tl.where(i < j, i, j))
    tl.store(out + N + 2, tl.maximum(i, j) & 7)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32], ids=str)
def test_integer_scalars(dtype: Any) -> None:
    k, x = integers(2, dtype, low=-11, high=11), integers(64, np.int8, 1).astype(np.float32)
    i, j = k.astype(np.int32)
    *_, out = run(integer_scalars, k, x, np.zeros(67, np.float32), N=64)
    tail = [dtype(i * j), min(i, j), dtype(max(i, j) & 7)]
    np.testing.assert_array_equal(out, np.concatenate([x * i + (i + j) * 2, tail]).astype(np.float32))


@nki_mlir.jit
def other_known_late(x, y, out, n, N: tl.constexpr):
    at = tl.arange(0, N)
    pid = tl.program_id(0)
    tl.store(out + pid * 2 * N + at, tl.load(x + at, mask=at < n, other=tl.load(y)))
    tl.store(out + (pid * 2 + 1) * N + at, tl.load(x + at, mask=at < n, other=pid))


def test_other_known_at_run_time() -> None:
    x, y = floats(40), floats(1, seed=1)
    *_, out = run(other_known_late, x, y, np.zeros((2, 2, 64), np.float32), 40, grid=(2,), N=64)
    padded = [[np.pad(x, (0, 24), constant_values=v) for v in (y[0], p)] for p in range(2)]
    np.testing.assert_array_equal(out, padded)


@nki_mlir.jit
def gathers(w, k, out, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    if CASE == "row":
        v = tl.load(w + tl.load(k) * N + at)
    elif CASE == "rows":
        v = tl.load(w + tl.load(k + at))
    elif CASE == "wide":
        v = tl.load(w + tl.load(k).to(tl.int64) * N + at)
    elif CASE == "reduced":
        v = tl.load(w + tl.max(tl.load(k + at)) + at)
    elif CASE == "chosen":
        v = tl.load(w + tl.where(tl.load(k + at) > 0, at, 0))
    else:
        v = tl.load(w + at)
        tl.store(out + N + tl.load(k + at), v)
    tl.store(out + at, v)


@pytest.mark.parametrize("case", ["row", "rows", "wide", "reduced", "chosen", "scatter"])
def test_addresses_that_depend_on_data(case: str) -> None:
    w, before = floats(64), floats(64, seed=1)
    k = np.random.default_rng(2).permutation(8).astype(np.int32)
    at = np.arange(8)
    places = {
        "row": k[0] * 8 + at,
        "rows": k,
        "wide": k[0] * 8 + at,
        "reduced": k.max() + at,
        "chosen": np.where(k > 0, at, 0),
        "scatter": at,
    }
    *_, out = run(gathers, w, k, before.copy(), CASE=case, N=8)
    expected = before.copy()
    expected[:8] = w[places[case]]
    if case == "scatter":
        expected[8 + k] = w[:8]
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def data_mask(x, k, out, CASE: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    if CASE == "load":
        tl.store(out + at, tl.load(x + at, mask=tl.load(k + at) > 0))
    elif CASE == "store":
        tl.store(out + at, tl.load(x + at), mask=tl.load(x + at) > 0.0)
    elif CASE == "scalar load":
        tl.store(out, tl.load(x, mask=tl.load(k) > 0))
    elif CASE == "scalar store":
        tl.store(out, 1.0, mask=tl.load(x) > 0.0)
    else:
        tl.store(out + at, tl.load(x + at), mask=at < tl.load(k))


@pytest.mark.parametrize("case", ["load", "store", "scalar load", "scalar store", "bound"])
def test_masks_that_depend_on_data(case: str) -> None:
    x, before = floats(64), floats(64, seed=1)
    k = np.array([5, 0, -3, 7, 1, 0, 0, 2], np.int32)
    *_, out = run(data_mask, x, k, before.copy(), CASE=case, N=8)
    expected = before.copy()
    if case == "load":
        expected[:8] = np.where(k > 0, x[:8], 0)
    elif case == "store":
        expected[:8] = np.where(x[:8] > 0, x[:8], before[:8])
    elif case == "scalar load":
        expected[0] = x[0]
    elif case == "scalar store":
        expected[0] = 1.0 if x[0] > 0 else before[0]
    else:
        expected[:5] = x[:5]
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def data_mask_value(x, k, out, N: tl.constexpr):
    """What such a mask may be used for."""
    at = tl.arange(0, N)
    tl.store(out + at, tl.where(at < tl.load(k), tl.load(x + at), 0.0))


def test_data_bounds_as_values() -> None:
    x, k = floats(64), np.array([17], np.int32)
    *_, out = run(data_mask_value, x, k, np.zeros(64, np.float32), N=64)
    np.testing.assert_array_equal(out, np.where(np.arange(64) < 17, x, 0))


@nki_mlir.jit
def narrow_index(x, out, N: tl.constexpr):
    pid = tl.program_id(0)
    at = tl.arange(0, N)
    row = pid.to(tl.int8).to(tl.int32) + 128
    tl.store(out + pid * N + at, tl.load(x + row * N + at))


def test_an_address_that_wraps_in_its_type() -> None:
    x = floats(256 * 8)
    *_, out = run(narrow_index, x, np.zeros(200 * 8, np.float32), grid=(200,), N=8)
    rows = np.arange(200).astype(np.int8).astype(int) + 128
    np.testing.assert_array_equal(out.reshape(200, 8), x.reshape(256, 8)[rows])


@nki_mlir.jit
def carried_scalars(x, out, STEPS: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, N)
    most = -float("inf")
    total = 0.0
    for i in range(STEPS):
        a = tl.load(x + i * N + at)
        most = tl.maximum(most, tl.max(a))
        total = total * 0.5 + tl.sum(a)
    tl.store(out, most)
    tl.store(out + 1, total)


def test_scalars_carried_by_a_loop() -> None:
    x = integers((5, 64), np.int8).astype(np.float32)
    total = np.float32(0)
    for a in x:
        total = total * np.float32(0.5) + a.sum()
    *_, out = run(carried_scalars, x, np.zeros(2, np.float32), STEPS=5, N=64)
    np.testing.assert_array_equal(out, [x.max(), total])


@nki_mlir.jit
def index_choices(x, k, out, CASE: tl.constexpr, N: tl.constexpr):
    """Indices that no offset and stride give, as values."""
    at = tl.arange(0, N)
    pid = tl.program_id(0)
    if CASE == "chosen by data":
        r = tl.abs(tl.where(tl.load(x + at) > 0.0, at, -at))
    elif CASE == "bits":
        r = 5 | at ^ 3 & at
    elif CASE == "sum":
        r = tl.sum(at + pid) + at
    elif CASE == "limited":
        r = tl.minimum(at, 10)
    elif CASE == "magnitude":
        r = tl.abs(1 - pid) + at * 0
    else:
        r = 5 | tl.load(k + at)
    tl.store(out + pid * N + at, r)


INDEX_CHOICES: dict[str, Any] = {
    "chosen by data": lambda k, p, at: at + 0 * p,
    "bits": lambda k, p, at: (5 | at ^ 3 & at) + 0 * p,
    "sum": lambda k, p, at: 2016 + 64 * p + at,
    "limited": lambda k, p, at: np.minimum(at, 10) + 0 * p,
    "magnitude": lambda k, p, at: np.abs(1 - p) + 0 * at,
    "constant first": lambda k, p, at: (5 | k) + 0 * p,
}


@pytest.mark.parametrize("case", INDEX_CHOICES)
def test_indices_that_are_not_affine_as_numbers(case: str) -> None:
    k = integers(64, np.int32)
    expected = INDEX_CHOICES[case](k, np.arange(3)[:, None], np.arange(64))
    *_, out = run(index_choices, floats(64), k, np.zeros((3, 64), np.int32), grid=(3,), CASE=case, N=64)
    np.testing.assert_array_equal(out, expected)
