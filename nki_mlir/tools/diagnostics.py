"""Errors as the command line shows them: one message with file, line, source line and caret; never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from xdsl.ir import Operation
from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException, ParseError

from nki_mlir.errors import (
    INTERNAL_EXIT_CODE,
    CompileError,
    ExecutionError,
    InternalError,
    internal_errors,
    operation_at_fault,
    wants_traceback,
)
from nki_mlir.op_parser import OpParser, Place, text_of

MAX_LINES = 200
"""How much IR an error message may show."""


def capped(text: str, limit: int = MAX_LINES) -> str:
    """The first `limit` lines, and how many there were besides."""
    lines = text.splitlines()
    if len(lines) <= limit:
        return text
    return "\n".join([*lines[:limit], f"// ... {len(lines) - limit} more lines"])


def cap_notes(error: BaseException) -> None:
    """Shorten an exception's notes: xDSL attaches the whole module to an error."""
    if notes := getattr(error, "__notes__", None):
        notes[:] = map(capped, notes)


def message(error: BaseException, source: OpParser | None = None) -> str:
    """The text for standard error."""
    match error:
        case InternalError():
            _complete(error, source)
            return str(error)
        case CompileError():
            if error.file is not None:
                return str(error)
            return located(error.message, _place(error.operation, source))
        case ExecutionError():
            return located(str(error))
        case ParseError():
            return located(text_of(error), Place(*error.span.get_location())) + _references(error, source)
        case OSError():
            return located(f"{error.filename or 'input/output'}: {error.strerror or error}")
        case ArgSpecParseError():
            return located(str(error).rstrip())
        case _:
            return located(str(error) or type(error).__name__, _place(operation_at_fault(error), source)) + _hints(
                error
            )


def located(text: str, place: Place | None = None) -> str:
    """`file:line:col: error: text` with the source line and a caret; `error: text` if the place is unknown."""
    return str(CompileError(text, *place) if place is not None else CompileError(text))


def python_traceback(error: BaseException) -> str:
    """Python's traceback, if the environment asks for it."""
    return "".join(traceback.format_exception(error)) if wants_traceback() else ""


def guarded(tool: str, work: Callable[[], None], report: Callable[[BaseException], None]) -> int:
    """Does a tool's work; its exit code. `report` says on standard error what went wrong."""
    try:
        with internal_errors(tool, passing=(OSError, ParseError, DiagnosticException), limit=ExecutionError):
            work()
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return 130
    except (Exception, ArgSpecParseError) as error:
        report(error)
        print(python_traceback(error), end="", file=sys.stderr)
        return INTERNAL_EXIT_CODE if isinstance(error, InternalError) else 1
    return 0


def _drop_output() -> None:
    """What is left of standard output goes nowhere, instead of failing again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complete(error: InternalError, source: OpParser | None) -> None:
    """Where the operation stands in the input, if no kernel's line is known."""
    if (place := _place(error.operation, source)) is not None:
        error.place(*place)


def _place(op: Operation | None, source: OpParser | None) -> Place | None:
    return source.place_of(op) if op is not None and source is not None else None


def _hints(error: BaseException) -> str:
    """The exception's notes, but for the module that xDSL's `emit_error` attaches."""
    notes = getattr(error, "__notes__", ())
    return "".join(f"\n{capped(note)}" for note in notes if not note.startswith('"builtin.module"'))


def _references(error: ParseError, source: OpParser | None) -> str:
    """The further places of an error that has several, such as a second definition."""
    refs = getattr(error, "refs", ())
    if not refs or source is None:
        return ""
    title = getattr(error, "ref_text", None) or ""
    places = (source.place_of_span(span) for span, _ in refs)
    return f"\n{title}" + "".join(f"\n{place.file}:{place.line}:{place.column}: note: here" for place in places)
