"""Operands and fields that many instructions share."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.alu import ReduceCommand
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.legality import ANY, F32, FLOATS, INTEGERS, PSUM, SBUF, Field, Instance, Operand

TENSOR, VECTOR, SCALAR, GPSIMD = Engine.TENSOR, Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD
ALL = (Engine.SYNC, Engine.GPSIMD, Engine.SCALAR, Engine.VECTOR, Engine.TENSOR)
NO_TF32 = ANY - {by_name("tfloat32").type}
DST = Operand("dst", "dst")
DATA = Operand("data", "src")
OPERAND0 = Operand("operand0", "src", dtypes=F32, shape="column", constant=True)
OPERAND1 = Operand("operand1", "src", dtypes=F32 | INTEGERS, shape="column", constant=True, optional=True)
BIAS = Operand("bias", "src", dtypes=NO_TF32, shape="column", optional=True, constant=True)
SCALE = Operand("scale", "src", dtypes=F32, shape="column", optional=True, constant=True)
STATIONARY = Operand("stationary", "src", SBUF, FLOATS, shape="own")
MOVING = Operand("moving", "src", SBUF, FLOATS, shape="own")
PSUM_DST = Operand("dst", "dst", PSUM, shape="own")
ACCUMULATE = Field("accumulate", "expr", optional=True)

# The accumulator of an engine: one fp32 register per partition, which some of its instructions reduce into.

REDUCE_RES = Operand("reduce_res", "dst", dtypes=FLOATS, shape="column", optional=True)
REDUCE_INIT = Operand("reduce_init", "src", dtypes=F32, shape="column", optional=True, constant=True)


def reduce_cmd(*choices: ReduceCommand, optional: bool = False) -> Field:
    return Field("reduce_cmd", "command", optional, tuple(choices))


def init_is_loaded(i: Instance) -> str | None:
    loads = i.fields.get("reduce_cmd") is ReduceCommand.LOAD_REDUCE
    return None if loads == ("reduce_init" in i.operands) else "reduce_init and reduce_cmd load_reduce go together"
