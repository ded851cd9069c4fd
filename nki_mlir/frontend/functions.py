"""What the functions of both kernel languages are made of: elementary functions, reductions, products, shapes,
memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xdsl.dialects import arith
from xdsl.dialects import math as xmath
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.number_ranges import fits_32_bits
from nki_mlir.analysis.words import has_words
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder, whole
from nki_mlir.frontend.dtypes import INDEX, DType, PointerType, as_dtype, bfloat16, boolean, float32, int32
from nki_mlir.frontend.int64 import as_int64, in_32_bits, is_int64, like, narrowed
from nki_mlir.frontend.operators import binary
from nki_mlir.frontend.values import ArgFloat, ArgInt, RunTimeRange, Unexpected, Value, WideInt, describe, is_runtime

_MATH: dict[str, tuple[type[Operation], Callable[[float], float]]] = {
    "exp": (xmath.ExpOp, math.exp),
    "log": (xmath.LogOp, math.log),
    "sqrt": (xmath.SqrtOp, math.sqrt),
    "rsqrt": (xmath.RsqrtOp, lambda x: 1.0 / math.sqrt(x)),
    "sin": (xmath.SinOp, math.sin),
    "cos": (xmath.CosOp, math.cos),
    "tanh": (xmath.TanhOp, math.tanh),
    "erf": (xmath.ErfOp, math.erf),
    "floor": (xmath.FloorOp, lambda x: float(math.floor(x))),
    "ceil": (xmath.CeilOp, lambda x: float(math.ceil(x))),
}
"""Elementary functions: the operation, and the same on a compile-time number."""


def elementary(b: Builder, name: str, x: Any) -> Any:
    """A function of `_MATH`; integers become float32 first."""
    op, python = _MATH[name]
    if not is_runtime(x):
        return known(name, python, x)
    x = as_float(b, x)
    return b.value(op.create(operands=[x.ssa], result_types=[x.ssa.type]))


def known(name: str, function: Callable[[float], Any], x: Any) -> Any:
    """A function of a compile-time number, which stays typed as it is."""
    try:
        result = function(x)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CompileError(f"{name} of {describe(x)}: {error}") from None
    return ArgFloat(result) if isinstance(result, float) and isinstance(x, ArgFloat | ArgInt) else result


def as_float(b: Builder, x: Any) -> Value:
    """A value of a float type: what isn't one becomes float32."""
    if not isinstance(x, Value) or x.is_pointer:
        raise Unexpected("a number or a tensor", x)
    return x if x.number.kind == "float" else b.cast(x, float32)


def in_float32(b: Builder, x: Any, body: Callable[[Any], Any]) -> Any:
    """A function of several steps, computed in float32 and rounded once, to the type of `x`."""
    if not isinstance(x, Value):
        return body(x)
    x = as_float(b, x)
    return b.cast(body(b.cast(x, float32)), x.number)


def exp2(b: Builder, x: Any) -> Any:
    return in_float32(b, x, lambda v: elementary(b, "exp", binary(b, "*", v, math.log(2.0))))


def log2(b: Builder, x: Any) -> Any:
    return in_float32(b, x, lambda v: binary(b, "*", elementary(b, "log", v), 1.0 / math.log(2.0)))


def sigmoid(b: Builder, x: Any) -> Any:
    def body(v: Any) -> Any:
        decay = elementary(b, "exp", binary(b, "-", 0.0, v) if not isinstance(v, Value) else negate(b, v))
        return binary(b, "/", 1.0, binary(b, "+", 1.0, decay))

    return in_float32(b, x, body)


def truncated(b: Builder, x: Value) -> Value:
    """A float without its fraction."""
    return b.value(xmath.TruncOp(x.ssa))


def negate(b: Builder, x: Value) -> Value:
    return b.value(arith.NegfOp(x.ssa))


def gelu(b: Builder, x: Any) -> Any:
    """0.5 * x * (1 + erf(x / sqrt(2)))"""

    def body(v: Any) -> Any:
        half = binary(b, "*", v, 0.5)
        return binary(b, "*", half, binary(b, "+", 1.0, elementary(b, "erf", binary(b, "*", v, math.sqrt(0.5)))))

    return in_float32(b, x, body)


