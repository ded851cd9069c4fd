"""Python's operators on numbers, values and pointers, by table."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from xdsl.dialects import arith
from xdsl.ir import Operation

from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.dtypes import INDEX, DType, boolean, float32
from nki_mlir.frontend.promotion import common_type
from nki_mlir.frontend.values import ArgFloat, ArgInt, Value, WideInt, describe, is_runtime

PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "maximum": lambda x, y: _nan_of(x, y, max),
    "minimum": lambda x, y: _nan_of(x, y, min),
    "maxnum": lambda x, y: _number_of(x, y, max),
    "minnum": lambda x, y: _number_of(x, y, min),
}
"""What each operator does with what is known at compile time."""

_PREDICATES = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}

_Ops = tuple[type[Operation] | None, type[Operation] | None, type[Operation] | None]
_ARITH: dict[str, _Ops] = {
    "+": (arith.AddfOp, arith.AddiOp, arith.AddiOp),
    "-": (arith.SubfOp, arith.SubiOp, arith.SubiOp),
    "*": (arith.MulfOp, arith.MuliOp, arith.MuliOp),
    "/": (arith.DivfOp, None, None),
    "//": (None, arith.DivSIOp, arith.DivUIOp),
    "%": (None, arith.RemSIOp, arith.RemUIOp),
    "&": (None, arith.AndIOp, arith.AndIOp),
    "|": (None, arith.OrIOp, arith.OrIOp),
    "^": (None, arith.XOrIOp, arith.XOrIOp),
    "<<": (None, arith.ShLIOp, arith.ShLIOp),
    ">>": (None, arith.ShRSIOp, arith.ShRUIOp),
    "maximum": (arith.MaximumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "minimum": (arith.MinimumfOp, arith.MinSIOp, arith.MinUIOp),
    "maxnum": (arith.MaxnumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "minnum": (arith.MinnumfOp, arith.MinSIOp, arith.MinUIOp),
}
"""operator -> its operation on floats, on signed and on unsigned integers."""

_DIVISIONS = ("/", "//", "%")
_ON_BITS = {"+": "^", "-": "^", "*": "&"}
"""What arithmetic is on bools, integers of one bit in Triton, where 1 + 1 is 0."""
_EXTREME_BITS = {"maximum": "|", "maxnum": "|", "minimum": "&", "minnum": "&"}
"""What extrema of bools are."""
_NEUTRAL = {"+": 0, "-": 0, "*": 1, "//": 1, "<<": 0, ">>": 0}
"""What the right operand is where the operator changes nothing; left too for + and *."""


def _nan_of(x: Any, y: Any, pick: Callable[[Any, Any], Any]) -> Any:
    """The extremum of two numbers, or the NaN among them."""
    return x if x != x else y if y != y else pick(x, y)


def _number_of(x: Any, y: Any, pick: Callable[[Any, Any], Any]) -> Any:
    """The extremum of two numbers; a NaN gives way."""
    return y if x != x else x if y != y else pick(x, y)


def binary(b: Builder, symbol: str, left: Any, right: Any) -> Any:
    """`left symbol right`: computed where both are known, emitted otherwise."""
    if not is_runtime(left) and not is_runtime(right):
        return compute(symbol, left, right)
    if _is_pointer(left) or _is_pointer(right):
        return _pointer_arithmetic(b, symbol, left, right)
    if symbol in _PREDICATES:
        return _compare(b, _PREDICATES[symbol], left, right)
    if symbol not in _ARITH:
        raise CompileError(f"'{symbol}' is not supported on values known only at run time")
    dtype = _result_type(symbol, left, right)
    if dtype.is_bool():
        symbol = _on_bits(b, symbol)
    if dtype.kind != "float" and symbol in ("//", "%") and not is_runtime(right) and right == 0:
        raise CompileError(f"'{symbol}': integer division of {describe(left)} by zero")
    if dtype.kind != "float" and (same := _unchanged(symbol, left, right, dtype)) is not None:
        return same
    return _arithmetic(b, symbol, left, right, dtype)


def _result_type(symbol: str, left: Any, right: Any) -> DType:
    dtype = common_type(left, right, symbol in _DIVISIONS)
    if symbol == "/" and dtype.kind != "float":
        return float32
    return dtype


def _on_bits(b: Builder, symbol: str) -> str:
    """The operator on single bits that an operator on bools is."""
    if symbol in ("//", "%", "<<", ">>") or (symbol in _ON_BITS and b.language.name != "triton"):
        raise CompileError(
            f"'{symbol}' is not defined on bool tensors; convert them first, or combine them with '&', '|'"
        )
    return _ON_BITS.get(symbol, _EXTREME_BITS.get(symbol, symbol))


def _arithmetic(b: Builder, symbol: str, left: Any, right: Any, dtype: DType) -> Value:
    op = _ARITH[symbol][0 if dtype.kind == "float" else 1 if dtype.kind == "int" else 2]
    if op is None:
        raise CompileError(f"'{symbol}' is not supported on {dtype} values ({describe(left)} and {describe(right)})")
    x, y = b.match(b.typed(left, dtype), b.typed(right, dtype))
    return b.value(op.create(operands=[x.ssa, y.ssa], result_types=[x.ssa.type]))


def _unchanged(symbol: str, left: Any, right: Any, dtype: DType) -> Value | None:
    """The other operand, where one is a number that changes nothing: `x + 0`, `1 * x`."""
    neutral = _NEUTRAL.get(symbol)
    if neutral is None:
        return None
    if not isinstance(right, Value) and right == neutral and left.number is dtype:
        return left
    if symbol in "+*" and not isinstance(left, Value) and left == neutral and right.number is dtype:
        return right
    return None


def _compare(b: Builder, predicate: str, left: Any, right: Any) -> Value:
    if isinstance(left, float):
        return _compare(b, _MIRRORED.get(predicate, predicate), right, left)
    if isinstance(right, float) and is_index(left):
        found = _bound(predicate, right)
        if isinstance(found, bool):
            return b.broadcast(b.constant(found, boolean), left.shape)
        predicate, right = found
    dtype = common_type(left, right)
    x, y = b.match(b.typed(left, dtype), b.typed(right, dtype))
    return b.value(tile.CompareOp(predicate, x.ssa, y.ssa))


def _bound(predicate: str, number: float) -> tuple[str, int] | bool:
    """An index compared with a float as compared with an integer, which no rounding changes; or the result."""
    if math.isnan(number):
        return predicate == "ne"
    if math.isinf(number):
        return predicate in (("ne", "lt", "le") if number > 0 else ("ne", "gt", "ge"))
    if number.is_integer():
        return predicate, int(number)
    if predicate in ("eq", "ne"):
        return predicate == "ne"
    below = math.floor(number)
    return ("le", below) if predicate in ("lt", "le") else ("gt", below)


def _is_pointer(x: Any) -> bool:
    return isinstance(x, Value) and x.is_pointer


def _pointer_arithmetic(b: Builder, symbol: str, left: Any, right: Any) -> Value:
    if symbol == "+" and not _is_pointer(left):
        left, right = right, left
    if symbol not in ("+", "-") or _is_pointer(right):
        raise CompileError(f"'{symbol}' is not defined for {describe(left)} and {describe(right)}")
    if not isinstance(right, Value | int) or (isinstance(right, Value) and right.number.kind == "float"):
        raise CompileError(f"a pointer moves by integers, got {describe(right)}")
    if isinstance(right, int) and right == 0:
        return left
    offset = b.index(right) if symbol == "+" else unary(b, "-", right)
    ptr, offset = b.match(left, b.index(offset))
    return b.value(tile.AddPtrOp(ptr.ssa, offset.ssa))


def unary(b: Builder, symbol: str, x: Any) -> Any:
    """`-x`, `+x` and `~x`."""
    if not is_runtime(x):
        return compute_unary(symbol, x)
    if not isinstance(x, Value) or x.is_pointer:
        raise CompileError(f"'{symbol}' is not defined for {describe(x)}")
    if symbol == "+":
        return x
    if symbol == "~":
        return _invert(b, x)
    if x.number.is_bool():
        raise CompileError(f"'-' is not defined for {describe(x)}; convert it first, or use '~'")
    if x.number.kind == "float":
        return b.value(arith.NegfOp(x.ssa))
    return binary(b, "-", 0, x)


def _invert(b: Builder, x: Value) -> Value:
    if x.number.kind == "float":
        raise CompileError(f"'~' is not defined for {describe(x)}")
    return binary(b, "^", x, True if x.number.is_bool() else -1)


def where(b: Builder, condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`; both in their common type."""
    if _is_pointer(x) and _is_pointer(y):
        on_true, on_false = x, y
    else:
        dtype = common_type(b.to_value(x) if not is_runtime(y) else x, y)
        on_true, on_false = b.typed(x, dtype), b.typed(y, dtype)
    mask, on_true, on_false = b.match(b.typed(condition, boolean), on_true, on_false)
    return b.value(tile.SelectOp(mask.ssa, on_true.ssa, on_false.ssa))


