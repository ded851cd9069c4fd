"""merge-factors: of an exponent, which is scaled twice, the factors of what is large become one."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import SSAValue

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.dialects import tile
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder


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
    """

    name = "merge-factors"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, math.ExpOp)]:
            _merge(function)


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
        number = constant_of(other)
        if number is not None:
            return one, value_of(number)
    return None
