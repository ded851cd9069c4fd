"""Rows and elements that index tiles name: gathers and scatters under every kind of mask, against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, refused, run

import nki_mlir
import nki_mlir.language as tl

DTYPES = [np.float32, ml_dtypes.bfloat16, np.int32, np.int64]


def data(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    """Random signed numbers of a type."""
    rng = np.random.default_rng(seed)
    if dtype == np.int64:
        return rng.integers(-(2**62), 2**62, shape)
    return (rng.standard_normal(shape) * 1000).astype(dtype)


@nki_mlir.jit
def rows(x, index, y, n, width, STRIDE: tl.constexpr, R: tl.constexpr, C: tl.constexpr, BACK: tl.constexpr):
    """The first `n` of the named rows, or the places of these rows, `width` columns of each."""
    r = tl.program_id(0) * R + tl.arange(0, R)
    c = tl.arange(0, C)
    named = tl.load(index + r, mask=r < n, other=0)
    there = named[:, None] * STRIDE + c[None, :]
    here = r[:, None] * STRIDE + c[None, :]
    mask = (r < n)[:, None] & (c < width)[None, :]
    if BACK:
        tl.store(y + there, tl.load(x + here, mask=mask, other=0), mask=mask)
    else:
        tl.store(y + here, tl.load(x + there, mask=mask, other=-3), mask=mask)


@pytest.mark.parametrize("back", [False, True], ids=["gather", "scatter"])
@pytest.mark.parametrize("kind", [np.int32, np.int64], ids=["i32", "i64"])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
def test_rows(dtype: Any, kind: Any, back: bool) -> None:
    x, before = data((45, 37), dtype), data((45, 37), dtype, 1)
    index = np.random.default_rng(2).permutation(45)[:41].astype(kind)
    levels = dtype == np.float32 or kind == dtype
    *_, y = run(rows, x, index, before, 41, 33, grid=(3,), levels=levels, STRIDE=37, R=16, C=64, BACK=back)
    expected = before.copy()
    if back:
        expected[index, :33] = x[:41, :33]
    else:
        expected[:41, :33] = x[index, :33]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("target", ["trn1", "trn2", "trn3"])
def test_rows_on_every_target(target: str) -> None:
    x, index, y = floats(300, 20), integers(200, np.int32, low=0, high=299), np.zeros((300, 20), np.float32)
    compiled = rows.compile(x, index, y, 200, 20, grid=(1,), target=target, STRIDE=20, R=256, C=32, BACK=False)
    compiled.run(x, index, y, 200, 20, STRIDE=20, R=256, C=32, BACK=False)
    np.testing.assert_array_equal(y[:200], x[index])
    assert not y[200:].any()


@nki_mlir.jit
def elements(x, k, y, CASE: tl.constexpr, R: tl.constexpr, C: tl.constexpr, M: tl.constexpr):
    """A tile whose elements are each somewhere else."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    at = r[:, None] * C + c[None, :]
    t = tl.load(k + at)
    mask = t >= 0
    if CASE == "gather":
        tl.store(y + at, tl.load(x + t, mask=mask, other=-1.0))
    elif CASE == "scatter":
        tl.store(y + t, tl.load(x + at), mask=mask)
    elif CASE == "wrapped":
        tl.store(y + at, tl.load(x + (t + M) % M))
    elif CASE == "halved":
        tl.store(y + at, tl.load(x + tl.where(mask, t, 0) // 2))
    elif CASE == "triangle":
        tl.store(y + at, tl.load(x + tl.where(mask, t, 0), mask=(r[:, None] >= c[None, :]) & mask, other=7.0))
    elif CASE == "diagonals":
        tl.store(y + at, tl.load(x + at, mask=r[:, None] + c[None, :] < R, other=2.0))
    elif CASE == "wrapped rows":
        tl.store(y + at, tl.load(x + (r[:, None] * 5 % R) * C + c[None, :]))
    elif CASE == "wrapped all":
        tl.store(y + at, tl.load(x + (at * 7) % (R * C - 1)))
    elif CASE == "divided":
        tl.store(y + at, tl.load(x + at // 3))
    else:
        tl.store(y + at, tl.load(x + at, mask=mask & (r[:, None] < R - 1)))


ELEMENTS: dict[str, Any] = {
    "gather": lambda x, k, r, c, at: np.where(k >= 0, x[np.maximum(k, 0)], -1),
    "wrapped": lambda x, k, r, c, at: x[(k + x.size) % x.size],
    "halved": lambda x, k, r, c, at: x[np.maximum(k, 0) // 2],
    "triangle": lambda x, k, r, c, at: np.where((r >= c) & (k >= 0), x[np.maximum(k, 0)], 7),
    "diagonals": lambda x, k, r, c, at: np.where(r + c < 16, x[at], 2),
    "wrapped rows": lambda x, k, r, c, at: x[r * 5 % 16 * 8 + c],
    "wrapped all": lambda x, k, r, c, at: x[at * 7 % 127],
    "divided": lambda x, k, r, c, at: x[at // 3],
    "by element": lambda x, k, r, c, at: np.where((k >= 0) & (r < 15), x[at], 0),
}


@pytest.mark.parametrize("case", [*ELEMENTS, "scatter"])
def test_elements(case: str) -> None:
    x = floats(128)
    k = np.random.default_rng(3).permutation(128).astype(np.int32).reshape(-1, 8)
    k[::3, ::4] = -1
    before = floats(128, seed=1)
    *_, y = run(elements, x, k, before, CASE=case, R=16, C=8, M=128)
    r, c = np.mgrid[:16, :8]
    if case == "scatter":
        expected = before.copy()
        expected[k[k >= 0]] = x.reshape(-1, 8)[k >= 0]
    else:
        expected = ELEMENTS[case](x, k, r, c, r * 8 + c).astype(np.float32).reshape(-1)
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def crossed(x, a, b, y, S0: tl.constexpr, S1: tl.constexpr, R: tl.constexpr, C: tl.constexpr, BACK: tl.constexpr):
    """`x[a[:, None], b[None, :]]`."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    there = tl.load(a + r)[:, None] * S0 + tl.load(b + c)[None, :] * S1
    here = r[:, None] * C + c[None, :]
    if BACK:
        tl.store(y + there, tl.load(x + here))
    else:
        tl.store(y + here, tl.load(x + there))


@pytest.mark.parametrize("strides", [(23, 1), (1, 19)], ids=str)
@pytest.mark.parametrize("kind", [np.int32, np.int64, np.int16], ids=lambda d: np.dtype(d).name)
def test_several_index_tiles(kind: Any, strides: tuple[int, int]) -> None:
    x = floats(19, 23)
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 19, 8).astype(kind), rng.integers(0, 23, 16).astype(kind)
    memory = x if strides == (23, 1) else np.ascontiguousarray(x.T)
    *_, y = run(
        crossed, memory, a, b, np.zeros((8, 16), np.float32), S0=strides[0], S1=strides[1], R=8, C=16, BACK=False
    )
    np.testing.assert_array_equal(y, x[a[:, None].astype(int), b[None, :].astype(int)])


def test_several_index_tiles_scatter() -> None:
    x, rng = floats(8, 16), np.random.default_rng(5)
    a, b = rng.permutation(19)[:8].astype(np.int32), rng.permutation(23)[:16].astype(np.int64)
    *_, y = run(crossed, x, a, b, np.zeros((19, 23), np.float32), S0=23, S1=1, R=8, C=16, BACK=True)
    expected = np.zeros((19, 23), np.float32)
    expected[a[:, None], b[None, :]] = x
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def paged(x, table, y, n, PAGE: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """Rows of pages that a table names: the index is divided, and its remainder added."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    page = tl.load(table + r // PAGE, mask=r < n, other=0)
    at = (page[:, None] * PAGE + (r % PAGE)[:, None]) * C + c[None, :]
    tl.store(y + r[:, None] * C + c[None, :], tl.load(x + at, mask=(r < n)[:, None], other=0.0))


def test_pages() -> None:
    x, table = floats(12 * 8, 16), np.random.default_rng(6).permutation(12)[:5].astype(np.int32)
    *_, y = run(paged, x, table, np.ones((64, 16), np.float32), 37, PAGE=8, R=64, C=16)
    r = np.arange(37)
    np.testing.assert_array_equal(y[:37], x[table[r // 8] * 8 + r % 8])
    assert not y[37:].any()


@nki_mlir.jit
def one_row(x, index, y, scale, N: tl.constexpr, ALONG: tl.constexpr):
    """A row for each program; -1 names none."""
    pid = tl.program_id(0)
    c = tl.arange(0, N)
    k = tl.load(index + pid)
    if ALONG:
        v = tl.load(x + k * N + c, mask=k >= 0, other=5.0)
        tl.store(y + pid * N + c, v * tl.load(scale + k, mask=k >= 0, other=2.0))
    else:
        tl.store(y + k * N + c, tl.load(x + pid * N + c), mask=(k >= 0) & (c < N - 2))


@pytest.mark.parametrize("along", [True, False], ids=["gather", "scatter"])
@pytest.mark.parametrize("kind", [np.int32, np.int64], ids=["i32", "i64"])
def test_scalar_rows(kind: Any, along: bool) -> None:
    x, scale, before = floats(9, 64), floats(9, seed=1), floats(9, 64, seed=2)
    index = np.array([3, -1, 8, 0, -1, 5, 7], kind)
    *_, y, _ = run(one_row, x, index, before, scale, grid=(7,), N=64, ALONG=along)
    expected = before.copy()
    for p, k in enumerate(index):
        if along:
            expected[p] = x[k] * scale[k] if k >= 0 else 10
        elif k >= 0:
            expected[k, :62] = x[p, :62]
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def in_a_loop(x, index, y, STEPS: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    acc = tl.zeros((R, C), tl.float32)
    for i in range(STEPS):
        k = tl.load(index + i * R + r)
        acc += tl.load(x + k[:, None] * C + c[None, :], mask=(k != -1)[:, None], other=0.0)
    tl.store(y + r[:, None] * C + c[None, :], acc)


def test_rows_in_a_loop() -> None:
    x = integers((40, 16), np.int8).astype(np.float32)
    index = integers((5, 256), np.int32, low=-1, high=39)
    *_, y = run(in_a_loop, x, index, np.zeros((256, 16), np.float32), STEPS=5, R=256, C=16)
    np.testing.assert_array_equal(y, np.where((index >= 0)[..., None], x[np.maximum(index, 0)], 0).sum(0))


@nki_mlir.jit
def beyond(x, index, y, N: tl.constexpr, STORE: tl.constexpr):
    at = tl.arange(0, N)
    k = tl.load(index + at)
    if STORE:
        tl.store(y + k, tl.load(x + at))  # the store
    else:
        tl.store(y + at, tl.load(x + k))  # the load


@pytest.mark.parametrize("store", [False, True], ids=["gather", "scatter"])
@pytest.mark.parametrize("bad", [64, -1, -(2**31), 2**32 + 3, -(2**40)])
def test_places_that_there_are_not(bad: int, store: bool) -> None:
    index = np.arange(8).astype(np.int64 if abs(bad) > 2**31 else np.int32)
    index[5] = bad
    with pytest.raises(nki_mlir.ExecutionError) as error:
        beyond[(1,)](floats(64), index, floats(64), N=8, STORE=store)
    shown = bad if abs(bad) < 2**32 else 64
    assert f"dma_copy on gpsimd: index {shown}, number 6 of 8, is out of range" in str(error.value)
    line = "# the store" if store else "# the load"
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    number = next(number for number, text in enumerate(source, 1) if text.endswith(line))
    assert f"test_gathers.py:{number}: " in str(error.value)


@nki_mlir.jit
def chosen_pointer(x, y, k, out):
    p = tl.where(tl.load(k) > 0, x, y)
    tl.store(out, tl.load(p))


def test_pointers_chosen_by_data() -> None:
    error = refused(chosen_pointer, floats(4), floats(4), np.ones(1, np.int32), floats(4))
    assert "load from both and choose between the values" in error.message


@nki_mlir.jit
def slanted(x, index, y, R: tl.constexpr, C: tl.constexpr, BACK: tl.constexpr):
    """Rows that are named by an index tile and also move on with their number."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    there = (tl.load(index + r)[:, None] + (r[:, None] % R + 1)) * C + c[None, :]
    here = r[:, None] * C + c[None, :]
    if BACK:
        tl.store(y + there, tl.load(x + here))
    else:
        tl.store(y + here, tl.load(x + there))


@pytest.mark.parametrize("back", [False, True], ids=["gather", "scatter"])
def test_rows_named_and_counted(back: bool) -> None:
    x, before, index = data((45, 8), np.float32), data((45, 8), np.float32, 1), np.array([9, 4, 30, 1], np.int32)
    named = index + np.arange(4) + 1
    *_, y = run(slanted, x, index, before, R=4, C=8, BACK=back)
    expected = before.copy()
    expected[named if back else np.arange(4)] = x[:4] if back else x[named]
    np.testing.assert_array_equal(y, expected)


@nki_mlir.jit
def columns_of_indices(x, index, y, n, R: tl.constexpr, C: tl.constexpr):
    """Rows that are named by a column of remainders of sums, which has two dimensions."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    named = (tl.load(index + r)[:, None] + r[:, None] % (R // 2)) % n
    tl.store(y + r[:, None] * C + c[None, :], tl.load(x + named * C + c[None, :]))


def test_rows_named_by_a_column() -> None:
    x, index = data((7, 16), np.float32), integers(8, np.int32, low=0, high=40)
    *_, y = run(columns_of_indices, x, index, np.zeros((8, 16), np.float32), 7, R=8, C=16)
    np.testing.assert_array_equal(y, x[(index + np.arange(8) % 4) % 7])


@nki_mlir.jit
def transposed(x, index, y, R: tl.constexpr, C: tl.constexpr):
    """Elements that an index tile names with its dimensions exchanged."""
    r, c = tl.arange(0, R), tl.arange(0, C)
    named = tl.trans(tl.load(index + r[:, None] * C + c[None, :]))
    tl.store(y + c[:, None] * R + r[None, :], tl.load(x + named))


def test_elements_named_by_a_transposed_tile() -> None:
    x, index = data((100,), np.float32), integers((4, 8), np.int32, low=0, high=99)
    *_, y = run(transposed, x, index, np.zeros((8, 4), np.float32), R=4, C=8)
    np.testing.assert_array_equal(y, x[index.T])
