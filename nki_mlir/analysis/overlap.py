"""Whether two accesses of a program can touch the same byte, at a given distance in iterations.

An access touches `address + sum(step * index) + byte`; two of them meet where the difference of two such sums is zero
for some values in range. That is one linear equation over bounded integers, solved exactly by search with interval
bounds (few nodes for the nested strides of real tiles); when the search grows too long the answer is "perhaps".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from nki_mlir.analysis.program_order import Loop, Outer, Spans, range_of
from nki_mlir.dialects.access import Access
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod

MOST_NODES = 2000
MOST_PERIOD = 16


@dataclass(frozen=True)
class Variable:
    """`coefficient * x` with `low <= x <= high`."""

    coefficient: int
    low: int
    high: int


def solvable(constant: int, variables: Sequence[Variable]) -> bool:
    """Whether `constant + sum(coefficient * x) = 0` has a solution; True as well where that is too long to find out."""
    terms: list[tuple[int, int]] = []
    for v in variables:
        if v.low > v.high:
            return False
        constant += v.coefficient * v.low
        if v.coefficient and v.high > v.low:
            coefficient, span = v.coefficient, v.high - v.low
            if coefficient < 0:
                constant, coefficient = constant + coefficient * span, -coefficient
            terms.append((coefficient, span))
    terms = _merged(terms)
    spans = [0] * (len(terms) + 1)
    divisors = [0] * (len(terms) + 1)
    for i in range(len(terms) - 1, -1, -1):
        spans[i] = spans[i + 1] + terms[i][0] * terms[i][1]
        divisors[i] = math.gcd(divisors[i + 1], terms[i][0])
    nodes = 0

    def search(i: int, need: int) -> bool:
        """Whether the terms from `i` on can make `need`."""
        nonlocal nodes
        nodes += 1
        if nodes > MOST_NODES:
            return True
        if not 0 <= need <= spans[i]:
            return False
        if need == 0:
            return True
        if i == len(terms) or need % divisors[i]:
            return False
        coefficient, span = terms[i]
        low = max(0, -((spans[i + 1] - need) // coefficient))
        high = min(span, need // coefficient)
        return any(search(i + 1, need - coefficient * x) for x in range(high, low - 1, -1))

    return search(0, -constant)


def _merged(terms: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Terms, largest coefficients first, where multiples of a coefficient that it reaches are its own: with `x`
    up to 2047, `2048 * y + x` is any number up to the largest."""
    found: list[tuple[int, int]] = []
    for coefficient, span in sorted(terms):
        if found and coefficient % found[-1][0] == 0 and found[-1][1] >= (times := coefficient // found[-1][0]) - 1:
            found[-1] = found[-1][0], found[-1][1] + times * span
        else:
            found.append((coefficient, span))
    return found[::-1]


def strides_of_nest(loops: Sequence[Loop]) -> list[int]:
    """How much the iteration number, counted through a nest, rises with each counter."""
    weights, weight = [], 1
    for loop in reversed(loops):
        weights.append(weight)
        weight *= loop.trips
    return weights[::-1]


def differences(loops: Sequence[Loop], distance: int) -> Iterator[tuple[int, ...]]:
    """All differences of two counter vectors of a nest that are `distance` iterations apart."""
    if not loops:
        if distance == 0:
            yield ()
        return
    trips = loops[-1].trips
    for last in {distance % trips, distance % trips - trips}:
        if abs(last) < trips:
            for rest in differences(loops[:-1], (distance - last) // trips):
                yield (*rest, last)


@dataclass(frozen=True)
class Touch:
    """What an instruction reaches in iterations `spans` of its loops."""

    access: Access
    loops: tuple[Loop, ...] = ()
    spans: Spans = ()


def period(*accesses: Access) -> int:
    """After how many iterations slots come round again."""
    terms = (term for access in accesses for term, _ in _address(access).terms)
    return min(MOST_PERIOD, math.lcm(1, *(term.divisor for term in terms if isinstance(term, Mod))))


def moves(access: Access) -> bool:
    """Whether an access is farther on in each iteration of a loop."""
    return any(isinstance(term, Counter) for term, _ in _address(access).terms)


@dataclass(frozen=True)
class Question:
    """Can `later` touch bytes of `earlier`, the first `shared` loops of both being the same?"""

    earlier: Touch
    later: Touch
    shared: int

    @property
    def period(self) -> int:
        return period(self.earlier.access, self.later.access)

    def may_meet(self) -> bool:
        """A first look at the boxes over all iterations, and at those of a single one, which move by multiples of what
        divides all steps: parts of a slot that are apart are so in all slots."""
        a, b = self.earlier.access, self.later.access
        if a.on_chip and (a.start >= b.start + b.partitions or b.start >= a.start + a.partitions):
            return False
        (a_low, a_high), (b_low, b_high) = reach(a, self.earlier.spans), reach(b, self.later.spans)
        return a_low < b_high and b_low < a_high and not _are_apart(a, b)

    def meets_at(self, distance: int) -> bool:
        """At exactly `distance` iterations of the shared nest between them."""
        return any(self._meets(delta) for delta in differences(self.earlier.loops[: self.shared], distance))

    def first_of_later(self, most: int) -> int:
        """The first iteration of the later access's outermost own loop at which the two meet in one of the shared ones;
        the first one behind `most` where that is not among these."""
        depth, address = self.shared, _address(self.later.access)
        span = self.later.spans[depth]
        for at in span[:most]:
            access = replace(self.later.access, address=address.substitute({depth: Expr(at)}))
            if replace(self, later=replace(self.later, access=access)).meets_at(0):
                return at
        return span[:most].stop

    def last_of_earlier(self, most: int) -> tuple[int, ...]:
        """The last iteration of the earlier access's own loops at which the two meet in one of the shared ones; the
        last of a loop where that is not among its last `most`. Nothing where they never meet."""
        found, fixed = list[int](), dict[object, Expr]()
        for depth in range(self.shared, len(self.earlier.loops)):
            span = self.earlier.spans[depth]
            for at in reversed(span[-most:]):
                address = _address(self.earlier.access).substitute(fixed | {depth: Expr(at)})
                access = replace(self.earlier.access, address=address)
                if replace(self, earlier=replace(self.earlier, access=access)).meets_at(0):
                    break
            else:
                if len(span) <= most:
                    return ()
                at = span[-1]
            found.append(at)
            fixed[depth] = Expr(at)
        return tuple(found)

    def _meets(self, delta: tuple[int, ...]) -> bool:
        """With the later access's shared counters `delta` above the earlier one's."""
        ranges: dict[object, tuple[int, int]] = {}
        for k, d in enumerate(delta):
            a, b = self.earlier.spans[k], self.later.spans[k]
            ranges[k] = (max(b.start, a.start + d), min(b.stop, a.stop + d) - 1)
        if any(low > high for low, high in ranges.values()):
            return False
        moved = {k: Expr.counter(k) - d for k, d in enumerate(delta)}
        earlier = _rename(_address(self.earlier.access).substitute(moved), self.shared, "a")
        later = _rename(_address(self.later.access), self.shared, "b")
        return self._solve(later, earlier, ranges | self._inner(self.shared))

    def _inner(self, depth: int) -> dict[object, tuple[int, int]]:
        """The ranges of the counters that are each side's own, those from `depth` on."""
        sides = (("a", self.earlier.spans), ("b", self.later.spans))
        return {(side, k): (s.start, s.stop - 1) for side, of in sides for k, s in enumerate(of) if k >= depth}

    def meets_later(self) -> bool:
        """At any positive distance: some shared counter is larger, those outside it are equal."""
        for level in range(self.shared):
            ranges: dict[object, tuple[int, int]] = {}
            pairs = list(zip(self.earlier.spans, self.later.spans, strict=False))
            for k, (a, b) in enumerate(pairs[:level]):
                ranges[k] = (max(a.start, b.start), min(a.stop, b.stop) - 1)
            a, b = pairs[level]
            least, most = max(1, b.start - a.stop + 1), b.stop - 1 - a.start
            if most < least or any(low > high for low, high in ranges.values()):
                continue
            ranges[level], ranges["step"] = (a.start, min(a.stop, b.stop - 1) - 1), (least, most)
            earlier = _rename(_address(self.earlier.access), level + 1, "a")
            later = _rename(_address(self.later.access), level + 1, "b")
            later = later.substitute({level: Expr.counter(level) + Expr.counter("step")})
            if self._solve(later, earlier, ranges | self._inner(level + 1)):
                return True
        return False

    def _solve(self, later: Expr, earlier: Expr, ranges: Mapping[object, tuple[int, int]]) -> bool:
        box = [*_box(self.later.access, 1), *_box(self.earlier.access, -1)]
        return any(solvable(constant, [*linear, *box]) for constant, linear in _cases(later - earlier, ranges))


def _are_apart(a: Access, b: Access) -> bool:
    a_address, b_address = _address(a), _address(b)
    step = math.gcd(*(coefficient for expr in (a_address, b_address) for _, coefficient in expr.terms))
    (a_first, a_end), (b_first, b_end) = a.extent, b.extent
    least = b_address.const + b_first - (a_address.const + a_end - 1)
    most = b_address.const + b_end - 1 - (a_address.const + a_first)
    return step > 0 and -(-least // step) * step > most


def _address(access: Access) -> Expr:
    assert access.address is not None
    return access.address


def reach(access: Access, spans: Spans) -> tuple[int, int]:
    """The first byte that an access may touch in some iterations, and one past the last."""
    low, high = _address(access).bounds(lambda key: range_of(key, spans))
    first, end = access.extent
    return low + first, high + end


def _rename(expr: Expr, shared: int, side: str) -> Expr:
    """Counters of loops that are not shared get names of their own."""
    return expr.substitute({k: Expr.counter((side, k)) for k in expr.counters() if isinstance(k, int) and k >= shared})


def _box(access: Access, sign: int) -> list[Variable]:
    size = access.itemsize
    dims = [Variable(sign * step * size, 0, count - 1) for step, count in access.dims]
    return [*dims, Variable(sign, 0, size - 1)]


def _range(key: object, ranges: Mapping[object, tuple[int, int]]) -> tuple[int, int]:
    return (0, key.trips - 1) if isinstance(key, Outer) else ranges[key]


def constants(expr: Expr) -> set[int] | None:
    """What a sum of remainders can be; None for other expressions."""
    if not all(isinstance(term, Mod) for term, _ in expr.terms):
        return None
    return {constant for constant, _ in _cases(expr, {})}


def _cases(expr: Expr, ranges: Mapping[object, tuple[int, int]]) -> Iterator[tuple[int, list[Variable]]]:
    """The expression as a constant and linear terms, once for each residue that its remainders can have together.

    Remainders of expressions that differ by a constant move together; others count as independent. A counter of few
    values that is in a remainder and beside it has one after the other.
    """
    beside = {term.key: None for term, _ in expr.terms if isinstance(term, Counter)}
    inside = {key for term, _ in expr.terms if isinstance(term, Mod) for key in term.value.counters()}
    for key in beside:
        low, high = _range(key, ranges) if key in inside else (0, MOST_PERIOD)
        if high - low < MOST_PERIOD:
            for value in range(low, high + 1):
                yield from _cases(expr.substitute({key: Expr(value)}), ranges)
            return
    linear: list[Variable] = []
    groups: dict[tuple[Expr, int], list[tuple[int, int]]] = {}
    for term, coefficient in expr.terms:
        match term:
            case Counter(key):
                linear.append(Variable(coefficient, *_range(key, ranges)))
            case Mod(value, divisor):
                base = value - value.const
                groups.setdefault((base, divisor), []).append((value.const, coefficient))
            case FloorDiv(value, divisor):
                low, high = value.bounds(lambda key: _range(key, ranges))
                linear.append(Variable(coefficient, low // divisor, high // divisor))
            case _:
                linear.append(Variable(coefficient, -(2**40), 2**40))
    if not groups:
        yield expr.const, linear
        return
    for residues in product(*(range(divisor) for _, divisor in groups)):
        constant = expr.const
        for ((_, divisor), parts), residue in zip(groups.items(), residues, strict=True):
            constant += sum(coefficient * ((residue + shift) % divisor) for shift, coefficient in parts)
        yield constant, linear
