"""Tiles that become buffers: random programs of values against NumPy, on the machine and with all its checks."""

from __future__ import annotations

import numpy as np
import pytest
from value_programs import COLUMNS, LANES, NUMBERS, STORED, value_program

from nki_mlir import execute, parse, pipeline


@pytest.mark.parametrize("seed", range(60))
def test_values_are_kept(seed: int) -> None:
    program = value_program(seed)
    out = np.zeros((STORED, LANES, COLUMNS), np.float32)
    module = pipeline("bufferize,multi-buffer,allocate,engine-to-isa")(parse(program.text))
    execute(module, [out, np.array(NUMBERS, np.int32)])
    np.testing.assert_array_equal(out, program.run())


APART = {
    "15xf32, [d0:2, _:2] x [d0/2:8]": "[d0 by 1]",
    "15xf32, [d0:2, _:2, *:2] x [d0/2:8]": "[d0 by 1]",
    "128xf32, [d0/15:9, d0:3] x [d0/3:5]": "[d0 by 1]",
    "5x31xf32, [d0, d1:12] x [d1/12:3]": "[d0 by 31, d1 by 1]",
}
"""Tiles whose partitions don't follow one another, or end within a row of them, and where their elements are in memory."""

CONTROL = {
    "loop": """
  %p, %q = scf.for %i = %c0 to %c3 step %c1 iter_args(%u = %a, %w = %b) -> (T, T) {
    neuron.mem.store %u to %y ACCESS : T -> memref<3xNxf32>
    scf.yield %w, %u : T, T
  }""",
    "if": """
  %l = neuron.mem.load %k [d0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>
  %s = neuron.mem.scalar %l : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> index
  %g = arith.cmpi sgt, %s, %c0 : index
  %p, %q = scf.if %g -> (T, T) {
    scf.yield %b, %a : T, T
  } else {
    scf.yield %a, %b : T, T
  }
  neuron.mem.store %a to %y ACCESS : T -> memref<3xNxf32>""",
}


@pytest.mark.parametrize("control", CONTROL)
@pytest.mark.parametrize("tile", APART)
def test_copies_of_tiles_whose_partitions_are_apart(tile: str, control: str) -> None:
    size = int(np.prod([int(n) for n in tile.split("xf32")[0].split("x")]))
    constants = {"c0": 0, "c1": 1, "c3": 3, "n": size, "nn": 2 * size}
    lines = [f"  %{name} = arith.constant {number} : index" for name, number in constants.items()]
    text = "\n".join(
        [
            "func.func @f(%x: memref<2xNxf32>, %k: memref<1xi32>, %y: memref<3xNxf32>) {",
            *lines,
            "  %a = neuron.mem.load %x ACCESS : memref<2xNxf32> -> T",
            "  %b = neuron.mem.load %x(%n) MOVED : memref<2xNxf32> -> T",
            CONTROL[control],
            "  neuron.mem.store %p to %y(%n) MOVED : T -> memref<3xNxf32>",
            "  neuron.mem.store %q to %y(%nn) MOVED : T -> memref<3xNxf32>",
            "  func.return\n}",
        ]
    )
    access = APART[tile]
    for name, what in {
        "MOVED": access.replace("[", "[s0 by 1, "),
        "ACCESS": access,
        "xNx": f"x{size}x",
        "T": f"!neuron.mem.tile<sbuf, {tile}>",
    }.items():
        text = text.replace(name, what)
    x, y = np.random.default_rng(size).standard_normal((2, size)).astype(np.float32), np.zeros((3, size), np.float32)
    execute(pipeline("mem-to-engine,engine-to-isa")(parse(text)), [x, np.array([1], np.int32), y])
    np.testing.assert_array_equal(y, x[[0, 1, 0]])
