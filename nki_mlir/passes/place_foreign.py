"""What `place` takes no tensors of: calls, types that the machine lacks, operations of no level of ours, and those of
standard dialects that `tile` has a form of its own for."""

from __future__ import annotations

from collections.abc import Container

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.scf import ForOp, IfOp, WhileOp
from xdsl.ir import Block, Operation
from xdsl.traits import is_side_effect_free

from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import is_number
from nki_mlir.errors import CompileError
from nki_mlir.passes.levels import LEGAL, TILE
from nki_mlir.passes.place_regions import decides
from nki_mlir.passes.placement import is_data, is_placed

REFUSED: dict[type[Operation], str] = {
    CallOp: "calls (func.call) are not supported",
    tile.ProgramsOp: "programs in parallel have no place; run programs-to-loops first",
    **dict.fromkeys((tile.LoadOp, tile.StoreOp), "pointers have no place; run structure-accesses first"),
    tile.AtomicOp: "an atomic operation has no place; run expand-atomics,structure-accesses first",
}
INSTEAD: dict[type[Operation], str] = {
    arith.CmpiOp: "tile.compare",
    arith.CmpfOp: "tile.compare",
    arith.SelectOp: "tile.select",
    **dict.fromkeys((arith.IndexCastOp, arith.SIToFPOp, arith.FPToSIOp, arith.ExtFOp, arith.TruncFOp), "tile.cast"),
    **dict.fromkeys((arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp), "tile.cast"),
}
"""What is written in place of an operation of a standard dialect on data."""


def refuse_foreign(func: FuncOp) -> None:
    """Calls, types that the machine lacks, and operations of no level that use tensors: `place` takes the
    tensors away from them."""
    for op in func.walk():
        if type(op) in REFUSED:
            raise CompileError.at(op, REFUSED[type(op)])
        if type(op) in INSTEAD and not _is_scalar(op):
            raise CompileError.at(op, f"{op.name} of data is not supported; {INSTEAD[type(op)]} is")
        if op.regions and not isinstance(op, FuncOp | ForOp | IfOp | WhileOp):
            raise CompileError.at(op, f"{op.name} holds operations; of {TILE}, scf.for, scf.if and scf.while do")
        touched = [v for v in (*op.operands, *op.results) if is_data(v.type)]
        for value in op.operands:
            if isinstance(value.owner, arith.ConstantOp) and is_placed(value):
                raise CompileError.at(op, f"a {value.type} that is neither loaded nor computed; pass it as an argument")
        moved = {tile.ReadOp: op.results, tile.WriteOp: op.operands[:1]}.get(type(op), ())
        for value in (*moved, *touched):
            if not is_number(tile.element_of(value)):
                raise CompileError.at(op, f"the machine has no numbers of type {tile.element_of(value)}")
        if touched and len(op.results) > 1 and not isinstance(op, ForOp | IfOp | WhileOp):
            raise CompileError.at(op, f"{op.name} on tiles is not supported: no engine has it")
        if not LEGAL[TILE].allows(op.name) and touched:
            raise CompileError.at(op, f"{op.name} is not an operation of {TILE}; it can't use a tensor or a float")


def _is_scalar(op: Operation) -> bool:
    """Whether an operation is arithmetic on indices: what compares them may only say where control goes."""
    if isinstance(op, arith.CmpiOp):
        return isinstance(op.lhs.type, IndexType) and decides(op.result)
    return not is_data(op.results[0].type)


def check_dropped(op: Operation, gone: Container[Operation | Block]) -> None:
    """What has effects is never dropped with an operand of it that is no scalar. Raises CompileError."""
    if not is_side_effect_free(op):
        lost = next(v.owner for v in op.operands if v.owner in gone)
        what = lost.name if isinstance(lost, Operation) else "a loop"
        raise CompileError.at(op, f"{op.name} has an index that {what} computes of data, which is not supported here")
