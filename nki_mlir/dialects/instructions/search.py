"""Searches of the Vector engine for the largest elements of each partition.

The eight values of a search are an operand of it, or, without one, those that match_value_load loaded last.
"""

from __future__ import annotations

from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions.operands import DATA, DST, VECTOR
from nki_mlir.dialects.legality import Field, Instance, Instruction, Operand, Rule, elements

EIGHT = 8
_MOST = 16_384
_INDEX = frozenset(by_name(n).type for n in ("uint16", "uint32"))
_VALUES = Operand("vals", "src", shape="own", optional=True)


def _searched(name: str, least: int) -> Rule:
    def rule(i: Instance) -> str | None:
        access = i.access(name)
        if access is not None and not least <= access.free_elements <= _MOST:
            return f"{name} must have {least}..{_MOST} elements per partition, not {access.free_elements}"
        return None

    return rule


def _loaded(i: Instance) -> str | None:
    src = i.access("src")
    if src is not None and src.free_elements != EIGHT:
        return f"src must have {EIGHT} elements per partition, not {src.free_elements}"
    return None


SEARCH: tuple[Instruction, ...] = (
    Instruction(
        "max8",
        "dst = the eight largest elements of each partition, in descending order.",
        (VECTOR,),
        (DST.of(shape="own"), Operand("src", "src")),
        (),
        (elements("dst", EIGHT), _searched("src", EIGHT)),
    ),
    Instruction(
        "match_value_load",
        "Loads eight values for each partition, for the searches that follow on this engine.",
        (VECTOR,),
        (Operand("src", "src", shape="own"),),
        (),
        (_loaded,),
    ),
    Instruction(
        "nc_find_index8",
        """dst[j] = the number, in its partition, of the first element that equals vals[j]; all bits set if there is
        none. A value that stands in vals twice finds the second of such elements the second time, and so on.""",
        (VECTOR,),
        (DST.of(_INDEX, shape="own"), DATA, _VALUES),
        (),
        (elements("dst", EIGHT), elements("vals", EIGHT), _searched("data", EIGHT)),
    ),
    Instruction(
        "nc_match_replace8",
        """dst = data, but imm in the place of the first element that equals vals[j] and isn't replaced yet, for j from
        7 down to 0; dst_idx[j] = the number of that element in its partition, all bits set if there is none.""",
        (VECTOR,),
        (
            DST,
            DATA,
            _VALUES,
            Operand("dst_idx", "dst", dtypes=frozenset([by_name("uint32").type]), shape="own", optional=True),
        ),
        (Field("imm", "number"),),
        (elements("vals", EIGHT), elements("dst_idx", EIGHT), _searched("data", 1)),
    ),
)
