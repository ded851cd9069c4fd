"""programs-to-loops: the programs of a grid become loops around their body."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.arith import AndIOp, DivSIOp, RemSIOp, ShRSIOp
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.indices import NotAffine, expr_of, index_tensor, is_loop_counter
from nki_mlir.analysis.loop_order import loop_order
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Element, Position
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import normalize_all

MOST_UNROLLED = 256


@dataclass(frozen=True)
class ProgramsToLoops(LevelPass):
    """Runs the programs of a grid one after another:

        tile.programs (%i, %j) in [2, 4] {          scf.for %i = 0 to 2 { scf.for %j = 0 to 4 {
          … %i … %j …                         =>      tile.begin_program %i * 4 + %j of [2, 4]
        }                                             … %i … %j …  } }

    Independent programs that read the same follow one another, so that it can stay on chip: if those along %i do, it
    has the inner loop.

    A program id that the kernel divides (`pid // 4`, `pid % 4`) becomes two nested loops, so that offsets stay affine.
    Where they don't, the programs are written out one by one, up to 256 of them; beyond, the kernel is rejected. Which
    program an operation belongs to is said where the programs are all that the function does: in what follows programs
    it matters who wrote before.
    """

    name = "programs-to-loops"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _lower(func)


def _lower(func: FuncOp) -> None:
    named = sum(not isinstance(op, ReturnOp) and not is_side_effect_free(op) for op in func.body.block.ops) == 1
    while (programs := _first(func)) is not None:
        if _only_affine_uses(programs):
            _as_loops(programs, named)
        else:
            _as_copies(programs, named)


def _first(func: FuncOp) -> ProgramsOp | None:
    return next((op for op in func.body.block.ops if isinstance(op, ProgramsOp)), None)


def _as_loops(programs: ProgramsOp, named: bool) -> None:
    func, body = programs.parent_op(), list(programs.body.block.ops)
    assert isinstance(func, FuncOp)
    emit = Emitter.before(programs)
    places = dict[int, SSAValue]()
    for axis in loop_order(programs):
        bounds = [emit.index(0), emit.index(programs.grid[axis]), emit.index(1)]
        block = Block(arg_types=[bounds[0].type])
        emit.add(ForOp(bounds[0], bounds[1], bounds[2], [], Region(block)))
        end = YieldOp()
        end.location = programs.location
        block.add_op(end)
        emit = Emitter(InsertPoint.before(end), programs.location)
        places[axis] = block.args[0]
    counters = [places[axis] for axis in range(len(programs.grid))]
    _begin(emit, _number(counters, programs.grid), programs, named)
    for id_, counter in zip(programs.ids, counters, strict=True):
        counter.name_hint = id_.name_hint
        id_.replace_all_uses_with(counter)
    for op in body:
        op.detach()
        emit.add(op)
    programs.detach()
    programs.erase()
    _split_counters(counters)
    normalize_all(func)


def _begin(emit: Emitter, number: Expr, programs: ProgramsOp, named: bool) -> None:
    """Says which program begins, where there are several."""
    if named and programs.anonymous is None and math.prod(programs.grid) > 1:
        emit.add(tile.BeginProgramOp(emit.expr(number), programs.kernel_grid, programs.widths))


def _number(counters: list[SSAValue], grid: tuple[int, ...]) -> Expr:
    """The row-major place in the grid."""
    number = Expr(0)
    for counter, size in zip(counters, grid, strict=True):
        number = number * size + Expr.counter(counter)
    return number


def _split_counters(counters: list[SSAValue]) -> None:
    """Nests a grid loop that the kernel divides by a constant into two loops, until none is left to nest."""
    while counters:
        counter = counters.pop()
        divisor = _divisor_of(counter)
        if divisor is not None:
            counters += _nest(counter, divisor)


def _divisor_of(counter: SSAValue) -> int | None:
    """The largest constant that divides the trip count and by which an expression divides the counter itself."""
    trips, inside = _trips(counter), operations(_loop_of(counter))
    found = {d for op in inside for d, key in _divisions(op) if key is counter and 1 < d < trips and trips % d == 0}
    return max(found, default=None)


def _loop_of(counter: SSAValue) -> ForOp:
    assert isinstance(counter.owner, Block)
    loop = counter.owner.parent_op()
    assert isinstance(loop, ForOp)
    return loop


def _trips(counter: SSAValue) -> int:
    return expr_of(_loop_of(counter).ub).const


def _divisions(op: Operation) -> Iterator[tuple[int, SSAValue]]:
    for term in (term for expr in _scalars(op) for term, _ in expr.terms):
        if isinstance(term, FloorDiv | Mod):
            match term.value:
                case Expr(const=0, terms=((Counter(key), 1),)) if isinstance(key, SSAValue):
                    yield term.divisor, key
                case _:
                    pass


def _scalars(op: Operation) -> Iterator[Expr]:
    """What an operation may divide: its scalar result, or its address."""
    if isinstance(op, AccessOp):
        yield from (part.position for part in resolved(op.over_values))
    elif isinstance(op, DivSIOp | RemSIOp | ShRSIOp | AndIOp) and not isinstance(op.results[0].type, tile.TensorType):
        yield expr_of(op.results[0])


def _nest(counter: SSAValue, divisor: int) -> list[SSAValue]:
    """`for %p = 0 to n` becomes `for %i = 0 to n / divisor { for %j = 0 to divisor { %p = %i * divisor + %j } }`."""
    loop, trips = _loop_of(counter), _trips(counter)
    outer = Emitter.before(loop)
    loop.operands[1] = outer.index(trips // divisor)
    first = loop.body.block.first_op
    assert first is not None
    emit = Emitter(InsertPoint.before(first), loop.location)
    bounds = [emit.index(0), emit.index(divisor), emit.index(1)]
    inner_block = Block(arg_types=[counter.type])
    inner = emit.add(ForOp(bounds[0], bounds[1], bounds[2], [], Region(inner_block)))
    uses = list(counter.uses)
    moved: list[Operation] = []
    op = inner.next_op
    while op is not None:
        moved.append(op)
        op = op.next_op
    for op in moved[:-1]:
        op.detach()
    end = YieldOp()
    end.location = loop.location
    inner_block.add_ops([*moved[:-1], end])
    start = inner_block.first_op
    assert start is not None
    position = Emitter(InsertPoint.before(start), loop.location)
    whole = position.expr(Expr.counter(counter) * divisor + Expr.counter(inner_block.args[0]))
    for use in uses:
        use.operation.operands[use.index] = whole
    return [counter, inner_block.args[0]]


def _only_affine_uses(programs: ProgramsOp) -> bool:
    """Whether loops will do for some programs: every address, and every index that becomes data, is affine in loop
    counters once divided program ids are nested loops."""
    trial = _alone(programs)
    func, inside = trial.parent_op(), set(operations(trial))
    assert func is not None
    _as_loops(trial, named=False)
    return all(_is_affine(expr) for op in operations(func) if op in inside for expr in _indices(op))


def _alone(programs: ProgramsOp) -> ProgramsOp:
    """A copy of some programs, in a copy of their function that has nothing beside but the values in front of them."""
    func = programs.parent_op()
    assert isinstance(func, FuncOp)
    trial = func.clone_without_regions()
    trial.body.add_block(block := Block(arg_types=func.body.block.arg_types))
    values: dict[SSAValue, SSAValue] = dict(zip(func.body.block.args, block.args, strict=True))
    for op in func.body.block.ops:
        if op is programs:
            break
        if op.results:
            block.add_op(op.clone(values))
    copy = programs.clone(values)
    block.add_op(copy)
    return copy


def _is_affine(expr: Expr) -> bool:
    places = Position | Element
    return all(is_loop_counter(key) or isinstance(key, places) for key in expr.counters())


def _indices(op: Operation) -> Iterator[Expr]:
    """What an operation makes of indices: an address, numbers, a comparison."""
    if isinstance(op, AccessOp):
        yield from (part.position for part in resolved(op.over_values))
    elif isinstance(op, tile.CastOp | tile.CompareOp):
        for value in op.operands:
            if isinstance(tile.element_of(value), IndexType):
                with suppress(NotAffine):
                    yield index_tensor(value).offset


def _as_copies(programs: ProgramsOp, named: bool) -> None:
    count = math.prod(programs.grid)
    if count > MOST_UNROLLED:
        raise CompileError.at(
            programs,
            f"the program ids of this kernel enter addresses in a way that is not affine, and its {count} programs"
            f" are more than the {MOST_UNROLLED} that are written out one by one",
        )
    emit = Emitter.before(programs)
    for number in range(count):
        _begin(emit, Expr(number), programs, named)
        mapping = dict(zip(programs.ids, map(emit.index, _position(number, programs.grid)), strict=True))
        for op in programs.body.block.ops:
            emit.add(op.clone(mapping))
    programs.detach()
    programs.erase()


def _position(number: int, grid: tuple[int, ...]) -> list[int]:
    """Row-major place of a program in the grid."""
    place: list[int] = []
    for size in reversed(grid):
        place.append(number % size)
        number //= size
    return place[::-1]
