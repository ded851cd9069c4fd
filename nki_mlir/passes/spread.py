"""spread: what an outer loop does in front of an inner one is done bit by bit in the inner one, an iteration before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import only_counts, trip_count
from nki_mlir.analysis.lifetimes import lifetimes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.engine_nodes import Node, Reach, nodes_of, reaches_of, runs, with_state
from nki_mlir.passes.instruction_rows import Row, rows_of
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.list_schedule import Machine
from nki_mlir.passes.loop_times import Instance, period
from nki_mlir.passes.region_costs import Costs
from nki_mlir.passes.skew import evenly, is_placed, is_sum, known_memory, meets, skewed, slots_of, touched
from nki_mlir.passes.spread_writer import Plan, write
from nki_mlir.targets import Target

_GAIN = 0.98
"""What part of an outer iteration's time may be left where it is worth to write both ends out."""

_BEGINS = (0.125, 0.25, 0.5, 0.75)
"""How much of an inner iteration may be done before what is spread over it begins: its loads come behind others."""

_ALIKE = 0.99
"""Orders whose times are as close as this are alike: of these, what is spread begins as early as can be."""

_MOST = 1024
"""Loops of more instructions take too long to look at."""


@dataclass(frozen=True)
class Spread(LevelPass):
    """Does what comes in front of an inner loop, and is alike as often as that loop runs, in the inner loop of the
    iteration before, bit by bit:

        for %i = 0 to 4 {                              for %j = 0 to 4 { transpose quarter %j of block 0 }
          transpose quarters 0, 1, 2, 3 of block %i    for %i = 0 to 3 {
          for %j = 0 to 4 {                              for %j = 0 to 4 {
            products of block %i with strip %j } }  =>     transpose quarter %j of block %i + 1
                                                           products of block %i with strip %j } }
                                                       for %j = 0 to 4 { products of block 3 with strip %j }

    so that the engines of one are not idle during the other. What else is in front of the inner loop comes in front of
    it, or behind it, in the iteration before as well. What the inner loop then reads of an iteration before has two
    slots. Left alone: where the parts touch what the other one writes, other than to hand it over; where sums in PSUM
    would be handed over; what would hardly gain; what would no longer fit.
    """

    name = "spread"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            for loop in [inner for inner in operations(func) if isinstance(inner, ForOp)]:
                nest, memories = _Nest.of(loop, target), memories_of(func)
                plan = None if nest is None else nest.plan(memories)
                order = None if nest is None or plan is None else nest.order(plan, memories)
                if plan is not None and order is not None:
                    _try(func, plan, order, target)


def _try(func: FuncOp, plan: Plan, order: Sequence[tuple[EngineInstruction, bool]], target: Target) -> None:
    """Leaves a function as it was where it would no longer fit."""
    made, before = write(plan, order), plan.outer
    if fits(lifetimes(func), target):
        before.erase()
        return
    block, behind = made[-1].parent, made[-1].next_op
    assert block is not None and behind is not None
    block.insert_ops_before([before], behind)
    for op in reversed(made):
        op.detach()
        op.erase()


