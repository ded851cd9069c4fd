"""A tile in a buffer: which elements of the buffer its free dimensions are, and views of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, SSAValue

from nki_mlir.dialects.access import Access, Dim
from nki_mlir.dialects.dtypes import dtype, u8
from nki_mlir.dialects.neuron_engine import AllocOp, ViewOp
from nki_mlir.dialects.neuron_mem import TileType
from nki_mlir.passes.emitter import Emitter


def stored_type(element_type: Attribute) -> Attribute:
    """Truth values are bytes of 0 or 1 on chip; everything else is itself."""
    return u8 if element_type == i1 else element_type


def row_major(sizes: Sequence[int]) -> list[int]:
    """Steps of contiguous dimensions, the last one fastest."""
    steps, step = [], 1
    for size in reversed(sizes):
        steps.append(step)
        step *= size
    return steps[::-1]


def collapse(dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """The same elements in the same order with as few dimensions as can be."""
    merged: list[Dim] = []
    for step, count in dims:
        if count == 1:
            continue
        if merged and merged[-1][0] == step * count:
            merged[-1] = (step, merged[-1][1] * count)
        else:
            merged.append((step, count))
    return tuple(merged) or ((1, 1),)


@dataclass(frozen=True)
class Storage:
    """`steps[d]` elements lie between neighbours along free dimension `d` of `type`; a step of 0 repeats one. The first
    one is element `base` of the buffer."""

    buffer: SSAValue
    type: TileType
    steps: tuple[int, ...]
    base: int = 0

    @classmethod
    def allocate(cls, type_: TileType, label: str, emit: Emitter) -> Storage:
        size = dtype(stored_type(type_.element_type)).bytes
        elements = 1
        for count in type_.free:
            elements *= count
        op = emit.add(AllocOp(type_.space.data, type_.partitions, elements * size, label))
        return cls(op.result, type_, tuple(row_major(type_.free)))

    @property
    def dims(self) -> list[Dim]:
        return list(zip(self.steps, self.type.free, strict=True))

    @property
    def is_column(self) -> bool:
        """One element on each partition, however often it is read."""
        return all(step == 0 or count == 1 for step, count in self.dims)

    def view(
        self, emit: Emitter, dims: Sequence[Dim] | None = None, offset: int = 0, partitions: int | None = None
    ) -> SSAValue:
        """A view of all of it, or of `dims` from element `offset` on, on the first `partitions` partitions."""
        return self.view_from(emit, 0, self.type.partitions if partitions is None else partitions, dims, offset)

    def view_from(
        self, emit: Emitter, start: int, partitions: int, dims: Sequence[Dim] | None = None, offset: int = 0
    ) -> SSAValue:
        element = stored_type(self.type.element_type)
        pattern = collapse(self.dims if dims is None else dims)
        access = Access(self.type.space.data, element, pattern, start, partitions)
        offset += self.base
        return emit.value(ViewOp(self.buffer, access, emit.index(offset) if offset else None))

    def column(self, emit: Emitter) -> SSAValue:
        """A view of the one element on each partition."""
        return self.view(emit, [(1, 1)])

    def relabelled(self, type_: TileType) -> Storage:
        """Under another shape that differs in dimensions of size 1 only."""
        steps = iter([step for step, count in self.dims if count != 1])
        return replace(self, type=type_, steps=tuple(next(steps) if count != 1 else 0 for count in type_.free))

    def broadcast(self, type_: TileType) -> Storage:
        counts = [count for _, count in self.dims]
        if len(counts) < len(type_.free):
            counts = [1] * (len(type_.free) - len(counts)) + counts
        pairs = zip(self.steps, counts, type_.free, strict=True)
        return replace(self, type=type_, steps=tuple(0 if have != want else step for step, have, want in pairs))

    def part(self, element_type: Attribute, number: int) -> Storage:
        """The bytes as elements of a narrower type (or one as wide), of which `number` counts those in an element."""
        ratio = dtype(stored_type(self.type.element_type)).bytes // dtype(element_type).bytes
        steps = tuple(step * ratio for step in self.steps)
        return Storage(self.buffer, self.type.with_element(element_type), steps, self.base * ratio + number)


def free_position(type_: TileType, dim: int) -> int:
    """Which free dimension a logical dimension is; for the one on the partitions, its fold."""
    if dim == type_.partition_dim:
        return 0
    others = [d for d in range(len(type_.sizes)) if d != type_.partition_dim]
    return others.index(dim) + (type_.fold > 1)


@dataclass(frozen=True)
class Piece:
    """A rectangle of a tile and where it lies in HBM: `hbm` pairs the elements with those of `chip` in order."""

    start: int
    partitions: int
    chip: tuple[Dim, ...]
    chip_offset: int
    hbm: tuple[Dim, ...]
    hbm_offset: int


def pieces(storage: Storage, strides: Sequence[int], valid: Sequence[int] | None) -> list[Piece]:
    """The transfers that move the valid part of a tile, whose logical dimension `d` has stride `strides[d]` in HBM.

    One where the valid rows fill their partitions; a second for a last, partly filled partition.
    """
    type_ = storage.type
    extents = list(type_.sizes if valid is None else valid)
    if any(extent == 0 for extent in extents):
        return []
    free: list[tuple[Dim, Dim]] = []
    for d in range(len(type_.sizes)):
        if d != type_.partition_dim:
            free.append(((storage.steps[free_position(type_, d)], extents[d]), (strides[d], extents[d])))
    whole = Piece(0, 1, (), 0, (), 0)
    if type_.partition_dim is None:
        return [_with_free(whole, [], free)]
    rows, fold, stride = extents[type_.partition_dim], type_.fold, strides[type_.partition_dim]
    full, rest = divmod(rows, fold)
    fold_step = storage.steps[0] if fold > 1 else 0
    made: list[Piece] = []
    if full:
        folded = [((fold_step, fold), (stride, fold))] if fold > 1 else []
        made.append(_with_free(replace(whole, partitions=full, hbm=((stride * fold, full),)), folded, free))
    if rest:
        last = replace(whole, start=full, hbm_offset=full * fold * stride)
        made.append(_with_free(last, [((fold_step, rest), (stride, rest))], free))
    return made


def _with_free(piece: Piece, folded: list[tuple[Dim, Dim]], free: list[tuple[Dim, Dim]]) -> Piece:
    pairs = [*folded, *free]
    chip = tuple(c for c, _ in pairs) or ((1, 1),)
    return replace(piece, chip=collapse(chip), hbm=collapse([*piece.hbm, *(h for _, h in pairs)]))
