"""Running maxima over scores, and the sums that they scale, in loops that go on from each other."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import bf16, f32
from xdsl.dialects.math import ExpOp, LogOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.constants import number_of
from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import IndexTensor, expr_of, trip_count
from nki_mlir.analysis.recurrences import Recurrence, goes_on_from, hanging, recurrence
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.placement import dealt
from nki_mlir.passes.shifts import PIECES, Shift

_ARITHMETIC = (arith.AddfOp, arith.SubfOp, arith.MulfOp, arith.DivfOp)
_KEEPS_NAN = (*_ARITHMETIC, arith.NegfOp, LogOp, ExpOp, tile.ShapeOp, tile.CastOp)
_VIEWS = tile.ShapeOp | tile.SplatOp | arith.ConstantOp
_WRITES = (tile.WriteOp, tile.StoreOp, tile.AtomicOp)

_SHORT = 2
"""Bytes of numbers that the array multiplies at once; it takes longer ones in several passes."""

_WORTH = 0.5
"""What part of the time that turning takes what is done instead may take: both loops begin and end."""


@dataclass
class Part:
    """A loop with one running maximum, the variable `before`, and sums. `shifts` are its exponentials, with their
    exponents; `multiplied` has what each of them is in a product; `rows` are the variables that are sums of one."""

    loop: ForOp
    found: Recurrence
    before: SSAValue
    shifts: Mapping[ExpOp, Shift]
    multiplied: Mapping[ExpOp, SSAValue]
    rows: Mapping[SSAValue, tuple[ExpOp, int]]

    @staticmethod
    def of(loop: ForOp) -> Part | None:
        """None for other loops."""
        block = loop.body.block
        if trip_count(loop) == 0 or any(op.regions or isinstance(op, _WRITES) for op in block.ops):
            return None
        found = recurrence(loop)
        if found is None or len(found.rising) != 1:
            return None
        ((before, after),) = found.rising.items()
        part = Part(loop, found, before, {}, {}, {})
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
        part = Part(loop, found, before, shifts, multiplied, rows)
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
        return makers(self.loop.body.block, values, ends)

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

    def prices(self, prices: Prices, are_masked: bool = True) -> tuple[float, float]:
        """How long it takes to compute again what is multiplied, shifted, with what lies between the product and the
        maximum, if that `are_masked`, and how long to turn it instead."""
        lanes, most = prices.target.memory.partitions, prices.target.limits.moving_free
        again = turned = 0.0
        for op, shift in self.shifts.items():
            rows, columns = tile.shape_of(shift.product.result)
            shape = max(rows, lanes), max(columns, most)
            a, over = shift.product.a, shift.product.over[0]
            terms = math.prod(tile.shape_of(a)[dim] for dim in over)
            again += prices.product(*shape, terms, tile.element_of(a)) + prices.product(*shape, PIECES, bf16)
            between = max(self._between(shift), len(shift.masks)) if are_masked or not shift.masks else 0
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
        made = makers(self.loop.body.block, [self.after], {shift.product.result})
        return sum(tile.shape_of(op.results[0]) == shape and not isinstance(op, arith.MulfOp | _VIEWS) for op in made)


@dataclass
class Chain:
    """Loops each of which goes on from the one before: the maximum of all comes before the sums of all."""

    parts: Sequence[Part]

    @staticmethod
    def of(loop: ForOp) -> Chain | None:
        """The loops from a first one on; None for other loops, and for those that go on from another."""
        before = loop.iter_args[0].owner if loop.iter_args else None
        if loop.parent is None or (isinstance(before, ForOp) and goes_on_from(loop, before)):
            return None
        loops = [loop]
        while (after := _next(loops[-1])) is not None:
            loops.append(after)
        parts = [part for part in map(Part.of, loops) if part is not None]
        chain = Chain(parts)
        return chain if len(parts) == len(loops) and chain._is_whole() else None

    @property
    def first(self) -> Part:
        return self.parts[0]

    @property
    def last(self) -> Part:
        return self.parts[-1]

    @property
    def low(self) -> SSAValue:
        """What the maximum starts at."""
        return self.first.start(self.first.before)

    def _is_whole(self) -> bool:
        """Whether all loops carry the same, from nothing on, and nothing is written in between; the maximum is seen
        beside a sum alone, and each row has a score."""
        first = self.first
        if not all(part.number == first.number and part.axes == first.axes for part in self.parts):
            return False
        if not all(self._begins_with_nothing(arg) for arg in first.sums):
            return False
        if number_of(self.low) != -math.inf and any(part.multiplies_short for part in self.parts):
            return False
        sums = [result for n, result in enumerate(self.last.loop.results) if n != first.number]
        if not _is_nan_with_sums(self.last.loop.results[first.number], sums):
            return False
        if any(isinstance(op, _WRITES) or op.regions for op in _between(first.loop, self.last.loop, self.parts)):
            return False
        return any(_runs(part.loop) for part in self.parts) and self._has_scores()

    def _begins_with_nothing(self, arg: SSAValue) -> bool:
        """Whether nothing is left of what a sum starts with: it is zero, or scaled down from a maximum of -infinity."""
        size = number_of(self.first.start(arg))
        if size is None or not math.isfinite(size):
            return False
        return size == 0 or number_of(self.low) == -math.inf

    def _has_scores(self) -> bool:
        """Whether each row has a score that counts, if it matters."""
        shifts = [(part, shift) for part in self.parts for shift in part.shifts.values()]
        if all(shift.may_be_empty for _, shift in shifts):
            return True
        return any(
            _runs(part.loop) and shift.counts({part.loop.body.block.args[0]: expr_of(part.loop.lb)})
            for part, shift in shifts
        )

    @property
    def rows(self) -> int:
        """How many rows a program has, each with a maximum of its own."""
        return min(tile.shape_of(s.product.result)[s.dim] for part in self.parts for s in part.shifts.values())

    def is_wanted(self, prices: Prices) -> bool:
        """Whether it is worth it, and there are enough rows, of this program and of others, to move as many through the
        array as can be at once; that was asked before for programs that are to run together."""
        programs = self.first.loop.parent_op()
        if isinstance(programs, ProgramsOp) and programs.together is not None:
            return True
        return all(part.fits(prices.target.limits.moving_free) for part in self.parts) and self.is_worth(prices)

    def is_worth(self, prices: Prices, are_masked: bool = True) -> bool:
        """Whether to turn what is multiplied takes much longer than to compute it again. Loops of unknown length count
        once; without `are_masked`, masks are taken to be of few iterations."""
        if not all(part.is_short for part in self.parts):
            return False
        again = turned = 0.0
        for part in self.parts:
            times, found = trip_count(part.loop) or 1, part.prices(prices, are_masked)
            again, turned = again + found[0] * times, turned + found[1] * times
        return again < _WORTH * turned


def _runs(loop: ForOp) -> bool:
    """Whether a loop has an iteration for sure."""
    return IndexTensor(expr_of(loop.ub) - expr_of(loop.lb), ()).range(())[0] > 0


def _next(loop: ForOp) -> ForOp | None:
    """The loop that goes on from this one."""
    user = next((use.operation for use in loop.results[0].uses), None) if loop.results else None
    if isinstance(user, ForOp) and user.parent is loop.parent and goes_on_from(user, loop):
        return user
    return None


def _between(first: Operation, last: Operation, parts: Sequence[Part]) -> Iterator[Operation]:
    """The operations from one to another, but for the loops of some parts."""
    loops, op = {part.loop for part in parts}, first
    while op is not last:
        if op not in loops:
            yield op
        assert op.next_op is not None
        op = op.next_op


def makers(block: Block, values: Iterable[SSAValue], ends: set[SSAValue]) -> set[Operation]:
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
    casts = (use.operation for use in op.result.uses)
    for value in (op.result, *(cast.result for cast in casts if isinstance(cast, tile.CastOp))):
        if any(use.operation in found.joins and isinstance(use.operation, tile.DotOp) for use in value.uses):
            return value
    return None


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
