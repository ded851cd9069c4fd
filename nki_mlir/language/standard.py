"""Triton's functions along dimensions: reductions, scans, and what takes elements apart and puts them together."""

from __future__ import annotations

import math
from typing import Any

from xdsl.ir import Attribute

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, functions_of
from nki_mlir.frontend.combine import RECURRENCE, kind_of
from nki_mlir.frontend.dtypes import INDEX, bfloat16, float32, int32
from nki_mlir.frontend.int64 import in_32_bits, like
from nki_mlir.frontend.values import Value, describe
from nki_mlir.language.core import tensor_argument
from nki_mlir.language.elementwise import builtin


# Reductions.
def _numbers(x: Any, function: str) -> Value:
    """A tensor of numbers."""
    if not isinstance(x, Value) or not x.shape or x.is_pointer:
        raise CompileError(f"{function} takes a tensor of numbers, got {describe(x)}")
    return x


def _element(x: Value) -> Attribute:
    """The element type that a combine function sees: of indices that of the int32 that they stand for."""
    return int32.type if x.number is INDEX else x.element


def _wide(b: Builder, x: Any) -> Any:
    """What has less than 32 bits as float32 or int32."""
    if isinstance(x, Value) and not x.is_pointer and x.number.bits < 32:
        return b.cast(x, float32 if x.number.kind == "float" else int32)
    return x


def _extreme(b: Builder, kind: str, x: Any, axis: int | None, keep_dims: bool) -> Value:
    """The largest or smallest element; NaN is left out."""
    is_float = isinstance(x, Value) and not x.is_pointer and x.number.kind == "float"
    return functions.reduce(b, f"{kind}num" if is_float else kind, x, _axes(x, axis), keep_dims)


def _position(b: Builder, kind: str, x: Value, axis: int | None, keep_dims: bool) -> tuple[Value, Value]:
    """The largest or smallest element along an axis, and the index of the first one; without an axis in row-major
    order."""
    if axis is None:
        if keep_dims and len(x.shape) > 1:
            raise CompileError("the index of an element of all dimensions can't keep them; give an axis")
        x, axis = functions.reshape(b, x, (math.prod(x.shape),)), 0
    axis = functions.axis_argument(axis, len(x.shape))
    given, size = x, x.shape[axis]
    x = in_32_bits(b, x, f"tl.arg{kind}")
    found = _extreme(b, kind, x, axis, True)
    indices = b.cast(b.arange(0, size), float32 if size < 2**24 else int32)
    for _ in range(len(x.shape) - axis - 1):
        indices = b.expand_dims(indices, len(indices.shape))
    first = operators.where(b, operators.binary(b, "==", x, found), indices, size - 1)
    place = b.cast(functions.reduce(b, "min", first, (axis,), keep_dims), int32)
    found = found if keep_dims else functions.squeezed(b, found, axis)
    return like(b, found, given), place


def _reduction(kind: str, doc: str) -> Builtin:
    def body(
        b: Builder,
        input: Any,
        axis: int | None = None,
        return_indices: bool = False,
        return_indices_tie_break_left: bool = True,
        keep_dims: bool = False,
    ) -> Any:
        input = _wide(b, input)
        if return_indices:
            return _position(b, kind, _numbers(input, f"tl.{kind}"), axis, keep_dims)
        return _extreme(b, kind, input, axis, keep_dims)

    body.__doc__ = doc
    return builtin(kind, member=True)(body)


def _index_of(kind: str, doc: str) -> Builtin:
    def body(b: Builder, input: Any, axis: int, tie_break_left: bool = True, keep_dims: bool = False) -> Value:
        x = _numbers(_wide(b, input), f"tl.arg{kind}")
        return _position(b, kind, x, axis, keep_dims)[1]

    body.__doc__ = doc
    return builtin(f"arg{kind}", member=True)(body)


def _axes(x: Any, axis: int | None) -> tuple[int, ...]:
    rank = len(x.shape) if isinstance(x, Value) else 0
    return tuple(range(rank)) if axis is None else (functions.axis_argument(axis, rank),)


max = _reduction("max", "The largest element along an axis; of all without one. NaN is left out.")
min = _reduction("min", "The smallest element along an axis; of all without one. NaN is left out.")
argmax = _index_of("max", "The index of the largest element along an axis, of the first one where several are.")
argmin = _index_of("min", "The index of the smallest element along an axis, of the first one where several are.")


