"""scan-loops: iterations that make each state of the one before are done at once, as a scan."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.independence import Repeated, are_apart, depending
from nki_mlir.analysis.indices import constant, trip_count
from nki_mlir.analysis.linear_states import Made, Part, Recurrence, Recurrences
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import normalize, replace_loop
from nki_mlir.passes.scan_widths import Steps
from nki_mlir.passes.tile_builder import TileBuilder
from nki_mlir.passes.widening import NotWidenable, Widening


@dataclass(frozen=True)
class ScanLoops(LevelPass):
    """Makes a dimension, the last, of the iterations of a loop whose state is `h = f * h + g`, and scans the states:

        scf.for %t = 0 to 512 iter_args(%h = %start) {
          %f = tile.read %a(%t) [512 * d0 + s0 by 1]         %f = tile.read %a [512 * d0 + d1 by 1]
          %g = tile.read %b(%t) [512 * d0 + s0 by 1]         %g = tile.read %b [512 * d0 + d1 by 1]
          %p = arith.mulf %f, %h                        =>   %s = tile.scan sum %g scale %f initial %start axis 1
          %s = arith.addf %p, %g                             tile.write %s to %y [512 * d0 + d1 by 1]
          tile.write %s to %y(%t) [512 * d0 + s0 by 1]
          scf.yield %s }

    for all iterations, or for as many at a time as had best be, each scan going on from the last state of the one
    before; a rest of the iterations is a step of its own. f and g may be anything that does not depend on the state, or
    be left out, and a state may be needed by another one. `width` sets how many iterations become one. Left alone:
    loops that carry anything else, need the state from before for anything else, write what another iteration touches
    or whose number of iterations is not known; what only adds up.
    """

    name = "scan-loops"
    levels = (TILE,)
    width: int | None = None

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.width is not None and self.width < 1:
            raise CompileError(f"scan-loops: width must be at least 1, got {self.width}")
        prices = Prices(target_of(op))
        for loop in [inner for inner in operations(op) if isinstance(inner, ForOp)]:
            scan = _Scan.of(loop)
            if scan is not None:
                width = scan.best(prices) if self.width is None else min(self.width, scan.trips)
                scan.run(width)


@dataclass
class _Scan:
    """A loop of `trips` iterations whose states are `known`; `differs` are the values that an iteration has for
    itself."""

    loop: ForOp
    trips: int
    known: Recurrences
    differs: set[SSAValue]

    @classmethod
    def of(cls, loop: ForOp) -> _Scan | None:
        """None for any other loop."""
        trips = trip_count(loop)
        if (constant(loop.lb), constant(loop.step)) != (0, 1):
            return None
        known = Recurrences.of(loop) if trips is not None and trips > 1 else None
        if trips is None or known is None or not any(one.is_read for one in known.found):
            return None
        if not are_apart(Repeated.loop(loop, trips)):
            return None
        body = loop.body.block
        differs = depending(body, {body.args[0], *known.states}) - known.dropped
        return None if any(_is_other(op, differs) for op in body.ops) else cls(loop, trips, known, differs)

    def best(self, prices: Prices) -> int:
        """How many iterations had best become one."""
        lanes = prices.target.memory.partitions
        return Steps.of(self.loop, self.trips, self.known, self.differs, lanes).best(prices)

    def run(self, width: int) -> None:
        """Does so many iterations at once, and a rest of them too; leaves the loop as it is where that can't be."""
        if width == 1:
            return
        whole, rest = divmod(self.trips, width)
        made: list[ForOp] = []
        try:
            made.append(self._steps(list(self.loop.iter_args), width, whole, 0))
            if rest:
                made.append(self._steps(list(made[0].results), rest, 1, self.trips - rest))
        except NotWidenable:
            for loop in reversed(made):
                loop.detach()
                loop.erase()
            return
        replace_loop(self.loop, list(made[-1].results))
        for loop in made:
            normalize(loop)

    def _steps(self, states: list[SSAValue], width: int, count: int, start: int) -> ForOp:
        """A loop of `count` steps, of `width` iterations each, from iteration `start` on. Raises NotWidenable."""
        old = self.loop.body.block
        block = Block(arg_types=[value.type for value in old.args])
        emit = Emitter.before(self.loop)
        made = ForOp(emit.index(0), emit.index(count), emit.index(1), states, Region(block))
        made.location = self.loop.location
        for before, after in zip(old.args, block.args, strict=True):
            after.name_hint = before.name_hint
        widening = Widening(
            old.args[0], width * count, width, self.differs, block.args[0], {}, {}, is_last=True, start=start
        )
        try:
            for op in old.ops:
                self._step(op, widening, block)
        except NotWidenable:
            made.erase()
            raise
        return emit.add(made)

    def _step(self, op: Operation, widening: Widening, block: Block) -> None:
        """An operation of the old loop, for the iterations of a step."""
        if isinstance(op, YieldOp):
            build = TileBuilder(Emitter.at_end(block, op.location))
            ends = [(widening.values[v], len(tile.shape_of(v))) for v in op.operands]
            build.emit.add(YieldOp(*(build.emit.value(tile.LastOp(value, rank)) for value, rank in ends)))
        elif op.results and op.results[0] in self.known.states:
            state = self.known.states[op.results[0]]
            widening.build = TileBuilder(Emitter.at_end(block, op.location))
            value = _scanned(state, block.args[state.carried.number + 1], widening)
            value.name_hint = op.results[0].name_hint
            widening.values[op.results[0]] = value
            widening.places[op.results[0]] = len(tile.shape_of(op.results[0]))
        elif self.known.dropped.isdisjoint(op.results) or not op.results:
            widening.block([op], block)


def _is_other(op: Operation, differs: set[SSAValue]) -> bool:
    """Whether an operation can't be done for several iterations at once: products, which have no room for another
    dimension, and control flow that is not the same for all."""
    inside = [value for inner in op.walk() for value in (*inner.operands, *inner.results)]
    return (isinstance(op, tile.DotOp) or bool(op.regions)) and not differs.isdisjoint(inside)


def _scanned(state: Recurrence, start: SSAValue, widening: Widening) -> SSAValue:
    """The states of a step's iterations."""
    axis = len(tile.shape_of(start))
    shape = (*tile.shape_of(start), widening.width)

    def built(part: Part) -> SSAValue:
        if isinstance(part, Made):
            return widening.build.emit.value(_operation(part.kind, [built(one) for one in part.operands]))
        return widening.wide(part, axis) if isinstance(part, SSAValue) else widening.build.float(part, shape)

    if state.addend == 0.0:
        scan = tile.ScanOp("product", built(state.factor), axis, initial=start)
    else:
        scale = None if state.factor == 1.0 else built(state.factor)
        scan = tile.ScanOp("sum", built(state.addend), axis, scale, initial=start)
    return widening.build.emit.value(scan)


def _operation(kind: type[Operation], operands: list[SSAValue]) -> Operation:
    """An elementwise operation whose result is like its last operand."""
    return kind.create(operands=operands, result_types=[operands[-1].type])
