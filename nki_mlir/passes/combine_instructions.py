"""combine-instructions: two instructions become the one of the machine that does both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes.combine_casts import narrow_operands, narrow_result
from nki_mlir.passes.combine_functions import argument, negated_reduction, row_sum
from nki_mlir.passes.combine_operators import scalar_and_tile, two_scalars
from nki_mlir.passes.combiner import Combiner, Rule, erase_unread
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import ENGINE


@dataclass(frozen=True)
class CombineInstructions(LevelPass):
    """Makes one instruction of two, where the machine has one that does both and nobody else needs what is between:

        %d = tensor_scalar op0 subtract data %x operand0 %m      %n = tensor_scalar op0 multiply data %m operand0 -1
        %e = activation op exp data %d                       =>  %e, %s = activation_reduce op exp data %x bias %n
        %s = tensor_reduce op add data %e

    - a factor and a summand of a function's argument are its scale and bias;
    - the sum of a function's results is what its engine adds up beside;
    - two operators with a scalar each are one tensor_scalar, one with a scalar and one with a tile a
      scalar_tensor_tensor;
    - what only widens numbers is left out where its reader takes the narrow ones, and what only narrows them is left to
      the instruction that makes them;
    - a reduction of which only the negative is read gives that.

    Results change only where a rounding between the two falls away.
    """

    name = "combine-instructions"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            combiner = Combiner(func, RULES, OF_ALL)
            for inner in list(func.walk()):
                if isinstance(inner, EngineInstruction) and inner.tiles and inner.parent is not None:
                    combiner.combine(inner)
            erase_unread(func)


OF_ALL: tuple[Rule, ...] = (narrow_operands,)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "activation": (argument,),
    "activation_reduce": (argument,),
    "tensor_reduce": (row_sum,),
    "tensor_scalar": (negated_reduction, two_scalars),
    "tensor_tensor": (scalar_and_tile,),
    "tensor_copy": (narrow_result,),
}
