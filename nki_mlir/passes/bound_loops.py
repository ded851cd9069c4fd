"""bound-loops: loops whose bounds depend on an outer counter get constant ones."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Region, SSAValue

from nki_mlir.analysis.indices import bounds, constant, enclosing_loops, expr_of, is_loop_counter, trip_count
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize_all
from nki_mlir.passes.tile_builder import TileBuilder

MOST_COPIES = 256
"""How many bodies the loops around may become."""


@dataclass(frozen=True)
class BoundLoops(LevelPass):
    """A loop that runs as often as an outer counter says is written out for each value of that counter:

        for %i = 0 to 8 { for %j = 0 to %i + 1 { … } }   =>   for %j = 0 to 1 { … }  for %j = 0 to 2 { … }  …

    up to 256 bodies. Beyond, it runs as often as it does at most, and what it does is left out behind its end, by an
    `scf.if` in it. Bounds that come from data stay.
    """

    name = "bound-loops"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        copies = 0
        while (loop := _next(op)) is not None:
            outer = _outermost(loop)
            trips = trip_count(outer)
            assert trips is not None
            copies += trips
            if trips <= MOST_COPIES and copies <= 4 * MOST_COPIES:
                cut(outer, range(1, trips))
                normalize_all(op)
            else:
                _guard(loop)


def _next(module: ModuleOp) -> ForOp | None:
    """The first loop whose bounds depend on an outer counter."""
    for loop in [op for op in module.walk() if isinstance(op, ForOp)]:
        if trip_count(loop) is None and _counters(loop):
            return loop
    return None


def _counters(loop: ForOp) -> list[SSAValue]:
    """The counters that the bounds depend on; none where they depend on anything else, too."""
    keys = [*expr_of(loop.lb).counters(), *expr_of(loop.ub).counters()]
    return [key for key in keys if isinstance(key, SSAValue)] if all(map(is_loop_counter, keys)) else []


def _outermost(loop: ForOp) -> ForOp:
    keys = _counters(loop)
    return next(outer for outer in enclosing_loops(loop) if outer.body.block.args[0] in keys)


def _guard(loop: ForOp) -> None:
    """The most iterations, of which those behind the end do nothing."""
    if constant(loop.lb) != 0:
        raise CompileError.at(
            loop, f"a loop whose start varies with an outer one of more than {MOST_COPIES} iterations is not supported"
        )
    most = bounds(expr_of(loop.ub))[1]
    emit, end = Emitter.before(loop), loop.ub
    loop.operands[1] = emit.index(most)
    old = loop.body.block
    last = old.last_op
    assert isinstance(last, scf.YieldOp)
    carried, yielded = list(old.args[1:]), list(last.operands)
    body = Block()
    moved = [op for op in old.ops if op is not last]
    for op in moved:
        op.detach()
    body.add_ops([*moved, scf.YieldOp(*yielded)])
    other = Block([scf.YieldOp(*carried)])
    build = TileBuilder(Emitter.before(last))
    inside = build.compare(tile.Predicate.LT, old.args[0], end)
    branch = scf.IfOp(inside, [value.type for value in carried], Region(body), Region(other))
    build.emit.add(branch)
    last.operands = branch.results
