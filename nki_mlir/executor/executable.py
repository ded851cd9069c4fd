"""A program that is run again and again: what does not depend on data is found out once.

The first run of a kind gives the time and the verdict of the checks. Where neither depends on data, later runs have the
same; their data is computed by a `plan`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.collection import no_collection
from nki_mlir.errors import ExecutionError, internal_errors
from nki_mlir.executor import binding
from nki_mlir.executor.apart import run_apart
from nki_mlir.executor.checks import Checks
from nki_mlir.executor.machine import Memory, zeroed
from nki_mlir.executor.plan import Plan
from nki_mlir.executor.plan.builder import plan
from nki_mlir.executor.plan.proof import depends_on_data, is_orderly, verdict_depends_on_data
from nki_mlir.executor.result import RunResult
from nki_mlir.executor.run import prepared, program_of, run
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.trace import Trace

Mode = Literal["plan", "events"]
"""How a run is made: by its events alone, or by a plan where there is one. Results, checks and time are the same."""

MOST_STEPS = 100_000
"""Instructions of a run that is remembered: a plan has about 1 KB for each."""


class _Seen(NamedTuple):
    """What is left of a run that a plan can be made of: its issues, the memories of its tensors, without the caller's
    arrays, the names of those that nothing writes, and whether it has been checked."""

    trace: Trace
    tensors: Sequence[Memory]
    constant: set[str]
    checked: bool


class _Kind:
    """Runs that are alike but for their data: the `result` of the first, and what was `seen` of it."""

    def __init__(self, result: RunResult, seen: _Seen | None):
        self.result, self.seen = result, seen


class Executable:
    """The one program of a verified module, which must not change any more."""

    def __init__(self, module: ModuleOp):
        self.program = program_of(module)
        self.tensors = binding.tensors(self.program)
        self.kinds: dict[object, _Kind] = {}
        self.plans: dict[object, Plan] = {}

    def run(
        self,
        arrays: Sequence[np.ndarray[Any, Any]],
        *,
        seed: int | None = None,
        checks: Checks = True,
        uninitialised: Collection[int] = (),
        outputs: Collection[int] = (),
        mode: Mode = "plan",
        apart: bool = False,
    ) -> RunResult:
        """As `execute`, which says what the arguments are. `apart`: the caller knows that no two arrays share memory.
        Raises ExecutionError."""
        with internal_errors("the executor", limit=ExecutionError):
            data = binding.bytes_of(self.tensors, arrays)
            alike = (() if apart else binding.overlaps(data), checks, frozenset(uninitialised), tuple(outputs))
            kind = self.kinds.get((alike, seed)) if mode == "plan" else None
            if kind is not None:
                found = self._plan(alike, kind)
                if found is not None:
                    found.run(data)
                    return kind.result

            def prepare() -> Simulation:
                return prepared(self.program, self.tensors, data, seed, checks, frozenset(uninitialised))

            # A run makes much that lasts.
            with no_collection():
                simulation, result = prepare(), None
                if mode == "plan":
                    ordered = kind is not None and simulation.checks
                    result = run_apart(self.program, simulation, data, outputs, ordered)
                    simulation = prepare() if result is None else simulation
                if result is None:
                    result = run(self.program, simulation, outputs)
            if kind is None and mode == "plan":
                self.kinds[alike, seed] = _Kind(result, None if alike in self.plans else _seen(simulation))
            return result

    def _plan(self, alike: object, kind: _Kind) -> Plan | None:
        """The plan for a kind of runs, made with its second run; None if there is none."""
        seen, kind.seen = kind.seen, None
        if seen is None or alike in self.plans:
            return self.plans.get(alike)
        if seen.checked or is_orderly(seen.trace, seen.constant):
            constant = [k for k, tensor in enumerate(self.tensors) if tensor.name in seen.constant]
            self.plans[alike] = plan(seen.trace, seen.tensors, constant)
        return self.plans.get(alike)


def _seen(simulation: Simulation) -> _Seen | None:
    """What a run leaves, if a plan can be made of it."""
    if len(simulation.trace) > MOST_STEPS or verdict_depends_on_data(simulation):
        return None
    micro_ops = set(simulation.trace.micro_ops)
    if depends_on_data(micro_ops):
        return None
    for micro_op in micro_ops:
        for pattern, _ in (*micro_op.sources, *micro_op.targets):
            pattern.cache.clear()
    for memory in simulation.tensors.values():
        memory.data = zeroed(*memory.data.shape)
    for memory in simulation.memories():
        memory.forget_state()
    tensors = list(simulation.tensors.values())
    return _Seen(simulation.trace, tensors, simulation.constant_tensors, simulation.checks)
