"""The parts of a tile that instructions work on in all or in some iterations, where what is valid changes: limits on
dimensions, or, where that is not enough, instructions for each range that a dimension has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

from xdsl.dialects.arith import FloorDivSIOp, MaxSIOp, MuliOp, SubiOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import bounds
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Layout, LayoutError, Spot
from nki_mlir.dialects.walks import Digit, Walk
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Fill, Selector, number_for
from nki_mlir.passes.storage import Storage, rectangles
from nki_mlir.passes.valid import Range, Valid, greatest, least

MOST_WAYS = 64
"""How many ranges of one dimension have instructions of their own."""


@dataclass(frozen=True)
class Part:
    """The places from `begins` to below `ends`, of which limits leave fewer values of some digits; in those iterations
    only in which `guard`, if there is one, is above 0."""

    begins: tuple[int, ...] | None
    ends: tuple[int, ...]
    limits: Mapping[Digit, SSAValue] = field(default_factory=dict)
    guard: SSAValue | None = None


def parts_with(
    op: Operation,
    sizes: Sequence[int],
    valid: Valid | None,
    spots: Sequence[Spot],
    cut: Callable[[Part], list[Walk]],
    emit: Emitter,
) -> list[tuple[Part, Walk]]:
    """The walks over what is valid of a tile, by `cut`, each with its part: by limits of digits where all walks have
    these, else for each range. Raises CompileError for too many of them."""
    if valid is None:
        parts = [Part(None, tuple(sizes))]
    elif (box := valid.fixed) is not None:
        parts = [_part(box, {}, None)] if all(low < high for low, high in box) else []
    else:
        try:
            return [(part, walk) for part in _parts(op, valid, spots, emit) for walk in cut(part)]
        except LayoutError:
            parts = list(_parts(op, valid, None, emit))
    return [(part, walk) for part in parts for walk in cut(part)]


def _part(box: Sequence[tuple[int, int]], limits: Mapping[Digit, SSAValue], guard: SSAValue | None) -> Part:
    begins = tuple(low for low, _ in box)
    return Part(begins if any(begins) else None, tuple(high for _, high in box), limits, guard)


@dataclass(frozen=True)
class _Piece:
    """Places of one dimension: some values of the digit of step `unit`, if that is not 0, in all iterations; or all in
    those in which the expressions are above 0."""

    low: int
    high: int
    unit: int = 0
    above: tuple[Expr, ...] = ()


def _parts(op: Operation, valid: Valid, spots: Sequence[Spot] | None, emit: Emitter) -> Iterator[Part]:
    """With limits where the digits of the tile are given."""
    dims = [_pieces_of(op, valid, dim, _slowest(spots, dim)) for dim in range(valid.rank)]
    whether = [e for one in valid.ranges[valid.rank :] for e in (one.end, Expr(1) - one.begin) if not e.is_const]
    for pieces in product(*dims):
        limits = {
            (dim, piece.unit): _divided(valid.ranges[dim].end, piece.unit, emit)
            for dim, piece in enumerate(pieces)
            if piece.unit
        }
        above = [*whether, *(expr for piece in pieces for expr in piece.above)]
        yield _part([(p.low, p.high) for p in pieces], limits, least(above, emit) if above else None)


def _slowest(spots: Sequence[Spot] | None, dim: int) -> int:
    """The step of a dimension's slowest digit; 0 for none."""
    return 0 if spots is None else max((spot.step for spot in spots if spot.dim == dim and spot.size > 1), default=1)


def _divided(end: Expr, unit: int, emit: Emitter) -> SSAValue:
    value = emit.expr(end)
    return value if unit == 1 else emit.value(FloorDivSIOp(value, emit.index(unit)))


