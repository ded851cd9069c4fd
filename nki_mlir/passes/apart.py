"""Programs that run together, though not all that they do can be done for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import IndexType, i1
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import trip_count
from nki_mlir.analysis.induction import is_inside
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize
from nki_mlir.passes.widening import Widening


class Apart(Widening):
    """Runs programs together as `Widening` does, and does for each by itself what they can't do together: loops that
    some run more often than others, or that multiply tiles which both differ. Each takes its slices of what there is
    for all, and what comes out is put together again. All programs of the grid are one. The loops of single programs
    are `written` out by `write_out`, once they are in their place."""

    def _operation(self, op: Operation) -> None:
        if not isinstance(op, ForOp) or not self._is_apart(op):
            super()._operation(op)
            return
        each = [self._alone(op, number) for number in range(self.width)]
        for n, result in enumerate(op.results):
            self.places[result] = 0
            made = self.values[result] = self._joined_up([values[n] for values in each])
            made.name_hint = result.name_hint

    def _is_apart(self, op: ForOp) -> bool:
        """Whether programs run a loop differently often, or multiply tiles in it that both differ."""
        products = (inner for inner in op.body.block.ops if isinstance(inner, tile.DotOp))
        is_uneven = not self.varying.isdisjoint((op.lb, op.ub, op.step))
        return is_uneven or any(self.varying.issuperset((one.a, one.b, one.result)) for one in products)

    def _joined_up(self, values: list[SSAValue]) -> SSAValue:
        """What each program has, along a first dimension."""
        rows = [self.build.reshape(value, (1, *tile.shape_of(value))) for value in values]
        return self.build.emit.value(tile.ConcatOp(rows, 0))

    def _alone(self, op: ForOp, number: int) -> list[SSAValue]:
        """The results of a loop of one program."""
        inner = {operand for one in op.walk() for operand in one.operands if not is_inside(op, operand.owner)}
        copy = self.build.emit.add(op.clone({value: self._of(value, number) for value in inner}))
        self.written.append(copy)
        return list(copy.results)

    def _of(self, value: SSAValue, number: int) -> SSAValue:
        """A value of one program: what is computed of indices is so again, of anything else it is a slice."""
        if value is self.id:
            return self.build.emit.expr(Expr(number))
        if value not in self.varying:
            return self.plain(value)
        op, shape = value.owner, tile.shape_of(value)
        if isinstance(op, Operation) and not op.regions and (not shape or _is_of_indices(value)):
            copy = op.clone({operand: self._of(operand, number) for operand in op.operands})
            return self.build.emit.add(copy).results[op.results.index(value)]
        piece = self.build.emit.value(tile.SliceOp(self.values[value], self.places[value], number, 1))
        return self.build.reshape(piece, shape)


def write_out(loops: Iterable[ForOp]) -> None:
    """Writes out the iterations of loops."""
    for loop in loops:
        normalize(loop, keep_single=True)
        if loop.parent is not None:
            trips = trip_count(loop)
            assert trips is not None
            cut(loop, range(1, trips))


def _is_of_indices(value: SSAValue) -> bool:
    return tile.element_of(value) == i1 or isinstance(tile.element_of(value), IndexType)
