"""Operations of a stream become a decoded `program`, each once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from xdsl.ir import Operation

from nki_mlir.dialects.access import Access, Dim, Space, contiguous
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_isa import (
    CmpBranchOp,
    Comparison,
    ExprAttr,
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
from nki_mlir.executor.program import (
    EXTRA,
    Branch,
    Branches,
    CountedLoop,
    DataOp,
    Item,
    MicroOp,
    Numbers,
    Repeat,
    While,
)
from nki_mlir.executor.reports import where

MemoryOf = Callable[[Access], Memory]
Signals = tuple[Wait | None, Update | None]

_ZERO = Expr()


def compiled(expressions: Iterable[Expr]) -> Numbers:
    """The values of expressions as one function of counters and registers."""
    found = list(expressions)
    if all(e.is_const for e in found):
        values = tuple(e.const for e in found)
        return lambda c, r: values
    return _function(f"({', '.join(e.python() for e in found)},)")


@lru_cache(maxsize=10_000)
def _function(source: str) -> Numbers:
    """Of counters and registers. Compiling it takes longer than all else about a micro-op, and programs repeat them."""
    return eval(f"lambda c, r: {source}")


def wait_and_update(op: SequencerOp | None) -> Signals:
    wait, update = (op.wait, op.update) if op is not None else (None, None)
    return wait.data if wait is not None else None, update.data if update is not None else None


def address(access: Access) -> Expr:
    assert access.address is not None, "an access of neuron.isa has an address"
    return access.address


# Micro-ops.


def control_op(op: SequencerOp | None, extra: Iterable[Expr] = (), signals: Signals | None = None) -> MicroOp:
    """An instruction of the sequencer itself, of its operands no more than what it waits for and raises: `signals`,
    where they are not those of the operation. `extra` are its further expressions."""
    wait, update = signals or wait_and_update(op)
    semaphore, value = (wait.semaphore, wait.value) if wait is not None else (_ZERO, _ZERO)
    raised = update.semaphore if update is not None else _ZERO
    numbers = compiled([semaphore, value, raised, *extra])
    if op is None or update is None:
        return MicroOp(op, numbers, wait is not None)
    return MicroOp(op, numbers, wait is not None, op.core if update.core is None else update.core, update.amount)


def element_op(op: SequencerOp, name: str, access: Access, memory_of: MemoryOf, extra: Iterable[Expr] = ()) -> MicroOp:
    """An instruction of the sequencer that moves one element, its operand `name`."""
    dtype = numerics.storage(access.element_type)
    dtype = dtype if dtype.kind in "iu" else numerics.bits(access.element_type)
    pattern = Pattern(op, name, access, memory_of(access), dtype, [(1, 1)], writes=name == "dst")
    placed = [(pattern, EXTRA)]
    sources, targets = ([], placed) if pattern.writes else (placed, [])
    return replace(control_op(op, [address(access), *extra]), sources=sources, targets=targets)


def data_op(
    op: IsaInstruction,
    instance: Instance,
    memory_of: MemoryOf,
    checks: bool = False,
    extra: Sequence[Expr] = (),
    ring: tuple[str, int] | None = None,
    mask: int = 0,
) -> DataOp:
    """An instruction of the table; its addresses are the last of its numbers, in the table's order. What accumulates by
    DMA reads what it writes."""
    found = meaning(instance)
    found = found.checked() if checks else found
    sources, targets, flat = _operands(op, instance, memory_of, EXTRA + len(extra), found.bits)
    compute = _flattened(found, sources) if flat else found.compute
    if instance.fields.get("dst_rmw_op") is not None:
        sources = [*sources, *targets]
    addresses = [address(access) for _, access in instance.accesses()]
    signals = control_op(op, [*extra, *addresses])
    return DataOp(
        op,
        signals.numbers,
        signals.waits,
        signals.update_core,
        signals.amount,
        sources,
        targets,
        ring,
        mask,
        instance=instance,
        compute=compute,
        bits=found.bits,
        stateful=found.stateful,
        into=None if flat or found.check is not None else found.into,
        masked=found.masked,
    )


def given(op: IsaInstruction, name: str) -> list[Expr]:
    """The expression that an instruction has as a property, if it has it."""
    value = op.properties.get(name)
    return [value.data] if isinstance(value, ExprAttr) else []


_Bound = list[tuple[Pattern, int]]


def _operands(
    op: IsaInstruction, instance: Instance, memory_of: MemoryOf, first: int, bits: bool
) -> tuple[_Bound, _Bound, bool]:
    """Binds an instruction's sources and targets to memories; its addresses are numbers `first` and on. Whether inputs
    have to be reshaped to [P, N]."""
    dims, flat = view_dims(instance)
    sources: _Bound = []
    targets: _Bound = []
    one_bank = instance.instruction.array == "multiply" and instance.target.limits.matmul_banks == 1
    bank = instance.target.memory.psum_bank_bytes if one_bank else 0
    for index, (operand, access) in enumerate(instance.accesses()):
        memory, writes = memory_of(access), operand.role == "dst"
        dtype = numerics.bits(access.element_type) if bits else numerics.storage(access.element_type)
        bank_of = bank if access.space is Space.PSUM else 0
        pattern = Pattern(op, operand.name, access, memory, dtype, dims[operand.name], writes, bank_of, operand.comb)
        (targets if writes else sources).append((pattern, first + index))
    return sources, targets, flat


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
            dims[operand.name] = contiguous(access.dims) if i.instruction.transfer == "copy" else list(access.dims)
    return dims, flat


def _flattened(found: Meaning, sources: _Bound) -> Compute:
    shapes = [(pattern.access.partitions, pattern.access.free_elements) for pattern, _ in sources]
    compute, first = found.compute, int(found.stateful)

    def reshaped(*inputs: Any) -> Sequence[Any]:
        tiles = (tile.reshape(shape) for tile, shape in zip(inputs[first:], shapes, strict=True))
        return compute(*inputs[:first], *tiles)

    return reshaped


# Streams.

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
    ops: Iterable[Operation],
    micro_ops: Callable[[SequencerOp], Sequence[MicroOp]],
    branches: Branches,
    depth: int = 0,
) -> list[Item]:
    """The decoded items of a stream's or a loop's body; `micro_ops` decodes an instruction. A repeat of nothing is left
    out: it would take time and do nothing."""
    found: list[Item] = []
    for op in ops:
        match op:
            case RepeatOp():
                body = items(op.items, micro_ops, branches, depth + 1)
                if body:
                    found.append(Repeat(op.count.value.data, depth, body, all(isinstance(b, MicroOp) for b in body)))
            case LoopOp():
                body = items(op.items, micro_ops, branches, depth)
                found.append(CountedLoop(op.counter.value.data, compiled([op.bound.data]), body, branches))
            case WhileOp():
                closed = not any(isinstance(inner, RegisterLoadOp) for inner in op.body.walk())
                found.append(While(op, closed, items(op.items, micro_ops, branches, depth), branches))
            case CmpBranchOp():
                operands = compiled([_ZERO if e is None else e.data for e in (op.src, op.imm)])
                body = items(op.items, micro_ops, branches, depth)
                otherwise = items(op.otherwise_items, micro_ops, branches, depth)
                found.append(Branch(operands, HOLDS[op.op.data], body, otherwise, branches))
            case SequencerOp():
                found += micro_ops(op)
            case _:
                raise ExecutionError(f"{where(op)}: this does not belong into a stream")
    return found
