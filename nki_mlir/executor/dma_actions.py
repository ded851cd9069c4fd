"""What transfers do when they are triggered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nki_mlir.costs import transfers
from nki_mlir.dialects.instructions.dma import INDEX_OPERANDS, by_rows
from nki_mlir.dialects.neuron_isa import ExprAttr
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import dma, numerics
from nki_mlir.executor.checks.programs import Programs
from nki_mlir.executor.data_actions import DataAction, Write, store
from nki_mlir.executor.machine import Pattern
from nki_mlir.executor.meaning import Masked, Output
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import EXTRA, UPDATE, DataOp, MicroOp, Placed
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.rows import Rows
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.ticks import ticks


class Movement(NamedTuple):
    """`read` takes the inputs when the data starts moving, `write` stores the result when it is all there."""

    read: Callable[[], None]
    write: Write


class UnderWay:
    """What is to be done at the end of a transfer that was issued at `trigger`: `write` stores its data, if it moves
    any; `update` is the semaphore that it raises."""

    __slots__ = ("action", "issue", "queue", "trigger", "update", "write")

    def __init__(self, action: DmaAction, queue: Unit, trigger: float, issue: int, update: int, write: Write | None):
        self.action, self.queue, self.trigger, self.issue = action, queue, trigger, issue
        self.update, self.write = update, write

    def postpone(self, ns: float, issues: int) -> None:
        self.trigger += ns
        self.issue += issues

    def __call__(self, start: float, now: float) -> None:
        action = self.action
        if self.write is not None:
            self.write()
        done = now + action.completion * action.simulation.factor()
        setter = self.queue.record(action.label, self.issue, (self.trigger, self.trigger, start, now, done))
        action.raise_semaphore(setter, self.update, done)


class DmaAction(DataAction):
    """Triggers a transfer. Sources that nothing in the program writes, and that it doesn't add to, are `constant`: they
    are read when the transfer ends, no copy."""

    def __init__(self, simulation: Simulation, micro_op: DataOp, constant: bool):
        super().__init__(simulation, micro_op)
        instance = micro_op.instance
        self.of_program = isinstance(micro_op.op.properties.get("program"), ExprAttr)
        self.adds = instance.fields.get("dst_rmw_op") is not None
        self.shares = [
            transfers.Share(share.mask, ticks(share.service), ticks(share.ring)) for share in transfers.shares(instance)
        ]
        made = transfers.generation(instance)
        self.generation = made._replace(prepare=ticks(made.prepare), trigger=ticks(made.trigger))
        self.completion = ticks(simulation.target.dma.completion_ns)
        priority = instance.fields.get("priority")
        self.priority = priority if isinstance(priority, int) else dma.LOWEST_PRIORITY
        self.constant = constant and not self.adds
        self.moves = micro_op.moves

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        simulation, core = self.simulation, sequencer.core
        ring = self.micro_op.ring
        assert ring is not None
        try:
            read, write = self.movement(numbers) if simulation.numerics else (None, None)
        except ExecutionError as error:
            raise self._named(error, numbers) from None
        queue = simulation.unit(core.index, sequencer.engine, ring[1])
        end = UnderWay(self, queue, now, sequencer.issue, numbers[UPDATE], write)
        factor = simulation.factor()
        shares = self.shares if factor == 1.0 else [share.stretched(factor) for share in self.shares]
        transfer = dma.Transfer(ring, shares, read, end, self.generation, self.priority)
        stretch = simulation.factor()
        core.dma.submit(transfer, now + self.delay + self.generation.prepare * stretch, stretch)
        free = now + max((self.generation.prepare + self.generation.trigger) * simulation.factor(), self.floor)
        self.record(sequencer, now, free, free)
        return free

    def _named(self, error: ExecutionError, numbers: tuple[int, ...]) -> ExecutionError:
        """The error with the program that it happened in."""
        grid = self.simulation.grid
        if not self.of_program or grid is None:
            return error
        return ExecutionError(f"{error}\n  in {grid.name(numbers[EXTRA])} of the grid {grid.sizes}", error.kind)

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        inputs, ((target, k),) = self.read(numbers), self.targets
        mark = self.flow(numbers, inputs) if self.flow is not None else None
        result = inputs[0] if self.moves and not self.adds else self.compute(*inputs)[0]
        if (programs := self._programs()) is not None:
            programs.write(target, numbers[k], numbers[EXTRA])
        store(target, target.at(numbers[k]), result)
        if mark is not None:
            mark()

    def _programs(self) -> Programs | None:
        """What judges the writes of the grid's programs, if this is one of them."""
        on_chip = self.targets[0][0].memory.on_chip
        return self.simulation.programs if self.of_program and not self.adds and not on_chip else None

    def movement(self, numbers: tuple[int, ...]) -> Movement:
        for pattern, k in self.sources:
            if numbers[k] not in pattern.cache:
                pattern.bind(numbers[k])
        ((target, _),), (region,) = self.targets, self.outputs(numbers)
        data: list[Array] = []

        marks: list[Write] = []

        def read() -> None:
            inputs = self.read(numbers)
            if not self.constant:
                data.extend(self.compute(*inputs))
            if self.flow is not None:
                marks.append(self.flow(numbers, inputs))

        programs = self._programs()

        def write() -> None:
            result = data[0] if data else self._late(self.read(numbers))
            if programs is not None:
                programs.write(target, region.address, numbers[EXTRA])
            store(target, region, result)
            for mark in marks:
                mark()

        return Movement(read, write)

    def _late(self, inputs: list[Array]) -> Array:
        """The result of inputs that haven't changed since."""
        return inputs[0] if self.moves else self.compute(*inputs)[0]


