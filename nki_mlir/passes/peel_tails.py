"""peel-tails: loops are cut where what is valid changes, so that every transfer has one size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.accesses import Bounded, Edge, Interval, intervals, is_interval, resolved, shape_of_access
from nki_mlir.analysis.indices import is_loop_counter, trip_count
from nki_mlir.dialects.coordinates import Coordinates, Position, guard
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import LoadOp, MaskOp, StoreOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize_all

MOST_COPIES = 4096


@dataclass(frozen=True)
class PeelTails(LevelPass):
    """Cuts loops so that what is valid of each tile is the same in all iterations:

        for %i = 0 to 97 { load %x(%i) [1024 * s0 + d0 in 0 to 98432 by 1] }
          =>
        for %i = 0 to 96 { load %x(%i) [1024 * s0 + d0 by 1] }
        load %x(%i) [1024 * s0 + d0 by 1, d0 in 0 to 128 by 0]                        (%i = 96)

    A loop that no bound depends on stays as it is. Bounds that depend on several counters at once unroll the outer
    ones. A store of nothing goes.
    """

    name = "peel-tails"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)
        copies = 0
        while (loop := _next_loop(op)) is not None:
            cuts = _cuts(loop)
            copies += len(cuts)
            if copies > MOST_COPIES:
                raise CompileError.at(
                    loop, f"masks that change with the loop counters would need {copies} copies of its body"
                )
            cut(loop, cuts)
        for inner in list(op.walk()):
            if isinstance(inner, LoadOp | StoreOp | MaskOp):
                _fold(inner)


def _intervals(op: Operation) -> list[Interval]:
    """What is valid of each dimension of a transfer or a mask."""
    if not isinstance(op, Bounded) or not op.access.data.bounded:
        return []
    return intervals(resolved(op.over_values), shape_of_access(op))


def _edges(op: Operation) -> Iterator[Edge]:
    """The edges that vary."""
    for interval in _intervals(op):
        yield from (edge for edge in (interval.low, interval.high) if edge.varies)


def _next_loop(module: ModuleOp) -> ForOp | None:
    """The outermost loop whose counter a varying edge depends on."""
    for op in module.walk():
        for edge in _edges(op):
            keys = list(edge.value.counters())
            if not all(map(is_loop_counter, keys)):
                raise CompileError.at(op, "what is valid of this tile is no expression of loop counters")
            loops = [k.owner.parent_op() for k in keys if isinstance(k, SSAValue) and isinstance(k.owner, Block)]
            outermost = min((x for x in loops if isinstance(x, ForOp)), key=_depth, default=None)
            if outermost is not None:
                return outermost
    return None


def _depth(op: Operation) -> int:
    depth, parent = 0, op.parent_op()
    while parent is not None:
        depth, parent = depth + 1, parent.parent_op()
    return depth


def _cuts(loop: ForOp) -> list[int]:
    """The iterations at which a segment of the loop begins; within one, no edge changes with this counter alone."""
    counter, trips = loop.body.block.args[0], trip_count(loop)
    assert trips is not None
    cuts: set[int] = set()
    for op in loop.body.walk():
        for edge in _edges(op):
            if counter in edge.value.counters():
                cuts |= _changes(edge, counter, trips)
    found = sorted(c for c in cuts if 0 < c < trips)
    # An edge of several counters can vary without any of them changing it alone: then every iteration is cut off, so
    # that the next look finds no counter there.
    return found or list(range(1, min(trips, MOST_COPIES + 2)))


def _changes(edge: Edge, counter: SSAValue, trips: int) -> set[int]:
    """Where an edge goes from its dimension's end to inside it, to its start, as the counter rises."""
    slope = edge.value.coefficient(counter)
    rest = edge.value - Expr.counter(counter) * slope
    if list(edge.value.counters()) != [counter] or slope == 0 or not rest.is_const:
        return set(range(min(trips, MOST_COPIES + 2)))
    if slope < 0:
        full = max(0, min(trips, (rest.const - edge.size) // -slope + 1))
        none = max(0, min(trips, -(-rest.const // -slope)))
    else:
        full = max(0, min(trips, -(rest.const // slope)))
        none = max(0, min(trips, -((rest.const - edge.size) // slope)))
    return set(range(full, none + 1))


def _fold(op: LoadOp | StoreOp | MaskOp) -> None:
    """Guards of single dimensions in place of bounds; none where the whole tile is valid; no store of nothing."""
    if not op.access.data.bounded:
        return
    valid: dict[int | None, tuple[int, int]] = {}
    sizes: dict[int | None, int] = {None: 1, **dict(enumerate(shape_of_access(op)))}
    for interval in _intervals(op):
        low, high = valid.get(interval.dim, (0, sizes[interval.dim]))
        valid[interval.dim] = max(low, interval.low.range[0]), min(high, interval.high.range[0])
    if isinstance(op, StoreOp) and any(low >= high for low, high in valid.values()):
        op.detach()
        op.erase()
        return
    guards = [
        guard(Expr(0) if dim is None else Expr.counter(Position(dim)), low, max(low, high))
        for dim, (low, high) in valid.items()
        if (low, high) != (0, sizes[dim])
    ]
    kept = (part.unbounded if part.is_bounded and is_interval(part) else part for part in op.over_values)
    parts = (part for part in kept if part.stride or part.is_bounded)
    emit = Emitter.before(op)
    made = emit.add(op.over(Coordinates((*parts, *guards))))
    for old, new in zip(op.results, made.results, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    op.detach()
    op.erase()
