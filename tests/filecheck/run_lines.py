"""Runs the RUN lines of a test file inside this process: a hundred times faster than lit, which starts each tool anew.

The files stay lit tests. What is understood here is the part of lit's shell that they need: pipes, a leading `not`,
a trailing `2>&1`, lines that continue after a backslash, `%s`, and the substitutions of `substitutions.py`. As in lit,
every command of a pipe must succeed. Anything else is an `Unsupported` error that says what it is.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from substitutions import SUBSTITUTIONS

TOOLS = {
    "nki-opt": ("nki_mlir.tools.nki_opt", "main"),
    "nki-run": ("nki_mlir.tools.nki_run", "main"),
    "filecheck": ("filecheck.main", "main"),
}

_RUN = re.compile(r"(?://|#)\s*RUN:\s*(.*?)\s*$", re.MULTILINE)
_OTHER_SUBSTITUTION = re.compile(r"%(?:[tSpT]\b|python\b|basename_t\b|\{[^}]*\})")
_ACCEPTED = re.compile(r"^builtin\.module\b", re.MULTILINE)


class Unsupported(Exception):
    """A RUN line needs something that only real lit has."""


class RunFailure(Exception):
    """A RUN line failed; the text shows the command and what each tool printed."""


@dataclass(frozen=True)
class Command:
    """One tool of a pipe."""

    words: tuple[str, ...]
    negated: bool
    merge_stderr: bool


@dataclass(frozen=True)
class Outcome:
    """What a tool did."""

    command: Command
    code: int
    out: str
    err: str

    @property
    def passed(self) -> bool:
        return (self.code != 0) == self.command.negated


def run_lines(text: str) -> list[str]:
    """The RUN lines of a test file, continued ones joined."""
    joined: list[str] = []
    continued = False
    for line in _RUN.findall(text):
        body = line.removesuffix("\\").rstrip()
        if continued:
            joined[-1] += f" {body}"
        else:
            joined.append(body)
        continued = line.endswith("\\")
    return joined


def run_line(line: str, path: Path) -> None:
    """Run one RUN line of the file; `RunFailure` or `Unsupported` if it doesn't pass."""
    outcomes: list[Outcome] = []
    stdin = ""
    for command in commands(line, path):
        outcomes.append(_run(command, stdin))
        stdin = outcomes[-1].out
    if not all(outcome.passed for outcome in outcomes):
        raise RunFailure(_report(line, outcomes))
    if "NKI_INVALID" in line and _ACCEPTED.search(outcomes[0].out):
        raise RunFailure(_report(f"{line}\na chunk of this file is valid", outcomes))


def commands(line: str, path: Path) -> list[Command]:
    """The pipe that a RUN line stands for."""
    for name, text in SUBSTITUTIONS.items():
        line = line.replace(name, text)
    line = line.replace("%s", shlex.quote(str(path)))
    if other := _OTHER_SUBSTITUTION.search(line):
        raise Unsupported(f"the substitution {other[0]}")
    return [_command(words) for words in _split_pipe(_tokens(line))]


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise Unsupported(f"the quoting ({error})") from error


def _split_pipe(tokens: list[str]) -> Iterator[list[str]]:
    words: list[str] = []
    for token in tokens:
        if token == "|":
            yield words
            words = []
        else:
            words.append(token)
    yield words


def _command(words: list[str]) -> Command:
    merge = words[-3:] == ["2", ">&", "1"]
    words = words[:-3] if merge else words
    negated = words[:1] == ["not"]
    words = words[1:] if negated else words
    if operator := next((word for word in words if word and not word.strip("|&;<>")), None):
        raise Unsupported(f"the operator {operator}")
    if not words or words[0] not in TOOLS:
        raise Unsupported(f"the command {words[0] if words else ''!r}; only {', '.join(TOOLS)} run in process")
    return Command(tuple(words), negated, merge)


def _run(command: Command, stdin: str) -> Outcome:
    module, function = TOOLS[command.words[0]]
    out = io.StringIO()
    err = out if command.merge_stderr else io.StringIO()
    with _streams(command.words, stdin, out, err):
        code = _exit_code(getattr(importlib.import_module(module), function))
    return Outcome(command, code, out.getvalue(), "" if command.merge_stderr else err.getvalue())


@contextlib.contextmanager
def _streams(argv: tuple[str, ...], stdin: str, out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    """The process as the tool's command line would find it; xDSL reads the buffer of standard input."""
    old_argv, old_stdin = sys.argv, sys.stdin
    sys.argv, sys.stdin = list(argv), io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        sys.argv, sys.stdin = old_argv, old_stdin


def _exit_code(main: Callable[[], object]) -> int:
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except Exception:
        traceback.print_exc()
        return 1
    return 0 if code is None else code if isinstance(code, int) else 1


def _report(line: str, outcomes: list[Outcome]) -> str:
    parts = [f"RUN: {line}"]
    for outcome in outcomes:
        expected = "a failure" if outcome.command.negated else "0"
        verdict = "" if outcome.passed else f", expected {expected}"
        parts.append(f"$ {shlex.join(outcome.command.words)}  [exit {outcome.code}{verdict}]")
        parts += [
            f"--- {name}\n{text.rstrip()}" for name, text in (("stdout", outcome.out), ("stderr", outcome.err)) if text
        ]
    return "\n".join(parts)
