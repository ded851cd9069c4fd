"""Writes a nest of loops anew, with what is in front of the inner one spread over the inner one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from xdsl.dialects.arith import AddiOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.indices import constant, expr_of, trip_count
from nki_mlir.analysis.lifetimes import capacity
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp, enclosing_func
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.instruction_rows import Row

_SLOTS = 2
"""What is made in front is read in the iteration behind, while the next is made."""


@dataclass
class Plan:
    """What becomes of an outer loop with one other in it: `rows` are spread over that; `ahead` and `after` it comes
    what else is in front of it. `users` touch each of the buffers of an outer iteration."""

    outer: ForOp
    inner: ForOp
    rows: Sequence[Row]
    ahead: Sequence[EngineInstruction]
    after: Sequence[EngineInstruction]
    users: Mapping[AllocOp, AbstractSet[EngineInstruction]]

    @cached_property
    def front(self) -> frozenset[EngineInstruction]:
        """All instructions in front of the inner loop."""
        return frozenset([*self.ahead, *self.after, *(op for row in self.rows for op in row.times)])

    @cached_property
    def buffers(self) -> list[AllocOp]:
        """Those of an outer iteration that anything touches."""
        return [op for op in self.outer.body.block.ops if isinstance(op, AllocOp) and op in self.users]

    @cached_property
    def handed(self) -> list[AllocOp]:
        """The buffers that what is in front writes for the rest."""
        return [one for one in self.buffers if self.front & self.users[one] and self.users[one] - self.front]

    @cached_property
    def inner_buffers(self) -> list[AllocOp]:
        """Those that are needed for one time of a row at a time: the first time would read what nobody wrote, if it
        read anything that it has not written."""
        return [
            one
            for one in self.buffers
            for row in self.rows
            if self.users[one] <= row.times.keys() and row.stands_still(one)
        ]

    @cached_property
    def unused(self) -> frozenset[AllocOp]:
        """Those that are one with the first time's."""
        return frozenset(
            other for row in self.rows for one, others in row.others.items() for other in others if other is not one
        )


def write(plan: Plan, order: Sequence[tuple[EngineInstruction, bool]]) -> Sequence[Operation]:
    """Puts what it gives in the place of the outer loop, which is in no block then. `order` has the instructions of an
    inner iteration, with whether each is spread."""
    return _Writer(plan, order).run()


class _Writer:
    def __init__(self, plan: Plan, order: Sequence[tuple[EngineInstruction, bool]]):
        self.plan, self.order, self.target = plan, order, target_of(plan.outer)
        trips, times = trip_count(plan.outer), trip_count(plan.inner)
        assert trips is not None and times is not None
        self.trips, self.times = trips, times
        self.steps = {key: step for row in plan.rows for key, step in row.steps.items()}
        self.slots = {buffer: self._slots(buffer) for buffer in plan.handed}

    def _slots(self, alloc: AllocOp) -> AllocOp:
        """One buffer for all slots."""
        size = (_SLOTS - 1) * slot_bytes(alloc, self.target) + alloc.buffer.bytes
        label = None if alloc.label is None else alloc.label.data
        made = AllocOp(alloc.buffer.space, alloc.buffer.partitions, size, label)
        made.location = alloc.location
        return made

    def run(self) -> Sequence[Operation]:
        outer, block = self.plan.outer, Block()
        block.add_ops(self.slots.values())
        if self._is_short_of_room():
            self._loop(block, 1, is_first=True)
        else:
            self._iteration(block, Expr(0), None)
        self._loop(block, self.trips - 1, is_first=False)
        self._iteration(block, None, Expr(self.trips - 1))
        assert outer.parent is not None
        made = list(block.ops)
        for op in made:
            op.detach()
        outer.parent.insert_ops_before(made, outer)
        outer.detach()
        return made

    def _is_short_of_room(self) -> bool:
        """Whether the buffers of what is in front of the first iteration are to be alive in it alone, in a loop of one:
        if others have two slots, there is no room for them. Bytes that nothing else has are waited for less."""
        passing = {*self.plan.handed, *self.plan.unused}
        kept = [one for one in self.plan.buffers if one not in passing]
        func = enclosing_func(self.plan.outer)
        assert func is not None
        others = [op for op in func.body.block.ops if isinstance(op, AllocOp)]
        first = [one for one in kept if self.plan.users[one] <= self.plan.front and one not in self.plan.inner_buffers]
        inside = [*kept, *(op for op in self.plan.inner.body.block.ops if isinstance(op, AllocOp))]
        whole = [*others, *self.plan.handed, *self.plan.handed, *first, *inside, *inside]
        size = sum(slot_bytes(one, self.target) for one in whole if one.buffer.space is Space.SBUF)
        return size > capacity(self.target, Space.SBUF)

    def _loop(self, block: Block, trips: int, is_first: bool) -> None:
        outer, inside = self.plan.outer, Block(arg_types=[self.plan.outer.body.block.args[0].type])
        inside.args[0].name_hint = outer.body.block.args[0].name_hint
        counter = Expr.counter(inside.args[0])
        self._iteration(inside, *((Expr(0), None) if is_first else (counter + 1, counter)))
        inside.add_op(YieldOp())
        emit = Emitter.at_end(block, outer.location)
        emit.add(ForOp(outer.lb, emit.index(trips), outer.step, [], Region(inside)))

    def _iteration(self, block: Block, front: Expr | None, rest: Expr | None) -> None:
        """What is in front of the inner loop in one outer iteration, and the rest in another, if they are any."""
        plan, inner = self.plan, self.plan.inner
        first = None if front is None else _Copy(self, front, None, block, {})
        second = None if rest is None else _Copy(self, rest, None, block, {})
        passing = {*plan.handed, *plan.inner_buffers, *plan.unused}
        for buffer in plan.buffers:
            copy = first if plan.users[buffer] <= plan.front else second
            if copy is not None and buffer not in passing:
                copy.add(buffer)
        if first is not None:
            for op in plan.ahead:
                first.add(op)
        inside = Block(arg_types=[inner.body.block.args[0].type])
        inside.args[0].name_hint = inner.body.block.args[0].name_hint
        step = Expr.counter(inside.args[0])
        copies = {
            is_front: _Copy(self, copy.iteration, step, inside, copy.buffers)
            for is_front, copy in ((True, first), (False, second))
            if copy is not None
        }
        begun = [op for op in inner.body.block.ops if isinstance(op, BeginProgramOp)]
        for op, is_front in self.order:
            if is_front not in copies:
                continue
            if op.instruction.is_transfer and not is_front:
                while begun:
                    copies[is_front].add(begun.pop())
            copies[is_front].add(op)
        inside.add_op(YieldOp())
        emit = Emitter.at_end(block, inner.location)
        emit.add(ForOp(emit.index(0), emit.index(self.times), emit.index(1), [], Region(inside)))
        if first is not None:
            for op in plan.after:
                first.add(op)
        if second is not None:
            behind = inner.next_op
            while behind is not None and behind.next_op is not None:
                if isinstance(behind, EngineInstruction):
                    second.add(behind)
                behind = behind.next_op


