"""Programs written at neuron.engine, with NumPy's version of each: what several benchmarks run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ml_dtypes
import numpy as np
from engine_builder import Kernel
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.executor import RunResult
from nki_mlir.executor.executable import Executable

Array = np.ndarray[Any, Any]
EPSILON = 1e-5


@dataclass(frozen=True)
class Program:
    """`arrays` are those of its tensors, `output` is one of them; `numpy` computes it from `inputs`, within `tolerance`
    of its largest element."""

    module: ModuleOp
    arrays: Sequence[Array]
    output: Array
    inputs: Sequence[Array]
    numpy: Callable[..., Array]
    tolerance: float

    @cached_property
    def executable(self) -> Executable:
        return Executable(self.module)

    def run(self, checks: bool = False) -> RunResult:
        """The first two runs of a kind find out what later ones need not."""
        return self.executable.run(self.arrays, checks=checks)

    def run_events(self, checks: bool = False) -> RunResult:
        return self.executable.run(self.arrays, checks=checks, mode="events")


def matmul(size: int = 2048) -> Program:
    """bf16, both operands resident in SBUF, products of 128 x 512 summed in PSUM. NumPy gets them upcast to fp32."""
    k, kind, steps = Kernel("trn1"), "bfloat16", size // 128
    lhs, rhs, out = (k.tensor(name, (size, size), kind) for name in ("lhsT", "rhs", "out"))
    left, right = k.sbuf(steps * size, kind), k.sbuf(steps * size, kind)
    with k.loop(steps) as i:
        k.dma(left.cols(i * size, size), lhs.box(i * 128, 128, 0, size))
        k.dma(right.cols(i * size, size), rhs.box(i * 128, 128, 0, size), by="gpsimd")
    with k.loop(size // 128) as m, k.loop(size // 512) as n:
        product, result = k.psum(512, depth=2), k.sbuf(512, kind, depth=2)
        with k.loop(steps) as i:
            moving = right.cols(i * size + n * 512, 512)
            k.matmul(product, left.cols(i * size + m * 128, 128), moving, accumulate=i)
        k.op("activation", op="copy", dst=result, data=product)
        k.dma(out.box(m * 128, 128, n * 512, 512), result, by="scalar")
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), np.float32).astype(ml_dtypes.bfloat16) for _ in range(2))
    product = np.zeros_like(a)
    upcast = a.T.astype(np.float32, order="C"), b.astype(np.float32)
    return Program(k.lower(), [a, b, product], product, upcast, np.matmul, 2**-8)


def layernorm(rows: int = 4096, columns: int = 4096) -> Program:
    """fp32, 128 rows at a time, one on each partition, on Vector, Scalar and GpSimd."""
    k = Kernel("trn1")
    x, y = k.tensor("x", (rows, columns)), k.tensor("y", (rows, columns))
    weight, bias = k.tensor("weight", (columns,)), k.tensor("bias", (columns,))
    gamma, beta, chunks = k.sbuf(columns), k.sbuf(columns), columns // 512
    for tile, tensor in ((gamma, weight), (beta, bias)):
        k.dma(tile, tensor.at(0, (0, 128), (1, columns)))
    with k.loop(rows // 128) as i:
        data, result = k.sbuf(columns, depth=2), k.sbuf(columns, depth=2)
        statistics, moments, scale = k.sbuf(6 * chunks, depth=2), k.sbuf(2, depth=2), k.sbuf(1, depth=2)
        k.dma(data, x.box(i * 128, 128, 0, columns))
        for c in range(chunks):
            k.op("bn_stats", dst=statistics.cols(6 * c, 6), data=data.cols(512 * c, 512))
        k.op("bn_aggr", dst=moments, data=statistics)
        mean, variance = moments.cols(0, 1), moments.cols(1, 1)
        k.op("tensor_scalar", "vector", op0="add", dst=scale, data=variance, operand0=EPSILON)
        k.op("activation", op="rsqrt", dst=scale, data=scale)
        normal = {"op0": "subtract", "operand0": mean, "op1": "multiply", "operand1": scale}
        k.op("tensor_scalar", "vector", dst=data, data=data, **normal)
        k.op("tensor_tensor", "vector", op="multiply", dst=result, data1=data, data2=gamma)
        k.op("tensor_tensor", "gpsimd", op="add", dst=result, data1=result, data2=beta)
        k.dma(y.box(i * 128, 128, 0, columns), result, by="scalar")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, np.float32) for shape in ((rows, columns), (columns,), (columns,))]
    data, scale, shift = arrays
    out = np.zeros_like(data)
    return Program(k.lower(), [data, out, scale, shift], out, (data, scale, shift), numpy_layernorm, 1e-5)


def numpy_layernorm(x: Array, weight: Array, bias: Array) -> Array:
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) / np.sqrt(variance + np.float32(EPSILON)) * weight + bias


def tiny(iterations: int = 5000) -> Program:
    """Two instructions on 16 x 8 elements in each iteration, one waiting for the other."""
    k = Kernel("trn1")
    x, y = k.tensor("x", (16, 8)), k.tensor("y", (16, 8))
    tile = k.sbuf(8, partitions=16)
    k.dma(tile, x.box(0, 16, 0, 8))
    with k.loop(iterations):
        between = k.sbuf(8, partitions=16, depth=2)
        k.op("tensor_scalar", "vector", op0="add", dst=between, data=tile, operand0=1.0)
        k.op("activation", op="copy", dst=tile, data=between)
    k.dma(y.box(0, 16, 0, 8), tile)
    given = np.random.default_rng(0).standard_normal((16, 8), np.float32)
    out = np.zeros_like(given)

    def added(x: Array) -> Array:
        for _ in range(iterations):
            x = x + np.float32(1)
        return x

    return Program(k.lower(), [given, out], out, (given,), added, 0.0)


def stream(iterations: int = 1000) -> Program:
    """A load, two instructions and a store of 128 elements in each iteration, all from and to other bytes of HBM."""
    k = Kernel("trn1")
    x, y = k.tensor("x", (iterations, 128)), k.tensor("y", (iterations, 128))
    with k.loop(iterations) as i:
        data, result = k.sbuf(128, partitions=1, depth=4), k.sbuf(128, partitions=1, depth=4)
        k.dma(data, x.box(i, 1, 0, 128))
        k.op("tensor_scalar", "vector", op0="add", dst=data, data=data, operand0=1.0)
        k.op("activation", op="copy", dst=result, data=data)
        k.dma(y.box(i, 1, 0, 128), result, by="gpsimd")
    given = np.random.default_rng(0).standard_normal((iterations, 128), np.float32)
    out = np.zeros_like(given)
    return Program(k.lower(), [given, out], out, (given,), lambda x: x + np.float32(1), 0.0)
