"""What a run writes down: an entry for each instruction on its engine, for each transfer on its DMA queue, and for each
rise of a semaphore. `profile` makes sense of it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nki_mlir.dialects.access import Engine
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.reports import unit_name
from nki_mlir.executor.tuples import Tuples, extend
from nki_mlir.targets import Target

if TYPE_CHECKING:
    from xdsl.ir import Operation

SINCE, READY, START, FREE, END = range(5)
"""The times of an entry, in ns. Of an instruction: its engine came to it, its semaphore allowed it, it issued, the
engine was free, it completed. Of a transfer: its trigger issued (twice), its first byte moved, its last byte moved, it
completed."""

NONE = -1
"""The issue of what is none: branches, table switches."""

BRANCH = "branch"
"""Name in the log of the sequencer's own instructions at the ends of a loop."""

Mark = tuple[int, int]
"""An entry: the index of its unit, and its own in the unit's log."""

_ENGINES = list(Engine)


class Unit:
    """An engine, or one of its DMA queues, and its log: per entry the operation (or a name where there is none), its
    issue in the run's trace (or NONE), and five times."""

    __slots__ = ("core", "engine", "index", "issues", "name", "pool", "queue", "times", "what")

    def __init__(self, pool: Tuples, index: int, core: int, engine: Engine, queue: int | None):
        self.index, self.core, self.engine, self.queue = index, core, engine, queue
        self.name = unit_name(core, engine.value if queue is None else f"dma {engine.value} q{queue}")
        self.what: list[Operation | str] = []
        self.pool, self.issues, self.times = pool, array("q"), array("d")

    def record(
        self,
        what: Operation | str,
        issue: int,
        times: tuple[float, float, float, float, float],
    ) -> Mark:
        self.what.append(what)
        self.issues.append(issue)
        self.times.extend(times)
        return self.index, len(self.what) - 1

    def repeat(self, first: int, count: int, ns: float, issues: int) -> None:
        """The entries from `first` on once more, `count` times, each time `ns` and `issues` later."""
        steps = np.arange(1, count + 1)
        times, of = self.columns()[:, first:].T.reshape(-1).copy(), np.frombuffer(self.issues, np.int64)[first:].copy()
        self.what += self.what[first:] * count
        extend(self.times, np.add.outer(steps * ns, times))
        extend(self.issues, np.where(of == NONE, NONE, np.add.outer(steps * issues, of)))

    def numbers(self, entry: int) -> tuple[int, ...]:
        """Those of an entry's instruction, as `program` lays them out; none of what has no issue."""
        return self.pool[self.issues[entry]]

    def column(self, place: int) -> Array:
        """Number `place` of all entries, 0 where there is none: int64."""
        return self.pool.column(np.frombuffer(self.issues, np.int64), place)

    def columns(self) -> Array:
        """The times: fp64 [5, entries]."""
        return np.frombuffer(self.times, np.float64).reshape(-1, 5).T

    @property
    def place(self) -> tuple[bool, int, int, int]:
        """Engines before queues, the first core before the second, engines in their usual order."""
        return self.queue is not None, self.core, _ENGINES.index(self.engine), self.queue or 0


@dataclass(frozen=True)
class Recording:
    """`raises`: by core and semaphore, in order, the value after each rise and the mark of the entry that caused it, as
    three numbers. `text` is the number of instructions in the program's text. High-water marks are bytes per partition:
    one past the highest byte written, the largest of all cores."""

    target: Target
    units: Sequence[Unit] = field(repr=False)
    raises: Mapping[tuple[int, int], array[int]] = field(repr=False)
    text: int
    sbuf_high_water: int
    psum_high_water: int
