"""What does not fit is said early, with sizes, the user's names and lines, and the true cause."""

from __future__ import annotations

import inspect
import re
import time
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import CompileError, parse, pipeline
from nki_mlir.passes.names import labels


@nki_mlir.jit
def product_kernel(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    left = tl.load(a_ptr + m[:, None] * K + k[None, :])
    right = tl.load(b_ptr + k[:, None] * N + n[None, :])
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.dot(left, right))


@nki_mlir.jit
def softmax_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    row = tl.load(x_ptr + tl.program_id(0) * n + columns, mask=columns < n, other=-float("inf"))
    centred = row - tl.max(row, axis=0)
    powers = tl.exp(centred)
    tl.store(out_ptr + tl.program_id(0) * n + columns, powers / tl.sum(powers, axis=0), mask=columns < n)


@nki_mlir.jit
def three_kernel(x_ptr, y_ptr, z_ptr, out_ptr, N: tl.constexpr):
    at = tl.arange(0, 128)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + at)
    y = tl.load(y_ptr + at)
    z = tl.load(z_ptr + at)
    tl.store(out_ptr + at, x * y + z)


@nki_mlir.jit
def names_kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    rows, columns = tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    at = rows[:, None] * BLOCK + columns[None, :]
    x = tl.load(x_ptr + at)
    positive = tl.where(x > 0.0, x, 0.5 * x)
    tl.store(out_ptr + at, positive * 2.0 + tl.sum(positive, axis=1)[:, None])


def array(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def line_of(kernel: Any, text: str) -> int:
    lines, first = inspect.getsourcelines(kernel.fn)
    return first + next(number for number, line in enumerate(lines) if text in line)


def error_of(kernel: Any, *args: Any, **meta: Any) -> CompileError:
    with pytest.raises(CompileError) as caught:
        kernel.compile(*args, grid=(1,), **meta)
    assert caught.value.file == __file__
    return caught.value


@pytest.mark.parametrize("k", [2**18, 2**20])
def test_an_operand_that_no_memory_holds(k: int) -> None:
    started = time.perf_counter()
    error = error_of(product_kernel, array(64, k), array(k, 64), array(64, 64), M=64, N=64, K=k)
    size = k // 128 * 64 * 4
    assert error.message == (
        f"'left', [64, {k}] of f32, needs {size} bytes on each of 128 partitions, and sbuf has 180224; use smaller blocks"
    )
    assert error.line == line_of(product_kernel, "left =")
    assert time.perf_counter() - started < 20, "it is found before the product is split"


def test_operands_that_do_not_fit_together() -> None:
    k = 2**16
    error = error_of(product_kernel, array(64, k), array(k, 64), array(64, 64), M=64, N=64, K=k)
    assert error.message.startswith(
        "the operands of this product need 262144 bytes on each partition, and sbuf has 180224: 'left', [64, 65536]"
    )
    assert "'right', [65536, 64] of f32, needs 131072 bytes on each of 128 partitions; use smaller" in error.message
    assert error.line == line_of(product_kernel, "tl.dot")


def test_a_row_that_no_partition_holds() -> None:
    """It is reduced in two steps, on many partitions."""
    x, y = array(1, 65536), array(1, 65536)
    softmax_kernel[(1,)](x, y, 65536, BLOCK=65536)
    powers = np.exp(x - x.max())
    np.testing.assert_allclose(y, powers / powers.sum(), rtol=1e-4, atol=1e-9)


def test_blocks_that_do_not_fit_together() -> None:
    """The memory map has the user's names and lines."""
    error = error_of(three_kernel, *(array(128, 16384) for _ in range(4)), N=16384)
    first, *table, advice = error.message.splitlines()
    assert re.match(r"sbuf is full: buffer '(x|y|z)' needs 65536 bytes on each partition", first)
    listed = {match[2]: int(match[3]) for line in table if (match := re.match(r" +(\d+) bytes +'(.*)'.*:(\d+)$", line))}
    assert {name: line_of(three_kernel, f"{name} =") for name in "xyz"}.items() <= listed.items()
    assert re.match(r"use blocks that need \d+ bytes less on each partition", advice)


def test_a_prime_number_of_rows_is_spread() -> None:
    text = """
      func.func @f(%x: memref<131071xf32>) {
        %v = tile.read %x [d0 by 1] : memref<131071xf32> -> tensor<131071xf32>
        tile.write %v to %x [d0 by 1] : tensor<131071xf32> -> memref<131071xf32>
        func.return
      }
    """
    assert "131071xf32, [d0/1024:128] x [d0:1024]" in str(pipeline("place")(parse(text)))


def test_no_cause_is_given_that_is_none() -> None:
    """Buffers on all partitions: only their size is at fault."""
    text = """
      func.func @f() {
        %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 100000>
        %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 100000>
        "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 100000>, !neuron.engine.buffer<sbuf, 128 x 100000>) -> ()
        func.return
      }
    """
    with pytest.raises(CompileError) as caught:
        pipeline("allocate")(parse(text, "f.mlir"))
    assert "one partition" not in caught.value.message
    assert caught.value.message.endswith("use blocks that need 19776 bytes less on each partition")
    assert re.search(r"100000 bytes  'b' from f.mlir:4$", caught.value.message, re.MULTILINE)


def test_buffers_are_called_by_variables() -> None:
    """Intermediate values by what they are on the way to: a variable, or the argument that they are stored to."""
    compiled = names_kernel.compile(array(64, 64), array(64, 64), grid=(1,), BLOCK=64)
    names = re.findall(r'neuron.isa.buffer "(.*?)"', compiled.ir("neuron.isa"))
    assert sorted(names) == ["out_ptr (reduce sum)", "positive (greater)", "positive (multiply)", "x"]


def test_names_of_many_values_are_found_at_once() -> None:
    """Values with several uses each, none of them a variable, on the way to one argument."""
    tile = "!neuron.mem.tile<sbuf, 8xf32, [d0] x []>"
    adds = "\n".join(
        f"%{i} = neuron.mem.binary add %{i - 1}, %{i - 2} : {tile}, {tile} -> {tile}" for i in range(2, 400)
    )
    text = f"""
      func.func @f(%x: memref<8xf32>) {{
        %0 = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> {tile}
        %1 = neuron.mem.binary add %0, %0 : {tile}, {tile} -> {tile}
        {adds}
        neuron.mem.store %399 to %x [d0 by 1] : {tile} -> memref<8xf32>
        func.return
      }}
    """
    func = next(op for op in parse(text).walk() if isinstance(op, FuncOp))
    started = time.perf_counter()
    assert set(labels(func).values()) == {"x (load)", "x (add)"}
    assert time.perf_counter() - started < 5
