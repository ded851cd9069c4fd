"""reuse-loads: what an inner loop loads again for each iteration of the loop around it is kept on chip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import enclosing_loops, is_run_time, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.tile_spans import Span, Times
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Position, Scalar
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.dialects.neuron_mem import (
    ConvertOp,
    EmptyOp,
    InsertOp,
    LoadOp,
    SliceOp,
    StoreOp,
    TileType,
    tile_type,
)
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import enclosing_func
from nki_mlir.passes.carrying import carry_through
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.hoist_loads import SHARE, VIEWS, is_within
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.normalize_loops import normalize_all

PART = 8
"""At least one part in so many of the time that a nest's transfers take must be saved: what is loaded ahead otherwise,
several at a time, is loaded one after the other to where it stays."""

SPARE = 8
"""One part in so many of SBUF is left to what instructions need besides."""


@dataclass(frozen=True)
class ReuseLoads(LevelPass):
    """Keeps what a loop loads in each iteration where the loop around it would load the same again:

        for %i … {                                 %e = empty : [4, …]
          for %j = 0 to 4 {                        for %i … iter_args(%a = %e) {
            %b = load %x(%j) …                =>     for %j = 0 to 4 iter_args(%c = %a) {
            … %b … } }                                 %b = load %x(%j) …
                                                       %d = insert %b into %c(%j, %i) [s0, …] where [1 - s1]
                                                       %p = slice %d(%j) [s0, …]
                                                       … %p … } }

    The first iteration of the outer loop computes with each piece as soon as it is there, the others find it. Left
    alone: memory that the outer loop writes to, loads that leave something out or are converted, what would fill more
    than half of SBUF with what is there besides, or leave no room for what the loops compute, and what is a small part
    of all that the nest moves.
    """

    name = "reuse-loads"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)
        for func in functions(op):
            reuse = _Reuse(func)
            for load in [inner for inner in operations(func) if isinstance(inner, LoadOp)]:
                reuse.load(load)


class _Reuse:
    """Of the loads of a function."""

    def __init__(self, func: FuncOp):
        self.memories, target = memories_of(func), target_of(func)
        usable = target.memory.sbuf_usable_bytes
        self.prices, self.room, self.most = Prices(target), usable // SHARE, usable - usable // SPARE

    def load(self, load: LoadOp) -> None:
        nest = _nest(load)
        if nest is None or not self._is_the_same(load, *nest):
            return
        if self._fits(load, *nest) and self._saves(load, *nest):
            _keep(load, *nest)

    def _is_the_same(self, load: LoadOp, outer: ForOp, inner: ForOp) -> bool:
        """Whether a load depends on the inner loop's counter, and on nothing else that the outer one changes."""
        counter, keys = inner.body.block.args[0], resolved(load.over_values).counters()
        values = [key for key in keys if isinstance(key, SSAValue)]
        written = {self.memories[op.memory] for op in operations(outer) if isinstance(op, StoreOp)}
        return (
            counter in values
            and not load.is_partial
            and not load.indices
            and self.memories[load.memory] not in written
            and all(value is counter or not is_within(value, outer) for value in values)
            and not any(isinstance(use.operation, ConvertOp) for use in load.result.uses)
        )

    def _fits(self, load: LoadOp, outer: ForOp, inner: ForOp) -> bool:
        """Beside what the loops read that is made in front of them; and, with that, beside what is alive in them."""
        read = dict.fromkeys(_held(v) for op in outer.walk() for v in op.operands if isinstance(v.type, TileType))
        held = sum(tile_type(value).bytes for value in read if not is_within(value, outer))
        stays = held + tile_type(load.result).bytes * _trips(inner)
        return stays <= self.room and stays + _alive(outer) <= self.most

    def _saves(self, load: LoadOp, outer: ForOp, inner: ForOp) -> bool:
        moved = sum(self._price(op) * times for op, times in _transfers(outer))
        return PART * self._price(load) * _trips(inner) * (_trips(outer) - 1) >= moved

    def _price(self, op: AccessOp) -> float:
        type_ = tile_type(op.moved)
        strides = op.coordinates.strides(len(type_.sizes))
        return self.prices.transfer(type_.layout, strides, type_.element_type, isinstance(op, StoreOp))


def _nest(load: LoadOp) -> tuple[ForOp, ForOp] | None:
    """The loop around that in which a load stands, and this, if both run several times and nothing is between."""
    loops = enclosing_loops(load)[-2:]
    if len(loops) < 2 or any(is_run_time(loop) or _trips(loop) < 2 for loop in loops):
        return None
    outer, inner = loops
    return (outer, inner) if load.parent is inner.body.block and inner.parent is outer.body.block else None


def _alive(loop: ForOp) -> int:
    """The most bytes of a partition of SBUF that tiles made in a loop take at a time."""
    func = enclosing_func(loop)
    assert func is not None
    changes: dict[int, int] = {}
    for value, span in _spans(func).items():
        if is_within(value, loop) and not tile_type(value).is_psum:
            for at, change in ((span.first, 1), (span.last + 1, -1)):
                changes[at] = changes.get(at, 0) + change * tile_type(value).bytes
    return max(accumulate(changes[at] for at in sorted(changes)), default=0)


def _spans(func: FuncOp) -> dict[SSAValue, Span]:
    """When the tiles of a function are alive, those that are views of them included."""
    found: dict[SSAValue, Span] = {}
    for value, span in Times(func).spans.items():
        if span is not None:
            mine = found.get(_held(value), span)
            found[_held(value)] = Span(min(mine.first, span.first), max(mine.last, span.last))
    return found


def _held(value: SSAValue) -> SSAValue:
    """What takes the room that a tile is in."""
    while isinstance(value.owner, VIEWS):
        value = value.owner.operands[0]
    return value


def _trips(loop: ForOp) -> int:
    """Of a loop whose bounds are not known, 1."""
    return 1 if (trips := trip_count(loop)) is None else trips


def _transfers(outer: ForOp) -> Iterator[tuple[AccessOp, int]]:
    """What a loop moves, and how often."""
    around = len(enclosing_loops(outer))
    for op in outer.walk():
        if isinstance(op, LoadOp | StoreOp):
            yield op, math.prod(_trips(loop) for loop in enclosing_loops(op)[around:])


def _keep(load: LoadOp, outer: ForOp, inner: ForOp) -> None:
    """Carries a tile with all that is loaded through both loops."""
    type_, trips = tile_type(load.result), _trips(inner)
    layout = type_.layout.expanded(0)
    all_ = Layout.of((trips, *type_.sizes), layout.partition, (Factor(0, trips), *layout.free))
    strip = EmptyOp.create(result_types=[type_.with_layout(all_)])
    strip.result.name_hint = load.result.name_hint
    start = Emitter.before(outer).value(strip)
    (i, *_), (j, *_) = outer.body.block.args, inner.body.block.args
    place = (Expr.counter(Scalar(0)), *(Expr.counter(Position(dim)) for dim in range(len(type_.sizes))))
    emit = Emitter(InsertPoint.after(load), load.location)
    first = Expr(1) - Expr.counter(Scalar(1))

    def insert(strip: SSAValue) -> SSAValue:
        filled = InsertOp(load.result, strip, [j, i], place, first)
        piece = SliceOp(filled.result, [j], place, type_)
        load.result.replace_uses_with_if(piece.result, lambda use: use.operation is not filled)
        emit.add(filled)
        emit.add(piece)
        return filled.result

    carry_through((outer, inner), start, insert)
