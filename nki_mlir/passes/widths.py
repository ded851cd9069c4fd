"""How many programs of a grid had best run together: what a group of them costs, before anything is placed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from xdsl.dialects.builtin import i32, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.classes import Classes
from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.masks import depends_on
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.costs.transfers import least_ns
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate
from nki_mlir.dialects.dtypes import dtype, is_dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.tile_programs import ProgramsOp

DEPTH = 2
"""Groups that are under way at a time, where there is room for their tiles."""

ALIKE = 1.1
"""Times that differ by less count as the same: then the fewer groups there are, the less there is to wait for."""

_NOT_WHOLE = 1 << 20
"""A step of memory that no run goes on over, in elements."""


@dataclass(frozen=True)
class _Value:
    """Something computed or moved: `times` for each program, `elements` each time; of a transfer, `run` of them lie
    together in memory, and, if it `goes_on`, behind them those of the next program. What `is_turned` changes places
    between the partitions and the free dimension."""

    elements: int
    type: Attribute
    times: int
    run: int = 1
    stores: bool = False
    goes_on: bool = False
    is_turned: bool = False


@dataclass(frozen=True)
class Life:
    """A tile of so many elements of `bytes` each, in use from one place of a program's text up to another."""

    elements: int
    bytes: int
    differs: bool
    first: int
    last: int


