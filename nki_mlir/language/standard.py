"""Triton's functions that are made of others: reductions, and what reorders elements."""

from __future__ import annotations

import math
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.dtypes import bfloat16, float32, int32
from nki_mlir.frontend.values import Value
from nki_mlir.language.core import builtin, tensor_argument


# Reductions.
def _reduction(kind: str, doc: str) -> Builtin:
    def body(
        b: Builder,
        input: Any,
        axis: int | None = None,
        return_indices: bool = False,
        return_indices_tie_break_left: bool = True,
        keep_dims: bool = False,
    ) -> Value:
        if return_indices:
            raise CompileError(f"tl.{kind} with return_indices=True is not supported yet")
        if isinstance(input, Value) and not input.is_pointer and input.number.bits < 32:
            input = b.cast(input, float32 if input.number.kind == "float" else int32)
        is_float = isinstance(input, Value) and not input.is_pointer and input.number.kind == "float"
        return functions.reduce(b, f"{kind}num" if is_float else kind, input, _axes(input, axis), keep_dims)

    body.__doc__ = doc
    return builtin(kind)(body)


def _axes(x: Any, axis: int | None) -> range | tuple[int, ...]:
    rank = len(x.shape) if isinstance(x, Value) else 0
    return range(rank) if axis is None else (functions.axis_argument(axis, rank),)


max = _reduction("max", "The largest element along an axis; of all without one. NaN is left out.")
min = _reduction("min", "The smallest element along an axis; of all without one. NaN is left out.")


@builtin()
def sum(b: Builder, input: Any, axis: int | None = None, keep_dims: bool = False, dtype: Any = None) -> Value:
    """The sum along an axis; of all elements without one. bfloat16 is summed to float32, short integers to int32."""
    if isinstance(input, Value) and not input.is_pointer:
        if dtype is not None:
            input = functions.cast_as_c(b, input, functions.dtype_of(dtype))
        elif input.dtype is bfloat16:
            input = b.cast(input, float32)
        elif input.number.kind != "float" and input.number.bits < 32:
            input = b.cast(input, int32)
    return functions.reduce(b, "sum", input, _axes(input, axis), keep_dims)


@builtin()
def softmax(b: Builder, x: Any, dim: int | None = None, keep_dims: bool = False, ieee_rounding: bool = False) -> Value:
    """exp(x) over its sum along one dimension, the first by default; computed around the maximum."""
    x = functions.as_float(b, x)
    axis = functions.axis_argument(0 if dim is None else dim, len(x.shape))

    def body(v: Any) -> Any:
        shifted = operators.binary(b, "-", v, functions.reduce(b, "max", v, (axis,), True))
        powers = functions.elementary(b, "exp", shifted)
        return operators.binary(b, "/", powers, functions.reduce(b, "sum", powers, (axis,), True))

    return functions.in_float32(b, x, body)


@builtin()
def ravel(b: Builder, x: Any, can_reorder: bool = False) -> Value:
    """The tensor as one dimension."""
    return functions.reshape(b, x, (math.prod(tensor_argument(x, "tl.ravel").shape),))
