"""What a load repeats along a dimension: each element of a row several times, or the row again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import (
    Chosen,
    IndexTensor,
    NotAffine,
    bounds,
    divisor_of,
    index_tensor,
    modulo,
    quotient,
)
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.tile_builder import TileBuilder


class Repeated(NamedTuple):
    """Along dimension `dim` there are `size` different elements, each `times` times, or all of them so often where they
    go `around`."""

    dim: int
    size: int
    times: int
    around: bool

    def few(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what is loaded once, of what has this shape then."""
        return (*shape[: self.dim], self.size, *shape[self.dim + 1 :])

    def spread(self, value: SSAValue, shape: Sequence[int], build: TileBuilder) -> SSAValue:
        """What was loaded once, in the shape that it is to have."""
        before, behind = shape[: self.dim], shape[self.dim + 1 :]
        apart = build.emit.value(tile.ExpandDimsOp(value, self.dim + (not self.around)))
        pair = (self.times, self.size) if self.around else (self.size, self.times)
        return build.reshape(build.emit.value(tile.BroadcastOp(apart, (*before, *pair, *behind))), shape)


def repeated(place: IndexTensor, limits: Sequence[Coordinate]) -> tuple[Repeated, IndexTensor] | None:
    """What is repeated where quotients, or remainders, of places along one dimension are all that an address takes of
    it, with the address of what is loaded once. None where that is not so, or a bound moves along the dimension."""
    for one in place.chosen:
        part = _part(one)
        if part is None or place.strides[part.dim] or any(part.dim in limit.dims for limit in limits):
            continue
        along = [other for other in place.chosen if part.dim in other.dims]
        if all(_part(other) == part for other in along):
            return part, _address(place, part, along)
    return None


def _part(one: Chosen) -> Repeated | None:
    """What a quotient or a remainder by a constant is along its one dimension, of which it divides the size."""
    op = one.values.owner
    if not isinstance(op, arith.DivSIOp | arith.FloorDivSIOp | arith.RemSIOp | arith.ShRSIOp | arith.AndIOp):
        return None
    (dim,) = one.dims if len(one.dims) == 1 else (None,)
    inner, by = _divided(one), divisor_of(op)
    if dim is None or inner is None or by is None:
        return None
    (count,) = tile.shape_of(one.values)
    if inner.strides != (1,) or not 1 < by < count or count % by or modulo(inner.offset, by) != Expr(0):
        return None
    if bounds(inner.offset)[0] < 0:
        return None
    around = isinstance(op, arith.RemSIOp | arith.AndIOp)
    return Repeated(dim, by, count // by, True) if around else Repeated(dim, count // by, by, False)


def _divided(one: Chosen) -> IndexTensor | None:
    """What a quotient or a remainder is of, where it is affine."""
    op = one.values.owner
    try:
        return index_tensor(op.operands[0]) if isinstance(op, Operation) else None
    except NotAffine:
        return None


def _address(place: IndexTensor, part: Repeated, along: Sequence[Chosen]) -> IndexTensor:
    """The address without what goes along the dimension, and with a step for each different element instead."""
    strides = list(place.strides)
    offset = place.offset
    for one in along:
        strides[part.dim] += one.factor
        inner = _divided(one)
        if inner is not None and not part.around:
            offset = offset + quotient(inner.offset, part.times) * one.factor
    rest = tuple(one for one in place.chosen if one not in along)
    return IndexTensor(offset, tuple(strides), rest)
