"""Typed expressions of a Triton kernel: their text, and what they are worth in NumPy by Triton's rules of types.

Nothing here comes from the package under test: the text and the NumPy value are two readings of one tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray
Shape = tuple[int, ...]

F32, F16, BF16 = np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)
I32, I8, U8, BOOL = np.dtype(np.int32), np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.bool_)
FLOATS = (F32, F16, BF16)
NAMES = {F32: "float32", F16: "float16", BF16: "bfloat16", I32: "int32", I8: "int8", U8: "uint8"}
PRECISION = {F32: 2.0**-21, F16: 2.0**-9, BF16: 2.0**-6}
"""What one operation may be off, relative to its result: a little more than its rounding."""
NO_TYPE = np.dtype(np.object_)
"""Of a Python number, which takes the type of what it meets."""


class Undefined(Exception):
    """The reference met what Triton leaves undefined."""


@dataclass
class Env:
    """One program of a grid: its ids, variables and memory. With a generator, every float result is off by a random
    part of its precision, which shows how far such errors carry."""

    ids: Shape
    memory: dict[str, Array]
    noise: np.random.Generator | None = None
    names: dict[str, Array] = field(default_factory=dict)


Run = Callable[[Env], Array]


@dataclass(frozen=True)
class Expr:
    """`dtype` is NO_TYPE for a Python number."""

    text: str
    shape: Shape
    dtype: np.dtype[Any]
    run: Run

    @property
    def is_weak(self) -> bool:
        return self.dtype == NO_TYPE


def number(value: float) -> Expr:
    text = repr(value) if value >= 0 else f"({value!r})"
    return Expr(text, (), NO_TYPE, lambda env: np.asarray(value))


def is_float(dtype: np.dtype[Any]) -> bool:
    return dtype in FLOATS


def weak_kind(e: Expr) -> int:
    """0 for a truth value, 1 for an integer, 2 for a float."""
    kind = np.asarray(e.run(Env((), {}))).dtype.kind if e.is_weak else e.dtype.kind
    return {"b": 0, "i": 1, "u": 1}.get(kind, 2)


def common(a: Expr, b: Expr, division: bool = False) -> np.dtype[Any]:
    """The type that Triton combines two operands in."""
    if a.is_weak != b.is_weak:
        weak, strong = (a, b) if a.is_weak else (b, a)
        if weak_kind(weak) > weak_kind(strong):
            return F32 if weak_kind(weak) == 2 else I32
        return F32 if division and strong.dtype in (F16, BF16) else strong.dtype
    if is_float(a.dtype) or is_float(b.dtype):
        return _common_float(a.dtype, b.dtype, division)
    return _common_integer(a.dtype, b.dtype)


def _common_float(a: np.dtype[Any], b: np.dtype[Any], division: bool) -> np.dtype[Any]:
    if F32 in (a, b) or division:
        return F32
    if F16 in (a, b):
        return F16
    return BF16 if a == b else F32


def _common_integer(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    if a == b or b == BOOL:
        return a
    if a == BOOL:
        return b
    if a.kind == b.kind:
        return a if a.itemsize > b.itemsize else b
    unsigned, signed = (a, b) if a.kind == "u" else (b, a)
    return unsigned if unsigned.itemsize >= signed.itemsize else signed


def rounded(env: Env, value: Array, dtype: np.dtype[Any], scale: Array | None = None) -> Array:
    """A float result in its type; off by a part of its precision, or of `scale`, where the environment is noisy."""
    if env.noise is not None and is_float(dtype):
        off = env.noise.integers(-1, 2, np.shape(value)) * PRECISION[dtype]
        size = np.abs(value if scale is None else scale)
        value = value + np.where(np.isfinite(size), size, 0) * off
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype)


def convert(value: Array, dtype: np.dtype[Any]) -> Array:
    """As C does; undefined where a float is out of an integer's range."""
    if value.dtype == dtype:
        return value
    if dtype.kind in "iu" and value.dtype.kind not in "iub":
        wide = np.trunc(value.astype(np.float64))
        limits = np.iinfo(dtype)
        if not np.all((wide >= limits.min) & (wide <= limits.max)):
            raise Undefined
        return wide.astype(dtype)
    with np.errstate(all="ignore"):
        return value.astype(dtype)


