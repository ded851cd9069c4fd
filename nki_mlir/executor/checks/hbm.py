"""Whether accesses to HBM have bytes in common, over a whole run at once."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from nki_mlir.executor.checks.boxes import Shape, runs_of
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.trace import Trace

_MOST_RUNS = 4_000_000
"""Runs of bytes that are compared."""


def meets(trace: Trace, constant: Collection[str], reads: bool = True) -> bool:
    """Whether two writes to HBM, or a write and one of the `reads`, might have a byte in common; `constant` are tensors
    that nothing writes."""
    number = {micro_op: index for index, micro_op in enumerate(dict.fromkeys(trace.micro_ops))}
    kinds = np.fromiter((number[micro_op] for micro_op in trace.micro_ops), np.int64, len(trace))
    starts: list[Array] = []
    ends: list[Array] = []
    writes: list[Array] = []
    total = 0
    for micro_op, index in number.items():
        for pattern, place in (*(micro_op.sources if reads else ()), *micro_op.targets):
            if pattern.memory.on_chip or pattern.access.tensor in constant:
                continue
            addresses = trace.numbers.column(np.flatnonzero(kinds == index), place) + pattern.memory.origin
            first, last = runs_of(0, Shape.of((0, 1), pattern.byte_dims, pattern.comb).dims)
            total += len(first) * len(addresses)
            if total > _MOST_RUNS:
                return True
            starts.append(np.add.outer(addresses, first).reshape(-1))
            ends.append(np.add.outer(addresses, last).reshape(-1))
            writes.append(np.full(len(starts[-1]), pattern.writes))
    if not starts:
        return False
    start, end, write = (np.concatenate(found) for found in (starts, ends, writes))
    order = np.argsort(start, kind="stable")
    start, end, write = start[order], end[order], write[order]
    before, written = (np.maximum.accumulate(found)[:-1] for found in (end, np.where(write, end, 0)))
    return bool(((start[1:] < written) | (write[1:] & (start[1:] < before))).any())
