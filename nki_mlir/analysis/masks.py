"""What is known of masks: comparisons of indices, as bounds on coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, IntegerAttr, IntegerType
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import IndexTensor, NotAffine, describe_op, index_tensor, no_data, reshaped
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate, Position, guard
from nki_mlir.dialects.expr import Counter, Expr

_LESS = {"lt": (1, -1), "le": (1, 0), "gt": (-1, -1), "ge": (-1, 0)}
"""predicate -> (sign, slack): the comparison holds where sign * (rhs - lhs) + slack >= 0."""


def constraints(mask: SSAValue) -> Iterator[IndexTensor]:
    """A mask as a conjunction: it is true where every one of these is >= 0. Raises NotAffine."""
    op = mask.owner
    match op:
        case arith.AndIOp():
            yield from constraints(op.lhs)
            yield from constraints(op.rhs)
        case tile.SplatOp():
            rank = len(tile.shape_of(op.result))
            for part in constraints(op.value):
                yield IndexTensor(part.offset, (0,) * rank)
        case tile.ShapeOp():
            for part in constraints(op.source):
                yield IndexTensor(part.offset, reshaped(op, part.strides))
        case tile.SliceOp():
            yield from (part.sliced(op) for part in constraints(op.source))
        case tile.CompareOp():
            yield from _compared(op)
        case arith.ConstantOp(value=IntegerAttr() as number):
            yield IndexTensor(Expr(0 if number.value.data else -1), ())
        case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
            yield IndexTensor(Expr(0 if dense.get_values()[0] else -1), (0,) * len(tile.shape_of(mask)))
        case _:
            no_data(mask)
            raise NotAffine(f"a mask that is no comparison of indices but {describe_op(op)}")


def implies(mask: SSAValue, parts: Iterable[IndexTensor]) -> bool:
    """Whether a conjunction, given as what is >= 0 where it holds, holds wherever a mask does; not known otherwise."""
    try:
        mine = list(constraints(mask))
    except NotAffine:
        return False
    shape = tile.shape_of(mask)
    return all(any((part + have * -1).range(shape)[0] >= 0 for have in mine) for part in parts)


def _compared(op: tile.CompareOp) -> Iterator[IndexTensor]:
    """A comparison as what is >= 0 where it holds. Raises NotAffine."""
    if not isinstance(tile.element_of(op.lhs), IndexType | IntegerType):
        no_data(op.result)
        raise NotAffine("a mask that compares floats")
    difference, predicate = difference_of(op), op.predicate.data.value
    if predicate == "ne":
        predicate = _one_sided(difference, tile.shape_of(op.lhs))
    for sign, slack in [_LESS[predicate]] if predicate in _LESS else [_LESS["le"], _LESS["ge"]]:
        yield IndexTensor(difference.offset * -sign + slack, tuple(s * -sign for s in difference.strides))


def difference_of(op: tile.CompareOp) -> IndexTensor:
    """Left minus right of a comparison of indices. Raises NotAffine."""
    return index_tensor(op.lhs) + index_tensor(op.rhs) * -1


def _one_sided(difference: IndexTensor, shape: tuple[int, ...]) -> str:
    """The comparison with 0 that is `ne` where the difference lies on one side of it. Raises NotAffine."""
    low, high = difference.range(shape)
    if low >= 0:
        return "gt"
    if high <= 0:
        return "lt"
    raise NotAffine("a mask by '!=', true below and above a value")


def guards(mask: SSAValue) -> list[Coordinate]:
    """A mask as bounds on coordinates of stride 0; what always holds is left out. Raises NotAffine."""
    shape = tile.shape_of(mask)
    found: dict[Expr, tuple[int | None, int | None]] = {}
    for part in constraints(mask):
        if part.range(shape)[0] >= 0:
            continue
        position, low, high = _bound(part, shape)
        have = found.get(position, (None, None))
        found[position] = _narrower(max, have[0], low), _narrower(min, have[1], high)
    return [guard(position, low, high) for position, (low, high) in found.items()]


def _bound(part: IndexTensor, shape: tuple[int, ...]) -> tuple[Expr, int | None, int | None]:
    """What is at least 0 as a position without a constant, and the bound on it that this is."""
    moves = [(Counter(Position(d)), s) for d, s in enumerate(part.strides) if s and shape[d] > 1]
    position = Expr.of(0, (*moves, *part.offset.terms))
    if position.is_const:
        return Expr(0), (None if part.offset.const >= 0 else 1), None
    sign = 1 if position.terms[0][1] > 0 else -1
    divisor = math.gcd(*(coefficient for _, coefficient in position.terms))
    position = Expr.of(0, ((term, sign * coefficient // divisor) for term, coefficient in position.terms))
    if sign > 0:
        return position, -(part.offset.const // divisor), None
    return position, None, part.offset.const // divisor + 1


def _narrower(choose: Callable[[int, int], int], a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else choose(a, b)


def conjuncts(mask: SSAValue | None) -> Iterator[SSAValue]:
    """Conditions that all hold where a mask does."""
    if mask is None:
        return
    if isinstance(mask.owner, arith.AndIOp) and tile.element_of(mask) == IntegerType(1):
        yield from conjuncts(mask.owner.lhs)
        yield from conjuncts(mask.owner.rhs)
    else:
        yield mask


def depends_on(value: SSAValue) -> set[int]:
    """The dimensions along which a value may change."""
    shape, op = tile.shape_of(value), value.owner
    match op:
        case tile.SplatOp():
            return set()
        case tile.BroadcastOp():
            sizes = zip(tile.shape_of(op.source), shape, strict=True)
            return depends_on(op.source) - {d for d, (have, want) in enumerate(sizes) if have != want}
        case tile.ExpandDimsOp():
            axis = op.axis.value.data
            return {dim + (dim >= axis) for dim in depends_on(op.source)}
        case arith.AndIOp() | arith.OrIOp() | tile.CompareOp():
            return {dim for operand in op.operands for dim in depends_on(operand)}
        case _:
            return {dim for dim, size in enumerate(shape) if size > 1}
