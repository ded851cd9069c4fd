"""The rules of combine-instructions, by the instruction that comes last."""

from __future__ import annotations

from collections.abc import Mapping

from nki_mlir.passes.combine_casts import narrow_operands, narrow_result
from nki_mlir.passes.combine_functions import argument, inverse_root, negated_reduction, row_sum
from nki_mlir.passes.combine_operators import scalar_and_tile, two_scalars
from nki_mlir.passes.combine_reductions import place_of_first, reduced_beside
from nki_mlir.passes.combine_rows import factors_of_rows, sums_of_rows
from nki_mlir.passes.combiner import Rule

OF_ALL: tuple[Rule, ...] = (narrow_operands,)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "activation": (argument, factors_of_rows),
    "activation_reduce": (argument,),
    "reciprocal": (inverse_root,),
    "tensor_reduce": (place_of_first, row_sum, sums_of_rows, reduced_beside),
    "tensor_scalar": (negated_reduction, two_scalars),
    "tensor_tensor": (scalar_and_tile,),
    "tensor_copy": (narrow_result,),
}
