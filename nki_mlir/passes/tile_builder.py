"""Tensors and scalars of `tile`, built in passes: integers of 32 bits, conditions, and their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, SSAValue

from nki_mlir.analysis.constants import wrapped
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.emitter import Emitter


class TileBuilder:
    """Inserts operations where `emit` does; operands of one operation have one shape, which may be that of a scalar."""

    def __init__(self, emit: Emitter):
        self.emit = emit

    def constant(self, value: int, like: SSAValue) -> SSAValue:
        """An integer in the shape and type of another value."""
        return self.number(value, tile.element_of(like), tile.shape_of(like))

    def number(self, value: int, element: Attribute, shape: Sequence[int]) -> SSAValue:
        type_ = cast("IntegerType | IndexType", element)
        attr = IntegerAttr(wrapped(value, type_) if isinstance(type_, IntegerType) else value, type_)
        if not shape:
            return self.emit.value(arith.ConstantOp(attr))
        dense = DenseIntOrFPElementsAttr.from_list(TensorType(type_, shape), [attr.value.data])
        return self.emit.value(arith.ConstantOp(dense))

    def add(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit.value(arith.AddiOp(a, b))

    def subtract(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit.value(arith.SubiOp(a, b))

    def times(self, a: SSAValue, factor: int) -> SSAValue:
        return a if factor == 1 else self.emit.value(arith.MuliOp(a, self.constant(factor, a)))

    def both(self, a: SSAValue | None, b: SSAValue) -> SSAValue:
        """The conjunction of conditions, the first of which may be absent."""
        return b if a is None else self.emit.value(arith.AndIOp(a, b))

    def either(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit.value(arith.OrIOp(a, b))

    def exclusive(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """Bits that are in one of both."""
        return self.emit.value(arith.XOrIOp(a, b))

    def float(self, value: float, shape: Sequence[int], element: Attribute = f32) -> SSAValue:
        """A floating-point constant of a shape."""
        return self.splat(self.emit.float(value, cast("AnyFloat", element)), shape)

    def compare(self, predicate: Predicate, a: SSAValue, b: SSAValue | int) -> SSAValue:
        b = self.constant(b, a) if isinstance(b, int) else b
        return self.emit.value(tile.CompareOp(predicate.value, a, b))

    def select(self, condition: SSAValue, a: SSAValue, b: SSAValue | int) -> SSAValue:
        b = self.constant(b, a) if isinstance(b, int) else b
        return self.emit.value(tile.SelectOp(condition, a, b))

    def cast(self, value: SSAValue, element: Attribute) -> SSAValue:
        return value if tile.element_of(value) == element else self.emit.value(tile.CastOp(value, element))

    def splat(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        return self.emit.value(tile.SplatOp(value, shape)) if shape else value

    def reshape(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        return self.emit.value(tile.ReshapeOp(value, shape))

    def spread(
        self, value: SSAValue, dims: Sequence[int | None], over: Sequence[int], shape: Sequence[int]
    ) -> SSAValue:
        """A value whose dimensions are these of a larger tensor, over more of them: `over`, in rising order, of sizes
        `shape`. None is a dimension of size 1 that is none of them."""
        named = list(dims)
        if None in named:
            kept = [size for size, dim in zip(tile.shape_of(value), named, strict=True) if dim is not None]
            value = self.reshape(value, kept)
            named = [dim for dim in named if dim is not None]
        if named != sorted(named, key=lambda dim: -1 if dim is None else dim):
            order = sorted(range(len(named)), key=lambda axis: cast(int, named[axis]))
            value = self.emit.value(tile.PermuteOp(value, order))
            named = [named[axis] for axis in order]
        if not named:
            return self.splat(value, shape)
        for axis, dim in enumerate(over):
            if dim not in named:
                value = self.emit.value(tile.ExpandDimsOp(value, axis))
        return value if tile.shape_of(value) == tuple(shape) else self.emit.value(tile.BroadcastOp(value, shape))

    def positions(self, expr: Expr, over: Sequence[int], shape: Sequence[int]) -> SSAValue:
        """An expression in positions along the dimensions `over`, of sizes `shape`, and in scalars, as indices."""
        places = {Position(dim): Expr(0) for dim in over}
        total = self.splat(self.emit.expr(expr.substitute(places)), shape)
        for dim, size in zip(over, shape, strict=True):
            factor = expr.coefficient(Position(dim))
            if factor and size > 1:
                along = self.spread(self.emit.value(tile.ArangeOp(0, size)), [dim], over, shape)
                total = self.add(total, self.times(along, factor))
        return total

    def within(self, value: SSAValue, low: int | None, high: int | None) -> SSAValue:
        """Where a value is within bounds, one of which there is."""
        result = None if low is None else self.compare(Predicate.GE, value, low)
        return (
            self.both(result, self.compare(Predicate.LT, value, high)) if high is not None else cast(SSAValue, result)
        )

    def narrowed(self, value: SSAValue, over: Sequence[int]) -> SSAValue:
        """A value over some of its dimensions, in rising order, which hold all on which it depends."""
        shape, op = tile.shape_of(value), value.owner
        wanted = [shape[dim] for dim in over]
        if len(over) == len(shape):
            return value
        match op:
            case tile.SplatOp():
                return self.splat(op.value, wanted)
            case tile.BroadcastOp():
                source = self.narrowed(op.source, over)
                same = list(tile.shape_of(source)) == wanted
                return source if same else self.emit.value(tile.BroadcastOp(source, wanted))
            case tile.ExpandDimsOp():
                axis = op.axis.value.data
                source = self.narrowed(op.source, [dim - (dim > axis) for dim in over if dim != axis])
                if axis not in over:
                    return source
                if not tile.shape_of(source):  # what depends on no dimension is a scalar, which none can be added to
                    return self.splat(source, wanted)
                return self.emit.value(tile.ExpandDimsOp(source, over.index(axis)))
            case arith.AndIOp() | arith.OrIOp():
                left, right = (self.narrowed(operand, over) for operand in op.operands)
                return self.emit.value(type(op)(left, right))
            case tile.CompareOp():
                left, right = (self.narrowed(operand, over) for operand in op.operands)
                return self.compare(op.predicate.data, left, right)
            case _:
                return self.reshape(value, wanted)
