"""Transfers and bandwidth."""

from __future__ import annotations

from engine_builder import Kernel
from fidelity.measure import Figures, Profile, profile


def stream(target: str, transfers: int = 64) -> tuple[float, float]:
    """GB/s of many loads of [128, 32 KiB], and the ns of a lone small one less its data, trigger to consumer."""
    k = Kernel(target)
    x = k.tensor("x", (transfers * 128, 8192))
    tile = k.sbuf(8192)
    with k.loop(transfers) as i:
        k.dma(tile.at(0, (1, 8192)), x.box(i * 128, 128, 0, 8192))
    spans = [s for s in profile(k).result.timeline if "dma" in s.unit]
    half = len(spans) // 2
    rate = 128 * 32768 * (len(spans) - half) / (spans[-1].end_ns - spans[half - 1].end_ns)
    return rate, 0.0


CASES = {}
