"""Which indices are made of integers of data, such as loaded ones of 64 bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType
from xdsl.dialects.scf import ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue

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


def makes_number(op: Operation) -> bool:
    """Whether it makes indices of integers that were loaded or computed as such; a loop may carry an index as one."""
    return converted_integer(op) is not None and tile.CARRIED not in op.attributes


def is_made_of(value: SSAValue, is_found: Callable[[Operation], bool]) -> bool:
    """Whether indices are made of what such an operation gives."""
    seen, pending = {value}, [value]
    while pending:
        made = pending.pop()
        op = made.owner
        if isinstance(op, Operation) and is_found(op):
            return True
        new = [v for v in _sources(made) if v not in seen and isinstance(tile.element_of(v), IndexType)]
        seen.update(new)
        pending += new
    return False


def _sources(value: SSAValue) -> Sequence[SSAValue]:
    """What a value is made of: operands, what regions give for it, what a loop that carries it starts from."""
    op = value.owner
    if isinstance(op, Block):
        return _starts(value)
    if isinstance(op, ForOp | WhileOp) and isinstance(value, OpResult):
        return [_inits(op)[value.index], *yielded(op, value)]
    return [*op.operands, *yielded(op, value)]


def _starts(value: SSAValue) -> Sequence[SSAValue]:
    """What a carried argument of a loop's body is in the first iteration."""
    if not isinstance(value, BlockArgument):
        return []
    loop = value.block.parent_op()
    if not isinstance(loop, ForOp | WhileOp):
        return []
    inits = _inits(loop)
    number = value.index - len(value.block.args) + len(inits)
    return inits[number : number + 1] if number >= 0 else []


def _inits(loop: ForOp | WhileOp) -> Sequence[SSAValue]:
    return loop.iter_args if isinstance(loop, ForOp) else loop.arguments


def yielded(op: Operation, value: SSAValue) -> list[SSAValue]:
    """What the sides of an `if`, or the iterations of a loop, give for one of its results."""
    if not isinstance(op, IfOp | ForOp | WhileOp) or not isinstance(value, OpResult):
        return []
    regions = op.regions[-1:] if isinstance(op, WhileOp) else op.regions
    ends = [region.block.last_op for region in regions if region.blocks]
    return [end.operands[value.index] for end in ends if isinstance(end, YieldOp)]
