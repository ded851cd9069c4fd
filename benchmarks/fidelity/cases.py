"""The programs of all rows, by id."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from fidelity import (
    attention,
    autocomp,
    causal,
    convolution,
    dma,
    elementwise,
    mamba,
    matmul,
    norms,
    products,
    single,
    softmax,
    streams,
    traces,
    transposes,
)
from fidelity.entries import ENTRIES, TAGS
from fidelity.measure import TOOL, Figures

from nki_mlir.targets import TARGETS, Target, load
from nki_mlir.targets.evidence import changed, using, without

Case = Callable[[], Figures]
GROUPS = (
    matmul,
    products,
    mamba,
    attention,
    causal,
    softmax,
    elementwise,
    norms,
    dma,
    convolution,
    transposes,
    single,
    streams,
    traces,
    autocomp,
)
Values = tuple[float, ...] | None


def reported(id_: str, case: Case) -> Figures:
    """A case's figures as the tool of its entry reports them."""
    token = TOOL.set(ENTRIES[id_].tool)
    try:
        return case()
    finally:
        TOOL.reset(token)


CASES: dict[str, Case] = {id_: partial(reported, id_, case) for group in GROUPS for id_, case in group.CASES.items()}


def left_out(source: str | None) -> list[Target]:
    """The targets without the estimates of a source, where others are left."""
    tags = frozenset(TAGS.get(source, (source,))) if source is not None else frozenset[str]()
    return [changed(load(name), without(name, tags)) for name in TARGETS]


def model(id_: str, leave_out: str | None = None) -> tuple[str, dict[str, Values], float]:
    """A case's figures as tuples, without what a source says of the targets, and the seconds that it took."""
    start = time.perf_counter()
    with using(*left_out(leave_out)):
        figures = CASES[id_]()
    found: dict[str, Values] = {k: v if isinstance(v, tuple) else (v,) for k, v in figures.items()}
    return id_, found, time.perf_counter() - start
