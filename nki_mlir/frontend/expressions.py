"""Evaluates expressions of a kernel: compile-time objects by computing them, the rest by emitting operations."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

from nki_mlir.errors import CompileError, internal_errors
from nki_mlir.frontend import operators
from nki_mlir.frontend.attributes import attribute
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Unsupported
from nki_mlir.frontend.calls import call
from nki_mlir.frontend.functions import index_value
from nki_mlir.frontend.source import KernelFunction, plain, unwrapped
from nki_mlir.frontend.values import HbmArray, Poison, Value, View, describe, is_runtime

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_UNARY: dict[type[ast.AST], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
_IDENTITY: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda x, y: x in y,
    ast.NotIn: lambda x, y: x not in y,
}

UNSUPPORTED: dict[type[ast.AST], str] = {
    ast.While: "a 'while' loop is not supported; use 'for i in range(...)' with bounds known at compile time",
    ast.Break: "'break' is not supported: loops run all their iterations",
    ast.Continue: "'continue' is not supported: use tl.where or a mask",
    ast.Lambda: "a lambda is not supported in a kernel; use a helper function decorated with jit",
    ast.ListComp: "a comprehension is not supported in a kernel; use a loop over tl.static_range",
    ast.SetComp: "a comprehension is not supported in a kernel; use a loop over tl.static_range",
    ast.DictComp: "a comprehension is not supported in a kernel; use a loop over tl.static_range",
    ast.GeneratorExp: "a generator is not supported in a kernel; use a loop over tl.static_range",
    ast.Dict: "a dict is not supported in a kernel",
    ast.Set: "a set is not supported in a kernel",
    ast.NamedExpr: "':=' is not supported in a kernel; assign in a statement of its own",
    ast.FunctionDef: "a nested function is not supported; define it outside the kernel and decorate it with jit",
    ast.AsyncFunctionDef: "an async function is not supported in a kernel",
    ast.ClassDef: "a class is not supported in a kernel",
    ast.With: "'with' is not supported in a kernel",
    ast.Try: "'try' is not supported in a kernel",
    ast.Raise: "'raise' is not supported in a kernel; use tl.static_assert",
    ast.Global: "'global' is not supported in a kernel; pass the value as an argument",
    ast.Nonlocal: "'nonlocal' is not supported in a kernel; pass the value as an argument",
    ast.Delete: "'del' is not supported in a kernel",
    ast.Import: "'import' is not supported in a kernel; import at the top of the file",
    ast.ImportFrom: "'import' is not supported in a kernel; import at the top of the file",
    ast.Match: "'match' is not supported in a kernel; use 'if' on compile-time values",
    ast.Yield: "'yield' is not supported in a kernel",
    ast.YieldFrom: "'yield' is not supported in a kernel",
    ast.Await: "'await' is not supported in a kernel",
    ast.Starred: "'*' is supported only in front of a tuple in a call or a tuple",
}
"""Python that a kernel can't contain, with what to do instead."""

NESTED = "this is nested too deeply: Python's own recursion limit is reached; use variables for parts of it"


