"""Transfers, and what reads what they bring, in some iterations only: every wait that is needed is there, in any
timing, with buffers of one slot or several."""

from __future__ import annotations

import numpy as np
import pytest
from engine_reference import Reference

from nki_mlir import execute, parse, pipeline

GUARDS = {"all": "%c1", "not last": "%before7", "not first": "%j", "half": "%before4", "other half": "%after3"}
"""Above 0 in those iterations of the inner loop, of which there are eight."""

VIEW = "!neuron.engine.view<sbuf[0:8], [1 x 8, 1 x 1], f32>"
HBM = "!neuron.engine.view<hbm, [8 x 8, 1 x 8, 1 x 1], f32>"
BUFFER = "!neuron.engine.buffer<sbuf, 8 x 32>"
MEMORY = "memref<1024xf32>"


def kernel(depth: int, loaded: str, read: str) -> str:
    """Loads blocks into buffers that hold ones, and stores their doubles."""
    constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in (0, 1, 2, 3, 4, 7, 8, 64, 512))
    return f"""
      func.func @f(%x: {MEMORY}, %y: {MEMORY}) attributes {{tile.arg_names = ["x", "y"]}} {{
        {constants}
        scf.for %i = %c0 to %c2 step %c1 {{
          scf.for %j = %c0 to %c8 step %c1 {{
            %before7 = arith.subi %c7, %j : index
            %before4 = arith.subi %c4, %j : index
            %after3 = arith.subi %j, %c3 : index
            %row = arith.muli %i, %c512 : index
            %block = arith.muli %j, %c64 : index
            %at = arith.addi %row, %block : index
            %b = neuron.engine.alloc "b" {{depth = {depth} : i64}} : {BUFFER}
            %all = neuron.engine.view %b : {BUFFER} -> {VIEW}
            neuron.engine.memset gpsimd value 1.0 : f32 dst %all : {VIEW}
            %to = neuron.engine.view %b limit dim 2 {loaded} : {BUFFER} -> {VIEW}
            %from = neuron.engine.view %x at %at limit dim 2 {loaded} : {MEMORY} -> {HBM}
            neuron.engine.dma_copy sync queue 0 dst %to : {VIEW} src %from : {HBM}
            %c = neuron.engine.alloc "c" {{depth = {depth} : i64}} : {BUFFER}
            %sum = neuron.engine.view %c limit dim 2 {read} : {BUFFER} -> {VIEW}
            %one = neuron.engine.view %b limit dim 2 {read} : {BUFFER} -> {VIEW}
            neuron.engine.tensor_tensor vector op add dst %sum : {VIEW} data1 %one : {VIEW} data2 %one : {VIEW}
            %out = neuron.engine.view %y at %at limit dim 2 {read} : {MEMORY} -> {HBM}
            neuron.engine.dma_copy scalar queue 0 dst %out : {HBM} src %sum : {VIEW}
          }}
        }}
        func.return
      }}
    """


ROW = "!neuron.engine.view<sbuf[0:8], [1 x 64, 1 x 1], f32>"
PLANE = "!neuron.engine.view<hbm, [64 x 8, 1 x 64, 1 x 1], f32>"
ROWS = "!neuron.engine.buffer<sbuf, 8 x 256>"
STATES = "memref<8192xf32>"
TOGETHER = f"""
  %d = neuron.engine.alloc "d" {{depth = 2 : i64}} : {ROWS}
  %row_at = arith.muli %at, %c8 : index
  %states = neuron.engine.view %d limit dim 2 READ : {ROWS} -> {ROW}
  %stored = neuron.engine.view %y at %row limit dim 2 READ : {MEMORY} -> {PLANE}
  neuron.engine.dma_copy sync queue 1 dst %states : {ROW} src %stored : {PLANE}
  %state = neuron.engine.view %z at %row_at limit dim 2 READ : {STATES} -> {PLANE}
  neuron.engine.dma_copy scalar queue 1 dst %state : {PLANE} src %states : {ROW}
"""
"""Reads back all blocks of a row, those that are stored and those that are not."""


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("read", GUARDS)
@pytest.mark.parametrize("loaded", GUARDS)
def test_parts(loaded: str, read: str, depth: int) -> None:
    check(kernel(depth, GUARDS[loaded], GUARDS[read]), [1024, 1024])


@pytest.mark.parametrize("stored", ["all", "not first"])
@pytest.mark.parametrize("read", GUARDS)
def test_parts_read_together(read: str, stored: str) -> None:
    """Whoever reads what several transfers wrote before waits for all of these, if not before."""
    text = kernel(3, "%c1", GUARDS[stored]).replace(f"%y: {MEMORY})", f"%y: {MEMORY}, %z: {STATES})")
    text = text.replace('"y"]', '"y", "z"]')
    inner = text.rindex("          }\n        }")
    check(text[:inner] + TOGETHER.replace("READ", GUARDS[read]) + text[inner:], [1024, 1024, 8192])


def check(text: str, sizes: list[int]) -> None:
    """A kernel of that many arrays, of which it reads the first."""
    module = parse(text)
    x = np.random.default_rng(1).standard_normal(sizes[0]).astype(np.float32)
    expected = [np.zeros(size, np.float32) for size in sizes[1:]]
    Reference(module, [x, *expected])
    lowered = pipeline("allocate,emit-streams,insert-semaphores")(module)
    for seed in (None, 1, 2):
        found = [np.zeros(size, np.float32) for size in sizes[1:]]
        execute(lowered, [x, *found], seed=seed)
        for one, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, wanted)
