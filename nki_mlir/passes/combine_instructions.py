"""combine-instructions: two instructions become the one of the machine that does both."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes.combine_rows import numbers_of_rows
from nki_mlir.passes.combine_rules import OF_ALL, RULES
from nki_mlir.passes.combine_sums import read_sums
from nki_mlir.passes.combiner import Combiner, erase_unread
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import ENGINE


@dataclass(frozen=True)
class CombineInstructions(LevelPass):
    """Makes one instruction of two, where the machine has one that does both and nobody else needs what is between:

        %d = tensor_scalar op0 subtract data %x operand0 %m      %n = tensor_scalar op0 multiply data %m operand0 -1
        %e = activation op exp data %d                       =>  %e, %s = activation_reduce op exp data %x bias %n
        %s = tensor_reduce op add data %e

    - a factor and a summand of a function's argument are its scale and bias, also where each row has a factor of its
      own and there is a function for each;
    - the sum of a function's results is what its engine adds up beside, and so is a reduction of what one operator
      with a number gives, and the maximum of what is chosen;
    - the smallest number of those elements that equal one is found by a search for it;
    - two operators with a scalar each are one tensor_scalar, one with a scalar and one with a tile a
      scalar_tensor_tensor;
    - what only widens numbers is left out where its reader takes the narrow ones, and what only narrows them is left to
      the instruction that makes them;
    - a reduction of which only the negative is read gives that;
    - one over a square root is one function;
    - operators on rows that have one number each, and sums of the rows of a function, are done row by row where that is
      sooner done;
    - one or two that read a copy of a sum in PSUM, and one that reads that of a part of a sum, read the sum, where
      there is room for it to stay.

    Left alone: what is rounded between the two. Results don't change, but for the order in which a sum is made.
    """

    name = "combine-instructions"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            combiner = Combiner(func, RULES, OF_ALL)
            for inner in operations(func):
                if isinstance(inner, EngineInstruction) and inner.tiles and inner.parent and not inner.is_limited:
                    combiner.combine(inner)
            erase_unread(func)
            for inner in operations(func):
                if isinstance(inner, EngineInstruction) and not inner.is_limited:
                    numbers_of_rows(combiner, inner)
            read_sums(combiner)
            erase_unread(func)
