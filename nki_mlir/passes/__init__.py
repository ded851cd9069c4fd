"""The passes, by name, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.passes import ModulePass

OURS: dict[str, str] = {
    "normalize-loops": "NormalizeLoops",
    "fold-constants": "FoldConstants",
    "structure-accesses": "StructureAccesses",
    "map-programs": "MapPrograms",
    "expand-maxnum": "ExpandMaxnum",
    "expand-trigonometry": "ExpandTrigonometry",
    "expand-rounding": "ExpandRounding",
    "place": "Place",
    "split-to-hardware-tiles": "SplitToHardwareTiles",
    "promote-accumulators": "PromoteAccumulators",
    "lower-converts": "LowerConverts",
    "peel-tails": "PeelTails",
    "select-instructions": "SelectInstructions",
    "multi-buffer": "MultiBuffer",
    "allocate": "Allocate",
    "emit-streams": "EmitStreams",
    "insert-semaphores": "InsertSemaphores",
}
"""Name -> class, in the file named after the pass."""

STANDARD = ("canonicalize", "cse", "dce")


def _ours(name: str) -> Callable[[], type[ModulePass]]:
    return lambda: getattr(import_module(f"nki_mlir.passes.{name.replace('-', '_')}"), OURS[name])


def _standard(name: str) -> Callable[[], type[ModulePass]]:
    def get() -> type[ModulePass]:
        from xdsl.transforms import get_all_passes

        return get_all_passes()[name]()

    return get


def all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Every pass that a pipeline may name: ours, and xDSL's canonicalize, cse and dce."""
    return {**{n: _ours(n) for n in OURS}, **{n: _standard(n) for n in STANDARD}}
