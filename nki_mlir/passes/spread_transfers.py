"""spread-transfers: iterations become one that move little, and move it at once, to all partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import constant, is_run_time, trip_count
from nki_mlir.analysis.lifetimes import lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.engine_nodes import reaches_of, runs
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.normalize_loops import normalize
from nki_mlir.passes.region_costs import Costs, load_of
from nki_mlir.passes.start_partitions import may_start_at, move_to, read_with
from nki_mlir.passes.transfer_joins import join
from nki_mlir.targets import Target

_COPIES = (2, 4, 8)
"""So many iterations become one: the partitions have two halves, and more of them have fewer transfers."""

_GAIN = 0.95
"""What part of the time of the busiest DMA engine may be left where it is worth to write a body out several times."""

_ALIKE = 0.99
"""Times as close as this are alike: of these, the fewest iterations become one."""

_FIRST = 0.25
"""So much of an iteration's time the DMA engines wait for the first one to be done: the rest of it they load for those
that come next."""

_SLOTS = 2
"""So many of each buffer have to fit: one is worked on while another is moved."""

_MOST = 256
"""So many instructions a body has at most."""


@dataclass(frozen=True)
class SpreadTransfers(LevelPass):
    """Does several iterations of a loop in one. Every second has tiles of few partitions on the upper ones, and what
    they move goes in one transfer where it is evenly apart in memory:

        for %i = 0 to 8 {                                  for %i = 0 to 4 {
          %b = alloc "b" : <sbuf, 64 x 1024>                 %b = alloc "b" : <sbuf, 128 x 1024>
          dma_copy … dst %b[0:64] src %x at %i        =>     dma_copy … dst %b[0:128] src %x at 2 * %i and behind it
          nc_matmul … moving %b[0:64] }                      nc_matmul … moving %b[0:64]
                                                             nc_matmul … moving %b[64:128] }

    Each DMA engine serves some partitions, so that half of them rest while tiles of few partitions are moved, and takes
    as long for the semaphore of a transfer as for some KiB. What a product reads lies on the rows of the array, and
    moves together. How many iterations become one is decided by the time of the DMA engines, and of the first ones,
    which they wait for. Left alone: loops that are not bound by DMA engines, whose iterations hand something on, or
    with control flow inside; buffers that an instruction can't reach elsewhere; transfers that would pass by what
    touches the same; stores of several programs to what others write too; what would no longer fit twice.
    """

    name = "spread-transfers"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            memories, costs = memories_of(func), Costs(target)
            for loop in [inner for inner in operations(func) if isinstance(inner, ForOp)]:
                if _may_be_fewer(loop) and _may_gain(loop, costs):
                    _try(func, loop, memories, costs)


def _may_be_fewer(loop: ForOp) -> bool:
    """Whether a loop is one of instructions alone that hand nothing on but through memory, and there are two."""
    trips, block = trip_count(loop), loop.body.block
    if is_run_time(loop) or not trips or trips < min(_COPIES) or loop.iter_args:
        return False
    if (constant(loop.lb), constant(loop.step)) != (0, 1):
        return False
    found = [run for run in runs(block) if run]
    count = sum(isinstance(op, EngineInstruction) for op in block.ops)
    return count <= _MOST and len(found) == 1 and len(found[0]) == len(list(block.ops)) - 1


def _may_gain(loop: ForOp, costs: Costs) -> bool:
    """Whether the busiest of all is a DMA engine, and would be less so without the semaphores of all transfers, or if
    those of half of the partitions were everywhere."""
    load, dma, ops = load_of(loop.body.block, costs), costs.target.dma, loop.body.block.ops
    transfers = sum(isinstance(op, EngineInstruction) and op.instruction.is_transfer for op in ops)
    engines = [load.work.get(f"dma engine {number}", 0.0) for number in range(dma.engines)]
    least = min(max(engines) - transfers * dma.semaphore_ns, sum(engines) / len(engines))
    return (load.busiest or "").startswith("dma engine") and least < _GAIN * load.ns


def _try(func: FuncOp, loop: ForOp, memories: Mapping[SSAValue, int], costs: Costs) -> None:
    """Writes a loop of fewer iterations in the place of one; leaves it where that gains too little, or doesn't fit."""
    trips = trip_count(loop)
    assert trips is not None
    best, number, most = None, 1, _GAIN * _time(loop, trips, costs)
    several = _written_by_several(func, memories) if _has_names(loop) else frozenset[int]()
    for copies in [copies for copies in _COPIES if copies <= trips]:
        made = _fewer(loop, copies, memories, several, costs.target)
        time = _time(made, trips / copies, costs)
        if time < most and _fits(func, made, costs.target):
            made, best, number, most = best, made, copies, _ALIKE * time
        _erase(made)
    if best is None:
        return
    if rest := trips % number:
        loop.operands[0] = Emitter.before(loop).index(trips - rest)
        normalize(loop)
    else:
        loop.detach()
        loop.erase()


