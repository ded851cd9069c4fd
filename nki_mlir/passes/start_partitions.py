"""Buffers on other partitions than the first: where instructions allow it, and their views there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xdsl.dialects.builtin import IntegerAttr, i64

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.instructions import check
from nki_mlir.dialects.legality import start_partition_error
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter

QUADRANT = 32
"""Partitions that a buffer may start at are multiples of it (docs/hardware.md#start-partitions)."""


def may_start_at(alloc: AllocOp, start: int) -> bool:
    """Whether all that reach a buffer could do so from another partition on, their other operands staying."""
    partitions = alloc.buffer.partitions
    if start + partitions > target_of(alloc).memory.partitions or start_partition_error(start, partitions) is not None:
        return False
    views = list(_views(alloc))
    users = [use.operation for view in views for use in view.result.uses]
    return len(views) == alloc.result.uses.get_length() and all(_may_reach(user, alloc, start) for user in users)


def _views(alloc: AllocOp) -> Iterator[ViewOp]:
    return (use.operation for use in alloc.result.uses if isinstance(use.operation, ViewOp))


def _may_reach(user: object, alloc: AllocOp, start: int) -> bool:
    if not isinstance(user, EngineInstruction) or _is_tied(user):
        return False
    instance = user.instance()
    moved = {name: _moved(v.access, alloc, start) for name, v in user.views().items() if v.source is alloc.result}
    return check(replace(instance, operands={**instance.operands, **moved})) is None


def _is_tied(op: EngineInstruction) -> bool:
    """Whether its partitions are those of something else, too: rows or columns of the array, what an engine keeps for
    each partition."""
    has_values = all(op.operand_value(o.name) is not None for o in op.instruction.operands if o.name == "vals")
    return op.engine.data is Engine.TENSOR or op.has_state or not op.written() or not has_values


def _moved(access: Access, alloc: AllocOp, start: int) -> Access:
    return replace(access, start=access.start - alloc.first_partition + start)


def move_to(alloc: AllocOp, start: int) -> None:
    """Puts a buffer, and all views of it, on the partitions from `start` on."""
    for view in list(_views(alloc)):
        there = ViewOp(view.source, _moved(view.access, alloc, start), view.offset, view.limited)
        there.location = view.location
        view.result.replace_all_uses_with(Emitter.before(view).value(there))
        view.detach()
        view.erase()
    alloc.properties["start"] = IntegerAttr(start, i64)
