"""Which indices are made of integers of data, such as loaded ones of 64 bits."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType
from xdsl.dialects.scf import IfOp
from xdsl.ir import Operation, OpResult, SSAValue

from nki_mlir.dialects import tile


def has_words(value: SSAValue, bits: int = 64) -> bool:
    """Whether indices are made of integers of so many bits or more."""

    def is_found(op: Operation) -> bool:
        integer = converted_integer(op)
        return integer is not None and integer.width.data >= bits

    return is_made_of(value, is_found)


def converted_integer(op: Operation) -> IntegerType | None:
    """The type of the integers that an operation converts."""
    element = tile.element_of(op.operands[0]) if isinstance(op, tile.CastOp | arith.IndexCastOp) else None
    return element if isinstance(element, IntegerType) else None


def is_made_of(value: SSAValue, is_found: Callable[[Operation], bool]) -> bool:
    """Whether indices are made of what such an operation gives."""
    seen, pending = {value}, [value]
    while pending:
        made = pending.pop()
        op = made.owner
        if not isinstance(op, Operation):
            continue
        if is_found(op):
            return True
        sources = [*op.operands, *_yielded(op, made)]
        new = [v for v in sources if v not in seen and isinstance(tile.element_of(v), IndexType)]
        seen.update(new)
        pending += new
    return False


def _yielded(op: Operation, value: SSAValue) -> list[SSAValue]:
    """What the sides of an `if` give for one of its results."""
    if not isinstance(op, IfOp) or not isinstance(value, OpResult):
        return []
    ends = [region.block.last_op for region in op.regions if region.blocks]
    return [end.operands[value.index] for end in ends if end is not None]
