"""Rules that keep the tests honest and `nki-opt` quick: what a slip or a stray import would silently break."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from run_lines import run_lines

ROOT = Path(__file__).parent.parent
FILECHECK = ROOT / "tests" / "filecheck"
MLIR_FILES = sorted(path for path in FILECHECK.rglob("*.mlir") if "Inputs" not in path.parts)

XDSL_PASSES = {"canonicalize", "cse", "dce"}

DIRECTIVE = re.compile(r"(?:-(?:NEXT|SAME|NOT|DAG|LABEL|EMPTY|COUNT-\d+))?(?:\{LITERAL\})?:")
SLIP = re.compile(r"//\s*(?:CHEKC|CHCEK|CEHCK|HCECK|CHECKS|CHEK|CHECH)(?:-[A-Z]+)?:")
PREFIXES = re.compile(r"--check-prefix(?:es)?[= ]([\w,-]+)")


def _name(path: Path) -> str:
    return str(path.relative_to(FILECHECK))


@pytest.mark.parametrize("path", MLIR_FILES, ids=_name)
def test_run_line(path: Path) -> None:
    assert run_lines(path.read_text(encoding="utf-8")), "no RUN line: the file tests nothing"


@pytest.mark.parametrize("path", MLIR_FILES, ids=_name)
def test_check_directives_are_spelt_right(path: Path) -> None:
    """filecheck ignores what it doesn't know, as long as one valid line remains."""
    text = path.read_text(encoding="utf-8")
    prefixes = {"CHECK", *(name for names in PREFIXES.findall(text) for name in names.split(","))}
    directive = re.compile(rf"//\s*(?:{'|'.join(sorted(prefixes, key=len, reverse=True))})(?=[-:{{ ])(.*)")
    for number, line in enumerate(text.splitlines(), 1):
        assert not SLIP.search(line), f"{path}:{number}: {line.strip()}"
        found = directive.search(line)
        assert not found or DIRECTIVE.match(found[1]), f"{path}:{number}: {line.strip()}"


@pytest.mark.parametrize("path", [path for path in MLIR_FILES if "invalid" in path.stem], ids=_name)
def test_every_invalid_chunk_says_what_is_wrong(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    chunks = text.split("// -----")
    for index, chunk in enumerate(chunks, 1):
        assert re.search(r"//\s*[A-Z0-9_-]*CHECK(?!-NOT)[^:\n]*:", chunk), f"{path}: chunk {index} has no CHECK line"


def test_every_pass_is_tested() -> None:
    """Each pass has a file for what it does, and one for what it rejects; both really run it."""
    from nki_mlir.passes import all_passes

    missing = [
        f"passes/{name}{kind}.mlir"
        for name in sorted(set(all_passes()) - XDSL_PASSES)
        for kind in ("", "_invalid")
        if not any(_runs(path, name) for path in _pass_files(name, kind))
    ]
    assert missing == [], "no test file, or none whose RUN line names the pass"


def _pass_files(name: str, kind: str) -> list[Path]:
    """`passes/<pass>.mlir` and `passes/<pass>_invalid.mlir`, or such files in a folder `passes/<pass>/`."""
    folder = FILECHECK / "passes"
    inside = [path for path in folder.glob(f"{name}/*.mlir") if ("invalid" in path.stem) == bool(kind)]
    alone = folder / f"{name}{kind}.mlir"
    return [*inside, alone] if alone.exists() else inside


def _runs(path: Path, name: str) -> bool:
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(word.search(line) for line in run_lines(path.read_text(encoding="utf-8")))


def test_nki_opt_starts_without_the_heavy_parts(tmp_path: Path) -> None:
    """Half of nki-opt's time on a small file is start-up; NumPy alone would add a third to it."""
    empty = tmp_path / "empty.mlir"
    empty.write_text("builtin.module {}\n")
    script = (
        "import sys; from nki_mlir.tools.nki_opt import main; code = main(sys.argv[1:]); "
        "print('loaded:', *sorted(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(empty)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.partition("loaded:")[2].split())
    assert "nki_mlir.tools.nki_opt" in loaded
    assert (
        loaded & {"numpy", "ml_dtypes", "torch", "jax", "nki_mlir.executor", "nki_mlir.frontend", "nki_mlir.universe"}
        == set()
    )
