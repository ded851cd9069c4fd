"""Runs `neuron.isa` programs on a model of the NeuronCore. NumPy is imported with the first run, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nki_mlir.executor.profile import Profile, UnitProfile, Wait
    from nki_mlir.executor.result import RunResult, Slice
    from nki_mlir.executor.run import execute, time_program

__all__ = ["Profile", "RunResult", "Slice", "UnitProfile", "Wait", "execute", "time_program"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    homes = {"execute": "run", "time_program": "run", "RunResult": "result", "Slice": "result"}
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"nki_mlir.executor.{homes.get(name, 'profile')}"), name)
