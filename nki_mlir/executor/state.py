"""State that an engine keeps between instructions, beside the memories: accumulators, values loaded for a search,
random generators. Instructions issue in order and use it as they issue: no semaphore is needed between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nki_mlir.executor.generators import Counting, Xorwow
from nki_mlir.executor.numerics import Array


@dataclass
class EngineState:
    """`accumulator`: fp32 [128], one register per partition, of the instructions that take a `reduce_cmd`; NaN until
    one of them resets or loads it. `matches`: fp32 [128, 8], what a search looks for; None until it is loaded."""

    accumulator: Array = field(default_factory=lambda: np.full(128, np.nan, np.float32))
    matches: Array | None = None
    _xorwow: Xorwow | None = None

    def xorwow(self, streams: int) -> Xorwow:
        """The engine's generators, of which each partition has so many."""
        if self._xorwow is None:
            self._xorwow = Xorwow(streams)
        return self._xorwow

    def reset(self) -> None:
        """As it is before the first instruction."""
        self.__dict__.clear()
        self.__init__()

    @cached_property
    def counting(self) -> Counting:
        """The generator of an engine that has no XORWOW."""
        return Counting()