def absolute(b: Builder, x: Any) -> Any:
    if not is_runtime(x):
        return known("abs", abs, x)
    if not isinstance(x, Value) or x.is_pointer:
        raise CompileError(f"abs: expected a number or a tensor, got {describe(x)}")
    match x.number.kind:
        case "float":
            return b.value(xmath.AbsFOp(x.ssa))
        case "int":
            return b.value(xmath.AbsIOp(x.ssa))
        case _:
            return x


def dtype_of(value: Any, what: str = "a dtype") -> DType:
    """The dtype that an argument names."""
    found = as_dtype(value)
    if found is None:
        raise Unexpected(what, value)
    return found


def shape_argument(shape: Any) -> tuple[int, ...]:
    """A shape: an integer or a tuple of positive integers known at compile time."""
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    for size in sizes:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise CompileError(f"a shape is made of positive integers known at compile time, got {describe(size)}")
    return tuple(int(size) for size in sizes)


def filled(b: Builder, shape: Any, value: Any, dtype: Any) -> Value:
    """A tensor with one value everywhere."""
    value = b.typed(value, dtype_of(dtype))
    return b.broadcast(as_int64(b, value) if value.number is INDEX else value, shape_argument(shape))


# Reductions.
def axis_argument(axis: Any, rank: int) -> int:
    if not isinstance(axis, int) or isinstance(axis, bool) or not -rank <= axis < rank:
        raise CompileError(f"axis {axis} is outside the {rank} dimensions of the tensor")
    return axis % rank


def reduce(b: Builder, kind: str, x: Any, axes: Sequence[int], keep: bool) -> Value:
    """max, min or sum over some dimensions, which stay as size 1 if kept."""
    if not isinstance(x, Value) or not x.shape or x.is_pointer:
        raise CompileError(f"{kind} reduces a tensor, got {describe(x)}")
    result = in_32_bits(b, x, kind, _most_terms(kind, [x.shape[axis] for axis in axes]))
    for axis in sorted(axes, reverse=True):
        result = b.value(tile.ReduceOp(kind, result.ssa, axis))
        if keep:
            result = b.expand_dims(result, axis)
    return like(b, result, x)


def _most_terms(kind: str, sizes: Iterable[int]) -> int | None:
    """How many numbers are added up; None for products."""
    return None if kind == "product" else math.prod(sizes) if kind == "sum" else 1


def beside(b: Builder, value: Value, other: Value) -> Value:
    """A value; an index, such as a program id, as the int32 that it stands for where the other one is an int32."""
    is_index = not value.is_pointer and value.number is INDEX and not is_int64(value)
    return b.cast(value, int32) if is_index and not other.is_pointer and other.number is int32 else value


def scan(b: Builder, kind: str, x: Value, axis: int, reverse: bool, scale: Value | None = None) -> Value:
    """Elements combined with all before them along an axis; backwards with those after them."""
    axis = axis_argument(axis, len(x.shape))
    plain = in_32_bits(b, x, f"a scan ({kind})", _most_terms(kind, [x.shape[axis]]))
    result = b.value(tile.ScanOp(kind, plain.ssa, axis, None if scale is None else scale.ssa, bool(reverse)))
    return like(b, result, x)


def flip(b: Builder, x: Value, axis: int) -> Value:
    """A dimension backwards."""
    plain = in_32_bits(b, x, "tl.flip")
    return like(b, b.value(tile.FlipOp(plain.ssa, axis_argument(axis, len(x.shape)))), x)


# Products.
def dot(b: Builder, x: Any, y: Any, acc: Value | None = None) -> Value:
    """`x @ y` in float32, plus `acc`; of tensors with three dimensions one for each place along the first (Triton)."""
    ranks = (2, 3) if b.language.name == "triton" else (2,)
    for operand in (x, y):
        if not isinstance(operand, Value) or len(operand.shape) not in ranks:
            what = "two- or three-dimensional" if 3 in ranks else "two-dimensional"
            raise CompileError(f"a matrix product takes {what} tensors, got {describe(operand)}")
    batch = x.shape[:-2]
    if len(x.shape) != len(y.shape) or batch != y.shape[:-2] or x.shape[-1] != y.shape[-2]:
        raise CompileError(f"shapes {x.shape} and {y.shape} do not multiply: the inner sizes differ")
    if x.element != y.element:
        raise CompileError(f"the operands of a matrix product must have one type, got {x.dtype} and {y.dtype}")
    if x.is_pointer or x.number.kind != "float":
        raise CompileError(f"the machine multiplies matrices of floats, not of {describe(x)}")
    shape = (*batch, x.shape[-2], y.shape[-1])
    if acc is not None and acc.ssa.type != tile.with_shape(float32.type, shape):
        raise CompileError(f"acc must be a float32 tensor of shape {shape}, got {describe(acc)}")
    common, summand = list(range(len(batch))), None if acc is None else acc.ssa
    over = ([len(batch) + 1], [len(batch)])
    return b.value(tile.DotOp(x.ssa, y.ssa, summand, float32.type, over, (common, common)))


