"""Checks the order that the semaphores of a `neuron.isa` program prove, whatever its timing.

`emitted` is the program as emit-streams left it, with program order; `final` the same with semaphores. Every instruction
is written out once for each time that it runs. What is complete when one issues follows from the waits before it in its
stream: a count that has been reached names an event, as each semaphore has one engine, or one transfer after the other,
to raise it. Two runs of instructions that touch a common byte, one of them writing, must be ordered so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from xdsl.ir import Operation

from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod

Place = tuple[int, ...]
Footprint = tuple[Access, int]


class OrderError(AssertionError):
    """The semaphores allow an order that the program does not have, or none at all."""


@dataclass(eq=False)
class Event:
    """One run of one instruction. `known` and `done` are bit sets of events by number: those that are complete when it
    issues, and when it is complete."""

    op: isa.SequencerOp
    engine: Engine
    counters: tuple[int, ...]
    place: Place
    number: int = -1
    known: int = 0
    done: int = 0
    reads: list[Footprint] = field(default_factory=list)
    writes: list[Footprint] = field(default_factory=list)

    @property
    def is_dma(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and self.op.instruction.is_transfer

    @property
    def on_engine(self) -> bool:
        return isinstance(self.op, isa.IsaInstruction) and not self.is_dma

    def __str__(self) -> str:
        return f"{self.op} with counters {list(self.counters)} on {self.engine}"


def value(expr: Expr, counters: Sequence[int]) -> int:
    total = expr.const
    for term, coefficient in expr.terms:
        match term:
            case Counter(key):
                part = counters[cast(int, key)]
            case Mod(inner, divisor):
                part = value(inner, counters) % divisor
            case FloorDiv(inner, divisor):
                part = value(inner, counters) // divisor
            case _:
                raise OrderError(f"{expr} is not known at compile time")
        total += coefficient * part
    return total


def _streams(program: isa.ProgramOp) -> list[isa.StreamOp]:
    return [op for op in program.walk() if isinstance(op, isa.StreamOp)]


def _instructions(stream: isa.StreamOp) -> list[isa.IsaInstruction]:
    return [op for op in stream.walk() if isinstance(op, isa.IsaInstruction)]


def _places(emitted: isa.ProgramOp, final: isa.ProgramOp) -> dict[Operation, tuple[tuple[int, ...], int]]:
    """For each instruction of `final`, the places of its loops in program order, and its own."""
    first: dict[int, int] = {}
    paths: dict[Operation, tuple[list[int], int]] = {}
    for stream in _streams(emitted):
        for op in _instructions(stream):
            assert op.order is not None
            loops: list[int] = []
            parent = op.parent_op()
            while isinstance(parent, isa.RepeatOp):
                assert parent.loop is not None
                loops.insert(0, parent.loop.value.data)
                parent = parent.parent_op()
            order = op.order.value.data
            paths[op] = (loops, order)
            for loop in loops:
                first[loop] = min(order, first.get(loop, order))
    found: dict[Operation, tuple[tuple[int, ...], int]] = {}
    for before, after in zip(_streams(emitted), _streams(final), strict=True):
        for old, new in zip(_instructions(before), _instructions(after), strict=True):
            loops, order = paths[old]
            found[new] = (tuple(first[loop] for loop in loops), order)
    return found


def _expand(
    ops: Sequence[Operation],
    engine: Engine,
    places: Mapping[Operation, tuple[tuple[int, ...], int]],
    counters: tuple[int, ...] = (),
) -> Iterator[Event]:
    for op in ops:
        if isinstance(op, isa.RepeatOp):
            for index in range(op.count.value.data):
                yield from _expand(op.items, engine, places, (*counters, index))
            continue
        assert isinstance(op, isa.SequencerOp)
        event = Event(op, engine, counters, ())
        if isinstance(op, isa.IsaInstruction):
            loops, order = places[op]
            event.place = (*tuple(x for pair in zip(loops, counters, strict=True) for x in pair), order)
            for name, access in op.accesses().items():
                assert access.address is not None
                footprint = (access, value(access.address, counters))
                is_dst = op.instruction.operand(name).role == "dst"
                (event.writes if is_dst else event.reads).append(footprint)
                if is_dst and (op.instruction.name == "tensor_copy_predicated" or "dst_rmw_op" in op.properties):
                    event.reads.append(footprint)
        yield event


def check_order(emitted: isa.ProgramOp, final: isa.ProgramOp, bases: Mapping[str, tuple[int, int]]) -> int:
    """Raises OrderError where the semaphores do not prove program order; gives the number of events. `bases` says for
    each tensor in which memory it lies, and from which byte."""
    places = _places(emitted, final)
    streams = [list(_expand(s.items, s.engine.data, places)) for s in _streams(final)]
    events = _run(streams)
    _check_hazards(events, _Overlaps(bases))
    return len(events)


def _run(streams: list[list[Event]]) -> list[Event]:
    """Lets every stream go on as far as its waits allow, and notes what each event knows."""
    heads = [0] * len(streams)
    known, in_order = [0] * len(streams), [0] * len(streams)
    raised: dict[int, list[tuple[int, Event]]] = {}
    events: list[Event] = []
    moved = True
    while moved:
        moved = False
        for k, stream in enumerate(streams):
            while heads[k] < len(stream) and (proof := _wait(stream[heads[k]], raised)) is not None:
                event = stream[heads[k]]
                event.number = len(events)
                events.append(event)
                known[k] |= proof
                event.known = known[k]
                event.done = event.known | 1 << event.number
                if event.on_engine:
                    in_order[k] |= event.done
                    event.done = in_order[k]
                _raise(event, raised)
                heads[k] += 1
                moved = True
    stuck = [s[h] for s, h in zip(streams, heads, strict=True) if h < len(s)]
    if stuck:
        raise OrderError(f"the streams never get past\n  {stuck[0]}")
    return events


def _wait(event: Event, raised: Mapping[int, list[tuple[int, Event]]]) -> int | None:
    """What is complete once the wait of an event is over; None where it is not over yet."""
    if event.op.wait is None:
        return 0
    semaphore, wanted = (value(e, event.counters) for e in (event.op.wait.data.semaphore, event.op.wait.data.value))
    if wanted <= 0:
        return 0
    return next((e.done for count, e in raised.get(semaphore, []) if count >= wanted), None)


def _raise(event: Event, raised: dict[int, list[tuple[int, Event]]]) -> None:
    """Counts an event's update. Events that raise one semaphore must complete one after the other."""
    if event.op.update is None:
        return
    update = event.op.update.data
    history = raised.setdefault(value(update.semaphore, event.counters), [])
    count = history[-1][0] if history else 0
    if history:
        before = history[-1][1]
        one_engine = before.engine is event.engine and before.on_engine and event.on_engine
        if not one_engine and not event.known >> before.number & 1:
            raise OrderError(f"one semaphore is raised in any order by\n  {before}\n  {event}")
    history.append((count + update.amount, event))


