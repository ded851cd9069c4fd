"""Products of two iterations, on both halves of the array's rows."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl

FP32, BF16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)


@nki_mlir.jit
def products(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    """Of a matrix [K, M], turned, and one of [K, N], for each program."""
    batch = tl.program_id(0)
    rm, rn, rk = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + batch * M * K + rk[:, None] * M + rm[None, :])
    b = tl.load(b_ptr + batch * K * N + rk[:, None] * N + rn[None, :])
    c = tl.dot(tl.trans(a), b)
    tl.store(c_ptr + batch * M * N + rm[:, None] * N + rn[None, :], c.to(c_ptr.dtype.element_ty))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("dtype", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(("batch", "k"), [(1, 64), (2, 64), (5, 64), (8, 32), (3, 16)])
def test_products(batch: int, k: int, dtype: np.dtype[Any], target: str) -> None:
    """NaN and infinities of one matrix don't reach the next one."""
    rng, m, n = np.random.default_rng(batch), 128, 512
    a, b = (rng.standard_normal((batch, k, columns)).astype(dtype) for columns in (m, n))
    a[0, 0, 1], b[0, k - 1, 2], b[batch - 1, 0, n - 1] = np.nan, np.inf, -np.inf
    c = np.zeros((batch, m, n), dtype)
    meta: dict[str, Any] = {"M": m, "N": n, "K": k}
    compiled = products.compile(a, b, c, grid=(batch,), target=target, **meta)
    with np.errstate(all="ignore"):
        compiled.run(a, b, c, **meta)
        wanted = np.matmul(a.astype(np.float32).transpose(0, 2, 1), b.astype(np.float32))
    rtol = 2**-7 if dtype == BF16 else 1e-4
    np.testing.assert_allclose(c.astype(np.float32), wanted, rtol=rtol, atol=rtol)
    assert ("from 64" in compiled.ir("neuron.engine")) is (batch > 1)
