"""Products whose rows, or columns, are shifted: what is added goes into the same sum, as a product with ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.dialects.builtin import bf16, f32
from xdsl.ir import SSAValue

from nki_mlir.analysis.constants import number_of
from nki_mlir.analysis.indices import IndexTensor, NotAffine, reshaped
from nki_mlir.analysis.masks import constraints, implies
from nki_mlir.analysis.recurrences import ALIKE
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.tile_builder import TileBuilder

PIECES = 3
"""Numbers of bf16 whose sum is one of fp32: each has eight of its bits."""

_LARGEST = float.fromhex("0x1.fep127")
"""The largest number of bf16: rounding what is larger gives none."""


LOWEST = -1e9
"""What is replaced by such a number, or less, is no score: its exponential is 0 where the row has others."""


class Mask(NamedTuple):
    """Scores that count where `parts`, of comparisons of indices, are all >= 0. Elsewhere they are replaced by a very
    low number, if there is a `condition`, or `added`, a tile, times `factor` is added to them: `-inf`, if
    `is_infinite`."""

    parts: tuple[IndexTensor, ...]
    is_infinite: bool
    condition: SSAValue | None = None
    added: SSAValue | None = None
    factor: float = 1.0


class Shift(NamedTuple):
    """The sum of `factor` times a product and of `rate` times a maximum that lies along dimension `dim` of it, where
    the `masks` hold."""

    product: tile.DotOp
    factor: float
    rate: float
    dim: int
    masks: tuple[Mask, ...] = ()

    @staticmethod
    def of(value: SSAValue, maximum: SSAValue, hangs: Callable[[SSAValue], bool]) -> Shift | None:
        """None for any other value. `hangs` says what depends on the maximum."""
        products, rate, dims, masks = list[tuple[tile.DotOp, float]](), 0.0, set[int](), list[Mask]()
        for leaf, factor in _terms(value, 1.0, masks):
            if hangs(leaf):
                along = _along(leaf, maximum)
                if along is None:
                    return None
                rate += factor * along[0]
                dims.add(along[1])
            elif isinstance(leaf.owner, tile.DotOp):
                products.append((leaf.owner, factor))
            elif (mask := _added(leaf, factor)) is not None:
                masks.append(mask)
            else:
                return None
        if len(products) != 1 or len(dims) != 1 or not rate or not products[0][1]:
            return None
        (product, factor), (dim,) = products[0], dims
        sizes = tile.shape_of(product.result)
        if len(sizes) != 2 or tile.element_of(product.result) != f32 or product.batch[0] or product.acc is not None:
            return None
        column = tuple(size if n == dim else 1 for n, size in enumerate(sizes))
        if tile.shape_of(maximum) not in ((sizes[dim],), column):
            return None
        return Shift(product, factor, rate, dim, _needed(masks))

    @property
    def may_be_empty(self) -> bool:
        """Whether rows without any score that counts are computed right: what is infinitely low makes no number."""
        return all(mask.is_infinite for mask in self.masks)

    def counts(self, first: Mapping[SSAValue, Expr]) -> bool:
        """Whether each row has a score that counts, at one of its ends, with what counters are in the first iteration
        of a loop."""
        shape, across = tile.shape_of(self.product.result), 1 - self.dim
        parts = [part for mask in self.masks for part in mask.parts]
        firsts = [part.offset.substitute(first) for part in parts]
        return any(
            all(
                IndexTensor(first + part.strides[across] * end, (part.strides[self.dim],)).range((shape[self.dim],))[0]
                >= 0
                for first, part in zip(firsts, parts, strict=True)
            )
            for end in (0, shape[across] - 1)
        )

    def shifts_like(self, other: Shift) -> bool:
        """Whether what the maximum adds is the same, but for rounding, and as wide."""
        same = math.isclose(self.rate / self.factor, other.rate / other.factor, rel_tol=ALIKE)
        return same and self.dim == other.dim and self.product.result.type == other.product.result.type

    def pieces(self, maximum: SSAValue, build: TileBuilder) -> tuple[SSAValue, SSAValue]:
        """The two operands of the product that adds what the maximum does: its pieces, and ones."""
        sizes = tile.shape_of(self.product.result)
        column = [size if dim == self.dim else 1 for dim, size in enumerate(sizes)]
        pieces = [size if dim == self.dim else PIECES for dim, size in enumerate(sizes)]
        emit = build.emit
        if len(tile.shape_of(maximum)) == 1:
            maximum = emit.value(tile.ExpandDimsOp(maximum, 1 - self.dim))
        rest = emit.value(arith.MulfOp(maximum, build.float(self.rate / self.factor, column)))
        line = [1 if dim == self.dim else PIECES for dim in range(2)]
        number = build.spread(emit.value(tile.ArangeOp(0, PIECES)), [1 - self.dim], [0, 1], line)
        total: SSAValue | None = None
        for n in range(PIECES):
            piece = build.cast(build.cast(_clamped(rest, build) if n == 0 else rest, bf16), f32)
            rest = emit.value(arith.SubfOp(rest, piece))
            wide = emit.value(tile.BroadcastOp(piece, pieces))
            if total is not None:
                is_mine = emit.value(tile.BroadcastOp(build.compare(Predicate.EQ, number, n), pieces))
                wide = build.select(is_mine, wide, total)
            total = wide
        assert total is not None
        ones = [PIECES if dim == self.dim else size for dim, size in enumerate(sizes)]
        made = build.cast(total, bf16), build.float(1.0, ones, bf16)
        return made if self.dim == 0 else (made[1], made[0])


def _terms(value: SSAValue, factor: float, masks: list[Mask]) -> Iterator[tuple[SSAValue, float]]:
    """What a value is a sum of, with what each is multiplied by. Adds to `masks` where one of them is a very low number
    instead, which all of the sum is then too."""
    op = value.owner
    match op:
        case arith.AddfOp():
            yield from _terms(op.lhs, factor, masks)
            yield from _terms(op.rhs, factor, masks)
        case arith.SubfOp():
            yield from _terms(op.lhs, factor, masks)
            yield from _terms(op.rhs, -factor, masks)
        case arith.MulfOp() | arith.DivfOp() | arith.NegfOp() if (scaled := _scaled(op)) is not None:
            yield from _terms(scaled[0], factor * scaled[1], masks)
        case tile.SelectOp() if factor > 0 and (mask := _replaced(op, factor)) is not None:
            masks.append(mask)
            yield from _terms(op.on_true, factor, masks)
        case _:
            yield value, factor


def _needed(masks: Sequence[Mask]) -> tuple[Mask, ...]:
    """Masks without those that hold wherever another one does: where they don't, there is no score already."""
    kept = list(masks)
    for mask in masks:
        others = [other.condition for other in kept if other is not mask and other.condition is not None]
        if mask.condition is not None and any(implies(other, mask.parts) for other in others):
            kept.remove(mask)
    return tuple(kept)


