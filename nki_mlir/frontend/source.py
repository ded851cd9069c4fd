"""A kernel's Python source: its syntax tree with positions in the file, and the objects that its names mean."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
from collections.abc import Callable
from functools import cached_property, partial
from types import CodeType, FunctionType
from typing import Any

from nki_mlir.errors import CompileError


class KernelFunction:
    """A function to compile: a kernel, or a helper that one calls. `language` is "triton" or "nki"."""

    def __init__(self, function: Callable[..., Any], language: str):
        if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
            raise CompileError(f"a kernel is a function written with 'def', got {function!r}")
        self.function, self.language = function, language
        self.name = function.__name__
        self.code: CodeType = function.__code__
        self.file = self.code.co_filename

    @cached_property
    def _parsed(self) -> tuple[ast.FunctionDef, int]:
        """The definition, and what to add to its line numbers."""
        linecache.checkcache(self.file)
        try:
            lines, first = inspect.getsourcelines(self.function)
            # Indented source parses as the body of an `if`, so that columns stay those of the file.
            wrapped = lines[0][:1].isspace()
            tree = ast.parse(("if 1:\n" if wrapped else "") + "".join(lines))
        except (OSError, TypeError, SyntaxError, IndexError):
            raise CompileError(
                f"the source of '{self.name}' can't be read; "
                "define the kernel in a file, not in an interactive session or with exec()"
            ) from None
        body = tree.body[0].body if wrapped and isinstance(tree.body[0], ast.If) else tree.body
        definition = body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise CompileError(f"'{self.name}' is not a plain function: a kernel is written with 'def'")
        return definition, first - 1 - wrapped

    @property
    def definition(self) -> ast.FunctionDef:
        return self._parsed[0]

    def place(self, node: ast.AST) -> tuple[str, int, int]:
        """(file, line, column) of a node; columns count characters, from 1."""
        line = getattr(node, "lineno", 1) + self._parsed[1]
        text = linecache.getline(self.file, line).encode()
        return self.file, line, len(text[: getattr(node, "col_offset", 0)].decode(errors="replace")) + 1

    @property
    def position(self) -> tuple[str, int, int]:
        """Of the definition's `def`."""
        return self.place(self.definition)

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def constexprs(self) -> frozenset[str]:
        """The parameters annotated as `tl.constexpr`."""
        annotations = ((p.name, p.annotation) for p in self.signature.parameters.values())
        return frozenset(
            name
            for name, note in annotations
            if getattr(note, "__name__", note) == "constexpr" or (isinstance(note, str) and note.endswith("constexpr"))
        )

    def reader(self, name: str) -> tuple[object, Callable[[], Any]] | None:
        """How to read a name that is no local: of an enclosing function, the module, or Python's builtins."""
        if name in self.code.co_freevars:
            cell = (self.function.__closure__ or ())[self.code.co_freevars.index(name)]
            return cell, lambda: cell.cell_contents
        for scope in (self.function.__globals__, vars(builtins)):
            if name in scope:
                return scope, partial(scope.get, name)
        return None


def unwrapped(value: Any) -> Any:
    """A `tl.constexpr` as the object that it holds."""
    return value.value if type(value).__name__ == "constexpr" and hasattr(value, "value") else value


def plain(value: Any) -> Any:
    """NumPy's scalars as Python's numbers."""
    kind = type(value)
    is_scalar = kind.__module__ == "numpy" and hasattr(kind, "item") and not hasattr(kind, "__setitem__")
    return value.item() if is_scalar else value
