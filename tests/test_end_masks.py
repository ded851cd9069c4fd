"""A constant where a mask over a free dimension ends is filled in; what is chosen of is as before for all else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl


@nki_mlir.jit
def chosen(
    x, y, z, SLOPE: tl.constexpr, START: tl.constexpr, BEHIND: tl.constexpr, PRODUCT: tl.constexpr, N: tl.constexpr
):
    pid = tl.program_id(0)
    rows, columns = tl.arange(0, 16)[:, None], tl.arange(0, N)[None, :]
    value = tl.load(x + (pid * 16 + rows) * N + columns)
    if PRODUCT:
        value = tl.dot(tl.load(x + (pid * 16 + rows) * N + tl.arange(0, 16)[None, :]), value)
    bound = pid * SLOPE + START
    if BEHIND:
        picked = tl.where(columns < bound, value, -2.0)
    else:
        picked = tl.where(columns >= bound, value, -2.0)
    tl.store(y + (pid * 16 + rows) * N + columns, picked * picked + tl.max(picked, 1)[:, None])
    tl.store(z + (pid * 16 + rows) * N + columns, value + 1.0)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([-16, -3, 0, 1, 16, 40]),
    st.sampled_from([-1, 0, 1, 31, 64, 65]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([64, 128]),
)
def test_ends_are_filled(slope: int, start: int, behind: bool, product: bool, n: int) -> None:
    x = np.random.default_rng(0).standard_normal((4, 16, n)).astype(np.float32)
    x[1, 3, 2], x[2, 5, n - 1] = np.nan, -np.inf
    y, z = np.zeros_like(x), np.zeros_like(x)
    chosen[(4,)](x, y, z, SLOPE=slope, START=start, BEHIND=behind, PRODUCT=product, N=n)
    with np.errstate(invalid="ignore"):
        value = x[:, :, :16] @ x if product else x
        bound = (np.arange(4) * slope + start)[:, None, None]
        counts = np.arange(n) < bound if behind else np.arange(n) >= bound
        picked = np.where(counts, value, np.float32(-2.0))
        most = np.where(np.isnan(picked), -np.inf, picked).max(2, keepdims=True)
        wanted = picked * picked + most
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(z, value + 1.0, rtol=1e-4, atol=1e-4)
