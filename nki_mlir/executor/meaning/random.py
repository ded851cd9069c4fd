"""Random numbers and dropout. Partitions have generators of their own, which stand still where an instruction does not
reach them (not published, and chosen here)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.random import generators
from nki_mlir.executor import numerics
from nki_mlir.executor.generators import Generator
from nki_mlir.executor.meaning.common import Meaning, Of, fp32, operand_type, store_as
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.state import EngineState

Draw = Callable[[EngineState], Array]


def _generator(i: Instance, state: EngineState) -> Generator:
    """GpSimd's is XORWOW, Vector's from NeuronCore-v4 on."""
    is_xorwow = i.engine is Engine.GPSIMD or i.target.features.vector_xorwow
    return state.xorwow(generators(i.engine)) if is_xorwow else state.counting


def _lanes(i: Instance, name: str) -> slice:
    access = cast(Access, i.operands[name])
    return slice(access.start, access.start + access.partitions)


def _words(i: Instance) -> Draw:
    """A word for each element of dst: uint32 [P, N]."""
    lanes, count = _lanes(i, "dst"), cast(Access, i.operands["dst"]).free_elements
    return lambda state: _generator(i, state).draw(lanes, count)


def _units(i: Instance) -> Draw:
    """Uniform fp32 numbers of [0, 1), multiples of 2^-24: [P, N]."""
    words = _words(i)
    return lambda state: (words(state) >> 8).astype(np.float32) * np.float32(2.0**-24)


def rng(i: Instance) -> Meaning:
    words, to = _words(i), numerics.bits(operand_type(i, "dst"))
    return Meaning(lambda state: (words(state).astype(to),), bits=True, stateful=True)


def rand2(i: Instance) -> Meaning:
    units, low, high, store = _units(i), fp32(i, "min"), fp32(i, "max"), store_as(i)

    def compute(state: EngineState, *tiles: Array) -> tuple[Array]:
        least, most = (np.reshape(pick(tiles), (-1, 1)) for pick in (low, high))
        return (store(least + units(state) * (most - least)),)

    return Meaning(compute, stateful=True)


def dropout(i: Instance) -> Meaning:
    units, prob = _units(i), fp32(i, "prob")
    convert = numerics.converter(operand_type(i, "data"), operand_type(i, "dst"))

    def compute(state: EngineState, *tiles: Array) -> tuple[Array]:
        kept = tiles[0] if convert is None else convert(tiles[0])
        dropped = units(state) < np.reshape(prob(tiles), (-1, 1))
        return (np.where(dropped.reshape(kept.shape), np.zeros((), kept.dtype), kept),)

    return Meaning(compute, stateful=True)


def rand_set_state(i: Instance) -> Meaning:
    lanes, streams = _lanes(i, "src_seeds"), generators(i.engine)

    def compute(state: EngineState, words: Array) -> tuple[()]:
        state.xorwow(streams).state[lanes] = words.reshape(len(words), streams, -1)
        return ()

    return Meaning(compute, bits=True, stateful=True)


def rand_get_state(i: Instance) -> Meaning:
    lanes, streams = _lanes(i, "dst"), generators(i.engine)

    def compute(state: EngineState) -> tuple[Array]:
        words = state.xorwow(streams).state[lanes]
        return (words.reshape(len(words), -1).copy(),)

    return Meaning(compute, bits=True, stateful=True)


def set_rng_seed(i: Instance) -> Meaning:
    def compute(state: EngineState, seed: Array) -> tuple[()]:
        _generator(i, state).seed(int(seed.item()))
        return ()

    return Meaning(compute, bits=True, stateful=True)


RANDOM: Mapping[str, Of] = {
    "dropout": dropout,
    "rng": rng,
    "rand2": rand2,
    "rand_set_state": rand_set_state,
    "rand_get_state": rand_get_state,
    "set_rng_seed": set_rng_seed,
}
