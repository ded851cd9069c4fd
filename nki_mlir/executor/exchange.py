"""Exchanges between the two cores of a pair (`sendrecv`).

Not published, and chosen here: a pipe has a ring of its own on each core that uses it, carries one exchange at a time,
and GpSimd's own DMA takes as long as the shared engines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from nki_mlir.costs import transfers
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import dma
from nki_mlir.executor.data_actions import DataAction, store
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import UPDATE, DataOp
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation


class Side(NamedTuple):
    """One core's sendrecv, triggered at `trigger`; `issue` is its place in the trace."""

    action: ExchangeAction
    sequencer: Sequencer
    numbers: tuple[int, ...]
    trigger: float
    issue: int


Ended = Callable[[Side, float], None]


class Pipe:
    """The sides that wait for a partner, by rank, and whether an exchange is under way."""

    def __init__(self) -> None:
        self.waiting: tuple[deque[Side], deque[Side]] = (deque(), deque())
        self.busy = False

    def join(self, side: Side, now: float) -> None:
        self.waiting[side.sequencer.core.index % 2].append(side)
        self._start(now)

    def _start(self, now: float) -> None:
        if self.busy or not all(self.waiting):
            return
        self.busy = True
        a, b = (side.popleft() for side in self.waiting)
        left = [a, b]

        def ended(sender: Side, now: float) -> None:
            left.remove(sender)
            if not left:
                self.busy = False
                for side in (a, b):
                    side.action.completed(side, now)
                self._start(now)

        for sender, receiver in ((a, b), (b, a)):
            sender.action.send(sender, receiver, now, ended)


Pipes = dict[tuple[int, int], Pipe]
"""By pair of cores and number."""


class ExchangeAction(DataAction):
    """Triggers one core's side of an exchange."""

    def __init__(self, simulation: Simulation, micro_op: DataOp, pipes: Pipes):
        super().__init__(simulation, micro_op)
        op, instance, self.pipes = micro_op.op, micro_op.instance, pipes
        self.pipe = int(str(instance.fields["pipe_id"]))
        self.shares = transfers.shares(instance)
        self.generation = transfers.generation(instance)
        if instance.fields["send_to_rank"] == op.core % 2:
            raise ExecutionError(f"{where(op)}: core {op.core} is of rank {op.core % 2} itself; the other is meant")

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        if self.simulation.numerics:
            self.outputs(numbers)
        side = Side(self, sequencer, numbers, now, sequencer.issue)
        self.pipes.setdefault((sequencer.core.index // 2, self.pipe), Pipe()).join(side, now)
        free = now + max(self.generation.trigger * self.simulation.factor(), self.floor)
        self.record(sequencer, now, free, free)
        return free

    def send(self, sender: Side, receiver: Side, now: float, ended: Ended) -> None:
        simulation, ring = self.simulation, self.micro_op.ring
        assert ring is not None
        data: list[Array] = []

        def begin() -> None:
            data.extend(self.compute(*self.read(sender.numbers)))
            if self.flow is not None:
                self.flow.strict(sender.numbers, False)

        def end(start: float, now: float) -> None:
            if data:
                ((target, k),), (region,) = receiver.action.targets, receiver.action.outputs(receiver.numbers)
                store(target, region, data[0])
                if simulation.undefined is not None:
                    simulation.undefined.mark(target, receiver.numbers[k], None)
            ended(sender, now)

        factor = simulation.factor()
        shares = [share.stretched(factor) for share in self.shares]
        transfer = dma.Transfer(ring, shares, begin if simulation.numerics else None, end, self.generation)
        sender.sequencer.core.dma.submit(transfer, now + self.delay, simulation.factor())

    def completed(self, side: Side, now: float) -> None:
        """Both transfers are done."""
        simulation, sequencer, ring = self.simulation, side.sequencer, self.micro_op.ring
        assert ring is not None
        done = now + simulation.target.dma.completion_ns * simulation.factor()
        queue = simulation.unit(sequencer.core.index, sequencer.engine, ring[1])
        setter = queue.record(self.label, side.issue, (side.trigger, side.trigger, side.trigger, now, done))
        self.raise_semaphore(setter, side.numbers[UPDATE], done)


def unpaired(pipes: Iterable[Pipe]) -> list[str]:
    """What is wrong with the sides that found no partner."""
    return [
        f"{where(side.action.op)}: the other core has no sendrecv of pipe {side.action.pipe} to go with it"
        for pipe in pipes
        for waiting in pipe.waiting
        for side in waiting
    ]
