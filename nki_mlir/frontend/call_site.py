"""Where a user's code called this package: the position of errors in a launch."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from types import FrameType

from nki_mlir.errors import CompileError

_PACKAGE = str(Path(__file__).parent.parent)


def call_site() -> tuple[str, int, int] | None:
    """(file, line, column) of the expression outside this package that is being evaluated."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return None
    positions = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    line, column = positions[0] or frame.f_lineno, positions[2] or 0
    return frame.f_code.co_filename, line, column + 1


def placed(error: CompileError) -> CompileError:
    """The error, at the call if it has no place of its own."""
    site = call_site() if error.file is None else None
    return error if site is None else CompileError(error.message, *site)
