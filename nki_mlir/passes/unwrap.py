"""unwrap: indices that wrap around where nothing is stored end there instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.common_dims import CommonDims, Dim, Need
from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.indices import NotAffine, index_tensor
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE


@dataclass(frozen=True)
class Unwrap(LevelPass):
    """Takes the remainder out of a load's indices, where those that reach the divisor belong to no element that is
    stored:

        %rows = arith.remsi (64 * %pid + arange), 1000
        %a = tile.read %in(…) index(%rows) [t0(d0) by 300, d1 by 1]
        … what depends on %a row by row …
        tile.write %y to %out(%pid) [64 * s0 + d0 in * to 1000 by 300, d1 by 1]
          =>
        %a = tile.read %in(%pid) [64 * s0 + d0 in * to 1000 by 300, d1 by 1]

    A matrix product whose last blocks wrap around, to read no memory that there isn't, loads by bounds then. Left
    alone: what something else than such stores needs, and what other indices are made of.
    """

    name = "unwrap"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            reads = [inner for inner in operations(func) if isinstance(inner, tile.ReadOp)]
            if any(_wrapped(index) for read in reads for index in read.indices):
                stored = _Stored(func)
                for read in reads:
                    _unwrap(read, stored)


class _Wrapped(NamedTuple):
    """Of an index tile of one dimension: the place, as an expression of the position `d0`, before the remainder."""

    place: Expr
    divisor: int


def _wrapped(value: SSAValue) -> _Wrapped | None:
    """An index tile that is a remainder of what is never negative."""
    op = value.owner
    if not isinstance(op, arith.RemSIOp | arith.RemUIOp) or len(tile.shape_of(value)) != 1:
        return None
    divisor = constant_of(op.rhs)
    try:
        place = index_tensor(op.lhs)
    except NotAffine:
        return None
    if not isinstance(divisor, IntegerAttr) or place.chosen or place.range(tile.shape_of(value))[0] < 0:
        return None
    expr = place.offset + Expr.counter(Position(0)) * place.strides[0]
    return _Wrapped(expr, divisor.value.data) if divisor.value.data > 0 else None


class _Stored:
    """What is stored along dimensions: nothing but places below a bound, or anything."""

    def __init__(self, func: FuncOp):
        self.dims = CommonDims(func)
        self.needs: dict[Dim, list[Need]] = {}
        for need in self.dims.needs:
            self.needs.setdefault(need.dim, []).append(need)
        indices = (index for op in func.walk() if isinstance(op, AccessOp) for index in op.indices)
        self.indices = {(index, dim) for index in indices for dim in range(len(tile.shape_of(index)))}

    def ends_before(self, dim: Dim, wrapped: _Wrapped) -> bool:
        """Whether only places are needed that don't reach the divisor, and none as an index."""
        reached = self.dims.reached(dim)
        needs = (need for one in reached for need in self.needs.get(one, []))
        return reached.isdisjoint(self.indices) and all(self._is_bounded(need, wrapped) for need in needs)

    def _is_bounded(self, need: Need, wrapped: _Wrapped) -> bool:
        if not isinstance(need.op, tile.WriteOp):
            return False
        place = wrapped.place.substitute({Position(0): Expr.counter(Position(need.dim[1]))})
        ends = [p.high for p in resolved(need.op.over_values).bounded if p.position - place == Expr(0)]
        return any(end is not None and end <= wrapped.divisor for end in ends)


def _unwrap(read: tile.ReadOp, stored: _Stored) -> None:
    parts = list(read.over_values)
    for number, part in enumerate(parts):
        if (made := _unwrapped(read, part, stored)) is not None:
            parts[number] = made
    if parts == list(read.over_values):
        return
    used = sorted({key.number for part in parts for key in part.elements})
    numbers = {old: new for new, old in enumerate(used)}
    names = {key: Expr.counter(replace(key, number=numbers[key.number])) for part in parts for key in part.elements}
    coordinates = Coordinates(tuple(parts)).substitute(names)
    indices = [read.indices[number] for number in used]
    made = tile.ReadOp(read.memory, coordinates, read.result.type, indices, read.mask, read.other, read.undefined)
    result = Emitter.before(read).value(made)
    result.name_hint = read.result.name_hint
    read.result.replace_all_uses_with(result)
    read.detach()
    read.erase()


def _unwrapped(read: tile.ReadOp, part: Coordinate, stored: _Stored) -> Coordinate | None:
    """A coordinate that is a remainder alone, as what is divided, with a bound."""
    key = _only(part)
    if key is None or (wrapped := _wrapped(read.indices[key.number])) is None:
        return None
    (dim,) = key.dims
    if dim is None or not stored.ends_before((read.result, dim), wrapped):
        return None
    place = wrapped.place.substitute({Position(0): Expr.counter(Position(dim))})
    return Coordinate(place, part.stride, None, wrapped.divisor)


def _only(part: Coordinate) -> Element | None:
    """The element of an index tile that a coordinate without bounds consists of."""
    (key,) = part.elements if len(part.elements) == 1 else (None,)
    return key if key is not None and part.position == Expr.counter(key) and not part.is_bounded else None
