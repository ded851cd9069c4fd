"""What each instruction of the table computes, by name.

`MEANING[name](instance)` fixes one occurrence of an instruction and gives its `Meaning`: a pure function from the
arrays of its tile inputs (in the table's order, stored element types) to the arrays of its outputs. Inputs of full size
share one shape [P, ...]; columns are [P, 1, ...] of as many dimensions; operands of shape `own` are [P, free dimensions
as written], or [quadrants, 4, ...] for the scales of MX blocks. Outputs are new arrays (or constants), of the element
type and the element count of their regions. Where `bits` is set, all arrays are unsigned words: the instruction moves
or combines bit patterns.
"""

from __future__ import annotations

from collections.abc import Mapping

from nki_mlir.dialects.instructions import Instance
from nki_mlir.errors import ExecutionError
from nki_mlir.executor.meaning.activation import ACTIVATION
from nki_mlir.executor.meaning.common import Compute, Into, Masked, Meaning, Of, Output, Undefined  # noqa: F401
from nki_mlir.executor.meaning.dma import DMA
from nki_mlir.executor.meaning.elementwise import ELEMENTWISE
from nki_mlir.executor.meaning.gpsimd import GPSIMD_ENGINE
from nki_mlir.executor.meaning.mx import MX
from nki_mlir.executor.meaning.random import RANDOM
from nki_mlir.executor.meaning.reduction import REDUCTION
from nki_mlir.executor.meaning.search import SEARCH
from nki_mlir.executor.meaning.tensor import TENSOR_ENGINE

MEANING: Mapping[str, Of] = {
    **ELEMENTWISE,
    **ACTIVATION,
    **REDUCTION,
    **SEARCH,
    **GPSIMD_ENGINE,
    **RANDOM,
    **TENSOR_ENGINE,
    **MX,
    **DMA,
}


def meaning(instance: Instance) -> Meaning:
    found = MEANING.get(instance.instruction.name)
    if found is None:
        raise ExecutionError(f"the executor does not know what {instance.instruction.name} computes")
    return found(instance)
