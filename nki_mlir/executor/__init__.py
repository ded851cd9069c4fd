"""Runs `neuron.isa` programs on a model of the NeuronCore. NumPy is imported with the first run, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nki_mlir.executor.executable import Executable
    from nki_mlir.executor.profile import Profile
    from nki_mlir.executor.result import RunResult, Slice
    from nki_mlir.executor.run import execute, time_program
    from nki_mlir.executor.timing import UnitProfile, Wait

__all__ = ["Executable", "Profile", "RunResult", "Slice", "UnitProfile", "Wait", "execute", "time_program"]


_HOMES = {
    "Executable": "executable",
    "Profile": "profile",
    "RunResult": "result",
    "Slice": "result",
    "UnitProfile": "timing",
    "Wait": "timing",
    "execute": "run",
    "time_program": "run",
}
"""Which module each name comes from."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"nki_mlir.executor.{_HOMES[name]}"), name)
