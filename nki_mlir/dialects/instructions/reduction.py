"""Reductions and scans of the Vector engine over the free dimensions, and what it computes beside them."""

from __future__ import annotations

import math

from nki_mlir.dialects.alu import BITWISE, COMPARISONS, REDUCING, Alu, ReduceCommand
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions.operands import (
    DATA,
    DST,
    NO_TF32,
    OPERAND0,
    REDUCE_INIT,
    REDUCE_RES,
    VECTOR,
    init_is_loaded,
    reduce_cmd,
)
from nki_mlir.dialects.legality import (
    ANY,
    F32,
    FLOATS,
    Field,
    Instance,
    Instruction,
    Operand,
    arithmetic_only,
    bitwise_needs_integers,
    elements,
    not_both_in_psum,
    two_arguments,
    unary_takes_zero,
)

_BN_STATS_ELEMENTS = 512
_EXACT = 2**24
"""fp32 tells neighbouring integers apart up to here."""

_IDLE, _REDUCE = ReduceCommand.IDLE, ReduceCommand.REDUCE
_RESET_REDUCE, _LOAD_REDUCE = ReduceCommand.RESET_REDUCE, ReduceCommand.LOAD_REDUCE
_SUMMING = (Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY, Alu.MAXIMUM, Alu.MINIMUM)
_BOUNDING = tuple(sorted(COMPARISONS - {Alu.NOT_EQUAL}))
_WIDE = frozenset(by_name(n).type for n in ("int32", "uint32"))
_PREDICATE = frozenset(by_name(n).type for n in ("uint8", "int8", "uint16", "int16"))


def _reducing(i: Instance) -> str | None:
    return None if (alu := i.fields["op"]) in REDUCING else f"{alu} does not reduce"


def _negate_is_arithmetic(i: Instance) -> str | None:
    if i.fields["negate"] and (alu := i.fields["op"]) in BITWISE:
        return f"negate needs an arithmetic operator, not {alu}"
    return None


def _reduced_shape(i: Instance) -> str | None:
    dst, data, axes = i.access("dst"), i.access("data"), i.fields["axes"]
    if dst is None or data is None or not isinstance(axes, int):
        return None
    if not 1 <= axes <= len(data.dims):
        return f"axes must be 1..{len(data.dims)}: the trailing free dimensions that are reduced"
    kept = math.prod(count for _, count in data.dims[: len(data.dims) - axes])
    if dst.partitions != data.partitions or dst.free_elements != kept:
        return f"dst must be {data.partitions} x {kept} elements, not {dst.partitions} x {dst.free_elements}"
    return None


def _binary(i: Instance) -> str | None:
    return two_arguments("op0")(i) or two_arguments("op1")(i)


def _initial_is_loaded(i: Instance) -> str | None:
    loads = i.fields["reduce_cmd"] is _LOAD_REDUCE
    return None if loads == ("imm1" in i.operands) else "imm1 and reduce_cmd load_reduce go together"


def _range_is_exact(i: Instance) -> str | None:
    data, start = i.access("on_true_tile"), i.fields["range_start"]
    if data is not None and isinstance(start, int) and abs(start) + data.free_elements > _EXACT:
        return f"indices are compared in fp32, which is exact up to {_EXACT}; range_start {start} goes beyond"
    return None


def _statistics(i: Instance) -> str | None:
    data = i.access("data")
    if data is not None and data.free_elements > _BN_STATS_ELEMENTS:
        return f"data has {data.free_elements} elements per partition; bn_stats takes {_BN_STATS_ELEMENTS}"
    return None


def _triples(i: Instance) -> str | None:
    data = i.access("data")
    if data is not None and data.free_elements % 3:
        return f"data holds triples of count, mean and variance * count; {data.free_elements} elements are none"
    return None


