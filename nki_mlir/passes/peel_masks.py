"""peel-masks: iterations of a running maximum in which all masks hold are a loop of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import IndexTensor, NotAffine, trip_count
from nki_mlir.analysis.masks import constraints
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.recurrences import recurrence
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.normalize_loops import normalize


@dataclass(frozen=True)
class PeelMasks(LevelPass):
    """Cuts a loop with a running maximum in two where masks hold everywhere in its first iterations, for all programs:

        scf.for %j = 0 to 8 iter_args(%m, …) {             scf.for %j = 0 to 7 iter_args(%m, …) {
          %k = tile.compare lt (128 * %j + 0, 1, …), 1000    %n = maximum %m, max of %s }
          %x = tile.select %k, %s, -inf               =>   scf.for %j = 0 to 1 iter_args(%m, …) {
          %n = maximum %m, max of %x }                       %k = tile.compare lt (128 * %j + 896 + 0, 1, …), 1000
                                                             %x = tile.select %k, %s, -inf
                                                             %n = maximum %m, max of %x }

    A mask takes the Vector engine several times as long as the maximum itself; `trim` drops those of the first loop.
    The second one stays a loop, if of one iteration, for `maximum-first`. Left alone: loops whose masks hold nowhere
    in their first iteration, or in all of them; those of unknown length, or that do not add up products.
    """

    name = "peel-masks"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in operations(op) if isinstance(inner, ForOp)]:
            trips = trip_count(loop)
            if not trips or not _is_of_products(loop):
                continue
            normalize(loop, keep_single=True)
            first = unmasked(loop, [Expr(n) for n in range(trips)])
            if 0 < first < trips:
                for part in cut(loop, [first], as_loops=True):
                    normalize(part, keep_single=True)


def unmasked(loop: ForOp, counts: Sequence[Expr], known: Mapping[SSAValue, Expr] = MappingProxyType({})) -> int:
    """In how many of a loop's first iterations all masks hold everywhere, for all programs, or for those of which
    something is known. `counts` is what the counter is in each of them."""
    counter, masks = loop.body.block.args[0], list(_masks(loop))
    masked = (n for n, at in enumerate(counts) if not all(_holds(mask, {**known, counter: at}) for mask in masks))
    return next(masked, len(counts))


def _is_of_products(loop: ForOp) -> bool:
    """Whether a loop has a running maximum and adds up products."""
    found = recurrence(loop)
    return found is not None and found.has_maximum and any(isinstance(op, tile.DotOp) for op in found.joins)


def _masks(loop: ForOp) -> Iterator[tuple[IndexTensor, tuple[int, ...]]]:
    """What is >= 0 where masks in a loop hold that compare indices, each with its shape."""
    for op in loop.body.block.ops:
        if isinstance(op, tile.SelectOp):
            try:
                yield from [(part, tile.shape_of(op.condition)) for part in constraints(op.condition)]
            except NotAffine:
                continue


def _holds(mask: tuple[IndexTensor, tuple[int, ...]], known: Mapping[SSAValue, Expr]) -> bool:
    """Whether a mask holds everywhere in one iteration."""
    part, shape = mask
    return IndexTensor(part.offset.substitute(known), part.strides).range(shape)[0] >= 0
