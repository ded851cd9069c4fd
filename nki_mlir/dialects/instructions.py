"""The instruction table: name, engines, operands, fields and legality of every machine instruction, once.

`neuron.engine` and `neuron.isa` build their operations from it, so that the assembly of both, the verifiers of both,
the meaning (`executor/meaning.py`) and the cost (`targets/*.toml`) are all found under one name.
"""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
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
)
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.legality import (  # noqa: F401
    ANY,
    COMMON,
    DMA_SPACES,
    F32,
    FLOATS,
    INTEGERS,
    ON_CHIP,
    PSUM,
    SBUF,
    UNSIGNED,
    WIDE_MATMUL,
    Field,
    Instance,
    Instruction,
    Operand,
    Rule,
    arithmetic_only,
    bias_is_a_tile_on_v2,
    bitwise_needs_integers,
    check,
    compares,
    copy_engine,
    dma_shapes,
    legal_reduction,
    matmul_operands,
    negate_is_arithmetic,
    not_both_in_psum,
    operators_agree,
    pattern_covers_dst,
    queue_exists,
    reduced_shape,
    same_dtype,
    second_operator_has_operand,
    start_partition_error,
    tensor_scalar_engine,
    tensor_tensor_engine,
    transpose_shapes,
    two_arguments,
    value_of_kind,
)

_V, _S, _G, _T = Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD, Engine.TENSOR
_ALL = (Engine.SYNC, Engine.GPSIMD, Engine.SCALAR, Engine.VECTOR, Engine.TENSOR)
_DST = Operand("dst", "dst")
_DATA = Operand("data", "src")
_OPERAND0 = Operand("operand0", "src", dtypes=F32, shape="column", constant=True)
_OPERAND1 = Operand("operand1", "src", dtypes=F32, shape="column", constant=True, optional=True)
_BIAS = Operand("bias", "src", dtypes=FLOATS - {by_name("tfloat32").type}, shape="column", optional=True, constant=True)
_SCALE = Operand("scale", "src", dtypes=F32, shape="column", optional=True, constant=True)
_STATIONARY = Operand("stationary", "src", SBUF, FLOATS, shape="own")
_MOVING = Operand("moving", "src", SBUF, FLOATS, shape="own")
_PSUM_DST = Operand("dst", "dst", PSUM, F32, shape="own")
_ACCUMULATE = Field("accumulate", "expr", optional=True)

INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction(
        "tensor_tensor",
        "dst = op(data1, data2), element by element, in fp32; native 32-bit integers on gpsimd.",
        (_V, _G),
        (_DST, Operand("data1", "src"), Operand("data2", "src")),
        (Field("op", "alu"),),
        (not_both_in_psum("data1", "data2"), two_arguments, bitwise_needs_integers, tensor_tensor_engine),
    ),
    Instruction(
        "tensor_scalar",
        "t = op0(data, operand0); dst = op1(t, operand1) where op1 is given; reverse0 and reverse1 swap the arguments.",
        (_V, _S, _G),
        (_DST, _DATA, _OPERAND0, _OPERAND1),
        (Field("op0", "alu"), Field("reverse0", "flag"), Field("op1", "alu", optional=True), Field("reverse1", "flag")),
        (second_operator_has_operand, operators_agree, bitwise_needs_integers, tensor_scalar_engine),
    ),
    Instruction(
        "scalar_tensor_tensor",
        "t = op0(data, operand0); dst = op1(t, operand1); operand1 is a full tile.",
        (_V,),
        (_DST, _DATA, _OPERAND0, Operand("operand1", "src")),
        (Field("op0", "alu"), Field("reverse0", "flag"), Field("op1", "alu"), Field("reverse1", "flag")),
        (not_both_in_psum("data", "operand1"), arithmetic_only),
    ),
    Instruction(
        "tensor_reduce",
        "Reduces the last `axes` free dimensions of data with op.",
        (_V,),
        (Operand("dst", "dst", shape="own"), Operand("data", "src", shape="own")),
        (Field("op", "alu"), Field("axes", "integer"), Field("negate", "flag")),
        (legal_reduction, bitwise_needs_integers, negate_is_arithmetic, reduced_shape),
    ),
    Instruction(
        "tensor_copy",
        "dst = src, converted to dst's type.",
        (_V, _S, _G),
        (_DST, Operand("src", "src")),
        (),
        (copy_engine,),
    ),
    Instruction(
        "tensor_copy_predicated",
        "dst = src where predicate is not zero (is zero, with reverse_pred); elsewhere dst keeps its value.",
        (_V,),
        (_DST, Operand("src", "src"), Operand("predicate", "src", dtypes=UNSIGNED)),
        (Field("reverse_pred", "flag"),),
        (same_dtype("dst", "src"), not_both_in_psum("src", "predicate")),
    ),
    Instruction("memset", "dst = value.", (_V, _G), (_DST,), (Field("value", "number"),), (value_of_kind,)),
    Instruction("reciprocal", "dst = 1 / data.", (_V,), (_DST, _DATA)),
    Instruction(
        "activation",
        "dst = op(data * scale + bias).",
        (_S,),
        (_DST, _DATA, _BIAS, _SCALE),
        (Field("op", "function"),),
        (bias_is_a_tile_on_v2,),
    ),
    Instruction(
        "activation_reduce",
        "dst = op(data * scale + bias); reduce_res = the sum of dst over the free dimensions, before the cast.",
        (_S,),
        (_DST, _DATA, Operand("reduce_res", "dst", shape="column"), _BIAS, _SCALE),
        (Field("op", "function"),),
        (bias_is_a_tile_on_v2,),
    ),
    Instruction(
        "iota",
        "dst = offset + partition * channel_multiplier + sum of index * step over pattern's pairs of step and count.",
        (_G,),
        (Operand("dst", "dst", SBUF),),
        (Field("pattern", "integers"), Field("offset", "integer"), Field("channel_multiplier", "integer")),
        (pattern_covers_dst,),
    ),
    Instruction(
        "affine_select",
        "dst = on_true_tile where cmp_op(v, 0) for the iota value v of pattern, else on_false_value.",
        (_G,),
        (Operand("dst", "dst", SBUF), Operand("on_true_tile", "src", SBUF)),
        (
            Field("on_false_value", "number"),
            Field("pattern", "integers"),
            Field("offset", "integer"),
            Field("channel_multiplier", "integer"),
            Field("cmp_op", "alu"),
        ),
        (pattern_covers_dst, compares),
    ),
    Instruction(
        "nc_transpose",
        "dst = data transposed, partitions against flattened free elements.",
        (_V, _T),
        (Operand("dst", "dst", shape="own"), Operand("data", "src", shape="own")),
        (),
        (same_dtype("dst", "data"), transpose_shapes),
    ),
    Instruction(
        "nc_matmul",
        "dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n]: load-stationary and multiply-moving as one.",
        (_T,),
        (_PSUM_DST, _STATIONARY, _MOVING),
        (_ACCUMULATE,),
        (matmul_operands,),
        levels=("neuron.engine",),
    ),
    Instruction(
        "load_stationary",
        "Loads the K x M tile that the following multiply_moving instructions use.",
        (_T,),
        (_STATIONARY,),
        (),
        (matmul_operands,),
        levels=("neuron.isa",),
    ),
    Instruction(
        "multiply_moving",
        "dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n], for the stationary tile loaded last.",
        (_T,),
        (_PSUM_DST, _MOVING),
        (_ACCUMULATE,),
        (matmul_operands,),
        levels=("neuron.isa",),
    ),
    Instruction(
        "dma_copy",
        "Starts a transfer between HBM and SBUF, elements in row-major order of both patterns; a type change converts.",
        _ALL,
        (
            Operand("dst", "dst", DMA_SPACES, shape="own"),
            Operand("src", "src", DMA_SPACES, shape="own"),
        ),
        (Field("queue", "integer"),),
        (queue_exists, dma_shapes),
    ),
)
BY_NAME: dict[str, Instruction] = {i.name: i for i in INSTRUCTIONS}