class RowsAction(DmaAction):
    """A gather, a scatter, an addition to rows, or a copy that may leave rows out. Whoever makes the descriptors reads
    the indices when the transfer is triggered; without an index tile, rows follow each other."""

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op, False)
        instance, found = micro_op.instance, by_rows(micro_op.instance)
        skip = instance.fields.get("oob_mode") == "skip"
        self.index = [placed for placed in self.sources if placed[0].name in INDEX_OPERANDS]
        self.tiles = [placed for placed in self.sources if placed not in self.index]
        patterns = {pattern.name: pattern for pattern, _ in (*self.tiles, *self.targets)}
        self.rows = {name: Rows(patterns[name], skip) for name in found}
        self.most = next(iter(found.values())).dims[0][1]
        self.chosen: dict[str, Array] = {}
        self.inside = np.empty(0, np.bool_)
        self.axis = -1 if instance.instruction.transfer == "transpose" else 0

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        """In the trace stands what this transfer touches: the rows that the indices choose now."""
        if self.simulation.numerics:
            self.chosen, self.inside = self._choose(numbers)
            if self.simulation.checks:
                self.simulation.trace.touched[sequencer.issue] = self._touched(numbers)
        return super().issue(sequencer, now, numbers)

    def _choose(self, numbers: tuple[int, ...]) -> tuple[dict[str, Array], Array]:
        """The addresses of the rows, by operand, and which indices name rows of the tensor."""
        indices = self._indices(numbers)
        chosen, inside = {}, np.ones(len(indices), np.bool_)
        for pattern, k in (*self.tiles, *self.targets):
            if pattern.name in self.rows:
                chosen[pattern.name], inside = self.rows[pattern.name].select(numbers[k], indices)
        for target, _ in self.targets:
            if target.name in chosen:
                self.rows[target.name].require_distinct(chosen[target.name])
        return chosen, inside

    def _touched(self, numbers: tuple[int, ...]) -> tuple[MicroOp, tuple[int, ...]]:
        """This transfer as a micro-op whose operands are single rows, and its numbers with the addresses of those."""
        addresses = list(numbers)

        def rows_of(placed: Placed) -> Placed:
            found: list[tuple[Pattern, int]] = []
            for pattern, k in placed:
                if pattern.name not in self.rows:
                    found.append((pattern, k))
                    continue
                first = len(addresses)
                addresses.extend(self.chosen[pattern.name].tolist())
                found.extend((self.rows[pattern.name].row, n) for n in range(first, len(addresses)))
            return found

        sources, targets = [*self.index, *rows_of(self.tiles)], rows_of(self.targets)
        return replace(self.micro_op, sources=sources, targets=targets), tuple(addresses)

    def movement(self, numbers: tuple[int, ...]) -> Movement:
        chosen, inside, data = self.chosen, self.inside, list[Array]()
        ((target, at),) = self.targets
        region = None if target.name in chosen else target.bind(numbers[at])
        marks: list[Write] = []

        def read() -> None:
            if self.flow is not None:
                marks.append(self.flow.strict(numbers, region is not None))
            data.extend(self.compute(*(self._tile(pattern, numbers[k], chosen, inside) for pattern, k in self.tiles)))

        def write() -> None:
            if region is None:
                rows = self.rows[target.name]
                rows.put(chosen[target.name], data[0].reshape(-1, *rows.row.shape))
            else:
                store(target, region, self._spread(data[0], region.view.shape, inside))
            for mark in marks:
                mark()

        return Movement(read, write)

    def _indices(self, numbers: tuple[int, ...]) -> Array:
        """int64 [n], column by column."""
        if not self.index:
            return np.arange(self.most)
        ((pattern, k),) = self.index
        tile = self._view(pattern, numbers[k]).view(numerics.storage(pattern.access.element_type))
        return tile.reshape(len(tile), -1).T.reshape(-1)[: self.most].astype(np.int64)

    def _tile(self, pattern: Pattern, address: int, chosen: Mapping[str, Array], inside: Array) -> Array:
        if pattern.name in chosen:
            rows, addresses = self.rows[pattern.name], chosen[pattern.name]
            rows.require(addresses)
            return rows.take(addresses)
        if inside.all():
            return self._view(pattern, address)
        region = pattern.bind(address)
        state = pattern.state_of(region)
        if state is not None and not state[inside].all():
            pattern.require(region)
        return region.view[inside]

    def _view(self, pattern: Pattern, address: int) -> Array:
        region = pattern.at(address)
        if not region.ready:
            pattern.require(region)
        return region.view

    def _spread(self, result: Array, shape: tuple[int, ...], inside: Array) -> Output:
        """A result without the rows that were left out, in the destination's shape."""
        if inside.all():
            return result
        values, mask = np.zeros(shape, result.dtype), np.zeros(shape, np.bool_)
        kept = np.moveaxis(values, self.axis, 0)
        kept[inside] = np.moveaxis(result, self.axis, 0).reshape(-1, *kept.shape[1:])
        np.moveaxis(mask, self.axis, 0)[inside] = True
        return Masked(values, mask)
