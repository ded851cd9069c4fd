"""Where a tile's elements are in memory: the access attribute that loads and stores of `tile` and `neuron.mem` share.

    [128 * s0 + d0 in 0 to 1000 by 781, t0(d1) in 0 to 781 by 1]

One entry a coordinate of the memory: an expression, bounds, and a stride in elements. The expression is affine in the
positions `d0, d1, …` along the tile's dimensions, in the operation's index scalars `s0, s1, …` and in elements `t0(…)`
of its index tiles. The element is at `sum(expression * stride)` of the flattened memory; outside the bounds a read
gives another value and a write does nothing. A coordinate of stride 0 is a bare guard.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.expr import Expr, FloorDiv, Mod, is_word, parse_expr


@dataclass(frozen=True)
class Position:
    """An element's place along a dimension of the tile, from 0."""

    dim: int

    def __str__(self) -> str:
        return f"d{self.dim}"


@dataclass(frozen=True)
class Scalar:
    """An index scalar of the operation."""

    number: int

    def __str__(self) -> str:
        return f"s{self.number}"


@dataclass(frozen=True)
class Element:
    """The element of an index tile at the positions along these dimensions of the tile that is moved; None is 0."""

    number: int
    dims: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"t{self.number}({', '.join('0' if d is None else f'd{d}' for d in self.dims)})"


@dataclass(frozen=True)
class Coordinate:
    """`position`, at `stride` elements each, valid where `low <= position < high`; None is no bound."""

    position: Expr
    stride: int = 1
    low: int | None = None
    high: int | None = None

    @property
    def is_bounded(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def unbounded(self) -> Coordinate:
        return replace(self, low=None, high=None)

    @property
    def dims(self) -> list[int]:
        """The dimensions that it moves with by itself, in rising order."""
        return sorted(key.dim for key in self.position.counters() if isinstance(key, Position))

    @property
    def elements(self) -> list[Element]:
        """The elements of index tiles in it."""
        return [key for key in self.position.counters() if isinstance(key, Element)]

    @property
    def rest(self) -> Expr:
        """The position at place 0 of every dimension that it moves with by itself."""
        return self.position.substitute({Position(dim): Expr(0) for dim in self.dims})

    @property
    def is_affine(self) -> bool:
        """Whether it is a sum of multiples of positions, and of what does not depend on them."""
        return all(not isinstance(term, Mod | FloorDiv) or not _moves(term.value) for term, _ in self.position.terms)

    def coefficient(self, dim: int) -> int:
        return self.position.coefficient(Position(dim))

    def __str__(self) -> str:
        ends = ("*" if end is None else str(end) for end in (self.low, self.high))
        bounds = f" in {' to '.join(ends)}" if self.is_bounded else ""
        return f"{self.position}{bounds} by {self.stride}"


@dataclass(frozen=True)
class Coordinates:
    """All coordinates of an access."""

    parts: tuple[Coordinate, ...]

    def __iter__(self) -> Iterator[Coordinate]:
        return iter(self.parts)

    @property
    def bounded(self) -> list[Coordinate]:
        return [part for part in self.parts if part.is_bounded]

    @property
    def address(self) -> Expr:
        """Which element of the flattened memory it is."""
        return sum((part.position * part.stride for part in self.parts), Expr(0))

    def strides(self, rank: int) -> tuple[int, ...]:
        """How many elements of memory a step along each dimension is; steps of index tiles don't count."""
        address = self.address
        return tuple(address.coefficient(Position(dim)) for dim in range(rank))

    @property
    def offset(self) -> Expr:
        """The address of the tile's first element."""
        dims = {key: Expr(0) for key in self.counters() if isinstance(key, Position)}
        return self.address.substitute(dims)

    def counters(self) -> dict[Hashable, None]:
        return {key: None for part in self.parts for key in part.position.counters()}

    def substitute(self, values: Mapping[Any, Expr]) -> Coordinates:
        return self.map(lambda part: replace(part, position=part.position.substitute(values)))

    def map(self, change: Callable[[Coordinate], Coordinate]) -> Coordinates:
        return Coordinates(tuple(change(part) for part in self.parts))

    def unbounded(self) -> Coordinates:
        """The same addresses, all of them valid."""
        return Coordinates(tuple(part.unbounded for part in self.parts if part.stride))

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.parts))}]"


