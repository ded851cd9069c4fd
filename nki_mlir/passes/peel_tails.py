"""peel-tails: loops are cut where an extent changes, so that every transfer has one size."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.indices import bounds, expr_of, is_loop_counter, is_run_time, trip_count
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import LoadOp, MaskOp, StoreOp, tile_type
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.normalize_loops import normalize, normalize_all

MOST_COPIES = 4096


@dataclass(frozen=True)
class PeelTails(LevelPass):
    """Cuts loops so that every valid extent is a constant:

        for %i = 0 to 97 { load … valid [min(max(98432 - 1024 * %i, 0), 1024)] }
          =>
        for %i = 0 to 96 { load … }          (all 1024 are valid)
        load … valid [128]                   (%i = 96)

    A loop that no extent depends on stays as it is. Extents that depend on several counters at once unroll the outer
    ones.
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
            _cut(loop, cuts)
        for inner in list(op.walk()):
            if isinstance(inner, LoadOp | StoreOp | MaskOp):
                _fold(inner)


def _extents(op: Operation) -> list[tuple[SSAValue, int]]:
    """(extent, full size) of each dimension of a transfer or a mask."""
    match op:
        case LoadOp() | MaskOp():
            return list(zip(op.valid, tile_type(op.result).sizes, strict=False))
        case StoreOp():
            return list(zip(op.valid, tile_type(op.value).sizes, strict=False))
        case _:
            return []


def extent_range(value: SSAValue) -> tuple[int, int]:
    """The smallest and largest value of an extent: minima and maxima of affine expressions."""
    op = value.owner
    if isinstance(op, arith.MinSIOp | arith.MaxSIOp):
        pick = min if isinstance(op, arith.MinSIOp) else max
        left, right = extent_range(op.lhs), extent_range(op.rhs)
        return pick(left[0], right[0]), pick(left[1], right[1])
    if isinstance(op, arith.MuliOp):
        corners = [a * b for a in extent_range(op.lhs) for b in extent_range(op.rhs)]
        return min(corners), max(corners)
    return bounds(expr_of(value))


def _affine_parts(value: SSAValue) -> list[Expr]:
    """The affine expressions that an extent is the minimum, maximum or product of."""
    op = value.owner
    if isinstance(op, arith.MinSIOp | arith.MaxSIOp) or (isinstance(op, arith.MuliOp) and not is_known(expr_of(value))):
        return _affine_parts(op.lhs) + _affine_parts(op.rhs)
    return [expr_of(value)]


def is_known(expr: Expr) -> bool:
    return all(is_loop_counter(key) for key in expr.counters())


def _varies(value: SSAValue, size: int) -> bool:
    """Whether an extent, which counts from 0 to the full size, takes more than one value."""
    low, high = (max(0, min(bound, size)) for bound in extent_range(value))
    return low != high


def _next_loop(module: ModuleOp) -> ForOp | None:
    """The outermost loop whose counter a varying extent depends on."""
    for op in module.walk():
        for extent, size in _extents(op):
            if not _varies(extent, size):
                continue
            keys = [key for part in _affine_parts(extent) for key in part.counters()]
            for key in keys:
                if not is_loop_counter(key):
                    raise CompileError.at(op, "this access has an extent that is no expression of loop counters")
            loops = [k.owner.parent_op() for k in keys if isinstance(k, SSAValue) and isinstance(k.owner, Block)]
            if any(loop is not None and is_run_time(loop) for loop in loops):
                raise CompileError.at(op, "this access has an extent that varies with a loop of run-time bounds")
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
    """The iterations at which a segment of the loop begins; within one, no extent changes with this counter alone."""
    counter, trips = loop.body.block.args[0], trip_count(loop)
    assert trips is not None
    cuts: set[int] = set()
    for op in loop.body.walk():
        for extent, size in _extents(op):
            if _varies(extent, size) and any(counter in part.counters() for part in _affine_parts(extent)):
                cuts |= _changes(extent, size, counter, trips)
    found = sorted(c for c in cuts if 0 < c < trips)
    # An extent of several parts can vary without any of them changing alone: then every iteration is cut off, so that
    # the next look finds no counter there.
    return found or list(range(1, min(trips, MOST_COPIES + 2)))


def _changes(extent: SSAValue, size: int, counter: SSAValue, trips: int) -> set[int]:
    """Where an extent of one dimension goes from full to partial to none, as the counter rises."""
    cuts: set[int] = set()
    for part in _affine_parts(extent):
        if counter not in part.counters():
            continue
        slope = part.coefficient(counter)
        rest = part - Expr.counter(counter) * slope
        if part.counters() != {counter} or slope == 0 or not rest.is_const:
            return set(range(min(trips, MOST_COPIES + 2)))
        if slope < 0:
            full = max(0, min(trips, (rest.const - size) // -slope + 1))
            none = max(0, min(trips, -(-rest.const // -slope)))
        else:
            full = max(0, min(trips, -(rest.const // slope)))
            none = max(0, min(trips, -((rest.const - size) // slope)))
        cuts |= set(range(full, none + 1))
    return cuts


def _cut(loop: ForOp, cuts: list[int]) -> None:
    """The loop as a sequence of loops over its segments; a segment of one iteration is its body."""
    trips = trip_count(loop)
    assert trips is not None
    emit = Emitter.before(loop)
    carried: list[SSAValue] = list(loop.iter_args)
    edges = [0, *cuts, trips]
    segments: list[ForOp] = []
    for low, high in itertools.pairwise(edges):
        edge = [emit.index(low), emit.index(high)]
        segment = emit.add(loop.clone())
        segment.operands[0], segment.operands[1] = edge
        for i, value in enumerate(carried):
            segment.operands[3 + i] = value
        carried = list(segment.results)
        segments.append(segment)
    for result, value in zip(loop.results, carried, strict=True):
        result.replace_all_uses_with(value)
    loop.detach()
    loop.erase()
    for segment in segments:
        normalize(segment)


def _fold(op: LoadOp | StoreOp | MaskOp) -> None:
    """Constant extents in place of the arithmetic; none where the whole tile is valid; no store of nothing."""
    if not op.valid:
        return
    pairs = [(extent_range(extent)[0], size) for extent, size in _extents(op)]
    if isinstance(op, StoreOp) and any(extent <= 0 for extent, _ in pairs):
        op.detach()
        op.erase()
        return
    emit = Emitter.before(op)
    keep = isinstance(op, MaskOp) or any(extent < size for extent, size in pairs)
    first = len(op.operands) - len(pairs)
    constants = [emit.index(max(0, min(extent, size))) for extent, size in pairs] if keep else []
    op.operands = [*op.operands[:first], *constants]
    if isinstance(op, LoadOp) and not keep:
        op.undefined = None
