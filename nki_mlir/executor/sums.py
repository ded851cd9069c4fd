"""Matmuls into PSUM, multiplied as late as they can be seen.

A matmul over K = 2048 is a group of 16 instructions that add to the same bytes. Each has its effect when it completes,
but nobody looks before the last one: so their operands are put one below the other as they are read, and one product
over all of K is made when something reads the result or writes there. What is read is then what the instructions that
have completed give, as if each had been added in its turn; the order of fp32 additions within a group is not
documented.

Operands stay where they were put until the room is needed, and are not put there again while their bytes in SBUF are
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from nki_mlir.executor.numerics import Array

_ROWS = 2048
"""K of one product, at most: bounds the memory for operands."""
_MOST_STACKS = 16
"""Stacks that are kept although nothing in them waits."""


Perform = Callable[[Callable[[], object]], object]
"""What becomes of arithmetic: it is done at once, or written down to be done in this order."""


Dims = tuple[tuple[int, int], ...]


class Place(NamedTuple):
    """Bytes `low` to below `high` of partitions `first` to below `last`: all of them, or elements of `item` bytes in
    steps that `dims` tells."""

    first: int
    last: int
    low: int
    high: int
    dims: Dims = ()
    item: int = 1

    def meets(self, other: Place) -> bool:
        """Whether they share bytes."""
        if self.first >= other.last or other.first >= self.last or self.low >= other.high or other.low >= self.high:
            return False
        return _share_bytes(self._touched, other._touched, other.low - self.low)

    @property
    def _touched(self) -> tuple[Dims, int, int]:
        return self.dims, self.item, self.high - self.low


@lru_cache(4096)
def _share_bytes(one: tuple[Dims, int, int], other: tuple[Dims, int, int], apart: int) -> bool:
    """Whether bytes of two places are the same, the second of which begins so many behind the first."""
    mine, others = _bytes(*one), _bytes(*other)
    low, high = max(0, apart), min(len(mine), apart + len(others))
    return bool((mine[low:high] & others[low - apart : high - apart]).any())


@lru_cache(1024)
def _bytes(dims: Dims, item: int, size: int) -> Array:
    """Which bytes of a place are touched, from its first on."""
    if not dims:
        return np.ones(size, np.bool_)
    places = np.zeros(1, np.int64)
    for step, count in dims:
        places = np.add.outer(places, step * np.arange(count)).reshape(-1)
    touched = np.zeros(size, np.bool_)
    starts = (places - places.min()) * item
    touched[np.add.outer(starts, np.arange(item))] = True
    return touched


class Operand(NamedTuple):
    """fp32 [K, `columns`], which `fill` puts where it is told. Operands with equal tags have equal elements."""

    tag: object
    rows: int
    columns: int
    fill: Callable[[Array], object]


class _Stack:
    """Operands one below the other, fp32 [K, columns]. `used` rows are taken; `waiting` operands are not yet
    multiplied; `held` has the tags of what stands in it, by first row."""

    def __init__(self, columns: int):
        self.columns, self.data = columns, np.empty((_ROWS, columns), np.float32)
        self.held: dict[int, object] = {}
        self.used = self.waiting = 0

    def take(self, operand: Operand, perform: Perform) -> None:
        first, self.used, self.waiting = self.used, self.used + operand.rows, self.waiting + 1
        if self.held.get(first) != operand.tag:
            self.held = {row: tag for row, tag in self.held.items() if row < first} | {first: operand.tag}
            perform(partial(operand.fill, self.data[first : self.used]))


Pair = tuple[_Stack, _Stack]
"""Those of stationary and of moving operands, row by row."""


class Room(NamedTuple):
    """Where the operands of one matmul are."""

    pair: Pair
    first: int
    last: int


@dataclass
class _Group:
    """Completed matmuls: `count` of them, in rows of a pair of stacks, whose product is to be added to `view` or, if it
    `starts`, to be its new content."""

    view: Array
    starts: bool
    pair: Pair
    first: int
    last: int
    count: int = 0

    def release(self) -> None:
        for stack in self.pair:
            stack.waiting -= self.count


class Sums:
    """The groups under way in one PSUM; false where there is none."""

    def __init__(self, perform: Perform = lambda work: work()) -> None:
        self.perform = perform
        self.groups: dict[Place, _Group] = {}
        self.filling: dict[Place, Pair] = {}
        self.stacks: list[_Stack] = []

    def __bool__(self) -> bool:
        return bool(self.groups)

    def take(self, place: Place, stationary: Operand, moving: Operand, accumulate: bool) -> Room:
        """Reads the operands of a matmul that issues now; it has to be completed in its turn."""
        pair = self.filling.get(place) if accumulate else None
        if pair is None or pair[0].used + moving.rows > _ROWS:
            one = self._empty(stationary)
            pair = self.filling[place] = one, self._empty(moving, one)
        first = pair[0].used
        pair[0].take(stationary, self.perform)
        pair[1].take(moving, self.perform)
        return Room(pair, first, pair[0].used)

    def _empty(self, first: Operand, other: _Stack | None = None) -> _Stack:
        """A stack that begins with an operand if there is one, else a new one or the one not used for longest; not
        `other`, which the matmul's other operand gets. A pair of which nothing waits is taken from its place: what is
        added there later begins a new one."""
        free = [s for s in self.stacks if not s.waiting and s is not other and s.columns == first.columns]
        found = next((s for s in free if s.held.get(0) == first.tag), None)
        if found is None:
            found = _Stack(first.columns) if len(self.stacks) < _MOST_STACKS or not free else free[0]
        if found in self.stacks:
            self.stacks.remove(found)
            self.filling = {place: pair for place, pair in self.filling.items() if found not in pair}
        self.stacks.append(found)
        found.used = 0
        return found

    def complete(self, place: Place, view: Array, room: Room, accumulate: bool) -> None:
        """A matmul into `view`, of M x N elements, has completed. One in bf16 is rounded after each addition
        (docs/hardware.md#psum-accumulation)."""
        group = self.groups.get(place)
        if group is not None and not accumulate:
            self.groups.pop(place).release()
        if group is None or not accumulate or group.pair is not room.pair:
            self.settle(place)
            group = self.groups[place] = _Group(view, not accumulate, *room)
        group.last, group.count = room.last, group.count + 1
        if view.dtype != np.float32:
            self.settle(place)

    def settle(self, place: Place) -> None:
        """Brings the bytes of a place up to date."""
        for found in [other for other in self.groups if other.meets(place)]:
            self._multiply(self.groups.pop(found))

    def _multiply(self, group: _Group) -> None:
        group.release()
        stationary, moving = (stack.data[group.first : group.last] for stack in group.pair)
        self.perform(partial(_product, stationary.T, moving, group.view, group.starts))


def _product(stationary: Array, moving: Array, view: Array, starts: bool) -> None:
    """[M, K] times [K, N] becomes the content of a view, or is added to it."""
    if starts and view.ndim == 2 and view.dtype == np.float32:
        np.matmul(stationary, moving, out=view)
        return
    product = np.matmul(stationary, moving).reshape(view.shape)
    if starts:
        view[...] = product
    else:
        np.add(view, product, out=view, dtype=np.float32, casting="unsafe")
