"""Programs of `neuron.engine` written by hand with `benchmarks/engine_builder.py` mean what their order says."""

from __future__ import annotations

import numpy as np
import pytest
from engine_builder import Kernel

from nki_mlir.executor import execute


def test_a_loop_with_two_buffers() -> None:
    k = Kernel("trn1")
    x, y = k.tensor("x", (384, 48)), k.tensor("y", (384, 16))
    with k.loop(3) as i:
        tile, column = k.sbuf(32, depth=2), k.sbuf(1, depth=2)
        k.dma(tile, x.box(i * 128, 128, 8, 32))
        k.op("tensor_scalar", "vector", op0="multiply", dst=tile, data=tile, operand0=2.0, op1="add", operand1=1.0)
        k.op("tensor_reduce", op="add", axes=1, dst=column, data=tile.cols(16, 16))
        k.op("tensor_scalar", op0="subtract", dst=tile.cols(0, 16), data=tile.cols(0, 16), operand0=column)
        k.dma(y.box(i * 128, 128, 0, 16), tile.cols(0, 16), by="gpsimd")
    data = np.random.default_rng(0).standard_normal((384, 48)).astype(np.float32)
    out = np.zeros((384, 16), np.float32)
    result = execute(k.lower(), [data, out])
    part = 2 * data[:, 8:40] + 1
    assert np.allclose(out, part[:, :16] - part[:, 16:].sum(axis=1, keepdims=True), atol=1e-4)
    assert result.instructions == 15


def test_a_matmul_accumulates_over_a_loop() -> None:
    k = Kernel("trn2")
    a, b, c = k.tensor("a", (256, 64)), k.tensor("b", (256, 96)), k.tensor("c", (64, 96))
    sums = k.psum(96, partitions=64)
    with k.loop(2) as i:
        left, right = k.sbuf(64, depth=2), k.sbuf(96, depth=2)
        k.dma(left, a.box(i * 128, 128, 0, 64))
        k.dma(right, b.box(i * 128, 128, 0, 96), queue=1)
        k.matmul(sums, left, right, accumulate=i)
    out = k.sbuf(96, partitions=64)
    k.op("tensor_copy", dst=out, src=sums)
    k.dma(c.box(0, 64, 0, 96), out, by="gpsimd")
    rng = np.random.default_rng(1)
    left, right = (rng.standard_normal((256, n)).astype(np.float32) for n in (64, 96))
    product = np.zeros((64, 96), np.float32)
    execute(k.lower(), [left, right, product])
    assert np.allclose(product, left.T @ right, atol=1e-3)


def test_unknown_arguments_are_named() -> None:
    k = Kernel("trn1")
    with pytest.raises(TypeError, match="memset has no colour"):
        k.op("memset", dst=k.sbuf(4), value=0.0, colour=1)
