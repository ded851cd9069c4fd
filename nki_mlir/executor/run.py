"""`execute`: binds arrays to a program's tensors, decodes its streams, runs the events, and sums up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.collection import no_collection
from nki_mlir.dialects import LEVELS
from nki_mlir.dialects.neuron_isa import ProgramOp, RegisterLoadOp, SequencerOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, ExecutionError, internal_errors
from nki_mlir.executor import binding, reports
from nki_mlir.executor import checks as checks_of
from nki_mlir.executor.binding import Tensor
from nki_mlir.executor.checks import Checks, buffers
from nki_mlir.executor.checks.programs import Programs, unwritten
from nki_mlir.executor.checks.undefined import Undefined
from nki_mlir.executor.exchange import Pipes, unpaired
from nki_mlir.executor.load import load
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.period import look_out
from nki_mlir.executor.recording import Recording
from nki_mlir.executor.reports import Grid, source
from nki_mlir.executor.result import RunResult
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import MOST_INSTRUCTIONS, Simulation
from nki_mlir.executor.trace import Trace

if TYPE_CHECKING:
    from xdsl.ir import Operation


@no_collection()
def execute(
    module: ModuleOp,
    arrays: Sequence[np.ndarray[Any, Any]],
    *,
    seed: int | None = None,
    checks: Checks = True,
    uninitialised: Collection[int] = (),
    outputs: Collection[int] = (),
    delays: Mapping[Operation, float] | None = None,
    trace: Trace | None = None,
    max_instructions: int = MOST_INSTRUCTIONS,
) -> RunResult:
    """Runs the one `neuron.isa.program` of a verified module on the chip that the module names.

    `arrays` are the program's tensors in order: C-contiguous, of the tensor's element type (bf16 and fp8 as in
    `ml_dtypes`, i1 as bool or uint8) and element count. They are HBM: the program works on their own bytes. `seed`
    perturbs the timing of every instruction and transfer, which must not change the results of a correct program.
    `checks` report reads of bytes that nothing has written, uses of lanes that the language leaves undefined, and
    matmuls that accumulate onto something else than a matmul's result; "strict" ones report uses also of lanes that
    read as zero only because a masked load names no value for them. `uninitialised` are the indices of arrays whose
    content does not count as written, `outputs` of those that the program is to write: these must have been written
    afterwards, those of both completely. Programs of a grid must not write different values to one element. Accesses
    out of bounds and deadlocks are always reported. Instructions in `delays` issue, and complete, that many ns later
    each time; transfers move their data later. A `trace` is extended by every issue, for `checks.paths`. A run of
    more than `max_instructions`, branches included, is given up. Raises ExecutionError.
    """
    with internal_errors("the executor", limit=ExecutionError):
        program = program_of(module)
        declared = binding.tensors(program)
        data = binding.bytes_of(declared, arrays)
        simulation = prepared(program, declared, data, seed, checks, frozenset(uninitialised))
        simulation.delays = delays or {}
        simulation.limit_to(max_instructions)
        simulation.trace = trace if trace is not None else simulation.trace
        return run(program, simulation, outputs)


def prepared(
    program: ProgramOp,
    declared: Sequence[Tensor],
    data: Sequence[Array],
    seed: int | None,
    checks: Checks,
    uninitialised: frozenset[int] = frozenset(),
) -> Simulation:
    """The machine before a run, with the bytes of the program's tensors. ExecutionError where buffers overlap."""
    if checks not in (True, False, "strict"):
        raise ExecutionError(f'checks are True, False or "strict", not {checks!r}')
    memories = binding.memories(declared, data, uninitialised if checks else frozenset())
    simulation = Simulation(target_of(program), memories, seed, bool(checks), numerics=True)
    simulation.constant_tensors = binding.constant(declared, data)
    simulation.grid = Grid.of(program)
    if checks:
        if found := buffers.overlaps(program):
            raise checks_of.error(found)
        simulation.slots = buffers.slots(program)
        simulation.programs = Programs(simulation.grid, simulation.problems) if simulation.grid else None
        simulation.undefined = Undefined.of(program, checks == "strict", simulation.problems)
    return simulation


