"""Operands and fields that many instructions share."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.legality import F32, FLOATS, PSUM, SBUF, Field, Operand

TENSOR, VECTOR, SCALAR, GPSIMD = Engine.TENSOR, Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD
ALL = (Engine.SYNC, Engine.GPSIMD, Engine.SCALAR, Engine.VECTOR, Engine.TENSOR)
DST = Operand("dst", "dst")
DATA = Operand("data", "src")
OPERAND0 = Operand("operand0", "src", dtypes=F32, shape="column", constant=True)
OPERAND1 = Operand("operand1", "src", dtypes=F32, shape="column", constant=True, optional=True)
BIAS = Operand("bias", "src", dtypes=FLOATS - {by_name("tfloat32").type}, shape="column", optional=True, constant=True)
SCALE = Operand("scale", "src", dtypes=F32, shape="column", optional=True, constant=True)
STATIONARY = Operand("stationary", "src", SBUF, FLOATS, shape="own")
MOVING = Operand("moving", "src", SBUF, FLOATS, shape="own")
PSUM_DST = Operand("dst", "dst", PSUM, shape="own")
ACCUMULATE = Field("accumulate", "expr", optional=True)
