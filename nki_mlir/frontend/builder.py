"""Emits `tile` operations at the current source position."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    FileLineColLoc,
    FloatAttr,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
)
from xdsl.ir import Block, Operation

from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.frontend.dtypes import INDEX, DType, boolean, float32
from nki_mlir.frontend.lists import Lists
from nki_mlir.frontend.observed import Observations
from nki_mlir.frontend.values import HbmArray, Unexpected, Value, describe

if TYPE_CHECKING:
    from types import FunctionType

    from nki_mlir.frontend.source import KernelFunction


class Builder:
    """One kernel under construction: where operations go, what they are stamped with, and what was recorded. `entry` is
    the block of the kernel's function, `programs` what its programs do."""

    def __init__(self, function: KernelFunction, grid: Sequence[int], entry: Block, observed: Observations):
        self.grid = tuple(grid)
        self.entry, self.programs = entry, tile.ProgramsOp(grid)
        self.block = self.programs.body.block
        self.language = function.language
        self.file, self.line, self.column = function.position
        self.loops: tuple[Block, ...] = ()
        self.outputs: list[HbmArray] = []
        self.observed = observed
        self.lists = Lists()
        self.helpers: dict[FunctionType, KernelFunction] = {}
        self.unrolled = 0
        self.in_trial = False
        self.inline: Callable[[KernelFunction, Sequence[Any]], Any]

    # Where operations go.
    def add(self, op: Operation) -> Operation:
        op.location = FileLineColLoc(StringAttr(self.file), IntAttr(self.line), IntAttr(self.column))
        self.block.add_op(op)
        return op

    def value(self, op: Operation) -> Value:
        return Value(self.add(op).results[0])

    @contextmanager
    def inside(self, block: Block) -> Iterator[None]:
        """Operations go to `block`, the body of a loop."""
        outer, self.block = self.block, block
        around, self.loops = self.loops, (*self.loops, block)
        try:
            yield
        finally:
            self.block, self.loops = outer, around

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Nothing that is emitted is kept, nothing is printed, and no iteration counts."""
        outer, self.block = self.block, Block()
        unrolled, self.in_trial = self.unrolled, True
        try:
            yield
        finally:
            self.block.erase(safe_erase=False)
            self.block, self.unrolled, self.in_trial = outer, unrolled, False

    # What happens while compiling.
    def observe(self, what: Hashable, read: Callable[[], Any]) -> Any:
        """What `read` gives of the world outside the kernel, noted."""
        return self.observed.read(what, read)

    def print(self, text: str) -> None:
        """Prints, but in a trial."""
        if not self.in_trial:
            print(text, end="")

    # Scalars.
    def constant(self, number: float | Value, dtype: DType) -> Value:
        """A scalar of that type; a scalar value is cast."""
        if isinstance(number, Value):
            return self.cast(number, dtype)
        type_ = dtype.type
        if isinstance(type_, AnyFloat):
            return self.value(arith.ConstantOp(float_attribute(number, type_)))
        if dtype.is_bool():
            return self.value(arith.ConstantOp(IntegerAttr(-1 if number else 0, IntegerType(1))))
        integer = whole(number, dtype)
        if dtype.kind == "uint":
            return self.cast(self.constant(integer, INDEX), dtype)
        return self.value(arith.ConstantOp(IntegerAttr(integer, cast(IndexType | IntegerType, type_))))

    def index(self, number: Value | int) -> Value:
        """A scalar index."""
        return number if isinstance(number, Value) else self.constant(number, INDEX)

    def program_id(self, axis: int) -> Value:
        """This program's position along one axis of the grid."""
        return Value(self.programs.ids[axis])

    # Shapes.
    def arange(self, start: int, end: int) -> Value:
        if not -(2**63) <= start < end < 2**63:
            raise CompileError(f"indices have 64 bits, and those from {start} to {end} do not fit; use smaller blocks")
        return self.value(tile.ArangeOp(start, end))

    def expand_dims(self, x: Value, axis: int) -> Value:
        if not x.shape:
            return self.value(tile.SplatOp(x.ssa, (1,)))
        return self.value(tile.ExpandDimsOp(x.ssa, axis))

    def broadcast(self, x: Value, shape: Sequence[int]) -> Value:
        """`x` with that shape; dimensions are added in front."""
        shape = tuple(shape)
        if x.shape == shape:
            return x
        if broadcast_shape(x.shape, shape) != shape:
            raise CompileError(f"a tensor of shape {x.shape} does not broadcast to {shape}")
        if not x.shape:
            return self.value(tile.SplatOp(x.ssa, shape))
        while len(x.shape) < len(shape):
            x = self.expand_dims(x, 0)
        return x if x.shape == shape else self.value(tile.BroadcastOp(x.ssa, shape))

    def match(self, *values: Value) -> tuple[Value, ...]:
        """The values broadcast to their common shape."""
        shape: tuple[int, ...] = ()
        for value in values:
            shape = broadcast_shape(shape, value.shape)
        return tuple(self.broadcast(value, shape) for value in values)

    # Types.
    def cast(self, x: Value, dtype: DType) -> Value:
        """The machine's conversion: to the nearest value, ties to even. To bool: is it other than zero."""
        if x.is_pointer:
            raise CompileError(f"{describe(x)} can't be converted to {dtype}")
        if x.number is dtype:
            return x
        if dtype.is_bool():
            zero = self.broadcast(self.constant(0, x.number), x.shape)
            return self.value(tile.CompareOp("ne", x.ssa, zero.ssa))
        return self.value(tile.CastOp(x.ssa, dtype.type))

    def typed(self, x: Any, dtype: DType) -> Value:
        """A number or value as a value of that type."""
        if isinstance(x, Value):
            return self.cast(x, dtype)
        if isinstance(x, bool | int | float):
            return self.constant(x, dtype)
        raise Unexpected("a number or a tensor", x)

    def to_value(self, x: Any) -> Value:
        """A number as the scalar it is by itself: an index, a float32 or a bool."""
        if isinstance(x, Value):
            return x
        return self.typed(x, boolean if isinstance(x, bool) else INDEX if isinstance(x, int) else float32)


def broadcast_shape(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The common shape. Raises CompileError naming both."""
    rank = max(len(a), len(b))
    left, right = (1,) * (rank - len(a)) + tuple(a), (1,) * (rank - len(b)) + tuple(b)
    if any(m != n and 1 not in (m, n) for m, n in zip(left, right, strict=True)):
        raise CompileError(f"shapes {tuple(a)} and {tuple(b)} do not broadcast together")
    return tuple(n if m == 1 else m for m, n in zip(left, right, strict=True))


def float_attribute(number: float, type_: Any) -> FloatAttr[Any]:
    """A float constant; what is too large for the type is infinite."""
    try:
        return FloatAttr(float(number), type_)
    except OverflowError:
        return FloatAttr(float("inf") if number > 0 else float("-inf"), type_)


def whole(number: float, dtype: DType) -> int:
    """A number as an integer of that type, without its fraction. A negative one wraps around where the type is
    unsigned, as in C."""
    if isinstance(number, float) and not math.isfinite(number):
        raise CompileError(f"{number} can't be converted to {dtype}")
    bits, integer = dtype.bits, int(number)
    most = 2**bits - 1 if dtype.kind == "uint" else 2 ** (bits - 1) - 1
    if not -(2 ** (bits - 1)) <= integer <= most:
        shown = str(number) if bits > integer.bit_length() - 64 else "an integer of more than 128 bits"
        raise CompileError(f"{shown} is out of range for {dtype}")
    return integer & most if dtype.kind == "uint" else integer
