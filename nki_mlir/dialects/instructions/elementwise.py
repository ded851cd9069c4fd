"""Instructions of the Vector, Scalar and GpSimd engines that work element by element."""

from __future__ import annotations

from nki_mlir.dialects.instructions.operands import DATA, DST, GPSIMD, OPERAND0, OPERAND1, SCALAR, VECTOR
from nki_mlir.dialects.legality import (
    F32,
    INTEGERS,
    STORED,
    UNSIGNED,
    Field,
    Instance,
    Instruction,
    Operand,
    arithmetic_only,
    arithmetic_with_fp32,
    at_run_time,
    bitwise_needs_integers,
    copy_engine,
    not_both_in_psum,
    numbers_convert,
    operators_agree,
    same_dtype,
    second_operator_has_operand,
    start_partition_error,
    tensor_scalar_engine,
    tensor_tensor_engine,
    two_arguments,
    unary_takes_zero,
    value_of_kind,
)


def source_or_value(i: Instance) -> str | None:
    given = ("src" in i.operands) + (i.fields.get("value") is not None)
    return None if given == 1 else "src or value gives what is copied, one of them"


STANDS_FOR = ("undefined", "unspecified")
"""What a memset may fill lanes with in place of a value: see there."""
KEPT = 255
"""The entry of a shuffle mask that leaves a partition as it is."""
_QUADRANT = 32


def shuffled_partitions(i: Instance) -> str | None:
    """The mask, and where src and dst may start for the wider of both (docs/hardware.md#shuffle)."""
    dst, src, mask = i.access("dst"), i.access("src"), i.fields["shuffle_mask"]
    if dst is None or src is None or not isinstance(mask, tuple):
        return None
    if len(mask) != _QUADRANT or not all(0 <= entry < _QUADRANT or entry == KEPT for entry in mask):
        return f"shuffle_mask has {_QUADRANT} entries of 0..{_QUADRANT - 1} or {KEPT}, got {list(mask)}"
    if dst.free_elements != src.free_elements:
        return f"dst has {dst.free_elements} elements per partition and src {src.free_elements}"
    most = max(dst.partitions, src.partitions)
    for name, access in (("dst", dst), ("src", src)):
        if (reason := start_partition_error(access.start, most)) is not None:
            return f"{name}: {reason}"
    for partition in range(dst.partitions):
        entry = mask[partition % _QUADRANT]
        if entry != KEPT and (wanted := partition - partition % _QUADRANT + entry) >= src.partitions:
            return f"partition {partition} of dst takes partition {wanted} of src, which has {src.partitions}"
    return None


ELEMENTWISE: tuple[Instruction, ...] = (
    Instruction(
        "tensor_tensor",
        "dst = op(data1, data2), element by element, in fp32; native 32-bit integers on gpsimd.",
        (VECTOR, GPSIMD),
        (DST, Operand("data1", "src"), Operand("data2", "src")),
        (Field("op", "alu"),),
        (not_both_in_psum("data1", "data2"), two_arguments("op"), bitwise_needs_integers, tensor_tensor_engine),
    ),
    Instruction(
        "tensor_scalar",
        "t = op0(data, operand0); dst = op1(t, operand1) where op1 is given; reverse0 and reverse1 swap the arguments.",
        (VECTOR, SCALAR, GPSIMD),
        (DST, DATA, OPERAND0.of(F32 | INTEGERS), OPERAND1),
        (Field("op0", "alu"), Field("reverse0", "flag"), Field("op1", "alu", optional=True), Field("reverse1", "flag")),
        (
            second_operator_has_operand,
            operators_agree,
            bitwise_needs_integers,
            arithmetic_with_fp32,
            unary_takes_zero,
            tensor_scalar_engine,
        ),
    ),
    Instruction(
        "scalar_tensor_tensor",
        "t = op0(data, operand0); dst = op1(t, operand1); operand1 is a full tile.",
        (VECTOR,),
        (DST, DATA, OPERAND0, Operand("operand1", "src")),
        (Field("op0", "alu"), Field("reverse0", "flag"), Field("op1", "alu"), Field("reverse1", "flag")),
        (not_both_in_psum("data", "operand1"), arithmetic_only, unary_takes_zero, two_arguments("op1")),
    ),
    Instruction(
        "tensor_copy",
        "dst = src, converted to dst's type.",
        (VECTOR, SCALAR, GPSIMD),
        (DST.of(STORED), Operand("src", "src", dtypes=STORED)),
        (),
        (copy_engine, numbers_convert),
    ),
    Instruction(
        "tensor_copy_dynamic_src",
        "As tensor_copy, from an address that is known when it runs: one register for all partitions.",
        (VECTOR, SCALAR, GPSIMD),
        (DST, Operand("src", "src")),
        (),
        (copy_engine, at_run_time("src")),
    ),
    Instruction(
        "tensor_copy_dynamic_dst",
        "As tensor_copy, to an address that is known when it runs: one register for all partitions.",
        (VECTOR, SCALAR, GPSIMD),
        (DST, Operand("src", "src")),
        (),
        (copy_engine, at_run_time("dst")),
    ),
    Instruction(
        "nc_stream_shuffle",
        """Of each 32 partitions q: dst[32 * q + k] = src[32 * q + shuffle_mask[k]]; where that is 255, the partition
        of dst keeps its values.""",
        (VECTOR,),
        (
            Operand("dst", "dst", dtypes=STORED, shape="own", partial=True),
            Operand("src", "src", dtypes=STORED, shape="own"),
        ),
        (Field("shuffle_mask", "integers"),),
        (same_dtype("dst", "src"), shuffled_partitions),
    ),
    Instruction(
        "tensor_copy_predicated",
        """dst = src, or the constant value, where predicate is not zero (is zero, with reverse_pred); elsewhere dst
        keeps its value.""",
        (VECTOR,),
        (
            Operand("dst", "dst", partial=True),
            Operand("src", "src", optional=True),
            Operand("predicate", "src", dtypes=UNSIGNED),
        ),
        (Field("reverse_pred", "flag"), Field("value", "number", optional=True)),
        (source_or_value, same_dtype("dst", "src"), not_both_in_psum("src", "predicate"), value_of_kind),
    ),
    Instruction(
        "memset",
        """dst = value. `stands_for` tells the checks that no program may rely on it: these lanes are undefined in the
        kernel's language, or unspecified, zero being what this compiler gives.""",
        (VECTOR, GPSIMD),
        (DST.of(STORED),),
        (Field("value", "number"), Field("stands_for", "choice", optional=True, choices=STANDS_FOR)),
        (value_of_kind,),
        clears=True,
    ),
    Instruction("reciprocal", "dst = 1 / data.", (VECTOR,), (DST, DATA)),
)
