"""The instruction table: name, engines, operands, fields and legality of every machine instruction, once.

`neuron.engine` and `neuron.isa` build their operations from it, so that the assembly of both, the verifiers of both,
the meaning (`executor/meaning/`) and the cost (`targets/costs.toml` and the targets' own) are all found under one name.
Each module here is a group of instructions with the rules that only they have; the model and the rules that all keep
are in `legality.py`.
"""

from __future__ import annotations

from nki_mlir.dialects.alu import (  # noqa: F401
    BITWISE,
    COMPARISONS,
    GPSIMD_ONLY,
    GPSIMD_TENSOR_TENSOR,
    REDUCING,
    SCALAR_ENGINE_PAIRS,
    UNARY,
    V4_ONLY,
    Alu,
    AluAttr,
    Function,
    FunctionAttr,
    ReduceCommand,
    ReduceCommandAttr,
)
from nki_mlir.dialects.instructions.dma import DMA
from nki_mlir.dialects.instructions.elementwise import ELEMENTWISE
from nki_mlir.dialects.instructions.tensor import TENSOR_ENGINE
from nki_mlir.dialects.legality import (  # noqa: F401
    FLOATS,
    INTEGERS,
    WIDE_MATMUL,
    Field,
    Instance,
    Instruction,
    Operand,
    check,
)

INSTRUCTIONS: tuple[Instruction, ...] = (*ELEMENTWISE, *TENSOR_ENGINE, *DMA)
BY_NAME: dict[str, Instruction] = {i.name: i for i in INSTRUCTIONS}
