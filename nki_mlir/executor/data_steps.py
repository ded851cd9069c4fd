"""Steps of the instructions that read and write memory: those of Vector, Scalar and GpSimd, of the Tensor engine, and
transfers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import WIDE_MATMUL, Function, Instance
from nki_mlir.dialects.neuron_isa import ExprAttr, IsaInstruction
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import cost, decode, dma, numerics
from nki_mlir.executor.decode import EXTRA, UPDATE, Placed
from nki_mlir.executor.machine import MATMUL, OTHER, Pattern, Region
from nki_mlir.executor.meaning import Masked, Output
from nki_mlir.executor.recording import Mark
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.steps import MachineStep
from nki_mlir.executor.tensor_array import TensorArray

Write = Callable[[], None]
"""Puts an instruction's results into memory."""

TABLE_LOAD = "function_table_load"
"""Name in the log of the Scalar engine's table switches."""


class DataStep(MachineStep):
    """An instruction of the table, with memory operands."""

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance, extra: Sequence[Expr] = ()):
        addresses = [decode.address(access) for _, access in instance.accesses()]
        super().__init__(simulation, op, [*extra, *addresses])
        found = decode.operands(op, instance, simulation.memory, EXTRA + len(extra))
        self.sources, self.targets = found.sources, found.targets
        self.compute, self.bits, self.stateful = found.compute, found.bits, found.stateful
        self.floor = cost.dynamic_ns(instance) if found.dynamic else 0.0

    def read(self, numbers: tuple[int, ...]) -> list[numerics.Array]:
        """The views of the inputs, after the checks."""
        views = []
        for pattern, index in self.sources:
            region = pattern.cache.get(numbers[index]) or pattern.bind(numbers[index])
            if not region.ready:
                pattern.require(region)
            views.append(region.view)
        return views

    def outputs(self, numbers: tuple[int, ...]) -> list[Region]:
        return [p.cache.get(numbers[k]) or p.bind(numbers[k]) for p, k in self.targets]

    def effect(self, numbers: tuple[int, ...], *state: object) -> Write | None:
        """Reads and computes now; None in a run without data."""
        if not self.simulation.numerics:
            return None
        results, regions = self.compute(*state, *self.read(numbers)), self.outputs(numbers)

        def write() -> None:
            for (pattern, _), region, result in zip(self.targets, regions, results, strict=True):
                store(pattern, region, result)

        return write

    def complete(self, setter: Mark, numbers: tuple[int, ...], done: float, write: Write | None) -> None:
        """Writes and raises the semaphore at `done`."""
        if write is None:
            self.raise_semaphore(setter, numbers[UPDATE], done)
            return

        def complete(now: float) -> None:
            write()
            self.raise_semaphore(setter, numbers[UPDATE], now)

        self.simulation.schedule(done, complete)


def store(pattern: Pattern, region: Region, output: Output, writer: int = OTHER) -> None:
    """Writes a result."""
    view = region.view
    if isinstance(output, Masked):
        np.copyto(view, output.values.reshape(view.shape), where=output.mask.reshape(view.shape))
        pattern.written_where(region, output.mask.reshape(view.shape))
        return
    view[...] = output if output.ndim == 0 or output.shape == view.shape else output.reshape(view.shape)
    if not region.ready or pattern.access.space is Space.PSUM:
        pattern.written(region, writer)


