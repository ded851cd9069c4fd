"""What a choice of layout costs: estimates from the target's table, in ns, before there are instructions.

They rank layouts; the executor's times come from the instructions themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Attribute

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.neuron_mem import TileType
from nki_mlir.dialects.ways import BLOCK, Way, why_not
from nki_mlir.targets import Target


@dataclass(frozen=True)
class Prices:
    """Prices on one target."""

    target: Target

    def compute(self, layout: Layout) -> float:
        """An instruction of the Vector engine over a tile: its busy time, whatever the number of partitions."""
        engine = self.target.engine["vector"]
        cycles = max(engine.min_cycles, layout.elements + engine.bubble_cycles)
        return cycles / self.target.clock_ghz["vector"]

    def product(self, rows: int, columns: int, terms: int) -> float:
        """The Tensor engine's time for a product, in pieces of what the array takes."""
        limits = self.target.limits
        pieces = -(-rows // limits.stationary_free) * -(-terms // limits.partitions)
        return pieces * columns / self.target.clock_ghz["tensor"]

    def transfer(self, layout: Layout, strides: Sequence[int], element: Attribute) -> float:
        """Moving a tile to or from HBM, where its dimension `d` has stride `strides[d]`: the time of the DMA engine
        that has most to do, or of the ring, which takes one transfer at a time."""
        dma, size = self.target.dma, dtype(element).bytes
        run = _run(layout, strides)
        packets = -(-layout.elements * size // dma.packet_bytes)
        row = packets * dma.packet_overhead_ns + layout.elements * size / dma.wire_bytes_per_ns
        row += layout.elements // run * dma.run_ns
        return max(dma.queue_interval_ns, min(layout.partitions, dma.partitions_per_engine) * row)

    def convert(self, have: Layout, want: Layout, element: Attribute) -> tuple[float, Way]:
        """The cheapest exact way from one layout in SBUF to another."""
        src, dst = (TileType.of(Space.SBUF, layout, element) for layout in (have, want))
        if why_not(Way.NOTHING, src, dst) is None:
            return 0.0, Way.NOTHING
        ways = [(self._way(way, have, want, element), way) for way in Way if why_not(way, src, dst) is None]
        return min(ways)

    def _way(self, way: Way, have: Layout, want: Layout, element: Attribute) -> float:
        match way:
            case Way.NOTHING:
                return 0.0
            case Way.COPY:
                return self.compute(want)
            case Way.VECTOR:
                blocks = math.prod(-(-n // BLOCK) for n in want.shape)
                return blocks * self.compute(Layout.flat((BLOCK,)))
            case Way.DMA:
                return self._move(have, want, element)

    def _move(self, have: Layout, want: Layout, element: Attribute) -> float:
        """Transfers within SBUF, one for each partition of the side that has fewer. Whoever needs the value waits for
        all of a transfer's latency, twice: it is neither the first nor the last thing that happens to it."""
        dma = self.target.dma
        count = min(have.partitions, want.partitions)
        elements = max(have.elements * have.partitions, want.elements * want.partitions)
        moved = elements * (dtype(element).bytes / dma.wire_bytes_per_ns + dma.run_ns / dma.engines)
        return 2 * (dma.start_ns + dma.completion_ns) + count * dma.queue_interval_ns + moved


def _run(layout: Layout, strides: Sequence[int]) -> int:
    """Elements that lie next to each other on both sides."""
    run = 1
    for spot in sorted((s for s in layout.spots if not s.on_partitions), key=lambda s: s.stride):
        if spot.stride != run or strides[spot.dim] * spot.step != run:
            break
        run *= spot.size
    return run
