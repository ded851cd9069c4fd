"""Loops, branches and whiles: what they carry or yield is in buffers outside, which the end of a body writes."""

from __future__ import annotations

from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage


def select_loop(s: Selector, op: Operation, emit: Emitter) -> None:
    """The loop without carried values: each has a buffer, written at the end of an iteration."""
    assert isinstance(op, ForOp)
    old = op.body.block
    for init, inside, result in zip(op.iter_args, old.args[1:], op.results, strict=True):
        s.stored[inside] = s.stored[result] = _carried(s, op, init, inside, result, emit)
    block = Block(arg_types=[old.args[0].type])
    block.args[0].name_hint = old.args[0].name_hint
    old.args[0].replace_all_uses_with(block.args[0])
    emit.add(ForOp(op.lb, op.ub, op.step, [], Region(block)))
    _move(s, old, block, list(old.args[1:]), op)


def select_branch(s: Selector, op: Operation, emit: Emitter) -> None:
    """The branch without results: each has a buffer that both sides write."""
    assert isinstance(op, IfOp)
    for result in op.results:
        if not isinstance(result.type, mem.TileType):
            raise CompileError.at(op, f"{op.name} of neuron.mem yields tiles, not {result.type}")
        if result.type.is_psum:
            raise CompileError.at(op, "an if can't yield a sum in psum; convert it first")
        s.result(result, emit)
    sides = (Region(Block()), Region(Block() if op.false_region.blocks else []))
    emit.add(IfOp(op.cond, [], sides[0], sides[1]))
    for old, new in zip((op.true_region, op.false_region), sides, strict=True):
        for block in old.blocks:
            _move(s, block, new.block, list(op.results), op)


def select_while(s: Selector, op: Operation, emit: Emitter) -> None:
    """The while without carried values: each has a buffer. What the condition hands on is that, or, where it is made in
    front of the condition, a buffer of its own."""
    assert isinstance(op, WhileOp)
    before, after = op.before_region.block, op.after_region.block
    for init, inside in zip(op.arguments, before.args, strict=True):
        s.stored[inside] = _carried(s, op, init, inside, inside, emit)
    end = before.last_op
    assert isinstance(end, ConditionOp)
    handed, made = list(end.args), list[SSAValue]()
    if any(not isinstance(value.type, mem.TileType) for value in handed):
        raise CompileError.at(end, "a while of neuron.mem hands on tiles alone")
    for value, inside, result in zip(handed, after.args, op.results, strict=True):
        if value in before.args:
            s.stored[result] = s.stored[value]
        else:
            s.result(result, emit)
            made.append(result)
        s.stored[inside] = s.stored[result]
    sides = [Region(Block()), Region(Block())]
    emit.add(WhileOp([], [], *sides))
    end.operands = [end.condition]
    _move(s, before, sides[0].block, made, op, [v for v in handed if v not in before.args])
    _move(s, after, sides[1].block, list(before.args), op)


def _carried(s: Selector, op: Operation, init: SSAValue, inside: SSAValue, result: SSAValue, emit: Emitter) -> Storage:
    """The buffer of a value that goes round: that of its first, if nothing else needs it."""
    storage = s.stored.get(init)
    if storage is None:
        raise CompileError.at(op, f"{op.name} of neuron.mem carries tiles, not {init.type}")
    if storage.type.is_psum and not init.has_one_use():
        raise CompileError.at(op, "the sum that this loop adds to has another use; it is written in place")
    if storage.type.is_psum and isinstance(op, WhileOp):
        raise CompileError.at(op, "a while can't carry a sum in psum; convert it first")
    if not storage.type.is_psum and not _is_own(init, op):
        fresh = Storage.allocate(mem.tile_type(inside), inside.name_hint or s.labels.get(result, "carried"), emit)
        s.over(emit, "tensor_copy", {"dst": fresh, "src": storage})
        storage = fresh
    return storage


def _is_own(init: SSAValue, loop: Operation) -> bool:
    """Whether the loop may write into the initial value's buffer: it is made anew for it, and nothing else reads it."""
    made = init.owner
    return isinstance(made, mem.FillOp | mem.LoadOp) and made.parent is loop.parent and init.has_one_use()


def _move(
    s: Selector, old: Block, new: Block, into: list[SSAValue], op: Operation, values: list[SSAValue] | None = None
) -> None:
    """Moves a body, with its instructions in place of its operations, and copies what it yields into its buffers."""
    end = old.last_op
    assert isinstance(end, YieldOp | ConditionOp)
    if values is None:
        values = list(end.operands)
        end.operands = []
    for implied in list(new.ops):
        implied.detach()
        implied.erase()
    for inner in list(old.ops):
        inner.detach()
        new.add_op(inner)
    s.block(new)
    s.current = s.labels.get(op.results[0], "") if op.results else ""
    _write_back(s, values, into, Emitter.before(end))


def _write_back(s: Selector, yielded: list[SSAValue], arguments: list[SSAValue], emit: Emitter) -> None:
    """Copies what a body yields to its buffers; through temporaries where it is in another one of them."""
    moves = [(s.stored[v], s.stored[a]) for v, a in zip(yielded, arguments, strict=True)]
    moves = [(src, dst) for src, dst in moves if src.buffer is not dst.buffer]
    if any(dst.type.is_psum for _, dst in moves):
        raise CompileError.at(emit.location, "a loop that carries sums in psum must add to each of them in place")
    carried = {s.stored[a].buffer for a in arguments}
    staged: list[tuple[Storage, Storage]] = []
    for src, dst in moves:
        if src.buffer in carried:
            copy = s.temporary(dst.type, emit)
            s.over(emit, "tensor_copy", {"dst": copy, "src": src})
            src = copy
        staged.append((src, dst))
    for src, dst in staged:
        s.over(emit, "tensor_copy", {"dst": dst, "src": src})
