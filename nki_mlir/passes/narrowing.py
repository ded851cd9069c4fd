"""Blocks of `tile` that work on a part of their rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import IndexType, TensorType
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter
from xdsl.traits import IsTerminator

from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.emitter import Emitter

_LINE = 1
"""The dimension of a matrix that a row lies along."""


def narrow(block: Block, columns: int, pieces: int) -> bool:
    """Makes matrices of so many columns in so many pieces, one after the other; gives whether that is so. It is not
    where something else than their elements counts."""
    last = block.last_op
    inner = [op for op in block.ops if op is not last and not isinstance(op, tile.BeginProgramOp)]
    wide = [value for op in inner for value in op.results if _is_wide(value, columns)]
    if columns % pieces or not all(_may_narrow(op) for op in inner if any(_wide_of(op, columns))):
        return False
    if any(op.regions for op in inner) or last is None or not last.has_trait(IsTerminator) or last.operands:
        return False
    emit = Emitter.before(last)
    low, high, step = (emit.index(number) for number in (0, pieces, 1))
    body = Block(arg_types=[IndexType()])
    emit.add(ForOp(low, high, step, [], Region(body)))
    for op in inner:
        op.detach()
        body.add_op(op)
    body.add_op(YieldOp())
    width = columns // pieces
    for op in [op for op in inner if isinstance(op, tile.WriteOp) and _is_wide(op.value, columns)]:
        _move(op, body.args[0], width)
    for op in [op for op in inner if isinstance(op, tile.ReadOp) and _is_wide(op.result, columns)]:
        wide = [_move(op, body.args[0], width) if value is op.result else value for value in wide]
    for value in wide:
        Rewriter.replace_value_with_new_type(value, _type(value, width))
    return True


def _is_wide(value: SSAValue, columns: int) -> bool:
    return len(tile.shape_of(value)) == 2 and tile.shape_of(value)[_LINE] == columns


def _wide_of(op: Operation, columns: int) -> Iterator[SSAValue]:
    return (value for value in (*op.operands, *op.results) if _is_wide(value, columns))


def _may_narrow(op: Operation) -> bool:
    """Whether columns of an operation are made of the same columns of its operands, or of all that these have."""
    match op:
        case tile.ReadOp() | tile.WriteOp():
            return op.mask is None and not op.indices
        case tile.BroadcastOp():
            return tile.shape_of(op.source)[_LINE] == 1
        case _:
            return isinstance(op, tile.SplatOp) or type(op) in ELEMENTWISE


def _move(op: tile.ReadOp | tile.WriteOp, piece: SSAValue, width: int) -> SSAValue:
    """The access of a piece; gives what is moved."""
    at = {Position(_LINE): Expr.counter(Position(_LINE)) + Expr.counter(piece) * width}
    made = Emitter.before(op).add(op.over(op.over_values.substitute(at)))
    for old, new in zip(op.results, made.results, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    op.detach()
    op.erase()
    return made.moved


def _type(value: SSAValue, width: int) -> TensorType:
    return TensorType(tile.element_of(value), (tile.shape_of(value)[0], width))
