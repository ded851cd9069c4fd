"""Evaluates a kernel."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend.branches import Branch
from nki_mlir.frontend.loops import RolledLoop, unroll
from nki_mlir.frontend.observed import is_opaque
from nki_mlir.frontend.source import KernelFunction
from nki_mlir.frontend.statements import Returned, Statements
from nki_mlir.frontend.values import RunTimeRange, Unrolled, describe, is_runtime
from nki_mlir.frontend.whiles import emit_while


class Interpreter(Statements):
    """Evaluates one function."""

    def run(self) -> Any:
        """The value that the function returns."""
        returned = self.block(self.function.definition.body)
        return returned.value if returned is not None else None

    def evaluated(self, helper: KernelFunction, variables: dict[str, Any]) -> Any:
        return Interpreter(self.b, helper, variables, self.depth + 1).run()

    def expr_IfExp(self, node: ast.IfExp) -> Any:
        test = self.eval(node.test)
        known = self.known_truth(test)
        if known is None:
            return Branch(self, node, test).choice(node)
        return self.eval(node.body if known else node.orelse)

    def stmt_If(self, node: ast.If) -> Returned | None:
        test = self.eval(node.test)
        known = self.known_truth(test)
        if known is None:
            return Branch(self, node, test).emit(node)
        return self.block(node.body if known else node.orelse)

    def stmt_While(self, node: ast.While) -> Returned | None:
        return emit_while(self, node)

    def stmt_For(self, node: ast.For) -> Returned | None:
        if node.orelse:
            raise CompileError("'else' of a loop is not supported", *self.function.place(node.orelse[0]))
        items = self.eval(node.iter)
        if isinstance(items, range | RunTimeRange):
            RolledLoop(self, node, items).emit()
            return None
        if isinstance(items, Unrolled):
            return unroll(self, node, items.items)
        if not isinstance(items, tuple | list):
            items = self._iterable(node.iter, items)
        return unroll(self, node, items)

    def _iterable(self, node: ast.expr, items: Any) -> Iterable[Any]:
        """What a loop runs over that is no range and no tuple."""
        place = self.function.place(node)
        if not isinstance(items, Iterable) or is_runtime(items):
            raise CompileError(f"a loop runs over a range or a tuple, got {describe(items)}", *place)
        if isinstance(items, Iterator) or not is_opaque(items):
            return items
        try:
            return self.outside("iter", lambda: tuple(items), items)
        except Exception as error:
            raise CompileError(
                f"{describe(items)} can't be looped over: {type(error).__name__}: {error}", *place
            ) from None
