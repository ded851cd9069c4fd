"""Steps: what an instruction does when it issues. Here what all have in common, and the control instructions.

A step is decoded once and issues many times; the sequencer hands it the numbers of this time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, and_, eq, floordiv, ge, gt, le, lshift, lt, mod, mul, ne, or_, sub, xor
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_isa import (
    CoreBarrierOp,
    RankIdOp,
    RegisterAluOp,
    RegisterLoadOp,
    RegisterMoveOp,
    RegisterStoreOp,
    SequencerOp,
    Update,
    Wait,
)
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import decode, numerics
from nki_mlir.executor.decode import EXTRA, UPDATE, Numbers
from nki_mlir.executor.machine import OTHER, Pattern
from nki_mlir.executor.recording import Mark
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Core, Simulation

Signals = tuple[Wait | None, Update | None]

BRANCH = "branch"
"""Name in the log of the sequencer's own instructions at the ends of a loop."""


class MachineStep(decode.Step):
    """An instruction with its wait and its update, `signals` where they are not those of the operation; `extra` are its
    further expressions."""

    def __init__(
        self,
        simulation: Simulation,
        op: SequencerOp | None,
        extra: Sequence[Expr] = (),
        signals: Signals | None = None,
    ):
        self.simulation, self.op = simulation, op
        self.label = BRANCH if op is None else op
        wait, update = signals or decode.wait_and_update(op)
        self.waits, self.delay = wait is not None, simulation.delays.get(op, 0.0) if op is not None else 0.0
        wait, self.amount = wait or Wait(Expr(), Expr()), update.amount if update is not None else 0
        self.update_core: Core | None = None
        if op is not None and update is not None:
            self.update_core = simulation.core(op.core if update.core is None else update.core)
        semaphore = update.semaphore if update is not None else Expr()
        self.numbers: Numbers = decode.compiled([wait.semaphore, wait.value, semaphore, *extra])

    def record(self, s: Sequencer, start: float, free: float, end: float) -> Mark:
        """Writes down that the head of a sequencer was issued at `start`, and keeps its engine until `free`."""
        return s.unit.record(self.label, s.issue, (s.since, s.ready, start, free, end))

    def raise_semaphore(self, setter: Mark, number: int, done: float) -> None:
        if self.update_core is not None:
            assert self.op is not None
            self.simulation.update(self.update_core, number, self.amount, setter, self.op, done)


class ControlStep(MachineStep):
    """An instruction of the sequencer itself, `ns` long, its update `delay` ns later. Without an operation: the
    branches of loops and of cmp_branch."""

    def __init__(
        self,
        simulation: Simulation,
        op: SequencerOp | None,
        ns: float,
        extra: Sequence[Expr] = (),
        signals: Signals | None = None,
        latency: float = 0.0,
    ):
        super().__init__(simulation, op, extra, signals)
        self.ns, self.latency = ns, latency

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        """Its effect on registers."""

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        self.perform(sequencer.walk.registers, numbers)
        end = now + self.ns * self.simulation.factor()
        if self.op is None:
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


class RegisterStep(ControlStep):
    """dst = f(numbers after the semaphores)."""

    def __init__(self, simulation: Simulation, op: RegisterMoveOp | RegisterAluOp | RankIdOp, extra: Sequence[Expr]):
        super().__init__(simulation, op, simulation.target.control.register_ns, extra)
        self.dst = op.dst.value.data
        self.function = REGISTER_ALU[op.op.data if isinstance(op, RegisterAluOp) else Alu.BYPASS]

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        a, b = numbers[EXTRA], numbers[-1]
        try:
            registers[self.dst] = wrapped(int(self.function(a, b)))
        except ZeroDivisionError:
            raise ExecutionError(f"{where(cast(SequencerOp, self.op))}: division by zero") from None


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


class _MemoryStep(ControlStep):
    """Moves one element; the sequencer stands still until that is done."""

    def __init__(self, simulation: Simulation, op: SequencerOp, name: str, access: Access, extra: Sequence[Expr] = ()):
        control = simulation.target.control
        ns = control.register_load_hbm_ns if access.space is Space.HBM else control.register_load_sbuf_ns
        super().__init__(simulation, op, ns, [decode.address(access), *extra])
        dtype = numerics.storage(access.element_type)
        dtype = dtype if dtype.kind in "iu" else numerics.bits(access.element_type)
        self.pattern = Pattern(op, name, access, simulation.memory(access), dtype, [(1, 1)], writes=name == "dst")
        placed = [(self.pattern, EXTRA)]
        self.sources, self.targets = ([], placed) if self.pattern.writes else (placed, [])


class RegisterLoadStep(_MemoryStep):
    """Reads its element when it issues."""

    def __init__(self, simulation: Simulation, op: RegisterLoadOp):
        super().__init__(simulation, op, "src", op.src.data)
        self.dst = op.dst.value.data

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        region = self.pattern.bind(numbers[EXTRA])
        if self.simulation.undefined is not None:
            self.simulation.undefined.require(self.pattern, numbers[EXTRA])
        if not region.ready:
            self.pattern.require(region)
            if self.pattern.noted:
                raise self.pattern.memory.problems.pop()
        registers[self.dst] = wrapped(int(region.view.item()))


class RegisterStoreStep(_MemoryStep):
    """Writes its element when it completes."""

    def __init__(self, simulation: Simulation, op: RegisterStoreOp):
        super().__init__(simulation, op, "dst", op.dst.data, [op.src.data])

    def complete(self, numbers: tuple[int, ...], done: float) -> None:
        region, value = self.pattern.bind(numbers[EXTRA]), np.array(numbers[-1] & 0xFFFF_FFFF, np.uint32)

        def write(now: float) -> None:
            region.view[...] = value.view(region.view.dtype)
            self.pattern.change(region)
            self.pattern.written(region, OTHER)
            if self.simulation.undefined is not None:
                self.simulation.undefined.mark(self.pattern, numbers[EXTRA], None)

        if self.simulation.numerics:
            self.simulation.schedule(done, write)


def barrier(simulation: Simulation, op: CoreBarrierOp) -> list[MachineStep]:
    """Tells the other core, then waits to be told."""
    control = simulation.target.control
    wait, update = decode.wait_and_update(op)
    semaphore, value = op.semaphore.data, op.value.data
    tell = (wait, Update(semaphore, 1, op.other_core))
    told = (Wait(semaphore, value), update)
    return [
        ControlStep(simulation, op, control.event_semaphore_ns, signals=tell, latency=control.core_barrier_ns),
        ControlStep(simulation, op, control.event_semaphore_ns, signals=told),
    ]
