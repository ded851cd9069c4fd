"""Reshapes on chip: which layouts of two shapes are the same places, and how a reshape is cut where none are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from xdsl.dialects.builtin import IndexType
from xdsl.dialects.func import FuncOp

from nki_mlir.analysis.indices import NotAffine, index_tensor
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.layout import Layout, LayoutError
from nki_mlir.passes.emitter import Emitter


def reshapings(results: Sequence[Layout], sources: Sequence[Layout], lanes: int) -> Iterator[tuple[Layout, Layout]]:
    """(result, source) of the same places: of all given layouts, and of those that are spread over the partitions in
    equal shares."""
    shape, old = results[0].shape, sources[0].shape
    found = dict[tuple[Layout, Layout], None]()
    for result in (*results, Layout.spread(shape, lanes)):
        found.update(dict.fromkeys((result, source) for source in _reshaped(result, old)))
    for source in (*sources, Layout.spread(old, lanes)):
        found.update(dict.fromkeys((result, source) for result in _reshaped(source, shape)))
    return iter(found)


def _reshaped(layout: Layout, shape: Sequence[int]) -> Iterable[Layout]:
    """None, where elements would move."""
    try:
        return [layout.reshaped(shape)]
    except LayoutError:
        return []


def cut_reshapes(func: FuncOp) -> None:
    """A reshape that both merges and splits the same dimensions becomes two: a convert may then stand between them,
    which always has a way. Numbers made of reshaped indices that have no stride are made before the reshape."""
    for op in operations(func):
        if isinstance(op, tile.ReshapeOp):
            middle = _middle(tile.shape_of(op.source), tile.shape_of(op.result))
            if middle is not None:
                op.operands[0] = Emitter.before(op).value(tile.ReshapeOp(op.source, middle))
        elif isinstance(op, tile.CastOp):
            _cast_first(op)


def _middle(have: Sequence[int], want: Sequence[int]) -> tuple[int, ...] | None:
    """The shape between: whatever several dimensions become several others, as one; None where nothing does."""
    left, right = [n for n in have if n != 1], [n for n in want if n != 1]
    middle, is_cut = list[int](), False
    while left:
        old, new = [left.pop(0)], [right.pop(0)]
        while (a := math.prod(old)) != (b := math.prod(new)):
            if a < b:
                old.append(left.pop(0))
            else:
                new.append(right.pop(0))
        several = len(old) > 1 and len(new) > 1
        is_cut = is_cut or several
        middle += [math.prod(old)] if several else new
    return tuple(middle) if is_cut else None


def _cast_first(op: tile.CastOp) -> None:
    """`cast(reshape(x))` of indices as `reshape(cast(x))`, where the reshaped indices have no stride."""
    shape = op.source.owner
    if not isinstance(shape, tile.ShapeOp | tile.SliceOp) or not isinstance(tile.element_of(op.source), IndexType):
        return
    try:
        index_tensor(op.source)
    except NotAffine:
        emit, result = Emitter.before(op), op.result
        inner = tile.CastOp(shape.source, tile.element_of(result))
        numbers = emit.value(inner)
        moved = emit.value(
            type(shape).create(operands=[numbers], result_types=[result.type], properties=shape.properties)
        )
        moved.name_hint = result.name_hint
        result.replace_all_uses_with(moved)
        op.detach()
        op.erase()
        _cast_first(inner)
