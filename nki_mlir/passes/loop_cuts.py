"""Loops cut into several, one after another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from xdsl.dialects.scf import ForOp
from xdsl.ir import SSAValue

from nki_mlir.analysis.indices import trip_count
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.normalize_loops import normalize


def cut(loop: ForOp, cuts: Sequence[int], as_loops: bool = False) -> Sequence[ForOp]:
    """The loop as a sequence of loops over its segments; a segment of one iteration is its body, if not `as_loops`, so
    that what is allocated in it is alive as long as it alone. Returns the segments, if they are loops."""
    trips = trip_count(loop)
    assert trips is not None
    emit = Emitter.before(loop)
    carried: list[SSAValue] = list(loop.iter_args)
    edges = [0, *cuts, trips]
    segments: list[ForOp] = []
    for low, high in itertools.pairwise(edges):
        edge = [emit.index(low), emit.index(high)]
        segment = emit.add(loop.clone())
        segment.operands[0], segment.operands[1] = edge
        for i, value in enumerate(carried):
            segment.operands[3 + i] = value
        carried = list(segment.results)
        segments.append(segment)
    for result, value in zip(loop.results, carried, strict=True):
        result.replace_all_uses_with(value)
    loop.detach()
    loop.erase()
    if as_loops:
        return segments
    for segment in segments:
        normalize(segment)
    return ()
