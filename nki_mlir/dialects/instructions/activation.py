"""Instructions of the Scalar engine that evaluate a function."""

from __future__ import annotations

from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.dialects.instructions.operands import BIAS, DATA, DST, REDUCE_RES, SCALAR, SCALE, reduce_cmd
from nki_mlir.dialects.legality import ANY, Field, Instance, Instruction, Operand, dtype

_SUM = REDUCE_RES.of(ANY)
_COMMAND = reduce_cmd(
    ReduceCommand.IDLE, ReduceCommand.RESET, ReduceCommand.REDUCE, ReduceCommand.RESET_REDUCE, optional=True
)
_PAIRS = {
    (Alu.MULTIPLY, Alu.ADD),
    (Alu.MULTIPLY, Alu.SUBTRACT),
    (Alu.MULTIPLY, Alu.BYPASS),
    (Alu.ADD, Alu.BYPASS),
    (Alu.SUBTRACT, Alu.BYPASS),
    (Alu.BYPASS, Alu.BYPASS),
}
"""(op0, op1) of activate2; an absent operator is bypass."""


def _bias(i: Instance) -> str | None:
    if i.target.features.activation_biases:
        return None
    if isinstance(i.operands.get("bias"), float):
        return "bias may be a constant from NeuronCore-v3 on; before, it is a [P,1] tile"
    if i.fields.get("op") is Function.RECIPROCAL and "bias" in i.operands:
        return "the reciprocal function takes a bias from NeuronCore-v3 on"
    return None


def _pairs(i: Instance) -> str | None:
    op0, op1 = (i.fields.get(name) or Alu.BYPASS for name in ("op0", "op1"))
    if (op0, op1) not in _PAIRS:
        pairs = ", ".join(sorted(f"({a}, {b})" for a, b in _PAIRS))
        return f"op0 and op1 are one of {pairs}, not ({op0}, {op1})"
    return None


def _arguments(i: Instance) -> str | None:
    for op, operand, reverse in (("op0", "imm0", "reverse0"), ("op1", "imm1", "reverse1")):
        computes = i.fields.get(op) not in (None, Alu.BYPASS)
        if computes != (operand in i.operands):
            return f"{operand} goes together with an {op} that is not bypass"
        if i.fields.get(reverse) and not computes:
            return f"{reverse} needs an {op} that is not bypass"
    if ("relu_param" in i.operands) and i.fields["op"] is not Function.PRELU:
        return f"relu_param is the slope of prelu; op is {i.fields['op']}"
    return None


def _one_immediate_type(i: Instance) -> str | None:
    a, b = i.access("imm0"), i.access("imm1")
    if a is not None and b is not None and a.element_type != b.element_type:
        return (
            f"imm0 is {dtype(a.element_type).name} and imm1 {dtype(b.element_type).name}; tiles of both are of one type"
        )
    return None


def _reduction(i: Instance) -> str | None:
    reduces = i.fields.get("reduce_cmd") not in (None, ReduceCommand.IDLE)
    if reduces != (i.fields.get("reduce_op") is not None):
        return "reduce_op goes together with a reduce_cmd that is not idle"
    return None


def _immediate(name: str) -> Operand:
    return Operand(name, "src", dtypes=ANY, shape="column", optional=True, constant=True)


ACTIVATION: tuple[Instruction, ...] = (
    Instruction(
        "activation",
        """dst = op(data * scale + bias). The engine's accumulator adds op's results over the free dimensions as
        `reduce_cmd` says, idle if absent; reduce_res = the accumulator afterwards.""",
        (SCALAR,),
        (DST, DATA, BIAS, SCALE, _SUM),
        (Field("op", "function"), _COMMAND),
        (_bias,),
    ),
    Instruction(
        "activation_reduce",
        """dst = op(data * scale + bias); reduce_res = the sum of op's results over the free dimensions, before the
        cast. The same as activation with reset_reduce.""",
        (SCALAR,),
        (DST, DATA, _SUM, BIAS, SCALE),
        (Field("op", "function"),),
        (_bias,),
    ),
    Instruction(
        "activate2",
        """dst = op(op1(op0(data, imm0), imm1)); reverse0 and reverse1 swap arguments. The accumulator takes op's
        results by reduce_op over the free dimensions, as `reduce_cmd` says; reduce_res = the accumulator
        afterwards.""",
        (SCALAR,),
        (DST, DATA, _immediate("imm0"), _immediate("imm1"), _immediate("relu_param"), _SUM),
        (
            Field("op", "function"),
            Field("op0", "alu", optional=True),
            Field("reverse0", "flag"),
            Field("op1", "alu", optional=True),
            Field("reverse1", "flag"),
            Field("reduce_op", "alu", True, (Alu.ADD, Alu.MAXIMUM, Alu.MINIMUM, Alu.ABS_MAX, Alu.ABS_MIN)),
            _COMMAND,
        ),
        (_pairs, _arguments, _one_immediate_type, _reduction),
        cores=("v4",),
    ),
)
