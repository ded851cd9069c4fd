"""Streams decoded once: each instruction becomes a `Step` (what issues), loops and branches items that a `Walk` follows
lazily.

The expressions of an instruction are compiled into one function of the stream's repeat counters and registers, which
gives all its numbers: wait semaphore, wait value, update semaphore, further expressions, then the addresses of its
memory operands.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from xdsl.ir import Operation

from nki_mlir.dialects.access import Access, Dim, Space, contiguous
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_isa import (
    CmpBranchOp,
    Comparison,
    IsaInstruction,
    LoopOp,
    RegisterLoadOp,
    RepeatOp,
    SequencerOp,
    Update,
    Wait,
    WhileOp,
)
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import numerics
from nki_mlir.executor.machine import Memory, Pattern
from nki_mlir.executor.meaning import Compute, Meaning, meaning
from nki_mlir.executor.reports import where

if TYPE_CHECKING:
    from nki_mlir.executor.sequencer import Sequencer
    from nki_mlir.executor.simulation import Core

Numbers = Callable[[list[int], list[int]], tuple[int, ...]]
Placed = Sequence[tuple[Pattern, int]]
"""Operands with the index of their address in the instruction's numbers."""
WAIT, VALUE, UPDATE, EXTRA = range(4)
"""Where an instruction's numbers stand in their tuple; unused ones are 0."""

_ZERO = Expr()


def compiled(expressions: Iterable[Expr]) -> Numbers:
    """The values of expressions as one function of counters and registers."""
    found = list(expressions)
    if all(e.is_const for e in found):
        values = tuple(e.const for e in found)
        return lambda c, r: values
    return eval(f"lambda c, r: ({', '.join(e.python() for e in found)},)")


def wait_and_update(op: SequencerOp | None) -> tuple[Wait | None, Update | None]:
    wait, update = (op.wait, op.update) if op is not None else (None, None)
    return wait.data if wait is not None else None, update.data if update is not None else None


@dataclass
class Operands:
    """The memory operands of an instruction, and where their addresses stand in its numbers."""

    sources: list[tuple[Pattern, int]]
    targets: list[tuple[Pattern, int]]
    compute: Compute
    bits: bool
    stateful: bool


MemoryOf = Callable[[Access], Memory]


def address(access: Access) -> Expr:
    assert access.address is not None, "an access of neuron.isa has an address"
    return access.address


def operands(op: IsaInstruction, instance: Instance, memory_of: MemoryOf, first: int, checks: bool = False) -> Operands:
    """Binds an instruction's operands to memories; its addresses are numbers `first` and on, in the table's order."""
    found = meaning(instance)
    found = found.checked() if checks else found
    dims, flat = view_dims(instance)
    sources: list[tuple[Pattern, int]] = []
    targets: list[tuple[Pattern, int]] = []
    one_bank = instance.instruction.name == "multiply_moving" and instance.target.limits.matmul_banks == 1
    bank = instance.target.memory.psum_bank_bytes if one_bank else 0
    for index, (operand, access) in enumerate(instance.accesses()):
        memory, writes = memory_of(access), operand.role == "dst"
        dtype = numerics.bits(access.element_type) if found.bits else numerics.storage(access.element_type)
        bank_of = bank if access.space is Space.PSUM else 0
        pattern = Pattern(op, operand.name, access, memory, dtype, dims[operand.name], writes, bank_of, operand.comb)
        (targets if writes else sources).append((pattern, first + index))
    compute = _flattened(found, sources) if flat else found.compute
    return Operands(sources, targets, compute, found.bits, found.stateful)