EXACT = 2**24
"""Up to here every integer is a float32."""


def integer_dot(b: Builder, x: Value, y: Value, acc: Any = None) -> Value:
    """`x @ y` of 8-bit integers in int32, plus `acc`: bfloat16 holds them, and float32 their products' sums."""
    most = math.prod(2 ** (v.number.bits - (v.number.kind == "int")) for v in (x, y))
    if x.shape and most * x.shape[-1] > EXACT:
        raise CompileError(
            f"products of {x.number} and {y.number} are summed exactly up to {EXACT // most} terms, and these have"
            f" {x.shape[-1]}; use smaller blocks"
        )
    total = b.cast(dot(b, b.cast(x, bfloat16), b.cast(y, bfloat16)), int32)
    return total if acc is None else binary(b, "+", total, b.typed(acc, int32))


# Shapes.
def transpose(b: Builder, x: Any) -> Value:
    """The dimensions of a matrix exchanged."""
    if not isinstance(x, Value) or len(x.shape) != 2:
        raise CompileError(f"a transpose takes a two-dimensional tensor, got {describe(x)}")
    return permute(b, x, (1, 0))


def permute(b: Builder, x: Value, order: Sequence[int]) -> Value:
    """Dimension `d` of the result is the tensor's `order[d]`."""
    rank = len(x.shape)
    dims = tuple(axis_argument(d, rank) for d in order)
    if sorted(dims) != list(range(rank)):
        raise CompileError(f"{tuple(order)} is no order of the {rank} dimensions of {describe(x)}")
    return x if dims == tuple(range(rank)) else b.value(tile.PermuteOp(x.ssa, dims))


def reshape(b: Builder, x: Any, shape: tuple[int, ...]) -> Value:
    """The same elements in row-major order under another shape."""
    if not isinstance(x, Value):
        raise CompileError(f"a reshape takes a tensor, got {describe(x)}")
    if math.prod(x.shape) != math.prod(shape):
        raise CompileError(f"{describe(x)} has {math.prod(x.shape)} elements; shape {shape} has {math.prod(shape)}")
    if x.shape == shape:
        return x
    return b.value(tile.ReshapeOp(x.ssa, shape)) if x.shape else b.broadcast(x, shape)


def squeezed(b: Builder, x: Value, axis: int) -> Value:
    """Without a dimension of size 1."""
    return b.value(tile.ReshapeOp(x.ssa, (*x.shape[:axis], *x.shape[axis + 1 :])))


def expand(b: Builder, x: Any, axis: Any) -> Value:
    """A new dimension of size 1, or several."""
    if not isinstance(x, Value):
        raise CompileError(f"expand_dims takes a tensor, got {describe(x)}")
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    rank = len(x.shape) + len(axes)
    for a in sorted(axis_argument(a, rank) for a in axes):
        x = b.expand_dims(x, a)
    return x


def index_value(b: Builder, x: Value, index: Any) -> Value:
    """`x[:, None]` and the like."""
    items = index if isinstance(index, tuple) else (index,)
    if Ellipsis in items:
        at = items.index(Ellipsis)
        missing = len(x.shape) - sum(i is not None for i in items) + 1
        items = (*items[:at], *[slice(None)] * missing, *items[at + 1 :])
    if any(i is not None and i != slice(None) for i in items):
        if x.is_pointer:
            raise CompileError("a pointer has no elements; what it points to is read by tl.load(pointer + offsets)")
        raise CompileError(
            f"a tensor on the chip can be indexed with ':' and None only ({describe(x)}); "
            "load the part that is wanted instead"
        )
    if sum(i is not None for i in items) > len(x.shape):
        raise CompileError(f"too many indices for {describe(x)}")
    for axis, item in enumerate(items):
        if item is None:
            x = b.expand_dims(x, axis)
    return x


