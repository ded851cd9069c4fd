"""split-reductions: a long dimension is reduced in two steps, the first of them on many partitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp

from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import is_number
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE


@dataclass(frozen=True)
class SplitReductions(LevelPass):
    """A reduced dimension lies on one partition wholly. A long one becomes two, of which the first may be spread:

        %m = tile.reduce max %v axis 1 : tensor<2x65536xf32> -> tensor<2xf32>
          =>
        %r = tile.reshape %v : tensor<2x65536xf32> -> tensor<2x64x1024xf32>
        %p = tile.reduce max %r axis 2 : tensor<2x64x1024xf32> -> tensor<2x64xf32>
        %m = tile.reduce max %p axis 1 : tensor<2x64xf32> -> tensor<2xf32>

    The parts are equal and as many as there are partitions for, beside the other dimensions; those of a vector are a
    row of a matrix, which blocks turn. Left alone: what is sooner reduced in one step, and a dimension that has no such
    parts.
    """

    name = "split-reductions"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for reduction in [inner for inner in operations(op) if isinstance(inner, tile.ReduceOp)]:
            _split(reduction, prices)


def _split(op: tile.ReduceOp, prices: Prices) -> None:
    shape, axis = tile.shape_of(op.source), op.axis.value.data
    size, others = shape[axis], math.prod(shape[:axis] + shape[axis + 1 :])
    most = prices.target.memory.partitions // max(others, 1)
    parts = max((n for n in range(1, most + 1) if size % n == 0), default=1)
    if parts == 1 or not _pays(op, size, others, parts, prices):
        return
    emit, before, after = Emitter.before(op), shape[:axis], shape[axis + 1 :]
    if others == 1:
        before, after = (1,), ()
    cut = emit.value(tile.ReshapeOp(op.source, (*before, parts, size // parts, *after)))
    partial = emit.value(tile.ReduceOp(op.kind.data, cut, len(before) + 1))
    total = emit.value(tile.ReduceOp(op.kind.data, partial, len(before)))
    if total.type != op.result.type:
        total = emit.value(tile.ReshapeOp(total, tile.shape_of(op.result)))
    total.name_hint = op.result.name_hint
    op.result.replace_all_uses_with(total)
    op.detach()
    op.erase()


def _pays(op: tile.ReduceOp, size: int, others: int, parts: int, prices: Prices) -> bool:
    """Whether two steps, the move between them, and the result's way back to all partitions are sooner done than one
    step; what no partition holds is."""
    element = tile.element_of(op.source)
    if isinstance(element, IndexType) or not is_number(element):
        return False
    rows, columns = Factor(0, others), Factor(1, parts)
    spread = Layout.of((others, parts), (rows, columns), ())
    gathered = Layout.of((others, parts), (rows,), (columns,))
    move, _ = prices.convert(spread, gathered, element)
    back, _ = prices.convert(
        Layout.of((others,), (rows,), ()), Layout.of((others,), (rows, replica(parts)), ()), element
    )
    steps = prices.compute(Layout.flat((size // parts,)), element) + move + prices.compute(gathered, element) + back
    return steps < prices.compute(Layout.flat((size,)), element)
