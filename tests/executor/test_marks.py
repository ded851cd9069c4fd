"""What is marked as written is what was written, by whom it was written last."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.dtypes import bf16
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import EventSemaphoreOp
from nki_mlir.executor.machine import MATMUL, OTHER, Pattern, on_chip
from nki_mlir.executor.marks import Marks, Rectangle

ROWS, BYTES = 4, 24


def some(rng: random.Random) -> Rectangle:
    first, last = rng.choice(((0, ROWS), (0, ROWS), (0, 2), (2, ROWS), (1, 3)))
    low = rng.randrange(0, BYTES - 1)
    return Rectangle(first, last, low, rng.randrange(low + 1, BYTES + 1))


def put(marks: Marks, bytes_: np.ndarray) -> None:
    """Brings the marks to the bytes, each once: no two writers have one."""
    seen = np.zeros_like(bytes_)
    for (first, last, low, high), writer in marks.take():
        assert not (seen[first:last, low:high] & ~np.uint8(writer)).any()
        seen[first:last, low:high] = bytes_[first:last, low:high] = writer


@pytest.mark.parametrize("seed", range(200))
def test_against_bytes(seed: int) -> None:
    rng = random.Random(seed)
    marks, late, known = Marks(), np.zeros((ROWS, BYTES), np.uint8), np.zeros((ROWS, BYTES), np.uint8)
    for _ in range(20):
        at, writer = some(rng), rng.choice((1, 1, 1, 2))
        known[at.first : at.last, at.low : at.high] = writer
        if not marks.add(at, writer):
            put(marks, late)
            late[at.first : at.last, at.low : at.high] = writer
        asked = some(rng)
        there = known[asked.first : asked.last, asked.low : asked.high]
        for whose in (None, 1, 2):
            if marks.cover(asked, whose):
                assert there.all() if whose is None else (there == whose).all()
    put(marks, late)
    assert (late == known).all()
    assert not list(marks.take())


def test_pieces_make_a_whole() -> None:
    marks = Marks()
    for low in (8, 0, 4, 16):
        assert marks.add(Rectangle(0, ROWS, low, low + 4), 1)
    assert marks.cover(Rectangle(1, 3, 0, 12), 1)
    assert not marks.cover(Rectangle(0, ROWS, 0, 13))
    assert not marks.cover(Rectangle(0, ROWS, 8, 20))
    assert not marks.cover(Rectangle(0, ROWS, 0, 12), 2)
    assert marks.add(Rectangle(0, ROWS, 12, 16), 2)
    assert not marks.add(Rectangle(2, ROWS + 1, 11, 12), 2)
    assert [place for place, writer in marks.take() if writer == 1] == [(0, ROWS, 0, 12), (0, ROWS, 16, 20)]


@pytest.mark.parametrize("seed", range(100))
def test_the_bytes_of_patterns(seed: int) -> None:
    """Whatever the order and the gaps of a pattern, the state of memory is that of its elements."""
    rng = random.Random(seed)
    memory = on_chip("SBUF", 8, 512, checks=True)
    known = np.zeros((8, 512), np.uint8)
    for number in range(6):
        sizes = [rng.choice((1, 2, 3, 4)) for _ in range(3)]
        steps = [1, sizes[0] + rng.choice((0, 0, 1)), 0]
        steps[2] = steps[1] * sizes[1] + rng.choice((0, 0, 2))
        dims = [(step * rng.choice((1, 1, 1, -1)), size) for step, size in zip(steps, sizes, strict=True)]
        rng.shuffle(dims)
        first, writer = rng.randrange(0, 5), rng.choice((OTHER, OTHER, MATMUL))
        access = Access(Space.SBUF, bf16, tuple(dims), first, rng.randrange(1, 4), Expr(0))
        pattern = Pattern(EventSemaphoreOp(), "dst", access, memory, np.dtype(np.uint16), access.dims, writes=True)
        address = 2 * rng.randrange(90, 160)
        pattern.written(pattern.bind(address), writer)
        for place in product(*(range(count) for _, count in dims)):
            at = address + 2 * sum(n * step for n, (step, _) in zip(place, dims, strict=True))
            known[first : first + access.partitions, at : at + 2] = writer
        if number % 3 == 2:
            assert memory.state is not None
            assert (memory.state[:, :512] == known).all()
