"""Searches for the largest elements of each partition, and for given ones.

Elements are compared in fp32. NaN counts as the largest, as where `maximum` meets one, and equals nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.search import EIGHT
from nki_mlir.executor import numerics
from nki_mlir.executor.generators import PARTITIONS
from nki_mlir.executor.meaning.common import Meaning, Of, Undefined, fp32, operand_type, store_as, tile_names
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.state import EngineState


def max8(i: Instance) -> Meaning:
    data, store = fp32(i, "src"), store_as(i)

    def compute(*tiles: Array) -> Sequence[Array]:
        values = data(tiles).reshape(len(tiles[0]), -1)
        largest = np.partition(values, values.shape[1] - EIGHT, axis=1)[:, -EIGHT:]
        return (store(np.sort(largest, axis=1)[:, ::-1]),)

    return Meaning(compute)


def _matches(data: Array, vals: Array, order: Iterable[int]) -> Array:
    """int64 [P, 8]: for each of the values, taken in `order`, the place of the first element of data [P, N] that equals
    it and that no value before it has taken, or -1."""
    places, rows = np.full(vals.shape, -1), np.arange(len(data))
    free = np.ones(data.shape, np.bool_)
    for j in order:
        wanted = (data == vals[:, j : j + 1]) & free
        first = wanted.argmax(1)
        found = wanted[rows, first]
        places[:, j] = np.where(found, first, -1)
        free[rows[found], first[found]] = False
    return places


def _lanes(i: Instance, name: str) -> slice:
    access = cast(Access, i.operands[name])
    return slice(access.start, access.start + access.partitions)


def match_value_load(i: Instance) -> Meaning:
    values, lanes = fp32(i, "src"), _lanes(i, "src")

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        matches = np.full((PARTITIONS, EIGHT), np.nan, np.float32) if state.matches is None else state.matches
        matches[lanes] = values(tiles).reshape(len(tiles[0]), EIGHT)
        state.matches = matches
        return ()

    return Meaning(compute, stateful=True)


def _finder(i: Instance, order: Iterable[int]) -> Callable[[EngineState, Sequence[Array]], Array]:
    data, lanes = fp32(i, "data"), _lanes(i, "data")
    vals = fp32(i, "vals") if "vals" in i.operands else None

    def find(state: EngineState, tiles: Sequence[Array]) -> Array:
        rows = data(tiles).reshape(len(tiles[0]), -1)
        if vals is not None:
            return _matches(rows, vals(tiles).reshape(len(rows), -1), order)
        if state.matches is None:
            raise Undefined("no values to look for are loaded; match_value_load comes first, or vals gives them")
        return _matches(rows, state.matches[lanes], order)

    return find


def nc_find_index8(i: Instance) -> Meaning:
    find, kind = _finder(i, range(EIGHT)), numerics.storage(operand_type(i, "dst"))
    return Meaning(lambda state, *tiles: (find(state, tiles).astype(kind),), stateful=True)


def nc_match_replace8(i: Instance) -> Meaning:
    find, given = _finder(i, range(EIGHT - 1, -1, -1)), tile_names(i).index("data")
    source, target = operand_type(i, "data"), operand_type(i, "dst")
    convert = numerics.converter(source, target) or np.copy
    value = numerics.constant(cast(float, i.fields["imm"]), target)

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        places, results = find(state, tiles), convert(tiles[given]).reshape(len(tiles[given]), -1)
        rows, columns = np.nonzero(places >= 0)
        results[rows, places[rows, columns]] = value
        return (results, places.astype(np.uint32)) if "dst_idx" in i.operands else (results,)

    return Meaning(compute, stateful=True)


SEARCH: Mapping[str, Of] = {
    "max8": max8,
    "match_value_load": match_value_load,
    "nc_find_index8": nc_find_index8,
    "nc_match_replace8": nc_match_replace8,
}
