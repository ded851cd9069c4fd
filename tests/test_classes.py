"""Classes of things that belong together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.analysis.classes import Classes


def test_long_chains() -> None:
    """As long as a kernel may be: no recursion goes along them."""
    classes = Classes[int]()
    for number in range(5000):
        classes.unite(number, number + 1)
    assert classes.of(0) == classes.of(5000) == 5000


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_what_is_united(pairs: list[tuple[int, int]]) -> None:
    classes, sets = Classes[int](), {n: {n} for n in range(10)}
    for one, other in pairs:
        classes.unite(one, other)
        both = sets[one] | sets[other]
        sets.update(dict.fromkeys(both, both))
    for one in range(10):
        assert {other for other in range(10) if classes.of(other) == classes.of(one)} == sets[one]
