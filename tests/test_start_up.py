"""What nki-opt imports to do nothing: each module costs every RUN line of every test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OURS = """
nki_mlir nki_mlir.analysis nki_mlir.analysis.operations nki_mlir.dialects nki_mlir.errors nki_mlir.op_parser
nki_mlir.parsing nki_mlir.passes nki_mlir.passes.pipelines nki_mlir.passes.stages nki_mlir.passes.verify nki_mlir.tools
nki_mlir.tools.diagnostics nki_mlir.tools.nki_opt nki_mlir.tools.outputs nki_mlir.tools.source
"""
"""All that an empty module needs. A further one is worth its place here only if it can't be imported later."""


def modules(tool: str, path: Path) -> set[str]:
    """The names of all modules that a tool has imported once it has printed an empty module."""
    code = f"import sys; sys.argv[1:] = [{str(path)!r}]; from {tool} import main; main(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_what_an_empty_module_imports(tmp_path: Path) -> None:
    """Beside our own modules there are only those that xdsl-opt has as well."""
    path = tmp_path / "empty.mlir"
    path.write_text("builtin.module {}\n")
    found, xdsl = modules("nki_mlir.tools.nki_opt", path), modules("xdsl.tools.xdsl_opt", path)
    assert {name for name in found if name.split(".")[0] == "nki_mlir"} == set(OURS.split())
    others = sorted(name for name in found - xdsl if name.split(".")[0] != "nki_mlir")
    assert others == []
    assert len(found) <= len(xdsl) + 11
