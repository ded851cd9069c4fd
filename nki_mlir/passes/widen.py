"""widen: programs that don't depend on one another run several at a time."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue

from nki_mlir.analysis.independence import are_independent, varying
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_programs import ProgramsOp, groups_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.apart import Apart, write_out
from nki_mlir.passes.blocks import Blocks, multiplies
from nki_mlir.passes.clean import erase_dead
from nki_mlir.passes.coalesce import are_merged
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import normalize
from nki_mlir.passes.widening import NotWidenable, Widening
from nki_mlir.passes.widths import Work, free_sizes, trade

_GAIN = 0.97
"""What part of its time a kernel may still take where it is worth to run programs together."""


@dataclass(frozen=True)
class Widen(LevelPass):
    """Runs programs together, each value of one as a row of a tile with one dimension more, the first:

        tile.programs (%i) in [1000] {                          tile.programs (%i) in [8] {
          %x = tile.read %in(%i) [s0 by 781, d0 by 1]             %x = tile.read %in(%i) [125 * s0 + d0 by 781, d1 by 1]
          %m = tile.reduce max %x axis 0                  =>      %m = tile.reduce max %x axis 1
            : tensor<781xf32> -> f32                                : tensor<125x781xf32> -> tensor<125xf32>
          … }                                                     … }

    An instruction takes as long for one partition as for all of them, and a transfer hardly longer for a short row than
    for a long one: what a group of programs costs decides how many there are in one, and along which axes of the grid.
    In a transpose, rows of what is loaded grow along one axis and rows of what is stored along another: of whole
    blocks, the widths along both are chosen together.
    Where that does not divide their number, the accesses get a bound. Programs that are to run `together` are one: what
    they can't do so, each does with its slice of what there is. `width` sets it for every grid of one axis.
    Left alone: programs of which one may touch what another one writes, products of tiles that both differ between
    programs, loops and branches by what differs.
    """

    name = "widen"
    levels = (TILE,)
    width: int | None = None

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        if self.width is not None and self.width < 1:
            raise CompileError(f"widen: width must be at least 1, got {self.width}")
        prices = Prices(target_of(op))
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            if programs.together is not None:
                _apart(programs)
            elif self.width is None:
                _by_price(programs, prices)
            elif len(programs.grid) == 1 and are_independent(programs, 0):
                _widened(programs, 0, min(self.width, programs.grid[0]))


def _apart(programs: ProgramsOp) -> None:
    """Programs that are one, along the axis of which there are several."""
    for loop in [op for op in programs.body.block.ops if isinstance(op, ForOp)]:
        normalize(loop, keep_single=True)
    erase_dead(programs)
    axis = next(n for n, size in enumerate(programs.grid) if size > 1)
    made = _together(programs, axis, programs.grid[axis], None, False, Apart)
    if made is not None:
        programs.detach()
        programs.erase()


def _by_price(programs: ProgramsOp, prices: Prices) -> None:
    """The axis that gains most, then the next; of products, all of them at once."""
    axes = {axis for axis, size in enumerate(programs.grid) if size > 1 and are_independent(programs, axis)}
    if multiplies(programs):
        for axis, width in enumerate(Blocks(programs, prices).best(sorted(axes))):
            programs = _widened(programs, axis, width, prices.target.memory.partitions)
        return
    lanes = prices.target.memory.partitions
    scans = _scans_rows(programs)
    while axes:
        best, axis = min((_best(programs, axis, prices), axis) for axis in axes)
        axes.remove(axis)
        if best.share < _GAIN:
            best = _with_others(programs, axis, best, axes, prices)
            checked = lanes if scans or best.goes_on else None
            programs = _widened(programs, axis, best.width, checked, best.goes_on)


class _Best(NamedTuple):
    """The best width along an axis, behind the share of the time that is left with it; with `goes_on`, along the
    dimension of the tiles that the id moves along. `price` is the time, in ns."""

    share: float
    width: int
    goes_on: bool = False
    price: float = math.inf


def _scans_rows(programs: ProgramsOp) -> bool:
    """Whether a program scans several rows, which then are on the partitions: those of other programs can't be, unless
    both are one dimension."""
    scans = [op for op in programs.body.walk() if isinstance(op, tile.ScanOp)]
    return any(size > 1 for size in free_sizes(programs.body.block)) if scans else False


def _best(programs: ProgramsOp, axis: int, prices: Prices) -> _Best:
    """Along an inner dimension programs go on, where that can be."""
    work, lanes = Work.of(programs, axis), prices.target.memory.partitions
    if work.is_inner:
        best = _cheapest(work.going_on(), prices)
        made = _together(programs, axis, best.width, lanes, True) if best.share < _GAIN else None
        if made is not None:
            made.detach()
            made.erase()
            return best._replace(goes_on=True)
    return _cheapest(work, prices)


def _cheapest(work: Work, prices: Prices) -> _Best:
    """Equal shares win over others that cost the same."""
    alone = work.price(1, prices)
    found = [
        (work.price(width, prices), bool(work.programs % width), width)
        for width in work.widths(prices.target.memory.partitions)
    ]
    if not found:
        return _Best(1.0, 1)
    price, _, width = min(found)
    return _Best(price / alone if math.isfinite(alone) else float(price == math.inf), width, price=price)


def _with_others(programs: ProgramsOp, axis: int, best: _Best, axes: Collection[int], prices: Prices) -> _Best:
    """The width along an axis that is best if another one, which it trades with, then gets its best width; as it was
    where no width can be had."""
    others = [other for other in sorted(axes) if trade(programs, axis, other)]
    if not others:
        return best
    work, found, lanes = Work.of(programs, axis), list[tuple[float, bool, int]](), prices.target.memory.partitions
    for width in (work.going_on() if best.goes_on else work).widths(lanes):
        made = _together(programs, axis, width, lanes if best.goes_on else None, best.goes_on)
        if made is not None:
            price = min(_best(made, other, prices).price for other in others)
            found.append((price, bool(programs.grid[axis] % width), width))
            made.detach()
            made.erase()
    return best._replace(width=min(found)[2]) if found else best


def _widened(
    programs: ProgramsOp, axis: int, width: int, lanes: int | None = None, goes_on: bool = False
) -> ProgramsOp:
    """The programs, run together; as they are where they can't be."""
    made = _together(programs, axis, width, lanes, goes_on) if width > 1 else None
    if made is None:
        return programs
    programs.detach()
    programs.erase()
    return made


