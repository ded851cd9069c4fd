"""Instructions of the GpSimd engine alone: affine patterns, sums across partitions, gathers and searches.

Eight processors serve 16 partitions each; what they compute stays within such a group unless stated otherwise.
"""

from __future__ import annotations

import math

from nki_mlir.dialects.access import Access, Comb
from nki_mlir.dialects.alu import BITWISE, COMPARISONS, Alu
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions.operands import GPSIMD
from nki_mlir.dialects.legality import INTEGERS, SBUF, STORED, Field, Instance, Instruction, Operand, Rule, same_dtype

GROUP = 16
"""Partitions of one processor."""
GATHER_WIDTHS = (1, 2, 4, 8, 16, 32)
MOST_INDICES = 4096
"""That one processor gathers by in one instruction."""
PARTITION_OPERATORS = (Alu.ADD, Alu.MAXIMUM, Alu.AVERAGE, Alu.BITWISE_OR, Alu.BITWISE_AND)

_INT32, _U16, _U32, _BF16 = (frozenset([by_name(n).type]) for n in ("int32", "uint16", "uint32", "bfloat16"))
_COUNTABLE = frozenset(by_name(n).type for n in ("float32", "int32"))


def _access(i: Instance, name: str) -> Access:
    found = i.access(name)
    assert found is not None
    return found


def _integer(i: Instance, name: str) -> int:
    value = i.fields[name]
    assert isinstance(value, int)
    return value


def _same_partitions(*names: str) -> Rule:
    def rule(i: Instance) -> str | None:
        first, *others = ((name, _access(i, name).partitions) for name in names)
        for name, partitions in others:
            if partitions != first[1]:
                return f"{first[0]} has {first[1]} partitions and {name} {partitions}"
        return None

    return rule


def _whole_groups(name: str) -> Rule:
    def rule(i: Instance) -> str | None:
        if (partitions := _access(i, name).partitions) % GROUP:
            return f"{name} spans whole groups of {GROUP} partitions, not {partitions}"
        return None

    return rule


def _elements(name: str, wanted: int, i: Instance) -> str | None:
    if (found := _access(i, name).free_elements) != wanted:
        return f"{name} must have {wanted} elements per partition, not {found}"
    return None


def _int32(*names: str) -> Rule:
    """Immediates of 32 bits."""

    def rule(i: Instance) -> str | None:
        wrong = next((name for name in names if not -(2**31) <= _integer(i, name) < 2**31), None)
        return None if wrong is None else f"{wrong} is a 32-bit integer, not {i.fields[wrong]}"

    return rule


def _pattern_covers_dst(i: Instance) -> str | None:
    dst, pattern = i.access("dst"), i.fields["pattern"]
    if dst is None or not isinstance(pattern, tuple):
        return None
    if len(pattern) % 2 or len(pattern) > 8:
        return "pattern holds up to four pairs of step and count"
    if math.prod(pattern[1::2]) != dst.free_elements:
        return f"pattern counts {pattern[1::2]} do not make the {dst.free_elements} elements per partition of dst"
    return None


def _compares(i: Instance) -> str | None:
    return None if (alu := i.fields["cmp_op"]) in COMPARISONS else f"cmp_op must be a comparison, not {alu}"


def _partition_reduction(i: Instance) -> str | None:
    dst, data, alu = _access(i, "dst"), _access(i, "data"), i.fields["op"]
    if alu not in PARTITION_OPERATORS:
        return f"partitions are reduced by {', '.join(PARTITION_OPERATORS)}, not by {alu}"
    if dst.partitions != 1:
        return f"dst has one partition, not {dst.partitions}"
    types = {dst.element_type, data.element_type}
    if alu in BITWISE and not (types <= INTEGERS and dst.itemsize == data.itemsize):
        return f"{alu} needs integers of one width"
    return _elements("dst", data.free_elements, i)


def valid_indices(i: Instance) -> int:
    """How many indices each processor of a local_gather uses: all that it is given, if nothing else is said."""
    value = i.fields.get("num_valid_indices")
    return value if isinstance(value, int) else GROUP * _access(i, "index").free_elements


def _local_gather(i: Instance) -> str | None:
    given, valid, width = GROUP * _access(i, "index").free_elements, valid_indices(i), _integer(i, "num_elem_per_idx")
    if width not in GATHER_WIDTHS:
        return f"num_elem_per_idx is one of {', '.join(map(str, GATHER_WIDTHS))}, not {width}"
    if not 1 <= valid <= given:
        return f"num_valid_indices is 1..{given}, what index gives each group of {GROUP} partitions, not {valid}"
    if valid > MOST_INDICES:
        return f"a processor gathers by at most {MOST_INDICES} indices, not by {valid}"
    return _elements("dst", valid * width, i)


def _sequence_bounds(i: Instance) -> str | None:
    for name in ("dst", "segment_ids"):
        if (partitions := _access(i, name).partitions) != 1:
            return f"{name} has one partition, not {partitions}"
    return _elements("dst", 2 * _access(i, "segment_ids").free_elements, i)


