"""Instructions for masks: positions are counted and compared with their bounds."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, i1
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import check_affine, is_interval, positions, resolved
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.coordinates import Coordinates, Position, guard
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.limited_parts import ends_freely, fill_rest
from nki_mlir.passes.select_iota import count
from nki_mlir.passes.selector import Fill, Selector
from nki_mlir.passes.storage import Storage
from nki_mlir.passes.valid import Box, Valid, greatest, least, valid_of

MOST_BOXES = 8
"""How many boxes are made by instructions of their own, before one that counts with the loops is."""


def select_mask(s: Selector, op: Operation, emit: Emitter) -> None:
    """All but the end of a dimension is set; of other boxes each is, in the iterations in which what holds is that;
    else each bounded position is compared with its bounds."""
    assert isinstance(op, mem.MaskOp)
    check_affine(op)
    coordinates = resolved(op.over_values)
    valid = valid_of(op, emit) if all(map(is_interval, coordinates.bounded)) else None
    is_end = valid is not None and ends_freely(mem.tile_type(op.result).layout, valid)
    if is_end and all(is_end_filled(use.operation) for use in op.result.uses):
        return
    result = s.result(op, emit)
    if valid is None or len(valid.boxes) > MOST_BOXES:
        _compare(s, op, result, coordinates, emit)
        return
    if is_end:
        s.memset(result, IntegerAttr(1, i1), emit)
        fill_rest(s, result, valid, Fill(IntegerAttr(0, i1)), emit)
        return
    one_way = len(valid.boxes) + valid.has_none == 1
    for box in valid.boxes:
        above = valid.are_in(box)
        with s.guarded(None if one_way else least(above, emit), emit):
            _compare(s, op, result, _within(valid, box), emit)
    if valid.has_none:
        with s.guarded(None if one_way else greatest(valid.are_none(), emit), emit):
            s.memset(result, IntegerAttr(0, i1), emit)


def free_end(value: SSAValue, emit: Emitter) -> Valid | None:
    """What is set of a mask that is all but the ends of one free dimension; None for any other value."""
    op = value.owner
    if not isinstance(op, mem.MaskOp) or not all(map(is_interval, resolved(op.over_values).bounded)):
        return None
    valid = valid_of(op, emit)
    return valid if valid is not None and ends_freely(mem.tile_type(value).layout, valid) else None


def is_end_filled(op: Operation) -> bool:
    """Whether an operation puts a constant where a mask does not hold."""
    return (
        isinstance(op, mem.SelectOp)
        and isinstance(op.on_true.type, mem.TileType)
        and isinstance(op.on_false.owner, arith.ConstantOp)
    )


def _within(valid: Valid, box: Box) -> Coordinates:
    """The places of a box."""
    short = [dim for dim in range(valid.rank) if box[dim] != valid.full[dim]]
    return Coordinates(tuple(guard(Expr.counter(Position(dim)), *box[dim]) for dim in short))


def _compare(s: Selector, op: mem.MaskOp, result: Storage, coordinates: Coordinates, emit: Emitter) -> None:
    """All true, or each bounded position compared with its bounds."""
    first = True
    for part in coordinates.bounded:
        indices = s.temporary(result.type.with_element(f32), emit)
        strides = [part.coefficient(dim) for dim in range(len(result.type.sizes))]
        count(s, op, part.rest, strides, indices, emit)
        smallest, largest = positions(part, result.type.sizes)
        low = None if part.low is None or part.low <= smallest else part.low
        high = None if part.high is None or part.high > largest else part.high
        for alu, limit in ((Alu.GREATER_EQUAL, low), (Alu.LESS, high)):
            if limit is None:
                continue
            within = result if first else s.temporary(result.type, emit)
            s.over(emit, "tensor_scalar", {"dst": within, "data": indices}, {"operand0": emit.float(limit)}, op0=alu)
            if not first:
                both = {"dst": result, "data1": result, "data2": within}
                s.over(emit, "tensor_tensor", both, op=Alu.LOGICAL_AND)
            first = False
    if first:
        s.memset(result, IntegerAttr(1, i1), emit)
