"""What Vector combines with a second tile comes from PSUM: the same bits as from SBUF, in any size."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import execute, pipeline
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import EngineInstruction, view_of
from nki_mlir.passes.pipelines import NAMED

Array = np.ndarray[Any, np.dtype[Any]]
BF16 = ml_dtypes.bfloat16


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
def mixed(x_ptr, y_ptr, weight_ptr, bias_ptr, n_columns, eps, BLOCK: tl.constexpr, FORM: tl.constexpr):
    row, columns = tl.program_id(0), tl.arange(0, BLOCK)
    mask = columns < n_columns
    x = tl.load(x_ptr + row * n_columns + columns, mask=mask, other=0.0).to(tl.float32)
    weight = tl.load(weight_ptr + columns, mask=mask).to(tl.float32)
    bias = tl.load(bias_ptr + columns, mask=mask).to(tl.float32)
    most = tl.max(x, axis=0) + eps
    if FORM == "left":
        y = bias - weight * (x * most)
    elif FORM == "twice":
        y = (x - most) * weight
        y = y * bias + y
    elif FORM == "two":
        y = (tl.exp(x - most) + weight) * bias - x * most
    else:
        y = (x * most - weight) * most + bias
    tl.store(y_ptr + row * n_columns + columns, y, mask=mask)


@nki_mlir.jit
def rotary(q_ptr, cos_ptr, sin_ptr, HEADS: tl.constexpr, H: tl.constexpr, D: tl.constexpr):
    """Of each head of a token, in place; all of them have the same angles."""
    token, head, i = tl.program_id(0), tl.arange(0, H)[:, None], tl.arange(0, D)[None, :]
    cos, sin = tl.load(cos_ptr + token * D + i), tl.load(sin_ptr + token * D + i)
    at = q_ptr + token * HEADS * 2 * D + head * 2 * D + i
    mask = head < HEADS
    left, right = tl.load(at, mask=mask).to(tl.float32), tl.load(at + D, mask=mask).to(tl.float32)
    tl.store(at, (left * cos - right * sin).to(q_ptr.dtype.element_ty), mask=mask)
    tl.store(at + D, (right * cos + left * sin).to(q_ptr.dtype.element_ty), mask=mask)


def arguments(rows: int, columns: int, dtype: Any, seed: int) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((rows, columns)) + 0.5).astype(dtype)
    weight, bias = (rng.standard_normal(columns).astype(dtype) for _ in range(2))
    return x, np.zeros_like(x), weight, bias


def lowered(kernel: Any, stage: bool, args: tuple[Any, ...], rows: int, **meta: Any) -> Any:
    text = NAMED["lower-to-isa"]
    assert "stage-in-psum," in text
    module = kernel.trace(*args, grid=(rows,), target="trn1", **meta).module
    return pipeline(text if stage else text.replace("stage-in-psum,", ""))(module)


def in_psum(module: Any) -> list[str]:
    """The instructions that read or write PSUM."""
    ops = [op for op in module.walk() if isinstance(op, EngineInstruction)]
    views = [(op, view_of(value)) for op in ops for value in op.operands]
    return [op.instruction.name for op, view in views if view is not None and view.access.space is Space.PSUM]


def staged(kernel: Any, args: tuple[Any, ...], rows: int, **meta: Any) -> list[str]:
    module = kernel.trace(*args, grid=(rows,), target="trn1", **meta).module
    return in_psum(pipeline("lower-to-isa", stop_after="stage-in-psum")(module))


@pytest.mark.parametrize(
    ("rows", "columns", "dtype"),
    [(700, 1000, np.float32), (641, 4700, BF16), (515, 5000, np.float32), (513, 1031, BF16)],
)
def test_layernorm(rows: int, columns: int, dtype: Any) -> None:
    x, y, weight, bias = arguments(rows, columns, dtype, rows + columns)
    args = (x, y, weight, bias, columns, 1e-5)
    meta = {"BLOCK": nki_mlir.next_power_of_2(columns)}
    assert staged(layernorm, args, rows, **meta)
    results = []
    for stage in (True, False):
        out = np.zeros_like(y)
        execute(lowered(layernorm, stage, args, rows, **meta), [x, out, weight, bias])
        results.append(out.astype(np.float32))
    wide = x.astype(np.float64)
    centred = wide - wide.mean(1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * weight.astype(float) + bias.astype(float)
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0], expected, rtol=0, atol=2e-5 if dtype is np.float32 else 0.06)


@settings(max_examples=8)
@given(
    form=st.sampled_from(["left", "twice", "two", "scaled"]),
    columns=st.integers(500, 6000),
    dtype=st.sampled_from([np.float32, BF16]),
    seed=st.integers(0, 2**16),
)
def test_bits_are_those_of_sbuf(form: str, columns: int, dtype: Any, seed: int) -> None:
    rows = 513 + seed % 50
    x, y, weight, bias = arguments(rows, columns, dtype, seed)
    args = (x, y, weight, bias, columns, 0.25)
    meta = {"BLOCK": nki_mlir.next_power_of_2(columns), "FORM": form}
    results = []
    for stage in (True, False):
        out = np.zeros_like(y)
        execute(lowered(mixed, stage, args, rows, **meta), [x, out, weight, bias])
        results.append(out.astype(np.float32))
    np.testing.assert_array_equal(*results)


def test_what_is_staged() -> None:
    """The scaled rows and their product, on the way to the sum."""
    x, y, weight, bias = arguments(1024, 4096, BF16, 0)
    found = staged(layernorm, (x, y, weight, bias, 4096, 1e-5), 1024, BLOCK=4096)
    assert sorted(found) == ["activation", "tensor_tensor", "tensor_tensor", "tensor_tensor"]


@pytest.mark.parametrize(("tokens", "heads"), [(513, 16), (600, 12), (640, 14)])
def test_what_is_repeated(tokens: int, heads: int) -> None:
    """Copied once for all heads, the angles, infinity and NaN among them, give the same bits."""
    rng = np.random.default_rng(heads)
    q = rng.standard_normal((tokens, heads, 128)).astype(BF16)
    cos, sin = (rng.standard_normal((tokens, 64)).astype(np.float32) for _ in range(2))
    sin[5, 3], sin[7, 1] = np.nan, np.inf
    meta = {"HEADS": heads, "H": nki_mlir.next_power_of_2(heads), "D": 64}
    assert "activation" in staged(rotary, (q, cos, sin), tokens, **meta)
    results = []
    for stage in (True, False):
        out = q.copy()
        with np.errstate(invalid="ignore"):
            execute(lowered(rotary, stage, (q, cos, sin), tokens, **meta), [out, cos, sin])
        results.append(out.astype(np.float32))
    left, right, c, s = (x.astype(np.float64) for x in (q[..., :64], q[..., 64:], cos[:, None], sin[:, None]))
    with np.errstate(invalid="ignore"):
        expected = np.concatenate([left * c - right * s, right * c + left * s], -1)
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0], expected, rtol=0, atol=0.06)
