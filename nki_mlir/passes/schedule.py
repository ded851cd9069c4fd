"""schedule: instructions that wait for nothing go in front of those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation

from nki_mlir.analysis.indices import is_run_time
from nki_mlir.analysis.lifetimes import Lifetime, capacity, lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.engine_nodes import Node, nodes_of, runs
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.list_schedule import Machine, room_for
from nki_mlir.passes.loop_times import period
from nki_mlir.passes.region_costs import Costs
from nki_mlir.passes.skew import slots_of
from nki_mlir.targets import Target

_GAIN = 0.9
"""What part of its time a run of instructions may still take where it is worth to be put in another order."""

_BANKS = 5
"""Banks of PSUM that sums which wait for others leave free in what runs once. Iterations of a loop can overlap by
`skew` instead."""

_AHEADS = 4096, 2048, 1024, 256
"""How many instructions of what runs once may be passed by, one after the other until what is then alive fits."""

_MOST = 4096
"""Longer runs are left as they are."""


@dataclass(frozen=True)
class Schedule(LevelPass):
    """Puts instructions that follow one another in the order in which engines can do them:

        %a = nc_matmul tensor …                 %a = nc_matmul tensor …
        %b = activation scalar … %a             %b = activation scalar … %a
        %c = nc_transpose tensor … %b      =>   %d = nc_matmul tensor …
        %d = nc_matmul tensor …                 %c = nc_transpose tensor … %b

    Each engine does what it is given in order, and waits where that is not ready. Of what could come next, what can
    start first does, and of these what has to start first, as far as there is room for what is then alive. An iteration
    may gain by itself, or where many follow one another. Left alone: loops whose iterations can overlap, because there
    is room for two; what would hardly gain; and what would no longer fit.
    """

    name = "schedule"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            loops = [inner for inner in operations(func) if isinstance(inner, ForOp)]
            blocks = [func.body.block, *(loop.body.block for loop in loops if not is_run_time(loop))]
            lives, costs = lifetimes(func), Costs(target)
            for run in [run for block in blocks if _is_full(block, target) for run in runs(block)]:
                lives = _reorder(func, run, lives, costs)


def _is_full(block: Block, target: Target) -> bool:
    """Whether there is no room for two iterations."""
    if not isinstance(block.parent_op(), ForOp):
        return True
    sizes: dict[Space, int] = {Space.SBUF: 0, Space.PSUM: 0}
    for op in block.walk():
        if isinstance(op, AllocOp):
            sizes[op.buffer.space] += slot_bytes(op, target)
    return any(2 * size > capacity(target, space) for space, size in sizes.items())


def _reorder(func: FuncOp, run: list[Operation], lives: list[Lifetime], costs: Costs) -> list[Lifetime]:
    """Puts a run in order, where that gains and fits; gives the lifetimes of all buffers, which `lives` are before."""
    if not 3 <= sum(isinstance(op, EngineInstruction) for op in run) <= _MOST:
        return lives
    steps, target = nodes_of(run, costs), costs.target
    room = {space: room_for(lives, steps, space, target) for space in (Space.SBUF, Space.PSUM)}
    is_once, behind = not isinstance(run[0].parent_op(), ForOp), run[-1].next_op
    limits = [(ahead, _BANKS) for ahead in dict.fromkeys(min(ahead, len(steps)) for ahead in _AHEADS)]
    for limit in limits if is_once else [()]:
        found = Machine(target).listed(steps, room, *limit)
        gains = Machine(target).time(found) <= _GAIN * Machine(target).time(steps)
        if not gains and (is_once or not _gains_in_the_end(func, steps, found, target)):
            break
        _place(run, found, behind)
        after = lifetimes(func)
        if fits(after, target):
            return after
        _place(run, steps, behind)
        lives = lifetimes(func)
    return lives


def _gains_in_the_end(func: FuncOp, steps: Sequence[Node], found: Sequence[Node], target: Target) -> bool:
    """Whether iterations of a loop take less in another order, one after the other: of a loop by itself, as what one
    does in front of another is spread over the iterations of that as they are."""
    block = steps[0].op.parent
    loop = None if block is None else block.parent_op()
    if block is None or loop is None or loop.parent_op() is not func or any(op.regions for op in block.ops):
        return False
    buffers = dict.fromkeys(buffer for step in steps for buffer in step.buffers if buffer.parent is step.op.parent)
    slots = slots_of(list(buffers), [], target)
    new, old = (period([(step, 0) for step in order], slots) for order in (found, steps))
    return new <= _GAIN * old


def _place(run: Sequence[Operation], steps: Sequence[Node], behind: Operation | None) -> None:
    """Puts a run of operations in front of another one, in an order of its instructions; what they need goes with the
    first that needs it, and whose program transfers are of with the first of these."""
    block = run[0].parent
    assert block is not None and behind is not None
    programs = {op: _programs_before(run, op) for op in run if _is_transfer(op)}
    for op in run:
        op.detach()
    mine, placed = set(run), set[Operation]()

    def put(op: Operation) -> None:
        if op in placed or op not in mine:
            return
        placed.add(op)
        for begun in programs.get(op, ()):
            put(begun)
        for value in op.operands:
            if isinstance(value.owner, Operation):
                put(value.owner)
        block.insert_ops_before([op], behind)

    for step in steps:
        put(step.op)
    for op in run:
        put(op)


def _is_transfer(op: Operation) -> bool:
    return isinstance(op, EngineInstruction) and op.instruction.is_transfer


def _programs_before(run: Sequence[Operation], transfer: Operation) -> list[Operation]:
    """What names programs in front of a transfer, behind the one before."""
    at = run.index(transfer)
    first = next((n for n in range(at - 1, -1, -1) if _is_transfer(run[n])), -1)
    return [op for op in run[first + 1 : at] if isinstance(op, BeginProgramOp)]
