"""allocate: every buffer gets an address."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, position
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.multi_buffer import alignment, capacity, slot_bytes
from nki_mlir.targets import Target


@dataclass(frozen=True)
class Allocate(LevelPass):
    """Gives buffers addresses by lifetime, first fit; buffers that are never alive together may share bytes:

        %b = alloc "x" : <sbuf, 128 x 2048>   =>   %b = alloc "x" at 4096 : <sbuf, 128 x 2048>

    A buffer lives from its allocation to its last use; one that a loop outside of which it was made uses, to the end of
    that loop; one with several slots, for the whole of its loop. Buffers that have an address keep it, and nothing is
    put over them. What does not fit is an error with a map of what is alive.
    """

    name = "allocate"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            lives = lifetimes(func)
            for space in (Space.SBUF, Space.PSUM):
                _assign([life for life in lives if life.alloc.buffer.space is space], space, target)


@dataclass(eq=False)
class Lifetime:
    """`first` and `last` are places in program order (inclusive); `size` covers all slots."""

    alloc: AllocOp
    first: int
    last: int
    size: int
    address: int | None = None

    def meets(self, other: Lifetime) -> bool:
        return self.first <= other.last and other.first <= self.last


def lifetimes(func: FuncOp) -> list[Lifetime]:
    """The lifetime of every buffer of a function, in program order."""
    order: dict[Operation, int] = {}
    ends: dict[Operation, int] = {}
    for number, op in enumerate(func.walk()):
        order[op] = number
    for op in reversed(order):
        ends[op] = max([order[op], *(ends[inner] for r in op.regions for b in r.blocks for inner in b.ops)])
    found: list[Lifetime] = []
    for op in order:
        if isinstance(op, AllocOp):
            first, last = (
                order[op],
                max((ends[_at_level_of(op, user)] for user in _users(op.result)), default=order[op]),
            )
            loop = op.parent_op()
            if op.depth.value.data > 1 and isinstance(loop, ForOp):
                first, last = order[loop], ends[loop]
            address = None if op.address is None else op.address.value.data
            found.append(Lifetime(op, first, last, op.depth.value.data * slot_bytes(op, target_of(op)), address))
    return found


def _users(value: SSAValue) -> list[Operation]:
    """The instructions that reach a buffer, through its views."""
    users: list[Operation] = []
    for use in value.uses:
        users += _users(use.operation.results[0]) if isinstance(use.operation, ViewOp) else [use.operation]
    return users


def _at_level_of(alloc: AllocOp, user: Operation) -> Operation:
    """The operation in the allocation's block that holds the user."""
    block, op = alloc.parent, user
    while op.parent is not block:
        parent = op.parent_op()
        assert parent is not None
        op = parent
    return op


def _assign(lives: list[Lifetime], space: Space, target: Target) -> None:
    available = capacity(target, space)
    for life in sorted((x for x in lives if x.address is None), key=lambda x: (-x.size, x.first)):
        unit = alignment(space, target)
        taken = sorted((x.address, x.address + x.size) for x in lives if x.address is not None and x.meets(life))
        address = 0
        for low, high in taken:
            if address + life.size <= low:
                break
            address = max(address, -(-high // unit) * unit)
        if address + life.size > available:
            raise CompileError.at(life.alloc, _full(life, lives, space, available))
        life.address = address
        life.alloc.properties["address"] = IntegerAttr(life.address, i64)


def _full(life: Lifetime, lives: list[Lifetime], space: Space, available: int) -> str:
    """The map of what is alive with the buffer that does not fit."""
    alive = sorted((x for x in lives if x is not life and x.meets(life)), key=lambda x: -x.size)
    needed = life.size + sum(x.size for x in alive)
    lines = [
        f"{space} is full: buffer {_name(life)} needs {life.size} bytes on each partition; with what is alive then, the"
        f" kernel needs {needed}, and {space} has {available}",
        f"  {life.size:>8} bytes  {_name(life)}{_where(life)}",
        *(f"  {x.size:>8} bytes  {_name(x)}{_where(x)}" for x in alive[:12]),
    ]
    if len(alive) > 12:
        lines.append(f"  {sum(x.size for x in alive[12:]):>8} bytes  in {len(alive) - 12} more")
    lines.append(f"use blocks that need {needed - available} bytes less on each partition")
    return "\n".join(lines)


def _name(life: Lifetime) -> str:
    label = life.alloc.label.data if life.alloc.label is not None else "?"
    depth = life.alloc.depth.value.data
    return f"'{label}'" + (f" ({depth} slots)" if depth > 1 else "")


def _where(life: Lifetime) -> str:
    found = position(life.alloc)
    return f" from {found[0]}:{found[1]}" if found else ""
