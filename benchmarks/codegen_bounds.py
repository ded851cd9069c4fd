"""What a kernel's time can't go below, from the target's table alone.

Each resource is taken at its full rate and as if nothing ever waited for it, so that no program reaches more than 100%
of a bound. Only work that every program for the kernel has to do counts: each byte of the inputs comes on chip once,
each byte of the results leaves once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nki_mlir.targets import Target

DMA, TENSOR, PSUM_PORT = "dma", "tensor", "psum port"


@dataclass(frozen=True)
class Work:
    """What every program for a kernel does: `loads` and `stores` in bytes; `products`, multiplications and additions of
    16-bit numbers; `elements` a partition that an engine must take, by engine, 128 lanes in use. `from_psum`: those
    elements are results of products, so that both engines read them from PSUM."""

    loads: int = 0
    stores: int = 0
    products: int = 0
    elements: Mapping[str, int] = field(default_factory=dict[str, int])
    from_psum: bool = False


@dataclass(frozen=True)
class Bound:
    us: float
    by: str


def bounds(work: Work, target: Target) -> list[Bound]:
    """The least time of each resource that the work needs."""
    cells = target.limits.partitions * target.limits.stationary_free
    found = {
        DMA: work.loads / dma_rate(target, target.dma.packet_overhead_ns)
        + work.stores / dma_rate(target, target.dma.store_packet_overhead_ns),
        TENSOR: work.products * target.matmul.passes["bf16"] / cells / target.clock_ghz["tensor"],
    }
    engines = {engine: count / target.clock_ghz[engine] for engine, count in work.elements.items()}
    if work.from_psum and engines.keys() <= set(target.ports.psum_exclusive):
        engines = {PSUM_PORT: sum(engines.values())}
    return [Bound(ns / 1000, by) for by, ns in {**found, **engines}.items()]


def bound(work: Work, target: Target) -> Bound:
    """The largest of the bounds."""
    return max(bounds(work, target), key=lambda one: one.us)


def dma_rate(target: Target, packet_overhead_ns: float) -> float:
    """Bytes per ns that the DMA engines of a core move in full packets, which cost so much each beside their bytes."""
    dma = target.dma
    return dma.engines * dma.packet_bytes / (dma.packet_bytes / dma.wire_bytes_per_ns + packet_overhead_ns)
