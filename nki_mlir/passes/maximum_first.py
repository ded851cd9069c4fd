"""maximum-first: a maximum that sums are scaled by is found by a loop of its own, and nothing is scaled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.math import ExpOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Reduction
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import is_of_one, normalize_all, replace_loop
from nki_mlir.passes.score_chains import Chain, Part, makers
from nki_mlir.passes.shifts import Mask, Shift
from nki_mlir.passes.tile_builder import TileBuilder


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

    Masks that compare indices are made turned: a number that is added where they don't hold, or a very low one in place
    of the score, if each row has one that counts. Of loops that go on from each other, all maxima come first.

    Left alone: where computing again takes as long as half of the turning, products of fp32 among them; where there
    are fewer rows than move through the array at once; exponents that are not a multiple of one product, minus the
    maximum; sums of anything but such exponentials, or that start with something; loops of unknown length; maxima that
    something else sees, but for what is NaN where a sum is.
    """

    name = "maximum-first"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for loop in [inner for inner in operations(op) if isinstance(inner, ForOp)]:
            chain = Chain.of(loop)
            if chain is not None and chain.is_wanted(prices):
                _split(chain)
        normalize_all(op, is_of_one)


def _split(chain: Chain) -> None:
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
    part: Part, carried: Sequence[SSAValue], starts: Sequence[SSAValue], emit: Emitter
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


def _maximum_of(part: Part, start: SSAValue) -> SSAValue:
    """The maximum alone. A NaN may make it NaN: it makes the sums so too."""
    made, values = _copied(part, [part.before], [start], Emitter.before(part.loop))
    block, needed = made.body.block, makers(part.loop.body.block, [part.after], set())
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


def _sums_of(part: Part, starts: Sequence[SSAValue], shifted: _Pieces, build: TileBuilder) -> Sequence[SSAValue]:
    """What each sum of a part adds up to, from its start on, with the maximum known; row sums as products with ones."""
    pieces = {op: shifted.of(shift) for op, shift in part.shifts.items()}
    ones = {arg: _ones(part, arg, build) for arg in part.rows}
    made, values = _copied(part, part.sums, starts, build.emit)
    body = _Body(part, made.body.block, values)
    body.fill(pieces)
    emit = Emitter.at_end(made.body.block, part.loop.location)
    emit.add(YieldOp(*(body.row(arg, ones[arg], emit) if arg in ones else body.sum(arg) for arg in part.sums)))
    return made.results


def _ones(part: Part, arg: SSAValue, build: TileBuilder) -> SSAValue:
    """What an exponential is multiplied with where a variable is its sum."""
    op, axis = part.rows[arg]
    many = tile.shape_of(op.result)[axis]
    return build.float(1.0, [many, 1] if axis == 1 else [1, many], tile.element_of(part.multiplied[op]))


def _row_shape(part: Part, arg: SSAValue) -> list[int]:
    """That of a variable, which has a dimension of size 1 more where it is a product with ones."""
    shape = list(tile.shape_of(arg))
    if arg in part.rows:
        shape.insert(part.rows[arg][1], 1)
    return shape


class _Body:
    """The body of a loop for the sums of a part: `values` has what stands for what. Exponentials are computed turned,
    as products take them: so they are no longer what the maximum was found from, which need not be kept."""

    def __init__(self, part: Part, block: Block, values: dict[SSAValue, SSAValue]):
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
