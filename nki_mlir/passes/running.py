"""Running sums and extrema: the operations that make them, and what changes nothing in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.analysis.constants import limits
from nki_mlir.dialects.tile import Reduction
from nki_mlir.passes.tile_builder import TileBuilder
from nki_mlir.passes.widths import words

RUNNING: Mapping[type[Operation], tuple[Reduction, float]] = {
    arith.AddfOp: (Reduction.SUM, 0.0),
    arith.AddiOp: (Reduction.SUM, 0),
    arith.MaximumfOp: (Reduction.MAX, -math.inf),
    arith.MinimumfOp: (Reduction.MIN, math.inf),
    arith.MaxnumfOp: (Reduction.MAXNUM, math.nan),
    arith.MinnumfOp: (Reduction.MINNUM, math.nan),
    arith.MaxSIOp: (Reduction.MAX, -math.inf),
    arith.MinSIOp: (Reduction.MIN, math.inf),
}
"""What combines two numbers: the reduction that combines many, and the number that it starts with. What ignores NaN
starts with one: of nothing else it is NaN."""


def is_running(op: Operation) -> bool:
    """Whether an operation makes a running sum or extremum, of numbers that the machine has."""
    return type(op) in RUNNING and words(op.results[0]) == 1


def neutral(kind: type[Operation], element: Attribute, shape: Sequence[int], build: TileBuilder) -> SSAValue:
    """What changes nothing."""
    number = RUNNING[kind][1]
    if isinstance(element, IntegerType):
        low, high = limits(element)
        return build.number(int(min(max(number, low), high)), element, shape)
    return build.float(number, shape, element)
