"""What the executor checks after a run, from the trace that it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from nki_mlir.errors import ExecutionError, Finding

if TYPE_CHECKING:
    from nki_mlir.executor.simulation import Simulation

Checks = bool | Literal["strict"]
"""Whether a run is checked, or checked more strictly than the language asks."""

MOST = 10
"""Findings that a report writes out."""


def report(simulation: Simulation, stopped: ExecutionError | None = None) -> ExecutionError | None:
    """What the checks found in a run, with what stopped it, if anything did: races first, as they lead to the rest."""
    from nki_mlir.executor.checks.races import Races

    found = Races(simulation.trace, simulation.constant_tensors).findings() if simulation.checks else []
    found.sort(key=lambda finding: finding.kind != "race")
    others = [*simulation.problems, *([stopped] if stopped is not None else [])]
    return error(found, others) if found or others else None


def error(found: Sequence[Finding], others: Sequence[ExecutionError] = ()) -> ExecutionError:
    """All of them as one, of the kind of the first."""
    lines = [finding.text for finding in found[:MOST]]
    lines += [f"and {len(found) - MOST} more" for _ in found[MOST : MOST + 1]]
    lines += [str(other) for other in (*others[: MOST - 1], *others[MOST - 1 :][-1:])]
    return ExecutionError("\n".join(lines), found[0].kind if found else others[0].kind, found)
