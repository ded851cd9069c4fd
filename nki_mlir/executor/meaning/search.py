"""Searches for the largest elements of each partition, and for given ones.

Elements are compared in fp32. NaN counts as the largest, as where `maximum` meets one, and equals nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.search import EIGHT
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Meaning, Of, fp32, operand_type, store_as, tile_names
from nki_mlir.executor.numerics import Array


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


def _finder(i: Instance, order: Iterable[int]) -> Callable[[Sequence[Array]], Array]:
    data, vals = fp32(i, "data"), fp32(i, "vals")

    def find(tiles: Sequence[Array]) -> Array:
        partitions = len(tiles[0])
        return _matches(data(tiles).reshape(partitions, -1), vals(tiles).reshape(partitions, -1), order)

    return find


def nc_find_index8(i: Instance) -> Meaning:
    find, kind = _finder(i, range(EIGHT)), numerics.storage(operand_type(i, "dst"))
    return Meaning(lambda *tiles: (find(tiles).astype(kind),))


def nc_match_replace8(i: Instance) -> Meaning:
    find, given = _finder(i, range(EIGHT - 1, -1, -1)), tile_names(i).index("data")
    source, target = operand_type(i, "data"), operand_type(i, "dst")
    convert = numerics.converter(source, target) or np.copy
    value = numerics.constant(cast(float, i.fields["imm"]), target)

    def compute(*tiles: Array) -> Sequence[Array]:
        places, results = find(tiles), convert(tiles[given]).reshape(len(tiles[given]), -1)
        rows, columns = np.nonzero(places >= 0)
        results[rows, places[rows, columns]] = value
        return (results, places.astype(np.uint32)) if "dst_idx" in i.operands else (results,)

    return Meaning(compute)


SEARCH: Mapping[str, Of] = {
    "max8": max8,
    "nc_find_index8": nc_find_index8,
    "nc_match_replace8": nc_match_replace8,
}
