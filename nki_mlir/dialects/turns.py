"""How a tile goes through the array of the Tensor engine: what at a time, and where that lies before and after.

A *turn* is a rectangle of elements. Its rows lie on partitions of the source, its columns on partitions of the result;
what lies free on both sides makes blocks, several of which share a bank of PSUM and leave it together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

from xdsl.ir import Attribute

from nki_mlir.dialects.access import Dim, Engine, contiguous
from nki_mlir.dialects.dtypes import bf16, by_name, dtype, f32, u8
from nki_mlir.dialects.instructions.tensor import array_output
from nki_mlir.dialects.layout import REPLICA, LayoutError, Spot
from nki_mlir.dialects.walks import Walk, walks
from nki_mlir.targets import Limits, Target

_CARRIERS = {1: u8, 2: bf16, 4: f32}
"""As what bits go through the array, by the bytes of an element."""
BANKS = 2
"""Banks of PSUM that a tile goes through in turn: one is written while the other is read."""


class Digit(NamedTuple):
    """`size` values, neighbours of which are so many elements apart in the source and in the result."""

    size: int
    source: int
    result: int


@dataclass(frozen=True)
class Turn:
    """`rows` and `columns` in the order of their partitions, `blocks` the slowest of the result first; the first
    element is at element `source`, and at element `result`, of its partition."""

    rows: tuple[Digit, ...]
    columns: tuple[Digit, ...]
    blocks: tuple[Digit, ...]
    source: int
    result: int

    @property
    def height(self) -> int:
        return _size(self.rows)

    @property
    def width(self) -> int:
        return _size(self.columns)

    @property
    def number(self) -> int:
        """Of blocks."""
        return _size(self.blocks)

    @property
    def elements(self) -> int:
        """On each partition of the source."""
        return self.number * self.width

    @property
    def starts(self) -> list[int]:
        """Where each block begins in the source."""
        return [self.source + place.source for place in places(self.blocks)]

    @property
    def column_dims(self) -> list[Dim]:
        """A block in the source."""
        return [(d.source, d.size) for d in self.columns]

    def read(self, words: int) -> list[Dim]:
        """The words of its elements in the source: words, blocks, columns."""
        digits = (*self.blocks, *self.columns)
        return [(1, words), *((d.source * words, d.size) for d in digits)]

    def written(self, words: int) -> list[Dim]:
        """The words of its elements in the result: blocks, words, rows."""
        blocks, rows = ([(d.result * words, d.size) for d in digits] for digits in (self.blocks, self.rows))
        return [*blocks, (1, words), *rows]

    def groups(self, most: int) -> Iterator[Turn]:
        """The blocks, at most so many at a time, the fastest of the result together."""
        slow, fast, run = self._together(most)
        if not slow or run < 2:
            yield from (self.at(place, fast) for place in places(slow))
            return
        *slower, cut = slow
        for place in places(slower):
            for first in range(0, cut.size, run):
                part = cut._replace(size=min(run, cut.size - first))
                yield self.at(place.behind(cut, first), (part, *fast))

    def blocks_of_groups(self, most: int) -> list[tuple[Digit, ...]]:
        """The blocks of each group, wherever it begins."""
        slow, fast, run = self._together(most)
        if not slow or run < 2:
            return [fast] * _size(slow)
        *slower, cut = slow
        whole, rest = divmod(cut.size, run)
        blocks = [(cut._replace(size=run), *fast)] * whole + [(cut._replace(size=rest), *fast)] * (rest > 0)
        return blocks * _size(slower)

    def _together(self, most: int) -> tuple[tuple[Digit, ...], tuple[Digit, ...], int]:
        """The slow digits of the blocks, the fast ones of which all are in a group of at most so many, and how many
        values of the last slow one may be."""
        kept = len(self.blocks)
        while kept and _size(self.blocks[kept - 1 :]) <= most:
            kept -= 1
        slow, fast = self.blocks[:kept], self.blocks[kept:]
        return slow, fast, most // _size(fast)

    def at(self, place: Place, blocks: tuple[Digit, ...]) -> Turn:
        """Some of the blocks, from a place on."""
        return Turn(self.rows, self.columns, blocks, self.source + place.source, self.result + place.result)


class Place(NamedTuple):
    """So many elements behind the first one, in the source and in the result."""

    source: int = 0
    result: int = 0

    def behind(self, digit: Digit, value: int) -> Place:
        return Place(self.source + value * digit.source, self.result + value * digit.result)


def places(digits: Sequence[Digit]) -> Iterator[Place]:
    """Those of all values of some digits."""
    for chosen in product(*(range(d.size) for d in digits)):
        place = Place()
        for digit, value in zip(digits, chosen, strict=True):
            place = place.behind(digit, value)
        yield place


def _size(digits: Sequence[Digit]) -> int:
    return math.prod(d.size for d in digits)


@dataclass(frozen=True)
class Passage:
    """As what an element of `size` bytes goes through the array, which takes it as `data` and leaves `sums` in PSUM;
    these are written as `result`, `as_bits` or as numbers. Where it goes through `in_words`, an element is `words` of
    `result`, each of up to two bytes. A bank holds `bank` of the sums."""

    size: int
    data: Attribute
    sums: Attribute
    result: Attribute
    bank: int
    in_words: bool = False
    as_bits: bool = False

    @property
    def words(self) -> int:
        return self.size // dtype(self.result).bytes if self.in_words else 1

    def hints(self, spreads: bool) -> dict[str, Any]:
        """The fields of a product with ones, stationary where it `spreads`, or with an identity, moving, by which fp32
        takes two passes."""
        if self.data != f32:
            return {}
        return {"is_stationary_onezero" if spreads else "is_moving_onezero": True}

    def leaves_by(self, number: int) -> Engine:
        """The engine that takes what shares a bank from it, of so many before it: numbers the Scalar engine, which
        leaves the Vector engine to making them; bits, of which nothing is made, both in turn."""
        return Engine.VECTOR if self.as_bits and number % 2 else Engine.SCALAR

    def groups(self, turn: Turn) -> list[Turn]:
        """What shares a bank of PSUM."""
        return list(turn.groups(self._in_bank(turn)))

    def blocks_of_groups(self, turn: Turn) -> list[tuple[Digit, ...]]:
        """The blocks of each group."""
        return turn.blocks_of_groups(self._in_bank(turn))

    def _in_bank(self, turn: Turn) -> int:
        """So many blocks share a bank."""
        return max(1, self.bank // (turn.height * self.words))

    def fits(self, turn: Turn, limits: Limits) -> bool:
        """Whether access patterns have the dimensions and the steps for all that it reads and writes at once."""
        taken = turn.read(self.words) if self.in_words else turn.column_dims
        patterns = contiguous(taken), contiguous(turn.written(self.words))
        steps = [step for pattern in patterns for step, _ in pattern]
        deep = max(map(len, patterns)) > limits.free_dims
        return not deep and limits.step_min <= min(steps) and max(steps) <= limits.step_max


def bits(size: int, target: Target) -> Passage:
    """Elements of so many bytes as their bits, where the array has a mode for that."""
    data = _CARRIERS[size]
    sums = array_output(data)
    return Passage(size, data, sums, data, target.memory.psum_bank_bytes // dtype(sums).bytes, as_bits=True)


def values(element: Attribute, target: Target) -> Passage:
    """Floats as themselves. The array multiplies them: what is not finite spoils others, and -0 becomes 0."""
    return Passage(dtype(element).bytes, element, f32, element, target.memory.psum_bank_bytes // dtype(f32).bytes)


def numbers(size: int, target: Target) -> Passage:
    """Elements of so many bytes as their words, which fp32 holds exactly, and bf16 those of one byte: nothing that an
    element can be is lost. Beside zeros and ones, fp32 takes two passes over the array."""
    bank, word = target.memory.psum_bank_bytes // dtype(f32).bytes, min(size, 2)
    return Passage(size, f32 if word == 2 else bf16, f32, by_name(f"uint{8 * word}").type, bank, in_words=True)


def turns(
    sizes: Sequence[int], source: Sequence[Spot], result: Sequence[Spot], passage: Passage, limits: Limits
) -> list[Turn]:
    """Turns of a tile of these sizes from spots to others. Raises LayoutError where there are none: some elements keep
    their partition and others leave it, or lie too far apart."""
    found: list[Turn] = []
    for walk in walks(sizes, result, source):
        before, after = _lanes(walk)
        if set(after) & set(before):
            raise LayoutError("of the digits on the partitions some stay there, others do not")
        found += _cut(_turn(walk, before, after), passage, limits)
    return found


def spreads(
    sizes: Sequence[int], source: Sequence[Spot], result: Sequence[Spot], passage: Passage, limits: Limits
) -> list[Turn]:
    """What lies on one partition and is wanted on all that the result has: turns without rows and columns. Raises
    LayoutError where it is not so."""
    found: list[Turn] = []
    for walk in walks(sizes, result, source):
        before, after = _lanes(walk)
        if before or any(walk.digits[i][0] != REPLICA for i in after):
            raise LayoutError("one partition holds all, and the others want all of it")
        found += _cut(replace(_turn(walk, before, after), columns=()), passage, limits)
    return found


def _lanes(walk: Walk) -> tuple[list[int], list[int]]:
    """The digits on the partitions, before and after."""
    if not (walk.is_range(0) and walk.is_range(1)):
        raise LayoutError("the partitions do not follow one another")
    return walk.lanes(1), walk.lanes(0)


def _turn(walk: Walk, before: Sequence[int], after: Sequence[int]) -> Turn:
    digits = [Digit(n, b.stride, a.stride) for n, a, b in zip(walk.counts, *walk.legs, strict=True)]
    free = [d for i, d in enumerate(digits) if i not in before and i not in after and d.size > 1]
    rows, columns = (tuple(digits[i] for i in lanes) for lanes in (before, after))
    blocks = tuple(sorted(free, key=lambda d: -abs(d.result)))
    return Turn(rows, columns, blocks, walk.starts[1].offset, walk.starts[0].offset)


def _cut(turn: Turn, passage: Passage, limits: Limits) -> Iterator[Turn]:
    """Turns of fewer blocks, until access patterns have dimensions enough for each."""
    if passage.fits(turn, limits):
        yield turn
        return
    if not turn.blocks:
        raise LayoutError(
            f"an access pattern has {limits.free_dims} dimensions, and steps of at most {limits.step_max}"
        )
    alone = min(turn.blocks, key=lambda d: d.size)
    kept = tuple(d for d in turn.blocks if d is not alone)
    for place in places([alone]):
        yield from _cut(turn.at(place, kept), passage, limits)
