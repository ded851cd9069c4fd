"""What micro-ops do when they issue: what all have in common, and the control instructions.

An action is made once and performed many times; the sequencer hands it the numbers of this time.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add, and_, eq, floordiv, ge, gt, le, lshift, lt, mod, mul, ne, or_, sub, xor
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_isa import RegisterAluOp, SequencerOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.machine import OTHER
from nki_mlir.executor.program import EXTRA, UPDATE, MicroOp
from nki_mlir.executor.recording import BRANCH, Mark
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Action, Sequencer
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.ticks import ticks


class MachineAction(Action):
    """Waits and raises semaphores as its micro-op says."""

    def __init__(self, simulation: Simulation, micro_op: MicroOp):
        self.simulation, self.micro_op, op = simulation, micro_op, micro_op.op
        self.label = BRANCH if op is None else op
        self.delay = simulation.delays.get(op, 0.0) if op is not None else 0.0
        self.update_core = None if micro_op.update_core is None else simulation.core(micro_op.update_core)

    def record(self, s: Sequencer, start: float, free: float, end: float) -> Mark:
        """Writes down that the head of a sequencer was issued at `start`, and keeps its engine until `free`."""
        return s.unit.record(self.label, s.issue, (s.since, s.ready, start, free, end))

    def raise_semaphore(self, setter: Mark, number: int, done: float) -> None:
        if self.update_core is not None:
            op = self.micro_op.op
            assert op is not None
            self.simulation.update(self.update_core, number, self.micro_op.amount, setter, op, done)


class ControlAction(MachineAction):
    """An instruction of the sequencer itself, `ns` long, its update `latency` ns later. Without an operation: the
    branches of loops and of cmp_branch."""

    def __init__(self, simulation: Simulation, micro_op: MicroOp, ns: float, latency: float = 0.0):
        super().__init__(simulation, micro_op)
        self.ns, self.latency = ticks(ns), ticks(latency)

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        """Its effect on registers."""

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        self.perform(sequencer.walk.registers, numbers)
        end = now + self.ns * self.simulation.factor()
        if self.micro_op.op is None:
            self.record(sequencer, now, end, end)
            return end
        done = sequencer.complete_at(end + self.latency * self.simulation.factor())
        mark = self.record(sequencer, now, end, done)
        self.complete(numbers, done)
        self.raise_semaphore(mark, numbers[UPDATE], done)
        return end

    def complete(self, numbers: tuple[int, ...], done: float) -> None:
        """Its effect on memory."""


def wrapped(value: int) -> int:
    """A 32-bit register's value, signed."""
    return (value + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


class RegisterAction(ControlAction):
    """dst = f(numbers after the semaphores)."""

    def __init__(self, simulation: Simulation, micro_op: MicroOp, dst: int):
        super().__init__(simulation, micro_op, simulation.target.control.register_ns)
        op, self.dst = micro_op.op, dst
        self.function = REGISTER_ALU[op.op.data if isinstance(op, RegisterAluOp) else Alu.BYPASS]

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        a, b = numbers[EXTRA], numbers[-1]
        try:
            registers[self.dst] = wrapped(int(self.function(a, b)))
        except ZeroDivisionError:
            raise ExecutionError(f"{where(cast(SequencerOp, self.micro_op.op))}: division by zero") from None


def _unsigned(value: int) -> int:
    return value & 0xFFFF_FFFF


REGISTER_ALU: dict[Alu, Callable[[int, int], int]] = {
    Alu.BYPASS: lambda a, b: a,
    Alu.ADD: add,
    Alu.SUBTRACT: sub,
    Alu.MULTIPLY: mul,
    Alu.DIVIDE: floordiv,
    Alu.MOD: mod,
    Alu.MAXIMUM: max,
    Alu.MINIMUM: min,
    Alu.EQUAL: eq,
    Alu.NOT_EQUAL: ne,
    Alu.GREATER_EQUAL: ge,
    Alu.GREATER: gt,
    Alu.LESS_EQUAL: le,
    Alu.LESS: lt,
    Alu.BITWISE_AND: and_,
    Alu.BITWISE_OR: or_,
    Alu.BITWISE_XOR: xor,
    Alu.INVERT: lambda a, b: ~a,
    Alu.LEFT_SHIFT: lambda a, b: lshift(a, b) if 0 <= b < 32 else 0,
    Alu.RIGHT_SHIFT: lambda a, b: _unsigned(a) >> b if 0 <= b < 32 else 0,
    Alu.LOGICAL_AND: lambda a, b: bool(a and b),
    Alu.LOGICAL_OR: lambda a, b: bool(a or b),
    Alu.LOGICAL_XOR: lambda a, b: bool(a) != bool(b),
    Alu.LOGICAL_NOT: lambda a, b: not a,
}
"""Register arithmetic on 32-bit integers; quotients round down, right shifts fill with zeros."""


class _ElementAction(ControlAction):
    """Moves one element; the sequencer stands still until that is done."""

    def __init__(self, simulation: Simulation, micro_op: MicroOp):
        ((self.pattern, _),) = (*micro_op.sources, *micro_op.targets)
        control, hbm = simulation.target.control, self.pattern.access.space is Space.HBM
        super().__init__(simulation, micro_op, control.register_load_hbm_ns if hbm else control.register_load_sbuf_ns)


class RegisterLoadAction(_ElementAction):
    """Reads its element when it issues."""

    def __init__(self, simulation: Simulation, micro_op: MicroOp, dst: int):
        super().__init__(simulation, micro_op)
        self.dst = dst

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        region = self.pattern.bind(numbers[EXTRA])
        if self.simulation.undefined is not None:
            self.simulation.undefined.require(self.pattern, numbers[EXTRA])
        if not region.ready:
            self.pattern.require(region)
            if self.pattern.noted:
                raise self.pattern.memory.problems.pop()
        registers[self.dst] = wrapped(int(region.view.item()))


class RegisterStoreAction(_ElementAction):
    """Writes its element when it completes."""

    def complete(self, numbers: tuple[int, ...], done: float) -> None:
        self.pattern.bind(numbers[EXTRA])
        if self.simulation.numerics:
            self.simulation.schedule(done, lambda now: self._write(numbers))

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        self._write(numbers)

    def _write(self, numbers: tuple[int, ...]) -> None:
        region, value = self.pattern.bind(numbers[EXTRA]), np.array(numbers[-1] & 0xFFFF_FFFF, np.uint32)
        region.view[...] = value.view(region.view.dtype)
        self.pattern.change(region)
        self.pattern.written(region, OTHER)
        if self.simulation.undefined is not None:
            self.simulation.undefined.mark(self.pattern, numbers[EXTRA], None)
