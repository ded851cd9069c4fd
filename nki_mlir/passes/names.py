"""What buffers are called in tables and messages: by the variable that a value is, or that it is on the way to."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects import neuron_mem as mem

FARTHEST = 16
"""How many operations away a variable may be."""


def labels(func: FuncOp) -> dict[SSAValue, str]:
    """A label for every tile: `y` for the variable y, `y (reduce max)` for an intermediate value that y is made of."""
    order = {op: number for number, op in enumerate(func.walk())}
    found: dict[SSAValue, str] = {}
    for op in order:
        for result in op.results:
            if isinstance(result.type, mem.TileType):
                found[result] = _label(result, op, order)
    return found


def _label(value: SSAValue, op: Operation, order: dict[Operation, int]) -> str:
    if value.name_hint is not None:
        return value.name_hint
    variable = _variable(value, order, FARTHEST)
    return _kind(op) if variable is None else f"{variable} ({_kind(op)})"


def _kind(op: Operation) -> str:
    match op:
        case mem.BinaryOp():
            return op.op.data.value
        case mem.UnaryOp():
            return op.function.data.value
        case mem.ReduceOp():
            return f"reduce {op.kind.data.value}"
        case _:
            return op.name.rpartition(".")[2]


def _variable(value: SSAValue, order: dict[Operation, int], farthest: int) -> str | None:
    """The first variable that the value reaches: by its own name, or that of what is made of it or written with it."""
    if value.name_hint is not None or farthest == 0:
        return value.name_hint
    for use in sorted(value.uses, key=lambda use: order.get(use.operation, len(order))):
        for reached in _reached(use.operation, use.index):
            found = _variable(reached, order, farthest - 1)
            if found is not None:
                return found
    return None


def _reached(op: Operation, index: int) -> tuple[SSAValue, ...]:
    """What an operation makes of its operand number `index`."""
    match op:
        case mem.StoreOp():
            return (op.dest,)
        case ForOp() if index >= 3:
            return (op.body.block.args[index - 2], op.results[index - 3])
        case YieldOp():
            parent = op.parent_op()
            return (parent.results[index],) if isinstance(parent, ForOp) else ()
        case _:
            return tuple(op.results)
