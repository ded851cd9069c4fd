"""The operations of `tile` that reach memory: in pointer form, and in structured form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    UnitAttr,
    i1,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.tile_types import PtrType, element_of, shape_of, with_shape


@irdl_op_definition
class BaseOp(IRDLOperation):
    """The pointer to an argument's first element."""

    name = "tile.base"
    source = operand_def(MemRefType)
    result = result_def(PtrType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue):
        super().__init__(operands=[source], result_types=[PtrType(element_of(source))])

    def verify_(self) -> None:
        if element_of(self.source) != cast(PtrType, self.result.type).element_type:
            raise VerifyException("the pointer's element type must be the memref's")


@irdl_op_definition
class AddPtrOp(IRDLOperation):
    """Moves a pointer, or a tensor of pointers, by as many elements."""

    name = "tile.add_ptr"
    ptr = operand_def(AnyAttr())
    offset = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = "$ptr `,` $offset attr-dict `:` type($ptr) `,` type($offset) `->` type($result)"

    def __init__(self, ptr: SSAValue, offset: SSAValue):
        super().__init__(operands=[ptr, offset], result_types=[ptr.type])

    def verify_(self) -> None:
        if not isinstance(element_of(self.ptr), PtrType) or self.result.type != self.ptr.type:
            raise VerifyException("the first operand and the result must be pointers of one type")
        if shape_of(self.ptr) != shape_of(self.offset):
            raise VerifyException(f"pointers {shape_of(self.ptr)} and offsets {shape_of(self.offset)} differ in shape")
        if not isinstance(element_of(self.offset), IndexType | IntegerType):
            raise VerifyException(f"offsets must be integers, got {self.offset.type}")


def _verify_pointers(ptr: SSAValue, data: SSAValue, mask: SSAValue | None) -> None:
    pointee = element_of(ptr)
    if not isinstance(pointee, PtrType) or pointee.element_type != element_of(data):
        raise VerifyException(f"pointers {ptr.type} do not point to {element_of(data)}")
    if shape_of(ptr) != shape_of(data):
        raise VerifyException(f"pointers {shape_of(ptr)} and data {shape_of(data)} differ in shape")
    if mask is not None and (shape_of(mask) != shape_of(ptr) or element_of(mask) != i1):
        raise VerifyException(f"the mask must be i1 of shape {shape_of(ptr)}, got {mask.type}")


@irdl_op_definition
class LoadOp(IRDLOperation):
    """Loads the elements that the pointers name. Where the mask is false the result is `other`, zero by default. With
    `undefined` it is zero there too, but a program that uses it is wrong, which the executor's checks report."""

    name = "tile.load"
    ptr = operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    other = opt_operand_def(AnyAttr())
    undefined = opt_prop_def(UnitAttr)
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$ptr (`mask` $mask^ `:` type($mask))? (`other` $other^ `:` type($other))? (`undefined` $undefined^)? attr-dict"
        " `:` type($ptr) `->` type($result)"
    )

    def __init__(
        self, ptr: SSAValue, mask: SSAValue | None = None, other: SSAValue | None = None, undefined: bool = False
    ):
        pointee = cast(PtrType, element_of(ptr)).element_type
        super().__init__(
            operands=[ptr, mask, other],
            properties={"undefined": UnitAttr() if undefined else None},
            result_types=[with_shape(pointee, shape_of(ptr))],
        )

    def verify_(self) -> None:
        _verify_pointers(self.ptr, self.result, self.mask)
        if self.other is not None and self.other.type != element_of(self.result):
            raise VerifyException(f"'other' must be a scalar {element_of(self.result)}, got {self.other.type}")
        verify_undefined(self.undefined, self.other, self.mask is not None)


@irdl_op_definition
class StoreOp(IRDLOperation):
    """Stores the elements where the mask is true; others in memory stay as they were."""

    name = "tile.store"
    ptr = operand_def(AnyAttr())
    value = operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$ptr `,` $value (`mask` $mask^ `:` type($mask))? attr-dict `:` type($ptr) `,` type($value)"

    def __init__(self, ptr: SSAValue, value: SSAValue, mask: SSAValue | None = None):
        super().__init__(operands=[ptr, value, mask])

    def verify_(self) -> None:
        _verify_pointers(self.ptr, self.value, self.mask)


