"""The errors that leave this package, and how they are shown: file, line, source line, caret.

A user's mistake is a CompileError or an ExecutionError; anything else is a bug of ours, an InternalError, which
`internal_errors` makes of whatever escapes a part of the compiler.
"""

from __future__ import annotations

import linecache
import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from xdsl.utils.exceptions import PassFailedException

if TYPE_CHECKING:
    from xdsl.dialects.builtin import FileLineColLoc, LocationAttr
    from xdsl.ir import Attribute, Operation

TRACEBACK = "NKI_MLIR_TRACEBACK"
"""The environment variable that adds Python's traceback to an error, for those who work on the compiler."""

INTERNAL_EXIT_CODE = 70
"""What the tools exit with after an internal error (EX_SOFTWARE of sysexits.h); after a user's mistake it is 1."""

Position = tuple[str, int, int]
"""File, line and column, both from 1."""


_sources: dict[str, list[str]] = {}


def remember(file: str, lines: list[str]) -> None:
    """Messages quote these lines of a file from now on, whatever becomes of it."""
    _sources[file] = lines


def remembered(file: str) -> list[str] | None:
    """The lines of a file that were kept by `remember`."""
    return _sources.get(file)


def _line(file: str, line: int) -> str:
    lines = remembered(file)
    if not lines:
        return linecache.getline(file, line)
    return lines[line - 1] if 0 < line <= len(lines) else ""


class CompileError(PassFailedException):
    """A kernel, a module or a call that can't be compiled.

    `file`, `line` (from 1) and `column` (from 1) say where, when known; the message says what is wrong and what
    would be right. `str(error)` shows the source line with a caret under the column. `operation` is what it is about,
    where that is known: a tool that read the text knows its place even if the operation states none.
    """

    operation: Operation | None = None

    def __init__(self, message: str, file: str | None = None, line: int | None = None, column: int | None = None):
        self.message, self.file, self.line, self.column = message, file, line, column
        super().__init__(_render(message, file, line, column))

    @classmethod
    def at(cls, where: Operation | LocationAttr, message: str) -> CompileError:
        """The error for an operation or a location."""
        from xdsl.ir import Operation

        found = position(where)
        error = cls(message, *found) if found else cls(message)
        error.operation = where if isinstance(where, Operation) else None
        return error


class Finding(NamedTuple):
    """What a check of the executor reports: `kind` is race, psum or overlap, and two instructions (or buffers) are
    concerned."""

    kind: str
    text: str
    earlier: Operation | None
    later: Operation | None


class ExecutionError(Exception):
    """A program that the machine can't run, or arrays that don't fit the program.

    `kind` names the check that found it: race, uninitialised, unwritten, conflict, bounds, range, psum, overlap or
    deadlock; it is empty for other mistakes. `findings` has those that name two instructions one by one.
    """

    def __init__(self, message: str, kind: str = "", findings: Sequence[Finding] = ()):
        self.kind, self.findings = kind, tuple(findings)
        super().__init__(message)


class InternalError(Exception):
    """A bug: an exception, `original`, that is no user error and escaped `stage`, such as "pass place".

    `operation` is the one that was at hand, if any was; `file`, `line` and `column` are its place in the source.
    `owner` is whose bug it is: nki-mlir, or the package of a pass that is not ours.
    """

    def __init__(
        self,
        stage: str,
        original: BaseException,
        operation: Operation | None = None,
        place: Position | None = None,
        owner: str = "nki-mlir",
    ):
        self.stage, self.original, self.operation, self.owner = stage, original, operation, owner
        found = place or (nearest_position(operation) if operation is not None else None)
        self.file, self.line, self.column = found or (None, None, None)
        super().__init__(str(self))

    def __str__(self) -> str:
        at = f", at {self.operation.name}" if self.operation is not None else ""
        # The first line says what it was; xDSL appends whole modules.
        what = next(iter(str(self.original).strip().splitlines()), "")
        text = f"{self.stage}{at}: {type(self.original).__name__}{': ' if what else ''}{what}"
        return (
            f"{_render(text, self.file, self.line, self.column, 'internal error')}\n"
            f"This is a bug of {self.owner}, not of your program. Please report it to the issue tracker of"
            f" {self.owner}, with the program and this message; {TRACEBACK}=1 adds Python's traceback."
        )

    def place(self, file: str, line: int, column: int) -> None:
        """Says where the operation stands in a text, if it has no place of its own."""
        if self.file is None:
            self.file, self.line, self.column = file, line, column


@contextmanager
def internal_errors(
    stage: str,
    place: Callable[[], Position | None] = lambda: None,
    passing: tuple[type[BaseException], ...] = (),
    limit: type[CompileError] | type[ExecutionError] = CompileError,
    owner: str = "nki-mlir",
) -> Iterator[None]:
    """Makes one InternalError of what escapes a part of the compiler and is no user error.

    `stage` names the part; `place` says where in the source it was, if the operation at hand doesn't; `passing` are
    exceptions that whoever is around reports. Too little memory is a limit of the machine, and reported as `limit`.
    """
    try:
        yield
    except (CompileError, ExecutionError, InternalError, *passing):
        raise
    except MemoryError as error:
        detail = f": {error}" if str(error) else ""
        raise limit(f"{stage}: this machine has too little memory{detail}") from None
    except Exception as error:
        found = InternalError(stage, error, operation_at_fault(error), place(), owner)
        raise found from (error if wants_traceback() else None)


def wants_traceback() -> bool:
    return bool(os.environ.get(TRACEBACK))


def operation_at_fault(error: BaseException) -> Operation | None:
    """The operation that the innermost frame which raised was about; neither Python's exceptions nor xDSL's carry it.

    Looks at the locals of each frame, and at the `op` of objects that are made for an operation: first at `op`, which
    is the one at hand in xDSL and in this package, then at `self`, then at any other. Modules don't count: a pass holds
    one all the time.
    """
    found: Operation | None = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = next(_operations_in(frame.f_locals), found)
    return found


def _operations_in(variables: Mapping[str, object]) -> Iterator[Operation]:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

    for value in (variables.get("op"), variables.get("self"), *reversed(list(variables.values()))):
        for found in (value, getattr(value, "__dict__", {}).get("op")):
            # One that is being made has no location yet.
            if isinstance(found, Operation) and not isinstance(found, ModuleOp) and hasattr(found, "location"):
                yield found


def nearest_position(op: Operation) -> Position | None:
    """The position of an operation, or of the nearest one around it that has one."""
    at: Operation | None = op
    while at is not None:
        if found := position(at):
            return found
        at = at.parent_op()
    return None


def position(where: Operation | LocationAttr) -> Position | None:
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


def _render(message: str, file: str | None, line: int | None, column: int | None, kind: str = "error") -> str:
    if file is None or line is None:
        return f"{kind}: {message}" if not message.startswith("error:") else message
    head = f"{file}:{line}:{column or 1}: {kind}: {message}"
    text = _excerpt(file, line, column or 1)
    return f"{head}\n{text}" if text else head


def _excerpt(file: str, line: int, column: int) -> str:
    text = _line(file, line).rstrip("\n")
    if not text.strip():
        return ""
    caret = "".join(c if c == "\t" else " " for c in text[: column - 1]) + "^"
    return f"  {text}\n  {caret}"
