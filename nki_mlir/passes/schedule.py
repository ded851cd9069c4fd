"""schedule: instructions that wait for nothing go in front of those that wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation

from nki_mlir.analysis.indices import constant, is_run_time
from nki_mlir.analysis.lifetimes import Lifetime, capacity, lifetimes
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp, view_of
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.region_costs import of_operation
from nki_mlir.targets import Target

_GAIN = 0.9
"""What part of its time a run of instructions may still take where it is worth to be put in another order."""

_AHEAD = 256
"""How many instructions may be passed by."""

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
    start first does, and of these what most hangs on, as far as there is room for what is then alive. Left alone: loops
    whose iterations can overlap, because there is room for two; what would hardly gain; and what would no longer fit.
    """

    name = "schedule"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            loops = [inner for inner in func.walk() if isinstance(inner, ForOp)]
            blocks = [func.body.block, *(loop.body.block for loop in loops if not is_run_time(loop))]
            lives = lifetimes(func)
            for run in [run for block in blocks if _is_full(block, target) for run in _runs(block)]:
                lives = _reorder(func, run, lives, target)


def _is_full(block: Block, target: Target) -> bool:
    """Whether there is no room for two iterations."""
    if not isinstance(block.parent_op(), ForOp):
        return True
    sizes: dict[Space, int] = {Space.SBUF: 0, Space.PSUM: 0}
    for op in block.walk():
        if isinstance(op, AllocOp):
            sizes[op.buffer.space] += slot_bytes(op, target)
    return any(2 * size > capacity(target, space) for space, size in sizes.items())


def _runs(block: Block) -> Iterator[list[Operation]]:
    """Instructions that follow one another, with what they need beside."""
    run = list[Operation]()
    for op in [*block.ops]:
        if isinstance(op, EngineInstruction | AllocOp | ViewOp) or op.dialect_name() == arith.Arith.name:
            run.append(op)
        else:
            yield run
            run = []
    yield run


@dataclass(eq=False)
class _Step:
    """An instruction with its `number` in the order that it had; `before` are those that it follows, with whether it
    waits for what they gave. `urgent` is how long what hangs on it takes."""

    op: EngineInstruction
    number: int
    busy: float
    latency: float
    resources: dict[str, float]
    buffers: list[AllocOp]
    before: dict[_Step, bool] = field(default_factory=dict)
    after: list[_Step] = field(default_factory=list)
    urgent: float = 0.0


def _reorder(func: FuncOp, run: list[Operation], lives: list[Lifetime], target: Target) -> list[Lifetime]:
    """Puts a run in order, where that gains; gives the lifetimes of all buffers, which `lives` are before."""
    if not 3 <= sum(isinstance(op, EngineInstruction) for op in run) <= _MOST:
        return lives
    steps = _steps(run, target)
    room = {space: _room(lives, steps, space, target) for space in (Space.SBUF, Space.PSUM)}
    found = _Machine(target).listed(steps, room)
    if _Machine(target).time(found) > _GAIN * _Machine(target).time(steps):
        return lives
    behind = run[-1].next_op
    _place(run, found, behind)
    after = lifetimes(func)
    if fits(after, target):
        return after
    _place(run, steps, behind)
    return lifetimes(func)


def _steps(run: Sequence[Operation], target: Target) -> list[_Step]:
    """The instructions of a run. Transfers, and what has a state, stay in order."""
    steps = list[_Step]()
    touched: dict[object, list[tuple[_Step, _Touch]]] = {}
    last: _Step | None = None
    for op in (op for op in run if isinstance(op, EngineInstruction)):
        cost = of_operation(op, target)
        touches = list(_touches(op))
        buffers = list(dict.fromkeys(t.owner for t in touches if isinstance(t.owner, AllocOp)))
        step = _Step(op, len(steps), cost.busy, cost.latency, dict(cost.work), buffers)
        for touch in touches:
            for earlier, other in touched.get(touch.owner, []):
                if other.meets(touch):
                    waits = (other.writes and touch.reads) or earlier.op.engine != op.engine
                    step.before[earlier] = step.before.get(earlier, False) or waits
        if op.instruction.is_transfer or op.has_state:
            if last is not None:
                step.before.setdefault(last, False)
            last = step
        for touch in touches:
            touched.setdefault(touch.owner, []).append((step, touch))
        steps.append(step)
    for step in reversed(steps):
        for earlier in step.before:
            earlier.after.append(step)
        step.urgent = step.latency + max((later.urgent for later in step.after), default=0.0)
    return steps


@dataclass(frozen=True)
class _Touch:
    """Bytes of each partition of a buffer, from `low` to below `high`, that an instruction reads or writes."""

    owner: object
    low: int
    high: int
    partitions: range
    reads: bool
    writes: bool
    is_psum: bool

    def meets(self, other: _Touch) -> bool:
        """Whether one of two must stay behind the other. Sums in one buffer are made in order."""
        if not self.writes and not other.writes:
            return False
        if self.is_psum and self.writes and other.writes:
            return True
        lanes, more = self.partitions, other.partitions
        apart = self.high <= other.low or other.high <= self.low or lanes.stop <= more.start or more.stop <= lanes.start
        return not apart


