"""How much of PSUM the sums of products leave free, while values are tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.neuron_engine import EmptyOp, ViewOp
from nki_mlir.dialects.neuron_mem import AccumulatorOp, TileType, tile_type
from nki_mlir.targets import Target


class _Sum(NamedTuple):
    """What `op` makes in PSUM is one of `values`, from place `first` of the program to `last`, and takes so many
    banks."""

    op: AccumulatorOp | EmptyOp
    first: int
    values: set[SSAValue]
    last: int
    banks: int


class PsumUse:
    """Of a function; the numbers are places in program order."""

    def __init__(self, func: FuncOp, target: Target):
        self.target = target
        self.order = {op: number for number, op in enumerate(operations(func))}
        bank = target.memory.psum_bytes // target.memory.psum_banks
        self.sums = [
            _Sum(op, place, *self._uses(op), -(-tile_type(op.result).bytes // bank))
            for op, place in self.order.items()
            if isinstance(op, AccumulatorOp | EmptyOp) and _is_sum(op.result)
        ]

    def free_banks(self, op: Operation) -> int:
        """Beside the sums that are alive at an operation."""
        return self._free(self._place(op), self.sums)

    def _place(self, op: Operation) -> int:
        """Where an operation is; one that is new takes the place of the next that was there."""
        return next(self.order[at] for at in _onwards(op) if at in self.order)

    def _free(self, at: int, sums: Sequence[_Sum]) -> int:
        """Beside some sums, where they are alive at a place."""
        used = sum(one.banks for one in sums if one.first <= at <= one.last)
        return self.target.memory.psum_banks - used

    def may_stay(self, value: SSAValue, last: Operation, to: Operation) -> bool:
        """Whether a sum that is in use up to an operation could be so up to a later one; then it is."""
        made = next(one for one in self.sums if value in one.values)
        behind = range(self._place(last) + 1, self._place(to) + 1)
        near = [one for one in self.sums if one.first < behind.stop and behind.start <= one.last]
        if any(self._free(at, near) < made.banks * (at > made.last) for at in behind):
            return False
        self.sums[self.sums.index(made)] = made._replace(last=max(made.last, behind.stop - 1))
        return True

    def _uses(self, made: AccumulatorOp | EmptyOp) -> tuple[set[SSAValue], int]:
        """The values that are a sum, whoever adds to it or carries it, and its last use; of one in a loop, the end of
        the loop."""
        todo, last = [made.result], self.order[made]
        block = made.parent
        seen: set[SSAValue] = set()
        while todo:
            value: SSAValue = todo.pop()
            if value in seen:
                continue
            seen.add(value)
            for use in value.uses:
                user = use.operation
                todo += [result for result in user.results if _is_sum(result) or isinstance(user, ViewOp)]
                if isinstance(user, ForOp):
                    todo += [arg for arg in user.body.block.args if _is_sum(arg)]
                last = max(last, self._end(_in_block(user, block)))
        return seen, last

    def _end(self, op: Operation) -> int:
        return max(self.order[inner] for inner in operations(op))


def _onwards(op: Operation) -> Iterator[Operation]:
    """An operation and those behind it in its block."""
    at: Operation | None = op
    while at is not None:
        yield at
        at = at.next_op


def _is_sum(value: SSAValue) -> bool:
    return isinstance(value.type, TileType) and value.type.is_psum


def _in_block(op: Operation, block: Block | None) -> Operation:
    """The operation of a block that holds another one."""
    while op.parent is not block and (parent := op.parent_op()) is not None:
        op = parent
    return op
