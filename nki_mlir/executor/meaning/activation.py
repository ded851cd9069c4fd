"""Functions of the Scalar engine, with their reductions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from nki_mlir.dialects.alu import Alu, Function, ReduceCommand
from nki_mlir.dialects.instructions import Instance
from nki_mlir.executor.meaning.accumulator import Accumulate, accumulator, command_of
from nki_mlir.executor.meaning.common import Meaning, Of, Pick, fp32, operator, store_as
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import FUNCTIONS, Binary, prelu
from nki_mlir.executor.state import EngineState

Values = Callable[[Sequence[Array]], Array]
Step = tuple[Binary, Pick]


def _evaluated(i: Instance, steps: Sequence[Step]) -> Values:
    """The function of data after some steps, each rounded to fp32."""
    function, data = cast(Function, i.fields["op"]), fp32(i, "data")
    evaluate = FUNCTIONS[function]
    slope = fp32(i, "relu_param", 0.0) if function is Function.PRELU and "relu_param" in i.operands else None

    def compute(tiles: Sequence[Array]) -> Array:
        value = data(tiles)
        for op, operand in steps:
            value = op(value, operand(tiles))
        return evaluate(value) if slope is None else prelu(value, slope(tiles))

    return compute


def _scaled_and_biased(i: Instance) -> Values:
    operands: tuple[tuple[str, Binary], ...] = (("scale", np.multiply), ("bias", np.add))
    return _evaluated(i, [(op, fp32(i, name)) for name, op in operands if name in i.operands])


def _reducing(i: Instance, values: Values, reduce: Accumulate | None) -> Meaning:
    """`dst`, and `reduce_res` where it is given."""
    store = store_as(i)
    if reduce is None:
        return Meaning(lambda *tiles: (store(values(tiles)),))
    store_result = store_as(i, "reduce_res") if "reduce_res" in i.operands else None

    def compute(state: EngineState, *tiles: Array) -> Sequence[Array]:
        results = values(tiles)
        total = reduce(state, results, tiles)
        return (store(results),) if store_result is None else (store(results), store_result(total))

    return Meaning(compute, stateful=True)


def _uses_accumulator(i: Instance) -> bool:
    return command_of(i) is not ReduceCommand.IDLE or "reduce_res" in i.operands


def activation(i: Instance) -> Meaning:
    reduce = accumulator(i, Alu.ADD, "data") if _uses_accumulator(i) else None
    return _reducing(i, _scaled_and_biased(i), reduce)


def activation_reduce(i: Instance) -> Meaning:
    return _reducing(i, _scaled_and_biased(i), accumulator(i, Alu.ADD, "data", ReduceCommand.RESET_REDUCE))


def activate2(i: Instance) -> Meaning:
    steps: list[Step] = []
    for op, operand, reverse in (("op0", "imm0", "reverse0"), ("op1", "imm1", "reverse1")):
        if operand in i.operands:
            steps.append((operator(cast(Alu, i.fields[op]), bool(i.fields.get(reverse))), fp32(i, operand)))
    by = cast("Alu | None", i.fields.get("reduce_op")) or Alu.ADD
    reduce = accumulator(i, by, "data") if _uses_accumulator(i) else None
    return _reducing(i, _evaluated(i, steps), reduce)


ACTIVATION: Mapping[str, Of] = {
    "activation": activation,
    "activation_reduce": activation_reduce,
    "activate2": activate2,
}
