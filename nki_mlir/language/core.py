"""Triton's functions, but for those of `elementwise`, `memory` and `standard`. Each body emits; `b` is the builder of
the kernel being compiled."""

from __future__ import annotations

from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, functions_of
from nki_mlir.frontend.dtypes import PointerType, float32
from nki_mlir.frontend.int64 import like
from nki_mlir.frontend.values import RunTimeRange, Unrolled, Value, describe, is_runtime
from nki_mlir.language.elementwise import *  # noqa: F403
from nki_mlir.language.elementwise import PropagateNan as PropagateNan
from nki_mlir.language.elementwise import builtin
from nki_mlir.language.types import *  # noqa: F403


def _check_axis(axis: Any) -> int:
    if axis not in (0, 1, 2) or isinstance(axis, bool):
        raise CompileError(f"a grid has the axes 0, 1 and 2, got {axis!r}")
    return int(axis)


@builtin()
def program_id(b: Builder, axis: int = 0) -> Any:
    """This program's position along one axis of the grid."""
    return b.program_id(axis) if _check_axis(axis) < len(b.grid) else 0


@builtin()
def num_programs(b: Builder, axis: int = 0) -> int:
    """The number of programs along one axis of the grid."""
    return b.grid[axis] if _check_axis(axis) < len(b.grid) else 1


# Making tensors.
@builtin()
def arange(b: Builder, start: int, end: int) -> Value:
    """start, start + 1, ..., end - 1; both known at compile time, a power of two of them."""
    for bound in (start, end):
        if not isinstance(bound, int) or isinstance(bound, bool):
            raise CompileError(
                f"the bounds of tl.arange must be compile-time integers (constexpr), got {describe(bound)}"
            )
    size = end - start
    if size < 1 or size & (size - 1):
        raise CompileError(f"the size of tl.arange must be a power of two, got {end} - {start} = {size}")
    return b.arange(int(start), int(end))


@builtin()
def zeros(b: Builder, shape: Any, dtype: Any) -> Value:
    """A tensor of zeros."""
    return functions.filled(b, shape, 0, dtype)


@builtin()
def zeros_like(b: Builder, input: Any) -> Value:
    """Zeros of the same shape and type."""
    if not isinstance(input, Value) or input.is_pointer:
        raise CompileError(f"tl.zeros_like takes a tensor, got {describe(input)}")
    return like(b, b.broadcast(b.constant(0, input.number), input.shape), input)


@builtin()
def full(b: Builder, shape: Any, value: Any, dtype: Any) -> Value:
    """A tensor with one value everywhere."""
    return functions.filled(b, shape, value, dtype)


# Types.
@builtin(member="cast to")
def cast(b: Builder, input: Any, dtype: Any, fp_downcast_rounding: str | None = None, bitcast: bool = False) -> Any:
    """Converts to another type; a float becomes an integer by dropping its fraction. With `bitcast`, the same bits."""
    if bitcast:
        return functions.bitcast(b, input, functions.dtype_of(dtype))
    if fp_downcast_rounding not in (None, "rtne"):
        raise CompileError(
            f"fp_downcast_rounding={fp_downcast_rounding!r} is not supported; the machine rounds to nearest even"
        )
    if isinstance(dtype, PointerType):
        if not isinstance(input, Value) or input.dtype != dtype:
            raise CompileError(f"{describe(input)} can't be converted to a {dtype}")
        return input
    return functions.converted(b, input, functions.dtype_of(dtype))


# Products.
def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool | int):
        raise CompileError(f"{name} is True or False, got {describe(value)}")
    return bool(value)


def _is_byte(x: Any) -> bool:
    return isinstance(x, Value) and not x.is_pointer and x.number.bits == 8 and x.number.kind in ("int", "uint")


@builtin()
def dot(
    b: Builder,
    input: Any,
    other: Any,
    acc: Any = None,
    input_precision: Any = None,
    allow_tf32: Any = None,
    max_num_imprecise_acc: Any = None,
    out_dtype: Any = float32,
    *,
    trans_a: Any = False,
    trans_b: Any = False,
) -> Value:
    """The matrix product, summed in float32, plus `acc`; that of 8-bit integers is summed in int32. Of tensors with
    three dimensions there is one for each place along the first. `trans_a` and `trans_b`, which old versions of Triton
    have, exchange the dimensions of a matrix first."""
    input = functions.transpose(b, input) if _flag(trans_a, "trans_a") else input
    other = functions.transpose(b, other) if _flag(trans_b, "trans_b") else other
    to = functions.dtype_of(out_dtype)
    if _is_byte(input) and _is_byte(other):
        return functions.integer_dot(b, input, other, acc)
    if to.kind != "float":
        raise CompileError(f"the machine multiplies matrices of floats; out_dtype is {to}")
    if acc is None or (isinstance(acc, Value) and acc.dtype is float32):
        result = functions.dot(b, input, other, acc)
    else:
        result = functions.dot(
            b, input, other, functions.as_float(b, b.cast(acc, float32) if isinstance(acc, Value) else acc)
        )
        to = acc.number
    return b.cast(result, to)


