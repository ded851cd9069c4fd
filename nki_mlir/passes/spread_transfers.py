"""spread-transfers: every second iteration has its tiles on the upper half of the partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.indices import constant, is_run_time, trip_count
from nki_mlir.analysis.lifetimes import lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.engine_nodes import runs
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.normalize_loops import normalize
from nki_mlir.passes.region_costs import Costs, load_of
from nki_mlir.passes.start_partitions import may_start_at, move_to, read_with
from nki_mlir.targets import Target

_COPIES = 2
"""Iterations that become one: the partitions have two halves."""

_GAIN = 0.95
"""What part of the time of the busiest DMA engine may be left where it is worth to write a body out twice."""

_MOST = 256
"""So many instructions a body has at most."""


@dataclass(frozen=True)
class SpreadTransfers(LevelPass):
    """Does two iterations of a loop in one, the second of which has tiles of few partitions on the upper ones:

        for %i = 0 to 8 {                                  for %i = 0 to 4 {
          %b = alloc "b" : <sbuf, 64 x 1024>                 %b = alloc "b" : <sbuf, 64 x 1024>
          dma_copy … dst %b[0:64] src %x at %i        =>     dma_copy … dst %b[0:64] src %x at 2 * %i
          nc_matmul … moving %b[0:64] }                      nc_matmul … moving %b[0:64]
                                                             %c = alloc "b" from 64 : <sbuf, 64 x 1024>
                                                             dma_copy … dst %c[64:128] src %x at 2 * %i + 1
                                                             nc_matmul … moving %c[64:128] }

    Each DMA engine serves some partitions, so that half of them rest while tiles of few partitions are moved. What a
    product reads lies on the rows of the array, and moves together. Left alone: loops that are not bound by the DMA
    engines of the lower partitions, whose iterations hand something on, or with control flow inside; buffers that an
    instruction can't reach elsewhere; what would no longer fit.
    """

    name = "spread-transfers"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            for loop in [inner for inner in operations(func) if isinstance(inner, ForOp)]:
                if _may_be_twice(loop) and _moves_few(loop, target) and _is_lopsided(loop, target):
                    _try(func, loop, target)


def _may_be_twice(loop: ForOp) -> bool:
    """Whether a loop is one of instructions alone that hand nothing on but through memory, and there are two."""
    trips, block = trip_count(loop), loop.body.block
    if is_run_time(loop) or not trips or trips < _COPIES or loop.iter_args:
        return False
    if (constant(loop.lb), constant(loop.step)) != (0, 1):
        return False
    found = [run for run in runs(block) if run]
    count = sum(isinstance(op, EngineInstruction) for op in block.ops)
    return count <= _MOST and len(found) == 1 and len(found[0]) == len(list(block.ops)) - 1


def _moves_few(loop: ForOp, target: Target) -> bool:
    """Whether a transfer reaches half of the partitions at most."""
    half = target.memory.partitions // _COPIES
    return any(view.access.on_chip and view.access.partitions <= half for view in _moved(loop.body.block.ops))


def _is_lopsided(loop: ForOp, target: Target) -> bool:
    """Whether the busiest of all is a DMA engine, and one of the upper half has less to do."""
    load, engines = load_of(loop.body.block, Costs(target)), target.dma.engines
    upper = [load.work.get(f"dma engine {number}", 0.0) for number in range(engines // _COPIES, engines)]
    return (load.busiest or "").startswith("dma engine") and min(upper) < _GAIN * load.ns


def _try(func: FuncOp, loop: ForOp, target: Target) -> None:
    """Spreads the transfers of a loop; leaves it where that gains too little, or doesn't fit."""
    trips, half = trip_count(loop), target.memory.partitions // _COPIES
    assert trips is not None
    made, second = _twice(loop, trips // _COPIES)
    for group in _groups(second):
        if may_start_at(group, half):
            for alloc in group:
                move_to(alloc, half)
    costs = Costs(target)
    now = load_of(loop.body.block, costs).ns
    if load_of(made.body.block, costs).ns > _GAIN * _COPIES * now or not fits(lifetimes(func), target):
        for op in (made, made.ub.owner):
            assert isinstance(op, Operation)
            op.detach()
            op.erase()
        return
    if trips % _COPIES:
        loop.operands[0] = Emitter.before(loop).index(trips - trips % _COPIES)
        normalize(loop)
    else:
        loop.detach()
        loop.erase()


def _twice(loop: ForOp, trips: int) -> tuple[ForOp, list[Operation]]:
    """A loop that does two iterations of another one at a time, `trips` times, and the operations of the second."""
    old, block = loop.body.block, Block(arg_types=[loop.body.block.args[0].type])
    counter = block.args[0]
    counter.name_hint = old.args[0].name_hint
    emit, second = Emitter.at_end(block, loop.location), list[Operation]()
    for number in range(_COPIES):
        at = emit.expr(Expr.counter(counter) * _COPIES + number)
        values: dict[SSAValue, SSAValue] = {old.args[0]: at}
        second = [emit.add(op.clone(values)) for op in list(old.ops)[:-1]]
    emit.add(YieldOp())
    outside = Emitter.before(loop)
    made = ForOp(loop.lb, outside.index(trips), loop.step, [], Region(block))
    made.location = loop.location
    return outside.add(made), second


def _moved(ops: Iterable[Operation]) -> Iterator[ViewOp]:
    """What transfers reach."""
    for op in ops:
        if isinstance(op, EngineInstruction) and op.instruction.is_transfer:
            yield from op.views().values()


def _groups(ops: list[Operation]) -> Iterator[list[AllocOp]]:
    """The buffers of an iteration, in groups that lie on the same partitions, of which transfers reach some."""
    allocs = [op for op in ops if isinstance(op, AllocOp) and _is_free(op)]
    moved, seen = {view.source.owner for view in _moved(ops)}, set[AllocOp]()
    for alloc in allocs:
        group = read_with(alloc) if alloc not in seen else None
        if group is not None and not moved.isdisjoint(group) and all(one in allocs for one in group):
            seen.update(group)
            yield group


def _is_free(alloc: AllocOp) -> bool:
    """Whether a buffer is one of SBUF that nobody has placed."""
    return alloc.buffer.space is Space.SBUF and alloc.start is None and alloc.address is None
