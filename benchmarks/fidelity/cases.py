"""The programs of all rows, by id."""

from __future__ import annotations

import time
from collections.abc import Callable

from fidelity import attention, convolution, dma, elementwise, mamba, matmul, norms, transposes
from fidelity.measure import Figures

GROUPS = (matmul, mamba, attention, elementwise, norms, dma, convolution, transposes)
CASES: dict[str, Callable[[], Figures]] = {id_: case for group in GROUPS for id_, case in group.CASES.items()}

Values = tuple[float, ...] | None


def model(id_: str) -> tuple[str, dict[str, Values], float]:
    """A case's figures as tuples, and the seconds that it took."""
    start = time.perf_counter()
    figures = CASES[id_]()
    found: dict[str, Values] = {k: v if isinstance(v, tuple) else (v,) for k, v in figures.items()}
    return id_, found, time.perf_counter() - start