@dataclass
class Work:
    """What differs between programs along an axis, of which there are `others` along the other axes: `lanes` is over
    how many partitions one of them can be spread. `stays` says that each is as wide as it should be: of rows that are
    named one by one a transfer moves but one a partition. `columns` is with how many numbers, one for each of its rows,
    something computes, which an instruction takes at full rate where a partition has one row. With `is_inner`, the id
    moves along another dimension of a tile than the first. A bound there would be one on two dimensions that are apart,
    for which elements are named one by one: groups are whole, and where it is there already (`is_bounded`), each
    stays."""

    programs: int
    others: int = 1
    lanes: int = 0
    stays: bool = False
    columns: int = 0
    is_inner: bool = False
    is_bounded: bool = False
    transfers: list[_Value] = field(default_factory=list)
    computed: list[_Value] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    @classmethod
    def of(cls, programs: ProgramsOp, axis: int) -> Work:
        size, block = programs.grid[axis], programs.body.block
        others = math.prod(programs.grid) // size
        return cls.of_block(block, programs.ids[axis], size, others, varying(programs, axis))

    @classmethod
    def of_block(cls, block: Block, id_: SSAValue, size: int, others: int, differs: set[SSAValue]) -> Work:
        """Of a block that is run for each value of an id, of which there are `size`; `differs` are the values that
        depend on it."""
        work, rows = cls(size, others), sys.maxsize
        for op in block.walk():
            if differs.isdisjoint((*op.operands, *op.results)):
                continue
            times = math.prod(trip_count(loop) or 1 for loop in enclosing_loops(op) if block.is_ancestor(loop))
            if isinstance(op, AccessOp):
                work.transfers.append(_transfer(op, id_, times))
                inner = _inner(op, id_)
                work.is_inner |= bool(inner)
                work.is_bounded |= any(part.is_bounded for part in inner)
                rows = min(rows, _rows(op))
            if not is_view(op):
                work.computed += (
                    _Value(words(v) * size_of(v), stored(v), times, is_turned=_turns(op))
                    for v in op.results
                    if is_placed(v)
                )
            if isinstance(op, tile.SplatOp | tile.BroadcastOp) and is_placed(op.result):
                work.columns = max(work.columns, size_of(op.operands[0]))
            work.stays |= isinstance(op, AccessOp) and _names_elements(op)
        largest = max((v.elements for v in work.computed), default=1)
        work.lanes = min(rows, min(free_sizes(block), default=largest))
        work.lives = lives(block, differs)
        return work

    def going_on(self) -> Work:
        """The same where the new dimension becomes part of the one that the id moves along."""
        return replace(self, is_inner=False, is_bounded=False)

    def price(self, width: int, prices: Prices) -> float:
        """The time, in ns, of all programs, `width` along the axis together; infinite where their tiles don't fit."""
        memory, dma = prices.target.memory, prices.target.dma
        depth = min(DEPTH, memory.sbuf_usable_bytes // max(self._kept(width, self._lanes(width, prices)), 1))
        if not depth:
            return math.inf
        moved, rings, computed = self._busy(width, prices)
        latency = 2 * (dma.start_ns + dma.completion_ns) + moved + computed
        return latency + (self._groups(width) - 1) * max(moved, rings, computed, latency / depth)

    def least(self, width: int, prices: Prices) -> float:
        """The time, in ns, of all programs if nothing ever waited, however many there are room for."""
        return self._groups(width) * max(self._busy(width, prices))

    def _groups(self, width: int) -> int:
        return self.others * -(-self.programs // width)

    def _lanes(self, width: int, prices: Prices) -> int:
        return min(prices.target.memory.partitions, width * self.lanes)

    def _busy(self, width: int, prices: Prices) -> tuple[float, float, float]:
        """How long a group takes the DMA engines, the rings, and what computes."""
        lanes = self._lanes(width, prices)
        computed = sum(v.times * _computed(v, width, lanes, prices) for v in self.computed)
        if width * self.columns > prices.target.memory.partitions:
            computed *= 2
        moved = sum(v.times * self._moved(v, width, lanes, prices) for v in self.transfers)
        most = max(sum(v.times for v in self.transfers if v.stores is stores) for stores in (True, False))
        return moved, least_ns(prices.target) * most, computed

    def _kept(self, width: int, lanes: int) -> int:
        """The most bytes of a partition that are in use at once. What programs share lies there for each of them."""
        return most_kept(
            (life, -(-width * life.elements // lanes) if life.differs else -(-life.elements // self.lanes))
            for life in self.lives
        )

    def _moved(self, value: _Value, width: int, lanes: int, prices: Prices) -> float:
        run = value.run * (width if value.goes_on and not self.is_inner else 1)
        return moving_time(prices, width * value.elements, lanes, run, value.type, value.stores)

    def widths(self, lanes: int) -> Iterator[int]:
        """Widths worth a try: shares of the programs, equal ones where there are some, that lie evenly on the
        partitions."""
        full, found = max(1, lanes // max(self.lanes, 1)), {1: None}
        if self.stays or self.is_bounded:
            return iter(found)
        for about in (*powers(full), *(full * n for n in powers(-(-self.programs // full)))):
            found |= dict.fromkeys(shares(self.programs, about))
        return (
            width for width in found if width <= self.programs and self._is_whole(width) and self._is_even(width, lanes)
        )

    def _is_whole(self, width: int) -> bool:
        return not self.is_inner or self.programs % width == 0

    def _is_even(self, width: int, lanes: int) -> bool:
        """Whether each partition has as much as any other."""
        spread = width * self.lanes
        return spread % -(-spread // lanes) == 0


def _computed(value: _Value, width: int, lanes: int, prices: Prices) -> float:
    """The time, in ns, for which something keeps the engine that computes it, or of those that turn it the busiest one:
    what twice as much takes longer."""
    each = -(-width * value.elements // lanes)
    if not value.is_turned:
        return prices.compute(Layout.flat((each,)), value.type)
    once, twice = (prices.turn(lanes, n * each, value.type) for n in (1, 2))
    return twice - once


def most_kept(lives: Iterable[tuple[Life, int]]) -> int:
    """The most bytes of a partition that are in use at once, by how many elements of each tile a partition has."""
    changes: list[tuple[int, int, int]] = []
    for life, elements in lives:
        changes += [(life.first, 1, elements * life.bytes), (life.last, 0, -elements * life.bytes)]
    most = now = 0
    for _, _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def moving_time(prices: Prices, elements: int, lanes: int, run: int, type_: Attribute, stores: bool) -> float:
    """The time, in ns, of the DMA engine that has most of a transfer of so many elements, dealt out over some
    partitions, of which `run` lie together in memory."""
    each = -(-elements // lanes)
    run = min(run, each)
    layout = Layout.lanes((lanes, -(-each // run), run), 0, lanes, blocked=True)
    strides = (_NOT_WHOLE * _NOT_WHOLE, _NOT_WHOLE, 1)
    return prices.transfer(layout, strides, type_, stores)


def shares(programs: int, about: int) -> tuple[int, int]:
    """A width, and the one near it of equal shares of the programs, where there is one; else 1."""
    groups = -(-programs // about)
    equal = (n for n in range(groups, groups + groups // 4 + 1) if programs % n == 0)
    return about, programs // next(equal, programs)


def run_of(shape: Sequence[int], strides: Sequence[int]) -> int:
    """How many elements of a tile follow one another in memory."""
    run = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if stride != run:
            break
        run *= size
    return run


def is_view(op: Operation) -> bool:
    """Whether an operation need not make anything: whoever uses it reads what it is made of. Turned, that only a
    product does."""
    if isinstance(op, tile.PermuteOp):
        return any(isinstance(use.operation, tile.DotOp) for use in op.result.uses)
    return isinstance(op, tile.SplatOp | tile.ShapeOp | tile.SliceOp)


def _turns(op: Operation) -> bool:
    """Whether an operation makes what lies together in memory lie apart: another dimension is the last one."""
    if not isinstance(op, tile.PermuteOp) or is_view(op):
        return False
    order = op.order.get_values()
    return order[-1] != len(order) - 1


def lives(body: Block, differs: set[SSAValue], counts: Callable[[Operation], bool] = lambda op: True) -> list[Life]:
    """Of all tiles that are made in a block, or those of operations that count. What a loop uses, or carries, is in use
    up to its end."""
    ops = list(body.walk())
    place = {op: number for number, op in enumerate(ops)}
    last: dict[SSAValue, int] = {}
    found: list[Life] = []
    for op in reversed(ops):
        for value in filter(is_placed, op.results):
            users = [_beside(use.operation, op) for use in value.uses]
            ends = [last[user.results[0]] if is_view(user) else _end(user, place) for user in users]
            last[value] = max(ends, default=place[op])
            if not is_view(op) and counts(op):
                bytes_ = words(value) * dtype(stored(value)).bytes
                found.append(Life(size_of(value), bytes_, value in differs, place[op], last[value] + 1))
    return found


def _beside(user: Operation, op: Operation) -> Operation:
    """The operation in the block of `op` that a user is, or is inside of."""
    while user.parent is not op.parent:
        outer = user.parent_op()
        assert outer is not None
        user = outer
    return user


def _end(op: Operation, place: dict[Operation, int]) -> int:
    """The place of the last operation inside one, or its own."""
    return max(place[inner] for inner in operations(op))


def powers(most: int) -> Iterator[int]:
    return (1 << n for n in range(max(most, 1).bit_length()))


def is_placed(value: SSAValue) -> bool:
    return (is_dtype(tile.element_of(value)) or words(value) == 2) and constant_of(value) is None


def words(value: SSAValue) -> int:
    """How many numbers of the machine an element is: of 64 bits, two."""
    return 2 if tile.element_of(value) == i64 else 1


def stored(value: SSAValue) -> Attribute:
    return i32 if words(value) == 2 else tile.element_of(value)


def _names_elements(op: AccessOp) -> bool:
    """Whether an index tile or a mask says of each of several elements of a program where, or whether, it is moved."""
    return any(map(tile.shape_of, op.indices)) or (op.mask is not None and bool(depends_on(op.mask)))


def _inner(op: AccessOp, id_: SSAValue) -> list[Coordinate]:
    """The coordinates that an id moves along a dimension which is not the first of a tile."""
    return [part for part in resolved(op.over_values) if id_ in part.position.counters() and any(part.dims)]


def _rows(op: AccessOp) -> int:
    """Over how many partitions a tile can be spread of which bounds leave out ends of rows: these are not dealt out."""
    sizes = sizes_of(op.moved)
    inner = {dim for part in resolved(op.over_values).bounded for dim in part.dims if dim}
    return math.prod(size for dim, size in enumerate(sizes) if dim not in inner) if inner else sys.maxsize


def size_of(value: SSAValue) -> int:
    return math.prod(tile.shape_of(value))


def _transfer(op: AccessOp, id_: SSAValue, times: int) -> _Value:
    """An access, with how many elements follow one another in memory: all of a program's, and the next one's too,
    where they do."""
    shape, coordinates = sizes_of(op.moved), resolved(op.over_values)
    run = run_of(shape, coordinates.strides(len(shape)))
    goes_on = coordinates.address.coefficient(id_) == run
    if run == math.prod(shape) and goes_on:
        run = _NOT_WHOLE
    count, type_ = words(op.moved), stored(op.moved)
    return _Value(count * math.prod(shape), type_, times, count * run, isinstance(op, tile.WriteOp), goes_on)


def trade(programs: ProgramsOp, axis: int, other: int) -> bool:
    """Whether what two axes move lies in memory along one of them for some transfers, and along the other one for
    others, as in a transpose: how wide one had best be hangs on how wide the other one is. Not where bounds leave out
    ends: groups of which only a part is there are waited for."""
    axes = axis, other
    differ = [varying(programs, one) for one in axes]
    moved = [op for op in programs.body.walk() if isinstance(op, AccessOp)]
    both = [op for op in moved if all(not differs.isdisjoint((*op.operands, *op.results)) for differs in differ)]
    if any(resolved(op.over_values).bounded for op in both):
        return False
    return all(any(_transfer(op, programs.ids[one], 1).goes_on for op in both) for one in axes)


def free_sizes(body: Block) -> Iterator[int]:
    """How many elements of each operation along a dimension can lie on partitions: those beside the dimension, and
    where it is a scan, beside all that the scanned elements are reduced along."""
    alike, along = Classes[SSAValue](), list[tuple[SSAValue, int]]()
    for op in body.walk():
        match op:
            case tile.ReduceOp() | tile.LastOp() | tile.FlipOp():
                along.append((op.source, op.axis.value.data))
            case tile.ScanOp():
                along.append((op.source, op.axis.value.data))
                alike.unite(op.source, op.result)
            case _ if type(op) in ELEMENTWISE:
                for value in op.operands:
                    alike.unite(value, op.results[0])
            case _:
                pass
    scanned = {alike.of(op.source) for op in body.walk() if isinstance(op, tile.ScanOp)}
    for value, axis in along:
        name, shape = alike.of(value), tile.shape_of(value)
        axes = {d for other, d in along if alike.of(other) == name} if name in scanned else {axis}
        yield max(1, math.prod(size for d, size in enumerate(shape) if d not in axes))
