"""sum-by-products: sums along a dimension that memory does not go along are products with ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, ModuleOp, f32
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.tile import Reduction
from nki_mlir.dialects.tile_programs import enclosing_programs
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

_LEAST = 16
"""Terms of a sum that is worth a product: fewer lie in the free dimensions as well."""


@dataclass(frozen=True)
class SumByProducts(LevelPass):
    """Adds up rows by the Tensor engine:

        %s = tile.reduce sum %x axis 0             %ones = tile.splat 1.0 : f32 -> tensor<32xf32>
          : tensor<32x1024xf32>              =>    %s = tile.dot %ones, %x over [0] x [0]

    where %x is computed of what is read with %x's second dimension along memory: so the first is on the partitions,
    over which no other engine adds up, and to turn it takes longer. In a loop, such sums go on in PSUM. Where each row
    is multiplied by a number first, that takes the place of ones; what is only widened numbers of 16 bits is multiplied
    as these. Left alone: sums of fewer than 16 terms, along memory, or of
    what is not read, and programs whose columns would not be beside one another in one product.
    """

    name = "sum-by-products"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in operations(op):
            if isinstance(inner, tile.ReduceOp) and _is_across(inner):
                _multiply(inner)


def _is_across(op: tile.ReduceOp) -> bool:
    """Whether it sums fp32 along a dimension that lies across memory."""
    shape, axis = tile.shape_of(op.source), op.axis.value.data
    if op.kind.data is not Reduction.SUM or tile.element_of(op.source) != f32 or shape[axis] < _LEAST:
        return False
    reads = list(_reads(op.source, shape))
    return bool(reads) and all(_lies_across(read, shape, axis) for read in reads)


def _lies_across(read: tile.ReadOp, shape: tuple[int, ...], axis: int) -> bool:
    """Whether another dimension than the axis is along memory, and programs go on along another, too."""
    coordinates = resolved(read.over_values)
    strides, others = coordinates.strides(len(shape)), [dim for dim in range(len(shape)) if dim != axis]
    if not any(abs(strides[dim]) == 1 and shape[dim] > 1 for dim in others):
        return False
    programs = enclosing_programs(read)
    steps = [] if programs is None else [coordinates.address.coefficient(id_) for id_ in programs.ids]
    return all(step == 0 or any(step == strides[dim] * shape[dim] for dim in others) for step in steps)


def _reads(value: SSAValue, shape: tuple[int, ...]) -> Iterator[tile.ReadOp]:
    """What is read of a shape that a value is computed of, element by element."""
    op = value.owner
    if isinstance(op, tile.ReadOp) and tile.shape_of(value) == shape:
        yield op
    elif isinstance(op, Operation) and type(op) in ELEMENTWISE:
        for operand in op.operands:
            yield from _reads(operand, shape)


def _multiply(op: tile.ReduceOp) -> None:
    axis, build = op.axis.value.data, TileBuilder(Emitter.before(op))
    factor, source = _factors(op, build) or (None, _narrow(op.source))
    if factor is None:
        factor = build.float(1.0, (tile.shape_of(source)[axis],), tile.element_of(source))
    made = build.emit.value(tile.DotOp(factor, source, None, f32, ((0,), (axis,))))
    made.name_hint = op.result.name_hint
    op.result.replace_all_uses_with(made)
    op.detach()
    op.erase()


def _factors(op: tile.ReduceOp, build: TileBuilder) -> tuple[SSAValue, SSAValue] | None:
    """A number for each term, and what it is multiplied with before it is summed up; None where there is none."""
    product, axis = op.source.owner, op.axis.value.data
    if not isinstance(product, arith.MulfOp):
        return None
    for value, other in (product.operands, reversed(product.operands)):
        match value.owner:
            case tile.BroadcastOp(source=source) if math.prod(shape := tile.shape_of(source)) == shape[axis]:
                return build.reshape(source, (shape[axis],)), other
            case _:
                pass
    return None


def _narrow(value: SSAValue) -> SSAValue:
    """What a value is a widened form of, if the array takes that at once."""
    op: Operation | object = value.owner
    if not isinstance(op, tile.CastOp):
        return value
    element = tile.element_of(op.source)
    return op.source if isinstance(element, AnyFloat) and dtype(element).bytes == 2 else value
