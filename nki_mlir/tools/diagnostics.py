"""Errors as the command line shows them: one message with file, line, source line and caret; never a traceback."""

from __future__ import annotations

import os
import traceback

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException, ParseError

from nki_mlir.errors import CompileError, ExecutionError
from nki_mlir.tools.source import Place, Source

MAX_LINES = 200
"""How much IR an error message may show."""

TRACEBACK = "NKI_MLIR_TRACEBACK"
"""The environment variable that adds Python's traceback to an error, for those who work on the compiler."""


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


def operation_at_fault(error: BaseException) -> Operation | None:
    """The operation that the innermost frame which raised was about; xDSL's exceptions don't carry it.

    Looks at the locals that xDSL and this package use for the operation at hand: `op`, or `self` in its methods.
    Modules don't count: a pass holds one all the time.
    """
    found: Operation | None = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name in ("self", "op"):
            value = frame.f_locals.get(name)
            if isinstance(value, Operation) and not isinstance(value, ModuleOp):
                found = value
    return found


def message(error: BaseException, source: Source | None = None, parsing: bool = False, running: str = "") -> str:
    """The text for standard error; `running` is the pass that raised, if one did."""
    match error:
        case CompileError():
            return str(error) if error.file is not None else located(error.message, _place_of(error, source))
        case ExecutionError():
            return located(str(error))
        case ParseError():
            return located(error.msg, Place(*error.span.get_location())) + _references(error, source)
        case OSError():
            return located(f"{error.filename or 'input/output'}: {error.strerror or error}")
        case ArgSpecParseError():
            return located(str(error).rstrip())
    return located(_text(error, parsing, running), _place(error, source, parsing)) + _hints(error)


def located(text: str, place: Place | None = None) -> str:
    """`file:line:col: error: text` with the source line and a caret; `error: text` if the place is unknown."""
    return str(CompileError(text, *place) if place is not None else CompileError(text))


def python_traceback(error: BaseException) -> str:
    """Python's traceback, if the environment asks for it."""
    return "".join(traceback.format_exception(error)) if os.environ.get(TRACEBACK) else ""


def _place(error: BaseException, source: Source | None, parsing: bool) -> Place | None:
    if source is None:
        return None
    if parsing:
        return source.here()
    op = operation_at_fault(error)
    return source.place_of(op) if op is not None else None


def _place_of(error: CompileError, source: Source | None) -> Place | None:
    """Where the operation of an error without a place stands in the text."""
    return source.place_of(error.operation) if source is not None and error.operation is not None else None


def _text(error: BaseException, parsing: bool, running: str) -> str:
    what = str(error) or type(error).__name__
    match error:
        case DiagnosticException():
            return what
        case RecursionError() if parsing:
            return "the input is nested too deeply"
        case OverflowError() | ValueError() if parsing:
            return what
    where = f"{running}: " if running else ""
    return f"internal: {where}{type(error).__name__}: {what}; set {TRACEBACK}=1 for the traceback"


def _hints(error: BaseException) -> str:
    """The exception's notes, but for the module that xDSL's `emit_error` attaches."""
    notes = getattr(error, "__notes__", ())
    return "".join(f"\n{capped(note)}" for note in notes if not note.startswith('"builtin.module"'))


def _references(error: ParseError, source: Source | None) -> str:
    """The further places of an error that has several, such as a second definition."""
    refs = getattr(error, "refs", ())
    if not refs or source is None:
        return ""
    title = getattr(error, "ref_text", None) or ""
    places = (source.place_of_span(span) for span, _ in refs)
    return f"\n{title}" + "".join(f"\n{place.file}:{place.line}:{place.column}: note: here" for place in places)
