"""Tensors of any rank: their dimensions in another order, merged and cut, at every level and against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import floats, integers, run
from reference.builder import Kernel
from reference.levels import check_levels
from xdsl.dialects.builtin import IntegerType, Signedness, bf16, f32, i32

import nki_mlir
import nki_mlir.language as tl

DTYPES = [np.float32, ml_dtypes.bfloat16, np.int32, np.uint8]
ELEMENTS = {
    "float32": f32,
    "bfloat16": bf16,
    "int32": i32,
    "uint8": IntegerType(8, Signedness.UNSIGNED),
}


def numbers(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    if np.dtype(dtype).kind in "iu":
        return integers(shape, dtype, seed)
    return floats(*shape, seed=seed).astype(dtype)


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(np.prod(shape[d + 1 :], dtype=int)) for d in range(len(shape)))


def moved(x: np.ndarray, change: Any, shape: tuple[int, ...]) -> np.ndarray:
    """What a kernel stores that loads `x` whole, changes it and doubles it."""
    element = ELEMENTS[x.dtype.name]
    k = Kernel((1,), [(element, x.shape), (element, shape)])
    source, out = k.args
    zero = k.index(0)
    loaded = k.read(source, zero, row_major(x.shape), x.shape)
    y = change(loaded + loaded)
    k.write(y + y, out, zero, row_major(shape))
    (_, got) = check_levels(k.module(), [x, np.zeros(shape, x.dtype)], seeds=(1,))
    return got


PERMUTED = [
    ((3, 5), (1, 0)),
    ((129, 131), (1, 0)),
    ((3, 5, 7), (2, 0, 1)),
    ((2, 129, 3), (1, 2, 0)),
    ((130, 1, 5), (1, 0, 2)),
    ((2, 3, 4, 5), (3, 1, 0, 2)),
    ((2, 2, 2, 2, 2), (4, 2, 0, 3, 1)),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shape", "order"), PERMUTED, ids=str)
def test_permute(shape: tuple[int, ...], order: tuple[int, ...], dtype: Any) -> None:
    x = numbers(shape, dtype)
    four = np.asarray(x + x) + (x + x)
    expected = four.transpose(order)
    np.testing.assert_array_equal(moved(x, lambda v: v.permute(*order), expected.shape), expected)


RESHAPED = [
    ((6,), (2, 3)),
    ((6, 35), (210,)),
    ((4, 6), (8, 3)),
    ((7, 9), (9, 7)),
    ((131, 12), (12, 131)),
    ((129, 6), (43, 18)),
    ((3, 5, 7), (15, 7)),
    ((3, 5, 7), (3, 35)),
    ((1, 30, 1), (5, 1, 6)),
    ((1021,), (1, 1021, 1)),
    ((2, 4096), (8, 8, 128)),
    ((3, 257), (771,)),
    ((130, 1), (130,)),
    ((1, 1), (1,)),
    ((6, 1, 1), (6,)),
    ((6,), (6, 1, 1)),
    ((8, 1, 1), (2, 1, 4)),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shape", "to"), RESHAPED, ids=str)
def test_reshape(shape: tuple[int, ...], to: tuple[int, ...], dtype: Any) -> None:
    x = numbers(shape, dtype)
    expected = (np.asarray(x + x) + (x + x)).reshape(to)
    np.testing.assert_array_equal(moved(x, lambda v: v.reshape(*to), to), expected)


def test_a_reshape_of_what_fits_on_no_partition_is_spread() -> None:
    x = floats(2, 65536)
    np.testing.assert_array_equal(moved(x, lambda v: v.reshape(131072), (131072,)), 4 * x.reshape(-1))
    np.testing.assert_array_equal(moved(x, lambda v: v.reshape(512, 256), (512, 256)), 4 * x.reshape(512, 256))


def test_reshapes_and_permutes_one_after_the_other() -> None:
    x = floats(24, 10)

    def change(v: Any) -> Any:
        return v.reshape(4, 6, 10).permute(1, 2, 0).reshape(60, 4).permute(1, 0).reshape(8, 30)

    expected = (4 * x).reshape(4, 6, 10).transpose(1, 2, 0).reshape(60, 4).T.reshape(8, 30)
    np.testing.assert_array_equal(moved(x, change, (8, 30)), expected)


@nki_mlir.jit
def functions_kernel(x_ptr, out_ptr, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    at = tl.arange(0, A * B * C)
    x = tl.load(x_ptr + tl.reshape(at, (A, B, C)))
    y = tl.permute(x, (2, 0, 1)) + tl.trans(x, 2, 0, 1) + x.permute(2, 0, 1) + tl.trans(tl.permute(x, 2, 1, 0))
    z = tl.view(y, (C * A, B)) + y.reshape(C * A, B) + tl.trans(y, (0, 1, 2)).view(C * A, B)
    tl.store(out_ptr + at, tl.ravel(z) + z.T.T.ravel())


def test_the_functions_of_triton() -> None:
    x = floats(4, 8, 16)
    _, out = run(functions_kernel, x, np.zeros(512, np.float32), A=4, B=8, C=16)
    np.testing.assert_array_equal(out, 24 * x.transpose(2, 0, 1).ravel())


@nki_mlir.jit
def indices_kernel(x_ptr, out_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    block = at[:, None] * 100 + at[None, :]
    flat = tl.reshape(block, (N * N,))
    pointers = tl.reshape(x_ptr + tl.reshape(tl.arange(0, N * N), (N, N)), (N * N,))
    mask = tl.reshape(tl.reshape(tl.arange(0, N * N), (N, N)) < 50, (N * N,))
    x = tl.load(pointers, mask=mask, other=-1.0)
    tl.store(out_ptr + tl.arange(0, N * N), x + flat.to(tl.float32))


def test_reshaped_indices_pointers_and_masks() -> None:
    """Indices that a reshape leaves no stride are made as numbers before it."""
    x = floats(64)
    _, out = run(indices_kernel, x, np.zeros(64, np.float32), N=8)
    i = np.arange(8)
    expected = np.where(np.arange(64) < 50, x, np.float32(-1)) + (i[:, None] * 100 + i).ravel().astype(np.float32)
    np.testing.assert_array_equal(out, expected)


@nki_mlir.jit
def scattered_kernel(x_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    tl.store(x_ptr + tl.reshape(at[:, None] * 100 + at[None, :], (N * N,)), 1.0)


def test_an_address_that_a_reshape_leaves_no_stride() -> None:
    x, expected = np.zeros(1000, np.float32), np.zeros(1000, np.float32)
    scattered_kernel[(1,)](x, N=8)
    expected[(np.arange(8)[:, None] * 100 + np.arange(8)).reshape(-1)] = 1
    np.testing.assert_array_equal(x, expected)


def test_a_reshape_of_what_is_read_over_and_over() -> None:
    x = floats(131, 1)
    expected = np.repeat(4 * x, 12, axis=1).reshape(12, 131)
    got = moved(x, lambda v: v.broadcast((131, 12)).reshape(12, 131), (12, 131))
    np.testing.assert_array_equal(got, expected)
