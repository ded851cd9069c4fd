"""From the trace of a run to a plan of its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.instructions.tensor import columns, depth, is_bit_transpose, tile_of
from nki_mlir.dialects.neuron_isa import RegisterStoreOp
from nki_mlir.executor.data_actions import computed, put, require_identity
from nki_mlir.executor.machine import Memory, Pattern
from nki_mlir.executor.meaning import Into
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.plan import Plan, View, Work
from nki_mlir.executor.plan.loads import Loads
from nki_mlir.executor.program import EXTRA, DataOp, MicroOp
from nki_mlir.executor.recording import Unit
from nki_mlir.executor.state import EngineState
from nki_mlir.executor.sums import Operand, Sums
from nki_mlir.executor.tensor_array import Area, overlap
from nki_mlir.executor.trace import Issue


def plan(trace: Iterable[Issue], tensors: Sequence[Memory], constant: Collection[int]) -> Plan:
    """The plan of a run that its checks have found nothing wrong with. `tensors` are the memories that it had in HBM,
    of which those numbered in `constant` are not written; those on chip become the plan's own."""
    builder = _Builder({memory: index for index, memory in enumerate(tensors)}, frozenset(constant))
    for issue in trace:
        builder.add(*issue)
    return builder.finished()


class _Weights(NamedTuple):
    """A stationary tile, loaded from `views` when the bytes there had the version `tag`; `place` is where among the
    steps it can be copied, should its bytes change before it is used."""

    op: DataOp
    views: Sequence[View]
    placed: Sequence[tuple[Pattern, int]]
    tag: object
    place: int


