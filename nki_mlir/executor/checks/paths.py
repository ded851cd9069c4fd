"""Why an instruction may rely on a completion: the chain of waits that proves it, for people to read."""

from __future__ import annotations

from collections.abc import Sequence

from nki_mlir.executor.checks.clocks import Raise, Taken, relied
from nki_mlir.executor.checks.races import unit_of
from nki_mlir.executor.program import VALUE, WAIT
from nki_mlir.executor.recording import BRANCH
from nki_mlir.executor.reports import mnemonic, source
from nki_mlir.executor.trace import Issue


class Walk:
    """A whole trace with what every issue relies on. `place(stream, n)` is where the n-th issue of a stream stands."""

    def __init__(self, trace: Sequence[Issue]):
        self.trace, self.taken = trace, relied(trace)
        self.streams: dict[str, list[int]] = {}
        for position, (unit, _, _) in enumerate(trace):
            self.streams.setdefault(unit.name, []).append(position)

    def place(self, stream: str, ordinal: int) -> int:
        return self.streams[stream][ordinal]

    def relies(self, position: int, event: Taken | Raise) -> bool:
        """Whether the issue at `position` may rely on a completion."""
        return self.taken[position].clock[event.chain] >= event.number

    def why(self, position: int, event: Taken | Raise) -> list[str]:
        """The waits that prove a completion to the issue at `position`, the first one first."""
        stream = self.streams[self.trace[position][0].name]
        first = next(p for p in stream if self.relies(p, event))
        learned = self.taken[first].learned
        if learned is None:
            return []
        before: list[str] = []
        if learned.chain != event.chain or learned.number < event.number:
            before = self.why(learned.position, event) if self.relies(learned.position, event) else ["ring order"]
        return [*before, self._wait(first, learned)]

    def _wait(self, position: int, learned: Raise) -> str:
        numbers = self.trace[position][2]
        setter, made, _ = self.trace[learned.position]
        return (
            f"{self._name(position)} waits for semaphore {numbers[WAIT]} to reach {numbers[VALUE]}, raised by"
            f" {self._name(learned.position) if made.ring is None else unit_of(setter, made)}"
        )

    def _name(self, position: int) -> str:
        unit, micro_op, _ = self.trace[position]
        name = f"{unit.name}'s {mnemonic(micro_op.op) if micro_op.op else BRANCH}"
        at = source(micro_op.op)
        return f"{name} ({at})" if at else name