# Choosing and comparing.
@builtin()
def where(b: Builder, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y."""
    if not is_runtime((condition, x, y)):
        return x if condition else y
    return operators.where(b, condition, x, y)


@builtin(member=True)
def sigmoid(b: Builder, x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return functions.sigmoid(b, x)


# Shapes.
@builtin(member=True)
def trans(b: Builder, input: Any, *dims: Any) -> Value:
    """The dimensions in another order; without one the last two are exchanged."""
    rank = len(tensor_argument(input, "tl.trans").shape)
    if not dims and rank < 2:
        raise CompileError(f"tl.trans exchanges the last two dimensions, got {describe(input)}")
    return functions.permute(b, input, _listed(dims) or (*range(rank - 2), rank - 1, rank - 2))


@builtin(member=True)
def permute(b: Builder, input: Any, *dims: Any) -> Value:
    """The dimensions in another order."""
    return functions.permute(b, tensor_argument(input, "tl.permute"), _listed(dims))


def tensor_argument(x: Any, function: str) -> Value:
    if not isinstance(x, Value):
        raise CompileError(f"{function} takes a tensor, got {describe(x)}")
    return x


def _listed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers given as one tuple or one by one."""
    return tuple(values[0]) if len(values) == 1 and isinstance(values[0], tuple | list) else values


@builtin(member=True)
def broadcast_to(b: Builder, input: Any, *shape: Any) -> Value:
    """The tensor repeated to a shape."""
    return b.broadcast(b.to_value(input), _sizes(shape))


@builtin()
def broadcast(b: Builder, input: Any, other: Any) -> tuple[Value, ...]:
    """Two tensors, both with their common shape."""
    return b.match(b.to_value(input), b.to_value(other))


@builtin(member=True)
def expand_dims(b: Builder, input: Any, axis: Any) -> Value:
    """The tensor with a new dimension of size 1, or several."""
    return functions.expand(b, input, axis)


@builtin(member="reshape view")
def reshape(b: Builder, input: Any, *shape: Any, can_reorder: bool = False) -> Value:
    """The same elements in row-major order under another shape."""
    return functions.reshape(b, input, _sizes(shape))


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape given as one tuple or as several integers."""
    return functions.shape_argument(shape[0] if len(shape) == 1 else shape)


# Integers.
def _host_cdiv(x: int, div: int) -> int:
    return -(-x // div)


@builtin(host=_host_cdiv, member=True)
def cdiv(b: Builder, x: Any, div: Any) -> Any:
    """x / div, rounded up."""
    return operators.binary(b, "//", operators.binary(b, "+", x, operators.binary(b, "-", div, 1)), div)


# Loops.
_LOOP_OPTIONS = (
    "num_stages",
    "loop_unroll_factor",
    "disallow_acc_multi_buffer",
    "flatten",
    "warp_specialize",
    "disable_licm",
)


@builtin(name="range")
def range_(b: Builder, arg1: Any, arg2: Any = None, step: Any = 1, **options: Any) -> range | RunTimeRange:
    """The numbers that a loop runs over. Triton's options are accepted and have no effect."""
    unknown = sorted(options.keys() - set(_LOOP_OPTIONS))
    if unknown:
        raise CompileError(f"tl.range has no option '{unknown[0]}'")
    start, stop = (0, arg1) if arg2 is None else (arg1, arg2)
    if is_runtime((start, stop)):
        return functions.run_time_range(b, start, stop, 1 if step is None else step)
    return functions.loop_bounds("tl.range", arg1, arg2, step)


@builtin()
def static_range(b: Builder, arg1: Any, arg2: Any = None, step: Any = 1) -> Unrolled:
    """A loop that is unrolled while compiling: its variable is a compile-time integer."""
    return Unrolled(functions.loop_bounds("tl.static_range", arg1, arg2, step))


# Hints and checks.
def _hint(name: str) -> Builtin:
    def body(b: Builder, input: Any = None, *values: Any) -> Any:
        """A promise to the compiler, which needs none: gives its argument."""
        return input

    return builtin(name)(body)


multiple_of = _hint("multiple_of")
max_contiguous = _hint("max_contiguous")
max_constancy = _hint("max_constancy")
assume = _hint("assume")


@builtin()
def debug_barrier(b: Builder) -> None:
    """Nothing: a program's accesses are in order."""


def _check(name: str, doc: str) -> Builtin:
    def body(b: Builder, cond: Any, msg: Any = "", mask: Any = None) -> None:
        if isinstance(cond, Value):
            if name == "static_assert":
                raise CompileError("tl.static_assert checks what is known at compile time, and this is not")
        elif not cond:
            raise CompileError(f"assertion failed{': ' if msg else ''}{msg}")

    body.__doc__ = doc
    return builtin(name)(body)


static_assert = _check("static_assert", "An error while compiling, unless the condition holds.")
device_assert = _check(
    "device_assert", "As static_assert; a run-time condition is not checked, as in Triton without debug."
)


@builtin()
def device_print(b: Builder, prefix: Any, *args: Any, hex: Any = False) -> None:
    """Nothing: a program can't print. tl.static_print prints while compiling."""


@builtin()
def static_print(
    b: Builder, *values: Any, sep: str = " ", end: str = "\n", file: Any = None, flush: Any = False
) -> None:
    """Prints while compiling."""
    b.print(sep.join(describe(v) if is_runtime(v) else str(v) for v in values) + end)


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
