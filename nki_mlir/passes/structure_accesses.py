"""structure-accesses: pointer arithmetic becomes strided, bounded accesses."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.indices import Extent, IndexTensor, NotAffine, expr_of, extents, index_tensor, reshaped


@dataclass(frozen=True)
class StructureAccesses(ModulePass):
    """Turns every `tile.load` and `tile.store` into a `tile.read` or `tile.write`:

        %p = tile.add_ptr (splat of the base of %x), %pid * 1024 + arange
        %v = tile.load %p mask (%pid * 1024 + arange < 5000)
          =>
        %v = tile.read %x[%pid * 1024] strides [1] valid [min(max(5000 - %pid * 1024, 0), 1024)]

    An address that is no offset plus a stride for each dimension (a gather), or a mask that bounds no dimension from
    above, is rejected by name.
    """

    name = "structure-accesses"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, tile.LoadOp | tile.StoreOp):
                try:
                    _structure(inner)
                except NotAffine as reason:
                    raise CompileError.at(inner, f"this access is not supported: it has {reason}") from None


def _structure(op: tile.LoadOp | tile.StoreOp) -> None:
    memory, place = pointers(op.ptr)
    emit = Emitter.before(op)
    offset = emit.expr(place.offset)
    valid = _valid(op, emit)
    if isinstance(op, tile.LoadOp):
        undefined = op.undefined if valid else None
        new = emit.add(tile.ReadOp(memory, offset, place.strides, valid, _other(op), op.result.type, undefined))
        new.result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(new.result)
    else:
        emit.add(tile.WriteOp(op.value, memory, offset, place.strides, valid))
    op.detach()
    op.erase()


def _valid(op: tile.LoadOp | tile.StoreOp, emit: Emitter) -> list[SSAValue]:
    """A valid extent for each dimension; none where everything is in bounds."""
    if op.mask is None or not (found := extents(op.mask)):
        return []
    shape = tile.shape_of(op.mask)
    if not shape:
        raise NotAffine("a mask on a single element that may be false")
    return [_clamped([e for e in found if e.dim == d], size, emit) for d, size in enumerate(shape)]


def _clamped(limits: list[Extent], size: int, emit: Emitter) -> SSAValue:
    result = emit.index(size)
    for extent in limits:
        at_least_none = emit.value(arith.MaxSIOp(emit.expr(extent.limit), emit.index(0)))
        result = emit.value(arith.MinSIOp(at_least_none, result))
    return result


def _other(op: tile.LoadOp) -> Attribute | None:
    if op.other is None:
        return None
    owner = op.other.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, FloatAttr | IntegerAttr):
        return owner.value
    raise NotAffine("an 'other' that is not a constant")


def pointers(value: SSAValue) -> tuple[SSAValue, IndexTensor]:
    """The argument that pointers point into, and where: offset and strides in elements. Raises NotAffine."""
    rank, op = len(tile.shape_of(value)), value.owner
    match op:
        case tile.BaseOp():
            return op.source, IndexTensor(Expr(0), ())
        case tile.SplatOp():
            memory, place = pointers(op.value)
            return memory, IndexTensor(place.offset, (0,) * rank)
        case tile.ExpandDimsOp() | tile.BroadcastOp() | tile.TransOp():
            memory, place = pointers(op.source)
            return memory, IndexTensor(place.offset, reshaped(op, place.strides))
        case tile.AddPtrOp():
            memory, place = pointers(op.ptr)
            moved = index_tensor(op.offset) if rank else IndexTensor(expr_of(op.offset), ())
            return memory, place + moved
        case _:
            raise NotAffine("a pointer that does not come from an argument by adding offsets")
