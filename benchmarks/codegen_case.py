"""What a row of `codegen.py` is made of: a kernel's launches on arrays of some size, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from codegen_bounds import Work
from engine_builder import Kernel as HandKernel

from nki_mlir.compiled import CompiledKernel
from nki_mlir.executor import RunResult
from nki_mlir.kernel import Kernel

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]

FP32, BF16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)


class Data:
    """Makes arrays: random signed numbers, or none where only the time is asked, which takes no memory either."""

    def __init__(self, wanted: bool = True, seed: int = 0):
        self.wanted, self.rng = wanted, np.random.default_rng(seed)

    def random(self, *shape: int, dtype: Any = FP32, scale: float = 1.0) -> Array:
        if not self.wanted:
            return np.empty(shape, dtype)
        return (scale * self.rng.standard_normal(shape, np.float32)).astype(dtype)

    def integers(self, below: int, *shape: int) -> Array:
        """int32, from 0 on."""
        return self.rng.integers(0, below, shape, np.int32) if self.wanted else np.empty(shape, np.int32)

    def out(self, *shape: int, dtype: Any = FP32) -> Array:
        return np.empty(shape, dtype)


@dataclass(frozen=True)
class Launch:
    """`kernel[grid](*arguments, **meta)`."""

    kernel: Kernel
    grid: tuple[int, ...]
    arguments: Sequence[Any]
    meta: Mapping[str, Any]

    def compile(self, target: str) -> CompiledKernel:
        return self.kernel.compile(*self.arguments, grid=self.grid, target=target, **self.meta)

    def run(self, target: str) -> RunResult:
        """With data. What is compiled already is used again."""
        return self.compile(target).run(*self.arguments, **self.meta)


@dataclass(frozen=True)
class Job:
    """Launches in turn. `arrays` by the names that hand programs give their tensors, of which `out` is the result;
    `expected` computes that with NumPy, `tolerance` is the largest error, relative to its largest element."""

    launches: Sequence[Launch]
    arrays: Mapping[str, Array]
    expected: Callable[[], Array]
    tolerance: float
    work: Work

    def error(self) -> float:
        """Of what `out` holds, relative to the largest element."""
        wanted, found = (x.astype(np.float32) for x in (self.expected(), self.arrays["out"]))
        if not np.isfinite(found).all():
            return float("inf")
        return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@dataclass(frozen=True)
class Hand:
    """Programs for one piece of work, written at neuron.engine, run in turn. `make` takes a target and the sizes."""

    name: str
    make: Callable[..., Sequence[HandKernel]]

    @staticmethod
    def of(name: str, program: Callable[..., HandKernel], **options: Any) -> Hand:
        return Hand(name, lambda target, *sizes: [program(target, *sizes, **options)])


TO_HAND, TO_BOUND = "hand", "bound"


@dataclass(frozen=True)
class Goal:
    """The modelled time is to be at most `ratio` times that of what the goal is set `to`: the hand program, the bound,
    or another row's kernel, by name. Without a ratio the two are only compared."""

    ratio: float | None
    hand: Hand | None = None
    to: str = TO_HAND


@dataclass(frozen=True)
class Case:
    """A kernel at a size; `job` makes its arrays. `goals` are by target. `small` sizes run in seconds, with results."""

    name: str
    dtype: str
    size: Sizes
    small: Sizes
    job: Callable[..., Job]
    goals: Mapping[str, Sequence[Goal]]


def as_fp32(*arrays: Array) -> list[Array]:
    return [x.astype(np.float32) for x in arrays]
