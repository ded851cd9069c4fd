"""A row softmax in Triton: one program a row, one block a row."""

from __future__ import annotations

import common
import numpy as np

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def softmax_kernel(output_ptr, input_ptr, input_row_stride, output_row_stride, n_cols, BLOCK_SIZE: tl.constexpr):
    row_idx = tl.program_id(0)
    row_start_ptr = input_ptr + row_idx * input_row_stride
    col_offsets = tl.arange(0, BLOCK_SIZE)
    row = tl.load(row_start_ptr + col_offsets, mask=col_offsets < n_cols, other=-float("inf"))
    row_minus_max = row - tl.max(row, axis=0)
    numerator = tl.exp(row_minus_max)
    denominator = tl.sum(numerator, axis=0)
    softmax_output = numerator / denominator
    output_row_start_ptr = output_ptr + row_idx * output_row_stride
    tl.store(output_row_start_ptr + col_offsets, softmax_output, mask=col_offsets < n_cols)


def softmax(x: np.ndarray) -> np.ndarray:
    numerator = np.exp(x.astype(np.float32) - x.astype(np.float32).max(axis=1, keepdims=True))
    return numerator / numerator.sum(axis=1, keepdims=True)


def main() -> None:
    args = common.options("Softmax of every row.", rows=1000, columns=781)
    x = common.random((args.rows, args.columns), args.dtype, args.seed)
    out = np.empty_like(x)
    sizes = (args.columns, args.columns, args.columns)
    block = nki_mlir.next_power_of_2(args.columns)
    common.print_levels(softmax_kernel.compile(out, x, *sizes, BLOCK_SIZE=block, grid=(args.rows,)), args.ir)
    softmax_kernel[(args.rows,)](out, x, *sizes, BLOCK_SIZE=block)
    common.report(softmax_kernel, out, softmax(x), 1e-5 if args.dtype == "float32" else 1e-2)


if __name__ == "__main__":
    main()
