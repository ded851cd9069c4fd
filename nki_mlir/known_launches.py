"""Launches that are like one before: on plain arguments, the compiled kernel is found in a few microseconds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from nki_mlir.compiled import CompiledKernel
    from nki_mlir.frontend.observed import Observations

_MOST = 256


class Call(NamedTuple):
    """A launch's arguments as a key, which is equal for those that the same code is compiled for; and its arrays, which
    lie apart."""

    key: Hashable
    arrays: list[np.ndarray[Any, Any]]


class KnownLaunches:
    """Compiled kernels by `Call.key`, each with what its compiling read from outside. `names` are the parameters, each
    of which can be given either way, and `defaults` some of their values."""

    def __init__(self, names: Sequence[str], defaults: Mapping[str, Any]):
        self.names, self.defaults = names, defaults
        self._known: dict[Hashable, tuple[CompiledKernel, Observations]] = {}

    def call(self, grid: Any, args: Sequence[Any], meta: Mapping[str, Any]) -> Call | None:
        """None unless arrays are NumPy's, contiguous, given by place and apart, and all else are plain numbers and
        texts."""
        import numpy as np

        if len(args) > len(self.names):
            return None
        key: list[Hashable] = [len(args)]
        arrays: list[np.ndarray[Any, Any]] = []
        for value in args:
            if type(value) is np.ndarray:
                if not value.flags.c_contiguous or not value.ndim or value.dtype == bool:
                    return None
                arrays.append(value)
                key.append((value.dtype, value.shape))
            elif (token := _token(value)) is not None:
                key.append(token)
            else:
                return None
        for name, value in meta.items():
            if (token := _token(value)) is None:
                return None
            key.append((name, token))
        if callable(grid):
            grid = _grid(grid, {**self.defaults, **dict(zip(self.names, args, strict=False)), **meta})
        sizes = tuple(grid) if isinstance(grid, tuple | list) else (grid,)
        if any(type(size) is not int for size in sizes) or not _are_apart(arrays):
            return None
        return Call((sizes, *key), arrays)

    def find(self, call: Call) -> CompiledKernel | None:
        """What has been compiled for a call, if all that it depends on is as it was."""
        found = self._known.get(call.key)
        if found is None or not found[1].hold():
            return None
        return found[0]

    def note(self, call: Call, compiled: CompiledKernel, observed: Observations) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[call.key] = compiled, observed


def _token(value: Any) -> Hashable:
    """Equal for plain values that no kernel can tell apart; None for all others."""
    kind = type(value)
    if kind is float:
        return value.hex()
    return (kind, value) if kind in (int, bool, str) else None


def _grid(function: Callable[[dict[str, Any]], Any], arguments: dict[str, Any]) -> Any:
    try:
        return function(arguments)
    except Exception:
        return None


def _are_apart(arrays: Sequence[np.ndarray[Any, Any]]) -> bool:
    end = 0
    for start, length in sorted((a.__array_interface__["data"][0], a.nbytes) for a in arrays):
        if start < end or not length:
            return False
        end = start + length
    return True
