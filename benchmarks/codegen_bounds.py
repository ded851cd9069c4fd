"""What a kernel's time can't go below, from the target's table alone.

Each resource is taken at its full rate and as if nothing ever waited for it, so that no program reaches more than 100%
of a bound. Only work that every program for the kernel has to do counts: each byte of the inputs comes on chip once,
each byte of the results leaves once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nki_mlir.costs.transfers import full_rate
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
    tensor = target.clock_ghz["tensor"] * target.matmul.sustained_rate
    found = {
        DMA: (work.loads + work.stores) / full_rate(target),
        TENSOR: work.products * target.matmul.passes["bf16"] / cells / tensor,
    }
    engines = {engine: count / target.clock_ghz[engine] for engine, count in work.elements.items()}
    if work.from_psum and engines.keys() <= set(target.ports.psum_exclusive):
        engines = {PSUM_PORT: sum(engines.values())}
    return [Bound(ns / 1000, by) for by, ns in {**found, **engines}.items()]


def bound(work: Work, target: Target) -> Bound:
    """The largest of the bounds."""
    return max(bounds(work, target), key=lambda one: one.us)
