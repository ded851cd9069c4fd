"""What the operations of `tile` share: pointers, reductions, comparisons, and how a kernel states its grid."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerType, MemRefType, StringAttr, TensorType, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Operation, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.hints import isa
from xdsl.utils.str_enum import StrEnum

GRID = "tile.grid"
ARG_NAMES = "tile.arg_names"
ALIASES = "tile.aliases"

MOST_PROGRAMS = 2**31 - 1
"""Of a grid, along one axis and altogether: CUDA's limit for the first axis of a grid, which Triton has."""
MOST_AXES = 3


class Reduction(StrEnum):
    """What `tile.reduce` and `tile.scan` combine elements with. A NaN among them makes a max or min NaN; maxnum and
    minnum leave it out, and give NaN where all are."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"
    PRODUCT = "product"
    MAXNUM = "maxnum"
    MINNUM = "minnum"
    AND = "and"
    OR = "or"
    XOR = "xor"

    @property
    def ignores_nan(self) -> bool:
        return self in (Reduction.MAXNUM, Reduction.MINNUM)

    @property
    def is_bitwise(self) -> bool:
        return self in (Reduction.AND, Reduction.OR, Reduction.XOR)


class Predicate(StrEnum):
    """Comparisons of `tile.compare`; with a NaN only `ne` holds."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@irdl_attr_definition
class ReductionAttr(EnumAttribute[Reduction], SpacedOpaqueSyntaxAttribute):
    name = "tile.reduction"


@irdl_attr_definition
class PredicateAttr(EnumAttribute[Predicate], SpacedOpaqueSyntaxAttribute):
    name = "tile.predicate"


@irdl_attr_definition
class PtrType(ParametrizedAttribute, TypeAttribute):
    """A pointer to elements in HBM; arithmetic on it counts elements."""

    name = "tile.ptr"
    element_type: Attribute


def shape_of(value: SSAValue | Attribute) -> tuple[int, ...]:
    """The shape of a tensor, or () of a scalar."""
    type_ = value.type if isinstance(value, SSAValue) else value
    return tuple(type_.get_shape()) if isinstance(type_, TensorType) else ()


def element_of(value: SSAValue | Attribute) -> Attribute:
    """The element type of a tensor or memref, or the type itself of a scalar."""
    type_ = value.type if isinstance(value, SSAValue) else value
    return type_.element_type if isinstance(type_, TensorType | MemRefType) else type_


def with_shape(element_type: Attribute, shape: Sequence[int]) -> Attribute:
    """A tensor type, or the scalar type itself for shape ()."""
    return TensorType(element_type, shape) if shape else element_type


def grid_of(func: FuncOp) -> tuple[int, ...] | None:
    """The number of programs along each axis, or None where the function is not a kernel."""
    grid = func.attributes.get(GRID)
    return tuple(grid.get_values()) if isa(grid, DenseArrayBase[IntegerType]) else None


def grid_problem(grid: Sequence[int]) -> str | None:
    """Why a kernel can't have this grid; None if it can. A grid with a size of 0 has no programs."""
    if not 1 <= len(grid) <= MOST_AXES:
        return f"a grid has 1 to {MOST_AXES} axes, got {len(grid)}"
    for axis, size in enumerate(grid):
        if not 0 <= size <= MOST_PROGRAMS:
            return f"a grid has 0 to 2^31 - 1 = {MOST_PROGRAMS} programs along an axis, got {size} along axis {axis}"
    if math.prod(grid) > MOST_PROGRAMS:
        return f"a grid has at most 2^31 - 1 = {MOST_PROGRAMS} programs, got {math.prod(grid)}"
    return None


def grid_attr(grid: Sequence[int]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, grid)


def arg_names(func: FuncOp) -> list[str]:
    """The arguments' source names; arg0, arg1, … where the frontend gave none."""
    names = func.attributes.get(ARG_NAMES)
    if isinstance(names, ArrayAttr):
        return [n.data for n in names if isinstance(n, StringAttr)]
    return [f"arg{i}" for i in range(len(func.body.block.args))]


def enclosing_func(op: Operation) -> FuncOp | None:
    """The function that an operation stands in."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return parent
