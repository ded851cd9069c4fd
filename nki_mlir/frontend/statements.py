"""Evaluates the statements of a kernel, but for its loops and branches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend import analysis, list_operations
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.expressions import Expressions
from nki_mlir.frontend.lists import items_of
from nki_mlir.frontend.source import KernelFunction
from nki_mlir.frontend.values import HbmArray, Value, describe, is_runtime


@dataclass(frozen=True)
class Returned:
    """A `return` was met, with this value."""

    value: Any


class Statements(Expressions):
    """One function's statements over its variables. `end` is the position of its `return`, of its `def` without one."""

    def __init__(self, builder: Builder, function: KernelFunction, variables: dict[str, Any], depth: int = 0):
        super().__init__(builder, function, variables, depth)
        self.live: frozenset[str] = frozenset()
        self.in_loop = False
        self.pending: list[Sequence[ast.stmt]] = []
        self.end = function.position
        self._assigned = analysis.names_bound(function.definition.body)

    def block(self, statements: Sequence[ast.stmt], again: Sequence[ast.AST] = ()) -> Returned | None:
        """Evaluates statements in order. `again` is what follows them where they are the body of a loop. `self.live`
        holds, for the statement at hand, the names that may be read after it."""
        outer = self.live
        around = outer | analysis.names_read(again)
        try:
            for i, statement in enumerate(statements):
                self.live = around | analysis.names_read(statements[i + 1 :])
                self.pending.append(statements[i + 1 :])
                returned = self.visit(statement, "stmt")
                self.pending.pop()
                if returned is not None:
                    return returned
        finally:
            self.live = outer
        return None

    def expr_Name(self, node: ast.Name) -> Any:
        if node.id not in self.env and node.id in self._assigned:
            raise CompileError(f"'{node.id}' is read before it is set")
        return super().expr_Name(node)

    # Assignment.
    def bind(self, name: str, value: Any) -> None:
        """Gives a variable its value, and the value, if it has none yet, the variable's name in the IR."""
        self.env[name] = value
        if isinstance(value, Value) and value.ssa.name_hint is None and name.isascii():
            value.ssa.name_hint = name

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.bind(name, value)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(target, targets, value)
            case ast.Subscript():
                self._fill(target, self.eval(target.value), self.eval(target.slice), value)
            case _:
                raise CompileError(f"'{ast.unparse(target)}' can't be assigned to", *self.function.place(target))

    def _unpack(self, target: ast.expr, targets: list[ast.expr], value: Any) -> None:
        place = self.function.place(target)
        if any(isinstance(t, ast.Starred) for t in targets):
            raise CompileError("'*' in the target of an assignment is not supported; use a slice", *place)
        if isinstance(value, range | str | dict | set | frozenset):
            value = items_of(value, "an assignment to several names")
        if not isinstance(value, tuple | list):
            raise CompileError(f"{describe(value)} can't be unpacked", *place)
        if len(value) != len(targets):
            raise CompileError(f"{len(value)} values for {len(targets)} names", *place)
        for one, item in zip(targets, list(value), strict=True):
            self.assign(one, item)

    def _fill(self, target: ast.Subscript, base: Any, index: Any, value: Any) -> None:
        """`x[...] = value`: an element of a list, or the whole of a tile."""
        place = self.function.place(target)
        if type(base) is list:
            list_operations.set_item(self.b, base, index, value)
            return
        if isinstance(base, HbmArray):
            raise CompileError("an array in HBM is written with nl.store(array[...], value)", *place)
        if not isinstance(base, Value):
            raise CompileError(f"the elements of {describe(base)} can't be assigned to in a kernel", *place)
        if base.is_pointer:
            raise CompileError("what a pointer points to is written by tl.store(pointer + offsets, value)", *place)
        items = index if isinstance(index, tuple) else (index,)
        if not isinstance(target.value, ast.Name) or any(i is not Ellipsis and i != slice(None) for i in items):
            raise CompileError("only a whole tile can be assigned to: x[...] = value", *place)
        self._check_single_owner(target.value.id, base, place)
        new = self.b.broadcast(self.b.typed(value, base.number), base.shape)
        self.bind(target.value.id, new)

    def _check_single_owner(self, name: str, value: Value, place: tuple[str, int, int]) -> None:
        """In NKI a tile is a buffer that changes in place; two names for one would see each other's changes."""
        others = [other for other, held in self.env.items() if other != name and _holds(held, value)]
        if others and self.function.language.name == "nki":
            raise CompileError(
                f"'{name}' and '{others[0]}' are one tile, which changes in place; copy it with nl.copy", *place
            )

    def stmt_Assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        self._name_output(node, value)
        for target in node.targets:
            self.assign(target, value)

    def _name_output(self, node: ast.Assign, value: Any) -> None:
        """An array that an NKI kernel makes is called after its variable."""
        fresh = isinstance(value, HbmArray) and isinstance(node.value, ast.Call)
        target = node.targets[0]
        if fresh and isinstance(target, ast.Name) and target.id.isascii() and value.memory.name_hint is None:
            value.memory.name_hint = target.id

    def stmt_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        value = self.eval(node.value)
        if "constexpr" in ast.unparse(node.annotation) and is_runtime(value):
            raise CompileError(f"a constexpr must be known at compile time, got {describe(value)}")
        self.assign(node.target, value)

    def stmt_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        match target:
            case ast.Name(id=name):
                old = self.eval(ast.copy_location(ast.Name(name, ast.Load()), target))
                if isinstance(old, Value):
                    self._check_single_owner(name, old, self.function.place(target))
                self.assign(target, self._augmented(node.op, old, self.eval(node.value)))
            case ast.Subscript():
                base, index = self.eval(target.value), self.eval(target.slice)
                new = self._augmented(node.op, self.item(base, index), self.eval(node.value))
                self._fill(target, base, index, new)
            case _:
                raise CompileError(f"'{ast.unparse(target)}' can't be assigned to")

    def _augmented(self, op: ast.operator, old: Any, value: Any) -> Any:
        """What `old op= value` leaves in the variable; a list changes in place."""
        if type(old) is list and list_operations.augment(self.b, op, old, value):
            return old
        return self.binary(op, old, value)

    # The end, and what has no value.
    def stmt_Return(self, node: ast.Return) -> Returned:
        if self.in_loop:
            raise CompileError("'return' inside a loop is not supported: loops run all their iterations")
        self.end = self.function.place(node.value or node)
        return Returned(None if node.value is None else self.eval(node.value))

    def stmt_Expr(self, node: ast.Expr) -> None:
        self.eval(node.value)

    def stmt_Pass(self, node: ast.Pass) -> None:
        pass

    def stmt_Assert(self, node: ast.Assert) -> None:
        test = self.eval(node.test)
        if not isinstance(test, Value) and not self.truth(test):
            message = "" if node.msg is None else f": {self.eval(node.msg)}"
            raise CompileError(f"assertion failed{message}")


def _holds(held: Any, value: Value) -> bool:
    """Whether a variable is that value, or a list or tuple with it inside."""
    return held is value or (isinstance(held, tuple | list) and any(_holds(item, value) for item in held))
