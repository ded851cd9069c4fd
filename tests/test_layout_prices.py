"""The prices of layouts are those of the instructions and transfers that the layouts ask for."""

from __future__ import annotations

import pytest
from kernels import floats

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.costs import transfers
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.dtypes import by_name, f32
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.dialects.ways import Way
from nki_mlir.passes.region_costs import of_operation
from nki_mlir.targets import TARGETS, load

LANES = Layout.lanes((128, 96), 0, 128, blocked=False)


@nki_mlir.jit
def scaled(x_ptr, out_ptr):
    offsets = tl.arange(0, 128)[:, None] * 96 + tl.arange(0, 64)[None, :]
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets) * 2.0)


@nki_mlir.jit
def product(a_ptr, b_ptr, out_ptr):
    rows = tl.arange(0, 256)[:, None]
    a = tl.load(a_ptr + rows * 256 + tl.arange(0, 256)[None, :])
    b = tl.load(b_ptr + rows * 64 + tl.arange(0, 64)[None, :])
    tl.store(out_ptr + rows * 64 + tl.arange(0, 64)[None, :], tl.dot(a, b))


def work(kernel: object, *arguments: object, target: str) -> dict[str, list[dict[str, float]]]:
    """What the operations of a compiled kernel keep busy, by their instructions' names; without products that turn."""
    module = kernel.compile(*arguments, grid=(1,), target=target).module("neuron.engine")  # type: ignore[attr-defined]
    found: dict[str, list[dict[str, float]]] = {}
    for op in module.walk():
        if isinstance(op, EngineInstruction) and not op.fields().get("is_transpose"):
            found.setdefault(op.instruction.name, []).append(dict(of_operation(op).work))
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_a_tile_and_its_transfers(target: str) -> None:
    prices, layout = Prices(load(target)), Layout.lanes((128, 64), 0, 128, blocked=False)
    found = work(scaled, floats(128, 96), floats(128, 96), target=target)
    assert [prices.compute(layout, f32)] == [one["vector"] for one in found["tensor_scalar"]]
    moves = [prices.transfer(layout, (96, 1), f32, store) for store in (False, True)]
    for price, one in zip(moves, found["dma_copy"], strict=True):
        engines = [ns for name, ns in one.items() if name.startswith("dma engine")]
        assert price == pytest.approx(max(*engines, transfers.least_ns(load(target))))


@pytest.mark.parametrize("target", TARGETS)
def test_a_product(target: str) -> None:
    arguments = floats(256, 256), floats(256, 64), floats(256, 64)
    found = work(product, *arguments, target=target)["nc_matmul"]
    assert Prices(load(target)).product(256, 64, 256, f32) == pytest.approx(sum(one["tensor"] for one in found))


def test_the_fast_types_of_a_target() -> None:
    prices = Prices(load("trn2"))
    assert prices.compute(LANES, by_name("bfloat16").type) < prices.compute(LANES, f32)
    assert prices.compute(LANES, by_name("bool").type) == prices.compute(LANES, by_name("uint8").type)


def test_replicas_are_read_again() -> None:
    """A row on every partition costs what a matrix of such rows does."""
    prices = Prices(load("trn1"))
    row = Layout.of((96,), (replica(128),), (Factor(0, 96),))
    assert prices.transfer(row, (1,), f32) == prices.transfer(LANES, (96, 1), f32)


def test_single_elements_cost_more_than_runs() -> None:
    prices, turned = Prices(load("trn1")), Layout.lanes((128, 96), 1, 128, blocked=False)
    assert prices.transfer(turned, (96, 1), f32) > 1.5 * prices.transfer(LANES, (96, 1), f32)


def test_ways_of_converts() -> None:
    prices, turned = Prices(load("trn1")), Layout.lanes((128, 96), 1, 128, blocked=False)
    assert prices.convert(LANES, LANES, f32) == (0.0, Way.NOTHING)
    price, way = prices.convert(LANES, turned, f32)
    blocks, latency, wake = 12 * 64 / 1.12, 213 + (32 - 64) / 1.12, 30
    assert way is Way.VECTOR and price == pytest.approx(blocks + latency + wake)
