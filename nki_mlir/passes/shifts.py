"""Products whose rows, or columns, are shifted: what is added goes into the same sum, as a product with ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.dialects.builtin import bf16, f32
from xdsl.ir import SSAValue

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.tile_builder import TileBuilder

PIECES = 3
"""Numbers of bf16 whose sum is one of fp32: each has eight of its bits."""

_LARGEST = float.fromhex("0x1.fep127")
"""The largest number of bf16: rounding what is larger gives none."""


class Shift(NamedTuple):
    """The sum of `factor` times a product and of `rate` times a maximum that lies along dimension `dim` of it."""

    product: tile.DotOp
    factor: float
    rate: float
    dim: int

    @staticmethod
    def of(value: SSAValue, maximum: SSAValue, hangs: Callable[[SSAValue], bool]) -> Shift | None:
        """None for any other value: where something else is added, such as a very low number, that may be the maximum,
        less which it is exactly zero. `hangs` says what depends on the maximum."""
        products, rate, dims = list[tuple[tile.DotOp, float]](), 0.0, set[int]()
        for leaf, factor in _terms(value, 1.0):
            if hangs(leaf):
                along = _along(leaf, maximum)
                if along is None:
                    return None
                rate += factor * along[0]
                dims.add(along[1])
            elif isinstance(leaf.owner, tile.DotOp):
                products.append((leaf.owner, factor))
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
        return Shift(product, factor, rate, dim)

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


def _terms(value: SSAValue, factor: float) -> Iterator[tuple[SSAValue, float]]:
    """What a value is a sum of, with what each is multiplied by."""
    op = value.owner
    match op:
        case arith.AddfOp():
            yield from _terms(op.lhs, factor)
            yield from _terms(op.rhs, factor)
        case arith.SubfOp():
            yield from _terms(op.lhs, factor)
            yield from _terms(op.rhs, -factor)
        case arith.MulfOp() | arith.DivfOp() | arith.NegfOp() if (scaled := _scaled(op)) is not None:
            yield from _terms(scaled[0], factor * scaled[1])
        case _:
            yield value, factor


def _scaled(op: arith.MulfOp | arith.DivfOp | arith.NegfOp) -> tuple[SSAValue, float] | None:
    """What is multiplied by a number, and the number."""
    if isinstance(op, arith.NegfOp):
        return op.operand, -1.0
    if (number := constant_of(op.rhs)) is not None:
        found = value_of(number)
        return (op.lhs, found if isinstance(op, arith.MulfOp) else 1 / found) if found else None
    number = constant_of(op.lhs) if isinstance(op, arith.MulfOp) else None
    return None if number is None else (op.rhs, value_of(number))


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
