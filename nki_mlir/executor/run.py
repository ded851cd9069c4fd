"""`execute`: binds arrays to a program's tensors, decodes its streams, runs the events, and sums up."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.dialects import LEVELS
from nki_mlir.dialects.dtypes import dtype, is_dtype
from nki_mlir.dialects.neuron_isa import IsaInstruction, ProgramOp, RegisterStoreOp, SequencerOp, TensorOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, ExecutionError, internal_errors
from nki_mlir.executor import checks as checks_of
from nki_mlir.executor import numerics, reports
from nki_mlir.executor.checks import Checks, buffers
from nki_mlir.executor.checks.programs import Programs, unwritten
from nki_mlir.executor.checks.undefined import Undefined
from nki_mlir.executor.exchange import Pipes, unpaired
from nki_mlir.executor.load import load
from nki_mlir.executor.machine import Memory, zeroed
from nki_mlir.executor.recording import Recording
from nki_mlir.executor.reports import Grid, source
from nki_mlir.executor.result import RunResult
from nki_mlir.executor.simulation import MOST_INSTRUCTIONS, Simulation
from nki_mlir.executor.trace import Trace

if TYPE_CHECKING:
    from xdsl.ir import Operation


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
        program = _program(module)
        if checks not in (True, False, "strict"):
            raise ExecutionError(f'checks are True, False or "strict", not {checks!r}')
        tensors = _bind(program, arrays, bool(checks), frozenset(uninitialised))
        simulation = Simulation(target_of(program), tensors, seed, bool(checks), numerics=True)
        simulation.constant_tensors = _constant(program, tensors)
        simulation.delays, simulation.grid = delays or {}, Grid.of(program)
        simulation.limit_to(max_instructions)
        simulation.trace = trace if trace is not None else simulation.trace
        if checks:
            if found := buffers.overlaps(program):
                raise checks_of.error(found)
            simulation.slots = buffers.slots(program)
            simulation.programs = Programs(simulation.grid, simulation.problems) if simulation.grid else None
            simulation.undefined = Undefined.of(program, checks == "strict", simulation.problems)
        return _run(program, simulation, [list(tensors.values())[index] for index in outputs] if checks else [])


def time_program(module: ModuleOp, *, seed: int | None = None, max_instructions: int = MOST_INSTRUCTIONS) -> RunResult:
    """How long a program takes, as `execute` would find: the same events, but nothing is read, computed or written.
    No tensor needs an array; what depends on data, such as a loop's bound loaded from memory, sees zeros."""
    with internal_errors("the executor", limit=ExecutionError):
        program = _program(module)
        tensors = {t.sym.data: _empty(t) for t in program.tensors()}
        simulation = Simulation(target_of(program), tensors, seed, checks=False, numerics=False)
        simulation.limit_to(max_instructions)
        return _run(program, simulation)


def _run(program: ProgramOp, simulation: Simulation, outputs: Sequence[Memory] = ()) -> RunResult:
    pipes: Pipes = {}
    sequencers = load(program, simulation, pipes)
    with np.errstate(all="ignore"):
        try:
            for sequencer in sequencers:
                sequencer.advance(0.0)
            simulation.run()
        except ExecutionError as error:
            raise checks_of.report(simulation, error) or error from None
    if simulation.programs is not None:
        simulation.programs.finish()
    stuck = [s.blocked() for s in sequencers if not s.done]
    left = [reports.deadlock(stuck, len(sequencers))] if stuck else []
    left += unpaired(pipes.values())
    if not stuck:
        simulation.problems += filter(None, (unwritten(memory, source(program) or "") for memory in outputs))
    error = checks_of.report(simulation, ExecutionError("\n".join(left), "deadlock") if left else None)
    if error is not None:
        raise error
    return _result(program, simulation)


def _program(module: ModuleOp) -> ProgramOp:
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


# Arrays.


