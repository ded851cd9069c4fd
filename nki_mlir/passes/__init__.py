"""The passes, by name, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from nki_mlir.errors import CompileError

if TYPE_CHECKING:
    from xdsl.passes import ModulePass

KnownPasses: TypeAlias = "Mapping[str, Callable[[], type[ModulePass]]]"

OURS: dict[str, str] = {
    "normalize-loops": "NormalizeLoops",
    "induction": "Induction",
    "carried-indices": "CarriedIndices",
    "fold-constants": "FoldConstants",
    "ungroup": "Ungroup",
    "reblock": "Reblock",
    "expand-atomics": "ExpandAtomics",
    "structure-accesses": "StructureAccesses",
    "clean": "Clean",
    "recognize-functions": "RecognizeFunctions",
    "unwrap": "Unwrap",
    "trim": "Trim",
    "regrid": "Regrid",
    "sum-programs": "SumPrograms",
    "sum-by-products": "SumByProducts",
    "equalize-trips": "EqualizeTrips",
    "peel-masks": "PeelMasks",
    "merge-factors": "MergeFactors",
    "maximum-first": "MaximumFirst",
    "merge-steps": "MergeSteps",
    "scan-loops": "ScanLoops",
    "widen-loops": "WidenLoops",
    "widen": "Widen",
    "coalesce": "Coalesce",
    "interleave": "Interleave",
    "programs-to-loops": "ProgramsToLoops",
    "bound-loops": "BoundLoops",
    "expand-branches": "ExpandBranches",
    "diagonal-products": "DiagonalProducts",
    "expand-products": "ExpandProducts",
    "join-products": "JoinProducts",
    "expand-accesses": "ExpandAccesses",
    "expand-indices": "ExpandIndices",
    "split-words": "SplitWords",
    "expand-division": "ExpandDivision",
    "expand-maxnum": "ExpandMaxnum",
    "bound-exponentials": "BoundExponentials",
    "expand-trigonometry": "ExpandTrigonometry",
    "expand-rounding": "ExpandRounding",
    "split-reductions": "SplitReductions",
    "place": "Place",
    "hoist-loads": "HoistLoads",
    "share-loads": "ShareLoads",
    "share-windows": "ShareWindows",
    "reuse-loads": "ReuseLoads",
    "split-to-hardware-tiles": "SplitToHardwareTiles",
    "promote-accumulators": "PromoteAccumulators",
    "split-sums": "SplitSums",
    "lower-converts": "LowerConverts",
    "select-instructions": "SelectInstructions",
    "combine-instructions": "CombineInstructions",
    "stage-in-psum": "StageInPsum",
    "assign-engines": "AssignEngines",
    "bufferize": "Bufferize",
    "spread-transfers": "SpreadTransfers",
    "schedule": "Schedule",
    "spread": "Spread",
    "skew": "Skew",
    "order-loads": "OrderLoads",
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


def our_passes() -> KnownPasses:
    return {name: _ours(name) for name in OURS}


def all_passes() -> KnownPasses:
    """Every pass that a pipeline may name wherever we are installed: ours, and xDSL's canonicalize, cse and dce."""
    return {**our_passes(), **{n: _standard(n) for n in STANDARD}}


@cache
def plugin_passes() -> KnownPasses:
    """The passes of every package that has an entry point for xDSL's tools, xDSL itself included. Finding them costs as
    much as all the rest of a start, so that nothing asks before a name is unknown. Raises CompileError for a package
    that can't be used."""
    from xdsl.universe import Universe

    try:
        return Universe.get_multiverse().all_passes
    except Exception as error:
        raise CompileError(
            f"the xDSL plugins of this environment can't be loaded: {type(error).__name__}: {error}"
        ) from None
