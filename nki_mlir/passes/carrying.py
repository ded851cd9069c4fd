"""Loops that carry one value more."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue

from nki_mlir.passes.emitter import Emitter


def carry(loop: ForOp, start: SSAValue, end: SSAValue) -> SSAValue:
    """The loop again, where it carries what its last argument is, from `start` on to `end`; gives what it ends as."""
    last = loop.body.block.last_op
    assert last is not None
    last.operands = [*last.operands, end]
    region = loop.detach_region(loop.body)
    again = Emitter.before(loop).add(ForOp(loop.lb, loop.ub, loop.step, [*loop.iter_args, start], region))
    again.attributes |= loop.attributes
    for before, after in zip(loop.results, again.results, strict=False):
        after.name_hint = before.name_hint
        before.replace_all_uses_with(after)
    loop.detach()
    loop.erase()
    return again.results[-1]


def carry_through(loops: Sequence[ForOp], start: SSAValue, change: Callable[[SSAValue], SSAValue]) -> SSAValue:
    """Loops, the outermost first, that carry one value more through all of them, from `start` on: in the innermost
    `change` makes of the value before the one behind. Gives what it ends as."""
    inside = [loop.body.block.insert_arg(start.type, len(loop.body.block.args)) for loop in loops]
    value = change(inside[-1] if inside else start)
    for loop, begin in reversed(list(zip(loops, [start, *inside][: len(loops)], strict=True))):
        value = carry(loop, begin, value)
    return value


def drop(loop: ForOp, numbers: Container[int]) -> None:
    """The loop again without some of what it carries, which nothing uses."""
    block, kept = loop.body.block, [n for n in range(len(loop.iter_args)) if n not in numbers]
    last = block.last_op
    assert last is not None
    last.operands = [last.operands[n] for n in kept]
    for arg in [arg for n, arg in enumerate(block.args[1:]) if n in numbers]:
        block.erase_arg(arg)
    region = loop.detach_region(loop.body)
    again = Emitter.before(loop).add(ForOp(loop.lb, loop.ub, loop.step, [loop.iter_args[n] for n in kept], region))
    again.attributes |= loop.attributes
    for n, after in zip(kept, again.results, strict=True):
        after.name_hint = loop.results[n].name_hint
        loop.results[n].replace_all_uses_with(after)
    loop.detach()
    loop.erase()