# Loops.
def loop_bounds(function: str, arg1: Any, arg2: Any, step: Any) -> range:
    """The range of a loop whose bounds are known at compile time."""
    start, stop = (0, arg1) if arg2 is None else (arg1, arg2)
    step = 1 if step is None else step
    for name, bound in (("start", start), ("stop", stop), ("step", step)):
        if isinstance(bound, bool) or not isinstance(bound, int):
            raise CompileError(f"{function}: {name} must be an integer known at compile time, got {describe(bound)}")
    if step == 0:
        raise CompileError(f"{function}: step must not be 0")
    return range(int(start), int(stop), int(step))


def run_time_range(b: Builder, start: Any, stop: Any, step: Any) -> RunTimeRange:
    """The numbers that a loop with run-time bounds runs over."""
    for bound in (start, stop):
        if isinstance(bound, Value):
            is_integer = not (bound.shape or bound.is_pointer) and bound.number.kind in ("int", "uint")
        else:
            is_integer = isinstance(bound, int) and not isinstance(bound, bool)
        if not is_integer:
            raise CompileError(f"the bounds of a loop are integers, got {describe(bound)}")
    if isinstance(step, bool) or not isinstance(step, int) or step == 0:
        raise CompileError(
            f"the step of a loop with run-time bounds is an integer known at compile time, not 0, got {describe(step)}"
        )
    first, last = (b.cast(x, INDEX) if isinstance(x, Value) else x for x in (start, stop))
    way, size = binary(b, "-", *((last, first) if step > 0 else (first, last))), abs(step)
    trips = way if size == 1 else binary(b, "//", binary(b, "+", way, size - 1), size)
    return RunTimeRange(first, b.index(trips), step)


# Memory.
def load(b: Builder, ptr: Value, mask: Any = None, other: Any = None) -> Value:
    """The elements at the pointers; where the mask is false, `other`, or zero without one, which NKI leaves
    undefined."""
    pointee = _pointee(ptr)
    if mask is None:
        return _from_memory(b, tile.LoadOp(ptr.ssa), pointee)
    predicate = _mask(b, mask, ptr)
    if isinstance(other, Value) and other.shape:
        loaded = _from_memory(b, tile.LoadOp(ptr.ssa, predicate.ssa), pointee)
        instead = b.broadcast(b.cast(other, pointee), ptr.shape)
        return b.value(tile.SelectOp(predicate.ssa, loaded.ssa, instead.ssa))
    fill = None if other is None else b.typed(_fill(other, pointee), pointee)
    undefined = fill is None and b.language.name == "nki"
    given = None if fill is None else _to_memory(b, fill, pointee)
    return _from_memory(b, tile.LoadOp(ptr.ssa, predicate.ssa, given, undefined), pointee)


def _from_memory(b: Builder, loaded: tile.LoadOp, pointee: DType) -> Value:
    """Integers of 64 bits are indices in a kernel."""
    return b.value(loaded if pointee is not INDEX else tile.CastOp(b.add(loaded).results[0], pointee.type))


def _to_memory(b: Builder, value: Value, pointee: DType) -> SSAValue:
    """Positions, which stand for int32, wrap around as such if they may need to."""
    is_position = pointee is INDEX and not has_words(value.ssa, bits=1) and constant_of(value.ssa) is None
    if is_position and not fits_32_bits(value.ssa):
        value = b.cast(value, int32)
    return value.ssa if pointee is not INDEX else b.add(tile.CastOp(value.ssa, pointee.stored)).results[0]


def _fill(other: Any, pointee: DType) -> Any:
    """What masked elements read as: a float for integers must have a value among them; its fraction is dropped."""
    if not isinstance(other, float) or pointee.kind == "float":
        return other
    if not math.isfinite(other):
        raise CompileError(
            f"other={other} has no value in {pointee}, which the pointer points to; give an integer, such as the"
            f" smallest or the largest one"
        )
    return other != 0 if pointee.is_bool() else math.trunc(other)


