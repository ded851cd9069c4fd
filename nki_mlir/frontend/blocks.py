"""Block pointers and tensor descriptors: a block of an array by its offsets, loaded and stored as pointers and a mask.

They exist while compiling only. What the program computes of them are numbers: the base pointer, and integers such as
the offsets, which a loop that advances a block pointer carries one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.dtypes import INDEX, DType
from nki_mlir.frontend.values import BlockPointer, Described, Descriptor, Value, describe

MAX_RANK = 5
"""How many dimensions a block may have."""

Convert = Callable[[Value, DType], Value]
"""The conversion to the type that is stored."""


def advanced(b: Builder, pointer: BlockPointer, steps: Any) -> BlockPointer:
    """The block further on, by `steps` along each dimension."""
    by = integers(b, steps, "the offsets of tl.advance", len(pointer.offsets))
    moved = (operators.binary(b, "+", old, step) for old, step in zip(pointer.offsets, by, strict=True))
    return BlockPointer(pointer.array, tuple(moved))


def load(b: Builder, pointer: BlockPointer, boundary_check: Any, padding: Any) -> Value:
    """The block's elements; those outside of the array, in the dimensions of `boundary_check`, are zero or NaN."""
    other = padding_value(padding, pointer.array)
    pointers, mask = _access(b, pointer, boundary_check)
    return functions.load(b, pointers, mask, None if mask is None else other)


def store(b: Builder, pointer: BlockPointer, value: Any, boundary_check: Any, convert: Convert) -> None:
    """Stores the block's elements, but for those outside of the array in the dimensions of `boundary_check`."""
    pointers, mask = _access(b, pointer, boundary_check)
    functions.store(b, pointers, value, mask, convert)


def block_of(b: Builder, descriptor: Descriptor, offsets: Any) -> BlockPointer:
    """The block that begins at `offsets` of the array."""
    rank = len(descriptor.array.block_shape)
    return BlockPointer(descriptor.array, integers(b, offsets, "the offsets of a block", rank))


def load_from(b: Builder, descriptor: Descriptor, offsets: Any) -> Value:
    """A block; what is outside of the array is zero, or NaN."""
    block = block_of(b, descriptor, offsets)
    return load(b, block, range(len(block.offsets)), descriptor.padding)


def store_to(b: Builder, descriptor: Descriptor, offsets: Any, value: Any, convert: Convert) -> None:
    """Stores a block, but for what is outside of the array."""
    block, shape = block_of(b, descriptor, offsets), descriptor.array.block_shape
    if not isinstance(value, Value) or value.shape != shape:
        raise CompileError(f"a tensor descriptor stores blocks of shape {shape}, got {describe(value)}")
    store(b, block, value, range(len(shape)), convert)


def _access(b: Builder, pointer: BlockPointer, boundary_check: Any) -> tuple[Value, Value | None]:
    """Pointers to the block's elements, and which of them are in the array."""
    array, rank = pointer.array, len(pointer.offsets)
    checked = _dimensions(boundary_check, rank)
    place: Any = 0
    mask: Any = None
    for dim, start in enumerate(pointer.offsets):
        position = _positions(b, start, array.block_shape[dim], dim, rank)
        place = operators.binary(b, "+", place, operators.binary(b, "*", position, array.strides[dim]))
        if dim in checked:
            inside = _inside(b, position, array.shape[dim])
            mask = inside if mask is None else operators.binary(b, "&", mask, inside)
    place = b.broadcast(b.index(place), array.block_shape)
    return operators.binary(b, "+", array.base, place), mask


def _positions(b: Builder, start: Any, size: int, dim: int, rank: int) -> Value:
    """Positions in the array along one dimension of a block, as a tensor of the block's rank."""
    position = operators.binary(b, "+", start, b.arange(0, size))
    for axis in range(rank):
        if axis != dim:
            position = b.expand_dims(position, axis)
    return position


def _inside(b: Builder, position: Value, size: Any) -> Value:
    low, high = operators.binary(b, ">=", position, 0), operators.binary(b, "<", position, size)
    return operators.binary(b, "&", low, high)


# What kernels give.
def described(b: Builder, base: Any, shape: Any, strides: Any, block_shape: Any) -> Described:
    """An array as a kernel describes it. Raises CompileError for what is no description."""
    if not isinstance(base, Value) or not base.is_pointer or base.shape:
        raise CompileError(f"the base of a block is one pointer, to the array's first element, got {describe(base)}")
    block = functions.shape_argument(block_shape)
    if not 1 <= len(block) <= MAX_RANK:
        raise CompileError(f"a block has 1 to {MAX_RANK} dimensions, got {len(block)}")
    for size in block:
        if size & (size - 1):
            raise CompileError(f"the sizes of a block must be powers of two, got {size}")
    sizes, steps = integers(b, shape, "the shape", len(block)), integers(b, strides, "the strides", len(block))
    return Described(base, sizes, steps, block)


def integers(b: Builder, values: Any, what: str, rank: int) -> tuple[Any, ...]:
    """One integer for each dimension, which addresses memory: 64 bits wide, as in Triton."""
    items = tuple(values) if isinstance(values, tuple | list) else (values,)
    if len(items) != rank:
        raise CompileError(f"{what}: one for each of the {rank} dimensions of the block, and this has {len(items)}")
    return tuple(_integer(b, item, what) for item in items)


def _integer(b: Builder, item: Any, what: str) -> Any:
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    if not isinstance(item, Value) or item.shape or item.is_pointer or not item.number.is_int():
        raise CompileError(f"{what}: expected integers, got {describe(item)}")
    return b.cast(item, INDEX)


def _dimensions(boundary_check: Any, rank: int) -> tuple[int, ...]:
    """The dimensions that `boundary_check` names."""
    if boundary_check is None:
        return ()
    items = boundary_check if isinstance(boundary_check, tuple | list | range) else (boundary_check,)
    for dim in items:
        if not isinstance(dim, int) or isinstance(dim, bool) or not 0 <= dim < rank:
            raise CompileError(f"boundary_check names dimensions of the block, 0 to {rank - 1}, got {describe(dim)}")
    return tuple(items)


def check_order(order: Any, rank: int) -> None:
    """Which dimension lies closest in memory: a hint, which names each dimension once."""
    items = order if isinstance(order, tuple | list) else (order,)
    known = all(isinstance(item, int) and not isinstance(item, bool) for item in items)
    if not known or sorted(items) != list(range(rank)):
        raise CompileError(f"order names each of the block's {rank} dimensions once, got {order!r}")


_PADDINGS: dict[Any, float] = {None: 0, "": 0, "zero": 0, "nan": math.nan}


def padding_value(option: Any, array: Described) -> float:
    """What is outside of an array reads as."""
    value = _PADDINGS.get(option) if isinstance(option, str | None) else None
    if value is None:
        raise CompileError(f"padding_option is 'zero', 'nan' or '', got {describe(option)}")
    if math.isnan(value) and array.element.kind != "float":
        raise CompileError(f"padding_option='nan' needs an array of floats, and this is of {array.element}")
    return value
