"""expand-atomics: programs run one after another, so that an atomic operation is a load, an operation and a store."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerType, ModuleOp, Signedness, f32, i32
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import limits
from nki_mlir.analysis.indices import IndexTensor, NotAffine
from nki_mlir.analysis.masks import conjuncts, depends_on
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate, Update
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.structure_accesses import pointers
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class ExpandAtomics(LevelPass):
    """Makes of each atomic operation what it does while no other program runs:

        %old = tile.atomic add %p, %v         =>        %old = tile.load %p
                                                        tile.store %p, %old + %v atomic

    Pointers of one operation that may name one element are settled first: those that are the same along a dimension,
    and numbers loaded from memory. What is added at one element is summed up, and stored by the first of them; so for
    extrema and bits. Of such an operation the result, and an exchange, are rejected by name.
    """

    name = "expand-atomics"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in [found for found in operations(op) if isinstance(found, tile.AtomicOp)]:
            _expand(inner)


def _expand(op: tile.AtomicOp) -> None:
    try:
        _, place = pointers(op.ptr)
    except NotAffine as reason:
        raise CompileError.at(op, f"this access is not supported: it has {reason}") from None
    build = TileBuilder(Emitter.before(op))
    value, mask = op.value, op.mask
    if not _are_distinct(place, tile.shape_of(op.ptr)):
        value, mask = _settled(op, place, build)
    old = build.emit.value(tile.LoadOp(op.ptr, mask))
    build.emit.add(tile.StoreOp(op.ptr, _updated(op, old, value, build), mask, atomic=True))
    old.name_hint = op.result.name_hint
    op.result.replace_all_uses_with(old)
    op.detach()
    op.erase()


def _are_distinct(place: IndexTensor, shape: tuple[int, ...]) -> bool:
    """Whether no two pointers name one element."""
    if place.chosen:
        return all(size == 1 for size in shape)
    reach = 0
    for stride, size in sorted((abs(s), n) for s, n in zip(place.strides, shape, strict=True) if n > 1):
        if stride <= reach:
            return False
        reach += stride * (size - 1)
    return True


def _updated(op: tile.AtomicOp, old: SSAValue, value: SSAValue, build: TileBuilder) -> SSAValue:
    """What memory holds afterwards."""
    kind = op.kind.data
    if kind is Update.EXCHANGE:
        return value
    if op.expected is not None:
        return build.select(build.compare(Predicate.EQ, old, op.expected), value, old)
    return build.emit.value(_combining(op)(old, value))


def _combining(op: tile.AtomicOp) -> Callable[[SSAValue, SSAValue], Operation]:
    element = tile.element_of(op.value)
    if isinstance(element, AnyFloat):
        return _FLOATS[op.kind.data]
    unsigned = isinstance(element, IntegerType) and element.signedness.data is Signedness.UNSIGNED
    return (_UNSIGNED if unsigned else _SIGNED)[op.kind.data]


def _settled(op: tile.AtomicOp, place: IndexTensor, build: TileBuilder) -> tuple[SSAValue, SSAValue | None]:
    """What is done at each element in all, and which pointers do it: the first of those that name one element. They
    differ along the first dimension, `rows`; along others, by steps that stay within a row."""
    kind, shape = op.kind.data, tile.shape_of(op.ptr)
    numbers = _row_numbers(op, place, build)
    if kind not in _REDUCTIONS or op.result.first_use is not None:
        raise CompileError.at(
            op,
            f"an atomic {kind} whose pointers may name one element twice is not supported"
            + (" where its result is used" if kind in _REDUCTIONS else ""),
        )
    rows, square = shape[0], (shape[0], shape[0])
    across, down = (build.spread(numbers, [dim], [0, 1], square) for dim in (1, 0))
    same = build.compare(Predicate.EQ, down, across)
    row_mask, rest = _by_rows(op, build)
    if row_mask is not None:
        same = build.both(same, build.spread(row_mask, [1], [0, 1], square))
    before = build.positions(Expr.counter(Position(0)) - Expr.counter(Position(1)), [0, 1], square)
    earlier = build.both(same, build.compare(Predicate.GT, before, 0))
    found = build.emit.value(tile.ReduceOp("max", build.cast(earlier, f32), 1))
    none = build.float(0.0, (rows,))
    first = build.both(row_mask, build.compare(Predicate.EQ, found, none))
    value = _combined(op, same, square, build)
    mask = build.spread(first, [0], list(range(len(shape))), shape)
    return value, mask if rest is None else build.both(rest, mask)


def _row_numbers(op: tile.AtomicOp, place: IndexTensor, build: TileBuilder) -> SSAValue:
    """A number for each row of pointers, the same where they name the same elements."""
    shape, chosen = tile.shape_of(op.ptr), place.chosen
    along = [(abs(stride), size) for stride, size in zip(place.strides[1:], shape[1:], strict=True) if size > 1]
    span = sum(stride * (size - 1) for stride, size in along)
    simple = len(shape) <= 2 and all(stride for stride, _ in along)
    if simple and not place.strides[0] and len(chosen) == 1 and abs(chosen[0].factor) > span:
        dims = [dim for dim in chosen[0].dims if dim is not None]
        if dims == [0]:
            return build.spread(build.cast(chosen[0].values, i32), chosen[0].dims, [0], shape[:1])
    if simple and not chosen and len(shape) == 1 and not place.strides[0]:
        return build.number(0, i32, shape)
    raise CompileError.at(
        op, "the pointers of this atomic operation may name one element twice, in a way that is not supported"
    )


def _by_rows(op: tile.AtomicOp, build: TileBuilder) -> tuple[SSAValue | None, SSAValue | None]:
    """The mask as one of rows, and what else it is."""
    row_mask: SSAValue | None = None
    rest: SSAValue | None = None
    for part in conjuncts(op.mask):
        depends = depends_on(part)
        if depends <= {0}:
            row_mask = build.both(row_mask, build.narrowed(part, [0]))
        elif 0 not in depends:
            rest = build.both(rest, part)
        else:
            raise CompileError.at(op, "a mask of rows and columns at once is not supported here; combine two with '&'")
    return row_mask, rest


def _combined(op: tile.AtomicOp, same: SSAValue, square: tuple[int, int], build: TileBuilder) -> SSAValue:
    """For each row, the values of all rows that name the same elements, put together."""
    shape, element, kind = tile.shape_of(op.value), tile.element_of(op.value), op.kind.data
    if kind is Update.ADD and len(shape) == 2 and isinstance(element, AnyFloat):
        sums = tile.DotOp(build.cast(same, f32), build.cast(op.value, f32), None, f32)
        return build.cast(build.emit.value(sums), element)
    whole = (*square, *shape[1:])
    over = list(range(len(whole)))
    values = build.spread(op.value, [1, *over[2:]], over, whole)
    neutral = build.splat(_neutral(op, build), whole)
    picked = build.select(build.spread(same, [0, 1], over, whole), values, neutral)
    return build.emit.value(tile.ReduceOp(_REDUCTIONS[kind], picked, 1))


def _neutral(op: tile.AtomicOp, build: TileBuilder) -> SSAValue:
    """What changes nothing."""
    element, kind = tile.element_of(op.value), op.kind.data
    if isinstance(element, AnyFloat):
        number = {Update.ADD: 0.0, Update.MAX: -math.inf, Update.MIN: math.inf}[kind]
        return build.emit.value(arith.ConstantOp(FloatAttr(number, element)))
    assert isinstance(element, IntegerType)
    least, most = limits(element)
    number = {Update.ADD: 0, Update.MAX: least, Update.MIN: most}[kind]
    return build.cast(build.number(number, i32, ()), element)


_REDUCTIONS = {Update.ADD: "sum", Update.MAX: "max", Update.MIN: "min"}
"""What is done to several values at one element in any order."""

_FLOATS: Mapping[Update, Callable[[SSAValue, SSAValue], Operation]] = {
    Update.ADD: arith.AddfOp,
    Update.MAX: arith.MaximumfOp,
    Update.MIN: arith.MinimumfOp,
}
_SIGNED: Mapping[Update, Callable[[SSAValue, SSAValue], Operation]] = {
    Update.ADD: arith.AddiOp,
    Update.MAX: arith.MaxSIOp,
    Update.MIN: arith.MinSIOp,
    Update.AND: arith.AndIOp,
    Update.OR: arith.OrIOp,
    Update.XOR: arith.XOrIOp,
}
_UNSIGNED: Mapping[Update, Callable[[SSAValue, SSAValue], Operation]] = {
    **_SIGNED,
    Update.MAX: arith.MaxUIOp,
    Update.MIN: arith.MinUIOp,
}
