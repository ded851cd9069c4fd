"""equalize-trips: programs that run a loop more or less often than others run it equally often, in groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.independence import are_independent
from nki_mlir.analysis.indices import constant, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.idle_steps import IdleSteps, may_idle, needs_a_step
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.merge_steps import best_width
from nki_mlir.passes.normalize_loops import normalize, replace_loop
from nki_mlir.passes.peel_masks import unmasked
from nki_mlir.passes.score_chains import Chain
from nki_mlir.passes.tables import Table, tables_of

_MOST_PROGRAMS = 4096
"""Along an axis, of which each one's iterations are looked at."""

_MOST_GROUPS = 8
"""Beyond those that differ in kind: each is a program of its own for the passes that follow."""

_MOST_FULL = 16
"""Groups with rows enough for the array, since each is a program of its own."""

_IDLE = 0.2
"""What part of all iterations may be idle."""

_MOST_RUNS = 3
"""Of programs that follow one another, where iterations can't be idle: most of the programs must be in one of them."""


@dataclass(frozen=True)
class EqualizeTrips(LevelPass):
    """Groups the programs whose loops run a number of times that depends on their id, and lets those of a group run
    them as often as each other; iterations that one has too many are idle:

        tile.programs (%i) in [8] {               tile.programs (%i) in [4] { f(4 + %i)
          scf.for %k = 0 to %i {            =>      scf.for %k = 0 to 4 { … }
            %x = tile.read … %k                     scf.for %k = 0 to 3 {
            %m = tile.reduce max %x axis 1            %x = tile.read … (4 + %k) … in * to … by 0
            … } }                                     %y = tile.select (%k < %i), %x, -inf
                                                      %m = tile.reduce max %y axis 1
                                                      … } }           … the other programs before that

    Causal attention is such a kernel. The programs of a group are alike, so that passes that follow can run them
    together, and merge the iterations that all of them have. A group is halved while too many iterations are idle, or a
    program would have no other. Left alone: loops that carry anything but running maxima and sums, or do anything else;
    bounds that are not computed from one id; programs that touch what others write, where their order would change.

    Where the maximum of all iterations is worth to be found first, nothing is idle: a group has as many rows as move
    through the array at once, and is to run `together`. The iterations that all of its programs have are a loop, those
    that some have beside another one, and those with masks a third; `widen` does the last two for each program.
    """

    name = "equalize-trips"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            uneven = next(filter(None, (_Uneven.of(programs, axis) for axis in range(len(programs.grid)))), None)
            if uneven is not None:
                uneven.equalize()


