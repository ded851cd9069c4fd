"""Which streams take part in run-time control flow, and which need each run-time scalar."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.indices import is_run_time
from nki_mlir.analysis.limits import is_counted
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.neuron_engine import EngineInstruction, ScalarOp, ViewOp


class Needs:
    """A stream takes part where it has an instruction inside. It needs what its instructions' offsets, and the bounds
    and conditions of what it takes part in, are computed from: each stream has registers of its own. What counters
    alone say of the offset of a view with limits is known where these are."""

    def __init__(self, func: FuncOp):
        self._engines: dict[SSAValue, set[Engine]] = {}
        self.parts: dict[Operation, tuple[Engine, ...]] = {}
        for op in func.walk():
            if is_run_time(op):
                self.parts[op] = _in_order({i.engine.data for i in operations(op) if isinstance(i, EngineInstruction)})
                for value in _controlling(op):
                    self._need(value, self.parts[op])
            elif isinstance(op, EngineInstruction):
                for value in op.operands:
                    limited = isinstance(value.owner, ViewOp) and value.owner.is_limited
                    self._need(value, (op.engine.data,), limited)

    def of(self, value: SSAValue) -> tuple[Engine, ...]:
        return _in_order(self._engines.get(value, set()))

    def _need(self, value: SSAValue, engines: tuple[Engine, ...], limited: bool = False) -> None:
        """A stream needs a value, and so all that it is made of."""
        todo = [value]
        while todo:
            one = todo.pop()
            if limited and is_counted(one):
                continue
            known = self._engines.setdefault(one, set())
            if known.issuperset(engines):
                continue
            known.update(engines)
            if not isinstance(one.owner, Block):
                todo += _made_of(one.owner)


def _made_of(op: Operation) -> list[SSAValue]:
    match op:
        case ViewOp():
            return [op.offset] if op.offset is not None else []
        case ScalarOp():
            return [op.source]
        case _:
            return list(op.operands) if op.name.startswith("arith.") else []


def _controlling(op: Operation) -> list[SSAValue]:
    """What says how often the regions of an operation run."""
    match op:
        case ForOp():
            return [op.lb, op.ub, op.step]
        case IfOp():
            return [op.cond]
        case WhileOp():
            return [condition_of(op).condition]
        case _:
            return []


def condition_of(op: WhileOp) -> ConditionOp:
    end = op.before_region.block.last_op
    assert isinstance(end, ConditionOp)
    return end


def _in_order(engines: set[Engine]) -> tuple[Engine, ...]:
    return tuple(engine for engine in Engine if engine in engines)