def _nonzero_with_count(i: Instance) -> str | None:
    return _elements("dst", _access(i, "src").free_elements + 1, i)


def _topk(i: Instance) -> str | None:
    n, k, columns = _integer(i, "n"), _access(i, "val_dst").free_elements, _access(i, "src").free_elements
    if not 8 <= n < 65536:
        return f"n is 8..65535, not {n}"
    if k >= 32768 or k > n:
        return f"{k} elements to select are too many; at most n = {n}, and 32767"
    if columns < (least := math.ceil(n / GROUP)):
        return f"src must have at least {least} elements per partition for n = {n}, not {columns}"
    return _elements("idx_dst", k, i)


GPSIMD_ENGINE: tuple[Instruction, ...] = (
    Instruction(
        "iota",
        "dst = offset + partition * channel_multiplier + sum of index * step over pattern's pairs of step and count.",
        (GPSIMD,),
        (Operand("dst", "dst", SBUF),),
        (Field("pattern", "integers"), Field("offset", "integer"), Field("channel_multiplier", "integer")),
        (_pattern_covers_dst, _int32("offset", "channel_multiplier")),
    ),
    Instruction(
        "affine_select",
        "dst = on_true_tile where cmp_op(v, 0) for the iota value v of pattern, else on_false_value.",
        (GPSIMD,),
        (Operand("dst", "dst", SBUF), Operand("on_true_tile", "src", SBUF)),
        (
            Field("on_false_value", "number"),
            Field("pattern", "integers"),
            Field("offset", "integer"),
            Field("channel_multiplier", "integer"),
            Field("cmp_op", "alu"),
        ),
        (_pattern_covers_dst, _compares, _int32("offset", "channel_multiplier")),
    ),
    Instruction(
        "tensor_partition_reduce",
        "dst[0, f] = op over the partitions p of data[p, f].",
        (GPSIMD,),
        (Operand("dst", "dst", SBUF, shape="own"), Operand("data", "src", SBUF, shape="own")),
        (Field("op", "alu"),),
        (_partition_reduction,),
        reduces_partitions=True,
    ),
    Instruction(
        "local_gather",
        "In each group of 16 partitions: ids = index, one partition after the other in each column; dst[p] ="
        " num_elem_per_idx consecutive elements of src_buffer[p] for each of the first num_valid_indices ids, which are"
        " element offsets.",
        (GPSIMD,),
        (
            Operand("dst", "dst", SBUF, STORED, shape="own"),
            Operand("src_buffer", "src", SBUF, STORED, shape="own"),
            Operand("index", "src", SBUF, _U16, shape="own"),
        ),
        (Field("num_elem_per_idx", "integer"), Field("num_valid_indices", "integer", optional=True)),
        (
            same_dtype("dst", "src_buffer"),
            _same_partitions("src_buffer", "index", "dst"),
            _whole_groups("src_buffer"),
            _local_gather,
        ),
    ),
    Instruction(
        "nc_n_gather",
        "dst[p, j] = data[p, indices[p, j]], the free elements of data counted in order.",
        (GPSIMD,),
        (
            Operand("dst", "dst", SBUF, STORED),
            Operand("data", "src", SBUF, STORED, shape="own"),
            Operand("indices", "src", SBUF, _U32),
        ),
        (),
        (same_dtype("dst", "data"), _same_partitions("dst", "data")),
    ),
    Instruction(
        "sequence_bounds",
        "For each element of segment_ids: the first index of the run of equal ids that it is in, then, in the second"
        " half of dst, one past the last; n and -1 for id 0.",
        (GPSIMD,),
        (
            Operand("dst", "dst", SBUF, _COUNTABLE, shape="own"),
            Operand("segment_ids", "src", SBUF, _COUNTABLE, shape="own"),
        ),
        (),
        (_sequence_bounds,),
    ),
    Instruction(
        "nonzero_with_count",
        "On every 16th partition: the indices of the elements of src that are not zero, plus index_offset, filled up"
        " with padding_val; last, how many there are.",
        (GPSIMD,),
        (
            Operand("dst", "dst", SBUF, _INT32, shape="own", comb=Comb(GROUP), partial=True),
            Operand("src", "src", SBUF, _COUNTABLE, shape="own", comb=Comb(GROUP)),
        ),
        (Field("index_offset", "integer"), Field("padding_val", "integer")),
        (_same_partitions("dst", "src"), _nonzero_with_count, _int32("index_offset", "padding_val")),
        cores=("v3", "v4"),
    ),
    Instruction(
        "topk",
        "In each group of 16 partitions, whose elements count across the partitions first (element e is on partition"
        " e mod 16): the largest of the first n in ascending order, and their e, laid out in the same way. As many as"
        " val_dst has elements per partition.",
        (GPSIMD,),
        (
            Operand("val_dst", "dst", SBUF, _BF16, shape="own", partial=True),
            Operand("idx_dst", "dst", SBUF, _U32, shape="own", partial=True),
            Operand("src", "src", SBUF, _BF16, shape="own"),
        ),
        (Field("n", "integer"),),
        (_same_partitions("src", "val_dst", "idx_dst"), _whole_groups("src"), _topk),
    ),
)
