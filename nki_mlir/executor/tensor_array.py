"""The Tensor engine's array (hardware.md 8.3): weights are loaded behind the stream before, one set ahead.

A load brings its weights through a pipeline of `latency` ns into the spare buffer, and may start that much before the
buffer is free, provided that its instruction was there: that is how pairs of short loads and streams follow each other
every 64 cycles, as documented.

An fp32 matmul is two load-multiply pairs. The first half of its weights is loaded by load_stationary, the second when
the first half is in use, and a further multiply_moving on the same weights loads both again.
"""

from __future__ import annotations

from nki_mlir.executor.cost import Load, Stream
from nki_mlir.executor.numerics import Array


class TensorArray:
    """`weights` is the loaded tile, fp32 [M, K]. Times: `load_free`, the load path is free; `staging_free`, the spare
    weight buffer is free; `ready`, the set in it can be used; `stream_free`, the next stream can start. `fresh` while
    the set has not been used."""

    def __init__(self) -> None:
        self.weights: Array | None = None
        self.wide = False
        self.load = Load(1, 0.0, 0.0)
        self.load_free = self.staging_free = self.ready = self.stream_free = 0.0
        self.fresh = True

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
