"""What the limits of views leave of instructions, and where that changes with the iterations."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.arith import MaxSIOp, MinSIOp
from xdsl.dialects.builtin import IndexType
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import chosen, constant, expr_of, is_known_early, range_of, trip_count
from nki_mlir.dialects.access import Access
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import EngineInstruction, ViewOp
from nki_mlir.errors import CompileError

MOST_COPIES = 4096
"""Of one instruction, for the iterations of one loop."""

Ranges = Mapping[SSAValue, tuple[int, int]]
"""The smallest and the largest value of some loop counters."""


@dataclass(frozen=True)
class Part:
    """Iterations `first` to below `end` of a loop, in which its counter has values `low` to `high`."""

    first: int
    end: int
    low: int
    high: int


def bounds_in(expr: Expr, ranges: Ranges) -> tuple[int, int]:
    """Smallest and largest value, over some ranges of counters."""
    return expr.bounds(lambda key: _range(key, ranges))


def _range(key: Hashable, ranges: Ranges) -> tuple[int, int]:
    if isinstance(key, SSAValue) and key in ranges:
        return ranges[key]
    if (extremum := _extremum(key)) is None:
        return range_of(key)
    pick = min if isinstance(extremum, MinSIOp) else max
    (a, b), (c, d) = (bounds_in(expr_of(side), ranges) for side in (extremum.lhs, extremum.rhs))
    return pick(a, c), pick(b, d)


def _extremum(key: Hashable) -> MinSIOp | MaxSIOp | None:
    return key.owner if isinstance(key, SSAValue) and isinstance(key.owner, MinSIOp | MaxSIOp) else None


def settled(expr: Expr, ranges: Ranges) -> Expr:
    """With the side that they are in place of minima and maxima, where that is one side over the ranges."""
    sides: dict[Hashable, Expr] = {}
    for key in expr.counters():
        if (extremum := _extremum(key)) is not None:
            left, right = settled(expr_of(extremum.lhs), ranges), settled(expr_of(extremum.rhs), ranges)
            side = chosen(extremum, left, right, lambda e: bounds_in(e, ranges))
            if side is not None:
                sides[key] = side
    return expr.substitute(sides) if sides else expr


def _counters(expr: Expr) -> set[Hashable]:
    """What it depends on, minima and maxima looked into."""
    found: set[Hashable] = set()
    for key in expr.counters():
        extremum = _extremum(key)
        found |= {key} if extremum is None else _counters(expr_of(extremum.lhs)) | _counters(expr_of(extremum.rhs))
    return found


def is_counted(value: SSAValue) -> bool:
    """Whether an index is computed from the counters of loops with constant bounds alone, minima and maxima of them
    too."""
    return isinstance(value.type, IndexType) and all(is_known_early(Expr.counter(k)) for k in _counters(expr_of(value)))


@dataclass(frozen=True)
class Varying:
    """What must be known of an instruction where it is issued: how much a limit leaves of a dimension of `size`, or, if
    that is None, an offset."""

    expr: Expr
    size: int | None
    counters: frozenset[Hashable]

    def within(self, ranges: Ranges) -> Expr | int | None:
        """None where it is not the same, or of one form, over the ranges."""
        found = settled(self.expr, ranges)
        if self.size is None:
            return None if any(_extremum(key) for key in found.counters()) else found
        low, high = (max(0, min(end, self.size)) for end in bounds_in(found, ranges))
        return low if low == high else None


def varying(op: EngineInstruction) -> tuple[Varying, ...]:
    """Of an instruction whose views have limits, these and the offsets of the views."""
    views = list(op.views().values())
    if not any(view.is_limited for view in views):
        return ()
    parts = [(value, view.access.counts[dim]) for view in views for dim, value in view.limited]
    parts += [(view.offset, None) for view in views if view.offset is not None]
    exprs = [(expr_of(value), size) for value, size in dict.fromkeys(parts)]
    return tuple(Varying(expr, size, frozenset(_counters(expr))) for expr, size in exprs)


State = tuple[Expr | int, ...]
States = tuple[State | None, ...]


def _state(instruction: Sequence[Varying], ranges: Ranges) -> State | None:
    """What is known of an instruction over the ranges; `(0,)` where nothing is left of it, None where it changes."""
    found = [(one, one.within(ranges)) for one in instruction]
    if any(one.size is not None and value == 0 for one, value in found):
        return (0,)
    values = tuple(value for _, value in found if value is not None)
    return values if len(values) == len(found) else None


def parts_of(loop: ForOp, instructions: Sequence[Sequence[Varying]], ranges: Ranges) -> list[Part]:
    """The iterations of a loop of constant bounds, cut where any of the instructions changes with its counter, or is
    not seen to stay the same. Where one changes with counters of inner loops as well, iterations stand alone. Raises
    CompileError for too many parts."""
    counter, trips, low, step = loop.body.block.args[0], trip_count(loop), constant(loop.lb), constant(loop.step)
    assert trips is not None and low is not None and step is not None
    moving = [tuple(one for one in found if counter in one.counters) for found in instructions]
    moving = list(dict.fromkeys(found for found in moving if found))
    if not moving or not trips:
        return [Part(0, trips, low, low + step * (trips - 1))] if trips else []

    def states(first: int, end: int) -> States:
        over = {**ranges, counter: (low + step * first, low + step * (end - 1))}
        return tuple(_state(instruction, over) for instruction in moving)

    todo, found = [(0, trips)], list[tuple[int, int, States]]()
    while todo:
        first, end = todo.pop()
        here = states(first, end)
        if None in here and end - first > 1:
            middle = (first + end) // 2
            todo += [(middle, end), (first, middle)]
            continue
        if found and None not in here and here == found[-1][2] == states(found[-1][0], end):
            first = found.pop()[0]
        found.append((first, end, here))
        if len(found) > MOST_COPIES:
            message = f"limits that change with the loop counters need more than {MOST_COPIES} copies of an instruction"
            raise CompileError.at(loop, message)
    return [Part(first, end, low + step * first, low + step * (end - 1)) for first, end, _ in found]


def left_of(op: EngineInstruction, ranges: Ranges) -> dict[str, tuple[Access, Expr]] | None:
    """What an instruction reaches, by the names of its operands: pattern and offset in elements; None where a limit
    leaves nothing. Raises CompileError where that changes over the ranges."""
    views = op.views()
    if not any(view.is_limited for view in views.values()):
        return {name: (view.access, _offset(view, ranges)) for name, view in views.items()}
    left = {name: {dim: _left(view, dim, value, ranges) for dim, value in view.limited} for name, view in views.items()}
    if any(0 in counts.values() for counts in left.values()):
        return None
    found: dict[str, tuple[Access, Expr]] = {}
    for name, view in views.items():
        counts = {dim: _known(count, view, dim) for dim, count in left[name].items()}
        access = _without_guards(view.access.limited(counts), view) if counts else view.access
        found[name] = access, _offset(view, ranges)
    return found


def offset_of(view: ViewOp) -> Expr:
    """Where a view begins, in elements."""
    offset = view.offset
    return Expr(0) if offset is None else expr_of(offset)


def _offset(view: ViewOp, ranges: Ranges) -> Expr:
    return settled(offset_of(view), ranges)


def _without_guards(access: Access, view: ViewOp) -> Access:
    """Without dimensions of one that are there to be limited: whether an instruction runs is known now."""
    ahead = int(access.on_chip)
    guards = {dim - ahead for dim, _ in view.limited if view.access.counts[dim] == 1}
    dims = tuple(dim for place, dim in enumerate(access.dims) if place not in guards)
    return replace(access, dims=dims or ((1, 1),))


def _left(view: ViewOp, dim: int, value: SSAValue, ranges: Ranges) -> int | None:
    """What a limit leaves of a dimension; None where that changes over the ranges."""
    size = view.access.counts[dim]
    low, high = (max(0, min(end, size)) for end in bounds_in(settled(expr_of(value), ranges), ranges))
    return low if low == high else None


def _known(count: int | None, view: ViewOp, dim: int) -> int:
    if count is None:
        raise CompileError.at(view, f"the limit of dimension {dim} depends on more than loops with constant bounds")
    return count


Boxes = list[tuple[tuple[range, ...], Ranges]]


def boxes_of(op: EngineInstruction, nest: Sequence[ForOp]) -> Boxes:
    """The iterations of a nest of loops of constant bounds, as boxes in which an instruction is the same; with each,
    the values that the counters have in it."""
    return _boxes(varying(op), nest)


def _boxes(instruction: tuple[Varying, ...], nest: Sequence[ForOp]) -> Boxes:
    boxes: Boxes = [((), {})]
    for loop in nest:
        counter = loop.body.block.args[0]
        boxes = [
            ((*spans, range(part.first, part.end)), {**ranges, counter: (part.low, part.high)})
            for spans, ranges in boxes
            for part in parts_of(loop, [instruction], ranges)
        ]
    return boxes


def values_of(
    op: Operation, limits: Sequence[tuple[Expr, int]], nest: Sequence[ForOp]
) -> Iterator[tuple[int, ...] | None]:
    """What expressions are in some iteration of a nest, each clamped to 0 to a number; None where one is 0. Raises
    CompileError where that is not known."""
    found = tuple(Varying(expr, size, frozenset(_counters(expr))) for expr, size in limits)
    for _, ranges in _boxes(found, nest):
        values = [one.within(ranges) for one in found]
        if 0 in values:
            yield None
            continue
        if None in values:
            raise CompileError.at(op, "what is valid of this tile is no expression of loop counters")
        yield tuple(value for value in values if isinstance(value, int))
