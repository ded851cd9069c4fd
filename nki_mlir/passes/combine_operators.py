"""Rules for operators: two with a scalar each, and one with a scalar and one with a tile."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_engine import EngineInstruction, constant_float
from nki_mlir.passes.combiner import Combiner, access_of, is_read_once, keeps_bits, maker, operands_of
from nki_mlir.passes.emitter import Emitter


def _with_one_scalar(c: Combiner, op: EngineInstruction, name: str) -> EngineInstruction | None:
    """The tensor_scalar of one operator on the Vector engine that made an operand and of which nobody else reads."""
    inner = maker(op.operand_value(name), "tensor_scalar")
    if inner is None or inner.fields()["op1"] is not None:
        return None
    own = inner.engine.data is Engine.VECTOR and op.engine.data is Engine.VECTOR
    return inner if own and is_read_once(inner) and keeps_bits(inner) else None


def two_scalars(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """op1(op0(data, operand0), operand1)."""
    inner, fields = _with_one_scalar(c, op, "data"), op.fields()
    if inner is None or fields["op1"] is not None:
        return None
    operands = {
        **operands_of(inner),
        "dst": op.operand_value("dst"),
        "operand1": op.operand_value("operand0"),
    }
    if (number := _product(inner, op)) is not None:
        operands |= {"operand0": Emitter.before(op).float(number), "operand1": None}
        fields = {**fields, "op0": None, "reverse0": None}
    both = {**inner.fields(), "op1": fields["op0"], "reverse1": fields["reverse0"]}
    made = c.build(op, "tensor_scalar", operands, **both)
    if made is not None:
        c.replace(op.tiles, made, [op, inner])
    return made


def _product(inner: EngineInstruction, op: EngineInstruction) -> float | None:
    """The factor of two multiplications by constants, of which one only changes the sign."""
    given = [one.operand_value("operand0") for one in (inner, op)]
    factors = [constant_float(value) for value in given if value is not None and access_of(value) is None]
    products = all(one.fields()["op0"] is Alu.MULTIPLY for one in (inner, op))
    return factors[0] * factors[1] if products and len(factors) == 2 and -1.0 in factors else None


def scalar_and_tile(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """op1(op0(data, operand0), operand1), of which operand1 is a tile."""
    for name, other in (("data1", "data2"), ("data2", "data1")):
        inner = _with_one_scalar(c, op, name)
        if inner is None:
            continue
        first = inner.fields()
        operands = {**operands_of(inner), "dst": op.operand_value("dst"), "operand1": op.operand_value(other)}
        fields = {"op0": first["op0"], "reverse0": first["reverse0"], "op1": op.fields()["op"]}
        made = c.build(op, "scalar_tensor_tensor", operands, **fields, reverse1=name == "data2")
        if made is not None:
            c.replace(op.tiles, made, [op, inner])
            return made
    return None
