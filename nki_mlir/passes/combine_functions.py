"""Rules for functions: their argument's factor and summand, and the sum of their results."""

from __future__ import annotations

from typing import NamedTuple

from xdsl.ir import SSAValue

from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.neuron_engine import EngineInstruction, constant_float, view_of
from nki_mlir.passes.combiner import (
    Combiner,
    access_of,
    is_float,
    is_read_once,
    keeps_bits,
    made_tile,
    maker,
    operands_of,
)


class _Term(NamedTuple):
    value: SSAValue
    negative: bool = False


def argument(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """function(data * scale + bias) of a tensor_scalar's result."""
    inner = maker(op.operand_value("data"), "tensor_scalar")
    if inner is None or not is_read_once(inner):
        return None
    if not keeps_bits(inner) or op.operand_value("scale") or op.operand_value("bias"):
        return None
    if (found := factor_and_summand(c, inner, op)) is None:
        return None
    operands = {**operands_of(op), "data": inner.operand_value("data"), **found}
    made = c.build(op, op.instruction.name, operands, **op.fields())
    if made is not None:
        c.replace(op.tiles, made, [op, inner])
    return made


def factor_and_summand(
    c: Combiner, inner: EngineInstruction, at: EngineInstruction
) -> dict[str, SSAValue | None] | None:
    """What a tensor_scalar multiplies by and adds, as `scale` and `bias` of a function in front of which it may stand;
    None where it does something else."""
    terms = _terms(inner)
    if terms is None or any(t is not None and access_of(t.value) and not is_float(t.value) for t in terms):
        return None
    scale, bias = (_resolved(c, term, at) for term in terms)
    if (terms[0] and scale is None) or (terms[1] and bias is None):
        return None
    data = access_of(inner.operand_value("data"))
    if bias is not None and access_of(bias) is None and not c.target.features.activation_biases and data is not None:
        bias = c.column(constant_float(bias), data.partitions)
    return {"scale": scale, "bias": bias}


def _terms(inner: EngineInstruction) -> tuple[_Term | None, _Term | None] | None:
    """What a tensor_scalar multiplies by, and what it adds; None where it does something else."""
    fields, negative = inner.fields(), False
    scale: _Term | None = None
    bias: _Term | None = None
    for n in "01":
        alu, value, reverse = fields[f"op{n}"], inner.operand_value(f"operand{n}"), fields[f"reverse{n}"]
        if alu is None:
            continue
        assert value is not None, "an operator has an operand"
        if alu is Alu.MULTIPLY and scale is None and bias is None:
            scale = _Term(value)
        elif alu is Alu.ADD and bias is None:
            bias = _Term(value)
        elif alu is Alu.SUBTRACT and bias is None:
            bias, negative = _Term(value, not reverse), bool(reverse)
        else:
            return None
    return (_Term(scale.value, negative) if scale is not None else None, bias) if not negative or scale else None


def _resolved(c: Combiner, term: _Term | None, op: EngineInstruction) -> SSAValue | None:
    if term is None:
        return None
    return c.negative(term.value, op) if term.negative else term.value


def row_sum(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """The sum of a function's results, or of squares, of each partition."""
    inner, fields = maker(op.operand_value("data")), op.fields()
    if inner is None or fields["op"] is not Alu.ADD or fields["negate"] or not keeps_bits(inner):
        return None
    function = function_of(inner)
    if function is None or (total := c.destination(op, "dst", inner)) is None:
        return None
    given = operands_of(inner)
    operands = {name: given.get(name) for name in ("dst", "bias", "scale")}
    operands |= {"data": given.get("data", given.get("data1")), "reduce_res": total}
    kept = None if is_read_once(inner) else made_tile(inner)
    if kept is None and operands["dst"] is not None:
        operands["dst"] = c.scratch(operands["dst"], inner)
    made = c.build(inner, "activation_reduce", operands, op=function)
    if made is not None:
        c.replace((kept, op.tiles[0]), made, [op, inner])
    return made


def function_of(op: EngineInstruction) -> Function | None:
    """What an instruction computes of each element, if that is a function."""
    fields = op.fields()
    if op.is_a("activation"):
        return fields["op"] if fields["reduce_cmd"] is None else None
    if op.is_a("tensor_tensor") and fields["op"] is Alu.MULTIPLY:
        one, other = (op.operand_value(name) for name in ("data1", "data2"))
        return Function.SQUARE if is_float(one) and _same(one, other) else None
    return None


def _same(a: SSAValue | None, b: SSAValue | None) -> bool:
    """Whether two operands are one, or views of the same elements."""
    one, other = view_of(a), view_of(b)
    if a is b or one is None or other is None:
        return a is b
    return one.source is other.source and one.access == other.access and one.offset is other.offset


def negated_reduction(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """A reduction that gives its result with the other sign."""
    inner, fields = maker(op.operand_value("data"), "tensor_reduce"), op.fields()
    if inner is None or not is_read_once(inner):
        return None
    by = op.operand_value("operand0")
    minus = by is not None and access_of(by) is None and constant_float(by) == -1.0
    if fields["op0"] is not Alu.MULTIPLY or fields["op1"] is not None or not minus or inner.fields()["negate"]:
        return None
    if not is_float(inner.operand_value("dst")) or not is_float(op.operand_value("dst")):
        return None
    if (dst := c.destination(op, "dst", inner)) is None:
        return None
    made = c.build(inner, "tensor_reduce", {**operands_of(inner), "dst": dst}, **{**inner.fields(), "negate": True})
    if made is not None:
        c.replace(op.tiles, made, [op, inner])
    return made


def inverse_root(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """One over a square root: a function of the Scalar engine, which has the root in hand."""
    inner = maker(op.operand_value("data"), "activation")
    if inner is None or inner.fields()["op"] is not Function.SQRT:
        return None
    if not is_read_once(inner) or not keeps_bits(inner) or inner.fields()["reduce_cmd"] is not None:
        return None
    given = {**operands_of(inner), "dst": op.operand_value("dst")}
    made = c.build(op, "activation", given, on=inner.engine.data, **{**inner.fields(), "op": Function.RSQRT})
    if made is not None:
        c.replace(op.tiles, made, [op, inner])
    return made
