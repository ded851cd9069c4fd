"""Instructions for indices as values.

An iota's numbers are fixed in its instruction. Where they move with loop counters, what moves is looked up: tables made
once, in front of all loops, hold every value that it takes, or its digits.
"""

from __future__ import annotations

import math

from xdsl.dialects.builtin import i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_engine import ViewOp
from nki_mlir.dialects.tile import enclosing_func
from nki_mlir.errors import CompileError
from nki_mlir.passes.constants import wrapped
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.indices import bounds, expr_of, is_loop_counter, modulo, quotient
from nki_mlir.passes.select_integers import EXACT_IN_FP32
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage, collapse

DIGIT = 4096
"""The most values that one table holds: 16 KiB on each partition."""


def select_iota(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.IotaOp)
    offset, strides, result = expr_of(op.offset), list(op.strides.get_values()), s.result(op, emit)
    if offset.is_const:
        emit_iota(s, result, strides, offset.const, emit)
        return
    if not all(is_loop_counter(key) for key in offset.counters()):
        raise CompileError.at(op, "indices used as values depend on something that is no loop counter or program id")
    func = enclosing_func(op)
    assert func is not None
    _Moving(s, op, func, emit).select(offset, strides, result)


def emit_iota(s: Selector, storage: Storage, strides: list[int], offset: int, emit: Emitter) -> None:
    type_ = storage.type
    highest = abs(offset) + sum(abs(stride) * (size - 1) for stride, size in zip(strides, type_.sizes, strict=True))
    if type_.element_type != i32 and highest >= EXACT_IN_FP32:
        raise CompileError.at(
            emit.location, f"indices up to {highest} are not exact in fp32, which holds integers below 2^24"
        )
    per_partition = 0 if type_.partition_dim is None else strides[type_.partition_dim]
    pattern: list[int] = []
    if type_.fold > 1:
        pattern += [per_partition, type_.fold]
    for d, size in enumerate(type_.sizes):
        if d != type_.partition_dim:
            pattern += [strides[d], size]
    s.emit(
        emit,
        "iota",
        {"dst": storage.view(emit)},
        pattern=tuple(pattern) or (0, 1),
        offset=wrapped(offset, i32),
        channel_multiplier=per_partition * type_.fold,
    )


class _Moving:
    """The instructions of one iota whose offset moves."""

    def __init__(self, s: Selector, op: mem.IotaOp, func: FuncOp, emit: Emitter):
        self.s, self.op, self.emit = s, op, emit
        first = func.body.block.first_op
        assert first is not None
        self.front = Emitter(Emitter.before(first).point, op.location)

    def select(self, offset: Expr, strides: list[int], result: Storage) -> None:
        """The indices from the lowest offset on, plus the digits of what the offset is above it."""
        low, high = bounds(offset)
        spans = sum(abs(stride) * (size - 1) for stride, size in zip(strides, result.type.sizes, strict=True))
        words = result.type.element_type == i32
        if not words and max(abs(low), abs(high)) + spans >= EXACT_IN_FP32:
            raise CompileError.at(self.op, "indices from 2^24 on are not exact in fp32; convert them to int32 first")
        type_ = result.type if words else result.type.with_element(f32)
        digits = _digits(offset - low, high - low)
        total: Storage | None = None
        if spans:
            total = self.s.temporary(type_, self.emit)
            emit_iota(self.s, total, strides, low, self.emit)
        for number, (digit, count, step) in enumerate(digits):
            repeated = words or total is None
            column = self.column(digit, count, step, 0 if spans or number else low, type_, repeated)
            last = number == len(digits) - 1
            into = result if last else self.s.temporary(type_, self.emit)
            self.add(total, column, into)
            total = into

    def column(self, digit: Expr, count: int, step: int, low: int, type_: mem.TileType, repeated: bool) -> SSAValue:
        """A view of the digit's value, read once, or as often as the tile has elements on a partition."""
        key = (count, step, low, type_.partitions, type_.element_type)
        if key not in self.s.tables:
            rows = mem.TileType.of(type_.space.data, (type_.partitions, count), 0, type_.element_type)
            table = Storage.allocate(rows, "indices", self.front)
            emit_iota(self.s, table, [0, step], low, self.front)
            self.s.tables[key] = table
        pattern = collapse([(0, math.prod(type_.free) if repeated else 1)])
        access = Access(type_.space.data, type_.element_type, pattern, 0, type_.partitions)
        return self.emit.value(ViewOp(self.s.tables[key].buffer, access, self.emit.expr(digit)))

    def add(self, total: Storage | None, column: SSAValue, into: Storage) -> None:
        dst = into.view(self.emit)
        if total is None:
            self.s.emit(self.emit, "tensor_copy", {"dst": dst, "src": column})
        elif total.type.element_type == i32:
            operands = {"dst": dst, "data1": total.view(self.emit), "data2": column}
            self.s.emit(self.emit, "tensor_tensor", operands, Engine.GPSIMD, op=Alu.ADD)
        else:
            operands = {"dst": dst, "data": total.view(self.emit), "operand0": column}
            self.s.emit(self.emit, "tensor_scalar", operands, op0=Alu.ADD)


def _digits(value: Expr, highest: int) -> list[tuple[Expr, int, int]]:
    """A value of 0..highest as digits, their numbers of values, and what each counts for."""
    step = math.gcd(*(coefficient for _, coefficient in value.terms), value.const)
    rest = Expr.of(value.const // step, ((term, coefficient // step) for term, coefficient in value.terms))
    count, found = highest // step + 1, []
    while count > DIGIT:
        found.append((modulo(rest, DIGIT), DIGIT, step))
        rest, count, step = quotient(rest, DIGIT), -(-count // DIGIT), step * DIGIT
    return [*found, (rest, count, step)]