def strided(strides: Sequence[int], offset: Expr | int = 0) -> Coordinates:
    """One coordinate for each dimension that moves, and one for the offset where no other has it."""
    rest = Expr(offset) if isinstance(offset, int) else offset
    parts: list[Coordinate] = []
    for dim in sorted((d for d, stride in enumerate(strides) if stride), key=lambda d: (-abs(strides[d]), d)):
        stride = strides[dim]
        step, sign = abs(stride), 1 if stride > 0 else -1
        mine = Expr.of(0, ((term, c) for term, c in rest.terms if c % step == 0))
        mine = mine + rest.const // step * step
        rest = rest - mine
        position = Expr.of(mine.const // step, ((term, c // step) for term, c in mine.terms))
        parts.append(Coordinate(position + Expr.counter(Position(dim)) * sign, step))
    if rest != Expr(0) or not parts:
        parts.append(Coordinate(rest))
    return Coordinates(tuple(parts))


def guard(position: Expr, low: int | None = None, high: int | None = None) -> Coordinate:
    """Bounds that address nothing."""
    return Coordinate(position, 0, low, high)


@irdl_attr_definition
class AccessAttr(Data[Coordinates]):
    """The coordinates of a load, a store or a mask."""

    name = "tile.access"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Coordinates:
        parts = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_coordinate(parser))
        return Coordinates(tuple(parts))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(str(self.data))


def _parse_coordinate(parser: AttrParser) -> Coordinate:
    position, low, high, stride = parse_expr(parser, parse_counter), None, None, 1
    if parser.parse_optional_keyword("in"):
        low = _parse_end(parser)
        parser.parse_keyword("to")
        high = _parse_end(parser)
    if parser.parse_optional_keyword("by"):
        stride = parser.parse_integer(allow_boolean=False)
    return Coordinate(position, stride, low, high)


def _parse_end(parser: AttrParser) -> int | None:
    return None if parser.parse_optional_punctuation("*") else parser.parse_integer(allow_boolean=False)


def parse_counter(parser: AttrParser) -> Expr:
    start = parser.pos
    word = parser.parse_optional_identifier()
    if word is None or word[0] not in "dst" or not word[1:].isdigit():
        parser.raise_error("expected an integer, a position d<n>, a scalar s<n>, an element t<n>(…) or '('", start)
    number = int(word[1:])
    if word[0] == "d":
        return Expr.counter(Position(number))
    if word[0] == "s":
        return Expr.counter(Scalar(number))
    dims = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_dim(parser))
    return Expr.counter(Element(number, tuple(dims)))


def _parse_dim(parser: AttrParser) -> int | None:
    start = parser.pos
    word = parser.parse_optional_identifier()
    if word is None:
        if parser.parse_integer(allow_boolean=False) == 0:
            return None
    elif word[0] == "d" and word[1:].isdigit():
        return int(word[1:])
    parser.raise_error("an index tile is read at positions d<n>, or at 0", start, parser.pos)


def verify_coordinates(
    coordinates: Coordinates, shape: Sequence[int], scalars: int, indices: Iterable[Sequence[int]]
) -> None:
    """The rules that every access keeps: `shape` is the tile's, `indices` are the shapes of the index tiles. Raises
    VerifyException."""
    shapes = list(indices)
    used: set[Hashable] = set()
    for part in coordinates:
        if not part.stride and not part.is_bounded:
            raise VerifyException(f"'{part}' addresses nothing and has no bounds")
        if not part.position.fits() or not is_word(part.stride, part.low or 0, part.high or 0):
            raise VerifyException(f"the numbers of '{part}' are of 64 bits")
        for key in part.position.counters():
            used.add(key.number if isinstance(key, Element) else key)
            if isinstance(key, Position) and key.dim >= len(shape):
                raise VerifyException(f"{key} is beyond the {len(shape)} dimensions of the tile")
            if isinstance(key, Scalar) and key.number >= scalars:
                raise VerifyException(f"there are {scalars} index scalars, and no {key}")
            if isinstance(key, Element):
                _verify_element(key, shape, shapes)
    for number in range(scalars):
        if Scalar(number) not in used:
            raise VerifyException(f"the index scalar s{number} is not used")
    for number in range(len(shapes)):
        if number not in used:
            raise VerifyException(f"the index tile t{number} is not used")


def _verify_element(key: Element, shape: Sequence[int], shapes: Sequence[Sequence[int]]) -> None:
    if key.number >= len(shapes):
        raise VerifyException(f"there are {len(shapes)} index tiles, and no t{key.number}")
    named = [dim for dim in key.dims if dim is not None]
    if len(set(named)) < len(named):
        raise VerifyException(f"{key} goes along one dimension twice")
    sizes = tuple(1 if dim is None else shape[dim] if dim < len(shape) else -1 for dim in key.dims)
    if sizes != tuple(shapes[key.number]):
        raise VerifyException(f"{key} is read over {list(sizes)}, and t{key.number} is {list(shapes[key.number])}")


def _moves(expr: Expr) -> bool:
    """Whether an expression depends on the place in the tile."""
    return any(isinstance(key, Position | Element) for key in expr.counters())
