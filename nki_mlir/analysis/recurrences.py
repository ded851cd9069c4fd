"""What a loop carries from one block to the next: running maxima, and sums that are scaled as a maximum rises.

Whatever numbers m a variable goes through, `c' = c * exp(b * (m - m')) + sum of exp(b * (x - m')) * v` ends in
`c(0) * exp(b * (m(0) - m)) + sum of exp(b * (x - m)) * v` over all x and v seen: where one block ends and the next
begins makes no difference but to rounding. So blocks may be done several at a time, as those of plain sums may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isclose, isfinite
from typing import NamedTuple

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, f32
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.constants import number_of, scaled
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Reduction

ALIKE = 1e-6
"""Factors that differ by less are one that was computed in another order."""


class Scale(NamedTuple):
    """What a sum is multiplied by as a running maximum rises: `product` is the sum times `factor`, which is exp of
    `rate` times what `maximum` was before a block less what it is after it."""

    product: SSAValue
    factor: SSAValue
    rate: float
    maximum: SSAValue


class Recurrence(NamedTuple):
    """A loop of which each variable is a running maximum or a sum. `joins` are the reductions and products that go on
    over the next block; `rising` are the running maxima, before a block, with what they are after it, without which all
    sums are plain; `scales` are those of sums. With `scaled`, what a block adds is multiplied by something else than
    numbers."""

    joins: frozenset[Operation]
    rising: Mapping[SSAValue, SSAValue]
    scales: Mapping[SSAValue, Scale]
    scaled: bool

    @property
    def has_maximum(self) -> bool:
        return bool(self.rising)

    @property
    def maxima(self) -> frozenset[SSAValue]:
        """The running maxima, before a block and after it."""
        return frozenset((*self.rising, *self.rising.values()))


def recurrence(loop: ForOp) -> Recurrence | None:
    """How a loop goes on from block to block; None where it does anything else."""
    try:
        return _Body(loop).recurrence()
    except _Unknown:
        return None


def goes_on_from(loop: ForOp, before: ForOp) -> bool:
    """Whether a loop starts with all that another one ends with, which nothing else sees."""
    starts, ends = loop.iter_args, before.results
    return (
        bool(ends)
        and len(starts) == len(ends)
        and all(start is end and end.has_one_use() for start, end in zip(starts, ends, strict=True))
    )


class _Unknown(Exception):
    """Something is neither a running maximum nor a sum."""


class _Atom(NamedTuple):
    """A running maximum, before a block or after it, as a factor of another value; `dims` are those of that value which
    its own lie in, but for those of size 1."""

    value: SSAValue
    dims: tuple[int, ...]


_Exponent = dict[_Atom | None, float]
"""A sum of multiples of running maxima. None is there if something is in it that hangs on no variable."""

_FREE: _Exponent = {None: 1.0}


class _Body:
    """A loop's body; `after` has what each running maximum becomes, `hanging` what depends on variables."""

    def __init__(self, loop: ForOp):
        block = loop.body.block
        end = block.last_op
        assert isinstance(end, YieldOp)
        self.carried = list(zip(block.args[1:], end.operands, strict=True))
        self.after: dict[SSAValue, SSAValue] = {}
        self.joins = set[Operation]()
        self.scales: dict[SSAValue, Scale] = {}
        self.scaled = False
        for old, new in self.carried:
            if (highest := _other(new, old, (arith.MaximumfOp, arith.MaxnumfOp))) is not None:
                self.after[old] = new
                self.joins.add(_maximum_in(highest))
        self.hanging = hanging(block, (*block.args[1:], *(result for op in self.joins for result in op.results)))
        if not self.hanging.isdisjoint(operand for op in self.joins for operand in op.operands):
            raise _Unknown

    def recurrence(self) -> Recurrence:
        for old, new in self.carried:
            if old not in self.after:
                self._sum(old, new)
        return Recurrence(frozenset(self.joins), self.after, self.scales, self.scaled)

    def _sum(self, start: SSAValue, value: SSAValue) -> None:
        """Finds what is added to a variable. All of it is scaled as the variable is."""
        if tile.element_of(value) != f32:
            raise _Unknown
        weights = list[_Exponent]()
        while (scale := self._scale(value, start)) is None:
            value = self._without_last(value, start, weights)
        wanted: _Exponent = {atom: factor for atom, factor in scale.items() if atom and atom.value not in self.after}
        for weight in weights:
            _same(wanted, weight)

    def _scale(self, value: SSAValue, start: SSAValue) -> _Exponent | None:
        """The exponent of what a variable is multiplied by, which is a maximum before a block less the same one after
        it; None where there is something to add."""
        if value is start:
            return {}
        if (factor := _other(value, start, (arith.MulfOp,))) is None:
            return None
        exponent = self._weight(factor)
        if None in exponent or len(exponent) != 2:
            raise _Unknown
        before, after = sorted((atom for atom in exponent if atom), key=lambda atom: atom.value not in self.after)
        if self.after.get(before.value) is not after.value or before.dims != after.dims or exponent[before] <= 0:
            raise _Unknown
        if not isclose(exponent[before], -exponent[after], rel_tol=ALIKE):
            raise _Unknown
        self.scales[start] = Scale(value, factor, exponent[before], before.value)
        return exponent

    def _without_last(self, value: SSAValue, start: SSAValue, weights: list[_Exponent]) -> SSAValue:
        """A sum without what is added last, of which the weight is noted."""
        match value.owner:
            case tile.DotOp(acc=SSAValue() as rest) as op:
                self.joins.add(op)
                weights.append(self._product(op))
                return rest
            case arith.AddfOp() as op:
                rests = [operand for operand in op.operands if _leads(start, operand)]
                if len(rests) != 1:
                    raise _Unknown
                (term,) = (operand for operand in op.operands if operand is not rests[0])
                self.joins.update(_sums_in(term))
                self.scaled |= _is_scaled(term)
                weights.append(self._weight(term))
                return rests[0]
            case _:
                raise _Unknown

    def _weight(self, value: SSAValue) -> _Exponent:
        """The exponent of a value that is exp of something times what hangs on no variable."""
        if value not in self.hanging:
            return _FREE
        op = value.owner
        match op:
            case math.ExpOp():
                return self._exponent(op.operand)
            case arith.MulfOp():
                return _sum([self._weight(op.lhs), self._weight(op.rhs)])
            case arith.DivfOp() if op.rhs not in self.hanging:
                return self._weight(op.lhs) | _FREE
            case arith.NegfOp():
                return self._weight(op.operand) | _FREE
            case tile.CastOp() if isinstance(tile.element_of(op.result), AnyFloat):
                return self._weight(op.source) | _FREE
            case arith.AddfOp() | arith.SubfOp():
                return _same(self._weight(op.lhs), self._weight(op.rhs)) | _FREE
            case tile.SelectOp() if op.condition not in self.hanging:
                sides = [side for side in (op.on_true, op.on_false) if number_of(side) != 0]
                return _same(self._weight(sides[0]), self._weight(sides[-1])) | _FREE
            case tile.ReduceOp(kind=kind) if kind.data is Reduction.SUM:
                axis = op.axis.value.data
                kept = [None if d == axis else d - (d > axis) for d in range(len(tile.shape_of(op.source)))]
                return _moved(self._weight(op.source), kept) | _FREE
            case tile.DotOp(acc=None):
                return self._product(op)
            case tile.ShapeOp() | tile.SplatOp():
                return _moved(self._weight(op.operands[0]), _dims(op))
            case _:
                raise _Unknown

    def _product(self, op: tile.DotOp) -> _Exponent:
        """The exponent of a product, but for what it is added to."""
        found, next_ = list[_Exponent](), len(op.batch[0])
        for value, over, batch in zip((op.a, op.b), op.over, op.batch, strict=True):
            kept = list[int | None]()
            for dim in range(len(tile.shape_of(value))):
                is_free = dim not in (*over, *batch)
                kept.append(next_ if is_free else batch.index(dim) if dim in batch else None)
                next_ += is_free
            found.append(_moved(self._weight(value), kept))
        return _sum(found) | _FREE

    def _exponent(self, value: SSAValue) -> _Exponent:
        """A value as a sum of multiples of running maxima."""
        if value not in self.hanging:
            return _FREE
        if value in self.after or value in self.after.values():
            return {_Atom(value, tuple(d for d, size in enumerate(tile.shape_of(value)) if size > 1)): 1.0}
        op = value.owner
        match op:
            case arith.AddfOp():
                return _sum([self._exponent(op.lhs), self._exponent(op.rhs)])
            case arith.SubfOp():
                return _sum([self._exponent(op.lhs), _times(self._exponent(op.rhs), -1)])
            case arith.NegfOp():
                return _times(self._exponent(op.operand), -1)
            case arith.MulfOp() if product := scaled(op):
                return _times(self._exponent(product[0]), product[1])
            case arith.DivfOp() if number := number_of(op.rhs):
                return _times(self._exponent(op.lhs), 1 / number)
            case tile.ShapeOp() | tile.SplatOp():
                return _moved(self._exponent(op.operands[0]), _dims(op))
            case _:
                raise _Unknown