def cast(e: Expr, dtype: np.dtype[Any]) -> Expr:
    return Expr(f"{e.text}.to(tl.{NAMES[dtype]})", e.shape, dtype, lambda env: convert(e.run(env), dtype))


def as_type(e: Expr, dtype: np.dtype[Any]) -> Run:
    """The operand of an operation in that type."""
    return lambda env: convert(np.asarray(e.run(env)), dtype)


def broadcast(*operands: Expr) -> Shape:
    return np.broadcast_shapes(*(e.shape for e in operands))


def _truncated(a: Array, b: Array) -> Array:
    wide = np.trunc(a.astype(np.float64) / b.astype(np.float64))
    return wide.astype(a.dtype)


ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": _truncated,
    "%": lambda a, b: a - _truncated(a, b) * b,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "<<": np.left_shift,
    ">>": np.right_shift,
}
COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def arithmetic(symbol: str, a: Expr, b: Expr) -> Expr:
    dtype = common(a, b, symbol == "/")
    if symbol == "/" and not is_float(dtype):
        dtype = F32
    apply, left, right = ARITHMETIC[symbol], as_type(a, dtype), as_type(b, dtype)

    def run(env: Env) -> Array:
        x, y = left(env), right(env)
        with np.errstate(all="ignore"):
            if not is_float(dtype):
                return apply(x, y)
            return rounded(env, apply(x.astype(np.float32), y.astype(np.float32)), dtype)

    return Expr(f"({a.text} {symbol} {b.text})", broadcast(a, b), dtype, run)


def compare(symbol: str, a: Expr, b: Expr) -> Expr:
    dtype = common(a, b)
    apply, left, right = COMPARISONS[symbol], as_type(a, dtype), as_type(b, dtype)
    return Expr(f"({a.text} {symbol} {b.text})", broadcast(a, b), BOOL, lambda env: apply(left(env), right(env)))


def logic(symbol: str, a: Expr, b: Expr) -> Expr:
    apply = ARITHMETIC[symbol]
    return Expr(f"({a.text} {symbol} {b.text})", broadcast(a, b), BOOL, lambda env: apply(a.run(env), b.run(env)))


def where(condition: Expr, a: Expr, b: Expr) -> Expr:
    dtype = common(a, b) if not (a.is_weak and b.is_weak) else (F32 if 2 in (weak_kind(a), weak_kind(b)) else I32)
    left, right = as_type(a, dtype), as_type(b, dtype)

    def run(env: Env) -> Array:
        return np.where(condition.run(env), left(env), right(env)).astype(dtype)

    text = f"tl.where({condition.text}, {a.text}, {b.text})"
    return Expr(text, broadcast(condition, a, b), dtype, run)


def extremum(name: str, a: Expr, b: Expr) -> Expr:
    """NaN gives way to the other operand; bfloat16 becomes float32."""
    dtype = common(a, b)
    dtype = F32 if dtype == BF16 else dtype
    apply = {"maximum": np.fmax, "minimum": np.fmin}[name] if is_float(dtype) else getattr(np, name)
    left, right = as_type(a, dtype), as_type(b, dtype)
    text = f"tl.{name}({a.text}, {b.text})"
    return Expr(text, broadcast(a, b), dtype, lambda env: apply(left(env), right(env)))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _erf(x: Array) -> Array:
    from math import erf

    return np.vectorize(erf, otypes=[np.float64])(x)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "erf": _erf,
    "sigmoid": _sigmoid,
    "floor": np.floor,
    "ceil": np.ceil,
    "abs": np.abs,
}
POSITIVE = {"log", "log2", "sqrt", "rsqrt"}
EXACT = {"floor", "ceil", "abs"}
FLAT = {"sin": 1.0, "cos": 1.0, "log": 1.0, "log2": 1.0}
"""Functions whose error is of that size also where the result is near 0."""


