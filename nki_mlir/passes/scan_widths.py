"""How many iterations of a loop had best become one scan: what that costs, before anything is placed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.linear_states import Made, Recurrences
from nki_mlir.costs.layouts import Prices
from nki_mlir.costs.transfers import least_ns
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.dtypes import dtype, f32
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.widths import (
    ALIKE,
    DEPTH,
    Life,
    free_sizes,
    is_placed,
    is_view,
    lives,
    most_kept,
    moving_time,
    powers,
    run_of,
    size_of,
    stored,
    words,
)

_GAIN = 0.9
"""What part of its time a loop may still take where it is worth to make scans of it."""

_ROOM = 3
"""How many quarters of SBUF an estimate may fill: layouts are not chosen yet, and programs will run together."""


@dataclass(frozen=True)
class _Moved:
    """An access of an iteration, the next one's `step` further in memory. With `is_fixed` it is the same whenever the
    loop runs."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    step: int
    type: Attribute
    stores: bool
    is_fixed: bool

    def run(self, width: int) -> int:
        """How many elements lie together in memory."""
        return run_of((*self.shape, width), (*self.strides, self.step))


@dataclass
class Steps:
    """A loop of `trips` iterations that runs `times` times. An iteration's work can be spread over `lanes` partitions;
    `kept` bytes of each are in use from before the loop. The lists are of how many elements, of which type, an
    iteration makes: as a state, only on the way to one, and otherwise, where it differs between iterations. What is
    made of two tiles counts twice: the Vector engine reads one after the other."""

    trips: int
    times: int
    lanes: int
    kept: int
    states: list[tuple[int, Attribute]] = field(default_factory=list)
    dropped: list[tuple[int, Attribute]] = field(default_factory=list)
    computed: list[tuple[int, Attribute]] = field(default_factory=list)
    transfers: list[_Moved] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    @classmethod
    def of(cls, loop: ForOp, trips: int, known: Recurrences, differs: set[SSAValue], lanes: int) -> Steps:
        body, outer = loop.body.block, _outside(loop)
        lanes = min(lanes, *free_sizes(body), *(size_of(one.carried.argument) for one in known.found))
        times = math.prod(trip_count(around) or 1 for around in enclosing_loops(loop)) * math.prod(_grid(loop))
        steps = cls(trips, times, lanes, sum(_share(size, lanes) * bytes_ for size, bytes_ in outer))
        steps.lives = [*lives(body, differs), *_new(known, len(list(body.walk())))]
        lists = {**dict.fromkeys(differs, steps.computed), **dict.fromkeys(known.dropped, steps.dropped)}
        lists |= dict.fromkeys(known.states, steps.states)
        for op in body.walk():
            if isinstance(op, AccessOp) and not differs.isdisjoint((op.moved, *op.operands)):
                steps.transfers.append(_transfer(op, body.args[0]))
            reads = 2 if sum(map(is_placed, op.operands)) > 1 else 1
            for value in () if is_view(op) else filter(is_placed, op.results):
                if value in lists:
                    count = 1 if value in known.states else reads
                    lists[value].append((count * words(value) * size_of(value), stored(value)))
        return steps

    def best(self, prices: Prices) -> int:
        """How many iterations had best become one; 1 where that is not worth it."""
        found = {width: self.price(width, prices) for width in self._widths()}
        least = min(found.values(), default=math.inf)
        if least >= _GAIN * self._alone(prices):
            return 1
        return max(width for width, price in found.items() if price <= least * ALIKE)

    def _widths(self) -> list[int]:
        """The widest of those that need as many scans."""
        return sorted({-(-self.trips // parts) for parts in powers(self.trips)} - {1})

    def price(self, width: int, prices: Prices) -> float:
        """The time, in ns, of all iterations, `width` of them as one; infinite where their tiles don't fit."""
        memory, dma = prices.target.memory, prices.target.dma
        room = memory.sbuf_usable_bytes * _ROOM // 4 - self.kept
        depth = min(DEPTH, room // max(self._kept(width), 1))
        if depth < 1:
            return math.inf
        computed = sum(prices.compute(self._made(n, width), type_) for n, type_ in self.computed)
        computed += sum(
            _share(n, self.lanes) * prices.compute(Layout.flat((2 * width,)), type_) for n, type_ in self.states
        )
        groups = self.times * -(-self.trips // width)
        once = sum(
            self._moved(moved, width, prices) for moved in self.transfers if moved.is_fixed and width == self.trips
        )
        moved = sum(self._moved(moved, width, prices) for moved in self.transfers) - once
        latency = 2 * (dma.start_ns + dma.completion_ns) + moved + computed
        return once + latency + (groups - 1) * max(moved, self._rings(prices), computed, latency / depth)

    def _alone(self, prices: Prices) -> float:
        """The least time of all iterations as they are."""
        made = (*self.computed, *self.dropped, *self.states)
        computed = sum(prices.compute(self._made(n, 1), type_) for n, type_ in made)
        moved = sum(self._moved(moved, 1, prices) for moved in self.transfers)
        return self.times * self.trips * max(computed, moved, self._rings(prices))

    def _rings(self, prices: Prices) -> float:
        """An engine starts a transfer at a time."""
        stores = sum(moved.stores for moved in self.transfers)
        return least_ns(prices.target) * max(stores, len(self.transfers) - stores)

    def _kept(self, width: int) -> int:
        """The most bytes of a partition that are in use at once."""
        return most_kept(
            (life, (width if life.differs else 1) * _share(life.elements, self.lanes)) for life in self.lives
        )

    def _made(self, elements: int, width: int) -> Layout:
        return Layout.flat((width * _share(elements, self.lanes),))

    def _moved(self, moved: _Moved, width: int, prices: Prices) -> float:
        elements = width * _share(math.prod(moved.shape), self.lanes) * self.lanes
        return moving_time(prices, elements, self.lanes, moved.run(width), moved.type, moved.stores)


def _share(elements: int, lanes: int) -> int:
    """How many elements of a tile a partition has: all of those that are too few, which are needed on each."""
    return -(-elements // lanes) if elements >= lanes else elements


def _new(known: Recurrences, end: int) -> list[Life]:
    """Tiles that are made for the scans alone: factors and summands, up to the end of an iteration."""
    parts = [(part, one.carried.argument) for one in known.found for part in (one.factor, one.addend)]
    return [Life(size_of(like), dtype(f32).bytes, True, 0, end) for part, like in parts if isinstance(part, Made)]


def _transfer(op: AccessOp, counter: SSAValue) -> _Moved:
    shape, coordinates = sizes_of(op.moved), resolved(op.over_values)
    others = (key for key in coordinates.address.counters() if key is not counter)
    fixed = not op.indices and not any(isinstance(key, SSAValue) for key in others)
    step, strides = coordinates.address.coefficient(counter), coordinates.strides(len(shape))
    return _Moved(shape, strides, step, stored(op.moved), isinstance(op, tile.WriteOp), fixed)


def _outside(loop: ForOp) -> list[tuple[int, int]]:
    """The elements, and bytes of each, of the tiles that a loop uses and does not make."""
    used = {value for op in loop.body.walk() for value in op.operands if is_placed(value)}
    made = {value for op in loop.body.walk() for value in op.results} | set(loop.body.block.args)
    return [(size_of(value), words(value) * dtype(stored(value)).bytes) for value in used - made]


def _grid(loop: ForOp) -> tuple[int, ...]:
    parent = loop.parent_op()
    while parent is not None and not isinstance(parent, ProgramsOp):
        parent = parent.parent_op()
    return () if parent is None else tuple(parent.grid)
