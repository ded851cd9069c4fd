"""Looks for the cheapest forms of the operations of a function, converts between them included.

From each of a few beginnings the operations choose in program order, and the outcome is improved one operation at a
time; the best one is taken.

Prices are whole femtoseconds: sums are exact, whatever their order, and so are differences of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from xdsl.ir import Attribute, SSAValue

from nki_mlir.dialects import tile
from nki_mlir.dialects.layout import Layout

_SWEEPS = 4
"""How often every operation may change its mind."""
_MOST_MOVES = 16
"""Operations that change their forms together."""
_FEMTOSECONDS = 1e6
"""In a nanosecond."""
_LEAST_GAIN = 1000
"""What is worth a change is more, in femtoseconds; less is rounding."""

Convert = Callable[[Layout, Layout, Attribute], float]
"""What it costs, in ns, to move a value of an element type from one layout to another."""


@dataclass(frozen=True)
class Form:
    """A way to compute something: the layout of what comes out, those that it asks of its operands, its price in ns."""

    result: Layout
    wants: tuple[tuple[SSAValue, Layout], ...]
    price: float


@dataclass(eq=False)
class Choice:
    """An operation, or a variable that a loop carries, in one of several forms. It is computed `times` times. One that
    `follows` may change its form together with what uses it.

    `number` is that of its form. By the number of a form, `edges` are what it asks of its operands, and `held` is its
    price together with that of the converts that its users, as they are, need."""

    value: SSAValue | None
    forms: list[Form]
    times: int
    follows: bool = False
    number: int = 0
    edges: list[list[Edge]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)

    @property
    def form(self) -> Form:
        return self.forms[self.number]

    def own(self, number: int) -> int:
        """The price of a form in all iterations, without converts."""
        return self.times * _femtoseconds(self.forms[number].price)


class Edge:
    """That what `source` makes is wanted in a layout: the price in all iterations, by the number of the form of
    `source`; found when it is asked for. It is paid once, however many want it so, which are `users`. `along` is the
    number of the form that the source, if it follows, then takes."""

    def __init__(self, source: Choice, want: Layout, element: Attribute, convert: Convert):
        self.source, self._want, self._element, self._convert = source, want, element, convert
        self.users = 0
        self._prices: dict[int, int] = {}
        self.fits = frozenset(n for n, form in enumerate(source.forms) if form.result == want)
        follows = source.follows and self.fits
        self.along = min(sorted(self.fits), key=lambda n: source.forms[n].price) if follows else None

    def price(self, number: int) -> int:
        found = self._prices.get(number)
        if found is None:
            found = self._prices[number] = 0 if number in self.fits else self._price(self.source.forms[number])
        return found

    @cached_property
    def prices(self) -> list[int]:
        """By the number of each form."""
        return [self.price(number) for number in range(len(self.source.forms))]

    def _price(self, form: Form) -> int:
        """That of a convert, or of making again what is made of nothing."""
        remade = math.inf
        if not form.wants and self.source.value is not None:
            remade = next((self.source.forms[n].price for n in sorted(self.fits)), math.inf)
        return self.source.times * _femtoseconds(min(self._convert(form.result, self._want, self._element), remade))


Moves = Mapping[Choice, int]
"""The numbers of the forms that some choices change to together."""


class Search:
    """Chooses a form for each of `choices`, which are in program order; `made` has those that make the operands."""

    def __init__(self, choices: Sequence[Choice], made: Mapping[SSAValue, Choice], convert: Convert):
        self.choices = choices
        edges: dict[tuple[Choice, Layout, Attribute], Edge] = {}

        def edge(value: SSAValue, want: Layout) -> Edge:
            key = made[value], want, tile.element_of(value)
            if key not in edges:
                edges[key] = Edge(*key, convert)
            return edges[key]

        for choice in choices:
            choice.edges = [[edge(value, want) for value, want in form.wants] for form in choice.forms]

    def solve(self) -> None:
        """Leaves all choices as they are best. Beginnings that come to the same are improved once."""
        known: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
        for prefers in _BEGINNINGS:
            for choice in self.choices:
                self._begin(choice, prefers)
            begun = self.numbers
            if begun not in known:
                self._improve()
                known[begun] = self.total(), self.numbers
            self.restore(known[begun][1])
        self.restore(min(known.values(), key=lambda found: found[0])[1])

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the forms of all choices."""
        return tuple(choice.number for choice in self.choices)

    def restore(self, numbers: Sequence[int]) -> None:
        for choice, number in zip(self.choices, numbers, strict=True):
            choice.number = number

    def total(self) -> int:
        """What all costs, converts included."""
        wanted = {edge for choice in self.choices for edge in choice.edges[choice.number]}
        return sum(c.own(c.number) for c in self.choices) + sum(edge.price(edge.source.number) for edge in wanted)

    def _begin(self, choice: Choice, prefers: Callable[[Layout], bool]) -> None:
        """The form that suits the operands best; of loads, one that is preferred. Where these are to be dealt out, so
        is what suits as well as others: a group of it can be taken by itself."""
        numbers = range(len(choice.forms))
        if any(choice.edges):
            deals = prefers is _is_dealt_out
            choice.number = min(numbers, key=lambda n: (_price(choice, n), deals and _has_runs(choice.forms[n].result)))
        else:
            liked = [n for n in numbers if prefers(choice.forms[n].result)]
            choice.number = min(liked or numbers, key=lambda n: choice.forms[n].price)

    def _improve(self) -> None:
        self.hold()
        for _ in range(_SWEEPS):
            changed = False
            for choice in self.choices:
                best, least = None, _LEAST_GAIN
                for moves in _ways(choice):
                    if (saved := gain(moves)) > least:
                        best, least = moves, saved
                if best is not None:
                    change(best)
                    changed = True
            if not changed:
                return

    def hold(self) -> None:
        """Finds what the users of every choice pay, as all choices are."""
        for choice in self.choices:
            choice.held = [choice.own(n) for n in range(len(choice.forms))]
            for edges in choice.edges:
                for edge in edges:
                    edge.users = 0
        for choice in self.choices:
            _pay(choice, 1)


