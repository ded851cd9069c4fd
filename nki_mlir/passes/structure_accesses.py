"""structure-accesses: pointer arithmetic becomes accesses of memory by coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.indices import Chosen, IndexTensor, NotAffine, place_of
from nki_mlir.analysis.masks import conjuncts, depends_on, guards
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position, strided
from nki_mlir.dialects.expr import Expr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.repeated_loads import repeated
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class StructureAccesses(LevelPass):
    """Turns every `tile.load` and `tile.store` into a `tile.read` or `tile.write`:

        %p = tile.add_ptr (splat of the base of %x), %pid * 1024 + arange
        %v = tile.load %p mask (%pid * 1024 + arange < 5000)
          =>
        %v = tile.read %x(%pid) [1024 * s0 + d0 in * to 5000 by 1]

    Masks become bounds where they are comparisons of indices, and stay masks otherwise. What an address has that is no
    sum of multiples, such as loaded numbers, becomes an index tile: a gather or a scatter. What is the same all along a
    dimension, or along equal parts of it, or comes again and again, is loaded once and repeated; what is computed of
    scalars alone is computed once. An `other` that is no constant becomes a choice. Truth values are read and written
    as bytes.
    """

    name = "structure-accesses"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        structure_all(op)


def structure_all(root: Operation) -> None:
    """Structures the accesses inside an operation. Raises CompileError for one that is not supported."""
    for inner in operations(root):
        if isinstance(inner, tile.LoadOp | tile.StoreOp):
            _structure(inner)
        elif type(inner) in ELEMENTWISE:
            _compute_once(inner)


def _compute_once(op: Operation) -> None:
    """What is computed of scalars alone, in place of the same in each element."""
    (result,) = op.results
    if not tile.shape_of(result) or not any(isinstance(operand.owner, tile.SplatOp) for operand in op.operands):
        return
    scalars = [_scalar(operand) for operand in op.operands]
    known = [scalar for scalar in scalars if scalar is not None]
    if len(known) < len(scalars) or all(constant_of(scalar) is not None for scalar in known):
        return
    emit = Emitter.before(op)
    made = type(op).create(operands=known, result_types=[tile.element_of(result)], properties=op.properties)
    once = emit.value(made)
    once.name_hint = result.name_hint
    result.replace_all_uses_with(emit.value(tile.SplatOp(once, tile.shape_of(result))))
    op.detach()
    op.erase()


def _scalar(value: SSAValue) -> SSAValue | None:
    """The scalar that is in every element, or that a value is."""
    if not tile.shape_of(value):
        return value
    return value.owner.value if isinstance(value.owner, tile.SplatOp) else None


def _structure(op: tile.LoadOp | tile.StoreOp) -> None:
    try:
        memory, place = pointers(op.ptr)
        bounds, mask = _bounds(op.mask, Emitter.before(op))
    except NotAffine as reason:
        raise CompileError.at(op, f"this access is not supported: it has {reason}") from None
    emit, part = Emitter.before(op), None
    if isinstance(op, tile.LoadOp) and mask is None and not _chooses(op):
        part = repeated(place, bounds)
        place = place if part is None else part[1]
    coordinates = _coordinates(place, bounds)
    indices = [values for values, _, _ in place.chosen]
    build = TileBuilder(emit)
    if isinstance(op, tile.LoadOp):
        shape = tile.shape_of(op.result)
        few = shape if part is None else part[0].few(shape)
        result = _load(op, memory, coordinates, indices, mask, few, emit)
        result = result if part is None else part[0].spread(result, shape, build)
        result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(result)
    else:
        value = build.cast(op.value, tile.element_of(memory))
        emit.add(tile.WriteOp(value, memory, coordinates, indices, mask, op.atomic))
    op.detach()
    op.erase()


def _load(
    op: tile.LoadOp,
    memory: SSAValue,
    coordinates: Coordinates,
    indices: list[SSAValue],
    mask: SSAValue | None,
    shape: Sequence[int],
    emit: Emitter,
) -> SSAValue:
    """What is loaded, in a shape that it may be repeated from."""
    other, element = None, tile.element_of(memory)
    if op.other is not None and (number := constant_of(op.other)) is not None:
        other = number if number.type == element else IntegerAttr(int(value_of(number) != 0), tile.BYTE)
    undefined = op.undefined if mask is not None or coordinates.bounded else None
    type_, build = tile.with_shape(element, shape), TileBuilder(emit)
    over = _moved_along(coordinates, mask, shape)
    few = tile.with_shape(element, [shape[dim] for dim in over])
    if few != type_:
        coordinates = _renumbered(coordinates, over)
        mask = None if mask is None else build.narrowed(mask, over)
    result = emit.value(tile.ReadOp(memory, coordinates, few, indices, mask, other, undefined))
    result = build.spread(result, over, range(len(shape)), shape)
    if element != tile.element_of(op.result):
        zero = emit.value(tile.CastOp(build.number(0, IndexType(), shape), element))
        result = emit.value(tile.CompareOp("ne", result, zero))
    if not _chooses(op):
        return result
    assert op.other is not None and op.mask is not None
    scalar = shape and not tile.shape_of(op.other)
    instead = emit.value(tile.SplatOp(op.other, shape)) if scalar else op.other
    return emit.value(tile.SelectOp(op.mask, result, instead))


def _chooses(op: tile.LoadOp) -> bool:
    """Whether something else than a constant is there where the mask does not hold."""
    return op.mask is not None and op.other is not None and constant_of(op.other) is None


def _moved_along(coordinates: Coordinates, mask: SSAValue | None, shape: Sequence[int]) -> list[int]:
    """The dimensions along which what is loaded may change, and those of one element."""
    moved = {dim for dim, size in enumerate(shape) if size == 1} | (depends_on(mask) if mask is not None else set())
    for part in coordinates:
        moved.update(part.dims)
        moved.update(dim for key in part.elements for dim in key.dims if dim is not None)
    return sorted(moved)


def _renumbered(coordinates: Coordinates, over: Sequence[int]) -> Coordinates:
    """The coordinates of a tile that has only these dimensions."""
    number = {dim: new for new, dim in enumerate(over)}
    names: dict[object, Expr] = {Position(dim): Expr.counter(Position(new)) for dim, new in number.items()}
    for key in (key for part in coordinates for key in part.elements):
        dims = tuple(None if dim is None else number[dim] for dim in key.dims)
        names[key] = Expr.counter(Element(key.number, dims))
    return coordinates.substitute(names)


def _bounds(mask: SSAValue | None, emit: Emitter) -> tuple[list[Coordinate], SSAValue | None]:
    """A mask as bounds, and what of it is none."""
    bounds: list[Coordinate] = []
    rest: SSAValue | None = None
    for part in conjuncts(mask):
        try:
            bounds += guards(part)
        except NotAffine:
            rest = part if rest is None else emit.value(arith.AndIOp(rest, part))
    return bounds, rest


def _coordinates(place: IndexTensor, bounds: list[Coordinate]) -> Coordinates:
    """An address, its bounds on those of its coordinates that they are bounds on; the others stand alone."""
    offset, strides = place.offset, list(place.strides)
    parts: list[Coordinate] = []
    for bound in bounds:
        step = _step(bound, strides)
        if step:
            offset = offset - bound.rest * step
            for dim in bound.dims:
                strides[dim] = 0
        parts.append(Coordinate(bound.position, step, bound.low, bound.high))
    chosen = [_chosen(number, one) for number, one in enumerate(place.chosen)]
    if offset != Expr(0) or any(strides) or not (chosen or any(part.stride for part in parts)):
        parts += strided(strides, offset)
    parts += chosen
    return Coordinates(tuple(sorted(parts, key=lambda part: -abs(part.stride))))


def _chosen(number: int, one: Chosen) -> Coordinate:
    return Coordinate(Expr.counter(Element(number, one.dims)), one.factor)


def _step(bound: Coordinate, strides: list[int]) -> int:
    """How many elements of memory a bounded coordinate counts; 0 where the address does not move with it."""
    steps = {strides[dim] // bound.coefficient(dim) for dim in bound.dims}
    step = steps.pop() if len(steps) == 1 else 0
    return step if all(strides[dim] == step * bound.coefficient(dim) for dim in bound.dims) else 0


def pointers(value: SSAValue) -> tuple[SSAValue, IndexTensor]:
    """The argument that pointers point into, and where, in elements. Raises NotAffine."""
    rank, op = len(tile.shape_of(value)), value.owner
    match op:
        case tile.BaseOp():
            return op.source, IndexTensor(Expr(0), ())
        case tile.SplatOp():
            memory, place = pointers(op.value)
            return memory, IndexTensor(place.offset, (0,) * rank, place.chosen)
        case tile.ShapeOp():
            memory, place = pointers(op.source)
            return memory, place.reshaped(op)
        case tile.AddPtrOp():
            memory, place = pointers(op.ptr)
            return memory, place + place_of(op.offset)
        case _:
            raise NotAffine(_origin(op))


def _origin(owner: Operation | Block) -> str:
    """What a pointer is that no `pointers` can be read off."""
    match owner:
        case tile.SelectOp() | scf.IfOp():
            return "a pointer that is chosen by a condition; load from both and choose between the values"
        case Block() | scf.ForOp() | scf.WhileOp():
            return "a pointer that a loop changes otherwise than by one fixed step in each of its own iterations"
        case _:
            return f"a pointer made by {owner.name}, not by adding offsets to an argument"
