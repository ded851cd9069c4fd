"""Lanes that a masked load leaves out: undefined in NKI, zero by convention in Triton, reported where they matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir import ExecutionError


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def reported(run: Callable[[], Any]) -> str:
    with pytest.raises(ExecutionError) as found:
        run()
    assert found.value.kind == "uninitialised", found.value
    return str(found.value)


# NKI: kernels that use such lanes.


@nki.jit
def sum_without_mask(x):
    out = nl.ndarray((100, 1), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy], mask=(ix < 100) & (iy < 50))  # loads
    total = nl.sum(nl.exp(tile), axis=1)  # reduces
    nl.store(out[ix, nl.arange(1)[None, :]], total, mask=ix < 100)
    return out


@nki.jit
def sum_over_one_place_more(x):
    out = nl.ndarray((100, 1), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy], mask=(ix < 100) & (iy < 50))  # loads
    total = nl.sum(tile, axis=1, mask=iy < 51)  # reduces
    nl.store(out[ix, nl.arange(1)[None, :]], total, mask=ix < 100)
    return out


@nki.jit
def store_of_more_than_was_loaded(x):
    out = nl.ndarray((128, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy], mask=(ix < 100) & (iy < 50))  # loads
    nl.store(out[ix, iy], tile * 2.0)  # reduces
    return out


@nki.jit
def product_over_more_than_was_loaded(x):
    out = nl.ndarray((64, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy], mask=ix < 100)  # loads
    iz = nl.arange(64)[:, None]
    product = nl.matmul(tile, tile, transpose_x=True)  # reduces
    nl.store(out[iz, iy], product)
    return out


@nki.jit
def last_iteration_without_mask(x):
    out = nl.ndarray((384, 1), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    for i in nl.affine_range(3):
        tile = nl.load(x[i * 128 + ix, iy], mask=i * 128 + ix < 300)  # loads
        nl.store(out[i * 128 + ix, nl.arange(1)[None, :]], nl.max(tile, axis=1))  # reduces
    return out


WRONG = {
    sum_without_mask: (random(100, 50), "activation_reduce", "elements 50..63 of 64, on partitions 0..99"),
    sum_over_one_place_more: (random(100, 50), "tensor_reduce", "elements 50.."),
    store_of_more_than_was_loaded: (random(100, 50), "dma_copy", "elements 50..63 of 64, on partitions 0..127"),
    product_over_more_than_was_loaded: (random(100, 64), "load_stationary", "on partitions 100..127"),
    last_iteration_without_mask: (random(300, 64), "dma_copy", "elements 0..1 of 2, on partitions 22..63"),
}


@pytest.mark.parametrize("kernel", WRONG, ids=lambda kernel: kernel.__name__)
def test_a_use_of_undefined_lanes_is_reported_with_both_lines(kernel: Any) -> None:
    x, instruction, place = WRONG[kernel]
    text = reported(lambda: kernel(x))
    first, *shown = text.splitlines()
    assert f"{instruction} on" in first and place in first
    assert "leaves undefined, where its mask is false" in first and "nl.where(mask, tile, value)" in first
    assert first.count("test_undefined_lanes.py:") >= 2
    assert "# loads" in shown[0] and "# reduces" in shown[2]
    assert [line.strip() for line in (shown[1], shown[3])] == ["^", "^"]


def test_what_is_wrong_says_what_is_missing() -> None:
    assert "give the same mask to what reduces them" in reported(lambda: sum_without_mask(random(100, 50)))
    assert "leave them out of what is stored" in reported(lambda: store_of_more_than_was_loaded(random(100, 50)))


def test_values_do_not_depend_on_checks() -> None:
    x = random(100, 50)
    compiled = sum_without_mask.compile(x)
    compiled.run(x, checks=False)
    assert isinstance(compiled.returned, np.ndarray)
    np.testing.assert_allclose(compiled.returned[:, 0], np.exp(x).sum(1) + 14, rtol=1e-5)


# NKI: kernels that don't.


@nki.jit
def leaky(x, where):
    out = nl.ndarray((100, 50), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    inside = (ix < 100) & (iy < 50)
    tile = nl.load(x[ix, iy], mask=inside)
    scale = nl.load(x[ix, nl.arange(1)[None, :]], mask=ix < 100)
    tile = nl.where(tile > 0.0, tile, 0.1 * tile) * scale if where else nl.relu(nl.negative(tile)) * scale
    nl.store(out[ix, iy], tile, mask=inside)
    return out


@nki.jit
def softmax(x):
    out = nl.ndarray((100, 50), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    inside = (ix < 100) & (iy < 50)
    tile = nl.load(x[ix, iy], mask=inside)
    tile = nl.exp(tile - nl.max(tile, axis=1, mask=iy < 50))
    nl.store(out[ix, iy], tile / nl.sum(tile, axis=1, mask=inside), mask=inside)
    return out


@nki.jit
def rows_left_out(x):
    out = nl.ndarray((300, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    for i in nl.affine_range(3):
        inside = i * 128 + ix < 300
        tile = nl.load(x[i * 128 + ix, iy], mask=inside)
        nl.store(out[i * 128 + ix, iy], tile - nl.max(tile, axis=1), mask=inside)
    return out


@nki.jit
def filled(x):
    out = nl.ndarray((100, 1), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    tile = nl.load(x[ix, iy], mask=(ix < 100) & (iy < 50))
    tile = nl.where(iy < 50, tile, 1.0)
    nl.store(out[ix, nl.arange(1)[None, :]], nl.sum(tile, axis=1), mask=ix < 100)
    return out


@nki.jit
def rows_of_a_product(x, y):
    out = nl.ndarray((100, 64), dtype=x.dtype, buffer=nl.shared_hbm)
    ik, im, iy = nl.arange(32)[:, None], nl.arange(128)[None, :], nl.arange(64)[None, :]
    left = nl.load(x[ik, im], mask=im < 100)
    product = nl.matmul(left, nl.load(y[ik, iy]), transpose_x=True)
    ix = nl.arange(128)[:, None]
    nl.store(out[ix, iy], product * 2.0, mask=ix < 100)
    return out


@nki.jit
def turned(x, rows):
    out = nl.ndarray((128, rows), dtype=x.dtype, buffer=nl.shared_hbm)
    ix, iy = nl.arange(128)[:, None], nl.arange(128)[None, :]
    tile = nl.load(x[ix, iy], mask=ix < 100)
    nl.store(out[ix, iy], nl.transpose(tile), mask=iy < rows)
    return out


def test_lanes_stay_apart_where_words_go_through_the_array() -> None:
    """Their sums with others are products with 0; as integers, they are finite."""
    x = random(128, 128).astype(ml_dtypes.bfloat16)
    assert "by words" in str(turned.compile(x, 100).module("neuron.mem"))
    np.testing.assert_array_equal(turned(x, 100), x[:100].T)
    assert "on partitions 0..127" in reported(lambda: turned(x, 101))


def test_lanes_that_no_result_needs_are_no_fault() -> None:
    x = random(100, 50)
    leaked = np.where(x > 0, x, np.float32(0.1) * x) * x[:, :1]
    np.testing.assert_allclose(leaky(x, True), leaked, rtol=1e-6)
    np.testing.assert_allclose(leaky(x, False), np.maximum(-x, 0) * x[:, :1], rtol=1e-6)
    powers = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(softmax(x), powers / powers.sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(filled(x)[:, 0], x.sum(1) + 14, rtol=1e-5)
    rows = random(300, 64)
    np.testing.assert_allclose(rows_left_out(rows), rows - rows.max(1, keepdims=True))
    a, b = random(32, 100), random(32, 64)
    np.testing.assert_allclose(rows_of_a_product(a, b), 2 * (a.T @ b), rtol=1e-4, atol=1e-4)


# Triton.


@nki_mlir.jit
def triton_sum(x, out, n, OTHER: tl.constexpr, BLOCK: tl.constexpr):
    row, columns = tl.program_id(0), tl.arange(0, BLOCK)
    values = tl.load(x + row * n + columns, mask=columns < n, other=OTHER)  # loads
    tl.store(out + row, tl.sum(values * 2.0, axis=0))


@nki_mlir.jit
def triton_positive(x, out, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    values = tl.load(x + offsets, mask=inside)
    keep = (values > 0) & inside
    tl.store(out + offsets, tl.where(keep, values, 0.0), mask=inside)


@nki_mlir.jit
def triton_positive_sum(x, out, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    inside = offsets < n
    values = tl.load(x + offsets, mask=inside)
    tl.store(out + tl.program_id(0), tl.sum(tl.where((values > 0) & inside, values, 0.0), axis=0))


def test_without_other_zero_is_read_and_strict_checks_report_its_use() -> None:
    x, out = random(3, 50), np.empty(3, np.float32)
    triton_sum[(3,)](x, out, 50, None, 64)
    np.testing.assert_allclose(out, 2 * x.sum(1), rtol=1e-5, atol=1e-5)
    compiled = triton_sum.compile(x, out, 50, None, 64, grid=(3,))
    compiled.run(x, out)
    text = reported(lambda: compiled.run(x, out, checks="strict"))
    assert "has no `other`; they read as zero here" in text and "# loads" in text
    assert "elements 50..63 of 64, on partitions 0..2" in text and "as `other=`" in text


def test_strict_checks_accept_what_has_a_value() -> None:
    x, out = random(3, 50), np.empty(3, np.float32)
    triton_sum.compile(x, out, 50, 0.0, 64, grid=(3,)).run(x, out, checks="strict")
    np.testing.assert_allclose(out, 2 * x.sum(1), rtol=1e-5, atol=1e-5)
    flat, result = random(150), np.empty(150, np.float32)
    triton_positive.compile(flat, result, 150, 64, grid=(3,)).run(flat, result, checks="strict")
    np.testing.assert_array_equal(result, np.maximum(flat, 0))
    total = np.empty(1, np.float32)
    triton_positive_sum.compile(flat, total, 150, 256, grid=(1,)).run(flat, total, checks="strict")
    np.testing.assert_allclose(total[0], np.maximum(flat, 0).sum(), rtol=1e-5)


def test_checks_are_one_of_three() -> None:
    x, out = random(3, 50), np.empty(3, np.float32)
    compiled = triton_sum.compile(x, out, 50, 0.0, 64, grid=(3,))
    with pytest.raises(ExecutionError, match="checks are True, False or \"strict\", not 'lax'"):
        compiled.run(x, out, checks="lax")  # pyright: ignore[reportArgumentType]
