"""Garbage collection while the compiler and the executor work, which is up to a fifth of their time if left as it is:
they make many objects that last, and Python looks at the young ones again after every 700."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000
"""Objects that are made from one collection to the next while a module is compiled. IR is full of cycles, so that
garbage has to be collected; this much of it takes about 10 MB."""

OLD = 100
"""Collections of the middle generation before one looks at all objects of the process, of other libraries too, which
takes longer than a small kernel does."""


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collects after `YOUNG` new objects, and all after `OLD` such collections, if not more seldom as it is."""
    outer = gc.get_threshold()
    if outer[0]:  # 0: never
        gc.set_threshold(max(outer[0], YOUNG), outer[1], max(outer[2], OLD))
    try:
        yield
    finally:
        gc.set_threshold(*outer)


@contextmanager
def no_collection() -> Iterator[None]:
    """Collects nothing, for what makes no cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
