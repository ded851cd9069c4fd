"""Runs small Triton kernels for tests: at every level of their lowering, against what NumPy says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from reference.levels import check_levels

import nki_mlir


def run(
    kernel: Any, *arguments: Any, grid: Sequence[int] = (1,), rtol: float = 0.0, levels: bool = True, **meta: Any
) -> list[np.ndarray]:
    """What a kernel leaves of its arrays (which stay as they are): as the machine leaves them once all levels agree on
    it, if they are asked, or else as its launch does."""
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    if levels:
        module = kernel.trace(*arguments, grid=tuple(grid), **meta).module
        stored = [a.view(np.uint8) if a.dtype == bool else a for a in arrays]
        left = check_levels(module, stored, rtol=rtol, atol=rtol, seeds=(1,))
        return [one.view(array.dtype) for one, array in zip(left, arrays, strict=True)]
    results = [a.copy() for a in arrays]
    given = iter(results)
    kernel[tuple(grid)](*(next(given) if isinstance(a, np.ndarray) else a for a in arguments), **meta)
    return results


def refused(kernel: Any, *arguments: Any, grid: Sequence[int] = (1,), **meta: Any) -> nki_mlir.CompileError:
    """The error with which the compiler rejects a kernel."""
    with pytest.raises(nki_mlir.CompileError) as error:
        kernel.compile(*arguments, grid=tuple(grid), **meta)
    assert error.value.__cause__ is None or isinstance(error.value.__cause__, nki_mlir.CompileError)
    return error.value


def integers(
    shape: int | tuple[int, ...], dtype: Any, seed: int = 0, low: int | None = None, high: int | None = None
) -> np.ndarray:
    """Random integers, over the whole range of the type if nothing else is said."""
    range_ = np.iinfo(dtype)
    low, high = range_.min if low is None else low, range_.max if high is None else high
    return np.random.default_rng(seed).integers(low, high, shape, dtype, endpoint=True)


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
