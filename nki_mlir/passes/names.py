"""What buffers are called in tables and messages: by the variable that a value is, or that it is on the way to."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import neuron_mem as mem


def labels(func: FuncOp) -> dict[SSAValue, str]:
    """A label for every tile: `y` for the variable y, `y (reduce max)` for an intermediate value that y is made of."""
    names = _Names({op: number for number, op in enumerate(operations(func))})
    tiles = (r for op in names.order for r in op.results if isinstance(r.type, mem.TileType))
    return {tile: _label(tile, names.variable(tile)) for tile in tiles}


def _label(tile: SSAValue, variable: str | None) -> str:
    assert isinstance(tile.owner, Operation)
    if tile.name_hint is not None:
        return tile.name_hint
    return _kind(tile.owner) if variable is None else f"{variable} ({_kind(tile.owner)})"


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


class _Names:
    """Finds variables, each value once; `order` is that of the program."""

    def __init__(self, order: dict[Operation, int]):
        self.order = order
        self.found: dict[SSAValue, str | None] = {}

    def variable(self, start: SSAValue) -> str | None:
        """The first variable that a value reaches: by its own name, or that of what is made of it or written with it.

        Goes down without recursion: a value is settled once those that are made of it are.
        """
        todo = [start]
        while todo:
            value = todo[-1]
            after = [] if value.name_hint is not None else list(self._reached(value))
            new = [other for other in after if other not in self.found]
            if value in self.found or not new:
                todo.pop()
                names = (self.found.get(other) for other in after)
                self.found[value] = value.name_hint or next((name for name in names if name is not None), None)
            else:
                self.found[value] = None  # so that a loop's carried value is not followed round and round
                todo += reversed(new)
        return self.found[start]

    def _reached(self, value: SSAValue) -> Iterator[SSAValue]:
        for use in sorted(value.uses, key=lambda use: self.order.get(use.operation, len(self.order))):
            yield from _made(use.operation, use.index)


def _made(op: Operation, index: int) -> tuple[SSAValue, ...]:
    """What an operation makes of its operand number `index`."""
    match op:
        case mem.StoreOp():
            return (op.memory,)
        case ForOp() if index >= 3:
            return (op.body.block.args[index - 2], op.results[index - 3])
        case WhileOp():
            return (op.before_region.block.args[index],)
        case ConditionOp() if index >= 1:
            loop = op.parent_op()
            return (
                (loop.results[index - 1], loop.after_region.block.args[index - 1]) if isinstance(loop, WhileOp) else ()
            )
        case YieldOp():
            parent = op.parent_op()
            if isinstance(parent, WhileOp):
                return (parent.before_region.block.args[index],)
            return (parent.results[index],) if isinstance(parent, ForOp | IfOp) else ()
        case _:
            return tuple(op.results)
