"""Functions of the Scalar engine, with their reductions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Instance
from nki_mlir.executor.meaning.accumulator import Accumulate, accumulator, command_of
from nki_mlir.executor.meaning.common import (
    Meaning,
    Of,
    OutOfRange,
    Stage,
    chain,
    filling,
    fp32,
    in_turn,
    operand_type,
    operator,
    reversed_if,
    store_as,
)
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import FUNCTIONS, LARGEST, Binary, prelu
from nki_mlir.executor.state import EngineState

Values = Callable[[Sequence[Array]], Array]


class AluStage(NamedTuple):
    """What happens to the data with an operand, before the function; `reverse`: the operand comes first."""

    op: Binary
    operand: str
    reverse: bool = False

    def in_order(self, place: int) -> Stage:
        data = None if place else "data"
        return Stage(self.op, (self.operand, data) if self.reverse else (data, self.operand))


def _argument(i: Instance, given: Sequence[AluStage]) -> Values:
    """The data after some stages, each rounded to fp32."""
    data = fp32(i, "data")
    stages = [(reversed_if(s.op, s.reverse), fp32(i, s.operand)) for s in given]

    def compute(tiles: Sequence[Array]) -> Array:
        value = data(tiles)
        for op, operand in stages:
            value = op(value, operand(tiles))
        return value

    return compute


def _range_check(i: Instance, argument: Values) -> Callable[[Sequence[Array]], None] | None:
    """Raises OutOfRange where an argument is too large for the function; NaN is not."""
    function = cast(Function, i.fields["op"])
    largest = LARGEST.get(function)
    if largest is None:
        return None

    def check(tiles: Sequence[Array]) -> None:
        found = argument(tiles)
        outside = np.abs(found) > largest
        if outside.any():
            partition, element = np.argwhere(outside.reshape(len(outside), -1))[0]
            partition += cast(Access, i.operands["data"]).start
            raise OutOfRange(
                f"{function} of {found[outside][0]:g}, for partition {partition}, element {element}; the Scalar engine"
                f" takes {-largest:.6g}..{largest:.6g}, and its result outside is not defined"
            )

    return check


def _scaled_and_biased(i: Instance) -> Sequence[AluStage]:
    operands: tuple[tuple[str, Binary], ...] = (("scale", np.multiply), ("bias", np.add))
    return [AluStage(op, name) for name, op in operands if name in i.operands]


def _reducing(i: Instance, stages: Sequence[AluStage], reduce: Accumulate | None) -> Meaning:
    """`dst`, and `reduce_res` where it is given."""
    store, argument, function = store_as(i), _argument(i, stages), cast(Function, i.fields["op"])
    evaluate = FUNCTIONS[function]
    slope = fp32(i, "relu_param", 0.0) if function is Function.PRELU and "relu_param" in i.operands else None
    check = _range_check(i, argument)

    def values(tiles: Sequence[Array]) -> Array:
        value = argument(tiles)
        return evaluate(value) if slope is None else prelu(value, slope(tiles))

    function_stage = Stage(evaluate if slope is None else None, (None if stages else "data",))
    fill = chain(i, [*(stage.in_order(place) for place, stage in enumerate(stages)), function_stage])
    if reduce is None:
        return Meaning(lambda *tiles: (store(values(tiles)),), check=check, into=filling(fill))
    store_result = store_as(i, "reduce_res") if "reduce_res" in i.operands else None

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        results = values(tiles)
        total = reduce(state, results, tiles)
        return (store(results),) if store_result is None else (store(results), store_result(total))

    def into(out: Array, state: EngineState, *tiles: Array) -> Callable[[], Sequence[Array]]:
        assert fill is not None
        calls = fill(out, tiles)

        def run() -> Sequence[Array]:
            in_turn(calls)
            total = reduce(state, out, tiles)
            return () if store_result is None else (store_result(total),)

        return run

    exact = fill is not None and dtype(operand_type(i, "dst")).name == "float32"
    return Meaning(compute, stateful=True, check=check, into=into if exact else None)


def _uses_accumulator(i: Instance) -> bool:
    return command_of(i) is not ReduceCommand.IDLE or "reduce_res" in i.operands


def activation(i: Instance) -> Meaning:
    reduce = accumulator(i, Alu.ADD, "data") if _uses_accumulator(i) else None
    return _reducing(i, _scaled_and_biased(i), reduce)


def activation_reduce(i: Instance) -> Meaning:
    return _reducing(i, _scaled_and_biased(i), accumulator(i, Alu.ADD, "data", ReduceCommand.RESET_REDUCE))


def activate2(i: Instance) -> Meaning:
    stages: list[AluStage] = []
    for op, operand, reverse in (("op0", "imm0", "reverse0"), ("op1", "imm1", "reverse1")):
        if operand in i.operands:
            alu = cast(Alu, i.fields[op])
            stages.append(AluStage(operator(alu, False), operand, bool(i.fields.get(reverse))))
    by = cast("Alu | None", i.fields.get("reduce_op")) or Alu.ADD
    reduce = accumulator(i, by, "data") if _uses_accumulator(i) else None
    return _reducing(i, stages, reduce)


ACTIVATION: Mapping[str, Of] = {
    "activation": activation,
    "activation_reduce": activation_reduce,
    "activate2": activate2,
}
