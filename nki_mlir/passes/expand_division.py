"""expand-division: integer division and remainder by constants, of comparisons and sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType, ModuleOp, i32
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, limits, value_of
from nki_mlir.analysis.indices import NotAffine, index_tensor
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

_DIVISIONS: Mapping[type[Operation], bool] = {
    arith.DivSIOp: True,
    arith.FloorDivSIOp: True,
    arith.DivUIOp: True,
    arith.RemSIOp: False,
    arith.RemUIOp: False,
}
"""Whether it is the quotient that an operation gives."""


Range: TypeAlias = tuple[int, int]
"""The least and the greatest integer."""

Ranges: TypeAlias = dict[SSAValue, Range]
"""What is known of values, each of which is looked into once."""


@dataclass(frozen=True)
class ExpandDivision(LevelPass):
    """No engine divides integers. By a constant it is a long division in base 2: of minus the size, a number that has
    32 bits whatever the dividend, multiples are taken off, the largest first:

        %q = arith.divsi %x, 24        =>        %n = -|%x|; where %n <= -48: %n += 48, %q += 2; where %n <= -24: …

    with as many steps as the dividend's range needs. Indices as data are converted to 32-bit integers first. Other
    divisors, and divisions whose operands are index arithmetic that addresses need, are left as they are.
    """

    name = "expand-division"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        known: Ranges = {}
        for inner in operations(op):
            if type(inner) in _DIVISIONS and _is_data(inner):
                _expand(inner, known)


def _is_data(op: Operation) -> bool:
    divisor = constant_of(op.operands[1])
    if divisor is None or not value_of(divisor):
        return False
    element = tile.element_of(op.results[0])
    if not isinstance(element, IntegerType) or constant_of(op.operands[0]) is not None:
        return False
    least, most = limits(i32)
    return least <= limits(element)[0] and limits(element)[1] <= most


def _expand(op: Operation, known: Ranges) -> None:
    build = TileBuilder(Emitter.before(op))
    element = tile.element_of(op.results[0])
    constant = constant_of(op.operands[1])
    assert constant is not None
    divisor, floors = int(value_of(constant)), isinstance(op, arith.FloorDivSIOp)
    dividend = build.cast(op.operands[0], i32)
    low, high = range_of(op.operands[0], known)
    quotient, rest = _divided(dividend, abs(divisor), (low, high), build)
    if _DIVISIONS[type(op)]:
        negative = (low < 0) if divisor > 0 else (high > 0)
        result = quotient
        if negative:
            sign = build.compare(Predicate.LT if divisor > 0 else Predicate.GT, dividend, 0)
            result = build.select(sign, build.subtract(build.constant(0, quotient), quotient), quotient)
            if floors:
                inexact = build.both(sign, build.compare(Predicate.NE, rest, 0))
                result = build.subtract(result, build.cast(inexact, i32))
    else:
        result = build.subtract(build.constant(0, rest), rest)
        if low < 0:
            result = build.select(build.compare(Predicate.LT, dividend, 0), rest, result)
    result = build.cast(result, element)
    known[result] = _within(result, _reach(op, divisor, (low, high)))
    result.name_hint = op.results[0].name_hint
    op.results[0].replace_all_uses_with(result)
    op.detach()
    op.erase()


def _divided(dividend: SSAValue, divisor: int, reach: Range, build: TileBuilder) -> tuple[SSAValue, SSAValue]:
    """The quotient of the sizes, and minus the remainder. `reach` are the least and the greatest dividend."""
    low, high = reach
    rest = build.subtract(build.constant(0, dividend), dividend)
    if low < 0:
        rest = dividend if high <= 0 else build.select(build.compare(Predicate.LT, dividend, 0), dividend, rest)
    quotient = build.constant(0, dividend)
    for bit in reversed(range((max(-low, high) // divisor).bit_length())):
        multiple = divisor << bit
        fits = build.compare(Predicate.LE, rest, -multiple)
        rest = build.select(fits, build.add(rest, build.constant(multiple, rest)), rest)
        quotient = build.select(fits, build.add(quotient, build.constant(1 << bit, quotient)), quotient)
    return quotient, rest


def _reach(op: Operation, divisor: int, dividend: Range) -> Range:
    """The least and the greatest result of a division."""
    low, high = dividend
    most = max(-low, high) // abs(divisor) + 1 if _DIVISIONS[type(op)] else abs(divisor) - 1
    signs = low < 0 or (_DIVISIONS[type(op)] and divisor < 0)
    return (-most if signs else 0), most


def range_of(value: SSAValue, known: Ranges) -> Range:
    """The least and the greatest integer that an element can be; it becomes `known`."""
    if value not in known:
        try:
            known[value] = _within(value, _range(value, known))
        except NotAffine:
            known[value] = _limits(value)
    return known[value]


def _within(value: SSAValue, range_: Range) -> Range:
    """A range, if the value's type holds it; else it may wrap around to any integer of the type."""
    least, most = _limits(value)
    return range_ if least <= range_[0] and range_[1] <= most else (least, most)


def _limits(value: SSAValue) -> Range:
    element = tile.element_of(value)
    assert isinstance(element, IndexType | IntegerType)
    return limits(element)


def _range(value: SSAValue, known: Ranges) -> Range:
    """As far as can be seen. Raises NotAffine."""
    op = value.owner
    match op:
        case tile.CastOp() if isinstance(tile.element_of(op.source), IndexType):
            return index_tensor(op.source).range(tile.shape_of(value))
        case tile.CastOp() if isinstance(tile.element_of(op.source), IntegerType):
            return range_of(op.source, known)
        case tile.SplatOp() | tile.ShapeOp() | tile.SliceOp():
            return range_of(op.operands[0], known)
        case tile.ConcatOp():
            ranges = [range_of(part, known) for part in op.parts]
            return min(low for low, _ in ranges), max(high for _, high in ranges)
        case arith.AddiOp() | arith.SubiOp() | arith.MuliOp():
            (a, b), (c, d) = range_of(op.lhs, known), range_of(op.rhs, known)
            ends = {
                arith.AddiOp: (a + c, b + d),
                arith.SubiOp: (a - d, b - c),
                arith.MuliOp: (min(a * c, a * d, b * c, b * d), max(a * c, a * d, b * c, b * d)),
            }
            return ends[type(op)]
        case tile.SelectOp():
            (a, b), (c, d) = range_of(op.on_true, known), range_of(op.on_false, known)
            return min(a, c), max(b, d)
        case _:
            pass
    constant = constant_of(value)
    if constant is None:
        raise NotAffine("nothing known")
    return int(value_of(constant)), int(value_of(constant))
