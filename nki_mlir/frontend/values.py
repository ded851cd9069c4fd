"""What a kernel's variables hold while it is compiled: plain Python objects, or one of the classes here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from nki_mlir.dialects.tile import PtrType, element_of, shape_of
from nki_mlir.errors import CompileError
from nki_mlir.frontend.dtypes import DType, PointerType, of_type


class ArgInt(int):
    """An integer argument of a Triton kernel: known while compiling, but typed int32 in promotion, divided as in C."""


class WideInt(ArgInt):
    """An integer that the kernel converted to int64."""


class ArgFloat(float):
    """A float argument of a Triton kernel: known while compiling, but typed float32 in promotion."""


@dataclass(eq=False)
class Value:
    """A scalar or tensor that the program computes."""

    ssa: SSAValue

    @property
    def shape(self) -> tuple[int, ...]:
        return shape_of(self.ssa)

    @property
    def element(self) -> Attribute:
        return element_of(self.ssa)

    @property
    def is_pointer(self) -> bool:
        return isinstance(self.element, PtrType)

    @property
    def dtype(self) -> DType | PointerType:
        element = self.element
        return PointerType(of_type(element.element_type)) if isinstance(element, PtrType) else of_type(element)

    @property
    def number(self) -> DType:
        """The dtype of a value that is known to be no pointer."""
        return of_type(self.element)

    def __str__(self) -> str:
        return describe(self)


@dataclass(eq=False)
class HbmArray:
    """An array of an NKI kernel: an argument, or one that the kernel made in HBM, with `nl.ndarray` or, `filled` with
    zeros, with `nl.zeros`."""

    argument: int
    memory: SSAValue
    shape: tuple[int, ...]
    dtype: DType
    filled: bool = False

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(frozen=True, eq=False)
class Span:
    """`size` consecutive positions from `start`, `step` apart, along one dimension of an array."""

    start: Value | int
    size: int
    step: int = 1


@dataclass(frozen=True, eq=False)
class View:
    """`array[index]`: what `nl.load` and `nl.store` take."""

    array: HbmArray
    index: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Described:
    """An array in memory as a Triton kernel describes it: element (i, j) is at base + i * strides[0] + j * strides[1].
    Shape and strides are integers, known or computed; `block_shape` is that of the blocks which are taken of it."""

    base: Value
    shape: tuple[Any, ...]
    strides: tuple[Any, ...]
    block_shape: tuple[int, ...]

    @property
    def element(self) -> DType:
        pointer = self.base.dtype
        assert isinstance(pointer, PointerType)
        return pointer.element_ty


@dataclass(frozen=True, eq=False)
class BlockPointer:
    """`tl.make_block_ptr`: the block of an array that begins at `offsets`, one integer for each dimension."""

    array: Described
    offsets: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Descriptor:
    """`tl.make_tensor_descriptor`: an array of which blocks are loaded and stored; `padding` says what is outside."""

    array: Described
    padding: Any


@dataclass(frozen=True)
class Poison:
    """The value of a name that can't be read after a loop."""

    reason: str


@dataclass(frozen=True, eq=False)
class RunTimeRange:
    """A range whose bounds, or one of them, are known only when the program runs: `trips` numbers from `start` on,
    `step` apart."""

    start: Value | int
    trips: Value
    step: int


@dataclass(frozen=True)
class Unrolled:
    """A `static_range`: its loop is unrolled while compiling."""

    items: range


class Unexpected(CompileError):
    """An object where something else is wanted; who knows what the object is called in the call adds that."""

    def __init__(self, wanted: str, value: Any):
        super().__init__(f"expected {wanted}, got {describe(value)}")
        self.value = value


def is_runtime(value: Any) -> bool:
    """Whether an object is, or a tuple contains, something that is known only when the program runs."""
    if isinstance(value, tuple | list):
        return any(is_runtime(v) for v in value)
    if isinstance(value, slice):
        return any(is_runtime(v) for v in (value.start, value.stop, value.step))
    return isinstance(value, Value | HbmArray | View | Span | BlockPointer | Descriptor)


def describe_type(type_: Attribute) -> str:
    """A type as messages name it: `float32[128, 64]`, `index`, `pointer to float32`."""
    element = type_.element_type if isinstance(type_, TensorType) else type_
    if isinstance(element, PtrType):
        name = f"pointer to {of_type(element.element_type)}"
    else:
        dtype = of_type(element)
        name = "index" if dtype.kind == "int" and dtype.bits == 64 else dtype.name
    return f"{name}[{', '.join(map(str, shape_of(type_)))}]" if shape_of(type_) else name


def describe(value: Any) -> str:
    """A value as messages name it."""
    match value:
        case Value():
            return describe_type(value.ssa.type)
        case HbmArray() | View():
            array = value.array if isinstance(value, View) else value
            return f"an array {array.dtype}[{', '.join(map(str, array.shape))}]"
        case BlockPointer() | Descriptor():
            kind = "block pointer" if isinstance(value, BlockPointer) else "tensor descriptor"
            block = ", ".join(map(str, value.array.block_shape))
            return f"a {kind} to {value.array.element}[{block}]"
        case ArgInt() | ArgFloat():
            return f"{'int' if isinstance(value, int) else 'float'} {value!r}"
        case None | bool() | int() | float() | str():
            return f"{type(value).__name__} {value!r}" if value is not None else "None"
        case _:
            name = type(value).__name__
            return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"
