"""insert-semaphores: every dependence between instructions that may overlap gets a wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Block, Operation

from nki_mlir.analysis.dependences import Dependences, Edge, slots
from nki_mlir.analysis.program_order import Body, Step, program_of
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ISA
from nki_mlir.passes.numbering import Numbering
from nki_mlir.passes.registers import register_alu, register_move, registers_of


@dataclass(frozen=True)
class InsertSemaphores(LevelPass):
    """Makes streams keep the order that the program had:

        stream sync   { repeat 8 { dma_copy dst A … } }          … update <sem i0 mod 2 add 16>
        stream vector { repeat 8 { tensor_scalar data A … } }    … wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16>

    Each engine has one semaphore, raised by those of its instructions that something waits for: engines complete in
    order, so a count names an instance: behind a longer loop an instruction waits for the iteration whose work it
    needs, in a loop from that on in which it does. A DMA instruction has one for each slot of its buffer, or two where
    each iteration has bytes of its own, raised by 16 a transfer, with at most one transfer under way. Counts and
    thresholds are affine in the repeat counters; a slot is used again after the instance `depth` iterations before.
    Further waits of an instruction stand before it as event_semaphores.
    Every wait is for something earlier in program order, so the streams can't deadlock.

    What run-time control flow runs has semaphores of its own, which rise equally in each run, and a register that
    counts the runs: thresholds rise with that. A run ends in a barrier of the streams that take part:

        loop counter 1 bound <r0> region 0 {            … wait <sem 2 reaches 16 + 16 * r4>
          tensor_scalar data A … }               =>     event_semaphore update <sem 3 add 1>
                                                        register_alu_op op add dst 4 src <r4> imm <1> wait <sem 3 …> }

    In front of it, a stream waits for what its part of the region depends on, and behind it other streams for all of
    the stream's part. Removes `order`, `loop` (with `first` and `of`) and `region`.
    """

    name = "insert-semaphores"
    levels = (ISA,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.body.block.ops if isinstance(inner, isa.ProgramOp)]:
            aliases = {t.sym.data: t.alias.value.data for t in program.tensors() if t.alias is not None}
            for core in program.cores():
                _order(core, aliases)


def _order(core: isa.CoreOp, aliases: dict[str, int]) -> None:
    program = program_of(core)
    ordering = _Ordering(core, aliases, program)
    for body in program.inner:
        ordering.again(body)
    ordering.body(program, {}, [])
    for block in program.blocks.values():
        _place_waits(list(block.ops), ordering.waits, ordering.nests, {})


class _Ordering:
    """Gives the bodies of a core their semaphores, the innermost first. `waits` says what each instruction waits for,
    `nests` how often the repeats around it run; `used` counts semaphores, `registers` those of each stream."""

    def __init__(self, core: isa.CoreOp, aliases: dict[str, int], program: Body):
        self.aliases, self.program = aliases, program
        self.limits = target_of(core).limits
        self.used = 0
        self.registers = {engine: registers_of(block) for engine, block in program.blocks.items()}
        self.waits: dict[Operation, list[isa.Wait]] = {}
        self.nests: dict[Operation, Nest] = {}

    def body(self, body: Body, runs: Mapping[Engine, Expr], more: Sequence[Edge]) -> None:
        edges, numbers = self._numbered(body, runs, more)
        self.used += numbers.used
        for edge in (*numbers.needed(edges), *numbers.reuse):
            for text in edge.later.texts:
                self.waits.setdefault(text.op, []).extend(numbers.waits(edge, text))
        outside = [loop.trips for loop in body.outer]
        for step in body.steps:
            for text in step.texts:
                self.nests[text.op] = (*outside, *map(len, text.spans))
                if (update := numbers.update(step, text)) is not None:
                    _signal(step, text.op, update)

    def _numbered(self, body: Body, runs: Mapping[Engine, Expr], more: Sequence[Edge]) -> tuple[list[Edge], Numbering]:
        """Where there are too few semaphores, transfers of some iterations are under way once at a time, then all."""
        events = list(dict.fromkeys(step.event for step in body.steps))
        for fewer in ([], [event for event in events if not event.is_whole], events):
            for event in fewer:
                event.most = 1
            edges = Dependences(body.steps, self.aliases, more).edges
            numbers = Numbering(body, edges, range(self.used, self.limits.semaphores), runs)
            if numbers.lacking is None:
                return edges, numbers
        most = self.limits.semaphores
        message = (
            f"the kernel needs more than the {most} semaphores of a core for its transfers; larger blocks need fewer"
        )
        raise CompileError.at(numbers.lacking.steps[0].op, message)

    def again(self, body: Body) -> None:
        """A body that may run any number of times counts its runs in each stream, and ends in a barrier."""
        for inner in body.inner:
            self.again(inner)
        if body.steps:
            runs = {engine: Expr.register(self._count_runs(engine)) for engine in body.blocks}
            self.body(body, runs, list(_barrier(body, runs)))

    def _count_runs(self, engine: Engine) -> int:
        """A register of a stream that starts at 0."""
        number, block = self.registers[engine], self.program.blocks[engine]
        first = block.first_op
        assert first is not None
        if number >= self.limits.registers:
            message = f"run-time control flow needs more than the {self.limits.registers} registers of a sequencer"
            raise CompileError.at(first, message)
        self.registers[engine] += 1
        Emitter.before(first).add(register_move(number, Expr(0)))
        return number


def _barrier(body: Body, runs: Mapping[Engine, Expr]) -> Iterator[Edge]:
    """The end of a body: each stream with work in it says when that is complete, its transfers too; each that takes
    part waits until all have, and counts the run."""
    order = max(step.order for step in body.steps)
    arrivals: dict[Engine, Step] = {}
    for engine in dict.fromkeys(step.engine for step in body.steps):
        op = Emitter.at_end(body.blocks[engine], _location(body.blocks[engine])).add(isa.EventSemaphoreOp.create())
        arrivals[engine] = Step(op, engine, order + 1 + len(arrivals), ())
    for step in body.steps:
        if step.is_dma:
            yield Edge(step, arrivals[step.engine], 0, tuple(range(slots(step.event))))
    body.steps += arrivals.values()
    for engine, block in body.blocks.items():
        (number,) = runs[engine].registers()
        count = Emitter.at_end(block, _location(block)).add(
            register_alu(Alu.ADD, number, Expr.register(number), Expr(1))
        )
        departure = Step(count, engine, body.steps[-1].order + 1, ())
        yield from (Edge(arrival, departure, 0) for arrival in arrivals.values())
        body.steps.append(departure)


def _location(block: Block) -> LocationAttr:
    parent = block.parent_op()
    assert parent is not None
    return parent.location


def _signal(step: Step, op: Operation, update: isa.Update) -> None:
    """Makes an instruction raise a semaphore, or, of a region, an instruction behind it."""
    if step.region is None:
        op.properties["update"] = isa.UpdateAttr(update)
        return
    event = isa.EventSemaphoreOp.create(properties={"update": isa.UpdateAttr(update)})
    event.location = op.location
    assert op.parent is not None
    op.parent.insert_ops_after([event], op)


MOST_RUNS = 2**31 - 1

Known = dict[tuple[Expr, Expr], int]
"""Waits of a stream so far: by semaphore and threshold without its constant, the largest constant."""

Nest = tuple[int, ...]
"""How often each of the repeats around an instruction runs, the outermost first."""


def _place_waits(
    ops: list[Operation],
    waits: dict[Operation, list[isa.Wait]],
    nests: dict[Operation, Nest],
    known: Known,
) -> None:
    """Writes the waits into a stream, leaving out those that an earlier wait of the stream covers."""
    known = dict(known)
    for op in ops:
        for mark in ("loop", "first", "trips", "order", "region"):
            op.properties.pop(mark, None)
        needed: list[isa.Wait] = []
        for wait in sorted(waits.get(op, []), key=lambda w: -w.value.const):
            if _can_block(wait, nests[op]) and _is_news(wait, known):
                needed.append(wait)
        if needed and isinstance(op, isa.SequencerOp):
            op.properties["wait"] = isa.WaitAttr(needed.pop())
        emit = Emitter.before(op)
        for wait in needed:
            emit.add(isa.EventSemaphoreOp.create(properties={"wait": isa.WaitAttr(wait)}))
        for region in op.regions:
            for block in region.blocks:
                _place_waits(list(block.ops), waits, nests, known)


def _is_news(wait: isa.Wait, known: Known) -> bool:
    """Whether no wait before is for the same semaphore to reach at least as much; notes this one."""
    event = wait.semaphore, wait.value - wait.value.const
    if known.get(event, wait.value.const - 1) >= wait.value.const:
        return False
    known[event] = wait.value.const
    return True


def _can_block(wait: isa.Wait, nest: Nest) -> bool:
    """Whether the threshold is ever above zero."""
    return wait.value.bounds(lambda key: (0, nest[key] - 1 if isinstance(key, int) else MOST_RUNS))[1] > 0
