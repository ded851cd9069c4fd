"""Transposes in memory: blocks of programs, wide along both axes, and bits that arrive as they were."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def transpose(x_ptr, out_ptr, rows, columns, BLOCK: tl.constexpr):
    r = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = (r[:, None] < rows) & (c[None, :] < columns)
    x = tl.load(x_ptr + r[:, None] * columns + c[None, :], mask=mask)
    tl.store(out_ptr + c[:, None] * rows + r[None, :], tl.trans(x), mask=tl.trans(mask))


def transposed(x: np.ndarray[Any, Any], block: int, target: str) -> np.ndarray[Any, Any]:
    rows, columns = x.shape
    out = np.zeros((columns, rows), x.dtype)
    grid = (nki_mlir.cdiv(rows, block), nki_mlir.cdiv(columns, block))
    transpose.compile(x, out, rows, columns, BLOCK=block, grid=grid, target=target).run(
        x, out, rows, columns, BLOCK=block
    )
    return out


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("rows", "columns", "block"), [(2048, 512, 64), (512, 1024, 32), (64, 4096, 64), (257, 130, 64), (96, 32, 32)]
)
def test_bits_arrive(rows: int, columns: int, block: int, dtype: Any, target: str) -> None:
    """Random bits: among them are infinities, denormals, and NaN of all kinds."""
    word = np.dtype(f"u{np.dtype(dtype).itemsize}")
    bits = np.random.default_rng(rows).integers(0, np.iinfo(word).max, (rows, columns), word, endpoint=True)
    np.testing.assert_array_equal(transposed(bits.view(dtype), block, target).view(word), bits.T)
