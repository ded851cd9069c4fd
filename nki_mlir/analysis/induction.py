"""How what a loop carries changes from one iteration to the next."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.indices import expr_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr


@dataclass(frozen=True)
class Carried:
    """A value that a loop carries: what it starts as, its name inside, what an iteration makes of it, and how the loop
    leaves it."""

    loop: ForOp
    number: int

    @property
    def start(self) -> SSAValue:
        return self.loop.iter_args[self.number]

    @property
    def argument(self) -> BlockArgument:
        return self.loop.body.block.args[self.number + 1]

    @property
    def yielded(self) -> SSAValue:
        last = self.loop.body.block.last_op
        assert last is not None
        return last.operands[self.number]

    @property
    def result(self) -> OpResult:
        return self.loop.results[self.number]


def carried_of(value: SSAValue) -> Carried | None:
    """Of a result of a loop or a carried argument of its body."""
    if isinstance(value, OpResult):
        return Carried(value.op, value.index) if isinstance(value.op, ForOp) else None
    if isinstance(value, BlockArgument) and value.index and isinstance(loop := value.block.parent_op(), ForOp):
        return Carried(loop, value.index - 1)
    return None


def step_of(result: OpResult) -> int | None:
    """What every iteration adds to a scalar index that a loop carries, if that is one number."""
    carried = carried_of(result)
    if carried is None or not isinstance(result.type, IndexType):
        return None
    change = expr_of(carried.yielded) - Expr.counter(carried.argument)
    return change.const if change.is_const else None


@dataclass(frozen=True)
class Addend:
    """What is added to something, or taken from it."""

    value: SSAValue
    negative: bool = False


def addends(value: SSAValue, argument: SSAValue) -> list[Addend] | None:
    """What has been added to one value to give another, in whichever order and number of statements; None where
    anything else was done."""
    return _addends(value, argument, {})


def _addends(value: SSAValue, argument: SSAValue, known: dict[SSAValue, list[Addend] | None]) -> list[Addend] | None:
    if value is argument:
        return []
    if value not in known:
        known[value] = None
        for inner, addend in _sums(value):
            if (found := _addends(inner, argument, known)) is not None:
                known[value] = [*found, addend]
                break
    return known[value]


def _sums(value: SSAValue) -> list[tuple[SSAValue, Addend]]:
    """The ways in which a value is another one and an addend."""
    match value.owner:
        case arith.AddiOp(lhs=left, rhs=right):
            return [(left, Addend(right)), (right, Addend(left))]
        case arith.SubiOp(lhs=left, rhs=right):
            return [(left, Addend(right, negative=True))]
        case tile.AddPtrOp(ptr=pointer, offset=offset):
            return [(pointer, Addend(offset))]
        case _:
            return []


def depends_only_on(loop: ForOp, value: SSAValue, counter: bool = False) -> bool:
    """Whether a value can be computed in front of the loop: from what stands outside of it, by operations without
    effect; with `counter`, given the loop's counter too."""
    return _free(loop, value, {loop.body.block.args[0]: counter})


def _free(loop: ForOp, value: SSAValue, known: dict[SSAValue, bool]) -> bool:
    if value not in known:
        owner = value.owner
        if not is_inside(loop, owner):
            known[value] = True
        else:
            known[value] = (
                isinstance(owner, Operation)
                and not owner.regions
                and is_side_effect_free(owner)
                and all(_free(loop, operand, known) for operand in owner.operands)
            )
    return known[value]


def is_inside(loop: ForOp, owner: Operation | Block) -> bool:
    """Whether an operation or block is part of the loop's body."""
    parent = owner if isinstance(owner, Block) else owner.parent
    while parent is not None and parent is not loop.body.block:
        op = parent.parent_op()
        parent = op.parent if op is not None else None
    return parent is not None
