"""merge-steps: iterations of a loop that adds up products, or rows, are done several at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import constant, trip_count
from nki_mlir.analysis.loop_order import loop_order
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.recurrences import recurrence
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.coalesce import are_merged
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.hoist_loads import SHARE
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize, replace_loop
from nki_mlir.passes.step_widths import StepWidths
from nki_mlir.passes.widening import NotWidenable, Widening
from nki_mlir.targets import Target

_TERMS = 512
"""Terms of one product where it does not have all of them: loads of them are long, and several are under way."""

_MOST_TERMS = 2048
"""All terms of one product, since each piece of what the array takes at a time is an instruction of its own."""

_COPIES = 2
"""Of each operand, one is loaded while the other is multiplied."""

_MOST_BODIES = 8
"""How often a loop's body is written out, so that what it reads can stay where programs find it."""


@dataclass(frozen=True)
class MergeSteps(LevelPass):
    """Makes one product of those of several iterations, which has the terms of them all:

        scf.for %k = 0 to 32 iter_args(%acc) {
          %x = tile.read %a [d0 by 2048, 64 * k + d1 by 1]
          %y = tile.read %b [64 * k + d0 by 512, d1 by 1]
          %s = tile.dot %x, %y acc %acc over [1] x [0] }
            =>
        scf.for %k = 0 to 4 iter_args(%acc) {
          %x = tile.read %a [d0 by 2048, 512 * k + 64 * d1 + d2 by 1]
          %y = tile.read %b [512 * k + 64 * d0 + d1 by 512, d2 by 1]
          %s = tile.dot %x, %y acc %acc over [1, 2] x [0, 1] }

    The array adds up as many terms as it has rows at once, and a load of many is hardly longer than one of a few. If
    they are not too many, and there is room in SBUF, all of them are merged where there are several programs: then what
    one operand has in common with the next program's stays there. Sums that a loop adds up beside, such as that of
    squares of one operand, go along.

    So too where sums are scaled as a running maximum rises: there is one maximum, and one scale, of several blocks; and
    for sums along memory that programs make of a row for each partition, since longer rows are sooner read.
    What the width costs decides, and steps that are left over follow as one. If programs read the same in few steps,
    these are written out, so that it stays; loops that read the same have one width.

    `width` sets how many iterations become one. Left alone: loops that carry anything but running maxima and sums, or
    whose number of iterations is not known.
    """

    name = "merge-steps"
    levels = (TILE,)
    width: int | None = None

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.width is not None and self.width < 1:
            raise CompileError(f"merge-steps: width must be at least 1, got {self.width}")
        found = [steps for loop in operations(op) if isinstance(loop, ForOp) and (steps := _Steps.of(loop)) is not None]
        widths = [steps.width(target_of(op)) if self.width is None else self.width for steps in found]
        least = [min(w for other, w in zip(found, widths, strict=True) if steps.reads_like(other)) for steps in found]
        for steps, width in zip(found, least, strict=True):
            steps.merge(steps.possible(width), target_of(op))


def best_width(loop: ForOp, target: Target) -> int:
    """How many iterations of a loop that counts from 0 had best become one."""
    steps = _Steps.of(loop)
    return 1 if steps is None else steps.possible(steps.width(target))


_RUN = 8192
"""So many bytes along a sum are read at a time."""


