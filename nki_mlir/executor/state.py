"""State that an engine keeps between instructions, beside the memories: accumulators, values loaded for a search,
random generators. Instructions issue in order and use it as they issue: no semaphore is needed between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nki_mlir.executor.numerics import Array


@dataclass
class EngineState:
    """`accumulator`: fp32 [128], one register per partition, of the instructions that take a `reduce_cmd`; NaN until
    one of them resets or loads it."""

    accumulator: Array = field(default_factory=lambda: np.full(128, np.nan, np.float32))
