"""What a long run takes of memory for each instruction, checks on."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hand_written import Program, stream, tiny

from nki_mlir.executor import machine
from nki_mlir.executor.checks import races


def peak(make: Callable[[int], Program], iterations: int) -> tuple[int, int]:
    """Instructions, and the bytes that a run adds at its peak."""
    program = make(iterations)
    tracemalloc.start()
    try:
        result = program.run_events(checks=True)
        return result.instructions, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make, most", [(tiny, 200), (stream, 320)])
def test_bytes_for_each_further_instruction(
    make: Callable[[int], Program], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference of two runs that both have more regions and boxes than are kept at hand."""
    monkeypatch.setattr(machine, "_CACHED_REGIONS", 64)
    monkeypatch.setattr(races, "_KEPT", 64)
    (few, low), (many, high) = peak(make, 300), peak(make, 1300)
    assert (high - low) / (many - few) < most
