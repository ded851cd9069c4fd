"""The code in the documents runs as it stands, for a reader who goes through it from the top."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WRITTEN = {"passes.md"}
"""By programs that run what they show."""
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in WRITTEN),
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLS = {"python3 -m venv .venv", ". .venv/bin/activate", "pip install -q .", "pip install -q '.[report]'"}
"""Commands of the documents that the running environment stands for; test_packaging.py has what installing gives."""


@dataclass(frozen=True)
class Block:
    """A block of a document: what its fence says it is, the line of its first line, and its text."""

    language: str
    line: int
    text: str

    def commands(self) -> list[str]:
        """The commands of a block of shell, without comments."""
        lines = [re.sub(r"\s+# .*", "", line) for line in self.text.splitlines()]
        return [command for line in lines if line for command in line.split(" && ")]


def blocks(document: str) -> list[Block]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return [Block(m[1], text.count("\n", 0, m.start(2)) + 1, m[2]) for m in BLOCK.finditer(text)]


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a block in an activated environment, without what installs and what runs the tests."""
    if block.language == "python":
        # A file, as kernels are read from their source.
        script = folder / f"line_{block.line}.py"
        script.write_text(block.text, encoding="utf-8")
        command = [sys.executable, str(script)]
    else:
        kept = [c for c in block.commands() if c not in INSTALLS and not is_script(c)]
        command = ["bash", "-euo", "pipefail", "-c", "\n".join(kept)]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def is_script(command: str) -> bool:
    """Whether it runs `.ci/test` or `.ci/run`, with or without settings before it."""
    return any(word.startswith(".ci/") for word in shlex.split(command))


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if any(b.language for b in blocks(name))])
def test_blocks_run_in_order(document: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for block in blocks(document):
        assert block.language in ("", "sh", "python"), f"{document}:{block.line}: nobody runs {block.language}"
        if block.language:
            done = run(block, tmp_path)
            assert done.returncode == 0, f"{document}:{block.line}\n{done.stdout}\n{done.stderr}"


SCRIPTS = [
    pytest.param(command, id=f"{name}-{command}")
    for name in DOCUMENTS
    for block in blocks(name)
    if block.language == "sh"
    for command in filter(is_script, block.commands())
]


@pytest.mark.parametrize("command", SCRIPTS)
def test_scripts_and_the_tests_that_they_name_exist(command: str) -> None:
    """They would run this test again; pytest collects what is asked of it instead."""
    words = shlex.split(command)
    at = next(i for i, word in enumerate(words) if word.startswith(".ci/"))
    assert os.access(ROOT / words[at], os.X_OK)
    assert all(re.fullmatch(r"NKI_MLIR_\w+=\S+", word) for word in words[:at])
    if words[at] == ".ci/test" and (arguments := words[at + 1 :]):
        collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments]
        done = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_settings_of_the_scripts_are_named_where_they_are_used() -> None:
    """An environment variable of the documents is read by a script or by the package."""
    named = {name for document in DOCUMENTS for name in re.findall(r"NKI_MLIR_\w+", (ROOT / document).read_text())}
    places = [*(ROOT / ".ci").iterdir(), *(ROOT / "nki_mlir").rglob("*.py")]
    read = {name for path in places for name in re.findall(r"NKI_MLIR_\w+", path.read_text(encoding="utf-8"))}
    assert named <= read
