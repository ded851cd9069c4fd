"""What the rules of combine-instructions share: who made what an instruction reads, and how one replaces another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from xdsl.dialects.builtin import FloatAttr, bf16, f32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue

from nki_mlir.analysis.indices import constant
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.tile_spans import users
from nki_mlir.dialects.access import Access, Engine, Space, contiguous
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Alu, check
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import (
    EmptyOp,
    EngineInstruction,
    ViewOp,
    ViewType,
    constant_float,
    instruction_op,
    view_of,
)
from nki_mlir.dialects.neuron_mem_types import TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter

Rule: TypeAlias = "Callable[[Combiner, EngineInstruction], EngineInstruction | None]"
"""Gives what came of an instruction and of one before it, or None where it has nothing to do."""


def maker(value: SSAValue | None, name: str | None = None, in_order: bool = False) -> EngineInstruction | None:
    """The instruction that made, as its `dst`, exactly what a view reads; others may have made other parts of the tile,
    and nothing was there before. With a `name`, only one that has it counts. With `in_order`, the view may cut the same
    elements otherwise into dimensions."""
    view = view_of(value)
    if view is None or view.is_limited:
        return None
    tile = view.source
    while isinstance(op := tile.owner, EngineInstruction):
        written = _written(op)
        if written is None or written.is_limited:
            return None
        if name is not None and not op.is_a(name) and not isinstance(written.source.owner, EngineInstruction):
            return None  # nor is there another one in front
        if tile is not made_tile(op):
            return None
        if _is_same(written, view, in_order):
            if name is not None and not op.is_a(name):
                return None
            whole = isinstance(written.source.owner, EmptyOp) and tile is view.source
            return op if whole or (_is_part(op) and inputs_stay(op)) else None
        if not _are_apart(written, view):
            return None
        tile = written.source
    return None


def _written(op: EngineInstruction) -> ViewOp | None:
    """The view that an instruction writes to as its `dst`, if it has one."""
    return view_of(op.operand_value("dst"))


def _is_same(one: ViewOp, other: ViewOp, in_order: bool = False) -> bool:
    accesses = [view.access for view in (one, other)]
    if in_order:
        accesses = [replace(access, dims=tuple(contiguous(access.dims))) for access in accesses]
    return accesses[0] == accesses[1] and one.offset is other.offset


def _are_apart(one: ViewOp, other: ViewOp) -> bool:
    """Whether two views of a place have nothing in common on any partition."""
    ranges = []
    for view in (one, other):
        offset = 0 if view.offset is None else constant(view.offset)
        if offset is None or any(step < 0 for step, _ in view.access.dims):
            return False
        size = dtype(view.access.element_type).bytes
        last = sum(step * (count - 1) for step, count in view.access.dims)
        ranges.append((offset * size, (offset + last + 1) * size))
    (low, high), (other_low, other_high) = ranges
    return high <= other_low or other_high <= low


def _is_part(op: EngineInstruction) -> bool:
    """Whether an instruction makes a part of a tile of which it reads nothing, and others make the rest."""
    written = _written(op)
    while written is not None and isinstance(owner := written.source.owner, EngineInstruction):
        written = _written(owner) if len(owner.tiles) == 1 else None
    return len(op.tiles) == 1 and written is not None and isinstance(written.source.owner, EmptyOp)


def inputs_stay(op: EngineInstruction) -> bool:
    """Whether nobody writes to what an instruction reads, so that it may be read later."""
    written = op.written()
    read = [view for value in op.operands if (view := view_of(value)) is not None and view not in written]
    return not any(
        isinstance(user, EngineInstruction) and view in user.written()
        for source in dict.fromkeys(view.source for view in read)
        for user, view in users(source)
    )


def made_tile(op: EngineInstruction) -> SSAValue:
    """The tile that an instruction gives for its `dst`."""
    written = [view for view in op.written() if isinstance(view.source.type, TileType)]
    return op.tiles[written.index(next(view for view in written if view.result is op.operand_value("dst")))]


def is_read_once(op: EngineInstruction) -> bool:
    """Whether one reader reaches what an instruction makes as its `dst`."""
    mine, tile, readers = _written(op), made_tile(op), 0
    assert mine is not None
    while True:
        following = None
        for user, view in users(tile):
            if isinstance(user, EngineInstruction) and view is not None and view.source is tile:
                if view in user.written() and _are_apart(view, mine) and user.tiles:
                    following = user
                    continue
                if _are_apart(view, mine):
                    continue
            readers += 1
        if following is None:
            return readers == 1
        tile = made_tile(following)


def access_of(value: SSAValue | None) -> Access | None:
    """What a view reaches; None for a constant."""
    return value.type.data if value is not None and isinstance(value.type, ViewType) else None


def is_float(value: SSAValue | None) -> bool:
    """Whether a view is of floating-point numbers."""
    access = access_of(value)
    return access is not None and dtype(access.element_type).kind == "float"


def keeps_bits(op: EngineInstruction) -> bool:
    """Whether what an instruction makes is stored as it was computed: no rounding falls away with it."""
    access = access_of(op.operand_value("dst"))
    return access is not None and access.element_type == f32


def operands_of(op: EngineInstruction) -> dict[str, SSAValue | None]:
    """All that an instruction is given as SSA values, by name."""
    return dict.fromkeys(op.instruction.values) | op.values()


class Combiner:
    """Applies rules to one instruction after the other, each again to what came of it, and to what it `added`."""

    def __init__(self, func: FuncOp, rules: Mapping[str, Sequence[Rule]], of_all: Sequence[Rule]):
        self.func, self.target, self.rules, self.of_all = func, target_of(func), rules, of_all
        self.constants: dict[tuple[float, int], SSAValue] = {}
        self.negated: dict[tuple[SSAValue, Block | None], SSAValue] = {}
        self.added: list[EngineInstruction] = []

    def combine(self, op: EngineInstruction) -> None:
        made: EngineInstruction | None = op
        while made is not None:
            op = made
            rules = (*self.of_all, *self.rules.get(op.instruction.name, ()))
            made = next((found for rule in rules if (found := rule(self, op)) is not None), None)
        while self.added:
            self.combine(self.added.pop())

    def build(
        self,
        like: EngineInstruction,
        name: str,
        operands: Mapping[str, SSAValue | None],
        on: Engine | None = None,
        **fields: object,
    ) -> EngineInstruction | None:
        """An instruction of that name in front of another, `on` an engine, or on its engine where that has the
        instruction; None where it would not be legal."""
        made = instruction_op(name, on, operands, {k: v for k, v in fields.items() if v is not None})
        if on is None and like.engine.data in made.instruction.engines:
            made.properties["engine"] = like.engine
        if check(made.instance(self.target)) is not None:
            made.erase()
            return None
        return Emitter.before(like).add(made)

    def destination(self, op: EngineInstruction, name: str, at: EngineInstruction) -> SSAValue | None:
        """A new tile in front of an instruction, and a view of it as that of an operand that another writes to; None
        where that one does not make its tile anew."""
        view = view_of(op.operand_value(name))
        if view is None or not isinstance(empty := view.source.owner, EmptyOp):
            return None
        emit = Emitter.before(at)
        label = None if empty.label is None else empty.label.data
        return emit.value(ViewOp(emit.value(EmptyOp(tile_type(view.source), label)), view.access, view.offset))

    def scratch(self, like: SSAValue, at: EngineInstruction) -> SSAValue | None:
        """A view of a new tile in bf16, of as many elements as another view, that takes what nobody reads."""
        access = access_of(like)
        if access is None:
            return None
        emit, lanes = Emitter.before(at), [replica(access.partitions)] if access.partitions > 1 else []
        layout = Layout.of((access.free_elements,), lanes, [Factor(0, access.free_elements)])
        tile = emit.value(EmptyOp(TileType.of(Space.SBUF, layout, bf16), "unread"))
        return emit.value(ViewOp(tile, Access(Space.SBUF, bf16, ((1, access.free_elements),), 0, access.partitions)))

    def replace(
        self, old: Sequence[SSAValue | None], made: EngineInstruction, erased: Sequence[EngineInstruction]
    ) -> None:
        """Puts the tiles of an instruction in the place of others, whose makers go; None where it makes what nobody
        reads."""
        for before, after in zip(old, made.tiles, strict=True):
            if before is None:
                continue
            after.name_hint = before.name_hint
            before.replace_all_uses_with(after)
        for op in erased:
            for tile in [tile for tile in op.tiles if tile.uses]:
                part = _written(op)
                assert part is not None, "an instruction that others write behind makes a part"
                tile.replace_all_uses_with(part.source)
            views = [view for value in op.operands if (view := view_of(value)) is not None]
            op.detach()
            op.erase()
            for view in dict.fromkeys(views):
                if not view.result.uses:
                    view.detach()
                    view.erase()

    def negative(self, value: SSAValue, at: EngineInstruction) -> SSAValue | None:
        """A number, or a column of them, with its sign changed."""
        access = access_of(value)
        if access is None:
            return Emitter.before(at).float(-constant_float(value))
        if access.element_type != f32:
            return None
        key = (value, at.parent)
        if key not in self.negated:
            emit = Emitter.before(at)
            tile = TileType.of(Space.SBUF, _column(access.partitions), f32)
            dst = Access(Space.SBUF, f32, ((1, 1),), 0, access.partitions)
            written = emit.value(ViewOp(emit.value(EmptyOp(tile, "negative")), dst))
            minus = {"dst": written, "data": value, "operand0": emit.float(-1.0)}
            op = emit.add(instruction_op("tensor_scalar", None, minus, {"op0": Alu.MULTIPLY}))
            self.negated[key] = emit.value(ViewOp(op.tiles[0], dst))
            self.added.append(op)
        return self.negated[key]

    def column(self, value: float, partitions: int) -> SSAValue:
        """A constant on each of the first partitions, made once in front of everything."""
        key = (value, partitions)
        if key not in self.constants:
            first = self.func.body.block.first_op
            assert first is not None
            emit = Emitter.before(first)
            emit.location = self.func.location
            tile = TileType.of(Space.SBUF, _column(partitions), f32)
            access = Access(Space.SBUF, f32, ((1, 1),), 0, partitions)
            written = emit.value(ViewOp(emit.value(EmptyOp(tile, "constant")), access))
            op = emit.add(instruction_op("memset", None, {"dst": written}, {"value": FloatAttr(value, f32)}))
            self.constants[key] = emit.value(ViewOp(op.tiles[0], access))
        return self.constants[key]


def _column(partitions: int) -> Layout:
    """One element on each partition."""
    return Layout.of((), [replica(partitions)] if partitions > 1 else [], [])


def erase_unread(func: FuncOp) -> None:
    """Erases the instructions of which nobody reads anything, and what only they read."""
    from xdsl.transforms.dead_code_elimination import is_trivially_dead

    for op in reversed(operations(func)):
        if any(result.first_use is not None for result in op.results):
            continue
        if isinstance(op, EngineInstruction | ViewOp | EmptyOp) and is_trivially_dead(op):
            op.detach()
            op.erase()
