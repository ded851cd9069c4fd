"""A rule for functions of rows each of which has a factor of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nki_mlir.costs.instructions import cost
from nki_mlir.dialects.access import contiguous
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes.combiner import Combiner, access_of, is_read_once, keeps_bits, maker, operands_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.rows import Rows

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
            rows = [Rows.of(value, dims[-1][1]) for value in (given["dst"], data, factors)]
            return _row_by_row(c, op, inner, [one for one in rows if one is not None])
    return None


def _row_by_row(
    c: Combiner, op: EngineInstruction, inner: EngineInstruction, rows: Sequence[Rows]
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
