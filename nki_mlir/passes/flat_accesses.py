"""Accesses whose bounds count through several dimensions, as ones along a single dimension."""

from __future__ import annotations

import math

from nki_mlir.analysis.accesses import is_interval
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import sizes_of
from nki_mlir.dialects.coordinates import Coordinates, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.coalesce import walked
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.tile_builder import TileBuilder


def flatten(op: tile.ReadOp | tile.WriteOp) -> bool:
    """Makes of an access whose bounds count through neighbouring dimensions, as all of it does, one along a dimension
    that is all of them, and a reshape; says whether it has done so. Left alone: accesses with a mask or index tiles,
    and those that would have other bounds than intervals still."""
    if op.mask is not None or op.indices or (isinstance(op, tile.WriteOp) and op.atomic is not None):
        return False
    groups = _groups(op)
    shape = sizes_of(op.moved)
    places = {
        Position(dim): Expr.counter(Position(number)) if dim == group[-1] else Expr(0)
        for number, group in enumerate(groups)
        for dim in group
    }
    coordinates = Coordinates(tuple(op.over_values)).substitute(places)
    if len(groups) == len(shape) or not all(map(is_interval, coordinates.bounded)):
        return False
    build, flat = TileBuilder(Emitter.before(op)), [math.prod(shape[dim] for dim in group) for group in groups]
    if isinstance(op, tile.WriteOp):
        build.emit.add(tile.WriteOp(build.reshape(op.value, flat), op.memory, coordinates))
    else:
        type_ = tile.with_shape(tile.element_of(op.result), flat)
        read = tile.ReadOp(op.memory, coordinates, type_, other=op.other, undefined=op.undefined)
        result = build.reshape(build.emit.value(read), shape)
        result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(result)
    op.detach()
    op.erase()
    return True


def _groups(op: tile.ReadOp | tile.WriteOp) -> list[list[int]]:
    """The dimensions of an access, those together through which a bound counts as one."""
    shape, parts = sizes_of(op.moved), walked(op)
    bounds = [set(part.dims) for part in op.over_values.bounded if not is_interval(part)]
    groups = [[0]] if shape else []
    for dim in range(1, len(shape)):
        counted = all(
            part.is_affine and part.coefficient(dim - 1) == shape[dim] * part.coefficient(dim) for part in parts
        )
        if counted and any({dim - 1, dim} <= dims for dims in bounds):
            groups[-1].append(dim)
        else:
            groups.append([dim])
    return groups
