"""A plugin for pytest that notes where errors are made: `errors_fired.py` runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from xdsl.utils.exceptions import ParseError, VerifyException

from nki_mlir.errors import CompileError, ExecutionError

PACKAGE = str(Path(__file__).parent.parent / "nki_mlir")
DEEP = 4
"""How many callers of an error's constructor may stand between it and the `raise`."""

found = set[str]()


def _note(kind: type[Exception]) -> None:
    made: Any = kind.__init__

    def init(self: Exception, *arguments: Any, **named: Any) -> None:
        frame: Any = sys._getframe(1)
        for _ in range(DEEP):
            if frame is None:
                break
            if frame.f_code.co_filename.startswith(PACKAGE):
                found.add(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            frame = frame.f_back
        made(self, *arguments, **named)

    kind.__init__ = init


def pytest_configure(config: pytest.Config) -> None:
    for kind in (VerifyException, CompileError, ExecutionError, ParseError):
        _note(kind)


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = Path(os.environ["ERRORS_FIRED"])
    (folder / f"{os.getpid()}.txt").write_text("\n".join(sorted(found)), encoding="utf-8")
