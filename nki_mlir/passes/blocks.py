"""How many programs that multiply had best run together along each axis: what a group of them costs, before anything is
placed. They share operands, which are loaded once for all of them, and fill the array and PSUM."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.loop_order import loop_order
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.hoist_loads import SHARE
from nki_mlir.passes.widths import (
    ALIKE,
    DEPTH,
    Life,
    is_placed,
    is_view,
    lives,
    most_kept,
    moving_time,
    powers,
    run_of,
    shares,
    size_of,
    stored,
    words,
)

_HIDDEN = 1 / 64
"""What part of the work of an engine still counts that another's hides."""

Widths = tuple[int, ...]
Axes = tuple[int, ...]


@dataclass(frozen=True)
class _Tile:
    """A tile of a program: of so many elements, which differ along `axes`, made `times` times."""

    elements: int
    type: Attribute
    axes: Axes
    times: int

    def size(self, widths: Widths) -> int:
        return self.elements * math.prod(widths[axis] for axis in self.axes)


@dataclass(frozen=True)
class _Moved(_Tile):
    """An access: `run` elements lie together in memory, and as many for each program along `long`. With `is_turned`,
    its elements have to be brought from the partitions to the free dimensions."""

    run: int
    long: Axes
    stores: bool
    is_turned: bool


@dataclass(frozen=True)
class _Product:
    """A product; along which axes there are more rows of it, and more columns. If it `passes` on to
    another product it is there a row of blocks at a time, else as a whole, from the place `first` of the program's text
    up to `last`."""

    rows: int
    columns: int
    terms: int
    type: Attribute
    row_axes: Axes
    column_axes: Axes
    times: int
    passes: bool
    first: int
    last: int

    def shape(self, widths: Widths) -> tuple[int, int]:
        return (
            self.rows * math.prod(widths[axis] for axis in self.row_axes),
            self.columns * math.prod(widths[axis] for axis in self.column_axes),
        )


