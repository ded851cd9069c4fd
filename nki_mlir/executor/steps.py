"""Steps: what an instruction does when it issues. Here what all have in common, and the control instructions.

A step is decoded once and issues many times; the sequencer hands it the numbers of this time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, and_, eq, floordiv, ge, gt, le, lshift, lt, mod, mul, ne, or_, sub, xor
from typing import cast

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_isa import ExprAttr, RegisterAluOp, RegisterLoadOp, RegisterMoveOp, SequencerOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import decode, numerics
from nki_mlir.executor.decode import EXTRA, UPDATE, Numbers
from nki_mlir.executor.machine import Pattern
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Core, Simulation


class MachineStep(decode.Step):
    """An instruction with its wait and its update; `extra` are its further expressions."""

    def __init__(self, simulation: Simulation, op: SequencerOp | None, extra: Sequence[Expr] = ()):
        self.simulation, self.op = simulation, op
        wait = value = semaphore = Expr()
        self.waits, self.amount, self.delay = False, 0, 0.0
        self.update_core: Core | None = None
        if op is not None:
            wait, value, semaphore = decode.wait_and_update(op)
            self.waits, self.delay = op.wait is not None, simulation.delays.get(op, 0.0)
            if op.update is not None:
                self.update_core, self.amount = simulation.core(op.update.data.core), op.update.data.amount
        self.numbers: Numbers = decode.compiled([wait, value, semaphore, *extra])

    def record(self, sequencer: Sequencer, start: float, busy_until: float, end: float) -> None:
        unit = sequencer.unit
        unit.occupy(start, busy_until)
        unit.count += 1
        self.simulation.instructions += 1
        self.simulation.record(unit, self.op, "", start, end, sequencer.waited)

    def raise_semaphore(self, setter: str, number: int, done: float) -> None:
        if self.update_core is not None:
            assert self.op is not None
            self.simulation.update(self.update_core, number, self.amount, setter, self.op, done)


class ControlStep(MachineStep):
    """An instruction of the sequencer itself, `ns` long. Without an operation: the branches of a loop."""

    def __init__(self, simulation: Simulation, op: SequencerOp | None, ns: float, extra: Sequence[Expr] = ()):
        super().__init__(simulation, op, extra)
        self.ns = ns

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        """Its effect on registers."""

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        self.perform(sequencer.registers, numbers)
        end = now + self.ns * self.simulation.factor()
        if self.op is None:
            sequencer.unit.occupy(now, end)
            return end
        done = sequencer.complete_at(end)
        self.record(sequencer, now, end, done)
        self.raise_semaphore(sequencer.unit.name, numbers[UPDATE], done)
        return end


def wrapped(value: int) -> int:
    """A 32-bit register's value, signed."""
    return (value + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


class RegisterStep(ControlStep):
    """dst = f(numbers after the semaphores)."""

    def __init__(self, simulation: Simulation, op: RegisterMoveOp | RegisterAluOp, extra: Sequence[ExprAttr]):
        super().__init__(simulation, op, simulation.target.control.register_ns, [e.data for e in extra])
        self.dst = op.dst.value.data
        alu = op.op.data if isinstance(op, RegisterAluOp) else Alu.BYPASS
        if alu not in REGISTER_ALU:
            raise ExecutionError(f"{where(op)}: registers have no operator {alu.value}")
        self.function = REGISTER_ALU[alu]

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


class RegisterLoadStep(ControlStep):
    """Reads its element when it issues; the sequencer stands still until it is there."""

    def __init__(self, simulation: Simulation, op: RegisterLoadOp):
        access, control = op.src.data, simulation.target.control
        ns = control.register_load_hbm_ns if access.space is Space.HBM else control.register_load_sbuf_ns
        super().__init__(simulation, op, ns, [decode.address(access)])
        dtype = numerics.storage(access.element_type)
        if dtype.kind not in "iu":
            raise ExecutionError(f"{where(op)}: src must be an integer, not {dtype.name}")
        self.dst = op.dst.value.data
        self.src = Pattern(op, "src", access, simulation.memory(access), dtype, [(1, 1)])
        self.sources = [(self.src, EXTRA)]

    def perform(self, registers: list[int], numbers: tuple[int, ...]) -> None:
        region = self.src.bind(numbers[EXTRA])
        if not region.ready:
            self.src.require(region)
        registers[self.dst] = wrapped(int(region.view.item()))
