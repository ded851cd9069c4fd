"""What scalar arithmetic makes of a program's id, as the number of each program."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType, Signedness, i1
from xdsl.ir import Attribute, Block, Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, limits, value_of, wrapped
from nki_mlir.dialects import tile
from nki_mlir.passes.fold_constants import COMPARED, FOLDED

Table: TypeAlias = "tuple[int, ...]"
"""A value by the number of the program."""


def tables_of(id_: SSAValue, size: int) -> dict[SSAValue, Table]:
    """The id and what is computed of it and constants alone, in the order of the program, where all of `size` programs
    can compute it. Truth values are 0 and 1."""
    found: dict[SSAValue, Table] = {id_: tuple(range(size))}
    assert isinstance(id_.owner, Block)
    for op in id_.owner.walk():
        if any(operand in found for operand in op.operands):
            table = _table(op, found, size)
            if table is not None:
                found[op.results[0]] = table
    return found


def _table(op: Operation, found: Mapping[SSAValue, Table], size: int) -> Table | None:
    function = _function_of(op)
    operands = [found.get(operand) or _constant(operand, size) for operand in op.operands]
    known = [operand for operand in operands if operand is not None]
    if function is None or len(known) < len(operands) or not _are_in_range(op, known):
        return None
    return _fitted([function(*numbers) for numbers in zip(*known, strict=True)], op.results[0].type)


def _constant(value: SSAValue, size: int) -> Table | None:
    number = constant_of(value) if _is_integer(value.type) else None
    return None if number is None else (int(value_of(number)),) * size


def _is_integer(type_: Attribute) -> bool:
    """Whether arithmetic takes it for a signed number."""
    if isinstance(type_, IntegerType):
        return type_.signedness.data is not Signedness.UNSIGNED
    return isinstance(type_, IndexType)


def _are_in_range(op: Operation, operands: Sequence[Table]) -> bool:
    """Whether the operation says what it gives: for divisors that are not 0, and shifts by bits that there are."""
    if isinstance(op, arith.DivSIOp | arith.RemSIOp | arith.FloorDivSIOp):
        return 0 not in operands[1]
    if isinstance(op, arith.ShLIOp | arith.ShRSIOp):
        bits = limits(op.result.type)[1].bit_length() if isinstance(op.result.type, IndexType | IntegerType) else 0
        return 0 <= min(operands[1]) and max(operands[1]) <= bits
    return True


def _fitted(numbers: Sequence[int], type_: Attribute) -> Table | None:
    """Numbers as values of the type: integers wrap around. An index that would has no table."""
    assert isinstance(type_, IndexType | IntegerType)
    if type_ == i1:
        return tuple(int(number != 0) for number in numbers)
    low, high = limits(type_)
    if low <= min(numbers) and max(numbers) <= high:
        return tuple(numbers)
    return None if isinstance(type_, IndexType) else tuple(wrapped(number, type_) for number in numbers)


def _truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int:
    return a - b * _truncated(a, b)


_DIVIDED: Mapping[type[Operation], Callable[[int, int], int]] = {
    arith.DivSIOp: _truncated,
    arith.RemSIOp: _remainder,
    arith.FloorDivSIOp: operator.floordiv,
}


def _function_of(op: Operation) -> Callable[..., Any] | None:
    """What computes its result from the integers that it is given."""
    if len(op.results) != 1 or not all(_is_integer(value.type) for value in (*op.operands, *op.results)):
        return None
    match op:
        case tile.CompareOp():
            return COMPARED[op.predicate.data]
        case tile.SelectOp():
            return lambda condition, on_true, on_false: on_true if condition else on_false
        case tile.CastOp():
            return int
        case arith.AndIOp() | arith.OrIOp() | arith.XOrIOp():
            return FOLDED[type(op)]
        case _ if i1 in (op.operands[0].type, op.results[0].type):
            return None
        case arith.IndexCastOp():
            return int
        case _:
            return _DIVIDED.get(type(op)) or FOLDED.get(type(op))
