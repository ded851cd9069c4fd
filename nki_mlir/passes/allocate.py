"""allocate: every buffer gets an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64

from nki_mlir.analysis.lifetimes import Lifetime, capacity, lifetimes
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.dialects.neuron_engine_views import alignment
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, position
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.start_partitions import QUADRANT, may_start_at, move_to
from nki_mlir.targets import Target

_SOON = 16
"""Banks of PSUM that are used again sooner than that part of the program later are used in turn, if they can be."""


@dataclass(frozen=True)
class Allocate(LevelPass):
    """Gives buffers addresses by lifetime, first fit; buffers that are never alive together may share bytes, and do so
    the farther apart the more room there is:

        %b = alloc "x" : <sbuf, 128 x 2048>   =>   %b = alloc "x" at 4096 : <sbuf, 128 x 2048>

    A buffer lives from its allocation to its last use; one that a loop outside of which it was made uses, to the end of
    that loop; one with several slots, for the whole of its loop. Buffers that have an address keep it, and nothing is
    put over them. If what is alive doesn't fit so, buffers of few partitions go side by side, where all instructions
    that reach them may:

        %b = alloc "x" : <sbuf, 32 x 2048>    =>   %b = alloc "x" at 4096 from 32 : <sbuf, 32 x 2048>
        %v = view %b … sbuf[0:32]                  %v = view %b … sbuf[32:64]

    Banks of PSUM that have to be used again soon are so in turn. What does not fit is an error with a map of what is
    alive.
    """

    name = "allocate"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in functions(op):
            lives = lifetimes(func)
            for space in (Space.SBUF, Space.PSUM):
                _assign([life for life in lives if life.alloc.buffer.space is space], space, target)


def _assign(lives: list[Lifetime], space: Space, target: Target) -> None:
    """Bytes are used again as late as they can be, if at all: who writes to them waits for who read them."""
    available, unit = capacity(target, space), alignment(space, target)
    places = _apart(lives, available, unit)
    end = max((life.last for life in lives), default=0)
    pause = end // 8
    while places is None:
        found = _places(lives, pause, available, unit)
        if isinstance(found, dict):
            places = found
        elif not pause:
            error = CompileError.at(found.alloc, _full(found, lives, space, available))
            found = _places(lives, 0, available, unit, starts=_starts)
            if not isinstance(found, dict):
                raise error
            places = found
        pause //= 2
        if places is None and space is Space.PSUM and pause < end // _SOON:
            places = _in_turn(lives, available, unit)
    for life, address in places.items():
        life.address = address
        life.alloc.properties["address"] = IntegerAttr(address, i64)


def fits(lives: list[Lifetime], target: Target) -> bool:
    """Whether buffers find an address on the partitions that they are on."""
    spaces = {space: [life for life in lives if life.alloc.buffer.space is space] for space in (Space.SBUF, Space.PSUM)}
    return all(_has_places(mine, space, target) for space, mine in spaces.items())


def _has_places(lives: list[Lifetime], space: Space, target: Target) -> bool:
    available, unit = capacity(target, space), alignment(space, target)
    if space is Space.PSUM and _in_turn(lives, available, unit) is not None:
        return True
    return isinstance(_places(lives, 0, available, unit), dict)


def _apart(lives: list[Lifetime], available: int, unit: int) -> dict[Lifetime, int] | None:
    """All one behind the other, if there is room."""
    end = max((x.address + x.size for x in lives if x.address is not None), default=0)
    places: dict[Lifetime, int] = {}
    for life in (x for x in lives if x.address is None):
        places[life] = -(-end // unit) * unit
        end = places[life] + life.size
    return places if end <= available else None


def _in_turn(lives: list[Lifetime], available: int, unit: int) -> dict[Lifetime, int] | None:
    """In the order in which buffers begin to live, each where bytes are free for the longest time."""
    if any(life.address is not None for life in lives):
        return None
    last = [-1] * (available // unit)
    places: dict[Lifetime, int] = {}
    for life in sorted(lives, key=lambda life: life.first):
        many = -(-life.size // unit)
        found = [(max(last[n : n + many]), n) for n in range(len(last) - many + 1)]
        free = [(at, n) for at, n in found if at < life.first]
        if not free:
            return None
        n = min(free)[1]
        last[n : n + many] = [life.last] * many
        places[life] = n * unit
    return places


def _stays(alloc: AllocOp) -> Iterator[int]:
    yield alloc.first_partition


def _starts(alloc: AllocOp) -> Iterator[int]:
    """The partitions that a buffer may start at, as all others lie."""
    yield alloc.first_partition
    if alloc.start is None:
        partitions = target_of(alloc).memory.partitions
        yield from (s for s in range(QUADRANT, partitions, QUADRANT) if may_start_at([alloc], s))


def _places(
    lives: list[Lifetime],
    pause: int,
    available: int,
    unit: int,
    starts: Callable[[AllocOp], Iterator[int]] = _stays,
) -> dict[Lifetime, int] | Lifetime:
    """First fit, the largest first, where bytes are free again so many operations after their last use; or the buffer
    that does not fit. One that has several `starts` goes where it gets the lowest address."""
    places = {life: life.address for life in lives if life.address is not None}
    lanes = {life: life.partitions for life in lives}
    for life in sorted((x for x in lives if x.address is None), key=lambda x: (-x.size, x.first)):
        first, last = life.first - pause, life.last + pause
        met = [
            (lanes[other], low, low + other.size)
            for other, low in places.items()
            if other.first <= last and first <= other.last
        ]
        wide = len(lanes[life])
        found = [(_lowest(life.size, range(s, s + wide), met, unit), s) for s in starts(life.alloc)]
        address, start = min(found)
        if address + life.size > available:
            return life
        if start != life.alloc.first_partition:
            move_to(life.alloc, start)
            lanes[life] = life.partitions
        places[life] = address
    return {life: address for life, address in places.items() if life.address is None}


def _lowest(size: int, lanes: range, met: list[tuple[range, int, int]], unit: int) -> int:
    """The first address with room for so many bytes on some partitions, beside buffers of given partitions, from an
    address to below another."""
    address = 0
    for low, high in sorted((low, high) for x, low, high in met if x.start < lanes.stop and lanes.start < x.stop):
        if address + size <= low:
            break
        address = max(address, -(-high // unit) * unit)
    return address


def _full(life: Lifetime, lives: list[Lifetime], space: Space, available: int) -> str:
    """The map of what is alive with the buffer that does not fit."""
    alive = sorted((x for x in lives if x is not life and x.meets(life) and x.is_over(life)), key=lambda x: -x.size)
    needed = life.size + sum(x.size for x in alive)
    lines = [
        f"{space} is full: buffer {_name(life)} needs {life.size} bytes on each partition; with what is alive then, the"
        f" kernel needs {needed}, and {space} has {available}",
        f"  {life.size:>8} bytes  {_name(life)}{_where(life)}",
        *(f"  {x.size:>8} bytes  {_name(x)}{_where(x)}" for x in alive[:12]),
    ]
    if len(alive) > 12:
        lines.append(f"  {sum(x.size for x in alive[12:]):>8} bytes  in {len(alive) - 12} more")
    lines.append(f"use blocks that need {needed - available} bytes less on each partition")
    return "\n".join(lines)


def _name(life: Lifetime) -> str:
    label = life.alloc.label.data if life.alloc.label is not None else "?"
    depth = life.alloc.depth.value.data
    lanes = f" on partitions {life.partitions.start}..{life.partitions.stop - 1}" if life.partitions.start else ""
    return f"'{label}'" + (f" ({depth} slots)" if depth > 1 else "") + lanes


def _where(life: Lifetime) -> str:
    found = position(life.alloc)
    return f" from {found[0]}:{found[1]}" if found else ""
