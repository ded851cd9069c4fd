"""The Tensor engine's array (docs/hardware.md#tensor-engine): weights are loaded behind the stream before, one set
ahead.

A load brings its weights through a pipeline of `latency` ns into the spare buffer, and may start that much before the
buffer is free, provided that its instruction was there: that is how pairs of short loads and streams follow each other
every 64 cycles, as documented.

An fp32 matmul is two load-multiply pairs. The first half of its weights is loaded by load_stationary, the second when
the first half is in use, and a further multiply_moving on the same weights loads both again.

The array's clock is halved while it is cold (docs/hardware.md#rate-of-the-array); `Clock` keeps account.

Tiles of the array that have no element in common work at the same time, each with weights and a load path of its own
(docs/hardware.md#time-of-a-matmul, assumed). A load into a tile ends those that it overlaps.
"""

from __future__ import annotations

from typing import NamedTuple

from xdsl.ir import Attribute

from nki_mlir.costs.instructions import Load, Stream
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.ticks import ticks
from nki_mlir.targets import Target

Area = tuple[tuple[int, int], tuple[int, int]]
"""Position and size of a part of the array, in rows and columns."""


_KNOWN = 64
"""Weights that are kept: 4 MiB of the largest."""


class Form(NamedTuple):
    """What a stationary tile is: `rows` and `columns` are the shape of its values, `depth` of which in each row of the
    array for a column: 2 in double-row mode, 4 of packed elements."""

    rows: int
    columns: int
    element_type: Attribute
    passes_bits: bool
    depth: int


class Weights(NamedTuple):
    """A stationary tile: fp32 [M, depth K], or as stored where its bits are passed through.
    `tag` is equal for equal tiles."""

    values: Array
    tag: object
    form: Form


class Clock:
    """How warm the array is: cold, it has `level` ns of the work that warms it up; warm, that much of the rest that
    cools it down is left. Work that takes less than half of the time is rest."""

    def __init__(self, target: Target):
        matmul = target.matmul
        self.cold_factor, self.level, self.until = matmul.cold_factor, 0.0, 0.0
        self.warm_up, self.cool_down = ticks(matmul.warm_up_ns), ticks(matmul.cool_down_ns)
        self.warm = self.warm_up <= 0

    def factor(self, now: float) -> float:
        """How many times as long as at full rate work takes that starts now."""
        if self.warm_up <= 0:
            return 1.0
        self.level = max(0.0, self.level - max(0.0, now - self.until))
        self.until = max(self.until, now)
        if self.warm and not self.level:
            self.warm = False
        return 1.0 if self.warm else self.cold_factor

    def state(self, now: float) -> tuple[bool, float, float]:
        """What later factors depend on: whether it is warm, what is left of its level, and how long it still works."""
        level = max(0.0, self.level - max(0.0, now - self.until))
        return self.warm and (level > 0 or self.warm_up <= 0), level, max(0.0, self.until - now)

    def worked(self, end: float, moved: float) -> None:
        """Until then, columns move through the array for `moved` ns."""
        idle = max(0.0, end - self.until - moved)
        self.level = max(0.0, self.level + moved - idle)
        self.until = max(self.until, end)
        if self.warm:
            self.level = min(self.level, self.cool_down)
        elif self.level >= self.warm_up:
            self.warm, self.level = True, self.cool_down


class ArrayTile:
    """Times: `load_free`, the load path is free; `staging_free`, the spare weight buffer is free; `ready`, the set in
    it can be used; `stream_free`, the next stream can start. `fresh` while the set has not been used. `undefined` are
    the weights' marks, as in `checks.undefined`."""

    def __init__(self) -> None:
        self.weights: Weights | None = None
        self.undefined: Array | None = None
        self.load = Load(1, 0.0, 0.0)
        self.load_free = self.staging_free = self.ready = self.stream_free = 0.0
        self.fresh = True

    def follow(self, other: ArrayTile) -> None:
        """Takes the place of another tile when that is done."""
        self.load_free = max(self.load_free, other.load_free)
        self.staging_free = max(self.staging_free, other.staging_free)
        self.stream_free = max(self.stream_free, other.stream_free)

    def postpone(self, ns: float) -> None:
        self.load_free += ns
        self.staging_free += ns
        self.ready += ns
        self.stream_free += ns

    def load_at(self, latency: float) -> float:
        """When the next load can start."""
        return max(self.load_free, self.staging_free - latency)

    def start_load(self, queued: float, load: Load) -> None:
        """Loads the first of a set's parts, for an instruction that was there since `queued`."""
        self.load, self.fresh = load, True
        self._load(max(queued, self.load_at(load.latency)))

    def stream_at(self) -> float:
        """When a multiply_moving on the present weights can start."""
        if not self.fresh:
            self.fresh = True
            if self.load.pairs > 1:
                self._load(self.load_at(self.load.latency))
        return max(self.ready, self.stream_free)

    def start_stream(self, now: float, stream: Stream) -> float:
        """Streams from `now`; gives the end of the last stream."""
        start = now
        for pair in range(stream.pairs):
            if pair:
                self._load(self.load_at(self.load.latency))
                start = max(self.ready, self.stream_free)
            self.staging_free = start
            self.stream_free = start + stream.each + stream.gap
        self.fresh = False
        return self.stream_free - stream.gap

    def _load(self, start: float) -> None:
        self.load_free = start + self.load.each
        self.ready = self.load_free + self.load.latency


class TensorArray:
    """The tiles in use, by area; no two overlap. `known` are the weights loaded last, by tag: no part of the machine,
    but they need not be read again while they are the same."""

    def __init__(self, target: Target) -> None:
        self.clock = Clock(target)
        self.tiles: dict[Area, ArrayTile] = {}
        self.known: dict[object, Weights] = {}

    def postpone(self, ns: float) -> None:
        """All that is under way ends later."""
        self.clock.until += ns
        for tile in self.tiles.values():
            tile.postpone(ns)

    def keep(self, weights: Weights) -> Weights:
        if len(self.known) >= _KNOWN:
            del self.known[next(iter(self.known))]
        self.known[weights.tag] = weights
        return weights

    def claim(self, area: Area) -> ArrayTile:
        """The tile that a load goes to, in place of all that it overlaps."""
        if area in self.tiles:
            return self.tiles[area]
        found = ArrayTile()
        for other in [key for key in self.tiles if overlap(key, area)]:
            found.follow(self.tiles.pop(other))
        self.tiles[area] = found
        return found


def overlap(a: Area, b: Area) -> bool:
    """Whether two parts of the array have an element in common."""
    return all(x < y + size_b and y < x + size_a for x, size_a, y, size_b in zip(a[0], a[1], b[0], b[1], strict=True))
