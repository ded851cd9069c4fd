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
