"""diagonal-products: sums of rows times numbers of their own are products with diagonal matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import BFloat16Type, Float16Type, ModuleOp, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.constants import constant_of, number_of, typed, value_of
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Predicate
from nki_mlir.passes.carrying import carry_through
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.narrowing import narrow
from nki_mlir.passes.tile_builder import TileBuilder
from nki_mlir.targets import Target

CHECK = 5_000.0
"""ns that it takes to see whether a sum was NaN: a column through the array, a reduction, a register, a branch."""


@dataclass(frozen=True)
class DiagonalProducts(LevelPass):
    """Sums of rows, each times a number for every row, are added up by the Tensor engine, as products with matrices
    that have the numbers on their diagonal:

        %a = %x * (%v along d1)                        %d = %v on the diagonal of zeros
        %b = %y * (%w along d1)                   =>   %e = %w on the diagonal of zeros
        %s = %a + %b                                   %p = tile.dot %d, %x
                                                       %s = tile.dot %e, %y acc %p

    as in a convolution of each row with its own few numbers, where the other engines would be slower than the
    transfers. Sums longer than half of PSUM are cut into pieces. Zero times infinity is NaN, in rows that have nothing
    to do with it: of each sum the elements are added up, and if any of these is NaN, the function is run once more as
    it was. Left alone: rows of more than 16 bits an element, and products that are rounded to fp16; what saves less
    than the check takes; functions that read what they write, or whose loops depend on data; and functions with other
    products.
    """

    name = "diagonal-products"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            prices = Prices(target_of(func))
            if _has_products(func) or not _may_run_again(func):
                continue
            _cut([found for found in _sums(func) if found.is_worth(prices)], prices.target)
            sums = [found for found in _sums(func) if found.is_worth(prices)]
            if sums and _fit(sums, prices.target):
                _rewrite(func, sums)


@dataclass(frozen=True)
class _Term:
    """Rows of memory, and what they are multiplied by: a tensor of a number for each, of shape `[rows, 1]`, or one
    number for all."""

    read: tile.ReadOp
    factor: SSAValue | float


@dataclass(frozen=True)
class _Sum:
    """Terms, all of one type of 16 bits, and what else is added to them, that `result` is the sum of."""

    result: SSAValue
    terms: tuple[_Term, ...]
    others: tuple[SSAValue, ...]

    @property
    def element(self) -> Attribute:
        return tile.element_of(self.terms[0].read.result)

    @property
    def bytes(self) -> int:
        """Of each partition of PSUM."""
        return dtype(f32).bytes * tile.shape_of(self.result)[1]

    def is_worth(self, prices: Prices) -> bool:
        """Whether all iterations save more than the check takes, where the array, or the transfers of a tile out and of
        one in for each memory, take less than adding up does."""
        rows, columns = tile.shape_of(self.result)
        layout, number = Layout.lanes((rows, columns), 0, rows, blocked=False), len(self.terms)
        moved = (1 + len({term.read.memory for term in self.terms})) * prices.transfer(
            layout, (columns, 1), self.element
        )
        added = 2 * (number - 1) * prices.compute(layout, f32)
        multiplied = max(moved, number * prices.product(rows, columns, rows, self.element))
        iterations = math.prod(trip_count(loop) or 0 for loop in enclosing_loops(_maker(self.result)))
        return iterations * (added - multiplied) > CHECK


def _sums(func: FuncOp) -> list[_Sum]:
    """The sums of a function that are not part of a longer one."""
    found = [_sum(op) for op in operations(func) if isinstance(op, arith.AddfOp) and not _is_part(op)]
    return [one for one in found if one is not None]


def _is_part(op: arith.AddfOp) -> bool:
    """Whether a sum is nothing but a part of another one."""
    uses = [use.operation for use in op.result.uses]
    return len(uses) == 1 and isinstance(uses[0], arith.AddfOp) and uses[0].parent is op.parent


def _sum(op: arith.AddfOp) -> _Sum | None:
    if tile.element_of(op.result) != f32 or len(tile.shape_of(op.result)) != 2:
        return None
    terms, others = list[_Term](), list[SSAValue]()
    for value in _summands(op):
        term = _term(value)
        if term is not None and (not terms or term.read.result.type == terms[0].read.result.type):
            terms.append(term)
        elif number_of(value) != 0:
            others.append(value)
    return _Sum(op.result, tuple(terms), tuple(others)) if len(terms) > 1 else None


def _summands(op: arith.AddfOp) -> list[SSAValue]:
    """What is added up, in order."""
    found = list[SSAValue]()
    for value in op.operands:
        inner = value.owner
        found += _summands(inner) if isinstance(inner, arith.AddfOp) and _is_part(inner) else [value]
    return found


def _term(value: SSAValue) -> _Term | None:
    """What it is a product of, in fp32, or rounded to bf16, which has all of its range."""
    value = _narrow(value)
    match value.owner:
        case tile.ReadOp() as read if _is_short(value) and _is_defined(value):
            return _Term(read, 1.0)
        case arith.MulfOp() as op if not isinstance(tile.element_of(value), Float16Type):
            for rows, factor in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
                read = _narrow(rows).owner
                if isinstance(read, tile.ReadOp) and _is_short(read.result) and _is_defined(read.result):
                    found = _factor(factor, tile.element_of(read.result))
                    return None if found is None else _Term(read, found)
    return None


def _narrow(value: SSAValue) -> SSAValue:
    """What fp32 numbers are that were 16 bits wide."""
    owner = value.owner
    return owner.source if isinstance(owner, tile.CastOp) and _is_short(owner.source) else value


def _is_short(value: SSAValue) -> bool:
    return isinstance(tile.element_of(value), BFloat16Type | Float16Type)


def _is_defined(value: SSAValue) -> bool:
    """Whether it hangs on no element that a load leaves out and that has no value: other rows would hang on it, too."""
    op = value.owner
    if not isinstance(op, Operation):
        return False
    return getattr(op, "undefined", None) is None and all(map(_is_defined, _data(op)))


def _data(op: Operation) -> list[SSAValue]:
    """What an operation computes with: of a load, not where it is."""
    if not isinstance(op, tile.ReadOp):
        return list(op.operands)
    return [*op.indices, *([] if op.mask is None else [op.mask])]


def _factor(value: SSAValue, element: Attribute) -> SSAValue | float | None:
    """A factor of rows as an element type has it: a number, or one for each row."""
    if (number := constant_of(value)) is not None:
        exact = typed(value_of(number), element)
        return value_of(number) if exact is not None and value_of(exact) == value_of(number) else None
    owner = _narrow(value).owner
    match owner:
        case tile.SplatOp():
            source = _narrow(owner.value)
        case tile.BroadcastOp() if tile.shape_of(owner.source)[1:] == (1,):
            source = _narrow(owner.source)
        case _:
            return None
    return source if tile.element_of(source) == element and _is_defined(source) else None


def _has_products(func: FuncOp) -> bool:
    """Whether others need PSUM, too."""
    return any(isinstance(op, tile.DotOp) for op in func.walk())


def _fit(sums: Sequence[_Sum], target: Target) -> bool:
    """Whether sums take no more than half of PSUM, so that the next is begun while one is read."""
    return 2 * sum(one.bytes for one in sums) <= target.memory.psum_bytes


def _cut(sums: Sequence[_Sum], target: Target) -> None:
    """Makes sums that do not fit in pieces that do, block by block."""
    pieces = -(-2 * sum(one.bytes for one in sums) // target.memory.psum_bytes)
    blocks = {_maker(one.result).parent: tile.shape_of(one.result)[1] for one in sums}
    for block, columns in blocks.items():
        if pieces > 1 and block is not None:
            narrow(block, columns, pieces)


def _may_run_again(func: FuncOp) -> bool:
    """Whether a function run twice leaves what it leaves run once: it reads nothing that it writes."""
    memories, inside = memories_of(func), [op for op in operations(func) if op is not func]
    read = {memories[op.memory] for op in inside if isinstance(op, tile.ReadOp)}
    written = {memories[op.memory] for op in inside if isinstance(op, tile.WriteOp)}
    known = ForOp | YieldOp | ReturnOp | tile.BeginProgramOp | tile.ReadOp | tile.WriteOp
    return (
        not read & written
        and all(isinstance(op, known) or (is_side_effect_free(op) and not op.regions) for op in inside)
        and all(trip_count(op) for op in inside if isinstance(op, ForOp))
        and not any(op.atomic for op in inside if isinstance(op, tile.WriteOp))
    )


def _rewrite(func: FuncOp, sums: Sequence[_Sum]) -> None:
    """Makes the sums, and behind all of it the function again where one of them is NaN."""
    block = func.body.block
    end = block.last_op
    assert end is not None
    values = dict[SSAValue, SSAValue]()
    again = Block([op.clone(values) for op in block.ops if op is not end])
    build, condition = TileBuilder(Emitter.before(end)), None
    for one in sums:
        failed = _any_nan(_on_array(one), build)
        condition = failed if condition is None else build.either(condition, failed)
    assert condition is not None
    again.add_op(YieldOp())
    build.emit.add(IfOp(condition, [], Region(again), Region(Block([YieldOp()]))))


def _on_array(one: _Sum) -> SSAValue:
    """Makes a sum by products; gives, for each row, what adds up to NaN where an element of it ever is."""
    maker = _maker(one.result)
    build = TileBuilder(Emitter.before(maker))
    shape, total = tile.shape_of(one.result), None
    for term in one.terms:
        matrix = _diagonal(term.factor, shape[0], one.element, build)
        total = build.emit.value(tile.DotOp(matrix, term.read.result, total, f32))
    assert total is not None
    checked = total
    for other in one.others:
        total = build.emit.value(arith.AddfOp(total, other))
    total.name_hint = one.result.name_hint
    one.result.replace_all_uses_with(total)
    loops = enclosing_loops(maker)
    ahead = TileBuilder(Emitter.before(loops[0] if loops else maker))
    start = ahead.float(0.0, shape[:1])

    def added(before: SSAValue) -> SSAValue:
        along = build.emit.value(tile.ReduceOp("sum", checked, 1))
        return build.emit.value(arith.AddfOp(before, along))

    return carry_through(loops, start, added)


def _maker(value: SSAValue) -> Operation:
    assert isinstance(value.owner, Operation)
    return value.owner


def _diagonal(factor: SSAValue | float, size: int, element: Attribute, build: TileBuilder) -> SSAValue:
    """A matrix with the factor of each row on its diagonal."""
    ones = build.float(1.0, (size, size), element)
    places = [build.spread(build.emit.value(tile.ArangeOp(0, size)), [dim], range(2), (size, size)) for dim in range(2)]
    on_it = build.compare(Predicate.EQ, *places)
    identity = build.select(on_it, ones, build.float(0.0, (size, size), element))
    if factor == 1.0:
        return identity
    if not isinstance(factor, SSAValue):
        return build.emit.value(arith.MulfOp(identity, build.float(factor, (size, size), element)))
    if not tile.shape_of(factor):
        return build.emit.value(arith.MulfOp(identity, build.splat(factor, (size, size))))
    row = build.emit.value(tile.BroadcastOp(build.reshape(factor, (1, size)), (size, size)))
    return build.emit.value(arith.MulfOp(identity, row))


def _any_nan(value: SSAValue, build: TileBuilder) -> SSAValue:
    """Whether an element of a vector is NaN."""
    is_nan = build.cast(build.compare(Predicate.NE, value, value), f32)
    return build.compare(Predicate.GT, build.emit.value(tile.ReduceOp("max", is_nan, 0)), build.float(0.0, ()))
