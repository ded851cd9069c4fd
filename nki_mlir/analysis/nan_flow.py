"""Whether a NaN that an extremum ignores would end in the same results if it did not."""

from __future__ import annotations

import math as numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FloatAttr
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Reduction

_STRICT: frozenset[type[Operation]] = frozenset(
    {
        arith.AddfOp,
        arith.SubfOp,
        arith.MulfOp,
        arith.DivfOp,
        arith.NegfOp,
        arith.MaximumfOp,
        arith.MinimumfOp,
        math.ExpOp,
        math.LogOp,
        math.SqrtOp,
        math.RsqrtOp,
        math.AbsFOp,
        math.TanhOp,
        math.ErfOp,
        tile.CastOp,
        tile.FunctionOp,
    }
)
"""Operations, element by element, of which one NaN makes a NaN."""


@dataclass(frozen=True)
class _Nans:
    """What is known of a value in one slice, an index of the kept dimension, whose elements the extremum finds a NaN
    among. `row` is the dimension of the value that counts the slices, from number `first` on; None if all of it belongs
    to each. `all`: every element of the slice is NaN; else at least one is if `some`. `hangs`: the others may depend on
    what the extremum is."""

    row: int | None
    some: bool = True
    all: bool = False
    hangs: bool = False
    first: int = 0

    @property
    def counted(self) -> tuple[int | None, int]:
        """Where the number of a slice is in the value."""
        return self.row, self.first


Known = dict[SSAValue, _Nans]


def makes_no_difference(op: tile.ReduceOp) -> bool:
    """Whether in each slice with a NaN all that is written and hangs on the reduction's result is NaN, whether the
    result is that NaN or the extremum of the rest. So it is in a softmax: the NaN is in the sum of the exponentials;
    and in one that goes on block by block, whose sums stay NaN."""
    if len(tile.shape_of(op.source)) > 2:
        return False
    found = {op.source: _slices(op)}
    _follow_up_to(op, op.source, found)
    return _ends_alike(op, {**found, op.result: _kept(op.result, hangs=True)})


def makes_no_difference_in(op: tile.DotOp, source: SSAValue) -> bool:
    """As for a reduction, of a product with rows of which some have a NaN: `source`, of two dimensions, has the rows of
    its first operand. So it is in a softmax whose sums divide what the product gives."""
    found = {source: _Nans(0)}
    _follow_up_to(op, source, found)
    return op.a in found and _ends_alike(op, {**found, op.result: _Nans(0, some=False, hangs=True)})


def makes_no_difference_of_two(op: arith.MaxnumfOp | arith.MinnumfOp, other: SSAValue) -> bool:
    """As for a reduction, of the extremum of a number and of one that may be NaN: `other`, an element of each slice. So
    it is for the running maximum of a softmax that goes on block by block."""
    if len(tile.shape_of(other)) > 1:
        return False
    found, source = {other: _kept(other, all=True), op.result: _kept(op.result, hangs=True)}, _source(other)
    if source is not None:
        if len(tile.shape_of(source.source)) > 2:
            return False
        found[source.source] = _slices(source)
        if op.parent is source.parent:
            _follow_up_to(op, source.source, found)
    return _ends_alike(op, found)


def _follow_up_to(op: Operation, source: SSAValue, found: Known) -> None:
    """Adds what is known of what is made of a value before an operation, in the operation's block."""
    maker, block = source.owner, op.parent
    if block is not None:
        ops = _behind(maker) if isinstance(maker, Operation) and maker.parent is block else list(block.ops)
        _follow(ops[: ops.index(op)], found)


def _behind(op: Operation) -> list[Operation]:
    """What follows an operation in its block."""
    found, later = list[Operation](), op.next_op
    while later is not None:
        found.append(later)
        later = later.next_op
    return found


def _slices(op: tile.ReduceOp) -> _Nans:
    """What is known of what is reduced."""
    return _Nans(None if len(tile.shape_of(op.source)) == 1 else 1 - op.axis.value.data)


def _kept(value: SSAValue, all: bool = False, hangs: bool = False) -> _Nans:
    """What is known of a value that has one element of each slice."""
    return _Nans(0 if tile.shape_of(value) else None, all, all, hangs)


def _source(value: SSAValue) -> tile.ReduceOp | None:
    """The reduction whose extremum, scaled perhaps, a value is: it is NaN only where that is."""
    match value.owner:
        case tile.ReduceOp() as op if op.kind.data in (Reduction.MAX, Reduction.MIN):
            return op
        case arith.MulfOp(lhs=lhs, rhs=rhs):
            scaled = next((x for x, scale in ((lhs, rhs), (rhs, lhs)) if _is_finite_factor(scale)), None)
            return None if scaled is None else _source(scaled)
        case _:
            return None


