"""Accesses to common bytes that nothing orders, and matmul groups that are not kept together.

A run leaves a trace of its issues. Two accesses to a common byte, one of them writing, are ordered if the later one
relies on the completion of the earlier one (`clocks`). On one engine the order of issue is enough, but for a read of
what an earlier instruction writes: engines read when they issue and write when they complete, both in order. Transfers
always need a completion, on one ring too. All is judged by what the semaphores prove, not by what happened in this run.

A matmul that accumulates onto what another engine has read since the group began is reported as well: either the group
was read before its end, or its first matmul does not overwrite. So is one that overwrites what a matmul wrote and
nothing has read: it should have accumulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.errors import Finding
from nki_mlir.executor.checks.boxes import Box, Shadow, Touch, common
from nki_mlir.executor.checks.clocks import Clock, Order, Taken, final
from nki_mlir.executor.machine import Memory, Pattern
from nki_mlir.executor.program import EXTRA, UPDATE, MicroOp, Placed
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.reports import mnemonic, unit_name, where
from nki_mlir.executor.trace import Issue

_KEPT = 4096
"""Boxes that are found by pattern and address without asking for their shape."""


@dataclass(slots=True)
class _Plan:
    """What matters of a micro-op: its operands in memory that can change, and its role for PSUM groups."""

    reads: Placed
    writes: Placed
    transfer: bool
    matmul: bool
    evicts: bool


class Races:
    """The findings of a trace, in the order of the trace, one for each pair of instructions of the text. `constant` are
    the tensors that nothing writes; with `on_chip` only what lies in SBUF and PSUM is looked at."""

    def __init__(self, trace: Sequence[Issue], constant: set[str], on_chip: bool = False):
        self.trace, self.constant, self.on_chip = trace, constant, on_chip
        self._forget()

    def _forget(self) -> None:
        self.shadow = Shadow()
        self.plans: dict[MicroOp, _Plan] = {}
        self.boxes: dict[Pattern, dict[int, Box]] = {}
        self.found: dict[tuple[str, Operation | None, Operation | None], Finding] = {}

    def findings(self) -> list[Finding]:
        order = Order(self.trace)
        self._follow(order.walk())
        if not order.simple:
            self._forget()
            self._follow(final(order).walk())
        return list(self.found.values())

    def _follow(self, walk: Iterator[tuple[Issue, Taken]]) -> None:
        for position, ((_, micro_op, numbers), taken) in enumerate(walk):
            self.look(position, micro_op, numbers, taken)

    def look(self, position: int, micro_op: MicroOp, numbers: tuple[int, ...], taken: Taken) -> None:
        """At the next issue of the trace, and what it relies on."""
        plan = self.plans.get(micro_op) or self._plan(micro_op)
        own = -1 if plan.transfer else taken.chain
        touch, clock = (taken.chain, taken.number, position), taken.clock
        for pattern, index in plan.reads:
            box = self._box(pattern, numbers[index])
            for other in box.others or (box,):
                if other.write is not None:
                    self._after(clock, -1, other.write, position, pattern, (box, other), "reads", "writes")
            if box.reads is None:
                box.reads = {}
            box.reads[taken.chain] = touch
            if plan.evicts and pattern.access.space is Space.PSUM:
                for other in box.others or (box,):
                    other.seen, other.unseen = position, None
        for pattern, index in plan.writes:
            box = self._box(pattern, numbers[index])
            for other in box.others or (box,):
                if other.write is not None:
                    self._after(clock, own, other.write, position, pattern, (box, other), "writes", "writes")
                for read in other.reads.values() if other.reads else ():
                    self._after(clock, own, read, position, pattern, (box, other), "writes", "reads")
            box.write = touch
            if box.reads:
                box.reads.clear()
            if plan.matmul:
                self._group(box, pattern, numbers, position)
            elif pattern.access.space is Space.PSUM:
                for other in box.others or (box,):
                    other.seen = other.unseen = None

    def _plan(self, micro_op: MicroOp) -> _Plan:
        reads = [(p, k) for p, k in micro_op.sources if p.access.tensor not in self.constant]
        reads, writes = (
            [(p, k) for p, k in of if p.memory.on_chip or not self.on_chip] for of in (reads, micro_op.targets)
        )
        on_psum = any(p.access.space is Space.PSUM for p, _ in reads)
        plan = self.plans[micro_op] = _Plan(reads, writes, micro_op.ring is not None, is_matmul(micro_op), on_psum)
        return plan

    def _box(self, pattern: Pattern, address: int) -> Box:
        boxes = self.boxes.get(pattern)
        if boxes is None:
            boxes = self.boxes[pattern] = {}
        box = boxes.get(address)
        if box is None:
            if len(boxes) >= _KEPT:
                boxes.clear()
            box = boxes[address] = self.shadow.box(pattern, address)
        return box

    def _after(
        self,
        clock: Clock,
        own: int,
        touch: Touch,
        position: int,
        pattern: Pattern,
        boxes: tuple[Box, Box],
        does: str,
        did: str,
    ) -> None:
        chain, number, at = touch
        if clock[chain] < number and chain != own and at != position:
            self._race(at, position, pattern, boxes, does, did)

    def _group(self, box: Box, pattern: Pattern, numbers: tuple[int, ...], position: int) -> None:
        """What a multiply_moving does to the group of its destination."""
        if not numbers[EXTRA]:
            for other in box.others or (box,):
                if other.unseen is not None:
                    self._misuse(
                        position, other.unseen, pattern, (box, other), "overwrites", "wrote and nothing has read"
                    )
                other.seen = other.unseen = None
        elif box.seen is not None:
            self._misuse(position, box.seen, pattern, (box, box), "accumulates onto", "has read since the group began")
        box.unseen = position

    def _misuse(self, later: int, earlier: int, pattern: Pattern, boxes: tuple[Box, Box], does: str, did: str) -> None:
        op, before = self.trace[later][1].op, self.trace[earlier][1].op
        assert op is not None and before is not None
        text = (
            f"psum: {where(op)} {does} {_place(pattern.memory, *boxes)}, which {where(before)} {did}\n  the first"
            " matmul of a group must overwrite, the others accumulate, and the result be read after the last"
        )
        self.found.setdefault(("psum", before, op), Finding("psum", text, before, op))

    def _race(self, earlier: int, later: int, pattern: Pattern, boxes: tuple[Box, Box], does: str, did: str) -> None:
        (unit, after, _), (_, before, _) = self.trace[later], self.trace[earlier]
        assert after.op is not None and before.op is not None
        key = ("race", before.op, after.op)
        if key in self.found:
            return
        text = (
            f"race: {where(after.op)} {does} {_place(pattern.memory, *boxes)}, which {where(before.op)} {did}; nothing"
            f" orders them\n  {unit.name}, second in this run, must wait for {self._edge(earlier)}"
        )
        self.found[key] = Finding("race", text, before.op, after.op)

    def _edge(self, position: int) -> str:
        """Which completion, and the semaphore and count that say so."""
        issuer, micro_op, numbers = self.trace[position]
        assert micro_op.op is not None
        unit = unit_of(issuer, micro_op)
        if micro_op.update_core is None:
            return f"{unit}, whose {mnemonic(micro_op.op)} updates no semaphore"
        core, semaphore = micro_op.update_core, numbers[UPDATE]
        total = sum(
            other.amount
            for _, other, n in self.trace[: position + 1]
            if other.update_core is not None and (other.update_core, n[UPDATE]) == (core, semaphore)
        )
        return f"{unit}: semaphore {semaphore}{f' of core {core}' if core else ''} to reach {total}"


def is_matmul(micro_op: MicroOp) -> bool:
    return isinstance(micro_op.op, IsaInstruction) and micro_op.op.instruction.array == "multiply"


def unit_of(unit: Unit, micro_op: MicroOp) -> str:
    """The engine of an instruction, or the queue of a transfer."""
    if micro_op.ring is None:
        return unit.name
    engine, queue = micro_op.ring
    return unit_name(unit.core, f"dma {engine} q{queue}")


def _place(memory: Memory, a: Box, b: Box) -> str:
    """`SBUF, partitions 0..127, bytes 512..1023`: what two boxes have in common."""
    shared = a.shape.mask & b.shape.mask
    first, last = (shared & -shared).bit_length() - 1, shared.bit_length() - 1
    low, high = common(a, b) or a.extent
    if not memory.on_chip:
        return f"{memory.label}, {high - low} bytes"
    return f"{memory.label}, partitions {first}..{last}, bytes {low}..{high - 1}"
