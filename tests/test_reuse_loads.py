"""Loads that loops would make again, kept on chip: random nests on the machine, against NumPy; and what it saves."""

from __future__ import annotations

import random

import numpy as np
import pytest
from reference.mem import run_mem
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import execute, parse, pipeline
from nki_mlir.dialects.neuron_mem import InsertOp
from nki_mlir.executor import time_program

ROWS, COLUMNS = 64, 16
BLOCK = ROWS * COLUMNS
LAYOUTS = ("[d0] x [d1]", "[d0:32] x [d0/32:2, d1]", "[d0:32] x [d1, d0/32:2]", "[*:64] x [d0, d1]", "[d1] x [d0]")


def nest(seed: int) -> tuple[str, int, int]:
    """Sums over two loops, perhaps in a third, of blocks that the inner one, or the third too, chooses, times blocks
    that change with all; the module's text and the sizes of its arrays."""
    r = random.Random(seed)
    outer, middle, inner = r.choice((1, 2, 3)), r.choice((2, 3)), r.choice((2, 3, 5))
    tile = f"!neuron.mem.tile<sbuf, {ROWS}x{COLUMNS}xf32, {r.choice(LAYOUTS)}>"
    step, first = r.choice((1, 2)), r.choice((0, 1))
    varies = outer > 1 and r.random() < 0.5
    chosen = f"(%m, %j) [{BLOCK * inner * step} * s0 + {BLOCK} * s1" if varies else f"(%j) [{BLOCK} * s0"
    kept, changing = 2 * outer * inner * step + 2, outer * middle * (inner * step + first)
    address = f"{COLUMNS} * d0 + d1 by 1]"
    again = r.random() < 0.3
    twice = f"%f = neuron.mem.binary add %e, %a : {tile}, {tile} -> {tile}" if again else ""
    text = f"""
func.func @f(%x: memref<{kept * BLOCK}xf32>, %y: memref<{changing * BLOCK}xf32>, %z: memref<{outer * BLOCK}xf32>)
    attributes {{tile.arg_names = ["x", "y", "z"]}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %first = arith.constant {first} : index
  %step = arith.constant {step} : index
  %outer = arith.constant {outer} : index
  %middle = arith.constant {middle} : index
  %inner = arith.constant {inner * step + first} : index
  %zero = arith.constant 0.0 : f32
  scf.for %m = %c0 to %outer step %c1 {{
    %s = neuron.mem.fill %zero : f32 -> {tile}
    %u = scf.for %i = %c0 to %middle step %c1 iter_args(%v = %s) -> ({tile}) {{
      %w = scf.for %j = %first to %inner step %step iter_args(%t = %v) -> ({tile}) {{
        %a = neuron.mem.load %x{chosen} + {address} : memref<{kept * BLOCK}xf32> -> {tile}
        %b = neuron.mem.load %y(%m, %i, %j) [{middle * (inner * step + first) * BLOCK} * s0
            + {(inner * step + first) * BLOCK} * s1 + {BLOCK} * s2 + {address} : memref<{changing * BLOCK}xf32> -> {tile}
        %d = neuron.mem.binary multiply %a, %b : {tile}, {tile} -> {tile}
        %e = neuron.mem.binary add %t, %d : {tile}, {tile} -> {tile}
        {twice}
        scf.yield {"%f" if again else "%e"} : {tile}
      }}
      scf.yield %w : {tile}
    }}
    neuron.mem.store %u to %z(%m) [{BLOCK} * s0 + {address} : {tile} -> memref<{outer * BLOCK}xf32>
  }}
  func.return
}}
"""
    return text, kept * BLOCK, changing * BLOCK


def kept(module: ModuleOp) -> int:
    return sum(isinstance(op, InsertOp) for op in module.walk())


@pytest.mark.parametrize("seed", range(30))
def test_random_nests(seed: int) -> None:
    text, first, second = nest(seed)
    module = parse(text)
    outer = int(text.split("%outer = arith.constant ")[1].split()[0])
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal(size).astype(np.float32) for size in (first, second))
    wanted = np.zeros(outer * BLOCK, np.float32)
    run_mem(module, [x, y, wanted])
    reused = pipeline("reuse-loads")(module)
    assert kept(reused) == 1, text
    for one in (reused, module):  # it may be left out
        found = np.zeros_like(wanted)
        execute(pipeline("mem-to-engine,engine-to-isa")(one), [x, y, found], checks=True, seed=seed)
        np.testing.assert_array_equal(found, wanted, err_msg=text)
    again = np.zeros_like(wanted)
    run_mem(reused, [x, y, again])
    np.testing.assert_array_equal(again, wanted, err_msg=text)


def test_what_transfers_bound_takes_less_time() -> None:
    """Eight rows of 64 KiB in all, loaded once instead of eight times."""
    tile, memory = "!neuron.mem.tile<sbuf, 128x2048xf32, [d0] x [d1]>", "memref<1024x2048xf32>"
    text = f"""
func.func @f(%x: {memory}, %z: memref<8x128xf32>) attributes {{tile.arg_names = ["x", "z"]}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {{
    scf.for %j = %c0 to %c8 step %c1 {{
      %a = neuron.mem.load %x(%j) [262144 * s0 + 2048 * d0 + d1 by 1] : {memory} -> {tile}
      %m = neuron.mem.reduce max %a axis 1 : {tile} -> !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
      neuron.mem.store %m to %z(%i) [128 * s0 + d0 by 1] : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> memref<8x128xf32>
    }}
  }}
  func.return
}}
"""
    rest = pipeline("mem-to-engine,engine-to-isa")
    before, after = (time_program(rest(module)) for module in (parse(text), pipeline("reuse-loads")(parse(text))))
    assert after.modelled_us < 0.8 * before.modelled_us