class _Builder:
    def __init__(self, tensors: Mapping[Memory, int], constant: frozenset[int]):
        self.tensors, self.constant = tensors, constant
        self.loads = Loads()
        self.steps: list[Work | None] = []
        self.views: dict[tuple[Pattern, int], View] = {}
        self.in_tensors: dict[object, View] = {}
        self.states: dict[tuple[int, Engine], EngineState] = {}
        self.arrays: dict[tuple[int, Engine], dict[Area, _Weights]] = {}
        self.copies: dict[int, Array] = {}
        self.identities = set[object]()
        self.memories = set[Memory]()

    def finished(self) -> Plan:
        views = [view for view in (*self.views.values(), *self.in_tensors.values()) if view.tensor >= 0]
        return Plan([step for step in self.steps if step is not None], views, list(self.states.values()))

    def add(self, unit: Unit, micro_op: MicroOp, numbers: tuple[int, ...]) -> None:
        """The steps of one issue: those of data."""
        if isinstance(micro_op.op, RegisterStoreOp):
            self._element(micro_op, numbers)
        if not isinstance(micro_op, DataOp):
            return
        key = unit.core, unit.engine
        role = micro_op.op.instruction.array if unit.engine is Engine.TENSOR else None
        if role == "load":
            self._load(key, micro_op, numbers)
        elif role == "multiply":
            self._multiply(key, micro_op, numbers)
        else:
            if role == "transpose":
                self._claim(key, tile_of(micro_op.instance))
            self._compute(key, micro_op, numbers)

    # Memory.

    def _view(self, pattern: Pattern, address: int) -> View:
        found = self.views.get((pattern, address))
        if found is None:
            memory = pattern.memory
            tensor = self.tensors.get(memory, -1)
            offset = pattern.base + address
            found = View(tensor, pattern.shape, pattern.dtype, offset, pattern.strides)
            if tensor < 0:
                found.open(memory.data)
            self.views[pattern, address] = found
        return found

    def _sums(self, memory: Memory) -> Sums:
        """The matmuls under way in a memory, written down as steps."""
        if memory not in self.memories:
            self.memories.add(memory)
            memory.sums = Sums(self.steps.append)
        return memory.sums

    def _reads(self, micro_op: MicroOp, numbers: tuple[int, ...]) -> list[View]:
        return [self._read(pattern, numbers[k]) for pattern, k in micro_op.sources]

    def _read(self, pattern: Pattern, address: int) -> View:
        region = pattern.at(address)
        if sums := self._sums(pattern.memory):
            sums.settle(region.place)
        found = self.loads.read(pattern, address, region) if pattern.memory.on_chip else None
        if found is None:
            return self._view(pattern, address)
        return self.in_tensors.setdefault((found.tensor, found.shape, found.dtype, found.offset, found.strides), found)

    def _writes(self, micro_op: MicroOp, numbers: tuple[int, ...]) -> list[View]:
        for pattern, k in micro_op.targets:
            region = pattern.at(numbers[k])
            if sums := self._sums(pattern.memory):
                sums.settle(region.place)
            pattern.change(region)
        return [self._view(pattern, numbers[k]) for pattern, k in micro_op.targets]

    # Instructions.

    def _element(self, micro_op: MicroOp, numbers: tuple[int, ...]) -> None:
        (target,) = self._writes(micro_op, numbers)
        value = np.array(numbers[-1] & 0xFFFF_FFFF, np.uint32).view(target.dtype)
        self.steps.append(partial(_set, target, value))

    def _compute(self, key: tuple[int, Engine], micro_op: DataOp, numbers: tuple[int, ...]) -> None:
        inputs, outputs = self._reads(micro_op, numbers), self._writes(micro_op, numbers)
        if micro_op.moves and len(inputs) == 1 and self._left_out(inputs[0], outputs[0], micro_op, numbers):
            return
        self.steps.append(_step(micro_op, inputs, outputs, self._state(key) if micro_op.stateful else None))

    def _left_out(self, source: View, out: View, micro_op: DataOp, numbers: tuple[int, ...]) -> bool:
        """Whether a transfer can wait until somebody needs it."""
        ((pattern, k),) = micro_op.targets
        if source.tensor not in self.constant or not pattern.memory.on_chip:
            return False
        place = len(self.steps)

        def emit() -> None:
            self.steps[place] = partial(_copy, out, source)

        if not self.loads.leave_out(source, pattern, numbers[k], pattern.at(numbers[k]), emit):
            return False
        self.steps.append(None)
        return True

    def _state(self, key: tuple[int, Engine]) -> EngineState:
        return self.states.setdefault(key, EngineState())

    # The Tensor engine's array.

    def _claim(self, key: tuple[int, Engine], area: Area) -> dict[Area, _Weights]:
        """The tiles of the array, without those that a tile overlaps."""
        tiles = self.arrays.setdefault(key, {})
        for other in [other for other in tiles if overlap(other, area)]:
            del tiles[other]
        return tiles

    def _load(self, key: tuple[int, Engine], micro_op: DataOp, numbers: tuple[int, ...]) -> None:
        views, area = self._reads(micro_op, numbers), tile_of(micro_op.instance)
        placed = [(pattern, numbers[k]) for pattern, k in micro_op.sources]
        self._claim(key, area)[area] = _Weights(micro_op, views, placed, self._versions(placed), len(self.steps))
        self.steps.append(None)

    def _stationary(self, weights: _Weights) -> Callable[[Array], object]:
        """What puts a stationary tile into an fp32 [depth K, M]."""
        into, views = weights.op.into, weights.views
        assert into is not None
        if self._versions(weights.placed) == weights.tag:
            return lambda room: into(room, *arrays(views))()
        copy = self.copies.get(weights.place)
        if copy is None:
            instance = weights.op.instance
            access = instance.access("stationary")
            assert access is not None
            shape = access.partitions * depth(instance, access), columns(instance, access)
            copy = self.copies[weights.place] = np.empty(shape, np.float32)
            self.steps[weights.place] = lambda: into(copy, *arrays(views))()
        return lambda room: np.copyto(room, copy)

    def _multiply(self, key: tuple[int, Engine], micro_op: DataOp, numbers: tuple[int, ...]) -> None:
        weights = self.arrays[key][tile_of(micro_op.instance)]
        if is_bit_transpose(micro_op.instance):
            return self._pass_through(weights, micro_op, numbers)
        views, accumulate, into = self._reads(micro_op, numbers), numbers[EXTRA] != 0, micro_op.into
        ((target, k),), instance = micro_op.targets, micro_op.instance
        region = target.at(numbers[k])
        moving, stationary = instance.access("moving"), weights.op.instance.access("stationary")
        assert into is not None and moving is not None and stationary is not None
        rows = moving.partitions * depth(instance, moving)
        sums = self._sums(target.memory)
        versions = self._versions([(pattern, numbers[k]) for pattern, k in micro_op.sources])
        left = Operand(weights.tag, rows, columns(weights.op.instance, stationary), self._stationary(weights))
        right = Operand(versions, rows, target.access.free_elements, lambda room: into(room, *arrays(views))())
        room = sums.take(region.place, left, right, accumulate)
        sums.complete(region.place, region.view, room, accumulate)

    def _pass_through(self, weights: _Weights, micro_op: DataOp, numbers: tuple[int, ...]) -> None:
        """A transpose by the array, of bits."""
        moving = self._reads(micro_op, numbers)
        (identity, k), versions = micro_op.sources[0], self._versions(weights.placed)
        known = self._versions([(identity, numbers[k])])
        if known not in self.identities:
            self.identities.add(known)
            self.steps.append(lambda: require_identity(micro_op.op, identity.access, arrays(moving)[0]))
        load, compute, views, held = weights.op.compute, micro_op.compute, weights.views, self.copies
        changed = versions != weights.tag

        def keep() -> None:
            (held[weights.place],) = load(*arrays(views))

        if changed:
            self.steps[weights.place] = keep
        targets = self._writes(micro_op, numbers)

        def turn() -> None:
            tile = held[weights.place] if changed else load(*arrays(views))[0]
            put(arrays(targets)[0], compute(*arrays(moving), tile)[0])

        self.steps.append(turn)

    def _versions(self, placed: Sequence[tuple[Pattern, int]]) -> object:
        """Equal for equal content of some operands."""
        return tuple(pattern.version(pattern.at(at)) for pattern, at in placed)


