"""Operations of `tile` along one dimension: reductions, scans, its last place, and a dimension backwards."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerAttr, IntegerType, TensorType, UnitAttr, i1, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
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


def verify_scaled(kind: Reduction, element: Attribute) -> None:
    """A scan like this may have a scale."""
    if kind is not Reduction.SUM or not isinstance(element, AnyFloat):
        raise VerifyException(f"only a sum of floats is scaled, not {kind} of {element}")


def verify_goes_on(kind: Reduction, element: Attribute) -> None:
    """A scan like this may have an initial element."""
    if kind not in (Reduction.SUM, Reduction.PRODUCT) or not isinstance(element, AnyFloat):
        raise VerifyException(f"only a sum or product of floats has an initial element, not {kind} of {element}")


def without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    """A shape without one of its dimensions."""
    return (*shape[:axis], *shape[axis + 1 :])


def verify_axis(axis: int, source: SSAValue) -> None:
    """An operand has a dimension `axis`."""
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
        super().__init__(
            operands=[source],
            properties={"kind": ReductionAttr(Reduction(kind)), "axis": IntegerAttr(axis, i64)},
            result_types=[with_shape(element_of(source), without(shape_of(source), axis))],
        )

    def verify_(self) -> None:
        axis = self.axis.value.data
        _verify_kind(self.kind.data, self.source)
        verify_axis(axis, self.source)
        if self.result.type != (want := with_shape(element_of(self.source), without(shape_of(self.source), axis))):
            raise VerifyException(f"the result must be {want}")


@irdl_op_definition
class LastOp(IRDLOperation):
    """The last place along one dimension, which the result does not have; of a vector, a scalar."""

    name = "tile.last"
    source = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, axis: int):
        super().__init__(
            operands=[source],
            properties={"axis": IntegerAttr(axis, i64)},
            result_types=[with_shape(element_of(source), without(shape_of(source), axis))],
        )

    def verify_(self) -> None:
        axis = self.axis.value.data
        verify_axis(axis, self.source)
        if not shape_of(self.source)[axis]:
            raise VerifyException(f"dimension {axis} has no places")
        if self.result.type != (want := with_shape(element_of(self.source), without(shape_of(self.source), axis))):
            raise VerifyException(f"the result must be {want}, got {self.result.type}")


@irdl_op_definition
class ScanOp(IRDLOperation):
    """Element i is elements 0 to i along the axis combined, one after the other. With a `scale` element i of a sum is
    `scale[i] * element i-1 + source[i]`; the first one is the source's. A sum or product of floats may have an
    `initial` element in front of the first: the scan goes on from there."""

    name = "tile.scan"
    kind = prop_def(ReductionAttr)
    source = operand_def(TensorType)
    scale = opt_operand_def(TensorType)
    initial = opt_operand_def(AnyAttr())
    axis = prop_def(IntegerAttr.constr(i64))
    reverse = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$kind $source (`scale` $scale^ `:` type($scale))? (`initial` $initial^ `:` type($initial))?"
        " `axis` $axis (`reverse` $reverse^)? attr-dict `:` type($source) `->` type($result)"
    )

    def __init__(
        self,
        kind: str,
        source: SSAValue,
        axis: int,
        scale: SSAValue | None = None,
        reverse: bool = False,
        initial: SSAValue | None = None,
    ):
        super().__init__(
            operands=[source, scale, initial],
            properties={
                "kind": ReductionAttr(Reduction(kind)),
                "axis": IntegerAttr(axis, i64),
                "reverse": UnitAttr() if reverse else None,
            },
            result_types=[source.type],
        )

    def verify_(self) -> None:
        kind, element, axis = self.kind.data, element_of(self.source), self.axis.value.data
        _verify_kind(kind, self.source)
        verify_axis(axis, self.source)
        if self.result.type != self.source.type:
            raise VerifyException(f"the result must be {self.source.type}, got {self.result.type}")
        if self.scale is not None:
            verify_scaled(kind, element)
            if self.scale.type != self.source.type:
                raise VerifyException(f"the scale must be {self.source.type}, got {self.scale.type}")
        if self.initial is not None:
            verify_goes_on(kind, element)
            if self.initial.type != (want := with_shape(element, without(shape_of(self.source), axis))):
                raise VerifyException(f"the initial element must be {want}, got {self.initial.type}")


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
        verify_axis(self.axis.value.data, self.source)
        if self.result.type != self.source.type:
            raise VerifyException(f"the result must be {self.source.type}, got {self.result.type}")
