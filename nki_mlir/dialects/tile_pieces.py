"""Pieces of tensors of `tile` along one dimension: a slice, and tensors one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.traits import HasCanonicalizationPatternsTrait, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.tile_scans import verify_axis
from nki_mlir.dialects.tile_shapes import BroadcastOp
from nki_mlir.dialects.tile_types import element_of, shape_of


def resized(shape: Sequence[int], axis: int, size: int) -> tuple[int, ...]:
    """A shape with another size along one of its dimensions."""
    return (*shape[:axis], size, *shape[axis + 1 :])


class _OfAPiece(RewritePattern):
    """A slice of a slice, or of what is inside one part of a concatenation, is one slice of the source."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        assert isinstance(op, SliceOp)
        source, at = op.origin
        if source is not op.source:
            rewriter.replace(op, SliceOp(source, op.axis.value.data, at, op.size))


class _OfABroadcast(RewritePattern):
    """Of what is repeated, a slice has fewer repetitions, or repeats a slice."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        assert isinstance(op, SliceOp)
        if not isinstance(repeated := op.source.owner, BroadcastOp):
            return
        axis, source = op.axis.value.data, repeated.source
        made = list[Operation]()
        if shape_of(source)[axis] > 1:
            made.append(SliceOp(source, axis, op.at.value.data, op.size))
            source = made[0].results[0]
        rewriter.replace(op, [*made, BroadcastOp(source, shape_of(op.result))])


class _SliceTrait(HasCanonicalizationPatternsTrait):
    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (_OfAPiece(), _OfABroadcast())


@irdl_op_definition
class SliceOp(IRDLOperation, HasFolderInterface):
    """Elements `at` to `at + size - 1` along one dimension, which has `size` places in the result; the other dimensions
    stay."""

    name = "tile.slice"
    source = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    at = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure(), _SliceTrait())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis `at` $at attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, axis: int, at: int, size: int):
        super().__init__(
            operands=[source],
            properties={"axis": IntegerAttr(axis, i64), "at": IntegerAttr(at, i64)},
            result_types=[TensorType(element_of(source), resized(shape_of(source), axis, size))],
        )

    @property
    def size(self) -> int:
        """How many places along the dimension the slice has."""
        return shape_of(self.result)[self.axis.value.data]

    @property
    def origin(self) -> tuple[SSAValue, int]:
        """What the slice is of, and where along the dimension it begins there, past slices and concatenations along
        it."""
        axis, at, source = self.axis.value.data, self.at.value.data, self.source
        while True:
            match source.owner:
                case SliceOp() as inner if inner.axis.value.data == axis:
                    source, at = inner.source, at + inner.at.value.data
                case ConcatOp() as inner if inner.axis.value.data == axis:
                    part, start = next(one for one in reversed(inner.placed) if one[1] <= at)
                    if at + self.size > start + shape_of(part)[axis]:
                        return source, at
                    source, at = part, at - start
                case _:
                    return source, at

    def verify_(self) -> None:
        axis, at, shape = self.axis.value.data, self.at.value.data, shape_of(self.source)
        verify_axis(axis, self.source)
        if len(shape_of(self.result)) != len(shape):
            raise VerifyException(f"a slice keeps the {len(shape)} dimensions, got {self.result.type}")
        if not self.size:
            raise VerifyException(f"a slice has places, got {self.result.type}")
        if at < 0 or at + self.size > shape[axis]:
            raise VerifyException(f"places {at} to {at + self.size - 1} are not all among the {shape[axis]} of d{axis}")
        if self.result.type != (want := TensorType(element_of(self.source), resized(shape, axis, self.size))):
            raise VerifyException(f"the result must be {want}, got {self.result.type}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        source, _ = self.origin
        return (source,) if source.type == self.result.type else None


@irdl_op_definition
class ConcatOp(IRDLOperation, HasFolderInterface):
    """Tensors one behind the other along a dimension; the other dimensions are the same in all of them."""

    name = "tile.concat"
    parts = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$parts `axis` $axis attr-dict `:` type($parts) `->` type($result)"

    def __init__(self, parts: Sequence[SSAValue], axis: int):
        first, size = parts[0], sum(shape_of(part)[axis] for part in parts)
        super().__init__(
            operands=[parts],
            properties={"axis": IntegerAttr(axis, i64)},
            result_types=[TensorType(element_of(first), resized(shape_of(first), axis, size))],
        )

    @property
    def placed(self) -> list[tuple[SSAValue, int]]:
        """Each part, with where along the dimension it begins."""
        sizes = [shape_of(part)[self.axis.value.data] for part in self.parts]
        return list(zip(self.parts, accumulate(sizes[:-1], initial=0), strict=True))

    def verify_(self) -> None:
        if not self.parts:
            raise VerifyException("a concatenation is of one tensor at least")
        axis, first = self.axis.value.data, self.parts[0]
        verify_axis(axis, first)
        element, shape = element_of(first), shape_of(first)
        for part in self.parts[1:]:
            size = shape_of(part)[axis] if len(shape_of(part)) == len(shape) else 0
            if part.type != TensorType(element, resized(shape, axis, size)):
                raise VerifyException(
                    f"the parts differ in more than the size of d{axis}: {first.type} and {part.type}"
                )
        size = sum(shape_of(part)[axis] for part in self.parts)
        if self.result.type != (want := TensorType(element, resized(shape, axis, size))):
            raise VerifyException(f"the result must be {want}, got {self.result.type}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.parts[0],) if len(self.parts) == 1 else None
