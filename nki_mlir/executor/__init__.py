"""Runs `neuron.isa` programs on a model of the NeuronCore. NumPy is imported with the first run, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nki_mlir.executor.result import RunResult, Slice
    from nki_mlir.executor.run import execute, time_program

__all__ = ["RunResult", "Slice", "execute", "time_program"]


def __getattr__(name: str) -> Any:
    if name in ("execute", "time_program"):
        from nki_mlir.executor import run

        return getattr(run, name)
    if name in __all__:
        from nki_mlir.executor import result

        return getattr(result, name)
    raise AttributeError(name)