def verify_access(shape: Sequence[int], strides: Sequence[int], valid: Sequence[SSAValue]) -> None:
    """The rules that every structured access shares, on this level and the next."""
    if len(strides) != len(shape):
        raise VerifyException(f"{len(strides)} strides for {len(shape)} dimensions")
    if valid and len(valid) != len(shape):
        raise VerifyException(f"{len(valid)} valid extents for {len(shape)} dimensions")


def verify_other(other: Attribute | None, element_type: Attribute) -> None:
    """What masked elements read as is an element."""
    if isinstance(other, FloatAttr | IntegerAttr) and other.type != element_type:
        raise VerifyException(f"'other' must be {element_type}, got {other}")


def verify_undefined(undefined: UnitAttr | None, other: object, bounded: bool) -> None:
    """Only what is left out, and has no value given, can be undefined."""
    if undefined is not None and other is not None:
        raise VerifyException("elements that read as 'other' are not undefined")
    if undefined is not None and not bounded:
        raise VerifyException("nothing is left out that could be undefined")


@irdl_op_definition
class ReadOp(IRDLOperation):
    """A structured load: element `i` of the result is `source[offset + sum(i[d] * strides[d])]`, offsets counted in
    elements over the flattened argument, where `i[d] < valid[d]` for every `d`; elsewhere it is `other`, zero
    by default, or `undefined`, as in `tile.load`."""

    name = "tile.read"
    source = operand_def(MemRefType)
    offset = operand_def(IndexType())
    valid = var_operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    other = opt_prop_def(base(FloatAttr) | base(IntegerAttr))
    undefined = opt_prop_def(UnitAttr)
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$source `[` $offset `]` `strides` $strides (`valid` `[` $valid^ `]`)? (`other` $other^)?"
        " (`undefined` $undefined^)? attr-dict"
        " `:` type($source) `->` type($result)"
    )

    def __init__(
        self,
        source: SSAValue,
        offset: SSAValue,
        strides: Sequence[int],
        valid: Sequence[SSAValue],
        other: Attribute | None,
        result_type: Attribute,
        undefined: Attribute | None = None,
    ):
        super().__init__(
            operands=[source, offset, list(valid)],
            properties={"strides": DenseArrayBase.from_list(i64, strides), "other": other, "undefined": undefined},
            result_types=[result_type],
        )

    def verify_(self) -> None:
        verify_access(shape_of(self.result), self.strides.get_values(), self.valid)
        if element_of(self.source) != element_of(self.result):
            raise VerifyException(f"a read keeps the element type {element_of(self.source)}, got {self.result.type}")
        verify_other(self.other, element_of(self.result))
        verify_undefined(self.undefined, self.other, bool(self.valid))


@irdl_op_definition
class WriteOp(IRDLOperation):
    """A structured store, addressed as `tile.read` is; elements outside the valid extents are not written."""

    name = "tile.write"
    value = operand_def(AnyAttr())
    dest = operand_def(MemRefType)
    offset = operand_def(IndexType())
    valid = var_operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$value `to` $dest `[` $offset `]` `strides` $strides (`valid` `[` $valid^ `]`)? attr-dict"
        " `:` type($value) `->` type($dest)"
    )

    def __init__(
        self, value: SSAValue, dest: SSAValue, offset: SSAValue, strides: Sequence[int], valid: Sequence[SSAValue]
    ):
        super().__init__(
            operands=[value, dest, offset, list(valid)],
            properties={"strides": DenseArrayBase.from_list(i64, strides)},
        )

    def verify_(self) -> None:
        verify_access(shape_of(self.value), self.strides.get_values(), self.valid)
        if element_of(self.dest) != element_of(self.value):
            raise VerifyException(f"a write keeps the element type {element_of(self.dest)}, got {self.value.type}")
