"""NKI's functions. Each body emits; `b` is the builder of the kernel being compiled.

`mask=` of a function that only computes leaves the masked elements undefined in NKI, so that it needs no attention
here; reductions leave masked elements out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend import hbm as memory
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, Language, OutsideKernel, functions_of
from nki_mlir.frontend.dtypes import boolean
from nki_mlir.frontend.values import HbmArray, Span, Unrolled, Value, describe

NKI = Language("nki", "nl")
builtin = NKI.function


@dataclass(frozen=True)
class Buffer:
    """A memory that an array can be made in."""

    name: str
    on_chip: bool


sbuf, psum = Buffer("nl.sbuf", True), Buffer("nl.psum", True)
hbm, shared_hbm, private_hbm = Buffer("nl.hbm", False), Buffer("nl.shared_hbm", False), Buffer("nl.private_hbm", False)


class tile_size:
    """The sizes of tiles that the hardware takes."""

    pmax = 128
    psum_fmax = 512
    gemm_stationary_fmax = 128
    gemm_moving_fmax = 512


# Programs and loops.
@builtin()
def program_id(b: Builder, axis: int) -> Value:
    """This program's position along one axis of the grid."""
    return b.program_id(_axis(b, axis))


@builtin()
def num_programs(b: Builder, axes: int = 0) -> int:
    """The number of programs along one axis of the grid."""
    return b.grid[_axis(b, axes)]


@builtin()
def program_ndim(b: Builder) -> int:
    """The number of axes of the grid."""
    return len(b.grid)


def _axis(b: Builder, axis: Any) -> int:
    if not isinstance(axis, int) or isinstance(axis, bool) or not 0 <= axis < len(b.grid):
        raise CompileError(f"axis {axis} is outside the grid {b.grid} of {len(b.grid)} dimension(s)")
    return axis


def _loop(name: str, doc: str, wrap: Callable[[range], Any] = lambda items: items) -> Builtin:
    def body(b: Builder, start: Any, stop: Any = None, step: Any = 1) -> Any:
        return wrap(functions.loop_bounds(f"nl.{name}", start, stop, step))

    body.__doc__ = doc
    return builtin(name)(body)


affine_range = _loop("affine_range", "A loop whose iterations depend on each other only through sums.")
sequential_range = _loop("sequential_range", "A loop whose iterations run in order.")
range_ = _loop("range", "A loop.")
static_range = _loop("static_range", "A loop that is unrolled while compiling.", Unrolled)


# Indices.
@builtin()
def arange(b: Builder, start: int, stop: int | None = None) -> Value:
    """start, start + 1, ..., stop - 1 as an index; give it its place with [:, None] or [None, :]."""
    low, high = (0, start) if stop is None else (start, stop)
    for bound in (low, high):
        if not isinstance(bound, int) or isinstance(bound, bool):
            raise CompileError(f"the bounds of nl.arange must be integers known at compile time, got {describe(bound)}")
    if high <= low:
        raise CompileError(f"nl.arange({low}, {high}) is empty")
    return b.arange(low, high)


