"""Calls in a kernel: functions of the language, helpers that are compiled in place, and plain Python on constants."""

from __future__ import annotations

import builtins
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.attributes import Method
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, OutsideKernel
from nki_mlir.frontend.dtypes import INDEX, DType, float32
from nki_mlir.frontend.list_operations import ListMethod
from nki_mlir.frontend.lists import items_of
from nki_mlir.frontend.observed import is_opaque, key
from nki_mlir.frontend.source import KernelFunction, plain, unwrapped
from nki_mlir.frontend.values import HbmArray, Value, describe, is_runtime

MAX_DEPTH = 50
"""How deep helper functions may call each other."""


class Caller(ABC):
    """The function that a call stands in, while it is evaluated; `depth` is how many helpers deep that is."""

    def __init__(self, builder: Builder, function: KernelFunction, depth: int = 0):
        self.b, self.function, self.depth = builder, function, depth

    @abstractmethod
    def evaluated(self, helper: KernelFunction, variables: dict[str, Any]) -> Any:
        """What a helper returns, called here with these variables."""


def call(caller: Caller, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result of `function(*args, **kwargs)`."""
    b = caller.b
    if isinstance(function, Method):
        return function.function.emit(b, (function.receiver, *args), kwargs)
    if isinstance(function, ListMethod):
        return function.call(b, args, kwargs)
    if isinstance(function, Builtin):
        return function.emit(b, tuple(args), kwargs)
    inner = getattr(function, "kernel_function", None)
    if isinstance(inner, KernelFunction):
        return inline(caller, inner, args, kwargs)
    if isinstance(function, DType):
        if len(args) != 1 or kwargs:
            raise CompileError(f"{function.name}(x) converts one number or tensor, got {len(args) + len(kwargs)}")
        return functions.converted(b, args[0], function)
    if function is range and kwargs.keys() == {"step"}:
        args, kwargs = [*([0] * (len(args) == 1)), *args, kwargs["step"]], {}
    if function is builtins.print:
        raise CompileError("print is not supported in a kernel; tl.static_print prints while compiling")
    if not callable(function):
        raise CompileError(f"{describe(function)} can't be called")
    if is_runtime([*args, *kwargs.values()]):
        return _with_runtime_values(caller, function, args, kwargs)
    return _on_constants(caller, function, args, kwargs)


def inline(caller: Caller, function: KernelFunction, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Evaluates a helper's body in place of the call."""
    if caller.depth >= MAX_DEPTH:
        raise CompileError(f"helper functions call each other {MAX_DEPTH} deep; recursion is not supported")
    try:
        bound = function.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise CompileError(f"{function.name}: {error}") from None
    defaults = {name for name in function.signature.parameters if name not in bound.arguments}
    bound.apply_defaults()
    variables = {name: unwrapped(value) for name, value in bound.arguments.items()}
    for name in defaults & variables.keys():
        caller.b.observe((id(function), name), partial(_default, function, name))
    return caller.evaluated(function, variables)


def _helper(caller: Caller, function: FunctionType) -> KernelFunction:
    """A plain function that an NKI kernel calls, as a function to compile."""
    helpers = caller.b.helpers
    if function not in helpers:
        helpers[function] = KernelFunction.undecorated(function, caller.function.language)
    return helpers[function]


def _default(function: KernelFunction, name: str) -> Any:
    return function.signature.parameters[name].default


def _on_constants(caller: Caller, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    if function is range and (wrong := [x for x in args if not isinstance(x, int)]):
        raise CompileError(f"the bounds of a loop are integers, got {describe(wrong[0])}")
    if function in _COLLECTING and len(args) == 1:
        args = [items_of(args[0], f"{_name(function)}()")]
    try:
        result = plain(_observed(caller.b, function, args, kwargs))
    except OutsideKernel:
        if isinstance(function, FunctionType) and caller.function.language.name == "nki":
            return inline(caller, _helper(caller, function), args, kwargs)
        raise CompileError(_not_jit(function)) from None
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(f"{_name(function)}: {type(error).__name__}: {error}") from None
    return caller.b.lists.made(result, caller.b.loops) if function in _COLLECTING else result


def _observed(b: Builder, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a plain function. It may read anything, so that the call is noted, with the arguments as they are
    now; except for Python's own functions on objects that don't change."""
    is_pure = isinstance(function, BuiltinFunctionType | type) and function.__module__ in _PURE_MODULES
    if is_pure and not is_opaque((tuple(args), kwargs)):
        return function(*args, **kwargs)
    given, named = [_copied(a) for a in args], {name: _copied(a) for name, a in kwargs.items()}
    # The first call gets the arguments themselves: the result may be one of them.
    results = [function(*args, **kwargs)]
    return b.observe(
        ("call", key(function), key((tuple(given), named))),
        lambda: results.pop() if results else function(*map(_copied, given), **named),
    )


def _copied(value: Any) -> Any:
    """Lists change while a kernel is compiled; the note of a call keeps them as they were."""
    return [_copied(item) for item in value] if type(value) is list else value


def _with_runtime_values(caller: Caller, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    emitter = _EMITTERS.get(function) if isinstance(function, type | type(len)) else None
    if emitter is not None:
        try:
            inspect.signature(emitter).bind(caller.b, *args, **kwargs)
            return emitter(caller.b, *args, **kwargs)
        except TypeError as error:
            raise CompileError(f"{_name(function)}: {error}") from None
    if isinstance(function, FunctionType) and caller.function.language.name == "nki":
        return inline(caller, _helper(caller, function), args, kwargs)
    raise CompileError(_not_jit(function))


def _not_jit(function: Callable[..., Any]) -> str:
    if isinstance(function, FunctionType):
        return f"'{_name(function)}' is a plain Python function; decorate it with jit to call it from a kernel"
    return f"'{_name(function)}' works on compile-time values only"


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


_EXTREMA = {"max": {"triton": "maxnum", "nki": "maximum"}, "min": {"triton": "minnum", "nki": "minimum"}}
"""What Python's function means in each language."""


def _fold(function: str) -> Callable[..., Any]:
    def extremum(b: Builder, *values: Any) -> Any:
        symbol = _EXTREMA[function][b.language.name]
        if len(values) == 1 and isinstance(values[0], tuple | list):
            values = tuple(values[0])
        if len(values) < 2:
            raise CompileError("min and max take two or more numbers; use tl.min or tl.max to reduce a tensor")
        result = values[0]
        for value in values[1:]:
            result = operators.binary(b, symbol, result, value)
        return result

    return extremum


def _range(b: Builder, *bounds: Any) -> Any:
    if not 1 <= len(bounds) <= 3:
        raise CompileError(f"range takes one to three integers, got {len(bounds)}")
    start, stop, step = {1: (0, *bounds, 1), 2: (*bounds, 1)}.get(len(bounds), bounds)
    return functions.run_time_range(b, start, stop, step)


def _len(b: Builder, x: Any) -> int:
    if isinstance(x, tuple | list):
        return len(x)
    shape = x.shape if isinstance(x, Value | HbmArray) else ()
    if not shape:
        raise CompileError(f"{describe(x)} has no length")
    return shape[0]


def _bool(b: Builder, value: Any) -> Any:
    raise CompileError("bool() works on compile-time values only; compare with 0 to get a mask")


def _scalar(x: Any, what: str) -> Value:
    if not isinstance(x, Value) or x.is_pointer:
        raise CompileError(f"{what} takes a number or a tensor, got {describe(x)}")
    return x


_COLLECTING = (list, tuple, sorted)
"""Functions that make a list or tuple of what they are given."""

_PURE_MODULES = ("builtins", "math", "operator")

_EMITTERS: dict[Any, Callable[..., Any]] = {
    min: _fold("min"),
    max: _fold("max"),
    abs: functions.absolute,
    float: lambda b, x: b.cast(_scalar(x, "float()"), float32),
    int: lambda b, x: functions.cast_as_c(b, _scalar(x, "int()"), INDEX),
    bool: _bool,
    range: _range,
    len: _len,
    isinstance: lambda b, x, kinds: isinstance(x, kinds),
    tuple: lambda b, x: tuple(items_of(x, "tuple()")),
    list: lambda b, x: b.lists.made(items_of(x, "list()"), b.loops),
    zip: lambda b, *x: list(zip(*(items_of(one, "zip()") for one in x), strict=False)),
    enumerate: lambda b, x, start=0: list(enumerate(items_of(x, "enumerate()"), start)),
    reversed: lambda b, x: list(reversed(items_of(x, "reversed()"))),
}
"""Python's builtins where an argument is known only at run time."""
