"""sum-programs: what all programs add to the same place becomes the sum of a loop, which is added once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp, f32
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.analysis.independence import Repeated, are_apart, varying
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.running import is_running, neutral
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class SumPrograms(LevelPass):
    """Adds up in a loop what programs along an axis add, one after another, to memory at a place that is the same for
    all of them, so that it is read and written once:

        tile.programs (%i) in [64] {            tile.programs (%0) in [1] anonymous {
          %t = f(%i)                              %sum = scf.for %i = 0 to 64 iter_args(%s = 0) {
          %old = tile.read %out …                   scf.yield %s + f(%i) }
          %new = arith.addf %old, %t      =>      %old = tile.read %out …
          tile.write %new to %out … atomic }      %new = arith.addf %old, %sum
                                                  tile.write %new to %out … }

    So with extrema; numbers of 16 bits are added up in fp32. The iterations of that loop no longer depend on one
    another, so that `widen-loops` can run them together. Left alone: programs that touch what others write otherwise,
    or the place itself, and updates that are not atomic, or not of memory by what is computed without it.
    """

    name = "sum-programs"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            for axis in reversed(range(len(programs.grid))):
                programs = _summed(programs, axis)


class _Update(NamedTuple):
    """Memory that is read, combined with a `term` by `combine`, and written back to the same place."""

    read: tile.ReadOp
    combine: Operation
    term: SSAValue
    write: tile.WriteOp

    @staticmethod
    def of(write: tile.WriteOp) -> _Update | None:
        combine = write.value.owner
        if (
            write.atomic is None
            or not isinstance(combine, Operation)
            or not is_running(combine)
            or not write.value.has_one_use()
        ):
            return None
        for value, term in (combine.operands, reversed(combine.operands)):
            read = value.owner
            if isinstance(read, tile.ReadOp) and value.has_one_use() and _is_there(read, write):
                return _Update(read, combine, term, write)
        return None


def _is_there(read: tile.ReadOp, write: tile.WriteOp) -> bool:
    """Whether a read is of the place that is written to, all of it."""
    same = read.memory is write.memory and read.coordinates == write.coordinates
    return same and list(read.operands) == [v for v in write.operands if v is not write.value] and read.mask is None


def _summed(programs: ProgramsOp, axis: int) -> ProgramsOp:
    """The programs, along an axis as iterations of a loop; as they are where they don't all update one place."""
    block, differs = programs.body.block, varying(programs, axis)
    writes = [op for op in block.ops if isinstance(op, tile.WriteOp) and differs.isdisjoint(_place(op))]
    updates = [found for write in writes if (found := _Update.of(write)) is not None]
    if programs.grid[axis] == 1 or not updates or len(updates) < len(writes):
        return programs
    mine = {op for found in updates for op in (found.read, found.write)}
    memories = [found.write.memory for found in updates]
    others = [op for op in block.walk() if isinstance(op, AccessOp) and op not in mine]
    if len(set(memories)) < len(memories) or any(op.memory in memories for op in others):
        return programs
    if not are_apart(Repeated.programs(programs, axis), mine):
        return programs
    return _as_loop(programs, axis, updates)


def _place(op: tile.WriteOp) -> list[SSAValue]:
    """What says where it writes to."""
    return [operand for operand in op.operands if operand is not op.value]


def _as_loop(programs: ProgramsOp, axis: int, updates: list[_Update]) -> ProgramsOp:
    made = ProgramsOp([1 if n == axis else size for n, size in enumerate(programs.grid)], anonymous=True)
    made.location = programs.location
    Emitter.before(programs).add(made)
    emit = Emitter.at_end(made.body.block, programs.location)
    build = TileBuilder(emit)
    values: dict[SSAValue, SSAValue] = dict(zip(programs.ids, made.ids, strict=True))
    for before, after in zip(programs.ids, made.ids, strict=True):
        after.name_hint = before.name_hint
    starts = [neutral(type(found.combine), _wide(found.term), tile.shape_of(found.term), build) for found in updates]
    low, high, step = (emit.index(number) for number in (0, programs.grid[axis], 1))
    inside = Block(arg_types=[low.type, *(start.type for start in starts)])
    loop = emit.add(ForOp(low, high, step, starts, Region(inside)))
    values[programs.ids[axis]] = inside.args[0]
    inside.args[0].name_hint = programs.ids[axis].name_hint
    left_out = {op for found in updates for op in (found.read, found.combine, found.write)}
    for op in programs.body.block.ops:
        if op not in left_out:
            Emitter.at_end(inside, op.location).add(op.clone(values))
    ends = list[SSAValue]()
    for found, before in zip(updates, inside.args[1:], strict=True):
        body = TileBuilder(Emitter.at_end(inside, found.combine.location))
        term = body.cast(values.get(found.term, found.term), tile.element_of(before))
        ends.append(body.emit.value(type(found.combine).create(operands=[before, term], result_types=[before.type])))
    Emitter.at_end(inside, programs.location).add(YieldOp(*ends))
    for found, total in zip(updates, loop.results, strict=True):
        _add(found, total, values, made.body.block)
    programs.detach()
    programs.erase()
    return made


def _add(found: _Update, total: SSAValue, values: Mapping[SSAValue, SSAValue], block: Block) -> None:
    """Combines memory with the total."""
    build = TileBuilder(Emitter.at_end(block, found.write.location))
    known = {old: values.get(old, old) for old in found.read.operands}
    old = build.emit.add(found.read.clone(known)).results[0]
    old.name_hint = found.read.result.name_hint
    wide = build.cast(old, tile.element_of(total))
    new = build.emit.value(type(found.combine).create(operands=[wide, total], result_types=[total.type]))
    build.emit.add(found.write.clone({**known, found.write.value: build.cast(new, tile.element_of(old))}))


def _wide(value: SSAValue) -> Attribute:
    """The type that numbers like a value are added up in."""
    element = tile.element_of(value)
    return f32 if isinstance(element, AnyFloat) and dtype(element).bytes < dtype(f32).bytes else element
