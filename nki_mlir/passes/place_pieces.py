"""Slices and concatenations on chip: where both lie so that the pieces are tiles, and what they become."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Factor, Layout, LayoutError
from nki_mlir.dialects.pieces import Piece, piece_of
from nki_mlir.passes.emitter import Emitter


class Placer(Protocol):
    """What places a function."""

    def wanted(self, op: Operation, operand: SSAValue, emit: Emitter) -> SSAValue: ...
    def tile_of(self, value: SSAValue, like: mem.TileType, emit: Emitter) -> SSAValue: ...


def place_slice(placer: Placer, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
    assert isinstance(op, tile.SliceOp)
    places = _places(len(type_.sizes), op.axis.value.data, op.at.value.data)
    return emit.value(mem.SliceOp(placer.wanted(op, op.source, emit), [], places, type_))


def place_concat(placer: Placer, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
    """A tile that each part is inserted into as soon as it is made, so that it may be made there."""
    assert isinstance(op, tile.ConcatOp)
    pieces = concatenated(op, type_.layout)
    assert pieces is not None, "a concatenation lies as its form says"
    parts = [
        (placer.tile_of(part, type_.with_layout(piece), emit), start)
        for (part, start), piece in zip(op.placed, pieces, strict=True)
    ]
    order = {one: number for number, one in enumerate(op.parent.ops)} if op.parent is not None else {}
    parts.sort(key=lambda part: _number(part[0], order))
    first = next((part.owner for part, _ in parts if part.owner in order), op)
    assert isinstance(first, Operation)
    behind = Emitter(InsertPoint.before(first), op.location)
    result, last = behind.value(mem.EmptyOp.create(result_types=[type_])), None
    for part, start in parts:
        maker = part.owner
        if isinstance(maker, Operation) and maker in order and maker is not last:
            behind, last = Emitter(InsertPoint.after(maker), op.location), maker
        places = _places(len(type_.sizes), op.axis.value.data, start)
        result = behind.value(mem.InsertOp(part, result, [], places))
    return result


def _number(value: SSAValue, order: Mapping[Operation, int]) -> int:
    """That of what makes a value, among operations; those of what is made elsewhere come first."""
    return order.get(value.owner, -1) if isinstance(value.owner, Operation) else -1


def slicings(
    op: tile.SliceOp, results: Iterable[Layout], sources: Iterable[Layout], lanes: int
) -> Iterator[tuple[Layout, Piece]]:
    """Layouts of a slice's source with the piece that the slice then is: of all given ones, of those that have the
    given ones of the result as pieces, and of one with the dimension dealt out in groups that the slice is whole ones
    of."""
    axis, at = op.axis.value.data, op.at.value.data
    shape, sizes = tile.shape_of(op.source), tile.shape_of(op.result)
    longer = (_lengthened(layout, axis, shape[axis]) for layout in results)
    tried = dict.fromkeys((*sources, *longer, *_grouped(shape, axis, math.gcd(at, op.size), lanes)))
    for layout in tried:
        try:
            yield layout, piece_of(layout, _places(len(sizes), axis, at), sizes)
        except LayoutError:
            continue


def concatenations(op: tile.ConcatOp, results: Iterable[Layout], lanes: int) -> Iterator[tuple[Layout, list[Layout]]]:
    """Layouts of a concatenation with those that its parts have in them: of the given ones, and of one with the
    dimension dealt out in groups that each part is whole ones of."""
    axis, shape = op.axis.value.data, tile.shape_of(op.result)
    groups = _grouped(shape, axis, math.gcd(*(start for _, start in op.placed), shape[axis]), lanes)
    for layout in dict.fromkeys((*results, *groups)):
        if (pieces := concatenated(op, layout)) is not None:
            yield layout, pieces


def concatenated(op: tile.ConcatOp, layout: Layout) -> list[Layout] | None:
    """How the parts of a concatenation lie that lies so; None where one of them is no tile."""
    axis, rank = op.axis.value.data, len(layout.shape)
    try:
        return [piece_of(layout, _places(rank, axis, start), tile.shape_of(part)).layout for part, start in op.placed]
    except LayoutError:
        return None


def _places(rank: int, axis: int, at: int) -> list[Expr]:
    """Those of a piece that begins `at` along one dimension, and has all of the others."""
    return [Expr.counter(Position(dim)) + (at if dim == axis else 0) for dim in range(rank)]


def _lengthened(layout: Layout, axis: int, size: int) -> Layout:
    """The same places, and more of them in the free dimension, for a tensor that is longer along one dimension."""
    shape, digits = tile.resized(layout.shape, axis, size), layout.digits(axis)
    if digits and layout.is_along(axis):
        free = (factor._replace(size=size) if factor.dim == axis else factor for factor in layout.free)
        return Layout.of(shape, layout.partition, free)
    reach = math.prod(digit.size for digit in digits)
    return Layout.of(shape, layout.partition, (Factor(axis, -(-size // reach), reach), *layout.free))


def _grouped(shape: Sequence[int], axis: int, size: int, lanes: int) -> list[Layout]:
    """A dimension over as many partitions as a group of so many places fills evenly, in runs and dealt out."""
    most = max(n for n in range(1, min(size, lanes) + 1) if size % n == 0)
    if most == 1:
        return []
    groups, run = Factor(axis, -(-shape[axis] // size), size), size // most
    others = [Factor(dim, n) for dim, n in enumerate(shape) if dim != axis]
    in_runs = Layout.of(shape, (Factor(axis, most, run),), (groups, Factor(axis, run), *others))
    return [in_runs, Layout.lanes(shape, axis, most, blocked=False)]
