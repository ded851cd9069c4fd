"""Integers of 64 bits in a kernel: indices, which the kernel asked to be so wide.

What addresses memory has MLIR's type `index`, whether the kernel's type is int32, as that of positions and program ids,
or int64. While the kernel is traced an index that is an int64 is marked: converted to i64 and back. So promotion gives
int64 beside it, as Triton's does, and what has 32 bits only refuses it. The marks go when the kernel is traced.
"""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import i32, i64
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import limits
from nki_mlir.analysis.induction import addends
from nki_mlir.analysis.number_ranges import Cycle, Range, carried_range, fits_32_bits, number_range, total_range, within
from nki_mlir.analysis.words import converted_integer, has_words, is_made_of
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.dtypes import INDEX, int32
from nki_mlir.frontend.values import Value


def is_int64(value: Value) -> bool:
    """Whether a kernel's value is an int64: loaded as one, or converted to it."""
    return not value.is_pointer and value.number is INDEX and has_words(value.ssa)


def as_int64(b: Builder, value: Value) -> Value:
    """An integer or index as an int64."""
    value = b.cast(value, INDEX)
    if has_words(value.ssa):
        return value
    return b.value(tile.CastOp(b.add(tile.CastOp(value.ssa, i64)).results[0], INDEX.type))


def in_32_bits(b: Builder, value: Value, function: str, terms: int | None = 1) -> Value:
    """Indices as the int32 that they stand for; an int64 if sums of so many fit, None if nothing is known to. Raises
    CompileError for others, which `function` does not take."""
    if value.number is not INDEX:
        return value
    if has_words(value.ssa) and (terms is None or not _sum_fits(number_range(value.ssa), terms)):
        raise CompileError(f"{function} of int64 data is not supported: no engine has it; convert it to int32 first")
    return b.cast(unmarked(value), int32)


def _sum_fits(one: Range, terms: int) -> bool:
    return within(total_range(one, terms), limits(i32))


def like(b: Builder, result: Value, given: Value) -> Value:
    """What was computed of an int64 in 32 bits is one."""
    return as_int64(b, result) if is_int64(given) else result


def unmarked(value: Value) -> Value:
    """What was marked to be an int64, as it was before."""
    return Value(_behind(value.ssa) or value.ssa)


def narrowed(b: Builder, value: Value) -> Value:
    """An index as an int32: as it is if it stands for one."""
    if not has_words(value.ssa):
        return value
    before = unmarked(value)
    fits = before.ssa is not value.ssa and not has_words(before.ssa) and fits_32_bits(before.ssa)
    return before if fits else b.cast(value, int32)


def _behind(value: SSAValue) -> SSAValue | None:
    """What a mark is about."""
    back = value.owner
    wide = back.source.owner if isinstance(back, tile.CastOp) else None
    if not isinstance(wide, tile.CastOp) or tile.element_of(wide.result) != i64:
        return None
    return wide.source if wide.source.type == value.type else None


def remove_marks(ops: Iterable[Operation]) -> None:
    for op in ops:
        if isinstance(op, tile.CastOp) and (source := _behind(op.result)) is not None:
            op.result.replace_all_uses_with(source)


def carried_fits(cycle: Cycle) -> bool:
    """Whether an int64 that a loop carries has 32 bits. One that moves by positions and counters alone is taken to: it
    addresses memory, and a loop that moves it by the same in each iteration does not carry it any more. What is made
    of loaded ones is not asked about here: the pass that makes such variables numbers of 32 bits rejects it."""
    found = carried_range(cycle)
    if found is not None and within(found, limits(i32)):
        return True
    if any(is_made_of(value, _is_loaded) for value in (cycle.start, cycle.end)):
        return True
    moves = addends(cycle.end, cycle.argument)
    made = [] if moves is None else [cycle.start, *(move.value for move in moves)]
    return bool(moves) and not any(is_made_of(value, _is_data) for value in made)


def _is_loaded(op: Operation) -> bool:
    marked = _behind(op.results[0])
    return converted_integer(op) == i64 if marked is None else is_made_of(marked, _is_loaded)


def _is_data(op: Operation) -> bool:
    """Whether it makes indices of integers; a mark alone does not."""
    marked = _behind(op.results[0])
    return converted_integer(op) is not None if marked is None else is_made_of(marked, _is_data)
