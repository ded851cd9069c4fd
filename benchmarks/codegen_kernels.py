"""Kernels as their authors write them for Triton, without a word about this machine: what `codegen.py` compiles."""

from __future__ import annotations

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + y, mask=mask)


@nki_mlir.jit
def softmax(out_ptr, x_ptr, n_columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = columns < n_columns
    x = tl.load(x_ptr + row * n_columns + columns, mask=mask, other=-float("inf"))
    numerator = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * n_columns + columns, numerator / tl.sum(numerator, axis=0), mask=mask)


@nki_mlir.jit
def softmax_grid_stride(out_ptr, x_ptr, n_rows, n_columns, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    mask = columns < n_columns
    for row in range(tl.program_id(0), n_rows, tl.num_programs(0)):
        x = tl.load(x_ptr + row * n_columns + columns, mask=mask, other=-float("inf"))
        numerator = tl.exp(x - tl.max(x, axis=0))
        tl.store(out_ptr + row * n_columns + columns, numerator / tl.sum(numerator, axis=0), mask=mask)


@nki_mlir.jit
def layernorm(x_ptr, y_ptr, weight_ptr, bias_ptr, n_columns, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = columns < n_columns
    x = tl.load(x_ptr + row * n_columns + columns, mask=mask, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / n_columns
    centred = tl.where(mask, x - mean, 0.0)
    variance = tl.sum(centred * centred, axis=0) / n_columns
    scaled = centred * (1 / tl.sqrt(variance + eps))
    weight = tl.load(weight_ptr + columns, mask=mask)
    bias = tl.load(bias_ptr + columns, mask=mask)
    tl.store(y_ptr + row * n_columns + columns, scaled * weight + bias, mask=mask)


@nki_mlir.jit
def matmul(
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
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP_M: tl.constexpr,
    GELU: tl.constexpr,
):
    pid = tl.program_id(axis=0)
    num_pid_m = tl.cdiv(M, BLOCK_M)
    num_pid_n = tl.cdiv(N, BLOCK_N)
    num_pid_in_group = GROUP_M * num_pid_n
    group_id = pid // num_pid_in_group
    first_pid_m = group_id * GROUP_M
    group_size_m = min(num_pid_m - first_pid_m, GROUP_M)
    pid_m = first_pid_m + ((pid % num_pid_in_group) % group_size_m)
    pid_n = (pid % num_pid_in_group) // group_size_m

    offs_am = (pid_m * BLOCK_M + tl.arange(0, BLOCK_M)) % M
    offs_bn = (pid_n * BLOCK_N + tl.arange(0, BLOCK_N)) % N
    offs_k = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + (offs_am[:, None] * stride_am + offs_k[None, :] * stride_ak)
    b_ptrs = b_ptr + (offs_k[:, None] * stride_bk + offs_bn[None, :] * stride_bn)
    accumulator = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BLOCK_K)):
        a = tl.load(a_ptrs, mask=offs_k[None, :] < K - k * BLOCK_K, other=0.0)
        b = tl.load(b_ptrs, mask=offs_k[:, None] < K - k * BLOCK_K, other=0.0)
        accumulator = tl.dot(a, b, accumulator)
        a_ptrs += BLOCK_K * stride_ak
        b_ptrs += BLOCK_K * stride_bk
    if GELU:
        x = accumulator
        inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)
        accumulator = 0.5 * x * (1.0 + tl.math.tanh(inner))
    c = accumulator.to(c_ptr.dtype.element_ty)

    offs_cm = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_cn = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    c_ptrs = c_ptr + stride_cm * offs_cm[:, None] + stride_cn * offs_cn[None, :]
    c_mask = (offs_cm[:, None] < M) & (offs_cn[None, :] < N)
    tl.store(c_ptrs, c, mask=c_mask)


