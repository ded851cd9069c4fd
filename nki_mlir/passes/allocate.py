"""allocate: every buffer gets an address."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp

from nki_mlir.analysis.lifetimes import Lifetime, alignment, capacity, lifetimes
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, position
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE
from nki_mlir.targets import Target


@dataclass(frozen=True)
class Allocate(LevelPass):
    """Gives buffers addresses by lifetime, first fit; buffers that are never alive together may share bytes, and do so
    the farther apart the more room there is:

        %b = alloc "x" : <sbuf, 128 x 2048>   =>   %b = alloc "x" at 4096 : <sbuf, 128 x 2048>

    A buffer lives from its allocation to its last use; one that a loop outside of which it was made uses, to the end of
    that loop; one with several slots, for the whole of its loop. Buffers that have an address keep it, and nothing is
    put over them. What does not fit is an error with a map of what is alive.
    """

    name = "allocate"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            lives = lifetimes(func)
            for space in (Space.SBUF, Space.PSUM):
                _assign([life for life in lives if life.alloc.buffer.space is space], space, target)


def _assign(lives: list[Lifetime], space: Space, target: Target) -> None:
    """Bytes are used again as late as they can be, if at all: who writes to them waits for who read them."""
    available, unit = capacity(target, space), alignment(space, target)
    places = _apart(lives, available, unit)
    pause = max((life.last for life in lives), default=0) // 8
    while places is None:
        found = _places(lives, pause, available, unit)
        if isinstance(found, dict):
            places = found
        elif not pause:
            raise CompileError.at(found.alloc, _full(found, lives, space, available))
        pause //= 2
    for life, address in places.items():
        life.address = address
        life.alloc.properties["address"] = IntegerAttr(address, i64)


def fits(lives: list[Lifetime], target: Target) -> bool:
    """Whether buffers find an address."""
    spaces = {space: [life for life in lives if life.alloc.buffer.space is space] for space in (Space.SBUF, Space.PSUM)}
    return all(
        isinstance(_places(mine, 0, capacity(target, space), alignment(space, target)), dict)
        for space, mine in spaces.items()
    )


def _apart(lives: list[Lifetime], available: int, unit: int) -> dict[Lifetime, int] | None:
    """All one behind the other, if there is room."""
    end = max((x.address + x.size for x in lives if x.address is not None), default=0)
    places: dict[Lifetime, int] = {}
    for life in (x for x in lives if x.address is None):
        places[life] = -(-end // unit) * unit
        end = places[life] + life.size
    return places if end <= available else None


def _places(lives: list[Lifetime], pause: int, available: int, unit: int) -> dict[Lifetime, int] | Lifetime:
    """First fit, the largest first, where bytes are free again so many operations after their last use; or the buffer
    that does not fit."""
    places = {life: life.address for life in lives if life.address is not None}
    for life in sorted((x for x in lives if x.address is None), key=lambda x: (-x.size, x.first)):
        taken = sorted((low, low + x.size) for x, low in places.items() if x.meets(life, pause))
        address = 0
        for low, high in taken:
            if address + life.size <= low:
                break
            address = max(address, -(-high // unit) * unit)
        if address + life.size > available:
            return life
        places[life] = address
    return {life: address for life, address in places.items() if life.address is None}


def _full(life: Lifetime, lives: list[Lifetime], space: Space, available: int) -> str:
    """The map of what is alive with the buffer that does not fit."""
    alive = sorted((x for x in lives if x is not life and x.meets(life)), key=lambda x: -x.size)
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
    return f"'{label}'" + (f" ({depth} slots)" if depth > 1 else "")


def _where(life: Lifetime) -> str:
    found = position(life.alloc)
    return f" from {found[0]}:{found[1]}" if found else ""
