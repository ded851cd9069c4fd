"""expand-maxnum: extrema that ignore NaN, of the machine's, which do not."""

from __future__ import annotations

import math as numbers
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FloatAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.nan_flow import makes_no_difference, makes_no_difference_of_two
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate, Reduction
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE

_Extremum = arith.MaxnumfOp | arith.MinnumfOp
_NATIVE: dict[type[Operation], type[Operation]] = {
    arith.MaxnumfOp: arith.MaximumfOp,
    arith.MinnumfOp: arith.MinimumfOp,
}
_WINS = {arith.MaxnumfOp: Predicate.GE, arith.MinnumfOp: Predicate.LE}
_REDUCTIONS = {Reduction.MAXNUM: (Reduction.MAX, -numbers.inf), Reduction.MINNUM: (Reduction.MIN, numbers.inf)}
"""The machine's reduction, and what takes part in it instead of a NaN."""
_KEEP_NUMBERS = (
    tile.SplatOp
    | tile.ShapeOp
    | tile.SliceOp
    | tile.ConcatOp
    | arith.NegfOp
    | math.AbsFOp
    | arith.MaximumfOp
    | arith.MinimumfOp
)
"""Operations that make no NaN of numbers."""


@dataclass(frozen=True)
class ExpandMaxnum(LevelPass):
    """The engines' maximum and minimum give NaN where an operand is NaN. Those that ignore it become comparisons:

        %m = arith.maxnumf %x, %y   =>   %o = tile.compare eq %y, %y
                                         %z = tile.select %o, %y, %x         the other, unless it is NaN
                                         %g = tile.compare ge %x, %y         false where one is NaN
                                         %m = tile.select %g, %x, %z

    and in a reduction or scan by `maxnum` or `minnum` infinity takes the place of NaN; where all are NaN, so is the
    result. Where no operand can be NaN, or every result that hangs on it is NaN either way (a softmax, also one that
    goes on block by block), the machine's own operation does.
    """

    name = "expand-maxnum"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _Expansion().func(func)


class _Expansion:
    """One function, in order; `numbers` are the float values that are never NaN, or only where all that hangs on them
    is."""

    def __init__(self) -> None:
        self.numbers: set[SSAValue] = set()

    def func(self, func: FuncOp) -> None:
        for op in operations(func):
            match op:
                case arith.MaxnumfOp() | arith.MinnumfOp():
                    self._replace(op, self._binary(op, Emitter.before(op)))
                case tile.ReduceOp() | tile.ScanOp() if op.kind.data in _REDUCTIONS:
                    self._reduction(op)
                case _:
                    self._note(op)

    def _note(self, op: Operation) -> None:
        """Which results are never NaN."""
        match op:
            case arith.ConstantOp():
                number = constant_of(op.result)
                known = isinstance(number, FloatAttr) and not numbers.isnan(number.value.data)
            case tile.CastOp():
                known = not isinstance(tile.element_of(op.source), AnyFloat) or op.source in self.numbers
            case tile.SelectOp():
                known = {op.on_true, op.on_false} <= self.numbers
            case ForOp():
                return self._carried(op)
            case tile.ReduceOp():
                known = op.kind.data in (Reduction.MAX, Reduction.MIN) and op.source in self.numbers
            case _:
                known = isinstance(op, _KEEP_NUMBERS) and set(op.operands) <= self.numbers
        if known:
            self.numbers.update(op.results)

    def _carried(self, loop: ForOp) -> None:
        """A running extremum that starts as a number stays one."""
        end = loop.body.block.last_op
        assert isinstance(end, YieldOp)
        variables = zip(loop.iter_args, loop.body.block.args[1:], end.operands, loop.results, strict=True)
        for start, argument, value, result in variables:
            if start in self.numbers and _goes_on(value, argument):
                self.numbers |= {argument, result}

    def _replace(self, op: Operation, value: SSAValue) -> None:
        if value.name_hint is None:
            value.name_hint = op.results[0].name_hint
        op.results[0].replace_all_uses_with(value)
        op.detach()
        op.erase()

    def _binary(self, op: _Extremum, emit: Emitter) -> SSAValue:
        x, y = op.lhs, op.rhs
        for one, other in ((x, y), (y, x)):
            if _is_nan(one):
                return other
        if x in self.numbers:
            x, y = y, x
        if x in self.numbers or (y in self.numbers and makes_no_difference_of_two(op, x)):
            native = _NATIVE[type(op)].create(operands=[x, y], result_types=[x.type])
            self.numbers.update(native.results)
            return emit.value(native)
        result = _chosen(_WINS[type(op)], x, y, y in self.numbers, emit)
        if y in self.numbers:
            self.numbers.add(result)
        return result

    def _reduction(self, op: tile.ReduceOp | tile.ScanOp) -> None:
        native, neutral = _REDUCTIONS[op.kind.data]
        emit, source = Emitter.before(op), op.source
        if source in self.numbers or (isinstance(op, tile.ReduceOp) and makes_no_difference(op)):
            result = emit.value(_along(op, native, source))
            if source in self.numbers:
                self.numbers.add(result)
            return self._replace(op, result)
        infinity = _filled(numbers.inf, source, emit)
        is_number = emit.value(tile.CompareOp(Predicate.LE.value, source, infinity))
        filled = emit.value(tile.SelectOp(is_number, source, _filled(neutral, source, emit)))
        found = emit.value(_along(op, native, filled))
        count = emit.value(tile.CastOp(is_number, tile.element_of(source)))
        some = emit.value(_along(op, Reduction.MAX, count))
        # 1 where there is a number; 0 times infinity, which is NaN, where there is none.
        scaled = emit.value(arith.MulfOp(some, _filled(numbers.inf, some, emit)))
        one = emit.value(arith.MinimumfOp(scaled, _filled(1.0, some, emit)))
        return self._replace(op, emit.value(arith.MulfOp(found, one)))


