"""Products whose rows lie in runs on the partitions, so that short rows that follow one another in memory are stored as
a long one."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import run

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import next_power_of_2

FP32, BF16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)


@nki_mlir.jit
def products(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    """As many matrices as there are programs, each summed up over blocks of terms."""
    batch = tl.program_id(0)
    rm, rn, rk = tl.arange(0, BLOCK_M), tl.arange(0, BLOCK_N), tl.arange(0, BLOCK_K)
    mask_m, mask_n = rm[:, None] < M, rn[None, :] < N
    acc = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, K, BLOCK_K):
        a = tl.load(a_ptr + batch * M * K + rm[:, None] * K + start + rk[None, :], mask=mask_m, other=0.0)
        b = tl.load(b_ptr + batch * K * N + (start + rk)[:, None] * N + rn[None, :], mask=mask_n, other=0.0)
        acc = tl.dot(a, b, acc)
    c = acc.to(c_ptr.dtype.element_ty)
    tl.store(c_ptr + batch * M * N + rm[:, None] * N + rn[None, :], c, mask=mask_m & mask_n)


@pytest.mark.parametrize("dtype", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("m", "n", "k", "block", "batch", "in_runs"),
    [
        (512, 64, 32, 32, 3, [FP32]),  # rows of 64 of bf16 are stored in no more than what any transfer takes
        (510, 96, 64, 32, 2, [FP32, BF16]),
        (130, 512, 48, 16, 2, [FP32, BF16]),
        (301, 256, 64, 64, 1, [FP32, BF16]),
        (896, 32, 192, 64, 2, []),  # there are more terms than partitions
    ],
)
def test_products(
    m: int, n: int, k: int, block: int, batch: int, in_runs: list[np.dtype[Any]], dtype: np.dtype[Any]
) -> None:
    """Random numbers; a row, a column and a term have NaN and infinities, which go where they should."""
    rng = np.random.default_rng(m)
    a, b = (rng.standard_normal((batch, *shape)).astype(dtype) for shape in ((m, k), (k, n)))
    a[0, m - 1, 0], a[0, 1, k - 1], b[0, 0, n - 1] = np.nan, np.inf, -np.inf
    meta: dict[str, Any] = {"BLOCK_M": next_power_of_2(m), "BLOCK_N": next_power_of_2(n), "BLOCK_K": block}
    rtol = 2**-7 if dtype == BF16 else 1e-4  # one rounding, and sums in another order
    with np.errstate(all="ignore"):
        *_, c = run(products, a, b, np.zeros((batch, m, n), dtype), m, n, k, grid=(batch,), rtol=rtol, **meta)
        wanted = np.matmul(a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_allclose(c.astype(np.float32), wanted, rtol=rtol, atol=rtol)
    text = products.compile(a, b, np.zeros((batch, m, n), dtype), m, n, k, grid=(batch,), **meta).ir("neuron.mem")
    assert (f"!neuron.mem.tile<psum, {m}x{n}xf32, [d0/{-(-m // 128)}:" in text) is (dtype in in_runs)
