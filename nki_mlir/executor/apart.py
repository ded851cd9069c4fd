"""A run whose time is found first, then its verdict, then its data.

Where nothing depends on data, events without data take the time that they take with it. If all that touches common
bytes is then found to be ordered, the order in which instructions were issued gives the same bytes and the same state
of memories as the events would. Whatever is wrong with a program, a run of events says: the arrays are as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from nki_mlir.dialects.neuron_isa import ProgramOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.checks.hbm import meets
from nki_mlir.executor.checks.races import Races
from nki_mlir.executor.checks.repeats import has_no_race
from nki_mlir.executor.exchange import Pipes
from nki_mlir.executor.load import load
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.period import is_long
from nki_mlir.executor.plan.proof import depends_on_data
from nki_mlir.executor.program import MicroOp
from nki_mlir.executor.result import RunResult
from nki_mlir.executor.run import advance, finish, result_of, run_loaded
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.tensor_array import TensorArray
from nki_mlir.executor.trace import Trace


def run_apart(
    program: ProgramOp, simulation: Simulation, data: Sequence[Array], outputs: Collection[int], ordered: bool
) -> RunResult | None:
    """Runs a program on the bytes `data` of its tensors; `ordered` if an earlier run has shown that all of it that
    touches common bytes is. A run of events where anything depends on data, and of short programs without checks, of
    which it is not worth asking. None, and the data as it was, if a run of events might have something to say, or do
    something else. Raises ExecutionError, of a run of events."""
    pipes: Pipes = {}
    sequencers = load(program, simulation, pipes)
    micro_ops = [micro_op for s in sequencers for micro_op in s.actions]
    if depends_on_data(micro_ops) or not (simulation.checks or is_long(simulation, sequencers)):
        return run_loaded(program, simulation, sequencers, pipes, outputs)
    simulation.numerics = False
    try:
        advance(simulation, sequencers)
    except ExecutionError:
        return None
    finally:
        simulation.numerics = True
    if not all(s.done for s in sequencers):
        return None
    for sequencer in sequencers:
        sequencer.forget()
    ordered = ordered or has_no_race(simulation.trace, simulation.constant_tensors)
    if not ordered and (not simulation.checks or Races(simulation.trace, simulation.constant_tensors).findings()):
        return None
    if simulation.programs is not None and not meets(simulation.trace, simulation.constant_tensors, reads=False):
        simulation.programs = None  # no two programs write to an element
    before = [(array, array.copy()) for array in _changing(simulation, data)]
    try:
        _do(simulation.trace, sequencers)
        finish(program, simulation, outputs)
    except ExecutionError as error:
        simulation.problems.append(error)
    if simulation.problems:
        for array, content in before:
            array[...] = content
        return None
    return result_of(program, simulation)


def _changing(simulation: Simulation, data: Sequence[Array]) -> list[Array]:
    """The tensors that a program writes."""
    found = zip(simulation.tensors, data, strict=True)
    return [array for name, array in found if name not in simulation.constant_tensors]


def _do(trace: Trace, sequencers: Sequence[Sequencer]) -> None:
    """The data of a run, in the order of its issues. Raises ExecutionError."""
    what: dict[MicroOp, Callable[[tuple[int, ...]], None]] = {}
    for sequencer in sequencers:
        sequencer.array = TensorArray(sequencer.simulation.target)
        what |= {micro_op: partial(action.do, sequencer) for micro_op, action in sequencer.actions.items()}
    with np.errstate(all="ignore"):
        for _, micro_op, numbers in trace:
            what[micro_op](numbers)