def _goes_on(value: SSAValue, start: SSAValue) -> bool:
    """Whether a value is an extremum that ignores NaN of another one, or of several, among them `start`."""
    if value is start:
        return True
    return isinstance(value.owner, _Extremum) and any(_goes_on(operand, start) for operand in value.owner.operands)


def _along(op: tile.ReduceOp | tile.ScanOp, kind: Reduction, source: SSAValue) -> Operation:
    """The reduction or scan, by another kind and of another tensor."""
    if isinstance(op, tile.ReduceOp):
        return tile.ReduceOp(kind.value, source, op.axis.value.data)
    return tile.ScanOp(kind.value, source, op.axis.value.data, reverse=op.reverse is not None)


def _chosen(wins: Predicate, x: SSAValue, y: SSAValue, y_is_number: bool, emit: Emitter) -> SSAValue:
    """x where it wins over y, else y, unless that is NaN. Scalars, which no engine chooses between, go through a tensor
    of one element."""
    if not tile.shape_of(x):
        x, y = (emit.value(tile.SplatOp(v, (1,))) for v in (x, y))
        return emit.value(tile.ReduceOp(Reduction.MAX.value, _chosen(wins, x, y, y_is_number, emit), 0))
    other = y
    if not y_is_number:
        is_number = emit.value(tile.CompareOp(Predicate.EQ.value, y, y))
        other = emit.value(tile.SelectOp(is_number, y, x))
    return emit.value(tile.SelectOp(emit.value(tile.CompareOp(wins.value, x, y)), x, other))


def _filled(number: float, like: SSAValue, emit: Emitter) -> SSAValue:
    """A constant of the type of another value."""
    scalar = emit.value(arith.ConstantOp(FloatAttr(number, cast(AnyFloat, tile.element_of(like)))))
    shape = tile.shape_of(like)
    return emit.value(tile.SplatOp(scalar, shape)) if shape else scalar


def _is_nan(value: SSAValue) -> bool:
    """Whether the value is a constant NaN throughout."""
    match value.owner:
        case arith.ConstantOp(value=FloatAttr() as number):
            return numbers.isnan(number.value.data)
        case tile.SplatOp() as op:
            return _is_nan(op.value)
        case tile.ShapeOp() | tile.SliceOp() as op:
            return _is_nan(op.source)
        case _:
            return False
