"""Registers of the sequencers: which a stream uses, and the instructions that set them."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Block, Operation

from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import AluAttr


def register_move(dst: int, src: Expr) -> isa.RegisterMoveOp:
    return isa.RegisterMoveOp.create(properties={"dst": IntegerAttr(dst, i64), "src": isa.ExprAttr(src)})


def register_alu(op: Alu, dst: int, src: Expr, imm: Expr) -> isa.RegisterAluOp:
    """`dst = op(src, imm)`, of a register or an immediate with an immediate."""
    operands = {"src": isa.ExprAttr(src), "imm": isa.ExprAttr(imm)}
    return isa.RegisterAluOp.create(properties={"op": AluAttr(op), "dst": IntegerAttr(dst, i64), **operands})


def registers_of(block: Block) -> int:
    """One past the largest register that a stream uses."""
    return max((number + 1 for op in block.walk() for number in _used(op)), default=0)


def _used(op: Operation) -> Iterator[int]:
    for name, attribute in op.properties.items():
        match attribute:
            case isa.ExprAttr(data=expr):
                yield from expr.registers()
            case isa.AccessAttr(data=access) if access.address is not None:
                yield from access.address.registers()
            case IntegerAttr() if name in ("dst", "counter", "register"):
                yield attribute.value.data
            case _:
                pass
