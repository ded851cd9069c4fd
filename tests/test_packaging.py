"""What is built from this folder has all of the package, and works where nothing else is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py") if path.stem != "common")
LINKS = {"dialects", "passes", "tools"}
"""At the top level, into the package; they are for readers, and nothing is reached by them."""


def run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def repository() -> set[str]:
    """The files of the repository, new ones included, without what is ignored or deleted."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    return {name for name in names if os.path.lexists(ROOT / name)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, each built from the sources."""
    out = tmp_path_factory.mktemp("dist")
    # In an environment of its own the build backend is fetched from PyPI.
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    run(sys.executable, "-m", "build", "--sdist", "--wheel", *isolation, "--outdir", out, ROOT, cwd=out)
    return out


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_sdist_has_every_file_of_the_repository(built: Path) -> None:
    with tarfile.open(only(built, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names == repository() - LINKS | {"PKG-INFO"}


def test_the_wheel_has_every_file_of_the_package_and_no_other(built: Path) -> None:
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {name for name in repository() if name.startswith("nki_mlir/")}


class Environment:
    """An empty environment; its interpreter finds the dependencies where the running one has them, but not the package,
    which is elsewhere or behind it on the path."""

    def __init__(self, folder: Path):
        self.folder = folder
        run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / "python"
        site = run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
        Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, *command: object, cwd: Path) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NKI_MLIR"))}
        return run(*command, cwd=cwd, env=env)

    def install(self, package: Path) -> None:
        isolation = ["--no-build-isolation"] if find_spec("hatchling") else []
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "install"]
        self.run(*pip, "--quiet", "--no-deps", "--ignore-installed", *isolation, package, cwd=self.folder)


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"])
def installed(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    environment = Environment(tmp_path_factory.mktemp("fresh") / "venv")
    environment.install(only(built, request.param))
    yield environment


def test_the_package_is_the_installed_one(installed: Environment, tmp_path: Path) -> None:
    found = installed.run(installed.python, "-c", "import nki_mlir; print(nki_mlir.__file__)", cwd=tmp_path)
    assert installed.folder in Path(found.strip()).parents


def test_nki_opt_and_nki_run(installed: Environment, tmp_path: Path) -> None:
    source = ROOT / "examples" / "matmul.mlir"
    lowered = tmp_path / "lowered.mlir"
    installed.run(installed.scripts / "nki-opt", "--lower-to-isa", source, "-o", lowered, cwd=tmp_path)
    assert "neuron.isa.stream tensor" in lowered.read_text()
    assert "modelled" in installed.run(installed.scripts / "nki-run", lowered, "--random", "0", cwd=tmp_path)


def test_xdsl_opt_finds_the_dialects(installed: Environment, tmp_path: Path) -> None:
    """By the entry point of the installed package: that of the running environment may be on the path behind it."""
    script = "from importlib.metadata import distribution; print(distribution('nki-mlir').entry_points)"
    assert "xdsl.universe" in installed.run(installed.python, "-c", script, cwd=tmp_path)
    source = ROOT / "examples" / "vector_add.mlir"
    assert "tile.programs" in installed.run(installed.python, "-m", "xdsl.tools.xdsl_opt", source, cwd=tmp_path)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples(installed: Environment, example: str, tmp_path: Path) -> None:
    """Each compares its result with NumPy's and fails if they differ."""
    assert "ok" in installed.run(installed.python, ROOT / "examples" / example, cwd=tmp_path)
