"""What a kernel does with Python's lists: calls their methods, and applies operators to them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.lists import changing_method, check_length, items_of
from nki_mlir.frontend.values import is_runtime

_COMPARING = ("remove", "index", "count", "sort")
"""Methods of lists that compare elements."""


@dataclass(frozen=True, eq=False)
class ListMethod:
    """`list.append` and so on, of one list."""

    receiver: list[Any]
    name: str

    def call(self, b: Builder, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if changing_method(self.receiver, self.name):
            b.lists.check_change(self.receiver, f"'{self.name}'", b.loops)
        if self.name in _COMPARING and is_runtime((self.receiver, args, list(kwargs.values()))):
            raise CompileError(f"'{self.name}' of a list works on compile-time values only")
        if self.name == "extend" and len(args) == 1:
            args = [items_of(args[0], "'extend'", len(self.receiver))]
        check_length(len(self.receiver) + 1)
        try:
            result = getattr(self.receiver, self.name)(*args, **kwargs)
        except Exception as error:
            raise CompileError(f"'{self.name}' of a list: {type(error).__name__}: {error}") from None
        return b.lists.made(result, b.loops)


def operator(b: Builder, symbol: str, left: Any, right: Any) -> Any:
    """`+` and `*` that make a sequence; None where it is another operator."""
    if symbol == "+" and type(left) is type(right) and isinstance(left, tuple | list):
        check_length(len(left) + len(right))
        return b.lists.made(left + right, b.loops)
    if symbol == "*":
        sequence, count = (left, right) if isinstance(left, tuple | list) else (right, left)
        if isinstance(sequence, tuple | list) and isinstance(count, int):
            check_length(len(sequence) * max(count, 0))
            return b.lists.made(sequence * count, b.loops)
    return None


def augment(b: Builder, op: ast.operator, value: list[Any], other: Any) -> bool:
    """`value += other` and `value *= other` in place. False where it is another operator."""
    match op:
        case ast.Add():
            items = items_of(other, "'+=' on a list", len(value))
            b.lists.check_change(value, "'+='", b.loops)
            value.extend(items)
        case ast.Mult() if isinstance(other, int):
            check_length(len(value) * max(other, 0))
            b.lists.check_change(value, "'*='", b.loops)
            value *= other
        case _:
            return False
    return True


def set_item(b: Builder, value: list[Any], index: Any, item: Any) -> None:
    """`value[index] = item`."""
    b.lists.check_change(value, "this assignment", b.loops)
    if is_runtime(index):
        raise CompileError("a list can be indexed only with compile-time values")
    try:
        value[index] = items_of(item, "a slice of a list") if isinstance(index, slice) else item
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(f"{type(error).__name__}: {error}") from None
