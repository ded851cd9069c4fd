"""Instructions for operators on integers, exactly as wide as their type: results wrap around.

The Vector engine computes in fp32, which holds what two 16-bit integers add up to, and saturates when it stores. GpSimd
adds and multiplies words of 32 bits. Bit operators see bits. So sums of narrow integers are made as words, of which the
low bytes are kept; and 32-bit integers are compared by their halves, whose differences fp32 holds.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IntegerAttr, IntegerType, Signedness, f32
from xdsl.ir import Attribute

from nki_mlir.analysis.constants import wrapped
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import dtype, i32, u8
from nki_mlir.dialects.instructions import BITWISE, COMPARISONS, GPSIMD_TENSOR_TENSOR, Alu
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage

EXACT_IN_FP32 = 2**24
WIDENING = (Alu.ADD, Alu.MULTIPLY)
"""What gives of two narrow integers more than their type holds."""
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
        s.over(emit, "tensor_tensor", {"dst": result, "data1": left, "data2": right}, op=alu)
        return
    data, constant, reverse = (left, right, False) if isinstance(left, Storage) else (right, left, True)
    assert isinstance(data, Storage) and isinstance(constant, int), "one side is a tile"
    number = {"operand0": emit.float(float(constant))}
    s.over(emit, "tensor_scalar", {"dst": result, "data": data}, number, op0=alu, reverse0=reverse)


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
    ones = s.temporary(type_.with_layout(type_.layout.unspread(range(len(type_.sizes)))), emit)
    s.memset(ones, IntegerAttr(side, cast(IntegerType, element)), emit)
    return ones.broadcast(type_)


def _words(s: Selector, alu: Alu, left: Side, right: Side, element: Attribute, result: Storage, emit: Emitter) -> None:
    """32 bits on GpSimd, which keeps the low ones."""
    a, b = (as_tile(s, side, element, result, emit) for side in (left, right))
    s.over(emit, "tensor_tensor", {"dst": result, "data1": a, "data2": b}, engine=Engine.GPSIMD, op=alu)


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
    tiles = {"dst": upper, "data": upper, "operand1": lower}
    s.over(emit, "scalar_tensor_tensor", tiles, {"operand0": emit.float(65536.0)}, op0=Alu.MULTIPLY, op1=Alu.ADD)
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
        s.over(emit, "tensor_copy", {"dst": result, "src": a})
    s.over(emit, "tensor_copy_predicated", {"dst": result, "src": b, "predicate": wins})


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
    s.over(emit, "tensor_copy", {"dst": result, "src": source})


# Reductions.


def reduce_integers(s: Selector, alu: Alu, source: Storage, axis: int, type_: mem.TileType, emit: Emitter) -> Storage:
    """A free dimension of a tile reduced away: halves are combined until one element is left.

    Sums and products of narrow integers are those of words; the largest and the smallest of them are what the Vector
    engine finds."""
    element = type_.element_type
    if dtype(element).bytes < 4 and alu in WIDENING:
        words = converted(s, source, source.type.with_element(i32), emit)
        total = reduce_integers(s, alu, words, axis, type_.with_element(i32), emit)
        return converted(s, total, type_, emit)
    if not source.is_along(axis):
        source = converted(s, source, source.type.with_layout(_whole(source.type.layout, axis)), emit)
    rows, fresh = source, True
    while (count := rows.type.sizes[axis]) > 1:
        rows, fresh = _folded(s, alu, rows, axis, count, fresh, emit), False
    last = rows.slice(axis, 0, 1)
    kept = tuple(spot._replace(dim=spot.dim - (spot.dim > axis)) for spot in last.spots if spot.dim != axis)
    return Storage(last.contents, type_, kept, last.base)


def _whole(layout: Layout, axis: int) -> Layout:
    """With a free dimension in one piece, the slowest."""
    others = (f for f in layout.free if f.dim != axis)
    return Layout.of(layout.shape, layout.partition, (Factor(axis, layout.shape[axis]), *others))


def _folded(s: Selector, alu: Alu, rows: Storage, axis: int, count: int, fresh: bool, emit: Emitter) -> Storage:
    """The last indices combined with the first ones, in place, or in a buffer of their own."""
    half = -(-count // 2)
    rest = count - half
    into = rows.slice(axis, 0, half)
    if fresh:
        into = s.temporary(into.type, emit)
        if rest < half:
            s.over(emit, "tensor_copy", {"dst": into.slice(axis, rest, 1), "src": rows.slice(axis, rest, 1)})
    first, second, dst = rows.slice(axis, 0, rest), rows.slice(axis, half, rest), into.slice(axis, 0, rest)
    select_integers(s, alu, first, second, rows.type.element_type, dst, emit)
    return into