@dataclass
class _Nest:
    """A loop of known iterations with one other in it, of instructions alone: those in `front` of that, `inside`, and
    `behind`."""

    outer: ForOp
    inner: ForOp
    front: Sequence[Operation]
    inside: Sequence[Operation]
    behind: Sequence[Operation]
    target: Target

    @staticmethod
    def of(outer: ForOp, target: Target) -> _Nest | None:
        """None for any other loop."""
        ops = list(outer.body.block.ops)[:-1]
        loops = [op for op in ops if isinstance(op, ForOp)]
        if len(loops) != 1 or not (only_counts(outer) and only_counts(loops[0])):
            return None
        at = ops.index(loops[0])
        front, inside, behind = ops[:at], list(loops[0].body.block.ops)[:-1], ops[at + 1 :]
        if any(op.regions for op in inside) or len(front) + len(inside) + len(behind) > 8 * _MOST:
            return None
        known = [op for run in (*runs(outer.body.block), *runs(loops[0].body.block)) for op in run]
        count = sum(isinstance(op, EngineInstruction) for op in known)
        if len(known) != len(ops) - 1 + len(inside) or count > _MOST:
            return None
        return _Nest(outer, loops[0], front, inside, behind, target)

    def plan(self, memories: Mapping[SSAValue, int]) -> Plan | None:
        """None where there is nothing to be spread, or it can't be."""
        times = trip_count(self.inner)
        assert times is not None
        own = frozenset(op for op in self.front if isinstance(op, AllocOp))
        front = [op for op in self.front if isinstance(op, EngineInstruction)]
        found = list(rows_of(front, times, own))
        if all(map(_is_of_transfers, found)):
            return None
        users = self._users()
        rows = [row for row in found if _keeps_to_itself(row, users)]
        while rows:
            parts = _parts(rows, self.nodes)
            if not isinstance(parts, Row):
                break
            rows.remove(parts)
        else:
            return None
        ahead, after = parts
        if all(map(_is_of_transfers, rows)):
            return None
        plan = Plan(self.outer, self.inner, rows, ahead, after, users)
        return plan if self._may_spread(plan, memories) else None

    def _users(self) -> dict[AllocOp, set[EngineInstruction]]:
        """What touches each of the buffers of an outer iteration."""
        found: dict[AllocOp, set[EngineInstruction]] = {}
        for op in self.outer.body.walk():
            if isinstance(op, EngineInstruction):
                for reach in reaches_of(op):
                    if isinstance(reach.owner, AllocOp):
                        found.setdefault(reach.owner, set()).add(op)
        return found

    @cached_property
    def costs(self) -> Costs:
        return Costs(self.target)

    @cached_property
    def nodes(self) -> list[Node]:
        """What is in front."""
        return nodes_of(self.front, self.costs)

    @cached_property
    def inner_nodes(self) -> list[Node]:
        return nodes_of(self.inside, self.costs)

    def _first(self, rows: Iterable[Row]) -> list[Node]:
        """What is spread, as it is done once, by itself."""
        first = {op for row in rows for op in row.first}
        copies = {node: replace(node, before={}, after=[]) for node in self.nodes if node.op in first}
        for node, copy in copies.items():
            copy.before = {copies[earlier]: waits for earlier, waits in node.before.items() if earlier in copies}
        return list(copies.values())

    def _together(self, rows: Sequence[Row], slots: Mapping[AllocOp, int]) -> tuple[float, list[Instance]]:
        """The instructions of an inner iteration, those that are spread as of the next one, and how long it takes in
        ns: they begin where that is about least. What they wait for of other engines is behind what these still have to
        do of the iteration before."""
        spread, inside = self._first(rows), self.inner_nodes
        starts: dict[Node, float] = {}
        for part in (spread, inside):
            machine = Machine(self.target)
            machine.time(part)
            starts |= machine.started
        tried = [evenly(spread, inside, starts, begin) for begin in _BEGINS]
        times = [period(order, slots) for order in tried]
        found = next(n for n, time in enumerate(times) if _ALIKE * time <= min(times))
        return times[found], tried[found]

    def _may_spread(self, plan: Plan, memories: Mapping[SSAValue, int]) -> bool:
        """Whether what is in front can come before all else of the iteration before."""
        front = [op for op in self.front if isinstance(op, EngineInstruction)]
        others = [op for op in (*self.inside, *self.behind) if isinstance(op, EngineInstruction)]
        if with_state(front) or any(op.is_limited for op in front) or any(map(_is_bad, plan.handed)):
            return False
        begun = [op for op in (*self.front, *self.inside, *self.behind) if isinstance(op, BeginProgramOp)]
        if len(begun) > 1 or any(op.parent is not self.inner.body.block for op in begun):
            return False
        mine = frozenset(op for op in self.outer.body.walk() if isinstance(op, AllocOp))
        there = touched(_outside(others, mine, memories))
        return not any(meets(touch, there) for touch in _outside(front, mine, memories))

    def order(self, plan: Plan, memories: Mapping[SSAValue, int]) -> list[tuple[EngineInstruction, bool]] | None:
        """The instructions of an inner iteration, with whether each is spread; None where it takes no less with these
        than both take by themselves, the inner loop also where it is skewed, which it may no longer be then."""
        times = trip_count(self.inner)
        assert times is not None
        moved = [node for node in self.nodes if not node.op.instruction.is_transfer]
        alone = Machine(self.target).time(moved)
        slots = slots_of([op for op in self.inside if isinstance(op, AllocOp)], [], self.target)
        without = period([(node, 0) for node in self.inner_nodes], slots)
        together, order = self._together(plan.rows, slots | slots_of(plan.inner_buffers, [], self.target))
        if times * together >= _GAIN * (times * without + alone):
            return None
        if times * together >= _GAIN * (times * skewed(self.inner, memories, self.target) + alone):
            return None
        return [(node.op, ahead > 0) for node, ahead in order]


def _is_of_transfers(row: Row) -> bool:
    return all(op.instruction.is_transfer for op in row.first)


def _keeps_to_itself(row: Row, users: Mapping[AllocOp, AbstractSet[EngineInstruction]]) -> bool:
    """Whether buffers that other times have others of are of one time each."""
    return all(
        row.stands_still(one) and all(row.times.keys() >= users[other] for other in others)
        for one, others in row.others.items()
    )


def _parts(rows: Sequence[Row], nodes: Sequence[Node]) -> tuple[list[EngineInstruction], list[EngineInstruction]] | Row:
    """The other instructions: those that what is spread needs, and transfers, and those that can come behind it; or a
    row that can't be spread."""
    owner = {op: row for row in rows for op in row.times}
    times = {op: time for row in rows for op, time in row.times.items()}
    for node in nodes:
        for earlier in node.before:
            if node.op in times and earlier.op in times and times[earlier.op] > times[node.op]:
                return owner[node.op]
    ahead, todo = set[Node](), [node for node in nodes if node.op.instruction.is_transfer and node.op not in times]
    todo += [earlier for node in nodes if node.op in times for earlier in node.before if earlier.op not in times]
    while todo:
        node = todo.pop()
        if node.op in owner:
            return owner[node.op]
        if node not in ahead:
            ahead.add(node)
            todo += node.before
    others = [node for node in nodes if node.op not in times]
    return [node.op for node in others if node in ahead], [node.op for node in others if node not in ahead]


def _outside(
    ops: Iterable[EngineInstruction], mine: Collection[AllocOp], memories: Mapping[SSAValue, int]
) -> Iterator[Reach]:
    """What instructions touch that is there in all iterations."""
    for op in ops:
        yield from (known_memory(touch, memories) for touch in reaches_of(op) if touch.owner not in mine)


def _is_bad(buffer: AllocOp) -> bool:
    """Whether a buffer can't have two slots."""
    return is_sum(buffer) or is_placed(buffer)
