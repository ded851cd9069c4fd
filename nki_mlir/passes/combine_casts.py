"""Rules for conversions: what reads numbers widens them, and what writes them narrows them."""

from __future__ import annotations

from xdsl.ir import SSAValue

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_engine import EngineInstruction, ViewOp, view_of
from nki_mlir.passes.combiner import Combiner, is_float, is_read_once, made_tile, maker, operands_of


def narrow_operands(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """Numbers that were only widened are read as they were: all operands at once, or one of them."""
    if op.instruction.is_transfer or op.instruction.name == "tensor_copy":
        return None
    given = operands_of(op)
    reads = [o.name for o in op.instruction.operands if o.role != "dst"]
    found = {name: source for name in reads if (source := _widened(given[name])) is not None}
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
    """What a copy took that gave the numbers of a view as they were, in a wider type."""
    copy = maker(value)
    if copy is None or copy.instruction.name != "tensor_copy":
        return None
    source, result = (view_of(copy.operand_value(name)) for name in ("src", "dst"))
    if source is None or result is None or not is_float(source.result) or not is_float(result.result):
        return None
    return source.result if _wider(source, result) and _alike(source, result) else None


def _wider(source: ViewOp, result: ViewOp) -> bool:
    have, want = (dtype(view.access.element_type) for view in (source, result))
    return want.name == "float32" and have.bytes < 4


def _alike(a: ViewOp, b: ViewOp) -> bool:
    """Whether two patterns have the same sizes."""
    return [n for _, n in a.access.dims] == [n for _, n in b.access.dims] and a.access.start == b.access.start


def narrow_result(c: Combiner, op: EngineInstruction) -> EngineInstruction | None:
    """Numbers that are only narrowed are written so by what makes them."""
    inner = maker(op.operand_value("src"))
    if inner is None or not is_read_once(inner) or inner.instruction.is_transfer or inner.parent is not op.parent:
        return None
    made, source = view_of(op.operand_value("dst")), view_of(op.operand_value("src"))
    if made is None or source is None or not is_float(made.result) or not is_float(source.result):
        return None
    if not _wider(made, source) or not _alike(made, source) or inner.instruction.operand("dst").shape != "full":
        return None
    if (dst := c.destination(op, "dst", inner)) is None:
        return None
    new = c.build(inner, inner.instruction.name, {**operands_of(inner), "dst": dst}, **inner.fields())
    if new is not None:
        mine = made_tile(inner)
        c.replace([op.tiles[0] if tile is mine else tile for tile in inner.tiles], new, [op, inner])
    return new
