"""What a long run takes of memory for each instruction, checks on."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hand_written import Program, stream, tiny


def peak(make: Callable[[int], Program], iterations: int) -> tuple[int, int]:
    """Instructions, and the bytes that a run adds at its peak."""
    program = make(iterations)
    tracemalloc.start()
    try:
        result = program.run(checks=True)
        return result.instructions, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make, most", [(tiny, 200), (stream, 320)])
def test_bytes_for_each_further_instruction(make: Callable[[int], Program], most: int) -> None:
    """The difference of two runs; regions of more addresses than are kept don't count."""
    (few, low), (many, high) = peak(make, 5000), peak(make, 8000)
    assert (high - low) / (many - few) < most