def view_dims(i: Instance) -> tuple[dict[str, list[Dim]], bool]:
    """The free dimensions of each operand's views, and whether inputs have to be reshaped to [P, N].

    Full operands get few dimensions, equal ones if their shapes allow it; columns as many as those; others keep theirs.
    """
    full = {o.name: contiguous(a.dims) for o, a in i.accesses() if o.shape == "full"}
    flat = len({tuple(count for _, count in dims) for dims in full.values()}) > 1
    rank = 1 if flat else max((len(dims) for dims in full.values()), default=1)
    dims: dict[str, list[Dim]] = {}
    for operand, access in i.accesses():
        if operand.shape == "full":
            dims[operand.name] = full[operand.name]
        elif operand.shape == "column":
            dims[operand.name] = [(0, 1)] * rank
        else:
            dims[operand.name] = contiguous(access.dims) if i.instruction.name == "dma_copy" else list(access.dims)
    return dims, flat


def _flattened(found: Meaning, sources: list[tuple[Pattern, int]]) -> Compute:
    shapes = [(pattern.access.partitions, pattern.access.free_elements) for pattern, _ in sources]
    compute, first = found.compute, int(found.stateful)

    def reshaped(*inputs: Any) -> Sequence[Any]:
        tiles = (tile.reshape(shape) for tile, shape in zip(inputs[first:], shapes, strict=True))
        return compute(*inputs[:first], *tiles)

    return reshaped


# Walking a stream.


class Step(ABC):
    """What issues. `op` is None for the branches of a loop. `update_core` owns the semaphore that it raises by
    `amount`, if any. `sources` and `targets` are what it reads and writes. A transfer has a `ring` (engine and queue),
    and as `mask` the DMA engines that it uses. `gated` steps are asked by `ready_at` when their engine can take them;
    `issue` gives the time from which the sequencer may issue again. `delay` is how much later it issues, and completes,
    than it could, in ns; a transfer issues in time and moves its data later."""

    op: Operation | None
    numbers: Numbers
    waits: bool
    amount: int
    delay: float
    update_core: Core | None
    sources: Placed = ()
    targets: Placed = ()
    ring: tuple[str, int] | None = None
    mask = 0
    gated = False

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return now

    @abstractmethod
    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float: ...


@dataclass
class Repeat:
    count: int
    depth: int
    body: list[Item]
    straight: bool


@dataclass
class Loop:
    counter: int
    bound: Numbers
    body: list[Item]
    branches: Branches


@dataclass
class While:
    """`closed`: what it does depends on registers alone."""

    op: WhileOp
    closed: bool
    body: list[Item]
    branches: Branches


@dataclass
class Branch:
    """`operands` gives what `holds` compares."""

    operands: Numbers
    holds: Callable[[int, int], bool]
    body: list[Item]
    otherwise: list[Item]
    branches: Branches


Item: TypeAlias = "Step | Repeat | Loop | While | Branch"


class Branches(NamedTuple):
    """The control instructions behind loops and branches: a compare-and-branch that goes on with what follows, and one
    that jumps."""

    on: Step
    jump: Step


HOLDS: Mapping[Comparison, Callable[[int, int], bool]] = {
    Comparison.ALWAYS: lambda a, b: True,
    Comparison.LT: operator.lt,
    Comparison.LE: operator.le,
    Comparison.EQ: operator.eq,
    Comparison.NE: operator.ne,
    Comparison.GE: operator.ge,
    Comparison.GT: operator.gt,
}


def items(
    ops: Iterable[Operation], steps: Callable[[SequencerOp], Sequence[Step]], branches: Branches, depth: int = 0
) -> list[Item]:
    """The decoded items of a stream's or a loop's body; `steps` decodes an instruction. A repeat of nothing is left
    out: it would take time and do nothing."""
    found: list[Item] = []
    for op in ops:
        match op:
            case RepeatOp():
                body = items(op.items, steps, branches, depth + 1)
                if body:
                    found.append(Repeat(op.count.value.data, depth, body, all(isinstance(b, Step) for b in body)))
            case LoopOp():
                body = items(op.items, steps, branches, depth)
                found.append(Loop(op.counter.value.data, compiled([op.bound.data]), body, branches))
            case WhileOp():
                closed = not any(isinstance(inner, RegisterLoadOp) for inner in op.body.walk())
                found.append(While(op, closed, items(op.items, steps, branches, depth), branches))
            case CmpBranchOp():
                operands = compiled([_ZERO if e is None else e.data for e in (op.src, op.imm)])
                body = items(op.items, steps, branches, depth)
                otherwise = items(op.otherwise_items, steps, branches, depth)
                found.append(Branch(operands, HOLDS[op.op.data], body, otherwise, branches))
            case SequencerOp():
                found += steps(op)
            case _:
                raise ExecutionError(f"{where(op)}: this does not belong into a stream")
    return found


