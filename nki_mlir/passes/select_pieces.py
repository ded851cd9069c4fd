"""Pieces of tiles: a slice is a view of its tile, what is inserted is made in its place; elsewhere both are copies."""

from __future__ import annotations

from xdsl.ir import Operation

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector, zero_of
from nki_mlir.passes.storage import Storage


def select_empty(s: Selector, op: Operation, emit: Emitter) -> None:
    s.result(op, emit)


def select_slice(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.SliceOp)
    tile, piece = s.stored[op.tile], op.over_values
    if tile.spots != tile.type.layout.spots:
        copy = s.temporary(tile.type, emit)
        s.over(emit, "tensor_copy", {"dst": copy, "src": tile})
        tile = copy
    if piece.is_view:
        s.stored[op.result] = tile.piece(piece)
    else:
        s.over(emit, "tensor_copy", {"dst": s.result(op, emit), "src": tile.piece(piece)})


def select_insert(s: Selector, op: Operation, emit: Emitter) -> None:
    """What was made in its place is there; what was made elsewhere, or not at all, is copied."""
    assert isinstance(op, mem.InsertOp)
    value, tile, ahead = s.stored[op.value], s.whole(op.tile, emit), s.ahead.get(op)
    contents = ahead if value.contents is ahead else None
    if contents is None or contents.value is tile:
        contents = s.written_over(tile)
        place = Storage(contents, mem.tile_type(tile), mem.tile_type(tile).layout.spots).piece(op.over_values)
        with s.guarded(s.guard_of(op, emit), emit):
            if value.contents is ahead:
                s.memset(place, zero_of(place.type.element_type), emit)
            else:
                s.over(emit, "tensor_copy", {"dst": place, "src": value})
    s.stored[op.result] = Storage(contents, mem.tile_type(op.result), mem.tile_type(op.result).layout.spots)