def function(name: str, x: Expr) -> Expr:
    """Of a float32 operand; `abs` of any."""
    apply = FUNCTIONS[name]

    def run(env: Env) -> Array:
        value = np.asarray(x.run(env))
        if not is_float(x.dtype):
            return apply(value)
        with np.errstate(all="ignore"):
            result = apply(value.astype(np.float64)).astype(np.float32)
        if name in EXACT:
            return result.astype(x.dtype)
        return rounded(env, result, x.dtype, np.abs(result) + FLAT[name] if name in FLAT else None)

    return Expr(f"tl.{name}({x.text})", x.shape, x.dtype, run)


def negative(x: Expr) -> Expr:
    return Expr(f"(-{x.text})", x.shape, x.dtype, lambda env: np.negative(x.run(env)))


def reduction(kind: str, x: Expr, axis: int, keep: bool) -> Expr:
    """tl.sum, tl.max or tl.min. Short types become 32 bits wide, but a sum of float16 stays one."""
    wide = F32 if is_float(x.dtype) else I32
    dtype = x.dtype if kind == "sum" and x.dtype == F16 else wide
    operand = as_type(x, dtype)
    pick = {"max": np.fmax, "min": np.fmin}

    def run(env: Env) -> Array:
        value = operand(env)
        if kind != "sum":
            return np.asarray(pick[kind].reduce(value, axis=axis, keepdims=keep))
        if not is_float(dtype):
            return np.asarray(np.sum(value, axis=axis, keepdims=keep, dtype=dtype))
        value = value.astype(np.float32)
        with np.errstate(all="ignore"):
            size = np.sum(np.abs(value), axis=axis, keepdims=keep)
            return rounded(env, np.sum(value, axis=axis, keepdims=keep), dtype, size)

    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape) if keep or i != axis)
    text = f"tl.{kind}({x.text}, axis={axis}{', keep_dims=True' if keep else ''})"
    return Expr(text, shape, dtype, run)


def expand(x: Expr, axis: int) -> Expr:
    """A vector as a row or a column."""
    text = f"{x.text}[None, :]" if axis == 0 else f"{x.text}[:, None]"
    shape = (1, *x.shape) if axis == 0 else (*x.shape, 1)
    return Expr(text, shape, x.dtype, lambda env: np.expand_dims(x.run(env), axis))


def transposed(x: Expr) -> Expr:
    return Expr(f"tl.trans({x.text})", x.shape[::-1], x.dtype, lambda env: x.run(env).T)


def dot(a: Expr, b: Expr) -> Expr:
    def run(env: Env) -> Array:
        x, y = (e.run(env).astype(np.float64) for e in (a, b))
        with np.errstate(all="ignore"):
            return rounded(env, x @ y, F32, np.abs(x) @ np.abs(y))

    return Expr(f"tl.dot({a.text}, {b.text})", (a.shape[0], b.shape[1]), F32, run)


def call(name: str, operands: Sequence[Expr], body: Expr) -> Expr:
    """A helper function: `body` reads its parameters by the names p0, p1, …"""

    def run(env: Env) -> Array:
        inner = {f"p{i}": np.asarray(e.run(env)) for i, e in enumerate(operands)}
        return body.run(Env(env.ids, env.memory, env.noise, inner))

    return Expr(f"{name}({', '.join(e.text for e in operands)})", body.shape, body.dtype, run)


def variable(name: str, shape: Shape, dtype: np.dtype[Any]) -> Expr:
    return Expr(name, shape, dtype, lambda env: env.names[name])
