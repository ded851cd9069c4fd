"""`tile`: what is computed, by one program instance of a grid.

A kernel is a `func.func` with `memref` arguments in HBM and the attribute `tile.grid`. Values are builtin tensors of
static shape; arithmetic on them is `arith` and `math`. Integers that address memory are `index` (scalars and
tensors), so that they never wrap. `tile.program_id` and `tile.num_programs` are the only link to the grid.

Memory is reached in two forms. Pointer form, as Triton writes it: `tile.base` makes a pointer of an argument,
`tile.add_ptr` adds element offsets, `tile.load` and `tile.store` take a tensor of pointers and a mask. Structured
form, what `structure-accesses` makes of it: `tile.read` and `tile.write` name the argument, one element offset, a
stride and a valid extent for each dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    i1,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    Dialect,
    SpacedOpaqueSyntaxAttribute,
    Operation,
    ParametrizedAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.interfaces import HasFolderInterface
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.folding import ArithConstants

GRID = "tile.grid"
ARG_NAMES = "tile.arg_names"
ALIASES = "tile.aliases"


class Reduction(StrEnum):
    """What `tile.reduce` combines elements with; a NaN among them makes a max or min NaN."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"


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
    return tuple(cast(DenseArrayBase, grid).get_values()) if isinstance(grid, DenseArrayBase) else None  # pyright: ignore


def grid_attr(grid: Sequence[int]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, grid)


def arg_names(func: FuncOp) -> list[str]:
    """The arguments' source names; arg0, arg1, … where the frontend gave none."""
    names = func.attributes.get(ARG_NAMES)
    if isinstance(names, ArrayAttr):
        return [n.data for n in names if isinstance(n, StringAttr)]
    return [f"arg{i}" for i in range(len(func.body.block.args))]


def _enclosing_func(op: Operation) -> FuncOp | None:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return parent


class _GridOp(IRDLOperation):
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(IndexType())
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$axis attr-dict"

    def __init__(self, axis: int):
        super().__init__(properties={"axis": IntegerAttr(axis, i64)}, result_types=[IndexType()])

    def verify_(self) -> None:
        func = _enclosing_func(self)
        if func is None:
            return
        axis, grid = self.axis.value.data, grid_of(func)
        if grid is None:
            raise VerifyException(f"the enclosing function has no '{GRID}' attribute")
        if not 0 <= axis < len(grid):
            raise VerifyException(f"axis {axis} is outside the grid of {len(grid)} dimensions")


@irdl_op_definition
class ProgramIdOp(_GridOp):
    """This program's position along one axis of the grid."""

    name = "tile.program_id"


@irdl_op_definition
class NumProgramsOp(_GridOp, HasFolderInterface):
    """The number of programs along one axis of the grid."""

    name = "tile.num_programs"

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        func = _enclosing_func(self)
        grid = grid_of(func) if func is not None else None
        return None if grid is None else (IntegerAttr.from_index_int_value(grid[self.axis.value.data]),)


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
class ArangeOp(IRDLOperation):
    """`start, start + 1, …, end - 1`, one dimension."""

    name = "tile.arange"
    start = prop_def(IntegerAttr.constr(i64))
    end = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$start `to` $end attr-dict `:` type($result)"

    def __init__(self, start: int, end: int):
        super().__init__(
            properties={"start": IntegerAttr(start, i64), "end": IntegerAttr(end, i64)},
            result_types=[TensorType(IndexType(), [end - start])],
        )

    def verify_(self) -> None:
        want = (self.end.value.data - self.start.value.data,)
        if shape_of(self.result) != want or not isinstance(element_of(self.result), IndexType):
            raise VerifyException(f"the result must be tensor<{want[0]}xindex>, got {self.result.type}")


@irdl_op_definition
class SplatOp(IRDLOperation):
    """A tensor, every element of which is the scalar."""

    name = "tile.splat"
    value = operand_def(AnyAttr())
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$value attr-dict `:` type($value) `->` type($result)"

    def __init__(self, value: SSAValue, shape: Sequence[int]):
        super().__init__(operands=[value], result_types=[TensorType(value.type, shape)])

    def verify_(self) -> None:
        if isinstance(self.value.type, TensorType) or element_of(self.result) != self.value.type:
            raise VerifyException("the operand must be a scalar of the result's element type")


