"""Integer expressions that are affine in loop counters, with floordiv and mod by constants: what an address, a
semaphore number or a wait threshold may be. Plain data, independent of any operation.

A counter is named by any hashable key: a nesting depth in `neuron.isa` (printed `i0` for the outermost repeat), a
position in a tile (`coordinates.py`), an SSA value while passes reason about loops. Registers (`r0` …) appear where an
address is known only at run time.

Nobody changes an expression or a term: they are not frozen because a compilation makes tens of thousands, and a frozen
one takes several times as long to make.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdsl.parser import AttrParser


@dataclass(slots=True, unsafe_hash=True)
class Counter:
    """The current iteration, from 0, of one enclosing repeat."""

    key: Hashable


@dataclass(slots=True, unsafe_hash=True)
class Register:
    """A register of the executing sequencer."""

    number: int


@dataclass(slots=True, unsafe_hash=True)
class Mod:
    """The non-negative remainder."""

    value: Expr
    divisor: int


@dataclass(slots=True, unsafe_hash=True)
class FloorDiv:
    """The quotient rounded towards minus infinity."""

    value: Expr
    divisor: int


Term = Counter | Register | Mod | FloorDiv


@dataclass(slots=True, unsafe_hash=True)
class Expr:
    """`const + sum(coefficient * term)`; terms are distinct, coefficients not zero."""

    const: int = 0
    terms: tuple[tuple[Term, int], ...] = ()

    @staticmethod
    def of(const: int, terms: Iterable[tuple[Term, int]] = ()) -> Expr:
        total: dict[Term, int] = {}
        for term, coefficient in terms:
            total[term] = total.get(term, 0) + coefficient
        return Expr(const, tuple((t, c) for t, c in total.items() if c))

    @staticmethod
    def counter(key: Hashable) -> Expr:
        return Expr(0, ((Counter(key), 1),))

    @staticmethod
    def register(number: int) -> Expr:
        return Expr(0, ((Register(number), 1),))

    @property
    def is_const(self) -> bool:
        return not self.terms

    def fits(self) -> bool:
        """Whether every number in it is of 64 bits."""
        return self.const in WORDS and all(c in WORDS and _term_fits(t) for t, c in self.terms)

    def coefficient(self, key: Hashable) -> int:
        return next((c for t, c in self.terms if t == Counter(key)), 0)

    def __add__(self, other: Expr | int) -> Expr:
        if isinstance(other, int):
            return Expr(self.const + other, self.terms)
        if not (self.terms and other.terms):
            return Expr(self.const + other.const, self.terms or other.terms)
        return Expr.of(self.const + other.const, (*self.terms, *other.terms))

    def __sub__(self, other: Expr | int) -> Expr:
        if isinstance(other, int):
            return Expr(self.const - other, self.terms)
        if not other.terms:
            return Expr(self.const - other.const, self.terms)
        return self + other * -1

    def __mul__(self, factor: int) -> Expr:
        if factor == 1:
            return self
        if not (self.terms and factor):
            return Expr(self.const * factor)
        return Expr(self.const * factor, tuple([(t, c * factor) for t, c in self.terms]))

    def mod(self, divisor: int) -> Expr:
        """The remainder; parts that the divisor divides drop out."""
        rest = Expr(self.const % divisor, tuple([(t, c % divisor) for t, c in self.terms if c % divisor]))
        if rest.is_const:
            return rest
        return Expr(0, ((Mod(rest, divisor), 1),))

    def floordiv(self, divisor: int) -> Expr:
        """The quotient; parts that the divisor divides come out of it."""
        if divisor == 1:
            return self
        whole = Expr(self.const // divisor, tuple([(t, c // divisor) for t, c in self.terms if c % divisor == 0]))
        rest = Expr(self.const % divisor, tuple([(t, c) for t, c in self.terms if c % divisor]))
        if rest.is_const:
            return whole
        return whole + Expr(0, ((FloorDiv(rest, divisor), 1),))

    def substitute(self, values: Mapping[Any, Expr]) -> Expr:
        """Every counter whose key is in `values` replaced."""
        if not (self.terms and values):
            return self
        result = Expr(self.const)
        for term, coefficient in self.terms:
            match term:
                case Counter(key):
                    part = values.get(key, Expr(0, ((term, 1),)))
                case Register():
                    part = Expr(0, ((term, 1),))
                case Mod(value, divisor):
                    part = value.substitute(values).mod(divisor)
                case FloorDiv(value, divisor):
                    part = value.substitute(values).floordiv(divisor)
            result = result + part * coefficient
        return result

    def counters(self) -> dict[Hashable, None]:
        """The keys of all counters, in the order in which they are written."""
        found: dict[Hashable, None] = {}
        for term, _ in self.terms:
            match term:
                case Counter(key):
                    found[key] = None
                case Mod(value, _) | FloorDiv(value, _):
                    found |= value.counters()
                case Register():
                    pass
        return found

    def registers(self) -> set[int]:
        found: set[int] = set()
        for term, _ in self.terms:
            match term:
                case Register(number):
                    found.add(number)
                case Mod(value, _) | FloorDiv(value, _):
                    found |= value.registers()
                case Counter():
                    pass
        return found

    def bounds(self, ranges: Callable[[Hashable], tuple[int, int]]) -> tuple[int, int]:
        """Smallest and largest value, given the inclusive range of each counter. Exact for affine expressions over
        independent counters; a remainder counts as 0..divisor-1 where its operand may wrap."""
        low = high = self.const
        for term, coefficient in self.terms:
            match term:
                case Counter(key):
                    a, b = ranges(key)
                case Register(number):
                    a, b = ranges(Register(number))
                case Mod(value, divisor):
                    a, b = value.bounds(ranges)
                    if a // divisor != b // divisor:
                        a, b = 0, divisor - 1
                    else:
                        a, b = a % divisor, b % divisor
                case FloorDiv(value, divisor):
                    a, b = value.bounds(ranges)
                    a, b = a // divisor, b // divisor
            low += min(a * coefficient, b * coefficient)
            high += max(a * coefficient, b * coefficient)
        return low, high

    def python(self, counter: str = "c", register: str = "r") -> str:
        """Python source of the value, counters being items of the list named `counter`, by key."""
        parts = [str(self.const)] if self.const or not self.terms else []
        for term, coefficient in self.terms:
            match term:
                case Counter(key):
                    text = f"{counter}[{key}]"
                case Register(number):
                    text = f"{register}[{number}]"
                case Mod(value, divisor):
                    text = f"({value.python(counter, register)})%{divisor}"
                case FloorDiv(value, divisor):
                    text = f"({value.python(counter, register)})//{divisor}"
            parts.append(f"({text})" if coefficient == 1 else f"{coefficient}*({text})")
        return "+".join(parts)

    def __str__(self) -> str:
        parts = [str(self.const)] if self.const or not self.terms else []
        for term, coefficient in self.terms:
            match term:
                case Counter(key):
                    text = f"i{key}" if isinstance(key, int) else str(key)
                case Register(number):
                    text = f"r{number}"
                case Mod(value, divisor):
                    text = f"({value}) mod {divisor}"
                case FloorDiv(value, divisor):
                    text = f"({value}) floordiv {divisor}"
            if coefficient != 1:
                text = f"{coefficient} * ({text})" if isinstance(term, Mod | FloorDiv) else f"{coefficient} * {text}"
            parts.append(text)
        return " + ".join(parts)


WORDS = range(-(2**63), 2**63)
"""The integers of 64 bits."""


def is_word(*numbers: int) -> bool:
    """Whether all of them are signed integers of 64 bits."""
    return all(number in WORDS for number in numbers)


def _term_fits(term: Term) -> bool:
    match term:
        case Mod(value, divisor) | FloorDiv(value, divisor):
            return divisor in WORDS and value.fits()
        case _:
            return True


def parse_expr(parser: AttrParser, parse_counter: Callable[[AttrParser], Expr] | None = None) -> Expr:
    """Reads the text that `str(Expr)` writes; `*`, `mod` and `floordiv` take a constant on the right or left.
    `parse_counter` reads what stands for a counter where that is not `i0` or `r0`."""
    return _Reader(parser, parse_counter or _parse_counter).sum()


@dataclass(frozen=True)
class _Reader:
    parser: AttrParser
    parse_counter: Callable[[AttrParser], Expr]

    def sum(self) -> Expr:
        result = self.product()
        while True:
            if self.parser.parse_optional_punctuation("+"):
                result = result + self.product()
            elif self.parser.parse_optional_punctuation("-"):
                result = result - self.product()
            else:
                return result

    def product(self) -> Expr:
        parser = self.parser
        result = self.factor()
        while True:
            if parser.parse_optional_punctuation("*"):
                right = self.factor()
                if not (result.is_const or right.is_const):
                    parser.raise_error("one side of '*' must be a constant")
                result = right * result.const if result.is_const else result * right.const
            elif (word := parser.parse_optional_keyword_in(("mod", "floordiv"))) is not None:
                divisor = parser.parse_integer(allow_boolean=False, allow_negative=False)
                if divisor == 0:
                    parser.raise_error(f"'{word}' by zero")
                result = result.mod(divisor) if word == "mod" else result.floordiv(divisor)
            else:
                return result

    def factor(self) -> Expr:
        if self.parser.parse_optional_punctuation("("):
            inner = self.sum()
            self.parser.parse_punctuation(")")
            return inner
        if (number := self.parser.parse_optional_integer(allow_boolean=False)) is not None:
            return Expr(number)
        return self.parse_counter(self.parser)


def _parse_counter(parser: AttrParser) -> Expr:
    position = parser.pos
    word = parser.parse_optional_identifier()
    if word is None or word[0] not in "ir" or not word[1:].isdigit():
        parser.raise_error("expected an integer, a counter i<n>, a register r<n> or '('", position)
    key = int(word[1:])
    return Expr.counter(key) if word[0] == "i" else Expr.register(key)
