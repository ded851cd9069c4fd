"""What `tile` does to shapes: the same elements with dimensions added, repeated, in another order, merged or cut."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, TensorType, i64
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.tile_types import element_of, shape_of, with_shape


class ShapeOp(IRDLOperation):
    """The elements of one tensor, none of them changed."""

    source = operand_def(TensorType)
    result = result_def(AnyAttr())
    traits = traits_def(Pure())


@irdl_op_definition
class ExpandDimsOp(ShapeOp):
    """Inserts a dimension of size 1."""

    name = "tile.expand_dims"
    axis = prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, axis: int):
        shape = list(shape_of(source))
        shape.insert(axis, 1)
        super().__init__(
            operands=[source],
            properties={"axis": IntegerAttr(axis, i64)},
            result_types=[TensorType(element_of(source), shape)],
        )

    def verify_(self) -> None:
        shape, axis = list(shape_of(self.source)), self.axis.value.data
        if not 0 <= axis <= len(shape):
            raise VerifyException(f"axis {axis} is outside 0..{len(shape)}")
        shape.insert(axis, 1)
        if tuple(shape) != shape_of(self.result) or element_of(self.source) != element_of(self.result):
            raise VerifyException(f"the result must have shape {tuple(shape)} and the source's element type")


@irdl_op_definition
class BroadcastOp(ShapeOp, HasFolderInterface):
    """Repeats dimensions of size 1 up to the result's shape; the rank stays."""

    name = "tile.broadcast"
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, shape: Sequence[int]):
        super().__init__(operands=[source], result_types=[TensorType(element_of(source), shape)])

    def verify_(self) -> None:
        src, dst = shape_of(self.source), shape_of(self.result)
        if len(src) != len(dst) or any(s not in (1, d) for s, d in zip(src, dst, strict=True)):
            raise VerifyException(f"shape {src} does not broadcast to {dst}")
        if element_of(self.source) != element_of(self.result):
            raise VerifyException("a broadcast keeps the element type")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


@irdl_op_definition
class PermuteOp(ShapeOp, HasFolderInterface):
    """The dimensions in another order: dimension `d` of the result is the source's `order[d]`."""

    name = "tile.permute"
    order = prop_def(DenseArrayBase.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `order` $order attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, order: Sequence[int]):
        shape = [shape_of(source)[d] for d in order]
        super().__init__(
            operands=[source],
            properties={"order": DenseArrayBase.from_list(i64, order)},
            result_types=[TensorType(element_of(source), shape)],
        )

    def verify_(self) -> None:
        shape, order = shape_of(self.source), self.order.get_values()
        if sorted(order) != list(range(len(shape))):
            raise VerifyException(f"{list(order)} is no order of {len(shape)} dimensions")
        wanted = TensorType(element_of(self.source), [shape[d] for d in order])
        if self.result.type != wanted:
            raise VerifyException(f"the result must be {wanted}, got {self.result.type}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        order, inner = self.order.get_values(), self.source.owner
        if list(order) == sorted(order):
            return (self.source,)
        if isinstance(inner, PermuteOp):
            both = [inner.order.get_values()[d] for d in order]
            return (inner.source,) if both == sorted(both) else None
        return None


@irdl_op_definition
class ReshapeOp(ShapeOp, HasFolderInterface):
    """The same elements in row-major order under another shape; of one element also as a scalar."""

    name = "tile.reshape"
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, shape: Sequence[int]):
        super().__init__(operands=[source], result_types=[with_shape(element_of(source), shape)])

    def verify_(self) -> None:
        src, dst = shape_of(self.source), shape_of(self.result)
        if math.prod(src) != math.prod(dst):
            raise VerifyException(f"{math.prod(src)} elements of shape {src} do not fill {dst}")
        if element_of(self.source) != element_of(self.result):
            raise VerifyException("a reshape keeps the element type")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        inner = self.source.owner
        if self.source.type == self.result.type:
            return (self.source,)
        return (inner.source,) if isinstance(inner, ReshapeOp) and inner.source.type == self.result.type else None
