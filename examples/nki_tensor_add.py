"""NKI's tensor add."""

from __future__ import annotations

import common
import numpy as np

import nki_mlir.nki as nki
import nki_mlir.nki.language as nl


@nki.jit
def nki_tensor_add_kernel(a_input, b_input, c_output):
    offset_i_x = nl.program_id(0) * 128
    offset_i_y = nl.program_id(1) * 512
    ix = offset_i_x + nl.arange(128)[:, None]
    iy = offset_i_y + nl.arange(512)[None, :]
    a_tile = nl.load(a_input[ix, iy])
    b_tile = nl.load(b_input[ix, iy])
    c_tile = a_tile + b_tile
    nl.store(c_output[ix, iy], value=c_tile)


def main() -> None:
    args = common.options("Adds two matrices of 128 x 512 tiles.", rows=256, columns=2048)
    shape, grid = (args.rows, args.columns), (args.rows // 128, args.columns // 512)
    a = common.random(shape, args.dtype, args.seed)
    b = common.random(shape, args.dtype, args.seed + 1)
    c = np.empty_like(a)
    common.print_levels(nki_tensor_add_kernel.compile(a, b, c, grid=grid), args.ir)
    nki_tensor_add_kernel[grid](a, b, c)
    common.report(nki_tensor_add_kernel, c, a + b, 0.0)


if __name__ == "__main__":
    main()
