"""What instructions that read and write memory do when they issue: those of Vector, Scalar, GpSimd and Tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np

from nki_mlir.costs import instructions as costs
from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import WIDE_MATMUL, Instance
from nki_mlir.dialects.instructions.tensor import E4M3, array_output, columns, depth, is_bit_transpose, tile_of
from nki_mlir.dialects.legality import PACKED
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import numerics
from nki_mlir.executor.control_actions import MachineAction
from nki_mlir.executor.machine import MATMUL, OTHER, Pattern, Region
from nki_mlir.executor.meaning import Compute, Masked, Output, Undefined
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.program import EXTRA, UPDATE, DataOp, Placed
from nki_mlir.executor.recording import NONE, Mark
from nki_mlir.executor.reports import where
from nki_mlir.executor.sequencer import Sequencer
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.sums import Operand
from nki_mlir.executor.tensor_array import ArrayTile, Form, TensorArray, Weights
from nki_mlir.executor.ticks import ticks

Write = Callable[[], None]
"""Puts an instruction's results into memory."""

Port = tuple[str, int, str]
"""Memory, bank, engine."""

TABLE_LOAD = "function_table_load"
"""Name in the log of the Scalar engine's table switches."""


class DataAction(MachineAction):
    """An instruction of the table, with memory operands."""

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op)
        self.op, self.sources, self.targets = micro_op.op, micro_op.sources, micro_op.targets
        self.compute, self.stateful = micro_op.compute, micro_op.stateful
        self.floor = ticks(costs.dynamic_ns(micro_op.instance))
        self.flow = None if simulation.undefined is None else simulation.undefined.flow(micro_op)

    def read(self, numbers: tuple[int, ...]) -> list[Array]:
        """The views of the inputs, after the checks."""
        views = []
        for pattern, index in self.sources:
            region = pattern.at(numbers[index])
            if not region.ready:
                pattern.require(region)
            if pattern.memory.sums:
                pattern.memory.sums.settle(region.place)
            views.append(region.view)
        return views

    def version(self, numbers: tuple[int, ...]) -> object:
        """Equal for equal values of the inputs, once they have been read."""
        return tuple(pattern.version(pattern.cache[numbers[index]]) for pattern, index in self.sources)

    def outputs(self, numbers: tuple[int, ...]) -> list[Region]:
        return [p.at(numbers[k]) for p, k in self.targets]

    def effect(self, numbers: tuple[int, ...], *state: object) -> Write | None:
        """Reads and computes now; None in a run without data."""
        if not self.simulation.numerics:
            return None
        inputs, regions = self.read(numbers), self.outputs(numbers)
        results = computed(self.op, self.compute, *state, *inputs)
        mark = self.flow(numbers, inputs) if self.flow is not None else None

        def write() -> None:
            for (pattern, _), region, result in zip(self.targets, regions, results, strict=True):
                store(pattern, region, result)
            if mark is not None:
                mark()

        return write

    def complete(self, setter: Mark, numbers: tuple[int, ...], done: float, write: Write | None) -> None:
        """Writes and raises the semaphore at `done`."""
        if write is not None:
            self.simulation.schedule(done, lambda now: write())
        self.raise_semaphore(setter, numbers[UPDATE], done)

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        if (write := self._effect(sequencer, numbers)) is not None:
            write()

    def _effect(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> Write | None:
        return self.effect(numbers, sequencer.state) if self.stateful else self.effect(numbers)


def computed(op: IsaInstruction, compute: Compute, *inputs: object) -> Sequence[Output]:
    """What an instruction makes of the state of its engine, if it uses that, and its inputs. Raises ExecutionError."""
    try:
        return compute(*inputs)
    except Undefined as error:
        raise ExecutionError(f"{where(op)}: {error}", error.kind) from None


def put(view: Array, output: Output) -> None:
    """Fills a view with a result, in the order of its elements."""
    if isinstance(output, Masked):
        np.copyto(view, output.values.reshape(view.shape), where=output.mask.reshape(view.shape))
    else:
        view[...] = output if output.ndim == 0 or output.shape == view.shape else output.reshape(view.shape)


def store(pattern: Pattern, region: Region, output: Output, writer: int = OTHER) -> None:
    """Writes a result."""
    view = region.view
    if pattern.memory.sums:
        pattern.memory.sums.settle(region.place)
    pattern.change(region)
    put(view, output)
    if isinstance(output, Masked):
        pattern.written_where(region, output.mask.reshape(view.shape))
    elif not region.ready or pattern.access.space is Space.PSUM:
        pattern.written(region, writer)


class EngineAction(DataAction):
    """Vector, Scalar and GpSimd, with their shared memory ports and the Scalar engine's function tables. A table is
    loaded when its first instruction could start: after its semaphore, as published profiles show it."""

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op)
        instance = micro_op.instance
        self.occupancy, self.latency = map(ticks, costs.cost(instance))
        self.occupancy = max(self.occupancy, self.floor)
        self.table_ns = ticks(simulation.target.activation.table_load_ns)
        self.function_set = costs.function_set(instance)
        self.engine, self.rivals = instance.engine.value, _rivals(instance, [*self.sources, *self.targets])
        self.bank = simulation.target.memory.psum_bank_bytes
        by_bank = any(kind == "bank" for kind, _, _ in self.rivals)
        self.ports = None if by_bank else self._found_ports(())
        self.gated = bool(self.rivals) or self.function_set is not None

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        until, ports = now, sequencer.core.ports
        for _, other in self._found_ports(sequencer.numbers) if self.ports is None else self.ports:
            if (busy_until := ports.get(other, 0.0)) > until:
                until = busy_until
        if until > now:
            return until
        if self.function_set is not None and self.function_set != sequencer.function_set:
            sequencer.function_set = self.function_set
            until = now + self.table_ns
            sequencer.unit.record(TABLE_LOAD, NONE, (now, now, now, until, until))
        return until

    def choices(self, numbers: Sequence[Any]) -> Sequence[Any]:
        placed = {pattern: index for kind, _, placed in self.rivals for pattern, index in placed if kind == "bank"}
        ends = (numbers[index] + at for pattern, index in placed.items() for at in (pattern.low, pattern.high - 1))
        return [end // self.bank for end in ends]

    def _found_ports(self, numbers: tuple[int, ...]) -> list[tuple[Port, Port]]:
        """Ports of this engine with those of the engines that may not be used meanwhile; the bank is 0 where it is the
        whole memory."""
        found = []
        for kind, engine, placed in self.rivals:
            for bank in _banks(placed, numbers, self.bank) if kind == "bank" else (0,):
                found.append(((kind, bank, self.engine), (kind, bank, engine)))
        return found

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        simulation = self.simulation
        write = self._effect(sequencer, numbers)
        occupancy, latency = self.occupancy, self.latency
        if simulation.jitter is not None:
            occupancy, latency = occupancy * simulation.jitter(), latency * simulation.jitter()
        free, done = now + occupancy, sequencer.complete_at(now + latency)
        for port, _ in self._found_ports(numbers) if self.ports is None else self.ports:
            sequencer.core.ports[port] = free
        setter = self.record(sequencer, now, free, done)
        self.complete(setter, numbers, done, write)
        return free


Rival = tuple[str, str, Placed]


def _rivals(i: Instance, placed: Placed) -> list[Rival]:
    """Engines that may not use a memory while this instruction does: memory kind, engine, operands in that memory."""
    found: list[Rival] = []
    for kind, space, engines in costs.ports(i):
        inside = [(pattern, index) for pattern, index in placed if pattern.access.space is space]
        found += [(kind, other, inside) for other in engines if other != i.engine.value]
    return found


def _banks(placed: Placed, numbers: tuple[int, ...], size: int) -> set[int]:
    """The PSUM banks of `size` bytes that some operands touch."""
    banks: set[int] = set()
    for pattern, index in placed:
        low, high = numbers[index] + pattern.low, numbers[index] + pattern.high
        banks.update(range(low // size, (high - 1) // size + 1))
    return banks


class TransposeAction(DataAction):
    """nc_transpose on the Tensor engine: takes the array as a stream does, and its weights are gone afterwards."""

    gated = True

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op)
        instance = micro_op.instance
        self.occupancy, self.latency = map(ticks, costs.cost(instance))
        target = simulation.target
        self.gap = ticks(target.engine["tensor"].bubble_cycles / target.clock_ghz["tensor"])
        self.area = tile_of(instance)

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        array = sequencer.array.claim(self.area)
        return max(now, array.staging_free, array.stream_free)

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        write, simulation, array = self._effect(sequencer, numbers), self.simulation, sequencer.array.claim(self.area)
        slow = sequencer.array.clock.factor(now)
        occupancy = self.occupancy if slow == 1 else ticks((self.occupancy - self.gap) * slow)
        end = now + occupancy * simulation.factor()
        sequencer.array.clock.worked(end, end - now)
        done = sequencer.complete_at(now + (self.latency + occupancy - self.occupancy) * simulation.factor())
        array.staging_free, array.stream_free = now, end
        setter = self.record(sequencer, now, end, done)
        self.complete(setter, numbers, done, write)
        return now + self.floor

    def _effect(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> Write | None:
        sequencer.array.claim(self.area).weights = None
        return super()._effect(sequencer, numbers)


class LoadStationaryAction(DataAction):
    """Loads weights in the background; completes when all of them are in the array."""

    gated = True

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op)
        instance = micro_op.instance
        self.load, self.area = _exact(costs.load(instance)), tile_of(instance)
        tile, rows = costs.main_input(instance), depth(instance, costs.main_input(instance))
        shape = columns(instance, tile), rows * tile.partitions
        self.form = Form(*shape, tile.element_type, is_bit_transpose(instance), rows)

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        return max(now, sequencer.array.claim(self.area).load_at(self.load.latency))

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        tile, factor = sequencer.array.claim(self.area), self.simulation.factor()
        if self.simulation.numerics:
            self.do(sequencer, numbers)
        load = self.load if factor == 1.0 else self.load._replace(each=self.load.each * factor)
        slow = sequencer.array.clock.factor(now)
        load = load if slow == 1 else load._replace(each=ticks(load.each * slow))
        tile.start_load(sequencer.queued, load)
        done = sequencer.complete_at(now + load.pairs * load.each + load.latency)
        setter = self.record(sequencer, now, now + load.each, done)
        self.raise_semaphore(setter, numbers[UPDATE], done)
        return now + self.floor

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        tile = sequencer.array.claim(self.area)
        tile.weights = self._read_weights(sequencer.array, numbers)
        tile.undefined = self.flow.stationary(numbers, tile.weights.values) if self.flow is not None else None

    def _read_weights(self, array: TensorArray, numbers: tuple[int, ...]) -> Weights:
        inputs, tag = self.read(numbers), self.version(numbers)
        if (known := array.known.get(tag)) is not None:
            return known
        (values,) = self.compute(*inputs)
        return array.keep(Weights(values, tag, self.form))


class MultiplyMovingAction(DataAction):
    """Streams columns through a tile of the array. PSUM is read, added to and written when it completes."""

    gated = True

    def __init__(self, simulation: Simulation, micro_op: DataOp):
        super().__init__(simulation, micro_op)
        instance = micro_op.instance
        self.stream, self.area = _exact(costs.stream(instance)), tile_of(instance)
        self.moving, self.dst = self.sources[0][0].access, self.targets[0][0].access
        self.odd_rows, self.unit = ticks(costs.odd_rows_ns(instance)), 2 * self.moving.itemsize
        self.passes_bits, self.depth = is_bit_transpose(instance), depth(instance, self.moving)
        self.accepted: Form | None = None

    def ready_at(self, sequencer: Sequencer, now: float) -> float:
        tile = sequencer.array.tiles.get(self.area)
        return now if tile is None else max(now, tile.stream_at())

    def issue(self, sequencer: Sequencer, now: float, numbers: tuple[int, ...]) -> float:
        tile, simulation = self._tile(sequencer), self.simulation
        write = self._product(tile, numbers) if simulation.numerics else None
        factor = simulation.factor()
        stream = self.stream if factor == 1.0 else self.stream._replace(each=self.stream.each * factor)
        if self.odd_rows and numbers[self.sources[0][1]] % self.unit:
            stream = stream._replace(each=stream.each + self.odd_rows, moved=stream.moved + self.odd_rows)
        clock = sequencer.array.clock
        if (slow := clock.factor(now)) != 1:
            stream = stream._replace(each=ticks(stream.each * slow), gap=0.0, moved=ticks(stream.moved * slow))
        end = tile.start_stream(now, stream)
        clock.worked(end, stream.pairs * stream.moved)
        done = sequencer.complete_at(end + self.stream.drain * simulation.factor())
        setter = self.record(sequencer, now, end, done)
        self.complete(setter, numbers, done, write)
        return now + self.floor

    def choices(self, numbers: Sequence[Any]) -> Sequence[Any]:
        return [numbers[self.sources[0][1]] % self.unit] if self.odd_rows else []

    def do(self, sequencer: Sequencer, numbers: tuple[int, ...]) -> None:
        self._product(self._tile(sequencer), numbers)()

    def _tile(self, sequencer: Sequencer) -> ArrayTile:
        tile = sequencer.array.tiles.get(self.area)
        if tile is None:
            self._fail(f"no stationary tile is loaded{self._place()}; load_stationary comes first")
        return tile

    def _product(self, tile: ArrayTile, numbers: tuple[int, ...]) -> Write:
        weights, accumulate = self._weights(tile), numbers[EXTRA] != 0
        inputs, ((pattern, _),), (region,) = self.read(numbers), self.targets, self.outputs(numbers)
        mark = self.flow.product(numbers, tile.undefined, accumulate) if self.flow is not None else None
        if self.passes_bits:
            if accumulate:
                self._fail("a transpose overwrites; it cannot accumulate")
            require_identity(self.op, self.moving, inputs[0])
            (bits,) = self.compute(*inputs, weights.values)
            return lambda: store(pattern, region, bits)
        sums, columns, rows = pattern.memory.sums, *weights.values.shape
        stationary = Operand(weights.tag, rows, columns, lambda room: np.copyto(room, weights.values.T))
        stream = Operand(self.version(numbers), rows, self.dst.free_elements, lambda room: self.compute(*inputs, room))
        room = sums.take(region.place, stationary, stream, accumulate)

        def write() -> None:
            if accumulate and region.checked:
                pattern.require_accumulator(region)
            sums.complete(region.place, region.view, room, accumulate)
            if not accumulate:
                pattern.written(region, MATMUL)
            if mark is not None:
                mark()

        return write

    def _weights(self, tile: ArrayTile) -> Weights:
        """The stationary tile, which must be one for this multiplication."""
        if tile.weights is None:
            self._fail(f"no stationary tile is loaded{self._place()}; load_stationary comes first")
        if tile.weights.form is not self.accepted:
            self._accept(tile.weights.form)
        return tile.weights

    def _accept(self, form: Form) -> None:
        if (form.element_type in PACKED) != (self.moving.element_type in PACKED):
            self._fail("if one input has packed elements (…_x4) the other must too")
        if (form.passes_bits, form.depth) != (self.passes_bits, self.depth):
            self._fail("is_transpose and perf_mode must be those of the load_stationary before")
        if (form.columns, form.rows) != (self.depth * self.moving.partitions, self.dst.partitions):
            self._fail(
                f"the stationary tile loaded last is {form.columns // self.depth} x {form.rows} (K x M); moving has"
                f" {self.moving.partitions} partitions and dst {self.dst.partitions}"
            )
        if (form.element_type in WIDE_MATMUL) != (self.moving.element_type in WIDE_MATMUL):
            self._fail("if one input is float32 or tfloat32 the other must be too")
        if {form.element_type, self.moving.element_type} == E4M3:
            self._fail("float8_e4m3 and float8_e4m3fn may not appear together")
        if self.passes_bits and self.dst.element_type != array_output(form.element_type):
            names = dtype(form.element_type).name, dtype(self.dst.element_type).name
            self._fail(f"the stationary tile is {names[0]}, the transpose of which is not {names[1]}")
        self.accepted = form

    def _place(self) -> str:
        (row, column), (rows, columns) = self.area
        return f" in rows {row}..{row + rows - 1} and columns {column}..{column + columns - 1}"

    def _fail(self, text: str) -> NoReturn:
        raise ExecutionError(f"{where(self.op)}: {text}")


_Times = TypeVar("_Times", costs.Load, costs.Stream)


def _exact(times: _Times) -> _Times:
    return times._replace(**{name: ticks(ns) for name, ns in times._asdict().items() if name != "pairs"})


def require_identity(op: IsaInstruction, access: Access, moving: Array) -> None:
    """What the array passes through is the stationary tile only if the moving one, read by `access`, is an identity."""
    stored = moving.view(numerics.storage(access.element_type)).reshape(len(moving), -1)
    if not (stored == np.eye(*stored.shape, dtype=stored.dtype)).all():
        raise ExecutionError(f"{where(op)}: with is_transpose, moving must be an identity")
