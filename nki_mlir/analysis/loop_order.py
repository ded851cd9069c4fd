"""In which order the axes of a grid are gone through: the programs that read alike follow one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

from nki_mlir.analysis.independence import are_independent, varying
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype, is_dtype
from nki_mlir.dialects.tile_programs import ProgramsOp

_GAIN = 0.9
"""What part of what is read has to be left where another order than the grid's is worth it."""

_PAIR = 8
"""Bytes of an integer of 64 bits, which the machine reads as two numbers."""


def loop_order(programs: ProgramsOp) -> tuple[int, ...]:
    """The axes of a grid, the outermost first. What programs read stays on chip for those that follow and read the
    same: so what differs along few axes had best differ along the outer ones. The grid's own order, unless it reads
    much more, or a program depends on another."""
    axes = tuple(range(len(programs.grid)))
    inner = [axis for axis in axes if programs.grid[axis] > 1]
    if len(inner) < 2:
        return axes
    reads = _reads(programs)
    read = {order: _read(reads, programs.grid, order) for order in permutations(axes)}
    best = min(read, key=lambda order: (read[order], order))
    if read[best] > _GAIN * read[axes] or not all(are_independent(programs, axis) for axis in inner):
        return axes
    return best


def _reads(programs: ProgramsOp) -> list[tuple[int, frozenset[int]]]:
    """The bytes of each read of a program, in all iterations of the loops around it, and the axes along which it
    differs."""
    differs = [varying(programs, axis) for axis in range(len(programs.grid))]
    found = list[tuple[int, frozenset[int]]]()
    for op in programs.body.walk():
        if isinstance(op, tile.ReadOp):
            times = math.prod(trip_count(loop) or 1 for loop in enclosing_loops(op))
            element = tile.element_of(op.result)
            size = math.prod(tile.shape_of(op.result)) * (dtype(element).bytes if is_dtype(element) else _PAIR)
            found.append((times * size, frozenset(n for n, values in enumerate(differs) if op.result in values)))
    return found


def _read(reads: Sequence[tuple[int, frozenset[int]]], grid: Sequence[int], order: Sequence[int]) -> int:
    """The bytes that all programs read in an order, each again where anything that it differs along is another."""
    total = 0
    for size, axes in reads:
        last = max((place for place, axis in enumerate(order) if axis in axes), default=-1)
        total += size * math.prod(grid[axis] for axis in order[: last + 1])
    return total
