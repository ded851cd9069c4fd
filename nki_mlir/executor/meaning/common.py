"""What meanings are made of: how one reads its inputs, widens them, and stores its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from xdsl.ir import Attribute

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.instructions import COMPARISONS, Alu, Instance
from nki_mlir.executor import numerics
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, BITWISE, Binary


class Undefined(Exception):
    """An instruction gives no defined result for the data that it found; the text says why. `kind` is that of the
    error which it becomes."""

    kind = "bounds"


class OutOfRange(Undefined):
    """An argument outside the documented range of a function."""

    kind = "range"


class Masked(NamedTuple):
    """An output of which only the elements under the mask are written."""

    values: Array
    mask: Array


Output = Array | Masked
Compute = Callable[..., Sequence[Any]]
"""Gives an Output for each output of the instruction."""


class Meaning(NamedTuple):
    """`bits`: arrays are unsigned words. `stateful`: `compute` takes the engine's `EngineState` before the tiles.
    `check` takes the tiles first, in a run with checks; it raises Undefined."""

    compute: Compute
    bits: bool = False
    stateful: bool = False
    check: Callable[[Sequence[Array]], None] | None = None

    def checked(self) -> Meaning:
        """The meaning whose `compute` checks first."""
        if (check := self.check) is None:
            return self
        compute, first = self.compute, int(self.stateful)

        def after_check(*inputs: Any) -> Sequence[Any]:
            check(inputs[first:])
            return compute(*inputs)

        return self._replace(compute=after_check)


Of = Callable[[Instance], Meaning]
"""Fixes one occurrence of an instruction."""
Pick = Callable[[Sequence[Array]], Any]

_LOGICAL = {Alu.LOGICAL_AND, Alu.LOGICAL_OR, Alu.LOGICAL_XOR, Alu.LOGICAL_NOT}


def tile_names(i: Instance) -> list[str]:
    """The operands that are inputs from memory, in the order in which a meaning takes them."""
    return [o.name for o in i.instruction.operands if o.role == "src" and isinstance(i.operands.get(o.name), Access)]


def operand_type(i: Instance, name: str) -> Attribute:
    return cast(Access, i.operands[name]).element_type


def fp32(i: Instance, name: str, default: float | None = None) -> Pick:
    """Takes an operand, widened, out of the inputs; a constant where it is no tile."""
    value = i.operands.get(name, default)
    if isinstance(value, Access):
        index, load = tile_names(i).index(name), numerics.loader(value.element_type)
        return lambda tiles: load(tiles[index])
    constant = np.float32(cast(float, value))
    return lambda tiles: constant


def word(i: Instance, name: str) -> Pick:
    """As `fp32` for bit patterns, which all have the width of the destination."""
    width, value = numerics.bits(operand_type(i, "dst")), i.operands[name]
    if isinstance(value, Access):
        index = tile_names(i).index(name)
        return lambda tiles: tiles[index]
    constant = np.asarray(int(value) & np.iinfo(width).max, width)
    return lambda tiles: constant


def operator(alu: Alu, reverse: bool) -> Binary:
    """An operator whose result is a number that another one takes."""
    op = BITWISE.get(alu) or ARITHMETIC[alu]
    if alu in COMPARISONS or alu in _LOGICAL:
        found = op
        op = lambda a, b: found(a, b).astype(np.float32)  # noqa: E731
    return (lambda a, b: op(b, a)) if reverse else op


def in_place(op: Binary) -> Binary:
    """An operator whose first argument is a new array of the result's type and shape, that may take the result."""
    return (lambda a, b: op(a, b, out=a)) if isinstance(op, np.ufunc) else op


def store_as(i: Instance, name: str = "dst") -> numerics.Convert:
    return numerics.storer(operand_type(i, name))
