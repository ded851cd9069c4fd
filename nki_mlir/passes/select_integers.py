"""Instructions for operators on integers, exactly as wide as their type: results wrap around.

The Vector engine computes in fp32, which holds what two 16-bit integers add up to, and saturates when it stores. GpSimd
adds and multiplies words of 32 bits. Bit operators see bits. So sums of narrow integers are made as words, of which the
low bytes are kept; and 32-bit integers are compared by their halves, whose differences fp32 holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from xdsl.dialects.builtin import IntegerAttr, IntegerType, Signedness, f32
from xdsl.ir import Attribute

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import dtype, i32, u8
from nki_mlir.dialects.instructions import BITWISE, COMPARISONS, GPSIMD_TENSOR_TENSOR, Alu
from nki_mlir.errors import CompileError
from nki_mlir.passes.constants import wrapped
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage, row_major

EXACT_IN_FP32 = 2**24
Side = Storage | int
"""An operand: a tile, or a constant."""


def is_integer(element_type: Attribute) -> bool:
    return dtype(element_type).kind in ("int", "uint")


def integer_type(bits: int, signed: bool) -> IntegerType:
    return IntegerType(bits, Signedness.SIGNLESS if signed else Signedness.UNSIGNED)


def select_integers(
    s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter
) -> None:
    """`left alu right`, both of the element type; comparisons give truth values."""
    wide = dtype(element).bytes == 4
    if alu in BITWISE:
        _bits(s, alu, left, right, element, result, emit)
    elif alu in COMPARISONS and wide:
        _fp32(s, alu, _difference(s, left, right, element, result, emit), 0, result, emit)
    elif alu in (Alu.MAXIMUM, Alu.MINIMUM) and wide:
        _wide_extremum(s, alu, left, right, element, result, emit)
    elif alu in COMPARISONS or alu in (Alu.MAXIMUM, Alu.MINIMUM):
        _fp32(s, alu, left, right, result, emit)
    elif alu not in GPSIMD_TENSOR_TENSOR - {Alu.POWER}:
        raise CompileError.at(emit.location, f"{alu} of {dtype(element).name} is not exact on any engine")
    elif wide:
        _words(s, alu, left, right, element, result, emit)
    else:
        _narrow(s, alu, left, right, element, result, emit)


def _fp32(s: Selector, alu: Alu, left: Side, right: Side, result: Storage, emit: Emitter) -> None:
    """On the Vector engine, for operands and results that fp32 holds."""
    if isinstance(left, Storage) and isinstance(right, Storage):
        operands = {"dst": result.view(emit), "data1": left.view(emit), "data2": right.view(emit)}
        s.emit(emit, "tensor_tensor", operands, op=alu)
        return
    data, constant, reverse = (left, right, False) if isinstance(left, Storage) else (right, left, True)
    assert isinstance(data, Storage) and isinstance(constant, int), "one side is a tile"
    operands = {"dst": result.view(emit), "data": data.view(emit), "operand0": emit.float(float(constant))}
    s.emit(emit, "tensor_scalar", operands, op0=alu, reverse0=reverse)


def _bits(s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter) -> None:
    """A constant is an immediate where fp32 holds it."""
    constant = next((side for side in (left, right) if isinstance(side, int)), None)
    if constant is not None and abs(constant) <= EXACT_IN_FP32:
        _fp32(s, alu, left, right, result, emit)
        return
    a, b = (as_tile(s, side, element, result, emit) for side in (left, right))
    _fp32(s, alu, a, b, result, emit)


def as_tile(s: Selector, side: Side, element: Attribute, like: Storage, emit: Emitter) -> Storage:
    """A constant as one element on each partition, read over and over."""
    if isinstance(side, Storage):
        return side
    type_ = like.type.with_element(element)
    ones = s.temporary(mem.TileType.of(type_.space.data, (type_.partitions,), 0, element), emit)
    s.memset(ones, IntegerAttr(side, cast(IntegerType, element)), emit)
    return Storage(ones.buffer, type_, tuple(0 for _ in type_.free))


def _words(s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter) -> None:
    """32 bits on GpSimd, which keeps the low ones."""
    a, b = (as_tile(s, side, element, result, emit) for side in (left, right))
    operands = {"dst": result.view(emit), "data1": a.view(emit), "data2": b.view(emit)}
    s.emit(emit, "tensor_tensor", operands, Engine.GPSIMD, op=alu)


def _narrow(s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter) -> None:
    """As words, then their low bytes. Products of 16 bits do not fit fp32."""
    words = s.temporary(result.type.with_element(i32), emit)
    if alu is Alu.MULTIPLY and dtype(element).bytes > 1:
        a, b = (
            side if isinstance(side, int) else converted(s, side, result.type.with_element(i32), emit)
            for side in (left, right)
        )
        _words(s, alu, a, b, i32, words, emit)
    else:
        _fp32(s, alu, left, right, words, emit)
    convert(s, words, result, emit)


def _difference(s: Selector, left: Side, right: Side, element: Attribute, like: Storage, emit: Emitter) -> Storage:
    """fp32 numbers with the sign of `left - right`, of 32-bit integers: 2^16 times the difference of the upper halves,
    plus that of the lower ones. One rounding does not change the sign of a sum of two fp32 numbers."""
    signed = dtype(element).kind == "int"
    type_ = like.type.with_element(f32)
    upper, lower = s.temporary(type_, emit), s.temporary(type_, emit)
    for part, to, half in ((1, upper, integer_type(16, signed)), (0, lower, integer_type(16, False))):
        sides = [_half(side, part, half) for side in (left, right)]
        _fp32(s, Alu.SUBTRACT, sides[0], sides[1], to, emit)
    operands = {
        "dst": upper.view(emit),
        "data": upper.view(emit),
        "operand0": emit.float(65536.0),
        "operand1": lower.view(emit),
    }
    s.emit(emit, "scalar_tensor_tensor", operands, op0=Alu.MULTIPLY, op1=Alu.ADD)
    return upper


def _half(side: Side, part: int, half: IntegerType) -> Side:
    """The lower (0) or upper (1) 16 bits of a 32-bit operand."""
    return side.part(half, part) if isinstance(side, Storage) else wrapped(side >> 16 * part, half)


def _wide_extremum(
    s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter
) -> None:
    """The left operand, then the right one where it wins. `result` may be the left one."""
    difference = _difference(s, left, right, element, result, emit)
    wins = s.temporary(result.type.with_element(u8), emit)
    _fp32(s, Alu.LESS if alu is Alu.MAXIMUM else Alu.GREATER, difference, 0, wins, emit)
    a, b = (as_tile(s, side, element, result, emit) for side in (left, right))
    if a != result:
        s.emit(emit, "tensor_copy", {"dst": result.view(emit), "src": a.view(emit)})
    operands = {"dst": result.view(emit), "src": b.view(emit), "predicate": wins.view(emit)}
    s.emit(emit, "tensor_copy_predicated", operands)


# Conversions.


def converted(s: Selector, source: Storage, type_: mem.TileType, emit: Emitter) -> Storage:
    result = s.temporary(type_, emit)
    convert(s, source, result, emit)
    return result


def convert(s: Selector, source: Storage, result: Storage, emit: Emitter) -> None:
    """Integers of one width as those of another, as in C: the low bytes, or the sign repeated in front."""
    have, want = dtype(source.type.element_type), dtype(result.type.element_type)
    if have.bytes >= want.bytes:
        source = source.part(result.type.element_type, 0)
    elif have.kind == "int" and want.kind == "uint":
        result = result.part(integer_type(8 * want.bytes, True), 0)
    s.emit(emit, "tensor_copy", {"dst": result.view(emit), "src": source.view(emit)})


# Reductions.


def reduce_integers(s: Selector, alu: Alu, source: Storage, last: int, type_: mem.TileType, emit: Emitter) -> Storage:
    """Free dimension `last` of a tile reduced away: halves are combined until one element is left.

    Sums of narrow integers are sums of words; the largest and the smallest of them are what the Vector engine finds."""
    element = type_.element_type
    if dtype(element).bytes < 4 and alu is Alu.ADD:
        words = converted(s, source, source.type.with_element(i32), emit)
        total = reduce_integers(s, alu, words, last, type_.with_element(i32), emit)
        return converted(s, total, type_, emit)
    rows = _Rows.of(source, last)
    if rows.count == 1:
        return converted(s, source, type_, emit)
    while rows.count > 1:
        rows = _folded(s, alu, rows, rows.storage.buffer is source.buffer, emit)
    return Storage(rows.storage.buffer, type_, tuple(row_major(type_.free)))


@dataclass(frozen=True)
class _Rows:
    """A tile, the first free dimension of which is reduced."""

    storage: Storage

    @staticmethod
    def of(source: Storage, last: int) -> _Rows:
        dims = source.dims
        dims.insert(0, dims.pop(last))
        sizes = (source.type.partitions, *(count for _, count in dims))
        type_ = mem.TileType.of(source.type.space.data, sizes, 0, source.type.element_type)
        return _Rows(replace(source, type=type_, steps=tuple(step for step, _ in dims)))

    @property
    def count(self) -> int:
        return self.storage.type.sizes[1]

    def part(self, start: int, count: int) -> Storage:
        """Some of the rows."""
        type_ = self.storage.type
        sizes = (type_.sizes[0], count, *type_.sizes[2:])
        kept = mem.TileType.of(type_.space.data, sizes, 0, type_.element_type)
        return replace(self.storage, type=kept, base=self.storage.base + start * self.storage.steps[0])


def _folded(s: Selector, alu: Alu, rows: _Rows, fresh: bool, emit: Emitter) -> _Rows:
    """The last rows combined with the first ones, in place, or in a buffer of their own."""
    half = -(-rows.count // 2)
    rest = rows.count - half
    into = _Rows(rows.part(0, half))
    if fresh:
        into = _Rows(s.temporary(into.storage.type, emit))
        if rest < half:
            middle = {"dst": into.part(rest, 1).view(emit), "src": rows.part(rest, 1).view(emit)}
            s.emit(emit, "tensor_copy", middle)
    element = rows.storage.type.element_type
    select_integers(s, alu, rows.part(0, rest), rows.part(half, rest), element, into.part(0, rest), emit)
    return into
