"""Streams decoded once: each instruction becomes a `Step` (what issues), loops become generators that walk lazily.

The expressions of an instruction are compiled into one function of the stream's repeat counters and registers, which
gives all its numbers: wait semaphore, wait value, update semaphore, further expressions, then the addresses of its
memory operands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from xdsl.ir import Operation

from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_isa import IsaInstruction, LoopOp, RepeatOp, SequencerOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import numerics
from nki_mlir.executor.machine import Memory, Pattern, contiguous
from nki_mlir.executor.meaning import Compute, Meaning, meaning
from nki_mlir.executor.reports import where
from nki_mlir.targets import Target

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


def wait_and_update(op: SequencerOp) -> tuple[Expr, Expr, Expr]:
    wait, update = op.wait, op.update
    semaphore, value = (wait.data.semaphore, wait.data.value) if wait is not None else (_ZERO, _ZERO)
    return semaphore, value, update.data.semaphore if update is not None else _ZERO


@dataclass
class Operands:
    """The memory operands of an instruction, and where their addresses stand in its numbers."""

    sources: list[tuple[Pattern, int]]
    targets: list[tuple[Pattern, int]]
    compute: Compute
    bits: bool
    stateful: bool
    dynamic: bool


MemoryOf = Callable[[Access], Memory]


def instance_of(op: IsaInstruction, engine: Engine, target: Target) -> Instance:
    named = {o.name: op.operand_named(o.name) for o in op.instruction.operands}
    present = {name: value for name, value in named.items() if value is not None}
    return Instance(op.instruction, engine, present, op.fields(), target)


def address(access: Access) -> Expr:
    assert access.address is not None, "an access of neuron.isa has an address"
    return access.address


def operands(op: IsaInstruction, instance: Instance, memory_of: MemoryOf, first: int) -> Operands:
    """Binds an instruction's operands to memories; its addresses are numbers `first` and on, in the table's order."""
    found = meaning(instance)
    dims, flat = view_dims(instance)
    sources: list[tuple[Pattern, int]] = []
    targets: list[tuple[Pattern, int]] = []
    one_bank = instance.instruction.name == "multiply_moving" and instance.target.limits.matmul_banks == 1
    bank = instance.target.memory.psum_bank_bytes if one_bank else 0
    for index, (operand, access) in enumerate(instance.accesses()):
        memory, writes = memory_of(access), operand.role == "dst"
        dtype = numerics.bits(access.element_type) if found.bits else numerics.storage(access.element_type)
        bank_of = bank if access.space is Space.PSUM else 0
        pattern = Pattern(op, operand.name, access, memory, dtype, dims[operand.name], writes, bank_of)
        (targets if writes else sources).append((pattern, first + index))
    dynamic = any(address(a).registers() for _, a in instance.accesses())
    compute = _flattened(found, sources) if flat else found.compute
    return Operands(sources, targets, compute, found.bits, found.stateful, dynamic)


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
    `issue` gives the time from which the sequencer may issue again."""

    op: Operation | None
    numbers: Numbers
    waits: bool
    amount: int
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
    enter: Step
    again: Step
    leave: Step


Item: TypeAlias = "Step | Repeat | Loop"
Branches = tuple[Step, Step, Step]
"""The control instructions of a loop: its `enter`, `again` and `leave`."""


def items(
    ops: Iterable[Operation], step: Callable[[SequencerOp], Step], branches: Branches, depth: int = 0
) -> list[Item]:
    """The decoded items of a stream's or a loop's body."""
    found: list[Item] = []
    for op in ops:
        if isinstance(op, RepeatOp):
            body = items(op.items, step, branches, depth + 1)
            found.append(Repeat(op.count.value.data, depth, body, all(isinstance(b, Step) for b in body)))
        elif isinstance(op, LoopOp):
            body = items(op.items, step, branches, depth)
            found.append(Loop(op.counter.value.data, compiled([op.bound.data]), body, *branches))
        elif isinstance(op, SequencerOp):
            found.append(step(op))
        else:
            raise ExecutionError(f"{where(op)}: this does not belong into a stream")
    return found


def depth_of(ops: Iterable[Item]) -> int:
    """How many repeat counters a stream needs."""
    depths = [depth_of(item.body) + isinstance(item, Repeat) for item in ops if isinstance(item, Repeat | Loop)]
    return max(depths, default=0)


def walk(ops: list[Item], counters: list[int], registers: list[int]) -> Iterator[Step]:
    """The steps in the order in which they issue. Sets counters and loop registers as it goes, so that the numbers of a
    step must be computed before the next one is taken."""
    for item in ops:
        if isinstance(item, Repeat):
            for index in range(item.count):
                counters[item.depth] = index
                if item.straight:
                    yield from cast("list[Step]", item.body)
                else:
                    yield from walk(item.body, counters, registers)
        elif isinstance(item, Loop):
            yield from _looped(item, counters, registers)
        else:
            yield item


def _looped(loop: Loop, counters: list[int], registers: list[int]) -> Iterator[Step]:
    (bound,) = loop.bound(counters, registers)
    registers[loop.counter] = 0
    yield loop.enter
    for index in range(bound):
        registers[loop.counter] = index
        yield from walk(loop.body, counters, registers)
        registers[loop.counter] = index + 1
        yield loop.again if index + 1 < bound else loop.leave