def gain(moves: Moves) -> int:
    """What some changes of form save, converts included: first that of each for users that stay as they are, then the
    converts that nobody needs any more, less those that nobody needed, of operands that have changed by then."""
    saved, more = 0, dict[Edge, int]()
    get = more.get
    for choice, number in moves.items():
        held, edges = choice.held, choice.edges
        saved += held[choice.number] - held[number]
        for edge in edges[choice.number]:
            more[edge] = get(edge, 0) - 1
        for edge in edges[number]:
            more[edge] = get(edge, 0) + 1
    for edge, users in more.items():
        before = edge.users
        if users and not (before and before + users):
            price = edge.price(moves.get(edge.source, edge.source.number))
            saved += price if before else -price
    return saved


def change(moves: Moves) -> None:
    """Changes forms, and what others hold with them."""
    for choice, number in moves.items():
        _pay(choice, -1)
        choice.number = number
        _pay(choice, 1)


def _ways(choice: Choice) -> Iterator[Moves]:
    """Each other form, alone and with what can come along."""
    for number in range(len(choice.forms)):
        if number != choice.number:
            yield {choice: number}
            moves = moves_to(choice, number)
            if len(moves) > 1:
                yield moves


def moves_to(choice: Choice, number: int) -> Moves:
    """A form for a choice, and for those that it can take along: what makes its operands, and what makes theirs, as
    they are then wanted, and were not before."""
    moves, todo = {choice: number}, [choice]
    while todo and len(moves) < _MOST_MOVES:
        user = todo.pop()
        for edge in user.edges[moves[user]]:
            source, along = edge.source, edge.along
            if along is None or source.number in edge.fits or source in moves:
                continue
            if edge not in user.edges[user.number]:
                moves[source] = along
                todo.append(source)
    return moves


def _pay(choice: Choice, sign: int) -> None:
    """Adds the converts that only a choice needs of its operands, whatever form they have, to what those hold, or takes
    them away."""
    for edge in choice.edges[choice.number]:
        before, edge.users = edge.users, edge.users + sign
        if not (before and edge.users):
            held = edge.source.held
            for number, price in enumerate(edge.prices):
                held[number] += sign * price


def _price(choice: Choice, number: int) -> int:
    return choice.own(number) + sum(edge.price(edge.source.number) for edge in choice.edges[number])


def _femtoseconds(ns: float) -> int:
    return round(ns * _FEMTOSECONDS)


def _is_dealt_out(layout: Layout) -> bool:
    return any(f.dim == 0 and f.step == 1 for f in layout.partition)


def _has_runs(layout: Layout) -> bool:
    """Whether neighbours lie on one partition."""
    return any(f.step > 1 for f in layout.partition)


_BEGINNINGS: tuple[Callable[[Layout], bool], ...] = (
    lambda layout: any(f.dim == 0 for f in layout.partition),
    lambda layout: any(f.dim == len(layout.shape) - 1 for f in layout.partition),
    _is_dealt_out,
    lambda layout: not layout.partition,
)
"""What loads prefer at first: their first dimension on the partitions, their last, the first one dealt out (which
blocks and products take), or none."""
