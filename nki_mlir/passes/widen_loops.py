"""widen-loops: iterations that don't depend on one another, but for what they add up, run several at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.independence import Repeated, are_apart, are_independent, depending, varying
from nki_mlir.analysis.indices import constant, enclosing_loops, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Reduction
from nki_mlir.dialects.tile_programs import enclosing_programs
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize, replace_loop
from nki_mlir.passes.running import RUNNING, is_running, neutral
from nki_mlir.passes.tile_builder import TileBuilder
from nki_mlir.passes.widening import NotWidenable, Widening, going_on
from nki_mlir.passes.widths import Work

_GAIN = 0.55
"""What part of its time a loop may still take where it is worth it, if before nothing waited: its rows are on all
partitions, and many loads under way."""


@dataclass(frozen=True)
class WidenLoops(LevelPass):
    """Runs iterations of a loop together, each value of one as a row of a tile with one dimension more, the first. What
    they add up is added up row by row, and the rows behind the loop:

        %sum = scf.for %k = 0 to 1024 iter_args(%s = %start) {    %rows = scf.for %k = 0 to 8 iter_args(%s = 0) {
          %x = tile.read %in(%k) [512 * s0 + d0 by 1]               %x = tile.read %in(%k) [… + 512 * d0 + d1 by 1]
          %t = arith.addf %s, %x : tensor<512xf32>          =>      %t = arith.addf %s, %x : tensor<128x512xf32>
          scf.yield %t }                                            scf.yield %t }
                                                                  %sum = %start + (tile.dot %ones, %rows)

    So a program that goes through many rows has them on all partitions. Left alone: loops for which programs that run
    together do as well; those that carry anything but plain sums and extrema of numbers or rows, or multiply matrices;
    and where an iteration touches what another one writes, or writes what all have in common.
    """

    name = "widen-loops"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for loop in [inner for inner in operations(op) if isinstance(inner, ForOp)]:
            if loop.parent is None or (trips := _trips(loop)) is None:
                continue
            width = _width(loop, trips, prices)
            if width > 1:
                _widen(loop, trips, width)


def _trips(loop: ForOp) -> int | None:
    """How many iterations a loop has that may run together; None where they may not."""
    trips = trip_count(loop)
    if not trips or trips < 2 or (constant(loop.lb), constant(loop.step)) != (0, 1):
        return None
    if any(isinstance(op, tile.DotOp) for op in loop.body.walk()):
        return None
    if any(_sum_of(loop, number) is None for number in range(len(loop.results))):
        return None
    differs = depending(loop.body.block, {loop.body.block.args[0]})
    if any(isinstance(op, tile.WriteOp) and op.value not in differs for op in loop.body.walk()):
        return None
    return trips if are_apart(Repeated.loop(loop, trips)) else None


def _sum_of(loop: ForOp, number: int) -> type[Operation] | None:
    """What a variable is combined with something by, once or several times, in each iteration; None where anything else
    becomes of it, or sees it, and for matrices: their rows are on partitions already."""
    if len(tile.shape_of(loop.results[number])) > 1:
        return None
    value, kind = loop.body.block.args[1 + number], None
    while (use := value.get_unique_use()) is not None:
        op = use.operation
        if isinstance(op, YieldOp):
            return kind if use.index == number else None
        if not is_running(op) or kind not in (None, type(op)) or op.parent is not loop.body.block:
            return None
        value, kind = op.results[0], type(op)
    return None


def _width(loop: ForOp, trips: int, prices: Prices) -> int:
    """How many iterations had best run together; 1 where programs had."""
    outer = enclosing_programs(loop)
    grid = outer.grid if outer is not None else ()
    others = math.prod((*grid, *(trip_count(around) or 1 for around in enclosing_loops(loop))))
    block = loop.body.block
    work = Work.of_block(block, block.args[0], trips, others, depending(block, {block.args[0]}))
    if not work.transfers:
        return 1
    lanes = prices.target.memory.partitions
    found = [(work.price(width, prices), width) for width in work.widths(lanes)]
    if not found:
        return 1
    price, width = min(found)
    alone = replace(work, lanes=max(work.lanes, lanes)).least(1, prices)
    for axis, size in enumerate(grid):
        if outer is not None and size > 1 and are_independent(outer, axis):
            along = Work.of_block(block, outer.ids[axis], size, others // size * trips, varying(outer, axis))
            alone = min([alone, *(along.least(together, prices) for together in along.widths(lanes))])
    return width if price < _GAIN * alone else 1


def _widen(loop: ForOp, trips: int, width: int) -> None:
    """So many iterations at a time; what is left over, all at once."""
    parts = [loop] if trips % width == 0 else cut(loop, [trips - trips % width], as_loops=True)
    for part in parts:
        normalize(part, keep_single=True)
        count = trip_count(part)
        assert count is not None
        together = min(width, count)
        made = _together(part, count, together) if together > 1 else None
        if made is not None:
            normalize(made)


def _together(loop: ForOp, trips: int, width: int) -> ForOp | None:
    """The loop with its iterations run together, in its place; None where it stays."""
    old, emit = loop.body.block, Emitter.before(loop)
    kinds = [kind for kind in (_sum_of(loop, number) for number in range(len(loop.results))) if kind]
    places = [_place(loop, arg) for arg in old.args[1:]]
    shapes = [
        (*shape[:place], width, *shape[place:])
        for shape, place in zip((tile.shape_of(arg) for arg in old.args[1:]), places, strict=True)
    ]
    elements = [tile.element_of(arg) for arg in old.args[1:]]
    block = Block(arg_types=[old.args[0].type, *map(tile.with_shape, elements, shapes)])
    if not _fill(loop, trips, width, block, places):
        return None
    starts = [neutral(*each, TileBuilder(emit)) for each in zip(kinds, elements, shapes, strict=True)]
    low, high, step = (emit.index(number) for number in (0, trips // width, 1))
    made = ForOp(low, high, step, starts, Region(block))
    made.location = loop.location
    for before, after in zip((*old.args, *loop.results), (*block.args, *made.results), strict=True):
        after.name_hint = before.name_hint
    emit.add(made)
    results = [
        emit.value(kind.create(operands=[start, _combined(kind, rows, place, emit)], result_types=[start.type]))
        for kind, start, rows, place in zip(kinds, loop.iter_args, made.results, places, strict=True)
    ]
    replace_loop(loop, results)
    return made


def _place(loop: ForOp, arg: SSAValue) -> int:
    """Where the new dimension of a variable is: where it is in what is read of as many dimensions."""
    counter, rank = loop.body.block.args[0], len(tile.shape_of(arg))
    reads = [op for op in loop.body.block.ops if isinstance(op, tile.ReadOp) and counter in op.operands]
    return max((going_on(op, counter) for op in reads if len(tile.shape_of(op.result)) == rank), default=0)


def _fill(loop: ForOp, trips: int, width: int, block: Block, places: Sequence[int]) -> bool:
    """Fills a block with iterations run together, given where the new dimension of each variable is; whether they can
    be."""
    old = loop.body.block
    end, values = old.last_op, dict[SSAValue, SSAValue](zip(old.args, block.args, strict=True))
    assert isinstance(end, YieldOp)
    differs = depending(old, old.args)
    widening = Widening(old.args[0], trips, width, differs, block.args[0], values, {}, goes_on=True)
    widening.places |= dict(zip(old.args[1:], places, strict=True))
    try:
        widening.block(list(old.ops)[:-1], block)
    except NotWidenable:
        return False
    widening.build = TileBuilder(Emitter.at_end(block, end.location))
    widening.build.emit.add(YieldOp(*map(widening.wide, end.operands, places)))
    return True


def _combined(kind: type[Operation], rows: SSAValue, axis: int, emit: Emitter) -> SSAValue:
    """All rows as one. Sums of rows are products with ones, which the array makes over partitions."""
    shape, element = tile.shape_of(rows), tile.element_of(rows)
    if RUNNING[kind][0] is not Reduction.SUM or not isinstance(element, AnyFloat) or len(shape) == 1:
        return emit.value(tile.ReduceOp(RUNNING[kind][0].value, rows, axis))
    ones = TileBuilder(emit).float(1.0, (shape[axis],), element)
    return emit.value(tile.DotOp(ones, rows, None, element, ((0,), (axis,))))
