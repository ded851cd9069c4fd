"""Runs `neuron.isa` programs on a model of the NeuronCore. NumPy is imported with the first run, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nki_mlir.executor.result import RunResult, Slice
    from nki_mlir.executor.run import execute

__all__ = ["RunResult", "Slice", "execute"]


def __getattr__(name: str) -> Any:
    if name == "execute":
        from nki_mlir.executor.run import execute

        return execute
    if name in __all__:
        from nki_mlir.executor import result

        return getattr(result, name)
    raise AttributeError(name)
