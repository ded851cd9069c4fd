"""What limits leave of an instruction: the boxes of iterations, and what is reached in each, against every iteration."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping

import pytest
from engine_programs import program
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue

from nki_mlir import parse
from nki_mlir.analysis.indices import constant, enclosing_loops, trip_count
from nki_mlir.analysis.limits import bounds_in, boxes_of, left_of, varying
from nki_mlir.dialects.neuron_engine import EngineInstruction

ARITH = {
    arith.AddiOp: operator.add,
    arith.SubiOp: operator.sub,
    arith.MuliOp: operator.mul,
    arith.DivSIOp: operator.floordiv,
    arith.RemSIOp: operator.mod,
    arith.MinSIOp: min,
    arith.MaxSIOp: max,
}


def number(value: SSAValue, counters: Mapping[SSAValue, int]) -> int:
    """An index in one iteration."""
    match value.owner:
        case arith.ConstantOp(value=IntegerAttr() as found):
            return found.value.data
        case Operation() as op if type(op) in ARITH:
            left, right = op.operands
            return ARITH[type(op)](number(left, counters), number(right, counters))
        case _:
            return counters[value]


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_every_iteration(seed: int) -> None:
    for op in parse(program(seed).text).walk():
        if isinstance(op, EngineInstruction) and varying(op):
            check(op)


def check(op: EngineInstruction) -> None:
    loops = enclosing_loops(op)
    boxes = boxes_of(op, loops)
    for iteration in itertools.product(*(range(trip_count(loop) or 0) for loop in loops)):
        ((spans, ranges),) = [
            (spans, ranges)
            for spans, ranges in boxes
            if all(i in span for i, span in zip(iteration, spans, strict=True))
        ]
        counters: dict[SSAValue, int] = {}
        for loop, at in zip(loops, iteration, strict=True):
            low, step = constant(loop.lb), constant(loop.step)
            assert low is not None and step is not None
            counters[loop.body.block.args[0]] = low + step * at
            assert ranges[loop.body.block.args[0]][0] <= low + step * at <= ranges[loop.body.block.args[0]][1]
        limits = {
            name: {dim: max(0, number(value, counters)) for dim, value in view.limited}
            for name, view in op.views().items()
        }
        found = left_of(op, ranges)
        assert (found is None) == any(0 in of.values() for of in limits.values()), (spans, iteration)
        for name, (access, offset) in (found or {}).items():
            view = op.views()[name]
            assert access == view.access.limited(limits[name])
            wanted = 0 if view.offset is None else number(view.offset, counters)
            assert bounds_in(offset, {counter: (at, at) for counter, at in counters.items()}) == (wanted, wanted)
