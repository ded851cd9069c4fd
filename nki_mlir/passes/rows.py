"""Views as rows of elements that follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from xdsl.dialects.arith import AddiOp
from xdsl.ir import SSAValue

from nki_mlir.dialects.access import Dim, contiguous
from nki_mlir.dialects.neuron_engine import ViewOp, view_of
from nki_mlir.passes.emitter import Emitter


@dataclass(frozen=True)
class Rows:
    """A view as rows of a pattern each: where they begin, in elements from its own first one on."""

    view: ViewOp
    starts: tuple[int, ...]
    pattern: tuple[Dim, ...]

    @classmethod
    def of(cls, value: SSAValue | None, length: int) -> Rows | None:
        """Rows of so many elements; None where they don't follow one another."""
        view = view_of(value)
        parts = _cut(view.access.dims, length) if view is not None else None
        if view is None or parts is None:
            return None
        outer, inner = parts
        places = product(*(range(count) for _, count in outer))
        starts = (sum(step * n for (step, _), n in zip(outer, place, strict=True)) for place in places)
        return cls(view, tuple(starts), tuple(contiguous(inner)))

    def row(self, number: int, emit: Emitter, source: SSAValue | None = None) -> SSAValue:
        """A view of one of them, in another value where that has taken the place of the view's."""
        start, offset = self.starts[number], self.view.offset
        if start:
            offset = emit.index(start) if offset is None else emit.value(AddiOp(offset, emit.index(start)))
        access = replace(self.view.access, dims=self.pattern)
        return emit.value(ViewOp(self.view.source if source is None else source, access, offset))


def _cut(dims: Sequence[Dim], length: int) -> tuple[list[Dim], list[Dim]] | None:
    """The dimensions in front of the last `length` elements, and those of these; None where one is cut unevenly."""
    outer, inner = list(dims), list[Dim]()
    while length > 1 and outer:
        step, count = outer.pop()
        taken = min(count, length)
        if count % taken or length % taken:
            return None
        inner.insert(0, (step, taken))
        length //= taken
        if count > taken:
            outer.append((step * taken, count // taken))
    return (outer, inner) if length == 1 else None
