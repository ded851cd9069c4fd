"""When garbage is collected while the compiler works."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from nki_mlir.collection import OLD, YOUNG, rare_collection


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    outer = gc.get_threshold()
    yield
    gc.set_threshold(*outer)


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        ((700, 10, 10), (YOUNG, 10, OLD)),
        ((2 * YOUNG, 5, 3 * OLD), (2 * YOUNG, 5, 3 * OLD)),
        ((0, 10, 10), (0, 10, 10)),
    ],
)
def test_collections_are_rarer_for_a_while(given: tuple[int, int, int], inside: tuple[int, int, int]) -> None:
    gc.set_threshold(*given)
    with pytest.raises(ZeroDivisionError), rare_collection():
        assert gc.get_threshold() == inside
        raise ZeroDivisionError
    assert gc.get_threshold() == given
