"""From the streams of a program to sequencers: each instruction is decoded, and gets the action that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nki_mlir.costs import transfers
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.dma import by_rows
from nki_mlir.dialects.neuron_isa import (
    CoreBarrierOp,
    EventSemaphoreOp,
    IsaInstruction,
    ProgramOp,
    RankIdOp,
    RegisterAluOp,
    RegisterLoadOp,
    RegisterMoveOp,
    RegisterStoreOp,
    SequencerOp,
    StreamOp,
    Update,
    Wait,
)
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import decode
from nki_mlir.executor.control_actions import (
    ControlAction,
    MachineAction,
    RegisterAction,
    RegisterLoadAction,
    RegisterStoreAction,
)
from nki_mlir.executor.data_actions import (
    DataAction,
    EngineAction,
    LoadStationaryAction,
    MultiplyMovingAction,
    TransposeAction,
)
from nki_mlir.executor.dma_actions import DmaAction, RowsAction
from nki_mlir.executor.exchange import ExchangeAction, Pipes
from nki_mlir.executor.program import Branches, DataOp, MicroOp, Walk
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Action, Sequencer
from nki_mlir.executor.simulation import Core, Simulation


def load(program: ProgramOp, simulation: Simulation, pipes: Pipes) -> list[Sequencer]:
    """A sequencer for each stream. `pipes` are those that the program's cores share."""
    found: list[Sequencer] = []
    taken = set[int]()
    for core_op in program.cores():
        core = simulation.core(core_op.index.value.data)
        if core.index in taken:
            raise ExecutionError(f"{where(core_op)}: core {core.index} is given twice")
        taken.add(core.index)
        for stream in core_op.items:
            if isinstance(stream, StreamOp):
                found.append(_Loader(simulation, core, stream.engine.data, pipes).sequencer(stream))
    return found


class _Loader:
    """Loads one stream; `actions` are those of the micro-ops so far."""

    def __init__(self, simulation: Simulation, core: Core, engine: Engine, pipes: Pipes):
        self.simulation, self.core, self.engine, self.pipes = simulation, core, engine, pipes
        self.actions: dict[MicroOp, Action] = {}

    def sequencer(self, stream: StreamOp) -> Sequencer:
        control = self.simulation.target.control
        branches = Branches(*(self._branch(ns) for ns in (control.register_ns, control.branch_ns)))
        items = decode.items(stream.items, self._micro_ops, branches)
        walk = Walk(items, self.simulation.target.limits.registers)
        return Sequencer(self.simulation, self.core, self.engine, walk, self.actions)

    def _branch(self, ns: float) -> MicroOp:
        return self._known(ControlAction(self.simulation, decode.control_op(None), ns))

    def _known(self, action: MachineAction) -> MicroOp:
        self.actions[action.micro_op] = action
        return action.micro_op

    def _micro_ops(self, op: SequencerOp) -> Sequence[MicroOp]:
        return [self._known(action) for action in self._actions_of(op)]

    def _actions_of(self, op: SequencerOp) -> Sequence[MachineAction]:
        match op:
            case IsaInstruction():
                return [self._data(op)]
            case CoreBarrierOp():
                return self._barrier(op)
            case _:
                return [self._control(op)]

    # Control instructions.

    def _control(self, op: SequencerOp) -> MachineAction:
        simulation = self.simulation
        match op:
            case EventSemaphoreOp():
                return ControlAction(simulation, decode.control_op(op), simulation.target.control.event_semaphore_ns)
            case RegisterMoveOp():
                return RegisterAction(simulation, decode.control_op(op, [op.src.data]), op.dst.value.data)
            case RegisterAluOp():
                return RegisterAction(simulation, decode.control_op(op, [op.src.data, op.imm.data]), op.dst.value.data)
            case RankIdOp():
                return RegisterAction(simulation, decode.control_op(op, [Expr(self.core.index)]), op.dst.value.data)
            case RegisterLoadOp():
                self._check_owner(op, op.src.data)
                micro_op = decode.element_op(op, "src", op.src.data, simulation.memory)
                return RegisterLoadAction(simulation, micro_op, op.dst.value.data)
            case RegisterStoreOp():
                self._check_owner(op, op.dst.data)
                micro_op = decode.element_op(op, "dst", op.dst.data, simulation.memory, [op.src.data])
                return RegisterStoreAction(simulation, micro_op)
            case _:
                raise ExecutionError(f"{where(op)}: the executor does not know this instruction")

    def _barrier(self, op: CoreBarrierOp) -> list[MachineAction]:
        """Tells the other core, then waits to be told."""
        control = self.simulation.target.control
        wait, update = decode.wait_and_update(op)
        semaphore, value = op.semaphore.data, op.value.data
        tell = decode.control_op(op, signals=(wait, Update(semaphore, 1, op.other_core)))
        told = decode.control_op(op, signals=(Wait(semaphore, value), update))
        return [
            ControlAction(self.simulation, tell, control.event_semaphore_ns, control.core_barrier_ns),
            ControlAction(self.simulation, told, control.event_semaphore_ns),
        ]

    # Instructions of the table.

    def _data(self, op: IsaInstruction) -> DataAction:
        instance = op.instance()
        if op.instruction.transfer == "exchange":
            return self._exchange(op, instance)
        if op.instruction.is_transfer:
            return self._transfer(op, instance)
        for access in op.accesses().values():
            self._check_owner(op, access)
        accumulate = (decode.given(op, "accumulate") or [Expr()]) if op.instruction.accumulates else []
        micro_op = self._decoded(op, instance, accumulate)
        use = op.instruction.array if self.engine is Engine.TENSOR else None
        return (EngineAction if use is None else _ARRAY[use])(self.simulation, micro_op)

    def _exchange(self, op: IsaInstruction, instance: Instance) -> DataAction:
        for access in op.accesses().values():
            self._check_owner(op, access)
        return ExchangeAction(self.simulation, self._decoded(op, instance, []), self.pipes)

    def _transfer(self, op: IsaInstruction, instance: Instance) -> DataAction:
        micro_op = self._decoded(op, instance, decode.given(op, "program"))
        if by_rows(instance):
            return RowsAction(self.simulation, micro_op)
        sources = [access for operand, access in instance.accesses() if operand.role == "src"]
        constant = all(access.tensor in self.simulation.constant_tensors for access in sources)
        return DmaAction(self.simulation, micro_op, constant)

    def _decoded(self, op: IsaInstruction, i: Instance, extra: Sequence[Expr]) -> DataOp:
        simulation = self.simulation
        ring = transfers.ring(i) if op.instruction.is_transfer else None
        mask = 0 if ring is None else sum(share.mask for share in transfers.shares(i))
        return decode.data_op(op, i, simulation.memory, simulation.checks, extra, ring, mask)

    def _check_owner(self, op: SequencerOp, access: Access) -> None:
        if access.space is not Space.HBM and access.core != self.core.index:
            raise ExecutionError(f"{where(op)}: an engine reaches its own core's memory; this is core {access.core}'s")


_ARRAY: Mapping[str, Callable[[Simulation, DataOp], DataAction]] = {
    "load": LoadStationaryAction,
    "multiply": MultiplyMovingAction,
    "transpose": TransposeAction,
}
