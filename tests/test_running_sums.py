"""Sums that go on from block to block, on an engine that neither finds the maxima nor the exponentials."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl

BLOCK = 512
FP32, BF16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)


@nki_mlir.jit
def log_of_sum(x_ptr, out_ptr, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    top, total = float("-inf"), 0.0
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * columns + at, mask=at < columns, other=float("-inf")).to(tl.float32)
        above = tl.maximum(top, tl.max(x))
        total = total * tl.exp(top - above) + tl.sum(tl.exp(x - above))
        top = above
    tl.store(out_ptr + row, top + tl.log(total))


@pytest.mark.parametrize("dtype", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("columns", [300, 2 * BLOCK, 6 * BLOCK - 5, 6 * BLOCK])
def test_log_of_sum(columns: int, dtype: np.dtype[Any]) -> None:
    """Of random rows, of rows with NaN and infinities early and late, and of rows of nothing else."""
    x = np.random.default_rng(columns).standard_normal((150, columns)).astype(np.float32)
    x[:, : columns // 2] -= 20  # what comes late counts most
    for row, (where, value) in enumerate(
        (where, value)
        for value in (np.nan, np.inf, -np.inf)
        for where in (slice(0, 1), slice(-1, None), slice(None), slice(200))
    ):
        x[row, where] = value
    x, out = x.astype(dtype), np.empty(150, np.float32)
    log_of_sum[(150,)](x, out, columns, BLOCK=BLOCK)
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        top = wide.max(axis=1)
        wanted = top + np.log(np.exp(wide - top[:, None]).sum(axis=1))
    np.testing.assert_allclose(out, wanted, rtol=1e-5)
    text = log_of_sum.compile(x, out, columns, BLOCK=BLOCK, grid=(150,)).ir("neuron.engine")
    assert ("tensor_tensor gpsimd op add" in text) is (columns > BLOCK)
