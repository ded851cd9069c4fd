"""The search for layouts on small random kernels: what it finds by differences is what whole totals say, so that it
chooses what a search that adds up everything would."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache

import pytest
from reference.builder import Kernel, Value
from xdsl.dialects.builtin import f32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.layout import Layout
from nki_mlir.passes import placement_search
from nki_mlir.passes.pipelines import pipeline
from nki_mlir.passes.placement import Placement
from nki_mlir.passes.placement_search import Choice, Moves, Search, change, gain, moves_to
from nki_mlir.targets import load

ROWS, COLUMNS = 160, 96
TARGET = load("trn1")


@cache
def convert(have: Layout, want: Layout, element: Attribute) -> float:
    return Prices(TARGET).convert(have, want, element)[0]


STEPS: tuple[Callable[[Kernel, Value, Value], Value], ...] = (
    lambda k, a, b: a + b,
    lambda k, a, b: a * a,
    lambda k, a, b: k.unary("exp", a),
    lambda k, a, b: a - b.reduce("sum", 1, keep=True),
    lambda k, a, b: a - b.reduce("max", 0, keep=True),
    lambda k, a, b: k.dot(k.dot(a, a.T), b),
    lambda k, a, b: k.unary("exp", a.T).T,
    lambda k, a, b: k.loop(0, 5, 1, [a, b], lambda i, x, y: [y * 2.0, x + y.reduce("max", 0, keep=True)])[0],
)


def search_of(seed: int) -> Search:
    """Of a kernel that loads two tiles and stores the last one that it makes of them, some of which have many users."""
    chance = random.Random(seed)
    k = Kernel((1,), [(f32, (ROWS, COLUMNS))] * 3)
    zero = k.index(0)
    made = [k.read(memory, zero, (COLUMNS, 1), (ROWS, COLUMNS)) for memory in k.args[:2]]
    for _ in range(chance.randint(2, 6)):
        made.append(chance.choice(STEPS)(k, chance.choice(made), made[-1]))
    k.write(made[-1], k.args[-1], zero, (COLUMNS, 1))
    module = pipeline("programs-to-loops")(k.module())
    return Placement(next(op for op in module.walk() if isinstance(op, FuncOp))).search


def femtoseconds(ns: float) -> int:
    return round(ns * 1e6)


def total(search: Search) -> int:
    """All prices, each found anew; what several want alike is converted once."""
    wanted = {
        (edge.source, want, tile.element_of(value))
        for choice in search.choices
        for (value, want), edge in zip(choice.form.wants, choice.edges[choice.number], strict=True)
    }
    own = sum(choice.times * femtoseconds(choice.form.price) for choice in search.choices)
    return own + sum(paid(*one) for one in wanted)


def paid(source: Choice, want: Layout, element: Attribute) -> int:
    """What a value that lies otherwise costs: a convert, or to be made of nothing again."""
    if source.form.result == want:
        return 0
    again = source.value is not None and not source.form.wants
    made = next((form.price for form in source.forms if form.result == want and again), math.inf)
    return source.times * femtoseconds(min(convert(source.form.result, want, element), made))


def difference(search: Search, moves: Moves) -> int:
    """What some changes save, by totals; all is as before then."""
    before, numbers = total(search), search.numbers
    for choice, number in moves.items():
        choice.number = number
    saved = before - total(search)
    search.restore(numbers)
    return saved


def any_moves(search: Search, chance: random.Random) -> Moves:
    """A change of one choice with those that come along, or of any few."""
    if chance.random() < 0.5:
        choice = chance.choice(search.choices)
        return moves_to(choice, chance.randrange(len(choice.forms)))
    few = chance.sample(search.choices, min(4, len(search.choices)))
    return {choice: chance.randrange(len(choice.forms)) for choice in few}


@pytest.mark.parametrize("seed", range(12))
def test_a_gain_is_the_difference_of_totals(seed: int) -> None:
    search, chance = search_of(seed), random.Random(seed)
    search.restore([chance.randrange(len(choice.forms)) for choice in search.choices])
    search.hold()
    for _ in range(40):
        moves = any_moves(search, chance)
        assert gain(moves) == difference(search, moves), f"seed {seed}"
        change(moves)
    held = [choice.held for choice in search.choices]
    search.hold()
    assert held == [choice.held for choice in search.choices], f"seed {seed}"
    assert search.total() == total(search), f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_totals_lead_to_the_same_choices(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    search = search_of(seed)
    found = search.numbers
    search.restore([0] * len(found))
    monkeypatch.setattr(placement_search, "gain", lambda moves: difference(search, moves))
    search.solve()
    assert search.numbers == found, f"seed {seed}"
