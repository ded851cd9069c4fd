"""Whether a NaN that a reduction ignores would end in the same results if it did not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Reduction

_STRICT = (
    arith.AddfOp
    | arith.SubfOp
    | arith.MulfOp
    | arith.DivfOp
    | arith.NegfOp
    | arith.MaximumfOp
    | arith.MinimumfOp
    | math.ExpOp
    | math.LogOp
    | math.SqrtOp
    | math.RsqrtOp
    | math.AbsFOp
    | math.TanhOp
    | math.ErfOp
    | tile.CastOp
)
"""Operations, element by element, of which one NaN makes a NaN."""


@dataclass(frozen=True)
class _Nans:
    """What is known of a value in one slice, an index of the kept dimension, whose elements the reduction finds a NaN
    among. `row` is the dimension of the value that counts the slices, None if all of it belongs to each. `all`: every
    element of the slice is NaN; else at least one is if `some`. `hangs`: the others may depend on what the reduction
    gives."""

    row: int | None
    some: bool = True
    all: bool = False
    hangs: bool = False


def makes_no_difference(op: tile.ReduceOp) -> bool:
    """Whether in each slice with a NaN all that is written and hangs on the reduction's result is NaN, whether the
    result is that NaN or the extremum of the rest. So it is in a softmax: the NaN is in the sum of the exponentials."""
    rank, axis = len(tile.shape_of(op.source)), op.axis.value.data
    if rank > 2 or op.parent is None:
        return False
    known = {
        op.source: _Nans(None if rank == 1 else 1 - axis),
        op.result: _Nans(None if rank == 1 else 0, some=False, hangs=True),
    }
    after = False
    for other in op.parent.ops:
        if other is op:
            after = True
            continue
        operands = [known[v] for v in _operands(other) if v in known]
        if not operands:
            continue
        hangs = any(x.hangs for x in operands)
        if isinstance(other, tile.WriteOp | YieldOp | ForOp) or other.regions:
            if hangs and not (isinstance(other, tile.WriteOp) and known[other.value].all):
                return False
            continue
        result = _through(other, known)
        if result is not None:
            known[other.results[0]] = result
        elif hangs:
            return False
    return after


def _operands(op: Operation) -> list[SSAValue]:
    """Those of inner operations too."""
    return [v for inner in op.walk() for v in inner.operands]


def _through(op: Operation, known: dict[SSAValue, _Nans]) -> _Nans | None:
    """What is known of an operation's result; None if nothing is."""
    operands = [known[v] for v in op.operands if v in known]
    first = operands[0]
    match op:
        case tile.CastOp() if not isinstance(tile.element_of(op.result), AnyFloat):
            return None
        case _ if isinstance(op, _STRICT):
            return _combined(operands)
        case tile.SplatOp() | tile.BroadcastOp():
            return first
        case tile.ExpandDimsOp():
            row = first.row
            return replace(first, row=row if row is None or row < op.axis.value.data else row + 1)
        case tile.ReduceOp() if op.kind.data in (Reduction.SUM, Reduction.MAX, Reduction.MIN):
            return _reduced(first, op.axis.value.data, len(tile.shape_of(op.source)))
        case _:
            return None


def _combined(operands: list[_Nans]) -> _Nans | None:
    rows = {x.row for x in operands}
    if len(rows) > 1:
        return None
    return _Nans(
        operands[0].row,
        any(x.some for x in operands),
        any(x.all for x in operands),
        any(x.hangs for x in operands),
    )


def _reduced(source: _Nans, axis: int, rank: int) -> _Nans | None:
    """Of a whole slice: NaN where one element was."""
    row = source.row
    if axis == row:
        return None
    whole = rank == (1 if row is None else 2)
    kept = row if row is None or row < axis else row - 1
    return _Nans(kept, source.some, source.all or (source.some and whole), source.hangs)
