"""normalize-loops: every loop counts 0, 1, … below its trip count; loops of no or one iteration vanish."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp, WhileOp, YieldOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from nki_mlir.dialects.expr import Expr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.indices import constant, trip_count


@dataclass(frozen=True)
class NormalizeLoops(ModulePass):
    """Gives every `scf.for` the bounds 0, trip count and 1:

        scf.for %k = 8 to 40 step 16 { f(%k) }   =>   scf.for %i = 0 to 2 step 1 { f(%i * 16 + 8) }

    so that a counter is what a repeat of the machine counts. Bounds must be constants; `scf.while` is rejected.
    """

    name = "normalize-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk(reverse=True) if isinstance(inner, ForOp | WhileOp)]:
            if isinstance(loop, WhileOp):
                raise CompileError.at(loop, "loops with a run-time condition (while) are not supported")
            normalize(loop)


def normalize(loop: ForOp) -> None:
    trips, low, step = trip_count(loop), constant(loop.lb), constant(loop.step)
    if trips is None or low is None or step is None:
        raise CompileError.at(loop, "loop bounds must be compile-time constants, with a step of at least 1")
    emit = Emitter.before(loop)
    if trips == 0:
        replace_loop(loop, list(loop.iter_args))
    elif trips == 1:
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
        loop.operands[0], loop.operands[1], loop.operands[2] = emit.index(0), emit.index(trips), emit.index(1)


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
