"""The accumulator of an engine: what instructions with a `reduce_cmd` do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.alu import Alu, ReduceCommand
from nki_mlir.dialects.instructions import Instance
from nki_mlir.executor.meaning.common import fp32
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, IDENTITY, REDUCTIONS
from nki_mlir.executor.state import EngineState

Accumulate = Callable[[EngineState, Array, Sequence[Array]], Array]


def registers(state: EngineState, i: Instance, lanes: str) -> Array:
    """The registers of the partitions that an operand lies on: fp32 [P], a view. Which operand's partitions count where
    they differ is not documented; instructions give their input."""
    access = cast(Access, i.operands[lanes])
    return state.accumulator[access.start : access.start + access.partitions]


def command_of(i: Instance) -> ReduceCommand:
    return cast("ReduceCommand | None", i.fields.get("reduce_cmd")) or ReduceCommand.IDLE


def first_value(
    i: Instance, op: Alu, command: ReduceCommand, lanes: str, init: str
) -> Callable[[EngineState, Sequence[Array]], Array]:
    """What a reduction by `op` starts from: fp32 [P]."""
    load = fp32(i, init, IDENTITY[op])

    def start(state: EngineState, tiles: Sequence[Array]) -> Array:
        held = registers(state, i, lanes)
        if command is ReduceCommand.REDUCE:
            return held.copy()
        return np.broadcast_to(np.reshape(load(tiles), -1), held.shape)

    return start


def accumulator(i: Instance, op: Alu, lanes: str, command: ReduceCommand | None = None) -> Accumulate:
    """Reduces fp32 values [P, …] into the accumulator; gives a copy of the registers afterwards, fp32 [P]. The command
    is the instruction's `reduce_cmd` where none is given."""
    command = command or command_of(i)
    start = first_value(i, op, command, lanes, "reduce_init")
    # What is subtracted is negated by the reduction.
    join, reduce = np.add if op is Alu.SUBTRACT else ARITHMETIC[op], REDUCTIONS[op]

    def update(state: EngineState, values: Array, tiles: Sequence[Array]) -> Array:
        held = registers(state, i, lanes)
        if command is ReduceCommand.RESET:
            held[...] = IDENTITY[op]
        elif command is not ReduceCommand.IDLE:
            held[...] = join(start(state, tiles), reduce(values.reshape(len(held), -1), (1,)))
        return held.copy()

    return update
