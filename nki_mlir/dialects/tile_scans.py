"""Operations of `tile` along one dimension: reductions, scans, and a dimension backwards."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerAttr, IntegerType, TensorType, UnitAttr, i1, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.dtypes import dtype, is_number
from nki_mlir.dialects.tile_types import Reduction, ReductionAttr, element_of, shape_of, with_shape


def verify_number(value: SSAValue) -> None:
    if not isinstance(type_ := element_of(value), AnyFloat | IntegerType | IndexType):
        raise VerifyException(f"elements must be numbers, got {type_}")


def verify_as_wide(have: Attribute, want: Attribute) -> None:
    """Numbers of both types have as many bits; truth values have none that are seen."""
    for type_ in (have, want):
        if not is_number(type_) or type_ == i1:
            raise VerifyException(f"a bitcast is of numbers with bits, not of {type_}")
    if dtype(have).bytes != dtype(want).bytes:
        raise VerifyException(f"{have} and {want} have different sizes")


def _verify_kind(kind: Reduction, source: SSAValue) -> None:
    """The kind combines elements like these."""
    verify_number(source)
    if kind.ignores_nan and not isinstance(element_of(source), AnyFloat):
        raise VerifyException(f"{kind} is for floats; elements are {element_of(source)}")
    if kind.is_bitwise and isinstance(element_of(source), AnyFloat):
        raise VerifyException(f"{kind} is for integers; elements are {element_of(source)}")


def _verify_axis(axis: int, source: SSAValue) -> None:
    if not 0 <= axis < len(shape_of(source)):
        raise VerifyException(f"axis {axis} is outside the {len(shape_of(source))} dimensions of the operand")


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Reduces one dimension away; a vector gives a scalar. `kind` is max, min, sum or product; maxnum and minnum of
    floats; and, or, xor of integers."""

    name = "tile.reduce"
    kind = prop_def(ReductionAttr)
    source = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$kind $source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def __init__(self, kind: str, source: SSAValue, axis: int):
        shape = list(shape_of(source))
        del shape[axis]
        super().__init__(
            operands=[source],
            properties={"kind": ReductionAttr(Reduction(kind)), "axis": IntegerAttr(axis, i64)},
            result_types=[with_shape(element_of(source), shape)],
        )

    def verify_(self) -> None:
        shape, axis = list(shape_of(self.source)), self.axis.value.data
        _verify_kind(self.kind.data, self.source)
        _verify_axis(axis, self.source)
        del shape[axis]
        if self.result.type != with_shape(element_of(self.source), shape):
            raise VerifyException(f"the result must be {with_shape(element_of(self.source), shape)}")


@irdl_op_definition
class ScanOp(IRDLOperation):
    """Element i is elements 0 to i along the axis combined, one after the other. With a `scale` element i of a sum is
    `scale[i] * element i-1 + source[i]`; the first one is the source's."""

    name = "tile.scan"
    kind = prop_def(ReductionAttr)
    source = operand_def(TensorType)
    scale = opt_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    reverse = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$kind $source (`scale` $scale^ `:` type($scale))? `axis` $axis (`reverse` $reverse^)? attr-dict"
        " `:` type($source) `->` type($result)"
    )

    def __init__(self, kind: str, source: SSAValue, axis: int, scale: SSAValue | None = None, reverse: bool = False):
        super().__init__(
            operands=[source, scale],
            properties={
                "kind": ReductionAttr(Reduction(kind)),
                "axis": IntegerAttr(axis, i64),
                "reverse": UnitAttr() if reverse else None,
            },
            result_types=[source.type],
        )

    def verify_(self) -> None:
        _verify_kind(self.kind.data, self.source)
        _verify_axis(self.axis.value.data, self.source)
        if self.result.type != self.source.type:
            raise VerifyException(f"the result must be {self.source.type}, got {self.result.type}")
        if self.scale is None:
            return
        if self.kind.data is not Reduction.SUM or not isinstance(element_of(self.source), AnyFloat):
            raise VerifyException(f"only a sum of floats is scaled, not {self.kind.data} of {element_of(self.source)}")
        if self.scale.type != self.source.type:
            raise VerifyException(f"the scale must be {self.source.type}, got {self.scale.type}")


@irdl_op_definition
class FlipOp(IRDLOperation):
    """One dimension backwards."""

    name = "tile.flip"
    source = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, axis: int):
        super().__init__(operands=[source], properties={"axis": IntegerAttr(axis, i64)}, result_types=[source.type])

    def verify_(self) -> None:
        _verify_axis(self.axis.value.data, self.source)
        if self.result.type != self.source.type:
            raise VerifyException(f"the result must be {self.source.type}, got {self.result.type}")
