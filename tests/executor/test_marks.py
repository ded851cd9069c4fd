"""What is marked as written is what was written, by whom it was written last."""

from __future__ import annotations

import random

import numpy as np
import pytest

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