@nki_mlir.jit
def flash_attention_inner(
    acc,
    l_i,
    m_i,
    q,
    k_ptr,
    v_ptr,
    qk_scale,
    lo,
    hi,
    offs_m,
    offs_n,
    offs_d,
    HEAD_DIM: tl.constexpr,
    BLOCK_N: tl.constexpr,
    ON_BAND: tl.constexpr,
):
    for start_n in range(lo, hi, BLOCK_N):
        k = tl.load(k_ptr + (start_n + offs_n)[None, :] * HEAD_DIM + offs_d[:, None])
        qk = tl.dot(q, k)
        if ON_BAND:
            mask = offs_m[:, None] >= (start_n + offs_n[None, :])
            qk = qk * qk_scale + tl.where(mask, 0, -1.0e6)
            m_ij = tl.maximum(m_i, tl.max(qk, 1))
            qk -= m_ij[:, None]
        else:
            m_ij = tl.maximum(m_i, tl.max(qk, 1) * qk_scale)
            qk = qk * qk_scale - m_ij[:, None]
        p = tl.exp2(qk)
        alpha = tl.exp2(m_i - m_ij)
        l_ij = tl.sum(p, 1)
        acc = acc * alpha[:, None]
        v = tl.load(v_ptr + (start_n + offs_n)[:, None] * HEAD_DIM + offs_d[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc)
        l_i = l_i * alpha + l_ij
        m_i = m_ij
    return acc, l_i, m_i


@nki_mlir.jit
def flash_attention(
    q_ptr,
    k_ptr,
    v_ptr,
    out_ptr,
    sm_scale,
    N_CTX,
    HEAD_DIM: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    CAUSAL: tl.constexpr,
):
    start_m = tl.program_id(0)
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, HEAD_DIM)
    m_i = tl.zeros([BLOCK_M], dtype=tl.float32) - float("inf")
    l_i = tl.zeros([BLOCK_M], dtype=tl.float32) + 1.0
    acc = tl.zeros([BLOCK_M, HEAD_DIM], dtype=tl.float32)
    qk_scale = sm_scale * 1.44269504  # 1/log(2)
    q = tl.load(q_ptr + offs_m[:, None] * HEAD_DIM + offs_d[None, :])
    if CAUSAL:
        acc, l_i, m_i = flash_attention_inner(
            acc,
            l_i,
            m_i,
            q,
            k_ptr,
            v_ptr,
            qk_scale,
            0,
            start_m * BLOCK_M,
            offs_m,
            offs_n,
            offs_d,
            HEAD_DIM,
            BLOCK_N,
            False,
        )
        acc, l_i, m_i = flash_attention_inner(
            acc,
            l_i,
            m_i,
            q,
            k_ptr,
            v_ptr,
            qk_scale,
            start_m * BLOCK_M,
            (start_m + 1) * BLOCK_M,
            offs_m,
            offs_n,
            offs_d,
            HEAD_DIM,
            BLOCK_N,
            True,
        )
    else:
        acc, l_i, m_i = flash_attention_inner(
            acc, l_i, m_i, q, k_ptr, v_ptr, qk_scale, 0, N_CTX, offs_m, offs_n, offs_d, HEAD_DIM, BLOCK_N, False
        )
    acc = acc / l_i[:, None]
    tl.store(out_ptr + offs_m[:, None] * HEAD_DIM + offs_d[None, :], acc.to(out_ptr.dtype.element_ty))


@nki_mlir.jit
def attention_scores(
    q_ptr,
    k_ptr,
    scores_ptr,
    sm_scale,
    N_CTX,
    HEAD_DIM: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    offs_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, HEAD_DIM)
    q = tl.load(q_ptr + offs_m[:, None] * HEAD_DIM + offs_d[None, :])
    k = tl.load(k_ptr + offs_n[None, :] * HEAD_DIM + offs_d[:, None])
    tl.store(scores_ptr + offs_m[:, None] * N_CTX + offs_n[None, :], tl.dot(q, k) * sm_scale)


