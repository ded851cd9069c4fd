"""How long the buffers of `neuron.engine` live, and how many bytes they may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp, ViewOp
from nki_mlir.dialects.neuron_engine_views import extent
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.targets import Target


@dataclass(eq=False)
class Lifetime:
    """`first` and `last` are places in program order (inclusive); `size` covers all slots."""

    alloc: AllocOp
    first: int
    last: int
    size: int
    address: int | None = None

    @property
    def partitions(self) -> range:
        start = self.alloc.first_partition
        return range(start, start + self.alloc.buffer.partitions)

    def is_over(self, other: Lifetime) -> bool:
        """Whether both have a partition in common."""
        mine, others = self.partitions, other.partitions
        return mine.start < others.stop and others.start < mine.stop

    def meets(self, other: Lifetime) -> bool:
        """Whether both are alive at once."""
        return self.first <= other.last and other.first <= self.last


def lifetimes(func: FuncOp) -> list[Lifetime]:
    """The lifetime of every buffer of a function, in program order. Users that no longer stand in it count as none."""
    order = {op: number for number, op in enumerate(operations(func))}
    ends = dict(order)
    for op in reversed(order):
        for region in op.regions:
            ends[op] = max([ends[op], *(ends[inner] for block in region.blocks for inner in block.ops)])
    found, target = list[Lifetime](), target_of(func)
    for op in order:
        if isinstance(op, AllocOp):
            users = [user for user in _users(op.result) if user in order]
            first, last = order[op], max((ends[_at_level_of(op, user)] for user in users), default=order[op])
            loop = op.parent_op()
            if op.depth.value.data > 1 and isinstance(loop, ForOp):
                first, last = order[loop], ends[loop]
            address = None if op.address is None else op.address.value.data
            found.append(Lifetime(op, first, last, extent(op, target), address))
    return found


@dataclass(frozen=True)
class Occupancy:
    """Bytes of a partition: one past the last that a buffer has, and the `least` that would do, which is what is alive
    at a time on the partition with most of it."""

    used: int
    least: int


def occupancy(lives: Sequence[Lifetime]) -> Occupancy:
    """Of one memory, by buffers that have their addresses."""
    used = max((life.size + life.address for life in lives if life.address is not None), default=0)
    most = 0
    for start in {life.partitions.start for life in lives}:
        changes: dict[int, int] = {}
        for life in (life for life in lives if start in life.partitions):
            for at, change in ((life.first, life.size), (life.last + 1, -life.size)):
                changes[at] = changes.get(at, 0) + change
        most = max(most, *accumulate(changes[at] for at in sorted(changes)))
    return Occupancy(used, most)


def _users(value: SSAValue) -> list[Operation]:
    """The instructions that reach a buffer, through its views."""
    users: list[Operation] = []
    for use in value.uses:
        op = use.operation
        users += _users(op.results[0]) if isinstance(op, ViewOp) else [op]
    return users


def _at_level_of(alloc: AllocOp, user: Operation) -> Operation:
    """The operation in the allocation's block that holds the user."""
    block, op = alloc.parent, user
    while op.parent is not block:
        parent = op.parent_op()
        assert parent is not None
        op = parent
    return op


def capacity(target: Target, space: Space) -> int:
    """Bytes per partition that a kernel may use."""
    return target.memory.psum_bytes if space is Space.PSUM else target.memory.sbuf_usable_bytes