def _trips(loop: ForOp, tables: dict[SSAValue, Table], size: int) -> tuple[Table, Table] | None:
    """The lower bound of a loop and how often it runs, by the id; None where these are not computed from it."""
    low, high = (_table(bound, tables, size) for bound in (loop.lb, loop.ub))
    step = constant(loop.step)
    if low is None or high is None or step is None or step < 1:
        return None
    return low, tuple(max(0, -(-(b - a) // step)) for a, b in zip(low, high, strict=True))


class _Uneven(NamedTuple):
    """Programs with loops whose bounds depend on the id along an axis: each loop's place in the body, with the numbers
    of its lower bound and of its iterations by the id. They `idle` where each may have idle iterations."""

    programs: ProgramsOp
    axis: int
    loops: dict[int, tuple[Table, Table]]
    idle: bool

    @classmethod
    def of(cls, programs: ProgramsOp, axis: int) -> _Uneven | None:
        """None where nothing depends on the id so, or a loop can't have idle iterations."""
        size, ops = programs.grid[axis], list(programs.body.block.ops)
        found = {n: op for n, op in enumerate(ops) if isinstance(op, ForOp) and trip_count(op) is None}
        if not found or size > _MOST_PROGRAMS:
            return None
        tables, loops = tables_of(programs.ids[axis], size), dict[int, tuple[Table, Table]]()
        for number, loop in found.items():
            trips = _trips(loop, tables, size)
            if trips is None:
                return None
            loops[number] = trips
        made = cls(programs, axis, loops, all(map(may_idle, found.values())))
        if not made.idle and (not made._is_mostly_even() or any(map(_is_uneven_inside, ops))):
            return None
        keeps_order = all(count == 1 for count in programs.grid[:axis])
        axes = [n for n, count in enumerate(programs.grid) if count > 1]
        if not keeps_order and not all(are_independent(programs, n) for n in axes):
            return None
        return made

    def equalize(self) -> None:
        groups = self._full_groups() if self.idle else []
        for group in sorted(groups or self._groups(), key=lambda group: group.start):
            self._copy(group, bool(groups))
        self.programs.detach()
        self.programs.erase()

    def _groups(self) -> list[range]:
        """Ids that follow one another, in groups."""
        if not self.idle:
            return self._runs()
        groups, total = [range(self.programs.grid[self.axis])], sum(sum(trips) for _, trips in self.loops.values())
        most = _MOST_GROUPS
        while True:
            forced = [group for group in groups if not self._is_possible(group)]
            worst = forced[0] if forced else max(groups, key=self._idle)
            if not forced and (len(groups) >= most or sum(map(self._idle, groups)) <= _IDLE * total):
                return groups
            most += bool(forced)
            middle = worst.start + (len(worst) + 1) // 2
            groups.remove(worst)
            groups += [range(worst.start, middle), range(middle, worst.stop)]

    def _runs(self) -> list[range]:
        """Ids that follow one another and run each loop equally often."""
        size = self.programs.grid[self.axis]
        by_id = list(zip(*(trips for _, trips in self.loops.values()), strict=True))
        starts = [n for n in range(size) if n == 0 or by_id[n] != by_id[n - 1]]
        return [range(*ends) for ends in pairwise([*starts, size])]

    def _is_mostly_even(self) -> bool:
        """Whether there are few such runs, one of which has most of the programs, and the places where each starts."""
        runs = self._runs()
        return (
            len(runs) <= _MOST_RUNS
            and 2 * max(map(len, runs)) > self.programs.grid[self.axis]
            and all(_line(low, run) is not None for low, _ in self.loops.values() for run in runs)
        )

    def _full_groups(self) -> list[range]:
        """Groups with as many rows as move through the array at once, where the maximum of all these is found first:
        then what some programs have beside what all of a group have is done for each of them."""
        programs, size = self.programs, self.programs.grid[self.axis]
        target = target_of(programs)
        loops = [op for op in self._ops if isinstance(op, ForOp)]
        chain = next(filter(None, map(Chain.of, loops)), None)
        if chain is None or math.prod(programs.grid) > size or not chain.is_worth(Prices(target), are_masked=False):
            return []
        if not {self._ops[n] for n in self.loops}.issubset(part.loop for part in chain.parts):
            return []
        width = -(-target.limits.moving_free // chain.rows)
        groups = [range(n, min(n + width, size)) for n in range(0, size, width)]
        return groups if width > 1 and len(groups) <= _MOST_FULL and all(map(self._is_even, groups)) else []

    @property
    def _ops(self) -> list[Operation]:
        return list(self.programs.body.block.ops)

    def _is_even(self, group: range) -> bool:
        """Whether the numbers of the loops rise evenly with the id."""
        return all(
            _line(low, group) is not None and _line([trips[n] for n in group], range(len(group))) is not None
            for low, trips in self.loops.values()
        )

    def _idle(self, group: range) -> int:
        """How many iterations of the programs are idle."""
        counts = ([trips[n] for n in group] for _, trips in self.loops.values())
        return sum(max(some) * len(some) - sum(some) for some in counts)

    def _is_possible(self, group: range) -> bool:
        ops = list(self.programs.body.block.ops)
        for number, (low, trips) in self.loops.items():
            some = [trips[n] for n in group]
            if _line(low, group) is None or _line(trips, group) is None:
                return False
            if min(some) == 0 < max(some) and needs_a_step(_loop(ops[number])):
                return False
        return True

    def _copy(self, group: range, is_full: bool) -> None:
        """The programs of a group, before what there is."""
        old = self.programs
        sizes = [len(group) if n == self.axis else size for n, size in enumerate(old.grid)]
        made = ProgramsOp(sizes, anonymous=True, together=is_full and len(group) > 1)
        made.location = old.location
        emit, values = Emitter.at_end(made.body.block, old.location), dict[SSAValue, SSAValue]()
        for n, (before, after) in enumerate(zip(old.ids, made.ids, strict=True)):
            after.name_hint = before.name_hint
            values[before] = emit.expr(Expr.counter(after) + group.start) if n == self.axis else after
        Emitter.before(old).add(made)
        copies, id_ = [emit.add(op.clone(values)) for op in old.body.block.ops], made.ids[self.axis]
        for number, tables in self.loops.items():
            low, trips = (_line(table, group) for table in tables)
            assert low is not None and trips is not None
            some = [tables[1][n] for n in group]
            lines = [Expr.counter(id_) * slope + base for base, slope in (low, trips)]
            if is_full:
                _part(_loop(copies[number]), lines[0], some, id_)
            else:
                _equalize(_loop(copies[number]), lines[0], lines[1], min(some), max(some))


def _part(loop: ForOp, low: Expr, trips: Sequence[int], id_: SSAValue) -> None:
    """The loop as the iterations that all programs of a group have, those that some have beside, and those with masks
    that do not hold everywhere; of these two programs have as many as they have."""
    step = constant(loop.step)
    assert step is not None
    counts = [low + n * step for n in range(max(trips))]
    free = [unmasked(loop, counts[:n], {id_: Expr(i)}) for i, n in enumerate(trips)]
    if _line(free, range(len(free))) is None:
        free = [min(free)] * len(free)
    least, carried = min(free), list[SSAValue](loop.iter_args)
    edges = [Expr(0), Expr(least), *(_expr(table, id_) for table in (free, trips))]
    for first, end in pairwise(edges):
        if first != end:
            part = _counted(loop, low, step, first, end - first)
            for number, value in enumerate(carried, start=3):
                part.operands[number] = value
            carried = list[SSAValue](part.results)
            normalize(part, keep_single=True)
    replace_loop(loop, carried)


def _expr(table: Sequence[int], id_: SSAValue) -> Expr:
    """A line of numbers, over the id."""
    line = _line(table, range(len(table)))
    assert line is not None
    return Expr.counter(id_) * line[1] + line[0]


def _is_uneven_inside(op: Operation) -> bool:
    """Whether a loop inside an operation runs a number of times that is no constant."""
    return any(isinstance(inner, ForOp) and trip_count(inner) is None for inner in op.walk() if inner is not op)


def _equalize(loop: ForOp, low: Expr, trips: Expr, least: int, most: int) -> None:
    """The loop as iterations that all programs have, and without masks, as many as are merged evenly, and the others,
    some of which are idle."""
    step = constant(loop.step)
    assert step is not None
    if least < most:
        least = unmasked(loop, [low + n * step for n in range(least)]) or least
        width = _width(loop, low, step, most)
        least = least - least % width or least
    parts = [_counted(loop, low, step, Expr(0), Expr(least))]
    if least < most:
        parts.append(_counted(loop, low, step, Expr(least), Expr(most - least)))
        for number, value in enumerate(parts[0].results, start=3):
            parts[1].operands[number] = value
        IdleSteps(parts[1], Expr.counter(parts[1].body.block.args[0]) + least - trips).apply()
    replace_loop(loop, list(parts[-1].results))
    for part in parts:
        normalize(part)


def _width(loop: ForOp, low: Expr, step: int, most: int) -> int:
    """How many of so many iterations are merged into one."""
    trial = _counted(loop, low, step, Expr(0), Expr(most))
    width = best_width(trial, target_of(loop))
    trial.detach()
    trial.erase()
    return width


def _counted(loop: ForOp, low: Expr, step: int, first: Expr, trips: Expr) -> ForOp:
    """Some iterations of the loop, before it, that count from 0."""
    emit = Emitter.before(loop)
    bounds = [emit.index(0), emit.expr(trips), emit.index(1)]
    made = loop.clone()
    made.operands[0], made.operands[1], made.operands[2] = bounds
    emit.add(made)
    counter, inner = made.body.block.args[0], made.body.block.first_op
    assert inner is not None
    uses = list(counter.uses)
    place = Emitter.before(inner).expr(low + (Expr.counter(counter) + first) * step)
    for use in uses:
        use.operation.operands[use.index] = place
    return made


def _loop(op: Operation) -> ForOp:
    assert isinstance(op, ForOp)
    return op


def _table(value: SSAValue, tables: dict[SSAValue, Table], size: int) -> Table | None:
    number = constant(value)
    return tables.get(value) if number is None else (number,) * size


def _line(table: Sequence[int], group: range) -> tuple[int, int] | None:
    """A table as a number and what it rises by with each id of a group, counted from the group's first; None where it
    does not rise evenly."""
    some = [table[n] for n in group]
    slope = some[1] - some[0] if len(some) > 1 else 0
    return (some[0], slope) if all(n == some[0] + slope * i for i, n in enumerate(some)) else None
