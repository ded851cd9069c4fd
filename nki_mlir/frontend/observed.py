"""What a kernel reads from outside itself, and whether that is still the same.

Triton refuses globals that are no constexpr. Here a kernel may read any object; what it took is part of what the
compiled code depends on. Every step that leads out of the kernel is noted with a way to repeat it: a global, a
variable of an enclosing function, an attribute, an element, an operator of an object, and also the call of a plain
Python function, which may itself read anything. Before compiled code is used again all steps are repeated: if one
gives something else, the kernel is compiled anew. So a plain function that a kernel calls should have no effects.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from types import BuiltinMethodType, MethodType
from typing import Any

from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.dtypes import DType
from nki_mlir.frontend.source import plain, unwrapped
from nki_mlir.frontend.values import ArgFloat, ArgInt, HbmArray, Span, Value, View, WideInt, is_runtime

_NUMBERS = (int, bool, str, bytes, complex, type(None), type(Ellipsis), ArgInt, WideInt)
_BY_IDENTITY = (DType, Value, HbmArray, View, Span)


class Same:
    """An object as part of a key: equal to itself only."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def key(value: Any, outer: tuple[Any, ...] = ()) -> Hashable:
    """Equal for objects that a kernel can't tell apart. Numbers, text, containers and dataclasses go by content and
    type (1, 1.0 and True differ, as do 0.0 and -0.0), all else by identity. `outer` are the containers around."""
    value = plain(unwrapped(value))
    kind = type(value)
    if kind in _NUMBERS:
        return kind, value
    if kind is Same:
        return value
    if kind in (float, ArgFloat):
        return kind, value.hex()
    parts = _parts(value)
    if parts is None or any(value is container for container in outer):
        return Same(value)
    keys = (key(part, (*outer, value)) for part in parts)
    return kind, frozenset(keys) if kind in (set, frozenset) else tuple(keys)


def _parts(value: Any) -> list[Any] | None:
    """What an object's content consists of; None where that isn't known."""
    kind = type(value)
    if kind in (list, set, frozenset) or isinstance(value, tuple):
        return list(value)
    if kind is dict:
        return [part for item in value.items() for part in item]
    if kind in (slice, range):
        return [value.start, value.stop, value.step]
    if kind is MethodType:
        return [Same(value.__self__), value.__func__]
    if kind is BuiltinMethodType:
        return [Same(value.__self__), value.__name__]
    if dataclasses.is_dataclass(kind) and kind not in _BY_IDENTITY:
        names = [field.name for field in dataclasses.fields(kind)]
        extra = sorted(vars(value).keys() - set(names)) if hasattr(value, "__dict__") else []
        return [(name, getattr(value, name, None)) for name in [*names, *extra]]
    return None


def is_opaque(value: Any) -> bool:
    """Whether an object may change without its `key` showing it."""
    value = plain(unwrapped(value))
    if type(value) in (*_NUMBERS, float, ArgFloat, slice, range, DType, Builtin) or is_runtime(value):
        return False
    if type(value) in (tuple, list, set, frozenset):
        return any(is_opaque(part) for part in value)
    return type(value) is not dict or any(is_opaque(part) for item in value.items() for part in item)


class Observations:
    """What was read from outside while a kernel was compiled."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, tuple[Callable[[], Any], Any, Hashable]] = {}

    def read(self, what: Hashable, read: Callable[[], Any]) -> Any:
        """What `read` gives, noted under `what`."""
        value = read()
        self._reads[what] = read, value, key(value)
        return value

    def hold(self) -> bool:
        """Whether reading everything again gives the same."""
        return all(_gives(*noted) for noted in self._reads.values())


def _gives(read: Callable[[], Any], then: Any, expected: Hashable) -> bool:
    """Whether something gives what it gave `then`, of which `expected` was the key."""
    try:
        now = read()
        if now is then and (type(now) in _NUMBERS or (type(expected) is Same and expected.value is now)):
            return True
        return key(now) == expected
    except Exception:
        return False
