"""The Tensor engine's array (hardware.md 8.3): weights are loaded behind the stream before, one set ahead.

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

    def load_at(self) -> float:
        return max(self.load_free, self.staging_free)

    def start_load(self, now: float, load: Load) -> float:
        """Loads the first of a set's parts; gives the end of the load."""
        self.load, self.fresh = load, True
        self._load(now)
        return self.load_free

    def stream_at(self) -> float:
        """When a multiply_moving on the present weights can start."""
        if not self.fresh:
            self.fresh = True
            if self.load.pairs > 1:
                self._load(self.load_at())
        return max(self.ready, self.stream_free)

    def start_stream(self, now: float, stream: Stream) -> float:
        """Streams from `now`; gives the end of the last stream."""
        start = now
        for pair in range(stream.pairs):
            if pair:
                self._load(self.load_at())
                start = max(self.ready, self.stream_free)
            self.staging_free = start
            self.stream_free = start + stream.each + stream.gap
        self.fresh = False
        return self.stream_free - stream.gap

    def _load(self, start: float) -> None:
        self.load_free = start + self.load.each
        self.ready = self.load_free + self.load.latency