@irdl_op_definition
class ExpandDimsOp(IRDLOperation):
    """Inserts a dimension of size 1."""

    name = "tile.expand_dims"
    source = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
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
class BroadcastOp(IRDLOperation, HasFolderInterface):
    """Repeats dimensions of size 1 up to the result's shape; the rank stays."""

    name = "tile.broadcast"
    source = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
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
class TransOp(IRDLOperation, HasFolderInterface):
    """Exchanges the two dimensions of a matrix."""

    name = "tile.trans"
    source = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue):
        super().__init__(operands=[source], result_types=[TensorType(element_of(source), shape_of(source)[::-1])])

    def verify_(self) -> None:
        if len(shape_of(self.source)) != 2 or shape_of(self.source)[::-1] != shape_of(self.result):
            raise VerifyException("a transpose takes a matrix and exchanges its two dimensions")
        if element_of(self.source) != element_of(self.result):
            raise VerifyException("a transpose keeps the element type")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        inner = self.source.owner
        return (inner.source,) if isinstance(inner, TransOp) else None


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
    """Loads the elements that the pointers name. Where the mask is false the result is `other`, zero by default."""

    name = "tile.load"
    ptr = operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    other = opt_operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$ptr (`mask` $mask^ `:` type($mask))? (`other` $other^ `:` type($other))? attr-dict `:` type($ptr)"
        " `->` type($result)"
    )

    def __init__(self, ptr: SSAValue, mask: SSAValue | None = None, other: SSAValue | None = None):
        pointee = cast(PtrType, element_of(ptr)).element_type
        super().__init__(operands=[ptr, mask, other], result_types=[with_shape(pointee, shape_of(ptr))])

    def verify_(self) -> None:
        _verify_pointers(self.ptr, self.result, self.mask)
        if self.other is not None and self.other.type != element_of(self.result):
            raise VerifyException(f"'other' must be a scalar {element_of(self.result)}, got {self.other.type}")


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


@irdl_op_definition
class DotOp(IRDLOperation):
    """`a @ b` of `[M, K]` and `[K, N]`, plus `acc` where given; products are summed in fp32."""

    name = "tile.dot"
    a = operand_def(TensorType)
    b = operand_def(TensorType)
    acc = opt_operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$a `,` $b (`acc` $acc^ `:` type($acc))? attr-dict `:` type($a) `,` type($b) `->` type($result)"
    )

    def __init__(self, a: SSAValue, b: SSAValue, acc: SSAValue | None, result_type: Attribute):
        super().__init__(operands=[a, b, acc], result_types=[result_type])

    def verify_(self) -> None:
        a, b = shape_of(self.a), shape_of(self.b)
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            raise VerifyException(f"shapes {a} and {b} do not multiply: want [M, K] and [K, N]")
        if element_of(self.a) != element_of(self.b):
            raise VerifyException(f"operand types differ: {element_of(self.a)} and {element_of(self.b)}")
        if shape_of(self.result) != (a[0], b[1]) or not isinstance(element_of(self.result), AnyFloat):
            raise VerifyException(f"the result must be a float tensor of shape {(a[0], b[1])}, got {self.result.type}")
        if self.acc is not None and self.acc.type != self.result.type:
            raise VerifyException(f"'acc' must have the result's type {self.result.type}, got {self.acc.type}")


@irdl_op_definition
class CompareOp(IRDLOperation):
    """Compares two scalars or tensors of one type element by element, giving i1. (xDSL's `arith.cmpi`, `arith.cmpf` and
    `arith.select` take scalars only, its conversions too: hence this op and the next two.)"""

    name = "tile.compare"
    predicate = prop_def(PredicateAttr)
    lhs = operand_def(AnyAttr())
    rhs = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    def __init__(self, predicate: str, lhs: SSAValue, rhs: SSAValue):
        super().__init__(
            operands=[lhs, rhs],
            properties={"predicate": PredicateAttr(Predicate(predicate))},
            result_types=[with_shape(i1, shape_of(lhs))],
        )

    def verify_(self) -> None:
        if self.lhs.type != self.rhs.type:
            raise VerifyException(f"operand types differ: {self.lhs.type} and {self.rhs.type}")
        if self.result.type != with_shape(i1, shape_of(self.lhs)):
            raise VerifyException(f"the result must be i1 of shape {shape_of(self.lhs)}, got {self.result.type}")