def _pieces_of(op: Operation, valid: Valid, dim: int, unit: int) -> list[_Piece]:
    one, ranges = valid.ranges[dim], valid.values(dim)
    if valid.is_fixed(dim):
        return [_Piece(*ranges[0])]
    if not unit or any(low for low, _ in ranges) or not one.begin.is_const:
        return list(_each(op, one, ranges))
    whole = max(high // unit for _, high in ranges) * unit
    rest = [(high // unit * unit, high) for _, high in ranges if high % unit]
    return [*([_Piece(0, whole, unit)] if whole else []), *_each(op, replace(one, begin=Expr(0)), rest)]


def _each(op: Operation, one: Range, ranges: list[tuple[int, int]]) -> Iterator[_Piece]:
    """A piece for each range, in those iterations in which the dimension has it."""
    if len(ranges) > MOST_WAYS:
        raise CompileError.at(
            op, f"what is valid of this tile is {len(ranges)} different ranges; at most {MOST_WAYS} have instructions"
        )
    for range_ in ranges:
        yield _Piece(*range_, 0, tuple(one.is_at(range_)))


def fill_rest(s: Selector, storage: Storage, valid: Valid, fill: Fill, emit: Emitter) -> None:
    """Fills what a load leaves: the ends of one free dimension in iterations in which only that is short, in others in
    which anything is, the whole tile (an instruction can't start on just any partition)."""
    short = [dim for dim in range(len(valid.ranges)) if not valid.is_full(dim)]
    ends = [dim for dim in short if dim < valid.rank and _is_free(storage.type.layout, dim)]
    others = [(dim,) for dim in short if dim not in ends]
    cases = [*others, *(pair for pair in combinations(ends, 2) if valid.are_short(pair))]
    if not valid.boxes or any(all(map(valid.is_fixed, case)) for case in cases):
        s.memset(storage, fill, emit)
        return
    if cases:
        shorter = [Expr.counter(least([_short_by(valid.ranges[dim], emit) for dim in case], emit)) for case in cases]
        with s.guarded(greatest(shorter, emit), emit):
            s.memset(storage, fill, emit)
    for dim in ends:
        if valid.is_short_alone(dim):
            _fill_ends(s, storage, valid, dim, fill, emit)


def ends_freely(layout: Layout, valid: Valid) -> bool:
    """Whether what is valid of a tile is all but the ends of one free dimension."""
    short = [dim for dim in range(len(valid.ranges)) if not valid.is_full(dim)]
    return len(short) == 1 and short[0] < valid.rank and _is_free(layout, short[0])


def _is_free(layout: Layout, dim: int) -> bool:
    digits = layout.digits(dim)
    return len(digits) == 1 and not digits[0].on_partitions


def _short_by(one: Range, emit: Emitter) -> Expr:
    """Above 0 where not all of a dimension is valid."""
    missing = Expr(one.size) - one.end
    return missing if one.begin == Expr(0) else Expr.counter(greatest([missing, one.begin], emit))


def _fill_ends(s: Selector, storage: Storage, valid: Valid, dim: int, fill: Fill, emit: Emitter) -> None:
    """What is in front of a dimension's valid places and behind them, in iterations in which no other is short."""
    one = valid.ranges[dim]
    others = [other for d, other in enumerate(valid.ranges) if d != dim and not valid.is_full(d)]
    full = [value for other in others for value in other.is_at((0, other.size))]
    with s.guarded(least(full, emit) if full else None, emit):
        if valid.is_fixed(dim):
            ((low, high),) = valid.values(dim)
            for first, count in ((0, low), (high, one.size - high)):
                if count:
                    s.memset(storage.slice(dim, first, count), fill, emit)
            return
        if bounds(one.begin)[1] > 0:
            _fill_run(s, storage, dim, emit.index(0), _clamped(one.begin, one.size, emit), fill, emit)
        if bounds(one.end)[0] < one.size:
            first = _clamped(one.end, one.size, emit)
            _fill_run(s, storage, dim, first, emit.value(SubiOp(emit.index(one.size), first)), fill, emit)


def _clamped(place: Expr, size: int, emit: Emitter) -> SSAValue:
    return emit.value(MaxSIOp(emit.index(0), least([place, Expr(size)], emit)))


def _fill_run(
    s: Selector, storage: Storage, dim: int, first: SSAValue, count: SSAValue, fill: Fill, emit: Emitter
) -> None:
    """So many places of a free dimension, from one on."""
    number = number_for(fill.value, storage.type.element_type)
    for walk in rectangles(s.limits.free_dims - 1, storage):
        (stride,) = [leg.stride for digit, leg in zip(walk.digits, walk.legs[0], strict=True) if digit == (dim, 1)]
        at = emit.value(MuliOp(first, emit.index(stride)))
        view = storage.view(emit, walk, 0, limits={(dim, 1): count}, at=at)
        s.emit(emit, "memset", {"dst": view}, value=number, stands_for=fill.stands_for)
