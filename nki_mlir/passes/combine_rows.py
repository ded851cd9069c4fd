"""Rules for what is better done row by row: functions of rows each of which has a factor of its own, operators on rows
each of which has a number of its own, and sums of the rows of a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from xdsl.ir import SSAValue

from nki_mlir.costs.instructions import cost
from nki_mlir.dialects.access import Engine, contiguous
from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes.combine_functions import function_of
from nki_mlir.passes.combiner import Combiner, access_of, is_read_once, keeps_bits, maker, operands_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.rows import Rows

SHARE = 2
"""One engine may work longer by at most one part in so many of what another one no longer does."""

_SIDES = (("data1", "data2"), ("data2", "data1"))


def factors_of_rows(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """function(data * factors), of which the elements of a row follow one another and have one factor: a function of
    each row, with that as its scale, where it is sooner done."""
    inner, given, fields = maker(op.operand_value("data"), "tensor_tensor"), operands_of(op), op.fields()
    if inner is None or inner.fields()["op"] is not Alu.MULTIPLY:
        return None
    if not is_read_once(inner) or not keeps_bits(inner) or fields["reduce_cmd"] is not None:
        return None
    if any(given[name] is not None for name in ("scale", "bias", "reduce_res")):
        return None
    for names in _SIDES:
        data, factors = (inner.operand_value(name) for name in names)
        rows = _with_numbers(given["dst"], data, factors)
        if rows is not None:
            most = _time(c, op) + _time(c, inner) / SHARE
            made = _row_by_row(c, op, rows, most, "activation", "scale", fields)
            if made is not None:
                c.replace(op.tiles, made, [op, inner])
            return made
    return None


def numbers_of_rows(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """An operator on rows of which each has one number all along: one with a scalar for each row, which takes an
    element a cycle and not half of one, where that is sooner done."""
    if not op.is_a("tensor_tensor") or op.engine.data is not Engine.VECTOR:
        return None
    for reverse, names in enumerate(_SIDES):
        data, numbers = (op.operand_value(name) for name in names)
        rows = _with_numbers(op.operand_value("dst"), data, numbers)
        if rows is not None:
            fields = {"op0": op.fields()["op"], "reverse0": bool(reverse)}
            made = _row_by_row(c, op, rows, _time(c, op), "tensor_scalar", "operand0", fields)
            if made is not None:
                c.replace(op.tiles, made, [op])
            return made
    return None


def sums_of_rows(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """The sums of several rows of a function's results, which nobody reads themselves: a function of each row, whose
    engine adds up beside, where that is sooner done than both."""
    data, result, fields = op.operand_value("data"), access_of(op.operand_value("dst")), op.fields()
    inner, read = maker(data, in_order=True), access_of(data)
    if inner is None or result is None or read is None or fields["op"] is not Alu.ADD or fields["negate"]:
        return None
    function, given = function_of(inner), operands_of(inner)
    if function is None or result.free_elements < 2 or not keeps_bits(inner) or not is_read_once(inner):
        return None
    sums = SumsOfRows.of(c, function, given, data, c.destination(op, "dst", inner))
    if sums is None:
        return None
    emit, made = Emitter.before(inner), None
    for number in range(result.free_elements):
        made = sums.row(number, inner, emit, made)
        if made is None or _takes_longer(c, made, result.free_elements, _time(c, inner) + _time(c, op)):
            return None
    if made is not None:
        c.replace((None, op.tiles[0]), made, [op, inner])
    return made


@dataclass(frozen=True)
class SumsOfRows:
    """The sums of the rows of a function's results, one by one. `columns` are the function's operands for each
    partition."""

    combiner: Combiner
    function: Function
    columns: Mapping[str, SSAValue | None]
    rows: Rows
    sums: Rows

    @classmethod
    def of(
        cls,
        c: Combiner,
        function: Function,
        given: Mapping[str, SSAValue | None],
        read: SSAValue | None,
        into: SSAValue | None,
    ) -> SumsOfRows | None:
        """Of what a reduction `read`, computed from `given`; None where that has no such rows."""
        taken, result = access_of(read), access_of(into)
        if taken is None or result is None:
            return None
        length = taken.free_elements // result.free_elements
        rows, sums = Rows.of(given.get("data", given.get("data1")), length), Rows.of(into, 1)
        if rows is None or sums is None:
            return None
        return cls(c, function, {name: given.get(name) for name in ("bias", "scale")}, rows, sums)

    def row(
        self, number: int, at: EngineInstruction, emit: Emitter, before: EngineInstruction | None
    ) -> EngineInstruction | None:
        """That of one row, in front of an instruction and behind that of the row before."""
        row, total = self.rows.row(number, emit), self.sums.row(number, emit, before and before.tiles[1])
        operands = {**self.columns, "dst": self.combiner.scratch(row, at), "data": row, "reduce_res": total}
        return self.combiner.build(at, "activation_reduce", operands, op=self.function)


def _time(c: Combiner, op: EngineInstruction) -> float:
    return cost(op.instance(c.target)).occupancy


def _takes_longer(c: Combiner, first: EngineInstruction, count: int, most: float) -> bool:
    """Whether so many instructions like the first one take longer than `most` ns: then it goes."""
    if count * _time(c, first) <= most:
        return False
    first.detach()
    first.erase()
    return True


def _with_numbers(
    dst: SSAValue | None, data: SSAValue | None, numbers: SSAValue | None
) -> tuple[Rows, Rows, Rows] | None:
    """Three views as rows, as long as a number of the last one repeats; None where one has no such rows."""
    access = access_of(numbers)
    dims = contiguous(access.dims) if access is not None else [(1, 1)]
    first, second, third = (Rows.of(value, dims[-1][1]) for value in (dst, data, numbers))
    if dims[-1][0] != 0 or first is None or second is None or third is None:
        return None
    return first, second, replace(third, pattern=((1, 1),))


def _row_by_row(
    c: Combiner,
    op: EngineInstruction,
    rows: tuple[Rows, Rows, Rows],
    most: float,
    name: str,
    takes: str,
    fields: Mapping[str, Any],
) -> EngineInstruction | None:
    """An instruction for each row, in front of another, which takes the row's number as one of its operands; None where
    that is not legal, or takes longer than `most` ns."""
    dst, data, numbers = rows
    emit, made = Emitter.before(op), None
    for number in range(len(dst.starts)):
        views = {"dst": dst.row(number, emit, made and made.tiles[0]), "data": data.row(number, emit)}
        made = c.build(op, name, {**views, takes: numbers.row(number, emit)}, **fields)
        if made is None or _takes_longer(c, made, len(dst.starts), most):
            return None
    return made