REDUCTION: tuple[Instruction, ...] = (
    Instruction(
        "tensor_reduce",
        "Reduces the last `axes` free dimensions of data with op.",
        (VECTOR,),
        (Operand("dst", "dst", shape="own"), Operand("data", "src", shape="own")),
        (Field("op", "alu"), Field("axes", "integer"), Field("negate", "flag")),
        (_reducing, bitwise_needs_integers, _negate_is_arithmetic, _reduced_shape),
    ),
    Instruction(
        "tensor_scalar_reduce",
        """t = op0(data, operand0); dst = t. The engine's accumulator takes t by reduce_op over the free dimensions,
        from reduce_op's identity, its old value or reduce_init, as `reduce_cmd` says; reduce_res = the accumulator
        afterwards, negated with reduce_res_negate.""",
        (VECTOR,),
        (DST, DATA, OPERAND0, REDUCE_INIT, REDUCE_RES.of(ANY)),
        (
            Field("op0", "alu"),
            Field("reduce_op", "alu", choices=_SUMMING),
            reduce_cmd(_RESET_REDUCE, _REDUCE, _LOAD_REDUCE),
            Field("reduce_res_negate", "flag"),
        ),
        (arithmetic_only, unary_takes_zero, init_is_loaded),
    ),
    Instruction(
        "tensor_scalar_cumulative",
        """For one element of data after the other: acc = op1(op0(src, imm0), acc); dst = acc. The engine's accumulator
        is acc; it starts as op1's identity, its old value or imm1, as `reduce_cmd` says.""",
        (VECTOR,),
        (
            DST.of(NO_TF32 - _WIDE),
            Operand("src", "src", dtypes=NO_TF32 - _WIDE),
            Operand("imm0", "src", dtypes=F32, shape="column", constant=True),
            Operand("imm1", "src", dtypes=F32, shape="column", optional=True, constant=True),
        ),
        (Field("op0", "alu"), Field("op1", "alu", choices=_SUMMING), reduce_cmd(_RESET_REDUCE, _REDUCE, _LOAD_REDUCE)),
        (arithmetic_only, unary_takes_zero, _initial_is_loaded),
    ),
    Instruction(
        "tensor_tensor_scan",
        """For one element after the other: s = op1(op0(data0, s), data1); dst = s. s starts as initial; reverse0 and
        reverse1 swap the arguments.""",
        (VECTOR,),
        (
            DST,
            Operand("data0", "src"),
            Operand("data1", "src"),
            Operand("initial", "src", dtypes=F32, shape="column", constant=True),
        ),
        (Field("op0", "alu"), Field("reverse0", "flag"), Field("op1", "alu"), Field("reverse1", "flag")),
        (not_both_in_psum("data0", "data1"), arithmetic_only, _binary),
    ),
    Instruction(
        "select_reduce",
        """dst = on_true where predicate is not zero (is zero, with reverse_pred), else on_false. The engine's
        accumulator takes the maximum over the free dimensions, before the cast, as `reduce_cmd` says, idle if absent;
        reduce_res = the accumulator afterwards.""",
        (VECTOR,),
        (
            DST,
            Operand("predicate", "src", dtypes=_PREDICATE),
            Operand("on_true", "src", dtypes=NO_TF32 - _WIDE),
            Operand("on_false", "src", shape="column", constant=True),
            REDUCE_RES,
        ),
        (Field("reverse_pred", "flag"), reduce_cmd(_IDLE, _RESET_REDUCE, _REDUCE, optional=True)),
        (not_both_in_psum("on_true", "predicate"),),
    ),
    Instruction(
        "range_select",
        """dst = on_true_tile where comp_op0(x, bound0) and comp_op1(x, bound1) for x = range_start + the element's
        number in its partition, else the lowest fp32 number. The engine's accumulator takes the maximum as in
        select_reduce.""",
        (VECTOR,),
        (
            DST,
            Operand("on_true_tile", "src", dtypes=FLOATS),
            Operand("bound0", "src", dtypes=F32, shape="column"),
            Operand("bound1", "src", dtypes=F32, shape="column"),
            REDUCE_RES,
        ),
        (
            Field("comp_op0", "alu", choices=_BOUNDING),
            Field("comp_op1", "alu", choices=_BOUNDING),
            Field("range_start", "integer"),
            reduce_cmd(_IDLE, _RESET_REDUCE, _REDUCE, optional=True),
        ),
        (_range_is_exact,),
        cores=("v3", "v4"),
    ),
    Instruction(
        "exponential",
        """dst = exp(src - max_value), max_value being 0 if absent. The engine's accumulator adds the results over the
        free dimensions as `reduce_cmd` says, idle if absent; reduce_res = the accumulator afterwards.""",
        (VECTOR,),
        (
            DST.of(ANY - {by_name("uint32").type}),
            Operand("src", "src", dtypes=NO_TF32),
            Operand("max_value", "src", dtypes=F32, shape="column", optional=True, constant=True),
            REDUCE_INIT,
            REDUCE_RES,
        ),
        (reduce_cmd(_IDLE, _RESET_REDUCE, _REDUCE, _LOAD_REDUCE, optional=True),),
        (init_is_loaded,),
        cores=("v4",),
    ),
    Instruction(
        "bn_stats",
        """dst = count, mean and variance * count of the elements at even places of a partition, then of those at odd
        ones; the variance is the population's.""",
        (VECTOR,),
        (DST.of(shape="own"), DATA),
        (),
        (elements("dst", 6), _statistics),
    ),
    Instruction(
        "bn_aggr",
        "dst = mean and variance of the union of samples, given as triples of count, mean and variance * count.",
        (VECTOR,),
        (DST.of(shape="own"), DATA),
        (),
        (elements("dst", 2), _triples),
    ),
)