def _bind(
    program: ProgramOp, arrays: Sequence[np.ndarray[Any, Any]], checks: bool, uninitialised: frozenset[int]
) -> dict[str, Memory]:
    declared = program.tensors()
    if len(arrays) != len(declared):
        names = ", ".join(t.sym.data for t in declared)
        raise ExecutionError(f"the program has {len(declared)} tensors ({names}), got {len(arrays)} arrays")
    written = _written(program)
    return {
        tensor.sym.data: _tensor_memory(tensor, array, tensor.sym.data in written, checks and index in uninitialised)
        for index, (tensor, array) in enumerate(zip(declared, arrays, strict=True))
    }


def _tensor_memory(tensor: TensorOp, array: np.ndarray[Any, Any], written: bool, checked: bool) -> Memory:
    name, kind, shape = tensor.sym.data, tensor.type.element_type, tensor.type.get_shape()
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExecutionError(f'tensor "{name}": expected a NumPy array, got {type(array).__name__}')
    if not is_dtype(kind) or any(size < 0 for size in shape):
        raise ExecutionError(f'tensor "{name}": {tensor.type} is not a tensor of known shape and machine type')
    array = _in_words(array, shape)
    types = numerics.host_types(kind)
    if array.dtype not in types:
        raise ExecutionError(f'tensor "{name}": expected {" or ".join(t.name for t in types)}, got {array.dtype.name}')
    if array.size != math.prod(shape):
        sizes = "x".join(map(str, shape))
        raise ExecutionError(f'tensor "{name}": expected {math.prod(shape)} elements ({sizes}), got {array.size}')
    if not array.flags.c_contiguous:
        raise ExecutionError(f'tensor "{name}": expected a C-contiguous array, got strides {array.strides}')
    if written and not array.flags.writeable:
        raise ExecutionError(f'tensor "{name}": the program writes it, but the array is read-only')
    data = array.reshape(-1).view(np.uint8)
    assert data.size == math.prod(shape) * dtype(kind).bytes
    return Memory(f'tensor "{name}"', data, checked, tensor)


def _in_words(array: np.ndarray[Any, Any], shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """An array of 64-bit integers as the pairs of words that it is where the program has pairs."""
    pairs = array.dtype == np.int64 and array.flags.c_contiguous and shape[-1:] == (2,)
    return array.reshape(-1).view(np.int32) if pairs and 2 * array.size == math.prod(shape) else array


def _empty(tensor: TensorOp) -> Memory:
    """A tensor of zeros, of which no page exists yet."""
    name, kind, shape = tensor.sym.data, tensor.type.element_type, tensor.type.get_shape()
    size = math.prod(shape) * dtype(kind).bytes
    try:
        return Memory(f'tensor "{name}"', zeroed(size), False)
    except (OSError, OverflowError, ValueError):
        raise ExecutionError(f'tensor "{name}": this computer has no room for its {size:,} bytes') from None


def _written(program: ProgramOp) -> set[str]:
    found = set[str]()
    for op in program.body.walk():
        if isinstance(op, IsaInstruction):
            found |= {
                a.tensor for n, a in op.accesses().items() if a.tensor and op.instruction.operand(n).role == "dst"
            }
        if isinstance(op, RegisterStoreOp) and op.dst.data.tensor:
            found.add(op.dst.data.tensor)
    return found


def _constant(program: ProgramOp, tensors: dict[str, Memory]) -> set[str]:
    """Tensors that share no memory with one that the program writes."""
    written = [tensors[name].data for name in _written(program)]
    return {name for name, m in tensors.items() if not any(np.may_share_memory(m.data, other) for other in written)}


def _result(program: ProgramOp, simulation: Simulation) -> RunResult:
    cores = simulation.cores.values()
    recording = Recording(
        target=simulation.target,
        units=tuple(simulation.units.values()),
        raises={(c.index, s.number): s.raises for c in cores for s in c.semaphores.values()},
        text=sum(isinstance(op, SequencerOp) for op in program.body.walk()),
        sbuf_high_water=max((c.sbuf.high for c in cores), default=0),
        psum_high_water=max((c.psum.high for c in cores), default=0),
    )
    return RunResult(recording)
