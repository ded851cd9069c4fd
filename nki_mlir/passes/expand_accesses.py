"""expand-accesses: masks that are no bounds, and gathers and scatters, in the form that transfers have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, IntegerType, ModuleOp, i32, i64
from xdsl.ir import SSAValue

from nki_mlir.analysis.accesses import check_affine, elements_of, is_interval, named_dims, reach, why_no_rows
from nki_mlir.analysis.constants import limits, signless
from nki_mlir.analysis.masks import depends_on
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.flat_accesses import flatten
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class ExpandAccesses(LevelPass):
    """A transfer leaves out places at the ends of a tile, or whole rows that an index tile names. What an access leaves
    out otherwise becomes one of these:

        %v = tile.read %x [d0 by 64, d1 by 1] mask %m      =>   %w = tile.read %x [d0 by 64, d1 by 1]
                                                                %v = tile.select %m, %w, 0
        tile.write %v to %x [d0 by 64, d1 by 1] mask %m   =>    %i = tile.select %m, 64 * d0 + d1, 4096
                                                                tile.write %v to %x index(%i) [t0(d0, d1) by 1]
        %v = tile.read %x [64 * d0 + d1 in * to 1000 by 1] : tensor<16x64xf32>
          =>
        %w = tile.read %x [d0 in * to 1000 by 1] : tensor<1024xf32>
        %v = tile.reshape %w : tensor<16x64xf32>
        %v = tile.read %x index(%r) [t0(d0) by 64, d1 by 1] mask (a column %c)
          =>
        %i = tile.select %c, %r, 4096
        %v = tile.read %x index(%i) [t0(d0) in * to 4096 by 64, d1 by 1]

    A masked load is a whole one and a choice where all of it is inside the memory. Where bounds count through
    neighbouring dimensions as the access does, it is one along a single dimension. Otherwise it is a gather; what is
    masked by a row is so for all of it. Other bounds on several dimensions at once are masks, and so are those of a
    row's number that are not the memory's ends. What names a row is one index tile of 32 bits; the number of the
    memory's elements, and of those by which a row may begin in front of it, is no row.
    """

    name = "expand-accesses"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in operations(op):
            if isinstance(inner, tile.ReadOp | tile.WriteOp):
                check_affine(inner)
                if not _is_transfer(inner):
                    _expand(inner)


def _is_transfer(op: AccessOp) -> bool:
    """Whether it has no mask, bounds on single dimensions, and at most an index tile that names rows: of 32 bits, over
    dimensions in their order."""
    if op.mask is not None:
        return False
    rows = [part for part in op.over_values if part.elements]
    others = [part for part in op.over_values.bounded if not part.elements]
    words = all(tile.element_of(index) == i32 for index in op.indices)
    ordered = all(list(key.dims) == sorted(named_dims(part)) for part in rows for key in part.elements)
    return words and ordered and why_no_rows(op) is None and all(map(is_interval, others))


def _expand(op: tile.ReadOp | tile.WriteOp) -> None:
    whole = _without_masks(op)
    is_whole = isinstance(op, tile.ReadOp) and not op.indices and _is_inside(op, whole)
    if not is_whole and flatten(op):
        return
    build = TileBuilder(Emitter.before(op))
    if isinstance(op, tile.ReadOp) and is_whole:
        result = _chosen(op, whole, build)
        result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(result)
    else:
        rows = _Rows(op, build)
        made = build.emit.add(rows.access())
        for old, new in zip(op.results, made.results, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
    op.detach()
    op.erase()


def _without_masks(op: AccessOp) -> Coordinates:
    """The access without its mask and without bounds that are no intervals."""
    kept = (part if is_interval(part) else part.unbounded for part in op.over_values)
    return Coordinates(tuple(part for part in kept if part.stride or part.is_bounded))


def _is_inside(op: AccessOp, whole: Coordinates) -> bool:
    """Whether every place that is not left out is an element of the memory."""
    low, high = reach(whole, sizes_of(op.moved))
    return 0 <= low and high < elements_of(op)


def _chosen(op: tile.ReadOp, whole: Coordinates, build: TileBuilder) -> SSAValue:
    """A load of the whole, and `other` where a mask is false."""
    shape = sizes_of(op.result)
    condition = _condition(
        op, list(range(len(shape))), [p for p in op.over_values.bounded if not is_interval(p)], build
    )
    undefined = op.undefined if whole.bounded else None
    read = build.emit.value(tile.ReadOp(op.memory, whole, op.result.type, other=op.other, undefined=undefined))
    if condition is None:
        return read
    return build.select(condition, read, _other(op, build))


def _other(op: tile.ReadOp, build: TileBuilder) -> SSAValue:
    element, shape = tile.element_of(op.result), tile.shape_of(op.result)
    other = op.other
    if other is None:
        is_integer = isinstance(element, IntegerType)
        other = IntegerAttr(0, element) if is_integer else FloatAttr(0.0, cast(AnyFloat, element))
    scalar = build.cast(build.emit.value(arith.ConstantOp(signless(other))), element)
    return build.splat(scalar, shape)


def _condition(op: AccessOp, over: Sequence[int], parts: Sequence[Coordinate], build: TileBuilder) -> SSAValue | None:
    """The mask, and bounds, as a condition over some dimensions, on which alone they depend."""
    shape = [sizes_of(op.moved)[dim] for dim in over]
    result: SSAValue | None = None
    for part in [_in_words(part) if part.elements else part for part in parts]:
        if part.is_bounded:
            value = _position(op, part, over, shape, build)
            result = build.both(result, build.within(value, part.low, part.high))
    if op.mask is not None:
        result = build.both(result, build.narrowed(op.mask, over))
    return result


def _in_words(part: Coordinate) -> Coordinate:
    """A coordinate with bounds that integers of 32 bits can be compared with."""
    least, most = limits(i32)
    low, high = part.low, part.high
    if (low is not None and low > most) or (high is not None and high <= least):
        return replace(part, low=None, high=least)
    return replace(part, low=None if low is None or low <= least else low, high=None if (high or 0) > most else high)


def _position(
    op: AccessOp, part: Coordinate, over: Sequence[int], shape: Sequence[int], build: TileBuilder
) -> SSAValue:
    """A coordinate over some dimensions: as indices, or as 32-bit integers where it has elements of index tiles."""
    plain = part.position.substitute({key: Expr(0) for key in part.elements})
    if not part.elements:
        return build.positions(plain, over, shape)
    total: SSAValue | None = None
    if plain != Expr(0):
        total = build.cast(build.positions(plain, over, shape), i32)
    for key in part.elements:
        words = build.cast(op.indices[key.number], i32)
        term = build.times(build.spread(words, key.dims, over, shape), part.position.coefficient(key))
        total = term if total is None else build.add(total, term)
    return cast(SSAValue, total)


def _without_rest(part: Coordinate) -> list[Coordinate]:
    """A coordinate of known positions, what is added to these, and the bounds."""
    moved, rest = Coordinate(part.position - part.rest, part.stride), Coordinate(part.rest, part.stride)
    return [moved, rest, *([replace(part, stride=0)] if part.is_bounded else [])]


def _apart(part: Coordinate, over: set[int]) -> list[Coordinate]:
    """A coordinate without bounds in pieces: those along a dimension that is none of some, and what is left."""
    if part.is_bounded or part.elements or over.isdisjoint(part.dims):
        return [part]
    along = [Expr.counter(Position(dim)) * part.coefficient(dim) for dim in part.dims if dim not in over]
    rest = part.position - sum(along, Expr(0))
    return [*(Coordinate(expr, part.stride) for expr in along), replace(part, position=rest)]


class _Rows:
    """An access by rows: the dimensions `over` are those on which index tiles and masks depend; along the others, a row
    is walked. A tile of several dimensions has several rows, whatever they depend on."""

    def __init__(self, op: tile.ReadOp | tile.WriteOp, build: TileBuilder):
        self.op, self.build = op, build
        self.shape = sizes_of(op.moved)
        parts = list(op.over_values)
        over = {dim for part in parts for key in part.elements for dim in key.dims if dim is not None}
        over |= {dim for part in parts if part.elements for dim in part.dims}
        over |= {dim for part in parts if not is_interval(part) and part.is_bounded for dim in part.dims}
        if op.mask is not None:
            over |= depends_on(op.mask)
        if not over and len(self.shape) > 1:
            over = {0}
        self.over = sorted(over)
        parts = [piece for part in parts for piece in _apart(part, over)]
        self.along, self.across = self._divided(parts)
        if self._no_row() >= 2**31:
            self.along, self.across = self._divided([piece for part in parts for piece in _without_rest(part)])

    def _divided(self, parts: Sequence[Coordinate]) -> tuple[list[Coordinate], list[Coordinate]]:
        along = [part for part in parts if self._is_along(part)]
        return along, [part for part in parts if part not in along]

    def _is_along(self, part: Coordinate) -> bool:
        return bool(part.dims) and not part.elements and not set(part.dims) & set(self.over)

    def _no_row(self) -> int:
        """A number of which no element is in the memory, wherever a row begins."""
        return elements_of(self.op) - min(0, reach(Coordinates(tuple(self.along)), self.shape)[0])

    def access(self) -> tile.ReadOp | tile.WriteOp:
        op, no_row = self.op, self._no_row()
        if no_row >= 2**31:
            raise CompileError.at(op, "rows of a tensor of 2^31 elements or more can't be named by 32 bits")
        guards = (key for part in self.across if not part.stride for key in part.elements)
        if any(tile.element_of(op.indices[key.number]) == i64 for key in guards):
            raise CompileError.at(op, "a bound on integers of 64 bits that name no row; make it a mask")
        condition = _condition(op, self.over, [p for p in self.across if p.is_bounded], self.build)
        unit, row = self._rows()
        for index, dims in self._wide():
            shape = [self.shape[dim] for dim in self.over]
            fits = self.build.compare(Predicate.EQ, self.build.cast(self.build.cast(index, i32), i64), index)
            row = self.build.select(self.build.spread(fits, dims, self.over, shape), row, no_row)
        if condition is not None:
            row = self.build.select(condition, row, no_row)
        high = None if condition is None else no_row
        named = Coordinate(Expr.counter(Element(0, tuple(self.over))), unit, None, high)
        coordinates = Coordinates((named, *self.along))
        if isinstance(op, tile.WriteOp):
            return tile.WriteOp(op.value, op.memory, coordinates, [row], atomic=op.atomic)
        undefined = op.undefined if coordinates.bounded else None
        return tile.ReadOp(op.memory, coordinates, op.result.type, [row], None, op.other, undefined)

    def _wide(self) -> list[tuple[SSAValue, tuple[int | None, ...]]]:
        """The index tiles of 64 bits, and the dimensions of their places."""
        keys = dict.fromkeys(key for part in self.across if part.stride for key in part.elements)
        found = ((self.op.indices[key.number], key.dims) for key in keys)
        return [(index, dims) for index, dims in found if tile.element_of(index) == i64]

    def _rows(self) -> tuple[int, SSAValue]:
        """How many elements a row's number counts, and the numbers."""
        address = sum((part.position * part.stride for part in self.across), Expr(0))
        unit = math.gcd(address.const, *(factor for _, factor in address.terms)) or 1
        number = Expr.of(address.const // unit, ((term, factor // unit) for term, factor in address.terms))
        shape = [self.shape[dim] for dim in self.over]
        row = _position(self.op, Coordinate(number), self.over, shape, self.build)
        return unit, self.build.cast(row, i32)
