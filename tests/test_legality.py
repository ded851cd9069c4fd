"""Each rule of the Vector and Scalar engines' instructions, broken once; at both machine levels, with the same words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sample_programs import engine_module, isa_module
from samples import Sample, tile
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.dialects.instructions import BY_NAME

VECTOR, SCALAR, GPSIMD = Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD
RESET, LOAD = ReduceCommand.RESET_REDUCE, ReduceCommand.LOAD_REDUCE

F32 = tile("float32", 128, 32)
BF16, I32, TF32, U8, U32 = (tile(kind, 128, 32) for kind in ("bfloat16", "int32", "tfloat32", "uint8", "uint32"))
PSUM = tile("float32", 128, 32, space=Space.PSUM)
COLUMN, SHORT, COUNT = (tile(kind, 128, 1) for kind in ("float32", "bfloat16", "int32"))


def columns(count: int, kind: str = "float32") -> Access:
    return tile(kind, 128, count)


def shuffle(dst: Access, src: Access, mask: tuple[int, ...]) -> Sample:
    return Sample("nc_stream_shuffle", VECTOR, {"dst": dst, "src": src}, {"shuffle_mask": mask})


MASK = tuple(range(32))
EXP = {"op": Function.EXP}
SCALED = Sample("tensor_scalar", VECTOR, {"dst": F32, "data": F32, "operand0": 1.0}, {"op0": Alu.ADD})
FUSED = Sample(
    "scalar_tensor_tensor",
    VECTOR,
    {"dst": F32, "data": F32, "operand0": 1.0, "operand1": F32},
    {"op0": Alu.ADD, "op1": Alu.ADD},
)
ACTIVATED = Sample("activation", SCALAR, {"dst": F32, "data": F32}, EXP)
ACTIVATED2 = Sample("activate2", SCALAR, {"dst": F32, "data": F32}, EXP, "trn3")
REDUCED = Sample("tensor_reduce", VECTOR, {"dst": columns(1), "data": F32}, {"op": Alu.ADD, "axes": 1})
SUMMED = Sample(
    "tensor_scalar_reduce",
    VECTOR,
    {"dst": F32, "data": F32, "operand0": 1.0},
    {"op0": Alu.ADD, "reduce_op": Alu.ADD, "reduce_cmd": RESET},
)
RUNNING = Sample(
    "tensor_scalar_cumulative",
    VECTOR,
    {"dst": F32, "src": F32, "imm0": 1.0},
    {"op0": Alu.ADD, "op1": Alu.ADD, "reduce_cmd": RESET},
)
SCANNED = Sample(
    "tensor_tensor_scan",
    VECTOR,
    {"dst": F32, "data0": F32, "data1": F32, "initial": 0.0},
    {"op0": Alu.MULTIPLY, "op1": Alu.ADD},
)
SELECTED = Sample("select_reduce", VECTOR, {"dst": F32, "predicate": U8, "on_true": F32, "on_false": 0.0})
RANGED = Sample(
    "range_select",
    VECTOR,
    {"dst": F32, "on_true_tile": F32, "bound0": COLUMN, "bound1": COLUMN},
    {"comp_op0": Alu.LESS, "comp_op1": Alu.LESS, "range_start": 0},
    "trn2",
)
RAISED = Sample("exponential", VECTOR, {"dst": F32, "src": F32}, {}, "trn3")
STATISTICS = Sample("bn_stats", VECTOR, {"dst": columns(6), "data": F32})
AGGREGATE = Sample("bn_aggr", VECTOR, {"dst": columns(2), "data": columns(6)})
LARGEST = Sample("max8", VECTOR, {"dst": columns(8), "src": F32})
LOADED = Sample("match_value_load", VECTOR, {"src": columns(8)})
FOUND = Sample("nc_find_index8", VECTOR, {"dst": columns(8, "uint32"), "data": F32, "vals": columns(8)})
REPLACED = Sample("nc_match_replace8", VECTOR, {"dst": F32, "data": F32, "vals": columns(8)}, {"imm": 0.0})
PREDICATED = Sample("tensor_copy_predicated", VECTOR, {"dst": F32, "src": F32, "predicate": U8})
MOVED = {"dst": F32, "src": PSUM}


def but(sample: Sample, engine: Engine | None = None, target: str | None = None, **changes: Any) -> Sample:
    """The sample with other operands and fields; None leaves one out."""
    names = {operand.name for operand in BY_NAME[sample.name].operands}
    fields = {**sample.fields, **{k: v for k, v in changes.items() if k not in names}}
    operands = {**sample.operands, **{k: v for k, v in changes.items() if k in names}}
    operands = {k: v for k, v in operands.items() if v is not None}
    return replace(
        sample, engine=engine or sample.engine, target=target or sample.target, operands=operands, fields=fields
    )


CASES: tuple[tuple[Sample, str], ...] = (
    # tensor_scalar and its relatives
    (but(SCALED, op0=Alu.POWER), "power runs on gpsimd only"),
    (but(SCALED, op0=Alu.AVERAGE), "average runs on gpsimd only"),
    (but(SCALED, GPSIMD, op0=Alu.AVERAGE), "average is an operator of tensor_partition_reduce only"),
    (but(SCALED, GPSIMD), "gpsimd has power and rsqrt as tensor_scalar operators, not add"),
    (but(SCALED, SCALAR), "the Scalar engine has tensor_scalar from NeuronCore-v3 on"),
    (but(SCALED, SCALAR, "trn2", op0=Alu.SUBTRACT), "the Scalar engine has multiply, add, and multiply then add, not"),
    (but(SCALED, op0=Alu.ABS_MAX), "abs_max needs NeuronCore-v4; trn1 is v2"),
    (but(SCALED, op0=Alu.ABS), "abs takes one argument; operand0 beside it is the constant 0"),
    (but(SCALED, op0=Alu.ABS, operand0=COLUMN), "abs takes one argument; operand0 beside it is the constant 0"),
    (but(SCALED, op0=Alu.RELU, operand0=0.0, reverse0=True), "relu takes one argument; reverse0 needs two"),
    (but(SCALED, op1=Alu.SQUARE, operand1=2.0), "square takes one argument; operand1 beside it is the constant 0"),
    (but(SCALED, op1=Alu.ADD), "op1 and operand1 go together"),
    (but(SCALED, operand1=1.0), "op1 and operand1 go together"),
    (but(SCALED, op1=Alu.BITWISE_OR, operand1=1.0), "op0 and op1 must both be bitwise or both arithmetic"),
    (but(SCALED, operand0=COUNT), "operand0 beside add must be float32, not int32"),
    (but(SCALED, operand0=SHORT), "operand0 must be one of float32, int16, int32"),
    (but(SCALED, dst=I32, data=I32, op0=Alu.BITWISE_OR, operand0=COLUMN), "bitwise_or needs integers; operand0 is"),
    (but(FUSED, op1=Alu.RELU), "relu takes one argument"),
    (but(FUSED, op0=Alu.BITWISE_AND), "scalar_tensor_tensor has no bit operators, such as bitwise_and"),
    (but(FUSED, op0=Alu.RSQRT), "rsqrt runs on gpsimd only"),
    (but(FUSED, data=PSUM, operand1=PSUM), "data and operand1 may not both be in PSUM"),
    # copies
    (but(PREDICATED, value=1.0), "src or value gives what is copied, one of them"),
    (but(PREDICATED, src=None), "src or value gives what is copied, one of them"),
    (but(PREDICATED, src=None, dst=I32, value=0.5), "the value for int32 must be an integer, not 0.5"),
    (but(PREDICATED, predicate=F32), "predicate must be one of uint16, uint32, uint8, not float32"),
    (but(PREDICATED, src=BF16), "dst is float32 and src bfloat16; they must be the same"),
    (
        Sample("tensor_copy_dynamic_src", VECTOR, MOVED),
        "the address of src is in no register; tensor_copy is for fixed",
    ),
    (
        Sample("tensor_copy_dynamic_dst", VECTOR, MOVED),
        "the address of dst is in no register; tensor_copy is for fixed",
    ),
    (Sample("tensor_copy_dynamic_dst", SCALAR, MOVED), "the Scalar engine has tensor_copy from NeuronCore-v3 on"),
    (shuffle(F32, F32, MASK[1:]), "shuffle_mask has 32 entries of 0..31 or 255, got"),
    (shuffle(F32, F32, (*MASK[1:], 32)), "shuffle_mask has 32 entries of 0..31 or 255, got"),
    (shuffle(F32, I32, MASK), "dst is float32 and src int32; they must be the same"),
    (shuffle(F32, columns(31), MASK), "dst has 32 elements per partition and src 31"),
    (
        shuffle(tile("int8", 64, 8), tile("int8", 32, 8, start=32), MASK),
        "src: 64 partitions may start at 0, 64, not at",
    ),
    (shuffle(F32, tile("float32", 100, 32), MASK), "partition 100 of dst takes partition 100 of src, which has 100"),
    # activations
    (but(ACTIVATED, bias=1.0), "bias may be a constant from NeuronCore-v3 on; before, it is a [P,1] tile"),
    (but(ACTIVATED, op=Function.RECIPROCAL, bias=COLUMN), "the reciprocal function takes a bias from NeuronCore-v3 on"),
    (but(ACTIVATED, bias=tile("tfloat32", 128, 1)), "bias must be one of"),
    (but(ACTIVATED, scale=SHORT), "scale must be one of float32, not bfloat16"),
    (but(ACTIVATED, reduce_cmd=LOAD), "reduce_cmd is one of idle, reset, reduce, reset_reduce, not load_reduce"),
    (but(ACTIVATED2, op0=Alu.ADD, imm0=1.0, op1=Alu.ADD, imm1=1.0), "op0 and op1 are one of (add, bypass), "),
    (but(ACTIVATED2, op0=Alu.MULTIPLY), "imm0 goes together with an op0 that is not bypass"),
    (but(ACTIVATED2, op0=Alu.BYPASS, imm0=1.0), "imm0 goes together with an op0 that is not bypass"),
    (but(ACTIVATED2, imm1=1.0), "imm1 goes together with an op1 that is not bypass"),
    (but(ACTIVATED2, reverse0=True), "reverse0 needs an op0 that is not bypass"),
    (but(ACTIVATED2, op0=Alu.ADD, imm0=1.0, reverse1=True), "reverse1 needs an op1 that is not bypass"),
    (but(ACTIVATED2, relu_param=0.5), "relu_param is the slope of prelu; op is exp"),
    (
        but(ACTIVATED2, op0=Alu.MULTIPLY, imm0=COLUMN, op1=Alu.ADD, imm1=SHORT),
        "imm0 is float32 and imm1 bfloat16; tiles of both are of one type",
    ),
    (but(ACTIVATED2, reduce_op=Alu.ADD), "reduce_op goes together with a reduce_cmd that is not idle"),
    (but(ACTIVATED2, reduce_cmd=RESET), "reduce_op goes together with a reduce_cmd that is not idle"),
    (but(ACTIVATED2, reduce_cmd=RESET, reduce_op=Alu.MULTIPLY), "reduce_op is one of add, maximum, minimum, abs_max,"),
    # reductions and scans
    (but(REDUCED, op=Alu.ABS_MAX, target="trn3"), "abs_max does not reduce"),
    (but(REDUCED, op=Alu.SQUARE), "square does not reduce"),
    (but(REDUCED, axes=2), "axes must be 1..1: the trailing free dimensions that are reduced"),
    (but(REDUCED, dst=columns(2)), "dst must be 128 x 1 elements, not 128 x 2"),
    (but(REDUCED, dst=COUNT, data=I32, op=Alu.BITWISE_OR, negate=True), "negate needs an arithmetic operator, not"),
    (but(SUMMED, reduce_op=Alu.DIVIDE), "reduce_op is one of add, subtract, multiply, maximum, minimum, not divide"),
    (but(SUMMED, reduce_cmd=ReduceCommand.IDLE), "reduce_cmd is one of reset_reduce, reduce, load_reduce, not idle"),
    (but(SUMMED, op0=Alu.INVERT, operand0=0.0), "tensor_scalar_reduce has no bit operators, such as invert"),
    (but(SUMMED, op0=Alu.SQUARE), "square takes one argument; operand0 beside it is the constant 0"),
    (but(SUMMED, reduce_init=1.0), "reduce_init and reduce_cmd load_reduce go together"),
    (but(SUMMED, reduce_cmd=LOAD), "reduce_init and reduce_cmd load_reduce go together"),
    (but(RUNNING, op1=Alu.DIVIDE), "op1 is one of add, subtract, multiply, maximum, minimum, not divide"),
    (but(RUNNING, reduce_cmd=ReduceCommand.RESET), "reduce_cmd is one of reset_reduce, reduce, load_reduce, not reset"),
    (but(RUNNING, src=I32), "src must be one of"),
    (but(RUNNING, dst=U32), "dst must be one of"),
    (but(RUNNING, op0=Alu.LEFT_SHIFT), "tensor_scalar_cumulative has no bit operators, such as left_shift"),
    (but(RUNNING, op0=Alu.ABS), "abs takes one argument; imm0 beside it is the constant 0"),
    (but(RUNNING, imm1=1.0), "imm1 and reduce_cmd load_reduce go together"),
    (but(RUNNING, reduce_cmd=LOAD), "imm1 and reduce_cmd load_reduce go together"),
    (but(SCANNED, data0=PSUM, data1=PSUM), "data0 and data1 may not both be in PSUM"),
    (but(SCANNED, op0=Alu.ABS), "abs takes one argument"),
    (but(SCANNED, op1=Alu.BYPASS), "bypass takes one argument"),
    (but(SCANNED, op0=Alu.BITWISE_XOR), "tensor_tensor_scan has no bit operators, such as bitwise_xor"),
    (but(SCANNED, initial=SHORT), "initial must be one of float32, not bfloat16"),
    # selects
    (but(SELECTED, on_true=I32), "on_true must be one of"),
    (but(SELECTED, predicate=U32), "predicate must be one of int16, int8, uint16, uint8, not uint32"),
    (but(SELECTED, on_true=PSUM, predicate=tile("uint8", 128, 32, space=Space.PSUM)), "on_true and predicate may not"),
    (but(SELECTED, reduce_res=COUNT), "reduce_res must be one of"),
    (but(SELECTED, reduce_cmd=LOAD), "reduce_cmd is one of idle, reset_reduce, reduce, not load_reduce"),
    (but(RANGED, on_true_tile=I32), "on_true_tile must be one of"),
    (but(RANGED, bound0=F32), "bound0 must have one element per partition, not 32"),
    (
        but(RANGED, comp_op1=Alu.NOT_EQUAL),
        "comp_op1 is one of equal, greater, greater_equal, less, less_equal, not not",
    ),
    (but(RANGED, range_start=2**24 - 31), "indices are compared in fp32, which is exact up to 16777216; range_start"),
    (but(RANGED, target="trn1"), "range_select needs NeuronCore-v3; trn1 is v2"),
    (but(RAISED, dst=U32), "dst must be one of"),
    (but(RAISED, src=TF32), "src must be one of"),
    (but(RAISED, reduce_init=0.0), "reduce_init and reduce_cmd load_reduce go together"),
    (but(RAISED, reduce_cmd=ReduceCommand.RESET), "reduce_cmd is one of idle, reset_reduce, reduce, load_reduce, not"),
    # statistics and searches
    (but(STATISTICS, data=columns(513)), "data has 513 elements per partition; bn_stats takes 512"),
    (but(STATISTICS, dst=columns(5)), "dst must be 128 x 6 elements, not 128 x 5"),
    (but(STATISTICS, dst=tile("float32", 64, 6)), "dst must be 128 x 6 elements, not 64 x 6"),
    (but(AGGREGATE, data=columns(7)), "data holds triples of count, mean and variance * count; 7 elements are none"),
    (but(AGGREGATE, dst=columns(3)), "dst must be 128 x 2 elements, not 128 x 3"),
    (but(LARGEST, src=columns(7)), "src must have 8..16384 elements per partition, not 7"),
    (but(LARGEST, src=columns(16385, "uint8")), "src must have 8..16384 elements per partition, not 16385"),
    (but(LARGEST, dst=columns(7)), "dst must be 128 x 8 elements, not 128 x 7"),
    (but(LOADED, src=columns(9)), "src must have 8 elements per partition, not 9"),
    (but(FOUND, dst=columns(8, "int32")), "dst must be one of uint16, uint32, not int32"),
    (but(FOUND, vals=columns(9)), "vals must be 128 x 8 elements, not 128 x 9"),
    (but(FOUND, data=columns(4)), "data must have 8..16384 elements per partition, not 4"),
    (but(REPLACED, vals=columns(4)), "vals must be 128 x 8 elements, not 128 x 4"),
    (but(REPLACED, dst_idx=columns(7, "uint32")), "dst_idx must be 128 x 8 elements, not 128 x 7"),
    (but(REPLACED, dst_idx=columns(8, "uint16")), "dst_idx must be one of uint32, not uint16"),
    (but(REPLACED, dst=columns(16385, "uint8"), data=columns(16385, "uint8")), "data must have 1..16384 elements"),
)


@pytest.mark.parametrize("sample, message", CASES, ids=lambda value: value.name if isinstance(value, Sample) else "")
def test_broken_rules(sample: Sample, message: str) -> None:
    levels = [isa_module] if "register" in message else [isa_module, engine_module]
    for build in levels:
        with pytest.raises(VerifyException) as error:
            build(sample, sample.target).verify()
        assert f"{sample.name}: {message}" in str(error.value)


def test_unbroken_cases_are_legal() -> None:
    """What the cases change is what makes them illegal."""
    for sample in (SCALED, FUSED, ACTIVATED, ACTIVATED2, REDUCED, SUMMED, RUNNING, SCANNED, SELECTED, RANGED, RAISED):
        isa_module(sample, sample.target).verify()
    for sample in (STATISTICS, AGGREGATE, LARGEST, FOUND, REPLACED, PREDICATED, shuffle(F32, F32, MASK)):
        engine_module(sample, sample.target).verify()
