"""Kernels as test cases: a function that builds one, its data, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.ir import Attribute

from reference.builder import Kernel, Value
from reference.elements import Array, is_float, storage

Spec = tuple[Attribute, Sequence[int]]
"""Element type and shape of an argument."""


@dataclass(frozen=True)
class Case:
    """`write` writes the body of a kernel on arguments of these specs. `rejects` is a part of the message with which the
    compiler rejects it."""

    name: str
    write: Callable[..., None]
    grid: tuple[int, ...]
    args: tuple[Spec, ...]
    parameters: tuple[Any, ...] = ()
    rtol: float = 0.0
    atol: float = 0.0
    rejects: str | None = None
    prepare: Callable[[list[Array]], None] | None = None

    def kernel(self) -> Kernel:
        kernel = Kernel(self.grid, self.args)
        self.write(kernel, *kernel.args, *self.parameters)
        return kernel

    def arrays(self) -> list[Array]:
        rng = np.random.default_rng(abs(hash_of(self.name)))
        made = [random_array(rng, element, shape) for element, shape in self.args]
        if self.prepare is not None:
            self.prepare(made)
        return made


def hash_of(name: str) -> int:
    """The same in every process, unlike `hash`."""
    return int.from_bytes(name.encode()[-8:], "little")


def random_array(rng: np.random.Generator, element: Attribute, shape: Sequence[int]) -> Array:
    """Signed numbers: normally distributed floats, small integers."""
    if is_float(element):
        return rng.standard_normal(shape).astype(np.float32).astype(storage(element))
    return rng.integers(-100, 100, shape).astype(storage(element))


class Cases(list[Case]):
    """The cases of one file, added by decorating the function that writes the kernel."""

    def add(
        self,
        *args: Spec,
        grid: Sequence[int] = (1,),
        parameters: Sequence[Any] = (),
        name: str = "",
        **options: Any,
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        def register(write: Callable[..., None]) -> Callable[..., None]:
            text = "-".join([name or write.__name__, *(str(p) for p in parameters)])
            self.append(Case(text, write, tuple(grid), args, tuple(parameters), **options))
            return write

        return register


def matrix(kernel: Kernel, memory: Value, rows: Value, columns: Value, width: int) -> Value:
    """Pointers to a block of a row-major matrix."""
    return memory + (rows.column() * width + columns.row())


def inside(rows: Value, columns: Value, height: int, width: int) -> Value:
    """Where a block of a matrix of that size has elements."""
    left, right = rows.column() < height, columns.row() < width
    shape = (rows.shape[0], columns.shape[0])
    return left.broadcast(shape) & right.broadcast(shape)