def _summed(b: Builder, x: Any, dtype: Any) -> Any:
    """What is summed: bfloat16 as float32, short integers as int32, unless a type is given."""
    if not isinstance(x, Value) or x.is_pointer:
        return x
    if dtype is not None:
        return functions.converted(b, x, functions.dtype_of(dtype))
    return _wide(b, x) if x.dtype is bfloat16 or x.number.kind != "float" else x


@builtin(member=True)
def sum(b: Builder, input: Any, axis: int | None = None, keep_dims: bool = False, dtype: Any = None) -> Value:
    """The sum along an axis; of all elements without one. bfloat16 is summed to float32, short integers to int32."""
    return functions.reduce(b, "sum", _summed(b, input, dtype), _axes(input, axis), keep_dims)


@builtin()
def xor_sum(b: Builder, input: Any, axis: int | None = None, keep_dims: bool = False) -> Value:
    """Integers combined by ^ along an axis; all of them without one."""
    return functions.reduce(b, "xor", _integers(b, input, "tl.xor_sum"), _axes(input, axis), keep_dims)


@builtin()
def reduce_or(b: Builder, input: Any, axis: int, keep_dims: bool = False) -> Value:
    """Integers combined by | along an axis."""
    return functions.reduce(b, "or", _integers(b, input, "tl.reduce_or"), _axes(input, axis), keep_dims)


def _integers(b: Builder, x: Any, function: str) -> Value:
    x = _numbers(x, function)
    if x.number.kind == "float":
        raise CompileError(f"{function} combines integers, got {describe(x)}")
    return _wide(b, x) if x.number.is_bool() else x


@builtin(member=True)
def reduce(b: Builder, input: Any, axis: int | None, combine_fn: Any, keep_dims: bool = False) -> Value:
    """Elements combined along an axis by a function of two; of all elements where the axis is None."""
    if isinstance(input, tuple | list):
        raise CompileError("tl.reduce of several tensors at once is not supported; tl.argmax and tl.argmin are")
    x = _numbers(input, "tl.reduce")
    return functions.reduce(b, kind_of(b, combine_fn, [_element(x)]), x, _axes(x, axis), keep_dims)


@builtin(member=True)
def softmax(b: Builder, x: Any, dim: int | None = None, keep_dims: bool = False, ieee_rounding: bool = False) -> Value:
    """exp(x) over its sum along one dimension, the first by default; computed around the maximum."""
    x = functions.as_float(b, x)
    axis = functions.axis_argument(0 if dim is None else dim, len(x.shape))

    def body(v: Any) -> Any:
        shifted = operators.binary(b, "-", v, functions.reduce(b, "max", v, (axis,), True))
        powers = functions.elementary(b, "exp", shifted)
        return operators.binary(b, "/", powers, functions.reduce(b, "sum", powers, (axis,), True))

    return functions.in_float32(b, x, body)


# Scans.
@builtin(member=True)
def cumsum(b: Builder, input: Any, axis: int = 0, reverse: bool = False, dtype: Any = None) -> Value:
    """The sum of the elements up to each one along an axis; of those from it on with `reverse`."""
    return functions.scan(b, "sum", _numbers(_summed(b, input, dtype), "tl.cumsum"), axis, reverse)


@builtin(member=True)
def cumprod(b: Builder, input: Any, axis: int = 0, reverse: bool = False) -> Value:
    """The product of the elements up to each one along an axis; of those from it on with `reverse`."""
    return functions.scan(b, "product", _numbers(_summed(b, input, None), "tl.cumprod"), axis, reverse)


@builtin(member=True)
def associative_scan(b: Builder, input: Any, axis: int, combine_fn: Any, reverse: bool = False) -> Any:
    """What a function of two combines the elements up to each one to. Of pairs (a, b), by
    `(a1 * a2, a2 * b1 + b2)`: the recurrence `h = a * h + b`."""
    tensors = tuple(input) if isinstance(input, tuple | list) else (input,)
    values = [_numbers(x, "tl.associative_scan") for x in tensors]
    if len({x.shape for x in values}) > 1:
        raise CompileError("tl.associative_scan takes tensors of one shape")
    kind = kind_of(b, combine_fn, [_element(x) for x in values])
    if kind != RECURRENCE:
        result = functions.scan(b, kind, values[0], axis, reverse)
        return (result,) if isinstance(input, tuple | list) else result
    scale, x = (in_32_bits(b, value, "tl.associative_scan", None) for value in values)
    return (functions.scan(b, "product", scale, axis, reverse), functions.scan(b, "sum", x, axis, reverse, scale))


