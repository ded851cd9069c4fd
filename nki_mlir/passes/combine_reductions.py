"""Rules for reductions of each partition: made beside what is reduced, and the search for the place of an extremum."""

from __future__ import annotations

from dataclasses import replace

from xdsl.dialects.builtin import IntegerType, Signedness
from xdsl.ir import SSAValue

from nki_mlir.costs.instructions import cost
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import COMPARISONS
from nki_mlir.dialects.instructions import Alu, ReduceCommand
from nki_mlir.dialects.instructions.search import EIGHT
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, constant_float, view_of
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.passes.combiner import Combiner, access_of, is_read_once, keeps_bits, made_tile, maker, operands_of
from nki_mlir.passes.emitter import Emitter

_NUMBER = IntegerType(32, Signedness.UNSIGNED)


def reduced_beside(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """The reduction of what one operator with a number, or a choice, gives of each partition: made beside it."""
    inner, fields, result = (
        maker(op.operand_value("data"), in_order=True),
        op.fields(),
        access_of(op.operand_value("dst")),
    )
    if inner is None or result is None or result.free_elements != 1 or fields["negate"]:
        return None
    first, given = inner.fields(), operands_of(inner)
    if inner.is_a("tensor_scalar") and inner.engine.data is Engine.VECTOR:
        if first["op1"] is not None or first["reverse0"] or not (keeps_bits(inner) or first["op0"] in COMPARISONS):
            return None
        name, kept = "tensor_scalar_reduce", {"op0": first["op0"], "reduce_op": fields["op"]}
        operands = {each: given[each] for each in ("dst", "data", "operand0")}
    elif inner.is_a("select_reduce") and fields["op"] is Alu.MAXIMUM and keeps_bits(inner):
        if first["reduce_cmd"] is not None:
            return None
        name, kept = "select_reduce", {"reverse_pred": first["reverse_pred"]}
        operands = {each: given[each] for each in ("dst", "predicate", "on_true", "on_false")}
    else:
        return None
    if (into := c.destination(op, "dst", inner)) is None:
        return None
    operands["reduce_res"] = into
    tile = None if is_read_once(inner) else made_tile(inner)
    if tile is None and operands["dst"] is not None:
        operands["dst"] = c.scratch(operands["dst"], inner)
    made = c.build(inner, name, operands, reduce_cmd=ReduceCommand.RESET_REDUCE, **kept)
    if made is None:
        return None
    if _time(c, made) > _time(c, inner) + _time(c, op):
        made.detach()
        made.erase()
        return None
    c.replace((tile, op.tiles[0]), made, [op, inner])
    return made


def _time(c: Combiner, op: EngineInstruction) -> float:
    return cost(op.instance(c.target)).occupancy


def place_of_first(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """The smallest of the numbers of those elements of a partition that equal one number, and of a constant in the
    place of all others: what a search for that number finds, if it is below the constant."""
    choice, fields, result = (
        maker(op.operand_value("data"), "select_reduce"),
        op.fields(),
        access_of(op.operand_value("dst")),
    )
    if choice is None or result is None or result.free_elements != 1 or fields["op"] is not Alu.MINIMUM:
        return None
    if fields["negate"] or choice.fields()["reduce_cmd"] is not None or choice.fields()["reverse_pred"]:
        return None
    test, most = maker(choice.operand_value("predicate"), "tensor_scalar"), choice.operand_value("on_false")
    if test is None or most is None or access_of(most) is not None or constant_float(most) < 0:
        return None
    number, data = test.operand_value("operand0"), test.operand_value("data")
    if test.fields()["op0"] is not Alu.EQUAL or test.fields()["op1"] is not None or access_of(number) is None:
        return None
    if not _counts(choice.operand_value("on_true")):
        return None
    emit, looked_for = Emitter.before(op), view_of(number)
    assert looked_for is not None
    eight = replace(looked_for.access, dims=((0, EIGHT),))
    numbers = emit.value(ViewOp(looked_for.source, eight, looked_for.offset))
    places, access = _places(looked_for.access.partitions, emit)
    found = c.build(op, "nc_find_index8", {"dst": places, "data": data, "vals": numbers})
    if found is None:
        return None
    first = emit.value(ViewOp(found.tiles[0], replace(access, dims=((1, 1),))))
    operands = {"dst": op.operand_value("dst"), "data": first, "operand0": most}
    made = c.build(op, "tensor_scalar", operands, op0=Alu.MINIMUM)
    if made is not None:
        c.replace(op.tiles, made, [op])
    return made


def _counts(value: SSAValue | None) -> bool:
    """Whether a view is of the number of each element in its partition, from 0 on."""
    iota, access = maker(value, "iota"), access_of(value)
    if iota is None or access is None:
        return False
    fields = iota.fields()
    starts = fields["offset"] == 0 == fields["channel_multiplier"]
    return starts and list(fields["pattern"]) == [1, access.free_elements]


def _places(partitions: int, emit: Emitter) -> tuple[SSAValue, Access]:
    """A view of a new tile of eight whole numbers on each partition."""
    lanes = [replica(partitions)] if partitions > 1 else []
    tile = emit.value(
        EmptyOp(TileType.of(Space.SBUF, Layout.of((EIGHT,), lanes, [Factor(0, EIGHT)]), _NUMBER), "place")
    )
    access = Access(Space.SBUF, _NUMBER, ((1, EIGHT),), 0, partitions)
    return emit.value(ViewOp(tile, access)), access
