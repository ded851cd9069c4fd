"""join-products: sums of what is multiplied anyway are a column of the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.constants import Number, constant_of, value_of
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.carrying import carry, drop
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class JoinProducts(LevelPass):
    """Of two products of the same rows, one of them with a constant, makes one, with columns beside each other:

        %ones = tile.splat 1.0 : tensor<512x1xbf16>       %w = tile.concat %v, %ones axis 1
        %o1 = tile.dot %p, %v acc %o                 =>   %j1 = tile.dot %p, %w acc %j
        %l1 = tile.dot %p, %ones acc %l                   … and slices of what that adds up to

    as the array takes the rows once for both then, and a column of its own takes it as long as many. Sums go on
    together through loops, through slices of their rows, and through concatenations of these. Left alone: where the
    product takes less time the other way round, with its rows moving, or has as many columns as move at once; sums
    that begin as different numbers, or as what is computed; and columns that something else takes, too.
    """

    name = "join-products"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for func in functions(op):
            joining = _Joining(prices)
            joining.block(func.body.block)
            joining.finish()


class _Join(NamedTuple):
    """What stands beside a value, and both in one."""

    beside: SSAValue
    both: SSAValue


class _Pair(NamedTuple):
    """Two products of the same rows in a block, `beside` with a number, and the operation that adds the first to
    `acc`, which is itself where it does that or there is nothing to add to."""

    product: tile.DotOp
    beside: tile.DotOp
    acc: SSAValue | None
    end: Operation

    @staticmethod
    def of(op: tile.DotOp) -> _Pair | None:
        if not op.is_plain or constant_of(op.b) is not None:
            return None
        for use in op.a.uses:
            match use.operation:
                case tile.DotOp() as other if use.index == 0 and _is_beside(other, op):
                    return _Pair._ending(op, other)
                case _:
                    pass
        return None

    @staticmethod
    def at(value: SSAValue) -> _Pair | None:
        """The pair whose sum a value is."""
        op = value.owner
        terms = op.operands if isinstance(op, arith.AddfOp) else [value]
        found = [_Pair.of(term.owner) for term in terms if isinstance(term.owner, tile.DotOp)]
        return next((pair for pair in found if pair is not None and pair.end is op), None)

    @staticmethod
    def _ending(op: tile.DotOp, beside: tile.DotOp) -> _Pair | None:
        if (op.acc is None) == (beside.acc is None):
            return _Pair(op, beside, op.acc, op)
        user = op.result.get_user_of_unique_use()
        if op.acc is None and isinstance(user, arith.AddfOp) and user.parent is op.parent:
            return _Pair(op, beside, user.rhs if user.lhs is op.result else user.lhs, user)
        return None

    @property
    def number(self) -> Number:
        number = constant_of(self.beside.b)
        assert number is not None
        return number


class _Wide(NamedTuple):
    """Columns, and how many of which number stand beside them in a block."""

    value: SSAValue
    number: Number
    more: int
    block: Block | None


@dataclass
class _Joining:
    """`joins` has what is joined, by the value of more columns, and `gone` what made both before; `wider` columns with
    such of a number beside them; `dropped` are loops with the numbers of what they need no longer carry."""

    prices: Prices
    joins: dict[SSAValue, _Join] = field(default_factory=dict)
    gone: list[Operation] = field(default_factory=list)
    wider: dict[_Wide, SSAValue] = field(default_factory=dict)
    dropped: list[tuple[ForOp, list[int]]] = field(default_factory=list)

    def block(self, block: Block) -> None:
        order = {op: number for number, op in enumerate(block.ops)}
        for op in list(block.ops):
            match op:
                case ForOp():
                    self._loop(op)
                case tile.DotOp():
                    self._product(op, order)
                case tile.SliceOp() | tile.ConcatOp() if op.axis.value.data == 0:
                    self._rows(op, order)
                case _:
                    for inner in [inner for region in op.regions for inner in region.blocks]:
                        self.block(inner)

    def finish(self) -> None:
        """Slices take the places of what has been joined, which goes."""
        gone = set(self.gone)
        for value, (beside, both) in self.joins.items():
            for old, at in ((value, 0), (beside, tile.shape_of(value)[1])):
                users = {use.operation for use in old.uses} - gone
                if users:
                    made = _behind(both).value(tile.SliceOp(both, 1, at, tile.shape_of(old)[1]))
                    made.name_hint = old.name_hint
                    old.replace_uses_with_if(made, lambda use, users=users: use.operation in users)
        for op in reversed(self.gone):
            op.detach()
            op.erase()
        for loop, numbers in reversed(self.dropped):
            drop(loop, numbers)

    def _loop(self, loop: ForOp) -> None:
        """A loop that carries what two products are added to carries both in one."""
        block, end = loop.body.block, loop.body.block.last_op
        assert isinstance(end, YieldOp)
        found: list[tuple[int, int, SSAValue]] = []
        for first, value in enumerate(end.operands):
            pair = _Pair.at(value)
            if pair is None or pair.beside.result not in end.operands:
                continue
            second = end.operands.index(pair.beside.result)
            begin = self._both(loop.iter_args[first], loop.iter_args[second], Emitter.before(loop))
            if begin is not None and all(block.args[1 + number].has_one_use() for number in (first, second)):
                found.append((first, second, begin))
        for first, second, begin in found:
            both = block.insert_arg(begin.type, len(block.args))
            self.joins[block.args[1 + first]] = _Join(block.args[1 + second], both)
        self.block(block)
        for first, second, begin in found:
            values, emit = (end.operands[first], end.operands[second]), Emitter.before(end)
            whole = self._both(*values, emit) or emit.value(tile.ConcatOp(values, 1))
            for number in (first, second):
                end.operands[number] = block.args[1 + number]
            owner = carry(loop, begin, whole).owner
            assert isinstance(owner, ForOp)
            loop = owner
        numbers = [(first, second) for first, second, _ in found]
        for (first, second), both in zip(numbers, loop.results[len(loop.results) - len(found) :], strict=True):
            self.joins[loop.results[first]] = _Join(loop.results[second], both)
        if found:
            self.dropped.append((loop, [number for pair in numbers for number in pair]))

    def _product(self, op: tile.DotOp, order: Mapping[Operation, int]) -> None:
        pair = _Pair.of(op)
        if pair is None or not self._is_wanted(pair, order):
            return
        emit, acc = Emitter.before(pair.end), None
        if pair.acc is not None and pair.beside.acc is not None:
            acc = self._both(pair.acc, pair.beside.acc, emit)
            if acc is None:
                return
        made = emit.value(tile.DotOp(op.a, self._wide(pair, emit), acc, tile.element_of(op.result)))
        self.joins[pair.end.results[0]] = _Join(pair.beside.result, made)
        self.gone += dict.fromkeys((op, pair.beside, pair.end))

    def _is_wanted(self, pair: _Pair, order: Mapping[Operation, int]) -> bool:
        """Whether both in one take less time, and nothing uses what stands beside before."""
        op, beside = pair.product, pair.beside
        element, (rows, terms) = tile.element_of(op.a), tile.shape_of(op.a)
        columns, more = (tile.shape_of(one.b)[1] for one in (op, beside))
        product = self.prices.product
        apart = min(product(rows, columns, terms, element), product(columns, rows, terms, element))
        apart += min(product(rows, more, terms, element), product(more, rows, terms, element))
        is_taken_so = all(self._takes_columns(use.operation) for use in op.b.uses)
        is_less = product(rows, columns + more, terms, element) < apart
        return is_taken_so and is_less and _is_used_behind(beside.result, pair.end, order)

    def _takes_columns(self, op: Operation) -> bool:
        """Whether an operation is a product that has another beside it, or puts columns beside those of one."""
        is_pair = isinstance(op, tile.DotOp) and _Pair.of(op) is not None
        return is_pair or any(result in self.wider.values() for result in op.results)

    def _wide(self, pair: _Pair, emit: Emitter) -> SSAValue:
        """The columns of a product with those of a number beside them."""
        value, more = pair.product.b, tile.shape_of(pair.beside.b)[1]
        key = _Wide(value, pair.number, more, pair.product.parent)
        if key not in self.wider:
            self.wider[key] = _beside(value, pair.number, more, emit)
            self.wider[key].name_hint = value.name_hint
        return self.wider[key]

    def _rows(self, op: tile.SliceOp | tile.ConcatOp, order: Mapping[Operation, int]) -> None:
        """The same rows of what stands beside, in one with these."""
        joins = [join for join in map(self.joins.get, op.operands) if join is not None]
        if len(joins) < len(op.operands):
            return
        beside = [join.beside for join in joins]
        same = [other for use in beside[0].uses if _takes_rows_as(other := use.operation, op, beside)]
        if same and _is_used_behind(same[0].results[0], op, order):
            columns = tile.shape_of(joins[0].both)[1]
            type_ = TensorType(tile.element_of(op.result), tile.resized(tile.shape_of(op.result), 1, columns))
            made = type(op).create(
                operands=[join.both for join in joins], result_types=[type_], properties=op.properties
            )
            self.joins[op.result] = _Join(same[0].results[0], Emitter.before(op).value(made))
            self.gone += (op, same[0])

    def _both(self, value: SSAValue, beside: SSAValue, emit: Emitter) -> SSAValue | None:
        """Two sums as one: one that there is, or the number that both begin as; None where there is neither."""
        if (join := self.joins.get(value)) is not None:
            return join.both if join.beside is beside else None
        number, shape = constant_of(value), tile.shape_of(value)
        if number is None or number != constant_of(beside):
            return None
        shape = tile.resized(shape, 1, shape[1] + tile.shape_of(beside)[1])
        return TileBuilder(emit).float(value_of(number), shape, tile.element_of(value))


def _beside(value: SSAValue, number: Number, more: int, emit: Emitter) -> SSAValue:
    """Columns with `more` of a number beside them: what is read as a whole is read as if memory ended there."""
    (rows, columns), read = tile.shape_of(value), value.owner
    if isinstance(read, tile.ReadOp) and not read.is_partial and not read.indices:
        guard = Coordinate(Expr.counter(Position(1)), 0, 0, columns)
        wide, type_ = (
            Coordinates((*read.over_values, guard)),
            TensorType(tile.element_of(value), (rows, columns + more)),
        )
        emit = Emitter.before(read)
        return emit.value(tile.ReadOp(read.memory, wide, type_, other=number))
    column = TileBuilder(emit).float(value_of(number), (rows, more), tile.element_of(value))
    return emit.value(tile.ConcatOp((value, column), 1))


def _is_beside(other: tile.DotOp, op: tile.DotOp) -> bool:
    """Whether a product of the same rows is one with a number."""
    alike = other.is_plain and tile.element_of(other.result) == tile.element_of(op.result)
    return alike and other.parent is op.parent and constant_of(other.b) is not None


def _takes_rows_as(op: Operation, like: tile.SliceOp | tile.ConcatOp, operands: Sequence[SSAValue]) -> bool:
    """Whether an operation is another one's with other operands."""
    return (
        isinstance(op, type(like))
        and (list(op.operands), op.properties) == (operands, like.properties)
        and tile.shape_of(op.result)[0] == tile.shape_of(like.result)[0]
    )


def _is_used_behind(value: SSAValue, op: Operation, order: Mapping[Operation, int]) -> bool:
    """Whether all that uses a value of the block of an operation stands behind that."""
    block = op.parent
    assert block is not None
    users = (block.find_ancestor_op_in_block(use.operation) for use in value.uses)
    return all(user is not None and order.get(user, len(order)) >= order[op] for user in users)


def _behind(value: SSAValue) -> Emitter:
    """Where what takes a value can stand first."""
    if isinstance(value, BlockArgument):
        first = value.block.first_op
        assert first is not None
        return Emitter.before(first)
    assert isinstance(value.owner, Operation)
    return Emitter(InsertPoint.after(value.owner), value.owner.location)
