"""NKI's arrays in HBM: what an index selects, as the pointers that both languages load and store through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import MemRefType

from nki_mlir.analysis.indices import NotAffine, expr_of, index_tensor, is_loop_counter, is_program_id
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Counter, Expr
from nki_mlir.dialects.neuron_isa_structure import MOST_BYTES
from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.values import HbmArray, Span, Value, View, describe

PARTITIONS = 128
"""The largest first dimension of a tile."""


def new_array(b: Builder, shape: Any, dtype: Any, filled: bool = False) -> HbmArray:
    """An array in HBM that the kernel makes: a further argument, filled with zeros when the kernel is launched, which
    counts as its content only where that was asked for."""
    if b.loops:
        raise CompileError("an array in HBM is made outside of loops")
    sizes, element = functions.shape_argument(shape), functions.dtype_of(dtype)
    if _count(sizes) * element.bits > 8 * MOST_BYTES:
        raise CompileError(f"an array of shape {sizes} is too large: an array has at most {MOST_BYTES} bytes")
    memory = b.entry.insert_arg(MemRefType(element.stored, sizes), len(b.entry.args))
    array = HbmArray(memory.index, memory, sizes, element, filled)
    b.outputs.append(array)
    return array


def reshaped(array: HbmArray, shape: tuple[Any, ...]) -> HbmArray:
    """The same elements, in the same order, as another shape."""
    sizes = functions.shape_argument(shape[0] if len(shape) == 1 else shape)
    if _count(sizes) != _count(array.shape):
        raise CompileError(
            f"an array of shape {array.shape} can't be reshaped to {sizes}: it has {_count(array.shape)} elements"
        )
    return HbmArray(array.argument, array.memory, sizes, array.dtype, array.filled)


RESHAPE = Builtin(lambda b, array, *shape: reshaped(array, shape), "reshape")
"""The method of arrays."""


def _count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def pointers(b: Builder, target: Any, masked: bool, function: str) -> Value:
    """The pointers that `array[index]`, or a whole array, stands for. Checks the index against the array's shape."""
    view = View(target, (Ellipsis,)) if isinstance(target, HbmArray) else target
    if not isinstance(view, View):
        raise CompileError(f"{function} takes an array in HBM or a part of one, array[...]; got {describe(target)}")
    array = view.array
    indices = _indices(b, array, _complete(view))
    offset: Any = 0
    stride = _count(array.shape)
    for dim, (size, index) in enumerate(zip(array.shape, indices, strict=True)):
        _check_range(dim, size, index, masked)
        stride //= size
        offset = operators.binary(b, "+", offset, operators.binary(b, "*", index, stride))
    base = b.value(tile.BaseOp(array.memory, array.dtype.pointee))
    result = operators.binary(b, "+", base, b.index(offset))
    _check_tile(result, function)
    return result


def _complete(view: View) -> tuple[Any, ...]:
    """One index for each dimension of the array."""
    rank, items = len(view.array.shape), view.index
    if any(item is None for item in items):
        raise CompileError("None in the index of an array is not supported; reshape the array")
    if not any(item is Ellipsis for item in items):
        items = (*items, Ellipsis)
    at = next(i for i, item in enumerate(items) if item is Ellipsis)
    missing = rank - len(items) + 1
    if missing < 0:
        raise CompileError(f"{len(view.index)} indices for an array of {rank} dimensions")
    return (*items[:at], *[slice(None)] * missing, *items[at + 1 :])


def _indices(b: Builder, array: HbmArray, items: tuple[Any, ...]) -> list[Any]:
    """The items as integers and index tensors that broadcast together."""
    spans = [
        _span(item, size) if isinstance(item, slice) else item for item, size in zip(items, array.shape, strict=True)
    ]
    tiles = any(isinstance(item, Value) and item.shape for item in spans)
    kept = [dim for dim, item in enumerate(spans) if isinstance(item, Span)]
    if tiles and kept:
        raise CompileError("index tiles and slices can't be mixed in one index; use nl.arange in every dimension")
    return [
        _spread(b, item, kept.index(dim), len(kept)) if isinstance(item, Span) else _single(item, array.shape[dim])
        for dim, item in enumerate(spans)
    ]


def _single(item: Any, size: int) -> Any:
    if not operators.is_index(item):
        raise CompileError(f"an array is indexed with integers, slices and index tiles, got {describe(item)}")
    return item + size if isinstance(item, int) and -size <= item < 0 else item


def _spread(b: Builder, span: Span, position: int, rank: int) -> Value:
    """The positions of a span along one of the result's dimensions."""
    index = b.arange(0, span.size)
    for axis in range(rank):
        if axis != position:
            index = b.expand_dims(index, axis)
    index = operators.binary(b, "*", index, span.step)
    return operators.binary(b, "+", span.start, index)


def _span(item: slice, size: int) -> Span:
    """A slice whose length is known, wherever it starts."""
    start = 0 if item.start is None else _from_end(item.start, size)
    stop = size if item.stop is None else _from_end(item.stop, size)
    step = 1 if item.step is None else item.step
    if not isinstance(step, int) or step < 1:
        raise CompileError(
            f"the step of a slice must be a positive integer known at compile time, got {describe(step)}"
        )
    low, high = _expr(start), _expr(stop)
    length = high - low
    if not length.is_const:
        raise CompileError("the length of a slice must be known at compile time; use nl.ds(start, size)")
    if length.const < 1:
        raise CompileError("this slice is empty")
    return Span(start, -(-length.const // step), step)


def _from_end(bound: Any, size: int) -> Any:
    if not operators.is_index(bound) or (isinstance(bound, Value) and bound.shape):
        raise CompileError(f"the bounds of a slice are integers, got {describe(bound)}")
    return bound + size if isinstance(bound, int) and bound < 0 else bound


def _expr(bound: Value | int) -> Expr:
    return expr_of(bound.ssa) if isinstance(bound, Value) else Expr(bound)


def _reached(index: Value | int) -> tuple[int, int] | None:
    """The smallest and the largest index, both reached: of what is affine in positions, loop counters and program ids.
    None where that isn't known."""
    if isinstance(index, int):
        return index, index
    try:
        place = index_tensor(index.ssa)
    except NotAffine:
        return None
    keys = [term.key if isinstance(term, Counter) else None for term, _ in place.offset.terms]
    return place.range(index.shape) if all(is_loop_counter(key) or is_program_id(key) for key in keys) else None


def _check_range(dim: int, size: int, index: Any, masked: bool) -> None:
    """An index that is known to leave the array, and that no mask restrains, is an error."""
    reached = None if masked else _reached(index)
    if reached is not None and (reached[0] < 0 or reached[1] >= size):
        low, high = reached
        what = f"is {low}" if low == high else f"reaches {low}..{high}"
        raise CompileError(
            f"the index of dimension {dim} {what}, but the array has {size} elements there (0..{size - 1}); "
            "restrain it with mask="
        )


def _check_tile(pointer: Value, function: str) -> None:
    shape = pointer.shape
    if len(shape) < 2:
        raise CompileError(
            f"{function}: a tile has at least two dimensions, and this index gives {len(shape)}; "
            "keep dimensions with slices, array[i:i+1, 0:n], or index tiles, nl.arange(n)[None, :]"
        )
    if shape[0] > PARTITIONS:
        raise CompileError(
            f"{function}: the first dimension of a tile lies on the partitions, of which there are {PARTITIONS}; "
            f"it is {shape[0]} here (tile shape {shape})"
        )
