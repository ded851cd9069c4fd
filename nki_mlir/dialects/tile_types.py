"""What the operations of `tile` share: pointers, reductions, comparisons, shapes, and what a kernel says of its
arguments."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, MemRefType, StringAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Operation, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum

ARG_NAMES = "tile.arg_names"
ALIASES = "tile.aliases"
CARRIED = "tile.carried"
"""Of a conversion of numbers to indices: a loop carries an index as one."""


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


class Update(StrEnum):
    """What an atomic operation does with what memory holds and its operand: unsigned extrema by unsigned types."""

    ADD = "add"
    MAX = "max"
    MIN = "min"
    AND = "and"
    OR = "or"
    XOR = "xor"
    EXCHANGE = "exchange"
    COMPARE_EXCHANGE = "compare_exchange"


@irdl_attr_definition
class UpdateAttr(EnumAttribute[Update], SpacedOpaqueSyntaxAttribute):
    name = "tile.update"


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
    return tuple([size.data for size in type_.shape.data]) if type(type_) is TensorType else ()


def element_of(value: SSAValue | Attribute) -> Attribute:
    """The element type of a tensor or memref, or the type itself of a scalar."""
    type_ = value.type if isinstance(value, SSAValue) else value
    return type_.element_type if type(type_) is TensorType or type(type_) is MemRefType else type_


def with_shape(element_type: Attribute, shape: Sequence[int]) -> Attribute:
    """A tensor type, or the scalar type itself for shape ()."""
    return TensorType(element_type, shape) if shape else element_type


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
