"""Buffers on other partitions than the first: where instructions allow it, and their views there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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


def may_start_at(allocs: Collection[AllocOp], start: int) -> bool:
    """Whether all that reach some buffers could do so from another partition on, their other operands staying."""
    for alloc in allocs:
        partitions = alloc.buffer.partitions
        if start + partitions > target_of(alloc).memory.partitions:
            return False
        if start_partition_error(start, partitions) is not None:
            return False
        views = list(_views(alloc))
        users = [use.operation for view in views for use in view.result.uses]
        if len(views) != alloc.result.uses.get_length() or not all(_may_reach(user, allocs, start) for user in users):
            return False
    return True


def read_with(alloc: AllocOp) -> list[AllocOp] | None:
    """A buffer and those that products read together with it: the rows of the array are the partitions of both
    operands. None where these are no buffers."""
    found = [alloc]
    for one in found:
        for user in dict.fromkeys(use.operation for view in _views(one) for use in view.result.uses):
            if isinstance(user, EngineInstruction) and user.is_a("nc_matmul"):
                beside = [view.source.owner for view in _rows_of(user)]
                if not all(isinstance(owner, AllocOp) for owner in beside):
                    return None
                found += [owner for owner in dict.fromkeys(beside) if isinstance(owner, AllocOp) and owner not in found]
    return found


def _rows_of(product: EngineInstruction) -> list[ViewOp]:
    """The views of which the partitions are rows of the array."""
    return [view for view in product.views().values() if view not in product.written()]


def _views(alloc: AllocOp) -> Iterator[ViewOp]:
    return (use.operation for use in alloc.result.uses if isinstance(use.operation, ViewOp))


def _may_reach(user: object, allocs: Collection[AllocOp], start: int) -> bool:
    if not isinstance(user, EngineInstruction) or _is_tied(user, allocs):
        return False
    instance = user.instance()
    owners = {name: view.source.owner for name, view in user.views().items()}
    moved = {
        name: _moved(user.views()[name].access, owner, start)
        for name, owner in owners.items()
        if isinstance(owner, AllocOp) and owner in allocs
    }
    return check(replace(instance, operands={**instance.operands, **moved})) is None


def _is_tied(op: EngineInstruction, allocs: Collection[AllocOp]) -> bool:
    """Whether its partitions are those of something else, too: rows or columns of the array, but of a product all of
    whose rows move; what an engine keeps for each partition."""
    if op.is_a("nc_matmul") and all(view.source.owner in allocs for view in _rows_of(op)):
        return False
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
