"""Tensor descriptors: blocks read and written by offsets, zero outside of the array, at every level, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from kernels import floats, run

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def absolute_kernel(x, out, M, N, BM: tl.constexpr, BN: tl.constexpr):
    source = tl.make_tensor_descriptor(x, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    target = tl.make_tensor_descriptor(out, [M, N], [N, 1], [BM, BN])
    i, j = tl.program_id(0) * BM - 4, tl.program_id(1) * BN
    value = source.load([i, j])
    target.store([i, j], tl.abs(value).to(target.dtype))


def test_a_copy_with_offsets() -> None:
    x, out = floats(37, 53), np.full((37, 53), 7, np.float16)
    result = run(absolute_kernel, x, out, 37, 53, grid=(3, 4), BM=16, BN=16)[1]
    np.testing.assert_array_equal(result, np.abs(x).astype(np.float16))


@nki_mlir.jit
def outside_kernel(x, out, M, N, PAD: tl.constexpr, B: tl.constexpr):
    source = tl._experimental_make_tensor_descriptor(x, [M, N], [N, 1], [B, 2 * B], padding_option=PAD)
    tl.static_assert(source.block_shape == (8, 16) and source.shape == (M, N) and source.strides == (N, 1))
    whole = tl.make_tensor_descriptor(out, [B, 2 * B], [2 * B, 1], [B, 2 * B])
    tl.store_tensor_descriptor(whole, [0, 0], tl.load_tensor_descriptor(source, [-3, 9]))


@pytest.mark.parametrize("padding", ["zero", "nan"])
def test_what_is_outside(padding: str) -> None:
    x, out = floats(21, 13), np.zeros((8, 16), np.float32)
    expected = np.full((8, 16), 0 if padding == "zero" else np.nan, np.float32)
    expected[3:, :4] = x[:5, 9:]
    np.testing.assert_array_equal(run(outside_kernel, x, out, 21, 13, PAD=padding, B=8)[1], expected)


@nki_mlir.jit
def persistent_kernel(x, y, out, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    a = tl.make_tensor_descriptor(x, [M, K], [K, 1], [BM, BK])
    b = tl.make_tensor_descriptor(y, [N, K], [K, 1], [BN, BK])
    c = tl.make_tensor_descriptor(out, [M, N], [N, 1], [BM, BN])
    columns = tl.cdiv(N, BN)
    for block in tl.range(tl.cdiv(M, BM) * columns, flatten=True, warp_specialize=False):
        i, j = block // columns * BM, block % columns * BN
        acc = tl.zeros((BM, BN), tl.float32)
        for k in range(0, K, BK):
            acc = tl.dot(a.load([i, k]), b.load([j, k]).T, acc)
        c.store([i, j], acc)


def test_a_product_over_one_program() -> None:
    x, y, out = floats(21, 40), floats(37, 40, seed=1), np.zeros((21, 37), np.float32)
    result = run(persistent_kernel, x, y, out, 21, 37, 40, rtol=1e-4, BM=16, BN=16, BK=16)[2]
    np.testing.assert_allclose(result, x @ y.T, rtol=1e-4, atol=1e-4)


@nki_mlir.jit
def cube_kernel(x, out, A, N, B: tl.constexpr):
    source = tl.make_tensor_descriptor(x, [A, A, N], [A * N, N, 1], [2, 2, B])
    target = tl.make_tensor_descriptor(out, [A, A, N], [A * N, N, 1], [2, 2, B])
    at = [tl.program_id(0) * 2, tl.program_id(1) * 2, 0]
    target.store(at, source.load(at) + 1)


def test_three_dimensions() -> None:
    x = floats(3, 3, 13)
    result = run(cube_kernel, x, np.zeros_like(x), 3, 13, grid=(2, 2), B=16)[1]
    np.testing.assert_array_equal(result, x + 1)
