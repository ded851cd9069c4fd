"""Triton's functions, but for the elementary ones. Each body emits; `b` is the builder of the kernel being compiled."""

from __future__ import annotations

from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, functions_of
from nki_mlir.frontend.dtypes import PointerType, bfloat16, float32, int32
from nki_mlir.frontend.values import Unrolled, Value, describe, is_runtime
from nki_mlir.language.elementwise import builtin


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
    return b.broadcast(b.constant(0, input.number), input.shape)


@builtin()
def full(b: Builder, shape: Any, value: Any, dtype: Any) -> Value:
    """A tensor with one value everywhere."""
    return functions.filled(b, shape, value, dtype)


# Memory.
def _pointer(x: Any, function: str) -> Value:
    if not isinstance(x, Value) or not x.is_pointer:
        raise CompileError(f"{function} needs a pointer: an array argument, plus offsets; got {describe(x)}")
    return x


@builtin(memory=True, member=True)
def load(
    b: Builder,
    pointer: Any,
    mask: Any = None,
    other: Any = None,
    boundary_check: Any = (),
    padding_option: str = "",
    cache_modifier: str = "",
    eviction_policy: str = "",
    volatile: bool = False,
) -> Value:
    """The elements that the pointers name; where the mask is false, `other`, or zero without one."""
    ptr = _pointer(pointer, "tl.load")
    if boundary_check or padding_option:
        raise CompileError("boundary_check and padding_option belong to block pointers, which are not supported yet")
    if mask is None and other is not None:
        raise CompileError("tl.load has 'other' but no 'mask'")
    return functions.load(b, ptr, mask, other)


@builtin(memory=True, member=True)
def store(
    b: Builder,
    pointer: Any,
    value: Any,
    mask: Any = None,
    boundary_check: Any = (),
    cache_modifier: str = "",
    eviction_policy: str = "",
) -> None:
    """Stores elements where the mask is true, converted to the type pointed to."""
    ptr = _pointer(pointer, "tl.store")
    if boundary_check:
        raise CompileError("boundary_check belongs to block pointers, which are not supported yet")
    functions.store(b, ptr, value, mask, lambda x, dtype: functions.cast_as_c(b, x, dtype))


# Types.
@builtin(member="cast to")
def cast(b: Builder, input: Any, dtype: Any, fp_downcast_rounding: str | None = None, bitcast: bool = False) -> Any:
    """Converts to another type; a float becomes an integer by dropping its fraction."""
    if bitcast:
        raise CompileError("bitcast=True is not supported yet")
    if fp_downcast_rounding not in (None, "rtne"):
        raise CompileError(
            f"fp_downcast_rounding={fp_downcast_rounding!r} is not supported; the machine rounds to nearest even"
        )
    if isinstance(dtype, PointerType):
        if not isinstance(input, Value) or input.dtype != dtype:
            raise CompileError(f"a {describe(input)} can't be converted to a {dtype}")
        return input
    to = functions.dtype_of(dtype)
    if not isinstance(input, Value):
        return functions.cast_number(b, input, to)
    if functions.stays_index(input, to):
        return input
    return functions.cast_as_c(b, input, to)


# Products.
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
) -> Value:
    """The matrix product, summed in float32, plus `acc`."""
    to = functions.dtype_of(out_dtype)
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
    return builtin(kind, member=True)(body)


def _axes(x: Any, axis: int | None) -> range | tuple[int, ...]:
    rank = len(x.shape) if isinstance(x, Value) else 0
    return range(rank) if axis is None else (functions.axis_argument(axis, rank),)


max = _reduction("max", "The largest element along an axis; of all without one. NaN is left out.")
min = _reduction("min", "The smallest element along an axis; of all without one. NaN is left out.")


@builtin(member=True)
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


@builtin(member=True)
def sigmoid(b: Builder, x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return functions.sigmoid(b, x)


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


# Shapes.
@builtin(member=True)
def trans(b: Builder, input: Any, *dims: Any) -> Value:
    """The matrix with its dimensions exchanged."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], tuple | list) else dims
    rank = len(input.shape) if isinstance(input, Value) else 0
    if order and tuple(functions.axis_argument(d, rank) for d in order) == tuple(range(rank)):
        return input
    if rank != 2:
        raise CompileError(f"only two dimensions can be exchanged, got {describe(input)}")
    return functions.transpose(b, input)


@builtin(member=True)
def permute(b: Builder, input: Any, *dims: Any) -> Value:
    """The dimensions in another order; of a matrix."""
    return trans.body(b, input, *dims)


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
    """The tensor with dimensions of size 1 added or removed."""
    return functions.reshape(b, input, _sizes(shape))


@builtin(member=True)
def ravel(b: Builder, x: Any, can_reorder: bool = False) -> Value:
    """The tensor as one dimension, where the others have size 1."""
    if not isinstance(x, Value):
        raise CompileError(f"tl.ravel takes a tensor, got {describe(x)}")
    size = 1
    for n in x.shape:
        size *= n
    return functions.reshape(b, x, (size,))


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
def range_(b: Builder, arg1: Any, arg2: Any = None, step: Any = 1, **options: Any) -> range:
    """A loop with bounds known at compile time. Triton's options are accepted and have no effect."""
    unknown = sorted(options.keys() - set(_LOOP_OPTIONS))
    if unknown:
        raise CompileError(f"tl.range has no option '{unknown[0]}'")
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
def static_print(b: Builder, *values: Any, sep: str = " ", end: str = "\n") -> None:
    """Prints while compiling."""
    b.print(sep.join(describe(v) if is_runtime(v) else str(v) for v in values) + end)


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