class _Overlaps:
    """Which footprints have common bytes."""

    def __init__(self, bases: Mapping[str, tuple[int, int]]):
        self.bases = bases
        self.numbers: dict[Footprint, int] = {}
        self.spots: list[tuple[object, np.ndarray]] = []
        self.meeting: list[list[int]] = []

    def number(self, footprint: Footprint) -> int:
        found = self.numbers.get(footprint)
        if found is None:
            found = self.numbers[footprint] = len(self.spots)
            memory, spots = self._spots(*footprint)
            near = [n for n, (other, theirs) in enumerate(self.spots) if other == memory and _meet(spots, theirs)]
            self.spots.append((memory, spots))
            self.meeting.append([*near, found])
            for other in near:
                self.meeting[other].append(found)
        return found

    def _spots(self, access: Access, address: int) -> tuple[object, np.ndarray]:
        memory: object = access.space
        row = 0
        if access.space is Space.HBM:
            memory, base = self.bases[access.tensor or ""]
            address += base
        else:
            row = 1 << 20
        size = access.itemsize
        spots = np.arange(size) + address + access.start * row
        for step, count in [*((s * size, c) for s, c in access.dims), (row, access.partitions or 1)]:
            spots = np.add.outer(np.arange(count) * step, spots).ravel()
        return memory, np.unique(spots)


def _meet(a: np.ndarray, b: np.ndarray) -> bool:
    if a[0] > b[-1] or b[0] > a[-1]:
        return False
    return len(np.intersect1d(a, b, assume_unique=True)) > 0


def _check_hazards(events: list[Event], overlaps: _Overlaps) -> None:
    readers: dict[int, int] = {}
    writers: dict[int, int] = {}
    on_engine: dict[Engine, int] = {}
    matmuls = 0
    for event in sorted((e for e in events if isinstance(e.op, isa.IsaInstruction)), key=lambda e: e.place):
        is_matmul = event.op.name.endswith(".multiply_moving")
        ordered = on_engine.get(event.engine, 0) if event.on_engine else 0
        needed = 0
        for footprint in event.reads:
            for other in overlaps.meeting[overlaps.number(footprint)]:
                needed |= writers.get(other, 0)
        for footprint in event.writes:
            for other in overlaps.meeting[overlaps.number(footprint)]:
                needed |= (readers.get(other, 0) | writers.get(other, 0)) & ~ordered
        missing = needed & ~event.known & ~(matmuls if is_matmul else 0)
        if missing:
            other = next(e for e in events if e.number == missing.bit_length() - 1)
            raise OrderError(f"nothing makes\n  {event}\nwait for\n  {other}")
        bit = 1 << event.number
        for table, footprints in ((readers, event.reads), (writers, event.writes)):
            for footprint in footprints:
                number = overlaps.number(footprint)
                table[number] = table.get(number, 0) | bit
        if event.on_engine:
            on_engine[event.engine] = on_engine.get(event.engine, 0) | bit
        matmuls |= bit if is_matmul else 0