class _Copy:
    """Copies instructions of the nest to the end of a block, with what they need, as they are in one outer iteration,
    and an inner one, if it is in one."""

    def __init__(
        self, writer: _Writer, iteration: Expr, step: Expr | None, block: Block, there: Mapping[SSAValue, SSAValue]
    ):
        self.writer, self.iteration, self.step, self.block = writer, iteration, step, block
        plan = writer.plan
        self.old = (plan.outer.body.block, plan.inner.body.block)
        self.values: dict[SSAValue, SSAValue] = {**there, **{a.result: b.result for a, b in writer.slots.items()}}
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.numbers: dict[Expr, SSAValue] = {}

    def add(self, op: Operation) -> Operation | None:
        """One, behind what it needs; nothing of an instruction that never reaches anything."""
        steps, emit = self.writer.steps, Emitter.at_end(self.block, op.location)
        operands = list[SSAValue]()
        for number, value in enumerate(op.operands):
            if isinstance(value.owner, ViewOp) and isinstance(op, EngineInstruction):
                made = self._view(value.owner, steps.get((op, number), 0), emit)
                if made is None:
                    return None
                operands.append(made)
            else:
                operands.append(self._value(value, emit))
        copy = op.clone()
        copy.operands = operands
        emit.add(copy)
        self.values |= dict(zip(op.results, copy.results, strict=True))
        if isinstance(op, AllocOp):
            self.buffers |= dict(zip(op.results, copy.results, strict=True))
        return copy

    def _value(self, value: SSAValue, emit: Emitter) -> SSAValue:
        if value in self.values:
            return self.values[value]
        for block, expr in zip(self.old, (self.iteration, self.step), strict=True):
            if value is block.args[0]:
                assert expr is not None
                self.values[value] = self._number(expr, emit)
        if isinstance(value.owner, Operation) and value.owner.parent in self.old:
            self.add(value.owner)
        return self.values.get(value, value)

    def _number(self, expr: Expr, emit: Emitter) -> SSAValue:
        """An expression; each once."""
        if expr not in self.numbers:
            varying = expr - expr.const
            if expr.const and varying != Expr(0):
                operands = (self._number(varying, emit), self._number(Expr(expr.const), emit))
                self.numbers[expr] = emit.value(AddiOp(*operands))
            else:
                self.numbers[expr] = emit.expr(expr)
        return self.numbers[expr]

    def _view(self, view: ViewOp, step: int, emit: Emitter) -> SSAValue | None:
        """So many elements farther on in each inner iteration, and in the slot that the outer one has; None where it
        reaches nothing."""
        source, place = view.source.owner, Expr(0) if view.offset is None else expr_of(view.offset)
        place = place.substitute({key: self._counter(key, emit) for key in place.counters()})
        if step:
            assert self.step is not None
            place = place + self.step * step
        if isinstance(source, AllocOp) and source in self.writer.slots:
            slot = slot_bytes(source, self.writer.target) // view.access.itemsize
            place = place + self.iteration.mod(_SLOTS) * slot
        limits = list[tuple[int, SSAValue]]()
        for dim, value in view.limited:
            limit = self._value(value, emit)
            number = constant(limit)
            if number is not None and number <= 0:
                return None
            limits.append((dim, limit))
        offset = None if place == Expr(0) else self._number(place, emit)
        return emit.value(ViewOp(self._value(view.source, emit), view.access, offset, limits))

    def _counter(self, key: object, emit: Emitter) -> Expr:
        for block, expr in zip(self.old, (self.iteration, self.step), strict=True):
            if key is block.args[0]:
                assert expr is not None
                return expr
        assert isinstance(key, SSAValue)
        return Expr.counter(self._value(key, emit))
