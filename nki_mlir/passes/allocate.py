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
    """Gives buffers addresses by lifetime, first fit; buffers that are never alive together may share bytes:

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
    available = capacity(target, space)
    for life in sorted((x for x in lives if x.address is None), key=lambda x: (-x.size, x.first)):
        unit = alignment(space, target)
        taken = sorted((x.address, x.address + x.size) for x in lives if x.address is not None and x.meets(life))
        address = 0
        for low, high in taken:
            if address + life.size <= low:
                break
            address = max(address, -(-high // unit) * unit)
        if address + life.size > available:
            raise CompileError.at(life.alloc, _full(life, lives, space, available))
        life.address = address
        life.alloc.properties["address"] = IntegerAttr(life.address, i64)


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
