"""The timing of a run as a trace for ui.perfetto.dev: Chrome's trace-event format, a JSON object with `traceEvents`.

A core is a process; each engine and DMA queue is a row (a thread). Slices are instructions, transfers, and the times in
which an engine waited; entries of one unit that overlap go to further rows of that unit, weight loads to one of their
own, because slices of a row must nest. Arrows (flow events) lead from the entry that raised a semaphore to the
instruction that waited for it, and from a trigger to its transfer. Counters are the mean HBM traffic and the share of
time in which the Tensor engine is busy, in windows.

Times are in microseconds, on a grid of 1 ns, so that rounding can't make neighbours overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nki_mlir.costs.transfers import run_bytes, traffic
from nki_mlir.dialects.access import Access, Engine, pattern_text
from nki_mlir.dialects.neuron_isa import IsaInstruction, SequencerOp
from nki_mlir.executor.program import UPDATE, VALUE, WAIT
from nki_mlir.executor.recording import END, FREE, READY, SINCE, START, Mark, Unit
from nki_mlir.executor.reports import mnemonic, source
from nki_mlir.executor.timing import Timing
from nki_mlir.executor.usage import partitions

if TYPE_CHECKING:
    from xdsl.ir import Operation

Event = dict[str, Any]

_WINDOWS = 400
"""Points of each counter."""


class _Slice(NamedTuple):
    """On a row, from `start` to `end` ns."""

    row: int
    start: int
    end: int


class _Rows:
    """The rows of one unit: its own and those that it needs because entries overlap."""

    def __init__(self, unit: Unit, trace: _Trace):
        self.unit, self.trace = unit, trace
        self.free: dict[str, list[tuple[int, int]]] = {}

    def place(self, kind: str, start: int, end: int) -> _Slice:
        """The first row of the kind that is free from `start` on; starts never decrease within a kind."""
        end = max(end, start + 1)
        rows = self.free.setdefault(kind, [])
        for index, (row, until) in enumerate(rows):
            if until <= start:
                rows[index] = row, end
                return _Slice(row, start, end)
        name = f"{self.unit.name}{kind}" + (f" ({len(rows) + 1})" if rows else "")
        rows.append((self.trace.row(self.unit, name), end))
        return _Slice(rows[-1][0], start, end)

    def until(self, kind: str) -> int:
        """When the first row of a kind is free."""
        rows = self.free.get(kind)
        return rows[0][1] if rows else 0


class _Trace:
    """The events so far, and where each entry went."""

    def __init__(self, timing: Timing):
        self.timing = timing
        self.events: list[Event] = []
        self.placed: dict[Mark, _Slice] = {}
        self.rows = self.flows = 0
        self.texts: dict[int, Mapping[str, Any]] = {}

    def row(self, unit: Unit, name: str) -> int:
        """A new row; rows are shown in the order in which they are made."""
        self.rows += 1
        for kind, value in (("thread_name", {"name": name}), ("thread_sort_index", {"sort_index": self.rows})):
            self.events.append({"ph": "M", "name": kind, "pid": _process(unit.core), "tid": self.rows, "args": value})
        return self.rows

    def add_unit(self, unit: Unit) -> None:
        rows, times = _Rows(unit, self), np.rint(unit.columns() - self.timing.first_ns).astype(np.int64).T.tolist()
        setters = self.timing.setters(unit)
        if not unit.what:
            self.row(unit, unit.name)
        for index in np.argsort(unit.columns()[START], kind="stable").tolist():
            what, t = unit.what[index], times[index]
            name = what if isinstance(what, str) else mnemonic(what)
            loads = isinstance(what, IsaInstruction) and what.instruction.array == "load"
            kind = " weights" if loads else ""
            begun = max(t[SINCE], rows.until(""))
            if unit.queue is None and t[READY] > begun:
                numbers, (setter, entry) = unit.numbers(index), setters[index].tolist()
                by = {"set by": self._place((setter, entry))} if setter >= 0 else {}
                where = rows.place("", begun, t[READY])
                kind_of = "latency" if setter == unit.index else "wait"
                arguments = {"reaches": numbers[VALUE], **by}
                self._slice(unit, where, f"{kind_of} sem {numbers[WAIT]}", kind_of, arguments)
            where = self.placed[unit.index, index] = rows.place(kind, t[START], t[FREE])
            self._slice(unit, where, name, "work", {**self._arguments(unit, index, what), "complete_ns": t[END]})

    def _place(self, mark: Mark) -> str:
        unit = self.timing.recording.units[mark[0]]
        what = unit.what[mark[1]]
        return f"{unit.name}: {what if isinstance(what, str) else mnemonic(what)} #{mark[1]}"

    def _slice(self, unit: Unit, at: _Slice, name: str, category: str, arguments: Mapping[str, Any]) -> None:
        self.events.append(
            {
                "ph": "X",
                "name": name,
                "cat": category,
                "pid": _process(unit.core),
                "tid": at.row,
                "ts": at.start / 1000,
                "dur": (at.end - at.start) / 1000,
                "args": dict(arguments),
            }
        )

    def _arguments(self, unit: Unit, index: int, what: Operation | str) -> dict[str, Any]:
        """Number in the stream, source line, fields, and operands with their addresses."""
        if not isinstance(what, SequencerOp):
            return {"index": index}
        numbers = unit.numbers(index)
        found: dict[str, Any] = {"index": index, **self._static(what)}
        if isinstance(what, IsaInstruction):
            operands = what.accesses()
            for (name, access), address in zip(operands.items(), numbers[len(numbers) - len(operands) :], strict=True):
                found[name] = access_text(access, address)
        if numbers[VALUE] > 0 and unit.queue is None:
            found["wait"] = f"sem {numbers[WAIT]} reaches {numbers[VALUE]}"
        if what.update is not None:
            found["update"] = f"sem {numbers[UPDATE]} add {what.update.data.amount}"
        return found

    def _static(self, op: SequencerOp) -> Mapping[str, Any]:
        """What all occurrences of an instruction share."""
        if id(op) not in self.texts:
            fields = op.fields() if isinstance(op, IsaInstruction) else {}
            at = {"source": source(op)} if source(op) else {}
            given = {name: str(value) for name, value in fields.items() if value is not None}
            self.texts[id(op)] = {**at, **self._use(op), **given}
        return self.texts[id(op)]

    def _use(self, op: SequencerOp) -> Mapping[str, str]:
        """Partitions and contiguous bytes."""
        if not isinstance(op, IsaInstruction):
            return {}
        target = self.timing.recording.target
        count = partitions(op)
        used = {"partitions": f"{count} of {target.memory.partitions}"} if count else {}
        runs = {"contiguous bytes": f"{run_bytes(op.instance())}"} if op.instruction.is_transfer else {}
        return used | runs

    # Arrows.

    def add_arrows(self, unit: Unit) -> None:
        setters = self.timing.setters(unit)
        for index in np.flatnonzero(setters[:, 0] >= 0).tolist():
            setter, entry = setters[index].tolist()
            self._arrow("semaphore", (setter, entry), (unit.index, index))

    def add_triggers(self, queue: Unit) -> None:
        """An engine triggers one transfer at a time, so that the start of the trigger tells which one it was."""
        units = self.timing.recording.units
        engine = next(u for u in units if (u.core, u.engine, u.queue) == (queue.core, queue.engine, None))
        triggers = {start: index for index, start in enumerate(engine.columns()[START].tolist())}
        for index, since in enumerate(queue.columns()[SINCE].tolist()):
            self._arrow("trigger", (engine.index, triggers[since]), (queue.index, index))

    def _arrow(self, name: str, start: Mark, end: Mark) -> None:
        """From the last nanosecond of one entry to the first of another, or from an earlier one where they overlap."""
        self.flows += 1
        source, target, units = self.placed[start], self.placed[end], self.timing.recording.units
        leaves = max(source.start, min(source.end, target.start) - 1)
        common = {"name": name, "cat": name, "id": self.flows}
        begin = {"pid": _process(units[start[0]].core), "tid": source.row, "ts": leaves / 1000}
        finish = {"bp": "e", "pid": _process(units[end[0]].core), "tid": target.row, "ts": target.start / 1000}
        self.events += [{"ph": "s", **common, **begin}, {"ph": "f", **common, **finish}]

    # Counters.

    def add_counters(self, core: int) -> None:
        timing = self.timing
        total = timing.last_ns - timing.first_ns
        if not total:
            return
        edges = np.linspace(timing.first_ns, timing.last_ns, _WINDOWS + 1)
        units = [unit for unit in timing.recording.units if unit.core == core]
        moved = np.zeros(_WINDOWS)
        for queue in (unit for unit in units if unit.queue is not None):
            moved += _moved(queue, edges)
        window = total / _WINDOWS
        counters = {"HBM B/ns": moved / window}
        for tensor in (unit for unit in units if unit.queue is None and unit.engine is Engine.TENSOR):
            counters["Tensor busy %"] = 100 * np.diff(timing.busy(tensor).before(edges)) / window
        for name, values in counters.items():
            for edge, value in zip(edges - timing.first_ns, values, strict=False):
                self.events.append(
                    {
                        "ph": "C",
                        "name": name,
                        "pid": _process(core),
                        "ts": round(edge) / 1000,
                        "args": {"value": round(float(value), 3)},
                    }
                )


def _moved(queue: Unit, edges: np.ndarray) -> np.ndarray:
    """HBM bytes that a queue's transfers move between each two of some times, spread evenly over each transfer."""
    times = queue.columns()
    rate, sizes = np.zeros(len(edges) - 1), {}
    for index, what in enumerate(queue.what):
        assert isinstance(what, IsaInstruction)
        if id(what) not in sizes:
            sizes[id(what)] = sum(traffic(what.instance())[:2])
        start, end = times[START, index], max(times[FREE, index], times[START, index] + 1e-3)
        first, last = np.searchsorted(edges, (start, end), "right") - 1
        part = edges[first : last + 2]
        share = np.diff(np.clip(part, start, end)) / (end - start)
        rate[first : first + len(share)] += sizes[id(what)] * share
    return rate


