"""Transfers of several iterations as one: what they move lies side by side on chip, and is evenly apart in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.limits import offset_of
from nki_mlir.dialects.access import Access, Dim, Space, contiguous
from nki_mlir.dialects.instructions import check
from nki_mlir.dialects.legality import start_partition_error
from nki_mlir.dialects.neuron_engine import ATOMIC, AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.neuron_engine_views import slot_bytes
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.engine_nodes import Reach, reaches_of
from nki_mlir.passes.skew import known_memory


def join(
    copies: Sequence[Sequence[Operation]], memories: Mapping[SSAValue, int], several: Collection[int] = ()
) -> None:
    """Makes one of each transfer of some iterations, of which there are a power of two, or of every two or four of
    them, where that can be. `copies` are the operations of each iteration, in the same order, one iteration behind the
    other in a block of instructions alone; `memories` has the same number for arguments that may be one; stores to
    `several` of them stay apart."""
    for alike in zip(*copies, strict=True):
        row = [op for op in alike if isinstance(op, EngineInstruction) and _is_plain(op)]
        if any(memories.get(op.views()["dst"].source) in several for op in row):
            continue
        while len(row) > 1:
            made = [_joined(one, two, memories) for one, two in zip(row[::2], row[1::2], strict=True)]
            row = [op for op in made if op is not None]
            if len(row) < len(made):
                break


def _is_plain(op: EngineInstruction) -> bool:
    """Whether an instruction copies whole tiles, as they are, between HBM and SBUF."""
    if not op.is_a("dma_copy") or "dst_rmw_op" in op.properties or ATOMIC in op.attributes or op.is_limited:
        return False
    views = op.views()
    spaces = {view.access.space for view in views.values()}
    return views.keys() == op.values().keys() == {"dst", "src"} and spaces == {Space.HBM, Space.SBUF}


def _sides(op: EngineInstruction) -> tuple[ViewOp, ViewOp]:
    """What a transfer reaches on chip and in memory."""
    dst, src = (op.views()[name] for name in ("dst", "src"))
    return (dst, src) if dst.access.on_chip else (src, dst)


def _joined(
    one: EngineInstruction, two: EngineInstruction, memories: Mapping[SSAValue, int]
) -> EngineInstruction | None:
    """Makes one of two transfers of which the second is behind the first; None where that can't be."""
    (here, there), (here_too, there_too) = _sides(one), _sides(two)
    first, second = here.source.owner, here_too.source.owner
    if one.properties != two.properties or there.source is not there_too.source:
        return None
    if not (isinstance(first, AllocOp) and isinstance(second, AllocOp)) or not _may_be_one(first, second):
        return None
    distance, apart = _apart(here, here_too), _apart(there, there_too)
    if distance is None or apart is None or apart < 0:
        return None
    if first is not second and first.first_partition == second.first_partition:
        distance += slot_bytes(first, target_of(first)) // here.access.itemsize
    chip = _both(here.access, here_too.access, distance)
    if chip is None:
        return None
    is_below = chip.partitions > here.access.partitions
    memory = _with(there.access, 1 if is_below else here.access.partitions, apart)
    if memory is None:
        return None
    is_load = there is one.views()["src"]
    accesses = {"dst": chip, "src": memory} if is_load else {"dst": memory, "src": chip}
    instance = one.instance()
    if not _is_injective(accesses["dst"]) or check(replace(instance, operands={**instance.operands, **accesses})):
        return None
    if not _may_move(one, two, is_load, memories):
        return None
    if first is not second:
        _merge(first, second)
    return _write(one, two, accesses)


def _apart(one: ViewOp, two: ViewOp) -> int | None:
    """How many elements a view is behind another one of the same pattern; None where that is not known."""
    found = offset_of(two) - offset_of(one)
    alike = one.access.dims == two.access.dims and one.access.element_type == two.access.element_type
    return found.const if alike and not found.terms else None


def _may_be_one(one: AllocOp, two: AllocOp) -> bool:
    """Whether two buffers are the same, or may become one: both are of one size, in SBUF, and nobody has placed them,
    other than on the same partitions, or on those that follow."""
    if one is two:
        return True
    if one.buffer != two.buffer or one.buffer.space is not Space.SBUF or one.parent is not two.parent:
        return False
    if any(alloc.address is not None or alloc.depth.value.data > 1 for alloc in (one, two)):
        return False
    first, partitions = one.first_partition, one.buffer.partitions
    if first == two.first_partition:
        step = slot_bytes(one, target_of(one))
        return all(step % view.access.itemsize == 0 for view in _views(two))
    return first + partitions == two.first_partition and start_partition_error(first, 2 * partitions) is None


