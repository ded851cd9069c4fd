"""A program's arithmetic without its events.

Where no address and no branch depends on data, a program does the same at every launch, and what it does has been seen
once: the trace of a run. Where its semaphores are known to order all that touches common bytes, the order in which its
instructions were issued gives the same bytes as the events did. So a `Plan` is a list of steps in that order, each with
its views made beforehand, and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from nki_mlir.executor.numerics import Array
from nki_mlir.executor.state import EngineState

Work = Callable[[], object]
"""A step."""


class View:
    """Some bytes of a memory, as `array`: on chip once and for all; in tensor number `tensor`, which is -1 on chip, for
    one launch."""

    __slots__ = ("array", "contiguous", "dtype", "offset", "shape", "strides", "tensor")

    def __init__(
        self, tensor: int, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int, strides: tuple[int, ...]
    ):
        self.tensor, self.shape, self.dtype, self.offset, self.strides = tensor, shape, dtype, offset, strides
        self.array: Array | None = None
        self.contiguous = strides == np.empty(shape, dtype).strides if tensor >= 0 else False

    def open(self, data: Array) -> None:
        """Shows bytes of `data`."""
        self.array = np.ndarray(self.shape, self.dtype, data, self.offset, self.strides)


class Plan:
    """`steps` in order; `views` are those of tensors, and `states` are the engines', which start anew each time."""

    def __init__(self, steps: Sequence[Work], views: Sequence[View], states: Sequence[EngineState]):
        self.steps, self.views, self.states = steps, views, states
        self.lock = Lock()

    def run(self, tensors: Sequence[Array]) -> None:
        """Does the work on the bytes of the program's tensors. Raises ExecutionError as the events would."""
        with self.lock, np.errstate(all="ignore"):
            for view in self.views:
                view.open(tensors[view.tensor])
            for state in self.states:
                state.reset()
            try:
                for step in self.steps:
                    step()
            finally:
                for view in self.views:
                    view.array = None
