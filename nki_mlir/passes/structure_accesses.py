"""structure-accesses: pointer arithmetic becomes strided, bounded accesses."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.indices import DataDependent, IndexTensor, NotAffine, index_tensor, reshaped
from nki_mlir.analysis.masks import Extent, extents
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE


@dataclass(frozen=True)
class StructureAccesses(LevelPass):
    """Turns every `tile.load` and `tile.store` into a `tile.read` or `tile.write`:

        %p = tile.add_ptr (splat of the base of %x), %pid * 1024 + arange
        %v = tile.load %p mask (%pid * 1024 + arange < 5000)
          =>
        %v = tile.read %x[%pid * 1024] strides [1] valid [min(max(5000 - %pid * 1024, 0), 1024)]

    A single element under a mask becomes a block of one; an `other` that is no constant a choice. An address that is no
    offset plus a stride for each dimension (a gather), or a mask that bounds no dimension from above, is rejected by
    name.
    """

    name = "structure-accesses"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, tile.LoadOp | tile.StoreOp):
                _structure(inner)


def _structure(op: tile.LoadOp | tile.StoreOp) -> None:
    try:
        emit = Emitter.before(op)
        access = _Access(*_address(op), _valid(op, emit))
    except NotAffine as reason:
        raise CompileError.at(op, f"this access is not supported: it has {reason}") from None
    if isinstance(op, tile.LoadOp):
        result = _load(op, access, emit)
        result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(result)
    else:
        _store(op, access, emit)
    op.detach()
    op.erase()


@dataclass(frozen=True)
class _Access:
    memory: SSAValue
    place: IndexTensor
    valid: list[SSAValue]

    @property
    def is_block_of_one(self) -> bool:
        """Whether it is a single element that may be masked off: extents belong to dimensions."""
        return bool(self.valid) and not self.place.strides


def _address(op: tile.LoadOp | tile.StoreOp) -> tuple[SSAValue, IndexTensor]:
    try:
        return pointers(op.ptr)
    except DataDependent:
        text = "an address that depends on loaded data (gather/scatter) is not supported yet"
        raise CompileError.at(op, text) from None


def _valid(op: tile.LoadOp | tile.StoreOp, emit: Emitter) -> list[SSAValue]:
    """A valid extent for each dimension; none where everything is in bounds."""
    try:
        found = [] if op.mask is None else extents(op.mask)
    except DataDependent:
        text = (
            "a mask that depends on loaded data is not supported yet; load and store whole blocks, and choose by where"
        )
        raise CompileError.at(op, text) from None
    shape = tile.shape_of(op.ptr) or (1,)
    return [_clamped([e for e in found if e.dim == d], size, emit) for d, size in enumerate(shape)] if found else []


def _load(op: tile.LoadOp, access: _Access, emit: Emitter) -> SSAValue:
    element, shape = tile.element_of(op.result), tile.shape_of(op.result)
    other = None if op.other is None else constant_of(op.other)
    strides = (1,) if access.is_block_of_one else access.place.strides
    type_ = tile.with_shape(element, (1,) if access.is_block_of_one else shape)
    offset = emit.expr(access.place.offset)
    undefined = op.undefined if access.valid else None
    result = emit.value(tile.ReadOp(access.memory, offset, strides, access.valid, other, type_, undefined))
    if access.is_block_of_one:
        result = emit.value(tile.ReduceOp("max", result, 0))
    if op.other is None or other is not None or op.mask is None:
        return result
    instead = emit.value(tile.SplatOp(op.other, shape)) if shape else op.other
    return emit.value(tile.SelectOp(op.mask, result, instead))


def _store(op: tile.StoreOp, access: _Access, emit: Emitter) -> None:
    value, strides = op.value, access.place.strides
    if access.is_block_of_one:
        value, strides = emit.value(tile.SplatOp(value, (1,))), (1,)
    emit.add(tile.WriteOp(value, access.memory, emit.expr(access.place.offset), strides, access.valid))


def _clamped(limits: list[Extent], size: int, emit: Emitter) -> SSAValue:
    result = emit.index(size)
    for extent in limits:
        at_least_none = emit.value(arith.MaxSIOp(emit.expr(extent.limit), emit.index(0)))
        result = emit.value(arith.MinSIOp(at_least_none, result))
    return result


def pointers(value: SSAValue) -> tuple[SSAValue, IndexTensor]:
    """The argument that pointers point into, and where: offset and strides in elements. Raises NotAffine."""
    rank, op = len(tile.shape_of(value)), value.owner
    match op:
        case tile.BaseOp():
            return op.source, IndexTensor(Expr(0), ())
        case tile.SplatOp():
            memory, place = pointers(op.value)
            return memory, IndexTensor(place.offset, (0,) * rank)
        case tile.ShapeOp():
            memory, place = pointers(op.source)
            return memory, IndexTensor(place.offset, reshaped(op, place.strides))
        case tile.AddPtrOp():
            memory, place = pointers(op.ptr)
            moved = index_tensor(op.offset)
            return memory, place + moved
        case _:
            raise NotAffine(_origin(op))


def _origin(owner: Operation | Block) -> str:
    """What a pointer is that no `pointers` can be read off."""
    match owner:
        case tile.SelectOp():
            return "a pointer that is chosen by a condition; load from both and choose between the values"
        case Block() | scf.ForOp():
            return "a pointer that a loop changes otherwise than by one fixed step in each of its own iterations"
        case _:
            return f"a pointer made by {owner.name}, not by adding offsets to an argument"
