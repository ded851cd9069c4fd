"""Matrix products and transposes."""

from __future__ import annotations

from nki_mlir.dialects.instructions.operands import ACCUMULATE, MOVING, PSUM_DST, STATIONARY, TENSOR, VECTOR
from nki_mlir.dialects.legality import Instruction, Operand, matmul_operands, same_dtype, transpose_shapes

TENSOR_ENGINE: tuple[Instruction, ...] = (
    Instruction(
        "nc_transpose",
        "dst = data transposed, partitions against flattened free elements.",
        (VECTOR, TENSOR),
        (Operand("dst", "dst", shape="own"), Operand("data", "src", shape="own")),
        (),
        (same_dtype("dst", "data"), transpose_shapes),
    ),
    Instruction(
        "nc_matmul",
        "dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n]: load-stationary and multiply-moving as one.",
        (TENSOR,),
        (PSUM_DST, STATIONARY, MOVING),
        (ACCUMULATE,),
        (matmul_operands,),
        levels=("neuron.engine",),
    ),
    Instruction(
        "load_stationary",
        "Loads the K x M tile that the following multiply_moving instructions use.",
        (TENSOR,),
        (STATIONARY,),
        (),
        (matmul_operands,),
        levels=("neuron.isa",),
    ),
    Instruction(
        "multiply_moving",
        "dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n], for the stationary tile loaded last.",
        (TENSOR,),
        (PSUM_DST, MOVING),
        (ACCUMULATE,),
        (matmul_operands,),
        levels=("neuron.isa",),
    ),
)
