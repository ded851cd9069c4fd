"""A kernel's Python source: its syntax tree with positions in the file, and the objects that its names mean."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
from collections.abc import Callable
from functools import cached_property, partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from nki_mlir.errors import CompileError, remember, remembered
from nki_mlir.frontend.builtin import Language


class KernelFunction:
    """A function to compile, written in a kernel language: a kernel, or a helper that one calls.

    Its source is taken at once: a file that is edited later does not change a kernel that was defined before.
    """

    def __init__(self, function: Callable[..., Any], language: Language, lines: list[str] | None = None):
        if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
            raise CompileError(f"a kernel is a function written with 'def', got {function!r}")
        if hasattr(function, "__wrapped__"):
            raise CompileError(
                f"'{function.__name__}' is wrapped by another decorator, which compiling would drop; "
                "put jit directly above the function"
            )
        self.function, self.language = function, language
        self.name = function.__name__
        self.code: CodeType = function.__code__
        self.file = self.code.co_filename
        self._lines = _lines_of(function) if lines is None else lines
        remember(self.file, self._lines)

    @classmethod
    def undecorated(cls, function: FunctionType, language: Language) -> KernelFunction:
        """A plain function, first met when a kernel calls it. Raises CompileError if its file was edited since it was
        imported."""
        file = function.__code__.co_filename
        for lines in (remembered(file), _lines_of(function)):
            if lines is not None and _is_source_of(function, lines):
                return cls(function, language, lines)
        raise CompileError(
            f"'{file}' was edited after '{function.__name__}' was imported from it; import it again, or decorate "
            f"'{function.__name__}' with jit, which takes the source at once"
        )

    @cached_property
    def _parsed(self) -> tuple[ast.FunctionDef, int]:
        """The definition, and what to add to its line numbers."""
        first = self.code.co_firstlineno
        try:
            lines = inspect.getblock(self._lines[first - 1 :])
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
        if definition.name != self.code.co_name:
            raise CompileError(f"'{self.file}' was edited while '{self.name}' was imported from it; import it again")
        return definition, first - 1 - wrapped

    @property
    def definition(self) -> ast.FunctionDef:
        return self._parsed[0]

    def place(self, node: ast.AST) -> tuple[str, int, int]:
        """(file, line, column) of a node; columns count characters, from 1."""
        line = getattr(node, "lineno", 1) + self._parsed[1]
        text = (self._lines[line - 1] if line <= len(self._lines) else "").encode()
        return self.file, line, len(text[: getattr(node, "col_offset", 0)].decode(errors="replace")) + 1

    @property
    def position(self) -> tuple[str, int, int]:
        """Of the definition's `def`."""
        return self.place(self.definition)

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def plain_names(self) -> tuple[str, ...] | None:
        """The parameters, if each can be given by place and by name."""
        parameters = self.signature.parameters.values()
        plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        return tuple(p.name for p in parameters) if plain else None

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


def _lines_of(function: FunctionType) -> list[str]:
    """The lines of the file that defines a function, as they are now."""
    file = function.__code__.co_filename
    linecache.checkcache(file)
    return linecache.getlines(file, function.__globals__)


def _is_source_of(function: FunctionType, lines: list[str]) -> bool:
    """Whether a file's lines compile to the function. True where a file is not run as it is, by pytest for example."""
    loader = function.__globals__.get("__loader__")
    code = function.__code__
    if type(loader) is not SourceFileLoader or not Path(code.co_filename).is_file():
        return True
    try:
        found: list[Any] = [compile("".join(lines), code.co_filename, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return False
    while found:
        one = found.pop()
        if one == code:
            return True
        found.extend(part for part in one.co_consts if isinstance(part, CodeType))
    return False


def unwrapped(value: Any) -> Any:
    """A `tl.constexpr` as the object that it holds."""
    return value.value if type(value).__name__ == "constexpr" and hasattr(value, "value") else value


def plain(value: Any) -> Any:
    """NumPy's scalars as Python's numbers."""
    kind = type(value)
    is_scalar = kind.__module__ == "numpy" and hasattr(kind, "item") and not hasattr(kind, "__setitem__")
    return value.item() if is_scalar else value
