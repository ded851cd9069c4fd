"""Room for kernels with long expressions: the syntax tree and the IR are walked by functions that call themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEPTH = 12_000
"""Python's recursion limit while a kernel is compiled: enough for sums of some thousand terms, and little enough for
the stack of the process."""


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raises Python's recursion limit."""
    outer = sys.getrecursionlimit()
    sys.setrecursionlimit(max(outer, DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(outer)