def arrays(views: Sequence[View]) -> list[Array]:
    """What views show in this launch."""
    return [view.array for view in views]  # pyright: ignore[reportReturnType]


# Steps.


def _step(micro_op: DataOp, inputs: Sequence[View], outputs: Sequence[View], state: EngineState | None) -> Work:
    states = () if state is None else (state,)
    if micro_op.moves and len(inputs) == 1:
        return partial(_copy, outputs[0], inputs[0])
    if micro_op.into is not None and not _entangled(outputs[0], inputs):
        if len(outputs) == 1 and all(view.array is not None for view in (*inputs, *outputs)):
            return micro_op.into(outputs[0].array, *states, *arrays(inputs))
        return partial(_into, micro_op.into, states, inputs, outputs)
    return partial(_general, micro_op, states, inputs, outputs)


def _entangled(out: View, inputs: Sequence[View]) -> bool:
    """Whether an output on chip shares bytes with an input other than the first, or with that otherwise than element by
    element."""
    for place, view in enumerate(inputs):
        same = (view.offset, view.shape, view.strides) == (out.offset, out.shape, out.strides)
        if view.array is not None and np.may_share_memory(out.array, view.array) and (place or not same):
            return True
    return out.array is None


def _set(out: View, value: Array) -> None:
    arrays([out])[0][...] = value


def _copy(out: View, source: View) -> None:
    to, data = arrays((out, source))
    if out.shape == source.shape:
        np.copyto(to, data)
    elif out.contiguous:
        np.copyto(to.reshape(source.shape), data)
    else:
        np.copyto(to, data.reshape(out.shape))


def _into(into: Into, states: Sequence[EngineState], inputs: Sequence[View], outputs: Sequence[View]) -> None:
    first, *others = arrays(outputs)
    results = into(first, *states, *arrays(inputs))()
    for array, result in zip(others, results if others else (), strict=True):
        put(array, result)


def _general(micro_op: DataOp, state: Sequence[EngineState], inputs: Sequence[View], outputs: Sequence[View]) -> None:
    results = computed(micro_op.op, micro_op.compute, *state, *arrays(inputs))
    for array, result in zip(arrays(outputs), results, strict=True):
        put(array, result)