def _replaced(choice: tile.SelectOp, factor: float) -> Mask | None:
    """The mask of a choice between scores and a very low number, with what it is multiplied by."""
    low, parts = number_of(choice.on_false), _parts(choice.condition)
    if low is None or factor * low > LOWEST or parts is None:
        return None
    return Mask(parts, low == -math.inf, condition=choice.condition)


def _added(value: SSAValue, factor: float) -> Mask | None:
    """A value that is 0 where a comparison of indices holds, and negative elsewhere, with what it is multiplied by."""
    op = value.owner
    match op:
        case tile.ShapeOp() if (inner := _added(op.source, factor)) is not None:
            parts = tuple(IndexTensor(part.offset, reshaped(op, part.strides)) for part in inner.parts)
            return inner._replace(parts=parts, added=value)
        case tile.SelectOp() if (parts := _parts(op.condition)) is not None:
            kept, other = number_of(op.on_true), number_of(op.on_false)
            if kept != 0 or other is None or not factor * other < 0:
                return None
            return Mask(parts, other == -math.inf, added=value, factor=factor)
        case _:
            return None


def _parts(condition: SSAValue) -> tuple[IndexTensor, ...] | None:
    """What is >= 0 where a condition holds; None for those that do not compare indices."""
    try:
        return tuple(constraints(condition))
    except NotAffine:
        return None


def _scaled(op: arith.MulfOp | arith.DivfOp | arith.NegfOp) -> tuple[SSAValue, float] | None:
    """What is multiplied by a number, and the number."""
    if isinstance(op, arith.NegfOp):
        return op.operand, -1.0
    if (found := number_of(op.rhs)) is not None:
        return (op.lhs, found if isinstance(op, arith.MulfOp) else 1 / found) if found else None
    found = number_of(op.lhs) if isinstance(op, arith.MulfOp) else None
    return None if found is None else (op.rhs, found)


def _along(value: SSAValue, maximum: SSAValue) -> tuple[float, int] | None:
    """What a maximum is multiplied by in a value of two dimensions, and along which it lies; None for other values."""
    factor, dim = 1.0, None
    while value is not maximum:
        op = value.owner
        match op:
            case tile.BroadcastOp() if dim is None and len(tile.shape_of(value)) == 2:
                dim = next((d for d in (0, 1) if tile.shape_of(op.source)[1 - d] == 1), None)
                if dim is None:
                    return None
                value = op.source
            case tile.ExpandDimsOp() | tile.ReshapeOp():
                value = op.operands[0]
            case arith.MulfOp() | arith.DivfOp() | arith.NegfOp() if (scaled := _scaled(op)) is not None:
                value, factor = scaled[0], factor * scaled[1]
            case _:
                return None
    return None if dim is None else (factor, dim)


def _clamped(value: SSAValue, build: TileBuilder) -> SSAValue:
    """A value within what bf16 has."""
    shape = tile.shape_of(value)
    below = build.emit.value(arith.MinimumfOp(value, build.float(_LARGEST, shape)))
    return build.emit.value(arith.MaximumfOp(below, build.float(-_LARGEST, shape)))
