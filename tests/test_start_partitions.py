"""Programs whose narrow buffers fit side by side only, against NumPy."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from engine_programs import Array
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from nki_mlir import CompileError, execute, parse, pipeline
from nki_mlir.analysis.lifetimes import Occupancy, lifetimes, occupancy
from nki_mlir.dialects.neuron_engine import AllocOp

USABLE = 180_224


@dataclass
class Buffer:
    """`columns` fp32 numbers on each of `partitions`, rows of the array of its number."""

    number: int
    partitions: int
    columns: int

    @property
    def type(self) -> str:
        return f"!neuron.engine.buffer<sbuf, {self.partitions} x {4 * self.columns}>"

    @property
    def memory(self) -> str:
        return f"memref<{self.partitions}x{self.columns}xf32>"

    def view(self, partitions: int, columns: int) -> str:
        return f"!neuron.engine.view<sbuf[0:{partitions}], [1 x {columns}], f32>"

    @property
    def whole(self) -> str:
        return f"!neuron.engine.view<hbm, [{self.columns} x {self.partitions}, 1 x {self.columns}], f32>"


@dataclass
class Sum:
    """buffer `to` += buffer `of`, as far as both go."""

    to: Buffer
    of: Buffer

    @property
    def sizes(self) -> tuple[int, int]:
        return min(self.to.partitions, self.of.partitions), min(self.to.columns, self.of.columns)


def text(buffers: list[Buffer], sums: list[Sum]) -> str:
    lines: list[str] = []
    for b in buffers:
        n, view = b.number, b.view(b.partitions, b.columns)
        lines += [
            f'%b{n} = neuron.engine.alloc "b{n}" : {b.type}',
            f"%v{n} = neuron.engine.view %b{n} : {b.type} -> {view}",
            f"%h{n} = neuron.engine.view %x{n} : {b.memory} -> {b.whole}",
            f"neuron.engine.dma_copy sync queue 0 dst %v{n} : {view} src %h{n} : {b.whole}",
        ]
    for number, one in enumerate(sums):
        type_ = one.to.view(*one.sizes)
        for name, b in (("t", one.to), ("o", one.of)):
            lines.append(f"%{name}{number} = neuron.engine.view %b{b.number} : {b.type} -> {type_}")
        to, of = f"%t{number} : {type_}", f"%o{number} : {type_}"
        lines.append(f"neuron.engine.tensor_tensor vector op add dst {to} data1 {to} data2 {of}")
    for b in buffers:
        n, view = b.number, b.view(b.partitions, b.columns)
        lines.append(f"neuron.engine.dma_copy sync queue 1 dst %h{n} : {b.whole} src %v{n} : {view}")
    arguments = ", ".join(f"%x{b.number}: {b.memory}" for b in buffers)
    names = ", ".join(f'"x{b.number}"' for b in buffers)
    body = "\n".join(lines)
    return f"func.func @f({arguments}) attributes {{tile.arg_names = [{names}]}} {{\n{body}\nfunc.return\n}}"


def expected(arrays: list[Array], sums: list[Sum]) -> list[Array]:
    found = [a.copy() for a in arrays]
    for one in sums:
        rows, columns = one.sizes
        found[one.to.number][:rows, :columns] += found[one.of.number][:rows, :columns]
    return found


def starts(module: ModuleOp) -> list[int]:
    return [op.first_partition for op in module.walk() if isinstance(op, AllocOp)]


def check(buffers: list[Buffer], sums: list[Sum], seed: int) -> list[int]:
    """The start partitions that it took."""
    allocated = pipeline("allocate")(parse(text(buffers, sums)))
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((b.partitions, b.columns)).astype(np.float32) for b in buffers]
    wanted = expected(arrays, sums)
    execute(pipeline("engine-to-isa")(allocated), arrays, checks=True, seed=seed)
    for b, found, want in zip(buffers, arrays, wanted, strict=True):
        np.testing.assert_array_equal(found, want, err_msg=f"{b} of seed {seed}")
    return starts(allocated)


def test_four_in_the_place_of_one() -> None:
    buffers = [Buffer(number, 32, USABLE // 8) for number in range(8)]
    sums = [Sum(buffers[number], buffers[number - 3]) for number in range(8)]
    assert sorted(check(buffers, sums, 0)) == sorted([0, 32, 64, 96] * 2)


def test_what_fits_on_the_first_partitions_stays() -> None:
    buffers = [Buffer(number, 32, USABLE // 16) for number in range(4)]
    assert set(check(buffers, [Sum(buffers[0], buffers[1])], 0)) == {0}


@pytest.mark.parametrize("seed", range(12))
def test_random_sizes(seed: int) -> None:
    """Together they need up to about three times what the first partitions have."""
    r = random.Random(seed)
    buffers: list[Buffer] = []
    while sum(4 * b.columns for b in buffers) <= USABLE:
        buffers.append(Buffer(len(buffers), r.choice((7, 32, 32, 40, 64, 70, 96)), r.randrange(1000, 20_000)))
    sums = [Sum(*r.sample(buffers, 2)) for _ in range(8)]
    try:
        found = check(buffers, sums, seed)
    except CompileError as error:  # too many wide ones among them
        assert "sbuf is full" in str(error)
        wide = sum(4 * b.columns for b in buffers if b.partitions > 64)
        assert wide + max(4 * b.columns for b in buffers) > USABLE // 2
    else:
        assert any(found)


def test_the_least_that_buffers_need() -> None:
    """What is alive together on the partition with most of it, not what lies side by side."""
    text = """
builtin.module attributes {neuron.target = "trn1"} {
  func.func @f() {
    %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 256>
    %b = neuron.engine.alloc "b" at 1024 from 64 : !neuron.engine.buffer<sbuf, 32 x 512>
    %c = neuron.engine.alloc "c" at 256 : !neuron.engine.buffer<sbuf, 64 x 100>
    func.return
  }
}"""
    (func,) = parse(text).body.block.ops
    assert isinstance(func, FuncOp)
    lives = lifetimes(func)
    assert occupancy(lives) == Occupancy(used=1536, least=512)
    for life in lives:
        life.first, life.last = 0, 9
    assert occupancy(lives) == Occupancy(used=1536, least=256 + 512)
