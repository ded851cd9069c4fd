"""Triton's vector add."""

from __future__ import annotations

import common
import numpy as np

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def add_kernel(x_ptr, y_ptr, output_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(axis=0)
    block_start = pid * BLOCK_SIZE
    offsets = block_start + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    output = x + y
    tl.store(output_ptr + offsets, output, mask=mask)


def main() -> None:
    args = common.options("Adds two vectors.", size=98_432, block=1024)
    x = common.random(args.size, args.dtype, args.seed)
    y = common.random(args.size, args.dtype, args.seed + 1)
    out = np.empty_like(x)
    programs = (nki_mlir.cdiv(args.size, args.block),)
    compiled = add_kernel.compile(x, y, out, args.size, BLOCK_SIZE=args.block, grid=programs)
    common.print_levels(compiled, args.ir)
    add_kernel[programs](x, y, out, args.size, BLOCK_SIZE=args.block)
    common.report(add_kernel, out, x + y, 0.0)


if __name__ == "__main__":
    main()