class Blocks:
    """The programs of a grid, and what they load, multiply and compute."""

    def __init__(self, programs: ProgramsOp, prices: Prices):
        self.programs, self.grid, self.prices = programs, programs.grid, prices
        self.differs = [varying(programs, axis) for axis in range(len(self.grid))]
        self.moved, self.computed, self.products = list[_Moved](), list[_Tile](), list[_Product]()
        self.counts_all, self.order = True, loop_order(programs)
        spans, passed = _spans(programs.body.block), _passed_on(programs.body.block)
        for op in programs.body.walk():
            times = math.prod(trip_count(loop) or 1 for loop in enclosing_loops(op))
            if isinstance(op, AccessOp):
                self.moved.append(self._transfer(op, times))
            elif isinstance(op, tile.DotOp):
                self.products.append(self._product(op, times, op.result in passed, spans.get(op)))
            elif not is_view(op):
                self.computed += (
                    _Tile(words(v) * size_of(v), stored(v), self._axes(v), times) for v in op.results if is_placed(v)
                )
        self.lives: list[tuple[Life, Axes]] = [
            (every[0], tuple(axis for axis, life in enumerate(every) if life.differs))
            for every in zip(*(lives(programs.body.block, differs) for differs in self.differs), strict=True)
        ]
        self._load = cache(self._load_time)

    def _axes(self, *values: SSAValue) -> Axes:
        return tuple(axis for axis, differs in enumerate(self.differs) if not differs.isdisjoint(values))

    def _transfer(self, op: AccessOp, times: int) -> _Moved:
        shape, coordinates = sizes_of(op.moved), resolved(op.over_values)
        strides = coordinates.strides(len(shape))
        run = run_of(shape, strides)
        ids = self.programs.ids
        long = tuple(axis for axis, id_ in enumerate(ids) if coordinates.address.coefficient(id_) == run)
        stores = isinstance(op, tile.WriteOp)
        turned = not stores and _has_terms_along_memory(op.moved, strides)
        axes = self._axes(op.moved, *op.operands)
        return _Moved(words(op.moved) * math.prod(shape), stored(op.moved), axes, times, run, long, stores, turned)

    def _product(self, op: tile.DotOp, times: int, passes: bool, span: tuple[int, int] | None) -> _Product:
        terms = math.prod(tile.shape_of(op.a)[dim] for dim in op.over[0])
        rows, columns = size_of(op.a) // terms, size_of(op.b) // terms
        element = tile.element_of(op.a)
        first, last = span or (0, 0)
        return _Product(rows, columns, terms, element, self._axes(op.a), self._axes(op.b), times, passes, first, last)

    def best(self, axes: Sequence[int]) -> Widths:
        """The widths along axes whose programs are independent that cost least; 1 along the others. There is room for
        all products at once, or, where there can't be, for those that are there together."""
        for self.counts_all in (True, False):
            choices = [self._choices(axis) if axis in axes else [1] for axis in range(len(self.grid))]
            prices = {widths: self.price(widths) for widths in product(*choices)}
            least = min(prices.values())
            if math.isfinite(least):
                break
        else:
            return (1,) * len(self.grid)
        alike = [widths for widths, price in prices.items() if price <= least * ALIKE]
        return max(alike, key=lambda widths: (math.prod(widths), -prices[widths]))

    def _choices(self, axis: int) -> list[int]:
        """Widths worth a try: equal shares, where there are some."""
        size, found = self.grid[axis], {1: None}
        if any(axis in p.row_axes and axis in p.column_axes for p in self.products):
            return [1]
        for about in powers(size):
            found |= dict.fromkeys(shares(size, about))
        return [width for width in found if width == 1 or (width <= size and self._has_banks(axis, width))]

    def _has_banks(self, axis: int, width: int) -> bool:
        """Whether the results of products fit into PSUM where programs are run together along one axis alone."""
        widths = tuple(width if n == axis else 1 for n in range(len(self.grid)))
        return self._all_banks(widths) <= self.prices.target.memory.psum_banks

    def price(self, widths: Widths) -> float:
        """The time of all programs, in ns; infinite where their tiles don't fit. Of groups, `depth` are under way at a
        time, each from its loads to its stores; engines work side by side on steps of a sum, after the first one."""
        memory, dma, limits = self.prices.target.memory, self.prices.target.dma, self.prices.target.limits
        counts = tuple(-(-size // width) for size, width in zip(self.grid, widths, strict=True))
        banks = self._all_banks(widths)
        depth = min(DEPTH, memory.psum_banks // max(banks, 1), memory.sbuf_usable_bytes // max(self._kept(widths), 1))
        if not depth:
            return math.inf
        if any(self._whole_banks(p, widths) > memory.psum_banks for p in self.products):
            return math.inf
        groups, lanes = math.prod(counts), limits.partitions
        loads = stores = tensor = vector = first = 0.0
        for moved in self.moved:
            often = self._often(moved, counts, widths)
            time = self._load(moved, moved.size(widths))
            first += 0 if moved.stores or moved.times > 1 else time
            loads, stores = loads + often * time * (not moved.stores), stores + often * time * moved.stores
            if moved.is_turned:
                blocks = -(-moved.size(widths) // (lanes * lanes))
                tensor += often * blocks * self.prices.product(lanes, lanes, lanes, moved.type)
                vector += often * blocks * self.prices.compute(Layout.flat((lanes,)), moved.type)
        for p in self.products:
            tensor += groups * p.times * self.prices.product(*p.shape(widths), p.terms, p.type)
        evicted = 0.0
        for value in self.computed:
            time = self.prices.compute(Layout.flat((-(-value.size(widths) // lanes),)), value.type)
            vector += self._often(value, counts, widths) * time
            evicted += time * (value.times == 1)
        latency = dma.start_ns + dma.completion_ns
        alone = groups * (latency + evicted) if depth == 1 else evicted
        busy = loads + stores, tensor, vector
        steps = max(-(-p.times * p.terms // lanes) for p in self.products)
        in_turn = (groups * 2 * latency + max(busy) + (sum(busy) - max(busy)) / steps) / depth
        return latency + first + max(*busy, in_turn) + _HIDDEN * sum(busy) + alone

    def _often(self, value: _Tile, counts: Widths, widths: Widths) -> int:
        """How often a tile is made: what differs from one group to the next in no loop stays on chip, where it takes no
        more than its share."""
        inner, memory = len(counts), self.prices.target.memory
        room = memory.partitions * memory.sbuf_usable_bytes
        if value.times == 1 and value.size(widths) * dtype(value.type).bytes * SHARE <= room:
            inner = max((place for place, axis in enumerate(self.order) if axis in value.axes), default=-1) + 1
        return value.times * math.prod(counts[axis] for axis in self.order[:inner])

    def _all_banks(self, widths: Widths) -> int:
        """Those in use at once."""
        if self.counts_all:
            return sum(self._whole_banks(p, widths) for p in self.products)
        found = [(p, self._banks(p, widths)) for p in self.products]
        lives = [(Life(0, 1, True, p.first, p.last), banks) for p, banks in found if not p.passes and p.last]
        return most_kept(lives) + max((banks for p, banks in found if p.passes), default=0)

    def _whole_banks(self, p: _Product, widths: Widths) -> int:
        """Of all of a product, with its rows on the partitions."""
        rows, columns = p.shape(widths)
        limits = self.prices.target.limits
        return -(-rows // limits.partitions) * -(-columns // limits.moving_free)

    def _banks(self, p: _Product, widths: Widths) -> int:
        """Of what is there of a product at a time; either side may be on the partitions."""
        limits = self.prices.target.limits
        return min(
            (1 if p.passes else -(-lanes // limits.partitions)) * -(-others // limits.moving_free)
            for lanes, others in permutations(p.shape(widths))
        )

    def _kept(self, widths: Widths) -> int:
        """The most bytes of a partition that are in use at once."""
        lanes = self.prices.target.limits.partitions
        return most_kept(
            (life, -(-life.elements * math.prod(widths[axis] for axis in axes) // lanes)) for life, axes in self.lives
        )

    def _load_time(self, moved: _Moved, size: int) -> float:
        lanes = min(self.prices.target.limits.partitions, size)
        run = moved.run * (size // moved.elements if moved.long else 1)
        return moving_time(self.prices, size, lanes, run, moved.type, moved.stores)


def _spans(body: Block) -> dict[tile.DotOp, tuple[int, int]]:
    """From where to where in a text each sum of products is in PSUM: up to the last operation that reads it, or to the
    end of the outermost loop that carries it. What goes on with a sum takes its place."""
    ops = list(body.walk())
    place = {op: number for number, op in enumerate(ops)}
    spans: dict[tile.DotOp, tuple[int, int]] = {}
    for op in reversed([op for op in ops if isinstance(op, tile.DotOp)]):
        first, last = place[op], place[op]
        for use in op.result.uses:
            user = use.operation
            if isinstance(user, YieldOp):
                loop = enclosing_loops(op)[0]
                first, last = min(first, place[loop]), max(last, *(place[inner] for inner in loop.walk()))
            elif isinstance(user, tile.DotOp) and use.index == 2 and user in spans:
                last = max(last, spans.pop(user)[1])
            else:
                last = max(last, place[user])
        spans[op] = first, last + 1
    return spans


def _passed_on(body: Block) -> set[SSAValue]:
    """The values that a product in a text depends on, other than to go on with them."""
    passed = set[SSAValue]()
    ops = list(body.walk(reverse=True))
    for _ in range(1 + max((len(enclosing_loops(op)) for op in ops), default=0)):
        for op in ops:
            match op:
                case tile.DotOp():
                    passed.update((op.a, op.b))
                    if op.acc is not None and op.result in passed:
                        passed.add(op.acc)
                case YieldOp() if (loop := op.parent_op()) is not None:
                    carried = loop.body.block.args[1:] if isinstance(loop, ForOp) else [None] * len(op.operands)
                    for operand, result, arg in zip(op.operands, loop.results, carried, strict=True):
                        if result in passed or arg in passed:
                            passed.add(operand)
                case ForOp():
                    passed.update(
                        v for v, arg in zip(op.iter_args, op.body.block.args[1:], strict=True) if arg in passed
                    )
                case _ if not passed.isdisjoint(op.results):
                    passed.update(op.operands)
                case _:
                    pass
    return passed


def multiplies(programs: ProgramsOp) -> bool:
    """Whether a product is in what a grid's programs do."""
    return any(isinstance(op, tile.DotOp) for op in programs.body.walk())


def _has_terms_along_memory(value: SSAValue, strides: Sequence[int]) -> bool:
    """Whether a tile is an operand of a product whose terms, which have to be on the partitions, follow one another in
    memory."""
    for op, dims in _operands_of(value, list(range(len(strides)))):
        over = op.over[0] if dims[0] else op.over[1]
        if any(strides[dims[1][dim]] == 1 for dim in over):
            return True
    return False


def _operands_of(value: SSAValue, dims: list[int]) -> Iterator[tuple[tile.DotOp, tuple[bool, list[int]]]]:
    """Products of a tile as it is; whether it is the first operand, and what its dimensions were."""
    for use in value.uses:
        op: Operation = use.operation
        match op:
            case tile.DotOp() if use.index < 2:
                yield op, (use.index == 0, dims)
            case tile.CastOp():
                yield from _operands_of(op.result, dims)
            case tile.PermuteOp():
                yield from _operands_of(op.result, [dims[dim] for dim in op.order.get_values()])
            case _:
                pass
