"""Triton's loads, stores and atomic operations: by pointers, by block pointers, by tensor descriptors."""

from __future__ import annotations

from functools import partial
from typing import Any

from nki_mlir.dialects.tile import Update
from nki_mlir.errors import CompileError
from nki_mlir.frontend import blocks, functions
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin, functions_of
from nki_mlir.frontend.values import BlockPointer, Descriptor, Value, describe
from nki_mlir.language.elementwise import builtin


def _pointer(x: Any, function: str) -> Value:
    if not isinstance(x, Value) or not x.is_pointer:
        raise CompileError(f"{function} needs a pointer: an array argument, plus offsets; got {describe(x)}")
    return x


@builtin(memory=True, member=True, pointer_member=True)
def load(
    b: Builder,
    pointer: Any,
    mask: Any = None,
    other: Any = None,
    boundary_check: Any = (),
    padding_option: Any = "",
    cache_modifier: Any = "",
    eviction_policy: Any = "",
    volatile: Any = False,
) -> Value:
    """The elements that the pointers name; where the mask is false, `other`, or zero without one. Of a block pointer,
    the block: outside of the array, in the dimensions of `boundary_check`, it is zero, or NaN. What is said of caches
    has no effect."""
    if isinstance(pointer, BlockPointer):
        if mask is not None or other is not None:
            raise CompileError("tl.load: a block pointer takes boundary_check and padding_option, not mask and other")
        return blocks.load(b, pointer, boundary_check, padding_option)
    ptr = _pointer(pointer, "tl.load")
    if _is_given(boundary_check) or _is_given(padding_option):
        raise CompileError("tl.load: boundary_check and padding_option belong to block pointers; use mask and other")
    if mask is None and other is not None:
        raise CompileError("tl.load has 'other' but no 'mask'")
    return functions.load(b, ptr, mask, other)


@builtin(memory=True, member=True, pointer_member=True)
def store(
    b: Builder,
    pointer: Any,
    value: Any,
    mask: Any = None,
    boundary_check: Any = (),
    cache_modifier: Any = "",
    eviction_policy: Any = "",
) -> None:
    """Stores elements where the mask is true, converted to the type pointed to. Of a block pointer, the block, but for
    what is outside of the array in the dimensions of `boundary_check`."""
    convert = partial(functions.cast_as_c, b)
    if isinstance(pointer, BlockPointer):
        if mask is not None:
            raise CompileError("tl.store: a block pointer takes boundary_check, not mask")
        blocks.store(b, pointer, value, boundary_check, convert)
        return
    ptr = _pointer(pointer, "tl.store")
    if _is_given(boundary_check):
        raise CompileError("tl.store: boundary_check belongs to block pointers; use mask")
    functions.store(b, ptr, value, mask, convert)


def _is_given(option: Any) -> bool:
    return not (option is None or (isinstance(option, str | tuple | list) and not option))


# Atomic operations.
def _atomic(name: str, kind: Update, doc: str, member: bool = True) -> Builtin:
    """An atomic operation on a value; `sem` and `scope` mean nothing where programs run one after another."""

    def one(b: Builder, pointer: Any, val: Any, mask: Any = None, sem: Any = None, scope: Any = None) -> Value:
        return functions.atomic(b, kind, _pointer(pointer, f"tl.{name}"), val, mask)

    one.__doc__ = doc
    return builtin(name, memory=True, member=member)(one)


atomic_add = _atomic("atomic_add", Update.ADD, "Adds to what the pointers name, and gives what was there before.")
atomic_max = _atomic("atomic_max", Update.MAX, "The greater of what the pointers name and the value stays there.")
atomic_min = _atomic("atomic_min", Update.MIN, "The smaller of what the pointers name and the value stays there.")
atomic_and = _atomic(
    "atomic_and", Update.AND, "The bits that what the pointers name and the value both have stay.", False
)
atomic_or = _atomic("atomic_or", Update.OR, "The bits that what the pointers name or the value has stay there.", False)
atomic_xor = _atomic(
    "atomic_xor", Update.XOR, "The bits that one of what the pointers name and the value has stay.", False
)
atomic_xchg = _atomic("atomic_xchg", Update.EXCHANGE, "Stores a value, and gives what was there before.")


@builtin(memory=True, member=True)
def atomic_cas(b: Builder, pointer: Any, cmp: Any, val: Any, sem: Any = None, scope: Any = None) -> Value:
    """Stores a value where the pointers name what is expected, and gives what was there before."""
    return functions.atomic(b, Update.COMPARE_EXCHANGE, _pointer(pointer, "tl.atomic_cas"), val, None, cmp)


# Block pointers.
@builtin()
def make_block_ptr(
    b: Builder, base: Any, shape: Any, strides: Any, offsets: Any, block_shape: Any, order: Any
) -> BlockPointer:
    """A pointer to the block that begins at `offsets` of an array in memory. The order is a hint, and has no effect."""
    array = blocks.described(b, base, shape, strides, block_shape)
    rank = len(array.block_shape)
    blocks.check_order(order, rank)
    return BlockPointer(array, blocks.integers(b, offsets, "the offsets", rank))


@builtin(pointer_member=True)
def advance(b: Builder, base: Any, offsets: Any) -> BlockPointer:
    """The block pointer moved by so many elements along each dimension; assign it, it changes nothing in place."""
    if not isinstance(base, BlockPointer):
        raise CompileError(f"tl.advance moves a block pointer, made by tl.make_block_ptr; got {describe(base)}")
    return blocks.advanced(b, base, offsets)


# Tensor descriptors.
@builtin()
def make_tensor_descriptor(
    b: Builder, base: Any, shape: Any, strides: Any, block_shape: Any, padding_option: Any = "zero"
) -> Descriptor:
    """An array in memory of which blocks are loaded and stored. What is outside of it reads as zero, or NaN, and is not
    written."""
    array = blocks.described(b, base, shape, strides, block_shape)
    blocks.padding_value(padding_option, array)
    return Descriptor(array, padding_option)


def _descriptor(x: Any, function: str) -> Descriptor:
    if not isinstance(x, Descriptor):
        raise CompileError(
            f"{function} needs a tensor descriptor, made by tl.make_tensor_descriptor; got {describe(x)}"
        )
    return x


@builtin(memory=True, descriptor_member="load")
def load_tensor_descriptor(b: Builder, desc: Any, offsets: Any) -> Value:
    """The block that begins at `offsets`."""
    return blocks.load_from(b, _descriptor(desc, "tl.load_tensor_descriptor"), offsets)


@builtin(memory=True, descriptor_member="store")
def store_tensor_descriptor(b: Builder, desc: Any, offsets: Any, value: Any) -> None:
    """Stores a block that begins at `offsets`."""
    array = _descriptor(desc, "tl.store_tensor_descriptor")
    blocks.store_to(b, array, offsets, value, partial(functions.cast_as_c, b))


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
