"""`tile`: what is computed, by the programs of a grid.

A kernel is a `func.func` with `memref` arguments in HBM, and its body one `tile.programs`: a parallel region whose
arguments are the program's ids; a kernel that is one program may do without. Values are builtin tensors of static
shape; arithmetic on them is `arith` and `math`. Integers that address memory are `index` (scalars and tensors), so that
they never wrap. Once `programs-to-loops` has made loops of the programs, `tile.begin_program` says which program the
operations that follow belong to.

Memory is reached in two forms. Pointer form, as Triton writes it: `tile.base` makes a pointer of an argument,
`tile.add_ptr` adds element offsets, `tile.load` and `tile.store` take a tensor of pointers and a mask. Structured
form, what `structure-accesses` makes of it: `tile.read` and `tile.write` name the argument, one element offset, a
stride and a valid extent for each dimension.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    AnyFloat,
    IndexType,
    IntegerAttr,
    TensorType,
    i1,
    i64,
)
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Dialect, SSAValue
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

from nki_mlir.dialects.alu import Function, FunctionAttr
from nki_mlir.dialects.coordinates import AccessAttr
from nki_mlir.dialects.folding import ArithConstants
from nki_mlir.dialects.tile_accesses import (  # noqa: F401
    BYTE,
    AddPtrOp,
    AtomicOp,
    BaseOp,
    LoadOp,
    ReadOp,
    StoreOp,
    WriteOp,
)
from nki_mlir.dialects.tile_pieces import ConcatOp, SliceOp, resized  # noqa: F401
from nki_mlir.dialects.tile_products import DotOp
from nki_mlir.dialects.tile_programs import BeginProgramOp, ProgramsOp
from nki_mlir.dialects.tile_scans import FlipOp, LastOp, ReduceOp, ScanOp, verify_as_wide, verify_number
from nki_mlir.dialects.tile_shapes import (  # noqa: F401
    BroadcastOp,
    ExpandDimsOp,
    PermuteOp,
    ReshapeOp,
    ShapeOp,
)
from nki_mlir.dialects.tile_types import (  # noqa: F401
    ALIASES,
    ARG_NAMES,
    CARRIED,
    Predicate,
    PredicateAttr,
    PtrType,
    Reduction,
    ReductionAttr,
    Update,
    UpdateAttr,
    arg_names,
    element_of,
    enclosing_func,
    shape_of,
    with_shape,
)


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
        start, end = self.start.value.data, self.end.value.data
        if end <= start:
            raise VerifyException(f"the range {start} to {end} is empty")
        want = (end - start,)
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
        verify_number(self.lhs)
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
    (docs/hardware.md#arithmetic)."""

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
        verify_number(self.source)
        verify_number(self.result)

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


@irdl_op_definition
class BitcastOp(IRDLOperation):
    """The same bits as elements of another type that is as wide."""

    name = "tile.bitcast"
    source = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, source: SSAValue, element_type: Attribute):
        super().__init__(operands=[source], result_types=[TensorType(element_type, shape_of(source))])

    def verify_(self) -> None:
        if shape_of(self.source) != shape_of(self.result):
            raise VerifyException("a bitcast keeps the shape")
        verify_as_wide(element_of(self.source), element_of(self.result))


@irdl_op_definition
class FunctionOp(IRDLOperation):
    """A function of every element for which `math` has no operation."""

    name = "tile.function"
    function = prop_def(FunctionAttr)
    source = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$function $source attr-dict `:` type($source) `->` type($result)"

    def __init__(self, function: Function, source: SSAValue):
        super().__init__(operands=[source], properties={"function": FunctionAttr(function)}, result_types=[source.type])

    def verify_(self) -> None:
        if self.function.data not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise VerifyException(f"{self.function.data} is no function of tile.function; those are {known}")
        if self.source.type != self.result.type or not isinstance(element_of(self.source), AnyFloat):
            types = f"{self.source.type} and {self.result.type}"
            raise VerifyException(f"the operand and the result must be floats of one type, got {types}")


FUNCTIONS = {
    Function.SIGMOID,
    Function.SILU,
    Function.GELU,
    Function.GELU_APPRX_TANH,
    Function.GELU_APPRX_SIGMOID,
    Function.SOFTPLUS,
    Function.MISH,
}
"""What `tile.function` computes."""

Tile = Dialect(
    "tile",
    [
        ProgramsOp,
        BeginProgramOp,
        BaseOp,
        ArangeOp,
        SplatOp,
        ExpandDimsOp,
        BroadcastOp,
        PermuteOp,
        ReshapeOp,
        SliceOp,
        ConcatOp,
        AddPtrOp,
        LoadOp,
        StoreOp,
        AtomicOp,
        CompareOp,
        SelectOp,
        CastOp,
        BitcastOp,
        FunctionOp,
        DotOp,
        ReduceOp,
        LastOp,
        ScanOp,
        FlipOp,
        ReadOp,
        WriteOp,
    ],
    [PtrType, AccessAttr, ReductionAttr, PredicateAttr, UpdateAttr],
    [ArithConstants()],
)
