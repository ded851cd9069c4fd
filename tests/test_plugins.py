"""Passes of other packages in nki-opt, and ours in xDSL's own tools, both through xDSL's entry points."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from module_texts import COPY

from nki_mlir.passes import OURS
from nki_mlir.passes.pipelines import NAMED

ROOT = Path(__file__).parent.parent

PLUGIN = """\
from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr
from xdsl.passes import ModulePass
from xdsl.universe import Universe


@dataclass(frozen=True)
class Sign(ModulePass):
    name = "other-sign"
    by: str = "nobody"

    def apply(self, ctx, op):
        op.attributes["signed"] = StringAttr(self.by)


class Crash(ModulePass):
    name = "other-crash"

    def apply(self, ctx, op):
        for inner in op.walk():
            if inner.name == "tile.read":
                raise KeyError(inner.name)


UNIVERSE = Universe(all_passes={"other-sign": lambda: Sign, "other-crash": lambda: Crash})
"""


@pytest.fixture
def other_package(tmp_path: Path) -> Path:
    """A folder with an installed package that has an entry point for xDSL, and a module t.mlir."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[xdsl.universe]\nother = other:UNIVERSE\n")
    (tmp_path / "other.py").write_text(PLUGIN)
    (tmp_path / "t.mlir").write_text(COPY)
    return tmp_path


def run(folder: Path, module: str, *args: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    code = f"import sys; from {module} import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def nki_opt(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "nki_mlir.tools.nki_opt", *args)


def xdsl_opt(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "xdsl.tools.xdsl_opt", *args)


def test_passes_of_other_packages(other_package: Path) -> None:
    done = nki_opt(other_package, "t.mlir", "-p", "tile,other-sign{by=me},place")
    assert done.returncode == 0, done.stderr
    assert 'signed = "me"' in done.stdout and "neuron.mem.load" in done.stdout


def test_passes_of_xdsl(other_package: Path) -> None:
    done = nki_opt(other_package, "t.mlir", "-p", "loop-hoist-memref")
    assert done.returncode == 0, done.stderr


def test_an_error_of_another_package_is_its_own(other_package: Path) -> None:
    done = nki_opt(other_package, "t.mlir", "-p", "other-crash")
    assert done.returncode == 70
    assert done.stderr.startswith("t.mlir:3:3: internal error: pass other-crash, at tile.read: KeyError: 'tile.read'\n")
    assert "This is a bug of other, not of your program." in done.stderr and "Traceback" not in done.stderr


def test_a_package_that_can_not_be_loaded(other_package: Path) -> None:
    """It stops nobody who doesn't ask for it."""
    (other_package / "other.py").write_text("import no_such_module\n")
    assert nki_opt(other_package, "t.mlir", "-p", "tile").returncode == 0
    done = nki_opt(other_package, "t.mlir", "-p", "other-sign")
    assert (done.returncode, done.stderr) == (
        1,
        "error: the xDSL plugins of this environment can't be loaded: ModuleNotFoundError: No module named 'no_such_module'\n",
    )


DRIVER = """\
from nki_mlir.tools import nki_opt
from other import Sign


class Mine(Sign):
    name = "mine"


class Driver(nki_opt.NkiOpt):
    def register_all_passes(self):
        super().register_all_passes()
        self.register_pass("mine", lambda: Mine)


def main():
    return nki_opt.main(None, Driver)
"""


def test_a_subclass_of_the_driver_registers_passes(other_package: Path) -> None:
    (other_package / "driver.py").write_text(DRIVER)
    done = run(other_package, "driver", "t.mlir", "-p", "tile,mine{by=me},place")
    assert done.returncode == 0, done.stderr
    assert 'signed = "me"' in done.stdout and "neuron.mem.load" in done.stdout
    assert "mine" in run(other_package, "driver", "--help").stdout


def test_xdsl_opt_knows_our_passes(tmp_path: Path) -> None:
    """The whole of the lowering gives what nki-opt gives."""
    (tmp_path / "t.mlir").write_text('builtin.module attributes {neuron.target = "trn1"} {\n' + COPY + "}\n")
    done = xdsl_opt(tmp_path, "t.mlir", "-p", ",".join(_single_passes(NAMED["lower-to-isa"])))
    assert done.returncode == 0, done.stderr
    assert "neuron.isa.dma_copy" in done.stdout
    assert done.stdout.strip() == nki_opt(tmp_path, "t.mlir", "--lower-to-isa").stdout.strip()
    listed = "".join(xdsl_opt(tmp_path, "--help").stdout.split())
    assert [name for name in OURS if not re.search(rf"[:,]{name},", listed)] == []


def _single_passes(spec: str) -> list[str]:
    return [name for one in spec.split(",") for name in (_single_passes(NAMED[one]) if one in NAMED else [one])]


def test_nothing_of_ours_is_imported_for_the_entry_point() -> None:
    """Every tool of xDSL loads it at its start."""
    code = "import sys, nki_mlir.universe as u; print(*sorted(m for m in sys.modules if m.startswith('nki_mlir')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["nki_mlir", "nki_mlir.errors", "nki_mlir.passes", "nki_mlir.universe"]
