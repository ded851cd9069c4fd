"""How walks over what is in PSUM are cut into banks."""

from __future__ import annotations

import math

import pytest

from nki_mlir.dialects.walks import Leg, Start, Walk
from nki_mlir.passes.storage import by_banks

BANK = 512


def walk(*counts: int) -> Walk:
    """Of 128 partitions and free digits that lie one behind the other."""
    strides = [math.prod(counts[n + 1 :]) for n in range(len(counts))]
    digits = ((0, 1), *((1, stride) for stride in strides))
    legs = (Leg(True, 1), *(Leg(False, stride) for stride in strides))
    return Walk(digits, (128, *counts), (legs,), (Start(0, 0),))


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ((512,), [512]),
        ((4, 512), [512] * 4),
        ((1024,), [512] * 2),
        ((2, 1024), [512] * 4),
        ((600,), [300] * 2),
        ((4, 200), [400] * 2),
        ((3, 200), [200] * 3),
        ((601,), [601]),
        ((2, 601), [601] * 2),
        ((16, 64), [512] * 2),
    ],
)
def test_pieces_are_banks(counts: tuple[int, ...], sizes: list[int]) -> None:
    """One behind the other, all of it; what has no size that fits is left as it is."""
    pieces = list(by_banks(walk(*counts), 0, BANK))
    assert [math.prod(piece.counts[1:]) for piece in pieces] == sizes
    starts = [piece.starts[0].offset for piece in pieces]
    assert starts == [sum(sizes[:n]) for n in range(len(sizes))]
