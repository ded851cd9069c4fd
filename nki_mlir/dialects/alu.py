"""The operators of the element-wise instructions and the functions of the Scalar engine."""

from __future__ import annotations

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum


class Alu(StrEnum):
    """Operators of the element-wise and reducing instructions (docs/hardware.md#operators), but for `reciprocal`: an
    instruction of its own on the Vector engine, a function of the Scalar engine."""

    INVERT = "invert"
    BITWISE_AND = "bitwise_and"
    BITWISE_OR = "bitwise_or"
    BITWISE_XOR = "bitwise_xor"
    LEFT_SHIFT = "left_shift"
    RIGHT_SHIFT = "right_shift"
    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    GREATER_EQUAL = "greater_equal"
    GREATER = "greater"
    LESS_EQUAL = "less_equal"
    LESS = "less"
    LOGICAL_NOT = "logical_not"
    LOGICAL_AND = "logical_and"
    LOGICAL_OR = "logical_or"
    LOGICAL_XOR = "logical_xor"
    POWER = "power"
    RSQRT = "rsqrt"
    ABS = "abs"
    SQUARE = "square"
    RELU = "relu"
    ABS_MAX = "abs_max"
    ABS_MIN = "abs_min"
    DIVIDE = "divide"
    MOD = "mod"
    BYPASS = "bypass"
    AVERAGE = "average"


BITWISE = {Alu.INVERT, Alu.BITWISE_AND, Alu.BITWISE_OR, Alu.BITWISE_XOR, Alu.LEFT_SHIFT, Alu.RIGHT_SHIFT}
GPSIMD_ONLY = {Alu.POWER, Alu.RSQRT, Alu.AVERAGE}
GPSIMD_TENSOR_TENSOR = {Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY, Alu.POWER}
REDUCING = {
    Alu.ADD,
    Alu.SUBTRACT,
    Alu.MULTIPLY,
    Alu.MAXIMUM,
    Alu.MINIMUM,
    Alu.BITWISE_AND,
    Alu.BITWISE_OR,
    Alu.BITWISE_XOR,
    Alu.LOGICAL_AND,
    Alu.LOGICAL_OR,
    Alu.LOGICAL_XOR,
}
SCALAR_ENGINE_PAIRS = {(Alu.MULTIPLY, Alu.ADD), (Alu.MULTIPLY,), (Alu.ADD,)}
"""What tensor_scalar does on the Scalar engine, from NeuronCore-v3 on."""
UNARY = {Alu.INVERT, Alu.LOGICAL_NOT, Alu.RSQRT, Alu.ABS, Alu.SQUARE, Alu.RELU, Alu.BYPASS}
"""Operators of one argument: the operand beside it is 0, and no one reads it."""
PARTITION_REDUCING = {Alu.AVERAGE}
"""Operators of tensor_partition_reduce alone."""
ABSOLUTE_EXTREMA = {Alu.ABS_MAX, Alu.ABS_MIN}
COMPARISONS = {Alu.EQUAL, Alu.NOT_EQUAL, Alu.GREATER_EQUAL, Alu.GREATER, Alu.LESS_EQUAL, Alu.LESS}

REGISTER_ALUS = (
    BITWISE
    | COMPARISONS
    | {
        Alu.BYPASS,
        Alu.ADD,
        Alu.SUBTRACT,
        Alu.MULTIPLY,
        Alu.DIVIDE,
        Alu.MOD,
        Alu.MAXIMUM,
        Alu.MINIMUM,
        Alu.LOGICAL_NOT,
        Alu.LOGICAL_AND,
        Alu.LOGICAL_OR,
        Alu.LOGICAL_XOR,
    }
)
"""What a sequencer computes on its registers."""


class Function(StrEnum):
    """Functions of the Scalar engine (docs/hardware.md#functions)."""

    COPY = "copy"
    SQUARE = "square"
    SIGMOID = "sigmoid"
    RELU = "relu"
    PRELU = "prelu"
    GELU = "gelu"
    GELU_DX = "gelu_dx"
    GELU_APPRX_TANH = "gelu_apprx_tanh"
    GELU_APPRX_SIGMOID = "gelu_apprx_sigmoid"
    GELU_APPRX_SIGMOID_DX = "gelu_apprx_sigmoid_dx"
    SILU = "silu"
    SILU_DX = "silu_dx"
    TANH = "tanh"
    SOFTPLUS = "softplus"
    MISH = "mish"
    ERF = "erf"
    ERF_DX = "erf_dx"
    EXP = "exp"
    LOG = "log"
    SIN = "sin"
    ARCTAN = "arctan"
    SQRT = "sqrt"
    RSQRT = "rsqrt"
    RECIPROCAL = "reciprocal"
    SIGN = "sign"
    ABS = "abs"


class ReduceCommand(StrEnum):
    """What an instruction does with its engine's accumulator (docs/hardware.md#accumulators)."""

    IDLE = "idle"
    RESET = "reset"
    REDUCE = "reduce"
    RESET_REDUCE = "reset_reduce"
    LOAD_REDUCE = "load_reduce"


@irdl_attr_definition
class AluAttr(EnumAttribute[Alu], SpacedOpaqueSyntaxAttribute):
    name = "neuron.engine.alu"


@irdl_attr_definition
class FunctionAttr(EnumAttribute[Function], SpacedOpaqueSyntaxAttribute):
    name = "neuron.engine.function"


@irdl_attr_definition
class ReduceCommandAttr(EnumAttribute[ReduceCommand], SpacedOpaqueSyntaxAttribute):
    name = "neuron.engine.reduce_command"