def _is_finite_factor(value: SSAValue) -> bool:
    number = constant_of(value)
    return isinstance(number, FloatAttr) and numbers.isfinite(number.value.data) and number.value.data != 0


def _ends_alike(op: Operation, found: Known) -> bool:
    if op.parent is None:
        return False
    try:
        _from(op, found)
    except _Difference:
        return False
    return True


class _Difference(Exception):
    """Something is written that may depend on what the extremum is."""


def _from(op: Operation, found: Known) -> None:
    """Follows values from behind an operation to the end of the function, where `found` is known of what it uses and
    makes. Raises _Difference, also where two loops inside one another carry what hangs on it."""
    block, known = op.parent, dict(found)
    assert block is not None
    if not known:
        return
    _follow(_behind(op), known)
    loop = block.parent_op()
    if isinstance(loop, ForOp):
        first = dict.fromkeys(block.args[1:]) | _yielded(loop, known)
        if isinstance(op, ForOp) and any(first.values()):
            raise _Difference
        carried = _carried(loop, first, ({}, found))
        _from(loop, {r: carried[arg] for r, arg in zip(loop.results, block.args[1:], strict=True) if arg in carried})
    elif isinstance(block.last_op, YieldOp) and any(v in known and known[v].hangs for v in block.last_op.operands):
        raise _Difference


def _yielded(loop: ForOp, known: Known) -> dict[SSAValue, _Nans | None]:
    """What is known of a loop's variables at the end of an iteration."""
    end = loop.body.block.last_op
    assert isinstance(end, YieldOp)
    return {arg: known.get(value) for arg, value in zip(loop.body.block.args[1:], end.operands, strict=True)}


def _carried(loop: ForOp, first: dict[SSAValue, _Nans | None], outside: Sequence[Known]) -> Known:
    """What is known of a loop's variables before any iteration, where before one it is `first`. What the body uses
    beside them is known in one of some ways: there may be a NaN again, or none."""
    now = first
    while True:
        met = now
        for others in outside:
            inside = {arg: nans for arg, nans in now.items() if nans is not None} | others
            _follow(list(loop.body.block.ops), inside)
            after = _yielded(loop, inside)
            met = {arg: _either(nans, after[arg]) for arg, nans in met.items()}
        if met == now:
            return {arg: nans for arg, nans in now.items() if nans is not None}
        now = met


def _either(one: _Nans | None, other: _Nans | None) -> _Nans | None:
    """What is known of a value that is known as one or as the other."""
    known = [x for x in (one, other) if x is not None]
    hangs = any(x.hangs for x in known)
    if len({x.counted for x in known}) > 1:
        if hangs:
            raise _Difference
        return None
    both = one is not None and other is not None
    if not known or not (hangs or both):
        return None
    some, all_ = (both and all(getattr(x, name) for x in known) for name in ("some", "all"))
    return replace(known[0], some=some, all=all_, hangs=hangs)


def _follow(ops: list[Operation], known: Known) -> None:
    """Adds what is known of the results of operations that follow one another."""
    for op in ops:
        operands = [known[v] for v in _operands(op) if v in known]
        if not operands or isinstance(op, YieldOp):
            continue
        hangs = any(x.hangs for x in operands)
        if isinstance(op, ForOp):
            args = op.body.block.args[1:]
            first: dict[SSAValue, _Nans | None] = dict(zip(args, map(known.get, op.iter_args), strict=True))
            carried = _carried(op, first, [dict(known)])
            met = {r: _either(known.get(r), carried.get(arg)) for r, arg in zip(op.results, args, strict=True)}
            known |= {r: nans for r, nans in met.items() if nans is not None}
        elif isinstance(op, tile.WriteOp) or op.regions:
            if hangs and not (isinstance(op, tile.WriteOp) and op.value in known and known[op.value].all):
                raise _Difference
        elif len(op.results) == 1 and (result := _through(op, known)) is not None:
            before = known.get(op.results[0], result)
            known[op.results[0]] = replace(before, hangs=before.hangs or result.hangs)
        elif hangs:
            raise _Difference


def _operands(op: Operation) -> Sequence[SSAValue]:
    """Those of inner operations too."""
    return [v for inner in operations(op) for v in inner.operands] if op.regions else op.operands


