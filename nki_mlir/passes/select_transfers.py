"""Transfers between HBM and SBUF: the valid part of a tile is moved, the rest of a loaded one filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.arith import AddiOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.accesses import Bounded, intervals, is_interval, resolved, shape_of_access
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Spot
from nki_mlir.dialects.neuron_engine import ATOMIC, ViewOp
from nki_mlir.dialects.tile import element_of
from nki_mlir.dialects.walks import Walk, transfers, walks
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.selector import Fill, Selector, zero_of
from nki_mlir.passes.storage import Storage, collapse, narrowed
from nki_mlir.targets import Limits

LOADS, STORES = Engine.SYNC, Engine.GPSIMD
"""The sequencers that trigger DMA. They block in order, so loads and stores don't share one; SyncE and GpSimdE are
those that the guides suggest on trn1 (docs/hardware.md#advice-to-compilers)."""

ROWS = Engine.GPSIMD
"""The sequencer that triggers transfers of rows that an index tile names: it makes their descriptors."""

Box = list[tuple[int, int]]
"""Of each dimension, the first valid place and the one after the last."""


def select_load(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.LoadOp)
    storage = s.result(op, emit)
    valid, rows = valid_box(op), _rows(op)
    stands_for = None if op.other else "unspecified" if op.undefined is None else "undefined"
    fill = Fill(op.other or zero_of(storage.type.element_type), stands_for)
    if rows is not None and rows.is_bounded:
        s.memset(storage, fill, emit)
    elif valid is not None:
        _pad(s, storage, valid, fill, emit)
    if rows is not None:
        for chip, hbm, index, way in _row_pieces(s, storage, op, rows, valid, emit):
            s.transfer(emit, chip, hbm, *way, rows=index, skips=rows.is_bounded)
        return
    for chip, hbm, way in _pieces(s, storage, storage.spots, op, valid, LOADS, emit):
        s.transfer(emit, chip, hbm, *way)


def _pad(s: Selector, storage: Storage, valid: Box, fill: Fill, emit: Emitter) -> None:
    """Fills what a load leaves: the end of one free dimension where only that is short, else the whole tile (an
    instruction can't start on just any partition)."""
    type_ = storage.type
    short = [d for d, size in enumerate(type_.sizes) if valid[d] != (0, size)]
    digits = type_.layout.digits(short[0]) if len(short) == 1 else []
    low, high = valid[short[0] if short else 0]
    if len(digits) != 1 or digits[0].on_partitions or low or low >= high:
        s.memset(storage, fill, emit)
    else:
        s.memset(storage.slice(short[0], high, type_.sizes[short[0]] - high), fill, emit)


def select_store(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.StoreOp)
    storage, rows = s.stored[op.value], _rows(op)
    if rows is not None:
        for chip, hbm, index, way in _row_pieces(s, storage, op, rows, valid_box(op), emit):
            made = s.transfer(emit, hbm, chip, *way, rows=index, skips=rows.is_bounded)
            _mark(made, op)
        return
    for chip, hbm, way in _pieces(s, storage, storage.elements, op, valid_box(op), STORES, emit):
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
    valid: Box | None,
    engine: Engine,
    emit: Emitter,
) -> Iterator[tuple[SSAValue, SSAValue, tuple[Engine, str | None]]]:
    """The transfers that move the valid part of a tile, as far as `spots` go: views on chip and in HBM, who triggers
    them and who makes their descriptors; usually `engine`, and nobody."""
    sizes = storage.type.sizes
    box = [(0, size) for size in sizes] if valid is None else valid
    if any(low >= high for low, high in box):
        return
    coordinates = resolved(op.over_values)
    offset, strides = emit.expr(coordinates.offset), coordinates.strides(len(sizes))
    addresses = tuple(Spot(d, 1, size, False, strides[d]) for d, size in enumerate(sizes))
    way = s.by_register(offset, engine)
    begins, ends = ([edges[side] for edges in box[: len(sizes)]] for side in (0, 1))
    for whole in walks(ends, spots, addresses, anywhere=True, begins=begins if any(begins) else None):
        for walk in transfers(whole, s.limits.transfer_dims):
            hbm = _hbm_view(op.memory, offset, collapse(walk.dims(1)), walk.starts[1].offset, emit)
            yield storage.view(emit, walk, 0), hbm, way