def _process(core: int) -> int:
    """Process 0 is the idle process of the viewer."""
    return core + 1


def access_text(access: Access, address: int) -> str:
    """As in the assembly, at the address of this occurrence."""
    where = f"[{access.start}:{access.start + access.partitions}]" if access.on_chip else f' "{access.tensor}"'
    return f"{access.space}{where} at {address}, {pattern_text(access)}"


def events(timing: Timing) -> Iterator[Event]:
    """Names first, then everything by time; what encloses comes before what is inside."""
    trace, units = _Trace(timing), sorted(timing.recording.units, key=lambda unit: (unit.core, unit.place))
    for core in sorted({unit.core for unit in units}):
        name = {"name": f"core {core}"}
        trace.events.append({"ph": "M", "name": "process_name", "pid": _process(core), "args": name})
        trace.add_counters(core)
    for unit in units:
        trace.add_unit(unit)
    for unit in units:
        (trace.add_arrows if unit.queue is None else trace.add_triggers)(unit)
    order = {"M": 0, "C": 1, "X": 2, "s": 3, "f": 3}
    yield from sorted(trace.events, key=lambda e: (e["ph"] != "M", e.get("ts", 0.0), order[e["ph"]]))


def trace_text(timing: Timing) -> str:
    """The file."""
    target = timing.recording.target.name
    other = {"target": target, "modelled_us": timing.modelled_us, "times": "modelled, not measured"}
    return json.dumps({"displayTimeUnit": "ns", "otherData": other, "traceEvents": list(events(timing))})
