"""Indices, and comparisons of them, as data: iotas, masks, and 32-bit integers where neither will do."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, IntegerAttr, IntegerType, f32, i1, i32, i64
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import is_interval
from nki_mlir.analysis.constants import limits
from nki_mlir.analysis.indices import (
    DataDependent,
    IndexTensor,
    NotAffine,
    index_tensor,
    is_loop_counter,
)
from nki_mlir.analysis.masks import constraints, difference_of, guards
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinates, Position
from nki_mlir.dialects.instructions import Alu, AluAttr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.placement import is_data

EXACT_IN_FP32 = 2**24

COMPARE: dict[tile.Predicate, Alu] = {
    tile.Predicate.EQ: Alu.EQUAL,
    tile.Predicate.NE: Alu.NOT_EQUAL,
    tile.Predicate.LT: Alu.LESS,
    tile.Predicate.LE: Alu.LESS_EQUAL,
    tile.Predicate.GT: Alu.GREATER,
    tile.Predicate.GE: Alu.GREATER_EQUAL,
}
_WITHIN: dict[type[Operation], Alu] = {
    arith.AndIOp: Alu.BITWISE_AND,
    arith.OrIOp: Alu.BITWISE_OR,
    arith.XOrIOp: Alu.BITWISE_XOR,
    arith.MaxSIOp: Alu.MAXIMUM,
    arith.MinSIOp: Alu.MINIMUM,
}
"""What gives a 32-bit result of 32-bit indices, whatever they are."""

TileOf = Callable[[SSAValue, mem.TileType, Emitter], SSAValue]
"""The tile of a value of numbers."""


def binary(alu: Alu, lhs: SSAValue, rhs: SSAValue, type_: mem.TileType, emit: Emitter) -> SSAValue:
    return emit.value(mem.BinaryOp.create(operands=[lhs, rhs], result_types=[type_], properties={"op": AluAttr(alu)}))


def index_mask(op: tile.CompareOp, type_: mem.TileType, tile_of: TileOf, emit: Emitter) -> SSAValue:
    """A comparison of indices: bounds on them, or a comparison of iotas."""
    alu = COMPARE[op.predicate.data]
    try:
        difference = _counted(difference_of(op))
        if _magnitude(difference, type_) < EXACT_IN_FP32:
            if op.predicate.data is not tile.Predicate.NE:
                return emit.value(mem.MaskOp(Coordinates(tuple(guards(op.result))), type_))
            left = _iota(difference, type_.with_element(f32), emit)
            return binary(alu, left, emit.float(0.0), type_, emit)
    except NotAffine:
        pass
    left, right = (index_data(v, type_.with_element(i32), tile_of, op, emit) for v in (op.lhs, op.rhs))
    return binary(alu, left, right, type_, emit)


def end_mask(condition: SSAValue, type_: mem.TileType, emit: Emitter) -> SSAValue | None:
    """A condition that holds but at the ends of one free dimension, as a mask that lies as what it chooses of, whatever
    it was made from; None for any other."""
    try:
        if not all(_magnitude(part, type_) < EXACT_IN_FP32 for part in constraints(condition)):
            return None
        parts = guards(condition)
    except NotAffine:
        return None
    dims = [key.dim for part in parts for key in part.position.counters() if isinstance(key, Position)]
    if len(parts) != 1 or len(dims) != 1 or not is_interval(parts[0]):
        return None
    digits = type_.layout.digits(dims[0])
    if len(digits) != 1 or digits[0].on_partitions:
        return None
    return emit.value(mem.MaskOp(Coordinates(tuple(parts)), type_))


def index_numbers(op: tile.CastOp, type_: mem.TileType, tile_of: TileOf, emit: Emitter) -> SSAValue:
    """Indices converted to numbers of the result's type."""
    element, words = type_.element_type, type_.with_element(i32)
    try:
        place = _counted(index_tensor(op.source))
    except NotAffine:
        integers = index_data(op.source, words, tile_of, op, emit)
    else:
        exact = _magnitude(place, type_) < EXACT_IN_FP32
        if element == i32 or (isinstance(element, AnyFloat) and exact):
            return _iota(place, type_, emit)
        if isinstance(element, AnyFloat):
            _check_32_bits(place, type_, op)
        integers = _iota(place, words, emit)
    if element == i32:
        return integers
    return emit.value(mem.CastOp.create(operands=[integers], result_types=[type_]))


def index_data(value: SSAValue, type_: mem.TileType, tile_of: TileOf, op: Operation, emit: Emitter) -> SSAValue:
    """Indices as a tile of 32-bit integers. Raises CompileError, at `op`, for what may need more bits."""
    try:
        place = _counted(index_tensor(value))
        _check_32_bits(place, type_, op)
        return _iota(place, type_, emit)
    except NotAffine as error:
        reason = error
    owner = value.owner
    if isinstance(owner, tile.CastOp) and is_data(owner.source.type):
        source = tile_of(owner.source, type_, emit)
        return emit.value(mem.CastOp.create(operands=[source], result_types=[type_]))
    if isinstance(owner, tile.SplatOp | tile.ShapeOp | tile.SliceOp | tile.ConcatOp):
        raise CompileError.at(op, f"{owner.name} makes indices of data here; run expand-indices first")
    if isinstance(owner, tile.SelectOp):
        condition = tile_of(owner.condition, type_.with_element(i1), emit)
        sides = [index_data(v, type_, tile_of, op, emit) for v in (owner.on_true, owner.on_false)]
        return emit.value(mem.SelectOp.create(operands=[condition, *sides], result_types=[type_]))
    if isinstance(owner, Operation) and type(owner) in _WITHIN:
        left, right = (index_data(v, type_, tile_of, op, emit) for v in owner.operands)
        return binary(_WITHIN[type(owner)], left, right, type_, emit)
    if isinstance(owner, math.AbsIOp):
        source = index_data(owner.operand, type_, tile_of, op, emit)
        zero = emit.value(arith.ConstantOp(IntegerAttr(0, i32)))
        return binary(Alu.MAXIMUM, source, binary(Alu.SUBTRACT, zero, source, type_, emit), type_, emit)
    if isinstance(reason, DataDependent):
        raise CompileError.at(
            op, "64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does"
        )
    raise CompileError.at(op, f"these indices are not supported as values: they have {reason}")


def _counted(place: IndexTensor) -> IndexTensor:
    """Indices, if they move with loop counters alone. Raises NotAffine."""
    for key in place.offset.counters():
        if not is_loop_counter(key):
            owner = key.owner if isinstance(key, SSAValue) else None
            what = owner.name if isinstance(owner, Operation) else "an argument of the function"
            raise NotAffine(
                f"numbers that {what} gives, which are no sum of multiples of loop counters and program ids"
            )
    return place


def _iota(place: IndexTensor, type_: mem.TileType, emit: Emitter) -> SSAValue:
    properties = {"strides": DenseArrayBase.from_list(i64, place.strides)}
    offset = emit.expr(place.offset)
    return emit.value(mem.IotaOp.create(operands=[offset], result_types=[type_], properties=properties))


def _magnitude(place: IndexTensor, type_: mem.TileType) -> int:
    return max(map(abs, place.range(type_.sizes)))


def _check_32_bits(place: IndexTensor, type_: mem.TileType, op: Operation) -> None:
    low, high = place.range(type_.sizes)
    least, most = limits(IntegerType(32))
    if low < least or most < high:
        raise CompileError.at(op, f"indices that reach {low}..{high} do not fit the machine's 32-bit integers")
