"""An MLIR-style compiler for AWS Trainium, and a model of the NeuronCore that runs what it makes.

Kernels are written in Triton's language (`nki_mlir.language`) or NKI's (`nki_mlir.nki.language`). Names are imported
when they are first used: `import nki_mlir` by itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nki_mlir.errors import CompileError, ExecutionError, InternalError
    from nki_mlir.executor import execute
    from nki_mlir.kernel import Config, autotune, cdiv, heuristics, jit, next_power_of_2
    from nki_mlir.parsing import parse
    from nki_mlir.passes.pipelines import pipeline

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "Config",
    "ExecutionError",
    "InternalError",
    "__version__",
    "autotune",
    "cdiv",
    "execute",
    "heuristics",
    "jit",
    "next_power_of_2",
    "parse",
    "pipeline",
]

_HOMES = {
    "CompileError": "errors",
    "ExecutionError": "errors",
    "InternalError": "errors",
    "Config": "kernel",
    "autotune": "kernel",
    "cdiv": "kernel",
    "execute": "executor",
    "heuristics": "kernel",
    "jit": "kernel",
    "next_power_of_2": "kernel",
    "parse": "parsing",
    "pipeline": "passes.pipelines",
}
"""Which module each name comes from."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nki_mlir' has no attribute {name!r}")
    value = getattr(import_module(f"nki_mlir.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
