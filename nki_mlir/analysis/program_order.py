"""The program that a set of streams was dealt out from: every instruction with its loops, in program order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xdsl.ir import Operation

from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions.dma import INDEX_OPERANDS
from nki_mlir.errors import CompileError

MOST_ELEMENTS = 2**40
"""More than a tensor has."""


@dataclass(frozen=True)
class Loop:
    """A repeat of the program, present in every stream that has work in it."""

    number: int
    trips: int


@dataclass(eq=False)
class Step:
    """One instruction of the text, at place `order` of the program, inside `loops` (outermost first)."""

    op: isa.SequencerOp
    engine: Engine
    order: int
    loops: tuple[Loop, ...]
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.op.name.rsplit(".", 1)[1]

    @property
    def is_dma(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and self.op.instruction.is_transfer

    @property
    def is_matmul(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and self.op.instruction.array == "multiply"

    @property
    def instances(self) -> int:
        total = 1
        for loop in self.loops:
            total *= loop.trips
        return total


def common_prefix(a: tuple[Loop, ...], b: tuple[Loop, ...]) -> tuple[Loop, ...]:
    shared: list[Loop] = []
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        shared.append(x)
    return tuple(shared)


def common_loops(a: Step, b: Step) -> tuple[Loop, ...]:
    return common_prefix(a.loops, b.loops)


def steps_of(core: isa.CoreOp) -> list[Step]:
    """All instructions of a core in program order. Raises CompileError where `order` or `loop` is missing."""
    found: list[Step] = []
    for stream in core.items:
        if isinstance(stream, isa.StreamOp):
            found += _collect(stream, stream.engine.data, ())
    found.sort(key=lambda step: step.order)
    for before, after in itertools.pairwise(found):
        if before.order == after.order:
            raise CompileError.at(after.op, f"two instructions have order {after.order}")
    return found


def _collect(parent: isa.StreamOp | isa.RepeatOp, engine: Engine, loops: tuple[Loop, ...]) -> Iterator[Step]:
    for op in parent.items:
        match op:
            case isa.RepeatOp():
                if op.loop is None:
                    raise CompileError.at(op, "a repeat has no 'loop' number; insert-semaphores follows emit-streams")
                loop = Loop(op.loop.value.data, op.count.value.data)
                yield from _collect(op, engine, (*loops, loop))
            case isa.IsaInstruction():
                yield _step(op, engine, loops)
            case _:
                _reject(op)


def _step(op: isa.IsaInstruction, engine: Engine, loops: tuple[Loop, ...]) -> Step:
    if op.order is None:
        raise CompileError.at(op, "an instruction has no 'order'; insert-semaphores follows emit-streams")
    if op.wait is not None or op.update is not None:
        raise CompileError.at(op, "an instruction already waits for or updates a semaphore")
    if any(access.address is not None and access.address.registers() for access in op.accesses().values()):
        raise CompileError.at(op, "addresses in registers (run-time loops) are not supported by insert-semaphores")
    step = Step(op, engine, op.order.value.data, loops)
    indirect = any(name in op.properties for name in INDEX_OPERANDS)
    for name, access in op.accesses().items():
        touched = _whole_tensor(access) if indirect and not access.on_chip else access
        writes = op.instruction.operand(name).role == "dst"
        if writes:
            step.writes.append(touched)
        if not writes or op.instruction.operand(name).partial or "dst_rmw_op" in op.properties:
            step.reads.append(touched)
    return step


def _whole_tensor(access: Access) -> Access:
    """What a side may touch whose rows are known at run time only."""
    return replace(access, address=Expr(0), dims=((1, MOST_ELEMENTS),))


def _reject(op: Operation) -> None:
    if isinstance(op, isa.LoopOp):
        raise CompileError.at(op, "run-time loops are not supported by insert-semaphores; write their waits by hand")
    raise CompileError.at(op, f"{op.name} is control flow that insert-semaphores does not order")