def compute(symbol: str, left: Any, right: Any) -> Any:
    """An operator on compile-time objects; what an integer argument of a Triton kernel enters stays typed as one."""
    _check_size(symbol, left, right)
    try:
        result = PYTHON[symbol](left, right)
        if isinstance(left, ArgInt) or isinstance(right, ArgInt):
            result = _as_c(symbol, left, right, result)
    except Exception as error:
        raise CompileError(f"'{symbol}' on {describe(left)} and {describe(right)}: {error}") from None
    return _typed_like(result, left, right)


MAX_BITS = 4096
"""How large compile-time integers and texts may become."""


def _check_size(symbol: str, left: Any, right: Any) -> None:
    """Refuses what would keep Python computing for hours, or fill the memory."""
    size = 0
    if symbol == "*" and isinstance(left, str | bytes) != isinstance(right, str | bytes):
        text, count = (left, right) if isinstance(left, str | bytes) else (right, left)
        size = len(text) * count if isinstance(count, int) else 0
    elif isinstance(left, int) and isinstance(right, int) and right > 0:
        bits = left.bit_length()
        size = {"**": (bits if abs(left) > 1 else 0) * right, "<<": bits + right if left else 0}.get(symbol, 0)
        size = bits + right.bit_length() if symbol == "*" else size
    if size > MAX_BITS:
        raise CompileError(f"the result of '{symbol}' is too large")