def _together(
    programs: ProgramsOp,
    axis: int,
    width: int,
    lanes: int | None,
    goes_on: bool,
    how: type[Widening] = Widening,
) -> ProgramsOp | None:
    """The programs run together, in front of themselves; None where they can't be. With `lanes`, that many of the
    machine, also where the new dimension would not become part of one that there is, everywhere: products are of
    matrices, scans of rows."""
    differ, carried = varying(programs, axis), dict[SSAValue, int]()
    while True:
        made = groups(programs, axis, width)
        values = {old: new for old, new in zip(programs.ids, made.ids, strict=True) if old is not programs.ids[axis]}
        widening = how(
            programs.ids[axis], programs.grid[axis], width, differ, made.ids[axis], values, carried, goes_on=goes_on
        )
        try:
            widening.block(programs.body.block.ops, made.body.block)
        except NotWidenable:
            made.erase()
            return None
        if carried or all(widening.places[value] == place for value, place in widening.settled.items()):
            break
        carried = widening.settled
        made.erase()
    Emitter.before(programs).add(made)
    if isinstance(widening, Apart):
        write_out(widening.written)
    if lanes is not None and not are_merged(lanes, widening.new_seams()):
        made.detach()
        made.erase()
        return None
    return made


def groups(programs: ProgramsOp, axis: int, width: int) -> ProgramsOp:
    """The grid of groups of programs, with nothing in it."""
    widths = [size * width if n == axis else size for n, size in enumerate(programs.group)]
    kernel = programs.kernel_grid
    made = ProgramsOp(groups_of(kernel, widths), None, widths, kernel, programs.anonymous is not None)
    made.location = programs.location
    for before, after in zip(programs.ids, made.ids, strict=True):
        after.name_hint = before.name_hint
    return made
