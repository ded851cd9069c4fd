"""The in-process runner of RUN lines: what it understands, and that it fails where lit would."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import run_lines as runner
from run_lines import Command, RunFailure, Unsupported, commands, run_line

PATH = Path("/t/a.mlir")


def _echo() -> int:
    """Stands for nki-opt: copies its file, or its input; words to standard error; the last word is the exit code."""
    *words, code = sys.argv[1:]
    if "file" in words:
        print("from the file")
    if "stdin" in words:
        print(sys.stdin.buffer.read().decode(), end="")
    if "err" in words:
        print("complaint", file=sys.stderr)
    if "raise" in words:
        raise KeyError("boom")
    return int(code)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    module = ModuleType("echo_tool")
    vars(module)["main"] = _echo
    monkeypatch.setitem(sys.modules, "echo_tool", module)
    monkeypatch.setitem(runner.TOOLS, "nki-opt", ("echo_tool", "main"))
    path = tmp_path / "check.mlir"
    path.write_text("// CHECK: from the file\n// ERR: complaint\n")
    return path


def test_run_lines_are_found_and_joined() -> None:
    text = "// RUN: a %s \\\n// RUN:   -p 'x{a=1 b=2}' \\\n// RUN: | b\n# RUN: c\nop // RUN: d  \n"
    assert runner.run_lines(text) == ["a %s -p 'x{a=1 b=2}' | b", "c", "d"]


def test_commands() -> None:
    line = "not nki-opt %s -p 'x{a=1 b=2,3}' 2>&1 | filecheck %s --check-prefix=A"
    assert commands(line, PATH) == [
        Command(("nki-opt", "/t/a.mlir", "-p", "x{a=1 b=2,3}"), negated=True, merge_stderr=True),
        Command(("filecheck", "/t/a.mlir", "--check-prefix=A"), negated=False, merge_stderr=False),
    ]


def test_substitutions() -> None:
    words = [command.words[0] for command in commands("NKI_ROUNDTRIP", PATH)]
    assert words == ["nki-opt", "nki-opt", "filecheck"]
    assert "--verify-diagnostics" in commands("NKI_INVALID", PATH)[0].words


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("nki-opt %s && nki-opt %s", "the operator &&"),
        ("nki-opt %s > out", "the operator >"),
        ("nki-opt < %s", "the operator <"),
        ("nki-opt %s 2>&1 extra | filecheck %s", "the operator >&"),
        ("nki-opt %s -o %t", "the substitution %t"),
        ("nki-opt %s -I %{inputs}", r"the substitution %\{inputs\}"),
        ("mlir-opt %s", "the command 'mlir-opt'; only nki-opt, nki-run, filecheck run in process"),
        ("nki-opt %s |", "the command ''"),
        ("nki-opt 'a", "the quoting"),
    ],
)
def test_unsupported(line: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        commands(line, PATH)


@pytest.mark.parametrize(
    "line",
    [
        "nki-opt file 0 | filecheck %s",
        "nki-opt file 0 | nki-opt stdin 0 | filecheck %s",
        "not nki-opt file 1 | filecheck %s",
        "nki-opt err 0 2>&1 | filecheck %s --check-prefix=ERR",
        "nki-opt file 0 | not filecheck %s --check-prefix=ERR",
    ],
)
def test_pass(line: str, check: Path) -> None:
    run_line(line, check)


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("nki-opt file 3 | filecheck %s", r"\[exit 3, expected 0\]"),
        ("not nki-opt file 0 | filecheck %s", r"\[exit 0, expected a failure\]"),
        ("nki-opt 0 | filecheck %s", "is empty"),
        ("nki-opt err 0 | filecheck %s --check-prefix=ERR", "complaint"),
        ("nki-opt err 0 2>&1 | filecheck %s", "Couldn't match"),
        ("nki-opt raise 0", "KeyError: 'boom'"),
    ],
)
def test_fail(line: str, report: str, check: Path) -> None:
    with pytest.raises(RunFailure, match=report):
        run_line(line, check)
    assert sys.argv[1:] != line.split()[1:]


def test_a_valid_chunk_in_an_invalid_file_fails(monkeypatch: pytest.MonkeyPatch, check: Path) -> None:
    monkeypatch.setattr(sys.modules["echo_tool"], "main", lambda: print("from the file\n// -----\nbuiltin.module {\n}"))
    with pytest.raises(RunFailure, match="a chunk of this file is valid"):
        run_line("NKI_INVALID", check)
