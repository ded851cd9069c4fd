"""Element types as NumPy arrays hold them, and the arithmetic on them that `tile` defines: floats are computed in fp32
and rounded to their type, integers wrap.

Every value of the interpreter is an array of its type's storage, a scalar one of no dimensions; `index` is int64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import builtin
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, IntegerType, Signedness
from xdsl.ir import Attribute

Array = NDArray[Any]
Dims = tuple[int, ...]
Function = Callable[..., Any]

_FLOATS: dict[type[Attribute], Any] = {
    builtin.Float32Type: np.float32,
    builtin.BFloat16Type: ml_dtypes.bfloat16,
    builtin.Float16Type: np.float16,
    builtin.Float8E4M3Type: ml_dtypes.float8_e4m3,
    builtin.Float8E5M2Type: ml_dtypes.float8_e5m2,
}


def is_float(type_: Attribute) -> bool:
    return type(type_) in _FLOATS


def storage(type_: Attribute) -> np.dtype[Any]:
    """The NumPy type that holds an element."""
    if is_float(type_):
        return np.dtype(_FLOATS[type(type_)])
    if isinstance(type_, IndexType):
        return np.dtype(np.int64)
    if isinstance(type_, IntegerType):
        sign = "u" if type_.signedness.data is Signedness.UNSIGNED else "i"
        return np.dtype(np.bool_) if type_.width.data == 1 else np.dtype(f"{sign}{type_.width.data // 8}")
    raise TypeError(f"the reference has no elements of type {type_}")


def constant(attribute: Attribute) -> Array:
    """A number as one element of its type."""
    if isinstance(attribute, FloatAttr):
        return np.asarray(attribute.value.data, np.float32).astype(storage(attribute.type))
    assert isinstance(attribute, IntegerAttr)
    return np.asarray(attribute.value.data).astype(storage(attribute.type))


def wide(array: Array) -> Array:
    """What arithmetic computes in: fp32 for floats, int64 for integers and truth values."""
    array = np.asarray(array)
    return array.astype(np.int64 if array.dtype.kind in "iub" else np.float32)


def compute(function: Function, type_: Attribute, *arrays: Array) -> Array:
    """The function on wide operands, rounded (floats) or wrapped (integers) to elements of the type."""
    with np.errstate(all="ignore"):
        return np.asarray(function(*(wide(a) for a in arrays))).astype(storage(type_))


def convert(array: Array, type_: Attribute) -> Array:
    """`tile.cast`: floats to integers round to nearest even and saturate, NaN gives 0; to i1, is it other than zero."""
    to = storage(type_)
    with np.errstate(all="ignore"):
        if to == np.bool_:
            return np.asarray(wide(array) != 0)
        if is_float(type_):
            return np.asarray(array).astype(np.float32).astype(to)
        if array.dtype.kind in "iub":
            return np.asarray(array).astype(to)
        range_ = np.iinfo(to)
        limited = np.clip(np.rint(array.astype(np.float64)), range_.min, range_.max)
        return np.asarray(np.nan_to_num(limited)).astype(to)


def divide(a: Array, b: Array) -> Array:
    """Integers, towards zero."""
    quotient = abs(a) // abs(b)
    return np.where((a < 0) != (b < 0), -quotient, quotient)


def remainder(a: Array, b: Array) -> Array:
    """With the sign of `a`."""
    return a - b * divide(a, b)


def rsqrt(a: Array) -> Array:
    return np.reciprocal(np.sqrt(a))


def erf(a: Array) -> Array:
    values = [math.erf(float(x)) for x in a.ravel()]
    return np.asarray(values, np.float64).reshape(a.shape).astype(np.float32)


def sigmoid(a: Array) -> Array:
    return np.exp(-np.logaddexp(np.float32(0), -a))


def softplus(a: Array) -> Array:
    return np.logaddexp(np.float32(0), a)


def inside_gelu(a: Array) -> Array:
    return math.sqrt(2 / math.pi) * a * (1 + 0.044715 * a * a)


def gated(gate: Function) -> Function:
    """An argument times its gate, which closes towards minus infinity."""
    return lambda a: np.where(a == -np.inf, np.float32(0), a * gate(a))


REDUCTIONS: dict[str, Function] = {
    "max": np.maximum.reduce,
    "min": np.minimum.reduce,
    "sum": np.add.reduce,
    "product": np.multiply.reduce,
    "and": np.bitwise_and.reduce,
    "or": np.bitwise_or.reduce,
    "xor": np.bitwise_xor.reduce,
    "maxnum": np.fmax.reduce,
    "minnum": np.fmin.reduce,
}
"""By the name that `tile.reduction` has; NaN propagates through the first three."""

COMPARISONS: dict[str, Function] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def reduce(kind: str, array: Array, axis: int, type_: Attribute) -> Array:
    function = REDUCTIONS[kind]
    return compute(lambda a: function(np.ascontiguousarray(a), axis=axis), type_, array)


SCANS: dict[str, Function] = {
    "max": np.maximum.accumulate,
    "min": np.minimum.accumulate,
    "sum": np.add.accumulate,
    "product": np.multiply.accumulate,
    "and": np.bitwise_and.accumulate,
    "or": np.bitwise_or.accumulate,
    "xor": np.bitwise_xor.accumulate,
    "maxnum": np.fmax.accumulate,
    "minnum": np.fmin.accumulate,
}


def scan(
    kind: str, array: Array, scale: Array | None, initial: Array | None, axis: int, reverse: bool, type_: Attribute
) -> Array:
    """One element after the other along an axis, in fp32 or wrapping integers, going on from the initial one."""
    direction = -1 if reverse else 1

    def along(*arrays: Array) -> Array:
        x, *factors = (np.moveaxis(a, axis, 0)[::direction] for a in arrays)
        if factors:
            rows = [x[0]]
            for row, factor in zip(x[1:], factors[0][1:], strict=True):
                rows.append(factor * rows[-1] + row)
            found = np.stack(rows)
        else:
            found = SCANS[kind](np.ascontiguousarray(x), axis=0)
        return np.moveaxis(found[::direction], 0, axis)

    if initial is None:
        return compute(along, type_, array, *(() if scale is None else (scale,)))
    shape = (*array.shape[:axis], *array.shape[axis + 1 :])
    first = np.expand_dims(np.broadcast_to(initial, shape), axis).astype(array.dtype)
    order = slice(None, None, direction)
    arrays = [np.concatenate([first, array][order], axis)]
    if scale is not None:
        arrays.append(np.concatenate([np.ones_like(first), scale][order], axis))
    kept = slice(1, None) if direction == 1 else slice(None, -1)
    return compute(along, type_, *arrays)[(slice(None),) * axis + (kept,)]


def products(a: Array, b: Array, over: tuple[Dims, Dims], batch: tuple[Dims, Dims]) -> Array:
    """Products summed in fp32 over dimensions, for each place along common ones."""
    names = [[chr(97 + dim) for dim in range(a.ndim)], [chr(65 + dim) for dim in range(b.ndim)]]
    for left, right in zip((*over[0], *batch[0]), (*over[1], *batch[1]), strict=True):
        names[1][right] = names[0][left]
    summed = {names[0][dim] for dim in over[0]}
    common = [names[0][dim] for dim in batch[0]]
    kept = [name for side in names for name in side if name not in summed and name not in common]
    pattern = f"{''.join(names[0])},{''.join(names[1])}->{''.join([*common, *kept])}"
    with np.errstate(all="ignore"):
        return np.einsum(pattern, wide(a), wide(b))


def matmul(a: Array, b: Array) -> Array:
    """Products summed in fp32."""
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(wide(a)) @ np.ascontiguousarray(wide(b))