@irdl_op_definition
class SelectOp(IRDLOperation):
    """`on_true` where the condition holds, else `on_false`, element by element."""

    name = "tile.select"
    condition = operand_def(AnyAttr())
    on_true = operand_def(AnyAttr())
    on_false = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = (
        "$condition `,` $on_true `,` $on_false attr-dict `:` type($condition) `,` type($on_true) `,`"
        " type($on_false) `->` type($result)"
    )

    def __init__(self, condition: SSAValue, on_true: SSAValue, on_false: SSAValue):
        super().__init__(operands=[condition, on_true, on_false], result_types=[on_true.type])

    def verify_(self) -> None:
        if not self.on_true.type == self.on_false.type == self.result.type:
            raise VerifyException("both values and the result must have one type")
        if self.condition.type != with_shape(i1, shape_of(self.result)):
            raise VerifyException(f"the condition must be i1 of shape {shape_of(self.result)}")


@irdl_op_definition
class CastOp(IRDLOperation, HasFolderInterface):
    """Converts the element type; to a narrower float and to integers by round to nearest even, the latter saturating
    (hardware.md section 4)."""

    name = "tile.cast"
    source = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, element_type: Attribute):
        super().__init__(operands=[source], result_types=[with_shape(element_type, shape_of(source))])

    def verify_(self) -> None:
        if shape_of(self.source) != shape_of(self.result):
            raise VerifyException("a cast keeps the shape")
        for type_ in (element_of(self.source), element_of(self.result)):
            if not isinstance(type_, AnyFloat | IntegerType | IndexType):
                raise VerifyException(f"a cast converts numbers, got {type_}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Reduces one dimension away; a vector gives a scalar. `kind` is max, min or sum."""

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
        if not 0 <= axis < len(shape):
            raise VerifyException(f"axis {axis} is outside the {len(shape)} dimensions of the operand")
        del shape[axis]
        if self.result.type != with_shape(element_of(self.source), shape):
            raise VerifyException(f"the result must be {with_shape(element_of(self.source), shape)}")


def verify_access(source: SSAValue, shape: Sequence[int], strides: Sequence[int], valid: Sequence[SSAValue]) -> None:
    """The rules that every structured access shares, on this level and the next."""
    if not isinstance(source.type, MemRefType):
        raise VerifyException(f"a structured access names a memref, got {source.type}")
    if len(strides) != len(shape):
        raise VerifyException(f"{len(strides)} strides for {len(shape)} dimensions")
    if valid and len(valid) != len(shape):
        raise VerifyException(f"{len(valid)} valid extents for {len(shape)} dimensions")


@irdl_op_definition
class ReadOp(IRDLOperation):
    """A structured load: element `i` of the result is `source[offset + sum(i[d] * strides[d])]`, offsets counted in
    elements over the flattened argument, where `i[d] < valid[d]` for every `d`; elsewhere it is `other`."""

    name = "tile.read"
    source = operand_def(MemRefType)
    offset = operand_def(IndexType())
    valid = var_operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    other = opt_prop_def(base(FloatAttr) | base(IntegerAttr))
    result = result_def(AnyAttr())
    traits = traits_def(MemoryReadEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$source `[` $offset `]` `strides` $strides (`valid` `[` $valid^ `]`)? (`other` $other^)? attr-dict"
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
    ):
        super().__init__(
            operands=[source, offset, list(valid)],
            properties={"strides": DenseArrayBase.from_list(i64, strides), "other": other},
            result_types=[result_type],
        )

    def verify_(self) -> None:
        verify_access(self.source, shape_of(self.result), self.strides.get_values(), self.valid)
        if element_of(self.source) != element_of(self.result):
            raise VerifyException(f"a read keeps the element type {element_of(self.source)}, got {self.result.type}")


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
        verify_access(self.dest, shape_of(self.value), self.strides.get_values(), self.valid)
        if element_of(self.dest) != element_of(self.value):
            raise VerifyException(f"a write keeps the element type {element_of(self.dest)}, got {self.value.type}")


Tile = Dialect(
    "tile",
    [
        ProgramIdOp,
        NumProgramsOp,
        BaseOp,
        ArangeOp,
        SplatOp,
        ExpandDimsOp,
        BroadcastOp,
        TransOp,
        AddPtrOp,
        LoadOp,
        StoreOp,
        CompareOp,
        SelectOp,
        CastOp,
        DotOp,
        ReduceOp,
        ReadOp,
        WriteOp,
    ],
    [PtrType, ReductionAttr, PredicateAttr],
    [ArithConstants()],
)
