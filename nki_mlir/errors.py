"""The two errors that a user can meet, and how they are shown: file, line, source line, caret."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from xdsl.utils.exceptions import PassFailedException

if TYPE_CHECKING:
    from xdsl.dialects.builtin import FileLineColLoc, LocationAttr
    from xdsl.ir import Attribute, Operation


class CompileError(PassFailedException):
    """A kernel, a module or a call that can't be compiled.

    `file`, `line` (from 1) and `column` (from 1) say where, when known; the message says what is wrong and what
    would be right. `str(error)` shows the source line with a caret under the column.
    """

    def __init__(self, message: str, file: str | None = None, line: int | None = None, column: int | None = None):
        self.message, self.file, self.line, self.column = message, file, line, column
        super().__init__(_render(message, file, line, column))

    @classmethod
    def at(cls, where: Operation | LocationAttr, message: str) -> CompileError:
        """The error for an operation or a location."""
        found = position(where)
        return cls(message, *found) if found else cls(message)


class Finding(NamedTuple):
    """What a check of the executor reports: `kind` is race, psum or overlap, and two instructions (or buffers) are
    concerned."""

    kind: str
    text: str
    earlier: Operation | None
    later: Operation | None


class ExecutionError(Exception):
    """A program that the machine can't run, or arrays that don't fit the program.

    `kind` names the check that found it: race, uninitialised, unwritten, conflict, bounds, psum, overlap or deadlock;
    it is empty for other mistakes. `findings` has those that name two instructions one by one.
    """

    def __init__(self, message: str, kind: str = "", findings: Sequence[Finding] = ()):
        self.kind, self.findings = kind, tuple(findings)
        super().__init__(message)


def position(where: Operation | LocationAttr) -> tuple[str, int, int] | None:
    """(file, line, column) of an operation or location, or None where it is unknown."""
    from xdsl.ir import Operation

    loc = source_location(where.location if isinstance(where, Operation) else where)
    return (loc.filename.data, loc.line.data, loc.column.data) if loc else None


def source_location(loc: Attribute) -> FileLineColLoc | None:
    """The first file location inside a location."""
    from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc

    match loc:
        case FileLineColLoc():
            return loc
        case FusedLoc(locations=ArrayAttr() as parts):
            return next((found for part in parts if (found := source_location(part))), None)
        case CallSiteLoc():
            return source_location(loc.callee)
        case NameLoc():
            return source_location(loc.location)
        case _:
            return None


def excerpt(where: Operation | LocationAttr) -> str:
    """The source line of an operation with a caret under its column; empty where there is none."""
    found = position(where)
    return "" if found is None else _excerpt(*found)


def _render(message: str, file: str | None, line: int | None, column: int | None) -> str:
    if file is None or line is None:
        return f"error: {message}" if not message.startswith("error:") else message
    head = f"{file}:{line}:{column or 1}: error: {message}"
    text = _excerpt(file, line, column or 1)
    return f"{head}\n{text}" if text else head


def _excerpt(file: str, line: int, column: int) -> str:
    text = linecache.getline(file, line).rstrip("\n")
    if not text.strip():
        return ""
    caret = "".join(c if c == "\t" else " " for c in text[: column - 1]) + "^"
    return f"  {text}\n  {caret}"
