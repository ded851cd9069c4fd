"""Instructions for masks: positions are counted and compared with their bounds."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, i1
from xdsl.ir import Operation

from nki_mlir.analysis.accesses import positions, resolved
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.instructions import Alu
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.select_iota import count
from nki_mlir.passes.selector import Selector


def select_mask(s: Selector, op: Operation, emit: Emitter) -> None:
    """All true, or each bounded position compared with its bounds."""
    assert isinstance(op, mem.MaskOp)
    result = s.result(op, emit)
    bounded = resolved(op.over_values).bounded
    first = True
    for part in bounded:
        indices = s.temporary(result.type.with_element(f32), emit)
        strides = [part.coefficient(dim) for dim in range(len(result.type.sizes))]
        count(s, op, part.rest, strides, indices, emit)
        least, most = positions(part, result.type.sizes)
        low = None if part.low is None or part.low <= least else part.low
        high = None if part.high is None or part.high > most else part.high
        for alu, limit in ((Alu.GREATER_EQUAL, low), (Alu.LESS, high)):
            if limit is None:
                continue
            within = result if first else s.temporary(result.type, emit)
            s.over(emit, "tensor_scalar", {"dst": within, "data": indices}, {"operand0": emit.float(limit)}, op0=alu)
            if not first:
                both = {"dst": result, "data1": result, "data2": within}
                s.over(emit, "tensor_tensor", both, op=Alu.LOGICAL_AND)
            first = False
    if first:
        s.memset(result, IntegerAttr(1, i1), emit)