# Elements in other places.
@builtin(member=True)
def flip(b: Builder, x: Any, dim: int | None = None) -> Value:
    """A dimension backwards, the last one by default."""
    return functions.flip(b, _numbers(x, "tl.flip"), -1 if dim is None else dim)


def _stacked(b: Builder, x: Value, y: Value, axis: int) -> Value:
    """Two tensors of one shape side by side along a new dimension."""
    two = b.cast(b.arange(0, 2), int32)
    for _ in range(len(x.shape) - axis):
        two = b.expand_dims(two, len(two.shape))
    x, y = b.expand_dims(x, axis), b.expand_dims(y, axis)
    return operators.where(b, operators.binary(b, "==", two, 0), x, y)


def _pair(b: Builder, x: Any, y: Any, function: str) -> tuple[Value, Value]:
    x, y = b.match(*(in_32_bits(b, _numbers(one, function), function) for one in (x, y)))
    if x.element != y.element:
        raise CompileError(f"{function} takes two tensors of one type, got {describe(x)} and {describe(y)}")
    return x, y


def _like_either(b: Builder, result: Value, x: Value, y: Value) -> Value:
    return like(b, like(b, result, x), y)


@builtin(member=True)
def join(b: Builder, a: Any, b_: Any) -> Value:
    """Two tensors side by side along a new last dimension."""
    x, y = _pair(b, a, b_, "tl.join")
    return _like_either(b, _stacked(b, x, y, len(x.shape)), a, b_)


@builtin()
def interleave(b: Builder, a: Any, b_: Any) -> Value:
    """The elements of two tensors in turn along the last dimension."""
    x, y = _pair(b, a, b_, "tl.interleave")
    stacked = functions.reshape(b, _stacked(b, x, y, len(x.shape)), (*x.shape[:-1], 2 * x.shape[-1]))
    return _like_either(b, stacked, a, b_)


@builtin()
def cat(b: Builder, input: Any, other: Any, can_reorder: bool = False) -> Value:
    """One tensor after the other, along the first dimension."""
    x, y = _pair(b, input, other, "tl.cat")
    stacked = functions.reshape(b, _stacked(b, x, y, 0), (2 * x.shape[0], *x.shape[1:]))
    return _like_either(b, stacked, input, other)


@builtin(member=True)
def split(b: Builder, a: Any) -> tuple[Value, Value]:
    """The two halves of a last dimension of size 2."""
    x = in_32_bits(b, _numbers(a, "tl.split"), "tl.split")
    if x.shape[-1] != 2:
        raise CompileError(f"tl.split takes a tensor whose last dimension has size 2, got {describe(x)}")
    kind, neutral = ("max", -math.inf) if x.number.kind == "float" else ("or", 0)
    two, axis = b.cast(b.arange(0, 2), int32), len(x.shape) - 1
    halves = (
        operators.where(b, operators.binary(b, "==", two, number), x, b.constant(neutral, x.number))
        for number in (0, 1)
    )
    first, second = (like(b, functions.reduce(b, kind, half, (axis,), False), a) for half in halves)
    return first, second


@builtin()
def squeeze(b: Builder, x: Any, dim: int) -> Value:
    """Without a dimension of size 1."""
    axis = functions.axis_argument(dim, len(tensor_argument(x, "tl.squeeze").shape))
    if x.shape[axis] != 1:
        raise CompileError(f"tl.squeeze takes a dimension of size 1 away; dimension {dim} of {describe(x)} is none")
    return functions.squeezed(b, x, axis)


@builtin()
def unsqueeze(b: Builder, x: Any, dim: int) -> Value:
    """With a new dimension of size 1."""
    return functions.expand(b, x, dim)


@builtin(member=True)
def ravel(b: Builder, x: Any, can_reorder: bool = False) -> Value:
    """The tensor as one dimension."""
    return functions.reshape(b, x, (math.prod(tensor_argument(x, "tl.ravel").shape),))


# Integers.
@builtin()
def swizzle2d(b: Builder, i: Any, j: Any, size_i: Any, size_j: Any, size_g: Any) -> tuple[Any, Any]:
    """Where the block at row i and column j is in an order that walks groups of `size_g` rows column by column."""

    def of(symbol: str, x: Any, y: Any) -> Any:
        return operators.binary(b, symbol, x, y)

    number, size = of("+", of("*", i, size_j), j), of("*", size_g, size_j)
    first = of("*", of("//", number, size), size_g)
    rows = operators.binary(b, "minnum", of("-", size_i, first), size_g)
    inside = of("%", number, size)
    return of("+", first, of("%", inside, rows)), of("//", inside, rows)


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