def _as_c(symbol: str, left: Any, right: Any, result: Any) -> Any:
    """`//` and `%` of integers that are typed truncate towards zero."""
    integers = isinstance(left, int) and isinstance(right, int)
    if symbol not in ("//", "%") or not integers or (left >= 0) == (right > 0):
        return result
    quotient = -(abs(left) // abs(right))
    return quotient if symbol == "//" else left - quotient * right


def compute_unary(symbol: str, x: Any) -> Any:
    try:
        result = {"-": operator.neg, "+": operator.pos, "~": operator.invert}[symbol](x)
    except Exception as error:
        raise CompileError(f"'{symbol}' on {describe(x)}: {error}") from None
    return _typed_like(result, x)


def _typed_like(result: Any, *operands: Any) -> Any:
    if type(result) not in (int, float) or not any(isinstance(x, ArgInt | ArgFloat) for x in operands):
        return result
    if isinstance(result, float):
        return ArgFloat(result)
    return WideInt(result) if any(isinstance(x, WideInt) for x in operands) else ArgInt(result)


def is_index(x: Any) -> bool:
    """Whether something can address memory: a compile-time integer or an index."""
    if isinstance(x, Value):
        return not x.is_pointer and x.number is INDEX
    return isinstance(x, int) and not isinstance(x, bool)
