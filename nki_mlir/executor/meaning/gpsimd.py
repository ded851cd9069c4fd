"""Instructions of the GpSimd engine alone: affine patterns, sums across partitions, gathers and searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.alu import BITWISE, Alu
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.instructions.gpsimd import GROUP, valid_indices
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import Masked, Meaning, Of, Undefined, fp32, operand_type, store_as
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, REDUCTIONS


def _rows(tile: Array) -> Array:
    """[P, free elements]."""
    return tile.reshape(len(tile), -1)


def _groups(tile: Array) -> Array:
    """[groups, 16, free elements]."""
    return tile.reshape(len(tile) // GROUP, GROUP, -1)


def _snake(tile: Array) -> Array:
    """The elements of each group, across the partitions first: [groups, elements]."""
    groups = _groups(tile)
    return groups.transpose(0, 2, 1).reshape(len(groups), -1)


def _within(indices: Array, size: int) -> None:
    if indices.size and (found := indices.max()) >= size:
        raise Undefined(f"index {found} lies outside the {size} elements per partition that it picks from")


def affine_values(i: Instance) -> Array:
    """offset + partition * channel_multiplier + sum of index * step over the pattern, as 32-bit integers: int64 [P, N].
    Partitions count from the first one of dst."""
    pattern, dst = cast("tuple[int, ...]", i.fields["pattern"]), cast(Access, i.operands["dst"])
    value = cast(int, i.fields["offset"]) + cast(int, i.fields["channel_multiplier"]) * np.arange(dst.partitions)
    for step, count in zip(pattern[::2], pattern[1::2], strict=True):
        value = value[..., None] + step * np.arange(count)
    return value.reshape(dst.partitions, -1).astype(np.int32).astype(np.int64)


def iota(i: Instance) -> Meaning:
    values = numerics.integer_storer(operand_type(i, "dst"))(affine_values(i))
    return Meaning(lambda: (values,))


def affine_select(i: Instance) -> Meaning:
    test = ARITHMETIC[cast(Alu, i.fields["cmp_op"])](affine_values(i), 0)
    source, target, otherwise = operand_type(i, "on_true_tile"), operand_type(i, "dst"), i.fields["on_false_value"]
    fill, convert = numerics.constant(cast(float, otherwise), target), numerics.converter(source, target)
    if convert is None:
        word = fill.view(numerics.bits(target))
        return Meaning(lambda tile: (np.where(test, tile.reshape(test.shape), word),), bits=True)
    return Meaning(lambda tile: (np.where(test, convert(tile).reshape(test.shape), fill),))


def tensor_partition_reduce(i: Instance) -> Meaning:
    alu = cast(Alu, i.fields["op"])
    reduce = REDUCTIONS[alu]
    if alu in BITWISE:
        return Meaning(lambda data: (reduce(_rows(data), (0,)),), bits=True)
    a, store = fp32(i, "data"), store_as(i)
    return Meaning(lambda *tiles: (store(reduce(_rows(a(tiles)), (0,))),))


def local_gather(i: Instance) -> Meaning:
    valid, consecutive = valid_indices(i), np.arange(cast(int, i.fields["num_elem_per_idx"]))

    def compute(source: Array, index: Array) -> tuple[Array]:
        groups = _groups(source)
        ids = _snake(index)[:, :valid].astype(np.int64)
        offsets = (ids[..., None] + consecutive).reshape(len(groups), 1, -1)
        _within(offsets, groups.shape[2])
        return (np.take_along_axis(groups, np.repeat(offsets, GROUP, axis=1), axis=2),)

    return Meaning(compute, bits=True)


def nc_n_gather(i: Instance) -> Meaning:
    def compute(data: Array, indices: Array) -> tuple[Array]:
        rows, picked = _rows(data), _rows(indices)
        _within(picked, rows.shape[1])
        return (np.take_along_axis(rows, picked.astype(np.int64), axis=1),)

    return Meaning(compute, bits=True)


def sequence_bounds(i: Instance) -> Meaning:
    store = numerics.integer_storer(operand_type(i, "dst"))

    def compute(tile: Array) -> tuple[Array]:
        ids = tile.reshape(-1)
        if not ((ids >= 0) & (np.floor(ids) == ids)).all():
            raise Undefined("segment ids are non-negative integers")
        places, padding = np.arange(len(ids)), ids == 0
        begins = np.concatenate([[True], ids[1:] != ids[:-1]])
        first = np.maximum.accumulate(np.where(begins, places, 0))
        ends = np.append(np.flatnonzero(begins)[1:], len(ids))
        bounds = np.stack([np.where(padding, len(ids), first), np.where(padding, -1, ends[np.cumsum(begins) - 1])])
        return (store(bounds),)

    return Meaning(compute)


def nonzero_with_count(i: Instance) -> Meaning:
    offset, padding = (cast(int, i.fields[name]) for name in ("index_offset", "padding_val"))

    def compute(tile: Array) -> tuple[Array]:
        found = _rows(tile) != 0
        result = np.full((len(found), found.shape[1] + 1), padding, np.int64)
        rows, places = np.nonzero(found)
        result[rows, (np.cumsum(found, axis=1) - 1)[rows, places]] = places + offset
        result[:, -1] = found.sum(axis=1)
        return (result.astype(np.int32),)

    return Meaning(compute)


def topk(i: Instance) -> Meaning:
    """Not documented, and chosen here: of equal values the earlier one counts as the larger, NaN as the smallest of
    all; what dst has beyond the selected elements stays as it is."""
    n, k = cast(int, i.fields["n"]), cast(Access, i.operands["val_dst"]).free_elements

    def compute(tile: Array) -> tuple[Masked, Masked]:
        elements = _snake(tile)[:, :n]
        order = np.argsort(-elements.astype(np.float32), axis=1, kind="stable")[:, :k][:, ::-1]
        values = np.take_along_axis(elements, order, axis=1)
        return _laid_out(values, k), _laid_out(order.astype(np.uint32), k)

    return Meaning(compute, masked=True)


def _laid_out(selected: Array, k: int) -> Masked:
    """[groups, k] elements across the partitions of their groups, in the first columns of [P, k]."""
    values = np.zeros((len(selected), k * GROUP), selected.dtype)
    values[:, :k] = selected
    mask = np.broadcast_to(np.arange(k * GROUP) < k, values.shape)
    return Masked(*(a.reshape(len(selected), k, GROUP).transpose(0, 2, 1).reshape(-1, k) for a in (values, mask)))


GPSIMD_ENGINE: Mapping[str, Of] = {
    "iota": iota,
    "affine_select": affine_select,
    "tensor_partition_reduce": tensor_partition_reduce,
    "local_gather": local_gather,
    "nc_n_gather": nc_n_gather,
    "sequence_bounds": sequence_bounds,
    "nonzero_with_count": nonzero_with_count,
    "topk": topk,
}