class EngineStep(DataStep):
    """Vector, Scalar and GpSimd, with their shared memory ports and the Scalar engine's function tables. A table is
    loaded when its first instruction could start: after its semaphore, as published profiles show it."""

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance):
        super().__init__(simulation, op, instance)
        self.occupancy, self.latency = cost.cost(instance)
        self.occupancy = max(self.occupancy, self.floor)
        function = instance.fields.get("op")
        activation = simulation.target.activation
        self.function_set = None
        if isinstance(function, Function):
            found = activation.set_of(function.value) or function.value
            self.function_set = None if found == "any" else found
        self.rivals = _rivals(instance, [*self.sources, *self.targets])
        self.bank = simulation.target.memory.psum_bank_bytes
        self.gated = bool(self.rivals) or self.function_set is not None

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        until, ports = now, sequencer.core.ports
        for key, engine in self._ports(sequencer.numbers):
            until = max(until, ports.get((*key, engine), 0.0))
        if until > now:
            return until
        if self.function_set is not None and self.function_set != sequencer.function_set:
            sequencer.function_set = self.function_set
            until = now + self.simulation.target.activation.table_load_ns
            sequencer.unit.record(TABLE_LOAD, (), (now, now, now, until, until))
        return until

    def _ports(self, numbers: tuple[int, ...]) -> list[tuple[tuple[str, int], str]]:
        """(memory, bank) and the other engine that may not use it now; the bank is 0 where it is the whole memory."""
        found = []
        for kind, engine, placed in self.rivals:
            for bank in _banks(placed, numbers, self.bank) if kind == "bank" else (0,):
                found.append(((kind, bank), engine))
        return found

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        simulation = self.simulation
        write = self.effect(numbers, sequencer.state) if self.stateful else self.effect(numbers)
        occupancy, latency = self.occupancy, self.latency
        if simulation.jitter is not None:
            occupancy, latency = occupancy * simulation.jitter(), latency * simulation.jitter()
        free, done = now + occupancy, sequencer.complete_at(now + latency)
        for key, _ in self._ports(numbers) if self.rivals else ():
            sequencer.core.ports[(*key, sequencer.engine.value)] = free
        setter = self.record(sequencer, now, free, done)
        self.complete(setter, numbers, done, write)
        return free


Rival = tuple[str, str, Placed]


def _rivals(i: Instance, placed: Placed) -> list[Rival]:
    """Engines that may not use a memory while this instruction does: memory kind, engine, operands in that memory."""
    ports = i.target.ports
    kinds = (
        ("sbuf", Space.SBUF, ports.sbuf_exclusive),
        ("psum", Space.PSUM, ports.psum_exclusive),
        ("bank", Space.PSUM, ports.psum_bank_exclusive),
    )
    found: list[Rival] = []
    for kind, space, engines in kinds:
        inside = [(pattern, index) for pattern, index in placed if pattern.access.space is space]
        if inside and i.engine.value in engines:
            found += [(kind, other, inside) for other in engines if other != i.engine.value]
    return found


def _banks(placed: Placed, numbers: tuple[int, ...], size: int) -> set[int]:
    """The PSUM banks of `size` bytes that some operands touch."""
    banks: set[int] = set()
    for pattern, index in placed:
        low, high = numbers[index] + pattern.low, numbers[index] + pattern.high
        banks.update(range(low // size, (high - 1) // size + 1))
    return banks


class TransposeStep(DataStep):
    """nc_transpose on the Tensor engine: takes the array as a stream does, and its weights are gone afterwards."""

    gated = True

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance):
        super().__init__(simulation, op, instance)
        self.occupancy, self.latency = cost.cost(instance)

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return max(now, sequencer.array.staging_free, sequencer.array.stream_free)

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        write, simulation, array = self.effect(numbers), self.simulation, sequencer.array
        end = now + self.occupancy * simulation.factor()
        done = sequencer.complete_at(now + self.latency * simulation.factor())
        array.weights, array.staging_free, array.stream_free = None, now, end
        setter = self.record(sequencer, now, end, done)
        self.complete(setter, numbers, done, write)
        return now + self.floor


class LoadStationaryStep(DataStep):
    """Loads weights in the background; completes when all of them are in the array."""

    gated = True

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance):
        super().__init__(simulation, op, instance)
        self.load = cost.load(instance)
        self.wide = cost.main_input(instance).element_type in WIDE_MATMUL

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return max(now, sequencer.array.load_at(self.load.latency))

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        array, factor = sequencer.array, self.simulation.factor()
        if self.simulation.numerics:
            (array.weights,), array.wide = self.compute(*self.read(numbers)), self.wide
        load = self.load if factor == 1.0 else self.load._replace(each=self.load.each * factor)
        array.start_load(sequencer.queued, load)
        done = sequencer.complete_at(now + load.pairs * load.each + load.latency)
        setter = self.record(sequencer, now, now + load.each, done)
        self.raise_semaphore(setter, numbers[UPDATE], done)
        return now + self.floor


