"""Which terms of products are zeros on both sides, because loads end there: they are left out, and need no filling."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import FloatAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import intervals, is_interval, resolved, shape_of_access
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.limits import values_of
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import ConvertOp, LoadOp, MatmulOp
from nki_mlir.passes.select_matmul import Accumulation


class Terms:
    """`ends` has the products that leave out terms, with where those begin, in terms of the whole contraction;
    `unfilled` the loads of which products alone read what ends, with the dimension along which nothing is filled."""

    def __init__(self, func: FuncOp, accumulations: Mapping[MatmulOp, Accumulation]):
        found = {op: _end(op, accumulation) for op, accumulation in accumulations.items()}
        ends = {op: end for op, end in found.items() if end is not None}
        self.unfilled: dict[Operation, int] = {}
        for load in [op for op in operations(func) if isinstance(op, LoadOp)]:
            dims = {1 - use.index if use.operation in ends else None for use in load.result.uses}
            if len(dims) == 1 and (dim := dims.pop()) is not None:
                self.unfilled[load] = dim
        self.ends = {op: end for op, end in ends.items() if {op.lhs.owner, op.rhs.owner} & self.unfilled.keys()}


def _end(op: MatmulOp, accumulation: Accumulation) -> Expr | None:
    """Where both factors are zeros from a term on; None where they are not, or the product might do nothing and not
    begin its sum."""
    end = _end_of_factor(op.lhs, 1)
    if end is None or end != _end_of_factor(op.rhs, 0):
        return None
    if accumulation.always:
        return end
    terms = op.piece[2]
    loops = [loop for loop in enclosing_loops(op) if trip_count(loop) is not None]
    return None if None in values_of(op, [(end - terms.start, len(terms))], loops) else end


def _end_of_factor(value: SSAValue, dim: int) -> Expr | None:
    """From where on a factor has zeros along a dimension, where a load leaves them out in some iterations."""
    while isinstance(value.owner, ConvertOp):
        value = value.owner.source
    load = value.owner
    if not isinstance(load, LoadOp) or not isinstance(load.other, FloatAttr) or load.other.value.data:
        return None
    coordinates = resolved(load.over_values)
    if any(part.elements for part in coordinates) or not all(map(is_interval, coordinates.bounded)):
        return None
    along = [one for one in intervals(coordinates, shape_of_access(load)) if one.dim == dim]
    if len(along) != 1 or along[0].low.range != (0, 0) or not along[0].high.varies:
        return None
    return along[0].high.value
