"""Rows and single values that are only spread over partitions are made there: loaded or computed again on each."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects import tile
from nki_mlir.passes.constants import constant_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.layout import is_data, is_placed

Dims = tuple[int, ...]
"""Which dimension of the result each dimension of a value is."""


def spread_rows(func: FuncOp) -> None:
    """Replaces broadcasts and splats that would take a value across partitions, where it can be made on all of them."""
    for op in [o for o in func.walk() if isinstance(o, tile.BroadcastOp | tile.SplatOp)]:
        shape = tile.shape_of(op.result)
        source = op.source if isinstance(op, tile.BroadcastOp) else op.value
        own = tile.shape_of(source)
        if not is_placed(source) or (own or (1,))[0] == shape[0] or shape[0] == 1:
            continue
        dims = tuple(range(len(own)))
        if _spreadable(source):
            op.result.replace_all_uses_with(_Spread(shape).value(source, dims))
            op.detach()
            op.erase()


def _element_by_element(op: Operation) -> bool:
    """Whether each element of the result follows from the elements of the operands at its place."""
    if isinstance(op, tile.CastOp | tile.CompareOp | tile.SelectOp):
        return True
    if isinstance(op, arith.ConstantOp) or len(op.results) != 1 or op.regions:
        return False
    return op.name.startswith(("arith.", "math."))


def _is_index(value: SSAValue) -> bool:
    return not is_data(value.type)


def _spreadable(root: SSAValue) -> bool:
    """Whether a value is made of loads, constants and indices by operations on single elements."""
    seen, pending = {root}, [root]
    while pending:
        value = pending.pop()
        if _is_index(value) or constant_of(value) is not None:
            continue
        match value.owner:
            case tile.ReadOp():
                operands: tuple[SSAValue, ...] = ()
            case tile.ExpandDimsOp() as op:
                operands = (op.source,)
            case tile.ReduceOp() as op if tile.shape_of(op.source) == (1,):
                operands = (op.source,)
            case Operation() as op if _element_by_element(op):
                operands = tuple(op.operands)
            case _:
                return False
        pending += [v for v in operands if v not in seen]
        seen.update(operands)
    return True


class _Spread:
    """Makes values again over a larger shape, each of them once."""

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape
        self.made: dict[tuple[SSAValue, Dims], SSAValue] = {}

    def value(self, value: SSAValue, dims: Dims) -> SSAValue:
        if (value, dims) not in self.made:
            self.made[value, dims] = self._make(value, dims)
        return self.made[value, dims]

    def _make(self, value: SSAValue, dims: Dims) -> SSAValue:
        match value.owner:
            case tile.ReadOp() as op:
                return _read(op, self.shape, dims)
            case tile.ExpandDimsOp() as op:
                axis = op.axis.value.data
                return self.value(op.source, (*dims[:axis], *dims[axis + 1 :]))
            case tile.ReduceOp() as op:
                return self.value(op.source, (0,))
            case Operation() as op:
                emit = Emitter.before(op)
                operands = [self._operand(operand, dims, emit) for operand in op.operands]
                type_ = TensorType(tile.element_of(value), self.shape)
                return emit.value(type(op).create(operands=operands, result_types=[type_], properties=op.properties))
            case _:
                raise ValueError("what is spread is the result of an operation")

    def _operand(self, value: SSAValue, dims: Dims, emit: Emitter) -> SSAValue:
        """Indices and constants are repeated where they are used."""
        if not _is_index(value) and constant_of(value) is None:
            return self.value(value, dims)
        if not dims:
            return emit.value(tile.SplatOp(value, self.shape))
        for axis in range(len(self.shape)):
            if axis not in dims:
                value = emit.value(tile.ExpandDimsOp(value, axis))
        return value if tile.shape_of(value) == self.shape else emit.value(tile.BroadcastOp(value, self.shape))


def _read(op: tile.ReadOp, shape: tuple[int, ...], dims: Dims) -> SSAValue:
    """The load again, with a stride of 0 where it repeats."""
    emit = Emitter.before(op)
    strides = [0] * len(shape)
    valid = [emit.index(size) for size in shape] if op.valid else []
    sizes = tile.shape_of(op.result)
    for d, into in enumerate(dims):
        strides[into] = op.strides.get_values()[d] if sizes[d] > 1 else 0
        if op.valid and sizes[d] > 1:
            valid[into] = op.valid[d]
        elif op.valid and sizes[d] == 1:
            valid[into] = emit.value(arith.MuliOp(op.valid[d], valid[into]))
    type_ = TensorType(tile.element_of(op.result), shape)
    return emit.value(tile.ReadOp(op.source, op.offset, strides, valid, op.other, type_))