def hanging(block: Block, start: Iterable[SSAValue]) -> set[SSAValue]:
    """These values of a loop's body, and those that depend on them."""
    found = set(start)
    for op in block.ops:
        if not found.isdisjoint(operand for inner in op.walk() for operand in inner.operands):
            found.update(op.results)
    return found


def _other(value: SSAValue, one: SSAValue, kinds: tuple[type[Operation], ...]) -> SSAValue | None:
    """The second operand where a value is an operation of some kinds of two, of which one is given."""
    if not isinstance(value.owner, kinds) or one not in value.owner.operands:
        return None
    return next((operand for operand in value.owner.operands if operand is not one), None)


def _leads(start: SSAValue, value: SSAValue) -> bool:
    """Whether a sum, or product, that begins with a variable ends in a value."""
    match value.owner:
        case _ if value is start:
            return True
        case tile.DotOp(acc=SSAValue() as acc):
            return _leads(start, acc)
        case arith.AddfOp() | arith.MulfOp() as op:
            return any(_leads(start, operand) for operand in op.operands)
        case _:
            return False


def _maximum_in(value: SSAValue) -> Operation:
    """The maximum over a block that a value rises with."""
    op = value.owner
    match op:
        case tile.ReduceOp(kind=kind) if kind.data in (Reduction.MAX, Reduction.MAXNUM):
            return op
        case tile.ShapeOp() | tile.SplatOp():
            return _maximum_in(op.operands[0])
        case tile.CastOp() if isinstance(tile.element_of(op.result), AnyFloat):
            return _maximum_in(op.source)
        case arith.MulfOp() if (product := scaled(op)) and product[1] > 0:
            return _maximum_in(product[0])
        case _:
            raise _Unknown


