"""MLIR text as the tools read it."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

from nki_mlir.errors import CompileError


def read_input(path: str | None) -> tuple[str, str]:
    """The text of a file, or of standard input for None and "-", and what messages call it.

    Also hands its lines to `linecache`, from where error messages take the line they quote: that way standard input
    is quoted like a file.
    """
    if path in (None, "-"):
        data, name = sys.stdin.buffer.read(), "stdin"
    else:
        data, name = Path(path).read_bytes(), path
    if Path(name).suffix == ".py":
        raise CompileError(
            f"{name} is Python; this tool takes MLIR text. Run the script itself (python {name}); the text of a kernel"
            ' at any level is kernel.compile(..., grid=...).ir("tile")'
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CompileError(f"{name}: not UTF-8 text: {error.reason} at {error.start}") from None
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return text, name
