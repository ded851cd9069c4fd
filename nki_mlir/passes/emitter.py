"""Inserts operations with a source location: xDSL's builders and rewriters drop it (every pass here must not)."""

from __future__ import annotations

from typing import TypeVar

from xdsl.dialects.arith import AddiOp, ConstantOp, FloorDivSIOp, MuliOp, RemSIOp
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IndexType, IntegerAttr, LocationAttr, UnknownLoc, f32
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod, Register

_INDEX = IndexType()

OpT = TypeVar("OpT", bound=Operation)


class Emitter:
    """Inserts at `point`, stamping every operation that has no location with `location`."""

    def __init__(self, point: InsertPoint, location: LocationAttr):
        self.point, self.location = point, location

    @classmethod
    def before(cls, op: Operation) -> Emitter:
        return cls(InsertPoint.before(op), op.location)

    @classmethod
    def at_end(cls, block: Block, location: LocationAttr) -> Emitter:
        return cls(InsertPoint.at_end(block), location)

    def add(self, op: OpT) -> OpT:
        for inner in operations(op):
            if isinstance(inner.location, UnknownLoc):
                inner.location = self.location
        if self.point.insert_before is None:
            self.point.block.add_op(op)
        else:
            self.point.block.insert_ops_before([op], self.point.insert_before)
        return op

    def value(self, op: Operation) -> SSAValue:
        """Inserts an operation of one result and gives it."""
        return self.add(op).results[0]

    def index(self, value: int) -> SSAValue:
        return self.value(ConstantOp.create(result_types=[_INDEX], properties={"value": IntegerAttr(value, _INDEX)}))

    def float(self, value: float, element: AnyFloat = f32) -> SSAValue:
        """A constant of a floating-point type."""
        return self.value(ConstantOp(FloatAttr(value, element)))

    def expr(self, expr: Expr) -> SSAValue:
        """Index arithmetic for an expression whose counters are SSA values."""
        total: SSAValue | None = None
        for term, coefficient in expr.terms:
            match term:
                case Counter(key):
                    assert isinstance(key, SSAValue)
                    part = key
                case Mod(value, divisor):
                    part = self.value(RemSIOp(self.expr(value), self.index(divisor)))
                case FloorDiv(value, divisor):
                    part = self.value(FloorDivSIOp(self.expr(value), self.index(divisor)))
                case Register():
                    raise AssertionError("registers belong to neuron.isa")
            if coefficient != 1:
                part = self.value(MuliOp(part, self.index(coefficient)))
            total = part if total is None else self.value(AddiOp(total, part))
        if total is None:
            return self.index(expr.const)
        return total if expr.const == 0 else self.value(AddiOp(total, self.index(expr.const)))
