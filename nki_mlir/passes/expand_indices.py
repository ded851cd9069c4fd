"""expand-indices: index arithmetic that is no affine expression, as 32-bit integers where it is data."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IndexType, IntegerType, ModuleOp, i32
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import NotAffine, index_tensor, is_loop_counter
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

_WORDWISE = (
    arith.AddiOp
    | arith.SubiOp
    | arith.MuliOp
    | arith.DivSIOp
    | arith.RemSIOp
    | arith.FloorDivSIOp
    | arith.AndIOp
    | arith.OrIOp
    | arith.XOrIOp
    | arith.ShLIOp
    | arith.ShRSIOp
    | arith.MaxSIOp
    | arith.MinSIOp
)
"""What gives a 32-bit result of 32-bit operands, whatever they are."""


@dataclass(frozen=True)
class ExpandIndices(LevelPass):
    """Indices that become numbers, or are compared, are counted by an iota where they are affine in positions and loop
    counters. Others are computed as the machine computes integers:

        %r = arith.remsi %rows, 24 : tensor<8xindex>        =>        %w = tile.cast %rows : index -> i32
        %n = tile.cast %r : index -> f32                              %r = arith.remsi %w, 24 : tensor<8xi32>
                                                                      %n = tile.cast %r : i32 -> f32

    They are taken to fit 32 bits, as results of 32-bit arithmetic on them would. What can't be computed so is rejected
    by name.
    """

    name = "expand-indices"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            match inner:
                case tile.CastOp() if _is_data(inner.source) and not isinstance(
                    tile.element_of(inner.result), IndexType
                ):
                    words = _Words(inner)
                    result = words.build.cast(words.of(inner.source), tile.element_of(inner.result))
                case tile.CompareOp() if _is_data(inner.lhs) or _is_data(inner.rhs):
                    words = _Words(inner)
                    result = words.build.compare(inner.predicate.data, words.of(inner.lhs), words.of(inner.rhs))
                case _:
                    continue
            result.name_hint = inner.results[0].name_hint
            inner.results[0].replace_all_uses_with(result)
            inner.detach()
            inner.erase()


def _is_data(value: SSAValue) -> bool:
    return isinstance(tile.element_of(value), IndexType) and not is_counted(value)


def is_counted(value: SSAValue) -> bool:
    """Whether indices are affine in positions and loop counters."""
    try:
        return all(map(is_loop_counter, index_tensor(value).offset.counters()))
    except NotAffine:
        return False


class _Words:
    """Indices as 32-bit integers, made in front of what uses them."""

    def __init__(self, user: tile.CastOp | tile.CompareOp):
        self.user, self.build = user, TileBuilder(Emitter.before(user))
        self.made: dict[SSAValue, SSAValue] = {}

    def of(self, value: SSAValue) -> SSAValue:
        if value not in self.made:
            self.made[value] = self._make(value)
        return self.made[value]

    def _make(self, value: SSAValue) -> SSAValue:
        op = value.owner
        if is_counted(value):
            return self.build.cast(value, i32)
        match op:
            case tile.CastOp() if isinstance(tile.element_of(op.source), IntegerType):
                return self.build.cast(op.source, i32)
            case arith.IndexCastOp() if isinstance(op.input.type, IntegerType):
                return self.build.cast(op.input, i32)
            case tile.SplatOp():
                return self.build.splat(self.of(op.value), tile.shape_of(value))
            case tile.ExpandDimsOp():
                return self.build.emit.value(tile.ExpandDimsOp(self.of(op.source), op.axis.value.data))
            case tile.BroadcastOp():
                return self.build.emit.value(tile.BroadcastOp(self.of(op.source), tile.shape_of(value)))
            case tile.TransOp():
                return self.build.emit.value(tile.TransOp(self.of(op.source)))
            case tile.SelectOp():
                return self.build.select(op.condition, self.of(op.on_true), self.of(op.on_false))
            case math.AbsIOp():
                return self.build.emit.value(math.AbsIOp(self.of(op.operand)))
            case _ if isinstance(op, _WORDWISE):
                return self.build.emit.value(type(op)(self.of(op.lhs), self.of(op.rhs)))
            case _:
                raise CompileError.at(self.user, _refusal(value))


def _refusal(value: SSAValue) -> str:
    try:
        offset = index_tensor(value).offset
        what = f"they depend on {offset}, which is no loop counter or program id"
    except NotAffine as reason:
        what = f"they have {reason}"
    return f"these indices are not supported as values: {what}"
