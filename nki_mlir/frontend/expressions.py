"""Evaluates expressions of a kernel: compile-time objects by computing them, the rest by emitting operations."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

from nki_mlir.errors import CompileError, internal_errors
from nki_mlir.frontend import list_operations, operators
from nki_mlir.frontend.arrays import is_array
from nki_mlir.frontend.attributes import attribute, outside
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Unsupported
from nki_mlir.frontend.calls import Caller, call
from nki_mlir.frontend.functions import index_value
from nki_mlir.frontend.observed import is_opaque, key
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


class Expressions(Caller):
    """One function being evaluated: its source, its variables, and the builder that it emits through."""

    def __init__(self, builder: Builder, function: KernelFunction, variables: dict[str, Any], depth: int = 0):
        super().__init__(builder, function, depth)
        self.env = variables

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
        try:
            return self.usable(self.b.observe((id(owner), node.id), read), node.id)
        except ValueError:
            raise CompileError(f"'{node.id}' of the enclosing function is not set yet") from None

    def usable(self, value: Any, name: str) -> Any:
        """An object from outside the kernel as the kernel sees it."""
        value = plain(unwrapped(value))
        if isinstance(value, Unsupported):
            raise value.error()
        if is_array(value):
            raise CompileError(f"'{name}' is an array outside the kernel; pass it as an argument")
        return value

    def expr_Attribute(self, node: ast.Attribute) -> Any:
        base = self.eval(node.value)
        if not isinstance(base, ModuleType):
            return self.usable(attribute(self.b, base, node.attr), node.attr)
        name = ast.unparse(node.value)
        found = outside(self.b, base, node.attr, f"{name} has no '{node.attr}'")
        return self.usable(found, f"{name}.{node.attr}")

    # Displays.
    def expr_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.items(node.elts))

    def expr_List(self, node: ast.List) -> list[Any]:
        return self.b.lists.made(self.items(node.elts), self.b.loops)

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
        try:
            text = {115: str, 114: repr, 97: ascii}.get(node.conversion, lambda v: v)(value)
            return format(text, style)
        except Exception as error:
            raise CompileError(f"this can't be formatted: {error}") from None

    # Operators.
    def expr_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.eval(node.left), self.eval(node.right)
        return self.binary(node.op, left, right)

    def binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(op, ast.MatMult):
            raise CompileError("'@' is not supported; use tl.dot or nl.matmul")
        symbol = _BINARY[type(op)]
        sequence = list_operations.operator(self.b, symbol, left, right)
        if sequence is not None:
            return sequence
        return self.outside(symbol, lambda: operators.binary(self.b, symbol, left, right), left, right)

    def outside(self, what: str, compute: Callable[[], Any], *operands: Any) -> Any:
        """What `compute` makes of the operands; noted where one of them is an object that may change."""
        if not any(is_opaque(operand) for operand in operands) or is_runtime(operands):
            return compute()
        return self.b.observe((what, key(operands)), compute)

    def truth(self, value: Any) -> bool:
        """`bool(value)` of a compile-time object."""
        try:
            return self.outside("bool", lambda: bool(value), value)
        except Exception as error:
            raise CompileError(f"the truth of {describe(value)}: {type(error).__name__}: {error}") from None

    def known_truth(self, value: Any) -> bool | None:
        """`bool(value)`, or None for what the program computes. A pointer to an array is never null."""
        if isinstance(value, Value):
            return True if value.is_pointer and not value.shape else None
        return self.truth(value)

    def expr_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            value = self.eval(node.operand)
            known = self.known_truth(value)
            if known is None:
                return operators.unary(self.b, "~", self._bool("not", value, node.operand))
            return not known
        symbol, value = _UNARY[type(node.op)], self.eval(node.operand)
        return self.outside(f"unary {symbol}", lambda: operators.unary(self.b, symbol, value), value)

    def expr_BoolOp(self, node: ast.BoolOp) -> Any:
        """As in Triton: bools of the program are combined, all of them evaluated; a compile-time value decides, and is
        then what the expression gives, or does nothing."""
        is_and = isinstance(node.op, ast.And)
        word, symbol = ("and", "&") if is_and else ("or", "|")
        value: Any = None
        combined: Value | None = None
        for part in node.values:
            value = self.eval(part)
            known = self.known_truth(value)
            if known is None:
                bit = self._bool(word, value, part)
                combined = bit if combined is None else operators.binary(self.b, symbol, combined, bit)
            elif known is not is_and:
                return value
        return value if combined is None else combined

    def _bool(self, word: str, value: Value, node: ast.expr) -> Value:
        """An operand of `and`, `or` and `not` that the program computes."""
        if value.is_pointer or not value.number.is_bool() or self.b.language.name != "triton":
            raise CompileError(
                f"'{word}' takes compile-time values, and bools in a Triton kernel, got {describe(value)}; compare it "
                "with 0, and combine masks with '&', '|' and '~'",
                *self.function.place(node),
            )
        return value

    def expr_Compare(self, node: ast.Compare) -> Any:
        left, result = self.eval(node.left), True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.eval(right_node)
            result = self._compare(op, left, right)
            if isinstance(result, Value) and len(node.ops) > 1:
                raise CompileError("a chained comparison works on compile-time values only; write (a < b) & (b < c)")
            if not isinstance(result, Value) and not self.truth(result):
                return result
            left = right
        return result

    def _compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        symbol = _BINARY.get(type(op))
        if symbol in ("==", "!=") and (left is None or right is None):
            return (left is right) is (symbol == "==")
        if symbol is not None and (isinstance(left, Value) or isinstance(right, Value)):
            return operators.binary(self.b, symbol, left, right)
        if not isinstance(op, ast.Is | ast.IsNot) and is_runtime((left, right)):
            raise CompileError(f"{describe(left)} and {describe(right)} can't be compared: one is not known here")
        compute = _IDENTITY.get(type(op)) or operators.PYTHON[symbol or ""]
        try:
            return self.outside(type(op).__name__, lambda: plain(compute(left, right)), left, right)
        except CompileError:
            raise
        except Exception as error:
            raise CompileError(str(error)) from None

    # Subscripts.
    def expr_Slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self.eval(part) for part in (node.lower, node.upper, node.step)))

    def expr_Subscript(self, node: ast.Subscript) -> Any:
        return self.item(self.eval(node.value), self.eval(node.slice))

    def item(self, base: Any, index: Any) -> Any:
        """`base[index]`"""
        b = self.b
        if isinstance(base, Value):
            return index_value(b, base, index)
        if isinstance(base, HbmArray):
            return View(base, index if isinstance(index, tuple) else (index,))
        if hasattr(base, "emit_item"):
            return base.emit_item(b, index)
        if is_runtime(index):
            raise CompileError(f"{describe(base)} can be indexed only with compile-time values")
        try:
            found = self.outside("[]", lambda: base[index], base, index)
        except CompileError:
            raise
        except Exception as error:
            raise CompileError(f"{type(error).__name__}: {error}") from None
        found = found if is_runtime(found) else self.usable(found, f"{describe(base)}[{index!r}]")
        return b.lists.made(found, b.loops) if isinstance(index, slice) else found

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
