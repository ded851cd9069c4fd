"""trim: dimensions end where nothing that is stored or reduced lies behind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, ModuleOp, TensorType, i1, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from nki_mlir.analysis.accesses import positions, resolved
from nki_mlir.analysis.common_dims import CommonDims, Dim
from nki_mlir.analysis.indices import NotAffine
from nki_mlir.analysis.masks import guards
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE


@dataclass(frozen=True)
class Trim(LevelPass):
    """Shortens a dimension to the part that reaches a store, or a reduction that it can change:

        %x = tile.read %in(%i) [s0 by 781, d0 in * to 781 by 1] other 0xff800000 : … -> tensor<1024xf32>
        %m = tile.reduce max %x axis 0 : tensor<1024xf32> -> f32
          =>
        %x = tile.read %in(%i) [s0 by 781, d0 by 1] : … -> tensor<781xf32>
        %m = tile.reduce max %x axis 0 : tensor<781xf32> -> f32

    for all values that have the dimension in common. Bounds and masks that then always hold go, and with them what
    would have been there instead. Terms of a product of which both factors are zero are not needed either. Left alone:
    dimensions whose end is something to a reduction, or of which more is needed in other iterations.
    """

    name = "trim"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _Shapes(func).trim()
            for inner in operations(func):
                if isinstance(inner, AccessOp):
                    _drop_bounds(inner)
                elif isinstance(inner, tile.CompareOp):
                    _drop_mask(inner)


class _Shapes:
    """The dimensions of a function's tensors, with what of each class something needs."""

    def __init__(self, func: FuncOp):
        self.func, self.dims = func, CommonDims(func)
        self.needed: dict[Dim, int] = {}
        for need in self.dims.needs:
            name = self.dims.of(need.dim)
            self.needed[name] = max(self.needed.get(name, 1), need.end)

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape of a value with nothing but what is needed."""
        sizes = enumerate(tile.shape_of(value))
        return tuple(min(size, self.needed.get(self.dims.of((value, dim)), size)) for dim, size in sizes)

    def trim(self) -> None:
        values = [value for op in self.func.walk() for value in _made(op) if tile.shape_of(value)]
        shapes = {value: shape for value in values if (shape := self.shape(value)) != tile.shape_of(value)}
        for value, shape in shapes.items():
            match value.owner:
                case tile.ArangeOp() as op:
                    op.properties["end"] = IntegerAttr(op.start.value.data + shape[0], i64)
                case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) as op:
                    type_ = TensorType(dense.get_element_type(), shape)
                    op.properties["value"] = DenseIntOrFPElementsAttr(type_, dense.data)
                case _:
                    pass
            Rewriter.replace_value_with_new_type(value, TensorType(tile.element_of(value), shape))


def _made(op: Operation) -> list[SSAValue]:
    return [*op.results, *(a for region in op.regions for block in region.blocks for a in block.args)]


def _drop_bounds(op: AccessOp) -> None:
    """Leaves out the bounds that always hold, and what is read where none does; those of whole rows are theirs."""
    shape = sizes_of(op.moved)
    pairs = zip(op.over_values, resolved(op.over_values), strict=True)
    parts = [piece for part, whole in pairs for piece in _rows(_needed(part, whole, shape), shape)]
    whole = isinstance(op, tile.ReadOp) and op.mask is None and not any(part.is_bounded for part in parts)
    if whole:
        op.properties.pop("other", None)
    if parts == list(op.over_values):
        return
    kept = [part for part in parts if part.stride or part.is_bounded]
    made = Emitter.before(op).add(op.over(Coordinates(tuple(kept or [Coordinate(Expr(0))]))))
    for old, new in zip(op.results, made.results, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    op.detach()
    op.erase()


def _needed(part: Coordinate, whole: Coordinate, shape: tuple[int, ...]) -> Coordinate:
    """A coordinate without the bounds that it always keeps."""
    if not part.is_bounded or not whole.is_affine or whole.elements:
        return part
    low, high = positions(whole, shape)
    least = None if part.low is not None and low >= part.low else part.low
    most = None if part.high is not None and high < part.high else part.high
    return replace(part, low=least, high=most)


def _rows(part: Coordinate, shape: tuple[int, ...]) -> list[Coordinate]:
    """A coordinate whose bounds lie between rows as two, the row with the bounds and the place in it:

    512 * d0 + d1 in * to 131584 by 1  =>  d0 in * to 257 by 512, d1 by 1
    """
    for dim in part.dims if part.is_bounded and part.is_affine and not part.elements else ():
        size = part.coefficient(dim)
        row = sum((Expr(0, ((term, c // size),)) for term, c in part.position.terms if c % size == 0), Expr(0))
        place = replace(part.unbounded, position=part.position - row * size)
        ends = [end for end in (part.low, part.high) if end is not None]
        if not place.dims or place.position.counters().keys() - {Position(d) for d in place.dims}:
            continue
        low, high = positions(place, shape)
        if 0 <= low and high < size and not any(end % size for end in ends):
            ends = (None if end is None else end // size for end in (part.low, part.high))
            return [Coordinate(row, part.stride * size, *ends), place]
    return [part]


def _drop_mask(op: tile.CompareOp) -> None:
    """A comparison of indices that always holds is a constant."""
    if not tile.shape_of(op.result):
        return
    try:
        if guards(op.result):
            return
    except NotAffine:
        return
    emit = Emitter.before(op)
    true = emit.value(arith.ConstantOp(IntegerAttr(-1, i1)))
    op.result.replace_all_uses_with(emit.value(tile.SplatOp(true, tile.shape_of(op.result))))
    op.detach()
    op.erase()