@dataclass
class _Steps:
    """A loop of `trips` iterations that each add to what it carries; `joins` are the reductions and products that go on
    over the next iterations, `differs` are the values that an iteration has for itself."""

    loop: ForOp
    trips: int
    joins: frozenset[Operation]
    has_maximum: bool
    differs: set[SSAValue]

    @classmethod
    def of(cls, loop: ForOp) -> _Steps | None:
        """None for any other loop."""
        trips = trip_count(loop)
        if not trips or trips < 2 or (constant(loop.lb), constant(loop.step)) != (0, 1):
            return None
        found = recurrence(loop)
        if found is None or not found.joins:
            return None
        steps = cls(loop, trips, found.joins, found.has_maximum, {loop.body.block.args[0]})
        if not (found.has_maximum or steps.products or steps._has_rows(target_of(loop))):
            return None
        return steps if all(map(steps._is_known, loop.body.block.ops)) else None

    def _has_rows(self, target: Target) -> bool:
        """Whether the programs have a row for each partition, along which sums are made."""
        programs = self.loop.parent_op()
        grid = math.prod(programs.grid) if isinstance(programs, ProgramsOp) else 1
        rows = [math.prod(tile.shape_of(op.result)) for op in self.joins if isinstance(op, tile.ReduceOp)]
        return bool(rows) and grid > 1 and min(rows) * grid >= target.memory.partitions

    def reads_like(self, other: _Steps) -> bool:
        """Whether a loop beside this one, or this one, reads the same step by step, so that it need not be read twice
        if as many steps of both become one."""
        if self.loop is other.loop:
            return True
        beside = self.loop.parent is other.loop.parent and self.trips == other.trips
        return beside and not self._read.isdisjoint(other._read)

    @cached_property
    def _read(self) -> set[tuple[object, ...]]:
        """What is read in each step."""
        counter = self.loop.body.block.args[0]
        reads = (op for op in self.loop.body.block.ops if isinstance(op, tile.ReadOp) and counter in op.operands)
        return {
            (op.result.type, str(op.properties), *(None if v is counter else v for v in op.operands)) for op in reads
        }

    @property
    def products(self) -> list[tile.DotOp]:
        return [op for op in self.joins if isinstance(op, tile.DotOp)]

    def _is_known(self, op: Operation) -> bool:
        """Notes what an operation makes; whether it can be done for several iterations at once."""
        differs = [operand in self.differs for operand in op.operands]
        match op:
            case tile.WriteOp():
                return False
            case YieldOp():
                return not any(differs)
            case _ if op in self.joins:
                return any(differs) and not any(differs[2:])
            case _ if op.regions:
                return self.differs.isdisjoint(operand for inner in op.walk() for operand in inner.operands)
            case _:
                if any(differs):
                    self.differs.update(op.results)
                return True

    def width(self, target: Target) -> int:
        """How many iterations had best become one."""
        if self.has_maximum:
            return StepWidths(self.loop, self.trips, self.joins, self.differs, target).best()
        if not self.products:
            return min(StepWidths(self.loop, self.trips, self.joins, self.differs, target).best(), self._longer)
        limits, grid = target.limits, 1
        programs = self.loop.parent_op()
        if isinstance(programs, ProgramsOp):
            grid = math.prod(programs.grid)
        side = limits.moving_free
        bytes_ = terms = 0
        for op in self.products:
            shapes = tile.shape_of(op.a), tile.shape_of(op.b)
            terms = max(terms, math.prod(shapes[0][dim] for dim in op.over[0]))
            for shape, over in zip(shapes, op.over, strict=True):
                many = math.prod(shape[dim] for dim in over)
                left = max(math.prod(shape) // many, min(side, math.prod(shape) // many * grid))
                bytes_ += many * left * dtype(tile.element_of(op.a)).bytes
        room = target.memory.sbuf_usable_bytes * limits.partitions
        if grid > 1 and terms * self.trips <= _MOST_TERMS and _COPIES * bytes_ * self.trips <= room * 3 // 4:
            return self.trips
        return max(1, _TERMS // terms)

    @property
    def _longer(self) -> int:
        """How many iterations read as much of memory at a time as makes a transfer take hardly longer for each byte."""
        reads = [op for op in self.joins if isinstance(op, tile.ReduceOp)]
        runs = [tile.shape_of(op.source)[op.axis.value.data] * dtype(tile.element_of(op.source)).bytes for op in reads]
        return max(1, _RUN // min(runs))

    def possible(self, width: int) -> int:
        """A width near this one: it divides the number of iterations, unless what there is none of adds nothing, or it
        would be much less, so that the rest of them had better follow."""
        width = min(width, self.trips)
        if self.has_maximum or self._ends_with_nothing:
            return width
        even = max(n for n in range(1, width + 1) if self.trips % n == 0)
        return even if 2 * even > width else width

    @property
    def _ends_with_nothing(self) -> bool:
        """Whether iterations beyond the last one add nothing: all they multiply is read as zero."""
        read = all(_is_read(value) for op in self.products for value in (op.a, op.b))
        return not self.has_maximum and read and len(self.products) == len(self.joins)

    def merge(self, width: int, target: Target) -> None:
        """Does so many iterations at once, unless the terms of different ones would be dimensions of their own. Those
        that are left over follow as one, unless they add nothing; and what each program reads alike in few steps can
        stay on chip where these are written out."""
        rest = 0 if self._ends_with_nothing else self.trips % width
        made = None if width == 1 else self._merged(width, self.trips - rest, target.memory.partitions)
        if made is None:
            return
        if rest:
            self.loop.operands[0] = Emitter.before(self.loop).index(self.trips - rest)
            for number, value in enumerate(made.results, start=3):
                self.loop.operands[number] = value
            normalize(self.loop)
        else:
            replace_loop(self.loop, list(made.results))
        if _may_stay(made, target):
            cut(made, range(1, self.trips // width))
        if rest > 1 and (last := _Steps.of(self.loop)) is not None:
            last.merge(rest, target)

    def _merged(self, width: int, trips: int, lanes: int) -> ForOp | None:
        """A loop, in front of this one, that does the first iterations so."""
        old = self.loop.body.block
        block = Block(arg_types=[value.type for value in old.args])
        emit = Emitter.before(self.loop)
        low, high, step = (emit.index(number) for number in (0, -(-trips // width), 1))
        made = ForOp(low, high, step, self.loop.iter_args, Region(block))
        made.location = self.loop.location
        values: dict[SSAValue, SSAValue] = dict(zip(old.args[1:], block.args[1:], strict=True))
        for before, after in zip((*old.args, *self.loop.results), (*block.args, *made.results), strict=True):
            after.name_hint = before.name_hint
        widening = Widening(old.args[0], trips, width, self.differs, block.args[0], values, {})
        try:
            widening.block(old.ops, block)
        except NotWidenable:
            made.erase()
            return None
        emit.add(made)
        if not are_merged(lanes, widening.new_seams()):
            made.detach()
            made.erase()
            return None
        return made


def _may_stay(loop: ForOp, target: Target) -> bool:
    """Whether programs read the same in a loop of few iterations, and there is room for all that: as it is read, and as
    it is turned. That is all that a loop reads, where the programs that follow one another have it in common, and what
    all of them have of it elsewhere."""
    programs, trips = loop.parent_op(), trip_count(loop)
    if not isinstance(programs, ProgramsOp) or math.prod(programs.grid) == 1 or not trips or trips > _MOST_BODIES:
        return False
    differs = [varying(programs, axis) for axis in range(len(programs.grid))]
    inner = next(axis for axis in reversed(loop_order(programs)) if programs.grid[axis] > 1)
    reads = {op.result for op in loop.body.block.ops if isinstance(op, tile.ReadOp)}
    if not reads.isdisjoint(differs[inner]):
        reads = reads.difference(*differs)
    bytes_ = sum(math.prod(tile.shape_of(value)) * dtype(tile.element_of(value)).bytes for value in reads)
    room = target.memory.sbuf_usable_bytes * target.limits.partitions // SHARE
    return bool(reads) and _COPIES * bytes_ * trips <= room


def _is_read(value: SSAValue) -> bool:
    """Whether a tile is one of memory, which is zero where there is nothing to read."""
    op = value.owner
    while isinstance(op, tile.CastOp | tile.PermuteOp | tile.ExpandDimsOp):
        op = op.operands[0].owner
    return isinstance(op, tile.ReadOp) and (
        op.other is None or (isinstance(op.other, FloatAttr) and not op.other.value.data)
    )
