"""merge-factors: what is large is scaled once, and only where its factor can't be that of something smaller."""

from __future__ import annotations

import math as numbers
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, number_of
from nki_mlir.analysis.nan_flow import makes_no_difference
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Reduction
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

_EXTREMA = (Reduction.MAX, Reduction.MAXNUM, Reduction.MIN, Reduction.MINNUM)

_TAKE_ZEROS = (tile.ReduceOp, arith.SubfOp)


@dataclass(frozen=True)
class MergeFactors(LevelPass):
    """Multiplies once what an exponential takes, and what is subtracted from it where there is less of it:

        %a = arith.mulf %x, 0.125                      %a = arith.mulf %x, 0.0866
        %b = arith.subf %a, (broadcast %m)        =>   %n = arith.mulf %m, 0.693
        %c = arith.mulf %b, 0.693                      %b = arith.subf %a, (broadcast %n)
        %e = math.exp %c                               %e = math.exp %b

    A function of the machine scales what it takes, and adds a number of each row; `exp2` is an exponential of a
    multiple. Left alone: differences of what was not scaled, which are exact where both are alike; factors above 1,
    which might make infinite what was not; and what somebody else needs.

    The largest, or smallest, of numbers times a positive one is that of the numbers, times it, rounding included; and
    a choice between such numbers and a constant is one between the numbers and another constant, if there is one:

        %a = arith.mulf %x, 0.125                      %b = tile.select %c, %x, -inf
        %b = tile.select %c, %a, -inf             =>   %n = tile.reduce max %b axis 1
        %m = tile.reduce max %b axis 1                 %m = arith.mulf %n, 0.125

    Left alone: extrema that have to ignore a NaN, but of a product.

    Nor is a zero added, such as a mask that always holds leaves, to what an extremum takes and something is subtracted
    from.
    """

    name = "merge-factors"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for sum_ in [inner for inner in operations(op) if isinstance(inner, arith.AddfOp)]:
            _leave_zero_out(sum_)
        for choice in [inner for inner in operations(op) if isinstance(inner, tile.SelectOp)]:
            _scale_chosen(choice)
        for reduction in [inner for inner in operations(op) if isinstance(inner, tile.ReduceOp)]:
            if reduction.kind.data in _EXTREMA:
                _scale_behind(reduction)
        for function in [inner for inner in operations(op) if isinstance(inner, math.ExpOp)]:
            _merge(function)


def _leave_zero_out(sum_: arith.AddfOp) -> None:
    """Adds no zero to what only an extremum and exponents take: at most a zero is another one."""
    users = [use.operation for use in sum_.result.uses]
    if number_of(sum_.rhs) != 0 or not all(isinstance(user, _TAKE_ZEROS) for user in users):
        return
    if any(isinstance(user, tile.ReduceOp) and user.kind.data in _EXTREMA for user in users):
        _replace(sum_, sum_.lhs)


def _scale_chosen(choice: tile.SelectOp) -> None:
    """Multiplies what is chosen, not what it is chosen from."""
    found, other = _scaled(choice.on_true), number_of(choice.on_false)
    if found is None or other is None or not choice.on_true.has_one_use() or not 0 < found[1] < numbers.inf:
        return
    plain, factor = found
    constant = _quotient(other, factor)
    if constant is None:
        return
    build, shape = TileBuilder(Emitter.before(choice)), tile.shape_of(choice.result)
    chosen = build.select(choice.condition, plain, build.float(constant, shape))
    _replace(choice, build.emit.value(arith.MulfOp(chosen, build.float(factor, shape))))


def _quotient(number: float, factor: float) -> float | None:
    """What gives a number exactly when it is multiplied in fp32; None where nothing does."""
    wanted, by = np.float32(number), np.float32(factor)
    with np.errstate(all="ignore"):
        about = wanted / by
        near = (about, np.nextafter(about, np.float32(-np.inf)), np.nextafter(about, np.float32(np.inf)))
        return next((float(one) for one in near if one * by == wanted), None)


def _is_worth(reduction: tile.ReduceOp, plain: SSAValue) -> bool:
    """Whether the factor had better come later. Not where a NaN has to be ignored, which takes steps that the factor
    goes along with; but a product is read where it was made then."""
    chosen = plain.owner.on_true if isinstance(plain.owner, tile.SelectOp) else plain
    is_native = reduction.kind.data in (Reduction.MAX, Reduction.MIN)
    return is_native or isinstance(chosen.owner, tile.DotOp) or makes_no_difference(reduction)


def _scale_behind(reduction: tile.ReduceOp) -> None:
    """Multiplies what is left of the elements, not them."""
    found = _scaled(reduction.source)
    if found is None or not 0 < found[1] < numbers.inf:
        return
    plain, factor = found
    if not _is_worth(reduction, plain):
        return
    emit = Emitter.before(reduction)
    few = emit.value(tile.ReduceOp(reduction.kind.data.value, plain, reduction.axis.value.data))
    build = TileBuilder(emit)
    shape = tile.shape_of(few)
    result = emit.value(arith.MulfOp(few, build.float(factor, shape)))
    _replace(reduction, result)


def _replace(op: Operation, value: SSAValue) -> None:
    value.name_hint = value.name_hint or op.results[0].name_hint
    op.results[0].replace_all_uses_with(value)
    op.detach()
    op.erase()


def _merge(function: math.ExpOp) -> None:
    found = _scaled(function.operand)
    if found is None:
        return
    sum_, factor = found
    op = sum_.owner
    if not isinstance(op, arith.AddfOp | arith.SubfOp) or not sum_.has_one_use() or not 0 < factor <= 1:
        return
    if all(map(_may_take_factor, op.operands)):
        emit = Emitter.before(function)
        left, right = (_multiplied(side, factor, emit) for side in op.operands)
        function.operands[0] = emit.value(type(op)(left, right))


def _may_take_factor(value: SSAValue) -> bool:
    """Whether it is no more work to multiply a side of a sum by a number."""
    op = value.owner
    if isinstance(op, tile.BroadcastOp | tile.SplatOp):
        return tile.element_of(value) == f32 and constant_of(value) is None
    return _scaled(value) is not None and value.has_one_use()


def _multiplied(value: SSAValue, factor: float, emit: Emitter) -> SSAValue:
    """That side, multiplied."""
    op, build = value.owner, TileBuilder(emit)
    if isinstance(op, tile.BroadcastOp | tile.SplatOp):
        (small,) = op.operands
        product = emit.value(arith.MulfOp(small, build.float(factor, tile.shape_of(small))))
        return emit.value(op.clone({small: product}))
    scaled = _scaled(value)
    assert scaled is not None
    return emit.value(arith.MulfOp(scaled[0], build.float(scaled[1] * factor, tile.shape_of(value))))


def _scaled(value: SSAValue) -> tuple[SSAValue, float] | None:
    """What is multiplied by a constant, and that constant."""
    op = value.owner
    if not isinstance(op, arith.MulfOp) or tile.element_of(value) != f32:
        return None
    for one, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = number_of(other)
        if number is not None:
            return one, number
    return None
