"""Slices of tensors and tensors one behind the other, at every level and against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from reference.builder import Kernel
from reference.levels import check_levels
from test_shapes import ELEMENTS, numbers, row_major

from nki_mlir.passes.pipelines import set_target

Shape = tuple[int, ...]
BF16 = ml_dtypes.bfloat16


def computed(inputs: list[np.ndarray], body: Any, shape: Shape, dtype: Any, target: str = "trn2") -> np.ndarray:
    """What a kernel stores that makes a tensor of its inputs, loaded whole."""
    k = Kernel((1,), [*((ELEMENTS[x.dtype.name], x.shape) for x in inputs), (ELEMENTS[np.dtype(dtype).name], shape)])
    *sources, out = k.args
    zero = k.index(0)
    loaded = [k.read(m, zero, row_major(x.shape), x.shape) for m, x in zip(sources, inputs, strict=True)]
    k.write(body(*loaded), out, zero, row_major(shape))
    module = k.module()
    set_target(module, target)
    return check_levels(module, [*inputs, np.zeros(shape, dtype)], seeds=(1,))[-1]


SLICES: list[tuple[Shape, int, int, int]] = [
    ((512, 3), 0, 128, 128),
    ((512, 3), 0, 128, 256),
    ((300, 4), 0, 128, 172),
    ((300, 4), 0, 37, 61),
    ((300, 4), 1, 1, 2),
    ((64, 512), 1, 100, 130),
    ((256,), 0, 64, 32),
    ((300,), 0, 100, 100),
    ((7,), 0, 2, 3),
    ((4, 128, 5), 0, 2, 1),
    ((4, 128, 5), 1, 3, 100),
    ((4, 6, 5), 2, 4, 1),
]


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("dtype", [np.float32, BF16], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shape", "axis", "at", "size"), SLICES, ids=str)
def test_a_slice(shape: Shape, axis: int, at: int, size: int, dtype: Any, target: str) -> None:
    x = numbers(shape, dtype)
    expected = x.take(range(at, at + size), axis)
    got = computed([x], lambda v: (v + 1.0).slice(axis, at, size) - 1.0, expected.shape, dtype, target)
    np.testing.assert_array_equal(got, (x + dtype(1)).take(range(at, at + size), axis) - dtype(1))


PARTS: list[tuple[list[Shape], int]] = [
    ([(128,), (128,), (128,)], 0),
    ([(128, 3), (256, 3)], 0),
    ([(100, 3), (33, 3), (1, 3)], 0),
    ([(64, 7), (64, 1), (64, 30)], 1),
    ([(7,)], 0),
    ([(5,), (6,)], 0),
    ([(4, 128, 2), (1, 128, 2)], 0),
    ([(2, 100, 3), (2, 29, 3)], 1),
]


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("dtype", [np.float32, BF16], ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize(("shapes", "axis"), PARTS, ids=str)
def test_a_concatenation(shapes: list[Shape], axis: int, dtype: Any, target: str) -> None:
    xs = [numbers(shape, dtype) for shape in shapes]
    expected = np.concatenate([x + dtype(1) for x in xs], axis)
    got = computed(xs, lambda *v: (v[0] + 1.0).concat(axis, *(x + 1.0 for x in v[1:])), expected.shape, dtype, target)
    np.testing.assert_array_equal(got, expected)