def _touches(op: EngineInstruction) -> Iterator[_Touch]:
    for operand in op.instruction.operands:
        view = view_of(op.operand_value(operand.name))
        if view is None:
            continue
        access = view.access
        writes = operand.role == "dst"
        reads = not writes or operand.partial or "dst_rmw_op" in op.properties
        owner = view.source.owner if isinstance(view.source.owner, AllocOp) else view.source
        low, high, offset = 0, 1 << 62, 0 if view.offset is None else constant(view.offset)
        if offset is not None and access.on_chip:
            low, high = (offset * access.itemsize + end for end in access.extent)
        lanes = range(access.start, access.start + access.partitions) if access.on_chip else range(1)
        yield _Touch(owner, low, high, lanes, reads, writes, access.space is Space.PSUM)


def _room(lives: Sequence[Lifetime], steps: Sequence[_Step], space: Space, target: Target) -> int:
    """Bytes beside what is alive that is not of this run."""
    mine = {buffer for step in steps for buffer in step.buffers if buffer.parent is step.op.parent}
    lives = [life for life in lives if life.alloc.buffer.space is space]
    first = min((life.first for life in lives if life.alloc in mine), default=0)
    last = max((life.last for life in lives if life.alloc in mine), default=0)
    others = [life for life in lives if life.alloc not in mine and life.first <= last and first <= life.last]
    return capacity(target, space) - sum(life.size for life in others)


class _Machine:
    """When engines and ports are free, and what was given when."""

    def __init__(self, target: Target):
        self.target = target
        self.free: dict[str, float] = {}
        self.given: dict[_Step, float] = {}

    def start(self, step: _Step) -> float:
        ready = max((self.given[earlier] for earlier, waits in step.before.items() if waits), default=0.0)
        names = (step.op.engine.data.value, *step.resources)
        return max(ready, *(self.free.get(name, 0.0) for name in names))

    def issue(self, step: _Step) -> None:
        at = self.start(step)
        for name, kept in (*step.resources.items(), (step.op.engine.data.value, step.busy)):
            self.free[name] = max(self.free.get(name, 0.0), at + kept)
        self.given[step] = at + step.latency

    def time(self, steps: Iterable[_Step]) -> float:
        """The time, in ns, of instructions in an order."""
        for step in steps:
            self.issue(step)
        return max(self.given.values(), default=0.0)

    def listed(self, steps: Sequence[_Step], room: dict[Space, int]) -> list[_Step]:
        """Instructions in the order in which they can start."""
        missing = {step: len(step.before) for step in steps}
        uses: dict[AllocOp, int] = {}
        for step in steps:
            for buffer in step.buffers:
                uses[buffer] = uses.get(buffer, 0) + 1
        alive = set[AllocOp]()
        left, ready, order = dict.fromkeys(steps), [step for step in steps if not step.before], list[_Step]()
        while left:
            first = next(iter(left))
            near = [step for step in ready if step.number < first.number + _AHEAD]
            found = [step for step in near if self._has_room(step, alive, room)] or [min(ready, key=lambda s: s.number)]
            step = min(found, key=lambda s: (self.start(s), -s.urgent, s.number))
            self.issue(step)
            order.append(step)
            del left[step]
            ready.remove(step)
            for buffer in step.buffers:
                if buffer not in alive and buffer.parent is step.op.parent:
                    alive.add(buffer)
                    room[buffer.buffer.space] -= slot_bytes(buffer, self.target)
                uses[buffer] -= 1
                if not uses[buffer] and buffer in alive:
                    room[buffer.buffer.space] += slot_bytes(buffer, self.target)
            for later in step.after:
                missing[later] -= 1
                if not missing[later]:
                    ready.append(later)
        return order

    def _has_room(self, step: _Step, alive: set[AllocOp], room: dict[Space, int]) -> bool:
        needed = dict.fromkeys(room, 0)
        for buffer in step.buffers:
            if buffer not in alive and buffer.parent is step.op.parent:
                needed[buffer.buffer.space] += slot_bytes(buffer, self.target)
        return all(needed[space] <= max(0, room[space]) for space in room)


def _place(run: Sequence[Operation], steps: Sequence[_Step], behind: Operation | None) -> None:
    """Puts a run of operations in front of another one, in an order of its instructions; what they need goes with the
    first that needs it."""
    block = run[0].parent
    assert block is not None and behind is not None
    for op in run:
        op.detach()
    mine, placed = set(run), set[Operation]()

    def put(op: Operation) -> None:
        if op in placed or op not in mine:
            return
        placed.add(op)
        for value in op.operands:
            if isinstance(value.owner, Operation):
                put(value.owner)
        block.insert_ops_before([op], behind)

    for step in steps:
        put(step.op)
    for op in run:
        put(op)
