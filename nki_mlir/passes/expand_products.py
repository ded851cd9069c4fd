"""expand-products: products over any dimensions become products of two matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class ExpandProducts(LevelPass):
    """The machine multiplies `[M, K]` by `[K, N]`. Other dimensions are brought into this order and merged:

        %c = tile.dot %a, %b over [0] x [1]   =>   %s = tile.permute %a order [1, 0]
                                                   %t = tile.permute %b order [1, 0]
                                                   %c = tile.dot %s, %t over [1] x [0]

    Of common dimensions, each place is multiplied by each, in one product; those of unequal places are left out:

        %c = tile.dot %a, %b over [2] x [1] batch [0] x [0] : tensor<4x16x8xf32>, tensor<4x8x32xf32>
          =>
        %p = tile.dot %s, %t over [1] x [0] : tensor<64x8xf32>, tensor<8x128xf32>
        %q = %p as tensor<4x16x4x32xf32>, zero where d0 is not d2
        %c = tile.reduce sum %q axis 2
    """

    name = "expand-products"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in operations(op):
            if isinstance(inner, tile.DotOp) and not inner.is_plain:
                result = _Expanded(inner).result()
                result.name_hint = inner.result.name_hint
                inner.result.replace_all_uses_with(result)
                inner.detach()
                inner.erase()


class _Expanded:
    def __init__(self, op: tile.DotOp):
        self.op, self.build = op, TileBuilder(Emitter.before(op))
        self.element = tile.element_of(op.result)
        shapes = tile.shape_of(op.a), tile.shape_of(op.b)
        self.left = [
            [dim for dim in range(len(shape)) if dim not in (*over, *batch)]
            for shape, over, batch in zip(shapes, op.over, op.batch, strict=True)
        ]
        self.terms, self.common = (math.prod(shapes[0][dim] for dim in dims) for dims in (op.over[0], op.batch[0]))
        self.rows, self.columns = (
            math.prod(shape[dim] for dim in dims) for shape, dims in zip(shapes, self.left, strict=True)
        )

    def result(self) -> SSAValue:
        op, build = self.op, self.build
        a = self._ordered(op.a, (*op.batch[0], *self.left[0], *op.over[0]), (self.common * self.rows, self.terms))
        b = self._ordered(op.b, (*op.over[1], *op.batch[1], *self.left[1]), (self.terms, self.common * self.columns))
        if self.common == 1:
            acc = None if op.acc is None else self._shaped(op.acc, (self.rows, self.columns))
            product = build.emit.value(tile.DotOp(a, b, acc, self.element))
            return self._shaped(product, tile.shape_of(op.result))
        product = self._alike(build.emit.value(tile.DotOp(a, b, None, f32)))
        product = build.cast(self._shaped(product, tile.shape_of(op.result)), self.element)
        return product if op.acc is None else build.emit.value(arith.AddfOp(product, op.acc))

    def _ordered(self, value: SSAValue, order: Sequence[int], shape: tuple[int, int]) -> SSAValue:
        if list(order) != sorted(order):
            value = self.build.emit.value(tile.PermuteOp(value, order))
        return self._shaped(value, shape)

    def _shaped(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        return value if tile.shape_of(value) == tuple(shape) else self.build.reshape(value, shape)

    def _alike(self, product: SSAValue) -> SSAValue:
        """Of products of every common place with every other, those of a place with itself."""
        build, shape = self.build, (self.common, self.rows, self.common, self.columns)
        product = self._shaped(product, shape)
        places = build.emit.value(tile.ArangeOp(0, self.common))
        here, there = (build.spread(places, [dim], range(4), shape) for dim in (0, 2))
        alike = build.compare(Predicate.EQ, here, there)
        kept = build.select(alike, product, build.float(0.0, shape))
        return build.emit.value(tile.ReduceOp("sum", kept, 2))