def _through(op: Operation, known: dict[SSAValue, _Nans]) -> _Nans | None:
    """What is known of an operation's result; None if nothing is."""
    operands = [known[v] for v in op.operands if v in known]
    first = operands[0]
    match op:
        case tile.CastOp() if not isinstance(tile.element_of(op.result), AnyFloat):
            return None
        case _ if type(op) in _STRICT:
            return _combined(operands)
        case arith.MaxnumfOp() | arith.MinnumfOp():
            return _one_of(operands)
        case tile.DotOp():
            return _product(op, known)
        case tile.SplatOp() | tile.BroadcastOp():
            return first
        case tile.ExpandDimsOp():
            row = first.row
            return replace(first, row=row if row is None or row < op.axis.value.data else row + 1)
        case tile.ReshapeOp():
            return _reshaped(first, tile.shape_of(op.source), tile.shape_of(op.result))
        case tile.SliceOp():
            return _sliced(first, op.axis.value.data, op.at.value.data)
        case tile.ConcatOp():
            return _joined(op, known)
        case tile.SelectOp() if op.condition not in known:
            return _one_of(operands)
        case tile.ReduceOp() if op.kind.data in (Reduction.SUM, Reduction.MAX, Reduction.MIN):
            return _reduced(first, op.axis.value.data, len(tile.shape_of(op.source)))
        case _:
            return None


def _reshaped(source: _Nans, have: Sequence[int], want: Sequence[int]) -> _Nans | None:
    """With the slices still along one dimension, or not at all."""
    if source.row is None:
        return source
    before, size = numbers.prod(have[: source.row]), have[source.row]
    rows = (dim for dim, many in enumerate(want) if many == size and numbers.prod(want[:dim]) == before)
    return None if (row := next(rows, None)) is None else replace(source, row=row)


def _sliced(source: _Nans, axis: int, at: int) -> _Nans:
    """Of some slices, or of a part of each, which a NaN among the others is not in."""
    if axis == source.row:
        return replace(source, first=source.first + at)
    return replace(source, some=source.all)


def _joined(op: tile.ConcatOp, known: Known) -> _Nans | None:
    """Of slices, or parts of each, that follow one another."""
    axis, parts = op.axis.value.data, [(known.get(part), start) for part, start in op.placed]
    found = [replace(x, first=x.first - start) if x.row == axis else x for x, start in parts if x is not None]
    if len({x.counted for x in found}) > 1:
        return None
    every = len(found) == len(parts)
    whole = every and all(x.all for x in found)
    some = (every and all(x.some for x in found)) if found[0].row == axis else any(x.some for x in found)
    return replace(found[0], some=some, all=whole, hangs=any(x.hangs for x in found))


def _combined(operands: list[_Nans]) -> _Nans | None:
    if len({x.counted for x in operands}) > 1:
        return None
    some, every, hangs = (any(getattr(x, name) for x in operands) for name in ("some", "all", "hangs"))
    return replace(operands[0], some=some, all=every, hangs=hangs)


def _one_of(operands: list[_Nans]) -> _Nans | None:
    """Of one of two values, element by element: NaN where both are."""
    both, every = _combined(operands), len(operands) == 2 and all(x.all for x in operands)
    return None if both is None else replace(both, some=every, all=every)


def _reduced(source: _Nans, axis: int, rank: int) -> _Nans | None:
    """Of a whole slice: NaN where one element was."""
    row = source.row
    if axis == row:
        return None
    whole = rank == (1 if row is None else 2)
    kept = row if row is None or row < axis else row - 1
    return replace(source, row=kept, all=source.all or (source.some and whole))


def _product(op: tile.DotOp, known: Known) -> _Nans | None:
    """Of rows: one NaN among its terms makes a row of it, and what is added stays NaN."""
    a, acc = known.get(op.a), None if op.acc is None else known.get(op.acc)
    if op.b in known or op.batch[0]:
        return None
    free = [dim for dim in range(len(tile.shape_of(op.a))) if dim not in op.over[0]]
    if a is not None and a.row not in free:
        return None
    counted = {acc.counted} if acc is not None else set[tuple[int | None, int]]()
    counted |= {(free.index(cast("int", a.row)), a.first)} if a is not None else set()
    row, first = next(iter(counted))
    if len(counted) != 1 or row is None:
        return None
    every = (a is not None and (a.all or (a.some and len(free) == 1))) or (acc is not None and acc.all)
    some = every or (a is not None and a.some) or (acc is not None and acc.some)
    return _Nans(row, some, every, any(x is not None and x.hangs for x in (a, acc)), first)
