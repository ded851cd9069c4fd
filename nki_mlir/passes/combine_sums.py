"""Sums in PSUM that are read where they are: a copy of them is left out."""

from __future__ import annotations

from dataclasses import replace

from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.psum_use import PsumUse
from nki_mlir.analysis.tile_spans import users
from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.instructions import Function
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, view_of
from nki_mlir.passes.combiner import Combiner, is_read_once, keeps_bits, made_tile, maker, operands_of
from nki_mlir.passes.emitter import Emitter

_MOST_READERS = 2
"""Vector and Scalar engine take turns at PSUM: who reads it more often had better read a copy."""

_Read = tuple[EngineInstruction, ViewOp]


def read_sums(c: Combiner) -> None:
    """Makes the instructions that read copies of sums read the sums, where there is room for these to stay."""
    use = PsumUse(c.func, c.target)
    for op in list(c.func.walk()):
        if isinstance(op, EngineInstruction) and _is_copy(op):
            sums = view_of(op.operand_value("data"))
            assert sums is not None
            reads = _reads(op)
            if reads and len(list(users(sums.source))) == 1 and use.may_stay(sums.source, op, reads[-1][0]):
                _redirect(c, reads, sums.source)
        elif isinstance(op, EngineInstruction) and _may_read_psum(op):
            _read_part(c, op, use)


def _may_read_psum(op: EngineInstruction) -> bool:
    return op.engine.data in (Engine.VECTOR, Engine.SCALAR) and not op.instruction.is_transfer


def _read_part(c: Combiner, op: EngineInstruction, use: PsumUse) -> None:
    """Makes an instruction that alone reads the copy of a part of a sum read that."""
    for name, value in operands_of(op).items():
        copy = maker(value, "activation")
        if copy is None or copy.fields()["op"] is not Function.COPY:
            continue
        sums = view_of(copy.operand_value("data"))
        scaled = copy.operand_value("scale") or copy.operand_value("bias")
        if sums is None or scaled or sums.access.space is not Space.PSUM or copy.parent is not op.parent:
            continue
        if not keeps_bits(copy) or not is_read_once(copy) or not use.may_stay(sums.source, copy, op):
            continue
        made = c.build(op, op.instruction.name, {**operands_of(op), name: sums.result}, **op.fields())
        if made is not None:
            c.replace(op.tiles, made, [op, copy])
            return


def _is_copy(op: EngineInstruction) -> bool:
    """Whether it copies a tile of PSUM as it lies, to one that is made anew."""
    if not op.is_a("activation") or op.fields()["op"] is not Function.COPY or not keeps_bits(op):
        return False
    source, result = view_of(op.operand_value("data")), view_of(op.operand_value("dst"))
    if source is None or result is None or not isinstance(result.source.owner, EmptyOp):
        return False
    if op.operand_value("scale") or op.operand_value("bias") or source.indices or result.indices:
        return False
    return source.access == replace(result.access, space=Space.PSUM)


def _reads(copy: EngineInstruction) -> list[_Read]:
    """Who reads it, in order; none where something else than a few instructions beside it does."""
    found = list[_Read]()
    for user, view in users(made_tile(copy)):
        if view is None or not isinstance(user, EngineInstruction) or user.parent is not copy.parent:
            return []
        if user.instruction.is_transfer or view.is_limited:
            return []
        if view.result in (written.result for written in user.written()):
            return []
        found.append((user, view))
    readers = {user for user, _ in found}
    if len(readers) > _MOST_READERS:
        return []
    order, op = list[Operation](), copy.next_op
    while len(order) < len(readers):
        assert op is not None, "readers stand behind what they read"
        if op in readers:
            order.append(op)
        op = op.next_op
    return [read for reader in order for read in found if read[0] is reader]


def _redirect(c: Combiner, reads: list[_Read], sums: SSAValue) -> None:
    """All of them, or none, where one of them can't read PSUM."""
    made = list[tuple[EngineInstruction, EngineInstruction]]()
    for user in dict.fromkeys(user for user, _ in reads):
        emit = Emitter.before(user)
        moved: dict[SSAValue, SSAValue] = {
            view.result: emit.value(ViewOp(sums, replace(view.access, space=Space.PSUM), view.offset))
            for one, view in reads
            if one is user
        }
        operands = {name: moved.get(v, v) if v is not None else None for name, v in operands_of(user).items()}
        new = c.build(user, user.instruction.name, operands, **user.fields())
        if new is None:
            for _, other in made:
                other.detach()
                other.erase()
            return
        made.append((user, new))
    for user, new in made:
        c.replace(user.tiles, new, [user])
