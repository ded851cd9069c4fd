"""Loops whose state an iteration makes of the one before by a multiplication and an addition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.induction import Carried
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile


@dataclass(frozen=True)
class Made:
    """What an elementwise operation makes of its operands, in order; there is no such operation yet."""

    kind: type[Operation]
    operands: tuple[Part, ...]


Part = SSAValue | float | Made
"""Something free of what is carried; a number stands for all elements."""


@dataclass(frozen=True)
class Recurrence:
    """A carried value of which each iteration makes `factor * value + addend`."""

    carried: Carried
    factor: Part
    addend: Part

    @property
    def is_read(self) -> bool:
        """Whether something needs the value of each iteration, and not only the last one or their sum."""
        return self.factor != 1.0 or not self.carried.yielded.has_one_use()


@dataclass
class Recurrences:
    """All that a loop carries: `found` are in an order in which each needs none of those behind it, and `dropped` what
    only led from one state to the next."""

    found: list[Recurrence] = field(default_factory=list)
    dropped: set[SSAValue] = field(default_factory=set)

    @classmethod
    def of(cls, loop: ForOp) -> Recurrences | None:
        """None where anything that is carried is otherwise made, or the state from before is used for anything else."""
        left = [Carried(loop, number) for number in range(len(loop.iter_args))]
        if not left or any(tile.element_of(one.argument) != f32 for one in left):
            return None
        known = cls()
        while left:
            known.dropped = known._held(loop)
            new = [found for one in left if (found := known._recurrence(one)) is not None]
            if not new:
                return None
            known.found += new
            left = [one for one in left if all(one is not found.carried for found in new)]
        known.dropped = known._held(loop)
        return known if all(map(known._may_go, loop.body.block.ops)) else None

    @property
    def states(self) -> dict[SSAValue, Recurrence]:
        """By what they are at the end of an iteration."""
        return {one.carried.yielded: one for one in self.found}

    def _held(self, loop: ForOp) -> set[SSAValue]:
        """What depends on the state from before, otherwise than by a state that is known."""
        states, held = self.states, set[SSAValue](loop.body.block.args[1:])
        for op in loop.body.block.ops:
            if any(operand in held for inner in operations(op) for operand in inner.operands):
                held.update(result for result in op.results if result not in states)
        return held

    def _may_go(self, op: Operation) -> bool:
        """Whether an operation either needs no state from before or serves only to make the next one."""
        used = any(operand in self.dropped for inner in operations(op) for operand in inner.operands)
        return not used or (not op.regions and is_side_effect_free(op))

    def _recurrence(self, carried: Carried) -> Recurrence | None:
        found = _Sum(carried.argument, self.dropped).of(carried.yielded)
        if found is None or found[0] == 0.0 or found == (1.0, 0.0):
            return None
        return Recurrence(carried, *found)


class _Sum:
    """Values as `factor * variable + addend`; `held` are those that are not free of what is carried."""

    def __init__(self, variable: SSAValue, held: set[SSAValue]):
        self.variable, self.held = variable, held
        self.known: dict[SSAValue, tuple[Part, Part] | None] = {variable: (1.0, 0.0)}

    def of(self, value: SSAValue) -> tuple[Part, Part] | None:
        if value not in self.known:
            self.known[value] = (0.0, _part(value)) if value not in self.held else self._made(value.owner)
        return self.known[value]

    def _made(self, op: object) -> tuple[Part, Part] | None:
        match op:
            case arith.AddfOp():
                return self._both(_plus, op.operands)
            case arith.SubfOp():
                return self._both(_minus, op.operands)
            case arith.NegfOp():
                return self._both(_negative, op.operands)
            case arith.MulfOp():
                return self._scaled(op.lhs, op.rhs) or self._scaled(op.rhs, op.lhs)
            case arith.DivfOp() if op.rhs not in self.held and (sides := self.of(op.lhs)) is not None:
                return _quotient(sides[0], _part(op.rhs)), _quotient(sides[1], _part(op.rhs))
            case tile.SelectOp() if op.condition not in self.held:
                return self._both(lambda a, b: _chosen(op.condition, a, b), (op.on_true, op.on_false))
            case _:
                return None

    def _both(self, combine: Callable[..., Part], values: Sequence[SSAValue]) -> tuple[Part, Part] | None:
        sides = [side for value in values if (side := self.of(value)) is not None]
        if len(sides) < len(values):
            return None
        return combine(*(factor for factor, _ in sides)), combine(*(addend for _, addend in sides))

    def _scaled(self, value: SSAValue, by: SSAValue) -> tuple[Part, Part] | None:
        sides, factor = self.of(value), _part(by)
        return None if by in self.held or sides is None else (_times(sides[0], factor), _times(sides[1], factor))


def _part(value: SSAValue) -> Part:
    """A value, or the number that it is."""
    number = constant_of(value)
    return number.value.data if isinstance(number, FloatAttr) else value


def _plus(a: Part, b: Part) -> Part:
    if isinstance(a, float) and isinstance(b, float):
        return a + b
    if a == 0.0 or b == 0.0:
        return b if a == 0.0 else a
    return Made(arith.AddfOp, (a, b))


def _minus(a: Part, b: Part) -> Part:
    if isinstance(a, float) and isinstance(b, float):
        return a - b
    if a == 0.0 or b == 0.0:
        return _negative(b) if a == 0.0 else a
    return Made(arith.SubfOp, (a, b))


def _negative(a: Part) -> Part:
    return -a if isinstance(a, float) else Made(arith.NegfOp, (a,))


def _times(a: Part, by: Part) -> Part:
    if isinstance(a, float) and isinstance(by, float):
        return a * by
    if a in (0.0, 1.0):
        return 0.0 if a == 0.0 else by
    return a if by == 1.0 else Made(arith.MulfOp, (a, by))


def _quotient(a: Part, by: Part) -> Part:
    if isinstance(by, float) and by:
        return _times(a, 1.0 / by)
    return 0.0 if a == 0.0 else Made(arith.DivfOp, (a, by))


def _chosen(condition: SSAValue, a: Part, b: Part) -> Part:
    return a if a == b else Made(tile.SelectOp, (condition, a, b))