def _rows(op: AccessOp) -> Coordinate | None:
    """The coordinate whose rows an index tile names, if there is one. Raises CompileError for other forms."""
    found = [part for part in op.coordinates if part.elements]
    if op.mask is not None or len(found) > 1 or any(p.position != Expr.counter(p.elements[0]) for p in found):
        raise CompileError.at(op, "a mask, or rows named by more than an index tile; run expand-accesses first")
    return found[0] if found else None


def _row_pieces(
    s: Selector, storage: Storage, op: AccessOp, rows: Coordinate, valid: Box | None, emit: Emitter
) -> Iterator[tuple[SSAValue, SSAValue, SSAValue, tuple[Engine, str | None]]]:
    """The transfers that move rows: views on chip, in HBM, and of the index tile, and who triggers them and makes their
    descriptors. A transfer moves a row for each partition that it spans."""
    sizes, index = storage.type.sizes, s.stored[op.indices[0]]
    names = [dim for dim in rows.elements[0].dims if dim is not None]
    coordinates = resolved(op.over_values)
    along = Coordinates(tuple(part for part in coordinates if not part.elements))
    offset, strides = emit.expr(along.offset), along.strides(len(sizes))
    way = s.by_register(offset, ROWS)
    addresses = tuple(Spot(d, 1, size, False, strides[d]) for d, size in enumerate(sizes) if d not in names)
    numbers = tuple(spot._replace(dim=names[spot.dim]) for spot in index.elements)
    box = [(0, size) for size in sizes] if valid is None else valid[: len(sizes)]
    if any(low >= high for low, high in box):
        return
    begins, ends = ([edges[side] for edges in box] for side in (0, 1))
    for whole in walks(
        ends, storage.elements, numbers, addresses, anywhere=True, begins=begins if any(begins) else None
    ):
        for walk in _by_rows(whole, names, s.limits):
            lanes = walk.partitions(0)
            run = walk.dims(2, lambda dim: dim not in names)
            dims = ((rows.stride, lanes), *(dim for dim in collapse(run) if dim[1] != 1))
            hbm = _hbm_view(op.memory, offset, dims, walk.starts[2].offset, emit)
            partition, first = walk.starts[1]
            yield storage.view(emit, walk, 0), hbm, index.view_from(emit, partition, lanes, ((1, 1),), first), way


def _by_rows(walk: Walk, names: Sequence[int], limits: Limits) -> Iterator[Walk]:
    """Walks whose rows lie on partitions that follow one another, alike in the tile and in the index tile."""
    lanes = walk.lanes(0)
    alike = lanes == walk.lanes(1) and walk.is_range(0) and walk.is_range(1)
    kept = lanes if alike else []
    fixed = [i for i, (dim, _) in enumerate(walk.digits) if dim in names and walk.counts[i] > 1 and i not in kept]
    if fixed:
        for one in walk.singly(fixed):
            yield from _by_rows(one, names, limits)
        return
    most = min(limits.free_dims, limits.dma_dims - 1)
    yield from narrowed(walk.ordered(lanes), lambda one: any(len(collapse(one.dims(n))) > most for n in (0, 2)))


def valid_box(op: Bounded) -> Box | None:
    """What is valid of each dimension, or None where all is. A tile without dimensions has one, of one place. Raises
    CompileError where it is not the same in all iterations, or no box."""
    coordinates = resolved(op.over_values)
    coordinates = Coordinates(tuple(part for part in coordinates if not part.elements))
    if not coordinates.bounded:
        return None
    if not all(map(is_interval, coordinates.bounded)):
        raise CompileError.at(
            op, "a bound on several dimensions, or on a counter of run time, has no transfer; run expand-accesses first"
        )
    shape = shape_of_access(op)
    box = [(0, size) for size in shape or (1,)]
    for interval in intervals(coordinates, shape):
        if interval.low.varies or interval.high.varies:
            raise CompileError.at(op, "what is valid of this tile changes in a loop; run peel-tails first")
        low, high = interval.low.range[0], interval.high.range[0]
        if interval.dim is None:
            box = box if low < high else [(0, 0)] * len(box)
        else:
            have = box[interval.dim]
            box[interval.dim] = max(low, have[0]), min(high, have[1])
    return box


def _hbm_view(memory: SSAValue, offset: SSAValue, dims: Sequence[Dim], extra: int, emit: Emitter) -> SSAValue:
    if dtype(element_of(memory)).kind == "bool":
        raise CompileError.at(emit.location, "arrays of truth values (i1) are not supported in HBM; pass uint8")
    if extra:
        offset = emit.value(AddiOp(offset, emit.index(extra)))
    return emit.value(ViewOp(memory, Access(Space.HBM, element_of(memory), tuple(dims)), offset))
