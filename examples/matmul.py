"""A matmul with a leaky ReLU in Triton, every edge masked."""

from __future__ import annotations

from typing import Any

import common
import numpy as np

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def leaky_relu(x):
    return tl.where(x >= 0, x, 0.01 * x)


@nki_mlir.jit
def matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    stride_am,
    stride_ak,
    stride_bk,
    stride_bn,
    stride_cm,
    stride_cn,
    BLOCK_SIZE_M: tl.constexpr,
    BLOCK_SIZE_N: tl.constexpr,
    BLOCK_SIZE_K: tl.constexpr,
    ACTIVATION: tl.constexpr,
):
    pid_m = tl.program_id(axis=0)
    pid_n = tl.program_id(axis=1)
    offs_m = pid_m * BLOCK_SIZE_M + tl.arange(0, BLOCK_SIZE_M)
    offs_n = pid_n * BLOCK_SIZE_N + tl.arange(0, BLOCK_SIZE_N)
    offs_k = tl.arange(0, BLOCK_SIZE_K)
    a_ptrs = a_ptr + offs_m[:, None] * stride_am + offs_k[None, :] * stride_ak
    b_ptrs = b_ptr + offs_k[:, None] * stride_bk + offs_n[None, :] * stride_bn
    acc = tl.zeros((BLOCK_SIZE_M, BLOCK_SIZE_N), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BLOCK_SIZE_K)):
        k_left = K - k * BLOCK_SIZE_K
        a = tl.load(a_ptrs, mask=(offs_m[:, None] < M) & (offs_k[None, :] < k_left), other=0.0)
        b = tl.load(b_ptrs, mask=(offs_k[:, None] < k_left) & (offs_n[None, :] < N), other=0.0)
        acc += tl.dot(a, b)
        a_ptrs += BLOCK_SIZE_K * stride_ak
        b_ptrs += BLOCK_SIZE_K * stride_bk
    if ACTIVATION == "leaky_relu":
        acc = leaky_relu(acc)
    c = acc.to(c_ptr.dtype.element_ty)
    c_ptrs = c_ptr + offs_m[:, None] * stride_cm + offs_n[None, :] * stride_cn
    tl.store(c_ptrs, c, mask=(offs_m[:, None] < M) & (offs_n[None, :] < N))


def arguments(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[Any, ...]:
    """The arrays, the sizes and the strides in elements."""
    (m, k), n = a.shape, b.shape[1]
    strides = [s // x.itemsize for x in (a, b, c) for s in x.strides]
    return (a, b, c, m, n, k, *strides)


def grid(m: int, n: int, blocks: tuple[int, int, int]) -> tuple[int, int]:
    return nki_mlir.cdiv(m, blocks[0]), nki_mlir.cdiv(n, blocks[1])


def meta(blocks: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "BLOCK_SIZE_M": blocks[0],
        "BLOCK_SIZE_N": blocks[1],
        "BLOCK_SIZE_K": blocks[2],
        "ACTIVATION": "leaky_relu",
    }


def reference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product = a.astype(np.float32) @ b.astype(np.float32)
    return np.where(product >= 0, product, np.float32(0.01) * product)


def main() -> None:
    sizes = {"m": 512, "n": 512, "k": 512, "block_m": 128, "block_n": 128, "block_k": 64}
    args = common.options("Leaky ReLU of a product.", **sizes)
    a = common.random((args.m, args.k), args.dtype, args.seed)
    b = common.random((args.k, args.n), args.dtype, args.seed + 1)
    c = np.empty((args.m, args.n), a.dtype)
    blocks = (args.block_m, args.block_n, args.block_k)
    programs = grid(args.m, args.n, blocks)
    common.print_levels(matmul_kernel.compile(*arguments(a, b, c), grid=programs, **meta(blocks)), args.ir)
    matmul_kernel[programs](*arguments(a, b, c), **meta(blocks))
    common.report(matmul_kernel, c, reference(a, b), 1e-5 if args.dtype == "float32" else 1e-2)


if __name__ == "__main__":
    main()
