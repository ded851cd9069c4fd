"""Things that are found to belong together, one pair after the other."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Classes(Generic[T]):
    """Each thing is in a class of its own until two are united. A class is named by one of its members."""

    def __init__(self) -> None:
        self._above: dict[T, T] = {}

    def of(self, one: T) -> T:
        """The name of the class of a thing."""
        name = one
        while (above := self._above.get(name)) is not None:
            name = above
        while one != name:
            self._above[one], one = name, self._above[one]
        return name

    def unite(self, one: T, other: T) -> None:
        """Makes one class of two, which keeps the name of the second."""
        one, other = self.of(one), self.of(other)
        if one != other:
            self._above[one] = other
