"""Variables in parts, as a loop carries them: of a block pointer its offsets, one by one.

A loop sees `p`, a block pointer without offsets, which must stay as it is, and `p.0`, `p.1`, … beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from nki_mlir.frontend.values import BlockPointer

T = TypeVar("T")


def spread(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with those that have parts in parts."""
    found: dict[str, Any] = {}
    for name, value in variables.items():
        found[name] = replace(value, offsets=()) if isinstance(value, BlockPointer) else value
        if isinstance(value, BlockPointer):
            found |= {f"{name}.{dim}": offset for dim, offset in enumerate(value.offsets)}
    return found


def gathered(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Back: the variables whole."""
    return {name: _whole(name, value, variables) for name, value in variables.items() if not is_part(name)}


def _whole(name: str, value: Any, variables: Mapping[str, Any]) -> Any:
    if not isinstance(value, BlockPointer):
        return value
    return replace(value, offsets=tuple(variables[f"{name}.{dim}"] for dim in range(len(value.array.block_shape))))


def is_part(name: str) -> bool:
    return "." in name


def owner(name: str) -> str:
    """The variable that a part is of; any other name is its own."""
    return name.partition(".")[0]


def with_parts(written: Mapping[str, T], variables: Mapping[str, Any]) -> dict[str, T]:
    """What is said of variables, said of their parts too."""
    return {name: what for variable, what in written.items() for name in (variable, *_parts(variable, variables))}


def _parts(name: str, variables: Mapping[str, Any]) -> list[str]:
    value = variables.get(name)
    ranks = range(len(value.array.block_shape)) if isinstance(value, BlockPointer) else ()
    return [f"{name}.{dim}" for dim in ranks]
