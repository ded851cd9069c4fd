"""Python's lists in a kernel: they exist while compiling only, and change as Python's do.

A list can be changed where each of its changes happens once: not in a rolled loop that it was made outside of, whose
body is compiled once and runs many times, and not where it came from outside the kernel.
"""

from __future__ import annotations

from typing import Any

from xdsl.ir import Block

from nki_mlir.errors import CompileError
from nki_mlir.frontend.values import describe, is_runtime

MAX_ITEMS = 10_000
"""How long a list or tuple of a kernel may become."""

_CHANGING: dict[type, frozenset[str]] = {
    list: frozenset("append extend insert pop remove clear reverse sort".split()),
    dict: frozenset("clear pop popitem setdefault update".split()),
    set: frozenset("add clear discard pop remove update difference_update intersection_update".split()),
}
"""Methods that change their object."""


class Lists:
    """The lists that a kernel made, each with the rolled loops around the place where it was made."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[list[Any], tuple[Block, ...]]] = {}

    def made(self, value: Any, loops: tuple[Block, ...]) -> Any:
        """Notes a fresh list; other objects pass."""
        if type(value) is list:
            self._made.setdefault(id(value), (value, loops))
        return value

    def check_change(self, value: list[Any], what: str, loops: tuple[Block, ...]) -> None:
        """Raises CompileError where changing the list, by `what`, would not be as in Python."""
        if id(value) not in self._made:
            raise CompileError(f"{what} changes a list that comes from outside the kernel; make a copy with list(...)")
        around = self._made[id(value)][1]
        if around[: len(loops)] != loops:
            raise CompileError(
                f"{what} changes a list that was made outside of this loop, which is not unrolled; "
                "use tl.static_range, or make the list inside the loop"
            )


def changing_method(value: Any, name: str) -> bool:
    """Whether a method changes its object, one of Python's containers."""
    return name in _CHANGING.get(type(value), ())


def check_length(length: int) -> None:
    if length > MAX_ITEMS:
        raise CompileError(f"a list or tuple in a kernel has at most {MAX_ITEMS:,} items, and this has {length:,}")


def items_of(value: Any, what: str, more: int = 0) -> list[Any]:
    """What an iterable gives, `more` items besides it in the limit."""
    if is_runtime(value) and not isinstance(value, tuple | list):
        raise CompileError(f"{what} takes a tuple or a list, got {describe(value)}")
    try:
        if isinstance(value, tuple | list | range | dict | set | frozenset | str):
            check_length(more + _length(value))
        return list(value)
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(f"{what}: {type(error).__name__}: {error}") from None


def _length(value: Any) -> int:
    if not isinstance(value, range):
        return len(value)
    return max(0, -(-(value.stop - value.start) // value.step))
