"""The program that a set of streams was dealt out from: every instruction with its loops, in program order.

A stream may have an instruction in several texts, each for some iterations of its loops, as limits cut it differently.
Texts that reach the same are one `Step`; what a semaphore counts is an `Event`, the steps of one instruction together.

What runs as often as run-time control flow says (a loop's body, a side of a branch) is a `Body` of its own. In the body
around it a region of control flow is one step in each stream that enters it: dependences across its border are of the
region as a whole. Nothing is known of what is in registers: an access whose address is in one may touch all its memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from xdsl.ir import Block, Operation

from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions.dma import INDEX_OPERANDS
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError

MOST_ELEMENTS = 2**40
"""More than a tensor has."""


class Loop(NamedTuple):
    """A repeat of the program, present in every stream that has work in it."""

    number: int
    trips: int


@dataclass(frozen=True)
class Outer:
    """The counter of a repeat around a body, the `depth`-th of its stream: it stands still while the body runs."""

    depth: int
    trips: int


Spans = tuple[range, ...]
"""Consecutive iterations of each loop of a nest."""


def range_of(key: object, spans: Spans) -> tuple[int, int]:
    """The inclusive range of a counter: that of a repeat inside a body, or of one outside."""
    if isinstance(key, Outer):
        return 0, key.trips - 1
    assert isinstance(key, int)
    return spans[key].start, spans[key].stop - 1


@dataclass(eq=False)
class Body:
    """What runs from its first step to its last whenever it runs: the program, the body of a run-time loop, a side of a
    branch (then `again`: it may run any number of times). `blocks` are its text, one in each stream that takes part;
    `outer` the repeats around it, from the outermost; counters of addresses count from those on."""

    outer: tuple[Loop, ...] = ()
    again: bool = False
    blocks: dict[Engine, Block] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    inner: list[Body] = field(default_factory=list)


@dataclass(frozen=True)
class Text:
    """An operation that says what a step does in some of its iterations."""

    op: Operation
    spans: Spans


@dataclass(eq=False)
class Step:
    """One instruction of the text, at place `order` of the program, inside `loops` (outermost first, those of its body
    alone), of which it runs in iterations `spans`, by default all; or, under the number `region`, what one stream does
    in run-time control flow, in which the streams `entered` take part. `transfers` says whether DMA carries any of it
    out, `again` whether its body may run any number of times."""

    op: Operation
    engine: Engine
    order: int
    loops: tuple[Loop, ...]
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    region: int | None = None
    entered: frozenset[Engine] = frozenset()
    transfers: bool = False
    again: bool = False
    spans: Spans = ()

    def __post_init__(self) -> None:
        self.spans = self.spans or tuple(range(loop.trips) for loop in self.loops)
        self.texts = [Text(self.op, self.spans)]
        self.event = Event([self])

    @property
    def name(self) -> str:
        return self.op.name.rsplit(".", 1)[1]

    @cached_property
    def is_dma(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and self.op.instruction.is_transfer

    @cached_property
    def is_matmul(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and self.op.instruction.array == "multiply"

    @property
    def is_whole(self) -> bool:
        """Whether it runs in all iterations of its loops."""
        return is_whole(self.loops, self.spans)

    def runs_with(self, other: Step) -> bool:
        """Whether it runs in every iteration of the loops that both are in in which the other one does."""
        return all(within(other.spans[k], self.spans[k]) for k in range(len(common_loops(self, other))))


class Event:
    """The completions of an instruction in a box of iterations, `spans` of `loops`: those of some steps. A transfer may
    be under way at most `most` times."""

    def __init__(self, steps: list[Step]):
        self.most = MOST_ELEMENTS
        self.steps = steps
        self.loops, self.engine = steps[0].loops, steps[0].engine
        self.spans = hull(step.spans for step in steps)

    @property
    def order(self) -> int:
        return self.steps[0].order

    @property
    def is_whole(self) -> bool:
        """Whether it happens in all iterations."""
        return is_whole(self.loops, self.spans)

    @property
    def is_run(self) -> bool:
        """Whether its iterations, counted through, follow one another."""
        return is_whole(self.loops[1:], self.spans[1:])

    @property
    def instances(self) -> int:
        return volume(self.spans)


StepT = TypeVar("StepT", bound=Step)


def is_whole(loops: Sequence[Loop], spans: Sequence[range]) -> bool:
    return all(len(span) == loop.trips for loop, span in zip(loops, spans, strict=True))


def within(inner: range, outer: range) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


def volume(spans: Iterable[range]) -> int:
    """How many iterations of a nest these are."""
    return math.prod(len(span) for span in spans)


def hull(boxes: Iterable[Spans]) -> Spans:
    """The smallest box around some."""
    return tuple(range(min(s.start for s in at), max(s.stop for s in at)) for at in zip(*boxes, strict=True))


def is_box(boxes: Sequence[Spans]) -> bool:
    """Whether boxes that have nothing in common are one together."""
    return sum(map(volume, boxes)) == volume(hull(boxes))


def in_order(steps: Iterable[StepT]) -> list[StepT]:
    """Steps in program order, each of one text: those of one instruction that reach the same become one, and they share
    an event, where they are a box together. Raises CompileError where two instructions have one place."""
    ordered: list[StepT] = []
    for _, found in itertools.groupby(sorted(steps, key=_place), lambda step: step.order):
        texts = list(found)
        for a, b in itertools.combinations(texts, 2):
            if a.loops != b.loops or a.name != b.name or _meet(a.spans, b.spans):
                raise CompileError.at(b.op, f"two instructions have order {b.order}")
        ordered += _joined(texts)
    return ordered


def _place(step: Step) -> tuple[int, tuple[int, ...]]:
    return step.order, tuple(span.start for span in step.spans)


def _meet(a: Spans, b: Spans) -> bool:
    return all(x.start < y.stop and y.start < x.stop for x, y in zip(a, b, strict=True))


def _two_of_a_box(steps: list[StepT]) -> tuple[StepT, StepT] | None:
    pairs = itertools.combinations(steps, 2)
    return next((pair for pair in pairs if is_box([step.spans for step in pair])), None)


def _joined(texts: list[StepT]) -> list[StepT]:
    """The texts of one instruction as steps and events."""
    if len(texts) == 1:
        return texts
    alike: dict[tuple[tuple[Access, ...], tuple[Access, ...]], list[StepT]] = {}
    for step in texts:
        alike.setdefault((tuple(step.reads), tuple(step.writes)), []).append(step)
    steps: list[StepT] = []
    for group in alike.values():
        while (pair := _two_of_a_box(group)) is not None:
            first, second = pair
            first.texts += second.texts
            first.spans = hull((first.spans, second.spans))
            first.event = Event([first])
            group.remove(second)
        steps += group
    if is_box([step.spans for step in steps]):
        event = Event(list(steps))
        for step in steps:
            step.event = event
    return sorted(steps, key=_place)


def common_prefix(a: tuple[Loop, ...], b: tuple[Loop, ...]) -> tuple[Loop, ...]:
    if a == b:
        return a
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return a[:shared]


def common_loops(a: Step, b: Step) -> tuple[Loop, ...]:
    return common_prefix(a.loops, b.loops)


def program_of(core: isa.CoreOp) -> Body:
    """All instructions of a core, with its run-time control flow. Raises CompileError where `order`, `loop` or `region`
    is missing."""
    return _Collection().program(core)


class _Collection:
    """`bodies` has those of each region by its number: one, or two of a branch; `entered` which streams enter it."""

    def __init__(self) -> None:
        self.bodies: dict[int, list[Body]] = {}
        self.entered: dict[int, set[Engine]] = {}

    def program(self, core: isa.CoreOp) -> Body:
        program = Body()
        for stream in core.items:
            if isinstance(stream, isa.StreamOp):
                program.blocks[stream.engine.data] = stream.body.block
                self.collect(stream.items, stream.engine.data, program, (), ())
        self._finish(program)
        return program

    def collect(
        self, ops: Iterable[Operation], engine: Engine, body: Body, loops: tuple[Loop, ...], spans: Spans
    ) -> None:
        for op in ops:
            match op:
                case isa.RepeatOp():
                    if op.loop is None:
                        raise CompileError.at(
                            op, "a repeat has no 'loop' number; insert-semaphores follows emit-streams"
                        )
                    first, trips = op.part
                    span = range(first, first + op.count.value.data)
                    loop = Loop(op.loop.value.data, trips)
                    self.collect(op.items, engine, body, (*loops, loop), (*spans, span))
                case isa.RunTimeOp() if op.region is not None:
                    self._region(op, op.region.value.data, engine, body, loops)
                case isa.CmpBranchOp() if not _reaches_memory(op):
                    pass
                case isa.RegisterMoveOp() | isa.RegisterAluOp():
                    pass
                case isa.IsaInstruction() | isa.RegisterLoadOp():
                    body.steps.append(_step(op, engine, loops, spans, body))
                case _:
                    raise CompileError.at(op, f"{op.name} is something that insert-semaphores does not order")

    def _region(self, op: isa.RunTimeOp, number: int, engine: Engine, body: Body, loops: tuple[Loop, ...]) -> None:
        sides = [op.body, op.otherwise] if isinstance(op, isa.CmpBranchOp) else [op.body]
        if number not in self.bodies:
            self.bodies[number] = [Body((*body.outer, *loops), again=True) for _ in sides]
            self.entered[number] = set()
            body.inner += self.bodies[number]
        self.entered[number].add(engine)
        step = Step(op, engine, MOST_ELEMENTS, loops, region=number)
        for inner, side in zip(self.bodies[number], sides, strict=True):
            if not side.blocks:
                side.add_block(Block())
            inner.blocks[engine] = side.block
            before = len(inner.steps)
            self.collect(side.block.ops, engine, inner, (), ())
            for one in inner.steps[before:]:
                step.order = min(step.order, one.order)
                step.transfers = step.transfers or one.transfers
                step.reads += [_whole(access, one.spans, body) for access in one.reads]
                step.writes += [_whole(access, one.spans, body) for access in one.writes]
        if step.order < MOST_ELEMENTS:
            body.steps.append(step)

    def _finish(self, body: Body) -> None:
        """Brings the steps into program order; in each body of a region all that enter the region take part."""
        for step in body.steps:
            if step.region is not None:
                step.entered = frozenset(self.entered[step.region])
        body.steps = in_order(body.steps)
        for inner in body.inner:
            self._finish(inner)


def _reaches_memory(op: Operation) -> bool:
    return any(not isinstance(inner, isa.RegisterMoveOp | isa.RegisterAluOp | isa.CmpBranchOp) for inner in op.walk())


def _step(
    op: isa.IsaInstruction | isa.RegisterLoadOp, engine: Engine, loops: tuple[Loop, ...], spans: Spans, body: Body
) -> Step:
    if op.order is None:
        raise CompileError.at(op, "an instruction has no 'order'; insert-semaphores follows emit-streams")
    if op.wait is not None or op.update is not None:
        raise CompileError.at(op, "an instruction already waits for or updates a semaphore")
    step = Step(op, engine, op.order.value.data, loops, again=body.again, spans=spans)
    step.transfers = step.is_dma
    if isinstance(op, isa.RegisterLoadOp):
        step.reads.append(_inside(_known(op.src.data, op), body, loops, spans))
        return step
    indirect = any(name in op.properties for name in INDEX_OPERANDS)
    for name, access in op.accesses().items():
        touched = _whole_tensor(access) if indirect and not access.on_chip else _known(access, op)
        touched = _inside(touched, body, loops, spans)
        writes = op.instruction.operand(name).role == "dst"
        if writes:
            step.writes.append(touched)
        if not writes or op.instruction.operand(name).partial or "dst_rmw_op" in op.properties:
            step.reads.append(touched)
    return step


def _inside(access: Access, body: Body, loops: tuple[Loop, ...], spans: Spans) -> Access:
    """With the counters as a body has them: those of its loops count from the first iteration of the whole loop."""
    if not (body.outer or any(span.start for span in spans)):
        return access
    assert access.address is not None
    depth = len(body.outer)
    keys = {k: Expr.counter(Outer(k, loop.trips)) for k, loop in enumerate(body.outer)}
    keys |= {depth + k: Expr.counter(k) - span.start for k, span in enumerate(spans)}
    return replace(access, address=access.address.substitute(keys))


def _whole_tensor(access: Access) -> Access:
    """What a side may touch whose rows are known at run time only."""
    return replace(access, address=Expr(0), dims=((1, MOST_ELEMENTS),))


def _known(access: Access, op: Operation) -> Access:
    """The access, or, if its address is in a register, all of its memory that it may touch."""
    assert access.address is not None
    if not access.address.registers():
        return access
    if not access.on_chip:
        return _whole_tensor(access)
    memory = target_of(op).memory
    size = memory.sbuf_bytes if access.space is Space.SBUF else memory.psum_bytes
    return replace(access, address=Expr(0), dims=((1, size // access.itemsize),))


def _whole(access: Access, spans: Spans, body: Body) -> Access:
    """What an access of an inner body may touch while that runs, as one of the body around it: from the first byte to
    the last."""
    assert access.address is not None
    depth, kept, low, high = len(body.outer), Expr(access.address.const), 0, 0
    for term, coefficient in access.address.terms:
        part = Expr(0, ((term, coefficient),))
        if any(isinstance(key, int) for key in part.counters()):
            first, last = part.bounds(lambda key: range_of(key, spans))
            low, high = low + first, high + last
        else:
            ours = (key for key in part.counters() if isinstance(key, Outer) and key.depth >= depth)
            kept = kept + part.substitute({key: Expr.counter(key.depth - depth) for key in ours})
    if low == high:
        return replace(access, address=kept + low)
    first, end = access.extent
    count = -(-(high + end - low - first) // access.itemsize)
    return replace(access, address=kept + low + first, dims=((1, count),))
