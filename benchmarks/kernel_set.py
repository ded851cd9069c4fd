"""The example kernels, compiled for certain sizes: what several benchmarks run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

Make = Callable[[], tuple[Any, tuple[Any, ...], dict[str, Any]]]
"""Compiles a kernel; gives it with its arguments and compile-time parameters."""


def compiled_kernels(small: bool = False) -> dict[str, Make]:
    """By name. `small` ones run in a few milliseconds, and have the same loops, tails and masks."""
    import matmul
    import nki_tensor_add
    import softmax
    import vector_add

    rng = np.random.default_rng(0)

    def data(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    def of(kernel: Any, grid: tuple[int, ...], arguments: tuple[Any, ...], **meta: Any) -> Make:
        return lambda: (kernel.compile(*arguments, grid=grid, **meta), arguments, meta)

    def add(n: int) -> Make:
        x, y, out = data(n), data(n), data(n)
        return of(vector_add.add_kernel, (-(-n // 1024),), (x, y, out, n), BLOCK_SIZE=1024)

    def nki_add(rows: int, columns: int) -> Make:
        a, b, out = (data(rows, columns) for _ in range(3))
        return of(nki_tensor_add.nki_tensor_add_kernel, (rows // 128, columns // 512), (a, b, out))

    def rows_softmax(rows: int, columns: int) -> Make:
        out, x = data(rows, columns), data(rows, columns)
        block = 1 << (columns - 1).bit_length()
        return of(softmax.softmax_kernel, (rows,), (out, x, columns, columns, columns), BLOCK_SIZE=block)

    def product(m: int, n: int, k: int, blocks: tuple[int, int, int], dtype: Any = np.float32) -> Make:
        arguments = matmul.arguments(data(m, k, dtype=dtype), data(k, n, dtype=dtype), data(m, n, dtype=dtype))
        return of(matmul.matmul_kernel, matmul.grid(m, n, blocks), arguments, **matmul.meta(blocks))

    ragged = product(200, 136, 72, (64, 64, 32))
    if small:
        return {
            "vector add, 5,000": add(5000),
            "NKI tensor add, 256 x 1024": nki_add(256, 1024),
            "softmax, 6 x 200": rows_softmax(6, 200),
            "matmul, 256 x 128 x 256, blocks 128 x 128 x 64, bf16": product(
                256, 128, 256, (128, 128, 64), ml_dtypes.bfloat16
            ),
            "matmul, 200 x 136 x 72, blocks 64 x 64 x 32": ragged,
        }
    return {
        "vector add, 98,432": add(98_432),
        "NKI tensor add, 256 x 2048": nki_add(256, 2048),
        "softmax, 1000 x 781": rows_softmax(1000, 781),
        "matmul, 512 x 512 x 512, blocks 128 x 128 x 64": product(512, 512, 512, (128, 128, 64)),
        "matmul, 200 x 136 x 72, blocks 64 x 64 x 32": ragged,
    }