class MultiplyMovingStep(DataStep):
    """Streams columns through the array. PSUM is read, added to and written when it completes."""

    gated = True

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance):
        accumulate = op.properties.get("accumulate")
        super().__init__(simulation, op, instance, [accumulate.data if isinstance(accumulate, ExprAttr) else Expr()])
        self.stream = cost.stream(instance)
        self.wide = cost.main_input(instance).element_type in WIDE_MATMUL
        self.moving, self.dst = self.sources[0][0].access, self.targets[0][0].access

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return max(now, sequencer.array.stream_at())

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        array, simulation = sequencer.array, self.simulation
        write = self._product(array, numbers) if simulation.numerics else None
        factor = simulation.factor()
        stream = self.stream if factor == 1.0 else self.stream._replace(each=self.stream.each * factor)
        end = array.start_stream(now, stream)
        done = sequencer.complete_at(end + self.stream.drain * simulation.factor())
        setter = self.record(sequencer, now, end, done)
        self.complete(setter, numbers, done, write)
        return now + self.floor

    def _product(self, array: TensorArray, numbers: tuple[int, ...]) -> Write:
        self._check_weights(array.weights, array.wide)
        (product,) = self.compute(*self.read(numbers), array.weights)
        (pattern, _), (region,) = self.targets[0], self.outputs(numbers)
        accumulate = numbers[EXTRA] != 0

        def write() -> None:
            if accumulate:
                if region.state is not None:
                    pattern.require_accumulator(region)
                region.view += product.reshape(region.view.shape)
            else:
                store(pattern, region, product, MATMUL)

        return write

    def _check_weights(self, weights: numerics.Array | None, wide: bool) -> None:
        assert self.op is not None
        if weights is None:
            raise ExecutionError(f"{where(self.op)}: no stationary tile is loaded; load_stationary comes first")
        rows, columns = weights.shape
        if (columns, rows) != (self.moving.partitions, self.dst.partitions):
            raise ExecutionError(
                f"{where(self.op)}: the stationary tile loaded last is {columns} x {rows} (K x M); moving has"
                f" {self.moving.partitions} partitions and dst {self.dst.partitions}"
            )
        if wide != self.wide:
            raise ExecutionError(f"{where(self.op)}: if one input is float32 or tfloat32 the other must be too")


class DmaStep(DataStep):
    """Triggers a transfer. A source that nothing in the program writes is read when the transfer ends: no copy."""

    def __init__(self, simulation: Simulation, op: IsaInstruction, instance: Instance, constant: bool):
        super().__init__(simulation, op, instance)
        self.shares = dma.shares(instance)
        self.ring = (instance.engine.value, int(str(instance.fields["queue"])))
        self.mask = sum(mask for mask, _ in self.shares)
        self.constant = constant

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        simulation, core = self.simulation, sequencer.core
        times = simulation.target.dma
        ring = self.ring
        assert ring is not None
        read, write = self._movement(numbers) if simulation.numerics else (None, None)
        queue, trigger = simulation.unit(core.index, sequencer.engine, ring[1]), now

        def end(now: float) -> None:
            if write is not None:
                write()
            start = transfer.start or now
            done = now + times.completion_ns * simulation.factor()
            setter = queue.record(self.label, numbers, (trigger, trigger, start, now, done))
            self.raise_semaphore(setter, numbers[UPDATE], done)

        factor = simulation.factor()
        shares = self.shares if factor == 1.0 else [(mask, service * factor) for mask, service in self.shares]
        transfer = dma.Transfer(ring, shares, read, end)
        core.dma.submit(transfer, now + self.delay, simulation.factor())
        free = now + max(times.trigger_ns * simulation.factor(), self.floor)
        self.record(sequencer, now, free, free)
        return free

    def _movement(self, numbers: tuple[int, ...]) -> tuple[Callable[[], None], Write]:
        """What reads when the transfer starts, and what writes when it ends."""
        (source, at), (region,) = self.sources[0], self.outputs(numbers)
        origin = source.cache.get(numbers[at]) or source.bind(numbers[at])
        data: list[numerics.Array] = []

        def read() -> None:
            if not origin.ready:
                source.require(origin)
            if not self.constant:
                data.extend(self.compute(origin.view))

        def write() -> None:
            result = data[0] if data else origin.view if self.bits else self.compute(origin.view)[0]
            store(self.targets[0][0], region, result)

        return read, write