@builtin()
def ds(b: Builder, start: Any, size: int) -> Span:
    """A slice of `size` elements from `start`."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise CompileError(f"the size in nl.ds must be a positive integer known at compile time, got {describe(size)}")
    if not operators.is_index(start) or (isinstance(start, Value) and start.shape):
        raise CompileError(f"the start in nl.ds must be an integer, got {describe(start)}")
    return Span(start, size)


class _Mesh(tuple[Any, ...]):
    """Index tiles of one shape, one for each dimension: unpacked, or by name (p, x, y, z)."""

    p, x, y, z = (property(lambda self, i=i: self[i]) for i in range(4))


class _MeshGrid:
    """`nl.mgrid[0:128, 0:512]`: index tiles that cover a box."""

    def __getitem__(self, index: Any) -> Any:
        raise OutsideKernel("nl.mgrid can be used only inside a kernel (a function decorated with jit)")

    def emit_item(self, b: Builder, index: Any) -> _Mesh:
        items = index if isinstance(index, tuple) else (index,)
        ranges = [self._range(item) for item in items]
        shape = tuple(len(r) for r in ranges)
        tiles: list[Value] = []
        for dim, positions in enumerate(ranges):
            tile = b.arange(0, len(positions))
            for axis in range(len(ranges)):
                tile = tile if axis == dim else b.expand_dims(tile, axis)
            tile = operators.binary(b, "*", tile, positions.step)
            tiles.append(b.broadcast(operators.binary(b, "+", tile, positions.start), shape))
        return _Mesh(tiles)

    def _range(self, item: Any) -> range:
        bounds: Any
        bounds = (item.start or 0, item.stop, item.step or 1) if isinstance(item, slice) else ()
        if not bounds or not all(isinstance(n, int) for n in bounds) or not len(range(*bounds)):
            raise CompileError("nl.mgrid takes slices start:stop known at compile time, e.g. nl.mgrid[0:128, 0:512]")
        return range(*bounds)


mgrid = _MeshGrid()


@builtin()
def par_dim(b: Builder, size: int) -> int:
    """Marks the partition dimension of a shape: always the first here."""
    return size


# Memory.
@builtin(memory=True)
def load(b: Builder, src: Any, mask: Any = None, dtype: Any = None) -> Value:
    """A tile of an array: `nl.load(a[ix, iy])`."""
    ptr = memory.pointers(b, src, mask is not None, "nl.load")
    return _result(b, functions.load(b, ptr, mask), dtype)


@builtin(memory=True)
def store(b: Builder, dst: Any, value: Any, mask: Any = None) -> None:
    """Writes a tile to a part of an array: `nl.store(c[ix, iy], value=tile)`; masked elements stay as they are."""
    ptr = memory.pointers(b, dst, mask is not None, "nl.store")
    functions.store(b, ptr, value, mask, b.cast)


@builtin()
def ndarray(b: Builder, shape: Any, dtype: Any, buffer: Any = None, name: str = "", **options: Any) -> HbmArray:
    """An array in HBM: with `buffer=nl.shared_hbm` one that the kernel can return."""
    if not _in_hbm(buffer):
        raise CompileError(
            "nl.ndarray makes arrays in HBM only (buffer=nl.shared_hbm); tiles come from nl.load and nl.zeros"
        )
    return memory.new_array(b, shape, dtype)


@builtin()
def empty(b: Builder, shape: Any, dtype: Any, buffer: Any = None, name: str = "", **options: Any) -> HbmArray:
    """As nl.ndarray."""
    return ndarray.body(b, shape, dtype, buffer)


@builtin()
def zeros(b: Builder, shape: Any, dtype: Any, buffer: Any = None, name: str = "", **options: Any) -> Any:
    """A tile of zeros, or an array in HBM."""
    return memory.new_array(b, shape, dtype, filled=True) if _in_hbm(buffer) else full.body(b, shape, 0, dtype)


@builtin()
def ones(b: Builder, shape: Any, dtype: Any, name: str = "", **options: Any) -> Value:
    """A tile of ones."""
    return full.body(b, shape, 1, dtype)


@builtin()
def full(
    b: Builder, shape: Any, fill_value: Any, dtype: Any, buffer: Any = None, name: str = "", **options: Any
) -> Value:
    """A tile with one value everywhere."""
    if _in_hbm(buffer):
        raise CompileError("nl.full in HBM is not supported yet; make the array with nl.ndarray and store to it")
    sizes = functions.shape_argument(shape)
    if len(sizes) < 2:
        raise CompileError(f"a tile has at least two dimensions, got the shape {sizes}")
    if sizes[0] > memory.PARTITIONS:
        raise CompileError(
            f"the first dimension of a tile is at most {memory.PARTITIONS} (the partitions), got the shape {sizes}"
        )
    return functions.filled(b, sizes, fill_value, dtype)


def _in_hbm(buffer: Any) -> bool:
    if buffer is None:
        return False
    if not isinstance(buffer, Buffer):
        raise CompileError(f"a buffer is nl.shared_hbm, nl.hbm or nl.private_hbm, got {describe(buffer)}")
    if buffer.on_chip:
        raise CompileError(f"explicit on-chip buffers ({buffer.name}) are not supported yet; leave 'buffer' out")
    return True


# Arithmetic.
def _result(b: Builder, value: Any, dtype: Any) -> Any:
    return value if dtype is None else b.typed(value, functions.dtype_of(dtype))


def _binary(name: str, symbol: str) -> Builtin:
    def body(b: Builder, x: Any, y: Any, dtype: Any = None, mask: Any = None) -> Any:
        return _result(b, operators.binary(b, symbol, x, y), dtype)

    body.__doc__ = f"x {symbol} y, element by element."
    return builtin(name)(body)


def _logical(name: str, symbol: str) -> Builtin:
    def body(b: Builder, x: Any, y: Any, dtype: Any = None, mask: Any = None) -> Any:
        return _result(b, operators.binary(b, symbol, b.typed(x, boolean), b.typed(y, boolean)), dtype)

    body.__doc__ = f"x {symbol} y of what is not zero, element by element."
    return builtin(name)(body)


def _unary(name: str, body: Callable[[Builder, Any], Any], doc: str) -> Builtin:
    def one(b: Builder, x: Any, dtype: Any = None, mask: Any = None) -> Any:
        return _result(b, body(b, x), dtype)

    one.__doc__ = doc
    return builtin(name)(one)


def _elementary(name: str, doc: str) -> Builtin:
    return _unary(name, lambda b, x: functions.elementary(b, name, x), doc)


add, subtract, multiply, divide = (
    _binary(name, symbol) for name, symbol in (("add", "+"), ("subtract", "-"), ("multiply", "*"), ("divide", "/"))
)
maximum, minimum = _binary("maximum", "maximum"), _binary("minimum", "minimum")
equal, not_equal = _binary("equal", "=="), _binary("not_equal", "!=")
less, less_equal = _binary("less", "<"), _binary("less_equal", "<=")
greater, greater_equal = _binary("greater", ">"), _binary("greater_equal", ">=")
bitwise_and, bitwise_or, bitwise_xor = (
    _binary(name, symbol) for name, symbol in (("bitwise_and", "&"), ("bitwise_or", "|"), ("bitwise_xor", "^"))
)
logical_and, logical_or, logical_xor = (
    _logical(name, symbol) for name, symbol in (("logical_and", "&"), ("logical_or", "|"), ("logical_xor", "^"))
)

exp = _elementary("exp", "e to the x.")
log = _elementary("log", "The natural logarithm.")
sqrt = _elementary("sqrt", "The square root.")
rsqrt = _elementary("rsqrt", "One over the square root.")
sin = _elementary("sin", "The sine.")
cos = _elementary("cos", "The cosine.")
tanh = _elementary("tanh", "The hyperbolic tangent.")
erf = _elementary("erf", "The error function.")
floor = _elementary("floor", "The largest integer that is not greater.")
ceil = _elementary("ceil", "The smallest integer that is not less.")
sigmoid = _unary("sigmoid", functions.sigmoid, "1 / (1 + exp(-x)).")
abs = _unary("abs", functions.absolute, "The absolute value.")
gelu = _unary("gelu", functions.gelu, "x times the normal distribution function of x.")
negative = _unary("negative", lambda b, x: operators.unary(b, "-", x), "-x.")
square = _unary("square", lambda b, x: operators.binary(b, "*", x, x), "x * x.")
relu = _unary("relu", lambda b, x: operators.binary(b, "maximum", x, 0), "The larger of x and 0.")
reciprocal = _unary("reciprocal", lambda b, x: operators.binary(b, "/", 1.0, x), "1 / x.")
logical_not = _unary("logical_not", lambda b, x: operators.unary(b, "~", b.typed(x, boolean)), "Where x is zero.")
silu = _unary(
    "silu",
    lambda b, x: functions.in_float32(b, x, lambda v: operators.binary(b, "*", v, functions.sigmoid(b, v))),
    "x * sigmoid(x).",
)


@builtin()
def where(b: Builder, condition: Any, x: Any, y: Any, dtype: Any = None, mask: Any = None) -> Value:
    """x where the condition holds, else y."""
    return _result(b, operators.where(b, condition, x, y), dtype)


# Reductions.
_NEUTRAL = {"sum": 0.0, "max": float("-inf"), "min": float("inf")}


def _reduce(b: Builder, kind: str, x: Any, axis: Any, mask: Any, keepdims: bool) -> Value:
    """A reduction; a tile keeps at least two dimensions."""
    x = functions.as_float(b, x)
    given = [functions.axis_argument(a, len(x.shape)) for a in (axis if isinstance(axis, tuple | list) else (axis,))]
    axes = set(given)
    if len(axes) < len(given):
        raise CompileError(f"an axis stands twice in {axis}")
    if mask is not None:
        x = operators.where(b, mask, x, _NEUTRAL[kind])
    return functions.reduce(b, kind, x, sorted(axes), keepdims or len(x.shape) - len(axes) < 2)


def _reduction(kind: str, doc: str) -> Builtin:
    def body(b: Builder, x: Any, axis: Any, dtype: Any = None, mask: Any = None, keepdims: bool = False) -> Value:
        return _result(b, _reduce(b, kind, x, axis, mask, keepdims), dtype)

    body.__doc__ = doc
    return builtin(kind)(body)


sum = _reduction("sum", "The sum along an axis, or several.")
max = _reduction("max", "The largest element along an axis, or several.")
min = _reduction("min", "The smallest element along an axis, or several.")


@builtin()
def mean(b: Builder, x: Any, axis: Any, dtype: Any = None, mask: Any = None, keepdims: bool = False) -> Value:
    """The mean along an axis, or several."""
    if mask is not None:
        raise CompileError("nl.mean with a mask is not supported yet")
    total = _reduce(b, "sum", x, axis, None, keepdims)
    count = 1
    for a in axis if isinstance(axis, tuple | list) else (axis,):
        count *= x.shape[a]
    return _result(b, b.cast(operators.binary(b, "/", total, float(count)), total.number), dtype)


# Products and shapes.
@builtin()
def matmul(b: Builder, x: Any, y: Any, transpose_x: bool = False, mask: Any = None) -> Value:
    """x @ y in float32; with transpose_x the first operand is given as its transpose, as the hardware takes it."""
    return functions.dot(b, functions.transpose(b, x) if transpose_x else x, y)


@builtin()
def transpose(b: Builder, x: Any, dtype: Any = None, mask: Any = None) -> Value:
    """The tile with its two dimensions exchanged."""
    return _result(b, functions.transpose(b, x), dtype)


@builtin()
def copy(b: Builder, src: Any, dtype: Any = None, mask: Any = None) -> Value:
    """The tile, in another variable and perhaps another type."""
    if not isinstance(src, Value):
        raise CompileError(f"nl.copy takes a tile, got {describe(src)}")
    return _result(b, Value(src.ssa), dtype)


@builtin(member="astype")
def static_cast(b: Builder, value: Any, dtype: Any) -> Any:
    """The value in another type, rounded to nearest even."""
    return b.typed(value, functions.dtype_of(dtype))


@builtin(member=True)
def broadcast_to(b: Builder, src: Any, shape: Any) -> Value:
    """The tile repeated to a shape."""
    return b.broadcast(b.to_value(src), functions.shape_argument(shape))


@builtin(member=True)
def expand_dims(b: Builder, data: Any, axis: Any) -> Value:
    """The tile with a new dimension of size 1."""
    return functions.expand(b, data, axis)


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
