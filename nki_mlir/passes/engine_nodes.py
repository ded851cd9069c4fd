"""The instructions of a block of `neuron.engine` that follow one another, and which of them wait for which."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush

from xdsl.dialects import arith
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation

from nki_mlir.analysis.indices import expr_of
from nki_mlir.analysis.overlap import constants
from nki_mlir.dialects.access import Dim, Engine, Space
from nki_mlir.dialects.alu import ReduceCommand
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp, view_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.region_costs import Costs

_ANEW = (ReduceCommand.RESET_REDUCE, ReduceCommand.LOAD_REDUCE)
_IN_RUNS = EngineInstruction | AllocOp | ViewOp | BeginProgramOp


def runs(block: Block) -> Iterator[list[Operation]]:
    """Instructions that follow one another, with what they need beside."""
    run = list[Operation]()
    for op in [*block.ops]:
        if isinstance(op, _IN_RUNS) or op.dialect_name() == arith.Arith.name:
            run.append(op)
        else:
            yield run
            run = []
    yield run


@dataclass(eq=False)
class Node:
    """An instruction with its `number` in the order that it had; `before` are those that it follows, with whether it
    waits for what they gave. `latest` is when it has to start, in ns before the end of all of them."""

    op: EngineInstruction
    number: int
    busy: float
    latency: float
    resources: dict[str, float]
    buffers: list[AllocOp]
    before: dict[Node, bool] = field(default_factory=dict, repr=False)
    after: list[Node] = field(default_factory=list, repr=False)
    latest: float = 0.0
    has_state: bool = False

    @cached_property
    def kept(self) -> list[tuple[str, float]]:
        """What it uses, its engine last, and for how long."""
        return [*self.resources.items(), (self.op.engine.data.value, self.busy)]


def with_state(ops: Sequence[EngineInstruction]) -> frozenset[EngineInstruction]:
    """Those that must stay in order as they change what later ones give. One that sets its engine's accumulator anew is
    none where no instruction of the function goes on with what it left there."""
    found = frozenset(op for op in ops if op.has_state)
    anew = [op for op in found if op.fields().get("reduce_cmd") in _ANEW]
    func = anew[0].parent_op() if anew else None
    while func is not None and not isinstance(func, FuncOp):
        func = func.parent_op()
    if func is None:
        return found
    read = {op.engine.data for op in func.walk() if isinstance(op, EngineInstruction) and _goes_on(op)}
    return found.difference(op for op in anew if op.engine.data not in read)


def _goes_on(op: EngineInstruction) -> bool:
    """Whether an instruction reads what is in its engine's accumulator."""
    return op.has_state and not op.instruction.random and op.fields().get("reduce_cmd") not in _ANEW


def nodes_of(run: Sequence[Operation], costs: Costs) -> list[Node]:
    """The instructions of a run. Transfers, and what has a state, stay in order."""
    steps = list[Node]()
    touched: dict[object, list[tuple[Node, Engine, Reach]]] = {}
    last = dict[Engine, Node]()
    instructions = [op for op in run if isinstance(op, EngineInstruction)]
    stays = with_state(instructions)
    for op in instructions:
        cost, engine = costs.of(op), op.engine.data
        touches = list(reaches_of(op))
        buffers = list(dict.fromkeys(t.owner for t in touches if isinstance(t.owner, AllocOp)))
        step = Node(op, len(steps), cost.busy, cost.latency, dict(cost.work), buffers, has_state=op in stays)
        for touch in touches:
            for earlier, its_engine, other in touched.get(touch.owner, ()):
                if other.meets(touch):
                    waits = (other.writes and touch.reads) or its_engine is not engine
                    step.before[earlier] = step.before.get(earlier, False) or waits
        if op.instruction.is_transfer or step.has_state:
            if (before := last.get(op.engine.data)) is not None:
                step.before.setdefault(before, False)
            last[op.engine.data] = step
        for touch in touches:
            touched.setdefault(touch.owner, []).append((step, engine, touch))
        steps.append(step)
    for step in steps:
        for earlier in step.before:
            earlier.after.append(step)
    _set_latest(steps)
    return steps


