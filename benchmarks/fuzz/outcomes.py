"""What came of one input: right, refused in our words, a wrong value, or a raw Python exception."""

from __future__ import annotations

import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nki_mlir.errors import CompileError, ExecutionError

PACKAGE = "nki_mlir"
RAW_BY_NAME = {"InternalError"}
"""Errors of the package which say that it is at fault."""

FAULTS = ("wrong", "raw", "slow")
"""The kinds of outcome that no input should have."""


class WrongValue(Exception):
    """A result that is not the reference's."""


class TimeUp(BaseException):
    """The time limit of one input; not an Exception, so that nothing under test takes it for its own."""


@dataclass(frozen=True)
class Outcome:
    """`kind` is right, refused, reported, wrong, raw or slow; `detail` the class of message, or where it was raised;
    `text` the whole message."""

    kind: str
    detail: str = ""
    text: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.detail

    @property
    def is_fault(self) -> bool:
        return self.kind in FAULTS


def outcome(attempt: Callable[[], object], seconds: float) -> Outcome:
    """Of one attempt, under a time limit."""
    try:
        with _limit(seconds):
            attempt()
    except TimeUp as error:
        return Outcome("slow", f"more than {seconds:g} s in {innermost(error)}")
    except WrongValue as error:
        return Outcome("wrong", text=str(error))
    except Exception as error:
        name = type(error).__name__
        if name not in RAW_BY_NAME and isinstance(error, CompileError | ExecutionError):
            kind = "refused" if isinstance(error, CompileError) else "reported"
            return Outcome(kind, message_class(getattr(error, "message", str(error))), str(error))
        return Outcome("raw", f"{name} in {innermost(error)}", f"{name}: {error}")
    return Outcome("right")


def message_class(message: str) -> str:
    """The message without what varies: names in quotes, numbers, what stands in brackets."""
    line = message.splitlines()[0] if message else ""
    line = re.sub(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|<[^<>]*>|\[[^\[\]]*\]", "…", line)
    return re.sub(r"-?\d[\d.,e+-]*|\b[uib]?[if]\d+\b|\bbf16\b", "N", line)[:90]


def innermost(error: BaseException) -> str:
    """file:function of the deepest frame of an exception, and of its causes, that is in the package."""
    found = "outside the package"
    while True:
        for frame in traceback.extract_tb(error.__traceback__):
            parts = Path(frame.filename).parts
            if PACKAGE in parts:
                found = f"{'/'.join(parts[len(parts) - parts[::-1].index(PACKAGE) :])}:{frame.name}"
        if error.__cause__ is None or not isinstance(error.__cause__, Exception):
            return found
        error = error.__cause__


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
