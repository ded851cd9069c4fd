"""Rules for conversions: what reads numbers widens them, and what writes them narrows them."""

from __future__ import annotations

from dataclasses import replace

from xdsl.dialects.arith import AddiOp
from xdsl.ir import SSAValue

from nki_mlir.dialects.access import Access, contiguous
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, view_of
from nki_mlir.passes.combiner import (
    Combiner,
    access_of,
    inputs_stay,
    is_float,
    is_read_once,
    made_tile,
    maker,
    operands_of,
)
from nki_mlir.passes.emitter import Emitter


def narrow_operands(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """Numbers that were only widened are read as they were: all operands at once, or one of them."""
    if op.instruction.is_transfer or op.is_a("tensor_copy"):
        return None
    given = operands_of(op)
    reads = [o.name for o in op.instruction.operands if o.role != "dst"]
    narrow = {value: _widened(value) for value in dict.fromkeys(given[name] for name in reads)}
    found = {name: source for name in reads if (source := narrow[given[name]]) is not None}
    for names in (list(found), *([name] for name in found if len(found) > 1)):
        if not names:
            continue
        operands = {**given, **{name: found[name] for name in names}}
        made = c.build(op, op.instruction.name, operands, **op.fields())
        if made is not None:
            c.replace(op.tiles, made, [op])
            return made
    return None


def _widened(value: SSAValue | None) -> SSAValue | None:
    """What a copy took that gave the numbers of a view as they were, in a wider type; a view of it where this one reads
    them otherwise than the copy did."""
    copy = maker(value, "tensor_copy")
    if copy is None:
        return _widened_elsewhere(value)
    source, result = copy.operand_value("src"), copy.operand_value("dst")
    return source if _widens(source, result) or _is_exact(source, result) else None


def _widened_elsewhere(value: SSAValue | None) -> SSAValue | None:
    """A view of what a copy of a whole tile took, where that lay as what it gave. Numbers each of which is for a row
    stay wide, as which alone they are operands of what is done row by row."""
    view = view_of(value)
    if view is None or view.is_limited or not isinstance(copy := view.source.owner, EngineInstruction):
        return None
    if contiguous(view.access.dims)[-1][0] == 0:
        return None
    source, result = (view_of(copy.operand_value(name)) for name in ("src", "dst"))
    if not copy.is_a("tensor_copy") or source is None or result is None or not isinstance(result.source.owner, EmptyOp):
        return None
    one, other = source.access, result.access
    alike = one == replace(other, element_type=one.element_type, space=one.space)
    if result.offset is not None or source.is_limited or result.is_limited or not alike or not inputs_stay(copy):
        return None
    if not (_widens(source.result, result.result) or _is_exact(source.result, result.result)):
        return None
    emit, offset = Emitter.before(view), source.offset
    if view.offset is not None:
        offset = view.offset if offset is None else emit.value(AddiOp(offset, view.offset))
    access = replace(view.access, element_type=one.element_type, space=one.space)
    return emit.value(ViewOp(source.source, access, offset))


def _is_exact(narrow: SSAValue | None, wide: SSAValue | None) -> bool:
    """Whether two views are of like numbers, of which one is in fp32 and the other in integers that it holds all of,
    such as truth values."""
    a, b = access_of(narrow), access_of(wide)
    if a is None or b is None or dtype(b.element_type).name != "float32":
        return False
    return _is_alike(a, b) and not is_float(narrow) and dtype(a.element_type).bytes < 4


def _widens(narrow: SSAValue | None, wide: SSAValue | None) -> bool:
    """Whether two views are of like numbers, of which one is in fp32 and holds whatever the other does."""
    a, b = access_of(narrow), access_of(wide)
    if a is None or b is None or not is_float(narrow) or dtype(b.element_type).name != "float32":
        return False
    return _is_alike(a, b) and dtype(a.element_type).bytes < 4


def _is_alike(one: Access, other: Access) -> bool:
    """Whether they have as many elements, however these are cut into dimensions."""
    return one.free_elements == other.free_elements and one.partitions == other.partitions


def narrow_result(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """Numbers that are only narrowed are written so by what makes them."""
    inner = maker(op.operand_value("src"))
    if inner is None or not is_read_once(inner) or inner.instruction.is_transfer or inner.parent is not op.parent:
        return None
    if (
        not _widens(op.operand_value("dst"), op.operand_value("src"))
        or inner.instruction.operand("dst").shape != "full"
    ):
        return None
    dst = c.destination(op, "dst", inner)
    at = inner if dst is not None else op
    given = {**operands_of(inner), "dst": dst or op.operand_value("dst")}
    new = c.build(at, inner.instruction.name, given, on=inner.engine.data, **inner.fields())
    if new is not None:
        mine = made_tile(inner)
        c.replace([op.tiles[0] if tile is mine else tile for tile in inner.tiles], new, [op, inner])
    return new
