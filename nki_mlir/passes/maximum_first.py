"""maximum-first: a maximum that sums are scaled by is found by a loop of its own, and nothing is scaled."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, TensorType, bf16, f32
from xdsl.dialects.math import ExpOp, LogOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import trip_count
from nki_mlir.analysis.recurrences import Recurrence, goes_on_from, hanging, recurrence
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Reduction
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import normalize_all, replace_loop
from nki_mlir.passes.placement import dealt
from nki_mlir.passes.shifts import PIECES, Mask, Shift
from nki_mlir.passes.tile_builder import TileBuilder

_ARITHMETIC = (arith.AddfOp, arith.SubfOp, arith.MulfOp, arith.DivfOp)
_KEEPS_NAN = (*_ARITHMETIC, arith.NegfOp, LogOp, ExpOp, tile.ShapeOp, tile.CastOp)
_VIEWS = tile.ShapeOp | tile.SplatOp | arith.ConstantOp
_WRITES = (tile.WriteOp, tile.StoreOp, tile.AtomicOp)

_SHORT = 2
"""Bytes of numbers that the array multiplies at once; it takes longer ones in several passes."""

_WORTH = 0.5
"""What part of the time that turning takes what is done instead may take: both loops begin and end."""


@dataclass(frozen=True)
class MaximumFirst(LevelPass):
    """Finds the maximum of all blocks first, where sums over the same blocks are scaled as it rises:

        scf.for %j … iter_args(%m, %l, %o) {            %M = scf.for %j … iter_args(%m) { maximum %m, max of (%q %k) }
          %s = tile.dot %q, %k                          %P, %ones = three numbers of bf16 that make -%M, ones
          %n = maximum %m, max of %s             =>     scf.for %j … iter_args(%l, %o) {
          %p = exp (%s - %n)                              %s = tile.dot %P, %ones acc (tile.dot %q, %k)
          %a = exp (%m - %n)                              %p = exp %s
          %l1 = %l * %a + sum of %p                       %l1 = tile.dot %p, ones acc %l
          %o1 = tile.dot %p, %v acc (%o * %a) }           %o1 = tile.dot %p, %v acc %o }

    Scores are computed twice, but as nothing is reduced along them any more they may lie with the other dimension on
    the partitions, which is how the next product takes them: they need no turning, and the sums stay in PSUM. The
    maximum goes into the same sum, by a product with ones. A row sum is that of the numbers that are multiplied, in
    their element type. Sums are NaN where a score is, whether the maximum is or not.

    Left alone: where computing again takes as long as half of the turning, products of fp32 among them, and where there
    are fewer rows than move through the array at once; exponents that are not a multiple of one product, minus the
    maximum; sums of anything but such exponentials, or that start with something; loops of unknown length; maxima that
    something else sees, but for what is NaN where a sum is: so those of loops that go on from each other.
    """

    name = "maximum-first"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for loop in [inner for inner in op.walk() if isinstance(inner, ForOp)]:
            chain = _Chain.of(loop)
            if chain is not None and chain.is_worth(prices):
                _split(chain)
        normalize_all(op)


@dataclass
class _Part:
    """A loop with one running maximum, the variable `before`, and sums. `shifts` are its exponentials, with their
    exponents; `multiplied` has what each of them is in a product; `rows` are the variables that are sums of one."""

    loop: ForOp
    found: Recurrence
    before: SSAValue
    shifts: Mapping[ExpOp, Shift]
    multiplied: Mapping[ExpOp, SSAValue]
    rows: Mapping[SSAValue, tuple[ExpOp, int]]

    @staticmethod
    def of(loop: ForOp) -> _Part | None:
        """None for other loops."""
        block = loop.body.block
        if not trip_count(loop) or any(op.regions or isinstance(op, _WRITES) for op in block.ops):
            return None
        found = recurrence(loop)
        if found is None or len(found.rising) != 1:
            return None
        ((before, after),) = found.rising.items()
        part = _Part(loop, found, before, {}, {}, {})
        if not part.sums or any(arg not in found.scales for arg in part.sums):
            return None
        hangs, needed = hanging(block, (before, after)), part.needed(part.yielded(arg) for arg in part.sums)
        shifts, multiplied, rows = dict[ExpOp, Shift](), dict[ExpOp, SSAValue](), dict[SSAValue, tuple[ExpOp, int]]()
        for op in needed:
            if isinstance(op, ExpOp) and op.operand in hangs:
                shift, product = Shift.of(op.operand, after, hangs.__contains__), _product_of(op, found)
                if shift is None or product is None:
                    return None
                shifts[op], multiplied[op] = shift, product
        for arg in part.sums:
            row = part.row(arg)
            if row is not None and row[0] in shifts:
                rows[arg] = row
            elif any(isinstance(op, tile.ReduceOp) for op in part.needed([part.yielded(arg)])):
                return None
        part = _Part(loop, found, before, shifts, multiplied, rows)
        return part if shifts and all(part.is_multiplied_only(op, needed) for op in shifts) else None

    @property
    def after(self) -> SSAValue:
        return self.found.rising[self.before]

    @property
    def number(self) -> int:
        """That of the maximum among the variables."""
        return self.loop.body.block.args.index(self.before) - 1

    @property
    def sums(self) -> list[SSAValue]:
        return [arg for arg in self.loop.body.block.args[1:] if arg is not self.before]

    def start(self, arg: SSAValue) -> SSAValue:
        return self.loop.iter_args[self.loop.body.block.args.index(arg) - 1]

    def is_multiplied_only(self, op: ExpOp, needed: set[Operation]) -> bool:
        """Whether nothing but one product, and row sums, takes an exponential."""
        value = self.multiplied[op]
        takes = {value.owner, *(user for user in needed if isinstance(user, tile.ReduceOp))}
        others = {use.operation for use in op.result.uses} & needed - takes
        return not others if value is not op.result else all(isinstance(user, tile.DotOp) for user in others)

    @property
    def axes(self) -> dict[int, int]:
        """The variables that are row sums, by number, with the axis along which they are."""
        return {self.loop.body.block.args.index(arg): axis for arg, (_, axis) in self.rows.items()}

    @property
    def multiplies_short(self) -> bool:
        """Whether exponentials are multiplied as numbers of few bits, of which very small ones lose more: so the
        largest of a row has to be 1, which it is unless the maximum starts above all."""
        return any(tile.element_of(value) not in (f32, bf16) for value in self.multiplied.values())

    def yielded(self, arg: SSAValue) -> SSAValue:
        end = self.loop.body.block.last_op
        assert isinstance(end, YieldOp)
        return end.operands[self.loop.body.block.args.index(arg) - 1]

    def needed(self, values: Iterable[SSAValue], known: Iterable[SSAValue] = ()) -> set[Operation]:
        """The operations of the body that make some values, from the maximum and without scales."""
        ends = {self.after, *known, *(scale.product for scale in self.found.scales.values())}
        return _makers(self.loop.body.block, values, ends)

    def row(self, arg: SSAValue) -> tuple[ExpOp, int] | None:
        """The exponential of which a variable is the sum along an axis of two, and the axis."""
        op = self.yielded(arg).owner
        if not isinstance(op, arith.AddfOp) or self.found.scales[arg].product not in op.operands:
            return None
        term = next(value for value in op.operands if value is not self.found.scales[arg].product)
        match term.owner:
            case tile.ReduceOp(source=source) as reduce if isinstance(source.owner, ExpOp):
                return source.owner, reduce.axis.value.data
            case _:
                return None

    def prices(self, prices: Prices) -> tuple[float, float]:
        """How long it takes to compute again what is multiplied, shifted, with what lies between the product and the
        maximum, and how long to turn it instead."""
        lanes, most = prices.target.memory.partitions, prices.target.limits.moving_free
        again = turned = 0.0
        for op, shift in self.shifts.items():
            rows, columns = tile.shape_of(shift.product.result)
            shape = max(rows, lanes), max(columns, most)
            a, over = shift.product.a, shift.product.over[0]
            terms = math.prod(tile.shape_of(a)[dim] for dim in over)
            again += prices.product(*shape, terms, tile.element_of(a)) + prices.product(*shape, PIECES, bf16)
            between = max(self._between(shift), len(shift.masks))
            again += between * prices.compute(Layout.flat((math.prod(shape) // lanes,)), f32)
            element = tile.element_of(self.multiplied[op])
            turned += prices.convert(dealt(shape, 0, lanes), dealt(shape, 1, lanes), element)[0]
        return again, turned

    def fits(self, most: int) -> bool:
        """Whether there are enough rows, of this program and of others, to move so many through the array."""
        return all(self._rows(shift) >= most for shift in self.shifts.values())

    @property
    def is_short(self) -> bool:
        """Whether the array takes what is multiplied at once."""
        return all(dtype(tile.element_of(shift.product.a)).bytes <= _SHORT for shift in self.shifts.values())

    def _rows(self, shift: Shift) -> int:
        """How many rows with a maximum of their own there are for the same columns, of all programs."""
        rows, columns = (shift.product.a, shift.product.b)[:: 1 if shift.dim == 0 else -1]
        products = [op for op in self.found.joins if isinstance(op, tile.DotOp)]
        others = {columns, *(value for op in products for value in (op.a, op.b))} - set(self.multiplied.values())
        many, programs = tile.shape_of(shift.product.result)[shift.dim], self.loop.parent_op()
        if isinstance(programs, ProgramsOp):
            for axis, size in enumerate(programs.grid):
                differ = varying(programs, axis)
                many *= size if rows in differ and differ.isdisjoint(others) else 1
        return many

    def _between(self, shift: Shift) -> int:
        """How many operations on all scores the maximum needs: what only scales them goes with it."""
        shape = tile.shape_of(shift.product.result)
        made = _makers(self.loop.body.block, [self.after], {shift.product.result})
        return sum(tile.shape_of(op.results[0]) == shape and not isinstance(op, arith.MulfOp | _VIEWS) for op in made)


@dataclass
class _Chain:
    """Loops each of which goes on from the one before: the maximum of all comes before the sums of all."""

    parts: Sequence[_Part]

    @staticmethod
    def of(loop: ForOp) -> _Chain | None:
        """The loops from a first one on; None for other loops, and for those that go on from another."""
        before = loop.iter_args[0].owner if loop.iter_args else None
        if loop.parent is None or (isinstance(before, ForOp) and goes_on_from(loop, before)):
            return None
        loops = [loop]
        while (after := _next(loops[-1])) is not None:
            loops.append(after)
        parts = [part for part in map(_Part.of, loops) if part is not None]
        chain = _Chain(parts)
        return chain if len(parts) == len(loops) and chain._is_whole() else None

    @property
    def first(self) -> _Part:
        return self.parts[0]

    @property
    def last(self) -> _Part:
        return self.parts[-1]

    @property
    def low(self) -> SSAValue:
        """What the maximum starts at."""
        return self.first.start(self.first.before)

    def _is_whole(self) -> bool:
        """Whether all loops carry the same, from nothing on, and nothing is written in between; the maximum is seen
        beside a sum alone, and each row has a score."""
        first, low = self.first, constant_of(self.low)
        if not all(part.number == first.number and part.axes == first.axes for part in self.parts):
            return False
        if not all(self._begins_with_nothing(arg) for arg in first.sums):
            return False
        is_lowest = low is not None and value_of(low) == -math.inf
        if not is_lowest and any(part.multiplies_short for part in self.parts):
            return False
        sums = [result for n, result in enumerate(self.last.loop.results) if n != first.number]
        if not _is_nan_with_sums(self.last.loop.results[first.number], sums):
            return False
        if any(isinstance(op, _WRITES) or op.regions for op in _between(first.loop, self.last.loop, self.parts)):
            return False
        return self._has_scores()

    def _begins_with_nothing(self, arg: SSAValue) -> bool:
        """Whether nothing is left of what a sum starts with: it is zero, or scaled down from a maximum of -infinity."""
        size, low = constant_of(self.first.start(arg)), constant_of(self.low)
        if size is None or not math.isfinite(value_of(size)):
            return False
        return value_of(size) == 0 or (low is not None and value_of(low) == -math.inf)

    def _has_scores(self) -> bool:
        """Whether each row has a score that counts, if it matters."""
        shifts = [(part, shift) for part in self.parts for shift in part.shifts.values()]
        if all(shift.may_be_empty for _, shift in shifts):
            return True
        return any(shift.counts(part.loop.body.block.args[0]) for part, shift in shifts)

    def is_worth(self, prices: Prices) -> bool:
        """Whether to turn what is multiplied takes much longer than to compute it again, and there are many rows."""
        if not all(part.is_short for part in self.parts):
            return False
        if not all(part.fits(prices.target.limits.moving_free) for part in self.parts):
            return False
        again = turned = 0.0
        for part in self.parts:
            trips, found = trip_count(part.loop), part.prices(prices)
            assert trips is not None
            again, turned = again + found[0] * trips, turned + found[1] * trips
        return again < _WORTH * turned


def _next(loop: ForOp) -> ForOp | None:
    """The loop that goes on from this one."""
    user = next((use.operation for use in loop.results[0].uses), None) if loop.results else None
    if isinstance(user, ForOp) and user.parent is loop.parent and goes_on_from(user, loop):
        return user
    return None


def _between(first: Operation, last: Operation, parts: Sequence[_Part]) -> Iterator[Operation]:
    """The operations from one to another, but for the loops of some parts."""
    loops, op = {part.loop for part in parts}, first
    while op is not last:
        if op not in loops:
            yield op
        assert op.next_op is not None
        op = op.next_op


def _makers(block: Block, values: Iterable[SSAValue], ends: set[SSAValue]) -> set[Operation]:
    """The operations of a block that make some values, but for what makes the `ends`."""
    found, todo = set[Operation](), list(values)
    while todo:
        value = todo.pop()
        op = value.owner
        if value not in ends and isinstance(op, Operation) and op.parent is block and op not in found:
            found.add(op)
            todo.extend(op.operands)
    return found


def _product_of(op: ExpOp, found: Recurrence) -> SSAValue | None:
    """What an exponential is in the product that turns it: itself, or rounded."""
    for value in (op.result, *(use.operation.results[0] for use in op.result.uses if _is_cast(use.operation))):
        if any(use.operation in found.joins and isinstance(use.operation, tile.DotOp) for use in value.uses):
            return value
    return None


def _is_cast(op: Operation) -> bool:
    return isinstance(op, tile.CastOp)


def _is_nan_with_sums(value: SSAValue, sums: Collection[SSAValue]) -> bool:
    """Whether all that is made of a value is NaN where one of some sums is."""
    return all(
        isinstance(use.operation, _ARITHMETIC)
        and any(_is_made_of(other, sums) for other in use.operation.operands if other is not value)
        for use in value.uses
    )


def _is_made_of(value: SSAValue, sums: Collection[SSAValue]) -> bool:
    """Whether a value is computed from a sum by what keeps a NaN."""
    op = value.owner
    if value in sums or not isinstance(op, _KEEPS_NAN):
        return value in sums
    return any(_is_made_of(operand, sums) for operand in op.operands)


def _split(chain: _Chain) -> None:
    """Loops for the maximum, then those for the sums."""
    highest = chain.low
    for part in chain.parts:
        highest = _maximum_of(part, highest)
    build = TileBuilder(Emitter.before(chain.last.loop))
    totals: Sequence[SSAValue] = [build.float(0.0, _row_shape(chain.first, arg)) for arg in chain.first.sums]
    shifted = _Pieces(highest, build)
    for part in chain.parts:
        totals = _sums_of(part, totals, shifted, build)
    results = [
        build.emit.value(tile.ReduceOp(Reduction.SUM.value, total, chain.first.rows[arg][1]))
        if arg in chain.first.rows
        else total
        for arg, total in zip(chain.first.sums, totals, strict=True)
    ]
    results.insert(chain.first.number, highest)
    replace_loop(chain.last.loop, results)
    for part in reversed(chain.parts[:-1]):
        part.loop.detach()
        part.loop.erase()


class _Pieces:
    """The operands of products that add a maximum, shared by all that add the same."""

    def __init__(self, highest: SSAValue, build: TileBuilder):
        self.highest, self.build = highest, build
        self.made: list[tuple[Shift, tuple[SSAValue, SSAValue]]] = []

    def of(self, shift: Shift) -> tuple[SSAValue, SSAValue]:
        for other, pieces in self.made:
            if shift.shifts_like(other):
                return pieces
        self.made.append((shift, shift.pieces(self.highest, self.build)))
        return self.made[-1][1]


def _copied(
    part: _Part, carried: Sequence[SSAValue], starts: Sequence[SSAValue], emit: Emitter
) -> tuple[ForOp, dict[SSAValue, SSAValue]]:
    """A loop as that of a part, with nothing in it yet, and what stands for its values: variables for `carried`."""
    old = part.loop.body.block
    block = Block(arg_types=[old.args[0].type, *(start.type for start in starts)])
    made = ForOp(part.loop.lb, part.loop.ub, part.loop.step, starts, Region(block))
    made.location = part.loop.location
    emit.add(made)
    for before, after in zip((old.args[0], *carried), block.args, strict=True):
        after.name_hint = before.name_hint
    return made, dict(zip((old.args[0], *carried), block.args, strict=True))


def _maximum_of(part: _Part, start: SSAValue) -> SSAValue:
    """The maximum alone. A NaN may make it NaN: it makes the sums so too."""
    made, values = _copied(part, [part.before], [start], Emitter.before(part.loop))
    block, needed = made.body.block, _makers(part.loop.body.block, [part.after], set())
    for op in part.loop.body.block.ops:
        if op not in needed:
            continue
        emit = Emitter.at_end(block, op.location)
        match op:
            case arith.MaxnumfOp() if op.result is part.after:
                copy = arith.MaximumfOp(values.get(op.lhs, op.lhs), values.get(op.rhs, op.rhs))
            case tile.ReduceOp(kind=kind) if kind.data is Reduction.MAXNUM:
                copy = tile.ReduceOp(Reduction.MAX.value, values.get(op.source, op.source), op.axis.value.data)
            case _:
                copy = op.clone(values)
        emit.add(copy)
        values |= dict(zip(op.results, copy.results, strict=True))
        copy.results[0].name_hint = op.results[0].name_hint
    Emitter.at_end(block, part.loop.location).add(YieldOp(values[part.after]))
    made.results[0].name_hint = part.after.name_hint
    return made.results[0]


def _sums_of(part: _Part, starts: Sequence[SSAValue], shifted: _Pieces, build: TileBuilder) -> Sequence[SSAValue]:
    """What each sum of a part adds up to, from its start on, with the maximum known; row sums as products with ones."""
    pieces = {op: shifted.of(shift) for op, shift in part.shifts.items()}
    ones = {arg: _ones(part, arg, build) for arg in part.rows}
    made, values = _copied(part, part.sums, starts, build.emit)
    body = _Body(part, made.body.block, values)
    body.fill(pieces)
    emit = Emitter.at_end(made.body.block, part.loop.location)
    emit.add(YieldOp(*(body.row(arg, ones[arg], emit) if arg in ones else body.sum(arg) for arg in part.sums)))
    return made.results


def _ones(part: _Part, arg: SSAValue, build: TileBuilder) -> SSAValue:
    """What an exponential is multiplied with where a variable is its sum."""
    op, axis = part.rows[arg]
    many = tile.shape_of(op.result)[axis]
    return build.float(1.0, [many, 1] if axis == 1 else [1, many], tile.element_of(part.multiplied[op]))


def _row_shape(part: _Part, arg: SSAValue) -> list[int]:
    """That of a variable, which has a dimension of size 1 more where it is a product with ones."""
    shape = list(tile.shape_of(arg))
    if arg in part.rows:
        shape.insert(part.rows[arg][1], 1)
    return shape


class _Body:
    """The body of a loop for the sums of a part: `values` has what stands for what. Exponentials are computed turned,
    as products take them: so they are no longer what the maximum was found from, which need not be kept."""

    def __init__(self, part: _Part, block: Block, values: dict[SSAValue, SSAValue]):
        self.part, self.block, self.values = part, block, values
        values |= {part.found.scales[arg].product: values[arg] for arg in part.sums}

    def fill(self, shifts: Mapping[ExpOp, tuple[SSAValue, SSAValue]]) -> None:
        part = self.part
        yields = [part.yielded(arg) for arg in part.sums if arg not in part.rows]
        yields += [part.multiplied[op] for op, _ in part.rows.values()]
        needed = part.needed(yields, {op.operand for op in part.shifts})
        for op in part.loop.body.block.ops:
            if isinstance(op, ExpOp) and op in part.shifts:
                self._exponential(op, shifts[op])
            elif op in needed and op.results[0] not in self.values:
                self._copy(op.results[0])

    def sum(self, arg: SSAValue) -> SSAValue:
        return self.values[self.part.yielded(arg)]

    def row(self, arg: SSAValue, ones: SSAValue, emit: Emitter) -> SSAValue:
        """A row sum, as a product with ones."""
        op, axis = self.part.rows[arg]
        many = self.values[self.part.multiplied[op]]
        left, right = (many, ones) if axis == 1 else (ones, many)
        return emit.value(tile.DotOp(left, right, self.values[arg], f32))

    def _exponential(self, op: ExpOp, pieces: tuple[SSAValue, SSAValue]) -> None:
        emit = Emitter.at_end(self.block, op.location)
        shift, product = self.part.shifts[op], self.part.shifts[op].product
        a, b = (self._copy(value) for value in (product.a, product.b))
        (over_a, over_b), (left, right) = product.over, pieces
        turned = emit.value(tile.DotOp(b, a, None, f32, (over_b, over_a)))
        turned = emit.value(tile.DotOp(right, left, turned, f32, ((0,), (1,))))
        if shift.factor != 1:
            factor = TileBuilder(emit).float(shift.factor, tile.shape_of(turned))
            turned = emit.value(arith.MulfOp(turned, factor))
        for mask in shift.masks:
            turned = self._masked(turned, mask, emit)
        made = emit.value(ExpOp(turned))
        multiplied = self.part.multiplied[op]
        if multiplied is not op.result:
            made = emit.value(tile.CastOp(made, tile.element_of(multiplied)))
        self.values[multiplied] = emit.value(tile.PermuteOp(made, [1, 0]))
        self.values[multiplied].name_hint = op.result.name_hint

    def _masked(self, turned: SSAValue, mask: Mask, emit: Emitter) -> SSAValue:
        """Exponents, turned, where a mask holds, and what they are elsewhere."""
        build, shape = TileBuilder(emit), tile.shape_of(turned)
        if mask.condition is not None:
            return build.select(self._turned(mask.condition, emit), turned, build.float(-math.inf, shape))
        assert mask.added is not None
        added = self._turned(mask.added, emit)
        if mask.factor != 1:
            added = emit.value(arith.MulfOp(added, build.float(mask.factor, shape)))
        return emit.value(arith.AddfOp(turned, added))

    def _turned(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """What stands for a value of two dimensions, in the other order: what is made of indices is made of these."""
        op, (rows, columns) = value.owner, tile.shape_of(value)
        match op:
            case tile.SplatOp():
                return emit.value(tile.SplatOp(self._copy(op.value), [columns, rows]))
            case tile.BroadcastOp():
                return emit.value(tile.BroadcastOp(self._turned(op.source, emit), [columns, rows]))
            case tile.ExpandDimsOp():
                return emit.value(tile.ExpandDimsOp(self._copy(op.source), 1 - op.axis.value.data))
            case tile.CompareOp() | tile.SelectOp() | arith.AndIOp():
                operands = [self._turned(operand, emit) for operand in op.operands]
                type_ = TensorType(tile.element_of(value), [columns, rows])
                return emit.value(type(op).create(operands=operands, result_types=[type_], properties=op.properties))
            case _:
                return emit.value(tile.PermuteOp(self._copy(value), [1, 0]))

    def _copy(self, value: SSAValue) -> SSAValue:
        """What stands for a value, made where nothing does yet."""
        op = value.owner
        if value not in self.values and isinstance(op, Operation) and op.parent is self.part.loop.body.block:
            for operand in op.operands:
                self._copy(operand)
            copy = self._emit(value).add(op.clone(self.values))
            self.values |= dict(zip(op.results, copy.results, strict=True))
        return self.values.get(value, value)

    def _emit(self, value: SSAValue) -> Emitter:
        op = value.owner
        return Emitter.at_end(self.block, op.location if isinstance(op, Operation) else self.part.loop.location)
