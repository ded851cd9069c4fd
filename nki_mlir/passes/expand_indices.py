"""expand-indices: index arithmetic that is no affine expression, as 32-bit integers where it is data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, ModuleOp, Signedness, i32, i64
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, limits, value_of
from nki_mlir.analysis.indices import (
    UNKNOWN,
    NotAffine,
    counts_at_run_time,
    expr_of,
    index_tensor,
    is_loop_counter,
    range_of,
)
from nki_mlir.analysis.number_ranges import Range, fits_32_bits, number_range, within
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.words import is_made_of, makes_number
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.passes.carried_counters import carried_counter
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


_LOW_BITS = arith.AddiOp | arith.SubiOp | arith.MuliOp | arith.AndIOp | arith.OrIOp | arith.XOrIOp
"""Of these, the low 32 bits of a result depend on those of the operands alone."""

_IN_WORDS = _LOW_BITS | arith.MaxSIOp | arith.MinSIOp
"""What is computed of 64 bits by words; products only by constants."""


@dataclass(frozen=True)
class ExpandIndices(LevelPass):
    """Indices that become numbers, or are compared, are counted by an iota where they are affine in positions and loop
    counters. Others are computed as the machine computes integers:

        %r = arith.remsi %rows, 24 : tensor<8xindex>        =>        %w = tile.cast %rows : index -> i32
        %n = tile.cast %r : index -> f32                              %r = arith.remsi %w, 24 : tensor<8xi32>
                                                                      %n = tile.cast %r : i32 -> f32

    Those of positions and counters are taken to fit 32 bits, as results of 32-bit arithmetic on them would. What is
    made of integers, loaded i64 or narrower ones, keeps 64 bits where it is compared, stored as i64 or converted to a
    float, unless its range fits 32: sums, differences, extrema, bits, and multiples of it. Of other arithmetic that may
    need more only the low 32 bits are known, which is enough to convert to an integer of 32 bits. The counter of a loop
    with run-time bounds is carried by the loop as a number. What can't be computed so is rejected by name.
    """

    name = "expand-indices"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        counters: dict[SSAValue, SSAValue] = {}
        for inner in operations(op):
            match inner:
                case tile.CastOp() if _is_computed(inner):
                    result = _converted(inner, counters)
                case tile.CompareOp() if _is_data(inner.lhs) or _is_data(inner.rhs):
                    result = _compared(inner, counters)
                case ForOp():
                    _bound(inner, counters)
                    continue
                case _:
                    continue
            result.name_hint = inner.results[0].name_hint
            inner.results[0].replace_all_uses_with(result)
            inner.detach()
            inner.erase()


def _converted(op: tile.CastOp, counters: dict[SSAValue, SSAValue]) -> SSAValue:
    words, element = _Words(op, counters), tile.element_of(op.result)
    if not isinstance(element, IntegerType) or element == i64:
        if element == i64 or words.may_be_wide(op.source):
            return words.build.cast(words.wide(op.source), element)
        return words.build.cast(words.of(op.source), element)
    return words.build.cast(words.of(op.source, low=True), element)


def _compared(op: tile.CompareOp, counters: dict[SSAValue, SSAValue]) -> SSAValue:
    words = _Words(op, counters)
    if any(words.may_be_wide(value) or not _fits(value) for value in (op.lhs, op.rhs)):
        left, right = words.wide(op.lhs), words.wide(op.rhs)
    else:
        left, right = words.of(op.lhs), words.of(op.rhs)
    return words.build.compare(op.predicate.data, left, right)


def _bound(loop: ForOp, counters: dict[SSAValue, SSAValue]) -> None:
    """Bounds that are no constant and one more number, which a register holds, are computed as data."""
    for number, bound in enumerate((loop.lb, loop.ub)):
        if not _is_for_registers(bound):
            words = _Words(loop, counters, is_bound=True)
            loop.operands[number] = words.build.cast(words.of(bound, low=True), IndexType())


def _is_for_registers(bound: SSAValue) -> bool:
    """Whether it is made of constants and of one number that is known at run time only, or of counters."""
    leaves = _leaves(bound)
    chosen = any(isinstance(leaf.owner, tile.SelectOp) for leaf in leaves)
    return not chosen and (len(leaves) < 2 or all(is_loop_counter(x) and not counts_at_run_time(x) for x in leaves))


def _leaves(value: SSAValue) -> set[SSAValue]:
    """What a scalar index is computed from."""
    found: set[SSAValue] = set()
    for key in expr_of(value).counters():
        assert isinstance(key, SSAValue)
        if isinstance(key.owner, _WORDWISE | math.AbsIOp) and _is_index(key):
            found = found.union(*map(_leaves, key.owner.operands))
        else:
            found.add(key)
    return found


def _is_computed(op: tile.CastOp) -> bool:
    """Whether a conversion is of indices to numbers that no iota gives."""
    element = tile.element_of(op.result)
    return _is_index(op.source) and not _is_index(op.result) and (element == i64 or not is_counted(op.source))


def _is_index(value: SSAValue) -> bool:
    return isinstance(tile.element_of(value), IndexType)


def _is_data(value: SSAValue) -> bool:
    return _is_index(value) and not is_counted(value)


def is_counted(value: SSAValue) -> bool:
    """Whether indices are affine in positions and counters of loops with constant bounds."""
    try:
        keys = index_tensor(value).offset.counters()
        return all(is_loop_counter(key) and not counts_at_run_time(key) for key in keys)
    except NotAffine:
        return False


def _fits(value: SSAValue) -> bool:
    """Whether indices, as far as their range is known, have 32 bits."""
    try:
        place = index_tensor(value)
    except NotAffine:
        return True
    if any(range_of(key) == UNKNOWN for key in place.offset.counters()):
        return True
    (low, high), (least, most) = place.range(tile.shape_of(value)), limits(i32)
    return least <= low and high <= most


class _Words:
    """Indices as integers, made in front of what uses them; `counters` are those of run-time loops, as integers. The
    bounds of loops are taken to fit 32 bits, as registers have no more."""

    def __init__(self, user: Operation, counters: dict[SSAValue, SSAValue], is_bound: bool = False):
        self.user, self.build, self.counters = user, TileBuilder(Emitter.before(user)), counters
        self.is_bound = is_bound
        self.made: dict[tuple[SSAValue, bool], SSAValue] = {}
        self.ranges: dict[SSAValue, Range] = {}

    def may_be_wide(self, value: SSAValue) -> bool:
        """Whether it is made of integers and may need more than 32 bits, which are then not enough."""
        if self.is_bound or fits_32_bits(value, self.ranges):
            return False
        return is_made_of(value, makes_number)

    def of(self, value: SSAValue, low: bool = False) -> SSAValue:
        """As 32-bit integers; with `low`, the low bits of what may need more."""
        if (value, low) not in self.made:
            self.made[value, low] = self._of(value, low)
        return self.made[value, low]

    def _of(self, value: SSAValue, low: bool) -> SSAValue:
        op = value.owner
        if is_counted(value):
            if not low and not _fits(value):
                raise CompileError.at(self.user, _WIDE)
            return self.build.cast(value, i32)
        if (moved := self._moved(value, lambda source: self.of(source, low))) is not None:
            return moved
        if counts_at_run_time(value):
            if value not in self.counters:
                loop = cast(ForOp, cast(Block, value.owner).parent_op())
                self.counters[value] = carried_counter(loop, _Words(loop, self.counters, is_bound=True).of(loop.lb))
            return self.counters[value]
        match op:
            case tile.CastOp() | arith.IndexCastOp() if isinstance(tile.element_of(op.operands[0]), IntegerType):
                self._check(value, low)
                return self.build.cast(op.operands[0], i32)
            case tile.SelectOp():
                return self.build.select(op.condition, self.of(op.on_true, low), self.of(op.on_false, low))
            case math.AbsIOp():
                return self.build.emit.value(math.AbsIOp(self.of(op.operand)))
            case _ if isinstance(op, _WORDWISE):
                if isinstance(op, arith.ShLIOp | arith.ShRSIOp):
                    return self._shifted(op, low)
                low = isinstance(op, _LOW_BITS) and (low or fits_32_bits(value, self.ranges))
                self._check(value, low)
                return self.build.emit.value(type(op)(self.of(op.lhs, low), self.of(op.rhs, low)))
            case _:
                raise CompileError.at(self.user, _refusal(value))

    def _check(self, value: SSAValue, low: bool) -> None:
        """Raises CompileError where 32 bits don't say what the value is."""
        if not low and self.may_be_wide(value):
            raise CompileError.at(self.user, _WIDE)

    def _shifted(self, op: arith.ShLIOp | arith.ShRSIOp, low: bool) -> SSAValue:
        """To the left the low bits of what is shifted are enough. Numbers of 32 bits are shifted by fewer places."""
        left, fits = isinstance(op, arith.ShLIOp), fits_32_bits(op.result, self.ranges)
        self._check(op.result, low and left)
        places, number = number_range(op.rhs, self.ranges), self.of(op.lhs, left and (low or fits))
        if places[0] == places[1] > 31:
            return self.build.constant(0, number) if left else self._by(op, number, self.build.constant(31, number))
        if not within(places, (0, 31)) and is_made_of(op.rhs, makes_number):
            raise CompileError.at(self.user, "shifts of int64 by what may be more than 31 places are not supported")
        return self._by(op, number, self.of(op.rhs))

    def _by(self, op: arith.ShLIOp | arith.ShRSIOp, number: SSAValue, places: SSAValue) -> SSAValue:
        return self.build.emit.value(type(op)(number, places))

    def wide(self, value: SSAValue) -> SSAValue:
        """As 64-bit integers: loaded ones as they are, others by their 32 bits."""
        op, number = value.owner, constant_of(value)
        if number is not None:
            return self.build.number(int(value_of(number)), i64, tile.shape_of(value))
        if isinstance(op, Operation) and makes_number(op):
            return self._extended(op.operands[0])
        if not self.may_be_wide(value) and (_fits(value) or not is_counted(value)):
            return self.build.cast(self.of(value), i64)
        if (moved := self._moved(value, self.wide)) is not None:
            return moved
        if isinstance(op, tile.SelectOp):
            return self.build.select(op.condition, self.wide(op.on_true), self.wide(op.on_false))
        if isinstance(op, math.AbsIOp):
            number = self.wide(op.operand)
            zero = self.build.number(0, i64, tile.shape_of(number))
            is_negative = self.build.compare(Predicate.LT, number, zero)
            return self.build.select(is_negative, self.build.subtract(zero, number), number)
        if isinstance(op, arith.ShLIOp) and (places := constant_of(op.rhs)) and 0 <= value_of(places) < 63:
            factor = self.build.number(2 ** int(value_of(places)), i64, tile.shape_of(value))
            return self.build.emit.value(arith.MuliOp(self.wide(op.lhs), factor))
        if isinstance(op, arith.MuliOp):
            sides = (op.lhs, op.rhs) if constant_of(op.lhs) is None else (op.rhs, op.lhs)
            if constant_of(sides[1]) is not None:
                return self.build.emit.value(arith.MuliOp(self.wide(sides[0]), self.wide(sides[1])))
        elif isinstance(op, _IN_WORDS):
            return self.build.emit.value(type(op)(self.wide(op.lhs), self.wide(op.rhs)))
        raise CompileError.at(self.user, _WIDE)

    def _extended(self, number: SSAValue) -> SSAValue:
        """An integer as one of 64 bits; of one of 32 bits without a sign the upper word is zero."""
        if tile.element_of(number) != IntegerType(32, Signedness.UNSIGNED):
            return self.build.cast(number, i64)
        low = self.build.cast(self.build.cast(number, i32), i64)
        return self.build.emit.value(arith.AndIOp(low, self.build.number(2**32 - 1, i64, tile.shape_of(number))))

    def _moved(self, value: SSAValue, of: Callable[[SSAValue], SSAValue]) -> SSAValue | None:
        """What changes the shape alone, or takes pieces."""
        op, emit = value.owner, self.build.emit
        match op:
            case tile.SplatOp():
                return self.build.splat(of(op.value), tile.shape_of(value))
            case tile.ExpandDimsOp():
                return emit.value(tile.ExpandDimsOp(of(op.source), op.axis.value.data))
            case tile.BroadcastOp():
                return emit.value(tile.BroadcastOp(of(op.source), tile.shape_of(value)))
            case tile.PermuteOp():
                return emit.value(tile.PermuteOp(of(op.source), op.order.get_values()))
            case tile.ReshapeOp():
                return emit.value(tile.ReshapeOp(of(op.source), tile.shape_of(value)))
            case tile.SliceOp():
                return emit.value(tile.SliceOp(of(op.source), op.axis.value.data, op.at.value.data, op.size))
            case tile.ConcatOp():
                return emit.value(tile.ConcatOp([of(part) for part in op.parts], op.axis.value.data))
            case _:
                return None


_WIDE = "64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does"


def _refusal(value: SSAValue) -> str:
    if isinstance(value.owner, tile.CastOp) and isinstance(tile.element_of(value.owner.source), AnyFloat):
        return "floats that become int64 numbers are not supported; convert them to int32 first"
    try:
        unknown = [key for key in index_tensor(value).offset.counters() if not is_loop_counter(key)]
        owner = getattr(unknown[0], "owner", None)
        what = owner.name if isinstance(owner, Operation) else "an argument of the function"
        reason = f"numbers that {what} gives, which are no sum of multiples of loop counters and program ids"
    except NotAffine as error:
        reason = str(error)
    return f"these indices are not supported as values: they have {reason}"