def _views(alloc: AllocOp) -> Iterator[ViewOp]:
    return (use.operation for use in alloc.result.uses if isinstance(use.operation, ViewOp))


def _both(one: Access, two: Access, distance: int) -> Access | None:
    """What two accesses of a buffer reach, the second so many elements behind the first: side by side on the same
    partitions, or on those that follow."""
    if one.start == two.start and one.partitions == two.partitions:
        return replace(one, dims=tuple(contiguous([(distance, 2), *one.dims])))
    if distance == 0 and one.start + one.partitions == two.start and one.partitions == two.partitions:
        return replace(one, partitions=2 * one.partitions)
    return None


def _with(access: Access, count: int, apart: int) -> Access | None:
    """What an access of memory reaches and another one that is so many elements behind it: first so many of the first
    dimensions, of each of these all that both have. None where no dimensions have that many."""
    outer, inner = list[Dim](), contiguous(access.dims)
    while count > 1 and inner:
        step, size = inner.pop(0)
        if count % size == 0:
            outer.append((step, size))
            count //= size
        elif size % count == 0:
            outer.append((step * (size // count), count))
            inner.insert(0, (step, size // count))
            count = 1
        else:
            return None
    return replace(access, dims=tuple(contiguous([*outer, (apart, 2), *inner]))) if count == 1 else None


def _is_injective(access: Access) -> bool:
    """Whether all elements of a pattern are different ones, for sure: the order in which they are written is not."""
    reached = 0
    for step, count in sorted((abs(step), count) for step, count in access.dims if count > 1):
        if step <= reached:
            return False
        reached += step * (count - 1)
    return True


def _may_move(one: EngineInstruction, two: EngineInstruction, is_load: bool, memories: Mapping[SSAValue, int]) -> bool:
    """Whether the second of two loads may be done as early as the first one, or the first of two stores as late."""
    mine = _reached(two if is_load else one, memories)
    op = one.next_op
    while op is not None and op is not two:
        others = _reached(op, memories) if isinstance(op, EngineInstruction) else ()
        if any(a.owner == b.owner and a.meets(b) for a in mine for b in others):
            return False
        op = op.next_op
    return True


def _reached(op: EngineInstruction, memories: Mapping[SSAValue, int]) -> list[Reach]:
    return [known_memory(reach, memories) for reach in reaches_of(op)]


def _merge(one: AllocOp, two: AllocOp) -> None:
    """Makes one buffer of two: the second on the partitions behind those of the first, or, where these are the same, in
    the bytes behind."""
    buffer, is_below = one.buffer, one.first_partition != two.first_partition
    step = 0 if is_below else slot_bytes(one, target_of(one))
    partitions = buffer.partitions * (2 if is_below else 1)
    made = AllocOp(buffer.space, partitions, buffer.bytes + step, None if one.label is None else one.label.data)
    if one.start is not None:
        made.properties["start"] = one.start
    Emitter.before(one).add(made)
    for alloc, behind in ((one, 0), (two, step)):
        for view in list(_views(alloc)):
            emit, offset = Emitter.before(view), view.offset
            if behind:
                offset = emit.expr(offset_of(view) + behind // view.access.itemsize)
            there = emit.value(ViewOp(made.result, view.access, offset, view.limited))
            view.result.replace_all_uses_with(there)
            view.detach()
            view.erase()
        alloc.detach()
        alloc.erase()


def _write(one: EngineInstruction, two: EngineInstruction, accesses: Mapping[str, Access]) -> EngineInstruction:
    """Writes one transfer in the place of two: where the first load was, or the last store."""
    emit, views = Emitter.before(one if accesses["dst"].on_chip else two), one.views()
    operands = [emit.value(ViewOp(view.source, accesses[name], view.offset)) for name, view in views.items()]
    made = emit.add(type(one).create(operands=operands, properties=one.properties, attributes=one.attributes))
    for op in (one, two):
        left = list(op.views().values())
        op.detach()
        op.erase()
        for view in left:
            if not view.result.uses:
                view.detach()
                view.erase()
    return made
