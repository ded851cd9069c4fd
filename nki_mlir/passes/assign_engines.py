"""assign-engines: work goes to the engine that has time for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.indices import enclosing_loops, is_run_time, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.tile_spans import users
from nki_mlir.costs.operations import Work
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.neuron_engine import EngineInstruction, view_of
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.combine_functions import factor_and_summand
from nki_mlir.passes.combine_rows import SumsOfRows
from nki_mlir.passes.combine_rules import OF_ALL, RULES
from nki_mlir.passes.combiner import Combiner, access_of, erase_unread, is_float, operands_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.region_costs import Costs, changed, load_of, relieved

REPEATED = 4
"""From so many iterations on, a loop is as slow as its busiest resource, and not as its longest chain."""
LONG = 256
"""So many instructions in all have the same effect: there are several chains in an iteration."""
_MOST_ROWS = 16
"""So many rows at most are added up one by one."""
_LONGER = 1.0
"""Row by row, a sum may take so many times as long: what waits for it waits longer."""
SHORT = 200.0
"""ns up to which an instruction is short: a few elements on each partition."""
_EXACT_BYTES = 2
"""Integers of so many bytes are exact in fp32, as which all engines compute."""


@dataclass(frozen=True)
class AssignEngines(LevelPass):
    """Moves instructions of loops from the busiest engine to others that do the same, while the loop gains by it:

        tensor_scalar vector op0 multiply data %x operand0 %s  =>  activation scalar op copy data %x scale %s
        tensor_reduce vector op add data %x                    =>  activation_reduce scalar op copy data %x reduce_res …
        activation scalar op copy data %x                      =>  tensor_copy vector src %x

    Sums of a few rows are made one by one there. Loads are those of the cost model: engines, memory ports and
    transfers. What is short, and only the next iteration reads, such as a running sum that is scaled, goes to an engine
    without long work if the one that has it would wait in each iteration for another one, and that for it:

        %m = tensor_reduce vector op maximum data %x               %m = tensor_reduce vector op maximum data %x
        %s = activation_reduce scalar op exp data %x bias %m  =>   %s = activation_reduce scalar op exp data %x bias %m
        %n = tensor_tensor vector op add data1 %sum data2 %s       %n = tensor_tensor gpsimd op add data1 %sum data2 %s
        yield %n                                                   yield %n

    Only floating-point numbers move, and integers that are read and exact in fp32, as engines differ in others. Left
    alone: loops of few iterations, loops that transfers bound, and GpSimd where it triggers transfers, which wait for
    tiles.
    """

    name = "assign-engines"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for loop in [inner for inner in operations(func) if isinstance(inner, ForOp)]:
                if not is_run_time(loop) and is_long(loop):
                    _Assignment(func, loop.body.block).run()
            erase_unread(func)


def is_long(loop: ForOp) -> bool:
    """Counted with the loops around it: their iterations overlap, too."""
    trips = math.prod(trip_count(one) or 0 for one in (loop, *enclosing_loops(loop)))
    return trips >= REPEATED or trips * sum(isinstance(op, EngineInstruction) for op in loop.body.walk()) >= LONG


class _Assignment:
    """`work` is the load of a loop's body, `cost` what an instruction has of it."""

    def __init__(self, func: FuncOp, block: Block):
        self.block, self.target = block, target_of(func)
        self.combiner = Combiner(func, RULES, OF_ALL)
        self.costs = Costs(self.target)
        self.work: Work = load_of(block, self.costs).work
        self.cost = cache(self._cost)

    def _cost(self, op: EngineInstruction) -> Work:
        return self.costs.of(op).work

    def run(self) -> None:
        mine = [op for op in self.block.ops if isinstance(op, EngineInstruction)]
        triggers = {op.engine.data for op in mine if op.instruction.is_transfer}
        movable = [op for op in mine if op.tiles and not op.instruction.is_transfer and not op.has_state]
        for op in sorted(movable, key=lambda op: -max(self.cost(op).values())):
            self._improve(op, triggers)
        while self.combiner.added:
            self.combiner.combine(self.combiner.added.pop())
        for op in [op for op in self.block.ops if isinstance(op, EngineInstruction) and len(op.tiles) == 1]:
            self._follow(op)
        for op in self._last():
            self._leave(op)

    def _follow(self, op: EngineInstruction) -> None:
        """What is short goes to the one engine that makes what it reads and reads what it gives, if that has time for
        it: elsewhere it would wait behind long work of another tile, or long work would wait for it."""
        if not self._is_short(op):
            return
        made = {view.source.owner for value in op.operands if (view := view_of(value)) is not None}
        beside = [*made, *(user for user, _ in users(op.tiles[0]))]
        engines = {
            one.engine.data
            for one in beside
            if isinstance(one, EngineInstruction) and one.parent is op.parent and not one.instruction.is_transfer
        }
        if len(engines) != 1 or op.engine.data in engines:
            return
        for found in self._alternatives(op):
            after = self._moved(op, [found])
            if found.engine.data in engines and max(after.values()) <= max(self.work.values()):
                self.work = after
                self._replace(op, found)
                return
            found.detach()
            found.erase()

    def _last(self) -> list[EngineInstruction]:
        """What is short, and gives what only the next iteration reads, or others of these do, in order."""
        found, end = dict[Operation, EngineInstruction](), self.block.last_op
        if end is None or not end.operands:
            return []
        for op in reversed(self.block.ops):
            if isinstance(op, EngineInstruction) and len(op.tiles) == 1:
                readers = {user for user, _ in users(op.tiles[0])}
                if all(user in found or user is end for user in readers) and self._is_short(op):
                    found[op] = op
        return [*reversed(found.values())]

    def _leave(self, op: EngineInstruction) -> None:
        """What waits for an engine that waits for long work of its own goes to one that has none, and no transfers: the
        long work of the next iteration is not behind it then. Both engines in turn must take longer than all else."""
        mine, others = op.engine.data, [one for one in self._made_of(op) if one.engine != op.engine]
        asked = {one.engine.data for one in others if self._hangs_on(one, mine)}
        in_turn = max((self.work[mine.value] + self.work[engine.value] for engine in asked), default=0.0)
        if in_turn <= max(self.work.values()):
            return
        instructions = (one for one in self.block.ops if isinstance(one, EngineInstruction))
        taken = {one.engine.data for one in instructions if not self._is_short(one)}
        for found in self._alternatives(op):
            after = self._moved(op, [found])
            if found.engine.data not in taken and max(after.values()) <= max(self.work.values()):
                self.work = after
                self._replace(op, found)
                return
            found.detach()
            found.erase()

    def _hangs_on(self, op: EngineInstruction, engine: Engine) -> bool:
        """Whether an instruction needs, in the same iteration, what long work of an engine gives."""
        todo, seen = [op], {op}
        while todo:
            for one in self._made_of(todo.pop()):
                if one.engine.data is engine and not self._is_short(one):
                    return True
                if one not in seen:
                    seen.add(one)
                    todo.append(one)
        return False

    def _made_of(self, op: EngineInstruction) -> list[EngineInstruction]:
        """The instructions of the body that made what one reads, transfers left out."""
        made = (view.source.owner for value in op.operands if (view := view_of(value)) is not None)
        found = (one for one in made if isinstance(one, EngineInstruction) and one.parent is self.block)
        return [one for one in found if not one.instruction.is_transfer]

    def _is_short(self, op: EngineInstruction) -> bool:
        """Whether an instruction that may be anywhere is one of a few elements on each partition."""
        if op.has_state or op.instruction.is_transfer:
            return False
        return max(self.cost(op).values()) <= SHORT

    def _improve(self, op: EngineInstruction, triggers: set[Engine]) -> None:
        busiest, now = max(self.work.values()), self.cost(op)
        if not any(self.work[name] == busiest for name in now):
            return
        best, least = list[EngineInstruction](), relieved(self.work, [now])
        for found in (*([one] for one in self._alternatives(op)), self._by_rows(op)):
            after = max(self._moved(op, found).values())
            if found and after < least and not (found[-1].engine.data is Engine.GPSIMD and Engine.GPSIMD in triggers):
                found, best, least = best, found, after
            self._erased(found)
        if best:
            self.work = self._moved(op, best)
            self._replace(op, best[-1])

    def _replace(self, op: EngineInstruction, made: EngineInstruction) -> None:
        tiles = [made.tiles[-1]] if made.is_a("activation_reduce") else made.tiles
        for old, new in zip(op.tiles, tiles, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
        op.detach()
        op.erase()

    def _moved(self, op: EngineInstruction, made: Sequence[EngineInstruction]) -> Work:
        """The load of the body with some instructions in place of another."""
        return changed(self.work, [self.cost(op)], [self.cost(one) for one in made])

    def _erased(self, made: Sequence[EngineInstruction]) -> list[EngineInstruction]:
        """None: some instructions, each of which may write behind the one before, go."""
        for op in reversed(made):
            for view in [use.operation for tile in op.tiles for use in tile.uses]:
                view.detach()
                view.erase()
            op.detach()
            op.erase()
        return []

    def _by_rows(self, op: EngineInstruction) -> list[EngineInstruction]:
        """A sum for each of a few rows, which the Scalar engine adds up one by one; none where that isn't so."""
        dst, fields, made = access_of(op.operand_value("dst")), op.fields(), list[EngineInstruction]()
        if not op.is_a("tensor_reduce") or dst is None or not 1 < dst.free_elements <= _MOST_ROWS:
            return made
        if fields["op"] is not Alu.ADD or fields["negate"] or not is_float(op.operand_value("data")):
            return made
        given, into = operands_of(op), self.combiner.destination(op, "dst", op)
        sums = SumsOfRows.of(self.combiner, Function.COPY, {"data": given["data"]}, given["data"], into)
        for number in range(dst.free_elements if sums is not None else 0):
            one = sums and sums.row(number, op, Emitter.before(op), made[-1] if made else None)
            if one is None:
                break
            made.append(one)
        takes = sum(max(self.cost(one).values()) for one in made)
        return made if takes <= _LONGER * max(self.cost(op).values()) else self._erased(made)

    def _alternatives(self, op: EngineInstruction) -> Iterator[EngineInstruction]:
        """What does the same on other engines, each in front of the instruction."""
        if not all(_is_alike_everywhere(op, value) for value in op.operands if access_of(value) is not None):
            return
        given, fields, c = operands_of(op), op.fields(), self.combiner
        found = [
            c.build(op, op.instruction.name, given, on=engine, **fields)
            for engine in op.instruction.engines
            if engine is not op.engine.data
        ]
        match op.instruction.name:
            case "tensor_scalar" if (terms := factor_and_summand(c, op, op)) is not None:
                taken = {"dst": given["dst"], "data": given["data"], **terms}
                found.append(c.build(op, "activation", taken, op=Function.COPY))
            case "tensor_tensor" if fields["op"] is Alu.ADD:  # of one number on each partition
                taken = {"dst": given["dst"], "data": given["data1"], "bias": given["data2"]}
                found.append(c.build(op, "activation", taken, op=Function.COPY))
            case "tensor_reduce" if self._is_sum(op) and (data := given["data"]) is not None:
                taken = {"dst": c.scratch(data, op), "data": data, "reduce_res": given["dst"]}
                found.append(c.build(op, "activation_reduce", taken, op=Function.COPY))
            case "activation" if fields["op"] is Function.COPY and not (given["scale"] or given["bias"]):
                found.append(c.build(op, "tensor_copy", {"dst": given["dst"], "src": given["data"]}, on=Engine.VECTOR))
        yield from (made for made in found if made is not None)

    def _is_sum(self, op: EngineInstruction) -> bool:
        fields, dst = op.fields(), access_of(op.operand_value("dst"))
        return fields["op"] is Alu.ADD and not fields["negate"] and dst is not None and dst.free_elements == 1


def _is_alike_everywhere(op: EngineInstruction, value: SSAValue) -> bool:
    """Whether engines take, or give, the same numbers: floats, and integers that are read and that fp32 holds."""
    access = access_of(value)
    assert access is not None
    is_written = any(view.result is value for view in op.written())
    return is_float(value) or (not is_written and dtype(access.element_type).bytes <= _EXACT_BYTES)