def _sums_in(value: SSAValue) -> list[Operation]:
    """The sums over a block that a value is made of, scaled or added up."""
    op = value.owner
    match op:
        case tile.DotOp(acc=None):
            return [op]
        case tile.ReduceOp(kind=kind) if kind.data is Reduction.SUM:
            return [op]
        case tile.ShapeOp() | tile.SplatOp() | tile.CastOp() | arith.NegfOp():
            return _sums_in(op.operands[0])
        case arith.AddfOp() | arith.SubfOp():
            return [*_sums_in(op.lhs), *_sums_in(op.rhs)]
        case arith.MulfOp():
            return _sums_in(op.lhs if number_of(op.rhs) is not None else op.rhs)
        case _:
            raise _Unknown


def _is_scaled(value: SSAValue) -> bool:
    """Whether a sum over a block in a value is multiplied by something else than a number."""
    op = value.owner
    match op:
        case tile.ShapeOp() | tile.SplatOp() | tile.CastOp() | arith.NegfOp():
            return _is_scaled(op.operands[0])
        case arith.AddfOp() | arith.SubfOp():
            return _is_scaled(op.lhs) or _is_scaled(op.rhs)
        case arith.MulfOp():
            number, other = (op.rhs, op.lhs) if number_of(op.rhs) is not None else (op.lhs, op.rhs)
            found = number_of(number)
            return found is None or not isfinite(found) or _is_scaled(other)
        case _:
            return False


def _dims(op: Operation) -> list[int | None]:
    """Where each dimension of a shape operation's source is in its result, but for those of size 1."""
    source, result = op.operands[0], op.results[0]
    match op:
        case tile.PermuteOp():
            order = op.order.get_values()
            return [order.index(dim) for dim in range(len(order))]
        case tile.BroadcastOp():
            return list(range(len(tile.shape_of(source))))
        case _:
            have, want = tile.shape_of(source), tile.shape_of(result)
            places = [dim for dim, size in enumerate(want) if size > 1]
            if isinstance(op, tile.SplatOp) or [n for n in have if n > 1] == [want[dim] for dim in places]:
                rest = iter(places)
                return [next(rest) if size > 1 else None for size in have]
            return [None] * len(have)


def _moved(exponent: _Exponent, dims: Sequence[int | None]) -> _Exponent:
    """An exponent of a value, each dimension `d` of which is `dims[d]` of another, or is gone."""
    moved: _Exponent = {}
    for atom, factor in exponent.items():
        if atom is not None:
            places = [dims[dim] for dim in atom.dims]
            if None in places:
                raise _Unknown
            atom = _Atom(atom.value, tuple(place for place in places if place is not None))
        moved[atom] = factor
    return moved


def _sum(exponents: Iterable[_Exponent]) -> _Exponent:
    total: _Exponent = {}
    for exponent in exponents:
        for atom, factor in exponent.items():
            total[atom] = total.get(atom, 0.0) + factor
    return {atom: factor for atom, factor in total.items() if factor or atom is None}


def _times(exponent: _Exponent, factor: float) -> _Exponent:
    return {atom: have * factor for atom, have in exponent.items()}


def _same(one: _Exponent, other: _Exponent) -> _Exponent:
    """One of two exponents that have to be one, but for what hangs on no variable."""
    if one.keys() - {None} != other.keys() - {None}:
        raise _Unknown
    if not all(isclose(factor, other[atom], rel_tol=ALIKE) for atom, factor in one.items() if atom):
        raise _Unknown
    return one
