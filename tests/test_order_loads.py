"""What order-loads makes of products whose operands stay on chip computes the same, bit by bit, and races nowhere."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.passes import stages

BF16 = np.dtype(ml_dtypes.bfloat16)


@nki_mlir.jit
def product(a_ptr, b_ptr, c_ptr, M, N, K, stride_m, stride_k, BLOCK: tl.constexpr):
    rm = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    rn = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
    for start in range(0, K, BLOCK):
        rk = start + tl.arange(0, BLOCK)
        a_mask, b_mask = (rm[:, None] < M) & (rk[None, :] < K), (rk[:, None] < K) & (rn[None, :] < N)
        a = tl.load(a_ptr + rm[:, None] * stride_m + rk[None, :] * stride_k, mask=a_mask, other=0.0)
        b = tl.load(b_ptr + rk[:, None] * N + rn[None, :], mask=b_mask, other=0.0)
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + rm[:, None] * N + rn[None, :], acc, mask=(rm[:, None] < M) & (rn[None, :] < N))


def arrays(m: int, n: int, k: int, k_major: bool) -> tuple[NDArray, NDArray, NDArray]:
    rng = np.random.default_rng(m * n + k)
    a, b = (rng.standard_normal(shape, np.float32).astype(BF16) for shape in ((m, k), (k, n)))
    return (np.ascontiguousarray(a.T) if k_major else a), b, np.empty((m, n), np.float32)


def computed(m: int, n: int, k: int, k_major: bool, target: str) -> tuple[NDArray, str]:
    """What a product gives, with all checks on, and its instructions."""
    a, b, c = arrays(m, n, k, k_major)
    strides = (1, m) if k_major else (k, 1)
    grid = (-(-m // 128), -(-n // 128))
    compiled = product.compile(a, b, c, m, n, k, *strides, BLOCK=128, grid=grid, target=target)
    compiled.run(a, b, c, m, n, k, *strides, BLOCK=128, checks=True)
    left = (a.T if k_major else a).astype(np.float32)
    np.testing.assert_allclose(c, left @ b.astype(np.float32), rtol=1e-4, atol=1e-3 * k**0.5)
    return c.copy(), str(compiled.module("neuron.engine"))


CASES = [
    # With whether the pass finds anything to do: not where one block of rows, or of columns, is all.
    ((2048, 2048, 512), True, "trn1", True),
    ((2048, 2048, 512), True, "trn2", True),
    ((2048, 2048, 512), False, "trn1", True),
    ((1536, 2048, 384), True, "trn1", True),
    ((2000, 1800, 600), False, "trn1", False),
    ((512, 1024, 256), True, "trn1", False),
    ((1024, 512, 256), True, "trn1", False),
    ((200, 300, 260), False, "trn1", False),
]


@pytest.mark.parametrize(("size", "k_major", "target", "orders"), CASES)
def test_products(
    size: tuple[int, int, int], k_major: bool, target: str, orders: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered, text = computed(*size, k_major, target)
    kept = stages.STAGES["mem-to-engine"].replace("order-loads,", "")
    monkeypatch.setitem(stages.STAGES, "mem-to-engine", kept)
    product._cache.clear()
    plain, other = computed(*size, k_major, target)
    product._cache.clear()
    assert ordered.tobytes() == plain.tobytes()
    assert (text != other) is orders
