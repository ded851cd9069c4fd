"""Instructions for operators on two values, and for choosing between two."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, IntegerType, i1
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.analysis.constants import wrapped
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.instructions import Alu
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.limited_parts import fill_rest
from nki_mlir.passes.select_integers import Side, is_integer, select_integers
from nki_mlir.passes.select_masks import free_end, is_end_filled
from nki_mlir.passes.selector import Fill, Selector, constant_attr
from nki_mlir.passes.storage import Storage


def select_binary(s: Selector, op: Operation, emit: Emitter) -> None:
    """tensor_scalar where one side is a constant or has one value per partition, else tensor_tensor."""
    assert isinstance(op, mem.BinaryOp)
    result = s.result(op, emit)
    left, right = s.stored.get(op.lhs), s.stored.get(op.rhs)
    alu = op.op.data
    element = _element(op)
    if is_integer(element):
        sides = [_side(s, value, element) for value in (op.lhs, op.rhs)]
        select_integers(s, alu, sides[0], sides[1], element, result, emit)
    elif alu is Alu.DIVIDE:
        _divide(s, op, result, emit)
    elif left is not None and right is not None:
        _tiles(s, alu, left, right, result, emit)
    elif left is not None:
        _scalar(s, alu, left, _constant(op.rhs, emit), result, emit)
    elif right is not None:
        _scalar(s, alu, right, _constant(op.lhs, emit), result, emit, reverse=True)


def _element(op: mem.BinaryOp) -> Attribute:
    """The element type of what it combines."""
    return next(mem.tile_type(v).element_type for v in op.operands if isinstance(v.type, mem.TileType))


def _side(s: Selector, value: SSAValue, element: Attribute) -> Side:
    """An operand of integers; a constant stands for the bits of one."""
    if value in s.stored:
        return s.stored[value]
    return wrapped(cast(IntegerAttr, constant_attr(value)).value.data, cast(IntegerType, element))


def _constant(value: SSAValue, emit: Emitter) -> SSAValue:
    """A constant as the fp32 immediate that tensor_scalar takes."""
    return emit.float(_number(constant_attr(value)))


def _number(constant: Attribute) -> float:
    if isinstance(constant, FloatAttr):
        return constant.value.data
    assert isinstance(constant, IntegerAttr)
    return float(bool(constant.value.data)) if constant.type == i1 else float(constant.value.data)


def _tiles(s: Selector, alu: Alu, left: Storage, right: Storage, result: Storage, emit: Emitter) -> None:
    if right.is_column and not left.is_column:
        _scalar(s, alu, left, _fp32_column(s, right, emit), result, emit)
    elif left.is_column and not right.is_column:
        _scalar(s, alu, right, _fp32_column(s, left, emit), result, emit, reverse=True)
    else:
        s.over(emit, "tensor_tensor", {"dst": result, "data1": left, "data2": right}, op=alu)


def _scalar(
    s: Selector,
    alu: Alu,
    data: Storage,
    operand: Storage | SSAValue,
    result: Storage,
    emit: Emitter,
    reverse: bool = False,
) -> None:
    s.over(emit, "tensor_scalar", {"dst": result, "data": data}, {"operand0": operand}, op0=alu, reverse0=reverse)


def _fp32_column(s: Selector, storage: Storage, emit: Emitter) -> Storage:
    """One fp32 value per partition; tensor_scalar takes no other type."""
    if storage.type.element_type == f32:
        return storage
    narrow = _unspread(storage)
    copy = s.temporary(narrow.type.with_element(f32), emit)
    s.over(emit, "tensor_copy", {"dst": copy, "src": narrow})
    return copy


def _unspread(storage: Storage) -> Storage:
    """The elements themselves of what is repeated, without the dimensions over which it is."""
    layout = storage.type.layout
    repeated = [d for d in range(len(layout.shape)) if not any(spot.dim == d for spot in storage.spots)]
    type_ = storage.type.with_layout(layout.unspread(repeated))
    return replace(storage, type=type_)


def _divide(s: Selector, op: mem.BinaryOp, result: Storage, emit: Emitter) -> None:
    """Multiplication by the reciprocal: NKI's tables of operators have no division (docs/hardware.md#operators)."""
    left, right = s.stored.get(op.lhs), s.stored.get(op.rhs)
    if right is None:
        assert left is not None
        divisor = _number(constant_attr(op.rhs))
        inverse = 1.0 / divisor if divisor else math.copysign(math.inf, divisor)
        _scalar(s, Alu.MULTIPLY, left, emit.float(inverse), result, emit)
        return
    divisors = _unspread(right)
    if left is None and _number(constant_attr(op.lhs)) == 1 and divisors.type.layout == result.type.layout:
        s.over(emit, "reciprocal", {"dst": result, "data": divisors})
        return
    inverse = s.temporary(divisors.type.with_element(f32), emit)
    s.over(emit, "reciprocal", {"dst": inverse, "data": divisors})
    spread = Storage(inverse.contents, right.type.with_element(f32), inverse.spots)
    if left is None:
        _scalar(s, Alu.MULTIPLY, spread, emit.float(_number(constant_attr(op.lhs))), result, emit)
    else:
        _tiles(s, Alu.MULTIPLY, left, spread, result, emit)


def select_choice(s: Selector, op: Operation, emit: Emitter) -> None:
    """One instruction where one side is a number. Else `on_false` everywhere, then `on_true` where the condition holds
    (the other way round if that is the constant). A constant where that is all but the ends of a free dimension is
    filled in there."""
    assert isinstance(op, mem.SelectOp)
    valid = free_end(op.condition, emit) if is_end_filled(op) else None
    if valid is not None:
        fill_rest(s, _copied(s, op, emit), valid, Fill(constant_attr(op.on_false)), emit)
        return
    result, predicate = s.result(op, emit), s.stored[op.condition]
    base, over, reverse = op.on_false, op.on_true, False
    if op.on_true not in s.stored and op.on_false in s.stored:
        base, over, reverse = op.on_true, op.on_false, True
    if base not in s.stored and over in s.stored and isinstance(result.type.element_type, AnyFloat):
        operands = {"dst": result, "predicate": predicate, "on_true": s.stored[over]}
        s.over(emit, "select_reduce", operands, {"on_false": _constant(base, emit)}, reverse_pred=reverse)
        return
    _assign(s, base, result, emit)
    if over in s.stored:
        source = s.stored[over]
    else:
        source = s.temporary(result.type, emit)
        _assign(s, over, source, emit)
    operands = {"dst": result, "src": source, "predicate": predicate}
    s.over(emit, "tensor_copy_predicated", operands, reverse_pred=reverse)


def _copied(s: Selector, op: mem.SelectOp, emit: Emitter) -> Storage:
    """A place for a result, which begins as `on_true`: what PSUM has is copied, anything else written over."""
    if s.stored[op.on_true].type.is_psum:
        result = s.result(op, emit)
        _assign(s, op.on_true, result, emit)
        return result
    contents, type_ = s.written_over(s.whole(op.on_true, emit)), mem.tile_type(op.result)
    s.stored[op.result] = Storage(contents, type_, type_.layout.spots)
    return s.stored[op.result]


def _assign(s: Selector, value: SSAValue, storage: Storage, emit: Emitter) -> None:
    if value in s.stored:
        s.over(emit, "tensor_copy", {"dst": storage, "src": s.stored[value]})
    else:
        s.memset(storage, constant_attr(value), emit)
