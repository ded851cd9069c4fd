"""What meanings are made of: how one reads its inputs, widens them, and stores its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
from xdsl.ir import Attribute

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.dtypes import dtype
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


Into = Callable[..., Callable[[], Any]]
"""Takes an array, and then what `compute` takes; gives what puts the first output, whole, into that array, and returns
the other outputs, if there are any. The array shares no bytes with the tiles, unless with the first one, element by
element."""


class Meaning(NamedTuple):
    """`bits`: arrays are unsigned words. `stateful`: `compute` takes the engine's `EngineState` before the tiles.
    `check` takes the tiles first, in a run with checks; it raises Undefined. `into` does what `compute` does, bit for
    bit, without an array in between. `masked`: outputs may be Masked."""

    compute: Compute
    bits: bool = False
    stateful: bool = False
    check: Callable[[Sequence[Array]], None] | None = None
    into: Into | None = None
    masked: bool = False

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
    return reversed_if(op, reverse)


def reversed_if(op: Binary, reverse: bool) -> Binary:
    """An operator that takes its arguments the other way round, if that is asked."""
    return (lambda a, b: op(b, a)) if reverse else op


_FLOATS = frozenset({"float32", "bfloat16", "float16"})
"""What NumPy narrows fp32 to as a store does."""
_CASTS = {*_FLOATS, "tfloat32", "int32", "int16", "int8", "uint32", "uint16", "uint8", "bool"}
"""What NumPy widens to fp32 as a load does."""


class Stage(NamedTuple):
    """An operator of NumPy, its operands by name, None for the result of the stage before."""

    op: object
    operands: tuple[str | None, ...]


Call = Callable[[], object]
Fill = Callable[[Array, Sequence[Array]], Sequence[Call]]
"""From an array and the tiles to the calls that fill it, in order."""


def filling(fill: Fill | None) -> Into | None:
    """As the `into` of an instruction with one output."""
    if fill is None:
        return None

    def into(out: Array, *tiles: Array) -> Call:
        calls = fill(out, tiles)
        return calls[0] if len(calls) == 1 else partial(in_turn, calls)

    return into


def in_turn(calls: Sequence[Call]) -> None:
    for call in calls:
        call()


def chain(i: Instance, stages: Sequence[Stage], name: str = "dst") -> Fill | None:
    """Puts the result of some stages into an array, as `compute` would store it; None where that takes more than
    NumPy's own casts."""
    names = tile_names(i)
    read = [operand for stage in stages for operand in stage.operands if operand in names]
    ufuncs = [stage.op for stage in stages if isinstance(stage.op, np.ufunc) and stage.op in _INTO]
    if len(ufuncs) < len(stages) or dtype(operand_type(i, name)).name not in _FLOATS:
        return None
    if any(dtype(operand_type(i, operand)).name not in _CASTS for operand in read):
        return None
    rounds = len(stages) > 1 and dtype(operand_type(i, name)).name != "float32"
    picks = [[None if operand is None else _as_stored(i, operand) for operand in s.operands] for s in stages]
    calls = list(zip(ufuncs, picks, strict=True))

    def fill(out: Array, tiles: Sequence[Array]) -> Sequence[Call]:
        room, found = np.empty(out.shape, np.float32) if rounds else out, list[Call]()
        for place, (op, operands) in enumerate(calls, 1):
            arguments = [room if pick is None else pick(tiles) for pick in operands]
            to = out if place == len(calls) else room
            plain = all(a.dtype == np.float32 for a in (*arguments, to))
            options = {} if plain else {"dtype": np.float32, "casting": "unsafe"}
            found.append(partial(op, *arguments, out=to, **options))
        return found

    return fill


def _as_stored(i: Instance, name: str) -> Pick:
    """Takes an operand out of the inputs as it is; a constant where it is no tile."""
    return (lambda tiles: tiles[index]) if (index := _index(i, name)) is not None else fp32(i, name)


def _index(i: Instance, name: str) -> int | None:
    names = tile_names(i)
    return names.index(name) if name in names else None


_INTO = frozenset(
    {
        *(np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum),
        *(np.positive, np.square, np.sqrt, np.reciprocal, np.exp, np.log, np.tanh, np.sign, np.abs),
    }
)
"""Operators from fp32 to fp32."""


def moved(out: Array, src: Array) -> Call:
    """Puts elements where they are to be, whatever they stand for."""
    return partial(np.copyto, out, src)


def in_place(op: Binary) -> Binary:
    """An operator whose first argument is a new array of the result's type and shape, that may take the result."""
    return (lambda a, b: op(a, b, out=a)) if isinstance(op, np.ufunc) else op


def store_as(i: Instance, name: str = "dst") -> numerics.Convert:
    return numerics.storer(operand_type(i, name))
