"""expand-branches: what a run-time condition decides becomes masks and choices."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, IntegerType, ModuleOp
from xdsl.dialects.scf import IfOp, YieldOp
from xdsl.ir import Block, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from nki_mlir.analysis.indices import NotAffine
from nki_mlir.analysis.masks import guards
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinates
from nki_mlir.dialects.tile import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

_OPPOSITE = {
    Predicate.EQ: Predicate.NE,
    Predicate.NE: Predicate.EQ,
    Predicate.LT: Predicate.GE,
    Predicate.LE: Predicate.GT,
    Predicate.GT: Predicate.LE,
    Predicate.GE: Predicate.LT,
}


@dataclass(frozen=True)
class ExpandBranches(LevelPass):
    """Both sides of an `scf.if` run; its accesses are left out where it would not run, and its results chosen:

        %r = scf.if %c -> (f32) {                 %v = tile.read %x [0 by 1] mask %c
          %v = tile.read %x [0 by 1]        =>    tile.write %v to %y [0 by 1] mask (not %c)
          scf.yield %v } else {                   %r = tile.select %c, %v, %zero
          tile.write … to %y [0 by 1]
          scf.yield %zero }

    A condition on program ids and loop counters becomes bounds, by which loops are cut later.
    """

    name = "expand-branches"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in reversed([found for found in operations(op) if isinstance(found, IfOp)]):
            _expand(inner)


def _expand(op: IfOp) -> None:
    build = TileBuilder(Emitter.before(op))
    sides: list[list[SSAValue]] = []
    for region, holds in ((op.true_region, True), (op.false_region, False)):
        if not region.blocks:
            continue
        block = region.block
        condition = op.cond if holds else _negated(op.cond, build)
        _leave_out(block, condition)
        end = block.last_op
        assert isinstance(end, YieldOp)
        sides.append(list(end.operands))
        end.detach()
        end.erase()
        Rewriter.inline_block(block, InsertPoint.before(op))
    for result, a, b in zip(op.results, *sides, strict=True) if op.results else ():
        chosen = _chosen(op, a, b, TileBuilder(Emitter.before(op)))
        chosen.name_hint = result.name_hint
        result.replace_all_uses_with(chosen)
    op.detach()
    op.erase()


def _negated(condition: SSAValue, build: TileBuilder) -> SSAValue:
    """Where a condition does not hold. Of floats a comparison has no opposite: both may be false."""
    op = condition.owner
    if isinstance(op, tile.CompareOp) and isinstance(tile.element_of(op.lhs), IndexType | IntegerType):
        return build.compare(_OPPOSITE[op.predicate.data], op.lhs, op.rhs)
    return build.exclusive(condition, build.constant(-1, condition))


def _leave_out(block: Block, condition: SSAValue) -> None:
    """Leaves out the accesses of a block where the condition does not hold."""
    for op in [inner for inner in block.walk() if isinstance(inner, tile.ReadOp | tile.WriteOp)]:
        build = TileBuilder(Emitter.before(op))
        parts, mask = list(op.over_values), op.mask
        try:
            parts += guards(condition)
        except NotAffine:
            mask = build.both(mask, build.splat(condition, tile.shape_of(op.moved)))
        made = build.emit.add(op.over(Coordinates(tuple(parts)), mask))
        for old, new in zip(op.results, made.results, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
        op.detach()
        op.erase()


def _chosen(op: IfOp, a: SSAValue, b: SSAValue, build: TileBuilder) -> SSAValue:
    if isinstance(tile.element_of(a), tile.PtrType):
        raise CompileError.at(
            op, "a pointer that is chosen by a condition; load from both and choose between the values"
        )
    return a if a is b else build.select(build.splat(op.cond, tile.shape_of(a)), a, b)
