"""The DMA model: engines that are simulated together behave as if each were simulated alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush

import pytest

from nki_mlir.costs.transfers import Generation, Share
from nki_mlir.executor.dma import DmaEngines, Transfer
from nki_mlir.targets import load


def simulate(
    transfers: list[tuple[float, int, list[Share]]], priorities: tuple[int, ...] = (3, 3, 3)
) -> list[tuple[float | None, float]]:
    """Start and end of each transfer, given its trigger time, queue and shares; `priorities` are those of the queues."""
    events: list[tuple[float, int, Callable[[float], None]]] = []
    counter = iter(range(10**9))
    engines = DmaEngines(load("trn1"), lambda time, event: heappush(events, (time, next(counter), event)))
    static = Generation(0.0, 83.0, 0.9)
    found = [
        Transfer(("sync", queue), shares, None, lambda _, __: None, static, priorities[queue])
        for _, queue, shares in transfers
    ]
    for transfer, (trigger, _, _) in zip(found, transfers, strict=True):
        engines.submit(transfer, trigger)
    while events:
        time, _, event = heappop(events)
        event(time)
    assert not engines.lanes and all(t.parts == 0 for t in found)
    return [(t.start, t.last) for t in found]


def alone(shares: list[Share]) -> list[Share]:
    return [Share(1 << e, share.service, share.ring) for share in shares for e in range(16) if share.mask >> e & 1]


@pytest.mark.parametrize("priorities", [(3, 3, 3), (0, 3, 1)])
@pytest.mark.parametrize("seed", range(30))
def test_lanes_equal_single_engines(seed: int, priorities: tuple[int, ...]) -> None:
    """`alone` gives every engine a lane of its own; transfers of all sizes on three queues, some split unevenly."""
    rng = random.Random(seed)
    transfers: list[tuple[float, int, list[Share]]] = []
    trigger = 0.0
    for _ in range(25):
        trigger += rng.choice([83.0, 400.0, 5000.0])
        used = rng.choice([0xFFFF, 0xFFFF, 0x00FF, 0xFF00, 0x0001, 0x0FF0])
        extra = used & rng.choice([0x0000, 0x0003, 0x8000])
        sizes = rng.sample([50.0, 300.0, 1200.0, 4000.0], 2)
        masks = zip((used & ~extra, extra), sizes, strict=True)
        shares = [Share(mask, size, rng.choice([size, 700.0, 2 * size])) for mask, size in masks if mask]
        transfers.append((trigger, rng.randrange(3), shares))
    together = simulate(transfers, priorities)
    apart = simulate([(trigger, queue, alone(shares)) for trigger, queue, shares in transfers], priorities)
    for a, b in zip(together, apart, strict=True):
        assert a == pytest.approx(b)


def test_work_is_conserved() -> None:
    """Two queues that always have work keep an engine busy without a gap, at the sustained rate but for the first."""
    transfers = [(k * 100.0, k % 2, [Share(1, 1000.0, 1000.0)]) for k in range(10)]
    ends = [end for _, end in simulate(transfers)]
    assert max(ends) == pytest.approx(750 + 2 * 1000 + 8 * 1000 / 0.9 + 57)


def test_a_ring_waits_alone() -> None:
    """What keeps a ring for longer than the engine holds up the ring's next transfer, not those of others."""
    slow = [(0.0, 0, [Share(1, 50.0, 300.0)])] * 3
    assert [start for start, _ in simulate(slow)] == [750, 1050, 1350]
    short = [(0.0, 0, [Share(1, 50.0, 50.0)])] * 3
    assert [end - 57 for _, end in simulate(short)] == pytest.approx([800, 800 + 189, 800 + 2 * 189])
    other = [(0.0, 1, [Share(1, 200.0, 200.0)])]
    found = simulate(slow + other)
    assert [end for _, end in found] == pytest.approx([1050 + 57, 1350 + 57, 1650 + 57, 750 + 100 + 150 + 57])