def store(b: Builder, ptr: Value, value: Any, mask: Any, convert: Callable[[Value, DType], Value]) -> None:
    """Stores a value, converted to the element type; elements where the mask is false stay as they are."""
    pointee = _pointee(ptr)
    data = convert(value, pointee) if isinstance(value, Value) else b.typed(value, pointee)
    predicate = None if mask is None else _mask(b, mask, ptr)
    data = b.broadcast(data, ptr.shape)
    b.add(tile.StoreOp(ptr.ssa, _to_memory(b, data, pointee), None if predicate is None else predicate.ssa))


def atomic(b: Builder, kind: tile.Update, ptr: Value, value: Any, mask: Any, expected: Any = None) -> Value:
    """Updates the elements that the pointers name, and gives what they were."""
    pointee = _pointee(ptr)
    given = [value] if expected is None else [value, expected]
    data = []
    for one in given:
        typed = cast_as_c(b, one, pointee) if isinstance(one, Value) else b.typed(one, pointee)
        data.append(_to_memory(b, b.broadcast(typed, ptr.shape), pointee))
    predicate = None if mask is None else _mask(b, mask, ptr).ssa
    old = b.add(tile.AtomicOp(kind, ptr.ssa, data[0], predicate, *data[1:]))
    return Value(old.results[0]) if pointee is not INDEX else b.value(tile.CastOp(old.results[0], pointee.type))


def _mask(b: Builder, mask: Any, ptr: Value) -> Value:
    if isinstance(mask, Value) and (mask.is_pointer or not mask.number.is_bool()):
        raise CompileError(f"a mask is a bool tensor (the result of a comparison), got {describe(mask)}")
    value = b.typed(mask, boolean)
    try:
        return b.broadcast(value, ptr.shape)
    except CompileError:
        raise CompileError(f"a mask of shape {value.shape} does not fit an access of shape {ptr.shape}") from None


def _pointee(ptr: Value) -> DType:
    dtype = ptr.dtype
    assert isinstance(dtype, PointerType)
    return dtype.element_ty


def cast_as_c(b: Builder, x: Value, dtype: DType) -> Value:
    """A conversion as in C, and in Triton: a float becomes an integer by dropping its fraction."""
    if not x.is_pointer and x.number.kind == "float" and dtype.kind in ("int", "uint"):
        x = truncated(b, x)
    return b.cast(x, dtype)


def bitcast(b: Builder, x: Any, dtype: DType) -> Value:
    """The same bits as another type that is as wide."""
    if not isinstance(x, Value) or x.is_pointer:
        raise Unexpected("a tensor of numbers", x)
    x = in_32_bits(b, x, "a bitcast")
    if x.number is dtype:
        return x
    if x.number.is_bool() or dtype.is_bool() or x.number.bits != dtype.bits or dtype.bits > int32.bits:
        raise CompileError(f"a bitcast is between types of one size, 8, 16 or 32 bits; got {describe(x)} and {dtype}")
    if x.shape:
        return b.value(tile.BitcastOp(x.ssa, dtype.type))
    return squeezed(b, bitcast(b, b.broadcast(x, (1,)), dtype), 0)


_LARGEST = 2**1023
"""Python converts no larger integers to floats."""


def cast_number(b: Builder, x: float, dtype: DType) -> Any:
    """A conversion of a compile-time number: stays one where Python has the type."""
    if not isinstance(x, int | float):
        raise Unexpected("a number or a tensor", x)
    if dtype.kind == "int" and dtype.bits >= int32.bits:
        return (WideInt if dtype is INDEX else ArgInt)(whole(x, dtype))
    if isinstance(x, int) and abs(x) > _LARGEST:
        x = math.inf if x > 0 else -math.inf
    return ArgFloat(x) if dtype is float32 else b.constant(x, dtype)


def converted(b: Builder, x: Any, dtype: DType) -> Any:
    """A number or a tensor in another type, as the kernel asks for it; a float becomes an integer by dropping its
    fraction. An index stands for an int32 already."""
    if not isinstance(x, Value):
        return cast_number(b, x, dtype)
    if dtype is int32 and not x.is_pointer and x.number is INDEX:
        return narrowed(b, x)
    result = cast_as_c(b, x, dtype)
    return as_int64(b, result) if dtype is INDEX else result
