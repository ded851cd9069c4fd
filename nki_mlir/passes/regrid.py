"""regrid: what a program does in a loop, step by step, becomes programs of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.independence import are_independent
from nki_mlir.analysis.indices import constant, expr_of, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.expr import Expr, FloorDiv, Mod
from nki_mlir.dialects.tile_programs import MOST_PROGRAMS, ProgramsOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE

_MOST_TURNS = 4096
"""Programs that take turns, of which each one's number of turns is looked at."""


@dataclass(frozen=True)
class Regrid(LevelPass):
    """Makes programs of the iterations of a loop that is all that a program does, where they don't depend on one
    another:

        tile.programs (%i) in [16] {                              tile.programs (%row) in [1000] anonymous {
          scf.for %k = 0 to (1015 - %i) / 16 {              =>      f(%row) }
            f(16 * %k + %i) } }

        tile.programs (%i) in [16] {                              tile.programs (%i, %j) in [16, 8] anonymous {
          scf.for %j = 0 to 8 step 1 { f(%i, %j) } }        =>      f(%i, %j) }

    The first is a grid of a fixed size that strides over the rows: (program, iteration) -> row is a bijection. What
    stands before the loop, which reads and computes only, each of the new programs does by itself. Left alone: loops
    that carry values, or whose iterations touch what others write.
    """

    name = "regrid"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            while (made := _regridded(programs)) is not None:
                programs = made


def _regridded(programs: ProgramsOp) -> ProgramsOp | None:
    """The programs with those of a loop in their place; None where they stay."""
    loop = _only_effect(programs)
    rows = None if loop is None or loop.results else _strided(programs, loop) or _every(programs, loop)
    if loop is None or rows is None or max(rows.grid) > MOST_PROGRAMS:
        return None
    made = ProgramsOp(rows.grid, anonymous=True)
    made.location = programs.location
    Emitter.before(programs).add(made)
    _fill(made, programs, loop, rows)
    if not are_independent(made, rows.axis):
        made.detach()
        made.erase()
        return None
    programs.detach()
    programs.erase()
    return made


@dataclass(frozen=True)
class _Rows:
    """The new grid. Along `axis`, `stride` programs of the old one take turns, each with every other one of its own."""

    grid: tuple[int, ...]
    axis: int
    stride: int | None = None


def _only_effect(programs: ProgramsOp) -> ForOp | None:
    """The loop that is all that a program does, but for reading and computing."""
    others = [op for op in programs.body.block.ops if not isinstance(op, tile.ReadOp) and not is_side_effect_free(op)]
    return others[0] if len(others) == 1 and isinstance(others[0], ForOp) else None


def _every(programs: ProgramsOp, loop: ForOp) -> _Rows | None:
    """Of a loop that each program runs equally often: an axis more."""
    trips = trip_count(loop)
    if not trips or (constant(loop.lb), constant(loop.step)) != (0, 1):
        return None
    return _Rows((*programs.grid, trips), len(programs.grid))


def _strided(programs: ProgramsOp, loop: ForOp) -> _Rows | None:
    """Of a loop over which the programs along an axis take turns: iteration `k` of program `i` of `n` is number
    `n * k + i`, of as many as there are."""
    if (constant(loop.lb), constant(loop.step)) != (0, 1):
        return None
    trips = expr_of(loop.ub)
    for axis, (id_, size) in enumerate(zip(programs.ids, programs.grid, strict=True)):
        if list(trips.counters()) != [id_] or not 1 < size <= _MOST_TURNS:
            continue
        turns = [max(0, trips.substitute({id_: Expr(number)}).const) for number in range(size)]
        count = sum(turns)
        if count and turns == [-(-(count - number) // size) if number < count else 0 for number in range(size)]:
            return _Rows((*programs.grid[:axis], count, *programs.grid[axis + 1 :]), axis, size)
    return None


def _fill(made: ProgramsOp, programs: ProgramsOp, loop: ForOp, rows: _Rows) -> None:
    """A copy of the loop's body, behind one of what stands before the loop."""
    emit = Emitter.at_end(made.body.block, programs.location)
    row, counter = made.ids[rows.axis], loop.body.block.args[0]
    row.name_hint = counter.name_hint
    values: dict[SSAValue, SSAValue] = dict(zip(programs.ids, made.ids, strict=False))
    values[counter] = row
    if rows.stride is not None:
        number = Expr.counter(row)
        values[counter] = emit.expr(number.floordiv(rows.stride))
        values[programs.ids[rows.axis]] = emit.expr(number.mod(rows.stride))
    for op in [*_before(loop), *loop.body.block.ops]:
        if not isinstance(op, YieldOp):
            emit.add(op.clone(values))
    if rows.stride is not None:
        for op in list(made.body.walk()):
            _rejoin(op)


def _rejoin(op: Operation) -> None:
    """Numbers that are put together again are the number."""
    if isinstance(op, AccessOp):
        joined = resolved(op.over_values).map(lambda part: replace(part, position=_joined(part.position)))
        if joined != op.over_values:
            made = Emitter.before(op).add(op.over(joined))
            for old, new in zip(op.results, made.results, strict=True):
                new.name_hint = old.name_hint
                old.replace_all_uses_with(new)
            op.detach()
            op.erase()
    elif len(op.results) == 1 and isinstance(op.results[0].type, IndexType):
        expr = expr_of(op.results[0])
        if (number := _joined(expr)) != expr:
            op.results[0].replace_all_uses_with(Emitter.before(op).expr(number))


def _joined(expr: Expr) -> Expr:
    """With `n * (x floordiv n) + x mod n` as `x`."""
    factors = dict(expr.terms)
    for term, factor in expr.terms:
        if isinstance(term, Mod) and factors.get(FloorDiv(term.value, term.divisor)) == factor * term.divisor:
            pair = ((term, -factor), (FloorDiv(term.value, term.divisor), -factor * term.divisor))
            return _joined(expr + Expr.of(0, pair) + term.value * factor)
    return expr


def _before(loop: ForOp) -> list[Operation]:
    found: list[Operation] = []
    op = loop.prev_op
    while op is not None:
        found.append(op)
        op = op.prev_op
    return found[::-1]