class Expressions:
    """One function being evaluated: its source, its variables, and the builder that it emits through."""

    def __init__(self, builder: Builder, function: KernelFunction, variables: dict[str, Any], depth: int = 0):
        self.b, self.function, self.env, self.depth = builder, function, variables, depth

    def visit(self, node: ast.AST, prefix: str) -> Any:
        """Dispatches on the node's class; emitted operations and errors get the node's position."""
        handler = getattr(self, f"{prefix}_{type(node).__name__}", None)
        b = self.b
        outer = b.file, b.line, b.column
        b.file, b.line, b.column = place = self.function.place(node)
        try:
            if handler is None:
                text = UNSUPPORTED.get(type(node), f"{type(node).__name__} is not supported in a kernel")
                raise CompileError(text)
            with internal_errors("the frontend", lambda: place, passing=(RecursionError,)):
                return handler(node)
        except RecursionError:
            raise CompileError(NESTED, *place) from None
        except CompileError as error:
            if error.file is not None:
                raise
            raise CompileError(error.message, *place) from None
        finally:
            b.file, b.line, b.column = outer

    def eval(self, node: ast.expr) -> Any:
        return self.visit(node, "expr")

    def known(self, node: ast.expr, otherwise: str) -> Any:
        """A compile-time value; else the error says `otherwise`."""
        value = self.eval(node)
        if isinstance(value, Value):
            raise CompileError(otherwise, *self.function.place(node))
        return value

    # Leaves.
    def expr_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, complex | bytes):
            raise CompileError(f"a {type(node.value).__name__} is not supported in a kernel")
        return node.value

    def expr_Name(self, node: ast.Name) -> Any:
        if node.id in self.env:
            value = self.env[node.id]
            if isinstance(value, Poison):
                raise CompileError(value.reason)
            return value
        reader = self.function.reader(node.id)
        if reader is None:
            raise CompileError(f"name '{node.id}' is not defined")
        owner, read = reader
        return self.usable(self.b.observe(owner, node.id, read), node.id)

    def usable(self, value: Any, name: str) -> Any:
        """An object from outside the kernel as the kernel sees it."""
        value = plain(unwrapped(value))
        if isinstance(value, Unsupported):
            raise value.error()
        if all(hasattr(value, part) for part in ("shape", "dtype", "__getitem__")):
            raise CompileError(f"'{name}' is an array outside the kernel; pass it as an argument")
        return value

    def expr_Attribute(self, node: ast.Attribute) -> Any:
        base = self.eval(node.value)
        if not isinstance(base, ModuleType):
            return self.usable(attribute(self.b, base, node.attr), node.attr)
        name = ast.unparse(node.value)
        try:
            value = self.b.observe(base, node.attr, lambda: getattr(base, node.attr))
        except AttributeError:
            raise CompileError(f"{name} has no '{node.attr}'") from None
        return self.usable(value, f"{name}.{node.attr}")

    # Displays.
    def expr_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.items(node.elts))

    def expr_List(self, node: ast.List) -> list[Any]:
        return self.items(node.elts)

    def items(self, nodes: list[ast.expr]) -> list[Any]:
        """The values of expressions, those with a star unpacked."""
        found: list[Any] = []
        for node in nodes:
            if not isinstance(node, ast.Starred):
                found.append(self.eval(node))
                continue
            value = self.eval(node.value)
            if not isinstance(value, tuple | list):
                raise CompileError(f"'*' unpacks a tuple, got {describe(value)}", *self.function.place(node))
            found.extend(value)
        return found

    def expr_JoinedStr(self, node: ast.JoinedStr) -> str:
        return "".join(self.eval(part) for part in node.values)

    def expr_FormattedValue(self, node: ast.FormattedValue) -> str:
        value = self.eval(node.value)
        if isinstance(value, Value):
            return describe(value)
        style = self.eval(node.format_spec) if node.format_spec else ""
        text = {115: str, 114: repr, 97: ascii}.get(node.conversion, lambda v: v)(value)
        try:
            return format(text, style)
        except (TypeError, ValueError) as error:
            raise CompileError(f"this can't be formatted: {error}") from None

    # Operators.
    def expr_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.eval(node.left), self.eval(node.right)
        return self.binary(node.op, left, right)

    def binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(op, ast.MatMult):
            raise CompileError("'@' is not supported; use tl.dot or nl.matmul")
        return operators.binary(self.b, _BINARY[type(op)], left, right)

    def expr_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self.known(node.operand, "'not' works on compile-time values only; use '~' on a mask")
        return operators.unary(self.b, _UNARY[type(node.op)], self.eval(node.operand))

    def expr_BoolOp(self, node: ast.BoolOp) -> Any:
        is_and = isinstance(node.op, ast.And)
        word, symbol = ("and", "&") if is_and else ("or", "|")
        value: Any = None
        for part in node.values:
            value = self.known(part, f"'{word}' works on compile-time values only; combine masks with '{symbol}'")
            if bool(value) is not is_and:
                break
        return value

    def expr_Compare(self, node: ast.Compare) -> Any:
        left, result = self.eval(node.left), True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.eval(right_node)
            result = self._compare(op, left, right)
            if isinstance(result, Value) and len(node.ops) > 1:
                raise CompileError("a chained comparison works on compile-time values only; write (a < b) & (b < c)")
            if not isinstance(result, Value) and not result:
                return result
            left = right
        return result

    def _compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        symbol = _BINARY.get(type(op))
        if symbol is not None and (isinstance(left, Value) or isinstance(right, Value)):
            return operators.binary(self.b, symbol, left, right)
        try:
            return operators.PYTHON[symbol](left, right) if symbol else _IDENTITY[type(op)](left, right)
        except TypeError as error:
            raise CompileError(str(error)) from None

    def expr_IfExp(self, node: ast.IfExp) -> Any:
        test = self.known(node.test, "a run-time condition can't choose an expression; use tl.where(condition, x, y)")
        return self.eval(node.body if test else node.orelse)

    # Subscripts.
    def expr_Slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self.eval(part) for part in (node.lower, node.upper, node.step)))

    def expr_Subscript(self, node: ast.Subscript) -> Any:
        base, index = self.eval(node.value), self.eval(node.slice)
        if isinstance(base, Value):
            return index_value(self.b, base, index)
        if isinstance(base, HbmArray):
            return View(base, index if isinstance(index, tuple) else (index,))
        if hasattr(base, "emit_item"):
            return base.emit_item(self.b, index)
        if is_runtime(index):
            raise CompileError(f"{describe(base)} can be indexed only with compile-time values")
        try:
            return base[index]
        except (TypeError, IndexError, KeyError) as error:
            raise CompileError(f"{type(error).__name__}: {error}") from None

    # Calls.
    def expr_Call(self, node: ast.Call) -> Any:
        function = self.eval(node.func)
        args = self.items(node.args)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise CompileError("'**' in a call is not supported in a kernel", *self.function.place(keyword.value))
            kwargs[keyword.arg] = self.eval(keyword.value)
        return call(self, function, args, kwargs)
