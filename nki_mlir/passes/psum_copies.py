"""Copies in PSUM of what Vector combines with a tile in SBUF, made once for many elements that read the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import f32
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.costs.operations import Work
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Function, check
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, instruction_op, view_of
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.combiner import Combiner, is_float, operands_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.region_costs import changed, of_operation, relieved

_Key = tuple[SSAValue, Access, SSAValue | None]
_SIDES = ("data1", "data2")


class Copies:
    """Of a loop, whose load is `work`; `room` is bytes of each partition of PSUM that they may take."""

    def __init__(self, combiner: Combiner, loop: ForOp, work: Work, room: int):
        self.combiner, self.loop, self.work, self.room = combiner, loop, work, room
        self.target = target_of(loop)
        self.made: dict[_Key, EngineInstruction] = {}

    def read_by(self, ops: Sequence[EngineInstruction]) -> None:
        """Lets those of the instructions read a copy that gain by it."""
        for op in ops:
            if op.is_a("tensor_tensor"):
                self._relieve(op)

    def _relieve(self, op: EngineInstruction) -> None:
        given, now = operands_of(op), [of_operation(op, self.target).work]
        for name in sorted(_SIDES, key=lambda name: _distinct(given[name])):
            view = view_of(given[name])
            if view is None or not is_float(given[name]) or not self._may_be_read(view):
                continue
            known = self.made.get(_key(view))
            copy = known or self._copy(op, view)
            if copy is None:
                continue
            emit = Emitter.before(op)
            access = Access(Space.PSUM, f32, _packed(view.access.dims), 0, view.access.partitions)
            read = emit.value(ViewOp(copy.tiles[0], access))
            made = self.combiner.build(op, "tensor_tensor", {**given, name: read}, on=op.engine.data, **op.fields())
            mine = [] if known or copy.parent is not op.parent else [of_operation(copy, self.target).work]
            if made is not None:
                work = changed(self.work, now, [*mine, of_operation(made, self.target).work])
                if max(work.values()) < relieved(self.work, now):
                    self.work = work
                    if known is None:
                        self.made[_key(view)] = copy
                        self.room -= _bytes(view)
                    self.combiner.replace(op.tiles, made, [op])
                    return
            _erase([made, _owner(read), *([copy] if known is None else [])])

    def _may_be_read(self, view: ViewOp) -> bool:
        """Whether a view repeats what it reads, in SBUF, and there is room for a copy of that, or one."""
        access = view.access
        is_plain = access.space is Space.SBUF and not access.start and not view.is_limited
        repeats = _distinct(view.result) < access.free_elements
        return is_plain and repeats and (_key(view) in self.made or _bytes(view) <= self.room)

    def _copy(self, op: EngineInstruction, view: ViewOp) -> EngineInstruction | None:
        """One in front of an instruction, or of the loop if what it takes is there."""
        inside = [v for v in (view.source, view.offset) if v is not None and self.loop.is_ancestor(_owner(v))]
        emit = Emitter.before(op if inside else self.loop)
        access, size = view.access, _distinct(view.result)
        dims = tuple(dim for dim in access.dims if dim[0]) or ((1, 1),)
        lanes = [replica(access.partitions)] if access.partitions > 1 else []
        label = view.source.owner.label if isinstance(view.source.owner, EmptyOp) else None
        type_ = TileType.of(Space.PSUM, Layout.of((size,), lanes, [Factor(0, size)]), f32)
        tile = emit.value(EmptyOp(type_, None if label is None else label.data))
        data = emit.value(ViewOp(view.source, replace(access, dims=dims), view.offset))
        dst = emit.value(ViewOp(tile, Access(Space.PSUM, f32, _packed(dims), 0, access.partitions)))
        made = instruction_op("activation", Engine.SCALAR, {"dst": dst, "data": data}, {"op": Function.COPY})
        if check(made.instance(self.target)) is None:
            return emit.add(made)
        made.erase()
        return None


def _owner(value: SSAValue) -> Operation:
    """The operation that gives a value, or in the body of which it is an argument."""
    owner = value.owner if isinstance(value.owner, Operation) else value.owner.parent_op()
    assert owner is not None
    return owner


def _key(view: ViewOp) -> _Key:
    return view.source, view.access, view.offset


def _distinct(value: SSAValue | None) -> int:
    """Elements that a view reads, each once."""
    view = view_of(value)
    return 0 if view is None else math.prod(count for step, count in view.access.dims if step)


def _bytes(view: ViewOp) -> int:
    return _distinct(view.result) * dtype(f32).bytes


def _packed(dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """The same elements where they follow one another, those that are read as many there once."""
    found, reach = list[Dim](), 1
    for step, count in reversed(dims):
        found.insert(0, (reach if step else 0, count))
        reach *= count if step else 1
    return tuple(found)


def _erase(ops: Sequence[Operation | None]) -> None:
    for op in ops:
        if op is not None:
            op.detach()
            op.erase()
