"""What the executor checks after a run, from the trace that it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nki_mlir.errors import ExecutionError, Finding

if TYPE_CHECKING:
    from nki_mlir.executor.simulation import Simulation

MOST = 10
"""Findings that a report writes out."""


def findings(simulation: Simulation) -> list[Finding]:
    """The races and broken matmul groups of a run; none without checks."""
    from nki_mlir.executor.checks.races import Races

    return Races(simulation.trace, simulation.constant_tensors).findings() if simulation.trace else []


def error(found: Sequence[Finding]) -> ExecutionError:
    """All findings as one error, of the kind of the first."""
    lines = [finding.text for finding in found[:MOST]]
    if len(found) > MOST:
        lines.append(f"and {len(found) - MOST} more")
    return ExecutionError("\n".join(lines), found[0].kind, found)


def with_races(stopped: ExecutionError, simulation: Simulation) -> ExecutionError:
    """What stopped a run, after the races that may have led to it."""
    races = [finding for finding in findings(simulation) if finding.kind == "race"]
    if not races:
        return stopped
    return ExecutionError(f"{error(races)}\n{stopped}", "race", races)
