"""interleave: programs that wait for their own results take turns, an operation of each after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.independence import are_independent, varying
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.dialects.turns import BANKS
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.widen import groups
from nki_mlir.passes.widths import lives, most_kept
from nki_mlir.targets import Target

Values = dict[SSAValue, SSAValue]
"""New values by old ones."""

_WIDTH = 2
"""Programs that take turns."""


@dataclass(frozen=True)
class Interleave(LevelPass):
    """Makes one program of two, whose operations take turns:

        tile.programs (%i) in [32] {          tile.programs (%i) in [16] by [2] of [32] {
          %s = tile.dot %q, %k                  %s0 = tile.dot %q0, %k       %s1 = tile.dot %q1, %k
          %p = math.exp %s               =>     %p0 = math.exp %s0           %p1 = math.exp %s1
          %o = tile.dot %p, %v                  %o0 = tile.dot %p0, %v       %o1 = tile.dot %p1, %v
        }                                     }

    Each engine does what it is given in order: while one program waits for a result of another engine, the other one
    has work for it. `width` sets how many become one. Left alone: programs without a product of what was computed of
    another one, whose engines wait for nothing but loads; those of which one may touch what another one writes; those
    whose tiles would not fit; and grids that are not divided evenly.
    """

    name = "interleave"
    levels = (TILE,)
    width: int | None = None

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.width is not None and self.width < 1:
            raise CompileError(f"interleave: width must be at least 1, got {self.width}")
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            axis, width = len(programs.grid) - 1, self.width or _WIDTH
            if axis < 0 or programs.grid[axis] % width or width == 1 or not are_independent(programs, axis):
                continue
            if self.width is not None or (_has_chain(programs) and _fits(programs, axis, width, target_of(op))):
                _Interleaving(programs, axis, width).run()


def _has_chain(programs: ProgramsOp) -> bool:
    """Whether something that is multiplied was computed from another product."""
    made = set[SSAValue]()
    for op in programs.body.walk():
        hangs = not made.isdisjoint(op.operands)
        if isinstance(op, tile.DotOp) and not made.isdisjoint((op.a, op.b)):
            return True
        if hangs or isinstance(op, tile.DotOp):
            made.update(op.results)
    return False


def _fits(programs: ProgramsOp, axis: int, width: int, target: Target) -> bool:
    """Whether there is room for the tiles of so many programs, and in PSUM beside them for what is turned."""
    memory, differs = target.memory, varying(programs, axis)
    bank = memory.psum_bank_bytes
    room = most_kept(
        (life, width * -(-life.elements // memory.partitions)) for life in lives(programs.body.block, differs)
    )
    sums = most_kept(
        (life, -(-life.elements * life.bytes // (memory.partitions * bank)) * bank // life.bytes)
        for life in lives(programs.body.block, differs, lambda op: isinstance(op, tile.DotOp))
    )
    return room <= memory.sbuf_usable_bytes and width * sums + BANKS * bank <= memory.psum_bytes


class _Interleaving:
    """Some programs along an axis, as one; `values` has what each of them has in the place of a value."""

    def __init__(self, programs: ProgramsOp, axis: int, width: int):
        self.programs, self.axis, self.width = programs, axis, width
        self.differs = varying(programs, axis)
        self.values: list[Values] = [{} for _ in range(width)]

    def run(self) -> None:
        programs, axis, width = self.programs, self.axis, self.width
        made = groups(programs, axis, width)
        emit = Emitter.at_end(made.body.block, programs.location)
        for number, values in enumerate(self.values):
            for n, (old, new) in enumerate(zip(programs.ids, made.ids, strict=True)):
                values[old] = emit.expr(Expr.counter(new) * width + number) if n == axis else new
        self._block(programs.body.block.ops, made.body.block)
        Emitter.before(programs).add(made)
        programs.detach()
        programs.erase()

    def _block(self, ops: Iterable[Operation], new: Block) -> None:
        """Operations, at the end of a block: what programs have in common once, all else once for each of them."""
        for op in ops:
            emit = Emitter.at_end(new, op.location)
            differs = any(not self.differs.isdisjoint((*inner.operands, *inner.results)) for inner in op.walk())
            if isinstance(op, ForOp) and differs and self.differs.isdisjoint((op.lb, op.ub, op.step)):
                self._loop(op, emit)
            elif differs or isinstance(op, tile.WriteOp):
                for values in self.values:
                    self._note(op, emit.add(op.clone(values)), [values])
            else:
                self._note(op, emit.add(op.clone(self.values[0])), self.values)

    def _note(self, old: Operation, new: Operation, values: Iterable[Values]) -> None:
        for one in values:
            one |= dict(zip(old.results, new.results, strict=True))

    def _loop(self, op: ForOp, emit: Emitter) -> None:
        """One loop that carries what each of them does."""
        old, first = op.body.block, self.values[0]
        starts = [values.get(start, start) for values in self.values for start in op.iter_args]
        block = Block(arg_types=[old.args[0].type, *(start.type for start in starts)])
        low, high, step = (first.get(value, value) for value in (op.lb, op.ub, op.step))
        made = ForOp(low, high, step, starts, Region(block))
        made.location = op.location
        count = len(op.iter_args)
        for number, values in enumerate(self.values):
            mine = slice(1 + number * count, 1 + (number + 1) * count)
            values |= {old.args[0]: block.args[0]} | dict(zip(old.args[1:], block.args[mine], strict=True))
        end = old.last_op
        assert isinstance(end, YieldOp)
        self._block(list(old.ops)[:-1], block)
        Emitter.at_end(block, end.location).add(
            YieldOp(*(values.get(value, value) for values in self.values for value in end.operands))
        )
        emit.add(made)
        for number, values in enumerate(self.values):
            values |= dict(zip(op.results, made.results[number * count : (number + 1) * count], strict=True))
