"""A rule for functions of rows each of which has a factor of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from xdsl.dialects.arith import AddiOp
from xdsl.ir import SSAValue

from nki_mlir.costs.instructions import cost
from nki_mlir.dialects.access import Dim, contiguous
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_engine import EngineInstruction, ViewOp, view_of
from nki_mlir.passes.combiner import Combiner, access_of, is_read_once, keeps_bits, maker, operands_of
from nki_mlir.passes.emitter import Emitter

SHARE = 2
"""One engine may work longer by at most one part in so many of what another one no longer does."""


def factors_of_rows(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """function(data * factors), of which the elements of a row follow one another and have one factor: a function of
    each row, with that as its scale, where it is sooner done."""
    inner, given, fields = maker(op.operand_value("data")), operands_of(op), op.fields()
    if inner is None or not inner.is_a("tensor_tensor") or inner.fields()["op"] is not Alu.MULTIPLY:
        return None
    if not is_read_once(inner) or not keeps_bits(inner) or fields["reduce_cmd"] is not None:
        return None
    if any(given[name] is not None for name in ("scale", "bias", "reduce_res")):
        return None
    for names in (("data1", "data2"), ("data2", "data1")):
        data, factors = (inner.operand_value(name) for name in names)
        dims = contiguous(access.dims) if (access := access_of(factors)) is not None else [(1, 1)]
        if dims[-1][0] == 0 and len(dims) > 1:
            rows = [_Rows.of(value, dims[-1][1]) for value in (given["dst"], data, factors)]
            return _row_by_row(c, op, inner, [one for one in rows if one is not None])
    return None


@dataclass(frozen=True)
class _Rows:
    """A view as rows of a pattern each: where they begin, in elements from its own first one on."""

    view: ViewOp
    starts: tuple[int, ...]
    pattern: tuple[Dim, ...]

    @classmethod
    def of(cls, value: SSAValue | None, length: int) -> _Rows | None:
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


def _row_by_row(
    c: Combiner, op: EngineInstruction, inner: EngineInstruction, rows: Sequence[_Rows]
) -> EngineInstruction | None:
    """The function of each row of `data`, into those of `dst`; None where rows don't follow one another in each of the
    three or it would take longer."""
    if len(rows) < 3:
        return None
    dst, data, factors = rows
    factors = replace(factors, pattern=((1, 1),))
    emit, written, made = Emitter.before(op), dst.view.source, op
    for number in range(len(dst.starts)):
        views = {"dst": dst.row(number, emit, written), "data": data.row(number, emit)}
        one = c.build(op, "activation", {**views, "scale": factors.row(number, emit)}, **op.fields())
        if one is None:
            return None
        if not number and not _is_sooner(c, op, inner, one, len(dst.starts)):
            one.detach()
            one.erase()
            return None
        written, made = one.tiles[0], one
    c.replace(op.tiles, made, [op, inner])
    return made


def _is_sooner(
    c: Combiner, op: EngineInstruction, inner: EngineInstruction, one: EngineInstruction, count: int
) -> bool:
    """Whether so many like one take little longer than the function of all rows, for what the product takes."""
    each, all_, saved = (cost(x.instance(c.target)).occupancy for x in (one, op, inner))
    return (count * each - all_) * SHARE <= saved
