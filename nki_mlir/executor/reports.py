"""How the executor names an instruction to the user, and the report of a deadlock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nki_mlir.errors import position

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from nki_mlir.dialects.neuron_isa import ProgramOp


def source(op: Operation | None) -> str | None:
    """`file:line` of the kernel's source, if the operation carries it."""
    found = position(op) if op is not None else None
    return f"{found[0]}:{found[1]}" if found else None


def mnemonic(op: Operation) -> str:
    return op.name.rsplit(".", 1)[1]


def described(what: Operation | str) -> str:
    """`dma_copy at matmul.py:30`."""
    if isinstance(what, str):
        return what
    at = source(what)
    return f"{mnemonic(what)} at {at}" if at else mnemonic(what)


def stream_name(op: Operation) -> str | None:
    """The stream that an instruction stands in, as `vector` or `core 1 vector`."""
    from nki_mlir.dialects.neuron_isa import CoreOp, StreamOp

    stream = op.parent_op()
    while stream is not None and not isinstance(stream, StreamOp):
        stream = stream.parent_op()
    core = stream.parent_op() if stream is not None else None
    return unit_name(core.index.value.data, stream.engine.data) if stream and isinstance(core, CoreOp) else None


def unit_name(core: int, name: str) -> str:
    """An engine or a DMA queue; the first core's go without its number."""
    return f"core {core} {name}" if core else name


def where(op: Operation) -> str:
    """`file:line: tensor_scalar on vector`, as messages begin."""
    at, stream = source(op), stream_name(op)
    text = f"{mnemonic(op)} on {stream}" if stream else mnemonic(op)
    return f"{at}: {text}" if at else text


@dataclass(frozen=True)
class Grid:
    """The programs of a kernel, `widths` of them along each axis in a group, which has a number."""

    sizes: tuple[int, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, program: ProgramOp) -> Grid | None:
        """What a machine program says of them, if anything."""
        if program.grid is None:
            return None
        sizes = tuple(program.grid.get_values())
        return cls(sizes, (1,) * len(sizes) if program.widths is None else tuple(program.widths.get_values()))

    def name(self, number: int) -> str:
        """A program by its ids, `program (1, 2)`, or the programs of a group by their first and last."""
        first: list[int] = []
        last: list[int] = []
        for size, width in zip(reversed(self.sizes), reversed(self.widths), strict=True):
            number, position = divmod(number, -(-size // width))
            first.append(position * width)
            last.append(min(position * width + width, size) - 1)
        one, other = tuple(reversed(first)), tuple(reversed(last))
        return f"program {one}" if one == other else f"programs {one} to {other}"


@dataclass(frozen=True)
class Blocked:
    """A stream that can't go on: its head instruction waits for `semaphore` of core `core`, which is at `value`, to
    reach `wanted`. `updates` are the (core, semaphore) that the rest of the stream, head included, would raise."""

    stream: str
    op: Operation
    core: int
    semaphore: int
    value: int
    wanted: int
    updates: frozenset[tuple[int, int]]


def deadlock(blocked: list[Blocked], streams: int) -> str:
    """Who waits for whom."""
    suppliers = {b.stream: [s for s in blocked if (b.core, b.semaphore) in s.updates] for b in blocked}
    lines = [f"deadlock: {len(blocked)} of {streams} streams can't go on"]
    for b in blocked:
        core = f" of core {b.core}" if b.core else ""
        lines.append(f"  {where(b.op)} waits for semaphore {b.semaphore}{core} to reach {b.wanted}; it is {b.value}")
        lines.append(f"    {_supply(b, suppliers[b.stream])}")
    cycle = _cycle({stream: [s.stream for s in found] for stream, found in suppliers.items()})
    if cycle:
        lines.append(f"  cycle: {' -> '.join(cycle)} (each waits for the next)")
    return "\n".join(lines)


def _supply(waiter: Blocked, suppliers: list[Blocked]) -> str:
    if not suppliers:
        return "nothing that is left to run would raise it"
    parts = []
    for s in suppliers:
        at = source(s.op)
        stuck = "itself" if s.stream == waiter.stream else f"{s.stream}, stuck at {mnemonic(s.op)}"
        parts.append(f"{stuck} ({at})" if at and s.stream != waiter.stream else stuck)
    return f"would still be raised by {'; '.join(parts)}"


def _cycle(graph: dict[str, list[str]]) -> list[str]:
    """A cycle of the graph, first node repeated at the end; empty if there is none."""
    for start in graph:
        path = _path(graph, start, start, set())
        if path:
            return [start, *path]
    return []


def _path(graph: dict[str, list[str]], at: str, goal: str, seen: set[str]) -> list[str]:
    for following in _unseen(graph[at], seen, goal):
        if following == goal:
            return [goal]
        seen.add(following)
        rest = _path(graph, following, goal, seen)
        if rest:
            return [following, *rest]
    return []


def _unseen(nodes: Iterable[str], seen: set[str], goal: str) -> list[str]:
    return [n for n in nodes if n == goal or n not in seen]
