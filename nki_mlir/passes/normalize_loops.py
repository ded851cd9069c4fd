"""normalize-loops: loops of constant bounds count 0, 1, … below a trip count; those of no or one iteration vanish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from nki_mlir.analysis.indices import constant, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.recurrences import goes_on_from
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE, MEM, TILE


@dataclass(frozen=True)
class NormalizeLoops(LevelPass):
    """Gives every `scf.for` the bounds 0, trip count and 1:

        scf.for %k = 8 to 40 step 16 { f(%k) }   =>   scf.for %i = 0 to 2 step 1 { f(%i * 16 + 8) }

    so that a counter is what a repeat of the machine counts, and depends on nothing: bounds may be computed, as long as
    how far they are apart comes out as a constant. A loop of one iteration becomes its body, one of none what it starts
    from. Loops whose bounds are known at run time only stay as they are; a step must be a constant.
    """

    name = "normalize-loops"
    levels = (TILE, MEM, ENGINE)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op, goes_on)


def normalize_all(root: Operation, keeps: Callable[[ForOp], bool] = lambda _: False) -> None:
    """Normalises the loops inside an operation. Passes that count iterations start with it, so that a loop means the
    same whichever level a module enters at. Outer loops go first: an inner bound may be a constant only then, or the
    inner loop gone. One iteration that `keeps` says so of stays a loop, as it is, for who does something with all of
    them."""
    for loop in [inner for inner in operations(root) if isinstance(inner, ForOp)]:
        if loop.parent is not None and not (trip_count(loop) == 1 and keeps(loop)):
            normalize(loop)


def goes_on(loop: ForOp) -> bool:
    """Whether a loop goes on from another one."""
    before = loop.iter_args[0].owner if loop.iter_args else None
    return isinstance(before, ForOp) and goes_on_from(loop, before)


def is_of_one(loop: ForOp) -> bool:
    """Whether a loop is of programs that are to run together."""
    programs = loop.parent_op()
    return isinstance(programs, ProgramsOp) and programs.together is not None


def normalize(loop: ForOp, keep_single: bool = False) -> None:
    """Normalises one loop, if its bounds are constants; with `keep_single`, one iteration stays a loop. Raises
    CompileError where the step is no positive constant."""
    step_of(loop)
    if trip_count(loop) is None:
        return
    low, step, trips = counted(loop)
    emit = Emitter.before(loop)
    if trips == 0:
        replace_loop(loop, list(loop.iter_args))
    elif trips == 1 and not keep_single:
        inline_body(loop, emit.expr(Expr(low)))
    elif (low, step) != (0, 1):
        counter = loop.body.block.args[0]
        first = loop.body.block.first_op
        assert first is not None
        inside = Emitter.before(first)
        inside.location = loop.location
        users = list(counter.uses)
        shifted = inside.expr(Expr.counter(counter) * step + low)
        for use in users:
            use.operation.operands[use.index] = shifted
        _count(loop, trips, emit)
    elif not all(isinstance(bound.owner, ConstantOp) for bound in (loop.lb, loop.ub, loop.step)):
        _count(loop, trips, emit)


def _count(loop: ForOp, trips: int, emit: Emitter) -> None:
    loop.operands[0], loop.operands[1], loop.operands[2] = emit.index(0), emit.index(trips), emit.index(1)


def counted(loop: ForOp) -> tuple[int, int, int]:
    """Lower bound, step and number of iterations of a loop with constant bounds."""
    trips, low = trip_count(loop), constant(loop.lb)
    assert trips is not None and low is not None
    return low, step_of(loop), trips


def step_of(loop: ForOp) -> int:
    """The step. Raises CompileError where it is no positive constant."""
    if not isinstance(loop.lb.type, IndexType):
        raise CompileError.at(loop, f"a loop counts in index; this one counts in {loop.lb.type}")
    step = constant(loop.step)
    if step is None or step < 1:
        found = "known at run time only" if step is None else step
        raise CompileError.at(loop, f"a loop's step is a constant of at least 1; this loop's is {found}")
    return step


def replace_loop(loop: Operation, values: list[SSAValue]) -> None:
    for result, value in zip(loop.results, values, strict=True):
        result.replace_all_uses_with(value)
    loop.detach()
    loop.erase()


def inline_body(loop: ForOp, counter: SSAValue) -> None:
    """Replaces a loop by its body, with the counter and the carried values at their first."""
    block = loop.body.block
    terminator = block.last_op
    assert isinstance(terminator, YieldOp)
    yielded = list(terminator.operands)
    arguments = [counter, *loop.iter_args]
    yielded = [arguments[block.args.index(v)] if v in block.args else v for v in yielded]
    terminator.detach()
    terminator.erase()
    Rewriter.inline_block(block, InsertPoint.before(loop), arguments)
    replace_loop(loop, yielded)
