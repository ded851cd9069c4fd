"""What is known of masks: comparisons of indices, as limits on the index of each dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, IntegerAttr, IntegerType
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import IndexTensor, NotAffine, describe_op, index_tensor, no_data, quotient, reshaped
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr

_LESS = {"lt": (1, -1), "le": (1, 0), "gt": (-1, -1), "ge": (-1, 0)}
"""predicate -> (sign, slack): the comparison holds where sign * (rhs - lhs) + slack >= 0."""


def constraints(mask: SSAValue) -> Iterator[IndexTensor]:
    """A mask as a conjunction: it is true where every one of these is >= 0. Raises NotAffine."""
    op = mask.owner
    match op:
        case arith.AndIOp():
            yield from constraints(op.lhs)
            yield from constraints(op.rhs)
        case tile.SplatOp():
            rank = len(tile.shape_of(op.result))
            for part in constraints(op.value):
                yield IndexTensor(part.offset, (0,) * rank)
        case tile.ShapeOp():
            for part in constraints(op.source):
                yield IndexTensor(part.offset, reshaped(op, part.strides))
        case tile.CompareOp():
            yield from _compared(op)
        case arith.ConstantOp(value=IntegerAttr() as number):
            yield IndexTensor(Expr(0 if number.value.data else -1), ())
        case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
            yield IndexTensor(Expr(0 if dense.get_values()[0] else -1), (0,) * len(tile.shape_of(mask)))
        case _:
            no_data(mask)
            raise NotAffine(f"a mask that is no comparison of indices but {describe_op(op)}")


def _compared(op: tile.CompareOp) -> Iterator[IndexTensor]:
    """A comparison as what is >= 0 where it holds. Raises NotAffine."""
    if not isinstance(tile.element_of(op.lhs), IndexType | IntegerType):
        no_data(op.result)
        raise NotAffine("a mask that compares floats")
    difference, predicate = difference_of(op), op.predicate.data.value
    if predicate == "ne":
        predicate = _one_sided(difference, tile.shape_of(op.lhs))
    for sign, slack in [_LESS[predicate]] if predicate in _LESS else [_LESS["le"], _LESS["ge"]]:
        yield IndexTensor(difference.offset * -sign + slack, tuple(s * -sign for s in difference.strides))


def difference_of(op: tile.CompareOp) -> IndexTensor:
    """Left minus right of a comparison of indices. Raises NotAffine."""
    return index_tensor(op.lhs) + index_tensor(op.rhs) * -1


def _one_sided(difference: IndexTensor, shape: tuple[int, ...]) -> str:
    """The comparison with 0 that is `ne` where the difference lies on one side of it. Raises NotAffine."""
    low, high = difference.range(shape)
    if low >= 0:
        return "gt"
    if high <= 0:
        return "lt"
    raise NotAffine("a mask by '!=', true below and above a value")


@dataclass(frozen=True)
class Extent:
    """How many leading elements of dimension `dim` are in bounds: `limit`, clamped to 0..size."""

    dim: int
    limit: Expr


def extents(mask: SSAValue) -> list[Extent]:
    """A mask as valid extents; what always holds is left out. A single element counts as a dimension of 1. Raises
    NotAffine."""
    shape = tile.shape_of(mask)
    first = shape[0] if shape else 1
    found: list[Extent] = []
    for part in constraints(mask):
        low, high = part.range(shape)
        if low >= 0:
            continue
        varying = [d for d, s in enumerate(part.strides) if s and shape[d] > 1]
        if high < 0:
            found.append(Extent(0, Expr(0)))
        elif not varying:
            found.append(Extent(0, (part.offset + 1) * first))
        elif len(varying) > 1:
            raise NotAffine("a mask that compares two dimensions with each other")
        elif part.strides[varying[0]] > 0:
            raise NotAffine("a mask that leaves out leading elements (a lower bound)")
        else:
            found.append(Extent(varying[0], quotient(part.offset, -part.strides[varying[0]]) + 1))
    return found
