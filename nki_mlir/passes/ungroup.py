"""ungroup: a program id that arithmetic takes apart becomes several."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp, i1
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.independence import are_independent
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Counter, Expr
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.structure_accesses import structure_all
from nki_mlir.passes.tables import Table, tables_of

_MOST_PROGRAMS = 65_536
"""Along an axis, of which each one's indices are looked at."""
_MOST_AXES = 3
"""That one axis becomes at a time."""


@dataclass(frozen=True)
class Ungroup(LevelPass):
    """Gives a grid whose ids are taken apart the axes that they are taken apart into:

        tile.programs (%pid) in [32] {                          tile.programs (%m, %n) in [8, 4] anonymous {
          %group = arith.divsi %pid, %eight                       f(%m, %n) }
          %first = arith.muli %group, %two
          %in = arith.remsi %pid, %eight                =>
          %row = arith.remsi %in, %two
          %m = arith.addi %first, %row
          %n = arith.divsi %in, %two
          f(%m, %n) }

    It is found by numbers: what scalar arithmetic makes of an id is computed for every program, and two or three of
    the values are the new ids where each pair or triple of them is one program's, and whatever else the body uses is
    affine in them. Left alone: grids of more than 65,536 programs along an axis, ids that are used as they are and are
    not affine in others, programs that touch what others write, since theirs is another order then.
    """

    name = "ungroup"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            while (made := _ungrouped(programs)) is not None:
                programs = made


def _ungrouped(programs: ProgramsOp) -> ProgramsOp | None:
    """The programs with one axis made several; None where they stay."""
    if programs.kernel is not None:
        return None
    for axis, size in enumerate(programs.grid):
        split = _split(programs, axis) if size <= _MOST_PROGRAMS and _factors(size) else None
        made = None if split is None else _rewritten(programs, axis, split)
        if made is not None:
            return made
    return None


def _factors(size: int) -> bool:
    """Whether it is a product of two sizes."""
    return any(size % factor == 0 for factor in range(2, math.isqrt(size) + 1))


@dataclass(frozen=True)
class _Split:
    """New axes for one, from the outermost, and values as expressions of their places; `computed` is all that is
    computed of the old id, in program order, from the id itself on."""

    axes: tuple[_Axis, ...]
    affine: dict[SSAValue, _Affine]
    computed: tuple[SSAValue, ...]


@dataclass(frozen=True)
class _Axis:
    """`places` has the place along it of each of the old axis' programs; `name` is what the kernel calls it."""

    size: int
    places: Table
    name: str | None


@dataclass(frozen=True)
class _Affine:
    """`start + sum(step * place)`, with a step for each axis."""

    start: int
    steps: tuple[int, ...]


def _split(programs: ProgramsOp, axis: int) -> _Split | None:
    """The axes in which most is affine, then the fewest; of equals those whose values come first."""
    size = programs.grid[axis]
    tables = tables_of(programs.ids[axis], size)
    if all(_is_progression(table) for _, table in _leaves(tables)):
        return None
    candidates = _candidates(tables, size)
    best: tuple[int, _Split] | None = None
    for count in range(2, _MOST_AXES + 1):
        for axes in combinations(candidates, count):
            found = _Solver(tables, axes).split() if math.prod(one.size for one in axes) == size else None
            if found is not None and (best is None or found[0] < best[0]):
                best = found
            if best is not None and best[0] == 0:
                return best[1]
    return None if best is None else best[1]


def _leaves(tables: dict[SSAValue, Table]) -> Iterator[tuple[SSAValue, Table]]:
    """The values that something else than their arithmetic uses."""
    arithmetic = {value.owner for value in tables}
    for value, table in tables.items():
        if any(use.operation not in arithmetic for use in value.uses):
            yield value, table


def _is_progression(table: Table) -> bool:
    """Whether it is affine in the number of a program."""
    step = table[1] - table[0]
    return all(number == table[0] + step * n for n, number in enumerate(table))


