"""Iterations of a loop that add nothing to what it carries, for programs that have fewer than others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects import math as floats
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.accesses import elements_of, resolved
from nki_mlir.analysis.constants import number_of
from nki_mlir.analysis.indices import IndexTensor, range_of
from nki_mlir.analysis.masks import implies
from nki_mlir.analysis.recurrences import recurrence
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import sizes_of
from nki_mlir.dialects.coordinates import Coordinates, Position, guard
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate, Reduction
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.tile_builder import TileBuilder


def may_idle(loop: ForOp) -> bool:
    """Whether iterations of a loop can be made to add nothing: it carries running maxima and sums of floats alone, and
    does nothing else. A factor of a sum, which may be anything there, would make NaN of nothing."""
    ops = list(loop.body.block.ops)[:-1]
    if not all(isinstance(op, tile.ReadOp) or (not op.regions and is_side_effect_free(op)) for op in ops):
        return False
    found = recurrence(loop)
    if found is None or not found.joins or found.scaled:
        return False
    return all(isinstance(tile.element_of(value), AnyFloat) for op in found.joins for value in op.operands[:1])


def needs_a_step(loop: ForOp) -> bool:
    """Whether idle iterations need one before them that isn't: a maximum of nothing, which is -inf, less itself is no
    number."""
    found = recurrence(loop)
    return found is not None and found.has_maximum


@dataclass
class IdleSteps:
    """A loop's body, of which what an iteration computes counts where `place`, an expression over counters, is
    negative."""

    loop: ForOp
    place: Expr

    def __post_init__(self) -> None:
        found = recurrence(self.loop)
        assert found is not None
        self.block = self.loop.body.block
        self.joins = [op for op in self.block.ops if op in found.joins]
        self.maxima, self.lowest = found.maxima, set[SSAValue]()
        self.first = self.block.first_op

    def apply(self) -> None:
        """What a maximum is taken of is -inf where nothing counts, what is summed up is 0, and no read leaves its
        memory."""
        for op in self.joins:
            if isinstance(op, tile.ReduceOp) and op.kind.data is not Reduction.SUM:
                self._lower(op.source, op.axis.value.data)
        for op in self.joins:
            for number, dim in _summed(op):
                self._clear(op, number, dim)
        for op in list(self.block.ops):
            if isinstance(op, tile.ReadOp) and not _is_inside(op):
                self._guard(op, self.place)

    def _lower(self, value: SSAValue, dim: int) -> None:
        """Makes -inf of a value, for all that uses it in the loop, unless it is already."""
        if value in self.lowest:
            return
        if self._is_masked(value, dim):
            self.lowest.add(value)
            return
        owner = value.owner
        before = owner.next_op if isinstance(owner, Operation) and owner.parent is self.block else self.first
        made = self._or(value, dim, -math.inf, before)
        self.lowest.add(made)
        for use in list(value.uses):
            if use.operation.parent is self.block and use.operation is not made.owner:
                use.operation.operands[use.index] = made

    def _is_masked(self, value: SSAValue, dim: int) -> bool:
        """Whether a mask makes -inf of a value wherever nothing counts."""
        op, shape = value.owner, tile.shape_of(value)
        if not isinstance(op, tile.SelectOp) or number_of(op.on_false) != -math.inf:
            return False
        strides = tuple(-1 if n == dim else 0 for n in range(len(shape)))
        return implies(op.condition, [IndexTensor(self.place * -shape[dim] - 1, strides)])

    def _clear(self, op: Operation, number: int, dim: int) -> None:
        """Makes an operand of an operation 0, if it is not already."""
        value = op.operands[number]
        if self._is_zero(value):
            return
        read, place = _read_of(value, dim)
        if read is not None and read.parent is self.block:
            self._guard(read, self._along(tile.shape_of(value)[dim], place))
        else:
            op.operands[number] = self._or(value, dim, 0.0, op)

    def _along(self, size: int, dim: int) -> Expr:
        """The place along a dimension that goes on from one iteration to the next; below 0 it counts."""
        return self.place * size + Expr.counter(Position(dim))

    def _or(self, value: SSAValue, dim: int, other: float, before: Operation | None) -> SSAValue:
        """A value, or another one where nothing counts; `dim` goes on from one iteration to the next."""
        assert before is not None
        build = TileBuilder(Emitter(InsertPoint.before(before), before.location))
        shape, element = tile.shape_of(value), cast("AnyFloat", tile.element_of(value))
        places = build.positions(self._along(shape[dim], 0), [0], [shape[dim]])
        counts = build.spread(build.compare(Predicate.LT, places, 0), [dim], range(len(shape)), shape)
        number = build.emit.value(arith.ConstantOp(FloatAttr(other, element)))
        return build.select(counts, value, build.splat(number, shape))

    def _guard(self, read: tile.ReadOp, place: Expr) -> None:
        """Reads nothing where nothing counts."""
        parts = (*read.over_values, guard(place, None, 0))
        result = Emitter.before(read).value(read.over(Coordinates(parts)))
        result.name_hint = read.result.name_hint
        read.result.replace_all_uses_with(result)
        read.detach()
        read.erase()

    def _is_zero(self, value: SSAValue) -> bool:
        """Whether a value is 0 where what maxima are taken of is -inf: it is exp of that."""
        match value.owner:
            case floats.ExpOp() as op:
                return self._is_lowest(op.operand)
            case tile.CastOp() as op:
                return isinstance(tile.element_of(value), AnyFloat) and self._is_zero(op.source)
            case tile.ShapeOp() as op:
                return self._is_zero(op.source)
            case _:
                return False

    def _is_lowest(self, value: SSAValue) -> bool:
        """Whether a value is -inf where what maxima are taken of is, given that the maxima are numbers."""
        op = value.owner
        match op:
            case _ if value in self.lowest:
                return True
            case arith.MulfOp():
                return any(self._is_lowest(one) and other > 0 for one, other in _scaled(op))
            case arith.AddfOp():
                return any(self._is_lowest(one) and math.isfinite(other) for one, other in _scaled(op))
            case arith.SubfOp():
                return self._is_lowest(op.lhs) and self._is_maximum(op.rhs)
            case tile.ShapeOp():
                return self._is_lowest(op.source)
            case _:
                return False

    def _is_maximum(self, value: SSAValue) -> bool:
        """Whether a value is a running maximum, perhaps times a number."""
        op = value.owner
        match op:
            case _ if value in self.maxima:
                return True
            case arith.MulfOp():
                return any(self._is_maximum(one) and math.isfinite(other) for one, other in _scaled(op))
            case tile.ShapeOp():
                return self._is_maximum(op.source)
            case _:
                return False


def _scaled(op: arith.MulfOp | arith.AddfOp) -> list[tuple[SSAValue, float]]:
    """Each operand with the number that the other one is, or NaN."""
    numbers = [number_of(value) for value in (op.rhs, op.lhs)]
    return list(zip((op.lhs, op.rhs), (math.nan if n is None else n for n in numbers), strict=True))


def _summed(op: Operation) -> list[tuple[int, int]]:
    """Which operands of a join are summed up, and along which dimension."""
    match op:
        case tile.DotOp():
            return [(number, over[0]) for number, over in enumerate(op.over)]
        case tile.ReduceOp() if op.kind.data is Reduction.SUM:
            return [(0, op.axis.value.data)]
        case _:
            return []


def _read_of(value: SSAValue, dim: int) -> tuple[tile.ReadOp | None, int]:
    """The read that a value is, turned or cast perhaps, where what is not read is 0, and which of its dimensions is
    `dim` of the value."""
    op = value.owner
    while isinstance(op, tile.PermuteOp | tile.CastOp):
        dim = op.order.get_values()[dim] if isinstance(op, tile.PermuteOp) else dim
        op = op.source.owner
    other = op.other if isinstance(op, tile.ReadOp) else None
    is_zero = other is None or not cast("IntegerAttr | FloatAttr", other).value.data
    return (op if isinstance(op, tile.ReadOp) and is_zero else None), dim


def _is_inside(read: tile.ReadOp) -> bool:
    """Whether all that a read may touch is memory that there is."""
    address = resolved(read.over_values).address
    sizes = {Position(dim): size for dim, size in enumerate(sizes_of(read.result))}
    low, high = address.bounds(lambda key: (0, sizes[key] - 1) if isinstance(key, Position) else range_of(key))
    return low >= 0 and high < elements_of(read)
