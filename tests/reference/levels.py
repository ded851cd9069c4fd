"""Runs a kernel at every level of its lowering and compares what it leaves in memory."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import UNKNOWN_LOC, IndexType, ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from nki_mlir import CompileError, parse
from nki_mlir.executor.executable import Executable
from nki_mlir.passes import pipelines
from nki_mlir.passes.levels import level_of, verify_level
from nki_mlir.passes.stages import STAGES
from nki_mlir.passes.verify import snapshot
from reference.elements import Array
from reference.mem import run_mem
from reference.tile import run_tile

SEEDS = (None, 0, 1, 2)
"""Timings under which the machine code must give the same results."""

_APPROXIMATE = {"recognize-functions", "trim", "scan-loops", "widen", "expand-trigonometry", "split-reductions"}
"""Passes on `tile` which change the last bits, of sums in another order too."""

_RUN = {"tile": run_tile, "neuron.mem": run_mem}


def _complete() -> set[int]:
    """After how many passes of the lowering a level is complete."""
    counts = [len(pipelines.build(stage)) for stage in STAGES.values()]
    return set(itertools.accumulate(counts))


@dataclass
class _Check:
    """The comparison of one kernel's levels, as passes go by. What a pass left alone is not run again."""

    inputs: Sequence[Array]
    expected: Sequence[Array]
    rtol: float
    atol: float
    located: bool
    exact: bool = True
    passes: int = 0
    complete: set[int] = field(default_factory=_complete)
    state: object = None
    text: str = ""

    def after(self, one: ModulePass, module: ModuleOp) -> None:
        self.passes += 1
        stage, level = f"after {one.name}, pass {self.passes}", level_of(module)
        if self.located:
            _check_locations(module, stage)
        if self.passes in self.complete:
            verify_level(module, level)
        self.exact = self.exact and level == "tile" and one.name not in _APPROXIMATE
        if level in _RUN and self._changed(module):
            got = [a.copy() for a in self.inputs]
            _RUN[level](module, got)
            compare(got, self.expected, 0.0 if self.exact else self.rtol, 0.0 if self.exact else self.atol, stage)

    def _changed(self, module: ModuleOp) -> bool:
        """Whether the module reads otherwise than when it was last asked. Printing takes longer than most passes."""
        before, self.state = self.state, list(snapshot(module).items())
        if self.state == before:
            return False
        text, self.text = self.text, str(module)
        return self.text != text


def check_levels(
    source: ModuleOp | str,
    arrays: Sequence[Array],
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    seeds: Sequence[int | None] = SEEDS,
) -> list[Array]:
    """Lowers a `tile` module pass by pass and asserts that it always does the same to the arrays (which stay as they
    are): after each pass by the reference, while there is one for its level, exactly at `tile` (but for sines) and within the
    tolerance below; and at last by the executor, which must give the same bits under every seed, and without
    events too. Locations and each level's
    rules are checked on the way. Gives the arrays as the executor leaves them. Raises CompileError for kernels that the
    compiler rejects."""
    module = parse(source) if isinstance(source, str) else source.clone()
    expected = [a.copy() for a in arrays]
    run_tile(module, expected)
    pipelines.set_target(module, None)
    check = _Check(arrays, expected, rtol, atol, not _unlocated(module))
    pipelines.run(pipelines.build("lower-to-isa"), module, after=check.after)
    first: list[Array] | None = None
    executable = Executable(module)
    for seed in (*seeds, *seeds[:1]):
        got = [a.copy() for a in arrays]
        executable.run(got, seed=seed)
        compare(got, expected, rtol, atol, f"executed with seed {seed}")
        if first is not None:
            compare(got, first, 0.0, 0.0, f"seed {seed} against {seeds[0]}")
        first = first or got
    return expected if first is None else first


def compare(got: Sequence[Array], expected: Sequence[Array], rtol: float, atol: float, stage: str) -> None:
    for number, (a, b) in enumerate(zip(got, expected, strict=True)):
        wide = [x.astype(np.float64) for x in (a, b)]
        np.testing.assert_allclose(*wide, rtol=rtol, atol=atol, equal_nan=True, err_msg=f"{stage}, argument {number}")


def _unlocated(module: ModuleOp) -> list[str]:
    """Operations without a location, but for constants and index arithmetic: what folding makes comes from no one
    place."""

    def made(op: Operation) -> bool:
        return op.name.startswith("arith.") and isinstance(op.results[0].type, IndexType)

    lost = [op for op in module.body.walk() if op.location == UNKNOWN_LOC]
    return [op.name for op in lost if not isinstance(op, ConstantOp) and not made(op)]


def _check_locations(module: ModuleOp, stage: str) -> None:
    lost = _unlocated(module)
    assert not lost, f"{stage}: operations without a location: {sorted(set(lost))}"


def rejected(source: ModuleOp | str, arrays: Sequence[Array], **options: Any) -> str | None:
    """As `check_levels`, but a CompileError's message where the compiler rejects the kernel."""
    try:
        check_levels(source, arrays, **options)
    except CompileError as error:
        return error.message
    return None