def _set_latest(steps: Sequence[Node]) -> None:
    """Puts instructions in order from the last one back, each as late as what hangs on it and its engine allow: so
    that of two things to do, that is the more urgent one which engines need sooner."""
    by = {step: -step.latency for step in steps}
    missing = {step: len(step.after) for step in steps}
    free: dict[str, float] = {}

    def late(step: Node) -> float:
        return min(by[step], *(free.get(name, 0.0) - kept for name, kept in step.kept))

    ready = [(-late(step), -step.number, step) for step in steps if not step.after]
    heapify(ready)
    while ready:
        found, _, step = heappop(ready)
        step.latest = late(step)
        if -step.latest > found:
            heappush(ready, (-step.latest, -step.number, step))
            continue
        free.update((name, step.latest) for name, _ in step.kept)
        for earlier, waits in step.before.items():
            by[earlier] = min(by[earlier], step.latest - (earlier.latency if waits else earlier.busy))
            missing[earlier] -= 1
            if not missing[earlier]:
                heappush(ready, (-late(earlier), -earlier.number, earlier))


@dataclass(frozen=True)
class Reach:
    """What an instruction reads or writes of a buffer: bytes of each partition from `low` to below `high`, behind
    `place`; all of it where that is None. Of these, `pattern` says which, by steps and counts of so many bytes; all of
    them where it is None."""

    owner: object
    place: Expr | None
    low: int
    high: int
    partitions: range
    reads: bool
    writes: bool
    is_psum: bool
    pattern: tuple[tuple[Dim, ...], int] | None = None

    def meets(self, other: Reach) -> bool:
        """Whether one of two must stay behind the other. Sums in one buffer are made in order."""
        if not self.writes and not other.writes:
            return False
        if self.is_psum and self.writes and other.writes:
            return True
        lanes, more = self.partitions, other.partitions
        if lanes.stop <= more.start or more.stop <= lanes.start:
            return False
        apart = None if self.place is None or other.place is None else constants(other.place - self.place)
        return apart is None or any(self._meets_at(n, other) for n in apart)

    def _meets_at(self, distance: int, other: Reach) -> bool:
        """Whether another one, which is so many bytes behind, reaches a byte of this one."""
        if other.low + distance >= self.high or self.low >= other.high + distance:
            return False
        if self.pattern is None and other.pattern is None:
            return True
        shift = other.low + distance - self.low
        return bool((self._bits() << max(0, -shift)) & (other._bits() << max(0, shift)))

    def _bits(self) -> int:
        return (1 << self.high - self.low) - 1 if self.pattern is None else _bits(*self.pattern)


@lru_cache(maxsize=1024)
def _bits(dims: Sequence[Dim], itemsize: int) -> int:
    """A bit for each byte that a pattern reaches, from its first one on."""
    found = (1 << itemsize) - 1
    for step, count in dims:
        done = 1
        while done < count:
            more = min(done, count - done)
            found |= found << abs(step) * itemsize * more
            done += more
    return found


def reaches_of(op: EngineInstruction) -> Iterator[Reach]:
    """One for each operand that reaches memory."""
    values = op.values()
    for operand in op.instruction.operands:
        view = view_of(values.get(operand.name))
        if view is None:
            continue
        access, source, offset = view.access, view.source, view.offset
        writes = operand.role == "dst"
        reads = not writes or operand.partial or "dst_rmw_op" in op.properties
        owner = source.owner if isinstance(source.owner, AllocOp) else source
        place, low, high = None, 0, 0
        if access.on_chip:
            place = Expr(0) if offset is None else expr_of(offset) * access.itemsize
            low, high = access.extent
        lanes = range(access.start, access.start + access.partitions) if access.on_chip else range(1)
        has_gaps = high - low != math.prod(count for _, count in access.dims) * access.itemsize
        pattern = (access.dims, access.itemsize) if access.on_chip and has_gaps else None
        yield Reach(owner, place, low, high, lanes, reads, writes, access.space is Space.PSUM, pattern)
