"""What is done row by row in place of all rows at once: a norm whose scales ride on the rows of a product, and sums of
several rows on a partition, of random sizes and types, against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import pipeline
from nki_mlir.dialects.neuron_engine import EngineInstruction

Array = np.ndarray[Any, np.dtype[Any]]
BF16 = ml_dtypes.bfloat16


@nki_mlir.jit
def norm_and_product(
    x_ptr, weight_ptr, b_ptr, out_ptr, M, N, K, eps, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr
):
    rm = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    rn = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    squares = tl.zeros((BLOCK_M,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        rk = start + tl.arange(0, BLOCK_K)
        x = tl.load(x_ptr + rm[:, None] * K + rk[None, :], mask=(rm[:, None] < M) & (rk[None, :] < K), other=0.0)
        b = tl.load(b_ptr + rk[:, None] * N + rn[None, :], mask=(rk[:, None] < K) & (rn[None, :] < N), other=0.0)
        weight = tl.load(weight_ptr + rk, mask=rk < K, other=0.0)
        wide = x.to(tl.float32)
        squares += tl.sum(wide * wide, axis=1)
        acc = tl.dot((wide * weight[None, :]).to(b.dtype), b, acc)
    acc = acc * (1 / tl.sqrt(squares / K + eps))[:, None]
    mask = (rm[:, None] < M) & (rn[None, :] < N)
    tl.store(out_ptr + rm[:, None] * N + rn[None, :], acc.to(out_ptr.dtype.element_ty), mask=mask)


def arguments(m: int, n: int, k: int, dtype: Any) -> tuple[Any, ...]:
    rng = np.random.default_rng(m + n + k)
    x, weight, b = ((rng.standard_normal(shape)).astype(dtype) for shape in ((m, k), (k,), (k, n)))
    return x, weight, b, np.zeros((m, n), dtype), m, n, k, 1e-6


@pytest.mark.parametrize(
    ("m", "n", "k", "dtype"),
    [(512, 512, 1024, BF16), (300, 200, 384, np.float32), (437, 131, 390, BF16), (1024, 96, 130, np.float32)],
)
def test_norm_and_product(m: int, n: int, k: int, dtype: Any) -> None:
    x, weight, b, out, *rest = args = arguments(m, n, k, dtype)
    blocks = {"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 128}
    norm_and_product[(-(-m // 128), -(-n // 128))](*args, **blocks)
    wide, w, right = (a.astype(np.float64) for a in (x, weight, b))
    expected = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + 1e-6) * w @ right
    error = np.abs(out.astype(np.float64) - expected).max() / np.abs(expected).max()
    assert error < (1e-5 if dtype is np.float32 else 2**-6), (rest, error)


def test_where_the_scales_are() -> None:
    """That of k is multiplied where k is on the partitions, that of rows on the way out of PSUM; squares are added up as
    they are made; so that no instruction reads two tiles."""
    args = arguments(1024, 1024, 1024, BF16)
    module = norm_and_product.trace(*args, grid=(8, 8), target="trn1", BLOCK_M=128, BLOCK_N=128, BLOCK_K=128).module
    ops = pipeline("lower-to-isa", stop_after="assign-engines")(module).walk()
    names = [op.instruction.name for op in ops if isinstance(op, EngineInstruction)]
    assert "activation_reduce" in names
    assert not {"tensor_tensor", "tensor_reduce", "scalar_tensor_tensor"} & set(names)
