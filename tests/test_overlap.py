"""Whether accesses meet, against all values that their counters take."""

from __future__ import annotations

import random
from itertools import product

import pytest
from xdsl.dialects.builtin import f32

from nki_mlir.analysis.overlap import Question, Touch, Variable, solvable
from nki_mlir.analysis.program_order import Loop
from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.dtypes import u8
from nki_mlir.dialects.expr import Counter, Expr, Mod


@pytest.mark.parametrize("seed", range(40))
def test_sums_that_are_zero(seed: int) -> None:
    """Multiples of one another, equal ones, of either sign: what a search would do in as many ways as there are."""
    r = random.Random(seed)
    for _ in range(40):
        coefficients = [r.choice((1, 2, 3, 4, 6, 8, 12, 64)) * r.choice((1, -1)) for _ in range(r.randrange(1, 6))]
        lows = [r.randrange(-4, 5) for _ in coefficients]
        variables = [Variable(c, low, low + r.randrange(4)) for c, low in zip(coefficients, lows, strict=True)]
        constant = r.randrange(-40, 41)
        sums = {
            constant + sum(v.coefficient * x for v, x in zip(variables, values, strict=True))
            for values in product(*(range(v.low, v.high + 1) for v in variables))
        }
        assert solvable(constant, variables) == (0 in sums), (constant, variables)


def test_many_sizes_of_blocks() -> None:
    """Rows and columns of blocks of a matrix, of two programs: no search over all of their values."""
    sizes = ((2048 * 128, 15), (2048, 127), (128, 15), (1, 127))
    apart = [Variable(sign * step, 0, most) for step, most in sizes for sign in (1, -1) if step != 128]
    assert not solvable(0, [*apart, Variable(128, 1, 15)])
    assert solvable(0, [*apart, Variable(127, 1, 15)])


def bytes_of(access: Access, counters: tuple[int, ...]) -> set[int]:
    assert access.address is not None
    now: dict[object, tuple[int, int]] = {number: (value, value) for number, value in enumerate(counters)}
    start, _ = access.address.bounds(lambda key: now[key])
    places = product(*(range(count) for _, count in access.dims))
    starts = (start + 4 * sum(step * n for (step, _), n in zip(access.dims, place, strict=True)) for place in places)
    return {byte for first in starts for byte in range(first, first + 4)}


def access(r: random.Random) -> Access:
    """Part of a slot of a buffer, of which slots come round again, at a stride that may be smaller than the part."""
    dims = tuple((r.choice((1, 2, 5)), r.randrange(1, 4)) for _ in range(r.randrange(1, 3)))
    turns = Mod(Expr.of(r.randrange(3), ((Counter(0), 1),)), r.choice((2, 3)))
    terms = [(turns, r.choice((8, 32, 64))), (Counter(1), r.choice((16, 48))), (Counter(0), r.choice((8, 32, 64)))]
    return Access(Space.SBUF, f32, dims, 0, 1, Expr.of(4 * r.randrange(12), r.sample(terms, r.randrange(4))))


def asked(earlier: Access, later: Access, loops: tuple[Loop, ...], *spans: tuple[range, ...]) -> Question:
    """Of two accesses in the same loops, in all iterations if not in `spans`, those of the earlier one first."""
    first, second = spans or [tuple(range(loop.trips) for loop in loops)] * 2
    return Question(Touch(earlier, loops, first), Touch(later, loops, second), len(loops))


def part(r: random.Random, trips: int) -> range:
    """All of the iterations of a loop, or some that follow one another."""
    start = r.randrange(trips) if r.random() < 0.5 else 0
    return range(start, r.randrange(start, trips) + 1 if start else trips)


@pytest.mark.parametrize("seed", range(40))
def test_slots_of_buffers(seed: int) -> None:
    r = random.Random(seed)
    loops = (Loop(0, 4), Loop(1, 3))
    counters = list(product(range(4), range(3)))
    for _ in range(10):
        question = asked(access(r), access(r), loops, *[tuple(part(r, loop.trips) for loop in loops) for _ in "ab"])
        earlier, later = (
            [bytes_of(touch.access, c) if c in product(*touch.spans) else set() for c in counters]
            for touch in (question.earlier, question.later)
        )
        meeting = [not bytes_.isdisjoint(other) for bytes_ in earlier for other in later]
        assert question.may_meet() or not any(meeting)
        for distance in range(3):
            pairs = zip(earlier, later[distance:], strict=False)
            assert question.meets_at(distance) >= any(not one.isdisjoint(other) for one, other in pairs)


def test_parts_of_a_slot_are_apart_in_all_slots() -> None:
    loops = (Loop(0, 4),)
    slot = Mod(Expr.counter(0), 3)
    one, other = (Access(Space.SBUF, f32, ((1, 8),), 0, 1, Expr.of(first, ((slot, 64),))) for first in (0, 32))
    assert not asked(one, other, loops).may_meet()
    wide = Access(Space.SBUF, f32, ((1, 9),), 0, 1, Expr.of(0, ((slot, 64),)))
    assert asked(wide, other, loops).may_meet()


def test_a_counter_of_two_iterations_is_the_slot_itself() -> None:
    loops, slot = (Loop(0, 2),), Expr.counter(0)
    this, next_ = (Access(Space.SBUF, f32, ((1, 16),), 0, 1, number * 64) for number in (slot, (slot + 1).mod(2)))
    assert not asked(this, next_, loops).meets_at(0)
    assert asked(this, next_, loops).meets_at(1)


@pytest.mark.parametrize(("first", "meets"), [(32, True), (33, False)])
def test_the_last_byte_of_a_part(first: int, meets: bool) -> None:
    loops = (Loop(0, 4),)
    slot = Mod(Expr.counter(0), 3)
    one, other = (
        Access(Space.SBUF, u8, ((1, count),), 0, 1, Expr.of(start, ((slot, 64),)))
        for start, count in ((first, 8), (0, 33))
    )
    assert asked(one, other, loops).may_meet() == meets
