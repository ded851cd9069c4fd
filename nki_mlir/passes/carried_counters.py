"""The counter of a loop as data: a number that the loop carries."""

from __future__ import annotations

from xdsl.dialects.builtin import i32
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import SSAValue

from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.normalize_loops import step_of
from nki_mlir.passes.tile_builder import TileBuilder


def carried_counter(loop: ForOp, start: SSAValue) -> SSAValue:
    """A 32-bit integer that a loop carries, always equal to its counter; `start` is what that starts from, as such an
    integer. Raises CompileError for a step that is no constant."""
    step, block, emit = step_of(loop), loop.body.block, Emitter.before(loop)
    number = block.insert_arg(i32, len(block.args))
    end = block.last_op
    assert isinstance(end, YieldOp)
    build = TileBuilder(Emitter.before(end))
    end.operands = [*end.operands, build.add(number, build.number(step, i32, ()))]
    made = emit.add(ForOp(loop.lb, loop.ub, loop.step, [*loop.iter_args, start], loop.detach_region(loop.body)))
    made.location = loop.location
    for old, new in zip(loop.results, made.results, strict=False):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    loop.detach()
    loop.erase()
    return number