def _time(loop: ForOp, rounds: float, costs: Costs) -> float:
    """How long, in ns, the busiest resource has to do with so many iterations of a loop."""
    return (rounds + _FIRST) * load_of(loop.body.block, costs).ns


def _fits(func: FuncOp, loop: ForOp, target: Target) -> bool:
    """Whether there is room for some of each buffer of a loop in SBUF."""
    depths = {op: op.depth for op in loop.body.block.ops if isinstance(op, AllocOp) and op.buffer.space is Space.SBUF}
    for alloc, depth in depths.items():
        alloc.properties["depth"] = IntegerAttr(max(_SLOTS, depth.value.data), i64)
    found = fits(lifetimes(func), target)
    for alloc, depth in depths.items():
        alloc.properties["depth"] = depth
    return found


def _erase(loop: ForOp | None) -> None:
    """Erases a loop, with its bound."""
    if loop is not None:
        for op in (loop, loop.ub.owner):
            assert isinstance(op, Operation)
            op.detach()
            op.erase()


def _has_names(loop: ForOp) -> bool:
    """Whether it is said which program iterations are of."""
    return any(isinstance(op, BeginProgramOp) for op in loop.body.block.ops)


def _written_by_several(func: FuncOp, memories: Mapping[SSAValue, int]) -> frozenset[int]:
    """Memory that more than one instruction writes to: whose program that is, is looked at when it runs."""
    found = Counter[int]()
    for op in operations(func):
        if isinstance(op, EngineInstruction):
            owners = {t.owner for t in reaches_of(op) if t.writes}
            found.update({memories[owner] for owner in owners if isinstance(owner, SSAValue) and owner in memories})
    return frozenset(memory for memory, count in found.items() if count > 1)


def _fewer(
    loop: ForOp, copies: int, memories: Mapping[SSAValue, int], several: Collection[int], target: Target
) -> ForOp:
    """A loop, in front of another one, that does so many of its iterations at a time."""
    trips, half = trip_count(loop), target.memory.partitions // 2
    assert trips is not None
    made, bodies = _several(loop, trips // copies, copies)
    for odd in bodies[1::2]:
        for group in _groups(odd):
            if may_start_at(group, half):
                for alloc in group:
                    move_to(alloc, half)
    join(bodies, memories, several)
    return made


def _several(loop: ForOp, trips: int, copies: int) -> tuple[ForOp, list[list[Operation]]]:
    """A loop that does so many iterations of another one at a time, `trips` times, and the operations of each."""
    old, block = loop.body.block, Block(arg_types=[loop.body.block.args[0].type])
    counter = block.args[0]
    counter.name_hint = old.args[0].name_hint
    emit, bodies = Emitter.at_end(block, loop.location), list[list[Operation]]()
    for number in range(copies):
        at = emit.expr(Expr.counter(counter) * copies + number)
        values: dict[SSAValue, SSAValue] = {old.args[0]: at}
        bodies.append([emit.add(op.clone(values)) for op in list(old.ops)[:-1]])
    emit.add(YieldOp())
    outside = Emitter.before(loop)
    made = ForOp(loop.lb, outside.index(trips), loop.step, [], Region(block))
    made.location = loop.location
    return outside.add(made), bodies


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
