"""What operations of a machine level cost where they stand, and what a region of `neuron.engine` keeps of each resource
of a core: the least time that it can take, however its instructions are ordered, is what it keeps the busiest resource.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, Region

from nki_mlir.analysis.indices import enclosing_loops, expr_of, trip_count
from nki_mlir.analysis.limits import boxes_of, left_of
from nki_mlir.costs.instructions import function_set
from nki_mlir.costs.operations import OperationCost, Work, of_instance
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_engine import EngineInstruction, ViewOp, constant_float
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.targets import Target

GAIN = 0.02
"""What a change must take off the busiest resource, as a part of its load, if it is not half of the instructions."""


def of_operation(op: EngineInstruction | IsaInstruction, target: Target | None = None) -> OperationCost:
    """What an operation costs, on the chip of its module if no other is named."""
    found = op.instance(target)
    return of_instance(_placed(op, found) if isinstance(op, EngineInstruction) else found)


def _placed(op: EngineInstruction, i: Instance) -> Instance:
    """With addresses, so that views of different bytes differ: the buffer stands for where it begins."""
    operands = dict(i.operands)
    for name, view in op.views().items():
        access = i.operands[name]
        assert isinstance(access, Access)
        operands[name] = replace(access, address=Expr.counter(view.source) + _begin(view))
    return replace(i, operands=operands)


class Costs:
    """What instructions of `neuron.engine` cost on a chip. Of those that cost the same one is asked about."""

    def __init__(self, target: Target):
        self.target = target
        self._known: dict[Hashable, tuple[OperationCost, str | None]] = {}

    def of(self, op: EngineInstruction) -> OperationCost:
        return self.with_table(op)[0]

    def with_table(self, op: EngineInstruction) -> tuple[OperationCost, str | None]:
        """What an instruction costs, and the function table that it needs."""
        key = _likeness(op)
        if key not in self._known:
            found = op.instance(self.target)
            self._known[key] = of_instance(_placed(op, found)), function_set(found)
        return self._known[key]


def _likeness(op: EngineInstruction) -> Hashable:
    """Equal for instructions that cost the same. Where an operand begins matters only to others of its buffer."""
    values = op.values()
    given = [value.type if isinstance(value.owner, ViewOp) else constant_float(value) for value in values.values()]
    views = [value.owner for value in values.values() if isinstance(value.owner, ViewOp)]
    sources, places = [view.source for view in views], tuple[tuple[int, Expr], ...]()
    if len(set(sources)) < len(sources):
        first = [sources.index(source) for source in sources]
        places = tuple((n, _begin(view) - _begin(views[n])) for n, view in zip(first, views, strict=True))
    return op.name, tuple(op.properties.items()), tuple(given), places


def _begin(view: ViewOp) -> Expr:
    """The offset of a view in bytes."""
    return Expr(0) if view.offset is None else expr_of(view.offset) * view.access.itemsize


@dataclass(frozen=True)
class RegionLoad:
    """`work` is how many ns each resource is kept, by the names of `costs.operations`."""

    work: Work

    @property
    def ns(self) -> float:
        """The largest load of any resource."""
        return max(self.work.values(), default=0.0)

    @property
    def busiest(self) -> str | None:
        """The resource with that load."""
        return max(self.work, key=lambda name: self.work[name], default=None)


def load_of(region: Region | Block | Iterable[Operation], costs: Costs) -> RegionLoad:
    """The load of a region, a block, or operations in a row. A loop counts as often as it is run, once where that is
    not known; of the ways that an operation may take (`scf.if`), each resource counts its longest. The Scalar engine
    starts without a function table."""
    part = _of_region(region, costs) if isinstance(region, Region) else _of_ops(_ops(region), costs)
    work, scalar = dict(part.work), Engine.SCALAR.value
    if part.tables.first is not None:
        work[scalar] += (1 + part.tables.switches) * costs.target.activation.table_load_ns
    return RegionLoad(work)


def changed(work: Work, less: Iterable[Work], more: Iterable[Work]) -> Work:
    """The load of a region in which some operations take the place of others."""
    found = dict(work)
    for sign, parts in ((-1, less), (1, more)):
        for part in parts:
            for name, ns in part.items():
                found[name] = found.get(name, 0.0) + sign * ns
    return found


def relieved(work: Work, less: Sequence[Work]) -> float:
    """What the busiest resource of a region may have to do at most, in ns, where it is worth to put something else in
    the place of operations: less by a part of it, or by half of what they take."""
    busiest = max(work.values(), default=0.0)
    taken = max((sum(one.get(name, 0.0) for one in less) for name in work), default=0.0)
    return busiest - min(GAIN * busiest, taken / 2)


@dataclass(frozen=True)
class _Tables:
    """The function tables that some instructions in a row need: the first and the last, and how often another one is
    loaded in between."""

    first: str | None = None
    last: str | None = None
    switches: int = 0

    def then(self, other: _Tables) -> _Tables:
        if self.first is None or other.first is None:
            return other if self.first is None else self
        return _Tables(self.first, other.last, self.switches + other.switches + (self.last != other.first))

    def repeated(self, count: int) -> _Tables:
        return _Tables(self.first, self.last, count * self.switches + (count - 1) * (self.last != self.first))


@dataclass(frozen=True)
class _Part:
    """Some instructions in a row: their work, loads of tables left out."""

    work: Work = field(default_factory=dict)
    tables: _Tables = _Tables()


def _ops(block: Block | Iterable[Operation]) -> Iterable[Operation]:
    return block.ops if isinstance(block, Block) else block


def _of_ops(ops: Iterable[Operation], costs: Costs) -> _Part:
    work: dict[str, float] = {}
    tables = _Tables()
    for op in ops:
        part = _of_op(op, costs)
        for name, ns in part.work.items():
            work[name] = work.get(name, 0.0) + ns
        tables = tables.then(part.tables)
    return _Part(work, tables)


def _of_op(op: Operation, costs: Costs) -> _Part:
    match op:
        case EngineInstruction():
            is_limited = any(view.is_limited for view in op.views().values())
            cost, needed = costs.with_table(op)
            work = _limited(op, op.instance(costs.target)) if is_limited else cost.work
            return _Part(work, _Tables(needed, needed))
        case ForOp():
            trips, body = trip_count(op), _of_region(op.body, costs)
            trips = 1 if trips is None else trips
            work = {name: trips * ns for name, ns in body.work.items()}
            return _Part(work, body.tables.repeated(trips)) if trips else _Part()
        case _:
            return _longest([_of_region(region, costs) for region in op.regions])


def _limited(op: EngineInstruction, found: Instance) -> Work:
    """What an instruction whose views have limits takes, in the mean over the iterations of the loops around it."""
    counted = [loop for loop in enclosing_loops(op) if trip_count(loop)]
    iterations = math.prod(trip_count(loop) or 1 for loop in counted)
    total: dict[str, float] = {}
    for spans, ranges in boxes_of(op, counted):
        left = left_of(op, ranges)
        if left is None:
            continue
        operands = {name: left[name][0] if name in left else value for name, value in found.operands.items()}
        share = math.prod(map(len, spans)) / iterations
        for name, ns in of_instance(_placed(op, replace(found, operands=operands))).work.items():
            total[name] = total.get(name, 0.0) + share * ns
    return total


def _of_region(region: Region, costs: Costs) -> _Part:
    return _of_ops((op for block in region.blocks for op in block.ops), costs)


def _longest(parts: list[_Part]) -> _Part:
    """The most that one of some ways takes of each resource; of tables, what all of them take one after the other."""
    names = dict.fromkeys(name for part in parts for name in part.work)
    tables = _Tables()
    for part in parts:
        tables = tables.then(part.tables)
    return _Part({name: max(part.work.get(name, 0.0) for part in parts) for name in names}, tables)
