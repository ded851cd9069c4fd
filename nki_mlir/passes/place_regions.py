"""Branches and whiles with tiles for the tensors that they carry and yield, and the scalars of control flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, i1, i32
from xdsl.dialects.scf import ConditionOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.tile_types import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.placement import is_data, is_placed

_PREDICATES = {
    Predicate.EQ: "eq",
    Predicate.NE: "ne",
    Predicate.LT: "slt",
    Predicate.LE: "sle",
    Predicate.GT: "sgt",
    Predicate.GE: "sge",
}


class Placer(Protocol):
    """What places a function: `tiles` maps tensors to the tiles that stand for them."""

    tiles: dict[SSAValue, SSAValue]

    def block(self, block: Block) -> None: ...
    def type_of(self, value: SSAValue) -> mem.TileType: ...
    def tile_of(self, value: SSAValue, like: mem.TileType, emit: Emitter) -> SSAValue: ...


def is_control(op: Operation) -> bool:
    """Whether an operation makes an index of data, or compares indices for control flow."""
    match op:
        case arith.IndexCastOp() | tile.CastOp():
            return isinstance(op.results[0].type, IndexType) and is_placed(op.operands[0])
        case tile.CompareOp() if isinstance(op.lhs.type, IndexType):
            return bool(op.result.uses) and decides(op.result)
        case _:
            return False


def decides(value: SSAValue) -> bool:
    """Whether a truth value says where control goes, and nothing else."""
    return all(isinstance(use.operation, IfOp | ConditionOp) and use.index == 0 for use in value.uses)


def control(placer: Placer, op: Operation, emit: Emitter) -> SSAValue:
    """The scalar that takes its place."""
    if isinstance(op, tile.CompareOp):
        return emit.value(arith.CmpiOp(op.lhs, op.rhs, _PREDICATES[op.predicate.data]))
    return _scalar(placer, op.operands[0], IndexType(), emit)


def _scalar(placer: Placer, value: SSAValue, type_: IndexType | None, emit: Emitter) -> SSAValue:
    """A number of one element, as an index or, without a type, as a truth value."""
    made, element = placer.tiles[value], i1 if type_ is None else i32
    found = mem.tile_type(made)
    if found.element_type != element and type_ is not None:
        made = emit.value(mem.CastOp.create(operands=[made], result_types=[found.with_element(element)]))
    return emit.value(mem.ScalarOp.create(operands=[made], result_types=[type_ or i1]))


def _condition(placer: Placer, value: SSAValue, emit: Emitter) -> SSAValue:
    """A condition that was computed of data is in a tile; others are scalars."""
    return _scalar(placer, value, None, emit) if value in placer.tiles else value


def carried(
    placer: Placer, op: Operation, inits: Sequence[SSAValue], inside: Sequence[SSAValue], emit: Emitter
) -> tuple[list[Attribute], list[SSAValue]]:
    """The types of tiles that go round, and the tiles that they start from."""
    types = _types(placer, op, inside)
    return types, [placer.tile_of(v, _tile(t), emit) for v, t in zip(inits, types, strict=True)]


def _types(placer: Placer, op: Operation, inside: Sequence[SSAValue]) -> list[Attribute]:
    """Raises CompileError for what is no tensor and no number."""
    for value in inside:
        if not is_data(value.type):
            raise CompileError.at(
                op, f"the loop carries a value of type {value.type} that is not start + iteration * step"
            )
    return [placer.type_of(value) for value in inside]


def place_body(placer: Placer, old: Block, new: Block, types: Sequence[Attribute]) -> None:
    """Moves a body; what it yields, or its condition hands on, are tiles of these types."""
    for implied in list(new.ops):
        implied.detach()
        implied.erase()
    for inner in list(old.ops):
        inner.detach()
        new.add_op(inner)
    end = new.last_op
    assert isinstance(end, YieldOp | ConditionOp)
    first = int(isinstance(end, ConditionOp))
    kept, originals = list(end.operands[:first]), list(end.operands[first:])
    end.operands = []
    placer.block(new)
    finish = Emitter.before(end)
    tiles = [placer.tile_of(v, _tile(t), finish) for v, t in zip(originals, types, strict=True)]
    end.operands = [*(_condition(placer, value, finish) for value in kept), *tiles]


def _tile(type_: Attribute) -> mem.TileType:
    assert isinstance(type_, mem.TileType)
    return type_


def name(placer: Placer, before: Sequence[SSAValue], after: Sequence[SSAValue]) -> None:
    """Tiles in place of tensors."""
    for old, new in zip(before, after, strict=True):
        new.name_hint = old.name_hint
        placer.tiles[old] = new


def place_branch(placer: Placer, op: IfOp, emit: Emitter) -> None:
    for result in op.results:
        if not is_data(result.type):
            raise CompileError.at(op, f"an if yields tensors and numbers, not {result.type}")
    types = [placer.type_of(result) for result in op.results]
    sides = (Region(Block()), Region(Block() if op.false_region.blocks else []))
    new = emit.add(IfOp(_condition(placer, op.cond, emit), types, sides[0], sides[1]))
    for old, side in zip((op.true_region, op.false_region), sides, strict=True):
        for block in old.blocks:
            place_body(placer, block, side.block, types)
    name(placer, op.results, new.results)


def place_while(placer: Placer, op: WhileOp, emit: Emitter) -> None:
    before, after = op.before_region.block, op.after_region.block
    types, inits = carried(placer, op, op.arguments, before.args, emit)
    handed = _types(placer, op, after.args)
    sides = [Region(Block(arg_types=types)), Region(Block(arg_types=handed))]
    new = emit.add(WhileOp(inits, handed, *sides))
    for old, side, out in ((before, sides[0].block, handed), (after, sides[1].block, types)):
        name(placer, old.args, side.args)
        place_body(placer, old, side, out)
    name(placer, op.results, new.results)
