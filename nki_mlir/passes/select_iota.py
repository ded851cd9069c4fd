"""Instructions for indices as values.

An iota's numbers are fixed in its instruction. Where they move with loop counters, what moves is looked up: tables made
once, in front of all loops, hold every value that it takes, or its digits.
"""

from __future__ import annotations

import math

from xdsl.dialects.builtin import i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from nki_mlir.analysis.constants import wrapped
from nki_mlir.analysis.indices import bounds, expr_of, is_loop_counter, modulo, quotient
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.layout import Factor, Layout, Spot, replica
from nki_mlir.dialects.neuron_engine import ViewOp
from nki_mlir.dialects.tile import enclosing_func
from nki_mlir.dialects.walks import walks
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.select_integers import EXACT_IN_FP32
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage, check_lanes, collapse, rectangles

DIGIT = 4096
"""The most values that one table holds: 16 KiB on each partition."""


def select_iota(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.IotaOp)
    count(s, op, expr_of(op.offset), list(op.strides.get_values()), s.result(op, emit), emit)


def count(s: Selector, op: Operation, offset: Expr, strides: list[int], result: Storage, emit: Emitter) -> None:
    """Indices, for an operation: element `i` of the result is `offset + sum(i[d] * strides[d])`."""
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
    values = [Spot(d, 1, size, False, wrapped(strides[d], i32)) for d, size in enumerate(type_.sizes)]
    for walk in walks(type_.sizes, storage.spots, values):
        check_lanes(walk)
        legs = list(zip(walk.counts, *walk.legs, strict=True))
        lanes = [value.stride for count, chip, value in legs if chip.on_partitions and count > 1]
        if len(lanes) > 1 and any(lanes):
            raise CompileError.at(
                emit.location, f"indices can't be counted over several factors on the partitions: {type_}"
            )
        pattern = [n for count, chip, value in legs if not chip.on_partitions for n in (value.stride, count)]
        s.emit(
            emit,
            "iota",
            {"dst": storage.view(emit, walk, 0)},
            pattern=tuple(pattern) or (0, 1),
            offset=wrapped(offset + walk.starts[1].offset, i32),
            channel_multiplier=lanes[0] if lanes else 0,
        )


class _Moving:
    """The instructions of one iota whose offset moves."""

    def __init__(self, s: Selector, op: Operation, func: FuncOp, emit: Emitter):
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
            table = self.table(count, step, 0 if spans or number else low, type_)
            last = number == len(digits) - 1
            into = result if last else self.s.temporary(type_, self.emit)
            self.add(total, table, digit, into)
            total = into

    def table(self, count: int, step: int, low: int, type_: mem.TileType) -> Storage:
        """All values of a digit, on each partition."""
        key = (count, step, low, type_.layout.partitions, type_.element_type)
        if key not in self.s.tables:
            layout = Layout.of((count,), [replica(type_.layout.partitions)], [Factor(0, count)])
            self.s.tables[key] = self.s.empty(type_.with_layout(layout), "indices", self.front)
            emit_iota(self.s, self.s.tables[key], [step], low, self.front)
        return self.s.tables[key]

    def add(self, total: Storage | None, table: Storage, digit: Expr, into: Storage) -> None:
        """The digit's value, read once, or as often as the tile has elements on a partition."""
        tiles = [into] if total is None else [into, total]
        for walk in rectangles(self.s.limits.free_dims, *tiles):
            dst, *before = (tile.view(self.emit, walk, number) for number, tile in enumerate(tiles))
            words = total is not None and total.type.element_type == i32
            times = math.prod(count for _, count in walk.dims(0)) if words or total is None else 1
            access = Access(Space.SBUF, table.type.element_type, collapse([(0, times)]), 0, walk.partitions(0))
            column = self.emit.value(ViewOp(table.contents.value, access, self.emit.expr(digit)))
            if total is None:
                self.s.emit(self.emit, "tensor_copy", {"dst": dst, "src": column})
            elif words:
                operands = {"dst": dst, "data1": before[0], "data2": column}
                self.s.emit(self.emit, "tensor_tensor", operands, Engine.GPSIMD, op=Alu.ADD)
            else:
                operands = {"dst": dst, "data": before[0], "operand0": column}
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
