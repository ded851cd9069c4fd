"""Reductions, scans and statistics along the free dimensions.

Sums add in NumPy's order, which the documents leave open; scans and cumulative results add one element after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.instructions import BITWISE as BITWISE_ALUS
from nki_mlir.dialects.instructions import Instance
from nki_mlir.executor.meaning.accumulator import Accumulate, accumulator, command_of, first_value, registers
from nki_mlir.executor.meaning.common import Meaning, Of, fp32, operator, store_as
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, REDUCTIONS
from nki_mlir.executor.state import EngineState

FP32_MIN = np.float32(np.finfo(np.float32).min)
_ACCUMULATES: Mapping[Alu, np.ufunc] = {
    Alu.ADD: np.add,
    Alu.MULTIPLY: np.multiply,
    Alu.MAXIMUM: np.maximum,
    Alu.MINIMUM: np.minimum,
}
"""Operators that NumPy can accumulate one element after the other: those that don't care which argument comes first."""


def tensor_reduce(i: Instance) -> Meaning:
    alu, count = cast(Alu, i.fields["op"]), cast(int, i.fields["axes"])
    axes, reduce, negate = tuple(range(-count, 0)), REDUCTIONS[alu], bool(i.fields.get("negate"))
    if alu in BITWISE_ALUS:
        return Meaning(lambda data: (reduce(data, axes),), bits=True)
    data, store = fp32(i, "data"), store_as(i)
    return Meaning(lambda *tiles: (store(_negated(reduce(data(tiles), axes), negate)),))


def _negated(array: Array, negate: bool) -> Array:
    if not negate:
        return array
    return np.negative(array.astype(np.float32) if array.dtype == np.bool_ else array)


# Results beside which the accumulator reduces.


def _reducing(i: Instance, values: Callable[[Sequence[Array]], Array], reduce: Accumulate) -> Meaning:
    """`dst`, and `reduce_res` where it is given."""
    store, negate = store_as(i), bool(i.fields.get("reduce_res_negate"))
    store_result = store_as(i, "reduce_res") if "reduce_res" in i.operands else None

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        results = values(tiles)
        total = reduce(state, results, tiles)
        return (store(results),) if store_result is None else (store(results), store_result(_negated(total, negate)))

    return Meaning(compute, stateful=True)


def tensor_scalar_reduce(i: Instance) -> Meaning:
    op, data, operand = operator(cast(Alu, i.fields["op0"]), False), fp32(i, "data"), fp32(i, "operand0")
    reduce = accumulator(i, cast(Alu, i.fields["reduce_op"]), "data")
    return _reducing(i, lambda tiles: op(data(tiles), operand(tiles)), reduce)


def select_reduce(i: Instance) -> Meaning:
    test = np.equal if i.fields.get("reverse_pred") else np.not_equal
    predicate, on_true, on_false = (fp32(i, name) for name in ("predicate", "on_true", "on_false"))

    def values(tiles: Sequence[Array]) -> Array:
        return np.where(test(predicate(tiles), 0), on_true(tiles), on_false(tiles))

    return _reducing(i, values, accumulator(i, Alu.MAXIMUM, "on_true"))


def range_select(i: Instance) -> Meaning:
    tests = [ARITHMETIC[cast(Alu, i.fields[name])] for name in ("comp_op0", "comp_op1")]
    bounds, data, first = (
        [fp32(i, name) for name in ("bound0", "bound1")],
        fp32(i, "on_true_tile"),
        i.fields["range_start"],
    )

    def values(tiles: Sequence[Array]) -> Array:
        on_true = data(tiles)
        index = (cast(int, first) + np.arange(on_true[0].size, dtype=np.float32)).reshape(on_true[0].shape)
        inside = np.logical_and(*(test(index, bound(tiles)) for test, bound in zip(tests, bounds, strict=True)))
        return np.where(inside, on_true, FP32_MIN)

    return _reducing(i, values, accumulator(i, Alu.MAXIMUM, "on_true_tile"))


def exponential(i: Instance) -> Meaning:
    data, shift = fp32(i, "src"), fp32(i, "max_value", 0.0)
    return _reducing(i, lambda tiles: np.exp(data(tiles) - shift(tiles)), accumulator(i, Alu.ADD, "src"))


