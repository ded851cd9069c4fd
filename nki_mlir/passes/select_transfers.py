"""Transfers between HBM and SBUF: the valid part of a tile is moved, the rest of a loaded one filled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from xdsl.dialects.arith import AddiOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import check_affine, named_dims, resolved, why_no_rows
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import LayoutError, Spot
from nki_mlir.dialects.neuron_engine import ATOMIC, ViewOp
from nki_mlir.dialects.tile import element_of
from nki_mlir.dialects.walks import Digit, Walk, transfers, walks
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.limited_parts import Part, fill_rest, parts_with
from nki_mlir.passes.selector import Fill, Selector, zero_of
from nki_mlir.passes.storage import Storage, collapse, collapse_around, narrowed
from nki_mlir.passes.transfer_pieces import LOADED, STORED, pieces, sums_along, terms_along
from nki_mlir.passes.valid import Valid, instead_of_mask, valid_of
from nki_mlir.targets import Limits

LOADS, STORES = Engine.SYNC, Engine.GPSIMD
"""The sequencers that trigger DMA. They block in order, so loads and stores don't share one; SyncE and GpSimdE are
those that the guides suggest on trn1 (docs/hardware.md#advice-to-compilers)."""

ROWS = Engine.GPSIMD
"""The sequencer that triggers transfers of rows that an index tile names: it makes their descriptors."""

_NO_ROW = (
    "choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound"
)


def select_load(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.LoadOp)
    storage = s.result(op, emit)
    rows, valid = _rows(op), valid_of(op, emit)
    stands_for = None if op.other else "unspecified" if op.undefined is None else "undefined"
    fill = Fill(op.other or zero_of(storage.type.element_type), stands_for)
    if rows is not None and rows.is_bounded:
        s.memset(storage, fill, emit)
    elif valid is not None and not (read := valid.whole_along(s.terms.unfilled.get(op))).is_all:
        fill_rest(s, storage, read, fill, emit)
    if rows is not None:
        for part, (chip, hbm, index, way) in _row_pieces(s, storage, op, rows, valid, emit):
            with s.guarded(part.guard, emit):
                s.transfer(emit, chip, hbm, *way, rows=index, skips=rows.is_bounded)
        return
    along = terms_along(op)
    for is_cut, part, (chip, hbm, way) in _pieces(s, storage, storage.spots, op, valid, LOADS, emit, along, LOADED):
        with s.guarded(part.guard, emit):
            s.transfer(emit, chip, hbm, *way, in_turn=not is_cut)


def select_store(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.StoreOp)
    storage, rows, valid = s.stored[op.value], _rows(op), valid_of(op, emit)
    if rows is not None:
        for part, (chip, hbm, index, way) in _row_pieces(s, storage, op, rows, valid, emit):
            with s.guarded(part.guard, emit):
                _mark(s.transfer(emit, hbm, chip, *way, rows=index, skips=rows.is_bounded), op)
        return
    along = sums_along(op)
    for _, part, (chip, hbm, way) in _pieces(s, storage, storage.elements, op, valid, STORES, emit, along, STORED):
        with s.guarded(part.guard, emit):
            _mark(s.transfer(emit, hbm, chip, *way), op)


def _mark(transfer: Operation, op: mem.StoreOp) -> None:
    """An atomic store is no program's own: reports of programs that write the same elements leave it out."""
    if op.atomic is not None:
        transfer.attributes[ATOMIC] = op.atomic


def _pieces(
    s: Selector,
    storage: Storage,
    spots: Sequence[Spot],
    op: AccessOp,
    valid: Valid | None,
    engine: Engine,
    emit: Emitter,
    along: int | None = None,
    least: int = 0,
) -> Iterator[tuple[bool, Part, tuple[SSAValue, SSAValue, tuple[Engine, str | None]]]]:
    """The transfers that move the valid part of a tile, as far as `spots` go, some indices of the dimension `along` at
    a time, of at `least` so many bytes, with whether that cuts anything up: views on chip and in HBM, who triggers them
    and who makes their descriptors; usually `engine`, and nobody."""
    sizes, itemsize = storage.type.sizes, dtype(storage.type.element_type).bytes
    coordinates = resolved(op.over_values)
    strides = coordinates.strides(len(sizes))
    addresses = tuple(Spot(d, 1, size, False, strides[d]) for d, size in enumerate(sizes))

    is_cut = False

    def cut(part: Part) -> list[Walk]:
        nonlocal is_cut
        with s.guarded(part.guard, emit):
            wholes = walks(part.ends, spots, addresses, anywhere=True, begins=part.begins)
            if along is not None:
                found = [piece for whole in wholes for piece in pieces(whole, along, itemsize, part.limits, least)]
                wholes, is_cut = found, is_cut or len(found) > len(wholes)
            return [walk for whole in wholes for walk in _transfers(whole, s.limits.transfer_dims, part.limits)]

    found = parts_with(op, sizes, valid, spots, cut, emit)
    if not found:
        return
    offset = emit.expr(coordinates.offset)
    way = s.by_register(offset, engine)
    for part, walk in found:
        dims, places = collapse_around(walk, 1, part.limits)
        limits = sorted(((place, part.limits[digit]) for digit, place in places.items()), key=lambda limit: limit[0])
        hbm = _hbm_view(op.memory, offset, dims, walk.starts[1].offset, emit, limits)
        yield is_cut, part, (storage.view(emit, walk, 0, limits=part.limits), hbm, way)


def _transfers(walk: Walk, most: int, kept: Collection[Digit]) -> list[Walk]:
    """Walks that a transfer can make whose patterns have `most` dimensions, of which some digits have one of their own.
    Raises LayoutError where a digit can't."""
    for fewer in range(most, 0, -1):
        found = list(transfers(walk, fewer))
        if all(len(collapse_around(one, n, kept)[0]) <= most for one in found for n in (0, 1)):
            return found
    raise LayoutError("too many dimensions are limited")


def _rows(op: AccessOp) -> Coordinate | None:
    """The coordinate whose rows an index tile names, if there is one. Raises CompileError for other forms."""
    check_affine(op)
    if op.mask is not None:
        raise CompileError.at(op, f"a transfer has no mask; {instead_of_mask(op)}")
    if (reason := why_no_rows(op)) is not None:
        raise CompileError.at(op, f"{reason}; {_NO_ROW}")
    for index in op.indices:
        if dtype(mem.tile_type(index).element_type).bytes < 4:
            raise CompileError.at(op, "rows are named by integers of 32 bits; make them so with neuron.mem.cast")
    return next((part for part in op.coordinates if part.elements), None)


def _row_pieces(
    s: Selector, storage: Storage, op: AccessOp, rows: Coordinate, valid: Valid | None, emit: Emitter
) -> Iterator[tuple[Part, tuple[SSAValue, SSAValue, SSAValue, tuple[Engine, str | None]]]]:
    """The transfers that move rows: views on chip, in HBM, and of the index tile, and who triggers them and makes their
    descriptors. A transfer moves a row for each partition that it spans."""
    sizes, index = storage.type.sizes, s.stored[op.indices[0]]
    dims_of = rows.elements[0].dims
    names = named_dims(rows)
    coordinates = resolved(op.over_values)
    along = Coordinates(tuple(part for part in coordinates if not part.elements))
    offset, strides = emit.expr(along.offset), along.strides(len(sizes))
    way = s.by_register(offset, ROWS)
    addresses = tuple(Spot(d, 1, size, False, strides[d]) for d, size in enumerate(sizes) if d not in names)
    numbers = tuple(s._replace(dim=dim) for s in index.elements if (dim := dims_of[s.dim]) is not None)

    def cut(part: Part) -> list[Walk]:
        if part.limits:
            raise LayoutError("rows that an index tile names have no limits")
        with s.guarded(part.guard, emit):
            wholes = walks(part.ends, storage.elements, numbers, addresses, anywhere=True, begins=part.begins)
            return [walk for whole in wholes for walk in _by_rows(whole, names, s.limits)]

    for part, walk in parts_with(op, sizes, valid, storage.elements, cut, emit):
        lanes = walk.partitions(0)
        run = walk.dims(2, lambda dim: dim not in names)
        dims = ((rows.stride, lanes), *(dim for dim in collapse(run) if dim[1] != 1))
        hbm = _hbm_view(op.memory, offset, dims, walk.starts[2].offset, emit)
        partition, first = walk.starts[1]
        index_view = index.view_from(emit, partition, lanes, ((1, 1),), first)
        yield part, (storage.view(emit, walk, 0), hbm, index_view, way)


def _by_rows(walk: Walk, names: Sequence[int], limits: Limits) -> Iterator[Walk]:
    """Walks whose rows lie on partitions that follow one another, alike in the tile and in the index tile. Other
    dimensions that lie on the tile's partitions have one value in each transfer."""
    lanes = walk.lanes(0)
    if others := [i for i in lanes if walk.digits[i][0] not in names]:
        for one in walk.singly(others):
            yield from _by_rows(one, names, limits)
        return
    alike = lanes == walk.lanes(1) and walk.is_range(0) and walk.is_range(1)
    kept = lanes if alike else []
    fixed = [i for i, (dim, _) in enumerate(walk.digits) if dim in names and walk.counts[i] > 1 and i not in kept]
    if fixed:
        for one in walk.singly(fixed):
            yield from _by_rows(one, names, limits)
        return
    most = min(limits.free_dims, limits.dma_dims - 1)
    yield from narrowed(walk.ordered(lanes), lambda one: any(len(collapse(one.dims(n))) > most for n in (0, 2)))


def _hbm_view(
    memory: SSAValue,
    offset: SSAValue,
    dims: Sequence[Dim],
    extra: int,
    emit: Emitter,
    limits: Sequence[tuple[int, SSAValue]] = (),
) -> SSAValue:
    if dtype(element_of(memory)).kind == "bool":
        raise CompileError.at(emit.location, "arrays of truth values (i1) are not supported in HBM; pass uint8")
    if extra:
        offset = emit.value(AddiOp(offset, emit.index(extra)))
    return emit.value(ViewOp(memory, Access(Space.HBM, element_of(memory), tuple(dims)), offset, limits))