def _candidates(tables: dict[SSAValue, Table], size: int) -> list[_Axis]:
    """The values that take each number from 0 on, once a start and a step are off, equally often."""
    found: dict[Table, _Axis] = {}
    for value, table in tables.items():
        low = min(table)
        step = math.gcd(*(number - low for number in table))
        count = (max(table) - low) // step + 1 if step else 1
        if 1 < count < size and size % count == 0:
            places = tuple((number - low) // step for number in table)
            known = found.get(places)
            if known is None or known.name is None:
                found[places] = _Axis(count, places, value.name_hint)
    return list(found.values())


def _completion(axis: _Axis) -> int:
    """The first program by which there was one at each place along an axis."""
    last = len(axis.places) - 1
    return max({place: last - n for n, place in enumerate(reversed(axis.places))}.values())


class _Solver:
    """Writes what the body uses in terms of new axes. Outermost is the one along which the programs, in their order,
    are through last."""

    def __init__(self, tables: dict[SSAValue, Table], axes: tuple[_Axis, ...]):
        self.tables, self.axes = tables, tuple(sorted(axes, key=_completion, reverse=True))
        self.programs = {places: n for n, places in enumerate(zip(*(one.places for one in self.axes), strict=True))}

    def split(self) -> tuple[int, _Split] | None:
        """The axes and expressions, behind the number of integers that are computed as they were. None where two
        programs have the same places, or a value is neither affine nor computed of what is."""
        if len(self.programs) < math.prod(axis.size for axis in self.axes):
            return None
        affine: dict[SSAValue, _Affine] = {}
        kept: list[SSAValue] = []
        used = {value for value, _ in _leaves(self.tables)}
        for value, table in reversed(self.tables.items()):
            if value not in used:
                continue
            expression = None if value.type == i1 else self._solve(table)
            if expression is not None:
                affine[value] = expression
            elif isinstance(value.owner, Operation):
                kept.append(value)
                used.update(value.owner.operands)
            else:
                return None
        if not _are_of_one_axis(kept[::-1], affine):
            return None
        return sum(value.type != i1 for value in kept), _Split(self.axes, affine, tuple(self.tables))

    def _solve(self, table: Table) -> _Affine | None:
        """Its expression, which holds for each program."""
        units = [tuple(int(n == axis) for n in range(len(self.axes))) for axis in range(len(self.axes))]
        start = table[self.programs[(0,) * len(self.axes)]]
        steps = tuple(table[self.programs[unit]] - start for unit in units)
        parts = [[step * place for place in one.places] for step, one in zip(steps, self.axes, strict=True)]
        rest = (number - start for number in table)
        return _Affine(start, steps) if all(map(operator.eq, rest, map(sum, zip(*parts, strict=True)))) else None


def _are_of_one_axis(kept: Sequence[SSAValue], affine: Mapping[SSAValue, _Affine]) -> bool:
    """Whether what is kept, in program order, is computed of one new id each; of several, one may be chosen."""
    ids = {value: {n for n, step in enumerate(one.steps) if step} for value, one in affine.items()}
    for value in kept:
        assert isinstance(value.owner, Operation)
        ids[value] = set[int]().union(*(ids.get(operand, ()) for operand in value.owner.operands))
        if len(ids[value]) > 1 and not isinstance(value.owner, tile.CompareOp | tile.SelectOp):
            return False
    return True


def _rewritten(programs: ProgramsOp, axis: int, split: _Split) -> ProgramsOp | None:
    """The programs with the new axes, in their place; None where another order of them may be another result."""
    copies: dict[SSAValue, SSAValue] = {}
    body = programs.clone(copies).detach_region(0)
    grid = (*programs.grid[:axis], *(one.size for one in split.axes), *programs.grid[axis + 1 :])
    old = body.block.args[axis]
    ids = [body.block.insert_arg(IndexType(), axis + 1 + n) for n in range(len(split.axes))]
    for id_, one in zip(ids, split.axes, strict=True):
        id_.name_hint = one.name or old.name_hint
    for value, affine in split.affine.items():
        _replace(copies[value], affine, ids, programs)
    _drop_unused(copies[value] for value in reversed(split.computed))
    body.block.erase_arg(old)
    made = ProgramsOp(grid, body, anonymous=True)
    made.location = programs.location
    Emitter.before(programs).add(made)
    replaced = programs if _is_any_order_right(made, range(axis, axis + len(ids))) else made
    replaced.detach()
    replaced.erase()
    return made if replaced is programs else None


def _replace(value: SSAValue, affine: _Affine, ids: Sequence[SSAValue], programs: ProgramsOp) -> None:
    """Makes all users of a value use its expression."""
    if isinstance(value.owner, Operation):
        emit = Emitter.before(value.owner)
    else:
        emit = Emitter(InsertPoint.at_start(value.owner), programs.location)
    expr = Expr.of(affine.start, ((Counter(id_), step) for id_, step in zip(ids, affine.steps, strict=True)))
    made = emit.expr(expr)
    if value.type != made.type:
        made = emit.value(tile.CastOp(made, value.type))
    if made not in ids and made.name_hint is None:
        made.name_hint = value.name_hint
    value.replace_all_uses_with(made)


def _drop_unused(values: Iterable[SSAValue]) -> None:
    """Erases what computes values that nothing uses, from the last one on."""
    for value in values:
        if isinstance(value.owner, Operation) and value.first_use is None:
            value.owner.detach()
            value.owner.erase()


def _is_any_order_right(made: ProgramsOp, axes: Iterable[int]) -> bool:
    """Whether programs with different ids along these axes are independent; what their accesses are is not known of
    pointers, so that a copy is asked."""
    func = made.parent_op()
    assert isinstance(func, FuncOp)
    trial = func.clone()
    number = list(func.body.block.ops).index(made)
    copy = list(trial.body.block.ops)[number]
    assert isinstance(copy, ProgramsOp)
    try:
        structure_all(copy)
    except CompileError:
        return False
    return all(are_independent(copy, axis) for axis in axes)