# One element after the other.


def _scan(step: Callable[..., Any], start: Array, *rows: Array) -> Array:
    """fp32 [N, P]: step(state, rows of this place), all partitions at once, the state starting as `start`."""
    results = np.empty(np.broadcast_shapes(*(np.shape(r) for r in rows)), np.float32)
    state = start
    for place, given in enumerate(zip(*rows, strict=True)):
        results[place] = step(state, *given)
        state = results[place]
    return results


def _rows(tile: Array) -> Array:
    """[N, P], contiguous."""
    return np.ascontiguousarray(tile.reshape(len(tile), -1).T)


def tensor_scalar_cumulative(i: Instance) -> Meaning:
    op0, data, operand = operator(cast(Alu, i.fields["op0"]), False), fp32(i, "src"), fp32(i, "imm0")
    alu, store = cast(Alu, i.fields["op1"]), store_as(i)
    start, ufunc = first_value(i, alu, command_of(i), "src", "imm1"), _ACCUMULATES.get(alu)

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        values, first = op0(data(tiles), operand(tiles)), start(state, tiles)
        values = values.reshape(len(values), -1)
        if ufunc is not None:
            results = ufunc.accumulate(np.column_stack([first, values]), axis=1)[:, 1:]
        else:
            results = _scan(lambda held, value: value - held, first, _rows(values)).T
        registers(state, i, "src")[...] = results[:, -1]
        return (store(results),)

    return Meaning(compute, stateful=True)


def tensor_tensor_scan(i: Instance) -> Meaning:
    op0, op1 = (
        operator(cast(Alu, i.fields[op]), bool(i.fields.get(reverse)))
        for op, reverse in (("op0", "reverse0"), ("op1", "reverse1"))
    )
    data0, data1, initial, store = fp32(i, "data0"), fp32(i, "data1"), fp32(i, "initial"), store_as(i)

    def compute(*tiles: Array) -> Sequence[Array]:
        first, second = _rows(data0(tiles)), _rows(data1(tiles))
        start = np.broadcast_to(np.reshape(initial(tiles), -1), first.shape[1:])
        return (store(_scan(lambda state, a, b: op1(op0(a, state), b), start, first, second).T),)

    return Meaning(compute)


# Statistics.


def bn_stats(i: Instance) -> Meaning:
    """Of no elements, mean and variance are 0."""
    data, store = fp32(i, "data"), store_as(i)

    def compute(*tiles: Array) -> Sequence[Array]:
        values = data(tiles)
        values = values.reshape(len(values), -1)
        results = [moment for start in (0, 1) for moment in _moments(values[:, start::2])]
        return (store(np.stack(np.broadcast_arrays(*results), axis=-1)),)

    return Meaning(compute)


def _moments(values: Array) -> tuple[Array, Array, Array]:
    """Count, mean and sum of squared deviations of each row."""
    count = np.float32(values.shape[1])
    mean = values.sum(1) / max(count, np.float32(1))
    return np.full(len(values), count), mean, np.square(values - mean[:, None]).sum(1)


def bn_aggr(i: Instance) -> Meaning:
    data, store = fp32(i, "data"), store_as(i)

    def compute(*tiles: Array) -> Sequence[Array]:
        values = data(tiles)
        counts, means, squares = np.moveaxis(values.reshape(len(values), -1, 3), -1, 0)
        total = counts.sum(1)
        mean = (counts * means).sum(1) / total
        spread = (squares + counts * np.square(means - mean[:, None])).sum(1)
        return (store(np.stack([mean, spread / total], axis=-1)),)

    return Meaning(compute)


REDUCTION: Mapping[str, Of] = {
    "tensor_reduce": tensor_reduce,
    "tensor_scalar_reduce": tensor_scalar_reduce,
    "select_reduce": select_reduce,
    "range_select": range_select,
    "exponential": exponential,
    "tensor_scalar_cumulative": tensor_scalar_cumulative,
    "tensor_tensor_scan": tensor_tensor_scan,
    "bn_stats": bn_stats,
    "bn_aggr": bn_aggr,
}