def time_program(module: ModuleOp, *, seed: int | None = None, max_instructions: int = MOST_INSTRUCTIONS) -> RunResult:
    """How long a program takes, as `execute` would find: the same events, but nothing is read, computed or written.
    No tensor needs an array; what depends on data, such as a loop's bound loaded from memory, sees zeros."""
    with internal_errors("the executor", limit=ExecutionError):
        program = program_of(module)
        simulation = Simulation(target_of(program), binding.empty(program), seed, checks=False, numerics=False)
        simulation.limit_to(max_instructions)
        return run(program, simulation)


def run(program: ProgramOp, simulation: Simulation, outputs: Collection[int] = ()) -> RunResult:
    """Runs the events. `outputs` are as in `execute`. Raises ExecutionError."""
    pipes: Pipes = {}
    return run_loaded(program, simulation, load(program, simulation, pipes), pipes, outputs)


def run_loaded(
    program: ProgramOp,
    simulation: Simulation,
    sequencers: Sequence[Sequencer],
    pipes: Pipes,
    outputs: Collection[int] = (),
) -> RunResult:
    """As `run`, with the sequencers of the program and the pipes that they share."""
    try:
        advance(simulation, sequencers)
    except ExecutionError as error:
        raise checks_of.report(simulation, error) or error from None
    stuck = [s.blocked() for s in sequencers if not s.done]
    left = [reports.deadlock(stuck, len(sequencers))] if stuck else []
    left += unpaired(pipes.values())
    finish(program, simulation, () if stuck else outputs)
    error = checks_of.report(simulation, ExecutionError("\n".join(left), "deadlock") if left else None)
    if error is not None:
        raise error
    return result_of(program, simulation)


def advance(simulation: Simulation, sequencers: Sequence[Sequencer]) -> None:
    """All events of a run. Raises ExecutionError."""
    look = look_out(simulation, sequencers)
    with np.errstate(all="ignore"):
        for sequencer in sequencers:
            sequencer.advance(0.0)
        simulation.run(look)


def finish(program: ProgramOp, simulation: Simulation, outputs: Collection[int]) -> None:
    """Checks what the programs of a grid have written, among it the tensors `outputs`."""
    if simulation.programs is not None:
        simulation.programs.finish()
    tensors = list(simulation.tensors.values())
    wanted = [tensors[index] for index in outputs] if simulation.checks else []
    simulation.problems += filter(None, (unwritten(memory, source(program) or "") for memory in wanted))


def program_of(module: ModuleOp) -> ProgramOp:
    """The one program of a module. ExecutionError if there is none."""
    try:
        target_of(module)
    except CompileError as error:
        raise ExecutionError(error.message) from None
    programs = [op for op in module.body.ops if isinstance(op, ProgramOp)]
    if len(programs) == 1:
        return programs[0]
    if programs:
        raise ExecutionError(f"the module holds {len(programs)} programs; a run takes one")
    level = _level(module)
    found = f"is at level {level}" if level else "holds no neuron.isa.program"
    raise ExecutionError(f"the module {found}; it must be lowered to neuron.isa before it can run")


def _level(module: ModuleOp) -> str | None:
    """The lowest level above `neuron.isa` of which the module has operations; plain `func` code counts as tile."""
    names = {op.name for op in module.walk()}
    for level in reversed(LEVELS[:-1]):
        if any(name.startswith(f"{level}.") for name in names):
            return level
    return LEVELS[0] if "func.func" in names else None


def result_of(program: ProgramOp, simulation: Simulation) -> RunResult:
    """What a run leaves that is over."""
    cores = simulation.cores.values()
    recording = Recording(
        target=simulation.target,
        units=tuple(simulation.units.values()),
        raises={(c.index, s.number): s.raises for c in cores for s in c.semaphores.values()},
        text=sum(isinstance(op, SequencerOp) for op in program.body.walk()),
        sbuf_high_water=max((c.sbuf.high for c in cores), default=0),
        psum_high_water=max((c.psum.high for c in cores), default=0),
    )
    by_data = any(isinstance(op, RegisterLoadOp) for op in program.body.walk())
    module = program.get_toplevel_object()
    if by_data or not isinstance(module, ModuleOp):
        return RunResult(recording)
    return RunResult(recording, partial(time_program, module, max_instructions=simulation.limit))