def depth_of(ops: Iterable[Item]) -> int:
    """How many repeat counters a stream needs."""
    return max((isinstance(item, Repeat) + max(map(depth_of, _bodies(item)), default=0) for item in ops), default=0)


def _bodies(item: Item) -> Sequence[list[Item]]:
    match item:
        case Branch():
            return item.body, item.otherwise
        case Repeat() | Loop() | While():
            return (item.body,)
        case _:
            return ()


class Walk:
    """Goes through a stream in the order in which it issues. Sets counters and loop registers as it goes, so that the
    numbers of a step must be computed before the next one is taken.

    `every_path` is for looking ahead without executing: from then on both sides of a branch follow, and loops that
    depend on registers go round once more.
    """

    def __init__(self, ops: list[Item], registers: int):
        self.counters, self.registers = [0] * depth_of(ops), [0] * registers
        self.every_path = False
        self.steps = self._walk(ops)

    def numbers(self, step: Step) -> tuple[int, ...]:
        """Those of the step that was taken last."""
        return step.numbers(self.counters, self.registers)

    def _walk(self, ops: list[Item]) -> Iterator[Step]:
        for item in ops:
            match item:
                case Repeat():
                    yield from self._repeat(item)
                case Loop():
                    yield from self._loop(item)
                case While():
                    yield from self._while(item)
                case Branch():
                    yield from self._branch(item)
                case _:
                    yield item

    def _repeat(self, repeat: Repeat) -> Iterator[Step]:
        for index in range(repeat.count):
            self.counters[repeat.depth] = index
            if repeat.straight:
                yield from cast("list[Step]", repeat.body)
            else:
                yield from self._walk(repeat.body)

    def _loop(self, loop: Loop) -> Iterator[Step]:
        (bound,) = loop.bound(self.counters, self.registers)
        self.registers[loop.counter] = 0
        yield loop.branches.on
        for index in range(max(1, bound) if self.every_path else bound):
            self.registers[loop.counter] = index
            yield from self._walk(loop.body)
            self.registers[loop.counter] = index + 1
            yield loop.branches.jump if index + 1 < bound else loop.branches.on

    def _while(self, loop: While) -> Iterator[Step]:
        register = loop.op.register.value.data
        going = self.registers[register] != 0
        yield loop.branches.on
        while going or self.every_path:
            before = list(self.registers) if loop.closed else None
            yield from self._walk(loop.body)
            if self.every_path:
                return
            going = self.registers[register] != 0
            if going and self.registers == before:
                raise ExecutionError(
                    f"{where(loop.op)}: the loop never ends; an iteration has left every register as it was, and"
                    f" r{register} at {self.registers[register]}"
                )
            yield loop.branches.jump if going else loop.branches.on

    def _branch(self, branch: Branch) -> Iterator[Step]:
        if self.every_path:
            yield from self._walk(branch.body)
            yield from self._walk(branch.otherwise)
        elif branch.holds(*branch.operands(self.counters, self.registers)):
            yield branch.branches.on
            yield from self._walk(branch.body)
            if branch.otherwise:
                yield branch.branches.jump
        else:
            yield branch.branches.jump
            yield from self._walk(branch.otherwise)
