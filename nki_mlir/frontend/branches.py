"""`if`, and `a if test else b`, on a condition that is known only at run time, as `scf.if`.

Variables that either side changes are results of the operation; they must have one type on both sides. What only one
side sets can't be read afterwards. Where a side returns, what follows the statement belongs to the other one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects import scf
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.traits import is_side_effect_free

from nki_mlir.errors import CompileError
from nki_mlir.frontend import analysis, functions, operators, parts
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.observed import key
from nki_mlir.frontend.statements import Returned, Statements
from nki_mlir.frontend.values import BlockPointer, Poison, Value, describe, is_runtime

_NUMBERS = (Value, bool, int, float)
"""What a side can leave in a variable."""


@dataclass
class _Side:
    """One side: its block, the variables at its end, and what it returned, if it did."""

    block: Block
    env: dict[str, Any]
    returned: Returned | None


def condition(b: Builder, test: Any, word: str, place: tuple[str, int, int]) -> Value:
    """What a statement decides by, as a truth value. Raises CompileError, at `place`, for what is not one number."""
    if not isinstance(test, Value):
        return b.to_value(bool(test))
    if test.is_pointer or test.shape:
        article = "an" if word == "if" else "a"
        raise CompileError(
            f"the condition of {article} '{word}' is one number, got {describe(test)}; use tl.where, or a mask", *place
        )
    return test if test.number.is_bool() else operators.binary(b, "!=", test, 0)


class Branch:
    """One `if`, being emitted. `rest` are the statements behind it, to the end of the function."""

    def __init__(self, interpreter: Statements, node: ast.If | ast.IfExp, test: Value):
        self.interpreter, self.node = interpreter, node
        self.rest = [statement for block in reversed(interpreter.pending) for statement in block]
        self.test = condition(interpreter.b, test, "if", interpreter.function.place(node.test))
        self.before = dict(interpreter.env)

    def choice(self, node: ast.IfExp) -> Any:
        """What `a if test else b` gives: a choice between values where nothing but values is computed."""
        interpreter, b = self.interpreter, self.interpreter.b
        found: list[tuple[_Side, Any]] = []
        for part in (node.body, node.orelse):
            side = _Side(Block(), self.before, None)
            with b.inside(side.block):
                found.append((side, interpreter.eval(part)))
        (then, x), (other, y) = found
        if not (isinstance(x, _NUMBERS) and isinstance(y, _NUMBERS)):
            raise CompileError(
                f"this is {describe(x)} or {describe(y)}, by a condition that is known only at run time; "
                "both must be numbers or tensors"
            )
        pair = self._alike("this", *found)
        if not all(is_side_effect_free(op) for side in (then, other) for op in side.block.ops):
            result = Value(self._operation(then, other, [pair]).results[0])
        else:
            for op in [op for side in (then, other) for op in side.block.ops]:
                op.detach()
                b.block.add_op(op)
            result = operators.where(b, self.test, *pair)
        return result

    def emit(self, node: ast.If) -> Returned | None:
        """Emits the statement, and the rest where a side returns: then what both return is given."""
        then, other = (_Side(Block(), dict(self.before), None) for _ in range(2))
        self._evaluate(then, node.body)
        self._evaluate(other, node.orelse)
        for side, opposite in ((other, then), (then, other)):
            if opposite.returned and not side.returned:
                self._evaluate(side, self.rest, last=True)
                side.returned = side.returned or Returned(None)
        return self._join(then, other)

    def _evaluate(self, side: _Side, statements: Sequence[ast.stmt], last: bool = False) -> None:
        """Adds statements to a side; behind the `last` ones there is nothing more."""
        interpreter, pending = self.interpreter, self.interpreter.pending
        interpreter.env = dict(side.env)
        interpreter.pending = [] if last else pending
        with interpreter.b.inside(side.block):
            side.returned = interpreter.block(statements)
        side.env, interpreter.pending = interpreter.env, pending

    def _names(self, then: _Side, other: _Side) -> list[str]:
        """What the sides write; a block pointer is its offsets (`parts`), which each side may move."""
        then.env, other.env = parts.spread(then.env), parts.spread(other.env)
        return list(parts.with_parts(analysis.assignments([self.node]), then.env))

    def _join(self, then: _Side, other: _Side) -> Returned | None:
        """The operation, and the variables behind it."""
        interpreter = self.interpreter
        ends = then.returned is not None
        names = [] if ends else self._names(then, other)
        env = parts.spread(self.before)
        pairs: dict[str, tuple[Value, Value]] = {}
        for name in names:
            found = self._joined(name, then, other)
            if isinstance(found, tuple):
                pairs[name] = found
            elif name in then.env or name in other.env:
                env[name] = found
        returned = self._returned(then, other) if ends else None
        values = [*pairs.values(), *([] if returned is None else [returned])]
        op = self._operation(then, other, values)
        interpreter.env = env
        for name, result in zip(pairs, op.results, strict=False):
            interpreter.bind(name, Value(result))
        interpreter.env = parts.gathered(interpreter.env)
        if not ends:
            return None
        return Returned(None if returned is None else Value(op.results[-1]))

    def _operation(self, then: _Side, other: _Side, values: Sequence[tuple[Value, Value]]) -> Operation:
        """The `scf.if` of both sides, which gives one of each pair."""
        b = self.interpreter.b
        for side, number in ((then, 0), (other, 1)):
            with b.inside(side.block):
                b.add(scf.YieldOp(*(pair[number].ssa for pair in values)))
        types: list[Attribute] = [pair[0].ssa.type for pair in values]
        return b.add(scf.IfOp(self.test.ssa, types, Region(then.block), Region(other.block)))

    def _joined(self, name: str, then: _Side, other: _Side) -> Any:
        """What a variable is behind the statement: a pair of values of one type, or what it is on both sides."""
        a, b = then.env.get(name), other.env.get(name)
        if a is b or ((isinstance(a, BlockPointer) or not is_runtime((a, b))) and key(a) == key(b)):
            return a
        if name not in then.env or name not in other.env or isinstance(a, Poison) or isinstance(b, Poison):
            line = self.interpreter.function.place(self.node)[1]
            return Poison(f"'{name}' is set on one side only of the 'if' in line {line}; give it a value before")
        if not (isinstance(a, _NUMBERS) and isinstance(b, _NUMBERS)):
            raise CompileError(
                f"'{name}' is {describe(a)} on one side of this 'if' and {describe(b)} on the other; a variable that"
                " depends on a run-time condition must be a number or a tensor",
                *self.interpreter.function.place(self.node),
            )
        return self._alike(f"'{name}'", (then, a), (other, b))

    def _alike(self, what: str, *sides: tuple[_Side, Any]) -> tuple[Value, Value]:
        """Values of one type for both sides; a Python number takes the type of the other side's."""
        interpreter, b = self.interpreter, self.interpreter.b
        typed = next((value for _, value in sides if isinstance(value, Value)), None)
        found: list[Value] = []
        for side, value in sides:
            with b.inside(side.block):
                if isinstance(value, Value):
                    found.append(value)
                elif typed is None or typed.is_pointer or (isinstance(value, float) and typed.number.kind != "float"):
                    found.append(b.to_value(value))
                else:
                    found.append(b.broadcast(b.typed(value, typed.number), typed.shape))
        left, right = (self._counted(side, *pair) for (side, _), pair in zip(sides, (found, found[::-1]), strict=True))
        if left.ssa.type != right.ssa.type:
            raise CompileError(
                f"{what} is {describe(left)} on one side of this 'if' and {describe(right)} on the other; its type and"
                " shape must be the same",
                *interpreter.function.place(self.node),
            )
        return left, right

    def _counted(self, side: _Side, value: Value, other: Value) -> Value:
        """A value of a side, beside that of the other."""
        with self.interpreter.b.inside(side.block):
            return functions.beside(self.interpreter.b, value, other)

    def _returned(self, then: _Side, other: _Side) -> tuple[Value, Value] | None:
        """What both sides return, if that is a value."""
        found = [None if side.returned is None else side.returned.value for side in (then, other)]
        if found == [None, None]:
            return None
        if not all(isinstance(value, _NUMBERS) for value in found):
            raise CompileError(
                f"one side of this 'if' returns {describe(found[0])} and the other {describe(found[1])}; where a "
                "run-time condition decides, both return a number or a tensor, or nothing",
                *self.interpreter.function.place(self.node),
            )
        return self._alike("what is returned", (then, found[0]), (other, found[1]))
