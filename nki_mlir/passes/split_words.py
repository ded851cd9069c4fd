"""split-words: integers of 64 bits, which no engine has, as pairs of 32-bit words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    Signedness,
    f32,
    i1,
    i32,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from nki_mlir.analysis.constants import constant_of, value_of, wrapped
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, check_arguments, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

Pair: TypeAlias = tuple[SSAValue, SSAValue]
"""The low and the high word of each element."""

LEAST = -(2**31)


@dataclass(frozen=True)
class SplitWords(LevelPass):
    """An array of `i64` is one of twice as many `i32`, the low word of each element first, and a value of `i64` two:

        %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
        %c = tile.compare eq %v, %w : tensor<8xi64>
          =>
        %l = tile.read %x [d0 by 2] : memref<8x2xi32> -> tensor<8xi32>
        %h = tile.read %x [d0 by 2, 1 by 1] : memref<8x2xi32> -> tensor<8xi32>
        %c = and (tile.compare eq %l, …) (tile.compare eq %h, …)

    Comparisons use both words; conversions to 32 bits take the low one, those from 32 bits repeat the sign. Sums carry
    from the low word to the high one; a product by a constant is one of doublings. Other arithmetic in 64 bits is
    rejected by name.
    """

    name = "split-words"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _Splitter().func(func)


def _is_wide(value: SSAValue) -> bool:
    return tile.element_of(value) == i64


class _Splitter:
    """Rewrites a function in order; `pairs` are the words of its 64-bit values."""

    def __init__(self) -> None:
        self.pairs: dict[SSAValue, Pair] = {}
        self.old: list[Operation] = []

    def func(self, func: FuncOp) -> None:
        memories = [argument for argument in func.body.block.args if _is_wide(argument)]
        if any(not isinstance(argument.type, MemRefType) for argument in memories):
            check_arguments(func)
        for argument in memories:
            shape = cast(MemRefType, argument.type).get_shape()
            Rewriter.replace_value_with_new_type(argument, MemRefType(i32, [*shape, 2]))
        for op in operations(func):
            if isinstance(op, tile.ReadOp | tile.WriteOp) and _is_wide(op.moved):
                self.access(op)
            elif any(map(_is_wide, (*op.operands, *op.results))):
                self.compute(op)
        for op in reversed(self.old):
            op.detach()
            op.erase()
        if memories:
            func.update_function_type()

    def words(self, value: SSAValue, build: TileBuilder) -> Pair:
        """The words of a value; of a constant, made where they are needed."""
        number = constant_of(value)
        if number is not None:
            bits, shape = int(value_of(number)), tile.shape_of(value)
            return build.number(bits, i32, shape), build.number(bits >> 32, i32, shape)
        return self.pairs[value]

    def access(self, op: tile.ReadOp | tile.WriteOp) -> None:
        build = TileBuilder(Emitter.before(op))
        self.old.append(op)
        if isinstance(op, tile.WriteOp):
            for number, word in enumerate(self.words(op.value, build)):
                build.emit.add(tile.WriteOp(word, op.memory, _half(op, number), op.indices, op.mask, op.atomic))
            return
        type_, other = tile.with_shape(i32, tile.shape_of(op.result)), [None, None]
        if isinstance(op.other, IntegerAttr):
            bits = op.other.value.data
            other = [IntegerAttr(wrapped(word, i32), i32) for word in (bits, bits >> 32)]
        low, high = (
            build.emit.value(
                tile.ReadOp(op.memory, _half(op, number), type_, op.indices, op.mask, other[number], op.undefined)
            )
            for number in (0, 1)
        )
        low.name_hint = high.name_hint = op.result.name_hint
        self.pairs[op.result] = low, high

    def compute(self, op: Operation) -> None:
        build = TileBuilder(Emitter.before(op))
        if isinstance(op, tile.CompareOp):
            left, right = self.words(op.lhs, build), self.words(op.rhs, build)
            op.result.replace_all_uses_with(_compared(op.predicate.data, left, right, build))
        elif isinstance(op, tile.CastOp) and not _is_wide(op.result):
            op.result.replace_all_uses_with(self.narrowed(op, build))
        elif isinstance(op, tile.CastOp):
            self.pairs[op.result] = self.widened(op, build)
        elif isinstance(op, tile.SelectOp):
            sides = zip(self.words(op.on_true, build), self.words(op.on_false, build), strict=True)
            low, high = (build.select(op.condition, a, b) for a, b in sides)
            self.pairs[op.result] = low, high
        elif type(op) in _ON_WORDS:
            left, right = (self.words(operand, build) for operand in op.operands)
            self.pairs[op.results[0]] = _ON_WORDS[type(op)](left, right, build)
        elif isinstance(op, arith.MuliOp) and (number := constant_of(op.rhs)) is not None:
            self.pairs[op.result] = _product(self.words(op.lhs, build), int(value_of(number)), build)
        elif isinstance(op, tile.ConcatOp):
            parts = zip(*(self.words(part, build) for part in op.parts), strict=True)
            low, high = (build.emit.value(tile.ConcatOp(words, op.axis.value.data)) for words in parts)
            self.pairs[op.result] = low, high
        elif type(op) in _SHAPES:
            low, high = (build.emit.value(_SHAPES[type(op)](op, word)) for word in self.words(op.operands[0], build))
            self.pairs[op.results[0]] = low, high
        elif not isinstance(op, arith.ConstantOp):
            raise CompileError.at(
                op,
                f"{op.name} in 64 bits is not supported: no engine has it; convert loaded int64 numbers to int32 first",
            )
        self.old.append(op)

    def narrowed(self, op: tile.CastOp, build: TileBuilder) -> SSAValue:
        """To integers the low bits; to floats the sum of both words, each rounded."""
        low, high = self.words(op.source, build)
        element = tile.element_of(op.result)
        if isinstance(element, IntegerType) and element != i1:
            return build.cast(low, element)
        if isinstance(element, IndexType):
            return build.cast(_saturated(low, high, build), element)
        if not isinstance(element, AnyFloat):
            raise CompileError.at(op, f"a conversion of i64 to {element} is not supported")
        shape = tile.shape_of(low)
        numbers = [build.cast(word, f32) for word in (low, high)]
        carry = build.cast(build.compare(Predicate.LT, low, 0), f32)
        upper = build.emit.value(arith.AddfOp(numbers[1], carry))
        scaled = build.emit.value(arith.MulfOp(upper, build.float(2.0**32, shape)))
        return build.cast(build.emit.value(arith.AddfOp(scaled, numbers[0])), element)

    def widened(self, op: tile.CastOp, build: TileBuilder) -> Pair:
        """From integers of up to 32 bits: the sign in all of the high word."""
        element = tile.element_of(op.source)
        unsigned = isinstance(element, IntegerType) and element.signedness.data is Signedness.UNSIGNED
        if not isinstance(element, IntegerType) or (unsigned and element.width.data == 32):
            raise CompileError.at(op, f"a conversion of {element} to i64 is not supported; convert it to int32 first")
        low = build.cast(op.source, i32)
        if unsigned or element == i1:
            return low, build.constant(0, low)
        return low, build.select(build.compare(Predicate.LT, low, 0), build.constant(-1, low), 0)


def _saturated(low: SSAValue, high: SSAValue, build: TileBuilder) -> SSAValue:
    """What fits 32 bits as it is; the greatest or least such number for others."""
    sign = build.select(build.compare(Predicate.LT, low, 0), build.constant(-1, low), 0)
    least, most = build.constant(LEAST, low), build.constant(-LEAST - 1, low)
    end = build.select(build.compare(Predicate.LT, high, 0), least, most)
    return build.select(build.compare(Predicate.EQ, high, sign), low, end)


def _compared(predicate: Predicate, a: Pair, b: Pair, build: TileBuilder) -> SSAValue:
    """By the high words, and where these are equal by the low ones without a sign."""
    (low, high), (low2, high2) = a, b
    if predicate is Predicate.EQ:
        return build.both(build.compare(predicate, low, low2), build.compare(predicate, high, high2))
    if predicate is Predicate.NE:
        return build.either(build.compare(predicate, low, low2), build.compare(predicate, high, high2))
    strict = Predicate.LT if predicate in (Predicate.LT, Predicate.LE) else Predicate.GT
    same = build.both(build.compare(Predicate.EQ, high, high2), _without_sign(predicate, low, low2, build))
    return build.either(build.compare(strict, high, high2), same)


def _without_sign(predicate: Predicate, a: SSAValue, b: SSAValue, build: TileBuilder) -> SSAValue:
    a, b = (build.exclusive(word, build.constant(LEAST, word)) for word in (a, b))
    return build.compare(predicate, a, b)


def _carries(a: SSAValue, b: SSAValue, build: TileBuilder) -> SSAValue:
    """1 where word `a` is less than word `b`, both without a sign."""
    return build.cast(_without_sign(Predicate.LT, a, b, build), i32)


def _sum(a: Pair, b: Pair, build: TileBuilder) -> Pair:
    low = build.add(a[0], b[0])
    return low, build.add(build.add(a[1], b[1]), _carries(low, a[0], build))


def _difference(a: Pair, b: Pair, build: TileBuilder) -> Pair:
    borrowed = _carries(a[0], b[0], build)
    return build.subtract(a[0], b[0]), build.subtract(build.subtract(a[1], b[1]), borrowed)


def _product(a: Pair, factor: int, build: TileBuilder) -> Pair:
    """By a constant."""
    zero = build.constant(0, a[0]), build.constant(0, a[0])
    total, power, left = None, a, abs(factor)
    while left:
        if left & 1:
            total = power if total is None else _sum(total, power, build)
        left >>= 1
        power = _sum(power, power, build) if left else power
    result = zero if total is None else total
    return _difference(zero, result, build) if factor < 0 else result


def _bitwise(kind: type[Operation]) -> Callable[[Pair, Pair, TileBuilder], Pair]:
    def word(a: SSAValue, b: SSAValue, build: TileBuilder) -> SSAValue:
        return build.emit.value(kind.create(operands=[a, b], result_types=[a.type]))

    return lambda a, b, build: (word(a[0], b[0], build), word(a[1], b[1], build))


def _extremum(predicate: Predicate) -> Callable[[Pair, Pair, TileBuilder], Pair]:
    """The one that compares so with the other."""

    def chosen(a: Pair, b: Pair, build: TileBuilder) -> Pair:
        first = _compared(predicate, a, b, build)
        return build.select(first, a[0], b[0]), build.select(first, a[1], b[1])

    return chosen


_ON_WORDS: Mapping[type[Operation], Callable[[Pair, Pair, TileBuilder], Pair]] = {
    arith.AddiOp: _sum,
    arith.SubiOp: _difference,
    arith.AndIOp: _bitwise(arith.AndIOp),
    arith.OrIOp: _bitwise(arith.OrIOp),
    arith.XOrIOp: _bitwise(arith.XOrIOp),
    arith.MaxSIOp: _extremum(Predicate.GT),
    arith.MinSIOp: _extremum(Predicate.LT),
}
"""Arithmetic in 64 bits by words."""


def _sliced(op: tile.SliceOp, word: SSAValue) -> Operation:
    return tile.SliceOp(word, op.axis.value.data, op.at.value.data, op.size)


_SHAPES: Mapping[type[Operation], Callable[[Operation, SSAValue], Operation]] = {
    tile.SplatOp: lambda op, word: tile.SplatOp(word, tile.shape_of(op.results[0])),
    tile.BroadcastOp: lambda op, word: tile.BroadcastOp(word, tile.shape_of(op.results[0])),
    tile.ExpandDimsOp: lambda op, word: tile.ExpandDimsOp(word, cast(tile.ExpandDimsOp, op).axis.value.data),
    tile.PermuteOp: lambda op, word: tile.PermuteOp(word, cast(tile.PermuteOp, op).order.get_values()),
    tile.ReshapeOp: lambda op, word: tile.ReshapeOp(word, tile.shape_of(op.results[0])),
    tile.SliceOp: lambda op, word: _sliced(cast(tile.SliceOp, op), word),
}
"""What changes the shape alone, made for a word."""


def _half(op: AccessOp, number: int) -> Coordinates:
    """Where the low words of an access are, or the high ones."""
    parts = [replace(part, stride=2 * part.stride) for part in op.over_values]
    return Coordinates((*parts, Coordinate(Expr(1))) if number else tuple(parts))
