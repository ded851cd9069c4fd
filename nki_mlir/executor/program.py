"""A decoded program, as data: what issues is a `MicroOp`, and a stream is a list of those, and of loops and branches
that a `Walk` follows lazily.

The expressions of an instruction are one function of the stream's repeat counters and registers, which gives all its
numbers: wait semaphore, wait value, update semaphore, further expressions, then the addresses of its memory operands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, cast

from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_isa import IsaInstruction, SequencerOp, WhileOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.machine import Pattern
from nki_mlir.executor.meaning import Compute, Into
from nki_mlir.executor.reports import where

Numbers = Callable[[list[int], list[int]], tuple[int, ...]]
Placed = Sequence[tuple[Pattern, int]]
"""Operands with the index of their address in the instruction's numbers."""
WAIT, VALUE, UPDATE, EXTRA = range(4)
"""Where an instruction's numbers stand in their tuple; unused ones are 0."""


@dataclass(frozen=True, eq=False)
class MicroOp:
    """What issues: an instruction, or half of one. `op` is None for the branches of a loop. `waits` says whether a
    semaphore holds it back; it raises one of core `update_core`, if any, by `amount`. `sources` and `targets` are what
    it reads and writes. A transfer has a `ring` (engine and queue), and as `mask` the DMA engines that it uses."""

    op: SequencerOp | None
    numbers: Numbers
    waits: bool = False
    update_core: int | None = None
    amount: int = 0
    sources: Placed = ()
    targets: Placed = ()
    ring: tuple[str, int] | None = None
    mask: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class DataOp(MicroOp):
    """An instruction of the table, with memory operands. `compute`, `bits`, `stateful`, `into` and `masked` are
    those of its meaning."""

    op: IsaInstruction = field(kw_only=False)
    instance: Instance
    compute: Compute
    bits: bool
    stateful: bool
    into: Into | None
    masked: bool

    @property
    def moves(self) -> bool:
        """Whether it is a transfer that only moves bits."""
        return self.bits and self.instance.instruction.transfer == "copy"


@dataclass
class Repeat:
    count: int
    depth: int
    body: list[Item]
    straight: bool


@dataclass
class CountedLoop:
    """`bound` and the counter are in registers."""

    counter: int
    bound: Numbers
    body: list[Item]
    branches: Branches


@dataclass
class While:
    """`closed`: what it does depends on registers alone."""

    op: WhileOp
    closed: bool
    body: list[Item]
    branches: Branches


@dataclass
class Branch:
    """`operands` gives what `holds` compares."""

    operands: Numbers
    holds: Callable[[int, int], bool]
    body: list[Item]
    otherwise: list[Item]
    branches: Branches


Item: TypeAlias = "MicroOp | Repeat | CountedLoop | While | Branch"


class Branches(NamedTuple):
    """The control instructions behind loops and branches: a compare-and-branch that goes on with what follows, and one
    that jumps."""

    on: MicroOp
    jump: MicroOp


def depth_of(items: Iterable[Item]) -> int:
    """How many repeat counters a stream needs."""
    return max((isinstance(item, Repeat) + max(map(depth_of, _bodies(item)), default=0) for item in items), default=0)


def _bodies(item: Item) -> Sequence[list[Item]]:
    match item:
        case Branch():
            return item.body, item.otherwise
        case Repeat() | CountedLoop() | While():
            return (item.body,)
        case _:
            return ()


class Walk:
    """Goes through a stream in the order in which it issues. Sets counters and loop registers as it goes, so that the
    numbers of a micro-op must be computed before the next one is taken.

    `every_path` is for looking ahead without executing: from then on both sides of a branch follow, and loops that
    depend on registers go round once more.
    """

    def __init__(self, items: list[Item], registers: int):
        self.items = items
        self.counters, self.registers = [0] * depth_of(items), [0] * registers
        self.every_path = False
        self.micro_ops = self._walk(items)

    def numbers(self, micro_op: MicroOp) -> tuple[int, ...]:
        """Those of the micro-op that was taken last."""
        return micro_op.numbers(self.counters, self.registers)

    def hold(self) -> None:
        """As of a stream that is known beforehand."""

    def _walk(self, items: list[Item]) -> Iterator[MicroOp]:
        for item in items:
            match item:
                case Repeat():
                    yield from self._repeat(item)
                case CountedLoop():
                    yield from self._loop(item)
                case While():
                    yield from self._while(item)
                case Branch():
                    yield from self._branch(item)
                case _:
                    yield item

    def _repeat(self, repeat: Repeat) -> Iterator[MicroOp]:
        for index in range(repeat.count):
            self.counters[repeat.depth] = index
            if repeat.straight:
                yield from cast("list[MicroOp]", repeat.body)
            else:
                yield from self._walk(repeat.body)

    def _loop(self, loop: CountedLoop) -> Iterator[MicroOp]:
        (bound,) = loop.bound(self.counters, self.registers)
        self.registers[loop.counter] = 0
        yield loop.branches.on
        for index in range(max(1, bound) if self.every_path else bound):
            self.registers[loop.counter] = index
            yield from self._walk(loop.body)
            self.registers[loop.counter] = index + 1
            yield loop.branches.jump if index + 1 < bound else loop.branches.on

    def _while(self, loop: While) -> Iterator[MicroOp]:
        register = loop.op.register.value.data
        going = self.registers[register] != 0
        yield loop.branches.on
        while going or self.every_path:
            before = list(self.registers) if loop.closed else None
            yield from self._walk(loop.body)
            if self.every_path:
                return
            going = self.registers[register] != 0
            if going and self.registers == before:
                raise ExecutionError(
                    f"{where(loop.op)}: the loop never ends; an iteration has left every register as it was, and"
                    f" r{register} at {self.registers[register]}"
                )
            yield loop.branches.jump if going else loop.branches.on

    def _branch(self, branch: Branch) -> Iterator[MicroOp]:
        if self.every_path:
            yield from self._walk(branch.body)
            yield from self._walk(branch.otherwise)
        elif branch.holds(*branch.operands(self.counters, self.registers)):
            yield branch.branches.on
            yield from self._walk(branch.body)
            if branch.otherwise:
                yield branch.branches.jump
        else:
            yield branch.branches.jump
            yield from self._walk(branch.otherwise)
