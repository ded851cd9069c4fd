"""Loops, branches and whiles: they carry and yield tiles, each whole and of its own type."""

from __future__ import annotations

from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector


def select_loop(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, ForOp)
    _begin(s, op, list(op.iter_args), emit)
    _body(s, op.body.block, list(op.body.block.args[1:]))
    _end(s, op)


def select_branch(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, IfOp)
    for result in op.results:
        if not isinstance(result.type, mem.TileType):
            raise CompileError.at(op, f"{op.name} of neuron.mem yields tiles, not {result.type}")
        if result.type.is_psum:
            raise CompileError.at(op, "an if can't yield a sum in psum; convert it first")
    for region in (op.true_region, op.false_region):
        for block in region.blocks:
            _body(s, block, [])
    _end(s, op)


def select_while(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, WhileOp)
    before, after = op.before_region.block, op.after_region.block
    condition = before.last_op
    assert isinstance(condition, ConditionOp)
    if any(not isinstance(value.type, mem.TileType) for value in condition.args):
        raise CompileError.at(condition, "a while of neuron.mem hands on tiles alone")
    _begin(s, op, list(op.arguments), emit)
    _body(s, before, list(before.args))
    _body(s, after, list(after.args))
    _end(s, op)


def _begin(s: Selector, op: Operation, inits: list[SSAValue], emit: Emitter) -> None:
    """What a loop starts from. A sum in PSUM is added to where it lies, so nothing else may need it."""
    for init in inits:
        if init not in s.stored:
            raise CompileError.at(op, f"{op.name} of neuron.mem carries tiles, not {init.type}")
        if mem.tile_type(init).is_psum and not init.has_one_use():
            raise CompileError.at(op, "the sum that this loop adds to has another use; it is written in place")
        if mem.tile_type(init).is_psum and isinstance(op, WhileOp):
            raise CompileError.at(op, "a while can't carry a sum in psum; convert it first")
    wholes = {init: s.whole(init, emit) for init in inits}
    op.operands = [wholes.get(operand, operand) for operand in op.operands]


def _body(s: Selector, block: Block, carried: list[SSAValue]) -> None:
    """A block that begins with tiles and hands on others."""
    for argument in carried:
        s.stored[argument] = s.hold(argument)
    s.block(block)


def select_end(s: Selector, op: Operation, emit: Emitter) -> None:
    """What a body hands on."""
    parent = op.parent_op()
    s.current = s.labels.get(parent.results[0], "") if parent is not None and parent.results else ""
    op.operands = [s.whole(v, emit) if v in s.stored else v for v in op.operands]


def _end(s: Selector, op: Operation) -> None:
    for result in op.results:
        s.stored[result] = s.hold(result)
