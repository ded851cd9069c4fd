"""Instructions for scans along a free dimension, its last place, and for a dimension backwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.tile import Reduction
from nki_mlir.dialects.walks import Walk, walks
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.select_integers import select_integers
from nki_mlir.passes.selector import Selector, constant_attr
from nki_mlir.passes.storage import Storage, check_lanes, collapse

COMBINING = {
    Reduction.MAX: Alu.MAXIMUM,
    Reduction.MIN: Alu.MINIMUM,
    Reduction.SUM: Alu.ADD,
    Reduction.PRODUCT: Alu.MULTIPLY,
    Reduction.AND: Alu.BITWISE_AND,
    Reduction.OR: Alu.BITWISE_OR,
    Reduction.XOR: Alu.BITWISE_XOR,
}
"""The operator of each kind of reduction and scan."""

_NEUTRAL = {Alu.ADD: -0.0, Alu.MULTIPLY: 1.0, Alu.MAXIMUM: -math.inf, Alu.MINIMUM: math.inf}
"""What leaves any fp32 number as it is, its sign too."""


def select_scan(s: Selector, op: Operation, emit: Emitter) -> None:
    """One element after the other on the Vector engine, in fp32; integers by doubling the distance of what is
    combined. Backwards, the instructions walk backwards."""
    assert isinstance(op, mem.ScanOp)
    alu, axis = COMBINING[op.kind.data], op.axis.value.data
    source, scale = _plain(s, s.stored[op.source], axis, emit), None
    if op.scale is not None and op.initial is not None:
        scale = _plain(s, s.stored[op.scale], axis, emit)
    elif op.scale is not None:
        scale = s.temporary(source.type.with_element(f32), emit)
        s.over(emit, "tensor_copy", {"dst": scale, "src": s.stored[op.scale]})
    result = s.result(op, emit)
    if op.reverse is not None:
        source, result = source.reversed(axis), result.reversed(axis)
        scale = None if scale is None else scale.reversed(axis)
    if dtype(source.type.element_type).kind != "float":
        _doubling(s, alu, source, result, axis, emit)
        return
    if scale is not None and op.initial is None:
        s.memset(scale.slice(axis, 0, 1), FloatAttr(1.0, f32), emit)
    _in_order(s, op, source, scale, result, emit)


def _plain(s: Selector, source: Storage, axis: int, emit: Emitter) -> Storage:
    """With the elements along the axis at one step."""
    if source.is_along(axis):
        return source
    stored = s.temporary(source.type, emit)
    s.over(emit, "tensor_copy", {"dst": stored, "src": source})
    return stored


def _initial(s: Selector, op: mem.ScanOp, emit: Emitter) -> Storage | SSAValue:
    """What the state starts as: a number, or a tile in fp32 that has one element along the axis."""
    if op.initial is None:
        return emit.float(_NEUTRAL[COMBINING[op.kind.data]])
    if op.initial not in s.stored:
        number = constant_attr(op.initial)
        assert isinstance(number, FloatAttr)
        return emit.float(number.value.data)
    stored = s.stored[op.initial]
    if stored.type.element_type != f32:
        narrow, stored = stored, s.temporary(stored.type.with_element(f32), emit)
        s.over(emit, "tensor_copy", {"dst": stored, "src": narrow})
    axis = op.axis.value.data
    spots = tuple(spot._replace(dim=spot.dim + (spot.dim >= axis)) for spot in stored.spots)
    return replace(stored, type=stored.type.with_layout(stored.type.layout.expanded(axis)), spots=spots)


def _in_order(
    s: Selector, op: mem.ScanOp, source: Storage, scale: Storage | None, result: Storage, emit: Emitter
) -> None:
    """state = state combined with the source: `max(max(x, state), x)`, `1 * state + x`, `(x * state) * 1`."""
    alu, axis = COMBINING[op.kind.data], op.axis.value.data
    first, second, inner = source, source, alu
    if alu is Alu.ADD:
        first, inner = scale or _ones(s, source, emit), Alu.MULTIPLY
    elif alu is Alu.MULTIPLY:
        second = _ones(s, source, emit)
    initial = _initial(s, op, emit)
    spots = initial.spots if isinstance(initial, Storage) else ()
    for whole in walks(result.type.sizes, result.spots, first.spots, second.spots, spots):
        check_lanes(whole)
        for walk in _rows(whole, axis):
            views = {
                name: tile.view(emit, walk, n)
                for n, (name, tile) in enumerate({"dst": result, "data0": first, "data1": second}.items())
            }
            start = initial.view(emit, walk, 3, collapse(())) if isinstance(initial, Storage) else initial
            s.emit(emit, "tensor_tensor_scan", {**views, "initial": start}, op0=inner, op1=alu)


def _ones(s: Selector, like: Storage, emit: Emitter) -> Storage:
    """1.0 on each partition, read over and over."""
    type_ = like.type.with_element(f32)
    ones = s.temporary(type_.with_layout(type_.layout.unspread(range(len(type_.sizes)))), emit)
    s.memset(ones, FloatAttr(1.0, f32), emit)
    return ones.broadcast(type_)


def _rows(walk: Walk, axis: int) -> Iterator[Walk]:
    """One row of each partition at a time: a state would go from row to row."""
    lanes = {i for number in range(len(walk.starts)) for i in walk.lanes(number)}
    others = [i for i, (dim, _) in enumerate(walk.digits) if dim != axis and i not in lanes]
    return walk.singly(others)


def _doubling(s: Selector, alu: Alu, source: Storage, result: Storage, axis: int, emit: Emitter) -> None:
    """After each step an element is twice as many combined: itself and those before it."""
    size, reach = source.type.sizes[axis], 1
    if size == 1:
        s.over(emit, "tensor_copy", {"dst": result, "src": source})
    while reach < size:
        last = 2 * reach >= size
        into = result if last else s.temporary(source.type, emit)
        s.over(emit, "tensor_copy", {"dst": into.slice(axis, 0, reach), "src": source.slice(axis, 0, reach)})
        rest = size - reach
        before, here = source.slice(axis, 0, rest), source.slice(axis, reach, rest)
        select_integers(s, alu, here, before, source.type.element_type, into.slice(axis, reach, rest), emit)
        source, reach = into, 2 * reach


def select_last(s: Selector, op: Operation, emit: Emitter) -> None:
    """A part of what is there."""
    assert isinstance(op, mem.LastOp)
    axis = op.axis.value.data
    source = _plain(s, s.stored[op.source], axis, emit)
    part = source.slice(axis, source.type.sizes[axis] - 1, 1)
    spots = (spot._replace(dim=spot.dim - (spot.dim > axis)) for spot in part.spots if spot.dim != axis)
    s.stored[op.result] = replace(part, type=mem.tile_type(op.result), spots=tuple(spots))


def select_flip(s: Selector, op: Operation, emit: Emitter) -> None:
    """A copy that reads backwards."""
    assert isinstance(op, mem.FlipOp)
    axis = op.axis.value.data
    source = _plain(s, s.stored[op.source], axis, emit).reversed(axis)
    s.over(emit, "tensor_copy", {"dst": s.result(op, emit), "src": source})
