"""The operations of `tile` that reach memory: in pointer form, and in structured form."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    IndexType,
    IntegerType,
    MemRefType,
    Signedness,
    UnitAttr,
    i1,
)
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
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access_ops import ADDRESS, LEFT_OUT, ReadingOp, WritingOp, verify_undefined
from nki_mlir.dialects.tile_types import PtrType, Update, UpdateAttr, element_of, shape_of, with_shape

BYTE = IntegerType(8, Signedness.UNSIGNED)
"""What a truth value is in memory."""


@irdl_op_definition
class BaseOp(IRDLOperation):
    """The pointer to an argument's first element. Truth values are bytes in memory."""

    name = "tile.base"
    source = operand_def(MemRefType)
    result = result_def(PtrType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, element: Attribute | None = None):
        super().__init__(operands=[source], result_types=[PtrType(element or element_of(source))])

    def verify_(self) -> None:
        memory, element = element_of(self.source), cast(PtrType, self.result.type).element_type
        if memory != element and (memory, element) != (BYTE, i1):
            raise VerifyException("the pointer's element type must be the memref's, or i1 of ui8")


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
    """Stores the elements where the mask is true; others in memory stay as they were. `atomic` is part of an atomic
    operation: other programs may store the same elements."""

    name = "tile.store"
    ptr = operand_def(AnyAttr())
    value = operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    atomic = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$ptr `,` $value (`mask` $mask^ `:` type($mask))? (`atomic` $atomic^)? attr-dict"
        " `:` type($ptr) `,` type($value)"
    )

    def __init__(self, ptr: SSAValue, value: SSAValue, mask: SSAValue | None = None, atomic: bool = False):
        super().__init__(operands=[ptr, value, mask], properties={"atomic": UnitAttr() if atomic else None})

    def verify_(self) -> None:
        _verify_pointers(self.ptr, self.value, self.mask)


@irdl_op_definition
class AtomicOp(IRDLOperation):
    """Replaces the elements that the pointers name, where the mask is true, by `kind` of them and the values; the
    result is what they were. `compare_exchange` stores the value where memory holds `expected`. No other program's
    accesses come in between; elements that several pointers name are replaced once for each."""

    name = "tile.atomic"
    kind = prop_def(UpdateAttr)
    ptr = operand_def(AnyAttr())
    value = operand_def(AnyAttr())
    expected = opt_operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$kind $ptr `,` $value (`expected` $expected^ `:` type($expected))? (`mask` $mask^ `:` type($mask))? attr-dict"
        " `:` type($ptr) `,` type($value) `->` type($result)"
    )

    def __init__(
        self,
        kind: Update,
        ptr: SSAValue,
        value: SSAValue,
        mask: SSAValue | None = None,
        expected: SSAValue | None = None,
    ):
        super().__init__(
            operands=[ptr, value, expected, mask],
            properties={"kind": UpdateAttr(kind)},
            result_types=[value.type],
        )

    def verify_(self) -> None:
        _verify_pointers(self.ptr, self.value, self.mask)
        compares = self.kind.data is Update.COMPARE_EXCHANGE
        if compares != (self.expected is not None):
            raise VerifyException("compare_exchange, and nothing else, has what it expects")
        if self.expected is not None and self.expected.type != self.value.type:
            raise VerifyException(f"what is expected must be {self.value.type}, got {self.expected.type}")
        if self.result.type != self.value.type:
            raise VerifyException(f"the result must be {self.value.type}, got {self.result.type}")
        bits = self.kind.data in (Update.AND, Update.OR, Update.XOR)
        if bits and not isinstance(element_of(self.value), IntegerType):
            raise VerifyException(f"{self.kind.data} is for integers; elements are {element_of(self.value)}")


@irdl_op_definition
class ReadOp(ReadingOp):
    """A structured load: element `i` of the result is where the access says (`coordinates.py`)."""

    name = "tile.read"
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect())
    assembly_format = f"$memory {ADDRESS} {LEFT_OUT} attr-dict `:` type($memory) `->` type($result)"


@irdl_op_definition
class WriteOp(WritingOp):
    """A structured store, addressed as `tile.read` is."""

    name = "tile.write"
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        f"$value `to` $memory {ADDRESS} (`atomic` $atomic^)? attr-dict `:` type($value) `->` type($memory)"
    )