@nki_mlir.jit
def attention_output(
    p_ptr,
    v_ptr,
    out_ptr,
    N_CTX,
    HEAD_DIM: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    offs_m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, HEAD_DIM)
    acc = tl.zeros([BLOCK_M, HEAD_DIM], dtype=tl.float32)
    for start_n in range(0, N_CTX, BLOCK_N):
        p = tl.load(p_ptr + offs_m[:, None] * N_CTX + (start_n + offs_n)[None, :])
        v = tl.load(v_ptr + (start_n + offs_n)[:, None] * HEAD_DIM + offs_d[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc)
    tl.store(out_ptr + offs_m[:, None] * HEAD_DIM + offs_d[None, :], acc.to(out_ptr.dtype.element_ty))


@nki_mlir.jit
def batched_matmul(a_ptr, b_ptr, c_ptr, M, N, K: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    batch = tl.program_id(2)
    rm = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    rn = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    rk = tl.arange(0, K)
    mask_m, mask_n = rm[:, None] < M, rn[None, :] < N
    a = tl.load(a_ptr + batch * M * K + rm[:, None] * K + rk[None, :], mask=mask_m, other=0.0)
    b = tl.load(b_ptr + batch * K * N + rk[:, None] * N + rn[None, :], mask=mask_n, other=0.0)
    c = tl.dot(a, b).to(c_ptr.dtype.element_ty)
    tl.store(c_ptr + batch * M * N + rm[:, None] * N + rn[None, :], c, mask=mask_m & mask_n)


@nki_mlir.jit
def rmsnorm_matmul(
    x_ptr,
    weight_ptr,
    b_ptr,
    out_ptr,
    M,
    N,
    K,
    eps,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    rm = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    rn = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    squares = tl.zeros((BLOCK_M,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        rk = start + tl.arange(0, BLOCK_K)
        x = tl.load(x_ptr + rm[:, None] * K + rk[None, :], mask=(rm[:, None] < M) & (rk[None, :] < K), other=0.0)
        b = tl.load(b_ptr + rk[:, None] * N + rn[None, :], mask=(rk[:, None] < K) & (rn[None, :] < N), other=0.0)
        weight = tl.load(weight_ptr + rk, mask=rk < K, other=0.0)
        wide = x.to(tl.float32)
        squares += tl.sum(wide * wide, axis=1)
        acc = tl.dot((wide * weight[None, :]).to(b.dtype), b, acc)
    acc = acc * (1 / tl.sqrt(squares / K + eps))[:, None]
    mask = (rm[:, None] < M) & (rn[None, :] < N)
    tl.store(out_ptr + rm[:, None] * N + rn[None, :], acc.to(out_ptr.dtype.element_ty), mask=mask)


@nki_mlir.jit
def cross_entropy(logits_ptr, labels_ptr, loss_ptr, n_columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    logits_ptr += row * n_columns
    label = tl.load(labels_ptr + row)
    chosen = tl.load(logits_ptr + label)
    m = float("-inf")
    d = 0.0
    for start in range(0, n_columns, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        x = tl.load(logits_ptr + columns, mask=columns < n_columns, other=float("-inf"))
        m_new = tl.maximum(m, tl.max(x))
        d = d * tl.exp(m - m_new) + tl.sum(tl.exp(x - m_new))
        m = m_new
    tl.store(loss_ptr + row, m + tl.log(d) - chosen)


@nki_mlir.jit
def causal_convolution(
    x_ptr, weight_ptr, out_ptr, channels, length, TAPS: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_T: tl.constexpr
):
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    t = tl.program_id(1) * BLOCK_T + tl.arange(0, BLOCK_T)
    acc = tl.zeros((BLOCK_C, BLOCK_T), dtype=tl.float32)
    for j in tl.static_range(TAPS):
        at = t - (TAPS - 1) + j
        mask = (c[:, None] < channels) & (at[None, :] >= 0) & (at[None, :] < length)
        x = tl.load(x_ptr + c[:, None] * length + at[None, :], mask=mask, other=0.0)
        weight = tl.load(weight_ptr + c * TAPS + j, mask=c < channels, other=0.0)
        acc += x * weight[:, None]
    mask = (c[:, None] < channels) & (t[None, :] < length)
    tl.store(out_ptr + c[:, None] * length + t[None, :], acc.to(out_ptr.dtype.element_ty), mask=mask)


@nki_mlir.jit
def transpose(x_ptr, out_ptr, rows, columns, BLOCK: tl.constexpr):
    r = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + r[:, None] * columns + c[None, :], mask=(r[:, None] < rows) & (c[None, :] < columns))
    mask = (c[:, None] < columns) & (r[None, :] < rows)
    tl.store(out_ptr + c[:, None] * rows + r[None, :], tl.trans(x), mask=mask)


@nki_mlir.jit
def selective_scan(
    delta_ptr,
    u_ptr,
    a_ptr,
    b_ptr,
    c_ptr,
    y_ptr,
    length,
    STATES: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    d = tl.program_id(0) * BLOCK_D + tl.arange(0, BLOCK_D)
    n = tl.arange(0, STATES)
    a = tl.load(a_ptr + d[:, None] * STATES + n[None, :])
    h = tl.zeros((BLOCK_D, STATES), dtype=tl.float32)
    for t in range(length):
        delta = tl.load(delta_ptr + d * length + t)
        u = tl.load(u_ptr + d * length + t)
        b = tl.load(b_ptr + n * length + t)
        c = tl.load(c_ptr + n * length + t)
        h = tl.exp(delta[:, None] * a) * h + (delta * u)[:, None] * b[None, :]
        tl.store(y_ptr + d * length + t, tl.sum(h * c[None, :], axis=1))
