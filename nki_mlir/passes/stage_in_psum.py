"""stage-in-psum: what Vector combines with another tile comes from PSUM, where that is read beside SBUF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import enclosing_loops, is_run_time
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.psum_use import PsumUse
from nki_mlir.costs.operations import Work
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Function
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, view_of
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.assign_engines import is_long
from nki_mlir.passes.combine_functions import factor_and_summand
from nki_mlir.passes.combine_rules import OF_ALL, RULES
from nki_mlir.passes.combiner import Combiner, access_of, erase_unread, is_read_once, keeps_bits, maker, operands_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.psum_copies import Copies
from nki_mlir.passes.region_costs import Costs, changed, load_of, relieved
from nki_mlir.passes.rows import Rows

_SHARE = 2
"""What copies take of the room is one part in so many."""
SUMS = 2
"""So many slots stay for each of the sums of products that a loop makes in PSUM."""

_TILES = {"tensor_tensor": ("data1", "data2"), "scalar_tensor_tensor": ("data", "operand1")}
"""What combines two tiles, and as which operands."""


@dataclass(frozen=True)
class StageInPsum(LevelPass):
    """Leaves what lies between instructions of a loop in PSUM, where Vector then combines it with a tile in SBUF at
    twice the rate, as it reads both memories at once:

        %a = scalar_tensor_tensor vector            %s = activation scalar op copy data %x scale %r : psum
               op0 multiply op1 multiply       =>   %a = tensor_tensor vector op multiply data1 %s data2 %w : psum
               data %x operand0 %r operand1 %w      %b = tensor_tensor vector op add data1 %a data2 %v : sbuf
        %b = tensor_tensor vector op add …

    One instruction with a scalar and a tile, which has one rate wherever they are, becomes two. What is longer than
    PSUM is done in equal pieces. What many elements read alike, such as a row that is combined with several, is copied
    there once, in front of the loop if it is there. Results don't change. Left alone: where what keeps the loop busiest
    is not relieved; what is rounded on the way, or read by several; where sums of products leave no room for it beside
    two of each of them; loops of few iterations.
    """

    name = "stage-in-psum"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for loop in [inner for inner in operations(func) if isinstance(inner, ForOp)]:
                ends = [op for op in loop.body.block.ops if _combines_tiles(op)]
                if ends and not is_run_time(loop) and is_long(loop):
                    _Staging(func, loop).run(ends)
            erase_unread(func)


def _combines_tiles(op: Operation) -> TypeGuard[EngineInstruction]:
    """Whether it reads two tiles, on Vector."""
    return isinstance(op, EngineInstruction) and op.instruction.name in _TILES and op.engine.data is Engine.VECTOR


class _Step(NamedTuple):
    """An instruction of a chain, and the operand that is what the one before makes."""

    op: EngineInstruction
    takes: str | None


class _Staging:
    """Of the body of a loop, the load of which is `work`; `room` is bytes of each partition of PSUM."""

    def __init__(self, func: FuncOp, loop: ForOp):
        self.target, self.loop = target_of(func), loop
        self.combiner = Combiner(func, RULES, OF_ALL)
        self.costs = Costs(self.target)
        self.work: Work = load_of(loop.body.block, self.costs).work
        outer, memory = (loop, *enclosing_loops(loop))[-1], self.target.memory
        sums = sum(one.banks for one in PsumUse(func, self.target).sums if outer.is_ancestor(one.op))
        self.room = (memory.psum_banks - SUMS * sums) * (memory.psum_bytes // memory.psum_banks)

    def run(self, ends: Sequence[EngineInstruction]) -> None:
        """Stages the chains that end with some of these, from the last one on."""
        done = set[EngineInstruction]()
        for op in reversed(ends):
            if op not in done:
                chain = list(_backwards(op))[::-1]
                done |= {step.op for step in chain}
                if len(chain) > 1 or op.is_a("scalar_tensor_tensor"):
                    self._stage(chain)
        copies = Copies(self.combiner, self.loop, self.work, self.room // _SHARE)
        copies.read_by([op for op in self.loop.body.block.ops if _combines_tiles(op)])

    def _stage(self, chain: Sequence[_Step]) -> None:
        """Puts what relieves the loop most in the place of a chain."""
        length, tail = self._length(chain), chain[-1].op
        if length is None:
            return
        now = [self.costs.of(step.op).work for step in chain]
        least = relieved(self.work, now)
        best: _Pieces | None = None
        for split_on in (Engine.SCALAR, Engine.VECTOR):
            found = _Pieces(self.combiner, chain, length, split_on)
            if found.are_made():
                work = changed(self.work, now, [self.costs.of(op).work for op in found.ops])
                if max(work.values()) < least:
                    found, best, least = best, found, max(work.values())
            if found is not None:
                found.erase()
        if best is not None:
            self.work = changed(self.work, now, [self.costs.of(op).work for op in best.ops])
            self.combiner.replace(tail.tiles, best.ops[-1], [step.op for step in reversed(chain)])

    def _length(self, chain: Sequence[_Step]) -> int | None:
        """Elements of as few equal pieces of a chain as have room; None where there is none."""
        result = access_of(chain[-1].op.operand_value("dst"))
        assert result is not None
        most, size = self.room // dtype(f32).bytes, result.free_elements
        return next((size // n for n in range(1, size + 1) if size % n == 0 and size // n <= most), None)


def _backwards(tail: EngineInstruction) -> Iterator[_Step]:
    """What ends with an instruction, from there on to the front: each makes what only the next one reads."""
    op: EngineInstruction | None = tail
    while op is not None:
        made = {name: found for name in _TILES.get(op.instruction.name, ()) if (found := _before(op, name)) is not None}
        takes = next(iter(made), None)
        yield _Step(op, takes)
        op = None if takes is None else made[takes]


def _before(op: EngineInstruction, name: str) -> EngineInstruction | None:
    """What makes an operand, if that could be in PSUM."""
    made = maker(op.operand_value(name))
    if made is None or made.parent is not op.parent or made.engine.data not in (Engine.VECTOR, Engine.SCALAR):
        return None
    dst, access = made.instruction.operand("dst"), access_of(made.operand_value("dst"))
    if len(made.tiles) != 1 or made.has_state or dst.shape != "full" or dst.partial or not keeps_bits(made):
        return None
    return made if access is not None and access.space is Space.SBUF and is_read_once(made) else None


class _Pieces:
    """A chain, done anew in pieces of so many elements in front of its end. What has a scalar and a tile becomes two,
    the first of which is on an engine of its own."""

    def __init__(self, c: Combiner, chain: Sequence[_Step], length: int, split_on: Engine):
        self.c, self.chain, self.length, self.split_on = c, chain, length, split_on
        self.tail = chain[-1].op
        self.emit = Emitter.before(self.tail)
        self.ops = list[EngineInstruction]()

    def erase(self) -> None:
        """Erases the instructions, and the views of what they made."""
        for op in reversed(self.ops):
            for view in [use.operation for tile in op.tiles for use in tile.uses]:
                view.detach()
                view.erase()
            op.detach()
            op.erase()

    def are_made(self) -> bool:
        """Makes them, as far as they are legal."""
        views = [view for step in self.chain for view in step.op.views().values()]
        result = view_of(self.tail.operand_value("dst"))
        if result is None or any(view.is_limited for view in views):
            return False
        into: SSAValue | None = result.source
        for number in range(result.access.free_elements // self.length):
            into = None if into is None else self._piece(number, into)
        return into is not None

    def _piece(self, number: int, into: SSAValue) -> SSAValue | None:
        """One of them, its result in a part of a tile; gives that tile."""
        value: SSAValue | None = None
        for step in self.chain:
            rest = {o.name: step.op.operand_value(o.name) for o in step.op.instruction.operands if o.shape == "full"}
            parts = {name: self._part(v, number) for name, v in rest.items() if name not in ("dst", step.takes)}
            dst = self._part(rest["dst"], number, into) if step.op is self.tail else self._staged(step.op)
            if dst is None or None in parts.values():
                return None
            given = {**operands_of(step.op), **parts, "dst": dst}
            if step.takes is not None:
                given[step.takes] = value
            made = self._done(step.op, given)
            if made is None:
                return None
            value = self._read(made)
        return self.ops[-1].tiles[0]

    def _done(self, op: EngineInstruction, given: dict[str, SSAValue | None]) -> EngineInstruction | None:
        """One step of a piece, as one instruction or two."""
        fields = op.fields()
        if op.is_a("scalar_tensor_tensor"):
            names = ("data2", "data1") if fields["reverse1"] else ("data1", "data2")
            first = {"dst": self._staged(op), "data": given["data"], "operand0": given["operand0"]}
            scaled = self._scaled(op, first)
            if scaled is None:
                return None
            given = {"dst": given["dst"], names[0]: self._read(scaled), names[1]: given["operand1"]}
            return self._add(self.c.build(self.tail, "tensor_tensor", given, on=Engine.VECTOR, op=fields["op1"]))
        return self._add(self.c.build(self.tail, op.instruction.name, given, on=op.engine.data, **fields))

    def _scaled(self, op: EngineInstruction, first: dict[str, SSAValue | None]) -> EngineInstruction | None:
        """The operator with a scalar."""
        fields = {name: op.fields()[name] for name in ("op0", "reverse0")}
        plain = self.c.build(self.tail, "tensor_scalar", first, on=Engine.VECTOR, **fields)
        if plain is None or self.split_on is Engine.VECTOR:
            return self._add(plain)
        terms, made = factor_and_summand(self.c, plain, plain), None
        if terms is not None:
            given = {"dst": first["dst"], "data": first["data"], **terms}
            made = self.c.build(self.tail, "activation", given, on=self.split_on, op=Function.COPY)
        plain.detach()
        plain.erase()
        return self._add(made)

    def _add(self, made: EngineInstruction | None) -> EngineInstruction | None:
        if made is not None:
            self.ops.append(made)
        return made

    def _part(self, value: SSAValue | None, number: int, source: SSAValue | None = None) -> SSAValue | None:
        """A piece of a view, in another value where that has taken the place of the view's."""
        rows = Rows.of(value, self.length)
        return None if rows is None else rows.row(number, self.emit, source)

    def _staged(self, op: EngineInstruction) -> SSAValue:
        """A view of a new tile in PSUM for a piece of what an instruction makes."""
        view = view_of(op.operand_value("dst"))
        assert view is not None
        partitions = view.access.partitions
        lanes = [replica(partitions)] if partitions > 1 else []
        layout = Layout.of((self.length,), lanes, [Factor(0, self.length)])
        label = view.source.owner.label if isinstance(view.source.owner, EmptyOp) else None
        tile = EmptyOp(TileType.of(Space.PSUM, layout, f32), None if label is None else label.data)
        access = Access(Space.PSUM, f32, ((1, self.length),), 0, partitions)
        return self.emit.value(ViewOp(self.emit.value(tile), access))

    def _read(self, made: EngineInstruction) -> SSAValue:
        """A view of what an instruction made."""
        view = view_of(made.operand_value("dst"))
        assert view is not None
        return self.emit.value(ViewOp(made.tiles[0], view.access, view.offset))
