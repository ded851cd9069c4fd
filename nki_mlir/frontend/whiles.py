"""`while`: written out while compiling where its condition is known and soon false, else as `scf.while`."""

from __future__ import annotations

import ast

from xdsl.dialects import scf
from xdsl.ir import Block, Operation, Region

from nki_mlir.errors import CompileError
from nki_mlir.frontend import analysis
from nki_mlir.frontend.branches import condition
from nki_mlir.frontend.loops import CarryingLoop, count_unrolled
from nki_mlir.frontend.statements import Returned, Statements
from nki_mlir.frontend.values import Value

MOST_WRITTEN_OUT = 32
"""How many iterations are written out; a loop of more is one of the program's."""


def emit_while(interpreter: Statements, node: ast.While) -> Returned | None:
    """Evaluates the statement; gives what it returns, if it does."""
    if node.orelse:
        raise CompileError("'else' of a loop is not supported", *interpreter.function.place(node.orelse[0]))
    if _is_soon_false(interpreter, node):
        while interpreter.known_truth(interpreter.eval(node.test)):
            count_unrolled(interpreter.b)
            returned = interpreter.block(node.body, analysis.iteration(node))
            if returned is not None:
                return returned
        return None
    _RunTimeWhile(interpreter, node).emit_carrying()
    return None


def _is_soon_false(interpreter: Statements, node: ast.While) -> bool:
    """Whether the condition is known before each of a few iterations, and then false: found out by evaluating them with
    nothing kept. What is wrong with the body is told when it is emitted."""
    b, env, nested = interpreter.b, interpreter.env, interpreter.b.in_trial
    interpreter.env = dict(env)
    try:
        with b.trial(), b.inside(b.block):
            for _ in range(MOST_WRITTEN_OUT + 1):
                going_on = interpreter.known_truth(interpreter.eval(node.test))
                if not going_on:
                    return going_on is False
                if interpreter.block(node.body, analysis.iteration(node)) is not None:
                    return True
    except CompileError:
        return False
    finally:
        interpreter.env, b.in_trial = env, nested
    return False


class _RunTimeWhile(CarryingLoop):
    """One `while` statement whose condition is computed by the program."""

    node: ast.While

    def operation(self, carried: list[str], inits: list[Value]) -> tuple[Operation, Block]:
        interpreter, b = self.interpreter, self.interpreter.b
        types = [value.ssa.type for value in inits]
        before, after = Block(arg_types=types), Block(arg_types=types)
        loop = b.add(scf.WhileOp([value.ssa for value in inits], types, Region(before), Region(after)))
        self.name(carried, before.args)
        with b.inside(before):
            test = interpreter.eval(self.node.test)
            if not isinstance(test, Value):
                self._check_ends(test, carried)
            going_on = condition(b, test, "while", interpreter.function.place(self.node.test))
            b.add(scf.ConditionOp(going_on.ssa, *before.args))
        return loop, after

    def _check_ends(self, test: object, carried: list[str]) -> None:
        """A condition that is known, but not by what the loop changes, never changes; it may in a trial, whose
        variables aren't settled."""
        if not self.interpreter.b.in_trial and self.interpreter.known_truth(test):
            raise CompileError(
                "this loop never ends: nothing that its condition depends on changes in it",
                *self.interpreter.function.place(self.node.test),
            )

    def start_body(self, block: Block) -> None:
        """Nothing."""
